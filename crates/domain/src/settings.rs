//! What an organisation may set. Every rule takes its figure from here.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// The organisation's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The time zone in which business days begin and end.
    pub time_zone: Tz,
    /// Hours within which an assigned lead wants its first response.
    pub lead_response_hours: i64,
    /// How many customers one user may own.
    pub ownership_limit: i64,
    /// How many pool customers one user may claim in one business day.
    pub daily_claim_limit: i64,
    /// Days during which the previous owner may not claim a customer back.
    pub claim_cool_down_days: i64,
    /// Days before its date at which an installment is due soon.
    pub due_soon_days: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: Tz::Asia__Shanghai,
            lead_response_hours: 24,
            ownership_limit: 200,
            daily_claim_limit: 20,
            claim_cool_down_days: 7,
            due_soon_days: 7,
        }
    }
}
