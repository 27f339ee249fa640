//! Notifications (通知): each user's own inbox, filled from the outbox.

use fairlead_domain::notification::{Notification, NotificationKind, notices, title};
use fairlead_domain::record::RecordKind;
use fairlead_domain::values::NotificationId;
use fairlead_persistence::Predicate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::there;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, words};

/// How many events are read together.
const BATCH: u64 = 200;
/// The reader's name in the outbox.
const READER: &str = "notifications";

/// What a list of notifications can be asked.
pub static LISTING: Listing = Listing {
    resource: "notifications",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("kind", words!(NotificationKind)),
        Field::new("record_kind", words!(RecordKind)),
        Field::new("record_id", Kind::Id),
        Field::new("read_at", Kind::Timestamp).nullable(),
    ],
    search: &[],
    default_sort: "-created_at",
    includes: &[],
};

/// How many notifications are new.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UnreadCount {
    /// How many.
    #[schema(minimum = 0)]
    pub unread: i64,
}

impl Versioned for Notification {
    /// It is read once.
    fn version(&self) -> i64 {
        1 + i64::from(self.read_at.is_some())
    }
}

fn mine(call: &Call) -> Predicate {
    Predicate::Is("user_id", call.caller.user.0.into())
}

/// The caller's notifications, the newest first.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<Notification>> {
    app.read(call, async |_, reader| lists::lines(reader, &list, mine(call)).await).await
}

/// How many of the caller's notifications are new: the number on a badge.
pub async fn unread(app: &App, call: &Call) -> Read<UnreadCount> {
    app.read(call, async |_, reader| {
        let new = Predicate::All(vec![mine(call), Predicate::IsNull("read_at")]);
        Ok(UnreadCount { unread: reader.count("notifications", new).await? })
    })
    .await
}

/// Marks one of the caller's notifications as read.
pub async fn read(app: &App, call: &Call, id: NotificationId) -> Written<Notification> {
    app.write(call, async |ctx, work| {
        let mine: Option<Notification> = work.load(id).await?;
        let mut mine = there(mine.filter(|it| it.user_id == ctx.actor.id))?;
        call.check_version(mine.version())?;
        work.read_notifications(ctx.actor.id, Some(id)).await?;
        mine.read_at = mine.read_at.or(Some(ctx.now));
        Ok(mine)
    })
    .await
}

/// Marks all of the caller's notifications as read.
pub async fn read_all(app: &App, call: &Call) -> Result<(), Failure> {
    let all = app.write(call, async |ctx, work| {
        work.read_notifications(ctx.actor.id, None).await?;
        Ok(())
    });
    all.await.map(|_| ())
}

impl App {
    /// Tells whoever is to be told of what has happened since the last time, each once.
    pub(crate) async fn notify(&self) -> Result<(), Failure> {
        while self.look(None, async |_, reader| Ok(reader.has_news(READER).await?)).await? {
            self.act("notifications", async |ctx, work| {
                let place = work.outbox_place(READER).await?;
                let events = work.outbox_after(place, BATCH).await?;
                let Some(last) = events.last().map(|event| event.sequence) else { return Ok(()) };
                for event in &events {
                    for (user_id, kind) in notices(ctx.org, event) {
                        work.notify(&Notification {
                            id: work.new_id(),
                            user_id,
                            kind,
                            record_kind: event.record_kind,
                            record_id: event.record_id,
                            title: title(&event.data),
                            actor_id: event.actor_id,
                            event_id: event.id,
                            created_at: event.occurred_at,
                            read_at: None,
                        })
                        .await?;
                    }
                }
                Ok(work.note_outbox_place(READER, last).await?)
            })
            .await?;
        }
        Ok(())
    }
}
