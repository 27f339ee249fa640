//! The measurement, from an empty database to the table.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use crate::database::{Database, Pools};
use crate::load::{self, Connection, Length, Round, request};
use crate::process::{Server, memory_of};
use crate::report::{Figures, Section};
use crate::seed::{self, Seeded};
use crate::subject::Subject;

const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "a-password-for-benchmarks";
/// Sellers that create and claim; each connection speaks for its share of them, so that their limits are counted over
/// as many customers as sellers have, not over all that the benchmark writes.
const SELLERS: usize = 64;
const STARTS: usize = 10;
/// What goes before each operation and is not counted.
const WARM_UP: Duration = Duration::from_millis(700);

/// What to measure, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    subject: Subject,
    /// How long each round lasts.
    #[arg(long)]
    seconds: u64,
    /// How many rounds each side of a comparison gets, in turns.
    #[arg(long)]
    rounds: usize,
    /// How many customers there are.
    #[arg(long)]
    customers: usize,
    /// How many connections ask at the same time.
    #[arg(long)]
    connections: usize,
    /// What the server logs.
    #[arg(long, default_value = "info")]
    log_filter: String,
    /// Only operations with this in their name.
    #[arg(long)]
    only: Option<String>,
}

/// Measures, and prints the figures.
pub(crate) fn run(options: &Options) -> Result<()> {
    // One thread: the servers need the processor more.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let cores = std::thread::available_parallelism()?;
        println!(
            "{} customers, {} connections, {} rounds of {} s for each side, {cores} cores shared by server, \
             database and load generator; log filter `{}`",
            options.customers, options.connections, options.rounds, options.seconds, options.log_filter
        );
        if options.subject.includes("sqlite") {
            let folder = tempfile::Builder::new().prefix("fairlead-bench-").tempdir()?;
            println!(
                "{}",
                measure(options, Database::sqlite(folder.path()), folder.path()).await?.markdown()
            );
        }
        if options.subject.includes("postgres") {
            let folder = tempfile::Builder::new().prefix("fairlead-bench-").tempdir()?;
            let database = Database::postgres(&options.subject.postgres_url).await?;
            println!("{}", measure(options, database, folder.path()).await?.markdown());
        }
        Ok(())
    })
}

async fn measure(options: &Options, database: Database, folder: &Path) -> Result<Section> {
    // Whoever is interrupted still takes their processes and their database along.
    let outcome = tokio::select! {
        outcome = measure_on(options, &database, folder) => outcome,
        outcome = interrupted() => outcome,
    };
    database.remove().await?;
    outcome
}

pub(crate) async fn interrupted<T>() -> Result<T> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupt = tokio::signal::ctrl_c() => interrupt?,
    }
    bail!("interrupted")
}

async fn measure_on(options: &Options, database: &Database, folder: &Path) -> Result<Section> {
    let log = folder.join("server.log");
    let serve = async || {
        let server = &options.subject.server;
        Server::start(&mut server_command(server, &options.log_filter, database, folder), &log).await
    };

    eprintln!("{}: preparing", database.name);
    let server = serve().await?;
    let people = People::hire(&server.address).await?;
    let pools = Pools::open(&database.url, 2).await?;
    let description = pools.description().await?;
    let seeded = seed::customers(&pools, options.customers, &people.ids, people.admin).await?;
    pools.settle().await?;
    pools.close().await;
    server.stop().await?;

    eprintln!("{}: start-up and idle memory", database.name);
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let server = serve().await?;
        starts.push(server.started_in);
        server.stop().await?;
    }
    let server = serve().await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = server.memory()?;

    let mut command = Command::new(std::env::current_exe()?);
    command.args(["plain", "--database-url", &database.url]);
    command.args(["--workers", &std::thread::available_parallelism()?.to_string()]);
    command.args(["--connections", "16", "--owner", &people.ids[0].to_string()]);
    let plain = Server::start(&mut command, &folder.join("plain.log")).await?;

    let most = Cell::new(idle);
    let figures = tokio::select! {
        figures = operations(options, database.name, &server, &plain, &people, &seeded) => figures?,
        () = watch(server.id()?, &most) => bail!("nobody watches any more"),
    };
    tokio::time::sleep(Duration::from_secs(2)).await;
    let memory = (idle, most.get(), server.memory()?);
    server.stop().await?;
    plain.stop().await?;
    Ok(Section { database: database.name, description, figures, starts, memory })
}

