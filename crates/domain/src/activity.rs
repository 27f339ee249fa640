//! Activities (跟进): what happened, or is to happen, with a lead, a customer or their business.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::contact::unchanged;
use crate::context::{Context, Event};
use crate::customer::Customer;
use crate::error::{Code, Refusal, Rule};
use crate::lead::Lead;
use crate::record;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{ActivityId, CustomerId, LeadId, Line, Prose, Timestamp, UserId};
use crate::workflow::AllowedAction;

text_enum! {
    /// What kind of activity.
    pub enum ActivityKind {
        /// A call.
        Call = "call" ("Call", "电话"),
        /// An e-mail.
        Email = "email" ("E-mail", "邮件"),
        /// A meeting.
        Meeting = "meeting" ("Meeting", "会议"),
        /// A message.
        Message = "message" ("Message", "消息"),
        /// A note.
        Note = "note" ("Note", "备注"),
        /// Something to do.
        Task = "task" ("Task", "任务"),
    }
}

text_enum! {
    /// What an activity is about.
    pub enum SubjectKind {
        /// A lead.
        Lead = "lead" ("Lead", "线索"),
        /// A customer.
        Customer = "customer" ("Customer", "客户"),
        /// A contact of a customer.
        Contact = "contact" ("Contact", "联系人"),
        /// An opportunity.
        Opportunity = "opportunity" ("Opportunity", "商机"),
        /// A contract.
        Contract = "contract" ("Contract", "合同"),
    }
}

impl SubjectKind {
    /// Whether it is for others than its customer is: an activity about it is for whoever sees both.
    pub const fn has_own_readers(self) -> bool {
        match self {
            Self::Opportunity | Self::Contract => true,
            Self::Lead | Self::Customer | Self::Contact => false,
        }
    }
}

/// The record that an activity is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its kind.
    pub kind: SubjectKind,
    /// Its id.
    #[serde(deserialize_with = "crate::values::any_id")]
    pub id: Uuid,
}

/// What one may say about an activity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "task_is_due"))]
#[schema(example = json!({
    "about": {"kind": "lead", "id": LeadId::example(1)},
    "kind": "call",
    "subject": "First call",
    "content": "Uses spreadsheets today. Wants to see approvals and the payment plan in a demonstration.",
    "happened_at": "2026-01-08T02:30:00.000Z",
    "next_step": "Show a demonstration",
    "next_step_at": "2026-01-15T06:00:00.000Z"
}))]
pub struct ActivityDetails {
    /// What it is about; cannot be changed.
    pub about: Subject,
    /// What kind.
    pub kind: ActivityKind,
    /// In one line.
    #[validate(nested)]
    pub subject: Line,
    /// In full.
    #[serde(default)]
    #[validate(nested)]
    pub content: Option<Prose>,
    /// When it happened; now when absent and not a task.
    #[serde(default)]
    pub happened_at: Option<Timestamp>,
    /// When a task is due.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// What comes next.
    #[serde(default)]
    #[validate(nested)]
    pub next_step: Option<Line>,
    /// When that is due.
    #[serde(default)]
    pub next_step_at: Option<Timestamp>,
}

fn task_is_due(details: &ActivityDetails) -> Result<(), ValidationError> {
    if details.kind == ActivityKind::Task && details.due_at.is_none() {
        return Err(Rule::DueAtRequired.error("a task needs due_at"));
    }
    Ok(())
}

/// An activity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Activity {
    /// Its id.
    pub id: ActivityId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: ActivityDetails,
    /// The lead whose it is, directly or not.
    #[schema(required)]
    pub lead_id: Option<LeadId>,
    /// The customer whose it is, directly or not.
    #[schema(required)]
    pub customer_id: Option<CustomerId>,
    /// Who logged it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was logged.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Activity, Activity);

/// What the activities of a lead or a customer say together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActivityTimes {
    /// When the last one happened.
    pub last: Option<Timestamp>,
    /// What is planned for after that: the earliest task that is still to be done, or the next step that was said
    /// last, if that is earlier.
    pub next: Option<Timestamp>,
}

/// The record on which an activity depends: it is seen by whoever sees it.
#[derive(Debug, Clone)]
pub enum Parent {
    /// A lead.
    Lead(Lead),
    /// A customer: of the activity itself, or of its contact, opportunity or contract.
    Customer(Customer),
}

impl Parent {
    /// What was said about a pool customer is full of what is masked there: it is for whoever sees every customer.
    pub fn reveal_activities(&self, ctx: &Context) -> Result<(), Refusal> {
        match self {
            Self::Customer(customer) if !customer.shows_activities(ctx) => Err(Refusal::not_found()),
            Self::Lead(_) | Self::Customer(_) => Ok(()),
        }
    }

