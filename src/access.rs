//! Who asks, and what they may do. Each wire has its operations on one page, and each line of it names the role that the
//! operation needs; a wire asks before it performs one.

mod scope;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::HeaderMap;

use crate::config::Credentials;
use crate::error::{Error, Result};
pub use scope::{Area, Scope};

/// What somebody may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees what the catalog says, and what became of crawls, runs and events.
    Viewer,
    /// Sees the data, too: samples and queries.
    Analyst,
    /// Changes the catalog, and the definitions of crawlers, jobs, classifiers and connections.
    Editor,
    /// Starts, stops, tries again, and settles what goes on.
    Operator,
    /// Sees passwords, and may do everything.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::Viewer,
        Self::Analyst,
        Self::Editor,
        Self::Operator,
        Self::Admin,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Editor => "editor",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What they are called in words and in the log.
    pub name: Arc<str>,
    /// What they may do.
    pub role: Role,
}

impl Caller {
    /// Somebody of this name.
    pub fn new(name: &str, role: Role) -> Self {
        Self {
            name: name.into(),
            role,
        }
    }

    /// The program itself, at its background work.
    pub fn program() -> Self {
        Self::new("mastic", Role::Admin)
    }

    /// Makes sure that they may do something.
    ///
    /// # Errors
    /// Denied.
    pub fn may(&self, operation: &str, needed: Role) -> Result<()> {
        if self.role >= needed {
            return Ok(());
        }
        let Self { name, role } = self;
        Err(Error::denied(format!(
            "{operation} needs the role {needed}, and {name} has the role {role}"
        ))
        .hint("ask whoever runs this server"))
    }
}

/// Who has an access key.
#[derive(Clone)]
pub struct Holder {
    /// What of the object store the key is good for, where that isn't everything.
    pub scope: Option<Arc<Scope>>,
    /// What they sign with.
    pub secret_key: String,
    /// Who they are.
    pub caller: Caller,
}

/// Says who asks.
pub trait Authenticator: Send + Sync {
    /// Who has an access key; nobody where there is no such key.
    fn holder(&self, access_key: &str) -> Option<Holder>;

    /// Who asks AWS's services without a key; nobody where requests must be signed.
    fn unsigned(&self) -> Option<Caller>;

    /// Who sends a request to the REST API; nobody where it doesn't say.
    fn sender(&self, headers: &HeaderMap) -> Option<Caller>;

    /// Takes a key for a while; says whether it does.
    fn lend(&self, access_key: &str, holder: Holder) -> bool {
        let _ = (access_key, holder);
        false
    }

    /// Takes a key no more.
    fn take_back(&self, access_key: &str) {
        let _ = access_key;
    }
}

/// The rule of a server without sign-in. The API listens on loopback alone, and whoever reaches it may do everything; AWS's
/// services want a signature where a key pair is set.
pub struct OneKey {
    credentials: Option<Credentials>,
    /// The keys that are lent, such as those of runs.
    lent: RwLock<HashMap<String, Holder>>,
}

impl OneKey {
    /// With this key pair, or none.
    pub fn new(credentials: Option<Credentials>) -> Self {
        Self {
            credentials,
            lent: RwLock::default(),
        }
    }
}

impl Authenticator for OneKey {
    fn holder(&self, access_key: &str) -> Option<Holder> {
        let held = self.credentials.as_ref();
        let Some(held) = held.filter(|credentials| credentials.access_key == access_key) else {
            let lent = self.lent.read().unwrap_or_else(PoisonError::into_inner);
            return lent.get(access_key).cloned();
        };
        Some(Holder {
            scope: None,
            secret_key: held.secret_key.clone(),
            caller: Caller::new(access_key, Role::Admin),
        })
    }

    fn unsigned(&self) -> Option<Caller> {
        self.credentials.is_none().then(on_this_machine)
    }

    fn sender(&self, _: &HeaderMap) -> Option<Caller> {
        Some(on_this_machine())
    }

    fn lend(&self, access_key: &str, holder: Holder) -> bool {
        let mut lent = self.lent.write().unwrap_or_else(PoisonError::into_inner);
        lent.insert(access_key.to_owned(), holder);
        true
    }

    fn take_back(&self, access_key: &str) {
        let mut lent = self.lent.write().unwrap_or_else(PoisonError::into_inner);
        lent.remove(access_key);
    }
}

/// Whoever reaches a server that listens on loopback.
fn on_this_machine() -> Caller {
    Caller::new("localhost", Role::Admin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_those_before_it_may() {
        for (index, role) in Role::ALL.into_iter().enumerate() {
            let caller = Caller::new("ada", role);
            for (other, needed) in Role::ALL.into_iter().enumerate() {
                assert_eq!(
                    caller.may("it", needed).is_ok(),
                    other <= index,
                    "{role} {needed}"
                );
            }
        }
        let refused = Caller::new("ada", Role::Viewer)
            .may("run_sql", Role::Analyst)
            .unwrap_err();
        assert_eq!(
            refused.message,
            "run_sql needs the role analyst, and ada has the role viewer"
        );
    }

    #[test]
    fn with_a_key_pair_nobody_asks_unsigned() {
        let pair = Credentials {
            access_key: "key".to_owned(),
            secret_key: "secret".to_owned(),
        };
        let keyed = OneKey::new(Some(pair));
        assert_eq!(keyed.unsigned(), None);
        assert!(keyed.holder("other").is_none());
        let holder = keyed.holder("key").unwrap();
        assert_eq!(
            (holder.secret_key.as_str(), holder.caller.role),
            ("secret", Role::Admin)
        );
        assert_eq!(OneKey::new(None).unsigned().unwrap().role, Role::Admin);
    }
}
