use std::collections::BTreeSet;

use iso_currency::Currency;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::access::{Actor, RoleKey, ScopeFilter};
use crate::context::Event;
use crate::contract::CollectionScheme;
use crate::customer::Grade;
use crate::fixtures::{
    ADMIN, AUDITOR, DIRECTOR, Everybody, FINANCE, MANAGER, MARKETING, OTHER_MANAGER, OTHER_REP, REP,
    SECOND_FINANCE, World, cny, delegation, flow, now, user,
};
use crate::valid::Valid;
use crate::values::Rate;

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
        discount: None,
        customer_grades: Vec::new(),
        collection_scheme: None,
        snapshot: serde_json::json!({}),
    }
}

fn asked(world: &World, by: u128) -> Result<Approval, Refusal> {
    let flow = flow(ApprovalSubject::Contract);
    world
        .by(by, |ctx| Approval::request(ctx, ID, &flow, facts(ApprovalSubject::Contract, REP)))
        .map(|(a, _)| a)
}

fn decide(world: &World, approval: &mut Approval, by: u128, outcome: Decision) -> Result<Progress, Code> {
    let comment = (outcome == Decision::Rejected).then(|| Prose::new("Too cheap"));
    world
        .by(by, |ctx| approval.decide(ctx, outcome, comment))
        .map(|(p, ..)| p)
        .map_err(|refusal| refusal.code)
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
    let by: Vec<UserId> = approval.steps.iter().map(|step| step.decisions[0].by).collect();
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
fn whoever_else_may_takes_it_back_when_the_asker_is_gone() {
    let approval = asked(&World::new(), REP).unwrap();
    let take_back = |world: &World, by| {
        let mut approval = approval.clone();
        world.by(by, |ctx| approval.withdraw(ctx)).map(|_| ()).map_err(|refusal| refusal.code)
    };
    let with = |roles: &'static [&'static str]| {
        let others = Everybody::EACH.iter().copied().filter(|(id, ..)| *id != REP);
        World::of(&others.chain([(REP, Some(2), roles)]).collect::<Vec<_>>())
    };
    for (world, may) in [(World::new(), false), (with(&[]), true), (with(&["auditor"]), true)] {
        for by in [MANAGER, DIRECTOR, ADMIN] {
            let wanted = if may { Ok(()) } else { Err(Code::Forbidden) };
            assert_eq!(take_back(&world, by), wanted);
        }
        for by in [OTHER_REP, OTHER_MANAGER, FINANCE, AUDITOR] {
            assert_eq!(take_back(&world, by), Err(Code::Forbidden));
        }
    }
    assert_eq!(take_back(&World::new(), REP), Ok(()));
    assert_eq!(take_back(&with(&["auditor"]), REP), Err(Code::Forbidden));
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
    let flow = flow(ApprovalSubject::Invoice);
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
fn what_would_be_refused_is_not_offered() {
    let world = World::new();
    let reasons = |approval: &Approval, who, ties: &ApprovalTies| {
        let offers = world.by(who, |ctx| approval.allowed_actions(ctx, ties));
        let reason = |action: &str| offers.iter().find(|it| it.action == action).unwrap().reason;
        [reason("approve"), reason("reject")]
    };
    let leads_to = |approval: &Approval, who| world.by(who, |ctx| approval.would_lead_to(ctx));
    let mut approval = asked(&world, REP).unwrap();
    let version = |version| ApprovalTies { subject_version: Some(version), obstacle: None };
    let stale = Some(Code::StaleApproval);
    assert_eq!(reasons(&approval, MANAGER, &version(3)), [None, None]);
    assert_eq!(reasons(&approval, MANAGER, &version(4)), [stale, stale], "as `check_version` has it");
    // Whoever may not decide is told that first.
    let forbidden = Some(Code::Forbidden);
    assert_eq!(reasons(&approval, FINANCE, &version(4)), [forbidden, forbidden]);
    // What its subject refuses counts for agreeing alone.
    let obstacle = Some(Refusal::new(Code::TransferObstructed, "they cannot go"));
    let obstructed = ApprovalTies { obstacle, ..version(3) };
    assert_eq!(reasons(&approval, MANAGER, &obstructed), [Some(Code::TransferObstructed), None]);
    // What agreeing would lead to is what it leads to.
    assert_eq!((leads_to(&approval, MANAGER), leads_to(&approval, FINANCE)), (Some(Progress::Next), None));
    assert_eq!(decide(&world, &mut approval, MANAGER, Approved), Ok(Progress::Next));
    assert_eq!(leads_to(&approval, FINANCE), Some(Progress::Approved));
    assert_eq!(decide(&world, &mut approval, FINANCE, Approved), Ok(Progress::Approved));
    assert_eq!(leads_to(&approval, SECOND_FINANCE), None);
}

#[test]
fn facts_are_taken_from_the_record() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100, 200]);
    let mut customer = world.customer(Some(REP));
    customer.details.grade = Some(Grade::A);
    let of = SubjectFacts::of_contract(
        &contract,
        &customer,
        &crate::catalogue::PriceBook { on: chrono::NaiveDate::MIN, lists: Vec::new(), kept: false },
    )
    .unwrap();
    assert_eq!(
        (of.customer_grades, of.collection_scheme),
        (vec![Grade::A], Some(CollectionScheme::ByInvoice))
    );
    assert_eq!((of.kind, of.amount, of.owner_id), (ApprovalSubject::Contract, Some(cny(300)), user(REP)));
    assert_eq!(of.snapshot["amount"]["amount"], "3.00");
    let invoice = world.invoice(&mut contract, 1, 50, false);
    let of = SubjectFacts::of_invoice(&invoice, &contract, &customer).unwrap();
    assert_eq!((of.kind, of.amount, of.version), (ApprovalSubject::Invoice, Some(cny(50)), 1));
}

