//! Deliveries of a webhook (推送记录): one for each event and receiver, tried until it arrives.

use chrono::Duration;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Webhook;
use crate::access::{Permission, Standing};
use crate::context::Context;
use crate::error::Refusal;
use crate::record::RecordKind;
use crate::text_enum;
use crate::values::{Prose, Timestamp, UserId, WebhookDeliveryId, WebhookId};
use crate::workflow::AllowedAction;

text_enum! {
    /// How a delivery stands.
    pub enum DeliveryStatus {
        /// It is tried, or tried again later.
        Pending = "pending" ("Pending", "待推送"),
        /// The receiver took it.
        Delivered = "delivered" ("Delivered", "已送达"),
        /// It was given up.
        Failed = "failed" ("Failed", "推送失败"),
    }
}

/// The event of a delivery that only tries whether the receiver answers: once, and whatever the webhook's state.
pub const PING: &str = "webhook.ping";

/// How long to wait after each attempt that failed: three days in all.
const WAITS: [Duration; 9] = [
    Duration::seconds(5),
    Duration::minutes(5),
    Duration::minutes(30),
    Duration::hours(2),
    Duration::hours(5),
    Duration::hours(10),
    Duration::hours(14),
    Duration::hours(20),
    Duration::hours(24),
];

/// How long a server may take for an attempt before another one tries again.
const LEASE: Duration = Duration::minutes(1);

/// Whether a receiver is there at all is told by what arrived in this time: as long as a delivery is tried.
pub const GIVES_UP_AFTER: Duration = Duration::days(3);

/// How long deliveries are kept.
pub const KEPT: Duration = Duration::days(30);

/// How much of a receiver's answer is kept, in bytes.
pub const EXCERPT: usize = 4096;

/// An event on its way to a receiver.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// Its id.
    pub id: WebhookDeliveryId,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The event: `webhook-id` of the message, the same however often it is sent.
    pub event_id: Uuid,
    /// What happened, such as `contract.submitted`; `webhook.ping` for a trial.
    #[schema(max_length = 80, example = "contract.submitted")]
    pub event: String,
    /// The event's place among all events; none for a trial.
    #[schema(required, minimum = 1)]
    pub sequence: Option<i64>,
    /// To which kind of record it happened; none for a trial.
    #[schema(required)]
    pub record_kind: Option<RecordKind>,
    /// To which record; none for a trial.
    #[schema(required)]
    pub record_id: Option<Uuid>,
    /// Who did it; none when Fairlead itself.
    #[schema(required)]
    pub actor_id: Option<UserId>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// How the delivery stands.
    pub status: DeliveryStatus,
    /// How often it was tried, as far as is known what became of it.
    #[schema(minimum = 0)]
    pub attempts: i64,
    /// When it is tried next; none when it is not tried again.
    #[schema(required)]
    pub next_attempt_at: Option<Timestamp>,
    /// When it was tried last, as far as is known what became of it.
    #[schema(required)]
    pub last_attempt_at: Option<Timestamp>,
    /// What the receiver answered last.
    #[schema(required, minimum = 100, maximum = 999)]
    pub response_status: Option<i64>,
    /// How long that took, in milliseconds.
    #[schema(required, minimum = 0)]
    pub duration_ms: Option<i64>,
    /// The beginning of that answer, as text.
    #[schema(required, max_length = 4096)]
    pub response_body: Option<String>,
    /// Why it did not arrive.
    #[schema(required)]
    pub problem: Option<Prose>,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What the receiver said, if it said anything.
    pub answer: Result<Answer, String>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
}

/// What a receiver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The beginning of the body, not more than [`EXCERPT`].
    pub body: Vec<u8>,
}

/// What an attempt means for the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it arrived, or is tried again.
    GoOn,
    /// It was tried for three days.
    GivenUp,
    /// The receiver says that it is gone for good (410).
    Gone,
}

impl WebhookDelivery {
    /// A trial, to be sent at once.
    pub fn ping(webhook: WebhookId, id: WebhookDeliveryId, actor: UserId, now: Timestamp) -> Self {
        Self { actor_id: Some(actor), ..Self::begun(webhook, id, now) }
    }

    /// A delivery that waits for its first attempt, of a trial unless something else is said.
    pub fn begun(webhook: WebhookId, id: WebhookDeliveryId, now: Timestamp) -> Self {
        Self {
            id,
            webhook_id: webhook,
            event_id: id.0,
            event: PING.to_owned(),
            sequence: None,
            record_kind: None,
            record_id: None,
            actor_id: None,
            occurred_at: now,
            status: DeliveryStatus::Pending,
            attempts: 0,
            next_attempt_at: Some(now),
            last_attempt_at: None,
            response_status: None,
            duration_ms: None,
            response_body: None,
            problem: None,
            version: 1,
            created_at: now,
        }
    }

