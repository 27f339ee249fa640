//! Payments (回款).

use fairlead_domain::access::Permission;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::{Contract, Installment};
use fairlead_domain::error::Refusal;
use fairlead_domain::invoice::Invoice;
use fairlead_domain::patch::Patch;
use fairlead_domain::payment::{
    Allocation, Payment, PaymentDetails, PaymentForm, PaymentMethod, PaymentStatus,
};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{ContractId, Line, NumberKind, PaymentId};
use fairlead_persistence::{Predicate, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::{save_changed, there};
use crate::contracts::{named_contract, of_contract, settle_and_save};
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::summary;

/// A payment with what it settles.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaymentView {
    /// The record.
    #[serde(flatten)]
    pub record: Payment,
    /// On which invoices and installments it was put.
    #[schema(max_items = 400)]
    pub allocations: Vec<Allocation>,
    /// What the caller may do with it now. What depends on other records is judged when it is done.
    #[schema(max_items = 20)]
    pub allowed_actions: Vec<fairlead_domain::workflow::AllowedAction>,
}

impl Versioned for PaymentView {
    fn version(&self) -> i64 {
        self.record.version
    }
}

summary!(Payment, /// A payment in a list.
    PaymentSummary);

/// What a list of payments can be asked.
pub static LISTING: Listing = Listing {
    resource: "payments",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("updated_at", Kind::Timestamp).sortable(),
        Field::new("number", Kind::Text).sortable(),
        Field::new("contract_id", Kind::Id),
        Field::new("customer_id", Kind::Id),
        Field::new("owner_id", Kind::Id),
        Field::new("status", words!(PaymentStatus)),
        Field::new("method", words!(PaymentMethod)),
        Field::new("bank_reference", Kind::Text).nullable(),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").sortable(),
        Field::new("received_on", Kind::Date).sortable(),
        Field::new("confirmed_at", Kind::Timestamp).nullable().sortable(),
    ],
    search: &["number", "bank_reference", "payer"],
    default_sort: "-created_at",
    includes: &["owner", "customer", "contract"],
};

/// Why a payment is rejected or reversed.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndForm {
    /// Why.
    #[validate(nested)]
    pub reason: Line,
}

fn view(ctx: &Context, payment: Payment, allocations: Vec<Allocation>) -> PaymentView {
    PaymentView { allowed_actions: payment.allowed_actions(ctx), record: payment, allocations }
}

/// A contract with everything that payments settle. The contract's lock keeps all of it still.
struct Books {
    contract: Contract,
    invoices: Vec<Invoice>,
    installments: Vec<Installment>,
}

impl Books {
    async fn open(work: &Work, contract: Contract) -> Result<Self, Failure> {
        let invoices = work.load_all(of_contract(contract.id)).await?;
        let installments = work.load_all(of_contract(contract.id)).await?;
        Ok(Self { contract, invoices, installments })
    }

    /// Lets a rule change the books, and writes what it changed.
    async fn post<T>(
        self,
        ctx: &Context<'_>,
        work: &mut Work,
        rule: impl FnOnce(&mut Contract, &mut [Invoice], &mut [Installment]) -> Result<T, Refusal>,
    ) -> Result<T, Failure> {
        let (mut contract, mut invoices, mut installments) =
            (self.contract.clone(), self.invoices.clone(), self.installments.clone());
        let outcome = rule(&mut contract, &mut invoices, &mut installments)?;
        for (before, after) in self.invoices.iter().zip(&mut invoices) {
            save_changed(work, before, after, Event("invoice.allocation_changed")).await?;
        }
        for (before, after) in self.installments.iter().zip(&mut installments) {
            save_changed(work, before, after, Event("installment.allocation_changed")).await?;
        }
        settle_and_save(ctx, work, &self.contract, contract, Event("contract.sums_changed")).await?;
        Ok(outcome)
    }
}

fn of_payment(id: PaymentId) -> Predicate {
    Predicate::Is("payment_id", id.0.into())
}

/// One payment.
pub async fn get(app: &App, call: &Call, id: PaymentId) -> Read<PaymentView> {
    app.read(call, async |ctx, reader| {
        let payment: Payment = there(reader.one(id).await?)?;
        payment.reveal(ctx)?;
        let allocations = reader.all(of_payment(id)).await?;
        Ok(view(ctx, payment, allocations))
    })
    .await
}