#[test]
fn rules_have_one_text() {
    let (a, b) = (user(1), user(2));
    for rule in [
        ApproverRule::ManagerOfOwner,
        ApproverRule::LevelsUp(1),
        ApproverRule::LevelsUp(9),
        ApproverRule::Role(RoleKey("finance".to_owned())),
        ApproverRule::Users(vec![a]),
        ApproverRule::Users(vec![a, b]),
    ] {
        assert_eq!(rule.to_string().parse::<ApproverRule>().unwrap(), rule);
    }
    let many = ApproverRule::Users(vec![a; ApproverRule::MAX_USERS + 1]).to_string();
    for text in ["levels_up:", "levels_up:0", "levels_up:10", "levels_up:01", "levels_up:+1", "levels_up:x"] {
        assert!(text.parse::<ApproverRule>().is_err(), "{text}");
    }
    for text in ["", "manager", "role:", "role:Finance", "users:", "users:x", &format!("users:{a},"), &many] {
        assert!(text.parse::<ApproverRule>().is_err(), "{text}");
    }
}

#[test]
fn the_inbox_is_data() {
    let world = World::with(
        &[
            (REP, Some(2), &["sales_rep"]),
            (MANAGER, Some(2), &["sales_manager"]),
            (DIRECTOR, Some(1), &["sales_director"]),
            (FINANCE, None, &["finance"]),
        ],
        vec![delegation(FINANCE, REP)],
    );
    let of = |who| world.by(who, inboxes);
    let finance = of(FINANCE).remove(0);
    let texts: Vec<&str> = finance.clauses.iter().map(|clause| clause.waiting_for.as_str()).collect();
    assert_eq!(texts, vec!["role:finance"; ApprovalSubject::ALL.len()]);
    assert!(finance.clauses.iter().all(|clause| clause.scopes == [ScopeFilter::All]));
    assert_eq!(finance.named_pattern(), format!("users:%{}%", user(FINANCE)));
    let texts = |who| of(who)[0].clauses.iter().map(|it| it.waiting_for.clone()).collect::<BTreeSet<_>>();
    assert!(texts(MANAGER).contains("manager_of_owner") && !texts(MANAGER).contains("levels_up:1"));
    assert!(texts(DIRECTOR).contains("levels_up:1"));
    assert_eq!(texts(REP), BTreeSet::from(["role:sales_rep".to_owned()]));
    let delegated = of(REP).remove(1);
    assert_eq!((delegated.name, delegated.persons), (user(FINANCE), vec![user(REP), user(FINANCE)]));
    assert_eq!(delegated.clauses, finance.clauses);
}

/// A flow of these steps, saved by an administrator.
fn saved(world: &World, steps: Vec<FlowStep>) -> Result<ApprovalFlow, Refusal> {
    let mut flow = flow(ApprovalSubject::Contract);
    let form = Valid::check(FlowDetails { enabled: true, customer_grades: Vec::new(), steps })?;
    world.by(ADMIN, |ctx| flow.edit(ctx, form)).map(|_| flow)
}

fn users(ids: &[u128]) -> ApproverRule {
    ApproverRule::Users(ids.iter().copied().map(user).collect())
}

fn role(key: &str) -> ApproverRule {
    ApproverRule::Role(RoleKey(key.to_owned()))
}

