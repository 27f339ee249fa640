//! What happens when something breaks: the server is killed or stopped in the middle of its work, the database
//! goes away, is locked, or cannot grow. Whatever was acknowledged is there afterwards, nothing is there by half,
//! and a request that was sent again under its idempotency key has had one effect.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::support::{Answer, Client, Company, Database, Direct, Kind, Server, report, rounds, seed};

on_both_databases! {
    with run_as_delivered;
    heavy_a_crash_loses_nothing;
    heavy_a_stop_answers_everything;
    heavy_a_lock_refuses_writes_only;
}

#[test]
fn heavy_the_connections_to_postgres_end() {
    crate::support::run_as_delivered(Kind::Postgres, the_connections_end);
}

#[test]
fn heavy_dead_connections_to_postgres_cost_no_write() {
    crate::support::run_as_delivered(Kind::Postgres, dead_connections_cost_no_write);
}

#[test]
fn a_cancelled_statement_is_no_fault_of_ours() {
    crate::support::run_as_delivered(Kind::Postgres, a_statement_is_cancelled);
}

#[test]
fn heavy_postgres_falls_silent() {
    crate::support::run_as_delivered(Kind::Postgres, the_database_falls_silent);
}

#[test]
fn heavy_a_full_disk_refuses_writes_only() {
    crate::support::run_as_delivered(Kind::Sqlite, the_disk_is_full);
}

const WRITERS: usize = 8;
/// No single step takes this long.
const PATIENCE: Duration = Duration::from_secs(30);
/// A server that starts, or whose database comes back, is ready within this time.
const READY: Duration = Duration::from_secs(5);

/// A request that changes something once, and what is known of it.
#[derive(Debug, Clone)]
struct Entry {
    by: Client,
    path: String,
    key: String,
    body: Option<Value>,
    /// None when it was never acknowledged: it may have happened or not.
    answer: Option<Answer>,
}

impl Entry {
    async fn send(&self, url: &str) -> Result<Answer, reqwest::Error> {
        let by = self.by.at(url);
        let request = by.request(Method::POST, &self.path).header("idempotency-key", &self.key);
        by.try_send(match &self.body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }
}

/// A company with a contract that takes many payments, and what was asked of its server.
struct Ledger {
    company: Company,
    contract: String,
    entries: Vec<Entry>,
    /// The customers that were there before.
    before: BTreeSet<String>,
    random: StdRng,
    rounds: usize,
}

/// A server without the limits that writers in a hurry would meet.
async fn unlimited(kind: Kind) -> Server {
    let server = Server::start(kind).await;
    let limits = json!({"ownership": {"limit": 1_000_000}, "pool": {"daily_claim_limit": 1_000_000}});
    server.admin().await.patch("/settings", limits).await.expect(200);
    server
}

impl Ledger {
    async fn open(server: &Server, seed: u64) -> Self {
        let company = Company::found(server).await;
        let contract = company.active(&company.rep, "1000000.00", "by_contract").await;
        let before = names(&company.admin.client).await.into_iter().collect();
        Self {
            company,
            contract,
            entries: Vec::new(),
            before,
            random: StdRng::seed_from_u64(seed),
            rounds: 0,
        }
    }

    /// Eight writers who work until they are told to stop or get no answer.
    fn begin(&mut self, url: &str) -> (Vec<JoinHandle<Vec<Entry>>>, Arc<AtomicBool>) {
        let stop = Arc::new(AtomicBool::new(false));
        self.rounds += 1;
        let writers = (0..WRITERS).map(|at| {
            let writer = Writer {
                name: format!("{}-{at}", self.rounds),
                url: url.to_owned(),
                rep: self.company.rep.client.clone(),
                admin: self.company.admin.client.clone(),
                contract: self.contract.clone(),
                random: StdRng::seed_from_u64(self.random.random()),
                pool: Vec::new(),
                asked: 0,
            };
            tokio::spawn(writer.work(Arc::clone(&stop)))
        });
        (writers.collect(), stop)
    }

