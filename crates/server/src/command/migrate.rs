//! `fairlead migrate`.

use anyhow::Result;
use clap::Args;

use super::{Missing, print, with_app};
use crate::config::Config;

/// Bring the database's tables to this version.
///
/// `serve` does the same when it starts, unless it is told `--no-migrate`. Running it again changes nothing.
#[derive(Args)]
pub(super) struct Options {
    /// Change nothing; list the migrations and whether each is applied.
    #[arg(long)]
    status: bool,
}

pub(super) async fn run(options: &Options, config: &Config) -> Result<()> {
    let missing = if options.status { Missing::Refused } else { Missing::Made };
    with_app(config, missing, async |app| {
        if options.status {
            let migrations = app.migrations().await?;
            let lines = migrations
                .iter()
                .map(|(name, applied)| format!("{}  {name}\n", if *applied { "applied" } else { "pending" }));
            return print(&lines.collect::<String>());
        }
        match app.migrate().await? {
            0 => print("nothing to do: the database is up to date\n"),
            1 => print("applied 1 migration\n"),
            applied => print(&format!("applied {applied} migrations\n")),
        }
    })
    .await
}