#[test]
fn a_flow_that_nobody_could_decide_is_not_saved() {
    let world = World::new();
    let manager = || FlowStep::new("Manager", ApproverRule::ManagerOfOwner);
    let only_large = FlowStep {
        condition: Some(StepCondition { amount_from: Some(cny(100)), ..StepCondition::default() }),
        ..manager()
    };
    let no_condition = FlowStep { condition: Some(StepCondition::default()), ..manager() };
    assert!(saved(&world, vec![manager(), FlowStep::new("Up", ApproverRule::LevelsUp(2))]).is_ok());
    assert!(saved(&world, vec![no_condition, only_large.clone()]).is_ok());
    for (steps, code, pointer) in [
        (vec![], "length", "/steps"),
        (vec![only_large], "no_step_for_the_rest", "/steps"),
        (vec![manager(), FlowStep::new("X", role("nobody"))], "unknown_reference", "/steps/1/rule"),
        (vec![FlowStep::new("X", users(&[FINANCE, 99]))], "unknown_reference", "/steps/0/rule"),
        (vec![FlowStep::new("X", users(&[FINANCE, FINANCE]))], "distinct", "/steps/0/rule"),
        // Marketing sees no contracts.
        (vec![FlowStep::new("X", role("marketing"))], "nobody_decides", "/steps/0/rule"),
        (vec![FlowStep::new("X", users(&[MARKETING]))], "nobody_decides", "/steps/0/rule"),
        // Two steps need two persons.
        (
            vec![FlowStep::new("X", users(&[FINANCE])), FlowStep::new("Y", users(&[FINANCE]))],
            "nobody_decides",
            "/steps/1/rule",
        ),
    ] {
        let refusal = saved(&world, steps).unwrap_err();
        let error = &refusal.errors[0];
        assert_eq!((error.code.as_str(), error.pointer.as_str()), (code, pointer), "{refusal:?}");
    }
    let mut flow = flow(ApprovalSubject::Contract);
    let off = Valid::check(FlowDetails { enabled: false, ..flow.details.clone() }).unwrap();
    let refusal = world.by(ADMIN, |ctx| flow.edit(ctx, off.clone())).unwrap_err();
    assert_eq!(refusal.errors[0].pointer, "/enabled");
    assert_eq!(world.by(DIRECTOR, |ctx| flow.edit(ctx, off)).unwrap_err().code, Code::Forbidden);
}

#[test]
fn a_step_is_wanted_when_its_condition_holds() {
    let condition = |change: fn(&mut StepCondition)| {
        let mut condition = StepCondition::default();
        change(&mut condition);
        FlowStep { condition: Some(condition), ..FlowStep::new("X", ApproverRule::ManagerOfOwner) }
    };
    let wanted = |step: &FlowStep, change: fn(&mut SubjectFacts)| {
        let mut facts = facts(ApprovalSubject::Contract, REP);
        change(&mut facts);
        step.is_wanted(&facts)
    };
    let world = World::new();
    let large = condition(|it| it.amount_from = Some(cny(100)));
    assert!(wanted(&large, |it| it.amount = Some(cny(100))));
    assert!(!wanted(&large, |it| it.amount = Some(cny(99))));
    assert!(wanted(&large, |it| it.amount = Some(Money::from_minor(1, Currency::USD))));
    assert!(wanted(&large, |it| it.amount = None));
    let cheap = condition(|it| it.discount_from = Rate::from_basis_points(1000));
    assert!(wanted(&cheap, |it| it.discount = Rate::from_basis_points(1000)));
    assert!(!wanted(&cheap, |it| it.discount = Rate::from_basis_points(999)));
    assert!(wanted(&cheap, |it| it.discount = None));
    let graded = condition(|it| it.customer_grades = vec![Grade::A, Grade::B]);
    assert!(wanted(&graded, |it| it.customer_grades = vec![Grade::D, Grade::B]));
    assert!(!wanted(&graded, |it| it.customer_grades = vec![Grade::C]));
    let scheme = condition(|it| it.collection_schemes = vec![CollectionScheme::ByContract]);
    assert!(wanted(&scheme, |it| it.collection_scheme = Some(CollectionScheme::ByContract)));
    assert!(!wanted(&scheme, |_| {}));
    let both = condition(|it| {
        it.amount_from = Some(cny(100));
        it.customer_grades = vec![Grade::A];
    });
    assert!(!wanted(&both, |_| {}));

    // No condition asks for what its subject does not have.
    let none = [ApprovalSubject::Transfer, ApprovalSubject::CustomerChange];
    for (step, member, of) in [
        (&large, "amount_from", none.as_slice()),
        (&cheap, "discount_from", &[none[0], none[1], ApprovalSubject::Invoice]),
        (&scheme, "collection_schemes", &[none[0], none[1], ApprovalSubject::StageGate]),
        (&graded, "customer_grades", &[]),
    ] {
        for kind in ApprovalSubject::ALL {
            let mut flow = ApprovalFlow::first(crate::values::FlowId(uuid::Uuid::nil()), *kind, now());
            let mut form = flow.details.clone();
            form.steps.push(step.clone());
            if *kind == ApprovalSubject::CustomerChange {
                form.customer_grades = vec![Grade::A];
            }
            let form = crate::valid::Valid::check(form).unwrap();
            let saved = world.by(ADMIN, |ctx| flow.edit(ctx, form));
            let pointer = saved.err().map(|refusal| refusal.errors[0].pointer.clone());
            let wanted =
                of.contains(kind).then(|| format!("/steps/{}/condition/{member}", flow.details.steps.len()));
            assert_eq!(pointer, wanted, "{kind} {member}");
        }
    }

    // What is not wanted is not in the request; the version is noted.
    let mut flow =
        saved(&world, vec![FlowStep::new("Manager", ApproverRule::ManagerOfOwner), graded]).unwrap();
    flow.version = 7;
    let ask = |facts| world.by(REP, |ctx| Approval::request(ctx, ID, &flow, facts)).unwrap().0;
    let plain = ask(facts(ApprovalSubject::Contract, REP));
    assert_eq!((plain.steps.len(), plain.flow_version), (1, 7));
    let facts = SubjectFacts { customer_grades: vec![Grade::A], ..facts(ApprovalSubject::Contract, REP) };
    assert_eq!(ask(facts).steps.len(), 2);
}

