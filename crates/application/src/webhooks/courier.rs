//! Hears what happens for each webhook, and tells it to receivers until it has arrived.
//!
//! What a webhook is to tell becomes a row for each event and receiver, in the transaction that notes how far it has
//! heard: none is lost, none comes twice from there. A row is taken for a minute, sent, and noted; whatever happens to
//! a server between, another one sends it again under the same id. So a receiver gets each event once or more, and the
//! events of one record in order.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fairlead_domain::error::Code;
use fairlead_domain::values::{Timestamp, WebhookId};
use fairlead_domain::webhook::{
    DisabledReason, GIVES_UP_AFTER, Outcome, Verdict, Webhook, WebhookDelivery, WebhookStatus,
};
use fairlead_persistence::{TrailEvent, Work};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::message;
use crate::app::App;
use crate::call::{Caller, Failure};
use crate::events;
use crate::visibility::FollowedKind;

/// How often it is looked whether anything happened.
const LOOK: Duration = Duration::from_millis(500);
/// How many messages go to one receiver at the same time. Each has its own: one that is slow keeps no other waiting.
const TOGETHER: u64 = 4;
/// How often the trail is read for one webhook before the others have their turn.
const TURN: usize = 20;
/// How far a webhook may have heard, and found nothing to tell, before that is written down.
const UNWRITTEN: i64 = 5000;

/// Up to where webhooks have heard that had nothing to tell, by their versions.
type Heard = HashMap<(WebhookId, i64), i64>;

