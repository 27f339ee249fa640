//! Whether a refresh token gives another pair.

use chrono::Duration;

use crate::values::Timestamp;

/// For how long after its first use a refresh token is still taken to come from its owner: the answer may have been
/// lost on the way, or another tab have asked in the same moment.
pub const GRACE: Duration = Duration::minutes(1);

/// What became of a refresh token before it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// It was not used.
    Unused,
    /// It was used.
    Used {
        /// When it was used first: the grace does not begin anew.
        at: Timestamp,
        /// Whether one of the tokens that it gave was used. Then an answer arrived, and whoever comes late need not
        /// be who got it.
        followed: bool,
    },
}

impl Past {
    /// Whether the token gives another pair; if not, somebody else may have it. Those that it gave before stay good:
    /// each tab goes on with its own.
    pub fn renews(self, now: Timestamp) -> bool {
        match self {
            Self::Unused => true,
            Self::Used { at, followed } => !followed && now < at.plus(GRACE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::now;

    #[test]
    fn a_used_token_renews_for_a_minute_until_it_is_followed() {
        let used = |milliseconds, followed| Past::Used {
            at: now().plus(-Duration::milliseconds(milliseconds)),
            followed,
        };
        for (past, renews) in [
            (Past::Unused, true),
            (used(0, false), true),
            (used(59_999, false), true),
            (used(60_000, false), false),
            (used(86_400_000, false), false),
            (used(0, true), false),
            (used(59_999, true), false),
            (used(60_000, true), false),
            // Another server's clock is ahead.
            (used(-500, false), true),
            (used(-500, true), false),
        ] {
            assert_eq!(past.renews(now()), renews, "{past:?}");
        }
    }
}
