//! Time and ids. Everything else is given them.

use fairlead_domain::values::Timestamp;
use uuid::Uuid;

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

/// Makes an id. Ids sort by the time at which they were made.
#[expect(clippy::disallowed_methods, reason = "the one place where ids come from")]
pub(crate) fn new_id() -> Uuid {
    Uuid::now_v7()
}
