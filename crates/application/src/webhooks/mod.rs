//! Webhooks: who is told of what happens, and with what messages are signed.
//!
//! [`courier`] does the telling, [`outbound`] the calling, [`message`] says what is sent.

mod courier;
pub mod deliveries;
mod message;
mod outbound;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::Refusal;
use fairlead_domain::patch::Patch;
use fairlead_domain::settings::Settings;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::WebhookId;
use fairlead_domain::webhook::{Webhook, WebhookDelivery, WebhookDetails, WebhookStatus};
use fairlead_persistence::{Predicate, Work};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::message::{EventMessage, HappenedData, PingData, PingMessage};
pub(crate) use self::outbound::Outbound;
use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::{self, Resource};
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Related, views};

/// How long a secret that was replaced is still good.
const OVERLAP: Duration = Duration::hours(24);
/// How many bytes a secret has.
const SECRET_BYTES: usize = 32;

views!(Webhook, /// A webhook.
    WebhookView, /// A webhook in a list.
    WebhookSummary, [owner: WithOwner]);

/// A webhook with its new secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookSecretView {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// What its messages are signed with, in the notation of Standard Webhooks. It is shown in this answer only; none
    /// where nothing but a trial was made (`dry_run`).
    #[schema(required, max_length = 80, example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDpKJ4bD5cEBY=")]
    pub secret: Option<String>,
}

impl Versioned for WebhookSecretView {
    fn version(&self) -> i64 {
        self.webhook.version()
    }
}

/// What a list of webhooks can be asked.
pub static LISTING: Listing = Listing {
    resource: "webhooks",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("status", words!(WebhookStatus)),
        Field::new("owner_id", Kind::Id),
    ],
    search: &["name"],
    default_sort: "created_at",
    includes: WebhookSummary::INCLUDES,
};

impl Resource for Webhook {
    type View = WebhookView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Settings::may_read(ctx).map_err(|_| Refusal::not_found())
    }
    fn view(self, ctx: &Context, (): ()) -> Result<WebhookView, Refusal> {
        Ok(WebhookView { allowed_actions: self.allowed_actions(ctx), record: self })
    }
}

/// What a webhook refers to.
fn links(webhook: &Webhook) -> Links {
    Links { owner: Some(webhook.owner_id), ..Links::default() }
}

/// One webhook.
pub async fn get(app: &App, call: &Call, id: WebhookId, include: Include) -> Read<Related<WebhookView>> {
    app.get_related::<Webhook>(call, id, &include, links).await
}

/// All webhooks.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<WebhookSummary>> {
    app.read(call, async |ctx, reader| {
        Settings::may_read(ctx)?;
        lists::page(ctx, reader, &list, Predicate::True, links).await
    })
    .await
}

/// Makes a webhook. It hears what happens from now on.
pub async fn create(app: &App, call: &Call, form: Valid<WebhookDetails>) -> Written<WebhookSecretView> {
    app.write(call, async |ctx, work| {
        let (webhook, event) = Webhook::new(ctx, work.new_id(), form.clone(), app.inner.outbound.targets())?;
        // Of two who make the last one that may be there, one is counted by the other.
        work.lock_organisation().await?;
        Webhook::check_count(work.count("webhooks", Predicate::True).await?)?;
        work.insert(&webhook, event).await?;
        work.begin_hearing(webhook.id).await?;
        let secret = Some(new_secret(work, webhook.id).await?);
        Ok(WebhookSecretView { webhook: webhook.view(ctx, ())?, secret })
    })
    .await
}

/// Changes a webhook.
pub async fn update(
    app: &App,
    call: &Call,
    id: WebhookId,
    patch: Patch<WebhookDetails>,
) -> Written<WebhookView> {
    app.change(call, id, async |ctx, _, webhook: &mut Webhook| {
        Webhook::may_manage(ctx)?;
        Ok(webhook.edit(ctx, patch.apply(&webhook.details)?, app.inner.outbound.targets())?)
    })
    .await
}

/// Deletes a webhook. What is on its way is neither sent nor shown any more, and removed in the background: it may be
/// very much, and other writers would wait.
pub async fn delete(app: &App, call: &Call, id: WebhookId) -> Written<()> {
    let done = app
        .remove(call, id, Event("webhook.deleted"), async |ctx, work, webhook: &Webhook| {
            Webhook::may_manage(ctx)?;
            Ok(work.discard_deliveries(webhook.id).await?)
        })
        .await;
    app.inner.due.notify_one();
    done
}

/// Replaces a webhook's secret. For a day messages are signed with both.
pub async fn rotate_secret(app: &App, call: &Call, id: WebhookId) -> Written<WebhookSecretView> {
    app.write(call, async |ctx, work| {
        let case = async |_: &mut Work, webhook: &mut Webhook| Ok(webhook.rotate_secret(ctx)?);
        let webhook = change::change(ctx, work, call, id, case).await?;
        let secret = new_secret(work, id).await?;
        Ok(WebhookSecretView { webhook, secret: Some(secret).filter(|_| !call.dry_run) })
    })
    .await
}

/// Lets a webhook tell nothing.
pub async fn disable(app: &App, call: &Call, id: WebhookId) -> Written<WebhookView> {
    app.change(call, id, async |ctx, _, webhook: &mut Webhook| Ok(webhook.disable(ctx)?)).await
}

/// Lets a webhook tell what happens from now on, and what was on its way.
pub async fn enable(app: &App, call: &Call, id: WebhookId) -> Written<WebhookView> {
    app.change(call, id, async |ctx, work, webhook: &mut Webhook| {
        let event = webhook.enable(ctx)?;
        work.begin_hearing(webhook.id).await?;
        Ok(event)
    })
    .await
}

/// Sends a trial.
pub async fn ping(app: &App, call: &Call, id: WebhookId) -> Written<deliveries::WebhookDeliveryView> {
    app.write(call, async |ctx, work| {
        let webhook: Webhook = change::load(ctx, work, id).await?;
        call.check_version(webhook.version)?;
        Webhook::may_manage(ctx)?;
        let delivery = WebhookDelivery::ping(id, work.new_id(), ctx.actor.id, ctx.now);
        work.append(&delivery).await?;
        Ok(deliveries::view(ctx, delivery))
    })
    .await
}

/// Makes a secret and says how receivers are told of it.
async fn new_secret(work: &Work, webhook: WebhookId) -> Result<String, Failure> {
    let secret: [u8; SECRET_BYTES] = rand::random();
    work.replace_webhook_secret(webhook, &secret, work.now().plus(OVERLAP)).await?;
    Ok(format!("{}{}", message::SECRET_PREFIX, STANDARD.encode(secret)))
}
