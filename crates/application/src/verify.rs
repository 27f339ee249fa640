//! `fairlead verify`: recomputes every sum and walks the audit trail.

use fairlead_domain::attachment::Attachment;
use fairlead_persistence::verify::Finding;
use uuid::Uuid;

use crate::app::App;
use crate::call::Failure;
use crate::tokens::Checkpoint;

/// How many records are looked at together.
const BATCH: u64 = 500;

/// What was looked at and what does not add up.
#[derive(Debug, Clone)]
pub struct VerifyReport {
    /// Each check, and how many rows it looked at.
    pub checked: Vec<(String, u64)>,
    /// Everything that does not add up.
    pub differences: Vec<String>,
}

/// Runs every check.
pub async fn run(app: &App) -> Result<VerifyReport, Failure> {
    let mut report = VerifyReport { checked: Vec::new(), differences: Vec::new() };
    let mut at = 0;
    while let Some(found) = app.verify_one(at).await? {
        report.checked.push((found.check.to_owned(), found.checked));
        let differences = found.differences.into_iter().map(|what| format!("{}: {what}", found.check));
        report.differences.extend(differences);
        at += 1;
    }
    Ok(report)
}

/// Signs where the audit trail ends. Whoever can write to the database can cut the end off and let the head say so,
/// which no chain shows: what was signed before and kept elsewhere does. None where the trail has no end.
pub async fn checkpoint(app: &App) -> Result<Option<String>, Failure> {
    let Some((sequence, hash)) = app.store().chain_end().await? else { return Ok(None) };
    let checkpoint = Checkpoint { sequence, hash, iat: app.now().millis() / 1000 };
    Ok(Some(app.inner.tokens.sign(&checkpoint)?))
}

/// Whether the audit trail still has what a checkpoint says.
pub async fn compare(app: &App, report: &mut VerifyReport, checkpoint: &str) -> Result<(), Failure> {
    const CHECK: &str = "the audit trail has its checkpoint";
    report.checked.push((CHECK.to_owned(), 1));
    let wrong = match app.inner.tokens.signed(checkpoint) {
        None => Some("no key of this database signed it".to_owned()),
        Some(signed) => match app.store().chain_hash(signed.sequence).await? {
            None => Some(format!("event {} is missing", signed.sequence)),
            Some(hash) if hash != signed.hash => Some(format!("event {} is another one", signed.sequence)),
            Some(_) => None,
        },
    };
    report.differences.extend(wrong.map(|wrong| format!("{CHECK}: {wrong}")));
    Ok(())
}

impl App {
    /// Runs one check, by its place from 0; none when there are no more.
    pub(crate) async fn verify_one(&self, at: usize) -> Result<Option<Finding>, Failure> {
        match at.checked_sub(1) {
            None => Ok(Some(self.verify_files().await?)),
            Some(at) => Ok(self.store().verify_one(at).await?),
        }
    }

    /// Every attachment has its file, as long as it was. What is in it is not read: a store of files may be large.
    async fn verify_files(&self) -> Result<Finding, Failure> {
        let mut found =
            Finding { check: "attachments have their files", checked: 0, differences: Vec::new() };
        let mut last: Option<Uuid> = None;
        loop {
            let batch: Vec<Attachment> =
                self.look(None, async |_, reader| Ok(reader.behind(last, BATCH).await?)).await?;
            for attachment in &batch {
                let size = self.inner.files.size(attachment.id.0).await?;
                if size.and_then(|size| i64::try_from(size).ok()) != Some(attachment.size) {
                    let why = size.map_or("is not there".to_owned(), |size| format!("has {size} bytes"));
                    found
                        .differences
                        .push(format!("{} of {} {why}", attachment.file_name, attachment.contract_id));
                }
            }
            found.checked += batch.len() as u64;
            last = batch.last().map(|attachment| attachment.id.0);
            if last.is_none() {
                return Ok(found);
            }
        }
    }
}