    /// Takes over what the writers know.
    async fn end(&mut self, writers: Vec<JoinHandle<Vec<Entry>>>) {
        for writer in writers {
            self.entries.extend(timeout(PATIENCE, writer).await.expect("the writer ends in time").unwrap());
        }
    }

    fn acknowledged(&self) -> usize {
        self.entries.iter().filter(|entry| entry.answer.is_some()).count()
    }

    /// Sends everything of the last round again, and then looks at the whole world: each request had exactly one
    /// effect.
    async fn settle(&mut self, server: &Server) {
        let admin = self.company.admin.client.at(&server.url);
        // Before anything is sent again: what was acknowledged is there.
        let there = self.world(&admin).await;
        for entry in self.entries.iter().filter(|entry| entry.answer.is_some()) {
            assert!(there.contains(&effect(entry)), "lost: {entry:?}");
        }
        let round = format!("{}-", self.rounds);
        for entry in self.entries.iter_mut().filter(|entry| entry.key.starts_with(&round)) {
            let again = timeout(PATIENCE, entry.send(&server.url)).await.expect("an answer in time").unwrap();
            assert!([200, 201].contains(&again.status), "{} answered {}", again.request, again.text);
            if let Some(first) = &entry.answer {
                assert_eq!(again.header("idempotent-replayed"), "true", "{entry:?}");
                assert_eq!(again.body, first.body);
            }
            entry.answer = Some(again);
        }
        let expected: BTreeSet<String> = self.entries.iter().map(effect).collect();
        assert_eq!(self.world(&admin).await, expected);
        let paid = self.entries.iter().filter(|entry| entry.path == "/payments").count();
        let contract = admin.get(&format!("/contracts/{}", self.contract)).await.expect(200);
        assert_eq!(contract.body["received"]["amount"], format!("{paid}.00"));
    }

    /// What the requests of all writers have brought about, each thing once.
    async fn world(&self, admin: &Client) -> BTreeSet<String> {
        let mut world = BTreeSet::new();
        let mut add = |effect: String| assert!(world.insert(effect.clone()), "twice: {effect}");
        for customer in admin.all("/customers?limit=200").await {
            let name = customer["name"].as_str().unwrap();
            if self.before.contains(name) {
                continue;
            }
            add(format!("customer {name}"));
            if name.starts_with("Pool") && customer["owner_id"] == json!(self.company.rep.id) {
                add(format!("claim {}", customer["id"].as_str().unwrap()));
            }
        }
        let payments = format!("/payments?contract_id={}&limit=200", self.contract);
        for payment in admin.all(&payments).await {
            add(format!("payment {}", payment["bank_reference"].as_str().unwrap()));
        }
        world
    }
}

/// What a request brings about, in words.
fn effect(entry: &Entry) -> String {
    match (entry.path.as_str(), &entry.body) {
        ("/customers", Some(body)) => format!("customer {}", body["name"].as_str().unwrap()),
        ("/payments", Some(body)) => format!("payment {}", body["bank_reference"].as_str().unwrap()),
        (path, _) => format!("claim {}", path.split('/').nth(3).unwrap()),
    }
}

async fn names(client: &Client) -> Vec<String> {
    let customers = client.all("/customers?limit=200").await;
    customers.iter().map(|customer| customer["name"].as_str().unwrap().to_owned()).collect()
}

struct Writer {
    name: String,
    url: String,
    rep: Client,
    admin: Client,
    contract: String,
    random: StdRng,
    /// Customers in the pool, not yet claimed.
    pool: Vec<String>,
    asked: usize,
}

impl Writer {
    fn next(&mut self) -> Entry {
        self.asked += 1;
        let key = format!("{}-{}", self.name, self.asked);
        let customer = |kind: &str| {
            Some(json!({"kind": "company", "name": format!("{kind} {}", key.replace('-', " of "))}))
        };
        let (by, path, body) = match (self.random.random_range(0..4), self.pool.pop()) {
            (2, Some(id)) => (&self.rep, format!("/public-pool/customers/{id}/claim"), None),
            (what, kept) => {
                self.pool.extend(kept);
                match what {
                    0 => (&self.rep, "/customers".to_owned(), customer("Own")),
                    3 => {
                        let mut payment = Company::payment(&self.contract, "1.00");
                        payment["bank_reference"] = json!(key);
                        (&self.rep, "/payments".to_owned(), Some(payment))
                    }
                    _ => (&self.admin, "/customers".to_owned(), customer("Pool")),
                }
            }
        };
        Entry { by: by.clone(), path, key, body, answer: None }
    }

