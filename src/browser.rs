//! What a browser says of whose page made it send a request. Nobody signs in on loopback, so a page of another site must not
//! be able to use a visitor's browser: neither by a request that changes something, nor by a name that it makes point here.

use std::net::{IpAddr, Ipv6Addr};

use hyper::header::{HOST, HeaderValue, ORIGIN};
use hyper::{HeaderMap, Method, Request};

/// The header by which a browser says how the page's site is related to ours (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Whether a request changes something.
pub(crate) fn changes<B>(request: &Request<B>) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Which pages may make a browser send requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    /// Any, because requests are signed.
    Any,
    /// Those of this site.
    Own,
    /// None: what is served may itself be somebody's page.
    None,
}

/// Whether a request may be sent, as far as a page made a browser send it.
pub(crate) fn may_send<B>(pages: Pages, request: &Request<B>) -> bool {
    match pages {
        Pages::Any => true,
        Pages::Own => !is_of_another_site(request),
        Pages::None => !request.headers().contains_key(ORIGIN) && !is_of_another_site(request),
    }
}

/// Whether a request comes from a page of another site and could do harm: it goes to a name that isn't this machine's, or it
/// changes something. Programs that aren't browsers say nothing of a page.
fn is_of_another_site<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let is_here = match host(headers) {
        Some(host) => is_this_machine(host),
        None => !headers.contains_key(HOST),
    };
    !is_here || changes(request) && comes_from_others(headers)
}

/// By the page's origin, where one is told, and by what the browser makes of it.
fn comes_from_others(headers: &HeaderMap) -> bool {
    let host = host(headers).unwrap_or_default();
    let is_our_site = |site: &HeaderValue| site == "same-origin" || site == "none";
    !headers
        .get_all(ORIGIN)
        .iter()
        .all(|origin| is_origin_of(origin, host))
        || !headers.get_all(SEC_FETCH_SITE).iter().all(is_our_site)
}

/// Whether a page of this origin is one of ours. One that can't be told, as a sandboxed frame's is (`null`), is another's.
fn is_origin_of(origin: &HeaderValue, host: &str) -> bool {
    let (port, origin) = match origin.to_str().ok().and_then(|origin| origin.split_once("://")) {
        Some(("http", origin)) => (80, origin),
        Some(("https", origin)) => (443, origin),
        _ => return false,
    };
    let place = |text: &str| name_and_port(text).map(|(name, told)| (name, told.unwrap_or(port)));
    place(origin).is_some_and(|origin| Some(origin) == place(host))
}

/// The host that the request is for; none where it isn't told once, or in what can't be a name.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

/// Whether a name leads to this machine wherever it is asked for: the names in `localhost` (RFC 6761, section 6.3), and
/// addresses, which no page can make point elsewhere. (A program may send no name at all; no browser does.)
fn is_this_machine(host: &str) -> bool {
    let Some((name, _)) = name_and_port(host) else {
        return host.is_empty();
    };
    let address = name.trim_matches(['[', ']']);
    name == "localhost" || name.ends_with(".localhost") || address.parse::<IpAddr>().is_ok()
}

