//! `cargo xtask demo`: the server as a visitor meets it.

use std::ffi::OsString;

use anyhow::{Context, Result};

use crate::process;

/// The database, as the environment names it: a flag among the arguments still wins.
const DATABASE: &str = "FAIRLEAD_DATABASE__URL";

/// How to run it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// More arguments for `fairlead serve --demo`.
    #[arg(last = true)]
    serve: Vec<OsString>,
}

/// Runs the server until Ctrl-C, on a database that is then gone.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("fairlead-demo-").tempdir();
    let folder = folder.context("cannot make a folder for the demo's database")?;
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let serve = ["run", "--release", "--package", "fairlead", "--", "serve", "--demo"];
    process::run(process::cargo(serve).args(&options.serve).env(DATABASE, database))
}
