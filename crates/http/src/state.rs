//! What every request may look at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fairlead_application::App;
use ipnet::IpNet;

use crate::config::HttpConfig;
use crate::request::limit::Limits;

/// Whether this server still wants requests. Shared with whoever stops it: readiness turns to 503 first,
/// so that a load balancer looks elsewhere while the last requests are answered.
#[derive(Debug, Clone, Default)]
pub struct Health {
    draining: Arc<AtomicBool>,
}

impl Health {
    /// From now on `/readyz` answers 503.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the server is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// The application and the settings, one for all workers.
pub(crate) struct State {
    pub(crate) app: App,
    pub(crate) config: HttpConfig,
    pub(crate) proxies: Vec<IpNet>,
    pub(crate) health: Health,
    pub(crate) limits: Limits,
}

impl State {
    pub(crate) fn new(app: App, config: HttpConfig, health: Health) -> Self {
        // Believing nobody is the safe reading of a list that cannot be read.
        let proxies = config.proxies().unwrap_or_else(|why| {
            tracing::error!(%why, "no proxy is trusted");
            Vec::new()
        });
        let limits = Limits::per_minute(config.requests_per_minute);
        Self { app, config, proxies, health, limits }
    }

    /// A link to a path of this server.
    pub(crate) fn link(&self, path: &str) -> String {
        let base = self.config.public_url.as_deref().unwrap_or_default();
        format!("{}{path}", base.trim_end_matches('/'))
    }
}
