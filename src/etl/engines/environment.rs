//! Environments of Python packages: one for each list of requirements and interpreter, made once and kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::known::Known;
use crate::config::EngineConfig;
use crate::error::{Error, Result};
use crate::task::Program;

/// What asks an interpreter where it is and where its modules are.
const WHERE: &str = "import json, sys; print(json.dumps([sys.executable, sys.prefix, sys.base_prefix]))";
/// What makes an environment.
const INSTALL: &str = include_str!("install.py");
/// What of this process's environment says where packages come from.
const OF_PACKAGES: [&str; 9] = [
    "PIP_",
    "UV_",
    "SSL_CERT_",
    "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
];

/// An interpreter, and the folders that it needs.
#[derive(Clone, Debug)]
pub(super) struct Interpreter {
    pub(super) file: PathBuf,
    pub(super) folders: Vec<PathBuf>,
}

impl Interpreter {
    /// The one that the settings name. It is asked once where it is.
    ///
    /// # Errors
    /// Invalid where there is none.
    pub(super) async fn of(config: &EngineConfig) -> Result<Self> {
        static KNOWN: Known<Interpreter> = Known::new();
        KNOWN
            .of(Path::new(&config.python), Self::ask(&config.python))
            .await
    }

    async fn ask(name: &str) -> Result<Self> {
        let missing = |why: String| {
            Error::invalid(format!("the Python interpreter '{name}' can't be used: {why}"))
                .hint("install Python 3, or name an interpreter with engines.python")
        };
        let answer = Command::new(name)
            .args(["-I", "-c", WHERE])
            .kill_on_drop(true)
            .output();
        let answer = answer.await.map_err(|cause| missing(cause.to_string()))?;
        let paths: Vec<PathBuf> = serde_json::from_slice(&answer.stdout)
            .map_err(|_| missing(String::from_utf8_lossy(&answer.stderr).trim().to_owned()))?;
        let [file, prefix, base] = &paths[..] else {
            return Err(missing("it does not say where it is".to_owned()));
        };
        Ok(Self {
            file: file.clone(),
            folders: vec![prefix.clone(), base.clone()],
        })
    }
}

/// An environment, whether it is there or not.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    folder: PathBuf,
    requirements: Vec<String>,
    base: Interpreter,
    java: Option<OfJava>,
}

/// What of an environment Spark gets, once it is there itself: packages of Java.
#[derive(Clone, Debug)]
struct OfJava {
    packages: Vec<String>,
    home: PathBuf,
    /// What Spark is told, because that may say where packages come from.
    properties: BTreeMap<String, String>,
}

impl Environment {
    /// The environment of these requirements.
    ///
    /// # Errors
    /// As [`Interpreter::of`].
    pub(super) async fn of(config: &EngineConfig, requirements: &[String]) -> Result<Self> {
        let base = Interpreter::of(config).await?;
        let mut digest = Sha256::new();
        digest.update(base.file.as_os_str().as_encoded_bytes());
        for requirement in requirements {
            digest.update(format!("\n{requirement}"));
        }
        let name = hex::encode(&digest.finalize()[..8]);
        Ok(Self {
            folder: config.folder.join(name),
            requirements: requirements.to_vec(),
            base,
            java: None,
        })
    }

    /// The same with packages of Java (`group:name:version`), which its Spark gets by the Java in `home`.
    pub(super) fn with_jars(
        self,
        packages: &[String],
        home: &Path,
        properties: &BTreeMap<String, String>,
    ) -> Self {
        let java = OfJava {
            packages: packages.to_vec(),
            home: home.to_owned(),
            properties: properties.clone(),
        };
        Self {
            java: Some(java),
            ..self
        }
    }

    /// The folder of its Spark.
    pub(super) fn spark_home(&self) -> PathBuf {
        self.folder.join("spark")
    }

    /// The files of its packages of Java.
    ///
    /// # Errors
    /// Unavailable where they can't be listed.
    pub(super) fn jars(&self) -> Result<Vec<PathBuf>> {
        let folder = self.folder.join("ivy/jars");
        let unreadable =
            |cause: std::io::Error| Error::unavailable(format!("can't list {}: {cause}", folder.display()));
        let mut jars = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            jars.push(entry.map_err(unreadable)?.path());
        }
        jars.sort();
        Ok(jars)
    }

    /// Whether it is whole.
    pub(super) fn is_ready(&self) -> bool {
        self.folder.join("ready").exists()
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its own interpreter.
    pub(super) fn interpreter(&self) -> Interpreter {
        let own = self.folder.join("env");
        let mut folders = vec![own.clone()];
        folders.extend(self.base.folders.iter().cloned());
        Interpreter {
            file: own.join("bin/python"),
            folders,
        }
    }

    /// The command that makes it, unless it is there.
    pub(super) fn installing(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.base.file);
        command.args(["-c", INSTALL]).arg(&self.folder);
        if let Some(java) = &self.java {
            command.env("JAVA_HOME", &java.home);
            command.arg("--jars").arg(java.packages.join(","));
            for (name, value) in &java.properties {
                command.arg("--conf").arg(format!("{name}={value}"));
            }
        }
        command.args(&self.requirements);
        command
    }

    /// The program that makes it as a part of a run. Its folder must be there.
    ///
    /// # Errors
    /// Unavailable where the folder can't be made.
    pub(super) fn program(&self, log_bytes: u64) -> Result<Program> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|cause| Error::unavailable(format!("can't make {}: {cause}", self.folder.display())))?;
        let mut arguments = vec![
            "-c".to_owned(),
            INSTALL.to_owned(),
            self.folder.display().to_string(),
        ];
        arguments.extend(self.requirements.iter().cloned());
        let mut environment: BTreeMap<String, String> = crate::config::process_environment()
            .into_iter()
            .filter(|(name, _)| OF_PACKAGES.iter().any(|known| name.starts_with(known)))
            .collect();
        environment.insert("PATH".to_owned(), search_path(&self.base));
        Ok(Program {
            file: self.base.file.clone(),
            arguments,
            environment,
            files: BTreeMap::new(),
            objects: Vec::new(),
            // Wheels run no code, and settings of pip and wheels of one's own may be anywhere.
            readable: vec![PathBuf::from("/")],
            writable: vec![self.folder.clone()],
            output: None,
            log_bytes,
        })
    }
}

/// Where programs are looked for: beside the interpreter, then where the system has them.
pub(super) fn search_path(interpreter: &Interpreter) -> String {
    let own = interpreter
        .file
        .parent()
        .map(|folder| folder.display().to_string());
    let parts = [own.as_deref(), Some("/usr/local/bin:/usr/bin:/bin")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(":")
}
