//! Hears what happens for each webhook, and tells it to receivers until it has arrived.
//!
//! What a webhook is to tell becomes a row for each event and receiver, in the transaction that notes how far it has
//! heard: none is lost, none comes twice from there. A row is taken for a minute, sent, and noted; whatever happens to
//! a server between, another one sends it again under the same id. So a receiver gets each event once or more, and the
//! events of one record in order.

use std::collections::HashMap;
use std::time::Duration;

use fairlead_domain::context::Context;
use fairlead_domain::error::Code;
use fairlead_domain::record::RecordKind;
use fairlead_domain::values::{Timestamp, WebhookId};
use fairlead_domain::webhook::{
    DeliveryStatus, DisabledReason, KEPT, Outcome, PING, Verdict, Webhook, WebhookDelivery, WebhookStatus,
};
use fairlead_persistence::TrailEvent;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reqwest::header::{HeaderMap, HeaderValue};
use uuid::Uuid;

use super::message;
use crate::app::App;
use crate::call::{Caller, Failure};
use crate::events;
use crate::search::SearchKind;

/// How often it is looked whether anything happened.
const LOOK: Duration = Duration::from_millis(500);
/// How many messages are on their way at the same time.
const ROOM: usize = 32;
/// How many of them to one receiver: one that is slow must not keep the others waiting.
const ROOM_FOR_EACH: usize = 4;

