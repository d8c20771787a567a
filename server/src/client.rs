//! Who sends a request: the address of its connection or, behind a configured proxy, what that proxy reports.

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use http::HeaderMap;
use ipnet::IpNet;
use muster_app::fns::ClientAddress;
use muster_registry::Source;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Hops that are examined. A request passes two or three proxies; a longer list is forged.
const MAX_HOPS: usize = 32;

/// The proxies whose `X-Forwarded-…` and `Forwarded` headers are believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies {
    networks: Vec<IpNet>,
    /// Whether the log has a warning about an unknown proxy already.
    has_warned: Arc<AtomicBool>,
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Addresses and networks, separated by commas.
    fn from_str(setting: &str) -> Result<Self, String> {
        let entries = setting.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let parse = |entry: &str| {
            let network = entry.parse::<IpNet>().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| format!("`{entry}` is neither an IP address nor a network such as 10.0.0.0/8"))
        };
        Ok(Self { networks: entries.map(parse).collect::<Result<_, _>>()?, has_warned: Arc::default() })
    }
}

impl TrustedProxies {
    /// Whether the connections of this address are those of a configured proxy.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client of a request that came over a connection of this address.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let peer = peer.to_canonical();
        if !self.contains(peer) {
            self.warn_of_unknown_proxy(peer, headers);
            return Client { address: peer, is_proxied: false, is_https: false, host: None };
        }
        let by_name = x_forwarded_for(headers).map(|hops| self.right_most_untrusted(peer, &hops));
        let forwarded = forwarded(headers);
        let by_standard = forwarded.as_ref().map(|hops| {
            let hops: Vec<_> = hops.iter().map(|hop| hop.address).collect();
            self.right_most_untrusted(peer, &hops)
        });
        let address = match (by_name, by_standard) {
            // A proxy writes one of the two headers. The client may have sent the other to be taken for someone else.
            (Some(one), Some(other)) if one != other => peer,
            (one, other) => one.or(other).unwrap_or(peer),
        };
        let first = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok())?;
            value.split(',').next().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let hop = forwarded.and_then(|hops| hops.into_iter().next());
        let (proto, host) = hop.map_or((None, None), |hop| (hop.proto, hop.host));
        let proto = first("x-forwarded-proto").or(proto);
        Client {
            address,
            is_proxied: true,
            is_https: proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
            host: first("x-forwarded-host").or(host),
        }
    }

    /// The last address before the configured proxies; where one of those reports nothing readable, its own.
    fn right_most_untrusted(&self, peer: IpAddr, hops: &[Option<IpAddr>]) -> IpAddr {
        let mut address = peer;
        for hop in hops.iter().rev().take(MAX_HOPS) {
            let Some(hop) = hop else { break };
            address = hop.to_canonical();
            if !self.contains(address) {
                break;
            }
        }
        address
    }

    fn warn_of_unknown_proxy(&self, peer: IpAddr, headers: &HeaderMap) {
        let is_forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key(http::header::FORWARDED);
        if is_forwarded && is_internal_address(peer) && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %peer,
                "a request was forwarded by a proxy that is not configured: all its clients count as one address. \
                 Name it in MUSTER_TRUSTED_PROXIES"
            );
        }
    }
}

/// Whether the address is of this machine or of a private network, as that of a proxy in front is.
fn is_internal_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// Whether a request comes from this machine or a private network. If an unknown proxy forwarded it, its origin is unknown.
pub(crate) fn is_internal(request: &Request) -> bool {
    let headers = request.headers();
    let is_forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key(http::header::FORWARDED);
    let client = request.extensions().get::<Client>();
    client.is_some_and(|client| is_internal_address(client.address) && (client.is_proxied || !is_forwarded))
}

/// The client of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// Whether a configured proxy is in between.
    pub(crate) is_proxied: bool,
    /// Whether that proxy says that it was reached over HTTPS.
    pub(crate) is_https: bool,
    /// The host by which that proxy was reached, if it says so.
    pub(crate) host: Option<String>,
}

/// Puts the [`Client`] and the [`ClientAddress`] among the extensions of a request.
pub(crate) async fn identify(State(proxies): State<TrustedProxies>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    let client = proxies.client(peer, request.headers());
    request.extensions_mut().insert(ClientAddress(client.address));
    request.extensions_mut().insert(client);
    next.run(request).await
}

/// The source that limits count a request for: [`identify`] comes before.
pub(crate) fn source_of(request: &Request) -> Source {
    let address = request.extensions().get::<ClientAddress>();
    Source::of(address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ClientAddress(address)| *address))
}

/// The addresses in all `X-Forwarded-For` headers; `None`: there is no such header.
fn x_forwarded_for(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    let values: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    if values.is_empty() {
        return None;
    }
    let texts = values.iter().flat_map(|value| value.to_str().unwrap_or_default().split(','));
    Some(texts.map(|text| address(text.trim())).collect())
}

/// One element of `Forwarded` (RFC 7239).
#[derive(Default)]
struct Hop {
    address: Option<IpAddr>,
    proto: Option<String>,
    host: Option<String>,
}

