//! Contracts (合同).

use chrono::NaiveDate;
use fairlead_domain::access::Permission;
use fairlead_domain::amendment::Amendment;
use fairlead_domain::approval::SubjectFacts;
use fairlead_domain::catalogue::PriceBook;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::{
    CollectionScheme, Contract, ContractDetails, ContractStatus, ContractTies, Installment,
    InstallmentStatus, PlanForm, REACTIVATED, close_installments, overdue,
};
use fairlead_domain::customer::{Customer, Lifecycle, TaxProfile};
use fairlead_domain::error::Refusal;
use fairlead_domain::invoice::Invoice;
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::patch::Patch;
use fairlead_domain::payment::Payment;
use fairlead_domain::record::RecordKind;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{ContractId, InstallmentId, Line, Money, NumberKind};
use fairlead_persistence::{Predicate, StoreError, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::{self, Eyes, Resource, named, save_changed, there};
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{CustomerRef, Related, views};
use crate::{approvals, attachments, catalogue, customers, pipelines, transfers};

views!(Contract, /// A contract.
    ContractView, /// A contract in a list.
    ContractSummary, [owner: WithOwner, customer: WithCustomer, opportunity: WithOpportunity]);

/// What a list of contracts can be asked.
pub static LISTING: Listing = Listing {
    resource: "contracts",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("updated_at", Kind::Timestamp).sortable(),
        Field::new("number", Kind::Text).sortable(),
        Field::new("title", Kind::Text).sortable(),
        Field::new("customer_id", Kind::Id),
        Field::new("opportunity_id", Kind::Id).nullable(),
        Field::new("renewal_of_id", Kind::Id).nullable(),
        Field::new("owner_id", Kind::Id),
        Field::new("status", words!(ContractStatus)),
        Field::new("collection_scheme", words!(CollectionScheme)),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").sortable(),
        Field::new("paid", Kind::Money("paid_currency")).in_column("paid_minor").sortable(),
        Field::new("signed_on", Kind::Date).nullable().sortable(),
        Field::new("starts_on", Kind::Date).nullable().sortable(),
        Field::new("ends_on", Kind::Date).nullable().sortable(),
        Field::new("activated_at", Kind::Timestamp).nullable().sortable(),
    ],
    search: &["number", "title"],
    default_sort: "-created_at",
    includes: ContractSummary::INCLUDES,
};

impl Resource for Contract {
    type View = ContractView;
    type Ties = ContractTies;
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Contract::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, ties: ContractTies) -> Result<ContractView, Refusal> {
        Ok(ContractView { allowed_actions: self.allowed_actions(ctx, &ties), record: self })
    }
    async fn judged(
        self,
        ctx: &Context<'_>,
        eyes: &Eyes<'_>,
        mut ties: ContractTies,
    ) -> Result<ContractView, Failure> {
        if self.may_submit(ctx, &ties).is_ok() {
            let customer: Customer = eyes.parent(self.details.customer_id).await?;
            let prices = prices_of(ctx, eyes, &self).await?;
            ties.submission = self.check_submission(ctx, &customer, &prices).err();
        }
        Ok(self.view(ctx, ties)?)
    }
}

/// The prices that a contract's discounts are measured by.
async fn prices_of(ctx: &Context<'_>, eyes: &Eyes<'_>, contract: &Contract) -> Result<PriceBook, Failure> {
    catalogue::todays_prices(ctx, eyes, Some(contract.details.amount.currency())).await
}

/// Why a draft is given up.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "reason": "The customer postponed the project"
}))]
pub struct CancelForm {
    /// Why.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Line>,
}

/// Why a running contract ends.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "reason": "Both sides agreed to end it early"
}))]
pub struct TerminateForm {
    /// Why.
    #[validate(nested)]
    pub reason: Line,
}

/// An installment as it stands today.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InstallmentView {
    /// Its id.
    pub id: InstallmentId,
    /// Its place in the plan, from 1.
    #[schema(minimum = 1)]
    pub sequence: i64,
    /// When it is due.
    pub due_on: NaiveDate,
    /// How much.
    pub amount: Money,
    /// On what condition.
    #[schema(required)]
    pub condition: Option<Line>,
    /// What confirmed payments put on it.
    pub paid: Money,
    /// What is still to be paid.
    pub outstanding: Money,
    /// Where it stands.
    pub status: InstallmentStatus,
    /// For how many days it has been overdue.
    #[schema(minimum = 0)]
    pub overdue_days: i64,
}