impl App {
    /// Tells other programs what happens, for ever. Whoever runs a server runs it once.
    pub async fn deliver_webhooks(&self) {
        let hear = async {
            loop {
                if let Err(failure) = self.hear().await {
                    tracing::warn!(?failure, "cannot hear for webhooks");
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::join!(hear, self.send_what_is_due());
    }

    async fn send_what_is_due(&self) {
        let mut sending = FuturesUnordered::new();
        let mut on_their_way: HashMap<WebhookId, usize> = HashMap::new();
        loop {
            let full = on_their_way.iter().filter(|(_, count)| **count >= ROOM_FOR_EACH).map(|(id, _)| id.0);
            match self.take_deliveries(full.collect(), ROOM.saturating_sub(sending.len())).await {
                Ok(taken) => {
                    for delivery in taken {
                        *on_their_way.entry(delivery.webhook_id).or_default() += 1;
                        sending.push(self.deliver(delivery));
                    }
                }
                Err(failure) => tracing::warn!(?failure, "cannot take deliveries"),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                Some(webhook) = sending.next() => {
                    if let Some(count) = on_their_way.get_mut(&webhook) {
                        *count -= 1;
                    }
                    on_their_way.retain(|_, count| *count > 0);
                }
            }
        }
    }

    /// Records what each webhook is to tell.
    async fn hear(&self) -> Result<(), Failure> {
        let behind = self.look(None, async |_, reader| Ok(reader.webhooks_behind().await?)).await?;
        for (webhook, place) in behind {
            let mut place = place;
            while let Some((heard, further)) = self.hear_for(&webhook, place).await? {
                if !self.record(&webhook, (place, further), &heard).await? || further == place {
                    break;
                }
                place = further;
            }
        }
        Ok(())
    }

    /// What a webhook may tell of what happened after a place, and up to where was looked; nothing when there is nobody
    /// in whose name it could hear.
    async fn hear_for(
        &self,
        webhook: &Webhook,
        place: i64,
    ) -> Result<Option<(Vec<TrailEvent>, i64)>, Failure> {
        let owner = Caller { user: webhook.owner_id, session: None };
        let heard = self
            .look(Some(owner), async |ctx, reader| events::told(ctx, reader, SearchKind::ALL, place).await);
        match heard.await {
            Ok((mut heard, further)) => {
                heard.retain(|event| webhook.tells(&event.event));
                Ok((further > place).then_some((heard, further)))
            }
            Err(Failure::Refused(refusal)) if refusal.code == Code::Unauthenticated => {
                self.give_webhook_up(webhook.id, DisabledReason::OwnerLeft, None).await?;
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Keeps what a webhook has heard, unless another server did. Says whether it did.
    async fn record(
        &self,
        webhook: &Webhook,
        (from, to): (i64, i64),
        heard: &[TrailEvent],
    ) -> Result<bool, Failure> {
        self.act("webhooks", async |ctx, work| {
            if !work.note_heard(webhook.id, from, to).await? {
                return Ok(false);
            }
            for event in heard {
                work.insert_delivery(&delivery(webhook.id, work.new_id(), event, ctx.now)).await?;
            }
            Ok(true)
        })
        .await
    }

    /// Takes what is to be sent now.
    async fn take_deliveries(&self, full: Vec<Uuid>, room: usize) -> Result<Vec<WebhookDelivery>, Failure> {
        let due = async |ctx: &Context<'_>, reader: &fairlead_persistence::Reader<'_>| {
            Ok(reader.has_deliveries_due(ctx.now).await?)
        };
        if room == 0 || !self.look(None, due).await? {
            return Ok(Vec::new());
        }
        self.act("webhooks", async |ctx, work| {
            let mut taken = work.deliveries_due(&full, ROOM_FOR_EACH as u64, room as u64).await?;
            for delivery in &mut taken {
                delivery.begin(ctx.now);
                work.save_delivery(delivery).await?;
            }
            Ok(taken)
        })
        .await
    }

    /// Sends a message and notes what became of it. Says of which webhook it was.
    async fn deliver(&self, delivery: WebhookDelivery) -> WebhookId {
        let (id, webhook) = (delivery.id, delivery.webhook_id);
        if let Err(failure) = self.send_and_note(delivery).await {
            // It is sent again when its minute is over.
            tracing::warn!(delivery = %id, ?failure, "cannot note what became of a delivery");
        }
        webhook
    }

    async fn send_and_note(&self, delivery: WebhookDelivery) -> Result<(), Failure> {
        let Some(outcome) = self.send(&delivery).await? else { return Ok(()) };
        let spread = rand::random();
        let verdict = self.act("webhooks", async |ctx, work| {
            // The webhook may have been deleted, or the delivery been sent again by another server.
            let present: Option<WebhookDelivery> = work.load(delivery.id).await?;
            let Some(mut present) = present.filter(|it| it.version == delivery.version) else {
                return Ok(Verdict::GoOn);
            };
            let verdict = present.note(outcome.clone(), ctx.now, spread);
            work.save_delivery(&mut present).await?;
            Ok(verdict)
        });
        match verdict.await? {
            Verdict::GoOn => Ok(()),
            Verdict::Gone => self.give_webhook_up(delivery.webhook_id, DisabledReason::Gone, None).await,
            Verdict::GivenUp => {
                let since = Some(delivery.created_at);
                self.give_webhook_up(delivery.webhook_id, DisabledReason::Undeliverable, since).await
            }
        }
    }

    /// Sends a message as its webhook is now; nothing when that is gone or tells nothing.
    async fn send(&self, delivery: &WebhookDelivery) -> Result<Option<Outcome>, Failure> {
        let found = self
            .look(None, async |ctx, reader| {
                let webhook: Option<Webhook> = reader.one(delivery.webhook_id).await?;
                let secrets = reader.webhook_secrets(delivery.webhook_id, ctx.now).await?;
                Ok(webhook.map(|webhook| (webhook, secrets, ctx.now)))
            })
            .await?;
        let Some((webhook, secrets, now)) = found else { return Ok(None) };
        if webhook.status != WebhookStatus::Active && delivery.event != PING {
            return Ok(None);
        }
        let outbound = &self.inner.outbound;
        // Judged again: what was allowed when it was recorded may be no longer.
        let target = match outbound.targets().judge(webhook.details.url.as_str()) {
            Ok(target) => target,
            Err(unfit) => return Ok(Some(failed(unfit.why))),
        };
        let Some(body) = message::body(delivery) else {
            return Ok(Some(failed("the event cannot be told")));
        };
        let headers = headers(delivery, &secrets, now, &body);
        Ok(Some(outbound.post(&target, headers, body).await))
    }

    /// Gives a webhook up, unless something has arrived since a moment.
    async fn give_webhook_up(
        &self,
        id: WebhookId,
        why: DisabledReason,
        unless_since: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let given_up = self.act("webhooks", async |_, work| {
            let Some(before) = work.load::<Webhook>(id).await? else { return Ok(false) };
            if before.status != WebhookStatus::Active {
                return Ok(false);
            }
            if let Some(since) = unless_since
                && work.has_arrived_since(id, since).await?
            {
                return Ok(false);
            }
            let mut after = before.clone();
            let event = after.give_up(why)?;
            work.save(&before, &mut after, event).await?;
            Ok(true)
        });
        if given_up.await? {
            tracing::warn!(webhook = %id, %why, "a webhook was given up");
        }
        Ok(())
    }

    /// Forgets deliveries of long ago.
    pub(crate) async fn sweep_deliveries(&self) -> Result<(), Failure> {
        self.act("sweep", async |ctx, work| {
            work.forget_deliveries(ctx.now.plus(-KEPT)).await?;
            Ok(())
        })
        .await
    }
}

fn failed(why: &str) -> Outcome {
    Outcome { answer: Err(why.to_owned()), duration_ms: 0 }
}

/// An event on its way.
fn delivery(
    webhook_id: WebhookId,
    id: fairlead_domain::values::WebhookDeliveryId,
    event: &TrailEvent,
    now: Timestamp,
) -> WebhookDelivery {
    let kind: RecordKind = event.kind;
    WebhookDelivery {
        id,
        webhook_id,
        event_id: event.event_id,
        event: event.event.clone(),
        sequence: Some(event.sequence),
        record_kind: Some(kind),
        record_id: Some(event.id),
        actor_id: event.actor,
        occurred_at: event.occurred_at,
        status: DeliveryStatus::Pending,
        attempts: 0,
        next_attempt_at: Some(now),
        last_attempt_at: None,
        response_status: None,
        duration_ms: None,
        response_body: None,
        problem: None,
        version: 1,
        created_at: now,
    }
}

/// What names a message and proves where it comes from.
fn headers(delivery: &WebhookDelivery, secrets: &[Vec<u8>], now: Timestamp, body: &str) -> HeaderMap {
    let (id, timestamp) = (delivery.event_id.to_string(), now.millis() / 1000);
    let signatures = message::signatures(secrets, &id, timestamp, body);
    let mut headers = HeaderMap::new();
    for (name, value) in
        [("webhook-id", id), ("webhook-timestamp", timestamp.to_string()), ("webhook-signature", signatures)]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    headers
}
