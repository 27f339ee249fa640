//! Events as they happen (server-sent events), for whoever keeps a screen up to date: each tells what happened to
//! which record, and the record itself is asked for where its readers are judged anyway.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fairlead_domain::context::Context;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::record::RecordKind;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{Timestamp, UserId, json};
use fairlead_persistence::sync::Watched;
use fairlead_persistence::{Reader, TrailEvent};
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use utoipa::openapi::schema::OneOfBuilder;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Failure, Read};
use crate::visibility::{self, FollowedKind};

/// How much of the trail is looked at together.
const BATCH: i64 = 500;
/// How often the database is asked whether another server wrote something.
const LOOK: Duration = Duration::from_millis(500);
/// How many streams a user may have at the same time.
const STREAMS: usize = 10;

/// What somebody wants to hear of.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsForm {
    /// Which kinds of records, separated by commas; all when absent.
    #[serde(default)]
    #[validate(length(min = 1, max = 10))]
    #[schema(min_items = 1, max_items = 10)]
    pub kinds: Option<Vec<FollowedKind>>,
    /// After how many seconds the stream ends at the latest; 0 tells what has happened since `Last-Event-ID`, and
    /// ends.
    #[serde(default = "longest")]
    #[validate(range(min = 0, max = 900))]
    #[schema(minimum = 0, maximum = 900, default = 900)]
    pub wait: u64,
}

fn longest() -> u64 {
    900
}

/// Something that happened to a record: the `data` of an event of the stream. Its `event` is the same as `type`, its
/// `id` says where to go on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RecordEvent {
    /// What happened, such as `contract.submitted`.
    #[serde(rename = "type")]
    #[schema(max_length = 80, example = "contract.submitted")]
    pub kind: String,
    /// When.
    pub occurred_at: Timestamp,
    /// To which kind of record.
    pub record_kind: FollowedKind,
    /// To which record.
    pub record_id: Uuid,
    /// Who did it; none when Fairlead itself.
    #[schema(required)]
    pub actor_id: Option<UserId>,
}

/// What a stream says first, where no `Last-Event-ID` said behind which event it goes on. Its `event` is `ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StreamReady {
    /// Always `ready`.
    #[serde(rename = "type")]
    #[schema(value_type = String, max_length = 5, pattern = "^ready$", example = "ready")]
    pub kind: &'static str,
    /// Behind which event the stream goes on, the same as its `id`: whoever comes back sends it as `Last-Event-ID`.
    #[schema(min_length = 1, max_length = 18, pattern = "^[0-9]+$", example = "4711")]
    pub last_event_id: String,
}

impl StreamReady {
    /// A stream that goes on behind this place.
    pub fn behind(place: i64) -> Self {
        Self { kind: "ready", last_event_id: place.to_string() }
    }
}

/// The `data` of an event of the stream, as the specification describes it.
#[derive(Debug, Clone, Copy)]
pub struct StreamEvent;

impl PartialSchema for StreamEvent {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            // What comes most often is the example.
            .item(json::reference::<RecordEvent>())
            .item(json::reference::<StreamReady>())
            .description(Some(
                "The `data` of an event of the stream; `type` and the event's `event` are the same: `ready` where a \
                 stream begins without `Last-Event-ID`, and what happened otherwise.",
            ))
            .into()
    }
}
impl ToSchema for StreamEvent {
    fn schemas(named: &mut Vec<(String, RefOr<Schema>)>) {
        json::name::<RecordEvent>(named);
        json::name::<StreamReady>(named);
    }
}

/// Some events, and where to go on.
#[derive(Debug)]
pub struct Heard {
    /// The events with their places.
    pub events: Vec<(i64, RecordEvent)>,
    /// The place up to which the trail was looked at.
    pub place: i64,
    /// Whether there is more at once.
    pub more: bool,
}

/// What happened to records that the caller sees, after a place; without one, from now on. Each is told as long as its
/// record can be seen, or could be until this very event.
pub async fn after(app: &App, call: &Call, form: &Valid<EventsForm>, place: Option<i64>) -> Read<Heard> {
    app.read(call, async |ctx, reader| {
        let last = reader.last_event().await?;
        let Some(place) = place else { return Ok(Heard { events: Vec::new(), place: last, more: false }) };
        if place > last {
            let detail = "no event has this id yet";
            return Err(
                Refusal { code: Code::InvalidCursor, ..Refusal::malformed("Last-Event-ID", detail) }.into()
            );
        }
        let (told, place) = told(ctx, reader, &visibility::chosen(form.kinds.as_deref()), place).await?;
        let events = told.into_iter().filter_map(tell).collect();
        Ok(Heard { events, place, more: place < last })
    })
    .await
}

/// What happened to records of these kinds after a place, as far as the caller may be told, and the place up to which
/// the trail was looked at.
pub(crate) async fn told(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    kinds: &[FollowedKind],
    place: i64,
) -> Result<(Vec<TrailEvent>, i64), Failure> {
    let watched: Vec<_> = kinds.iter().filter_map(|kind| visibility::watched(ctx, *kind)).collect();
    let of: Vec<RecordKind> = watched.iter().map(|watched| watched.kind).collect();
    let (happened, place) = reader.events_after(place, &of, BATCH).await?;
    Ok((seen(reader, &watched, happened, |event| (event.id, event.sequence, event.kind)).await?, place))
}