#[test]
fn each_of_several_agrees() {
    let world = World::new();
    let both = FlowStep { mode: StepMode::All, ..FlowStep::new("Finance", role("finance")) };
    let flow = saved(&world, vec![both, FlowStep::new("Manager", ApproverRule::ManagerOfOwner)]).unwrap();
    let ask = || {
        let facts = facts(ApprovalSubject::Contract, REP);
        world.by(REP, |ctx| Approval::request(ctx, ID, &flow, facts)).unwrap().0
    };
    let mut approval = ask();
    assert_eq!(decide(&world, &mut approval, FINANCE, Approved), Ok(Progress::Next));
    assert_eq!(approval.step, 0, "it waits for the other one");
    assert_eq!(approval.approvers(&world.0), [user(SECOND_FINANCE)]);
    assert_eq!(decide(&world, &mut approval, FINANCE, Approved), Err(Code::SeparationOfDuties));
    assert_eq!(decide(&world, &mut approval, SECOND_FINANCE, Approved), Ok(Progress::Next));
    assert_eq!(approval.step, 1);
    assert_eq!(decide(&world, &mut approval, MANAGER, Approved), Ok(Progress::Approved));
    let mut approval = ask();
    decide(&world, &mut approval, FINANCE, Approved).unwrap();
    assert_eq!(decide(&world, &mut approval, SECOND_FINANCE, Rejected), Ok(Progress::Rejected));

    // One who leaves is not waited for, once another one agreed.
    let without = |gone: &[u128]| {
        let there = Everybody::EACH.iter().filter(|(id, ..)| !gone.contains(id));
        World::of(&there.copied().collect::<Vec<_>>())
    };
    let smaller = without(&[SECOND_FINANCE]);
    let mut nobody_yet = ask();
    assert!(
        !nobody_yet.is_through(&smaller.0) && !nobody_yet.is_through(&without(&[FINANCE, SECOND_FINANCE]).0)
    );
    let mut approval = ask();
    decide(&world, &mut approval, FINANCE, Approved).unwrap();
    assert!(!approval.is_through(&world.0));
    assert_eq!(world.by(ADMIN, |ctx| approval.go_on(ctx)).unwrap(), None);
    assert!(approval.is_through(&smaller.0));
    let gone_on = smaller.by(ADMIN, |ctx| approval.go_on(ctx)).unwrap();
    assert_eq!(gone_on, Some((Progress::Next, Event("approval.step_approved"))));
    assert_eq!((approval.step, approval.status), (1, ApprovalStatus::Pending));
    assert_eq!(smaller.by(ADMIN, |ctx| nobody_yet.go_on(ctx)).unwrap(), None);
}

