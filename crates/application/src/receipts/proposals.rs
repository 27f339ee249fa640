//! What a receipt may pay: by the bank's reference, by numbers that are written on it, by who paid, and by the amount.

use std::collections::{BTreeMap, BTreeSet};

use fairlead_domain::contract::{Contract, Installment};
use fairlead_domain::customer::Customer;
use fairlead_domain::invoice::Invoice;
use fairlead_domain::payment::Payment;
use fairlead_domain::receipt::{MatchReason, Receipt, is_open_amount, score};
use fairlead_domain::values::{ContractId, Number, PaymentId, ReceiptId};
use fairlead_persistence::{Predicate, Reader};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::call::{Call, Failure, Read};
use crate::change;
use crate::views::{ContractRef, CustomerRef};

/// How many contracts are looked at for one reason.
const MOST: u64 = 50;

/// Something that a receipt may pay.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Proposal {
    /// The contract.
    pub contract: ContractRef,
    /// Its customer; none where the caller may not see it.
    #[schema(required)]
    pub customer: Option<CustomerRef>,
    /// The payment that was recorded already, where one is meant.
    #[schema(required)]
    pub payment_id: Option<PaymentId>,
    /// Its number.
    #[schema(required)]
    pub payment_number: Option<Number>,
    /// Why.
    #[schema(max_items = 4)]
    pub reasons: Vec<MatchReason>,
    /// How likely it is, from 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub score: i64,
}

/// What a receipt may pay, the likeliest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Proposals {
    /// At most ten.
    #[schema(max_items = 10)]
    pub data: Vec<Proposal>,
}

fn any(column: &'static str, texts: &[String]) -> Predicate {
    Predicate::Any(texts.iter().map(|text| Predicate::Is(column, text.clone().into())).collect())
}

fn running() -> Predicate {
    Predicate::Is("status", "active".into())
}

/// The contracts that something speaks for, and what.
#[derive(Default)]
struct Found {
    contracts: BTreeMap<ContractId, (Contract, BTreeSet<MatchReason>)>,
}

impl Found {
    fn add(&mut self, contracts: Vec<Contract>, reason: MatchReason) {
        for contract in contracts {
            let entry = self.contracts.entry(contract.id).or_insert_with(|| (contract, BTreeSet::new()));
            entry.1.insert(reason);
        }
    }
}

/// What a receipt may pay.
pub async fn proposals(app: &App, call: &Call, id: ReceiptId) -> Read<Proposals> {
    app.read(call, async |ctx, reader| {
        let receipt: Receipt = change::read(ctx, reader, id).await?;
        let mut meant = recorded(reader, &receipt).await?;
        let mut found = Found::default();
        by_number(reader, &receipt, &mut found).await?;
        by_payer(reader, &receipt, &mut found).await?;
        by_amount(reader, &receipt, &mut found).await?;
        let currency = receipt.details.amount.currency();
        for (contract, reasons) in found.contracts.into_values() {
            if contract.running().is_ok() && contract.details.amount.currency() == currency {
                meant.push(Meant { contract, payment: None, reasons: reasons.into_iter().collect() });
            }
        }
        meant.retain(|it| it.contract.reveal(ctx).is_ok());
        meant.sort_by_key(|it| (-score(&it.reasons), it.payment.is_none()));
        meant.truncate(10);
        let customers = meant.iter().map(|it| it.contract.details.customer_id.0).collect();
        let customers: Vec<Customer> = reader.some(customers).await?;
        let seen = |contract: &Contract| {
            let customer = customers.iter().find(|customer| customer.id == contract.details.customer_id);
            customer.filter(|customer| customer.reveal(ctx).is_ok()).map(Into::into)
        };
        let proposal = |it: Meant| Proposal {
            contract: (&it.contract).into(),
            customer: seen(&it.contract),
            payment_id: it.payment.as_ref().map(|payment| payment.id),
            payment_number: it.payment.map(|payment| payment.number),
            score: score(&it.reasons),
            reasons: it.reasons,
        };
        Ok(Proposals { data: meant.into_iter().map(proposal).collect() })
    })
    .await
}

