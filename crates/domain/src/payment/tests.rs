use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::contract::{CollectionScheme, close_installments};
use crate::fixtures::{ADMIN, FINANCE, MANAGER, OTHER_REP, REP, SECOND_FINANCE, World, cny};
use crate::invoice::InvoiceStatus;
use crate::values::{Currency, InstallmentId, InvoiceId, RefundId, Tag};

/// A contract with everything about its money.
#[derive(Debug, Clone, PartialEq)]
struct Ledger {
    contract: Contract,
    invoices: Vec<Invoice>,
    installments: Vec<Installment>,
    payments: Vec<(Payment, Vec<Allocation>)>,
}

fn live(rows: &[Allocation]) -> Vec<Allocation> {
    rows.iter().filter(|row| !row.void).cloned().collect()
}

/// Ids after those that a payment's rows have.
fn ids(rows: &[Allocation]) -> impl FnMut() -> AllocationId + use<> {
    let mut last = rows.iter().map(|row| row.id.0.as_u128()).max().unwrap_or(0);
    move || {
        last += 1;
        AllocationId(Uuid::from_u128(last))
    }
}

fn replace(rows: &mut Vec<Allocation>, anew: Anew) {
    rows.retain(|row| row.void);
    rows.extend(anew.void.into_iter().chain(anew.live));
}

impl Ledger {
    fn new(world: &World, scheme: CollectionScheme, parts: &[i64], invoices: &[(i64, bool)]) -> Self {
        let (mut contract, installments) = world.contract(scheme, parts);
        let invoices = invoices
            .iter()
            .zip(1..)
            .map(|((minor, issued), number)| world.invoice(&mut contract, number, *minor, *issued))
            .collect();
        Self { contract, invoices, installments, payments: Vec::new() }
    }

    fn record(&mut self, world: &World, by: u128, form: PaymentForm) -> Result<(), Refusal> {
        let form = Valid::check(form)?;
        let at = self.payments.len() as u128;
        let (id, number) = (PaymentId(Uuid::from_u128(1000 + at)), Number(format!("PY-2026-{at:06}")));
        let mut next = 10_000 * (at + 1);
        let new_id = || {
            next += 1;
            AllocationId(Uuid::from_u128(next))
        };
        let Self { contract, invoices, installments, .. } = self;
        let (payment, allocations, _) = world
            .by(by, |ctx| Payment::record(ctx, id, number, contract, invoices, installments, form, new_id))?;
        self.payments.push((payment, allocations));
        Ok(())
    }

    fn act(&mut self, world: &World, by: u128, at: usize, action: PaymentAction) -> Result<Event, Refusal> {
        let Self { contract, invoices, installments, payments } = self;
        let (payment, rows) = &mut payments[at];
        let (why, live) = (Line::new("A mistake"), live(rows));
        world.by(by, |ctx| match action {
            PaymentAction::Confirm => payment.confirm(ctx, contract, invoices, installments, &live),
            PaymentAction::Reject => payment.reject(ctx, contract, invoices, installments, &live, why),
            PaymentAction::Reverse => payment.reverse(ctx, contract, invoices, installments, &live, why),
            // It happens by itself: `refund` has it happen.
            PaymentAction::Refund => Err(Refusal::new(Code::Forbidden, "by itself")),
            PaymentAction::Reallocate => {
                let form = Valid::check(ReallocateForm { allocations: None, reason: why })?;
                let next = ids(rows);
                let (anew, event) =
                    payment.reallocate(ctx, contract, invoices, installments, &live, &form, next)?;
                replace(rows, anew);
                Ok(event)
            }
        })
    }

