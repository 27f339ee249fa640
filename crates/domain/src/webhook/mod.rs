//! Webhooks: other programs are told of what happens, in the way of Standard Webhooks.
//!
//! A webhook listens in somebody's name: it tells what they may see, and nothing else. It tells what happened to which
//! record; the record itself is asked for where its readers are judged anyway.

mod delivery;
mod event_type;
mod target;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

pub use self::delivery::{
    Answer, DeliveryStatus, EXCERPT, GIVES_UP_AFTER, KEPT, Outcome, PING, Verdict, WebhookDelivery,
};
pub use self::event_type::EventType;
pub use self::target::{Target, Targets, Unfit};
use crate::access::{Permission, Standing};
use crate::context::{Context, Event};
use crate::error::{Code, Refusal};
use crate::pool::distinct;
use crate::record;
use crate::settings::Settings;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{Line, Timestamp, UserId, WebAddress, WebhookId};
use crate::workflow::{AllowedAction, Machine, Rule, Who};

/// How many webhooks an organisation may have.
const MOST: i64 = 100;

text_enum! {
    /// The state of a webhook.
    pub enum WebhookStatus {
        /// It tells what happens.
        Active = "active" ("Active", "启用"),
        /// It tells nothing; `disabled_because` says why.
        Disabled = "disabled" ("Disabled", "停用"),
    }
}

text_enum! {
    /// What may be done with a webhook.
    pub enum WebhookAction {
        /// Make a new secret.
        RotateSecret = "rotate_secret",
        /// Tell nothing for a while.
        Disable = "disable",
        /// Tell again, in the name of whoever enables it.
        Enable = "enable",
        /// Nobody takes what it tells, or nobody is left in whose name it listens.
        GiveUp = "give_up",
    }
}

text_enum! {
    /// Why a webhook tells nothing.
    pub enum DisabledReason {
        /// Somebody wanted it so.
        ByHand = "by_hand" ("By hand", "手动停用"),
        /// Something was tried for three days, and nothing else arrived meanwhile.
        Undeliverable = "undeliverable" ("Undeliverable", "无法送达"),
        /// The receiver said that it is gone (410).
        Gone = "gone" ("Receiver gone", "接收方已下线"),
        /// Whoever it listened for cannot log in any more.
        OwnerLeft = "owner_left" ("Owner left", "所属用户已离职"),
    }
}

/// The webhook's state machine.
pub static MACHINE: Machine<WebhookStatus, WebhookAction> = Machine {
    name: "webhook",
    initial: &[WebhookStatus::Active],
    states: WebhookStatus::ALL,
    rules: &[
        Rule {
            action: WebhookAction::RotateSecret,
            from: WebhookStatus::ALL,
            to: None,
            who: Who::Holder(Permission::SettingsManage),
            guards: &[],
        },
        Rule {
            action: WebhookAction::Disable,
            from: &[WebhookStatus::Active],
            to: Some(WebhookStatus::Disabled),
            who: Who::Holder(Permission::SettingsManage),
            guards: &[],
        },
        Rule {
            action: WebhookAction::Enable,
            from: &[WebhookStatus::Disabled],
            to: Some(WebhookStatus::Active),
            who: Who::Holder(Permission::SettingsManage),
            guards: &[],
        },
        Rule {
            action: WebhookAction::GiveUp,
            from: &[WebhookStatus::Active],
            to: Some(WebhookStatus::Disabled),
            who: Who::System,
            guards: &[
                "something was tried for three days and nothing else arrived meanwhile, the receiver answered 410, or whoever it listened for cannot log in any more",
            ],
        },
    ],
};

/// What one may say about a webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Accounting",
    "url": "https://hooks.example.com/fairlead",
    "events": ["contract.activated", "invoice.issued", "payment.confirmed"]
}))]
pub struct WebhookDetails {
    /// What it is for.
    #[validate(nested)]
    pub name: Line,
    /// Where messages are sent, by `POST`: an address with `https` that leads to another machine on the internet. No
    /// user, password or fragment; redirects are not followed.
    #[validate(nested)]
    pub url: WebAddress,
    /// What it tells; every event that there is when nothing is named. Events are of leads, customers, contacts,
    /// activities, opportunities, contracts, invoices, payments, approvals and transfers.
    #[serde(default)]
    #[validate(length(max = 200), custom(function = "distinct_events"))]
    #[schema(max_items = 200)]
    pub events: Vec<EventType>,
}

