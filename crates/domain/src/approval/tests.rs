use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::access::{RoleKey, ScopeFilter};
use crate::contract::CollectionScheme;
use crate::fixtures::{
    ADMIN, AUDITOR, DIRECTOR, FINANCE, MANAGER, OTHER_MANAGER, OTHER_REP, REP, SECOND_FINANCE, World, cny,
    now, user,
};

const ID: ApprovalId = ApprovalId(Uuid::from_u128(1));

fn facts(kind: ApprovalSubject, owner: u128) -> SubjectFacts {
    SubjectFacts {
        kind,
        id: Uuid::from_u128(80),
        number: Number("CT-2026-000001".to_owned()),
        version: 3,
        amount: Some(cny(100)),
        owner_id: user(owner),
        beneficiary_id: None,
        customer_id: Some(CustomerId(Uuid::from_u128(70))),
        snapshot: serde_json::json!({}),
    }
}

fn asked(world: &World, by: u128) -> Result<Approval, Refusal> {
    let flow = default_flow(ApprovalSubject::Contract);
    world
        .by(by, |ctx| Approval::request(ctx, ID, &flow, facts(ApprovalSubject::Contract, REP)))
        .map(|(a, _)| a)
}

fn decide(world: &World, approval: &mut Approval, by: u128, outcome: Decision) -> Result<Progress, Code> {
    let comment = (outcome == Decision::Rejected).then(|| Prose::new("Too cheap"));
    world.by(by, |ctx| approval.decide(ctx, outcome, comment)).map(|(p, _)| p).map_err(|refusal| refusal.code)
}

use Decision::{Approved, Rejected};

#[test]
fn the_manager_and_then_finance_approve() {
    let world = World::new();
    let mut approval = asked(&world, REP).unwrap();
    assert_eq!(approval.waiting_for, Some(ApproverRule::ManagerOfOwner));
    for other in [FINANCE, OTHER_MANAGER, OTHER_REP, AUDITOR, ADMIN] {
        assert_eq!(decide(&world, &mut approval, other, Approved), Err(Code::Forbidden), "{other}");
    }
    assert_eq!(decide(&world, &mut approval, MANAGER, Approved), Ok(Progress::Next));
    assert_eq!((approval.step, approval.status), (1, ApprovalStatus::Pending));
    for other in [MANAGER, DIRECTOR, REP] {
        assert_eq!(decide(&world, &mut approval, other, Approved), Err(Code::Forbidden), "{other}");
    }
    assert_eq!(decide(&world, &mut approval, FINANCE, Approved), Ok(Progress::Approved));
    assert_eq!((approval.waiting_for.clone(), approval.decided_at), (None, Some(now())));
    let by: Vec<UserId> = approval.steps.iter().map(|step| step.decision.as_ref().unwrap().by).collect();
    assert_eq!(by, [user(MANAGER), user(FINANCE)]);
    for late in [MANAGER, DIRECTOR, FINANCE, SECOND_FINANCE] {
        assert_eq!(decide(&world, &mut approval, late, Approved), Err(Code::AlreadyDecided), "{late}");
    }
    assert_eq!(decide(&world, &mut approval, OTHER_MANAGER, Approved), Err(Code::Forbidden));
}

#[test]
fn a_rejection_says_why_and_ends_the_request() {
    let world = World::new();
    let mut approval = asked(&world, REP).unwrap();
    let silent = world.by(DIRECTOR, |ctx| approval.decide(ctx, Rejected, None)).unwrap_err();
    assert_eq!((silent.code, approval.status), (Code::CommentRequired, ApprovalStatus::Pending));
    assert_eq!(decide(&world, &mut approval, DIRECTOR, Rejected), Ok(Progress::Rejected));
    assert_eq!((approval.status, approval.step), (ApprovalStatus::Rejected, 0));
    assert_eq!(decide(&world, &mut approval, FINANCE, Approved), Err(Code::AlreadyDecided));
}

