//! The benchmark's program; `cargo xtask bench` builds and runs it.
//!
//! `run` measures a release build of the server: it makes and fills databases, starts the server and the plain
//! handlers as processes, and loads them in turns. `plain` is the other side of the comparison: the same queries,
//! written by hand, with nothing around them.

// A benchmark measures the real time, and its records are nobody's.
#![allow(clippy::disallowed_methods)]

mod database;
mod load;
mod plain;
mod process;
mod report;
mod run;
mod search;
mod seed;
mod subject;
mod verify;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures Fairlead beside plain handlers.
#[derive(Parser)]
#[command(name = "fairlead-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, and print the figures as Markdown.
    Run(run::Options),
    /// Serve the plain handlers.
    Plain(plain::Options),
    /// Measure `fairlead verify`.
    Verify(verify::Options),
    /// Measure global search.
    Search(search::Options),
}

fn main() -> Result<()> {
    match &Arguments::parse().command {
        Command::Run(options) => run::run(options),
        Command::Plain(options) => plain::run(options),
        Command::Verify(options) => verify::run(options),
        Command::Search(options) => search::run(options),
    }
}
