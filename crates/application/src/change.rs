//! The frame of everything that reads or changes one record.

use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::Refusal;
use fairlead_persistence::{Reader, Stored, Work};
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;
use crate::call::{Call, Failure, Read, Versioned, Written};

/// A record with an address of its own, whose visibility follows from itself.
pub(crate) trait Resource: Stored {
    /// What callers see of it.
    type View: Serialize + Versioned;
    /// Refuses to tell about a record outside the caller's scope.
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal>;
    /// What this caller sees of it.
    fn view(self, ctx: &Context) -> Result<Self::View, Refusal>;
}

/// What is there or is not there for this caller.
pub(crate) fn there<T>(found: Option<T>) -> Result<T, Refusal> {
    found.ok_or_else(Refusal::not_found)
}

/// Loads and locks a record that the caller may see.
pub(crate) async fn load<T: Resource>(
    ctx: &Context<'_>,
    work: &Work,
    id: impl Into<Uuid>,
) -> Result<T, Failure> {
    let record: T = there(work.load(id).await?)?;
    record.reveal(ctx)?;
    Ok(record)
}

/// Reads a record that the caller may see.
pub(crate) async fn read<T: Resource>(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    id: impl Into<Uuid>,
) -> Result<T, Failure> {
    let record: T = there(reader.one(id).await?)?;
    record.reveal(ctx)?;
    Ok(record)
}

/// A record that a form names: it must exist and be visible.
pub(crate) async fn named<T: Resource>(
    ctx: &Context<'_>,
    work: &Work,
    id: impl Into<Uuid>,
    pointer: &str,
) -> Result<T, Failure> {
    let record: Option<T> = work.load(id).await?;
    let visible = record.filter(|record| record.reveal(ctx).is_ok());
    Ok(visible.ok_or_else(|| Refusal::unknown_reference(pointer))?)
}

impl App {
    /// Reads one record.
    pub(crate) async fn get<T: Resource>(&self, call: &Call, id: impl Into<Uuid>) -> Read<T::View> {
        let id = id.into();
        self.read(call, async |ctx, reader| {
            let record: T = read(ctx, reader, id).await?;
            Ok(record.view(ctx)?)
        })
        .await
    }

    /// Changes one record, if it is visible and of the expected version.
    pub(crate) async fn change<T: Resource>(
        &self,
        call: &Call,
        id: impl Into<Uuid>,
        case: impl AsyncFn(&Context<'_>, &mut Work, &mut T) -> Result<Event, Failure>,
    ) -> Written<T::View> {
        let id = id.into();
        self.write(call, async |ctx, work| {
            let before: T = load(ctx, work, id).await?;
            call.check_version(before.version())?;
            let mut after = before.clone();
            let event = case(ctx, work, &mut after).await?;
            work.save(&before, &mut after, event).await?;
            Ok(after.view(ctx)?)
        })
        .await
    }

    /// Deletes one record, if it is visible, of the expected version, and the rules let it go.
    pub(crate) async fn remove<T: Resource>(
        &self,
        call: &Call,
        id: impl Into<Uuid>,
        event: Event,
        case: impl AsyncFn(&Context<'_>, &mut Work, &T) -> Result<(), Failure>,
    ) -> Written<()> {
        let id = id.into();
        self.write(call, async |ctx, work| {
            let record: T = load(ctx, work, id).await?;
            call.check_version(record.version())?;
            case(ctx, work, &record).await?;
            work.delete(&record, event).await?;
            Ok(())
        })
        .await
    }
}

/// Saves a record that something else changed, if it changed at all.
pub(crate) async fn save_changed<T: Stored + PartialEq>(
    work: &mut Work,
    before: &T,
    after: &mut T,
    event: Event,
) -> Result<(), Failure> {
    if before != after {
        work.save(before, after, event).await?;
    }
    Ok(())
}
