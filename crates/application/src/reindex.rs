//! `fairlead reindex`: writes anew what follows from records and is not what it was to be.
//!
//! It changes no record and no version, and leaves no event: what follows from a record is nobody's deed. It goes on in
//! portions, each a transaction under the locks of its records, so that servers may go on, and so that one that was cut
//! off is just run again.

use fairlead_domain::record::RecordKind;
use fairlead_persistence::DERIVING;
use uuid::Uuid;

use crate::app::App;
use crate::call::Failure;

/// How much of what nobody needs is removed together.
const STRAYS: u64 = 1000;

/// What was looked at and what was mended.
#[derive(Debug, Clone)]
pub struct ReindexReport {
    /// Whether SQLite's index was made anew.
    pub rebuilt: bool,
    /// How many records search knew that are not there.
    pub strays: u64,
    /// Of each kind, how many records there are, and of how many something was written anew.
    pub kinds: Vec<(RecordKind, u64, u64)>,
}

impl ReindexReport {
    /// Whether everything was as it should be.
    pub fn is_clean(&self) -> bool {
        !self.rebuilt && self.strays == 0 && self.kinds.iter().all(|(_, _, mended)| *mended == 0)
    }
}

/// Compares everything, and writes anew what differs.
pub async fn run(app: &App) -> Result<ReindexReport, Failure> {
    // First: while the index is out of step, SQLite refuses to change what it does not know.
    let rebuilt = app.store().is_index_out_of_step().await?;
    if rebuilt {
        app.act("reindex", async |_, work| Ok(work.rebuild_index().await?)).await?;
    }
    let mut report = ReindexReport { rebuilt, strays: 0, kinds: Vec::new() };
    loop {
        let strays = app.store().strays(STRAYS).await?;
        if strays.is_empty() {
            break;
        }
        let places: Vec<i64> = strays.iter().map(|(place, _)| *place).collect();
        report.strays += app.act("reindex", async |_, work| Ok(work.forget_strays(&places).await?)).await?;
    }
    for kind in DERIVING {
        report.kinds.push(app.reindex(*kind).await?);
    }
    Ok(report)
}

impl App {
    /// The same of one kind of record.
    async fn reindex(&self, kind: RecordKind) -> Result<(RecordKind, u64, u64), Failure> {
        let (mut checked, mut mended) = (0, 0);
        let mut last = Uuid::nil();
        while let Some(compared) = self.store().compare_derived(kind, last).await? {
            let off: Vec<Uuid> = compared.off.iter().map(|off| off.id).collect();
            if !off.is_empty() {
                self.act("reindex", async |_, work| Ok(work.derive(kind, &off).await?)).await?;
            }
            checked += compared.checked;
            mended += off.len() as u64;
            last = compared.last;
        }
        Ok((kind, checked, mended))
    }
}
