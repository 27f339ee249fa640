//! Users: who logs in and owns records.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::{Permission, RoleKey, Standing};
use crate::context::Context;
use crate::error::{Code, Refusal, Rule};
use crate::record;
use crate::record::RecordKind;
use crate::text_enum;
use crate::values::{Email, Line, TeamId, Timestamp, UserId};
use crate::workflow::AllowedAction;

text_enum! {
    /// Whether a user may log in and own records.
    pub enum UserStatus {
        /// Works.
        Active = "active" ("Active", "正常"),
        /// May not log in; tokens are refused at once.
        Disabled = "disabled" ("Disabled", "已停用"),
    }
}

text_enum! {
    /// The language that a user reads.
    pub enum Locale {
        /// English.
        En = "en" ("English", "英语"),
        /// Simplified Chinese.
        ZhCn = "zh-CN" ("Simplified Chinese", "简体中文"),
    }
}

/// What one may say about a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "display_name": "李伟",
    "email": "li.wei@example.com",
    "roles": ["sales_rep"],
    "locale": "zh-CN"
}))]
pub struct UserDetails {
    /// The address to log in with; unique, whatever the case of its letters.
    #[validate(nested)]
    pub email: Email,
    /// The name to show.
    #[validate(nested)]
    pub display_name: Line,
    /// The team.
    #[serde(default)]
    pub team_id: Option<TeamId>,
    /// The roles, one or more.
    #[validate(
        length(min = 1, max = 10, message = "must have between 1 and 10 roles"),
        custom(function = "distinct_roles"),
        nested
    )]
    #[schema(min_items = 1, max_items = 10)]
    pub roles: Vec<RoleKey>,
    /// The language that the user reads. Clients send it as `Accept-Language`; without that header messages are in
    /// English, whatever it is.
    #[serde(default = "english")]
    pub locale: Locale,
}

fn distinct_roles(roles: &[RoleKey]) -> Result<(), ValidationError> {
    if roles.iter().collect::<BTreeSet<_>>().len() == roles.len() {
        return Ok(());
    }
    Err(Rule::Distinct.error("must name each role once"))
}

fn english() -> Locale {
    Locale::En
}

/// A user. The password's hash is kept apart and never leaves the login.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// What was said about the user.
    #[serde(flatten)]
    pub details: UserDetails,
    /// Active or disabled.
    pub status: UserStatus,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(User, User);

impl User {
    /// Refuses to hand over what an active user owns: what they give away while they work here takes an approval.
    pub fn check_gone(ctx: &Context, user: UserId) -> Result<(), Refusal> {
        if ctx.org.actor(user).is_none() {
            return Ok(());
        }
        Err(Self::still_here())
    }

    fn still_here() -> Refusal {
        let detail = "the user is active; disable them, or ask for a transfer";
        Refusal::new(Code::InvalidTransition, detail)
            .with("record_kind", RecordKind::User)
            .with("from", UserStatus::Active)
    }

    /// May the caller have what a user owns handed over? Not to themselves: they would decide about what they
    /// receive.
    pub fn may_hand_over(ctx: &Context, successor: Option<UserId>) -> Result<(), Refusal> {
        Self::may_manage(ctx)?;
        if successor == Some(ctx.actor.id) {
            return Err(Refusal::new(Code::SeparationOfDuties, "nobody hands over to themselves"));
        }
        Ok(())
    }

    /// Refuses a status that the user already has.
    fn may_switch_to(&self, status: UserStatus) -> Result<(), Refusal> {
        if self.status == status {
            return Err(Refusal::new(Code::InvalidTransition, format!("the user is {status}"))
                .with("record_kind", RecordKind::User)
                .with("from", status));
        }
        Ok(())
    }

    /// May the caller change users?
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::UsersManage, &Standing::Organisation)
    }

    /// May the caller end the user's access? Not that of the last one who can manage users.
    pub fn may_disable(&self, ctx: &Context) -> Result<(), Refusal> {
        Self::may_manage(ctx)?;
        self.may_switch_to(UserStatus::Disabled)?;
        ctx.org.check_administrators(Some((self.id, &[])), None)
    }

    /// May the caller give the user access again?
    pub fn may_enable(&self, ctx: &Context) -> Result<(), Refusal> {
        Self::may_manage(ctx)?;
        self.may_switch_to(UserStatus::Active)
    }

    /// What this caller may do with the user.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        // By the record itself: the snapshot is older than a user who was disabled just now.
        let gone = if self.status == UserStatus::Disabled { Ok(()) } else { Err(Self::still_here()) };
        vec![
            AllowedAction::judge("update", Self::may_manage(ctx)),
            AllowedAction::judge("disable", self.may_disable(ctx)),
            AllowedAction::judge("enable", self.may_enable(ctx)),
            AllowedAction::judge("set_password", Self::may_manage(ctx)),
            AllowedAction::judge("hand_over", Self::may_hand_over(ctx, None).and(gone)),
        ]
    }
}

/// A user as other records show them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserRef {
    /// Its id.
    pub id: UserId,
    /// The name to show.
    pub display_name: Line,
    /// The team.
    #[schema(required)]
    pub team_id: Option<TeamId>,
}

impl From<&User> for UserRef {
    fn from(user: &User) -> Self {
        let details = &user.details;
        Self { id: user.id, display_name: details.display_name.clone(), team_id: details.team_id }
    }
}
