use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;
use validator::Validate;

use super::ApprovalSubject;
use crate::access::{Actor, RoleKey, Standing};
use crate::values::{Line, UserId, form};

/// Who decides a step. As text: `manager_of_owner`, `role:finance`, `users:<id>,<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApproverRule {
    /// Whoever holds the subject's permission to approve, in a scope that covers the owner.
    ManagerOfOwner,
    /// Whoever has the role.
    Role(RoleKey),
    /// One of these users, from 1 to [`ApproverRule::MAX_USERS`].
    Users(Vec<UserId>),
}

impl ApproverRule {
    /// The most users that one rule may name.
    pub const MAX_USERS: usize = 20;
    const MANAGER: &str = "manager_of_owner";
    const ROLE: &str = "role:";
    pub(super) const USERS: &str = "users:";

    pub(super) fn names(&self, actor: &Actor, subject: ApprovalSubject, standing: &Standing) -> bool {
        match self {
            Self::ManagerOfOwner => actor.authorize(subject.approve(), standing).is_ok(),
            Self::Role(role) => actor.roles.contains(role),
            Self::Users(users) => users.contains(&actor.id),
        }
    }
}

impl fmt::Display for ApproverRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ManagerOfOwner => f.write_str(Self::MANAGER),
            Self::Role(role) => write!(f, "{}{}", Self::ROLE, role.as_str()),
            Self::Users(users) => {
                let ids: Vec<String> = users.iter().map(ToString::to_string).collect();
                write!(f, "{}{}", Self::USERS, ids.join(","))
            }
        }
    }
}

impl FromStr for ApproverRule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == Self::MANAGER {
            return Ok(Self::ManagerOfOwner);
        }
        if let Some(role) = text.strip_prefix(Self::ROLE) {
            let role = RoleKey(role.to_owned());
            return role
                .validate()
                .map(|()| Self::Role(role))
                .map_err(|_| "not the key of a role".to_owned());
        }
        if let Some(ids) = text.strip_prefix(Self::USERS) {
            let users = ids.split(',').map(str::parse).collect::<Result<Vec<UserId>, _>>()?;
            if users.len() <= Self::MAX_USERS {
                return Ok(Self::Users(users));
            }
        }
        Err("expected `manager_of_owner`, `role:<key>` or `users:<id>,<id>`".to_owned())
    }
}

impl Serialize for ApproverRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApproverRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|why: String| form::broken("invalid_approver_rule", why))
    }
}

impl utoipa::PartialSchema for ApproverRule {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(r"^(manager_of_owner|role:[a-z][a-z0-9_]{1,39}|users:[0-9a-f,-]{36,739})$"))
            .max_length(Some(745))
            .description(Some(
                "Who decides a step: `manager_of_owner`, whoever has a role (`role:finance`), or named users \
                 (`users:<id>,<id>`).",
            ))
            .examples([serde_json::json!("role:finance")])
            .into()
    }
}
impl ToSchema for ApproverRule {}

/// One step of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowStep {
    /// Its name.
    pub name: Line,
    /// Who decides it.
    pub rule: ApproverRule,
}

/// The steps that a kind of subject passes, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Flow {
    /// What is asked about.
    pub subject: ApprovalSubject,
    /// Bumped by each change of the flow; a request keeps the version with which it began.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The steps, one or more.
    #[schema(min_items = 1, max_items = 20)]
    pub steps: Vec<FlowStep>,
}

/// The flow that Fairlead brings along: the owner's manager, then finance where money is at stake.
pub fn default_flow(subject: ApprovalSubject) -> Flow {
    let step = |name: &str, rule| FlowStep { name: Line::new(name), rule };
    let manager = step("Manager", ApproverRule::ManagerOfOwner);
    let finance = || step("Finance", ApproverRule::Role(RoleKey("finance".to_owned())));
    let steps = match subject {
        ApprovalSubject::Contract | ApprovalSubject::Invoice => vec![manager, finance()],
        ApprovalSubject::Transfer => vec![manager],
    };
    Flow { subject, version: 1, steps }
}
