use uuid::Uuid;

use super::*;
use crate::dependents::Dependents;
use crate::fixtures::{ADMIN, AUDITOR, REP, World, now, user};
use crate::record::RecordKind;
use crate::values::RoleId;
use crate::workflow::AllowedAction;

fn reason(offers: &[AllowedAction], action: &str) -> Option<Code> {
    offers.iter().find(|offer| offer.action == action).unwrap().reason
}

#[test]
fn the_last_administrator_is_neither_disabled_nor_offered_for_it() {
    let one = World::new();
    let two = World::of(&[(ADMIN, None, &["admin"]), (AUDITOR, None, &["auditor", "admin"])]);
    for (world, whom, who, code) in [
        (&one, ADMIN, ADMIN, Some(Code::LastAdministrator)),
        (&one, REP, ADMIN, None),
        (&one, ADMIN, REP, Some(Code::Forbidden)),
        (&two, ADMIN, ADMIN, None),
    ] {
        let record = world.0.user(user(whom)).unwrap();
        assert_eq!(reason(&world.by(who, |ctx| record.allowed_actions(ctx)), "disable"), code);
        let disabled = world.by(who, |ctx| record.may_disable(ctx));
        assert_eq!(disabled.err().map(|refusal| refusal.code), code);
    }
    let gone = User { status: UserStatus::Disabled, ..one.0.user(user(ADMIN)).unwrap().clone() };
    let offers = one.by(ADMIN, |ctx| gone.allowed_actions(ctx));
    assert_eq!(reason(&offers, "disable"), Some(Code::InvalidTransition));
    assert_eq!(reason(&offers, "enable"), None);
}

#[test]
fn a_role_that_somebody_has_is_not_offered_for_deletion() {
    let role = |key: &str, built_in| Role {
        id: RoleId(Uuid::from_u128(9)),
        details: RoleDetails {
            key: RoleKey(key.to_owned()),
            name: Line::new(key),
            description: None,
            grants: Vec::new(),
        },
        built_in,
        version: 1,
        created_at: now(),
        updated_at: now(),
    };
    let world = World::new();
    for (role, who, update, delete) in [
        (role("nobodys", false), ADMIN, None, None),
        (role("sales_rep", false), ADMIN, None, Some(Code::InUse)),
        (role("sales_rep", true), ADMIN, Some(Code::BuiltInRole), Some(Code::BuiltInRole)),
        (role("nobodys", false), REP, Some(Code::Forbidden), Some(Code::Forbidden)),
    ] {
        let offers = world.by(who, |ctx| role.allowed_actions(ctx, &[]));
        assert_eq!((reason(&offers, "update"), reason(&offers, "delete")), (update, delete));
    }
}

#[test]
fn what_depends_on_a_team_or_a_pool_keeps_it() {
    let world = World::new();
    let mut pool = Pool::first(PoolId(Uuid::from_u128(61)), now());
    pool.details.is_default = false;
    let one = |kind| [(kind, 1)].into_iter().collect::<Dependents>();
    let (users, customers) = (one(RecordKind::User), one(RecordKind::Customer));
    let none = Dependents::default();
    for (users, customers, who, code) in [
        (&none, &none, ADMIN, None),
        (&users, &customers, ADMIN, Some(Code::InUse)),
        (&users, &customers, REP, Some(Code::Forbidden)),
    ] {
        let offers = world.by(who, |ctx| Team::allowed_actions(ctx, users));
        assert_eq!(reason(&offers, "delete"), code);
        let offers = world.by(who, |ctx| pool.allowed_actions(ctx, customers));
        assert_eq!(reason(&offers, "delete"), code);
    }
    let refusal = world.by(ADMIN, |ctx| Team::may_delete(ctx, &users)).unwrap_err();
    assert_eq!(refusal.figures["dependents"][0]["record_kind"], "user");
    let refusal = world.by(ADMIN, |ctx| pool.may_delete(ctx, &customers)).unwrap_err();
    assert_eq!(refusal.figures["dependents"][0]["record_kind"], "customer");
}
