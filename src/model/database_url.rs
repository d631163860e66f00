//! URLs of databases.

/// What stands before a password among the parameters of a URL.
const PARAMETER: &str = "password=";

/// The URL as it may be shown: without the password before its host, and with that among its parameters starred.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let shown = match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split_once(':').map_or(user, |(user, _)| user);
            format!("{scheme}://{user}@{host}")
        }
        None => url.to_owned(),
    };
    let Some(at) = shown.to_ascii_lowercase().find(PARAMETER) else {
        return shown;
    };
    let (before, value) = shown.split_at(at + PARAMETER.len());
    let rest = value.find(['&', ';']).map_or("", |end| &value[end..]);
    format!("{before}***{rest}")
}
