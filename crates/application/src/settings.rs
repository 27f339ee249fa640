//! The organisation's settings.

use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::Refusal;
use fairlead_domain::patch::Patch;
use fairlead_domain::pool::Pool;
use fairlead_domain::settings::{Settings, SettingsDetails};
use fairlead_persistence::{Predicate, StoreError, Work};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::call::{Call, Failure, Read, Versioned, Written};
use crate::change::{Resource, there};

/// The organisation's settings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SettingsView {
    /// The settings.
    #[serde(flatten)]
    pub record: Settings,
    /// What the caller may do with them now.
    #[schema(max_items = 20)]
    pub allowed_actions: Vec<fairlead_domain::workflow::AllowedAction>,
}

impl Versioned for SettingsView {
    fn version(&self) -> i64 {
        self.record.version
    }
}

impl Resource for Settings {
    type View = SettingsView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Self::may_read(ctx)
    }
    fn view(self, ctx: &Context, (): ()) -> Result<SettingsView, Refusal> {
        Ok(SettingsView { allowed_actions: Self::allowed_actions(ctx), record: self })
    }
}

impl App {
    /// Makes what a new organisation begins with: settings, and a public pool for everybody.
    pub(crate) async fn bring_first_settings(&self) -> Result<(), StoreError> {
        let mut work = self.store().begin(self.author(None, "start"), None).await?;
        work.lock_organisation().await?;
        let now = work.now();
        if work.find_all::<Settings>(Predicate::True).await?.is_empty() {
            work.insert(&Settings::first(work.new_id(), now), Event("settings.created")).await?;
        }
        if work.find_all::<Pool>(Predicate::Is("is_default", true.into())).await?.is_empty() {
            work.insert(&Pool::first(work.new_id(), now), Event("pool.created")).await?;
        }
        work.commit(None).await
    }
}

/// The settings.
pub async fn get(app: &App, call: &Call) -> Read<SettingsView> {
    app.read(call, async |ctx, reader| {
        let settings: Settings = there(reader.all(Predicate::True).await?.into_iter().next())?;
        settings.reveal(ctx)?;
        Ok(settings.view(ctx, ())?)
    })
    .await
}

async fn load(work: &Work) -> Result<Settings, Failure> {
    Ok(there(work.load_all(Predicate::True).await?.into_iter().next())?)
}

/// Changes the settings; every rule goes by them from the next request on, and a job grades known leads anew.
pub async fn update(app: &App, call: &Call, patch: Patch<SettingsDetails>) -> Written<SettingsView> {
    app.write(call, async |ctx, work| {
        let before = load(work).await?;
        before.reveal(ctx)?;
        call.check_version(before.version)?;
        Settings::may_manage(ctx)?;
        let mut after = before.clone();
        let event = after.edit(ctx, patch.apply(&before.details)?)?;
        work.save(&before, &mut after, event).await?;
        Ok(after.view(ctx, ())?)
    })
    .await
}