    fn may_log(&self, ctx: &Context) -> Result<(), Refusal> {
        match self {
            Self::Lead(lead) => lead.may_update(ctx),
            Self::Customer(customer) => customer.may_update(ctx),
        }
    }

    /// What only its owner and their superiors may do. Leads are not shared.
    fn may_dispose(&self, ctx: &Context) -> Result<(), Refusal> {
        match self {
            Self::Lead(lead) => lead.may_update(ctx),
            Self::Customer(customer) => customer.may_dispose(ctx),
        }
    }
}

/// All but a task happened, and nothing in the future.
fn happened(
    ctx: &Context,
    mut details: ActivityDetails,
    default: Timestamp,
) -> Result<ActivityDetails, Refusal> {
    if details.kind != ActivityKind::Task {
        details.happened_at.get_or_insert(default);
    }
    if details.happened_at.is_some_and(|at| at > ctx.now) {
        return Err(Refusal::invalid(
            "/happened_at",
            Rule::InFuture,
            "must not be in the future; use due_at",
        ));
    }
    Ok(details)
}

impl Activity {
    /// Logs an activity.
    pub fn new(
        ctx: &Context,
        id: ActivityId,
        parent: &Parent,
        form: Valid<ActivityDetails>,
    ) -> Result<(Self, Event), Refusal> {
        parent.may_log(ctx)?;
        let details = happened(ctx, form.into_inner(), ctx.now)?;
        let (lead_id, customer_id) = match parent {
            Parent::Lead(lead) => (Some(lead.id), None),
            Parent::Customer(customer) => (None, Some(customer.id)),
        };
        let activity = Self {
            id,
            details,
            lead_id,
            customer_id,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((activity, Event("activity.logged")))
    }

    /// Whether it is a task that is still to be done.
    fn is_open(&self) -> bool {
        self.details.happened_at.is_none()
    }

    /// May it be changed or deleted? By its author, while they may still work with the record it is about. What is
    /// still to be done goes with that record: whoever has it now, and their superiors, may as well. What was done
    /// stays its author's.
    pub fn may_update(&self, ctx: &Context, parent: &Parent) -> Result<(), Refusal> {
        parent.may_log(ctx)?;
        if self.created_by == ctx.actor.id || (self.is_open() && parent.may_dispose(ctx).is_ok()) {
            return Ok(());
        }
        let why = if self.is_open() {
            "an open task is changed by its author, and by whoever has what it is about"
        } else {
            "an activity is changed by its author only"
        };
        Err(Refusal::new(Code::Forbidden, why))
    }

    /// Changes what was said about it.
    pub fn edit(
        &mut self,
        ctx: &Context,
        parent: &Parent,
        form: Valid<ActivityDetails>,
    ) -> Result<Event, Refusal> {
        self.may_update(ctx, parent)?;
        unchanged("/about", &self.details.about, &form.about)?;
        let before = self.details.happened_at.unwrap_or(ctx.now);
        self.details = happened(ctx, form.into_inner(), before)?;
        Ok(Event("activity.updated"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, parent: &Parent) -> Vec<AllowedAction> {
        ["update", "delete"].map(|action| AllowedAction::judge(action, self.may_update(ctx, parent))).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{REP, World, now};

    #[test]
    fn nothing_happens_in_the_future_and_a_time_once_noted_stays() {
        let world = World::new();
        let parent = Parent::Customer(world.customer(Some(REP)));
        let form = |happened_at: Option<&str>| {
            let about = serde_json::json!({"kind": "customer", "id": Uuid::from_u128(70)});
            let form = serde_json::json!({"about": about, "kind": "call", "subject": "Called", "happened_at": happened_at});
            Valid::check(serde_json::from_value(form).unwrap()).unwrap()
        };
        let id = ActivityId(Uuid::from_u128(1));
        let (mut activity, _) = world.by(REP, |ctx| Activity::new(ctx, id, &parent, form(None))).unwrap();
        assert_eq!(activity.details.happened_at, Some(now()));
        let mut edit = |at| {
            let answer = world.by(REP, |ctx| activity.edit(ctx, &parent, form(at)));
            (answer.map_err(|refusal| refusal.code), activity.details.happened_at.map(|at| at.to_string()))
        };
        let noted = Some("2026-03-09T08:00:00.000Z");
        assert_eq!(edit(noted), (Ok(Event("activity.updated")), noted.map(str::to_owned)));
        assert_eq!(edit(None), (Ok(Event("activity.updated")), noted.map(str::to_owned)));
        let future = edit(Some("2026-03-10T08:00:00.001Z"));
        assert_eq!(future, (Err(Code::ValidationFailed), noted.map(str::to_owned)));
    }
}
