//! How often somebody may ask, and what every answer says of it.
//!
//! Each user has a budget of requests that refills steadily (the generic cell rate algorithm), and so has each address
//! of those who are not known: a user behind a shared address is not slowed down by others there. Some operations take
//! less than that, and count for themselves. Answers carry the headers of the IETF draft
//! `draft-ietf-httpapi-ratelimit-headers`, and tell the limit that refused or else the nearest.

use std::cmp::Reverse;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::http::header::HeaderMap;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use fairlead_application::{Budget, stands_for};
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::values::UserId;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use serde_json::Value;

use crate::middleware::set_header;
use crate::problem;
use crate::request::origin::Origin;
use crate::state::State;

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

/// Whose limit an answer tells.
#[derive(Debug, Clone, Copy)]
enum Of {
    /// That of all requests.
    Asker,
    /// The operation's own.
    Operation,
}

/// What an answer says of a limit.
#[derive(Debug, Clone, Copy)]
struct Standing {
    of: Of,
    most: u64,
    /// In how many seconds.
    window: u64,
    left: u64,
    /// In how many seconds it is otherwise.
    reset: u64,
    /// Whether it refused the request: nothing is nearer then.
    refused: bool,
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
                let refusal = Refusal::new(Code::RateLimited, detail)
                    .with("retry_after", wait)
                    .with("limit", each)
                    .with("window", WINDOW);
                (0, Err(refusal))
            }
        };
        // What is missing refills evenly.
        let missing = u64::from(each.saturating_sub(left)) * u64::from(WINDOW);
        request.extensions_mut().insert(Standing {
            of: Of::Asker,
            most: each.into(),
            window: WINDOW.into(),
            left: left.into(),
            reset: missing.div_ceil(u64::from(each.max(1))),
            refused: outcome.is_err(),
        });
        outcome
    }

    /// The same for whoever is not known.
    pub(crate) fn admit_unknown(&self, request: &HttpRequest) -> Result<(), Refusal> {
        self.admit(request, &Asker::Address(stands_for(&Origin::of(request).client)))
    }
}

/// Notes how an operation's own limit stands, where it is nearer.
pub(crate) fn note(request: &HttpRequest, budget: Budget) {
    let Budget { most, window, left, whole_again } = budget;
    // Of two that have as much left, the one that takes longer to refill.
    let is_nearer = |noted: Standing| (left, Reverse(whole_again)) < (noted.left, Reverse(noted.reset));
    if noted(request).is_none_or(|noted| !noted.refused && is_nearer(noted)) {
        let (of, refused) = (Of::Operation, false);
        let standing = Standing { of, most, window, left, reset: whole_again, refused };
        request.extensions_mut().insert(standing);
    }
}

/// Notes which limit refused, where it was one of the operation's own.
pub(crate) fn note_refusal(request: &HttpRequest, refusal: &Refusal) {
    let figure = |name: &str| refusal.figures.get(name).and_then(Value::as_u64);
    let refused_before = noted(request).is_some_and(|noted| noted.refused);
    let (Code::RateLimited, Some(most), Some(window), false) =
        (refusal.code, figure("limit"), figure("window"), refused_before)
    else {
        return;
    };
    let reset = figure("retry_after").unwrap_or(1);
    let of = Of::Operation;
    request.extensions_mut().insert(Standing { of, most, window, left: 0, reset, refused: true });
}

fn noted(request: &HttpRequest) -> Option<Standing> {
    request.extensions().get().copied()
}

/// Says in an answer how the limit stands of whoever asked.
pub(crate) fn tell(request: &HttpRequest, headers: &mut HeaderMap) {
    let Some(Standing { of, most, window, left, reset, .. }) = noted(request) else { return };
    let name = match of {
        Of::Asker => "asker",
        Of::Operation => "operation",
    };
    set_header(headers, POLICY, &format!("\"{name}\";q={most};w={window}"));
    set_header(headers, LIMIT, &format!("\"{name}\";r={left};t={reset}"));
}

/// Answers what is no operation, and counts it by the address that it is for.
pub(crate) async fn counted(
    state: &State,
    request: &HttpRequest,
    answer: impl AsyncFnOnce() -> HttpResponse,
) -> HttpResponse {
    let mut response = match state.limits.admit_unknown(request) {
        Ok(()) => answer().await,
        Err(refusal) => problem::answer(refusal.into(), request),
    };
    tell(request, response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn told(request: &HttpRequest) -> String {
        let mut headers = HeaderMap::new();
        tell(request, &mut headers);
        headers.get(LIMIT).map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    fn asked(limits: &Limits, times: usize) -> HttpRequest {
        let request = TestRequest::default().to_http_request();
        for _ in 0..times {
            let _ = limits.admit(&request, &Asker::Address("198.51.100.7".to_owned()));
        }
        request
    }

    fn refused(window: u64) -> Refusal {
        Refusal::new(Code::RateLimited, "too often")
            .with("limit", 5)
            .with("window", window)
            .with("retry_after", 7)
    }

    /// Whose limit refused is known, not guessed from what is left: the last request of a budget is one that was taken.
    #[test]
    fn what_refused_is_told_whatever_else_is_used_up() {
        let request = asked(&Limits::per_minute(2), 2);
        assert!(told(&request).starts_with("\"asker\";r=0;"), "{}", told(&request));
        note_refusal(&request, &refused(300));
        assert_eq!(told(&request), "\"operation\";r=0;t=7");
        // The other way around it stays with the asker's.
        let request = asked(&Limits::per_minute(2), 3);
        note_refusal(&request, &refused(300));
        note(&request, Budget { most: 10, window: 300, left: 0, whole_again: 300 });
        assert!(told(&request).starts_with("\"asker\";r=0;"), "{}", told(&request));
    }

    #[test]
    fn the_nearest_is_told() {
        for (left, whole_again, operation) in [(0, 299, true), (1, 299, true), (1, 1, false), (2, 299, false)]
        {
            let request = asked(&Limits::per_minute(2), 1);
            note(&request, Budget { most: 10, window: 300, left, whole_again });
            assert_eq!(told(&request).starts_with("\"operation\""), operation, "{left}: {}", told(&request));
        }
    }
}
