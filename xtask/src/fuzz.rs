//! `cargo xtask fuzz`: requests that a program makes up from the OpenAPI document (schemathesis), as each role, on both
//! databases. No answer may be a server's error or other than the document says; nothing invalid may be taken, and
//! nothing valid refused as malformed.

use std::env;

use anyhow::{Result, bail, ensure};

use crate::demo_server::DemoServer;
use crate::postgres::Postgres;
use crate::{process, python};

/// Where the program is named, with its version and what it is told.
const FOLDER: &str = "tests/fuzz";

/// Set to `required` where the program must be within reach.
const REQUIRED: &str = "FAIRLEAD_FUZZ";

/// An account of the demo for each role.
const ROLES: [(&str, &str); 7] = [
    ("sales_rep", "rep.east"),
    ("sales_manager", "manager.east"),
    ("sales_director", "director"),
    ("finance", "finance"),
    ("marketing", "marketing"),
    ("auditor", "auditor"),
    ("admin", "admin"),
];

/// As whom, on what, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this role.
    #[arg(long, value_parser = ROLES.map(|(role, _)| role))]
    role: Option<String>,
    /// Only this database.
    #[arg(long, value_parser = ["sqlite", "postgres"])]
    database: Option<String>,
    /// What to do, of `examples`, `coverage` (limits and what lies beyond them), `fuzzing` (anything) and `stateful`
    /// (what answers lead to).
    #[arg(long, value_name = "PHASES", default_value = "examples,coverage,fuzzing,stateful")]
    phases: String,
    /// How many requests for each operation in the phases that make them up.
    #[arg(long, value_name = "N", default_value_t = 50)]
    cases: u32,
    /// Makes a run happen again.
    #[arg(long)]
    seed: Option<u32>,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    process::build()?;
    python::install(&process::root().join(FOLDER))?;
    // What one role finds does not keep the others, hours later, from finding theirs.
    let mut failed = Vec::new();
    for database in ["sqlite", "postgres"] {
        if options.database.as_deref().is_some_and(|only| only != database) {
            continue;
        }
        for (role, account) in ROLES {
            if options.role.as_deref().is_none_or(|only| only == role) {
                failed.extend(as_role(options, database, role, account).err().map(|error| error.to_string()));
            }
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// A short run where the program can be had: a seller on SQLite, an administrator on PostgreSQL. Being without Python or
/// offline is no fault of the server: that is said aloud instead, except where it is demanded.
pub(crate) fn run_short_if_possible() -> Result<()> {
    if let Err(error) = python::install(&process::root().join(FOLDER)) {
        if env::var(REQUIRED).is_ok_and(|value| value == "required") {
            return Err(error);
        }
        eprintln!("\nNOTICE: the API was NOT fuzzed. {error:#}\n{REQUIRED}=required makes this an error.");
        return Ok(());
    }
    let phases = "examples,fuzzing".to_owned();
    // Always the same requests: what is found by chance is for the long run, not for whoever changes something else.
    let options = Options { role: None, database: None, phases, cases: 2, seed: Some(1) };
    process::side_by_side(
        || as_role(&options, "sqlite", "sales_rep", "rep.east"),
        || as_role(&options, "postgres", "admin", "admin"),
    )
}

fn as_role(options: &Options, database: &str, role: &str, account: &str) -> Result<()> {
    eprintln!("\n{role} on {database}");
    let files = tempfile::Builder::new().prefix("fairlead-fuzz-").tempdir()?;
    let postgres = if database == "postgres" { Some(Postgres::throwaway()?) } else { None };
    let server = DemoServer::start(files.path(), postgres.as_ref().map(Postgres::url))?;
    let mut program = python::tool(&process::root().join(FOLDER), "schemathesis");
    program
        .args(["--config-file", "schemathesis.toml", "run", &format!("{}/openapi.json", server.url)])
        .args(["--checks", "all", "--continue-on-failure", "--workers", "2"])
        .args(["--phases", &options.phases, "--max-examples", &options.cases.to_string()])
        .args(options.seed.iter().flat_map(|seed| ["--seed".to_owned(), seed.to_string()]))
        .env("FAIRLEAD_FUZZ_URL", &server.url)
        .env("FAIRLEAD_FUZZ_EMAIL", format!("{account}@demo.fairlead.example"));
    if process::status(&mut program)?.success() {
        return Ok(());
    }
    bail!("as {role} on {database}, an answer was not what the document says")
}
