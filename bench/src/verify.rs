//! `fairlead verify` over a database of many contracts: how long it takes, how much memory, and whether it finds one
//! row that was tampered with.
//!
//! The rows are the demo's, told over and over with other ids: whatever agrees in the demo agrees in every copy.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chrono::{SecondsFormat, SubsecRound, Utc};
use fairlead_domain::search::SearchEntry;
use fairlead_domain::values::{Line, Number};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, QueryBuilder, Row};
use tokio::process::Command;
use uuid::Uuid;

use crate::database::{Database, Pools, on_reader, on_writer};
use crate::subject::Subject;

/// How many rows there are, and of which server.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    subject: Subject,
    /// How many contracts there are, at least.
    #[arg(long)]
    contracts: i64,
}

/// Measures, and prints the figures.
pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        println!(
            "| `fairlead verify` | rows | contracts | audit events | time | most memory | after tampering |"
        );
        println!("|---|--:|--:|--:|--:|--:|---|");
        let folder = tempfile::Builder::new().prefix("fairlead-bench-").tempdir()?;
        if options.subject.includes("sqlite") {
            measure(options, &Database::sqlite(folder.path()), folder.path()).await?;
        }
        if options.subject.includes("postgres") {
            let database = Database::postgres(&options.subject.postgres_url).await?;
            let outcome = measure(options, &database, folder.path()).await;
            database.remove().await?;
            outcome?;
        }
        Ok(())
    })
}

async fn measure(options: &Options, database: &Database, folder: &Path) -> Result<()> {
    let fairlead = |arguments: &[&str]| {
        let mut command = Command::new(&options.subject.server);
        command.args(arguments).current_dir(folder).env("FAIRLEAD_DATABASE__URL", &database.url);
        command.env("FAIRLEAD_LOG__FILTER", "warn").kill_on_drop(true);
        command
    };
    eprintln!("{}: seeding", database.name);
    ensure!(fairlead(&["seed", "--demo"]).output().await?.status.success(), "the demo was not seeded");
    let pools = Pools::open(&database.url, 2).await?;
    let postgres = matches!(pools, Pools::Postgres(_));
    let copies = options.contracts / count(&pools, "contracts").await? + 1;
    for table in TABLES {
        let text = copy(table, &columns(&pools, table).await?, postgres, copies);
        execute(&pools, text).await.context(*table)?;
    }
    let series = format!("UPDATE sequences SET value = value + {}", copies * SPREAD);
    execute(&pools, series).await?;
    find_by_numbers(&pools).await?;
    append_events(&pools, options.contracts * EVENTS).await?;
    pools.settle().await?;
    let mut rows = 0;
    for table in TABLES.iter().chain(&["audit_events", "outbox", "timeline"]) {
        rows += count(&pools, table).await?;
    }
    let (contracts, events) = (count(&pools, "contracts").await?, count(&pools, "audit_events").await?);

    eprintln!("{}: verifying", database.name);
    let whole = verify(fairlead(&["verify"])).await?;
    ensure!(whole.clean, "what was copied does not add up: {}", whole.said);
    // One cent, in one row of all.
    let text =
        "UPDATE payments SET amount_minor = amount_minor + 1 WHERE id = (SELECT MAX(id) FROM payments)";
    let text =
        if postgres { text.replace("MAX(id)", "MAX(CAST(id AS TEXT))::uuid") } else { text.to_owned() };
    execute(&pools, text).await?;
    let tampered = verify(fairlead(&["verify"])).await?;
    ensure!(!tampered.clean, "a row that was tampered with was not found");
    let found = tampered.said.lines().find(|line| line.contains("do not add up")).unwrap_or_default();
    println!(
        "| {} | {rows} | {contracts} | {events} | {:.1} s | {:.0} MiB | {} |",
        database.name,
        whole.time.as_secs_f64(),
        whole.memory,
        found.trim()
    );
    pools.close().await;
    Ok(())
}

struct Run {
    clean: bool,
    said: String,
    time: Duration,
    /// The most resident memory, in MiB.
    memory: f64,
}

