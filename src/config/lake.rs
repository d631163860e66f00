//! The settings of the embedded store, its key pair among them.

use std::path::PathBuf;

use super::{Config, Credentials, FileLake, Flags, LakeConfig, Picker, address, span};
use crate::error::{Error, Result};

/// The word for any region.
const ANY_REGION: &str = "*";

impl Picker<'_> {
    /// The refusal of a value that says nothing, by the name of the setting and where it was set.
    fn empty(&self, name: &str) -> Error {
        let from = self.origins.iter().find(|origin| origin.name == name);
        let from = from.map_or("", |origin| &origin.from);
        Error::invalid(format!("{name} is empty ({from})"))
            .hint("set MASTIC_ACCESS_KEY and MASTIC_SECRET_KEY to values of their own, or neither of them")
    }
}

pub(super) fn resolve_credentials(picker: &mut Picker<'_>, file: &FileLake) -> Result<Option<Credentials>> {
    let access_key = picker.pick(
        "lake.access_key",
        None,
        Some("MASTIC_ACCESS_KEY"),
        file.access_key.clone(),
        None,
    );
    let secret_key = picker.pick(
        "lake.secret_key",
        None,
        Some("MASTIC_SECRET_KEY"),
        file.secret_key.clone(),
        None,
    );
    for (name, value) in [("lake.access_key", &access_key), ("lake.secret_key", &secret_key)] {
        if value.as_ref().is_some_and(|value| value.trim().is_empty()) {
            return Err(picker.empty(name));
        }
    }
    if access_key
        .as_ref()
        .is_some_and(|key| key.contains(['/', ',']) || key.contains(char::is_whitespace))
    {
        return Err(
            Error::invalid("lake.access_key has a slash, a comma or a space in it")
                .hint("no signature can name such a key; use letters and digits"),
        );
    }
    match (access_key, secret_key) {
        (Some(access_key), Some(secret_key)) => Ok(Some(Credentials {
            access_key,
            secret_key,
        })),
        (None, None) => Ok(None),
        (access_key, _) => Err(Error::invalid(format!(
            "one half of the key pair is missing: {}",
            if access_key.is_some() {
                "lake.secret_key"
            } else {
                "lake.access_key"
            }
        ))
        .hint("set both MASTIC_ACCESS_KEY and MASTIC_SECRET_KEY, or neither")),
    }
}

pub(super) fn resolve_lake(
    picker: &mut Picker<'_>,
    flags: &Flags,
    file: FileLake,
    credentials: Option<&Credentials>,
) -> Result<Option<LakeConfig>> {
    let embedded = picker
        .pick(
            "lake.embedded",
            None,
            Some("MASTIC_LAKE_EMBEDDED"),
            file.embedded.map(|b| b.to_string()),
            Some("true"),
        )
        .unwrap_or_default();
    match embedded.as_str() {
        "true" => {}
        "false" => return Ok(None),
        other => {
            return Err(Error::invalid(format!("lake.embedded is '{other}'")).hint("write true or false"));
        }
    }
    let folder_flag = flags.lake.as_ref().map(|path| path.display().to_string());
    let folder = picker
        .pick(
            "lake.folder",
            Some(("--lake", folder_flag)),
            Some("MASTIC_LAKE"),
            file.folder,
            Some("mastic-data/lake"),
        )
        .unwrap_or_default();
    let listen = picker
        .pick(
            "lake.listen",
            Some(("--lake-listen", flags.lake_listen.clone())),
            Some("MASTIC_LAKE_LISTEN"),
            file.listen,
            Some("127.0.0.1:9000"),
        )
        .unwrap_or_default();
    let listen = address("lake.listen", &listen)?;
    if credentials.is_none() && !listen.ip().is_loopback() {
        return Err(
            Error::denied(format!("the object store would be open to everybody at {listen}"))
                .hint("set MASTIC_ACCESS_KEY and MASTIC_SECRET_KEY, or listen on 127.0.0.1"),
        );
    }
    let region = picker.pick("lake.region", None, Some("MASTIC_LAKE_REGION"), file.region, None);
    if region
        .as_ref()
        .is_some_and(|region| region != ANY_REGION && !is_region(region))
    {
        return Err(
            Error::invalid(format!("lake.region is '{}'", region.unwrap_or_default()))
                .hint("write lower-case letters, digits and hyphens, as us-east-1, or * for any"),
        );
    }
    let expiry = picker.pick(
        "lake.upload_expiry",
        None,
        Some("MASTIC_LAKE_UPLOAD_EXPIRY"),
        file.upload_expiry,
        Some("7d"),
    );
    let expiry = expiry.unwrap_or_default();
    let upload_expiry = span(&expiry).ok_or_else(|| {
        Error::invalid(format!("lake.upload_expiry is '{expiry}'")).hint("write 90m, 12h or 7d")
    })?;
    let reads = picker.pick(
        "lake.reads",
        None,
        Some("MASTIC_LAKE_READS"),
        file.reads,
        Some("files"),
    );
    let reads_files = match reads.unwrap_or_default().as_str() {
        "files" => true,
        "endpoint" => false,
        other => {
            return Err(Error::invalid(format!("lake.reads is '{other}'")).hint(
                "write files, to read objects from the lake's folder, or endpoint, to have each read go through the S3 endpoint and its access log",
            ));
        }
    };
    let url = picker.pick("lake.url", None, Some("MASTIC_LAKE_URL"), file.url, None);
    if let Some(url) = &url
        && !url.starts_with("http://")
        && !url.starts_with("https://")
    {
        return Err(Error::invalid(format!("lake.url is '{url}'"))
            .hint("write the address by which other machines reach the store, as http://lake.example:9000"));
    }
    Ok(Some(LakeConfig {
        url,
        region,
        upload_expiry,
        reads_files,
        folder: PathBuf::from(folder),
        listen,
        buckets: file.buckets.unwrap_or_else(|| vec!["lake".to_owned()]),
    }))
}

