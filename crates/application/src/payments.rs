//! Payments (回款).

use fairlead_domain::access::Permission;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::{Contract, Installment};
use fairlead_domain::error::{Refusal, Rule};
use fairlead_domain::invoice::Invoice;
use fairlead_domain::patch::Patch;
use fairlead_domain::payment::{
    Allocation, Anew, Payment, PaymentDetails, PaymentForm, PaymentMethod, PaymentStatus, PaymentTies,
    ReallocateForm,
};
use fairlead_domain::text_enum;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{ContractId, Line, NumberKind, PaymentId, Tags};
use fairlead_persistence::{Predicate, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::app::App;
use crate::bulk::{self, BulkMode, BulkResult};
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::{save_changed, there};
use crate::clock::new_id;
use crate::contracts::{named_contract, of_contract, settle_and_save};
use crate::listing::{Field, Include, Kind, ListRequest, Listing, MAX_INTEGER};
use crate::lists::{self, Links, words};
use crate::receipts;
use crate::views::{Related, summary};

/// A payment with what it settles.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaymentView {
    /// The record.
    #[serde(flatten)]
    pub record: Payment,
    /// On which invoices and installments it was put.
    #[schema(max_items = 400)]
    pub allocations: Vec<Allocation>,
    /// What the caller may do with it now. What depends on sums of others, such as what is open on the contract, is
    /// judged when it is done.
    #[schema(max_items = 20)]
    pub allowed_actions: Vec<fairlead_domain::workflow::AllowedAction>,
}

impl Versioned for PaymentView {
    fn version(&self) -> i64 {
        self.record.version
    }
}

summary!(Payment, /// A payment in a list.
    PaymentSummary, [owner: WithOwner, customer: WithCustomer, contract: WithContract]);

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
        Field::new("payer", Kind::Text).nullable(),
        Field::new("labels", Kind::Tags),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").sortable(),
        Field::new("received_on", Kind::Date).sortable(),
        Field::new("confirmed_at", Kind::Timestamp).nullable().sortable(),
    ],
    search: &["number", "bank_reference", "payer"],
    default_sort: "-created_at",
    includes: PaymentSummary::INCLUDES,
};

/// Why a payment is rejected or reversed.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "reason": "Not meant for us"
}))]
pub struct EndForm {
    /// Why.
    #[validate(nested)]
    pub reason: Line,
}

/// A payment with its allocations that count, as its caller sees it.
async fn seen(
    ctx: &Context<'_>,
    work: &Work,
    (payment, allocations): (Payment, Vec<Allocation>),
) -> Result<PaymentView, Failure> {
    let ties = work.ties(&payment).await?;
    Ok(view(ctx, payment, allocations, &ties))
}

fn view(ctx: &Context, payment: Payment, allocations: Vec<Allocation>, ties: &PaymentTies) -> PaymentView {
    PaymentView { allowed_actions: payment.allowed_actions(ctx, ties), record: payment, allocations }
}

/// A contract with everything that payments settle. The contract's lock keeps all of it still.
pub(crate) struct Books {
    contract: Contract,
    invoices: Vec<Invoice>,
    installments: Vec<Installment>,
}

impl Books {
    pub(crate) async fn open(work: &Work, contract: Contract) -> Result<Self, Failure> {
        let invoices = work.load_all(of_contract(contract.id)).await?;
        let installments = work.load_all(of_contract(contract.id)).await?;
        Ok(Self { contract, invoices, installments })
    }

    /// Lets a rule change the books, and writes what it changed.
    pub(crate) async fn post<T>(
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
            after.note_reopened(before);
            save_changed(work, before, after, Event("installment.allocation_changed")).await?;
        }
        settle_and_save(ctx, work, &self.contract, contract, Event("contract.sums_changed")).await?;
        Ok(outcome)
    }
}

/// The allocations of a payment that count.
pub(crate) fn of_payment(id: PaymentId) -> Predicate {
    Predicate::All(vec![Predicate::Is("payment_id", id.0.into()), Predicate::Is("void", false.into())])
}

/// Writes that a payment is allocated anew.
pub(crate) async fn save_anew(work: &mut Work, before: &[Allocation], mut anew: Anew) -> Result<(), Failure> {
    for (before, after) in before.iter().zip(&mut anew.void) {
        work.save(before, after, Event("payment.allocation_voided")).await?;
    }
    for allocation in &anew.live {
        work.insert(allocation, Event("payment.allocated")).await?;
    }
    Ok(())
}

/// What a payment refers to.
fn links(payment: &Payment) -> Links {
    Links {
        owner: Some(payment.owner_id),
        customer: Some(payment.customer_id),
        contract: Some(payment.details.contract_id),
        ..Links::default()
    }
}

