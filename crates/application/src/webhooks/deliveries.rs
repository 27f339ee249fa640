//! Deliveries of webhooks (推送记录).

use fairlead_domain::context::Context;
use fairlead_domain::values::WebhookDeliveryId;
use fairlead_domain::webhook::{DeliveryStatus, WebhookDelivery};
use fairlead_domain::workflow::AllowedAction;
use fairlead_persistence::{Predicate, of_present_webhooks};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::there;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, words};

/// A delivery, and what the caller may do with it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookDeliveryView {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: WebhookDelivery,
    /// What the caller may do with it now.
    #[schema(max_items = 20)]
    pub allowed_actions: Vec<AllowedAction>,
}

impl Versioned for WebhookDeliveryView {
    fn version(&self) -> i64 {
        self.delivery.version
    }
}

/// What a list of deliveries can be asked.
pub static LISTING: Listing = Listing {
    resource: "webhook_deliveries",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("webhook_id", Kind::Id),
        Field::new("status", words!(DeliveryStatus)),
        Field::new("event", Kind::Text),
        Field::new("record_id", Kind::Id).nullable(),
        Field::new("next_attempt_at", Kind::Timestamp).nullable(),
    ],
    search: &[],
    default_sort: "-created_at",
    includes: &[],
};

/// How many deliveries of a deleted webhook are removed together: other writers wait meanwhile.
const REMOVED: u64 = 1000;

/// The delivery, if its webhook is there.
fn one(id: WebhookDeliveryId) -> Predicate {
    Predicate::All(vec![Predicate::Is("id", id.0.into()), of_present_webhooks()])
}

pub(super) fn view(ctx: &Context, delivery: WebhookDelivery) -> WebhookDeliveryView {
    WebhookDeliveryView { allowed_actions: WebhookDelivery::allowed_actions(ctx), delivery }
}

/// One delivery.
pub async fn get(app: &App, call: &Call, id: WebhookDeliveryId) -> Read<WebhookDeliveryView> {
    app.read(call, async |ctx, reader| {
        WebhookDelivery::reveal(ctx)?;
        let found: Vec<WebhookDelivery> = reader.all(one(id)).await?;
        Ok(view(ctx, there(found.into_iter().next())?))
    })
    .await
}

/// The deliveries of the last days.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<WebhookDelivery>> {
    app.read(call, async |ctx, reader| {
        WebhookDelivery::may_read(ctx)?;
        lists::lines(reader, &list, of_present_webhooks()).await
    })
    .await
}

/// Sends a delivery again.
pub async fn redeliver(app: &App, call: &Call, id: WebhookDeliveryId) -> Written<WebhookDeliveryView> {
    app.write(call, async |ctx, work| {
        WebhookDelivery::reveal(ctx)?;
        let found: Vec<WebhookDelivery> = work.load_all(one(id)).await?;
        let mut delivery = there(found.into_iter().next())?;
        call.check_version(delivery.version)?;
        delivery.redeliver(ctx)?;
        work.save_delivery(&mut delivery).await?;
        Ok(view(ctx, delivery))
    })
    .await
}

impl App {
    /// Removes what was recorded for webhooks that were deleted. Whenever it is cut off, the rest is still on the list.
    pub(crate) async fn sweep_deliveries(&self) -> Result<(), Failure> {
        loop {
            let deleted = self.look(None, async |_, reader| Ok(reader.deleted_webhook().await?)).await?;
            let Some(webhook) = deleted else { return Ok(()) };
            self.act("sweep", async |_, work| Ok(work.remove_deliveries(webhook, REMOVED).await?)).await?;
        }
    }
}
