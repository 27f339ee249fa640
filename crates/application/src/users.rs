//! Users.

use fairlead_domain::access::{Permission, RoleKey, Standing};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::Refusal;
use fairlead_domain::organisation::{Locale, User, UserDetails, UserStatus};
use fairlead_domain::patch::Patch;
use fairlead_domain::record::RecordKind;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{Email, Line, TeamId, UserId};
use fairlead_persistence::Work;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Page, Read, Written};
use crate::change::Resource;
use crate::handover::{self, DisableForm};
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::passwords::Password;
use crate::views::views;

views!(User, /// A user.
    UserView, /// A user in a list.
    UserSummary, []);

/// What a list of users can be asked.
pub static LISTING: Listing = Listing {
    resource: "users",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("display_name", Kind::Text).sortable(),
        Field::new("email", Kind::Text).sortable(),
        Field::new("team_id", Kind::Id).nullable(),
        Field::new("status", words!(UserStatus)),
    ],
    search: &["display_name", "email"],
    default_sort: "display_name",
    includes: UserSummary::INCLUDES,
};

impl Resource for User {
    type View = UserView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        let reads = ctx.actor.authorize(Permission::UsersRead, &Standing::Organisation);
        if self.id == ctx.actor.id { Ok(()) } else { reads.map_err(|_| Refusal::not_found()) }
    }
    fn view(self, ctx: &Context, (): ()) -> Result<UserView, Refusal> {
        let actions = self.allowed_actions(ctx);
        Ok(UserView { allowed_actions: actions, record: self })
    }
}

/// What making a user takes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "email": "li.wei@example.com",
    "display_name": "李伟",
    "roles": ["sales_rep"],
    "locale": "zh-CN",
    "password": "correct horse battery"
}))]
pub struct UserCreate {
    /// The address to log in with; unique, whatever the case of its letters.
    #[validate(nested)]
    pub email: Email,
    /// The name to show.
    #[validate(nested)]
    pub display_name: Line,
    /// The team.
    #[serde(default)]
    pub team_id: Option<TeamId>,
    /// The roles, one or more.
    #[validate(length(min = 1, max = 10, message = "must have between 1 and 10 roles"), nested)]
    #[schema(min_items = 1, max_items = 10)]
    pub roles: Vec<RoleKey>,
    /// The language that the user reads. Clients send it as `Accept-Language`; without that header messages are in
    /// English, whatever it is.
    #[serde(default = "english")]
    pub locale: Locale,
    /// The first password; the user should change it.
    #[validate(nested)]
    #[schema(inline)]
    pub password: Password,
}

fn english() -> Locale {
    Locale::En
}

impl UserCreate {
    fn details(&self) -> Result<Valid<UserDetails>, Refusal> {
        Valid::check(UserDetails {
            email: self.email.clone(),
            display_name: self.display_name.clone(),
            team_id: self.team_id,
            roles: self.roles.clone(),
            locale: self.locale,
        })
    }
}

/// A new password for a user.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPasswordForm {
    /// The new password.
    #[validate(nested)]
    #[schema(inline)]
    pub password: Password,
}

/// Notes in the audit trail that a password changed, and nothing of it.
pub(crate) fn note_password(work: &mut Work, user: UserId) {
    let mut changes = serde_json::Map::new();
    changes.insert("password".to_owned(), serde_json::json!({ "changed": true }));
    work.note_changes(
        Event("user.password_changed"),
        RecordKind::User,
        user.0,
        changes,
        serde_json::json!({ "id": user }),
    );
}

/// One user.
pub async fn get(app: &App, call: &Call, id: UserId) -> Read<UserView> {
    app.get::<User>(call, id).await
}

/// All users.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<UserSummary>> {
    app.read(call, async |ctx, reader| {
        ctx.actor.authorize(Permission::UsersRead, &Standing::Organisation)?;
        lists::page(ctx, reader, &list, fairlead_persistence::Predicate::True, |_: &User| Links::default())
            .await
    })
    .await
}

/// Makes a user.
pub async fn create(app: &App, call: &Call, form: Valid<UserCreate>) -> Written<UserView> {
    let details = form.details()?;
    // Before the transaction: hashing takes longer than everything else together. Whoever may not is told
    // first, so that nobody makes us hash for nothing.
    app.read(call, async |ctx, _| Ok(User::may_manage(ctx)?)).await?;
    let hash = app.inner.passwords.hash(form.password.secret()).await?;
    app.write(call, async |ctx, work| {
        User::may_manage(ctx)?;
        work.lock_access(ctx.org.epoch).await?;
        ctx.org.check_user_references(&details)?;
        let user = User {
            id: work.new_id(),
            details: details.clone().into_inner(),
            status: UserStatus::Active,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        work.insert(&user, Event("user.created")).await?;
        work.put_password(user.id, &hash).await?;
        Ok(user.view(ctx, ())?)
    })
    .await
}

/// Changes a user. Other roles take effect with the user's next request.
pub async fn update(app: &App, call: &Call, id: UserId, patch: Patch<UserDetails>) -> Written<UserView> {
    app.change(call, id, async |ctx, work, user: &mut User| {
        User::may_manage(ctx)?;
        let form = patch.apply(&user.details)?;
        work.lock_access(ctx.org.epoch).await?;
        ctx.org.check_user_references(&form)?;
        if user.status == UserStatus::Active {
            ctx.org.check_administrators(Some((id, &form.roles)), None)?;
        }
        user.details = form.into_inner();
        Ok(Event("user.updated"))
    })
    .await
}

/// Ends a user's access: sessions end, and tokens are refused from the next request on. What they own is handed over
/// with it, or said to be kept for now.
pub async fn disable(app: &App, call: &Call, id: UserId, form: Valid<DisableForm>) -> Written<UserView> {
    app.change(call, id, async |ctx, work, user: &mut User| {
        user.may_disable(ctx)?;
        work.lock_access(ctx.org.epoch).await?;
        user.status = UserStatus::Disabled;
        work.end_sessions(id, None).await?;
        handover::at_the_end(ctx, work, id, &form).await?;
        Ok(Event("user.disabled"))
    })
    .await
}

/// Gives a user access again.
pub async fn enable(app: &App, call: &Call, id: UserId) -> Written<UserView> {
    app.change(call, id, async |ctx, _, user: &mut User| {
        user.may_enable(ctx)?;
        user.status = UserStatus::Active;
        Ok(Event("user.enabled"))
    })
    .await
}

/// Gives a user a new password and ends their sessions.
pub async fn set_password(
    app: &App,
    call: &Call,
    id: UserId,
    form: Valid<SetPasswordForm>,
) -> Written<UserView> {
    app.read(call, async |ctx, reader| {
        crate::change::read::<User>(ctx, reader, id).await?;
        Ok(User::may_manage(ctx)?)
    })
    .await?;
    let hash = app.inner.passwords.hash(form.password.secret()).await?;
    app.write(call, async |ctx, work| {
        let user: User = crate::change::load(ctx, work, id).await?;
        call.check_version(user.version)?;
        User::may_manage(ctx)?;
        work.put_password(id, &hash).await?;
        work.end_sessions(id, None).await?;
        note_password(work, id);
        Ok(user.view(ctx, ())?)
    })
    .await
}
