//! Where a request comes from: its id and the client's address.

use std::net::IpAddr;

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

use crate::state::State;

/// The header that carries the request id.
pub(crate) const REQUEST_ID: &str = "X-Request-Id";
const FORWARDED_FOR: &str = "X-Forwarded-For";

/// Where a request comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// Finds the request in logs, answers and the audit trail.
    pub(crate) request_id: String,
    /// The client's address.
    pub(crate) client: String,
}

impl Origin {
    /// Looks at a request that just arrived, and lets it carry the answer along.
    pub(crate) fn note(request: &ServiceRequest, state: &State) -> Self {
        let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let request_id = match given {
            Some(id) if is_request_id(id) => id.to_owned(),
            _ => state.app.new_request_id(),
        };
        let client = request
            .peer_addr()
            .map(|peer| client_address(peer.ip(), request.headers(), &state.proxies).to_string())
            .unwrap_or_default();
        let origin = Self { request_id, client };
        request.extensions_mut().insert(origin.clone());
        origin
    }

    /// What was noted about a request.
    pub(crate) fn of(request: &impl HttpMessage) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }
}

/// Ids of others are taken when they are harmless in a log.
fn is_request_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The client's address: who connected, unless that is a trusted proxy; then the last forwarded address that
/// is none. What stands before it was written by the client and may be anything.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let peer = peer.to_canonical();
    let mut client = peer;
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).filter_map(|line| line.to_str().ok()).collect();
    let mut forwarded = lines.iter().rev().flat_map(|line| line.rsplit(','));
    while is_trusted(client) {
        match forwarded.next().map(|entry| entry.trim().parse::<IpAddr>()) {
            Some(Ok(address)) => client = address.to_canonical(),
            _ => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn foreign_request_ids_are_harmless() {
        for fine in ["a", "0190163d-8694-739b-aea5-966c26f8ad91", "trace_1.2"] {
            assert!(is_request_id(fine), "{fine}");
        }
        for bad in ["", "a b", "a\nb", "é", "a/b", &"x".repeat(65)] {
            assert!(!is_request_id(bad), "{bad}");
        }
    }

    fn client(peer: &str, lines: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static(line));
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn forwarded_addresses_count_from_trusted_proxies_only() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.2.3.4, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.2.3.4", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, nonsense"]), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", &["::1, 2001:db8::7"]), "2001:db8::7");
    }
}
