//! Saved views (视图).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::{Code, Refusal, Rule};
use fairlead_domain::patch::Patch;
use fairlead_domain::saved_view::{SavedView, SavedViewDetails, ViewResource};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::SavedViewId;
use fairlead_persistence::Predicate;

use crate::app::App;
use crate::call::{Call, Page, Read, Written};
use crate::change::Resource;
use crate::fields::members;
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Related, views};
use crate::{
    activities, approvals, contacts, contracts, customers, fields, invoices, leads, opportunities, payments,
    pool, query, transfers,
};

views!(SavedView, /// A saved view.
    SavedViewView, /// A saved view in a list.
    SavedViewSummary, [owner: WithOwner]);

/// What a list of saved views can be asked.
pub static LISTING: Listing = Listing {
    resource: "saved_views",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("resource", words!(ViewResource)),
        Field::new("shared_with_team_id", Kind::Id).nullable(),
        Field::new("owner_id", Kind::Id),
    ],
    search: &["name"],
    default_sort: "name",
    includes: SavedViewSummary::INCLUDES,
};

impl Resource for SavedView {
    type View = SavedViewView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        SavedView::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, (): ()) -> Result<SavedViewView, Refusal> {
        Ok(SavedViewView { allowed_actions: self.allowed_actions(ctx), record: self })
    }
}

/// What each view's list can be asked, and the members of its rows. The schemas that name those are made once.
static LISTS: LazyLock<BTreeMap<ViewResource, (&'static Listing, Vec<String>)>> =
    LazyLock::new(|| ViewResource::ALL.iter().map(|resource| (*resource, list_of(*resource))).collect());

fn list_of(resource: ViewResource) -> (&'static Listing, Vec<String>) {
    match resource {
        ViewResource::Leads => (&leads::LISTING, members::<leads::LeadSummary>()),
        ViewResource::Customers => (&customers::LISTING, members::<customers::CustomerSummary>()),
        ViewResource::PoolCustomers => (&pool::LISTING, members::<pool::PoolCustomerSummary>()),
        ViewResource::Contacts => (&contacts::LISTING, members::<contacts::ContactSummary>()),
        ViewResource::Activities => (&activities::LISTING, members::<activities::ActivitySummary>()),
        ViewResource::Opportunities => {
            (&opportunities::LISTING, members::<opportunities::OpportunitySummary>())
        }
        ViewResource::Contracts => (&contracts::LISTING, members::<contracts::ContractSummary>()),
        ViewResource::Invoices => (&invoices::LISTING, members::<invoices::InvoiceSummary>()),
        ViewResource::Payments => (&payments::LISTING, members::<payments::PaymentSummary>()),
        ViewResource::Approvals => (&approvals::LISTING, members::<approvals::ApprovalSummary>()),
        ViewResource::Transfers => (&transfers::LISTING, members::<transfers::TransferSummary>()),
    }
}

/// Refuses a query that the list would not understand.
fn check(form: &SavedViewDetails) -> Result<(), Refusal> {
    let broken = |refusal: Refusal| Refusal::invalid("/query", Rule::Query, refusal.detail);
    let pairs = query::pairs(form.query.as_str()).map_err(broken)?;
    if pairs.iter().any(|(name, _)| name == "cursor") {
        return Err(Refusal::invalid("/query", Rule::Cursor, "a view begins at the first page"));
    }
    let Some((listing, members)) = LISTS.get(&form.resource) else {
        return Err(Refusal::new(Code::Internal, "a view of no list"));
    };
    let understand = || {
        let chosen = fields::read(&pairs, members)?;
        let request = listing.parse(&fields::rest(&pairs))?;
        fields::check(chosen.as_deref(), listing, &request.include)
    };
    understand().map_err(broken)
}

/// What a view refers to.
fn links(view: &SavedView) -> Links {
    Links { owner: Some(view.owner_id), ..Links::default() }
}

/// One view.
pub async fn get(app: &App, call: &Call, id: SavedViewId, include: Include) -> Read<Related<SavedViewView>> {
    app.get_related::<SavedView>(call, id, &include, links).await
}

/// The caller's own views, and those that are shared with their team.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<SavedViewSummary>> {
    app.read(call, async |ctx, reader| {
        let mut seen = vec![Predicate::Is("owner_id", ctx.actor.id.0.into())];
        seen.extend(ctx.actor.team.map(|team| Predicate::Is("shared_with_team_id", team.0.into())));
        lists::page(ctx, reader, &list, Predicate::Any(seen), links).await
    })
    .await
}

/// Records a view.
pub async fn create(app: &App, call: &Call, form: Valid<SavedViewDetails>) -> Written<SavedViewView> {
    app.write(call, async |ctx, work| {
        check(&form)?;
        let (view, event) = SavedView::new(ctx, work.new_id(), form.clone())?;
        work.insert(&view, event).await?;
        Ok(view.view(ctx, ())?)
    })
    .await
}

/// Changes a view.
pub async fn update(
    app: &App,
    call: &Call,
    id: SavedViewId,
    patch: Patch<SavedViewDetails>,
) -> Written<SavedViewView> {
    app.change(call, id, async |ctx, _, view: &mut SavedView| {
        view.may_update(ctx)?;
        let form = patch.apply(&view.details)?;
        check(&form)?;
        Ok(view.edit(ctx, form)?)
    })
    .await
}

/// Deletes a view.
pub async fn delete(app: &App, call: &Call, id: SavedViewId) -> Written<()> {
    app.remove(call, id, Event("saved_view.deleted"), async |ctx, _, view: &SavedView| {
        Ok(view.may_update(ctx)?)
    })
    .await
}