#[test]
fn a_delegate_decides_but_not_what_neither_of_both_may() {
    let everybody: &[(u128, Option<u128>, &[&str])] = &[
        (REP, Some(2), &["sales_rep"]),
        (MANAGER, Some(2), &["sales_manager"]),
        (DIRECTOR, Some(1), &["sales_director"]),
        (FINANCE, None, &["finance"]),
        (SECOND_FINANCE, None, &["finance"]),
        (MARKETING, Some(1), &["marketing"]),
        (OTHER_REP, Some(3), &["sales_rep"]),
    ];
    let world = World::with(everybody, vec![delegation(MANAGER, MARKETING), delegation(FINANCE, MARKETING)]);
    let mut approval = asked(&world, REP).unwrap();
    // Marketing sees no contracts but those that wait for the manager.
    assert!(world.by(MARKETING, |ctx| approval.reveal(ctx)).is_ok());
    assert!(world.by(OTHER_REP, |ctx| approval.reveal(ctx)).is_err());
    assert_eq!(approval.deciders(&world.0, now()), [user(MANAGER), user(DIRECTOR), user(MARKETING)]);
    assert_eq!(decide(&world, &mut approval, MARKETING, Approved), Ok(Progress::Next));
    let decision = &approval.steps[0].decisions[0];
    assert_eq!((decision.by, decision.on_behalf_of), (user(MARKETING), Some(user(MANAGER))));
    assert!(world.by(MARKETING, |ctx| approval.reveal(ctx)).is_ok(), "what one decided one still sees");
    // Once nobody delegates to them, they get no list of requests, and see none by its id either.
    assert!(World::of(everybody).by(MARKETING, |ctx| approval.reveal(ctx)).is_err());
    // Nobody decides two steps, in whoever's name; nor does whoever had a step decided for them.
    assert_eq!(decide(&world, &mut approval, MARKETING, Approved), Err(Code::SeparationOfDuties));
    assert_eq!(decide(&world, &mut approval, SECOND_FINANCE, Approved), Ok(Progress::Approved));

    // The requester decides for nobody, and nobody for the requester.
    let world = World::with(everybody, vec![delegation(MANAGER, REP), delegation(DIRECTOR, MANAGER)]);
    let mut approval = asked(&world, REP).unwrap();
    assert_eq!(decide(&world, &mut approval, REP, Approved), Err(Code::SeparationOfDuties));
    let mut approval = asked(&world, DIRECTOR).unwrap();
    assert_eq!(decide(&world, &mut approval, MANAGER, Approved), Ok(Progress::Next), "in their own name");
    let world = World::with(everybody, vec![delegation(DIRECTOR, OTHER_REP)]);
    let mut approval = asked(&world, DIRECTOR).unwrap();
    assert_eq!(decide(&world, &mut approval, OTHER_REP, Approved), Err(Code::SeparationOfDuties));
    // A delegate does not delegate further, and a period ends.
    let world =
        World::with(everybody, vec![delegation(MANAGER, MARKETING), delegation(MARKETING, OTHER_REP)]);
    let mut approval = asked(&world, REP).unwrap();
    assert_eq!(decide(&world, &mut approval, OTHER_REP, Approved), Err(Code::Forbidden));
    let mut over = delegation(MANAGER, MARKETING);
    over.details.ends_at = now();
    over.details.starts_at = now().plus(-chrono::Duration::hours(1));
    let mut elsewhere = delegation(MANAGER, OTHER_REP);
    elsewhere.details.subject_kinds = vec![ApprovalSubject::Invoice];
    let world = World::with(everybody, vec![over, elsewhere]);
    let mut approval = asked(&world, REP).unwrap();
    for who in [MARKETING, OTHER_REP] {
        assert_eq!(decide(&world, &mut approval, who, Approved), Err(Code::Forbidden));
    }
}

#[test]
fn a_former_step_is_decided_anew() {
    let world = World::new();
    let mut approval = asked(&world, REP).unwrap();
    let form = |step| Valid::check(ReturnForm { step, comment: Prose::new("Ask again") }).unwrap();
    let first = world.by(MANAGER, |ctx| approval.return_to(ctx, form(0))).unwrap_err();
    assert_eq!(first.code, Code::InvalidTransition);
    decide(&world, &mut approval, MANAGER, Approved).unwrap();
    assert_eq!(world.by(MANAGER, |ctx| approval.return_to(ctx, form(0))).unwrap_err().code, Code::Forbidden);
    let refusal = world.by(FINANCE, |ctx| approval.return_to(ctx, form(1))).unwrap_err();
    assert_eq!(refusal.errors[0].pointer, "/step");
    world.by(FINANCE, |ctx| approval.return_to(ctx, form(0))).unwrap();
    assert_eq!((approval.step, approval.waiting_for.clone()), (0, Some(ApproverRule::ManagerOfOwner)));
    assert!(approval.steps.iter().all(|step| step.decisions.is_empty()));
    assert_eq!(
        (approval.trail[0].kind, approval.trail[0].undone[0].by),
        (TrailKind::Returned, user(MANAGER))
    );
    assert_eq!(decide(&world, &mut approval, MANAGER, Approved), Ok(Progress::Next));

    // Not to a step that nobody is left to decide.
    let left = |roles: &[&str]| {
        let there = Everybody::EACH.iter().filter(|(.., held)| held.iter().any(|role| roles.contains(role)));
        World::of(&there.copied().collect::<Vec<_>>())
    };
    let mut stuck = approval.clone();
    let nobody =
        left(&["sales_rep", "finance"]).by(FINANCE, |ctx| stuck.return_to(ctx, form(0))).unwrap_err();
    assert_eq!(nobody.code, Code::NoEligibleApprover);

    assert_eq!(decide(&world, &mut approval, FINANCE, Approved), Ok(Progress::Approved));
}

