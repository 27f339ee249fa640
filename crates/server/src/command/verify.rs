//! `fairlead verify`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use fairlead_application::verify;

use super::{Missing, explain, print, with_app};
use crate::config::Config;

/// Recompute what the database keeps ready and report every difference.
///
/// Checks the sums of contracts, invoices and installments against their rows, looks for records that contradict each
/// other, and walks the hash chain of the audit trail. It only reads, and may run beside a server. Ends with 1 when
/// something differs.
#[derive(Args)]
pub(super) struct Options {
    /// A checkpoint that was written before: the audit trail must still have what it says.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Where nothing differs, write into this file where the audit trail ends, signed. Whoever can write to the
    /// database can cut the trail's end off; a checkpoint that they cannot reach shows it.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

fn read(checkpoint: &Path) -> Result<String> {
    let text = std::fs::read_to_string(checkpoint);
    text.with_context(|| format!("cannot read the checkpoint {}", checkpoint.display()))
}

pub(super) async fn run(options: &Options, config: &Config) -> Result<()> {
    let before = options.against.as_deref().map(read).transpose()?;
    let (report, checkpoint) = with_app(config, Missing::Refused, async |app| {
        // Taken first: what it says is walked.
        let checkpoint = match options.checkpoint {
            None => None,
            Some(_) => verify::checkpoint(app).await.map_err(explain)?,
        };
        let mut report = verify::run(app).await.map_err(explain)?;
        if let Some(before) = &before {
            verify::compare(app, &mut report, before.trim()).await.map_err(explain)?;
        }
        Ok((report, checkpoint))
    })
    .await?;
    let mut out = String::new();
    let width = report.checked.iter().map(|(check, _)| check.chars().count()).max().unwrap_or(0);
    for (check, rows) in &report.checked {
        let _ = writeln!(out, "checked  {check:width$}  {rows}");
    }
    for difference in &report.differences {
        let _ = writeln!(out, "differs  {difference}");
    }
    if report.differences.is_empty() {
        out.push_str("no difference\n");
        if let (Some(file), Some(checkpoint)) = (&options.checkpoint, checkpoint) {
            std::fs::write(file, checkpoint + "\n")
                .with_context(|| format!("cannot write the checkpoint {}", file.display()))?;
        }
    }
    print(&out)?;
    match report.differences.len() {
        0 => Ok(()),
        1 => bail!("1 difference"),
        several => bail!("{several} differences"),
    }
}
