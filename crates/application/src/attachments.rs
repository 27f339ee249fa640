//! Attachments of contracts (合同附件).
//!
//! The file is kept first and its record second: what has a record has its file. A file is noted as discarded before it
//! is kept and again when its record is deleted, and taken off that list by the transaction that writes the record. What
//! is on the list for long is removed; no other file ever is, whoever else keeps files in the same place.

use std::ops::Range;

use bytes::Bytes;
use fairlead_domain::attachment::{Attachment, FileCard, MediaType};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::Contract;
use fairlead_domain::error::Refusal;
use fairlead_domain::values::{AttachmentId, ContractId, Line};
use fairlead_persistence::{StoreError, Work};
use futures_util::{Stream, TryStreamExt, stream};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::call::{Call, Done, Failure, Page, Read, Versioned, Written};
use crate::change::{self, load, there};
use crate::contracts::of_contract;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::summary;

/// An attachment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttachmentView {
    /// The record.
    #[serde(flatten)]
    pub record: Attachment,
    /// What the caller may do with it now.
    #[schema(max_items = 20)]
    pub allowed_actions: Vec<fairlead_domain::workflow::AllowedAction>,
}

impl Versioned for AttachmentView {
    fn version(&self) -> i64 {
        self.record.version
    }
}

impl AttachmentView {
    fn of(ctx: &Context, contract: &Contract, record: Attachment) -> Self {
        Self { allowed_actions: Attachment::allowed_actions(ctx, contract), record }
    }
}

summary!(Attachment, /// An attachment in a list.
    AttachmentSummary, []);

/// What a list of attachments can be asked.
pub static LISTING: Listing = Listing {
    resource: "attachments",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("file_name", Kind::Text).sortable(),
        Field::new("media_type", words!(MediaType)),
        Field::new("size", Kind::Integer).sortable(),
        Field::new("created_by", Kind::Id),
    ],
    search: &["file_name"],
    default_sort: "-created_at",
    includes: AttachmentSummary::INCLUDES,
};

/// The attachments of a contract that the caller may see.
pub async fn list(
    app: &App,
    call: &Call,
    id: ContractId,
    list: ListRequest,
) -> Read<Page<AttachmentSummary>> {
    app.read(call, async |ctx, reader| {
        change::read::<Contract>(ctx, reader, id).await?;
        lists::page(ctx, reader, &list, of_contract(id), |_: &Attachment| Links::default()).await
    })
    .await
}

/// One attachment: whoever may see the contract may see it.
pub async fn get(app: &App, call: &Call, id: AttachmentId) -> Read<AttachmentView> {
    app.read(call, async |ctx, reader| {
        let attachment: Attachment = there(reader.one(id).await?)?;
        let contract: Contract = there(reader.one(attachment.contract_id).await?)?;
        contract.reveal(ctx)?;
        Ok(AttachmentView::of(ctx, &contract, attachment))
    })
    .await
}

/// Adds a file to a contract.
pub async fn create(
    app: &App,
    call: &Call,
    id: ContractId,
    card: FileCard,
    content: impl Stream<Item = Result<Bytes, Refusal>>,
) -> Written<AttachmentView> {
    // Nobody sends a file for nothing: who may not, is told before it is read.
    app.read(call, async |ctx, reader| {
        let contract: Contract = change::read(ctx, reader, id).await?;
        // A repeated call may have been answered while it was still allowed.
        if call.idempotency.is_none() {
            contract.may_attach(ctx)?;
        }
        Ok(())
    })
    .await?;
    let file: AttachmentId = app.new_id();
    app.act("upload", async |_, work| Ok(work.discard_file(file.0).await?)).await?;
    let judge = |head: &[u8]| card.judge(head).map_err(Failure::from);
    let infected = |found: &str| card.infected(found).into();
    let content = checked(&card, content).map_err(Failure::from);
    let kept = app.inner.files.keep(file.0, content, judge, infected).await?;
    let size = i64::try_from(kept.size).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let sha256 = kept.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let call = call.clone().about(kept.sha256);
    let written = app
        .write(&call, async |ctx, work| {
            let contract: Contract = load(ctx, work, id).await?;
            let present = work.count("attachments", of_contract(id)).await?;
            let present = usize::try_from(present).unwrap_or(usize::MAX);
            let content = (size, sha256.clone());
            let (attachment, event) =
                Attachment::new(ctx, file, (&contract, present), card.clone(), content)?;
            work.insert(&attachment, event).await?;
            if !work.forget_discarded(file.0).await? {
                return Err(StoreError::Unavailable("the file was swept away meanwhile".to_owned()).into());
            }
            Ok(AttachmentView::of(ctx, &contract, attachment))
        })
        .await;
    // What was answered before has its file already; this one is of no use. Otherwise nobody knows whether the record
    // was written: the list does.
    if matches!(written, Ok(Done::Replayed(_)) | Err(Failure::Refused(_) | Failure::Replayed(_))) {
        app.inner.files.remove(file.0).await?;
        app.act("upload", async |_, work| Ok(work.forget_discarded(file.0).await?)).await?;
    }
    written
}

