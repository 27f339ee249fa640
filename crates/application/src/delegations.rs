//! Delegations (审批委托): who decides for whom.

use fairlead_domain::approval::{Delegation, DelegationDetails};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::Refusal;
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::DelegationId;
use fairlead_persistence::Predicate;

use crate::app::App;
use crate::call::{Call, Page, Read, Written};
use crate::change::Resource;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links};
use crate::views::views;

views!(Delegation, /// A delegation.
    DelegationView, /// A delegation in a list.
    DelegationSummary, []);

/// What a list of delegations can be asked.
pub static LISTING: Listing = Listing {
    resource: "delegations",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("starts_at", Kind::Timestamp).sortable(),
        Field::new("ends_at", Kind::Timestamp).sortable(),
        Field::new("user_id", Kind::Id),
        Field::new("delegate_id", Kind::Id),
    ],
    search: &[],
    default_sort: "-starts_at",
    includes: DelegationSummary::INCLUDES,
};

impl Resource for Delegation {
    type View = DelegationView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Delegation::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, (): ()) -> Result<DelegationView, Refusal> {
        Ok(DelegationView { allowed_actions: self.allowed_actions(ctx), record: self })
    }
}

/// One delegation.
pub async fn get(app: &App, call: &Call, id: DelegationId) -> Read<DelegationView> {
    app.get::<Delegation>(call, id).await
}

/// The delegations from and to the caller; all of them for whoever may see users.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<DelegationSummary>> {
    app.read(call, async |ctx, reader| {
        let me = ctx.actor.id.0;
        let mine = ["user_id", "delegate_id"].map(|column| Predicate::Is(column, me.into()));
        let seen = if Delegation::sees_all(ctx) { Predicate::True } else { Predicate::Any(mine.into()) };
        lists::page(ctx, reader, &list, seen, |_: &Delegation| Links::default()).await
    })
    .await
}

/// Has somebody decide for somebody else.
pub async fn create(app: &App, call: &Call, form: Valid<DelegationDetails>) -> Written<DelegationView> {
    app.write(call, async |ctx, work| {
        let (delegation, event) = Delegation::new(ctx, work.new_id(), form.clone())?;
        work.lock_access(ctx.org.epoch).await?;
        let theirs = Predicate::Is("user_id", form.user_id.0.into());
        Delegation::check_count(work.count("delegations", theirs).await?)?;
        work.insert(&delegation, event).await?;
        Ok(delegation.view(ctx, ())?)
    })
    .await
}

/// Changes a delegation.
pub async fn update(
    app: &App,
    call: &Call,
    id: DelegationId,
    patch: Patch<DelegationDetails>,
) -> Written<DelegationView> {
    app.change(call, id, async |ctx, work, delegation: &mut Delegation| {
        delegation.may_manage(ctx)?;
        work.lock_access(ctx.org.epoch).await?;
        Ok(delegation.edit(ctx, patch.apply(&delegation.details)?)?)
    })
    .await
}

/// Ends a delegation at once. What was decided by it stays decided.
pub async fn delete(app: &App, call: &Call, id: DelegationId) -> Written<()> {
    app.remove(call, id, Event("delegation.deleted"), async |ctx, _, delegation: &Delegation| {
        Ok(delegation.may_manage(ctx)?)
    })
    .await
}