/// The payments that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<PaymentSummary>> {
    app.read(call, async |ctx, reader| {
        let visible = lists::scope(ctx, Permission::PaymentsRead, "customer_id")?;
        let links = |payment: &Payment| Links {
            owner: Some(payment.owner_id),
            customer: Some(payment.customer_id),
            contract: Some(payment.details.contract_id),
        };
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Records a payment and puts it on what it settles.
pub async fn create(app: &App, call: &Call, form: Valid<PaymentForm>) -> Written<PaymentView> {
    app.write(call, async |ctx, work| {
        let contract = named_contract(ctx, work, form.contract_id).await?;
        let number = work.next_number(NumberKind::Payment, ctx.today().year()).await?;
        let id = work.new_id();
        let books = Books::open(work, contract).await?;
        let (payment, allocations, event) = books
            .post(ctx, work, |contract, invoices, installments| {
                let next = || app.new_uuid().into();
                Payment::record(ctx, id, number.clone(), contract, invoices, installments, form.clone(), next)
            })
            .await?;
        work.insert(&payment, event).await?;
        for allocation in &allocations {
            work.insert(allocation, Event("payment.allocated")).await?;
        }
        Ok(view(ctx, payment, allocations))
    })
    .await
}

/// Locks the contract first, then the payment: the order in which everybody locks.
async fn load(ctx: &Context<'_>, work: &Work, id: PaymentId) -> Result<(Contract, Payment), Failure> {
    let found: Payment = there(work.find(id).await?)?;
    found.reveal(ctx)?;
    let contract_id: ContractId = found.details.contract_id;
    let contract = there(work.load(contract_id).await?)?;
    let payment = there(work.load(id).await?)?;
    Ok((contract, payment))
}

/// Corrects what was said about a payment.
pub async fn update(
    app: &App,
    call: &Call,
    id: PaymentId,
    patch: Patch<PaymentDetails>,
) -> Written<PaymentView> {
    app.write(call, async |ctx, work| {
        let (_, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        before.may_update(ctx)?;
        let mut after = before.clone();
        let event = after.edit(ctx, patch.apply(&before.details)?)?;
        work.save(&before, &mut after, event).await?;
        let allocations = work.find_all(of_payment(id)).await?;
        Ok(view(ctx, after, allocations))
    })
    .await
}

type Step = fn(
    &mut Payment,
    &Context<'_>,
    (&mut Contract, &mut [Invoice], &mut [Installment], &[Allocation]),
    Option<Line>,
) -> Result<Event, Refusal>;

async fn take(
    app: &App,
    call: &Call,
    id: PaymentId,
    reason: Option<Line>,
    step: Step,
) -> Written<PaymentView> {
    app.write(call, async |ctx, work| {
        let (contract, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        let allocations: Vec<Allocation> = work.find_all(of_payment(id)).await?;
        let mut after = before.clone();
        let books = Books::open(work, contract).await?;
        let event = books
            .post(ctx, work, |contract, invoices, installments| {
                step(&mut after, ctx, (contract, invoices, installments, &allocations), reason.clone())
            })
            .await?;
        work.save(&before, &mut after, event).await?;
        Ok(view(ctx, after, allocations))
    })
    .await
}

/// Says that the money arrived.
pub async fn confirm(app: &App, call: &Call, id: PaymentId) -> Written<PaymentView> {
    take(app, call, id, None, |payment, ctx, (contract, invoices, installments, allocations), _| {
        payment.confirm(ctx, contract, invoices, installments, allocations)
    })
    .await
}

fn given(reason: Option<Line>) -> Result<Line, Refusal> {
    reason.ok_or_else(|| Refusal::invalid("/reason", "required", "say why"))
}

/// Says that the money did not arrive.
pub async fn reject(app: &App, call: &Call, id: PaymentId, form: Valid<EndForm>) -> Written<PaymentView> {
    let reason = Some(form.reason.clone());
    take(app, call, id, reason, |payment, ctx, (contract, invoices, installments, allocations), reason| {
        payment.reject(ctx, contract, invoices, installments, allocations, given(reason)?)
    })
    .await
}

/// Takes a confirmed payment back.
pub async fn reverse(app: &App, call: &Call, id: PaymentId, form: Valid<EndForm>) -> Written<PaymentView> {
    let reason = Some(form.reason.clone());
    take(app, call, id, reason, |payment, ctx, (contract, invoices, installments, allocations), reason| {
        payment.reverse(ctx, contract, invoices, installments, allocations, given(reason)?)
    })
    .await
}