    fn refund(&mut self, world: &World, at: usize, minor: i64) -> Result<(), Refusal> {
        let Self { contract, invoices, installments, payments } = self;
        let (payment, rows) = &mut payments[at];
        let form = Valid::check(RefundForm {
            payment_id: payment.id,
            amount: cny(minor),
            refunded_on: None,
            method: PaymentMethod::BankTransfer,
            bank_reference: None,
            reason: Line::new("Too much"),
        })?;
        let (id, number) = (RefundId(Uuid::from_u128(5000)), Number("RF-2026-000001".to_owned()));
        let (mut refund, _) =
            world.by(FINANCE, |ctx| Refund::record(ctx, id, number, payment, cny(0), form))?;
        assert_eq!(refund.details.refunded_on.to_string(), "2026-03-10", "today");
        let (live, next) = (live(rows), ids(rows));
        let (anew, _) = world.by(SECOND_FINANCE, |ctx| {
            refund.confirm(ctx, payment, contract, invoices, installments, &live, next)
        })?;
        replace(rows, anew);
        Ok(())
    }

    /// Adds everything up again from the rows.
    fn verify(&self) {
        let sum = |counts: &dyn Fn(&Payment) -> bool, put: &dyn Fn(&Allocation) -> bool| {
            let rows = self.payments.iter().filter(|(payment, _)| counts(payment)).flat_map(|(_, rows)| rows);
            cny(rows.filter(|row| !row.void && put(row)).map(|row| row.amount.minor()).sum())
        };
        let paid = |payment: &Payment| payment.status == PaymentStatus::Confirmed;
        let received = |payment: &Payment| paid(payment) || payment.status == PaymentStatus::Recorded;
        for invoice in &self.invoices {
            let here = |row: &Allocation| row.invoice_id == Some(invoice.id);
            assert_eq!((invoice.allocated, invoice.paid), (sum(&received, &here), sum(&paid, &here)));
            assert!(invoice.allocated.minor() <= invoice.details.amount.minor());
            assert!(invoice.status == InvoiceStatus::Issued || invoice.allocated.is_zero());
        }
        for part in &self.installments {
            let here = |row: &Allocation| row.installment_id == Some(part.id);
            assert_eq!((part.allocated, part.paid), (sum(&received, &here), sum(&paid, &here)));
            assert!(part.allocated.minor() <= part.amount.minor());
        }
        let on_installments = |row: &Allocation| row.installment_id.is_some();
        assert_eq!(self.contract.sums.received, sum(&received, &on_installments));
        assert_eq!(self.contract.sums.paid, sum(&paid, &on_installments));
        assert!(self.contract.sums.received.minor() <= self.contract.details.amount.minor());
        for (payment, rows) in &self.payments {
            let of = |put: &dyn Fn(&&Allocation) -> bool| -> i64 {
                rows.iter().filter(|row| !row.void).filter(put).map(|row| row.amount.minor()).sum()
            };
            let amount = payment.details.amount.minor() - payment.refunded.minor();
            assert_eq!(payment.status == PaymentStatus::Refunded, amount == 0);
            assert_eq!(of(&|row| row.installment_id.is_some()), amount);
            let by_invoice = self.contract.details.collection_scheme == CollectionScheme::ByInvoice;
            assert_eq!(of(&|row| row.invoice_id.is_some()), if by_invoice { amount } else { 0 });
            assert!(rows.iter().all(|row| row.invoice_id.is_some() != row.installment_id.is_some()));
            assert!(rows.iter().all(|row| row.amount.is_positive() && row.payment_id == payment.id));
        }
    }
}

fn form(minor: i64, allocations: Option<Vec<AllocationPlan>>) -> PaymentForm {
    PaymentForm {
        contract_id: ContractId(Uuid::from_u128(80)),
        amount: cny(minor),
        received_on: NaiveDate::from_ymd_opt(2026, 3, 10).unwrap(),
        method: PaymentMethod::BankTransfer,
        bank_reference: Some(Line::new(" tx 1a")),
        payer: None,
        note: None,
        labels: Tags::default(),
        allocations,
    }
}

fn on_invoice(id: InvoiceId, minor: i64) -> AllocationPlan {
    AllocationPlan { invoice_id: Some(id), installment_id: None, amount: cny(minor) }
}

fn on_installment(id: InstallmentId, minor: i64) -> AllocationPlan {
    AllocationPlan { invoice_id: None, installment_id: Some(id), amount: cny(minor) }
}

