//! What the HTTP layer may be told.

use std::net::IpAddr;
use std::time::Duration;

use fairlead_application::demo::DemoAccount;
use ipnet::IpNet;

/// Settings of the HTTP layer.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// How the outside reaches this server, such as `https://crm.example.com`; without it, links in headers
    /// are relative.
    pub public_url: Option<String>,
    /// The origins whose pages may call the API from a browser, such as `https://app.example.com`.
    pub cors_origins: Vec<String>,
    /// The largest body in bytes.
    pub body_limit: usize,
    /// How long a body may take to arrive, from its first byte to its last.
    pub body_timeout: Duration,
    /// The largest file in bytes.
    pub file_limit: usize,
    /// How long a file may take to arrive.
    pub file_timeout: Duration,
    /// How many requests a minute each user may make, and each address of those who are not known; 0 is no limit.
    pub requests_per_minute: u32,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks (`10.0.0.0/8`).
    pub trusted_proxies: Vec<String>,
    /// Whether to tell browsers to come by TLS only: when something in front of this server speaks TLS.
    pub hsts: bool,
    /// Accounts that Swagger UI offers with their passwords: those of a demo, and of nothing else.
    pub demo_accounts: Vec<DemoAccount>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            public_url: None,
            cors_origins: Vec::new(),
            body_limit: 1024 * 1024,
            body_timeout: Duration::from_secs(15),
            file_limit: 25 * 1024 * 1024,
            file_timeout: Duration::from_mins(5),
            requests_per_minute: 6000,
            trusted_proxies: Vec::new(),
            hsts: false,
            demo_accounts: Vec::new(),
        }
    }
}

impl HttpConfig {
    /// Says what is wrong with the settings: a server should not start with a proxy that it cannot read.
    pub fn check(&self) -> Result<(), String> {
        self.proxies().map(|_| ())
    }

    /// The trusted proxies as networks.
    pub(crate) fn proxies(&self) -> Result<Vec<IpNet>, String> {
        self.trusted_proxies.iter().map(|text| network(text)).collect()
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| address())
        .map_err(|_| format!("`{text}` is neither an address nor a network such as `10.0.0.0/8`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_addresses_or_networks() {
        let config =
            |proxy: &str| HttpConfig { trusted_proxies: vec![proxy.into()], ..HttpConfig::default() };
        assert_eq!(config("10.0.0.0/8").proxies().unwrap().len(), 1);
        assert_eq!(config("::1").proxies().unwrap().len(), 1);
        assert!(config("proxy.example.com").check().is_err());
    }
}