#[test]
fn whoever_asks_may_take_it_back_but_not_decide() {
    let world = World::new();
    // The manager asks for the rep: now only the director is left for the first step.
    let mut approval = asked(&world, MANAGER).unwrap();
    assert_eq!(decide(&world, &mut approval, MANAGER, Approved), Err(Code::SeparationOfDuties));
    let refused = world.by(REP, |ctx| approval.withdraw(ctx)).unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    world.by(MANAGER, |ctx| approval.withdraw(ctx)).unwrap();
    assert_eq!((approval.status, approval.waiting_for.clone()), (ApprovalStatus::Withdrawn, None));
    let again = world.by(MANAGER, |ctx| approval.withdraw(ctx)).unwrap_err();
    assert_eq!(again.code, Code::AlreadyDecided);
    assert_eq!(decide(&world, &mut approval, DIRECTOR, Approved), Err(Code::AlreadyDecided));
}

#[test]
fn a_request_that_nobody_can_decide_is_not_made() {
    let step = |users: &[(u128, Option<u128>, &[&str])]| {
        let refusal = asked(&World::of(users), REP).unwrap_err();
        assert_eq!(refusal.code, Code::NoEligibleApprover);
        refusal.figures["step"].as_str().unwrap().to_owned()
    };
    let rep: (u128, Option<u128>, &[&str]) = (REP, Some(2), &["sales_rep"]);
    let finance: (u128, Option<u128>, &[&str]) = (FINANCE, None, &["finance"]);
    // Nobody leads the rep's team; the manager elsewhere does not count.
    assert_eq!(step(&[rep, finance, (OTHER_MANAGER, Some(3), &["sales_manager"])]), "Manager");
    assert_eq!(step(&[rep, (MANAGER, Some(2), &["sales_manager"])]), "Finance");
    // One person cannot be both.
    assert_eq!(step(&[rep, (MANAGER, Some(2), &["sales_manager", "finance"])]), "Finance");
    // The owner does not count as their own manager.
    assert_eq!(step(&[(REP, Some(2), &["sales_manager"]), finance]), "Manager");
    // Two persons who can do both steps, and two of whom only one can do the first, are enough.
    let both: &[&str] = &["sales_manager", "finance"];
    assert!(asked(&World::of(&[rep, (20, Some(2), both), (21, Some(2), both)]), REP).is_ok());
    assert!(asked(&World::of(&[rep, (20, Some(2), both), (21, None, &["finance"])]), REP).is_ok());
    assert!(asked(&World::of(&[rep, (20, None, &["finance"]), (21, Some(2), both)]), REP).is_ok());
}

#[test]
fn an_owner_does_not_decide_even_as_director() {
    let world = World::new();
    let flow = default_flow(ApprovalSubject::Invoice);
    let facts = facts(ApprovalSubject::Invoice, MANAGER);
    let (mut approval, _) = world.by(FINANCE, |ctx| Approval::request(ctx, ID, &flow, facts)).unwrap();
    assert_eq!(decide(&world, &mut approval, MANAGER, Approved), Err(Code::SeparationOfDuties));
    assert_eq!(decide(&world, &mut approval, DIRECTOR, Approved), Ok(Progress::Next));
    // Finance asked for this invoice.
    assert_eq!(decide(&world, &mut approval, FINANCE, Approved), Err(Code::SeparationOfDuties));
    assert_eq!(decide(&world, &mut approval, SECOND_FINANCE, Approved), Ok(Progress::Approved));
}

#[test]
fn a_request_is_seen_by_whoever_sees_its_subject() {
    let world = World::new();
    let approval = asked(&world, REP).unwrap();
    let sees = |who| world.by(who, |ctx| approval.reveal(ctx)).is_ok();
    assert!([REP, MANAGER, DIRECTOR, FINANCE, AUDITOR, ADMIN].into_iter().all(sees));
    assert!(![OTHER_REP, OTHER_MANAGER].into_iter().any(sees));
}

#[test]
fn a_decision_binds_to_the_reviewed_version() {
    let world = World::new();
    let approval = asked(&world, REP).unwrap();
    assert!(approval.check_version(3).is_ok());
    assert_eq!(approval.check_version(4).unwrap_err().code, Code::StaleApproval);
}

