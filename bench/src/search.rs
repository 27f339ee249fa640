//! Global search over a table of many customers: how long answers take, for whoever sees all and for whoever sees few.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::database::{Database, Pools};
use crate::load::{Connection, request};
use crate::process::Server;
use crate::run::{People, interrupted, server_command};
use crate::seed;
use crate::subject::Subject;

/// How many customers there are, and of which server.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    subject: Subject,
    /// How many customers there are.
    #[arg(long)]
    customers: usize,
}

/// How often each question is asked.
const TIMES: usize = 50;

/// Questions, and what is hard about each.
const QUESTIONS: [(&str, &str); 9] = [
    ("one of all, by its whole name", "Harbour%20Logistics%20012345"),
    ("one of all, by its number", "012345"),
    ("one of all, by its telephone number", "13800012345"),
    ("a hundred, by the end of a number", "2345"),
    ("a quarter of all, by a word", "harbour"),
    ("a quarter of all, by the beginning of a word", "northw"),
    ("a quarter of all, by two characters", "%E5%8D%8E%E4%B8%9C"),
    ("a quarter of all, with a mistake", "harbuor"),
    ("nothing", "zebra%20crossing"),
];

/// Measures, and prints the figures.
pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        println!(
            "| {} customers, one question after the other | who | median | slowest of {TIMES} |",
            options.customers
        );
        println!("|---|---|--:|--:|");
        let folder = tempfile::Builder::new().prefix("fairlead-bench-").tempdir()?;
        if options.subject.includes("sqlite") {
            measure(options, &Database::sqlite(folder.path()), folder.path()).await?;
        }
        if options.subject.includes("postgres") {
            let database = Database::postgres(&options.subject.postgres_url).await?;
            let outcome = tokio::select! {
                outcome = measure(options, &database, folder.path()) => outcome,
                outcome = interrupted() => outcome,
            };
            database.remove().await?;
            outcome?;
        }
        Ok(())
    })
}

async fn measure(options: &Options, database: &Database, folder: &Path) -> Result<()> {
    let log = folder.join("server.log");
    let mut command = server_command(&options.subject.server, "warn", database, folder);
    let server = Server::start(&mut command, &log).await?;
    let people = People::hire(&server.address).await?;
    let pools = Pools::open(&database.url, 2).await?;
    let begun = Instant::now();
    seed::customers(&pools, options.customers, &people.ids, people.admin).await?;
    pools.settle().await?;
    pools.close().await;
    eprintln!("{}: seeded in {:.0} s", database.name, begun.elapsed().as_secs_f64());
    let tokens = people.log_in(&server.address).await?;
    for (who, token) in [("sees all", &tokens.director), ("sees their own and the pool", &tokens.sellers[0])]
    {
        for (what, question) in QUESTIONS {
            let mut connection = Connection::open(&server.address).await?;
            let ask = request("GET", &format!("/api/v1/search?q={question}"), Some(token), None);
            let mut times = Vec::new();
            for _ in 0..TIMES {
                let begun = Instant::now();
                connection.size(&ask, 200).await?;
                times.push(begun.elapsed());
            }
            times.sort_unstable();
            let milliseconds = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
            println!(
                "| {}: {what} | {who} | {:.1} ms | {:.1} ms |",
                database.name,
                milliseconds(times.get(TIMES / 2)),
                milliseconds(times.last())
            );
        }
    }
    server.stop().await
}
