//! Where Spark scripts run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What runs a Spark script.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Runtime {
    /// Sail where it can do what the script asks for, else Spark.
    #[default]
    Auto,
    /// Sail, in the script's own process.
    Sail,
    /// Spark, where the settings say.
    Spark,
    /// Spark at an address of its own.
    At(SparkAddress),
}

impl Runtime {
    /// As people may see it: of an address, without what may be a token.
    pub fn shown(&self) -> &str {
        match self {
            Self::Auto => "auto",
            Self::Sail => "sail",
            Self::Spark => "spark",
            Self::At(address) => address.shown(),
        }
    }

    /// Whether nothing was said.
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

impl FromStr for Runtime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "auto" => Self::Auto,
            "sail" => Self::Sail,
            "spark" => Self::Spark,
            address => Self::At(address.parse().map_err(|_: Error| {
                Error::invalid(format!("there is no runtime '{address}'"))
                    .hint(format!("write auto, sail, spark, or {ADDRESSES}"))
            })?),
        })
    }
}

impl TryFrom<String> for Runtime {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Runtime> for String {
    fn from(runtime: Runtime) -> Self {
        runtime.to_string()
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Sail => f.write_str("sail"),
            Self::Spark => f.write_str("spark"),
            Self::At(address) => address.fmt(f),
        }
    }
}

/// The addresses that there are, in words.
const ADDRESSES: &str = "an address: local[*], spark://HOST:PORT, yarn, k8s://HOST:PORT or sc://HOST:PORT";
/// The port of a Spark Connect server, and of a standalone cluster's master, where none is said.
const CONNECT_PORT: u16 = 15002;
const MASTER_PORT: u16 = 7077;
const CONNECT: &str = "sc://";
const STANDALONE: &str = "spark://";

/// Where a Spark is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SparkAddress {
    /// A Spark Connect server: `sc://HOST:PORT/;NAME=VALUE`.
    Connect(String),
    /// What `spark-submit --master` takes: `local[*]`, `spark://HOST:PORT`, `yarn`, `k8s://HOST:PORT`.
    Master(String),
}

impl SparkAddress {
    /// As people may see it: without what follows a server's host, which may be a token.
    pub fn shown(&self) -> &str {
        match self {
            Self::Connect(url) => url.split("/;").next().unwrap_or_default(),
            Self::Master(master) => master,
        }
    }

    /// Whether it is this machine alone.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Master(master) if master.starts_with("local"))
    }

    /// Whether it is on this machine, so that what it runs reaches what listens on loopback.
    pub fn is_near(&self) -> bool {
        let is_here = |(host, _): &(String, u16)| host == "localhost" || host.starts_with("127.");
        self.is_local() || self.servers().iter().any(is_here)
    }

    /// The hosts and ports of which one must answer; none where Spark finds out by itself whether one does.
    pub fn servers(&self) -> Vec<(String, u16)> {
        let (hosts, port) = match self {
            Self::Connect(url) => (url.strip_prefix(CONNECT), CONNECT_PORT),
            Self::Master(master) => (master.strip_prefix(STANDALONE), MASTER_PORT),
        };
        let hosts = hosts.unwrap_or_default().split('/').next().unwrap_or_default();
        let server = |host: &str| {
            let (host, port) = match host.rsplit_once(':') {
                Some((host, given)) => (host, given.parse().unwrap_or(port)),
                None => (host, port),
            };
            (host.to_owned(), port)
        };
        hosts
            .split(',')
            .filter(|host| !host.is_empty())
            .map(server)
            .collect()
    }
}

impl FromStr for SparkAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_local = text == "local" || text.starts_with("local[") && text.ends_with(']');
        let is_at_a_host = |scheme| text.strip_prefix(scheme).is_some_and(|host| !host.is_empty());
        if is_at_a_host(CONNECT) {
            return Ok(Self::Connect(text.to_owned()));
        }
        match is_local || text == "yarn" || is_at_a_host(STANDALONE) || is_at_a_host("k8s://") {
            true => Ok(Self::Master(text.to_owned())),
            false => {
                Err(Error::invalid(format!("'{text}' is no address of Spark"))
                    .hint(format!("write {ADDRESSES}")))
            }
        }
    }
}

impl fmt::Display for SparkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(url) => f.write_str(url),
            Self::Master(master) => f.write_str(master),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(address: &str) -> Vec<(String, u16)> {
        address.parse::<SparkAddress>().unwrap().servers()
    }

    #[test]
    fn runtimes_are_written_as_they_are_read() {
        for text in [
            "auto",
            "sail",
            "spark",
            "local[2]",
            "spark://a:1",
            "yarn",
            "sc://h:1/;token=x",
        ] {
            assert_eq!(text.parse::<Runtime>().unwrap().to_string(), text);
        }
        let wrong = "flink".parse::<Runtime>().unwrap_err();
        assert_eq!(wrong.message, "there is no runtime 'flink'");
        assert!("spark://".parse::<Runtime>().is_err() && "local[".parse::<Runtime>().is_err());
    }

    #[test]
    fn servers_are_the_hosts_of_an_address() {
        assert_eq!(
            servers("spark://a:7000,b"),
            [("a".to_owned(), 7000), ("b".to_owned(), 7077)]
        );
        assert_eq!(servers("sc://h/;token=x"), [("h".to_owned(), 15002)]);
        assert_eq!(servers("local[*]"), []);
        assert_eq!(servers("yarn"), []);
        let is_near = |address: &str| address.parse::<SparkAddress>().unwrap().is_near();
        assert!(
            is_near("local") && is_near("spark://127.0.0.1:1") && !is_near("spark://a:1") && !is_near("yarn")
        );
    }
}