/// A host in lower case, an address of IPv6 in its shortest form, and the port where one is told; none where it is no host.
fn name_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (name, port) = match text.rsplit_once(':') {
        // The colons of `[::1]` are its own.
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (text, ""),
    };
    let port = match port {
        "" => None,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    let name = match name.strip_prefix('[') {
        Some(rest) => format!("[{}]", rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?),
        None => name.to_ascii_lowercase(),
    };
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_name = !name.is_empty() && (name.starts_with('[') || name.bytes().all(is_part));
    is_name.then_some((name, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_of_another_site(&request.body(()).unwrap())
    }

    #[test]
    fn who_may_send_is_the_listeners_to_say() {
        let request = |origin: &str| {
            let request = Request::put("/")
                .header("host", "localhost")
                .header("origin", origin);
            request.body(()).unwrap()
        };
        let (own, other) = (request("http://localhost"), request("http://evil.example"));
        assert!(may_send(Pages::Any, &own) && may_send(Pages::Any, &other));
        assert!(may_send(Pages::Own, &own) && !may_send(Pages::Own, &other));
        assert!(!may_send(Pages::None, &own) && !may_send(Pages::None, &other));
        let program = Request::put("/").header("host", "localhost").body(()).unwrap();
        assert!(may_send(Pages::None, &program));
    }

    #[test]
    fn only_this_machines_names_are_ours() {
        for (host, ours) in [
            ("127.0.0.1:8080", true),
            ("localhost", true),
            ("LocalHost:8080", true),
            ("lake.localhost:9000", true),
            ("[::1]", true),
            ("[::1]:8080", true),
            ("192.168.1.2:8080", true),
            ("", true),
            ("evil.example", false),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("evillocalhost", false),
            ("user@localhost", false),
            ("localhost:port", false),
            ("localhost:99999", false),
            ("[::1", false),
            ("[evil.example]", false),
            ("localhost/", false),
        ] {
            for method in ["GET", "PUT"] {
                assert_eq!(refused(method, &[("host", host)]), !ours, "{method} {host}");
            }
        }
        assert!(!refused("PUT", &[]));
        assert!(refused("GET", &[("host", "localhost"), ("host", "evil.example")]));
    }

    #[test]
    fn an_origin_is_ours_where_it_is_the_host() {
        for (origin, host, ours) in [
            ("http://localhost:8080", "localhost:8080", true),
            ("http://LOCALHOST:8080", "localhost:8080", true),
            ("http://localhost:8080", "LocalHost:8080", true),
            ("http://localhost", "localhost:80", true),
            ("http://localhost:80", "localhost", true),
            ("https://localhost", "localhost:443", true),
            ("https://localhost", "localhost", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://[0:0:0:0:0:0:0:1]", "[::1]:80", true),
            ("http://[::1]", "[::1]:8080", false),
            ("http://[::2]:8080", "[::1]:8080", false),
            ("http://localhost", "localhost:443", false),
            ("https://localhost", "localhost:80", false),
            ("http://localhost:3000", "localhost:8080", false),
            ("http://127.0.0.1:8080", "localhost:8080", false),
            ("http://evil.example", "localhost", false),
            ("http://localhost.evil.example", "localhost", false),
            ("null", "localhost", false),
            ("", "localhost", false),
            ("localhost", "localhost", false),
            ("file://", "localhost", false),
            ("ftp://localhost", "localhost", false),
            ("http://", "localhost", false),
            ("http://", "", false),
            ("http://localhost/", "localhost", false),
            ("http://user@localhost", "localhost", false),
            ("http://localhost:+80", "localhost", false),
            ("http://localhost:65616", "localhost:80", false),
        ] {
            let headers = [("host", host), ("origin", origin)];
            assert_eq!(refused("POST", &headers), !ours, "{origin} at {host}");
            // Reading tells a page of another site nothing: its browser keeps the answer from it.
            assert!(!refused("GET", &headers), "{origin} at {host}");
        }
        let both = [
            ("host", "localhost"),
            ("origin", "http://localhost"),
            ("origin", "http://evil.example"),
        ];
        assert!(refused("POST", &both));
    }

    #[test]
    fn what_the_browser_makes_of_the_page_counts() {
        for (site, ours) in [
            ("same-origin", true),
            ("none", true),
            ("same-site", false),
            ("cross-site", false),
            ("unheard-of", false),
        ] {
            let headers = [("host", "localhost"), ("sec-fetch-site", site)];
            for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
                assert_eq!(refused(method, &headers), !ours, "{method} {site}");
            }
            assert!(!refused("GET", &headers) && !refused("HEAD", &headers), "{site}");
        }
        // An origin of ours doesn't outweigh it.
        let headers = [
            ("host", "localhost"),
            ("origin", "http://localhost"),
            ("sec-fetch-site", "cross-site"),
        ];
        assert!(refused("POST", &headers));
    }
}
