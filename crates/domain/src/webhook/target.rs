//! Where a webhook may lead: to other programs on the internet, never into the network that Fairlead itself is in
//! (server-side request forgery, OWASP API7:2023).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::error::{Refusal, Rule};

/// Which addresses webhooks may call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Targets {
    /// Whether programs on this very machine may be called, without TLS too: for development.
    pub local: bool,
}

/// An address that somebody may be called at, as far as it can be told without asking for its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// Its address.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

/// Why nobody is called at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit {
    rule: Rule,
    /// In words.
    pub why: &'static str,
}

impl Targets {
    /// Judges an address that somebody typed; `pointer` is the member that has it.
    pub fn check(self, address: &str, pointer: &str) -> Result<(), Refusal> {
        self.judge(address).map(drop).map_err(|unfit| Refusal::invalid(pointer, unfit.rule, unfit.why))
    }

    /// Judges an address. Spellings of one address are one: hosts are read as browsers read them (WHATWG URL), so that
    /// `0x7f.1` is `127.0.0.1`.
    pub fn judge(self, address: &str) -> Result<Target, Unfit> {
        let broken = |rule, why| Err(Unfit { rule, why });
        let Ok(url) = Url::parse(address) else { return broken(Rule::Url, "must be a web address") };
        if !url.username().is_empty() || url.password().is_some() {
            return broken(Rule::Url, "must not have a user or a password in it");
        }
        if url.fragment().is_some() {
            return broken(Rule::Url, "must not have a fragment");
        }
        let (address, local) = match url.host() {
            Some(Host::Domain(name)) => (None, is_local_name(name)),
            Some(Host::Ipv4(address)) => (Some(IpAddr::V4(address)), address.is_loopback()),
            Some(Host::Ipv6(address)) => (Some(IpAddr::V6(address)), address.is_loopback()),
            None => return broken(Rule::Url, "must be a web address"),
        };
        let admitted = match url.scheme() {
            "https" => true,
            "http" => self.local && local,
            _ => false,
        };
        if !admitted {
            return broken(Rule::Https, "must be an address with https");
        }
        let reachable = match address {
            Some(address) => self.admits(address),
            None => !local || self.local,
        };
        if !reachable {
            return broken(Rule::Unreachable, "must lead to another machine on the internet");
        }
        Ok(Target(url))
    }

    /// Whether this address may be connected to.
    pub fn admits(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        (self.local && address.is_loopback()) || is_public(address)
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether an address is another machine's on the internet (IANA's registries of special-purpose addresses, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network, private, loopback, link-local with the metadata of clouds, multicast and reserved; protocols,
        // documentation, relays from 6to4.
        (0 | 10 | 127 | 224.., _, _)
        | (169, 254, _)
        | (192, 168, _)
        | (192, 0, 0 | 2)
        | (198, 51, 100)
        | (203, 0, 113)
        | (192, 88, 99) => true,
        (172, b, _) => (16..32).contains(&b),
        // Shared by providers (RFC 6598).
        (100, b, _) => (64..128).contains(&b),
        // Benchmarks.
        (198, b, _) => b == 18 || b == 19,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Of the addresses of version 4 that are told in others, those of translators lead to them.
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Everything else that is given to machines on the internet begins with 2 or 3; some of it is special.
    let special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    (0x2000..0x4000).contains(&a) && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Targets = Targets { local: false };
    const LOCAL: Targets = Targets { local: true };

    #[test]
    fn the_internet_is_admitted() {
        for address in
            ["https://hooks.example.com/crm", "https://8.8.8.8", "https://[2606:4700::1111]:8443/x"]
        {
            assert!(STRICT.judge(address).is_ok(), "{address}");
        }
    }

    #[test]
    fn spellings_of_what_is_not_the_internet_are_not_admitted() {
        for address in [
            "https://127.0.0.1",
            "https://127.1",
            "https://2130706433",
            "https://0x7f000001",
            "https://0177.0.0.1",
            "https://0x7f.1",
            "https://127.0.0.1.",
            "https://①②⑦.⓪.⓪.①",
            "https://0",
            "https://localhost",
            "https://LOCALHOST.",
            "https://a.localhost",
            "https://10.1.2.3",
            "https://172.16.0.1",
            "https://192.168.0.1",
            "https://100.64.0.1",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]",
            "https://[::]",
            "https://[::ffff:127.0.0.1]",
            "https://[::ffff:a00:1]",
            "https://[::127.0.0.1]",
            "https://[64:ff9b::7f00:1]",
            "https://[2002:7f00:1::]",
            "https://[2001::1]",
            "https://[fd00:ec2::254]",
            "https://[fe80::1]",
            "https://[ff02::1]",
            "https://224.0.0.1",
            "https://255.255.255.255",
            "https://192.0.2.1",
            "https://198.18.0.1",
            "https://203.0.113.9",
        ] {
            assert!(STRICT.judge(address).is_err(), "{address}");
        }
    }

    #[test]
    fn only_this_machine_is_called_without_tls_and_only_where_it_is_allowed() {
        for address in
            ["http://127.0.0.1:9000/x", "http://localhost:9000", "http://[::1]:9000", "https://127.0.0.1"]
        {
            assert!(STRICT.judge(address).is_err(), "{address}");
            assert!(LOCAL.judge(address).is_ok(), "{address}");
        }
        for address in ["http://hooks.example.com", "http://10.0.0.1", "https://10.0.0.1", "ftp://127.0.0.1"]
        {
            assert!(LOCAL.judge(address).is_err(), "{address}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_receiver_is_refused() {
        for address in [
            "",
            "hooks.example.com",
            "https://",
            "https://a:b@example.com",
            "https://a@example.com/",
            "https://example.com/#x",
        ] {
            assert!(STRICT.judge(address).is_err(), "{address}");
        }
        assert_eq!(STRICT.judge("http://hooks.example.com").unwrap_err().rule, Rule::Https);
    }

    #[test]
    fn every_special_block_ends_where_it_ends() {
        let public = |text: &str| STRICT.admits(text.parse().unwrap());
        for (inside, outside) in [
            ("9.255.255.255", "10.0.0.0"),
            ("11.0.0.0", "10.255.255.255"),
            ("172.15.255.255", "172.16.0.0"),
            ("172.32.0.0", "172.31.255.255"),
            ("100.63.255.255", "100.64.0.0"),
            ("100.128.0.0", "100.127.255.255"),
            ("169.253.255.255", "169.254.0.0"),
            ("192.167.255.255", "192.168.0.0"),
            ("198.17.255.255", "198.18.0.0"),
            ("198.20.0.0", "198.19.255.255"),
            ("223.255.255.255", "224.0.0.0"),
            ("2001:200::", "2001:1ff::"),
            ("2003::", "2002::"),
            ("2001:db9::", "2001:db8::"),
        ] {
            assert!(public(inside), "{inside}");
            assert!(!public(outside), "{outside}");
        }
    }
}