    async fn work(mut self, stop: Arc<AtomicBool>) -> Vec<Entry> {
        let mut journal = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let mut entry = self.next();
            let Ok(answer) = timeout(PATIENCE, entry.send(&self.url)).await.expect("an end in time") else {
                // Nobody is there any more.
                journal.push(entry);
                break;
            };
            match answer.status {
                503 => {
                    sound(&answer);
                    sleep(Duration::from_millis(50)).await;
                }
                status => {
                    assert!([200, 201].contains(&status), "{} answered {}", answer.request, answer.text);
                    if answer.body["name"].as_str().is_some_and(|name| name.starts_with("Pool"))
                        && entry.path == "/customers"
                    {
                        self.pool.push(answer.id());
                    }
                    entry.answer = Some(answer);
                }
            }
            journal.push(entry);
        }
        journal
    }
}

/// The one way to say that the database is not there.
fn sound(answer: &Answer) {
    assert_eq!(answer.body["code"], "unavailable", "{} answered {}", answer.request, answer.text);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let after: u64 = answer.header("retry-after").parse().expect("Retry-After in seconds");
    assert!((1..=60).contains(&after), "Retry-After: {after}");
}

fn no_panic(server: &Server) {
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}

/// Waits until the server is ready and says how long that took.
async fn ready(url: &str) -> Duration {
    let begun = Instant::now();
    loop {
        let answer = timeout(READY, Client::new(url).get_root("/readyz")).await.expect("an answer in time");
        if answer.status == 200 {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < READY, "not ready in time: {}", answer.text);
        sleep(Duration::from_millis(50)).await;
    }
}

/// What came of crashes.
#[derive(Default)]
struct Crashes {
    count: usize,
    acknowledged: usize,
    unanswered: usize,
    /// The longest that a server took to be ready again.
    slowest: Duration,
}

async fn heavy_a_crash_loses_nothing(server: Server) {
    let (kind, seed, mut crashes) = (server.database.kind, seed(), Crashes::default());
    // Every crash looks at all that there is: a long run begins anew before that is too much.
    for world in 0..rounds(1, 20) {
        crash(kind, seed + world, rounds(10, 25), &mut crashes).await;
    }
    let Crashes { count, acknowledged, unanswered, slowest } = crashes;
    assert!(unanswered > 0, "no crash ever met a request");
    let told = format!(
        "{count} crashes, {acknowledged} writes acknowledged, 0 lost; {unanswered} unanswered and sent again, 0 \
         twice; ready after {slowest:.1?} at most; seed {seed}"
    );
    report("T1", kind, &told);
}

/// How much must have been written over all crashes of one test.
const ENOUGH: usize = 200;

/// Kills a server so many times while eight write, and again until enough was written: how much that is until a random
/// moment is up to the machine.
async fn crash(kind: Kind, seed: u64, times: usize, crashes: &mut Crashes) {
    let mut server = unlimited(kind).await;
    let mut ledger = Ledger::open(&server, seed).await;
    let mut done = 0;
    while done < times || ledger.entries.len() <= ENOUGH {
        done += 1;
        let (writers, _) = ledger.begin(&server.url);
        let moment = ledger.random.random_range(20..400);
        sleep(Duration::from_millis(moment)).await;
        server.kill().await;
        let known = ledger.acknowledged();
        ledger.end(writers).await;
        let acknowledged = ledger.acknowledged() - known;
        crashes.unanswered += ledger.entries.len() - ledger.acknowledged();
        crashes.acknowledged += acknowledged;
        crashes.count += 1;
        println!("killed after {moment} ms, {acknowledged} acknowledged");

        let begun = Instant::now();
        server.restart().await;
        ready(&server.url).await;
        let took = begun.elapsed();
        assert!(took < READY, "ready after {took:?}");
        crashes.slowest = crashes.slowest.max(took);
        server.verify().await;
        ledger.settle(&server).await;
    }
    server.verify().await;
    no_panic(&server);
}