#[test]
fn one_more_person_is_asked() {
    let world = World::new();
    let form = |who, place| Valid::check(AddStepForm { user_id: user(who), place, comment: None }).unwrap();
    let add = |approval: &mut Approval, by, who, place| {
        world.by(by, |ctx| approval.add_step(ctx, form(who, place))).map_err(|refusal| refusal.code)
    };
    let mut approval = asked(&world, REP).unwrap();
    assert_eq!(add(&mut approval, REP, AUDITOR, Place::Before), Err(Code::Forbidden));
    assert_eq!(add(&mut approval, MANAGER, REP, Place::Before), Err(Code::SeparationOfDuties));
    assert_eq!(add(&mut approval, MANAGER, 99, Place::Before), Err(Code::UnknownReference));
    // Not somebody who sees no contracts, nor oneself.
    assert_eq!(add(&mut approval, MANAGER, MARKETING, Place::Before), Err(Code::ValidationFailed));
    assert_eq!(add(&mut approval, MANAGER, MANAGER, Place::After), Err(Code::ValidationFailed));
    add(&mut approval, MANAGER, AUDITOR, Place::Before).unwrap();
    assert_eq!(approval.waiting_for, Some(users(&[AUDITOR])));
    assert_eq!(
        decide(&world, &mut approval, MANAGER, Approved),
        Err(Code::Forbidden),
        "it waits for the other"
    );
    assert_eq!(decide(&world, &mut approval, AUDITOR, Approved), Ok(Progress::Next));
    add(&mut approval, MANAGER, ADMIN, Place::After).unwrap();
    assert_eq!(add(&mut approval, MANAGER, AUDITOR, Place::After), Err(Code::SeparationOfDuties));
    assert_eq!(decide(&world, &mut approval, MANAGER, Approved), Ok(Progress::Next));
    assert_eq!(decide(&world, &mut approval, ADMIN, Approved), Ok(Progress::Next));
    assert_eq!(decide(&world, &mut approval, FINANCE, Approved), Ok(Progress::Approved));
    assert_eq!(approval.steps.len(), 4);
    assert_eq!(approval.trail.iter().filter(|entry| entry.kind == TrailKind::StepAdded).count(), 2);

    // Not whoever another step needs.
    let rep: (u128, Option<u128>, &[&str]) = (REP, Some(2), &["sales_rep"]);
    let small = World::of(&[rep, (MANAGER, Some(2), &["sales_manager"]), (FINANCE, None, &["finance"])]);
    let mut approval = asked(&small, REP).unwrap();
    let needed = small.by(MANAGER, |ctx| approval.add_step(ctx, form(FINANCE, Place::Before))).unwrap_err();
    assert_eq!(needed.code, Code::NoEligibleApprover);
}

#[test]
fn what_a_request_has_no_room_for_is_not_offered() {
    let world = World::new();
    let offered = |approval: &Approval, action: &str| {
        let offers = world.by(MANAGER, |ctx| approval.allowed_actions(ctx, &ApprovalTies::default()));
        offers.iter().find(|offer| offer.action == action).unwrap().reason
    };
    let add = |approval: &Approval| {
        let form = AddStepForm { user_id: user(AUDITOR), place: Place::After, comment: None };
        let form = Valid::check(form).unwrap();
        let added = world.by(MANAGER, |ctx| approval.clone().add_step(ctx, form));
        added.err().map(|refusal| refusal.code)
    };
    let comment = |approval: &mut Approval| {
        world.by(MANAGER, |ctx| approval.comment(ctx, Prose::new("Well"))).err().map(|refusal| refusal.code)
    };
    let mut approval = asked(&world, REP).unwrap();
    assert_eq!((offered(&approval, "comment"), comment(&mut approval)), (None, None));
    assert_eq!((offered(&approval, "add_step"), add(&approval)), (None, None));
    let full = Some(Code::TooMany);
    let mut long = approval.clone();
    long.steps = vec![approval.steps[0].clone(); Approval::MOST_STEPS];
    assert_eq!((offered(&long, "add_step"), add(&long)), (full, full));
    approval.trail = vec![approval.trail[0].clone(); Approval::MOST_ENTRIES];
    assert_eq!((offered(&approval, "comment"), comment(&mut approval)), (full, full));
    assert_eq!((offered(&approval, "add_step"), add(&approval)), (full, full));
}

#[test]
fn a_request_that_lapses_says_why_in_nobodys_name() {
    let world = World::new();
    let mut approval = asked(&world, REP).unwrap();
    let comment =
        |approval: &mut Approval| world.by(MANAGER, |ctx| approval.comment(ctx, Prose::new("Well")));
    comment(&mut approval).unwrap();
    let mut full = approval.clone();
    full.trail = vec![approval.trail[0].clone(); Approval::MOST_ENTRIES];
    for (approval, entries) in [(&mut approval, 2), (&mut full, Approval::MOST_ENTRIES)] {
        assert_eq!(world.by(MANAGER, |ctx| approval.lapse(ctx)).unwrap(), Event("approval.withdrawn"));
        assert_eq!((approval.status, approval.decided_at), (ApprovalStatus::Withdrawn, Some(now())));
        assert_eq!((approval.trail.len(), approval.waiting_for.clone()), (entries, None));
        let again = world.by(MANAGER, |ctx| approval.lapse(ctx));
        assert_eq!(again.unwrap_err().code, Code::InvalidTransition);
    }
    let last = approval.trail.last().unwrap();
    assert_eq!((last.kind, last.by), (TrailKind::Commented, None));
    assert!(last.comment.is_some());
    // Whoever takes it back says nothing by it.
    let mut other = asked(&world, REP).unwrap();
    world.by(REP, |ctx| other.withdraw(ctx)).unwrap();
    assert_eq!((other.status, other.trail.len()), (ApprovalStatus::Withdrawn, 0));
}

