//! `fairlead verify`.

use std::fmt::Write;

use anyhow::{Result, bail};
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
pub(super) struct Options {}

pub(super) async fn run(config: &Config) -> Result<()> {
    let report =
        with_app(config, Missing::Refused, async |app| verify::run(app).await.map_err(explain)).await?;
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
    }
    print(&out)?;
    match report.differences.len() {
        0 => Ok(()),
        1 => bail!("1 difference"),
        several => bail!("{several} differences"),
    }
}