fn minors(rows: &[Allocation], invoice: bool) -> Vec<i64> {
    rows.iter().filter(|row| row.invoice_id.is_some() == invoice).map(|row| row.amount.minor()).collect()
}

#[test]
fn by_invoice_the_oldest_issued_come_first_and_installments_are_settled_too() {
    let world = World::new();
    let mut ledger = Ledger::new(
        &world,
        CollectionScheme::ByInvoice,
        &[100, 200],
        &[(90, true), (50, false), (120, true)],
    );
    ledger.invoices.reverse();
    ledger.record(&world, REP, form(150, None)).unwrap();
    ledger.verify();
    let rows = &ledger.payments[0].1;
    assert_eq!((minors(rows, true), minors(rows, false)), (vec![90, 60], vec![100, 50]));
    assert_eq!(ledger.payments[0].0.details.reference_key().unwrap(), "TX1A");

    let refusal = ledger.record(&world, REP, form(61, None)).unwrap_err();
    assert_eq!(refusal.code, Code::NothingToAllocate);
    assert_eq!(refusal.figures["open"]["amount"], "0.60");
}

#[test]
fn by_contract_installments_take_the_money() {
    let world = World::new();
    let mut ledger = Ledger::new(&world, CollectionScheme::ByContract, &[100, 200, 300], &[]);
    ledger.record(&world, REP, form(150, None)).unwrap();
    assert_eq!(minors(&ledger.payments[0].1, false), [100, 50]);
    let (second, third) = (ledger.installments[1].id, ledger.installments[2].id);
    let plan = vec![on_installment(third, 300), on_installment(second, 10)];
    ledger.record(&world, REP, form(310, Some(plan))).unwrap();
    ledger.verify();
    let beyond = ledger.record(&world, REP, form(141, None)).unwrap_err();
    assert_eq!(beyond.code, Code::PaymentExceedsContract);
    assert_eq!(beyond.figures["remaining"]["amount"], "1.40");
    ledger.record(&world, REP, form(140, None)).unwrap();
    ledger.verify();
}

#[test]
fn a_closed_installment_takes_nothing() {
    let world = World::new();
    let mut ledger = Ledger::new(&world, CollectionScheme::ByContract, &[100, 200], &[]);
    assert!(ledger.installments[0].close());
    let closed = ledger.installments[0].id;
    let refusal = ledger.record(&world, REP, form(1, Some(vec![on_installment(closed, 1)]))).unwrap_err();
    assert_eq!(refusal.code, Code::AllocationExceedsOpen);
    ledger.record(&world, REP, form(200, None)).unwrap();
    assert_eq!(minors(&ledger.payments[0].1, false), [200]);
    assert_eq!(ledger.record(&world, REP, form(1, None)).unwrap_err().code, Code::NothingToAllocate);
    ledger.verify();
}

