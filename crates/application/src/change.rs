//! The frame of everything that reads or changes one record.

use fairlead_domain::context::{Context, Event};
use fairlead_domain::customer::OwnerLoad;
use fairlead_domain::error::{Code, Refusal};
use fairlead_persistence::{Kept, Owner, Predicate, Reader, StoreError, Stored, Ties, Work};
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;
use crate::call::{Call, Failure, Read, Versioned, Written};
use crate::listing::Include;
use crate::lists::{self, Links};
use crate::views::Related;

/// How many records a statement names at most, where there may be any number of them: databases take so many values.
pub(crate) const AT_ONCE: usize = 1000;

/// Whoever reads: a request that only looks, or one that is about to write.
pub(crate) enum Eyes<'a> {
    Reader(&'a Reader<'a>),
    Work(&'a Work),
}

impl Eyes<'_> {
    /// What hangs on a record.
    pub(crate) async fn ties<T: Stored, U: Ties<T>>(&self, record: &T) -> Result<U, StoreError> {
        match self {
            Self::Reader(reader) => reader.ties(record).await,
            Self::Work(work) => work.ties(record).await,
        }
    }

    /// What hangs on a record, which may be very much: counted only where nothing else decides, as `may` says when there
    /// is nothing.
    pub(crate) async fn ties_that_decide<T: Stored, U: Ties<T> + Default>(
        &self,
        record: &T,
        may: impl FnOnce(&U) -> Result<(), Refusal>,
    ) -> Result<U, StoreError> {
        let nothing = U::default();
        if may(&nothing).is_ok() { self.ties(record).await } else { Ok(nothing) }
    }

    /// What somebody owns and has claimed.
    pub(crate) async fn load_of(&self, owner: &Owner) -> Result<OwnerLoad, StoreError> {
        match self {
            Self::Reader(reader) => reader.load_of(owner).await,
            Self::Work(work) => work.load_of(owner).await,
        }
    }

    /// One record.
    pub(crate) async fn one<T: Kept>(&self, id: impl Into<Uuid>) -> Result<Option<T>, StoreError> {
        match self {
            Self::Reader(reader) => reader.one(id).await,
            Self::Work(work) => work.find(id).await,
        }
    }

    /// The record into which another one was merged.
    async fn survivor<T: Stored>(&self, id: Uuid) -> Result<Option<T>, StoreError> {
        let survivor = match self {
            Self::Reader(reader) => reader.survivor(T::KIND, id).await?,
            Self::Work(work) => work.survivor(T::KIND, id).await?,
        };
        match survivor {
            Some(survivor) => self.one(survivor).await,
            None => Ok(None),
        }
    }

    /// What a record belongs to. Where it was merged away in between, all is read again.
    pub(crate) async fn parent<T: Kept>(&self, id: impl Into<Uuid>) -> Result<T, StoreError> {
        self.one(id).await?.ok_or(StoreError::Conflict)
    }

    /// How many rows there are for which a condition holds.
    pub(crate) async fn count(&self, table: &str, which: Predicate) -> Result<i64, StoreError> {
        match self {
            Self::Reader(reader) => reader.count(table, which).await,
            Self::Work(work) => work.count(table, which).await,
        }
    }

    /// All records for which a condition holds.
    pub(crate) async fn all<T: Kept>(&self, which: Predicate) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Reader(reader) => reader.all(which).await,
            Self::Work(work) => work.find_all(which).await,
        }
    }
}

/// A record with an address of its own, whose visibility follows from itself.
pub(crate) trait Resource: Stored {
    /// What callers see of it.
    type View: Serialize + Versioned;
    /// What hangs on it and decides about what may be done with it. It is read along with the record, before anybody
    /// looks whether the caller may see that; so `()` also where it may be as much as there is of everything.
    type Ties: Ties<Self>;
    /// Refuses to tell about a record outside the caller's scope.
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal>;
    /// What this caller sees of it, judged by what hangs on it: on a new one, nothing.
    fn view(self, ctx: &Context, ties: Self::Ties) -> Result<Self::View, Refusal>;
    /// The same, judged by whatever else decides as well.
    async fn judged(
        self,
        ctx: &Context<'_>,
        _eyes: &Eyes<'_>,
        ties: Self::Ties,
    ) -> Result<Self::View, Failure> {
        Ok(self.view(ctx, ties)?)
    }
    /// The same, where only the record is at hand.
    async fn seen(self, ctx: &Context<'_>, eyes: &Eyes<'_>) -> Result<Self::View, Failure> {
        let ties = eyes.ties(&self).await?;
        self.judged(ctx, eyes, ties).await
    }
    /// What a write shows of it to this caller, who saw it as it was before: no more than that, where writing, or only
    /// trying to, would be a way around what guards reading.
    fn shown_after(self, _ctx: &Context, _before: &Self, _is_trial: bool) -> Self {
        self
    }
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
    let id = id.into();
    let record: T = load_any(ctx, work, id).await?;
    record.reveal(ctx)?;
    Ok(record)
}

/// Loads and locks a record of which the caller judges by itself who is told.
pub(crate) async fn load_any<T: Resource>(ctx: &Context<'_>, work: &Work, id: Uuid) -> Result<T, Failure> {
    if let Some(record) = work.load::<T>(id).await? {
        return Ok(record);
    }
    Err(gone::<T>(ctx, &Eyes::Work(work), Code::RecordMerged, id).await?.into())
}

/// What is said of a record of which there is no row.
pub(crate) async fn gone<T: Resource>(
    ctx: &Context<'_>,
    eyes: &Eyes<'_>,
    code: Code,
    id: Uuid,
) -> Result<Refusal, StoreError> {
    gone_from(eyes, code, id, |survivor: &T| survivor.reveal(ctx)).await
}

