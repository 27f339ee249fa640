use uuid::Uuid;

use super::*;
use crate::contract::CollectionScheme;
use crate::fixtures::{FINANCE, MANAGER, REP, World, cny};
use crate::values::{CreditNoteId, NumberKind};

fn issue_form(number: &str) -> Valid<IssueForm> {
    Valid::check(IssueForm { tax_invoice_number: Line::new(number), issued_on: None }).unwrap()
}

#[test]
fn the_contract_counts_pending_approved_and_issued() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    let mut first = world.invoice(&mut contract, 1, 60, false);
    let mut second = world.invoice(&mut contract, 2, 60, false);
    world.by(REP, |ctx| first.submit(ctx, &mut contract)).unwrap();
    let before = (second.clone(), contract.clone());
    let refusal = world.by(REP, |ctx| second.submit(ctx, &mut contract)).unwrap_err();
    assert_eq!(refusal.code, Code::InvoiceExceedsContract);
    assert_eq!(refusal.figures["remaining"]["amount"], "0.40");
    assert_eq!((second.clone(), contract.clone()), before);
    first.approve(&contract).unwrap();
    world.by(FINANCE, |ctx| first.issue(ctx, &mut contract, issue_form("A1"))).unwrap();
    assert_eq!((contract.sums.invoice_committed, contract.sums.invoiced), (cny(60), cny(60)));
    assert_eq!(first.issued_on.unwrap().to_string(), "2026-03-10");
    world.by(FINANCE, |ctx| first.void(ctx, &mut contract, Line::new("Wrong title"))).unwrap();
    assert!(contract.sums.invoice_committed.is_zero() && contract.sums.invoiced.is_zero());
    world.by(REP, |ctx| second.submit(ctx, &mut contract)).unwrap();
    world.by(REP, |ctx| second.withdraw(ctx, &mut contract)).unwrap();
    world.by(REP, |ctx| second.submit(ctx, &mut contract)).unwrap();
    second.reject(&mut contract).unwrap();
    assert_eq!((contract.sums.invoice_committed, second.status), (cny(0), InvoiceStatus::Draft));
}

#[test]
fn an_invoice_in_the_future_changes_nothing() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    let mut invoice = world.invoice(&mut contract, 1, 60, false);
    world.by(REP, |ctx| invoice.submit(ctx, &mut contract)).unwrap();
    invoice.approve(&contract).unwrap();
    let before = (invoice.clone(), contract.clone());
    let form =
        IssueForm { tax_invoice_number: Line::new("A1"), issued_on: NaiveDate::from_ymd_opt(2026, 3, 11) };
    let form = Valid::check(form).unwrap();
    let refusal = world.by(FINANCE, |ctx| invoice.issue(ctx, &mut contract, form)).unwrap_err();
    assert_eq!(refusal.code, Code::ValidationFailed);
    assert_eq!((invoice, contract), before);
}

#[test]
fn a_contract_that_was_paid_first_is_still_invoiced() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByContract, &[100]);
    contract.receive(cny(100)).unwrap();
    contract.note_paid(cny(100)).unwrap();
    world.by(FINANCE, |ctx| contract.settle(ctx)).unwrap();
    assert_eq!(contract.status, ContractStatus::Completed);
    let mut invoice = world.invoice(&mut contract, 1, 100, false);
    world.by(REP, |ctx| invoice.submit(ctx, &mut contract)).unwrap();
    invoice.approve(&contract).unwrap();
    world.by(FINANCE, |ctx| invoice.issue(ctx, &mut contract, issue_form("A1"))).unwrap();
    assert_eq!(contract.sums.invoiced, cny(100));
}

#[test]
fn a_contract_that_ended_early_is_not_invoiced() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    let mut invoice = world.invoice(&mut contract, 1, 60, false);
    world.by(REP, |ctx| invoice.submit(ctx, &mut contract)).unwrap();
    world.by(MANAGER, |ctx| contract.terminate(ctx, Line::new("They left"))).unwrap();
    assert_eq!(invoice.approve(&contract).unwrap_err().code, Code::ContractNotActive);
    assert_eq!(invoice.status, InvoiceStatus::PendingApproval);
    invoice.reject(&mut contract).unwrap();
    let refusal = world.by(REP, |ctx| invoice.submit(ctx, &mut contract)).unwrap_err();
    assert_eq!((refusal.code, invoice.status), (Code::ContractNotActive, InvoiceStatus::Draft));
}

