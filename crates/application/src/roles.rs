//! Roles (角色): those that Fairlead brings along, and copies of them that are data.

use fairlead_domain::access::{BUILT_IN, Permission, RoleKey, Standing};
use fairlead_domain::approval::{Approval, ApprovalStatus};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::Refusal;
use fairlead_domain::organisation::{Role, RoleDetails};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{Line, Prose, RoleId};
use fairlead_persistence::{Predicate, StoreError};

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{Eyes, Resource};
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links};
use crate::views::views;

views!(Role, /// A role.
    RoleView, /// A role in a list.
    RoleSummary, []);

/// What a list of roles can be asked.
pub static LISTING: Listing = Listing {
    resource: "roles",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("key", Kind::Text).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("built_in", Kind::Boolean),
    ],
    search: &["key", "name"],
    default_sort: "key",
    includes: RoleSummary::INCLUDES,
};

impl Resource for Role {
    type View = RoleView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        let reads = ctx.actor.authorize(Permission::RolesRead, &Standing::Organisation);
        reads.map_err(|_| Refusal::not_found())
    }
    fn view(self, ctx: &Context, (): ()) -> Result<RoleView, Refusal> {
        Ok(view(ctx, self, &[]))
    }
    async fn judged(self, ctx: &Context<'_>, eyes: &Eyes<'_>, (): ()) -> Result<RoleView, Failure> {
        // All requests that wait are looked at only where nothing else decides.
        let waiting: Vec<Approval> =
            if self.may_delete(ctx, &[]).is_ok() { eyes.all(waiting()).await? } else { Vec::new() };
        Ok(view(ctx, self, &waiting))
    }
}

fn view(ctx: &Context, role: Role, waiting: &[Approval]) -> RoleView {
    RoleView { allowed_actions: role.allowed_actions(ctx, waiting), record: role }
}

/// The requests for approval that wait.
fn waiting() -> Predicate {
    Predicate::Is("status", ApprovalStatus::Pending.as_str().into())
}

impl App {
    /// Brings the built-in roles to the state of this release.
    pub(crate) async fn bring_built_in_roles(&self) -> Result<(), StoreError> {
        let mut work = self.store().begin(self.author(None, "start"), None).await?;
        work.lock_organisation().await?;
        let known: Vec<Role> = work.load_all(Predicate::Is("built_in", true.into())).await?;
        for role in BUILT_IN {
            let details = RoleDetails {
                key: RoleKey(role.key.to_owned()),
                name: Line::new(role.name),
                description: Some(Prose::new(role.description)),
                grants: role.grants(),
            };
            match known.iter().find(|known| known.details.key == details.key) {
                Some(before) if before.details == details => {}
                Some(before) => {
                    let mut after = before.clone();
                    after.details = details;
                    work.save(before, &mut after, Event("role.updated")).await?;
                }
                None => {
                    let now = work.now();
                    let role = Role {
                        id: work.new_id(),
                        details,
                        built_in: true,
                        version: 1,
                        created_at: now,
                        updated_at: now,
                    };
                    work.insert(&role, Event("role.created")).await?;
                }
            }
        }
        work.commit(None).await
    }
}

/// One role.
pub async fn get(app: &App, call: &Call, id: RoleId) -> Read<RoleView> {
    app.get::<Role>(call, id).await
}

/// All roles.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<RoleSummary>> {
    app.read(call, async |ctx, reader| {
        ctx.actor.authorize(Permission::RolesRead, &Standing::Organisation)?;
        lists::page(ctx, reader, &list, Predicate::True, |_: &Role| Links::default()).await
    })
    .await
}

/// Makes a role.
pub async fn create(app: &App, call: &Call, form: Valid<RoleDetails>) -> Written<RoleView> {
    app.write(call, async |ctx, work| {
        Role::may_manage(ctx)?;
        let role = Role {
            id: work.new_id(),
            details: form.clone().into_inner(),
            built_in: false,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        work.insert(&role, Event("role.created")).await?;
        Ok(role.view(ctx, ())?)
    })
    .await
}

/// Changes a role; its holders are judged by it from their next request on.
pub async fn update(app: &App, call: &Call, id: RoleId, patch: Patch<RoleDetails>) -> Written<RoleView> {
    app.change(call, id, async |ctx, work, role: &mut Role| {
        role.may_update(ctx)?;
        work.lock_access(ctx.org.epoch).await?;
        let form = patch.apply(&role.details)?;
        if form.key != role.details.key {
            role.check_unused(ctx, &work.find_all::<Approval>(waiting()).await?)?;
        }
        ctx.org.check_administrators(None, Some((&role.details.key, &form.grants)))?;
        role.details = form.into_inner();
        Ok(Event("role.updated"))
    })
    .await
}

/// Deletes a role that nobody has.
pub async fn delete(app: &App, call: &Call, id: RoleId) -> Written<()> {
    app.remove(call, id, Event("role.deleted"), async |ctx, work, role: &Role| {
        role.may_update(ctx)?;
        work.lock_access(ctx.org.epoch).await?;
        Ok(role.may_delete(ctx, &work.find_all::<Approval>(waiting()).await?)?)
    })
    .await
}
