//! Public pools (公海): which there are, for whom, and by which rules.

use fairlead_domain::access::Permission;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::dependents::Dependents;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::patch::Patch;
use fairlead_domain::pool::{Pool, PoolDetails};
use fairlead_domain::settings::Settings;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::PoolId;
use fairlead_persistence::{Predicate, Work};

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{Eyes, Resource};
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links};
use crate::views::views;

views!(Pool, /// A public pool.
    PoolView, /// A public pool in a list.
    PoolSummary, []);

/// What a list of public pools can be asked.
pub static LISTING: Listing = Listing {
    resource: "pools",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("is_default", Kind::Boolean),
    ],
    search: &["name"],
    default_sort: "created_at",
    includes: PoolSummary::INCLUDES,
};

impl Resource for Pool {
    type View = PoolView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Pool::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, (): ()) -> Result<PoolView, Refusal> {
        Ok(view(ctx, self, &Dependents::default()))
    }
    async fn judged(self, ctx: &Context<'_>, eyes: &Eyes<'_>, (): ()) -> Result<PoolView, Failure> {
        let dependents = eyes.ties_that_decide(&self, |it| self.may_delete(ctx, it)).await?;
        Ok(view(ctx, self, &dependents))
    }
}

fn view(ctx: &Context, pool: Pool, dependents: &Dependents) -> PoolView {
    PoolView { allowed_actions: pool.allowed_actions(ctx, dependents), record: pool }
}

/// Exactly one pool is the default: a new one takes the place of the one before.
async fn step_down(work: &mut Work, except: PoolId) -> Result<(), Failure> {
    let defaults = Predicate::All(vec![
        Predicate::Is("is_default", true.into()),
        Predicate::Is("id", except.0.into()).negate(),
    ]);
    for before in work.load_all::<Pool>(defaults).await? {
        let mut after = before.clone();
        after.details.is_default = false;
        work.save(&before, &mut after, Event("pool.updated")).await?;
    }
    Ok(())
}

/// One public pool.
pub async fn get(app: &App, call: &Call, id: PoolId) -> Read<PoolView> {
    app.get::<Pool>(call, id).await
}

/// The public pools that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<PoolSummary>> {
    app.read(call, async |ctx, reader| {
        let seen = ctx.org.pools().filter(|pool| pool.reveal(ctx).is_ok());
        let seen: Vec<Predicate> = seen.map(|pool| Predicate::Is("id", pool.id.0.into())).collect();
        if !ctx.actor.holds(Permission::PoolRead) && Settings::may_read(ctx).is_err() {
            let why = format!("this takes {}", Permission::PoolRead);
            return Err(Refusal::new(Code::Forbidden, why).with("permission", Permission::PoolRead).into());
        }
        lists::page(ctx, reader, &list, Predicate::Any(seen), |_: &Pool| Links::default()).await
    })
    .await
}

/// Records a public pool.
pub async fn create(app: &App, call: &Call, form: Valid<PoolDetails>) -> Written<PoolView> {
    app.write(call, async |ctx, work| {
        let (pool, event) = Pool::new(ctx, work.new_id(), form.clone())?;
        work.lock_access(ctx.org.epoch).await?;
        if pool.details.is_default {
            step_down(work, pool.id).await?;
        }
        work.insert(&pool, event).await?;
        Ok(pool.view(ctx, ())?)
    })
    .await
}

/// Changes a public pool.
pub async fn update(app: &App, call: &Call, id: PoolId, patch: Patch<PoolDetails>) -> Written<PoolView> {
    app.change(call, id, async |ctx, work, pool: &mut Pool| {
        Settings::may_manage(ctx)?;
        work.lock_access(ctx.org.epoch).await?;
        let event = pool.edit(ctx, patch.apply(&pool.details)?)?;
        if pool.details.is_default {
            step_down(work, id).await?;
        }
        Ok(event)
    })
    .await
}

/// Deletes a public pool that no customer is in or goes back to.
pub async fn delete(app: &App, call: &Call, id: PoolId) -> Written<()> {
    app.remove(call, id, Event("pool.deleted"), async |ctx, work, pool: &Pool| {
        // Before anything is counted.
        Settings::may_manage(ctx)?;
        work.lock_access(ctx.org.epoch).await?;
        Ok(pool.may_delete(ctx, &work.ties(pool).await?)?)
    })
    .await
}