    /// A server takes it to try it; if it goes away meanwhile, another one tries again.
    pub fn begin(&mut self, now: Timestamp) {
        self.next_attempt_at = Some(now.plus(LEASE));
    }

    /// It was not tried after all: its webhook was disabled after a server had taken it. It is due as before, and waits
    /// for its webhook.
    pub fn give_back(&mut self, now: Timestamp) {
        self.next_attempt_at = Some(now);
    }

    /// Notes what became of the attempt. `spread` is from 0 to 1: with it, waits differ by up to a fifth, so that what
    /// failed together does not come again together.
    pub fn note(&mut self, outcome: Outcome, now: Timestamp, spread: f64) -> Verdict {
        self.attempts += 1;
        self.last_attempt_at = Some(now);
        self.duration_ms = Some(outcome.duration_ms);
        let (status, problem) = match outcome.answer {
            Ok(answer) => {
                self.response_body = Some(excerpt(&answer.body));
                let arrived = (200..300).contains(&answer.status);
                let problem = (!arrived).then(|| format!("the receiver answered {}", answer.status));
                (Some(answer.status), problem)
            }
            Err(why) => {
                self.response_body = None;
                (None, Some(why))
            }
        };
        self.response_status = status.map(i64::from);
        let Some(problem) = problem else {
            self.end(DeliveryStatus::Delivered, None);
            return Verdict::GoOn;
        };
        let problem = Some(Prose::new(problem.chars().take(500).collect::<String>()));
        if self.event == PING {
            self.end(DeliveryStatus::Failed, problem);
            return Verdict::GoOn;
        }
        if status == Some(410) {
            self.end(DeliveryStatus::Failed, problem);
            return Verdict::Gone;
        }
        let tried = usize::try_from(self.attempts).unwrap_or(usize::MAX);
        let Some(wait) = tried.checked_sub(1).and_then(|failed| WAITS.get(failed)) else {
            self.end(DeliveryStatus::Failed, problem);
            return Verdict::GivenUp;
        };
        self.problem = problem;
        self.next_attempt_at = Some(now.plus(spread_out(*wait, spread)));
        Verdict::GoOn
    }

    /// Gives it up: whoever its webhook listens for may not be told of it any more.
    pub fn withhold(&mut self) {
        let why = "the owner of the webhook may not see the record";
        self.end(DeliveryStatus::Failed, Some(Prose::new(why)));
    }

    /// Sends it again from the beginning, whatever became of it.
    pub fn redeliver(&mut self, ctx: &Context) -> Result<(), Refusal> {
        Self::may_redeliver(ctx)?;
        self.status = DeliveryStatus::Pending;
        self.attempts = 0;
        self.next_attempt_at = Some(ctx.now);
        Ok(())
    }

    /// May the caller have deliveries sent again? Whoever does is shown them.
    fn may_redeliver(ctx: &Context) -> Result<(), Refusal> {
        Self::may_read(ctx).and_then(|()| Webhook::may_manage(ctx))
    }

    /// May the caller see deliveries? They tell what happened to whichever record, as the audit trail does.
    pub fn may_read(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::AuditRead, &Standing::Organisation)
    }

    /// Whoever may not see deliveries does not know of one.
    pub fn reveal(ctx: &Context) -> Result<(), Refusal> {
        Self::may_read(ctx).map_err(|_| Refusal::not_found())
    }

    /// What this caller may do with it.
    pub fn allowed_actions(ctx: &Context) -> Vec<AllowedAction> {
        vec![AllowedAction::judge("redeliver", Self::may_redeliver(ctx))]
    }

    fn end(&mut self, status: DeliveryStatus, problem: Option<Prose>) {
        self.status = status;
        self.next_attempt_at = None;
        self.problem = problem;
    }
}

/// What a receiver said, as text that both databases keep.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]);
    // Whatever is no text takes more room than it had: cut again, between characters.
    let mut kept = String::new();
    for letter in text.chars().filter(|letter| *letter != '\0') {
        if kept.len() + letter.len_utf8() > EXCERPT {
            break;
        }
        kept.push(letter);
    }
    kept
}