/// Holds what every write needs.
async fn lock(server: &Server) -> Direct {
    let mut direct = server.database.connect().await;
    direct
        .run(match server.database.kind {
            Kind::Sqlite => "PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE",
            Kind::Postgres => "BEGIN; LOCK TABLE customers IN EXCLUSIVE MODE",
        })
        .await;
    direct
}

/// A request whose body comes in two parts, with something between them.
async fn in_two_parts(client: &Client, between: impl Future<Output = ()>) -> String {
    let body = json!({"kind": "company", "name": "In Two Parts"}).to_string();
    let (first, second) = body.split_at(10);
    let address = client.url.strip_prefix("http://").unwrap();
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let token = client.token.as_deref().unwrap();
    let head = format!(
        "POST /api/v1/customers HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{first}",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    between.await;
    connection.write_all(second.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, connection.read_to_string(&mut answer)).await.expect("an answer in time").unwrap();
    answer
}

async fn heavy_a_stop_answers_everything(server: Server) {
    let mut server = unlimited(server.database.kind).await;
    let (seed, times, mut acknowledged) = (seed(), rounds(3, 20), 0);
    let mut ledger = Ledger::open(&server, seed).await;
    ledger.company.tell_no_duplicates().await;
    ledger.before.insert("In Two Parts".to_owned());
    ledger.before.insert("Waiting".to_owned());
    for _ in 0..times {
        let (writers, _) = ledger.begin(&server.url);
        sleep(Duration::from_millis(ledger.random.random_range(100..400))).await;

        // Two requests that cannot be answered until the server is stopping: one waits for its body, one for
        // the database.
        let rep = ledger.company.rep.client.at(&server.url);
        let mut lock = lock(&server).await;
        let waiting = {
            let rep = rep.clone();
            tokio::spawn(async move {
                rep.post("/customers", json!({"kind": "company", "name": "Waiting"})).await
            })
        };
        let terminated = async {
            // The first part has to arrive first.
            sleep(Duration::from_millis(200)).await;
            server.terminate().await;
            draining(&server.url).await;
            // Longer than the grace that load balancers get: by now nobody new is let in.
            sleep(Duration::from_secs(1)).await;
            lock.run("ROLLBACK").await;
        };
        let answer = in_two_parts(&rep, terminated).await;
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        timeout(PATIENCE, waiting).await.expect("an answer in time").unwrap().expect(201);

        let status = server.wait().await;
        assert_eq!(status.code(), Some(0));
        let known = ledger.acknowledged();
        ledger.end(writers).await;
        acknowledged += ledger.acknowledged() - known;
        server.verify().await;
        server.restart().await;
        ready(&server.url).await;
        ledger.settle(&server).await;
    }
    no_panic(&server);
    assert!(ledger.entries.len() > 50, "too little happened: {}", ledger.entries.len());
    let told = format!(
        "{times} stops under load, each 503 on /readyz, then drained, then exit 0; {acknowledged} writes \
         acknowledged, 0 lost; seed {seed}"
    );
    report("T10", server.database.kind, &told);
}

/// Readiness turns 503 while requests are still answered.
async fn draining(url: &str) {
    let begun = Instant::now();
    loop {
        let answer =
            timeout(PATIENCE, Client::new(url).get_root("/readyz")).await.expect("an answer in time");
        if answer.status == 503 {
            return sound(&answer);
        }
        assert!(begun.elapsed() < Duration::from_millis(400), "still ready: {}", answer.text);
        sleep(Duration::from_millis(10)).await;
    }
}

async fn heavy_a_lock_refuses_writes_only(server: Server) {
    let server = unlimited(server.database.kind).await;
    let mut ledger = Ledger::open(&server, seed()).await;
    let rep = ledger.company.rep.client.clone();
    let customer = ledger.company.customer(&ledger.company.rep).await;
    ledger.before.extend(names(&ledger.company.admin.client).await);
    let (writers, stop) = ledger.begin(&server.url);
    sleep(Duration::from_millis(200)).await;
    let mut lock = lock(&server).await;
    // Longer than a statement waits for a lock: 5 seconds.
    let locked = Instant::now();
    let mut refused = 0;
    while locked.elapsed() < Duration::from_secs(8) {
        let begun = Instant::now();
        rep.get(&format!("/customers/{customer}")).await.expect(200);
        rep.get("/customers?limit=10").await.expect(200);
        assert_eq!(ready(&server.url).await.as_secs(), 0);
        assert!(begun.elapsed() < Duration::from_secs(2), "reads waited {:?}", begun.elapsed());
        let write = rep.patch(&format!("/customers/{customer}"), json!({"note": "locked"})).await.expect(503);
        sound(&write);
        refused += 1;
    }
    assert!(refused > 0);
    lock.run("ROLLBACK").await;
    recovers(&server, &rep, &customer).await;
    stop.store(true, Ordering::Relaxed);
    ledger.end(writers).await;
    assert!(ledger.entries.iter().any(|entry| entry.answer.is_none()), "no writer noticed");
    ledger.settle(&server).await;
    server.verify().await;
    no_panic(&server);
}

/// Reads and writes work again, soon and without help.
async fn recovers(server: &Server, client: &Client, customer: &str) {
    let begun = Instant::now();
    ready(&server.url).await;
    loop {
        let read = client.get(&format!("/customers/{customer}")).await;
        // What changes nothing would not be written.
        let note = json!({"note": format!("again {}", rand::random::<u64>())});
        let write = client.patch(&format!("/customers/{customer}"), note).await;
        if (read.status, write.status) == (200, 200) {
            break;
        }
        for answer in [read, write].into_iter().filter(|answer| answer.status != 200) {
            sound(&answer.expect(503));
        }
        assert!(begun.elapsed() < READY, "not back after {:?}", begun.elapsed());
        sleep(Duration::from_millis(100)).await;
    }
    assert!(begun.elapsed() < READY, "back after {:?}", begun.elapsed());
}

async fn the_connections_end(server: Server) {
    let server = unlimited(server.database.kind).await;
    let mut ledger = Ledger::open(&server, seed()).await;
    let rep = ledger.company.rep.client.clone();
    let customer = ledger.company.customer(&ledger.company.rep).await;
    ledger.before.extend(names(&ledger.company.admin.client).await);
    let mut cluster = server.database.cluster().await;
    let name = server.database.name();
    let end_connections = end_connections(&server);

    // First the connections only, as when a proxy or a failover ends them: new ones are made at once.
    for _ in 0..3 {
        let (writers, stop) = ledger.begin(&server.url);
        sleep(Duration::from_millis(200)).await;
        cluster.execute(sqlx::AssertSqlSafe(end_connections.clone())).await.unwrap();
        recovers(&server, &rep, &customer).await;
        sleep(Duration::from_millis(200)).await;
        stop.store(true, Ordering::Relaxed);
        ledger.end(writers).await;
        ledger.settle(&server).await;
    }

    // Then the database as a whole.
    let (writers, stop) = ledger.begin(&server.url);
    sleep(Duration::from_millis(200)).await;
    let allow =
        |allowed: bool| sqlx::AssertSqlSafe(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}"));
    cluster.execute(allow(false)).await.unwrap();
    cluster.execute(sqlx::AssertSqlSafe(end_connections.clone())).await.unwrap();
    let away = Instant::now();
    while away.elapsed() < Duration::from_secs(4) {
        sound(&rep.get(&format!("/customers/{customer}")).await.expect(503));
        sound(&rep.get("/customers?limit=10").await.expect(503));
        sound(&rep.patch(&format!("/customers/{customer}"), json!({"note": "away"})).await.expect(503));
        let login = json!({"email": "rep@example.com", "password": "a-password-for-tests"});
        sound(&server.anonymous().post("/auth/login", login).await.expect(503));
        sound(&rep.get_root("/readyz").await.expect(503));
        rep.get_root("/healthz").await.expect(200);
    }
    cluster.execute(allow(true)).await.unwrap();
    recovers(&server, &rep, &customer).await;
    sleep(Duration::from_millis(200)).await;
    stop.store(true, Ordering::Relaxed);
    ledger.end(writers).await;
    assert!(ledger.entries.iter().any(|entry| entry.answer.is_none()), "no writer noticed");
    ledger.settle(&server).await;
    server.verify().await;
    no_panic(&server);
}

/// Ends every connection to the server's database, as when PostgreSQL is started again.
fn end_connections(server: &Server) -> String {
    let name = server.database.name();
    format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'")
}

/// However many connections have died, the next write finds one that lives.
async fn dead_connections_cost_no_write(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let customer = format!("/customers/{}", company.customer(&company.rep).await);
    let mut cluster = server.database.cluster().await;
    for round in 0..3 {
        let writes = (0..WRITERS).map(|_| rep.post("/leads", json!({"name": "Many", "source": "website"})));
        for answer in futures_util::future::join_all(writes).await {
            answer.expect(201);
        }
        // Connections come back a moment after the answer.
        sleep(Duration::from_millis(200)).await;
        cluster.execute(sqlx::AssertSqlSafe(end_connections(&server))).await.unwrap();
        sleep(Duration::from_millis(200)).await;
        for write in 0..WRITERS {
            rep.patch(&customer, json!({"note": format!("{round} {write}")})).await.expect(200);
        }
    }
}

/// PostgreSQL ends a statement that takes too long in the same way as one that somebody cancels.
async fn a_statement_is_cancelled(server: Server) {
    let company = Company::found(&server).await;
    let (rep, customer) = (company.rep.client.clone(), company.customer(&company.rep).await);
    let mut direct = server.database.connect().await;
    direct.hold(&format!("SELECT 1 FROM customers WHERE id = '{customer}'")).await;
    let path = format!("/customers/{customer}");
    let write = tokio::spawn(async move { rep.patch(&path, json!({"note": "cancelled"})).await });
    direct.until_somebody_waits().await;
    let waiting = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(direct.number(waiting).await, 1);
    sound(&write.await.unwrap().expect(503));
    direct.run("ROLLBACK").await;
}

/// Stands between a server and PostgreSQL. When it falls silent, nothing comes through any more, and no connection
/// ends.
struct Relay {
    url: String,
    silent: watch::Sender<bool>,
}

impl Relay {
    async fn to(database: &Database) -> Self {
        let options: PgConnectOptions = database.url.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (_, rest) = database.url.split_once("://").unwrap();
        let user = rest.split_once('@').map_or("fairlead", |(user, _)| user);
        let url = format!("postgres://{user}@127.0.0.1:{port}/{}?sslmode=disable", database.name());
        let (silent, heard) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(Self::connection(near, options.clone(), heard.clone()));
            }
        });
        Self { url, silent }
    }

    async fn connection(mut near: TcpStream, far: PgConnectOptions, mut silent: watch::Receiver<bool>) {
        if !*silent.borrow() {
            let forward = async {
                if let Some(folder) = far.get_socket() {
                    let socket = folder.join(format!(".s.PGSQL.{}", far.get_port()));
                    let mut far = UnixStream::connect(socket).await.unwrap();
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                } else {
                    let mut far = TcpStream::connect((far.get_host(), far.get_port())).await.unwrap();
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                }
            };
            tokio::select! {
                () = forward => return,
                _ = silent.wait_for(|silent| *silent) => {}
            }
        }
        // What was silent once stays so.
        std::future::pending::<()>().await;
    }
}