/// Everything that a request for an invoice needs to know.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Billing {
    /// The contract.
    pub contract: Contract,
    /// The customer; none where the caller may not see it.
    #[schema(required)]
    pub customer: Option<CustomerRef>,
    /// What an invoice to the customer needs, the usual one first; none where the caller may not see the customer.
    #[schema(max_items = 20)]
    pub tax_profiles: Vec<TaxProfile>,
    /// The amount of all invoices that are pending, approved or issued.
    pub invoice_committed: Money,
    /// The amount of issued invoices.
    pub invoiced: Money,
    /// What may still be invoiced.
    pub invoiceable: Money,
    /// The amount of confirmed payments.
    pub paid: Money,
    /// What is still to be paid.
    pub outstanding: Money,
    /// What should have been paid by today and was not.
    pub overdue: Money,
    /// The payment plan.
    #[schema(max_items = 10000)]
    pub installments: Vec<InstallmentView>,
    /// The invoices; empty where the caller may not see invoices.
    #[schema(max_items = 10000)]
    pub invoices: Vec<Invoice>,
    /// The payments; empty where the caller may not see payments.
    #[schema(max_items = 10000)]
    pub payments: Vec<Payment>,
}

impl Versioned for Billing {
    fn version(&self) -> i64 {
        self.contract.version
    }
}

/// What a contract refers to.
fn links(contract: &Contract) -> Links {
    Links {
        owner: Some(contract.owner_id),
        customer: Some(contract.details.customer_id),
        opportunity: contract.opportunity_id,
        ..Links::default()
    }
}

/// One contract.
pub async fn get(app: &App, call: &Call, id: ContractId, include: Include) -> Read<Related<ContractView>> {
    app.get_related::<Contract>(call, id, &include, links).await
}

