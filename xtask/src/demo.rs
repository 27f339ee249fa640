//! `cargo xtask demo`: the server as a visitor meets it.

use std::ffi::OsString;

use anyhow::Result;

use crate::process;

/// How to run it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// More arguments for `fairlead serve --demo`.
    #[arg(last = true)]
    serve: Vec<OsString>,
}

/// Runs the server until Ctrl-C.
pub(crate) fn run(options: &Options) -> Result<()> {
    let serve = ["run", "--release", "--package", "fairlead", "--", "serve", "--demo"];
    process::run(process::cargo(serve).args(&options.serve))
}