#[test]
fn a_delegation_of_who_left_is_ended_and_not_changed() {
    let left = World::of(&[(ADMIN, None, &["admin"]), (MANAGER, Some(2), &["sales_manager"])]);
    for (world, code) in [(&World::new(), None), (&left, Some(Code::UnknownReference))] {
        let mut delegation = delegation(REP, MANAGER);
        let offers = world.by(ADMIN, |ctx| delegation.allowed_actions(ctx));
        let reason = |action| offers.iter().find(|offer| offer.action == action).unwrap().reason;
        assert_eq!((reason("update"), reason("delete")), (code, None));
        let form = Valid::check(delegation.details.clone()).unwrap();
        let edited = world.by(ADMIN, |ctx| delegation.edit(ctx, form));
        assert_eq!(edited.err().map(|refusal| refusal.code), code);
    }
}

#[test]
fn reminders_are_rare() {
    let world = World::new();
    let mut approval = asked(&world, REP).unwrap();
    let at = |approval: &mut Approval, who, minutes| {
        let actor = world.actor(who);
        let ctx = Context { now: now().plus(chrono::Duration::minutes(minutes)), ..world.ctx(&actor) };
        approval.remind(&ctx).map_err(|refusal| refusal.code)
    };
    assert_eq!(at(&mut approval, MANAGER, 0), Err(Code::Forbidden));
    at(&mut approval, REP, 0).unwrap();
    assert_eq!(at(&mut approval, REP, 59), Err(Code::RemindedRecently));
    at(&mut approval, REP, 60).unwrap();
    // By itself, after 24 hours, and again after as many.
    let actor = Actor::system();
    let late = |approval: &mut Approval, hours| {
        let ctx = Context { now: now().plus(chrono::Duration::hours(hours)), ..world.ctx(&actor) };
        approval.remind_when_late(&ctx).unwrap().is_some()
    };
    assert!(!late(&mut approval, 24), "it was reminded an hour later");
    assert!(late(&mut approval, 25) && !late(&mut approval, 26) && late(&mut approval, 49));
    assert_eq!(approval.trail.last().unwrap().by, None);
}

// Random organisations, flows and deciders.

#[derive(Debug, Clone)]
struct Setting {
    users: Vec<(u128, Option<u128>, Vec<&'static str>)>,
    delegations: Vec<(u128, u128)>,
    subject: ApprovalSubject,
    steps: Vec<(ApproverRule, StepMode)>,
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
        (1..=3_u8).prop_map(ApproverRule::LevelsUp),
        any_role().prop_map(role),
        proptest::collection::btree_set(1..=6_u128, 1..=3)
            .prop_map(|ids| users(&ids.into_iter().collect::<Vec<_>>())),
    ];
    let mode = prop_oneof![3 => Just(StepMode::Any), 1 => Just(StepMode::All)];
    proptest::collection::vec(person, 2..=6).prop_flat_map(move |people| {
        let last = people.len() as u128;
        let users: Vec<_> = people
            .into_iter()
            .zip(1..)
            .map(|((team, roles), id)| (id, team, roles.into_iter().collect()))
            .collect();
        (
            Just(users),
            proptest::collection::vec((1..=last, 1..=last), 0..3),
            proptest::sample::select(ApprovalSubject::ALL),
            proptest::collection::vec((rule.clone(), mode.clone()), 1..=3),
            1..=last,
            1..=last,
            proptest::collection::vec((1..=last, proptest::bool::weighted(0.9)), 0..30),
        )
            .prop_map(|(users, delegations, subject, steps, owner, requester, attempts)| Setting {
                users,
                delegations: delegations.into_iter().filter(|(from, to)| from != to).collect(),
                subject,
                steps,
                owner,
                requester,
                attempts,
            })
    })
}