impl Config {
    /// The address by which other machines reach the embedded store, where it was told.
    pub fn lake_url(&self) -> Option<&String> {
        self.lake.as_ref()?.url.as_ref()
    }

    /// The only region that requests to the embedded store may be signed for; none where any will do.
    pub fn lake_region(&self) -> Option<&str> {
        match self.lake.as_ref()?.region.as_deref() {
            Some(ANY_REGION) => None,
            Some(region) => Some(region),
            None => Some(&self.catalog.region),
        }
    }
}

fn is_region(text: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::super::tests::environment;
    use crate::config::{Config, Flags};

    #[test]
    fn how_long_uploads_are_kept_is_a_span() {
        let resolve = |text: &str| {
            let pairs = [("MASTIC_LAKE_UPLOAD_EXPIRY", text)];
            Config::resolve(&Flags::default(), &environment(&pairs))
                .map(|config| config.lake.unwrap().upload_expiry)
        };
        for (text, seconds) in [("30s", 30), ("90m", 5400), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(resolve(text).unwrap().as_secs(), seconds);
        }
        for text in [
            "",
            "7",
            "d",
            "0d",
            "-1d",
            "1w",
            "1.5h",
            "7 d",
            "99999999999999999999d",
            "9999999999999999d",
        ] {
            assert!(
                resolve(text).unwrap_err().message.contains("lake.upload_expiry"),
                "{text}"
            );
        }
        let default = Config::resolve(&Flags::default(), &environment(&[])).unwrap();
        assert_eq!(default.lake.unwrap().upload_expiry.as_secs(), 604_800);
    }

    #[test]
    fn half_a_key_pair_and_an_empty_one_are_refused_by_name() {
        let refused = |pairs: &[(&str, &str)]| {
            Config::resolve(&Flags::default(), &environment(pairs))
                .unwrap_err()
                .message
        };
        for (key, secret, named) in [
            ("", "", "lake.access_key is empty (environment MASTIC_ACCESS_KEY)"),
            (
                "ak",
                "",
                "lake.secret_key is empty (environment MASTIC_SECRET_KEY)",
            ),
            (
                "",
                "sk",
                "lake.access_key is empty (environment MASTIC_ACCESS_KEY)",
            ),
            (
                " ",
                "sk",
                "lake.access_key is empty (environment MASTIC_ACCESS_KEY)",
            ),
            (
                "ak",
                " \t",
                "lake.secret_key is empty (environment MASTIC_SECRET_KEY)",
            ),
        ] {
            assert_eq!(
                refused(&[("MASTIC_ACCESS_KEY", key), ("MASTIC_SECRET_KEY", secret)]),
                named
            );
        }
        assert!(refused(&[("MASTIC_ACCESS_KEY", "ak")]).ends_with("missing: lake.secret_key"));
        assert!(refused(&[("MASTIC_SECRET_KEY", "sk")]).ends_with("missing: lake.access_key"));
        assert!(refused(&[("MASTIC_ACCESS_KEY", "a/k"), ("MASTIC_SECRET_KEY", "sk")]).contains("slash"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mastic.toml");
        std::fs::write(&path, "[lake]\naccess_key = \"\"\nsecret_key = \"sk\"\n").unwrap();
        let flags = Flags {
            config: Some(path),
            ..Flags::default()
        };
        let error = Config::resolve(&flags, &environment(&[])).unwrap_err();
        assert!(
            error.message.contains("lake.access_key is empty (") && error.message.contains("mastic.toml")
        );
    }

    #[test]
    fn requests_are_signed_for_the_catalogs_region_unless_told() {
        let region = |pairs: &[(&str, &str)]| {
            let config = Config::resolve(&Flags::default(), &environment(pairs)).unwrap();
            config.lake_region().map(str::to_owned)
        };
        assert_eq!(region(&[]).as_deref(), Some("us-east-1"));
        assert_eq!(
            region(&[("AWS_REGION", "eu-west-1")]).as_deref(),
            Some("eu-west-1")
        );
        let told = [("AWS_REGION", "eu-west-1"), ("MASTIC_LAKE_REGION", "eu-north-1")];
        assert_eq!(region(&told).as_deref(), Some("eu-north-1"));
        assert_eq!(region(&[("MASTIC_LAKE_REGION", "*")]), None);
    }
}