#[test]
fn facts_are_taken_from_the_record() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100, 200]);
    let of = SubjectFacts::of_contract(&contract).unwrap();
    assert_eq!((of.kind, of.amount, of.owner_id), (ApprovalSubject::Contract, Some(cny(300)), user(REP)));
    assert_eq!(of.snapshot["amount"]["amount"], "3.00");
    let invoice = world.invoice(&mut contract, 1, 50, false);
    let of = SubjectFacts::of_invoice(&invoice).unwrap();
    assert_eq!((of.kind, of.amount, of.version), (ApprovalSubject::Invoice, Some(cny(50)), 1));
}

#[test]
fn rules_have_one_text() {
    let (a, b) = (user(1), user(2));
    for rule in [
        ApproverRule::ManagerOfOwner,
        ApproverRule::Role(RoleKey("finance".to_owned())),
        ApproverRule::Users(vec![a]),
        ApproverRule::Users(vec![a, b]),
    ] {
        assert_eq!(rule.to_string().parse::<ApproverRule>().unwrap(), rule);
    }
    let many = ApproverRule::Users(vec![a; ApproverRule::MAX_USERS + 1]).to_string();
    for text in ["", "manager", "role:", "role:Finance", "users:", "users:x", &format!("users:{a},"), &many] {
        assert!(text.parse::<ApproverRule>().is_err(), "{text}");
    }
}

#[test]
fn the_inbox_is_data() {
    let world = World::new();
    let of = |who| world.by(who, |ctx| inbox(ctx.actor));
    let finance = of(FINANCE);
    let texts: Vec<&str> = finance.clauses.iter().map(|clause| clause.waiting_for.as_str()).collect();
    assert_eq!(texts, ["role:finance"; 3]);
    assert!(finance.clauses.iter().all(|clause| clause.scope == ScopeFilter::All));
    assert!(of(MANAGER).clauses.iter().any(|clause| clause.waiting_for == "manager_of_owner"));
    assert!(of(REP).clauses.iter().all(|clause| clause.waiting_for == "role:sales_rep"));
    assert_eq!(finance.named_pattern(), format!("users:%{}%", user(FINANCE)));
}

// Random organisations, flows and deciders.

