//! The built-in roles as section 2 of the domain design has them.

use Permission as P;

use super::*;
use crate::error::Code;
use crate::fixtures::{ADMIN, AUDITOR, DIRECTOR, FINANCE, MANAGER, MARKETING, OTHER_REP, REP, World, user};
use crate::values::{CustomerId, PoolId, TeamId, UserId};

const ROLES: [&str; 7] =
    ["sales_rep", "sales_manager", "sales_director", "finance", "marketing", "auditor", "admin"];

/// One line for each permission; the scopes in the order of [`ROLES`]. `tab` is `team_and_below`.
const TABLE: &[(Permission, &str)] = &[
    (P::LeadsRead, "own tab all -   all all all"),
    (P::LeadsReadPool, "own own all -   all all all"),
    (P::LeadsCreate, "own own all -   all -   all"),
    (P::LeadsAllowDuplicate, "-   tab all -   all -   all"),
    (P::LeadsUpdate, "own tab all -   all -   all"),
    (P::LeadsQualify, "own tab all -   all -   all"),
    (P::LeadsConvert, "own tab all -   -   -   all"),
    (P::LeadsAssign, "-   tab all -   all -   all"),
    (P::LeadsClaim, "own own all -   -   -   -"),
    (P::LeadFormsManage, "-   -   -   -   all -   all"),
    (P::CustomersRead, "own tab all all -   all all"),
    (P::CustomersCreate, "own tab all -   -   -   all"),
    (P::CustomersAllowDuplicate, "-   tab all -   -   -   all"),
    (P::CustomersUpdate, "own tab all -   -   -   all"),
    (P::CustomersApprove, "-   tab all -   -   -   -"),
    (P::CustomersMerge, "-   tab all -   -   -   all"),
    (P::CustomersRelease, "own tab all -   -   -   all"),
    (P::PoolRead, "own own all -   all all all"),
    (P::PoolClaim, "own own all -   -   -   -"),
    (P::PoolAssign, "-   tab all -   -   -   all"),
    (P::TransfersRead, "own tab all -   -   all all"),
    (P::TransfersRequest, "own tab all -   -   -   all"),
    (P::TransfersApprove, "-   tab all -   -   -   -"),
    (P::OpportunitiesRead, "own tab all all -   all all"),
    (P::OpportunitiesUpdate, "own tab all -   -   -   all"),
    (P::OpportunitiesAdvance, "own tab all -   -   -   all"),
    (P::OpportunitiesApprove, "-   tab all -   -   -   -"),
    (P::OpportunitiesReopen, "-   tab all -   -   -   -"),
    (P::ContractsRead, "own tab all all -   all all"),
    (P::ContractsDraft, "own tab all -   -   -   all"),
    (P::ContractsSubmit, "own tab all -   -   -   all"),
    (P::ContractsApprove, "-   tab all -   -   -   -"),
    (P::ContractsTerminate, "-   tab all -   -   -   -"),
    (P::InvoicesRead, "own tab all all -   all all"),
    (P::InvoicesRequest, "own tab all all -   -   -"),
    (P::InvoicesApprove, "-   tab all -   -   -   -"),
    (P::InvoicesIssue, "-   -   -   all -   -   -"),
    (P::InvoicesVoid, "-   -   -   all -   -   -"),
    (P::PaymentsRead, "own tab all all -   all all"),
    (P::PaymentsRecord, "own tab all all -   -   -"),
    (P::PaymentsConfirm, "-   -   -   all -   -   -"),
    (P::ReceiptsRead, "-   -   -   all -   all all"),
    (P::ReceiptsManage, "-   -   -   all -   -   -"),
    (P::TargetsRead, "own tab all all -   all all"),
    (P::TargetsManage, "-   tab all -   -   -   all"),
    (P::UsersRead, "-   -   -   -   -   all all"),
    (P::UsersManage, "-   -   -   -   -   -   all"),
    (P::TeamsRead, "-   -   -   -   -   all all"),
    (P::TeamsManage, "-   -   -   -   -   -   all"),
    (P::RolesRead, "-   -   -   -   -   all all"),
    (P::RolesManage, "-   -   -   -   -   -   all"),
    (P::SettingsRead, "-   -   -   -   -   all all"),
    (P::SettingsManage, "-   -   -   -   -   -   all"),
    (P::AuditRead, "-   -   -   -   -   all all"),
];

