//! What a database's refusals mean, so that a person knows what to do: nobody there, a wrong password, no such database,
//! or TLS that only one side wants.

use sqlx::mysql::MySqlDatabaseError;

use super::LIST;
use super::address::{Source, Tls};
use crate::error::{Error, ErrorKind};
use crate::model::source::Engine;

/// What a server's own error says.
enum Meaning {
    /// A wrong name or password.
    Stranger,
    /// The user may not use the database.
    Forbidden,
    /// There is no such database.
    NoDatabase,
    /// Only encrypted connections are taken.
    WantsTls,
    /// It took longer than we allow.
    TooLong,
    /// Anything else.
    Other,
}

impl Source {
    /// An error of the driver's.
    pub(super) fn refusal(&self, database: Option<&str>, cause: sqlx::Error) -> Error {
        let user = &self.user;
        let name = database.or(self.database.as_deref()).unwrap_or_default();
        match &cause {
            // A certificate that isn't trusted comes as data that can't be read.
            sqlx::Error::Io(cause) if cause.kind() == std::io::ErrorKind::InvalidData => {
                self.about_tls(&cause.to_string())
            }
            sqlx::Error::Io(cause) => self.no_answer(&cause.to_string()),
            sqlx::Error::Tls(why) => self.about_tls(&why.to_string()),
            sqlx::Error::Database(refusal) => match meaning(self.engine, refusal.as_ref()) {
                Meaning::Stranger => Error::denied(format!("{self} refused {user}: the name or the password is wrong"))
                    .hint(match (self.engine, self.tls) {
                        // It says no more than this to those of whom it wants TLS.
                        (Engine::MySql, Tls::Off) => {
                            "set USERNAME and PASSWORD of the connection; the user may have to come by TLS, which the URL \
                             switches off"
                        }
                        _ => "set USERNAME and PASSWORD of the connection",
                    }),
                Meaning::Forbidden => Error::denied(format!("{self} doesn't let {user} use the database {name}"))
                    .hint(format!("grant {user} the right to connect to it and to read its tables")),
                Meaning::NoDatabase => Error::not_found(format!("{self} has no database {name}"))
                    .hint("write its name as the server does; upper and lower case may matter"),
                Meaning::WantsTls => self.wants_tls(),
                Meaning::TooLong => self.took_too_long(),
                Meaning::Other => Error::unavailable(format!("{self}: {}", refusal.message())),
            },
            // The driver sends no password unencrypted, and says so in words of its own.
            sqlx::Error::Protocol(why) | sqlx::Error::InvalidArgument(why) if why.to_lowercase().contains("rsa") => {
                self.wants_tls()
            }
            _ => Error::new(ErrorKind::Unavailable, format!("{self}: {cause}")),
        }
    }

    /// Nobody is there, or nobody answers.
    pub(super) fn no_answer(&self, why: &str) -> Error {
        Error::unavailable(format!("{self} can't be reached: {why}"))
            .hint("check the host, the port and what is between; the server has to listen on that address")
    }

    pub(super) fn took_too_long(&self) -> Error {
        Error::unavailable(format!(
            "{self} didn't list its tables within {} s",
            LIST.as_secs()
        ))
        .hint("name fewer tables in the path")
    }

    fn wants_tls(&self) -> Error {
        Error::invalid(format!("{self} takes encrypted connections only")).hint(match self.tls {
            Tls::Off => "set JDBC_ENFORCE_SSL to true, and take what switches TLS off out of the URL",
            _ => "switch TLS on at the server, and set JDBC_ENFORCE_SSL to true",
        })
    }

    fn about_tls(&self, why: &str) -> Error {
        if why.contains("does not support TLS") {
            return Error::invalid(format!("{self} offers no TLS, and the connection demands it"))
                .hint("switch TLS on at the server, or set JDBC_ENFORCE_SSL to false");
        }
        let hint = match self.tls {
            Tls::Verified => "the certificate has to be the host's, by an authority that is trusted publicly",
            _ => "see what the server's log says",
        };
        Error::invalid(format!("{self}: TLS failed: {why}")).hint(hint)
    }
}

fn meaning(engine: Engine, refusal: &(dyn sqlx::error::DatabaseError + 'static)) -> Meaning {
    let code = refusal.code().unwrap_or_default();
    let message = refusal.message();
    match engine {
        Engine::PostgreSql => match code.as_ref() {
            // No line of pg_hba.conf fits a connection that isn't encrypted.
            "28000" if message.contains("no encryption") || message.contains("SSL off") => Meaning::WantsTls,
            "28000" if message.contains("pg_hba.conf") => Meaning::Other,
            "28000" | "28P01" => Meaning::Stranger,
            "42501" => Meaning::Forbidden,
            "3D000" => Meaning::NoDatabase,
            "57014" => Meaning::TooLong,
            _ => Meaning::Other,
        },
        Engine::MySql => match refusal
            .try_downcast_ref::<MySqlDatabaseError>()
            .map(MySqlDatabaseError::number)
        {
            Some(1044) => Meaning::Forbidden,
            Some(1045 | 1698) => Meaning::Stranger,
            Some(1049) => Meaning::NoDatabase,
            // MySQL's and MariaDB's require_secure_transport.
            Some(3159) => Meaning::WantsTls,
            _ if message.contains("insecure transport") => Meaning::WantsTls,
            Some(1969 | 3024) => Meaning::TooLong,
            _ => Meaning::Other,
        },
    }
}