#[test]
fn an_invoice_with_payments_is_not_voided() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    let mut invoice = world.invoice(&mut contract, 1, 60, true);
    invoice.allocated = cny(1);
    let refusal = world.by(FINANCE, |ctx| invoice.void(ctx, &mut contract, Line::new("Wrong"))).unwrap_err();
    assert_eq!(refusal.code, Code::InvoiceHasPayments);
}

/// Why an action is not offered.
fn offered(
    world: &World,
    invoice: &Invoice,
    contract: &Contract,
    (who, action): (u128, &str),
) -> Option<Code> {
    let ties =
        InvoiceTies { contract_status: contract.status, dependents: Dependents::default(), submission: None };
    let offers = world.by(who, |ctx| invoice.allowed_actions(ctx, &ties));
    offers.iter().find(|offer| offer.action == action).unwrap().reason
}

#[test]
fn what_is_left_of_its_contract_decides_whether_it_is_offered() {
    let world = World::new();
    let customer = world.customer(Some(REP));
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    let mut first = world.invoice(&mut contract, 1, 60, false);
    let second = world.invoice(&mut contract, 2, 60, false);
    let told = |contract: &Contract| {
        let submission = world.by(REP, |ctx| second.check_submission(ctx, contract, &customer)).err();
        let submitted = world.by(REP, |ctx| second.clone().submit(ctx, &mut contract.clone()));
        let code = submission.as_ref().map(|refusal| refusal.code);
        assert_eq!(submitted.err().map(|refusal| refusal.code), code);
        let ties =
            InvoiceTies { contract_status: contract.status, dependents: Dependents::default(), submission };
        let offers = world.by(REP, |ctx| second.allowed_actions(ctx, &ties));
        assert_eq!(offers.iter().find(|offer| offer.action == "submit").unwrap().reason, code);
        code
    };
    assert_eq!(told(&contract), None);
    world.by(REP, |ctx| first.submit(ctx, &mut contract)).unwrap();
    assert_eq!(told(&contract), Some(Code::InvoiceExceedsContract));
}

#[test]
fn what_its_contract_forbids_is_not_offered() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    let draft = world.invoice(&mut contract, 1, 40, false);
    let mut approved = world.invoice(&mut contract, 2, 60, false);
    world.by(REP, |ctx| approved.submit(ctx, &mut contract)).unwrap();
    approved.approve(&contract).unwrap();
    let mut forbidden = 0;
    for status in ContractStatus::ALL {
        contract.status = *status;
        let submitted = world.by(REP, |ctx| draft.clone().submit(ctx, &mut contract.clone()));
        let issued =
            world.by(FINANCE, |ctx| approved.clone().issue(ctx, &mut contract.clone(), issue_form("A1")));
        let code = submitted.err().map(|refusal| refusal.code);
        assert_eq!(issued.err().map(|refusal| refusal.code), code, "{status}");
        assert_eq!(offered(&world, &draft, &contract, (REP, "submit")), code, "{status}");
        assert_eq!(offered(&world, &approved, &contract, (FINANCE, "issue")), code, "{status}");
        forbidden += usize::from(code == Some(Code::ContractNotActive));
    }
    assert_eq!(forbidden, ContractStatus::ALL.len() - 2, "it runs, or was paid in full");
}

#[test]
fn an_invoice_of_which_payments_leave_nothing_is_not_credited() {
    let world = World::new();
    let (mut contract, _) = world.contract(CollectionScheme::ByInvoice, &[100]);
    let mut invoice = world.invoice(&mut contract, 1, 60, true);
    for (allocated, code) in [(0, None), (59, None), (60, Some(Code::InvoiceHasPayments))] {
        invoice.allocated = cny(allocated);
        assert_eq!(offered(&world, &invoice, &contract, (FINANCE, "credit")), code, "{allocated}");
        let form = Valid::check(CreditForm {
            invoice_id: invoice.id,
            amount: cny(1),
            tax_invoice_number: Line::new("R1"),
            issued_on: None,
            reason: Line::new("Wrong price"),
        });
        let id = (CreditNoteId(Uuid::from_u128(1)), Number::new(NumberKind::CreditNote, 2026, 1));
        let credited =
            world.by(FINANCE, |ctx| invoice.clone().credit(ctx, &mut contract.clone(), id, form.unwrap()));
        assert_eq!(credited.err().map(|refusal| refusal.code), code, "{allocated}");
    }
}
