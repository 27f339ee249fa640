//! The audit trail.

use fairlead_domain::access::{Permission, Standing};
use fairlead_domain::audit::AuditEvent;
use fairlead_domain::error::Refusal;
use fairlead_domain::record::RecordKind;
use fairlead_domain::values::AuditEventId;
use fairlead_persistence::Predicate;

use crate::app::App;
use crate::call::{Call, Page, PageInfo, Read, Versioned};
use crate::change::there;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::words;

/// What a list of audit events can be asked.
pub static LISTING: Listing = Listing {
    resource: "audit_events",
    fields: &[
        Field::new("sequence", Kind::Integer).sortable(),
        Field::new("occurred_at", Kind::Timestamp).sortable(),
        Field::new("actor_id", Kind::Id).nullable(),
        // Text, as the event of a timeline is: what begins alike is found together.
        Field::new("action", Kind::Text),
        Field::new("record_kind", words!(RecordKind)),
        Field::new("record_id", Kind::Id),
        Field::new("request_id", Kind::Text).nullable(),
    ],
    search: &[],
    default_sort: "-sequence",
    includes: &[],
};

/// One event.
pub async fn get(app: &App, call: &Call, id: AuditEventId) -> Read<AuditEvent> {
    app.read(call, async |ctx, reader| {
        let reads = ctx.actor.authorize(Permission::AuditRead, &Standing::Organisation);
        reads.map_err(|_| Refusal::not_found())?;
        Ok(there(reader.one::<AuditEvent>(id).await?)?)
    })
    .await
}

/// The trail, the newest event first.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<AuditEvent>> {
    app.read(call, async |ctx, reader| {
        ctx.actor.authorize(Permission::AuditRead, &Standing::Organisation)?;
        let slice = reader.list::<AuditEvent>(&list, &Predicate::True.into()).await?;
        let has_more = slice.next_cursor.is_some();
        let page = PageInfo { next_cursor: slice.next_cursor, has_more, total: slice.total };
        Ok(Page { data: slice.records, page })
    })
    .await
}

impl Versioned for AuditEvent {
    /// An event never changes.
    fn version(&self) -> i64 {
        1
    }
}