/// Behind a network that lets nothing through, every request has its end.
async fn the_database_falls_silent(mut server: Server) {
    let company = Company::found(&server).await;
    let customer = format!("/customers/{}", company.customer(&company.rep).await);
    let relay = Relay::to(&server.database).await;
    server.stop().await;
    server.set("FAIRLEAD_DATABASE__URL", &relay.url);
    server.restart().await;
    let rep = company.rep.client.at(&server.url);
    rep.get(&customer).await.expect(200);
    rep.patch(&customer, json!({"note": "before"})).await.expect(200);

    relay.silent.send(true).unwrap();
    let silent = Instant::now();
    let requests = (0..WRITERS).map(|_| {
        let (rep, customer) = (rep.clone(), customer.clone());
        tokio::spawn(async move {
            let note = json!({"note": "silent"});
            let (read, write) =
                futures_util::future::join(rep.get(&customer), rep.patch(&customer, note)).await;
            sound(&read.expect(503));
            sound(&write.expect(503));
        })
    });
    let requests: Vec<_> = requests.collect();
    // They take the connections that are open.
    sleep(Duration::from_millis(300)).await;
    for _ in 0..3 {
        let begun = Instant::now();
        sound(&rep.get_root("/readyz").await.expect(503));
        assert!(begun.elapsed() < Duration::from_secs(5), "/readyz took {:?}", begun.elapsed());
        rep.get_root("/healthz").await.expect(200);
    }
    for request in requests {
        timeout(Duration::from_secs(45), request).await.expect("every request has its end").unwrap();
    }
    assert!(silent.elapsed() > Duration::from_secs(30), "nobody was kept waiting");

    relay.silent.send(false).unwrap();
    recovers(&server, &rep, customer.strip_prefix("/customers/").unwrap()).await;
    no_panic(&server);
}

