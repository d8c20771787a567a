//! The address by which people reach the portal, and which pages may send it requests.

use crate::client::Client;
use http::{HeaderMap, HeaderName, header};
use url::{Origin, Url};

/// The address in `MUSTER_PUBLIC_URL`; without one, the address that each request was sent to.
#[derive(Clone, Debug, Default)]
pub(crate) struct PublicUrl {
    origin: Option<Origin>,
}

impl PublicUrl {
    /// From the setting. The port 80 or 443, letter case, and the spelling of an international name do not matter.
    ///
    /// # Errors
    /// A sentence, if it is not the `http://` or `https://` address of a host.
    pub(crate) fn parse(setting: Option<&str>) -> Result<Self, String> {
        let Some(setting) = setting.map(str::trim).filter(|setting| !setting.is_empty()) else {
            return Ok(Self::default());
        };
        let refused = |reason: &str| {
            format!(
                "MUSTER_PUBLIC_URL must be an address such as https://muster.example.com, not {setting:?}: {reason}"
            )
        };
        let url = Url::parse(setting).map_err(|error| refused(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused("it begins with neither http:// nor https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("it has a user name or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("it has a ? or a #"));
        }
        if url.path() != "/" {
            return Err(refused("the portal cannot be below a path; give it a host or a port of its own"));
        }
        Ok(Self { origin: Some(url.origin()) })
    }

    /// The address as browsers write it, if there is one.
    pub(crate) fn shown(&self) -> Option<String> {
        self.origin.as_ref().map(Origin::ascii_serialization)
    }

    /// Whether the portal was reached over HTTPS: by the setting, by what a configured proxy says, or by what the browser
    /// says of the page that sends the request. Browsers do not let a page choose its `Origin`.
    pub(crate) fn is_https(&self, client: &Client, headers: &HeaderMap) -> bool {
        match &self.origin {
            Some(origin) => is_secure(origin),
            None => client.is_https || origin_of(headers).is_some_and(|origin| is_secure(&origin)),
        }
    }

    /// Whether a page of this portal sends this request.
    ///
    /// # Errors
    /// A sentence that says why not, and what to do if it is one.
    pub(crate) fn check(&self, client: &Client, headers: &HeaderMap) -> Result<(), String> {
        if text(headers, &HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site != "same-origin") {
            return Err("This request comes from another site.".to_owned());
        }
        // Browsers send Origin with every POST.
        let Some(origin) = origin_of(headers) else {
            return Err("This request does not come from a page of this portal.".to_owned());
        };
        let expected = match &self.origin {
            Some(public) => Some(public.clone()),
            None => {
                // A proxy that speaks TLS may not be configured: then the page says which scheme it was loaded by.
                let scheme = if client.is_https || is_secure(&origin) { "https" } else { "http" };
                let host = client.host.as_deref().or_else(|| text(headers, &header::HOST));
                host.and_then(|host| Url::parse(&format!("{scheme}://{host}/")).ok()).map(|url| url.origin())
            }
        };
        if expected.as_ref() == Some(&origin) {
            return Ok(());
        }
        let origin = origin.ascii_serialization();
        Err(match (&self.origin, expected) {
            (Some(public), _) => format!(
                "This page was opened as {origin}, but this portal is at {}. Open it there, or correct MUSTER_PUBLIC_URL.",
                public.ascii_serialization()
            ),
            (None, Some(expected)) => format!(
                "This page was opened as {origin}, but the request was sent to {}. If a proxy is in front of the portal, \
                 set MUSTER_PUBLIC_URL to the address that people use.",
                expected.ascii_serialization()
            ),
            (None, None) => "This request names no host.".to_owned(),
        })
    }
}

fn is_secure(origin: &Origin) -> bool {
    matches!(origin, Origin::Tuple(scheme, ..) if scheme == "https")
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The origin of the page that sends a request; `None`: it says none, or one without a host, such as `null`.
fn origin_of(headers: &HeaderMap) -> Option<Origin> {
    let origin = Url::parse(text(headers, &header::ORIGIN)?).ok()?.origin();
    origin.is_tuple().then_some(origin)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use http::HeaderValue;
    use std::net::{IpAddr, Ipv4Addr};

    fn client(is_https: bool, host: Option<&str>) -> Client {
        Client { address: IpAddr::V4(Ipv4Addr::LOCALHOST), is_proxied: true, is_https, host: host.map(str::to_owned) }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_str(v).unwrap())).collect()
    }