/// Content that ends with a refusal where it is not what its first bytes promise.
fn checked(
    card: &FileCard,
    content: impl Stream<Item = Result<Bytes, Refusal>>,
) -> impl Stream<Item = Result<Bytes, Refusal>> {
    stream::try_unfold((Box::pin(content), card.text_check()), |(mut content, mut check)| async move {
        let part = content.try_next().await?;
        match (&part, &mut check) {
            (Some(part), Some(check)) => check.take(part)?,
            (None, Some(check)) => check.end()?,
            (_, None) => {}
        }
        Ok::<_, Refusal>(part.map(|part| (part, (content, check))))
    })
}

/// Takes an attachment away from a draft.
pub async fn delete(app: &App, call: &Call, id: AttachmentId) -> Written<()> {
    app.write(call, async |ctx, work| {
        let found: Attachment = there(work.find(id).await?)?;
        // The contract is locked first: what is looked at does not change.
        let contract: Contract = there(work.load(found.contract_id).await?)?;
        contract.reveal(ctx)?;
        let attachment: Attachment = there(work.load(id).await?)?;
        call.check_version(attachment.version)?;
        contract.may_update(ctx)?;
        discard(work, &attachment).await
    })
    .await
}

/// The attachments of a draft go with it.
pub(crate) async fn delete_all(work: &mut Work, contract: ContractId) -> Result<(), Failure> {
    for attachment in work.load_all::<Attachment>(of_contract(contract)).await? {
        discard(work, &attachment).await?;
    }
    Ok(())
}

async fn discard(work: &mut Work, attachment: &Attachment) -> Result<(), Failure> {
    work.discard_file(attachment.id.0).await?;
    Ok(work.delete(attachment, Event("attachment.deleted")).await?)
}

/// The content of an attachment.
#[derive(Debug, Clone)]
pub struct Content {
    id: AttachmentId,
    /// What it is called.
    pub file_name: Line,
    /// What it is.
    pub media_type: MediaType,
    /// How many bytes it has.
    pub size: u64,
    /// The SHA-256 of them, in hexadecimal digits.
    pub sha256: String,
}

/// The content of an attachment that the caller may see, to be [`open`]ed.
pub async fn content(app: &App, call: &Call, id: AttachmentId) -> Read<Content> {
    let Attachment { file_name, media_type, size, sha256, .. } = get(app, call, id).await?.record;
    let size = u64::try_from(size).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Content { id, file_name, media_type, size, sha256 })
}

/// Reads content, or a part of it.
pub async fn open(
    app: &App,
    content: &Content,
    part: Option<Range<u64>>,
) -> Read<impl Stream<Item = Result<Bytes, StoreError>> + use<>> {
    Ok(app.inner.files.read(content.id.0, part).await?)
}

/// How long a file without a record stays: longer than it may take to arrive.
const ORPHANS: chrono::Duration = chrono::Duration::hours(48);
/// How many files are looked at together.
const BATCH: u64 = 100;

impl App {
    /// Removes files that no record has named for long. Servers may do so at the same time.
    pub(crate) async fn sweep_files(&self) -> Result<(), Failure> {
        let before = self.now().plus(-ORPHANS);
        loop {
            let files =
                self.look(None, async |_, reader| Ok(reader.discarded_files(before, BATCH).await?)).await?;
            if files.is_empty() {
                return Ok(());
            }
            for file in &files {
                self.inner.files.remove(*file).await?;
            }
            self.act("sweep", async |_, work| {
                for file in &files {
                    work.forget_discarded(*file).await?;
                }
                Ok(())
            })
            .await?;
        }
    }
}