#[test]
fn plans_are_judged_item_by_item() {
    let world = World::new();
    let invoices = [(90, true), (50, false), (120, true)];
    let ledger = Ledger::new(&world, CollectionScheme::ByInvoice, &[300], &invoices);
    let [first, draft, third] = [0, 1, 2].map(|at| ledger.invoices[at].id);
    let installment = ledger.installments[0].id;
    let stranger = InvoiceId(Uuid::from_u128(4));
    let refused = |minor, plan: Vec<AllocationPlan>| {
        let mut tried = ledger.clone();
        let refusal = tried.record(&world, REP, form(minor, Some(plan))).unwrap_err();
        assert_eq!(tried, ledger);
        (refusal.code, refusal.errors.first().map(|error| error.pointer.clone()).unwrap_or_default())
    };
    let no_pointer = String::new();
    assert_eq!(refused(91, vec![on_invoice(first, 91)]), (Code::AllocationExceedsOpen, no_pointer.clone()));
    assert_eq!(refused(50, vec![on_invoice(draft, 50)]), (Code::AllocationExceedsOpen, no_pointer.clone()));
    assert_eq!(refused(90, vec![on_invoice(first, 80)]), (Code::AllocationMismatch, no_pointer.clone()));
    let two = vec![on_invoice(first, 90), on_invoice(third, 20)];
    assert_eq!(refused(100, two), (Code::AllocationMismatch, no_pointer));
    let unknown = vec![on_invoice(first, 50), on_invoice(stranger, 50)];
    assert_eq!(refused(100, unknown), (Code::UnknownReference, "/allocations/1/invoice_id".to_owned()));
    let wrong = vec![on_installment(installment, 50)];
    assert_eq!(refused(50, wrong), (Code::ValidationFailed, "/allocations/0/invoice_id".to_owned()));
    let twice = vec![on_invoice(first, 40), on_invoice(first, 40)];
    assert_eq!(refused(80, twice), (Code::ValidationFailed, "/allocations".to_owned()));
    assert_eq!(refused(80, vec![]), (Code::ValidationFailed, "/allocations".to_owned()));
    let both = AllocationPlan { installment_id: Some(installment), ..on_invoice(first, 80) };
    assert_eq!(refused(80, vec![both]), (Code::ValidationFailed, "/allocations/0".to_owned()));
    assert_eq!(refused(80, vec![on_invoice(first, 0)]).1, "/allocations/0/amount");
    let dollars = Money::from_minor(80, Currency::USD);
    let foreign = AllocationPlan { amount: dollars, ..on_invoice(first, 80) };
    assert_eq!(refused(80, vec![foreign]).0, Code::CurrencyMismatch);
}

#[test]
fn recording_has_its_guards() {
    let world = World::new();
    let mut ledger = Ledger::new(&world, CollectionScheme::ByContract, &[300], &[]);
    let code = |ledger: &mut Ledger, by, form| ledger.record(&world, by, form).unwrap_err().code;
    assert_eq!(code(&mut ledger, OTHER_REP, form(1, None)), Code::Forbidden);
    assert_eq!(code(&mut ledger, ADMIN, form(1, None)), Code::Forbidden);
    assert_eq!(code(&mut ledger, REP, form(0, None)), Code::ValidationFailed);
    assert_eq!(code(&mut ledger, REP, form(-1, None)), Code::ValidationFailed);
    let dollars = PaymentForm { amount: Money::from_minor(1, Currency::USD), ..form(1, None) };
    assert_eq!(code(&mut ledger, REP, dollars), Code::CurrencyMismatch);
    // In the organisation's time zone it is the 10th of March.
    let tomorrow =
        PaymentForm { received_on: NaiveDate::from_ymd_opt(2026, 3, 11).unwrap(), ..form(1, None) };
    assert_eq!(code(&mut ledger, REP, tomorrow), Code::ValidationFailed);
    for status in ContractStatus::ALL.iter().filter(|status| **status != ContractStatus::Active) {
        ledger.contract.status = *status;
        assert_eq!(code(&mut ledger, REP, form(1, None)), Code::ContractNotActive);
    }
    assert!(ledger.payments.is_empty());
    ledger.verify();
}

#[test]
fn whoever_recorded_or_owns_does_not_confirm() {
    let world = World::of(&[
        (REP, Some(2), &["sales_rep", "finance"]),
        (MANAGER, Some(2), &["sales_manager"]),
        (FINANCE, None, &["finance"]),
        (SECOND_FINANCE, None, &["finance"]),
    ]);
    let mut ledger = Ledger::new(&world, CollectionScheme::ByContract, &[300], &[]);
    ledger.record(&world, FINANCE, form(100, None)).unwrap();
    let code = |ledger: &mut Ledger, by| ledger.act(&world, by, 0, PaymentAction::Confirm).unwrap_err().code;
    assert_eq!(code(&mut ledger, FINANCE), Code::SeparationOfDuties);
    assert_eq!(code(&mut ledger, REP), Code::SeparationOfDuties);
    assert_eq!(code(&mut ledger, MANAGER), Code::Forbidden);
    let named = |name: &str| offered(&world, &ledger, 0, name);
    assert_eq!(named("confirm"), Some(Code::SeparationOfDuties));
    assert_eq!((named("reject"), named("reverse")), (None, Some(Code::InvalidTransition)));
    ledger.act(&world, SECOND_FINANCE, 0, PaymentAction::Confirm).unwrap();
    assert_eq!(ledger.payments[0].0.confirmed_by, Some(crate::fixtures::user(SECOND_FINANCE)));
    ledger.verify();
}

