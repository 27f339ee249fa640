//! Delegation (审批委托): somebody decides for somebody else, for a period.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::ApprovalSubject;
use crate::access::{Permission, Standing};
use crate::context::{Context, Event};
use crate::error::{Code, Refusal, Rule};
use crate::organisation::Organisation;
use crate::record;
use crate::valid::Valid;
use crate::values::{DelegationId, Line, Timestamp, UserId};
use crate::workflow::AllowedAction;

/// What one may say about a delegation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "begins_before_it_ends"))]
#[schema(example = json!({
    "user_id": UserId::example(2),
    "delegate_id": UserId::example(3),
    "reason": "Spring Festival",
    "starts_at": "2036-01-26T00:00:00.000Z",
    "ends_at": "2036-02-04T00:00:00.000Z",
    "subject_kinds": ["contract", "invoice"]
}))]
pub struct DelegationDetails {
    /// Whose decisions; cannot be changed.
    pub user_id: UserId,
    /// Who decides for them: somebody of `/people`.
    pub delegate_id: UserId,
    /// From when on.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// About what; about everything when empty.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(max_items = 20)]
    pub subject_kinds: Vec<ApprovalSubject>,
    /// Why.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Line>,
}

fn begins_before_it_ends(details: &DelegationDetails) -> Result<(), ValidationError> {
    if details.starts_at < details.ends_at {
        return Ok(());
    }
    Err(Rule::EndsBeforeItBegins.error("ends_at must be after starts_at"))
}

/// A delegation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delegation {
    /// Its id.
    pub id: DelegationId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: DelegationDetails,
    /// Who recorded it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Delegation, Delegation);

impl Delegation {
    /// How many one user may have.
    pub const MOST: i64 = 100;

    /// Has somebody decide for the caller or, where the caller manages users, for somebody who cannot say so.
    pub fn new(
        ctx: &Context,
        id: DelegationId,
        form: Valid<DelegationDetails>,
    ) -> Result<(Self, Event), Refusal> {
        let delegation = Self {
            id,
            details: form.into_inner(),
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        delegation.may_manage(ctx)?;
        delegation.check(ctx)?;
        Ok((delegation, Event("delegation.created")))
    }

    /// Nobody decides for somebody who left.
    fn still_here(&self, ctx: &Context) -> Result<(), Refusal> {
        match ctx.org.actor(self.details.user_id) {
            Some(_) => Ok(()),
            None => Err(Refusal::unknown_reference("/user_id")),
        }
    }

    fn check(&self, ctx: &Context) -> Result<(), Refusal> {
        self.still_here(ctx)?;
        if ctx.org.actor(self.details.delegate_id).is_none() {
            return Err(Refusal::unknown_reference("/delegate_id"));
        }
        if self.details.delegate_id == self.details.user_id {
            return Err(Refusal::invalid("/delegate_id", Rule::SameUser, "must be somebody else"));
        }
        if self.details.ends_at <= ctx.now {
            return Err(Refusal::invalid("/ends_at", Rule::InPast, "must not be over already"));
        }
        Ok(())
    }

    /// Refuses one more than there may be.
    pub fn check_count(present: i64) -> Result<(), Refusal> {
        if present < Self::MOST {
            return Ok(());
        }
        Err(Refusal::new(Code::TooMany, format!("there are {present} delegations of this user"))
            .with("limit", Self::MOST))
    }

    /// May the caller change or end it? Whose decisions it is about, and whoever manages users.
    pub fn may_manage(&self, ctx: &Context) -> Result<(), Refusal> {
        if self.details.user_id == ctx.actor.id {
            return Ok(());
        }
        ctx.actor.authorize(Permission::UsersManage, &Standing::Organisation)
    }

    /// Whoever manages users sees every delegation; everybody sees those from and to them.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        let mine = [self.details.user_id, self.details.delegate_id].contains(&ctx.actor.id);
        if mine || Self::sees_all(ctx) { Ok(()) } else { Err(Refusal::not_found()) }
    }

    /// Whether the caller sees the delegations of others.
    pub fn sees_all(ctx: &Context) -> bool {
        ctx.actor.authorize(Permission::UsersRead, &Standing::Organisation).is_ok()
    }

    /// Changes it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<DelegationDetails>) -> Result<Event, Refusal> {
        self.may_manage(ctx)?;
        crate::contact::unchanged("/user_id", &self.details.user_id, &form.user_id)?;
        self.details = form.into_inner();
        self.check(ctx)?;
        Ok(Event("delegation.updated"))
    }

    /// Whether it holds at this time, about such a subject. Nobody decides for somebody who left.
    pub fn holds(&self, org: &Organisation, now: Timestamp, subject: ApprovalSubject) -> bool {
        let details = &self.details;
        details.starts_at <= now
            && now < details.ends_at
            && (details.subject_kinds.is_empty() || details.subject_kinds.contains(&subject))
            && org.actor(self.details.user_id).is_some()
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        vec![
            AllowedAction::judge("update", self.may_manage(ctx).and_then(|()| self.still_here(ctx))),
            AllowedAction::judge("delete", self.may_manage(ctx)),
        ]
    }
}