/// What is said of a record that is not there: into which one it was merged, if that one is revealed. Whoever reads is
/// led there (`Merged`), whoever writes is refused (`RecordMerged`): a client that is led on repeats the write there,
/// decided for another record and another version.
pub(crate) async fn gone_from<T: Stored>(
    eyes: &Eyes<'_>,
    code: Code,
    id: Uuid,
    reveal: impl FnOnce(&T) -> Result<(), Refusal>,
) -> Result<Refusal, StoreError> {
    let survivor: Option<T> = eyes.survivor(id).await?;
    Ok(match survivor.filter(|survivor| reveal(survivor).is_ok()) {
        Some(survivor) => {
            Refusal::new(code, "the record was merged into another one").with("survivor_id", survivor.id())
        }
        None => Refusal::not_found(),
    })
}

/// Reads a record that the caller may see.
pub(crate) async fn read<T: Resource>(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    id: impl Into<Uuid>,
) -> Result<T, Failure> {
    Ok(read_with::<T, ()>(ctx, reader, id).await?.0)
}

/// The same, with what hangs on it.
pub(crate) async fn read_tied<T: Resource>(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    id: impl Into<Uuid>,
) -> Result<(T, T::Ties), Failure> {
    read_with(ctx, reader, id).await
}

async fn read_with<T: Resource, U: Ties<T>>(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    id: impl Into<Uuid>,
) -> Result<(T, U), Failure> {
    let id = id.into();
    if let Some(found) = reader.tied::<T, U>(id).await? {
        found.0.reveal(ctx)?;
        return Ok(found);
    }
    Err(gone::<T>(ctx, &Eyes::Reader(reader), Code::Merged, id).await?.into())
}

/// Reads the record that another one, read just before, belongs to. Where it was merged in between, all is read again:
/// what belonged to it went along.
pub(crate) async fn read_parent<T: Resource>(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    id: impl Into<Uuid>,
) -> Result<T, Failure> {
    read(ctx, reader, id).await.map_err(in_between)
}

/// The same, locked.
pub(crate) async fn load_parent<T: Resource>(
    ctx: &Context<'_>,
    work: &Work,
    id: impl Into<Uuid>,
) -> Result<T, Failure> {
    load(ctx, work, id).await.map_err(in_between)
}

fn in_between(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) if matches!(refusal.code, Code::Merged | Code::RecordMerged) => {
            StoreError::Conflict.into()
        }
        other => other,
    }
}

/// A record that a form names: it must exist and be visible.
pub(crate) async fn named<T: Resource>(
    ctx: &Context<'_>,
    work: &Work,
    id: impl Into<Uuid>,
    pointer: &str,
) -> Result<T, Failure> {
    let id = id.into();
    let record: Option<T> = work.load(id).await?;
    match record.filter(|record| record.reveal(ctx).is_ok()) {
        Some(record) => Ok(record),
        None => Err(absent::<T>(ctx, &Eyes::Work(work), id, pointer).await?.into()),
    }
}

/// What is said of a record that a form names and that is not there for the caller: into which one it was merged, if
/// the caller may see that one.
pub(crate) async fn absent<T: Resource>(
    ctx: &Context<'_>,
    eyes: &Eyes<'_>,
    id: impl Into<Uuid>,
    pointer: &str,
) -> Result<Refusal, StoreError> {
    let survivor: Option<T> = eyes.survivor(id.into()).await?;
    Ok(match survivor.filter(|survivor| survivor.reveal(ctx).is_ok()) {
        Some(survivor) => Refusal::merged_reference(pointer, survivor.id()),
        None => Refusal::unknown_reference(pointer),
    })
}

/// Changes one record inside a transaction, if it is visible and of the expected version. Answers as its caller sees
/// it.
pub(crate) async fn change<T: Resource>(
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    id: impl Into<Uuid>,
    case: impl AsyncFnOnce(&mut Work, &mut T) -> Result<Event, Failure>,
) -> Result<T::View, Failure> {
    let after = changed(ctx, work, call, id, case).await?;
    after.seen(ctx, &Eyes::Work(work)).await
}

/// The same, for whoever does not show it, such as a call with many operations.
pub(crate) async fn changed<T: Resource>(
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    id: impl Into<Uuid>,
    case: impl AsyncFnOnce(&mut Work, &mut T) -> Result<Event, Failure>,
) -> Result<T, Failure> {
    let before: T = load(ctx, work, id).await?;
    call.check_version(before.version())?;
    let mut after = before.clone();
    let event = case(work, &mut after).await?;
    work.save(&before, &mut after, event).await?;
    Ok(after.shown_after(ctx, &before, call.dry_run))
}

impl App {
    /// Reads one record.
    pub(crate) async fn get<T: Resource>(&self, call: &Call, id: impl Into<Uuid>) -> Read<T::View> {
        let id = id.into();
        self.read(call, async |ctx, reader| {
            let (record, ties): (T, _) = read_tied(ctx, reader, id).await?;
            record.judged(ctx, &Eyes::Reader(reader), ties).await
        })
        .await
    }

    /// Reads one record, with what was asked to be included of it.
    pub(crate) async fn get_related<T: Resource>(
        &self,
        call: &Call,
        id: impl Into<Uuid>,
        include: &Include,
        links: impl Fn(&T) -> Links,
    ) -> Read<Related<T::View>> {
        let id = id.into();
        self.read(call, async |ctx, reader| {
            let (record, ties): (T, _) = read_tied(ctx, reader, id).await?;
            let links = links(&record);
            let view = record.judged(ctx, &Eyes::Reader(reader), ties).await?;
            lists::related(ctx, reader, include, links, view).await
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
            change(ctx, work, call, id, async |work: &mut Work, record: &mut T| case(ctx, work, record).await)
                .await
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
