//! `cargo xtask bench`: figures for docs/benchmarks.md, of a release build beside plain handlers.

use std::process::Command;

use anyhow::Result;

use crate::postgres::Postgres;
use crate::process;

/// How long and how much.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each round lasts.
    #[arg(long, value_name = "N", default_value_t = 5)]
    seconds: u32,
    /// How many rounds the server and the plain handler each get, in turns.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: u32,
    /// How many customers there are.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    customers: u32,
    /// How many connections ask at the same time.
    #[arg(long, value_name = "N", default_value_t = 16)]
    connections: u32,
    /// One round of a second each, 10 000 customers: to see that it works, not for figures.
    #[arg(long, conflicts_with_all = ["seconds", "rounds", "customers"])]
    quick: bool,
    /// Only operations with this in their name: `read one`, `read owned`, `list 50`, `pool list`, `create`, `claim`.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only this database.
    #[arg(long, value_parser = ["sqlite", "postgres"])]
    database: Option<String>,
    /// Instead, measure `fairlead verify` over so many contracts.
    #[arg(long, value_name = "CONTRACTS", conflicts_with_all = ["seconds", "rounds", "customers", "quick", "only"])]
    verify: Option<u32>,
    /// Instead, measure global search over so many customers.
    #[arg(long, value_name = "CUSTOMERS", conflicts_with_all = ["verify", "seconds", "rounds", "customers", "quick", "only"])]
    search: Option<u32>,
    /// What the server logs.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log_filter: String,
}

/// Builds the server and the benchmark's program, and measures on SQLite and on PostgreSQL: a throwaway server, unless
/// the environment names one.
pub(crate) fn run(options: &Options) -> Result<()> {
    let build = ["build", "--release", "--package", "fairlead", "--package", "fairlead-bench"];
    process::run(&mut process::cargo(build))?;
    let postgres = Postgres::start()?;
    let (seconds, rounds, customers) =
        if options.quick { (1, 1, 10_000) } else { (options.seconds, options.rounds, options.customers) };
    let target = process::target_folder()?;
    let mut bench = Command::new(target.join("release/fairlead-bench"));
    bench.arg(match (options.verify, options.search) {
        (Some(_), _) => "verify",
        (None, Some(_)) => "search",
        (None, None) => "run",
    });
    bench
        .arg("--server")
        .arg(target.join("release/fairlead"))
        .args(["--postgres-url", postgres.url()])
        .args(options.database.iter().flat_map(|database| ["--database", database]));
    if let Some(contracts) = options.verify {
        return process::run(bench.args(["--contracts", &contracts.to_string()]));
    }
    if let Some(customers) = options.search {
        return process::run(bench.args(["--customers", &customers.to_string()]));
    }
    bench
        .args(["--seconds", &seconds.to_string(), "--rounds", &rounds.to_string()])
        .args(["--customers", &customers.to_string(), "--connections", &options.connections.to_string()])
        .args(["--log-filter", &options.log_filter])
        .args(options.only.iter().flat_map(|only| ["--only", only]));
    process::run(&mut bench)
}