/// Why finance is not offered to do something with the first payment, of which refunds wait.
fn offered(world: &World, ledger: &Ledger, pending: i64, action: &str) -> Option<Code> {
    let ties = PaymentTies { contract_status: ledger.contract.status, pending_refunds: cny(pending) };
    let offers = world.by(FINANCE, |ctx| ledger.payments[0].0.allowed_actions(ctx, &ties));
    offers.iter().find(|offer| offer.action == action).unwrap().reason
}

#[test]
fn what_went_back_or_whose_contract_ended_is_not_offered() {
    let world = World::new();
    let mut ledger = Ledger::new(&world, CollectionScheme::ByContract, &[300], &[]);
    ledger.record(&world, REP, form(100, None)).unwrap();
    ledger.act(&world, FINANCE, 0, PaymentAction::Confirm).unwrap();
    let expect = |ledger: &Ledger, reverse: Option<Code>, reallocate: Option<Code>| {
        for (action, code) in [(PaymentAction::Reverse, reverse), (PaymentAction::Reallocate, reallocate)] {
            assert_eq!(offered(&world, ledger, 0, action.as_str()), code, "{action}");
            let done = ledger.clone().act(&world, FINANCE, 0, action);
            assert_eq!(done.err().map(|refusal| refusal.code), code, "{action}");
        }
    };
    expect(&ledger, None, None);
    // What waits to go back is known to the offer from elsewhere, as to the call.
    assert_eq!(offered(&world, &ledger, 1, "reverse"), Some(Code::PaymentRefunded));
    assert_eq!(offered(&world, &ledger, 1, "reallocate"), None);
    ledger.contract.status = ContractStatus::Terminated;
    expect(&ledger, None, Some(Code::ContractNotActive));
    ledger.contract.status = ContractStatus::Active;
    ledger.refund(&world, 0, 40).unwrap();
    expect(&ledger, Some(Code::PaymentRefunded), None);
    ledger.contract.status = ContractStatus::Terminated;
    expect(&ledger, Some(Code::PaymentRefunded), Some(Code::ContractNotActive));
}

#[test]
fn only_what_describes_a_recorded_payment_changes() {
    let world = World::new();
    let mut ledger = Ledger::new(&world, CollectionScheme::ByContract, &[300], &[]);
    ledger.record(&world, REP, form(100, None)).unwrap();
    let details = ledger.payments[0].0.details.clone();
    let edit = |ledger: &mut Ledger, by, details: PaymentDetails| {
        let form = Valid::check(details).unwrap();
        world.by(by, |ctx| ledger.payments[0].0.edit(ctx, form)).map_err(|refusal| refusal.code)
    };
    let note = PaymentDetails { note: Some(Prose::new("In two parts")), ..details.clone() };
    assert!(edit(&mut ledger, REP, note.clone()).is_ok());
    assert_eq!(edit(&mut ledger, OTHER_REP, note.clone()), Err(Code::Forbidden));
    let more = PaymentDetails { amount: cny(101), ..details.clone() };
    assert_eq!(edit(&mut ledger, REP, more), Err(Code::ValidationFailed));
    let elsewhere = PaymentDetails { contract_id: ContractId(Uuid::from_u128(81)), ..details.clone() };
    assert_eq!(edit(&mut ledger, REP, elsewhere), Err(Code::ValidationFailed));
    let late = PaymentDetails { received_on: NaiveDate::from_ymd_opt(2026, 3, 11).unwrap(), ..details };
    assert_eq!(edit(&mut ledger, REP, late), Err(Code::ValidationFailed));
    ledger.act(&world, FINANCE, 0, PaymentAction::Confirm).unwrap();
    let other = PaymentDetails { note: Some(Prose::new("In three parts")), ..note.clone() };
    assert_eq!(edit(&mut ledger, REP, other.clone()), Err(Code::Forbidden));
    assert_eq!(edit(&mut ledger, FINANCE, other), Err(Code::InvalidTransition));
    let labelled = PaymentDetails { labels: Tags(vec![Tag::new("commission settled")]), ..note };
    assert_eq!(edit(&mut ledger, REP, labelled.clone()), Err(Code::Forbidden), "whose commission it is");
    assert!(edit(&mut ledger, FINANCE, labelled).is_ok(), "labels always");
}

