//! Refunds (退款).

use fairlead_domain::access::Permission;
use fairlead_domain::context::Context;
use fairlead_domain::error::Refusal;
use fairlead_domain::payment::{
    Allocation, Payment, PaymentMethod, PaymentTies, Refund, RefundForm, RefundStatus,
};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{NumberKind, RefundId};
use fairlead_persistence::Work;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{Resource, there};
use crate::clock::new_id;
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::payments::{self, Books, EndForm, of_payment, save_anew};
use crate::views::{Related, views};

views!(Refund, /// A refund.
    RefundView, /// A refund in a list.
    RefundSummary, [owner: WithOwner, customer: WithCustomer, contract: WithContract]);

/// What a list of refunds can be asked.
pub static LISTING: Listing = Listing {
    resource: "refunds",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("number", Kind::Text).sortable(),
        Field::new("payment_id", Kind::Id),
        Field::new("contract_id", Kind::Id),
        Field::new("customer_id", Kind::Id),
        Field::new("owner_id", Kind::Id),
        Field::new("status", words!(RefundStatus)),
        Field::new("method", words!(PaymentMethod)),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").sortable(),
        Field::new("refunded_on", Kind::Date).sortable(),
    ],
    search: &["number", "bank_reference"],
    default_sort: "-created_at",
    includes: RefundSummary::INCLUDES,
};

impl Resource for Refund {
    type View = RefundView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Refund::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, (): ()) -> Result<RefundView, Refusal> {
        Ok(RefundView { allowed_actions: self.allowed_actions(ctx), record: self })
    }
}

/// What a refund refers to.
fn links(refund: &Refund) -> Links {
    Links {
        owner: Some(refund.owner_id),
        customer: Some(refund.customer_id),
        contract: Some(refund.contract_id),
        ..Links::default()
    }
}

/// One refund.
pub async fn get(app: &App, call: &Call, id: RefundId, include: Include) -> Read<Related<RefundView>> {
    app.get_related::<Refund>(call, id, &include, links).await
}

/// The refunds of payments that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<RefundSummary>> {
    app.read(call, async |ctx, reader| {
        let visible = lists::scope(ctx, Permission::PaymentsRead, "customer_id")?;
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Records a refund of a confirmed payment.
pub async fn create(app: &App, call: &Call, form: Valid<RefundForm>) -> Written<RefundView> {
    app.write(call, async |ctx, work| {
        let found = payments::load(ctx, work, form.payment_id).await;
        let (_, payment) = found.map_err(|failure| match failure {
            Failure::Refused(_) => Failure::Refused(Refusal::unknown_reference("/payment_id")),
            other => other,
        })?;
        let ties: PaymentTies = work.ties(&payment).await?;
        let number = work.next_number(NumberKind::Refund, ctx.today().year()).await?;
        let (refund, event) =
            Refund::record(ctx, work.new_id(), number, &payment, ties.pending_refunds, form.clone())?;
        work.insert(&refund, event).await?;
        Ok(refund.view(ctx, ())?)
    })
    .await
}

/// Locks the contract first, then the payment, then the refund.
async fn load(
    ctx: &Context<'_>,
    work: &Work,
    id: RefundId,
) -> Result<(fairlead_domain::contract::Contract, Payment, Refund), Failure> {
    let found: Refund = there(work.find(id).await?)?;
    found.reveal(ctx)?;
    let (contract, payment) = payments::load(ctx, work, found.details.payment_id).await?;
    let refund = there(work.load(id).await?)?;
    Ok((contract, payment, refund))
}

/// Says that the money went back.
pub async fn confirm(app: &App, call: &Call, id: RefundId) -> Written<RefundView> {
    app.write(call, async |ctx, work| {
        let (contract, payment, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        let allocations: Vec<Allocation> = work.load_all(of_payment(payment.id)).await?;
        let (mut after, mut reduced) = (before.clone(), payment.clone());
        let books = Books::open(work, contract).await?;
        let (anew, event) = books
            .post(ctx, work, |contract, invoices, installments| {
                let next = || new_id().into();
                after.confirm(ctx, &mut reduced, contract, invoices, installments, &allocations, next)
            })
            .await?;
        save_anew(work, &allocations, anew).await?;
        let paid_back = fairlead_domain::context::Event("payment.refunded");
        work.save(&payment, &mut reduced, paid_back).await?;
        work.save(&before, &mut after, event).await?;
        Ok(after.view(ctx, ())?)
    })
    .await
}

/// Says that it does not.
pub async fn reject(app: &App, call: &Call, id: RefundId, form: Valid<EndForm>) -> Written<RefundView> {
    app.write(call, async |ctx, work| {
        let (_, _, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        let mut after = before.clone();
        let event = after.reject(ctx, form.reason.clone())?;
        work.save(&before, &mut after, event).await?;
        Ok(after.view(ctx, ())?)
    })
    .await
}
