use crate::text_enum;
use crate::values::{CustomerId, PoolId, TeamId, UserId};

text_enum! {
    /// How far a grant reaches, from narrow to wide. What belongs to nobody but the organisation, such as users, teams,
    /// roles, pools and settings, is reached by `all` only.
    pub enum Scope {
        /// Records that the user owns.
        Own = "own" ("Own", "本人"),
        /// Records owned by members of the user's team.
        Team = "team" ("Own team", "本团队"),
        /// Records owned by members of the user's team and of the teams below.
        TeamAndBelow = "team_and_below" ("Own team and below", "本团队及下级"),
        /// Every record, those without owner as well.
        All = "all" ("All", "全部"),
    }
}

/// Where one record stands: the facts that access depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It belongs to a user, who may be in a team.
    Owned {
        /// The owner.
        owner: UserId,
        /// The owner's team at present.
        team: Option<TeamId>,
        /// The customer that it is or belongs to, where that may be shared with collaborators.
        customer: Option<CustomerId>,
    },
    /// It is a lead without owner.
    Unowned,
    /// It is a customer in this public pool.
    Pooled(PoolId),
    /// It belongs to the organisation as a whole: users, teams, roles, settings. Only scope `all` reaches it.
    Organisation,
}

/// Which records a caller may see; persistence turns it into SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeFilter {
    /// Every record.
    All,
    /// The records that fit any clause; without clauses, none.
    Any(Vec<Clause>),
}

/// One way to be visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// Owned by this user.
    OwnerIs(UserId),
    /// Owned by a member of one of these teams.
    OwnerInTeams(Vec<TeamId>),
    /// A lead without owner.
    Unowned,
    /// A customer in one of these public pools.
    InPools(Vec<PoolId>),
    /// One of these customers, or what belongs to them: the actor is their collaborator.
    SharedCustomers(Vec<CustomerId>),
}

impl Clause {
    fn is_of_unowned(&self) -> bool {
        match self {
            Self::Unowned | Self::InPools(_) => true,
            Self::OwnerIs(_) | Self::OwnerInTeams(_) | Self::SharedCustomers(_) => false,
        }
    }
}

impl ScopeFilter {
    /// Whether a record that stands there passes. The same answer as the SQL gives.
    pub fn admits(&self, standing: &Standing) -> bool {
        let Self::Any(clauses) = self else { return true };
        clauses.iter().any(|clause| match (clause, standing) {
            (Clause::OwnerIs(user), Standing::Owned { owner, .. }) => user == owner,
            (Clause::OwnerInTeams(teams), Standing::Owned { team: Some(team), .. }) => teams.contains(team),
            (Clause::Unowned, Standing::Unowned) => true,
            (Clause::InPools(pools), Standing::Pooled(pool)) => pools.contains(pool),
            (Clause::SharedCustomers(shared), Standing::Owned { customer: Some(customer), .. }) => {
                shared.contains(customer)
            }
            _ => false,
        })
    }

    /// Of what passes, only what has an owner, where everything else that passes has none: a scope without the
    /// clauses about what waits for an owner. [`ScopeFilter::All`] names no owner, and stays as it is.
    #[must_use]
    pub fn of_owned(self) -> Self {
        match self {
            Self::All => Self::All,
            Self::Any(clauses) => {
                Self::Any(clauses.into_iter().filter(|clause| !clause.is_of_unowned()).collect())
            }
        }
    }

    /// Whether most of all records may pass: all, or what has no owner.
    pub fn is_broad(&self) -> bool {
        match self {
            Self::All => true,
            Self::Any(clauses) => clauses.iter().any(Clause::is_of_unowned),
        }
    }

    /// Whether nothing passes.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Any(clauses) if clauses.is_empty())
    }
}
