//! How often somebody may ask, and what every answer says of it.
//!
//! Each user has a budget of requests that refills steadily (the generic cell rate algorithm), and so has each address
//! of those who are not known: a user behind a shared address is not slowed down by others there. Answers carry the
//! headers of the IETF draft `draft-ietf-httpapi-ratelimit-headers`.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::http::header::HeaderMap;
use actix_web::{HttpMessage, HttpRequest};
use fairlead_application::stands_for;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::values::UserId;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::middleware::set_header;
use crate::request::origin::Origin;

/// What may still be asked at once, and when all of it may be again.
pub(crate) const LIMIT: &str = "RateLimit";
/// How much may be asked in which time.
pub(crate) const POLICY: &str = "RateLimit-Policy";

/// Seconds in which the whole budget refills.
const WINDOW: u32 = 60;
/// After how many requests those are forgotten who have not asked for long.
const FORGET_AFTER: u32 = 10_000;

/// Whose budget it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    /// A user, wherever they come from.
    User(UserId),
    /// Whoever comes without a token that counts, by what their address stands for.
    Address(String),
}

/// The budgets of everybody who asked lately.
pub(crate) struct Limits {
    /// None where nobody is limited.
    budgets: Option<Budgets>,
}

struct Budgets {
    each: NonZeroU32,
    limiter: RateLimiter<Asker, DefaultKeyedStateStore<Asker>, MonotonicClock, StateInformationMiddleware>,
    clock: MonotonicClock,
    asked: AtomicU32,
}

/// What an answer says of a budget.
#[derive(Debug, Clone, Copy)]
struct Standing {
    each: u32,
    left: u32,
}

impl Limits {
    /// So many requests a minute for each; 0 is no limit.
    pub(crate) fn per_minute(requests: u32) -> Self {
        let budgets = NonZeroU32::new(requests).map(|each| {
            let limiter = RateLimiter::dashmap_with_clock(Quota::per_minute(each), MonotonicClock);
            Budgets {
                each,
                limiter: limiter.with_middleware(),
                clock: MonotonicClock,
                asked: AtomicU32::new(0),
            }
        });
        Self { budgets }
    }

    /// Takes a request off somebody's budget, or refuses it, and notes what to say of it.
    pub(crate) fn admit(&self, request: &HttpRequest, asker: &Asker) -> Result<(), Refusal> {
        let Some(budgets) = &self.budgets else { return Ok(()) };
        let each = budgets.each.get();
        if budgets.asked.fetch_add(1, Ordering::Relaxed) % FORGET_AFTER == FORGET_AFTER - 1 {
            budgets.limiter.retain_recent();
            budgets.limiter.shrink_to_fit();
        }
        let (left, outcome) = match budgets.limiter.check_key(asker) {
            Ok(budget) => (budget.remaining_burst_capacity(), Ok(())),
            Err(until) => {
                let wait = until.wait_time_from(budgets.clock.now()).as_secs() + 1;
                let detail = format!("more than {each} requests a minute; wait before the next");
                (0, Err(Refusal::new(Code::RateLimited, detail).with("retry_after", wait)))
            }
        };
        request.extensions_mut().insert(Standing { each, left });
        outcome
    }

    /// The same for whoever is not known.
    pub(crate) fn admit_unknown(&self, request: &HttpRequest) -> Result<(), Refusal> {
        self.admit(request, &Asker::Address(stands_for(&Origin::of(request).client)))
    }
}

/// Says in an answer how the budget stands of whoever asked.
pub(crate) fn tell(request: &HttpRequest, headers: &mut HeaderMap) {
    let Some(Standing { each, left }) = request.extensions().get::<Standing>().copied() else { return };
    // What is missing refills evenly.
    let whole_again = u64::from(each.saturating_sub(left)) * u64::from(WINDOW);
    let whole_again = whole_again.div_ceil(u64::from(each.max(1)));
    set_header(headers, POLICY, &format!("\"asker\";q={each};w={WINDOW}"));
    set_header(headers, LIMIT, &format!("\"asker\";r={left};t={whole_again}"));
}