/// A full disk, without the right to make a small one: files of the server may not grow any more.
async fn the_disk_is_full(server: Server) {
    let mut server = unlimited(server.database.kind).await;
    server.stop().await;
    // The signal would end the server before it sees the error that a full disk gives.
    server.prelude = Some("trap '' XFSZ");
    server.restart().await;
    let mut ledger = Ledger::open(&server, seed()).await;
    let rep = ledger.company.rep.client.clone();
    let customer = ledger.company.customer(&ledger.company.rep).await;
    ledger.before.extend(names(&ledger.company.admin.client).await);
    for _ in 0..3 {
        let (writers, stop) = ledger.begin(&server.url);
        sleep(Duration::from_millis(100)).await;
        let log = server.database.folder().join("fairlead.db-wal");
        let full = std::fs::metadata(log).unwrap().len();
        limit_files(&server, &full.to_string()).await;
        // A log that was written into the database begins anew, and has room until it is as long as before.
        let begun = Instant::now();
        for turn in 0.. {
            rep.get(&format!("/customers/{customer}")).await.expect(200);
            let note = json!({"note": format!("full {turn}")});
            let write = rep.patch(&format!("/customers/{customer}"), note).await;
            if write.status != 200 {
                sound(&write.expect(503));
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "the disk is never full");
        }
        sleep(Duration::from_millis(500)).await;
        rep.get("/customers?limit=10").await.expect(200);
        limit_files(&server, "unlimited").await;
        recovers(&server, &rep, &customer).await;
        stop.store(true, Ordering::Relaxed);
        ledger.end(writers).await;
        ledger.settle(&server).await;
        server.verify().await;
    }
    // The database is whole for whoever opens it next, too.
    assert!(server.stop().await.success());
    server.restart().await;
    ledger.settle(&server).await;
    server.verify().await;
    no_panic(&server);
}

/// Sets how long a file may become that the running server writes.
async fn limit_files(server: &Server, bytes: &str) {
    let (pid, limit) = (server.pid().to_string(), format!("--fsize={bytes}:"));
    let status = tokio::process::Command::new("prlimit").args(["--pid", &pid, &limit]).status().await;
    assert!(status.expect("prlimit, of util-linux, is there").success());
}