/// One payment.
pub async fn get(app: &App, call: &Call, id: PaymentId, include: Include) -> Read<Related<PaymentView>> {
    app.read(call, async |ctx, reader| {
        let (payment, ties): (Payment, _) = there(reader.tied(id).await?)?;
        payment.reveal(ctx)?;
        let allocations = reader.all(of_payment(id)).await?;
        let links = links(&payment);
        lists::related(ctx, reader, &include, links, view(ctx, payment, allocations, &ties)).await
    })
    .await
}

/// The payments that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<PaymentSummary>> {
    app.read(call, async |ctx, reader| {
        let visible = lists::scope(ctx, Permission::PaymentsRead, "customer_id")?;
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Records a payment and puts it on what it settles.
pub async fn create(app: &App, call: &Call, form: Valid<PaymentForm>) -> Written<PaymentView> {
    app.write(call, async |ctx, work| {
        let recorded = record(ctx, work, form.clone()).await?;
        seen(ctx, work, recorded).await
    })
    .await
}

pub(crate) async fn record(
    ctx: &Context<'_>,
    work: &mut Work,
    form: Valid<PaymentForm>,
) -> Result<(Payment, Vec<Allocation>), Failure> {
    let contract = named_contract(ctx, work, form.contract_id).await?;
    let number = work.next_number(NumberKind::Payment, ctx.today().year()).await?;
    let (id, next) = (work.new_id(), work.ids());
    let books = Books::open(work, contract).await?;
    let (payment, allocations, event) = books
        .post(ctx, work, |contract, invoices, installments| {
            Payment::record(ctx, id, number, contract, invoices, installments, form, || next().into())
        })
        .await?;
    work.insert(&payment, event).await?;
    for allocation in &allocations {
        work.insert(allocation, Event("payment.allocated")).await?;
    }
    Ok((payment, allocations))
}

/// Locks the contract first, then the payment: the order in which everybody locks.
pub(crate) async fn load(
    ctx: &Context<'_>,
    work: &Work,
    id: PaymentId,
) -> Result<(Contract, Payment), Failure> {
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
        seen(ctx, work, (after, allocations)).await
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
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    (id, reason): (PaymentId, Option<Line>),
    step: Step,
) -> Result<(Payment, Vec<Allocation>), Failure> {
    let (contract, before) = load(ctx, work, id).await?;
    call.check_version(before.version)?;
    let allocations: Vec<Allocation> = work.find_all(of_payment(id)).await?;
    let mut after = before.clone();
    let books = Books::open(work, contract).await?;
    let event = books
        .post(ctx, work, |contract, invoices, installments| {
            step(&mut after, ctx, (contract, invoices, installments, &allocations), reason)
        })
        .await?;
    work.save(&before, &mut after, event).await?;
    if after.status.frees_receipt() {
        receipts::release(work, &after).await?;
    }
    Ok((after, allocations))
}

const CONFIRM: Step = |payment, ctx, (contract, invoices, installments, allocations), _| {
    payment.confirm(ctx, contract, invoices, installments, allocations)
};
const REJECT: Step = |payment, ctx, (contract, invoices, installments, allocations), reason| {
    payment.reject(ctx, contract, invoices, installments, allocations, given(reason)?)
};
const REVERSE: Step = |payment, ctx, (contract, invoices, installments, allocations), reason| {
    payment.reverse(ctx, contract, invoices, installments, allocations, given(reason)?)
};

/// Says that the money arrived.
pub async fn confirm(app: &App, call: &Call, id: PaymentId) -> Written<PaymentView> {
    app.write(call, async |ctx, work| {
        let confirmed = take(ctx, work, call, (id, None), CONFIRM).await?;
        seen(ctx, work, confirmed).await
    })
    .await
}

fn given(reason: Option<Line>) -> Result<Line, Refusal> {
    reason.ok_or_else(|| Refusal::invalid("/reason", Rule::Required, "say why"))
}

/// Says that the money did not arrive.
pub async fn reject(app: &App, call: &Call, id: PaymentId, form: Valid<EndForm>) -> Written<PaymentView> {
    let end = || (id, Some(form.reason.clone()));
    app.write(call, async |ctx, work| {
        let rejected = take(ctx, work, call, end(), REJECT).await?;
        seen(ctx, work, rejected).await
    })
    .await
}

/// Takes a confirmed payment back.
pub async fn reverse(app: &App, call: &Call, id: PaymentId, form: Valid<EndForm>) -> Written<PaymentView> {
    let end = || (id, Some(form.reason.clone()));
    app.write(call, async |ctx, work| {
        let reversed = take(ctx, work, call, end(), REVERSE).await?;
        // What waits to be paid back would be paid back of nothing.
        let ties: PaymentTies = work.ties(&reversed.0).await?;
        reversed.0.no_refunds(ties.pending_refunds)?;
        seen(ctx, work, reversed).await
    })
    .await
}

/// Puts a payment on other invoices or installments of its contract.
pub async fn reallocate(
    app: &App,
    call: &Call,
    id: PaymentId,
    form: Valid<ReallocateForm>,
) -> Written<PaymentView> {
    app.write(call, async |ctx, work| {
        let (contract, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        let allocations: Vec<Allocation> = work.load_all(of_payment(id)).await?;
        let books = Books::open(work, contract).await?;
        let (anew, event) = books
            .post(ctx, work, |contract, invoices, installments| {
                let next = || new_id().into();
                before.reallocate(ctx, contract, invoices, installments, &allocations, &form, next)
            })
            .await?;
        save_anew(work, &allocations, anew).await?;
        let mut after = before.clone();
        work.save(&before, &mut after, event).await?;
        let allocations = work.find_all(of_payment(id)).await?;
        seen(ctx, work, (after, allocations)).await
    })
    .await
}

text_enum! {
    /// What is done with many payments.
    pub enum PaymentBulkAction {
        /// Say that the money arrived.
        Confirm = "confirm",
        /// Say that it did not.
        Reject = "reject",
        /// Give them other labels, such as that the commission was settled.
        Label = "label" ("Label", "打标签"),
    }
}

/// One payment of a bulk call. What its action does not take is refused.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentBulkItem {
    /// Which one it is.
    pub id: PaymentId,
    /// The version that the caller believes to change.
    #[serde(default)]
    #[validate(range(min = 1, max = MAX_INTEGER, message = "must be between 1 and 2^53"))]
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// Why; to reject.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Line>,
    /// All of its labels; to label.
    #[serde(default)]
    #[validate(nested)]
    pub labels: Option<Tags>,
}

/// Something that is done with many payments.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "action": "confirm",
    "mode": "best_effort",
    "items": [{"id": PaymentId::example(2)}]
}))]
pub struct PaymentBulk {
    /// What.
    pub action: PaymentBulkAction,
    /// What happens when some are refused.
    pub mode: BulkMode,
    /// With which.
    #[validate(length(min = 1, max = "bulk::MAX", message = "must have between 1 and 200 items"), nested)]
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<PaymentBulkItem>,
}

