//! Time and ids. Everything else is given them.

use fairlead_domain::values::Timestamp;
use fairlead_persistence::NewId;

/// Tells the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// This moment.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where time comes from")]
    fn now(&self) -> Timestamp {
        Timestamp::new(chrono::Utc::now())
    }
}

/// Makes ids that sort by the time at which they were made.
#[expect(clippy::disallowed_methods, reason = "the one place where ids come from")]
pub(crate) fn new_ids() -> NewId {
    std::sync::Arc::new(uuid::Uuid::now_v7)
}