/// The contracts that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<ContractSummary>> {
    app.read(call, async |ctx, reader| {
        let visible = lists::scope(ctx, Permission::ContractsRead, "customer_id")?;
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Drafts a contract.
pub async fn create(app: &App, call: &Call, form: Valid<ContractDetails>) -> Written<ContractView> {
    app.write(call, async |ctx, work| {
        let customer: Customer = named(ctx, work, form.customer_id, "/customer_id").await?;
        if let Some(original) = form.renewal_of_id {
            let original: Contract = named(ctx, work, original, "/renewal_of_id").await?;
            original.may_be_renewed(&form)?;
        }
        let number = work.next_number(NumberKind::Contract, ctx.today().year()).await?;
        let (mut contract, event) = Contract::new(ctx, work.new_id(), number, &customer, form.clone())?;
        catalogue::take(work, &mut contract.details.line_items, &[]).await?;
        work.insert(&contract, event).await?;
        contract.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Changes a draft.
pub async fn update(
    app: &App,
    call: &Call,
    id: ContractId,
    patch: Patch<ContractDetails>,
) -> Written<ContractView> {
    app.change(call, id, async |ctx, work, contract: &mut Contract| {
        contract.may_update(ctx)?;
        let before = contract.details.line_items.clone();
        let event = contract.edit(ctx, patch.apply(&contract.details)?)?;
        catalogue::take(work, &mut contract.details.line_items, &before).await?;
        Ok(event)
    })
    .await
}

/// Replaces a draft's payment plan by one from a pattern.
pub async fn plan(app: &App, call: &Call, id: ContractId, form: Valid<PlanForm>) -> Written<ContractView> {
    app.change(call, id, async |ctx, _, contract: &mut Contract| Ok(contract.plan(ctx, &form)?)).await
}

/// Deletes a draft that nobody was ever asked about. Its opportunity goes back to the stage before.
pub async fn delete(app: &App, call: &Call, id: ContractId) -> Written<()> {
    app.remove(call, id, Event("contract.deleted"), async |ctx, work, contract: &Contract| {
        contract.may_delete(ctx, &work.ties(contract).await?)?;
        attachments::delete_all(work, id).await?;
        return_opportunity(ctx, work, contract).await
    })
    .await
}

/// Asks for approval.
pub async fn submit(app: &App, call: &Call, id: ContractId) -> Written<ContractView> {
    app.write(call, async |ctx, work| {
        let (customer, before) = locked(work, id).await?;
        before.reveal(ctx)?;
        call.check_version(before.version)?;
        let mut after = before.clone();
        let event = after.submit(ctx, &customer)?;
        work.save(&before, &mut after, event).await?;
        let prices = prices_of(ctx, &Eyes::Work(work), &after).await?;
        approvals::request(ctx, work, SubjectFacts::of_contract(&after, &customer, &prices)?).await?;
        after.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// A contract and its customer. The customer is locked first, as by whoever moves both: it cannot go to somebody else
/// meanwhile.
pub(crate) async fn locked(work: &Work, id: ContractId) -> Result<(Customer, Contract), Failure> {
    let found: Contract = there(work.find(id).await?)?;
    let customer: Option<Customer> = work.load(found.details.customer_id).await?;
    let contract: Contract = there(work.load(id).await?)?;
    // If it was merged into another one meanwhile, it is gone, and all is looked at again.
    match customer {
        Some(customer) if customer.id == contract.details.customer_id => Ok((customer, contract)),
        _ => Err(StoreError::Stale.into()),
    }
}

/// Takes the question back.
pub async fn withdraw(app: &App, call: &Call, id: ContractId) -> Written<ContractView> {
    app.change(call, id, async |ctx, work, contract: &mut Contract| {
        let event = contract.withdraw(ctx)?;
        approvals::withdraw_pending(ctx, work, id.0).await?;
        Ok(event)
    })
    .await
}

/// Gives a draft up.
pub async fn cancel(
    app: &App,
    call: &Call,
    id: ContractId,
    form: Valid<CancelForm>,
) -> Written<ContractView> {
    app.change(call, id, async |ctx, work, contract: &mut Contract| {
        let event = contract.cancel(ctx, form.reason.clone())?;
        return_opportunity(ctx, work, contract).await?;
        Ok(event)
    })
    .await
}

/// Gives up what is drafted for a customer that goes back to the pool.
pub(crate) async fn lapse_drafts(
    ctx: &Context<'_>,
    work: &mut Work,
    customer: fairlead_domain::values::CustomerId,
) -> Result<(), Failure> {
    let drafts = Predicate::All(vec![
        Predicate::Is("customer_id", customer.0.into()),
        Predicate::Is("status", ContractStatus::Draft.as_str().into()),
    ]);
    let drafts: Vec<Contract> = work.load_all(drafts).await?;
    for before in &drafts {
        let mut after = before.clone();
        let event = after.lapse(ctx)?;
        return_opportunity(ctx, work, &after).await?;
        work.save(before, &mut after, event).await?;
    }
    transfers::lapse(ctx, work, &drafts.iter().map(|draft| draft.id.0).collect::<Vec<_>>()).await
}

/// Ends a running contract: what is open of its plan is closed, nothing paid is lost.
pub async fn terminate(
    app: &App,
    call: &Call,
    id: ContractId,
    form: Valid<TerminateForm>,
) -> Written<ContractView> {
    app.change(call, id, async |ctx, work, contract: &mut Contract| {
        let event = contract.terminate(ctx, form.reason.clone())?;
        approvals::lapse::<Amendment>(ctx, work, of_contract(id)).await?;
        let before: Vec<Installment> = work.load_all(of_contract(id)).await?;
        let mut after = before.clone();
        close_installments(&mut after);
        for (before, after) in before.iter().zip(&mut after) {
            save_changed(work, before, after, Event("installment.closed")).await?;
        }
        Ok(event)
    })
    .await
}

/// A contract's customer as the caller sees it: who may see the one need not see the other.
pub(crate) fn customer_seen(ctx: &Context, customer: Option<Customer>) -> Option<Customer> {
    customer.filter(|customer| customer.reveal(ctx).is_ok()).map(|customer| customer.seen_by(ctx, true))
}

/// Everything that a request for an invoice needs to know.
pub async fn billing(app: &App, call: &Call, id: ContractId) -> Read<Billing> {
    app.read(call, async |ctx, reader| {
        let contract: Contract = change::read(ctx, reader, id).await?;
        let customer = customer_seen(ctx, reader.one(contract.details.customer_id).await?);
        let parts: Vec<Installment> = reader.all(of_contract(id)).await?;
        let overdue = overdue(contract.details.amount.currency(), &parts, ctx.today())?;
        let installments = installments(ctx, parts)?;
        let invoices: Vec<Invoice> = reader.all(of_contract(id)).await?;
        let payments: Vec<Payment> = reader.all(of_contract(id)).await?;
        Ok(Billing {
            customer: customer.as_ref().map(CustomerRef::from),
            tax_profiles: customer.map(|customer| customer.details.tax_profiles).unwrap_or_default(),
            invoice_committed: contract.sums.invoice_committed,
            invoiced: contract.sums.invoiced,
            invoiceable: contract.invoiceable()?,
            paid: contract.sums.paid,
            outstanding: contract.outstanding()?,
            overdue,
            installments,
            invoices: invoices.into_iter().filter(|invoice| invoice.reveal(ctx).is_ok()).collect(),
            payments: payments.into_iter().filter(|payment| payment.reveal(ctx).is_ok()).collect(),
            contract,
        })
    })
    .await
}

fn installments(ctx: &Context, mut parts: Vec<Installment>) -> Result<Vec<InstallmentView>, Failure> {
    parts.sort_unstable_by_key(|part| part.sequence);
    let (today, due_soon) = (ctx.today(), ctx.org.settings.due_soon_days);
    let view = |part: Installment| {
        Ok(InstallmentView {
            id: part.id,
            sequence: part.sequence,
            due_on: part.due_on,
            amount: part.amount,
            paid: part.paid,
            outstanding: part.amount.minus(part.paid)?,
            status: part.status(today, due_soon),
            overdue_days: part.overdue_days(today),
            condition: part.condition,
        })
    };
    parts.into_iter().map(view).collect()
}

/// The rows of a table that belong to a contract.
pub(crate) fn of_contract(id: ContractId) -> Predicate {
    Predicate::Is("contract_id", id.0.into())
}

/// Tells of an installment that is due soon or overdue, if that was not told yet.
pub(crate) async fn warn(
    ctx: &Context<'_>,
    work: &mut Work,
    contract: &Contract,
    before: &Installment,
) -> Result<(), Failure> {
    let mut after = before.clone();
    let Some(warning) = after.warn(ctx) else { return Ok(()) };
    work.save(before, &mut after, Event("installment.told")).await?;
    let told = serde_json::json!({
        "installment_id": after.id, "sequence": after.sequence, "due_on": after.due_on,
        "outstanding": after.amount.minus(after.paid)?, "overdue_days": after.overdue_days(ctx.today()),
    });
    let mut changes = serde_json::Map::new();
    changes.insert("installment".to_owned(), told);
    let data = serde_json::to_value(contract).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    work.note_changes(warning.event(), RecordKind::Contract, contract.id.0, changes, data);
    Ok(())
}

/// The opportunity of a contract that will not be signed goes back to the stage before.
async fn return_opportunity(ctx: &Context<'_>, work: &mut Work, contract: &Contract) -> Result<(), Failure> {
    let Some(opportunity) = contract.opportunity_id else { return Ok(()) };
    let before: Opportunity = there(work.load(opportunity).await?)?;
    let pipeline = pipelines::of(work, &before).await?;
    let mut after = before.clone();
    let event = after.return_from_signing(ctx, &pipeline)?;
    Ok(work.save(&before, &mut after, event).await?)
}

/// The last approver agreed: the contract runs, its plan becomes installments, its opportunity is won.
pub(crate) async fn activate(
    ctx: &Context<'_>,
    work: &mut Work,
    (customer, before): (&Customer, &Contract),
) -> Result<(), Failure> {
    let mut after = before.clone();
    let event = after.activate(ctx, customer)?;
    work.save(before, &mut after, event).await?;
    for installment in after.plan_installments(ctx, || work.new_id()) {
        work.insert(&installment, Event("installment.planned")).await?;
    }
    if let Some(opportunity) = after.opportunity_id {
        let before: Opportunity = there(work.load(opportunity).await?)?;
        let pipeline = pipelines::of(work, &before).await?;
        let mut won = before.clone();
        let event = won.win(ctx, &pipeline)?;
        work.save(&before, &mut won, event).await?;
    }
    customers::reach(work, after.details.customer_id, Lifecycle::Signed).await
}

/// Completes a contract that is paid, or makes one run again that no longer is. Its customer then leaves the
/// pool.
pub(crate) async fn settle_and_save(
    ctx: &Context<'_>,
    work: &mut Work,
    before: &Contract,
    mut after: Contract,
    event: Event,
) -> Result<(), Failure> {
    let settled = after.settle(ctx)?;
    save_changed(work, before, &mut after, settled.unwrap_or(event)).await?;
    if settled == Some(REACTIVATED) {
        customers::return_to(ctx, work, after.details.customer_id, after.owner_id).await?;
    }
    Ok(())
}

/// A form that names a contract must name one that the caller may see.
pub(crate) async fn named_contract(
    ctx: &Context<'_>,
    work: &Work,
    id: ContractId,
) -> Result<Contract, Failure> {
    named(ctx, work, id, "/contract_id").await
}
