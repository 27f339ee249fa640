//! `cargo xtask long`: the tests whose figures need many rounds or hours, and at the end those figures.

use std::fs;

use anyhow::{Result, ensure};

use crate::postgres::{self, Postgres};
use crate::{process, tools};

/// Where tests leave their figures; that it is set makes them long.
const FIGURES: &str = "FAIRLEAD_TEST_LONG";

/// The row whose test looks at the server through strace.
const TRACED: &str = "T2";

/// A row, and the tests that show it: module and name. Their modules have a `sqlite` and a `postgres`.
type Row = (&'static str, &'static [(&'static str, &'static str)]);

const ROWS: [Row; 11] = [
    // Of what was acknowledged, crashes lose nothing.
    ("T1", &[("faults", "heavy_a_crash_loses_nothing")]),
    // Nor does a loss of power, on SQLite: its log is synced first.
    (TRACED, &[("long", "heavy_the_log_is_synced_before_the_answer")]),
    // Of many who claim a customer, one wins.
    ("T3", &[("races::ownership", "heavy_one_of_many_claims_a_customer")]),
    // No limit is passed.
    (
        "T4",
        &[
            ("races::contracts", "heavy_invoices_never_exceed_their_contract"),
            ("races::contracts", "heavy_payments_never_exceed_their_contract"),
            ("races::contracts", "heavy_payments_never_exceed_their_invoices"),
        ],
    ),
    // A request that is repeated has one effect.
    ("T5", &[("races::requests", "heavy_one_key_has_one_effect")]),
    // No update is lost.
    (
        "T6",
        &[
            ("races::requests", "heavy_of_equal_versions_one_is_written"),
            ("races::requests", "heavy_no_increment_is_lost"),
        ],
    ),
    // A step is decided once.
    ("T7", &[("races::approvals", "heavy_each_step_of_an_approval_is_decided_once")]),
    // Random histories end as a model says.
    ("T8", &[("model", "money_follows_the_model"), ("sync", "heavy_a_copy_is_what_lists_show")]),
    // Receivers are told of each event, whatever happens to them and to the server.
    ("T9", &[("webhooks", "heavy_what_happened_is_told_and_nothing_else")]),
    // A stop answers whoever asked.
    ("T10", &[("faults", "heavy_a_stop_answers_everything")]),
    // Under hours of load nothing fails and nothing grows.
    ("T13", &[("long", "heavy_nothing_grows_under_load")]),
];

/// What of it to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these rows: `T1,T3`.
    #[arg(long, value_name = "ROWS", value_delimiter = ',', value_parser = ROWS.map(|(row, _)| row))]
    only: Vec<String>,
    /// Only this database.
    #[arg(long, value_parser = ["sqlite", "postgres"])]
    database: Option<String>,
    /// How long T13 lasts, on each database.
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    hours: f64,
}

/// Runs them one after the other, so that each has the machine to itself.
pub(crate) fn run(options: &Options) -> Result<()> {
    tools::NEXTEST.ensure()?;
    let databases = ["sqlite", "postgres"]
        .into_iter()
        .filter(|database| options.database.as_deref().is_none_or(|only| only == *database));
    let databases: Vec<&str> = databases.collect();
    let mut rows = ROWS.to_vec();
    rows.retain(|(row, _)| options.only.is_empty() || options.only.iter().any(|only| only == row));
    if process::on_path("strace").is_none() {
        eprintln!("NOTICE: strace is not installed: {TRACED} is NOT run.");
        rows.retain(|(row, _)| *row != TRACED);
    }

    // As it is delivered, and several times as fast.
    process::run(&mut process::cargo(["build", "--release", "--package", "fairlead"]))?;
    let postgres = if databases.contains(&"postgres") { Some(Postgres::start()?) } else { None };
    let figures = process::target_folder()?.join("long.txt");
    fs::write(&figures, "")?;
    let mut tests = process::cargo(["nextest", "run", "--release", "--package", "fairlead-tests"]);
    tests
        .args(["--profile", "long", "--run-ignored", "all", "--no-capture", "-E"])
        .arg(filter(&rows, &databases))
        .env(FIGURES, &figures)
        .env("FAIRLEAD_TEST_HOURS", options.hours.to_string())
        .envs(postgres.iter().map(|postgres| (postgres::URL, postgres.url())));
    let status = process::status(&mut tests);
    // Whatever happened: what was found in hours is not thrown away.
    print(&rows, &fs::read_to_string(&figures)?);
    ensure!(status?.success(), "not all of it passed");
    Ok(())
}

/// The figures, row by row, also in `target/long.txt`.
fn print(rows: &[Row], figures: &str) {
    println!();
    for (row, _) in rows {
        let mut told = false;
        for line in figures.lines().filter(|line| line.starts_with(&format!("{row} "))) {
            println!("{line}");
            told = true;
        }
        if !told {
            println!("{row}: no figures");
        }
    }
}

/// The tests, in the words of nextest.
fn filter(rows: &[Row], databases: &[&str]) -> String {
    let tests = rows.iter().flat_map(|(_, tests)| *tests).flat_map(|(module, name)| {
        databases.iter().map(move |database| format!("test(={module}::{database}::{name})"))
    });
    tests.collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_is_there() {
        for (module, name) in ROWS.iter().flat_map(|(_, tests)| *tests) {
            let file = process::root().join(format!("tests/tests/it/{}.rs", module.replace("::", "/")));
            let text = fs::read_to_string(file).unwrap();
            assert!(text.contains(&format!("async fn {name}(")), "{module} has no {name}");
        }
    }
}
