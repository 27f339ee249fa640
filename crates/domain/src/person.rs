//! The directory (通讯录): who is who, for everybody who works here.

use serde::Serialize;
use utoipa::ToSchema;

use crate::organisation::{Organisation, User, UserRef, UserStatus};
use crate::values::Line;

/// Somebody who works with Fairlead, as everybody else who does may know them: enough to name whom an id stands for,
/// and to choose somebody. It takes no permission, so that nothing that only some may know belongs here.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Person {
    /// Who it is, as other records say it.
    #[serde(flatten)]
    pub user: UserRef,
    /// The team's name.
    #[schema(required)]
    pub team_name: Option<Line>,
    /// Active or disabled. Whoever left still stands in the records.
    pub status: UserStatus,
}

impl Person {
    /// What everybody may know of a user.
    pub fn of(org: &Organisation, user: &User) -> Self {
        let team = user.details.team_id;
        Self {
            user: user.into(),
            team_name: team.and_then(|team| org.team_name(team)).cloned(),
            status: user.status,
        }
    }
}
