//! `fairlead reindex`.

use std::fmt::Write;

use anyhow::Result;
use fairlead_application::reindex;

use super::{Missing, explain, print, with_app};
use crate::config::Config;

pub(super) async fn run(config: &Config) -> Result<()> {
    let report =
        with_app(config, Missing::Refused, async |app| reindex::run(app).await.map_err(explain)).await?;
    let mut out = String::new();
    let width = report.kinds.iter().map(|(kind, ..)| kind.as_str().len()).max().unwrap_or(0);
    for (kind, checked, mended) in &report.kinds {
        let _ = writeln!(out, "{:width$}  {checked} checked, {mended} written anew", kind.as_str());
    }
    if report.strays > 0 {
        let _ = writeln!(out, "removed what search knew of {} records that are not there", report.strays);
    }
    if report.rebuilt {
        out.push_str("made the index of words anew\n");
    }
    if report.is_clean() {
        out.push_str("nothing to do: everything is as it should be\n");
    }
    print(&out)
}