#[test]
fn nothing_paid_is_lost_by_a_termination() {
    let world = World::new();
    let mut ledger = Ledger::new(&world, CollectionScheme::ByContract, &[100, 200], &[]);
    for minor in [100, 60, 40] {
        ledger.record(&world, REP, form(minor, None)).unwrap();
    }
    ledger.act(&world, FINANCE, 0, PaymentAction::Confirm).unwrap();
    let (contract, installments) = (&mut ledger.contract, &mut ledger.installments);
    world.by(MANAGER, |ctx| contract.terminate(ctx, Line::new("They left"))).unwrap();
    assert_eq!(close_installments(installments), [installments[1].id]);
    assert_eq!(close_installments(installments), []);
    ledger.act(&world, FINANCE, 1, PaymentAction::Confirm).unwrap();
    ledger.act(&world, FINANCE, 2, PaymentAction::Reject).unwrap();
    assert_eq!(ledger.contract.sums.paid, cny(160));
    // The paid installment does not become due again when its payment is taken back.
    ledger.act(&world, FINANCE, 0, PaymentAction::Reverse).unwrap();
    assert!(ledger.installments.iter().all(|part| part.closed));
    assert_eq!(ledger.contract.status, ContractStatus::Terminated);
    ledger.verify();
}

#[test]
fn a_contract_completes_and_runs_again() {
    let world = World::new();
    let mut ledger = Ledger::new(&world, CollectionScheme::ByInvoice, &[300], &[(300, true)]);
    let settle = |ledger: &mut Ledger| world.by(FINANCE, |ctx| ledger.contract.settle(ctx)).unwrap();
    ledger.record(&world, REP, form(300, None)).unwrap();
    assert_eq!(settle(&mut ledger), None);
    ledger.act(&world, FINANCE, 0, PaymentAction::Confirm).unwrap();
    assert_eq!(settle(&mut ledger), Some(Event("contract.completed")));
    assert_eq!(settle(&mut ledger), None);
    ledger.act(&world, FINANCE, 0, PaymentAction::Reverse).unwrap();
    assert_eq!(settle(&mut ledger), Some(Event("contract.reactivated")));
    ledger.verify();
}

// Random histories.

#[derive(Debug, Clone)]
enum Move {
    Record(i64),
    /// An amount and where to begin putting it, with the size of each part.
    Planned(i64, usize, i64),
    Act(usize, PaymentAction, u128),
    Refund(usize, i64),
    Terminate,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let action = proptest::sample::select(PaymentAction::ALL);
    let by = proptest::sample::select(vec![FINANCE, SECOND_FINANCE, REP]);
    let one = prop_oneof![
        4 => (1..400_i64).prop_map(Move::Record),
        4 => (1..400_i64, 0..5_usize, 1..200_i64).prop_map(|(minor, at, part)| Move::Planned(minor, at, part)),
        8 => (0..20_usize, action, by).prop_map(|(at, action, by)| Move::Act(at, action, by)),
        2 => (0..20_usize, 1..200_i64).prop_map(|(at, minor)| Move::Refund(at, minor)),
        1 => Just(Move::Terminate),
    ];
    proptest::collection::vec(one, 0..40)
}

