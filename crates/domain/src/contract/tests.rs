use super::*;
use crate::fixtures::{DIRECTOR, FINANCE, MANAGER, OTHER_MANAGER, OTHER_REP, REP, World, cny, user};
use crate::valid::Valid;
use crate::values::{Currency, Today};

#[test]
fn an_installments_status_follows_from_dates_and_payments() {
    let world = World::new();
    let (_, mut installments) = world.contract(CollectionScheme::ByContract, &[100]);
    let part = &mut installments[0];
    let on = |part: &Installment, month, day| {
        let today = Today(chrono::NaiveDate::from_ymd_opt(2026, month, day).unwrap());
        (part.status(today, 7), part.overdue_days(today))
    };
    assert_eq!(on(part, 1, 20), (InstallmentStatus::Scheduled, 0));
    assert_eq!(on(part, 1, 21), (InstallmentStatus::DueSoon, 0));
    assert_eq!(on(part, 1, 28), (InstallmentStatus::DueSoon, 0));
    assert_eq!(on(part, 1, 29), (InstallmentStatus::Overdue, 1));
    part.paid = cny(40);
    assert_eq!(on(part, 1, 28), (InstallmentStatus::PartiallyPaid, 0));
    assert_eq!(on(part, 2, 1), (InstallmentStatus::Overdue, 4));
    assert!(part.close() && !part.close());
    assert_eq!(on(part, 2, 1), (InstallmentStatus::Closed, 0));
    part.paid = cny(100);
    assert_eq!(on(part, 2, 1), (InstallmentStatus::Paid, 0));
}

fn form(amount: Money, items: &serde_json::Value) -> Result<Valid<ContractDetails>, Refusal> {
    let form = serde_json::json!({
        "title": "Pumps",
        "customer_id": uuid::Uuid::from_u128(70).to_string(),
        "amount": amount,
        "collection_scheme": "by_invoice",
        "line_items": items,
    });
    Valid::check(serde_json::from_value(form).unwrap())
}

#[test]
fn line_items_add_up_to_the_amount() {
    let items = serde_json::json!([
        {"product": "Pump", "quantity": "2.5", "unit_price": cny(1001), "discount": "0.1"},
        {"product": "Valve", "quantity": "3", "unit_price": cny(7)},
    ]);
    // 2.5 x 10.01 x 0.9 = 22.5225, which is 22.52; 3 x 0.07 = 0.21.
    assert!(form(cny(2273), &items).is_ok());
    let refusal = form(cny(2274), &items).unwrap_err();
    assert_eq!(
        (refusal.errors[0].pointer.as_str(), refusal.errors[0].code.as_str()),
        ("", "line_items_mismatch")
    );
    let refusal = form(Money::from_minor(2273, Currency::USD), &items).unwrap_err();
    assert_eq!(refusal.errors[0].code.as_str(), "currency_mismatch");
    assert!(form(cny(0), &serde_json::json!([])).is_err());
}

#[test]
fn a_contract_is_submitted_when_it_is_complete() {
    let world = World::new();
    let customer = world.customer(Some(REP));
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100, 200]);
    contract.status = ContractStatus::Draft;
    let code = |contract: &Contract, customer: &Customer| {
        let code =
            world.by(REP, |ctx| contract.clone().submit(ctx, customer)).map_err(|refusal| refusal.code);
        let ties = ContractTies { customer_owner: customer.owner_id, ..ContractTies::default() };
        let offers = world.by(REP, |ctx| contract.allowed_actions(ctx, &ties));
        let offer = offers.iter().find(|offer| offer.action == "submit").unwrap();
        assert_eq!(offer.reason, code.err());
        code
    };
    assert_eq!(code(&contract, &customer), Ok(Event("contract.submitted")));
    assert_eq!(code(&contract, &world.customer(None)), Err(Code::CustomerUnowned));
    assert_eq!(code(&contract, &world.customer(Some(OTHER_REP))), Err(Code::ContractIncomplete));
    let one = contract.details.installments.pop().unwrap();
    assert_eq!(code(&contract, &customer), Err(Code::InstallmentsMismatch));
    contract.details.installments.extend([one.clone(), one]);
    assert_eq!(code(&contract, &customer), Err(Code::InstallmentsMismatch));
}