impl bulk::Operation for PaymentBulkItem {
    fn id(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> Option<i64> {
        self.version
    }
}

/// Confirms, rejects or labels many payments.
pub async fn bulk(app: &App, call: &Call, form: Valid<PaymentBulk>) -> Written<BulkResult> {
    app.write(call, async |ctx, work| {
        ctx.actor.authorize_own(Permission::PaymentsRead)?;
        bulk::distinct(&form.items)?;
        // Contracts are locked first, in one order, whatever the order of the call.
        let named = Predicate::ids(form.items.iter().map(|item| item.id.0));
        let payments: Vec<Payment> = work.find_all(named).await?;
        let contracts = payments.iter().map(|payment| payment.details.contract_id.0);
        work.load_all::<Contract>(Predicate::ids(contracts)).await?;
        bulk::run(work, call, form.mode, &form.items, async |work, call, at, item| {
            bulk::only_wanted(
                at,
                &[
                    ("reason", item.reason.is_some(), form.action == PaymentBulkAction::Reject),
                    ("labels", item.labels.is_some(), form.action == PaymentBulkAction::Label),
                ],
            )?;
            let payment = match form.action {
                PaymentBulkAction::Confirm => take(ctx, work, call, (item.id, None), CONFIRM).await?.0,
                PaymentBulkAction::Reject => {
                    let reason = bulk::needed(item.reason.as_ref(), at, "reason")?;
                    take(ctx, work, call, (item.id, Some(reason)), REJECT).await?.0
                }
                PaymentBulkAction::Label => {
                    let labels = bulk::needed(item.labels.as_ref(), at, "labels")?;
                    label(ctx, work, call, item.id, labels).await?
                }
            };
            Ok(payment.version)
        })
        .await
    })
    .await
}

async fn label(
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    id: PaymentId,
    labels: Tags,
) -> Result<Payment, Failure> {
    let (_, before) = load(ctx, work, id).await?;
    call.check_version(before.version)?;
    before.may_update(ctx)?;
    let mut after = before.clone();
    let event = after.edit(ctx, Valid::check(PaymentDetails { labels, ..before.details.clone() })?)?;
    work.save(&before, &mut after, event).await?;
    Ok(after)
}