async fn verify(mut command: Command) -> Result<Run> {
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let begun = Instant::now();
    let child = command.spawn()?;
    let process = child.id().context("it ended at once")?;
    let output = child.wait_with_output();
    let mut output = std::pin::pin!(output);
    let mut memory: f64 = 0.0;
    loop {
        tokio::select! {
            done = &mut output => {
                let done = done?;
                let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
                return Ok(Run { clean: done.status.success(), said, time: begun.elapsed(), memory });
            }
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                memory = memory.max(crate::process::memory_of(process).unwrap_or_default());
            }
        }
    }
}

/// What is copied, what is named before what names it.
const TABLES: &[&str] = &[
    "customers",
    "ownership_history",
    "contacts",
    "opportunities",
    "contracts",
    "amendments",
    "installments",
    "tax_invoice_numbers",
    "invoices",
    "credit_notes",
    "payments",
    "refunds",
    "receipts",
    "allocations",
    "approvals",
    "approval_decisions",
    "search_entries",
    "standings",
];

/// How far apart the numbers of two copies are.
const SPREAD: i64 = 1000;

/// Ids of what is copied as well; users, teams, pools and pipelines are the same for all.
const COPIED_IDS: &[&str] = &[
    "id",
    "customer_id",
    "primary_contact_id",
    "opportunity_id",
    "contract_id",
    "renewal_of_id",
    "invoice_id",
    "installment_id",
    "payment_id",
    "subject_id",
    "record_id",
    "approval_id",
    "with_id",
];

/// A statement that copies every row of a table so many times.
fn copy(table: &str, columns: &[String], postgres: bool, copies: i64) -> String {
    let value = |column: &String| match (column.as_str(), postgres) {
        (id, true) if COPIED_IDS.contains(&id) => {
            format!("CAST(LPAD(TO_HEX(k), 8, '0') || SUBSTR(CAST({id} AS TEXT), 9) AS UUID)")
        }
        (id, false) if COPIED_IDS.contains(&id) => {
            format!("CASE WHEN {id} IS NOT NULL THEN UNHEX(PRINTF('%08X', k) || SUBSTR(HEX({id}), 9)) END")
        }
        ("number", postgres) => {
            let number = format!("CAST(CAST(SUBSTR(number, 9) AS INTEGER) + k * {SPREAD} AS TEXT)");
            let number = if postgres {
                format!("LPAD({number}, GREATEST(6, LENGTH({number})), '0')")
            } else {
                format!("SUBSTR('000000', LENGTH({number}) + 1) || {number}")
            };
            format!("SUBSTR(number, 1, 8) || {number}")
        }
        // Normal forms that may be unique.
        (key, _) if key.ends_with("_key") => format!("{key} || '-' || CAST(k AS TEXT)"),
        (other, _) => other.to_owned(),
    };
    // What the database makes by itself.
    let made = |column: &&String| table == "search_entries" && ["id", "tokens"].contains(&column.as_str());
    let columns: Vec<String> = columns.iter().filter(|column| !made(column)).cloned().collect();
    let values: Vec<String> = columns.iter().map(value).collect();
    let condition = match table {
        // Neither transfers nor activities are copied.
        "approvals" => "subject_kind <> 'transfer' AND subject_kind <> 'stage_gate'",
        "approval_decisions" => {
            "approval_id IN (SELECT id FROM approvals WHERE subject_kind <> 'transfer' AND subject_kind <> 'stage_gate')"
        }
        "search_entries" => "record_kind <> 'lead'",
        "standings" => {
            "record_kind NOT IN ('lead', 'activity', 'transfer') \
             AND COALESCE(subject_kind, '') NOT IN ('transfer', 'stage_gate')"
        }
        _ => "TRUE",
    };
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM {table}, \
         (WITH RECURSIVE series (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM series WHERE k < {copies}) SELECT k FROM series) AS copy \
         WHERE {condition}",
        columns.join(", "),
        values.join(", ")
    )
}