#[derive(Debug, Clone)]
struct Setting {
    users: Vec<(u128, Option<u128>, Vec<&'static str>)>,
    subject: ApprovalSubject,
    rules: Vec<ApproverRule>,
    owner: u128,
    requester: u128,
    attempts: Vec<(u128, bool)>,
}

fn setting() -> impl Strategy<Value = Setting> {
    let any_role =
        || proptest::sample::select(vec!["sales_rep", "sales_manager", "sales_director", "finance", "admin"]);
    let person = (proptest::option::of(1..=3_u128), proptest::collection::btree_set(any_role(), 1..=2));
    let rule = prop_oneof![
        Just(ApproverRule::ManagerOfOwner),
        any_role().prop_map(|role| ApproverRule::Role(RoleKey(role.to_owned()))),
        proptest::collection::btree_set(1..=6_u128, 1..=3)
            .prop_map(|ids| ApproverRule::Users(ids.into_iter().map(user).collect())),
    ];
    proptest::collection::vec(person, 2..=6).prop_flat_map(move |people| {
        let last = people.len() as u128;
        let users: Vec<_> = people
            .into_iter()
            .zip(1..)
            .map(|((team, roles), id)| (id, team, roles.into_iter().collect()))
            .collect();
        (
            Just(users),
            proptest::sample::select(ApprovalSubject::ALL),
            proptest::collection::vec(rule.clone(), 1..=3),
            1..=last,
            1..=last,
            proptest::collection::vec((1..=last, proptest::bool::weighted(0.9)), 0..30),
        )
            .prop_map(|(users, subject, rules, owner, requester, attempts)| Setting {
                users,
                subject,
                rules,
                owner,
                requester,
                attempts,
            })
    })
}

/// Who may decide a step, said again in other words.
fn named(world: &World, setting: &Setting, who: u128, rule: &ApproverRule) -> bool {
    let owner = Some(user(setting.owner));
    let reads = world.by(who, |ctx| ctx.authorize(setting.subject.read(), owner)).is_ok();
    let named = match rule {
        ApproverRule::ManagerOfOwner => {
            world.by(who, |ctx| ctx.authorize(setting.subject.approve(), owner)).is_ok()
        }
        ApproverRule::Role(key) => {
            setting.users.iter().any(|(id, _, roles)| *id == who && roles.contains(&key.as_str()))
        }
        ApproverRule::Users(users) => users.contains(&user(who)),
    };
    reads && named && who != setting.owner && who != setting.requester
}

/// Whether different persons can be found for the rules, by trying everything.
fn assignable(world: &World, setting: &Setting, rules: &[ApproverRule], used: &mut Vec<u128>) -> bool {
    let Some((rule, rest)) = rules.split_first() else { return true };
    (1..=setting.users.len() as u128).any(|who| {
        if used.contains(&who) || !named(world, setting, who, rule) {
            return false;
        }
        used.push(who);
        let found = assignable(world, setting, rest, used);
        used.pop();
        found
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A request is made exactly when different persons can decide it; a decision is taken exactly from
    /// those for whom it waits; and it is approved only when each step was approved, in order, by
    /// different persons whom it named, none of whom asked for it or owns the subject.
    #[test]
    fn approvals_need_distinct_eligible_persons_in_order(setting in setting()) {
        let users: Vec<(u128, Option<u128>, &[&str])> =
            setting.users.iter().map(|(id, team, roles)| (*id, *team, roles.as_slice())).collect();
        let world = World::of(&users);
        let steps = setting.rules.iter().map(|rule| FlowStep { name: Line::new("Step"), rule: rule.clone() });
        let flow = Flow { subject: setting.subject, version: 1, steps: steps.collect() };
        let facts = facts(setting.subject, setting.owner);
        let made = world.by(setting.requester, |ctx| Approval::request(ctx, ID, &flow, facts));
        prop_assert_eq!(made.is_ok(), assignable(&world, &setting, &setting.rules, &mut Vec::new()));
        let Ok((mut approval, _)) = made else { return Ok(()) };

        for (who, approves) in &setting.attempts {
            let before = approval.clone();
            let earlier: Vec<UserId> =
                approval.steps.iter().filter_map(|step| Some(step.decision.as_ref()?.by)).collect();
            let waits = approval.status == ApprovalStatus::Pending
                && named(&world, &setting, *who, &setting.rules[approval.present()])
                && !earlier.contains(&user(*who));
            let standing = world.0.standing(Some(approval.owner_id));
            prop_assert_eq!(world.by(*who, |ctx| inbox(ctx.actor).admits(&approval, &standing)), waits);
            let offered = world.by(*who, |ctx| approval.allowed_actions(ctx));
            prop_assert_eq!(offered[0].allowed && offered[1].allowed, waits);
            let answer = decide(&world, &mut approval, *who, if *approves { Approved } else { Rejected });
            prop_assert_eq!(answer.is_ok(), waits, "{:?}", answer);
            if answer.is_err() {
                prop_assert_eq!(&approval, &before);
            }
        }
        let decisions: Vec<&StepDecision> =
            approval.steps.iter().filter_map(|step| step.decision.as_ref()).collect();
        let agreed = decisions.iter().filter(|decision| decision.outcome == Approved).count();
        match approval.status {
            ApprovalStatus::Approved => prop_assert_eq!(agreed, approval.steps.len()),
            ApprovalStatus::Rejected => prop_assert_eq!(agreed + 1, decisions.len()),
            _ => prop_assert!(agreed == decisions.len() && agreed < approval.steps.len()),
        }
        for (at, decision) in decisions.iter().enumerate() {
            let who = decision.by.0.as_u128();
            prop_assert!(named(&world, &setting, who, &setting.rules[at]));
            prop_assert!(decisions[..at].iter().all(|other| other.by != decision.by));
        }
        prop_assert_eq!(approval.waiting_for.is_some(), approval.status == ApprovalStatus::Pending);
    }
}