    #[test]
    fn public_url_is_normalised_or_refused() {
        let check = |setting: &str, expected: Option<&str>| {
            let found = PublicUrl::parse(Some(setting)).ok().map(|url| url.shown().unwrap_or_default());
            assert_eq!(found.as_deref(), expected, "{setting}");
        };
        check("https://muster.example.com", Some("https://muster.example.com"));
        check("https://muster.example.com/", Some("https://muster.example.com"));
        check("https://muster.example.com:443", Some("https://muster.example.com"));
        check("http://muster.example.com:80/", Some("http://muster.example.com"));
        check("https://muster.example.com:8443", Some("https://muster.example.com:8443"));
        check("HTTPS://Muster.Example.COM", Some("https://muster.example.com"));
        check("https://müller.example", Some("https://xn--mller-kva.example"));
        check("https://[2001:DB8:0::1]:443", Some("https://[2001:db8::1]"));
        check("http://127.0.0.1:3000", Some("http://127.0.0.1:3000"));
        check(" https://muster.example.com ", Some("https://muster.example.com"));
        check("", Some(""));
        check("muster.example.com", None);
        check("muster.example.com:3000", None);
        check("ftp://muster.example.com", None);
        check("https://", None);
        check("https://user@muster.example.com", None);
        check("https://muster.example.com/portal", None);
        check("https://muster.example.com/?a=b", None);
        check("https://muster.example.com/#a", None);
        check("https://muster.example.com:99999", None);
        check("https://[2001:db8::1", None);
    }

    #[test]
    fn requests_of_other_pages_are_refused() {
        let check = |public: Option<&str>, client: Client, pairs: &[(&'static str, &'static str)], expected: bool| {
            let public = PublicUrl::parse(public).unwrap();
            assert_eq!(public.check(&client, &headers(pairs)).is_ok(), expected, "{public:?} {pairs:?}");
        };
        let plain = || client(false, None);
        check(None, plain(), &[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1:3000")], true);
        check(None, plain(), &[("host", "127.0.0.1:3000"), ("origin", "http://evil.example")], false);
        check(None, plain(), &[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1:3001")], false);
        check(None, plain(), &[("host", "127.0.0.1:3000")], false);
        check(None, plain(), &[("host", "127.0.0.1:3000"), ("origin", "null")], false);
        check(None, plain(), &[("origin", "http://127.0.0.1:3000")], false);
        check(None, plain(), &[("host", "a"), ("origin", "http://a"), ("sec-fetch-site", "same-origin")], true);
        check(None, plain(), &[("host", "a"), ("origin", "http://a"), ("sec-fetch-site", "same-site")], false);
        // Behind a proxy that speaks TLS, configured or not.
        check(None, plain(), &[("host", "muster.example.com"), ("origin", "https://muster.example.com")], true);
        check(None, plain(), &[("host", "muster.example.com:443"), ("origin", "https://muster.example.com")], true);
        check(None, plain(), &[("host", "127.0.0.1:3000"), ("origin", "https://muster.example.com")], false);
        let proxied = || client(true, Some("muster.example.com"));
        check(None, proxied(), &[("host", "127.0.0.1:3000"), ("origin", "https://muster.example.com")], true);
        check(None, proxied(), &[("host", "127.0.0.1:3000"), ("origin", "http://muster.example.com")], false);
        check(None, proxied(), &[("host", "127.0.0.1:3000"), ("origin", "https://evil.example")], false);
        for public in ["https://muster.example.com/", "https://Muster.example.com:443"] {
            let public = Some(public);
            check(public, plain(), &[("host", "10.0.0.7"), ("origin", "https://muster.example.com")], true);
            check(public, plain(), &[("host", "10.0.0.7"), ("origin", "http://muster.example.com")], false);
            check(public, plain(), &[("host", "10.0.0.7"), ("origin", "https://muster.example.com:8443")], false);
        }
        check(Some("https://müller.example"), plain(), &[("origin", "https://xn--mller-kva.example")], true);
        check(Some("https://[2001:DB8::1]"), plain(), &[("origin", "https://[2001:db8::1]")], true);
    }

    #[test]
    fn https_is_recognised() {
        let check = |public: Option<&str>, client: Client, origin: Option<&'static str>, expected: bool| {
            let headers = headers(&origin.map(|origin| ("origin", origin)).into_iter().collect::<Vec<_>>());
            assert_eq!(
                PublicUrl::parse(public).unwrap().is_https(&client, &headers),
                expected,
                "{public:?} {origin:?}"
            );
        };
        check(None, client(false, None), None, false);
        check(None, client(false, None), Some("http://127.0.0.1:3000"), false);
        check(None, client(false, None), Some("https://muster.example.com"), true);
        check(None, client(true, None), None, true);
        check(Some("https://muster.example.com"), client(false, None), None, true);
        check(Some("http://127.0.0.1:3000"), client(true, None), Some("https://evil.example"), false);
    }
}