/// The elements of all `Forwarded` headers; `None`: there is no such header.
fn forwarded(headers: &HeaderMap) -> Option<Vec<Hop>> {
    let values: Vec<_> = headers.get_all(http::header::FORWARDED).iter().collect();
    if values.is_empty() {
        return None;
    }
    let elements = values.iter().flat_map(|value| split_unquoted(value.to_str().unwrap_or_default(), ','));
    Some(
        elements
            .map(|element| {
                let mut hop = Hop::default();
                for pair in split_unquoted(element, ';') {
                    let Some((name, value)) = pair.split_once('=') else { continue };
                    let value = value.trim().trim_matches('"');
                    match name.trim().to_ascii_lowercase().as_str() {
                        "for" => hop.address = address(value),
                        "proto" => hop.proto = Some(value.to_owned()),
                        "host" => hop.host = Some(value.to_owned()),
                        _ => {}
                    }
                }
                hop
            })
            .collect(),
    )
}

/// Splits at a separator, except within double quotes.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |letter| {
        is_quoted ^= letter == '"';
        letter == separator && !is_quoted
    })
}

/// An address as proxies write it: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`, `[2001:db8::7]` or `[2001:db8::7]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let unbracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    unbracketed.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use http::{HeaderName, HeaderValue};

    const PROXIES: &str = "10.0.0.0/8, 192.0.2.1,2001:db8:1::/48";

    fn client(proxies: &str, peer: &str, pairs: &[(&'static str, &'static str)]) -> Client {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        proxies.parse::<TrustedProxies>().unwrap().client(peer.parse().unwrap(), &headers)
    }

    #[test]
    fn address_is_the_right_most_untrusted_hop() {
        let check = |peer: &str, pairs: &[(&'static str, &'static str)], expected: &str| {
            let found = client(PROXIES, peer, pairs);
            assert_eq!(found.address, expected.parse::<IpAddr>().unwrap(), "{peer} {pairs:?}");
        };
        let xff = "x-forwarded-for";
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &[(xff, "203.0.113.9")], "203.0.113.9");
        check("192.0.2.1", &[(xff, "203.0.113.9")], "203.0.113.9");
        check("192.0.2.2", &[(xff, "203.0.113.9")], "192.0.2.2");
        check("::ffff:10.0.0.1", &[(xff, "203.0.113.9")], "203.0.113.9");
        // The client's own entries are on the left.
        check("10.0.0.1", &[(xff, "1.1.1.1, 203.0.113.9")], "203.0.113.9");
        check("10.0.0.1", &[(xff, "1.1.1.1, 203.0.113.9, 10.7.7.7")], "203.0.113.9");
        check("10.0.0.1", &[(xff, "1.1.1.1"), (xff, "203.0.113.9")], "203.0.113.9");
        check("10.0.0.1", &[(xff, "10.1.1.1, 10.2.2.2")], "10.1.1.1");
        check("10.0.0.1", &[(xff, "203.0.113.9:4711")], "203.0.113.9");
        check("10.0.0.1", &[(xff, "[2001:db8::7]:80")], "2001:db8::7");
        check("10.0.0.1", &[(xff, "2001:db8::7")], "2001:db8::7");
        check("2001:db8:1::5", &[(xff, "2001:db8:2::7")], "2001:db8:2::7");
        // A hop that cannot be read is not passed over.
        check("10.0.0.1", &[(xff, "203.0.113.9, unknown")], "10.0.0.1");
        check("10.0.0.1", &[(xff, "203.0.113.9, unknown, 10.2.2.2")], "10.2.2.2");
        check("10.0.0.1", &[(xff, "")], "10.0.0.1");
        check("10.0.0.1", &[("forwarded", "for=203.0.113.9;proto=https;by=10.0.0.1")], "203.0.113.9");
        check("10.0.0.1", &[("forwarded", r#"for=1.1.1.1, For="[2001:db8::7]:4711""#)], "2001:db8::7");
        check("10.0.0.1", &[("forwarded", r#"for="203.0.113.9;proto=http,x", for=203.0.113.8"#)], "203.0.113.8");
        check("10.0.0.1", &[("forwarded", "for=_hidden")], "10.0.0.1");
        // The client sent the header that its proxy does not write.
        check("10.0.0.1", &[(xff, "203.0.113.9"), ("forwarded", "for=1.1.1.1")], "10.0.0.1");
        check("10.0.0.1", &[(xff, "203.0.113.9"), ("forwarded", "for=203.0.113.9")], "203.0.113.9");
    }

    #[test]
    fn scheme_and_host_are_believed_of_configured_proxies_only() {
        let check = |peer: &str, pairs: &[(&'static str, &'static str)], is_https: bool, host: Option<&str>| {
            let found = client(PROXIES, peer, pairs);
            assert_eq!((found.is_https, found.host.as_deref()), (is_https, host), "{peer} {pairs:?}");
        };
        check("10.0.0.1", &[("x-forwarded-proto", "https")], true, None);
        check("10.0.0.1", &[("x-forwarded-proto", "HTTPS, http")], true, None);
        check("10.0.0.1", &[("x-forwarded-proto", "http")], false, None);
        check("10.0.0.1", &[("x-forwarded-host", "muster.example.com")], false, Some("muster.example.com"));
        check(
            "10.0.0.1",
            &[("forwarded", "for=1.1.1.1;proto=https;host=\"a.example:8443\"")],
            true,
            Some("a.example:8443"),
        );
        check("203.0.113.9", &[("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example")], false, None);
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let check = |setting: &str, expected: bool| {
            assert_eq!(setting.parse::<TrustedProxies>().is_ok(), expected, "{setting}");
        };
        check("", true);
        check("127.0.0.1", true);
        check("127.0.0.1, ::1,10.0.0.0/8 , fd00::/8", true);
        check("proxy.example.com", false);
        check("10.0.0.0/33", false);
        assert_eq!(client("", "127.0.0.1", &[("x-forwarded-for", "1.1.1.1")]).address, IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
}
