use super::*;
use crate::contract::{CollectionScheme, ContractStatus};
use crate::fixtures::{FINANCE, MANAGER, REP, World, cny};

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