/// The server as it is shipped: default settings. Nothing of the
/// developer's own configuration may come in.
pub(crate) fn server_command(server: &Path, log_filter: &str, database: &Database, folder: &Path) -> Command {
    let mut command = Command::new(server);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FAIRLEAD_")) {
        command.env_remove(name);
    }
    command
        .args(["serve", "--address", "127.0.0.1:0", "--log-filter", log_filter])
        .current_dir(folder)
        .env("FAIRLEAD_DATABASE__URL", &database.url)
        .env("FAIRLEAD_HTTP__SHUTDOWN_GRACE_MS", "0")
        // Counted, but never too many.
        .env("FAIRLEAD_HTTP__REQUESTS_PER_MINUTE", "1000000000")
        // The passwords of the benchmark's people are not what is measured.
        .env("FAIRLEAD_AUTH__PASSWORD_MEMORY_KIB", "64")
        .env("FAIRLEAD_FIRST_ADMINISTRATOR__EMAIL", EMAIL)
        .env("FAIRLEAD_FIRST_ADMINISTRATOR__PASSWORD", PASSWORD);
    command
}

/// Notes the most memory that a process has.
async fn watch(process: u32, most: &Cell<f64>) {
    loop {
        most.set(most.get().max(memory_of(process).unwrap_or_default()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Who works at the benchmark's company.
pub(crate) struct People {
    pub(crate) admin: Uuid,
    /// The sellers.
    pub(crate) ids: Vec<Uuid>,
}

/// Access tokens, which last for minutes only.
pub(crate) struct Tokens {
    pub(crate) director: String,
    pub(crate) sellers: Vec<String>,
}

const DIRECTOR: &str = "director@example.com";

fn seller(number: usize) -> String {
    format!("seller{number}@example.com")
}

async fn log_in(connection: &mut Connection, email: &str) -> Result<String> {
    let form = json!({"email": email, "password": PASSWORD});
    let pair = connection.json(&request("POST", "/api/v1/auth/login", None, Some(&form)), 200).await?;
    Ok(pair["access_token"].as_str().context("no access token")?.to_owned())
}

fn id_of(record: &Value) -> Result<Uuid> {
    Ok(record["id"].as_str().context("no id")?.parse()?)
}

impl People {
    pub(crate) async fn hire(address: &str) -> Result<Self> {
        let mut connection = Connection::open(address).await?;
        let token = log_in(&mut connection, EMAIL).await?;
        let me = connection.json(&request("GET", "/api/v1/me", Some(&token), None), 200).await?;
        // Limits that a benchmark would run into.
        let limits = json!({"ownership": {"limit": 1_000_000}, "pool": {"daily_claim_limit": 1_000_000}});
        connection.json(&request("PATCH", "/api/v1/settings", Some(&token), Some(&limits)), 200).await?;
        let team = json!({"name": "Sales"});
        let team = connection.json(&request("POST", "/api/v1/teams", Some(&token), Some(&team)), 201).await?;
        let mut ids = Vec::new();
        let people = (0..SELLERS).map(|number| (seller(number), "sales_rep"));
        for (email, role) in people.chain([(DIRECTOR.to_owned(), "sales_director")]) {
            let user = json!({
                "email": email, "display_name": email, "team_id": team["id"], "roles": [role], "password": PASSWORD,
            });
            let made =
                connection.json(&request("POST", "/api/v1/users", Some(&token), Some(&user)), 201).await?;
            if role == "sales_rep" {
                ids.push(id_of(&made)?);
            }
        }
        Ok(Self { admin: id_of(&me)?, ids })
    }

    pub(crate) async fn log_in(&self, address: &str) -> Result<Tokens> {
        let mut connection = Connection::open(address).await?;
        let mut sellers = Vec::new();
        for number in 0..self.ids.len() {
            sellers.push(log_in(&mut connection, &seller(number)).await?);
        }
        Ok(Tokens { director: log_in(&mut connection, DIRECTOR).await?, sellers })
    }
}

/// Makes the next request of a connection.
type Next<'a> = Box<dyn Fn(usize) -> Option<Vec<u8>> + 'a>;

/// One operation, asked of both.
struct Operation<'a> {
    name: &'static str,
    status: u16,
    /// How many requests each side has.
    requests: usize,
    server: Next<'a>,
    plain: Next<'a>,
}

async fn operations(
    options: &Options,
    database: &str,
    server: &Server,
    plain: &Server,
    people: &People,
    seeded: &Seeded,
) -> Result<Vec<Figures>> {
    let mut figures = Vec::new();
    for name in ["read one", "read owned", "list 50", "pool list", "create", "claim"] {
        if options.only.as_deref().is_some_and(|only| !name.contains(only)) {
            continue;
        }
        // A new login for each: the tokens must outlive their operation.
        let tokens = people.log_in(&server.address).await?;
        let operation = operation(name, &tokens, seeded);
        let mut of_server = Connection::open(&server.address).await?;
        let mut of_plain = Connection::open(&plain.address).await?;
        let sizes = (
            of_server.size(&(operation.server)(0).context("no request")?, operation.status).await?,
            of_plain.size(&(operation.plain)(0).context("no request")?, operation.status).await?,
        );
        let round = |address, seconds, next| {
            // Where requests run out, each round gets its share of them.
            let requests = operation.requests / (options.rounds + 1);
            let length = Length { time: seconds, requests };
            load::round(address, options.connections, length, operation.status, next)
        };
        round(&server.address, WARM_UP, &operation.server).await?;
        round(&plain.address, WARM_UP, &operation.plain).await?;
        let lasting = Duration::from_secs(options.seconds);
        let (mut by_server, mut by_plain) = (Vec::new(), Vec::new());
        for number in 0..options.rounds {
            let one: Round = round(&server.address, lasting, &operation.server).await?;
            let other: Round = round(&plain.address, lasting, &operation.plain).await?;
            eprintln!(
                "{database}: {}, round {}: {:.0}/s, plain {:.0}/s",
                operation.name,
                number + 1,
                one.rate(),
                other.rate()
            );
            by_server.push(one);
            by_plain.push(other);
        }
        figures.push(Figures { name, server: by_server, plain: by_plain, sizes });
    }
    Ok(figures)
}

fn operation<'a>(name: &'static str, tokens: &'a Tokens, seeded: &'a Seeded) -> Operation<'a> {
    let director = tokens.director.as_str();
    match name {
        "read one" => reading(name, director, &seeded.all),
        // Nobody may claim it, so that nothing more is asked than the record and what hangs on it.
        "read owned" => reading(name, director, &seeded.owned),
        "list 50" => Operation {
            name,
            status: 200,
            requests: usize::MAX,
            server: Box::new(move |_| {
                Some(request("GET", "/api/v1/customers?limit=50", Some(director), None))
            }),
            plain: Box::new(|_| Some(request("GET", "/customers", None, None))),
        },
        // Three filters and an order, over everything that is in the pool; beside the plain handler's list of 50.
        "pool list" => Operation {
            name,
            status: 200,
            requests: usize::MAX,
            server: Box::new({
                let seller = sellers(tokens);
                let query = "grade=B&region=Jiangsu&industry=retail&sort=-pooled_at&limit=50";
                let path = format!("/api/v1/public-pool/customers?{query}");
                move |number| Some(request("GET", &path, Some(seller(number)), None))
            }),
            plain: Box::new(|_| Some(request("GET", "/customers", None, None))),
        },
        "create" => Operation {
            name,
            status: 201,
            requests: usize::MAX,
            server: Box::new({
                let (form, seller) = (forms(), sellers(tokens));
                move |number| Some(request("POST", "/api/v1/customers", Some(seller(number)), Some(&form())))
            }),
            plain: Box::new({
                let form = forms();
                move |_| Some(request("POST", "/customers", None, Some(&form())))
            }),
        },
        _ => {
            // Each side has its own half of the pool.
            let (ours, theirs) = seeded.pool.split_at(seeded.pool.len() / 2);
            let requests = ours.len().saturating_sub(1);
            let (ours, theirs, seller) = (each(ours), each(theirs), sellers(tokens));
            Operation {
                name,
                status: 200,
                requests,
                server: Box::new(move |number| {
                    let path = format!("/api/v1/public-pool/customers/{}/claim", ours()?);
                    Some(request("POST", &path, Some(seller(number)), None))
                }),
                plain: Box::new(move |_| {
                    Some(request("POST", &format!("/customers/{}/claim", theirs()?), None, None))
                }),
            }
        }
    }
}

/// Customers, one at a time.
fn reading<'a>(name: &'static str, token: &'a str, ids: &'a [Uuid]) -> Operation<'a> {
    let (ours, theirs) = (scattered(ids), scattered(ids));
    Operation {
        name,
        status: 200,
        requests: usize::MAX,
        server: Box::new(move |_| {
            Some(request("GET", &format!("/api/v1/customers/{}", ours()), Some(token), None))
        }),
        plain: Box::new(move |_| Some(request("GET", &format!("/customers/{}", theirs()), None, None))),
    }
}

/// Counts up from 0.
fn counter() -> impl Fn() -> usize {
    let count = Cell::new(0);
    move || count.replace(count.get() + 1)
}

/// Ids from all over the table, in an order that no cache likes.
fn scattered(ids: &[Uuid]) -> impl Fn() -> Uuid {
    let next = counter();
    move || ids[next().wrapping_mul(7919) % ids.len()]
}

/// Each id once.
fn each(ids: &[Uuid]) -> impl Fn() -> Option<Uuid> {
    let next = counter();
    move || ids.get(next()).copied()
}

/// The token of one of the sellers for whom a connection speaks, in turns.
fn sellers<'a>(tokens: &'a Tokens) -> impl Fn(usize) -> &'a str {
    const SHARE: usize = 4;
    let next = counter();
    move |number| tokens.sellers[(number * SHARE + next() % SHARE) % tokens.sellers.len()].as_str()
}

/// Customers to record.
fn forms() -> impl Fn() -> Value {
    let next = counter();
    move || {
        let number = next();
        json!({
            "kind": "company", "name": format!("Quay Logistics {number:07}"), "source": "referral", "grade": "B",
            "region": "Shanghai", "phone": format!("139{number:08}"), "email": format!("new{number}@example.com"),
        })
    }
}
