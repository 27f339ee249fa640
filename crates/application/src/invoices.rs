//! Invoices (开票).

use fairlead_domain::access::Permission;
use fairlead_domain::approval::SubjectFacts;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::Customer;
use fairlead_domain::error::Refusal;
use fairlead_domain::invoice::{Invoice, InvoiceDetails, InvoiceKind, InvoiceStatus, InvoiceTies, IssueForm};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{InvoiceId, Line, NumberKind, TaxSplit};
use fairlead_persistence::Work;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::app::App;
use crate::approvals;
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::{Eyes, Resource, there};
use crate::contracts::{self, customer_seen, named_contract, settle_and_save};
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Related, summary};

/// An invoice.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InvoiceView {
    /// The record.
    #[serde(flatten)]
    pub record: Invoice,
    /// Its amount without and with tax, and the tax in it. A credit note has the tax alone: it follows from the invoice,
    /// not from the rate.
    pub tax: TaxSplit,
    /// What the caller may do with it now. What depends on what a call says, such as whether a tax invoice number was
    /// taken before, is judged when it is done.
    #[schema(max_items = 20)]
    pub allowed_actions: Vec<fairlead_domain::workflow::AllowedAction>,
}

impl Versioned for InvoiceView {
    fn version(&self) -> i64 {
        self.record.version
    }
}

summary!(Invoice, /// An invoice in a list.
    InvoiceSummary, [owner: WithOwner, customer: WithCustomer, contract: WithContract]);

/// What a list of invoices can be asked.
pub static LISTING: Listing = Listing {
    resource: "invoices",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("updated_at", Kind::Timestamp).sortable(),
        Field::new("number", Kind::Text).sortable(),
        Field::new("contract_id", Kind::Id),
        Field::new("customer_id", Kind::Id),
        Field::new("owner_id", Kind::Id),
        Field::new("status", words!(InvoiceStatus)),
        Field::new("kind", words!(InvoiceKind)),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").sortable(),
        Field::new("paid", Kind::Money("paid_currency")).in_column("paid_minor").sortable(),
        Field::new("tax_invoice_number", Kind::Text).nullable(),
        Field::new("issued_on", Kind::Date).nullable().sortable(),
    ],
    search: &["number", "tax_invoice_number"],
    default_sort: "-created_at",
    includes: InvoiceSummary::INCLUDES,
};

impl Resource for Invoice {
    type View = InvoiceView;
    type Ties = InvoiceTies;
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Invoice::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, ties: InvoiceTies) -> Result<InvoiceView, Refusal> {
        let (allowed_actions, tax) = (self.allowed_actions(ctx, &ties), self.tax()?);
        Ok(InvoiceView { record: self, tax, allowed_actions })
    }
    async fn judged(
        self,
        ctx: &Context<'_>,
        eyes: &Eyes<'_>,
        mut ties: InvoiceTies,
    ) -> Result<InvoiceView, Failure> {
        if self.may_submit(ctx, &ties).is_ok() {
            let contract: Contract = eyes.parent(self.details.contract_id).await?;
            let customer: Customer = eyes.parent(self.customer_id).await?;
            ties.submission = self.check_submission(ctx, &contract, &customer).err();
        }
        Ok(self.view(ctx, ties)?)
    }
}

/// Why an issued invoice is taken back.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "reason": "The tax number was wrong"
}))]
pub struct VoidForm {
    /// Why.
    #[validate(nested)]
    pub reason: Line,
}

/// An invoice that the caller may see, with its contract, both locked.
pub(crate) async fn load(
    ctx: &Context<'_>,
    work: &Work,
    id: InvoiceId,
) -> Result<(Contract, Invoice), Failure> {
    let found: Invoice = there(work.find(id).await?)?;
    found.reveal(ctx)?;
    locked(work, id).await
}

/// The same for whoever judges by themselves who sees it. Locks the contract first, then the invoice: the order in
/// which everybody locks.
pub(crate) async fn locked(work: &Work, id: InvoiceId) -> Result<(Contract, Invoice), Failure> {
    let found: Invoice = there(work.find(id).await?)?;
    let contract = there(work.load(found.details.contract_id).await?)?;
    let invoice = there(work.load(id).await?)?;
    Ok((contract, invoice))
}