#[test]
fn nothing_is_drafted_for_somebody_who_cannot_own_it() {
    let world = World::new();
    let (contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    let draft = |owner| {
        let form = Valid::check(contract.details.clone()).unwrap();
        let customer = world.customer(Some(owner));
        let made = world
            .by(DIRECTOR, |ctx| Contract::new(ctx, contract.id, contract.number.clone(), &customer, form));
        made.map(|(contract, _)| contract.owner_id).map_err(|refusal| refusal.code)
    };
    assert_eq!(draft(REP), Ok(user(REP)));
    assert_eq!(draft(FINANCE), Err(Code::OwnerNotEligible));
}

#[test]
fn what_was_submitted_once_is_taken_back_by_its_asker_and_never_deleted() {
    let world = World::new();
    let customer = world.customer(Some(REP));
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    contract.status = ContractStatus::Draft;
    let code = |answer: Result<(), Refusal>| answer.map_err(|refusal| refusal.code);
    let ties = ContractTies::default();
    assert_eq!(code(world.by(REP, |ctx| contract.may_delete(ctx, &ties))), Ok(()));
    world.by(REP, |ctx| contract.submit(ctx, &customer)).unwrap();
    assert_eq!(contract.submitted_by, Some(user(REP)));
    for (who, answer) in [(MANAGER, Err(Code::Forbidden)), (REP, Ok(()))] {
        let offers = world.by(who, |ctx| contract.allowed_actions(ctx, &ties));
        let offer = offers.iter().find(|offer| offer.action == "withdraw").unwrap();
        assert_eq!(offer.reason, answer.err());
        assert_eq!(code(world.by(who, |ctx| contract.clone().withdraw(ctx)).map(drop)), answer);
    }
    world.by(REP, |ctx| contract.withdraw(ctx)).unwrap();
    assert_eq!(contract.submitted_by, Some(user(REP)));
    let asked = ContractTies {
        dependents: [(RecordKind::Approval, 1)].into_iter().collect(),
        ..ContractTies::default()
    };
    let refusal = world.by(REP, |ctx| contract.may_delete(ctx, &asked)).unwrap_err();
    assert_eq!(refusal.code, Code::InUse);
    let named = serde_json::json!([{"record_kind": "approval", "count": 1}]);
    assert_eq!(refusal.figures["dependents"], named);
    assert_eq!(code(world.by(REP, |ctx| contract.may_update(ctx))), Ok(()));
}

#[test]
fn what_waits_to_change_hands_or_has_activities_is_neither_deleted_nor_offered_for_it() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    contract.status = ContractStatus::Draft;
    for (pending_transfers, activities, who, code) in [
        (0, 0, REP, None),
        (1, 0, REP, Some(Code::PendingTransfer)),
        (0, 1, REP, Some(Code::InUse)),
        // Whoever may not at all is told that first.
        (1, 1, FINANCE, Some(Code::Forbidden)),
    ] {
        let dependents = [(RecordKind::Activity, activities)].into_iter().collect();
        let ties = ContractTies { pending_transfers, dependents, ..ContractTies::default() };
        let offers = world.by(who, |ctx| contract.allowed_actions(ctx, &ties));
        assert_eq!(offers.iter().find(|offer| offer.action == "delete").unwrap().reason, code);
        let deleted = world.by(who, |ctx| contract.may_delete(ctx, &ties));
        assert_eq!(deleted.err().map(|refusal| refusal.code), code);
    }
}

#[test]
fn a_contract_that_runs_again_takes_its_customer_from_the_pool() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByContract, &[100]);
    contract.sums.paid = cny(100);
    let settle = |contract: &mut Contract| world.by(FINANCE, |ctx| contract.settle(ctx)).unwrap();
    assert_eq!(settle(&mut contract), Some(Event("contract.completed")));
    contract.sums.paid = cny(0);
    assert_eq!(settle(&mut contract), Some(REACTIVATED));

    let mut customer = world.customer(None);
    let (change, event) = world.by(FINANCE, |ctx| customer.return_to(ctx, contract.owner_id)).unwrap();
    assert_eq!((change.from, change.to), (None, Some(user(REP))));
    assert_eq!((change.cause.as_str(), event), ("contract_reopened", Event("customer.returned")));
    assert_eq!((customer.owner_id, customer.pooled_at), (Some(user(REP)), None));
    assert!(world.by(FINANCE, |ctx| customer.return_to(ctx, user(OTHER_REP))).is_none());
    assert_eq!(customer.owner_id, Some(user(REP)));
}

#[test]
fn only_a_manager_in_scope_terminates() {
    let world = World::new();
    let (contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    let ends = |who| {
        world
            .by(who, |ctx| contract.clone().terminate(ctx, Line::new("They left")))
            .map_err(|refusal| refusal.code)
    };
    assert_eq!(ends(MANAGER), Ok(Event("contract.terminated")));
    assert_eq!(ends(REP), Err(Code::Forbidden));
    assert_eq!(ends(OTHER_MANAGER), Err(Code::Forbidden));
}

#[test]
fn what_waits_for_approval_is_not_changed() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    let mut expect = |status, code| {
        contract.status = status;
        let answer = world.by(REP, |ctx| contract.may_update(ctx)).map_err(|refusal| refusal.code);
        assert_eq!(answer, code, "{status}");
    };
    expect(ContractStatus::Draft, Ok(()));
    expect(ContractStatus::PendingApproval, Err(Code::PendingApproval));
    for status in [
        ContractStatus::Active,
        ContractStatus::Completed,
        ContractStatus::Terminated,
        ContractStatus::Cancelled,
    ] {
        expect(status, Err(Code::InvalidTransition));
    }
}