/// Whether the caller may be told of an event now.
pub(crate) async fn may_be_told(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    (kind, record, sequence): (RecordKind, Uuid, i64),
) -> Result<bool, Failure> {
    let watched: Vec<_> =
        FollowedKind::ALL.iter().filter_map(|kind| visibility::watched(ctx, *kind)).collect();
    Ok(!seen(reader, &watched, vec![(record, sequence, kind)], |event| *event).await?.is_empty())
}

/// Those of some events of which the caller may be told; `place` says of which record each is, and where in the trail.
async fn seen<T>(
    reader: &Reader<'_>,
    watched: &[Watched],
    mut happened: Vec<T>,
    place: impl Fn(&T) -> (Uuid, i64, RecordKind),
) -> Result<Vec<T>, Failure> {
    let mut during: HashMap<Uuid, Vec<RangeInclusive<i64>>> = HashMap::new();
    for watched in watched {
        let of_kind = happened.iter().map(&place).filter(|(_, _, kind)| *kind == watched.kind);
        let records: BTreeSet<Uuid> = of_kind.map(|(record, _, _)| record).collect();
        for (id, stretch) in reader.told_during(watched, &records.into_iter().collect::<Vec<_>>()).await? {
            during.entry(id).or_default().push(stretch);
        }
    }
    happened.retain(|event| {
        let (record, sequence, _) = place(event);
        let stretches = during.get(&record);
        stretches.is_some_and(|stretches| stretches.iter().any(|stretch| stretch.contains(&sequence)))
    });
    Ok(happened)
}

fn tell(event: TrailEvent) -> Option<(i64, RecordEvent)> {
    let record_kind = event.kind.as_str().parse().ok()?;
    let told = RecordEvent {
        kind: event.event,
        occurred_at: event.occurred_at,
        record_kind,
        record_id: event.id,
        actor_id: event.actor,
    };
    Some((event.sequence, told))
}

/// Who follows events on this server, and what tells them that there are new ones.
#[derive(Default)]
pub(crate) struct News {
    followers: Arc<Mutex<Followers>>,
}

#[derive(Default)]
struct Followers {
    /// The streams of each user, the oldest first, with what ends one when it is dropped.
    streams: BTreeMap<UserId, VecDeque<(u64, oneshot::Sender<()>)>>,
    /// How many have begun.
    begun: u64,
    /// The place of the last event, looked for while anybody follows.
    last: Option<watch::Sender<i64>>,
}

/// Somebody who follows events; dropped, they do no longer.
pub struct Follower {
    user: UserId,
    number: u64,
    followers: Arc<Mutex<Followers>>,
    last: watch::Receiver<i64>,
    ended: oneshot::Receiver<()>,
    /// What ended once is not asked again.
    replaced: bool,
}

impl Follower {
    /// Waits until there may be something new, or newer streams of the same user have taken the place of this one.
    pub async fn news(&mut self) {
        let news = async {
            // Whoever looked for news ends with the last follower, not before.
            if self.last.changed().await.is_err() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = news => {}
            _ = &mut self.ended => self.replaced = true,
        }
    }

    /// Whether newer streams of the same user have taken the place of this one: then it ends.
    pub fn is_replaced(&mut self) -> bool {
        self.replaced =
            self.replaced || matches!(self.ended.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        self.replaced
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = followers.streams.get_mut(&self.user) {
            streams.retain(|(number, _)| *number != self.number);
            if streams.is_empty() {
                followers.streams.remove(&self.user);
            }
        }
    }
}

/// Begins to follow events. Each user has so many streams on one server, the newest: that a page which was reloaded or
/// a phone without network has left one behind is noticed late, and nobody is to wait for that. The first news comes at
/// once, since something may have happened between the look before and this.
pub fn follow(app: &App, call: &Call) -> Follower {
    let user = call.caller.user;
    let shared = &app.inner.news.followers;
    let mut followers = shared.lock().unwrap_or_else(PoisonError::into_inner);
    followers.begun += 1;
    let number = followers.begun;
    let (end, ended) = oneshot::channel();
    let streams = followers.streams.entry(user).or_default();
    streams.push_back((number, end));
    if streams.len() > STREAMS {
        streams.pop_front();
    }
    let mut last = if let Some(sender) = &followers.last {
        sender.subscribe()
    } else {
        let (sender, receiver) = watch::channel(0);
        followers.last = Some(sender);
        tokio::spawn(look(app.clone(), Arc::clone(shared)));
        receiver
    };
    last.mark_changed();
    Follower { user, number, followers: Arc::clone(shared), last, ended, replaced: false }
}

/// Looks for new events, once for all who follow on this server, until nobody does.
async fn look(app: App, followers: Arc<Mutex<Followers>>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let last = app.store().last_event().await;
        let mut followers = followers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = &followers.last else { return };
        if sender.receiver_count() == 0 {
            followers.last = None;
            return;
        }
        // A database that is away is asked again.
        if let Ok(last) = last {
            sender.send_if_modified(|known| std::mem::replace(known, last) != last);
        }
    }
}