/// The frame of everything that moves an invoice and its contract together.
async fn change(
    app: &App,
    call: &Call,
    id: InvoiceId,
    case: impl AsyncFn(&Context<'_>, &mut Work, &mut Invoice, &mut Contract) -> Result<Event, Failure>,
) -> Written<InvoiceView> {
    app.write(call, async |ctx, work| {
        let (contract, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        let (mut after, mut summed) = (before.clone(), contract.clone());
        let event = case(ctx, work, &mut after, &mut summed).await?;
        work.save(&before, &mut after, event).await?;
        settle_and_save(ctx, work, &contract, summed, Event("contract.sums_changed")).await?;
        after.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// What an invoice refers to.
fn links(invoice: &Invoice) -> Links {
    Links {
        owner: Some(invoice.owner_id),
        customer: Some(invoice.customer_id),
        contract: Some(invoice.details.contract_id),
        ..Links::default()
    }
}

/// One invoice.
pub async fn get(app: &App, call: &Call, id: InvoiceId, include: Include) -> Read<Related<InvoiceView>> {
    app.get_related::<Invoice>(call, id, &include, links).await
}

/// The invoices that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<InvoiceSummary>> {
    app.read(call, async |ctx, reader| {
        let visible = lists::scope(ctx, Permission::InvoicesRead, "customer_id")?;
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Drafts an invoice.
pub async fn create(app: &App, call: &Call, form: Valid<InvoiceDetails>) -> Written<InvoiceView> {
    app.write(call, async |ctx, work| {
        let contract = named_contract(ctx, work, form.contract_id).await?;
        let customer: Option<Customer> = work.find(contract.details.customer_id).await?;
        let number = work.next_number(NumberKind::Invoice, ctx.today().year()).await?;
        let profile = customer_seen(ctx, customer).and_then(|it| it.details.tax_profiles.into_iter().next());
        let (invoice, event) = Invoice::new(ctx, work.new_id(), number, &contract, profile, form.clone())?;
        work.insert(&invoice, event).await?;
        invoice.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Changes a draft.
pub async fn update(
    app: &App,
    call: &Call,
    id: InvoiceId,
    patch: Patch<InvoiceDetails>,
) -> Written<InvoiceView> {
    app.change(call, id, async |ctx, _, invoice: &mut Invoice| {
        invoice.may_update(ctx)?;
        Ok(invoice.edit(ctx, patch.apply(&invoice.details)?)?)
    })
    .await
}

/// Deletes a draft that nobody was ever asked about.
pub async fn delete(app: &App, call: &Call, id: InvoiceId) -> Written<()> {
    let event = Event("invoice.deleted");
    app.remove(call, id, event, async |ctx, work, invoice: &Invoice| {
        Ok(invoice.may_delete(ctx, &work.ties(invoice).await?)?)
    })
    .await
}

/// Asks for approval; from now on the amount counts against the contract's.
pub async fn submit(app: &App, call: &Call, id: InvoiceId) -> Written<InvoiceView> {
    app.write(call, async |ctx, work| {
        let (contract, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        let (mut after, mut summed) = (before.clone(), contract.clone());
        let event = after.submit(ctx, &mut summed)?;
        work.save(&before, &mut after, event).await?;
        work.save(&contract, &mut summed, Event("contract.sums_changed")).await?;
        let customer: Customer = there(work.find(after.customer_id).await?)?;
        approvals::request(ctx, work, SubjectFacts::of_invoice(&after, &contract, &customer)?).await?;
        after.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Takes the question back.
pub async fn withdraw(app: &App, call: &Call, id: InvoiceId) -> Written<InvoiceView> {
    change(app, call, id, async |ctx, work, invoice, contract| {
        let event = invoice.withdraw(ctx, contract)?;
        approvals::withdraw_pending(ctx, work, id.0).await?;
        Ok(event)
    })
    .await
}

/// Gives an invoice up before it is issued.
pub async fn cancel(app: &App, call: &Call, id: InvoiceId) -> Written<InvoiceView> {
    change(app, call, id, async |ctx, _, invoice, contract| Ok(invoice.cancel(ctx, contract)?)).await
}

/// Issues an approved invoice.
pub async fn issue(app: &App, call: &Call, id: InvoiceId, form: Valid<IssueForm>) -> Written<InvoiceView> {
    change(app, call, id, async |ctx, work, invoice, contract| {
        let event = invoice.issue(ctx, contract, form.clone())?;
        if let Some(key) = invoice.tax_invoice_key() {
            work.take_tax_number(key).await?;
        }
        Ok(event)
    })
    .await
}

/// Takes an issued invoice back.
pub async fn void(app: &App, call: &Call, id: InvoiceId, form: Valid<VoidForm>) -> Written<InvoiceView> {
    change(app, call, id, async |ctx, _, invoice, contract| {
        Ok(invoice.void(ctx, contract, form.reason.clone())?)
    })
    .await
}

/// The last approver agreed, or one did not.
pub(crate) async fn decided(
    ctx: &Context<'_>,
    work: &mut Work,
    (contract, before): (&Contract, &Invoice),
    approved: bool,
) -> Result<(), Failure> {
    let (mut after, mut summed) = (before.clone(), contract.clone());
    let event = if approved { after.approve(&summed)? } else { after.reject(&mut summed)? };
    work.save(before, &mut after, event).await?;
    contracts::settle_and_save(ctx, work, contract, summed, Event("contract.sums_changed")).await
}