/// Copies have other numbers: search finds them by these.
async fn find_by_numbers(pools: &Pools) -> Result<()> {
    let text = "SELECT id, record_kind, title, number FROM search_entries WHERE number IS NOT NULL";
    let entries: Vec<(i64, String, String, String)> =
        on_reader!(pools, |pool| sqlx::query_as(text).fetch_all(pool).await)?;
    on_writer!(pools, |pool| {
        let mut transaction = pool.begin().await?;
        for (id, kind, title, number) in entries {
            let name = Some(Line::new(title.clone())).filter(|_| title != number);
            let number = Number(number);
            let entry = match kind.as_str() {
                "invoice" | "payment" => SearchEntry::borrowing(name.as_ref(), &number),
                _ => SearchEntry::new(&title).numbered(&number),
            };
            let words = entry.words();
            let text = "UPDATE search_entries SET words = $1 WHERE id = $2";
            sqlx::query(text).bind(words).bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    })
}

async fn columns(pools: &Pools, table: &str) -> Result<Vec<String>> {
    let text = match pools {
        Pools::Sqlite { .. } => format!("SELECT name FROM pragma_table_info('{table}')"),
        Pools::Postgres(_) => format!(
            "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
        ),
    };
    on_reader!(pools, |pool| {
        let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(pool).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    })
}

async fn count(pools: &Pools, table: &str) -> Result<i64> {
    let text = format!("SELECT COUNT(*) FROM {table}");
    on_reader!(pools, |pool| Ok(sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(pool).await?))
}

async fn execute(pools: &Pools, text: String) -> Result<()> {
    on_writer!(pools, |pool| {
        sqlx::query(AssertSqlSafe(text)).execute(pool).await?;
        Ok(())
    })
}

/// Audit events for each contract.
const EVENTS: i64 = 5;
/// Rows in one statement.
const BATCH: i64 = 1000;

/// Makes the audit trail long, each event bound to the one before as the server binds them: the hash is over the
/// length and the text of each fact.
async fn append_events(pools: &Pools, count: i64) -> Result<()> {
    on_writer!(pools, |pool| {
        let mut transaction = pool.begin().await?;
        let head = "SELECT sequence, hash FROM audit_head WHERE id = 1";
        let (mut sequence, mut hash): (i64, String) =
            sqlx::query_as(head).fetch_one(&mut *transaction).await?;
        let record = Uuid::from_u128(1);
        for _ in 0..count / BATCH {
            let mut events = Vec::new();
            for _ in 0..BATCH {
                sequence += 1;
                let (id, at) = (Uuid::now_v7(), Utc::now().trunc_subsecs(3));
                let facts = [
                    hash.clone(),
                    id.to_string(),
                    sequence.to_string(),
                    at.to_rfc3339_opts(SecondsFormat::Millis, true),
                    String::new(),
                    "payment.recorded".to_owned(),
                    "payment".to_owned(),
                    record.to_string(),
                    String::new(),
                    "{}".to_owned(),
                ];
                let mut next = Sha256::new();
                for fact in facts {
                    next.update((fact.len() as u64).to_be_bytes());
                    next.update(fact);
                }
                let next =
                    next.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
                events.push((id, sequence, at, std::mem::replace(&mut hash, next.clone()), next));
            }
            let mut insert = QueryBuilder::new(
                "INSERT INTO audit_events (id, sequence, occurred_at, action, record_kind, record_id, changes, \
                 previous_hash, hash) ",
            );
            insert.push_values(&events, |mut row, (id, sequence, at, previous, hash)| {
                row.push_bind(*id).push_bind(*sequence).push_bind(*at);
                row.push_bind("payment.recorded").push_bind("payment").push_bind(record).push_bind("{}");
                row.push_bind(previous.clone()).push_bind(hash.clone());
            });
            insert.build().execute(&mut *transaction).await?;
            let mut insert = QueryBuilder::new(
                "INSERT INTO outbox (sequence, id, occurred_at, event, record_kind, record_id, data) ",
            );
            insert.push_values(&events, |mut row, (id, sequence, at, _, _)| {
                row.push_bind(*sequence).push_bind(*id).push_bind(*at);
                row.push_bind("payment.recorded").push_bind("payment").push_bind(record).push_bind("{}");
            });
            insert.build().execute(&mut *transaction).await?;
        }
        let text = "UPDATE audit_head SET sequence = $1, hash = $2 WHERE id = 1";
        sqlx::query(text).bind(sequence).bind(hash).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    })
}