/// What a receipt may pay, before it is known what the caller sees of it.
struct Meant {
    contract: Contract,
    payment: Option<Payment>,
    reasons: Vec<MatchReason>,
}

/// Payments that were recorded by hand before the bank's statement came.
async fn recorded(reader: &Reader<'_>, receipt: &Receipt) -> Result<Vec<Meant>, Failure> {
    let Some(key) = receipt.details.reference_key() else { return Ok(Vec::new()) };
    let same = Predicate::All(vec![
        Predicate::Is("bank_reference_key", key.into()),
        Predicate::Is("method", receipt.details.method.as_str().into()),
        Predicate::Any(["recorded", "confirmed"].map(|status| Predicate::Is("status", status.into())).into()),
    ]);
    let mut payments: Vec<Payment> = reader.first(same, MOST).await?;
    payments.retain(|payment| payment.details.amount == receipt.details.amount);
    let contracts = payments.iter().map(|payment| payment.details.contract_id.0).collect();
    let contracts: Vec<Contract> = reader.some(contracts).await?;
    let meant = payments.into_iter().filter_map(|payment| {
        let contract = contracts.iter().find(|it| it.id == payment.details.contract_id)?.clone();
        let reasons = vec![MatchReason::Reference, MatchReason::Amount];
        Some(Meant { contract, payment: Some(payment), reasons })
    });
    Ok(meant.collect())
}

async fn by_number(reader: &Reader<'_>, receipt: &Receipt, found: &mut Found) -> Result<(), Failure> {
    let numbers = receipt.details.numbers();
    if numbers.is_empty() {
        return Ok(());
    }
    let invoices: Vec<Invoice> = reader.first(any("number", &numbers), MOST).await?;
    let of_invoices = Predicate::ids(invoices.iter().map(|invoice| invoice.details.contract_id.0));
    let named = Predicate::Any(vec![any("number", &numbers), of_invoices]);
    found.add(reader.first(named, MOST).await?, MatchReason::Number);
    Ok(())
}

async fn by_payer(reader: &Reader<'_>, receipt: &Receipt, found: &mut Found) -> Result<(), Failure> {
    let Some(payer) = receipt.details.payer_key() else { return Ok(()) };
    let customers: Vec<Customer> = reader.first(Predicate::Is("name_key", payer.into()), MOST).await?;
    let theirs = Predicate::In("customer_id", customers.iter().map(|customer| customer.id.0).collect());
    let theirs = Predicate::All(vec![theirs, running()]);
    found.add(reader.first(theirs, MOST).await?, MatchReason::Payer);
    Ok(())
}

/// What else speaks for a contract is confirmed by the amount; where nothing does, the amount alone is something.
async fn by_amount(reader: &Reader<'_>, receipt: &Receipt, found: &mut Found) -> Result<(), Failure> {
    let amount = receipt.details.amount;
    if found.contracts.is_empty() {
        let open = |column| Predicate::Is(column, amount.minor().into());
        let whole = Predicate::All(vec![running(), open("(amount_minor - received_minor)")]);
        let contracts: Vec<Contract> = reader.first(whole, MOST).await?;
        found.add(contracts, MatchReason::Amount);
        let parts = vec![Predicate::Is("closed", false.into()), open("(amount_minor - allocated_minor)")];
        let parts: Vec<Installment> = reader.first(Predicate::All(parts), MOST).await?;
        let of_parts = Predicate::ids(parts.iter().map(|part| part.contract_id.0));
        found.add(reader.first(of_parts, MOST).await?, MatchReason::Amount);
        return Ok(());
    }
    let all = || Predicate::In("contract_id", found.contracts.keys().map(|id| id.0).collect());
    let installments: Vec<Installment> = reader.all(all()).await?;
    let invoices: Vec<Invoice> = reader.all(all()).await?;
    for (contract, reasons) in found.contracts.values_mut() {
        let id = contract.id;
        let installments: Vec<_> = installments.iter().filter(|it| it.contract_id == id).cloned().collect();
        let invoices: Vec<_> = invoices.iter().filter(|it| it.details.contract_id == id).cloned().collect();
        if is_open_amount(amount, contract, &installments, &invoices) {
            reasons.insert(MatchReason::Amount);
        }
    }
    Ok(())
}