#[test]
fn built_in_roles_grant_what_the_design_says() {
    assert_eq!(BUILT_IN.iter().map(|role| role.key).collect::<Vec<_>>(), ROLES);
    let listed: Vec<Permission> = TABLE.iter().map(|(permission, _)| *permission).collect();
    assert_eq!(listed, Permission::ALL);
    for (at, role) in BUILT_IN.iter().enumerate() {
        let expected: Vec<Grant> = TABLE
            .iter()
            .filter_map(|(permission, line)| {
                let scope = match line.split_whitespace().nth(at).unwrap() {
                    "-" => return None,
                    "tab" => Scope::TeamAndBelow,
                    word => word.parse().unwrap(),
                };
                Some(Grant { permission: *permission, scope })
            })
            .collect();
        assert_eq!(role.grants(), expected, "{}", role.key);
    }
}

#[test]
fn scopes_reach_as_far_as_their_team() {
    let world = World::new();
    let reads = |who, owner: Option<u128>| world.by(who, |ctx| world.customer(owner).reveal(ctx).is_ok());
    let seen = |who| [Some(REP), Some(OTHER_REP), Some(DIRECTOR), None].map(|owner| reads(who, owner));
    assert_eq!(seen(REP), [true, false, false, true]);
    assert_eq!(seen(OTHER_REP), [false, true, false, true]);
    assert_eq!(seen(MANAGER), [true, false, false, true]);
    assert_eq!(seen(DIRECTOR), [true; 4]);
    assert_eq!(seen(FINANCE), [true; 4]);
    assert_eq!(seen(MARKETING), [false, false, false, true]);
    assert_eq!(seen(AUDITOR), [true; 4]);
}

#[test]
fn a_narrow_grant_does_not_reach_the_organisation() {
    let world = World::new();
    let manages =
        |who| world.by(who, |ctx| ctx.actor.authorize(P::UsersManage, &Standing::Organisation).is_ok());
    assert!(manages(ADMIN) && !manages(AUDITOR));
    let narrow = Actor::new(
        user(REP),
        None,
        vec![],
        [Grant { permission: P::UsersManage, scope: Scope::TeamAndBelow }],
        Places::default(),
    );
    let refusal = narrow.authorize(P::UsersManage, &Standing::Organisation).unwrap_err();
    assert_eq!((refusal.code, &refusal.figures["needed_scope"]), (Code::Forbidden, &"all".into()));
}

#[test]
fn of_what_passes_only_what_is_owned_is_left() {
    let (user, team) = (UserId::example(1), TeamId::example(1));
    let (pool, customer) = (PoolId::example(1), CustomerId::example(1));
    let standings = [
        Standing::Owned { owner: user, team: Some(team), customer: Some(customer) },
        Standing::Owned { owner: user, team: None, customer: None },
        Standing::Owned { owner: UserId::example(2), team: Some(team), customer: None },
        Standing::Owned { owner: UserId::example(2), team: None, customer: Some(customer) },
        Standing::Owned { owner: UserId::example(2), team: None, customer: None },
        Standing::Unowned,
        Standing::Pooled(pool),
        Standing::Pooled(PoolId::example(2)),
    ];
    let clauses = [
        Clause::OwnerIs(user),
        Clause::OwnerInTeams(vec![team]),
        Clause::Unowned,
        Clause::InPools(vec![pool]),
        Clause::SharedCustomers(vec![customer]),
    ];
    // Every scope that can be made of these.
    for chosen in 0..1 << clauses.len() {
        let of = clauses.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1);
        let scope = ScopeFilter::Any(of.map(|(_, clause)| clause.clone()).collect());
        let owned = scope.clone().of_owned();
        for standing in &standings {
            let is_owned = matches!(standing, Standing::Owned { .. });
            assert_eq!(owned.admits(standing), is_owned && scope.admits(standing), "{scope:?} {standing:?}");
        }
    }
}