fn distinct_events(events: &[EventType]) -> Result<(), ValidationError> {
    distinct(events.iter().collect::<BTreeSet<_>>().len() == events.len())
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: WebhookDetails,
    /// Its state.
    pub status: WebhookStatus,
    /// Why it tells nothing.
    #[schema(required)]
    pub disabled_because: Option<DisabledReason>,
    /// In whose name it listens: who made it, or changed or enabled it since. It tells what they may see.
    pub owner_id: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Webhook, Webhook);

impl Webhook {
    /// May the caller make and change webhooks?
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        Settings::may_manage(ctx)
    }

    /// Makes a webhook.
    pub fn new(
        ctx: &Context,
        id: WebhookId,
        form: Valid<WebhookDetails>,
        targets: Targets,
    ) -> Result<(Self, Event), Refusal> {
        Self::may_manage(ctx)?;
        targets.check(form.url.as_str(), "/url")?;
        let webhook = Self {
            id,
            details: form.into_inner(),
            status: WebhookStatus::Active,
            disabled_because: None,
            owner_id: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((webhook, Event("webhook.created")))
    }

    /// Refuses one more than an organisation may have.
    pub fn check_count(present: i64) -> Result<(), Refusal> {
        if present < MOST {
            return Ok(());
        }
        let detail = format!("there are {MOST} webhooks already");
        Err(Refusal::new(Code::TooMany, detail).with("limit", MOST))
    }

    /// Changes it. It listens in the name of whoever does; whoever says nothing new does not.
    pub fn edit(
        &mut self,
        ctx: &Context,
        form: Valid<WebhookDetails>,
        targets: Targets,
    ) -> Result<Event, Refusal> {
        Self::may_manage(ctx)?;
        targets.check(form.url.as_str(), "/url")?;
        let details = form.into_inner();
        if details != self.details {
            self.details = details;
            // Whoever says where it leads sees what it tells: not more than they may see themselves.
            self.owner_id = ctx.actor.id;
        }
        Ok(Event("webhook.updated"))
    }

    /// Its secret is replaced. It listens in the name of whoever does that.
    pub fn rotate_secret(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, WebhookAction::RotateSecret)?;
        self.owner_id = ctx.actor.id;
        Ok(Event("webhook.secret_rotated"))
    }

    /// It tells nothing for a while.
    pub fn disable(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, WebhookAction::Disable)?;
        self.disabled_because = Some(DisabledReason::ByHand);
        Ok(Event("webhook.disabled"))
    }

    /// It tells again, from now on, what the caller may see.
    pub fn enable(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, WebhookAction::Enable)?;
        self.disabled_because = None;
        self.owner_id = ctx.actor.id;
        Ok(Event("webhook.enabled"))
    }

    /// Fairlead gives it up.
    pub fn give_up(&mut self, why: DisabledReason) -> Result<Event, Refusal> {
        self.status = MACHINE.follow(self.status, WebhookAction::GiveUp)?;
        self.disabled_because = Some(why);
        Ok(Event("webhook.given_up"))
    }

    /// Whether it tells of such an event.
    pub fn tells(&self, event: &str) -> bool {
        let events = &self.details.events;
        events.is_empty() || events.iter().any(|wanted| wanted.as_str() == event)
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        let verdict = Self::may_manage(ctx);
        let mut actions = MACHINE.offers(ctx.actor, &Standing::Organisation, self.status, |_| Ok(()));
        actions
            .extend(["ping", "update", "delete"].map(|action| AllowedAction::judge(action, verdict.clone())));
        actions
    }

    fn permit(&self, ctx: &Context, action: WebhookAction) -> Result<WebhookStatus, Refusal> {
        MACHINE.permit(ctx.actor, &Standing::Organisation, self.status, action)
    }
}
