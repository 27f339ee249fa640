use std::collections::{BTreeMap, BTreeSet};

use super::{Clause, Grant, Permission, RoleKey, Scope, ScopeFilter, Share, Standing, Unowned};
use crate::error::{Code, Refusal};
use crate::values::{CustomerId, PoolId, TeamId, UserId};

/// Somebody who acts, with everything that access depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Actor {
    /// The user.
    pub id: UserId,
    /// The user's team.
    pub team: Option<TeamId>,
    /// The user's roles.
    pub roles: Vec<RoleKey>,
    grants: BTreeMap<Permission, Scope>,
    places: Places,
}

/// Where an actor may go besides their own records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Places {
    /// The user's team and every team below it.
    pub reach: BTreeSet<TeamId>,
    /// The public pools whose member the user is.
    pub pools: Vec<PoolId>,
    /// Those from which the user may assign.
    pub assignable_pools: Vec<PoolId>,
    /// The customers of others that are shared with the user.
    pub shared: BTreeMap<CustomerId, Share>,
}

impl Actor {
    /// Of several grants of one permission the widest counts.
    pub fn new(
        id: UserId,
        team: Option<TeamId>,
        roles: Vec<RoleKey>,
        grants: impl IntoIterator<Item = Grant>,
        places: Places,
    ) -> Self {
        let mut widest: BTreeMap<Permission, Scope> = BTreeMap::new();
        for grant in grants {
            let scope = widest.entry(grant.permission).or_insert(grant.scope);
            *scope = (*scope).max(grant.scope);
        }
        Self { id, team, roles, grants: widest, places }
    }

    /// Fairlead itself: it follows rules and holds no permission.
    pub fn system() -> Self {
        Self::new(UserId(uuid::Uuid::nil()), None, Vec::new(), [], Places::default())
    }

    /// The permissions and their reach, as `/me` shows them.
    pub fn grants(&self) -> impl Iterator<Item = Grant> + '_ {
        self.grants.iter().map(|(permission, scope)| Grant { permission: *permission, scope: *scope })
    }

    /// Whether the actor holds a permission at all, whatever its reach.
    pub fn holds(&self, permission: Permission) -> bool {
        self.grants.contains_key(&permission)
    }

    /// The first door: may this actor do this to a record that stands there?
    pub fn authorize(&self, permission: Permission, standing: &Standing) -> Result<(), Refusal> {
        if self.visible_scope(permission).admits(standing) {
            return Ok(());
        }
        let needed = self.narrowest(standing);
        Err(Refusal::new(Code::Forbidden, format!("this takes {permission} with scope {needed}"))
            .with("permission", permission)
            .with("needed_scope", needed))
    }

    /// For creating: the actor must hold the permission; what is created will stand with the actor.
    pub fn authorize_own(&self, permission: Permission) -> Result<(), Refusal> {
        self.authorize(permission, &Standing::Owned { owner: self.id, team: self.team, customer: None })
    }

    /// The second door: which records of a kind does this permission show?
    pub fn visible_scope(&self, permission: Permission) -> ScopeFilter {
        let scope = self.grants.get(&permission);
        let mut clauses = Vec::new();
        match scope {
            Some(Scope::All) => return ScopeFilter::All,
            Some(Scope::TeamAndBelow) if !self.places.reach.is_empty() => {
                clauses.push(Clause::OwnerInTeams(self.places.reach.iter().copied().collect()));
            }
            Some(Scope::Team) if self.team.is_some() => {
                clauses.push(Clause::OwnerInTeams(self.team.into_iter().collect()));
            }
            _ => {}
        }
        if scope.is_some() && clauses.is_empty() {
            clauses.push(Clause::OwnerIs(self.id));
        }
        let pools = |pools: &[PoolId]| (!pools.is_empty()).then(|| Clause::InPools(pools.to_vec()));
        clauses.extend(match permission.over_pool() {
            Some(Unowned::Leads(over)) if self.holds(over) => Some(Clause::Unowned),
            Some(Unowned::Customers(over)) if self.holds(over) => pools(&self.places.pools),
            Some(Unowned::Assignable) if scope.is_some() => pools(&self.places.assignable_pools),
            _ => None,
        });
        if let (true, Some(wanted)) = (scope.is_some(), permission.shared_by()) {
            let shared = self.places.shared.iter().filter(|(_, share)| **share >= wanted);
            let shared: Vec<CustomerId> = shared.map(|(customer, _)| *customer).collect();
            clauses.extend((!shared.is_empty()).then_some(Clause::SharedCustomers(shared)));
        }
        ScopeFilter::Any(clauses)
    }

    fn narrowest(&self, standing: &Standing) -> Scope {
        match standing {
            Standing::Owned { owner, .. } if *owner == self.id => Scope::Own,
            Standing::Owned { team: Some(team), .. } if Some(*team) == self.team => Scope::Team,
            Standing::Owned { team: Some(team), .. } if self.places.reach.contains(team) => {
                Scope::TeamAndBelow
            }
            _ => Scope::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn standing() -> impl Strategy<Value = Standing> {
        prop_oneof![
            Just(Standing::Unowned),
            (0u128..4, proptest::option::of(0u128..4)).prop_map(|(owner, team)| Standing::Owned {
                owner: UserId(Uuid::from_u128(owner)),
                team: team.map(|team| TeamId(Uuid::from_u128(team))),
                customer: None,
            }),
        ]
    }

    fn actor(permission: Permission, scope: Scope) -> Actor {
        let (own, below) = (TeamId(Uuid::from_u128(1)), TeamId(Uuid::from_u128(2)));
        let grant = Grant { permission, scope };
        let places = Places { reach: BTreeSet::from([own, below]), ..Places::default() };
        Actor::new(UserId(Uuid::from_u128(1)), Some(own), vec![], [grant], places)
    }

    proptest! {
        /// A wider scope never shows less. (A user's own records are in their own team.)
        #[test]
        fn scopes_include_each_other(standing in standing(), permission in 0..Permission::ALL.len()) {
            let permission = Permission::ALL[permission];
            let standing = match standing {
                Standing::Owned { owner, .. } if owner.0.as_u128() == 1 =>
                    Standing::Owned { owner, team: Some(TeamId(Uuid::from_u128(1))), customer: None },
                other => other,
            };
            let admitted: Vec<bool> = Scope::ALL
                .iter()
                .map(|scope| actor(permission, *scope).authorize(permission, &standing).is_ok())
                .collect();
            prop_assert!(admitted.windows(2).all(|pair| !pair[0] || pair[1]), "{admitted:?}");
            prop_assert!(admitted[3]);
        }
    }

    #[test]
    fn nothing_is_granted_by_silence() {
        let nobody = Actor::new(UserId(Uuid::from_u128(1)), None, vec![], [], Places::default());
        for permission in Permission::ALL {
            assert!(nobody.visible_scope(*permission).is_nothing());
            assert_eq!(nobody.authorize_own(*permission).unwrap_err().code, Code::Forbidden);
        }
    }
}