/// A wait that is up to a fifth shorter or longer.
fn spread_out(wait: Duration, spread: f64) -> Duration {
    let millis = wait.num_milliseconds();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a day has 86 400 000 ms"
    )]
    let varied = (millis as f64 * (0.8 + 0.4 * spread.clamp(0.0, 1.0))) as i64;
    Duration::milliseconds(varied)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::new(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap())
    }

    fn answered(status: u16) -> Outcome {
        Outcome { answer: Ok(Answer { status, body: b"thanks".to_vec() }), duration_ms: 12 }
    }

    fn ping() -> WebhookDelivery {
        WebhookDelivery::ping(Uuid::nil().into(), Uuid::nil().into(), Uuid::nil().into(), now())
    }

    fn told() -> WebhookDelivery {
        WebhookDelivery { event: "contract.submitted".to_owned(), ..ping() }
    }

    #[test]
    fn a_trial_is_tried_once() {
        for status in [410, 500] {
            let mut delivery = ping();
            delivery.begin(now());
            assert_eq!(delivery.note(answered(status), now(), 0.5), Verdict::GoOn);
            assert_eq!((delivery.status, delivery.next_attempt_at), (DeliveryStatus::Failed, None));
        }
    }

    #[test]
    fn whatever_the_receiver_takes_has_arrived() {
        for status in [200, 201, 202, 204, 299] {
            let mut delivery = told();
            delivery.begin(now());
            assert_eq!(delivery.note(answered(status), now(), 0.5), Verdict::GoOn);
            assert_eq!(delivery.status, DeliveryStatus::Delivered);
            assert_eq!((delivery.next_attempt_at, delivery.problem), (None, None));
            assert_eq!(delivery.response_body.as_deref(), Some("thanks"));
        }
    }

    #[test]
    fn anything_else_is_tried_for_three_days() {
        for outcome in [answered(199), answered(302), answered(400), answered(500)] {
            let (mut delivery, mut at) = (told(), now());
            for _ in 0..WAITS.len() {
                delivery.begin(at);
                assert_eq!(delivery.note(outcome.clone(), at, 0.5), Verdict::GoOn);
                assert_eq!(delivery.status, DeliveryStatus::Pending);
                at = delivery.next_attempt_at.unwrap();
            }
            let hours = (at.millis() - now().millis()) / 3_600_000;
            assert!((72..=80).contains(&hours), "{hours}");
            delivery.begin(at);
            assert_eq!(delivery.note(outcome, at, 0.5), Verdict::GivenUp);
            assert_eq!((delivery.status, delivery.next_attempt_at), (DeliveryStatus::Failed, None));
            assert!(delivery.problem.is_some());
        }
    }

    #[test]
    fn who_is_gone_is_not_asked_again() {
        let mut delivery = told();
        delivery.begin(now());
        assert_eq!(delivery.note(answered(410), now(), 0.5), Verdict::Gone);
        assert_eq!(delivery.status, DeliveryStatus::Failed);
    }

    #[test]
    fn what_was_tried_by_a_server_that_went_away_is_tried_again() {
        let mut delivery = told();
        delivery.begin(now());
        assert_eq!(delivery.next_attempt_at, Some(now().plus(LEASE)));
        assert_eq!(delivery.status, DeliveryStatus::Pending);
    }

    #[test]
    fn what_was_not_sent_was_not_tried() {
        let fresh = told();
        let mut delivery = fresh.clone();
        delivery.begin(now());
        let later = now().plus(Duration::seconds(1));
        delivery.give_back(later);
        assert_eq!(delivery, WebhookDelivery { next_attempt_at: Some(later), ..fresh });
        delivery.begin(later);
        delivery.note(answered(500), later, 0.5);
        assert_eq!((delivery.attempts, delivery.last_attempt_at), (1, Some(later)));
        // Nor was what is withheld, once it was taken again.
        let after = later.plus(Duration::hours(1));
        delivery.begin(after);
        delivery.withhold();
        assert_eq!((delivery.attempts, delivery.last_attempt_at), (1, Some(later)));
    }

    #[test]
    fn an_answer_is_kept_in_part_and_as_text() {
        let mut delivery = told();
        delivery.begin(now());
        let body = [vec![0], vec![0xff; 10_000]].concat();
        delivery.note(Outcome { answer: Ok(Answer { status: 500, body }), duration_ms: 1 }, now(), 0.5);
        let kept = delivery.response_body.unwrap();
        assert!(kept.len() <= EXCERPT && kept.starts_with('\u{fffd}') && !kept.contains('\0'));
    }

    proptest! {
        #[test]
        fn waits_differ_by_a_fifth_at_most(spread in 0.0..=1.0_f64, wait in 0..WAITS.len()) {
            let varied = spread_out(WAITS[wait], spread).num_milliseconds();
            let wait = WAITS[wait].num_milliseconds();
            prop_assert!((wait * 4 / 5 - 1..=wait * 6 / 5 + 1).contains(&varied));
        }
    }
}