/// Cuts an amount into parts and puts them on targets, one after the other.
fn plan(ledger: &Ledger, minor: i64, at: usize, part: i64) -> Vec<AllocationPlan> {
    let (mut rest, mut at, mut plans) = (minor, at, Vec::new());
    while rest > 0 && plans.len() < 5 {
        let minor = rest.min(part);
        plans.push(match ledger.contract.details.collection_scheme {
            CollectionScheme::ByInvoice => on_invoice(ledger.invoices[at % ledger.invoices.len()].id, minor),
            CollectionScheme::ByContract => {
                on_installment(ledger.installments[at % ledger.installments.len()].id, minor)
            }
        });
        (rest, at) = (rest - minor, at + 1);
    }
    plans
}

fn scene() -> impl Strategy<Value = (CollectionScheme, Vec<i64>, Vec<(i64, bool)>)> {
    let scheme = proptest::sample::select(CollectionScheme::ALL);
    let parts = proptest::collection::vec(1..400_i64, 1..6);
    let invoices = proptest::collection::vec((1..300_i64, proptest::bool::weighted(0.8)), 1..6);
    (scheme, parts, invoices).prop_map(|(scheme, parts, mut invoices)| {
        let mut room: i64 = parts.iter().sum();
        // Issued invoices stay within the contract's amount.
        for (minor, issued) in &mut invoices {
            *issued = *issued && *minor <= room;
            room -= if *issued { *minor } else { 0 };
        }
        (scheme, parts, invoices)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever happens in whatever order: the sums are those of the rows, no target takes more than its
    /// amount, a refusal changes nothing, and when all is taken back all is as it was.
    #[test]
    fn sums_follow_from_rows((scheme, parts, invoices) in scene(), moves in moves()) {
        let world = World::new();
        let mut ledger = Ledger::new(&world, scheme, &parts, &invoices);
        let start = ledger.clone();
        for step in moves {
            let before = ledger.clone();
            let answer = match step {
                Move::Record(minor) => ledger.record(&world, REP, form(minor, None)),
                Move::Planned(minor, at, part) => {
                    let plan = plan(&ledger, minor, at, part);
                    ledger.record(&world, FINANCE, form(minor, Some(plan)))
                }
                Move::Act(at, ..) | Move::Refund(at, _) if at >= ledger.payments.len() => Ok(()),
                Move::Refund(at, minor) => ledger.refund(&world, at, minor),
                Move::Act(at, action, by) => ledger.act(&world, by, at, action).map(|_| ()),
                Move::Terminate => {
                    let (contract, installments) = (&mut ledger.contract, &mut ledger.installments);
                    let ended = world.by(MANAGER, |ctx| contract.terminate(ctx, Line::new("They left")));
                    ended.map(|_| { close_installments(installments); })
                }
            };
            if let Err(refusal) = answer {
                prop_assert_ne!(refusal.code, Code::Internal);
                prop_assert_eq!(&ledger, &before);
            }
            ledger.verify();
        }
        for at in 0..ledger.payments.len() {
            let action = match ledger.payments[at].0.status {
                PaymentStatus::Recorded => PaymentAction::Reject,
                PaymentStatus::Confirmed if ledger.payments[at].0.refunded.is_positive() => {
                    let left = ledger.payments[at].0.left().unwrap().minor();
                    ledger.refund(&world, at, left).unwrap();
                    ledger.verify();
                    continue;
                }
                PaymentStatus::Confirmed => PaymentAction::Reverse,
                _ => continue,
            };
            ledger.act(&world, FINANCE, at, action).unwrap();
            ledger.verify();
        }
        prop_assert_eq!(ledger.contract.sums, start.contract.sums);
        prop_assert_eq!(&ledger.invoices, &start.invoices);
        let open = |ledger: &Ledger| -> Vec<(Money, Money)> {
            ledger.installments.iter().map(|part| (part.allocated, part.paid)).collect()
        };
        prop_assert_eq!(open(&ledger), open(&start));
    }
}