/// Who may decide a step, said again in other words.
fn named(world: &World, setting: &Setting, who: u128, rule: &ApproverRule) -> bool {
    let owner = Some(user(setting.owner));
    let team = |who: u128| setting.users[who as usize - 1].1;
    let reads = world.by(who, |ctx| ctx.authorize(setting.subject.read(), owner)).is_ok();
    let approves = world.by(who, |ctx| ctx.authorize(setting.subject.approve(), owner)).is_ok();
    let named = match rule {
        ApproverRule::ManagerOfOwner => approves,
        // Above the teams 2 and 3, and above itself, there is team 1 only.
        ApproverRule::LevelsUp(_) => approves && team(setting.owner).is_some() && team(who) == Some(1),
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

/// Whether the steps can be decided: whoever a step names of which each must agree is kept for it.
fn decidable(world: &World, setting: &Setting) -> bool {
    let mut kept = Vec::new();
    for (rule, _) in setting.steps.iter().filter(|(_, mode)| *mode == StepMode::All) {
        let is_new = |who: &u128| named(world, setting, *who, rule) && !kept.contains(who);
        let new: Vec<u128> = (1..=setting.users.len() as u128).filter(is_new).collect();
        if new.is_empty() {
            return false;
        }
        kept.extend(new);
    }
    let of_any = setting.steps.iter().filter(|(_, mode)| *mode == StepMode::Any);
    let rules: Vec<ApproverRule> = of_any.map(|(rule, _)| rule.clone()).collect();
    assignable(world, setting, &rules, &mut kept)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A request is made exactly when different persons can decide it; a decision is taken exactly from
    /// those for whom it waits; and it is approved only when each step was approved, in order, by
    /// different persons whom it named, or who decide for such, none of whom asked for it or owns the subject.
    #[test]
    fn approvals_need_distinct_eligible_persons_in_order(setting in setting()) {
        let users: Vec<(u128, Option<u128>, &[&str])> =
            setting.users.iter().map(|(id, team, roles)| (*id, *team, roles.as_slice())).collect();
        let delegations = setting.delegations.iter().map(|(from, to)| delegation(*from, *to)).collect();
        let world = World::with(&users, delegations);
        let mut flow = flow(setting.subject);
        let step = |(rule, mode): &(ApproverRule, StepMode)| FlowStep { mode: *mode, ..FlowStep::new("Step", rule.clone()) };
        flow.details.steps = setting.steps.iter().map(step).collect();
        let facts = facts(setting.subject, setting.owner);
        let made = world.by(setting.requester, |ctx| Approval::request(ctx, ID, &flow, facts));
        prop_assert_eq!(made.is_ok(), decidable(&world, &setting));
        let Ok((mut approval, _)) = made else { return Ok(()) };
        let persons = |approval: &Approval| -> Vec<UserId> {
            let decisions = approval.steps.iter().flat_map(|step| &step.decisions);
            decisions.flat_map(|decision| [Some(decision.by), decision.on_behalf_of]).flatten().collect()
        };

        for (who, approves) in &setting.attempts {
            let before = approval.clone();
            let earlier = persons(&approval);
            let is_free = |who: u128| {
                !earlier.contains(&user(who)) && who != setting.owner && who != setting.requester
            };
            let speaks_for = |who: u128| {
                let others = setting.delegations.iter().filter(move |(_, to)| *to == who).map(|(from, _)| *from);
                std::iter::once(who).chain(others)
            };
            let waits = approval.status == ApprovalStatus::Pending
                && is_free(*who)
                && speaks_for(*who).any(|who| {
                    is_free(who) && named(&world, &setting, who, &setting.steps[usize::try_from(approval.step).unwrap()].0)
                });
            let standing = world.0.standing(approval.owner_id);
            let mut boxes = world.by(*who, inboxes).into_iter();
            prop_assert_eq!(boxes.any(|inbox| inbox.admits(&approval, &standing)), waits);
            let offered = world.by(*who, |ctx| approval.allowed_actions(ctx, &ApprovalTies::default()));
            prop_assert_eq!(offered[0].allowed && offered[1].allowed, waits);
            let deciders = approval.deciders(&world.0, now());
            prop_assert_eq!(deciders.contains(&user(*who)), waits);
            let answer = decide(&world, &mut approval, *who, if *approves { Approved } else { Rejected });
            prop_assert_eq!(answer.is_ok(), waits, "{:?}", answer);
            if answer.is_err() {
                prop_assert_eq!(&approval, &before);
            }
        }
        let of = |outcome| {
            let decided = move |step: &&Step| step.decisions.iter().any(|decision| decision.outcome == outcome);
            approval.steps.iter().filter(decided).count()
        };
        match approval.status {
            ApprovalStatus::Approved => prop_assert!(of(Approved) == approval.steps.len() && of(Rejected) == 0),
            ApprovalStatus::Rejected => prop_assert_eq!(of(Rejected), 1),
            _ => prop_assert_eq!(of(Rejected), 0),
        }
        for (at, step) in approval.steps.iter().enumerate() {
            for decision in &step.decisions {
                let name = decision.on_behalf_of.unwrap_or(decision.by).0.as_u128();
                prop_assert!(named(&world, &setting, name, &setting.steps[at].0));
            }
        }
        let all = persons(&approval);
        prop_assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "everybody is in it once");
        prop_assert_eq!(approval.waiting_for.is_some(), approval.status == ApprovalStatus::Pending);
    }
}