impl App {
    /// Tells other programs what happens, for ever.
    ///
    /// Each part goes on while another waits for the database: what is on its way must be able to end, or it would be
    /// waited for in vain.
    pub(crate) async fn deliver_webhooks(&self) {
        let hear = async {
            let mut heard = Heard::new();
            loop {
                if let Err(failure) = self.hear(&mut heard).await {
                    tracing::warn!(?failure, "cannot hear for webhooks");
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let on_their_way = Mutex::new(HashSet::new());
        let (taken, to_send) = mpsc::unbounded_channel();
        tokio::join!(hear, self.take_what_is_due(&on_their_way, &taken), self.send(&on_their_way, to_send));
    }

    async fn take_what_is_due(
        &self,
        on_their_way: &Mutex<HashSet<WebhookId>>,
        taken: &UnboundedSender<Vec<WebhookDelivery>>,
    ) {
        loop {
            if let Err(failure) = self.take(on_their_way, taken).await {
                tracing::warn!(?failure, "cannot take deliveries");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.inner.arrived.notified() => {}
            }
        }
    }

    /// Takes what is to be sent now of webhooks of which nothing is on its way.
    async fn take(
        &self,
        on_their_way: &Mutex<HashSet<WebhookId>>,
        taken: &UnboundedSender<Vec<WebhookDelivery>>,
    ) -> Result<(), Failure> {
        let due = self.look(None, async |ctx, reader| Ok(reader.webhooks_due(ctx.now).await?)).await?;
        for webhook in due {
            if on_their_way.lock().unwrap_or_else(PoisonError::into_inner).contains(&webhook) {
                continue;
            }
            let deliveries = self.act("webhooks", async |ctx, work| {
                let mut deliveries = work.deliveries_due(webhook, TOGETHER).await?;
                for delivery in &mut deliveries {
                    delivery.begin(ctx.now);
                    work.save_delivery(delivery).await?;
                }
                Ok(deliveries)
            });
            let deliveries = deliveries.await?;
            if !deliveries.is_empty() {
                on_their_way.lock().unwrap_or_else(PoisonError::into_inner).insert(webhook);
                // Whoever sends ends together with whoever takes.
                let _ = taken.send(deliveries);
            }
        }
        Ok(())
    }

    async fn send(
        &self,
        on_their_way: &Mutex<HashSet<WebhookId>>,
        mut to_send: UnboundedReceiver<Vec<WebhookDelivery>>,
    ) {
        let mut sending = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(deliveries) = to_send.recv() => sending.push(async {
                    let webhook = deliveries.first().map(|delivery| delivery.webhook_id);
                    join_all(deliveries.into_iter().map(|delivery| self.deliver(delivery))).await;
                    webhook
                }),
                Some(webhook) = sending.next() => {
                    let mut on_their_way = on_their_way.lock().unwrap_or_else(PoisonError::into_inner);
                    webhook.map(|webhook| on_their_way.remove(&webhook));
                    self.inner.arrived.notify_one();
                }
            }
        }
    }

    /// Records what each webhook is to tell.
    async fn hear(&self, heard: &mut Heard) -> Result<(), Failure> {
        let behind = self.look(None, async |_, reader| Ok(reader.webhooks_behind().await?)).await?;
        for (webhook, written) in behind {
            // One that fails keeps the others from nothing.
            if let Err(failure) = self.hear_for(&webhook, written, heard).await {
                tracing::warn!(webhook = %webhook.id, ?failure, "cannot hear for a webhook");
            }
        }
        Ok(())
    }

    /// Hears what happened after a place, and records what of it is to be told.
    async fn hear_for(&self, webhook: &Webhook, mut written: i64, heard: &mut Heard) -> Result<(), Failure> {
        let key = (webhook.id, webhook.version);
        let mut place = heard.remove(&key).map_or(written, |place| place.max(written));
        for _ in 0..TURN {
            let Some((events, further)) = self.what_it_may_tell(webhook, place).await? else { return Ok(()) };
            let over = further <= place;
            if !events.is_empty() || further - written > UNWRITTEN {
                if !self.record(webhook, (written, further), &events).await? {
                    return Ok(());
                }
                written = further;
            }
            place = further;
            if over {
                break;
            }
        }
        heard.insert(key, place);
        Ok(())
    }

    /// What a webhook may tell of what happened after a place, and up to where was looked; nothing when there is nobody
    /// in whose name it could hear.
    async fn what_it_may_tell(
        &self,
        webhook: &Webhook,
        place: i64,
    ) -> Result<Option<(Vec<TrailEvent>, i64)>, Failure> {
        let owner = Caller { user: webhook.owner_id, session: None };
        let heard = self
            .look(Some(owner), async |ctx, reader| events::told(ctx, reader, FollowedKind::ALL, place).await);
        match heard.await {
            Ok((mut events, further)) => {
                events.retain(|event| webhook.tells(&event.event));
                Ok(Some((events, further)))
            }
            Err(failure) if is_gone(&failure) => {
                self.act("webhooks", async |_, work| {
                    let present = work.load::<Webhook>(webhook.id).await?;
                    let present = present.filter(|present| present.version == webhook.version);
                    give_up(work, present, DisabledReason::OwnerLeft).await
                })
                .await?;
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Keeps what a webhook has heard, unless another server did, or the webhook has changed. Says whether it did.
    async fn record(
        &self,
        webhook: &Webhook,
        (from, to): (i64, i64),
        heard: &[TrailEvent],
    ) -> Result<bool, Failure> {
        self.act("webhooks", async |ctx, work| {
            let present = work.load::<Webhook>(webhook.id).await?;
            if present.is_none_or(|present| present.version != webhook.version)
                || !work.note_heard(webhook.id, from, to).await?
            {
                return Ok(false);
            }
            let deliveries = heard.iter().map(|event| delivery(webhook.id, work.new_id(), event, ctx.now));
            work.append_all(&deliveries.collect::<Vec<_>>()).await?;
            Ok(true)
        })
        .await
    }

    /// Sends a message and notes what became of it.
    async fn deliver(&self, delivery: WebhookDelivery) {
        let id = delivery.id;
        if let Err(failure) = self.send_and_note(delivery).await {
            // It is sent again when its minute is over.
            tracing::warn!(delivery = %id, ?failure, "cannot note what became of a delivery");
        }
    }

    async fn send_and_note(&self, delivery: WebhookDelivery) -> Result<(), Failure> {
        let Some((webhook, secrets, now)) = self.what_to_send(&delivery).await? else { return Ok(()) };
        let outcome = self.call(&webhook, &delivery, &secrets, now).await;
        let spread = rand::random();
        self.act("webhooks", async |ctx, work| {
            // The webhook first, as by everybody. It may lead elsewhere by now: then this is no word about it.
            let Some(present) = work.load::<Webhook>(delivery.webhook_id).await? else { return Ok(()) };
            let same = Some(present).filter(|present| present.details.url == webhook.details.url);
            // It may have been forgotten, or sent again meanwhile.
            let sent: Option<WebhookDelivery> = work.load(delivery.id).await?;
            let Some(mut sent) = sent.filter(|sent| sent.version == delivery.version) else { return Ok(()) };
            let verdict = sent.note(outcome.clone(), ctx.now, spread);
            work.save_delivery(&mut sent).await?;
            match verdict {
                Verdict::GoOn => Ok(()),
                Verdict::Gone => give_up(work, same, DisabledReason::Gone).await,
                Verdict::GivenUp => {
                    if work.has_arrived_since(delivery.webhook_id, ctx.now.plus(-GIVES_UP_AFTER)).await? {
                        return Ok(());
                    }
                    give_up(work, same, DisabledReason::Undeliverable).await
                }
            }
        })
        .await
    }

    /// What a message needs, as it is now; nothing when it is not to be sent, or not now.
    async fn what_to_send(
        &self,
        delivery: &WebhookDelivery,
    ) -> Result<Option<(Webhook, Vec<Vec<u8>>, Timestamp)>, Failure> {
        let found = self
            .look(None, async |ctx, reader| {
                let webhook: Option<Webhook> = reader.one(delivery.webhook_id).await?;
                let secrets = reader.webhook_secrets(delivery.webhook_id, ctx.now).await?;
                Ok(webhook.map(|webhook| (webhook, secrets, ctx.now)))
            })
            .await?;
        let Some(found) = found else { return Ok(None) };
        let about = (delivery.record_kind, delivery.record_id, delivery.sequence);
        let (Some(kind), Some(record), Some(sequence)) = about else { return Ok(Some(found)) };
        if found.0.status != WebhookStatus::Active {
            self.change_taken(delivery, WebhookDelivery::give_back).await?;
            return Ok(None);
        }
        // Who listens may be somebody else by now, or see less.
        let owner = Caller { user: found.0.owner_id, session: None };
        let seen = self.look(Some(owner), async |ctx, reader| {
            events::may_be_told(ctx, reader, (kind, record, sequence)).await
        });
        let seen = match seen.await {
            Err(failure) if is_gone(&failure) => false,
            seen => seen?,
        };
        if seen {
            return Ok(Some(found));
        }
        self.change_taken(delivery, |delivery, _| delivery.withhold()).await?;
        Ok(None)
    }

    /// Changes a delivery that was taken and is not sent, if it is still the same.
    async fn change_taken(
        &self,
        taken: &WebhookDelivery,
        change: fn(&mut WebhookDelivery, Timestamp),
    ) -> Result<(), Failure> {
        self.act("webhooks", async |ctx, work| {
            let kept: Option<WebhookDelivery> = work.load(taken.id).await?;
            if let Some(mut kept) = kept.filter(|kept| kept.version == taken.version) {
                change(&mut kept, ctx.now);
                work.save_delivery(&mut kept).await?;
            }
            Ok(())
        })
        .await
    }

    async fn call(
        &self,
        webhook: &Webhook,
        delivery: &WebhookDelivery,
        secrets: &[Vec<u8>],
        now: Timestamp,
    ) -> Outcome {
        let outbound = &self.inner.outbound;
        // Judged again: what was allowed when it was recorded may be no longer.
        let target = match outbound.targets().judge(webhook.details.url.as_str()) {
            Ok(target) => target,
            Err(unfit) => return failed(unfit.why),
        };
        let Some(body) = message::body(delivery) else { return failed("the event cannot be told") };
        let headers = headers(delivery, secrets, now, &body);
        outbound.post(&target, headers, body).await
    }
}

fn is_gone(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code == Code::Unauthenticated)
}

/// Gives a webhook up, in the transaction that locked it.
async fn give_up(work: &mut Work, webhook: Option<Webhook>, why: DisabledReason) -> Result<(), Failure> {
    let Some(before) = webhook.filter(|webhook| webhook.status == WebhookStatus::Active) else {
        return Ok(());
    };
    let mut after = before.clone();
    let event = after.give_up(why)?;
    work.save(&before, &mut after, event).await?;
    tracing::warn!(webhook = %before.id, %why, "a webhook is given up");
    Ok(())
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
    WebhookDelivery {
        event_id: event.event_id,
        event: event.event.clone(),
        sequence: Some(event.sequence),
        record_kind: Some(event.kind),
        record_id: Some(event.id),
        actor_id: event.actor,
        occurred_at: event.occurred_at,
        ..WebhookDelivery::begun(webhook_id, id, now)
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

#[cfg(test)]
mod tests {
    use fairlead_domain::record::RecordKind;
    use fairlead_domain::valid::Valid;
    use fairlead_domain::values::{Line, WebAddress};
    use fairlead_domain::webhook::{DeliveryStatus, WebhookDetails};

    use super::*;
    use crate::app::tests::open;
    use crate::call::Done;
    use crate::clock::new_id;
    use crate::webhooks;

    /// What a server takes to send now.
    async fn taken(app: &App) -> Vec<WebhookDelivery> {
        let (taken, mut to_send) = mpsc::unbounded_channel();
        app.take(&Mutex::default(), &taken).await.unwrap();
        to_send.try_recv().unwrap_or_default()
    }

    async fn kept(app: &App, delivery: &WebhookDelivery) -> Option<WebhookDelivery> {
        app.look(None, async |_, reader| Ok(reader.one(delivery.id).await?)).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_taken_and_not_sent_is_given_back() {
        let directory = tempfile::tempdir().unwrap();
        let (app, call) = open(&directory).await;
        let form = WebhookDetails {
            name: Line::new("Receiver"),
            url: WebAddress::new("https://receiver.invalid/"),
            events: Vec::new(),
        };
        let made = webhooks::create(&app, &call, Valid::check(form).unwrap()).await.unwrap();
        let Done::Fresh(made) = made else { panic!("it was made before") };
        let id = made.webhook.record.id;
        let event = TrailEvent {
            sequence: 1,
            event_id: new_id(),
            event: "lead.created".to_owned(),
            kind: RecordKind::Lead,
            id: new_id(),
            occurred_at: app.now(),
            actor: None,
        };
        let told = app.act("test", async |ctx, work| {
            Ok(work.append(&delivery(id, work.new_id(), &event, ctx.now)).await?)
        });
        told.await.unwrap();

        let first = taken(&app).await.remove(0);
        webhooks::disable(&app, &call, id).await.unwrap();
        app.deliver(first.clone()).await;
        let back = kept(&app, &first).await.unwrap();
        assert_eq!((back.status, back.attempts, back.last_attempt_at), (DeliveryStatus::Pending, 0, None));
        // It waits for its webhook, and not for the end of its minute.
        assert!(taken(&app).await.is_empty());
        webhooks::enable(&app, &call, id).await.unwrap();
        let again = taken(&app).await.remove(0);
        assert_eq!(again.id, first.id);
        // What is deleted takes what is on its way along: nothing becomes of it, and then it is gone.
        webhooks::delete(&app, &call, id).await.unwrap();
        let version = again.version;
        app.deliver(again).await;
        assert_eq!(kept(&app, &first).await.map(|kept| kept.version), Some(version));
        assert!(taken(&app).await.is_empty());
        app.sweep_deliveries().await.unwrap();
        assert_eq!(kept(&app, &first).await, None);
    }
}
