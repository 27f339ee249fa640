//! What takes hours, or a program that is not everywhere. `cargo xtask long` runs it, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::support::{Answer, Client, Company, Kind, PASSWORD, Person, Server, report, seed, setting, until};

mod sqlite {
    use super::Kind;

    #[test]
    #[ignore = "takes strace"]
    fn heavy_the_log_is_synced_before_the_answer() {
        crate::support::run(Kind::Sqlite, super::heavy_the_log_is_synced_before_the_answer);
    }

    #[test]
    #[ignore = "takes hours"]
    fn heavy_nothing_grows_under_load() {
        crate::support::run_as_delivered(Kind::Sqlite, super::heavy_nothing_grows_under_load);
    }
}

mod postgres {
    #[test]
    #[ignore = "takes hours"]
    fn heavy_nothing_grows_under_load() {
        crate::support::run_as_delivered(super::Kind::Postgres, super::heavy_nothing_grows_under_load);
    }
}

/// Follows the server without becoming its parent, so that it is stopped like any other.
const STRACE: &str = "exec strace -D -f -y -s 16 -e signal=none -o trace.txt \
                      -e trace=write,pwrite64,writev,pwritev,sendto,sendmsg,fsync,fdatasync \"$0\" \"$@\"";

const WRITES: usize = 1_000;

/// That a killed server loses nothing says nothing of a machine that does: what counts there is that SQLite's log is
/// on disk when the answer leaves.
async fn heavy_the_log_is_synced_before_the_answer(mut server: Server) {
    let company = Company::found(&server).await;
    server.stop().await;
    // One request at a time, and nothing that happens by itself: whatever is written is of the request.
    server.set("FAIRLEAD_JOBS__ENABLED", "false");
    server.prelude = Some(STRACE);
    server.restart().await;
    let rep = company.rep.client.at(&server.url);
    for write in 0..WRITES {
        let form = json!({"name": format!("Lead {write}"), "source": "website"});
        rep.post("/leads", form).await.expect(201);
    }
    let (main, file) = (format!("{} ", server.pid()), server.database.folder().join("trace.txt"));
    assert!(server.stop().await.success());
    let trace = until("the end of the trace", async || {
        let trace = std::fs::read_to_string(&file).unwrap();
        let ended = trace.lines().any(|line| line.starts_with(&main) && line.contains("+++ exited"));
        ended.then_some(trace)
    })
    .await;
    let (answers, safe) = synced(&trace);
    assert_eq!((answers, safe), (WRITES, WRITES), "answers, and those that left after a sync");
    let told = format!("{safe} of {answers} answers left after the write-ahead log was synced");
    report("T2", server.database.kind, &told);
}

/// What became of the log since the last answer.
#[derive(PartialEq)]
enum Log {
    Untouched,
    Written,
    Synced,
}

/// How many answers to writes left, and how many of them with the log written and then synced.
fn synced(trace: &str) -> (usize, usize) {
    let (mut answers, mut safe, mut log) = (0, 0, Log::Untouched);
    // The threads whose sync is not over yet.
    let mut syncing = BTreeSet::new();
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').unwrap_or_default();
        let of_log = call.contains("/fairlead.db-wal>");
        let (sync, done) = (of_log && call.contains("sync("), call.ends_with("= 0"));
        if call.contains("\"HTTP/1.1 201") {
            answers += 1;
            safe += usize::from(log == Log::Synced);
            log = Log::Untouched;
        } else if of_log && call.contains("write") {
            log = Log::Written;
            syncing.clear();
        } else if sync && call.ends_with("<unfinished ...>") {
            syncing.insert(thread);
        } else if (sync || (call.contains("sync resumed>") && syncing.remove(thread)))
            && done
            && log == Log::Written
        {
            log = Log::Synced;
        }
    }
    (answers, safe)
}

#[test]
fn an_answer_before_the_sync_shows_in_a_trace() {
    let (write, sync) = ("7 pwrite64(4</tmp/fairlead.db-wal>, \"a\"..., 24, 0) = 24\n", "7 fdatasync(4");
    let done = "</tmp/fairlead.db-wal>)   = 0\n";
    let failed = "</tmp/fairlead.db-wal>)   = -1 EIO (Input/output error)\n";
    let begun = "</tmp/fairlead.db-wal> <unfinished ...>\n";
    let resumed = "7 <... fdatasync resumed>)   = 0\n";
    let answer = "8 sendto(9<socket:[1]>, \"HTTP/1.1 201 Cre\"..., 80, MSG_NOSIGNAL, NULL, 0) = 80\n";
    for (trace, safe) in [
        (format!("{write}{sync}{done}{answer}"), 1),
        (format!("{write}{sync}{begun}{resumed}{answer}"), 1),
        (format!("{write}{sync}{begun}{answer}{resumed}"), 0),
        (format!("{write}{sync}{failed}{answer}"), 0),
        (format!("{write}{sync}{done}{write}{answer}"), 0),
        (format!("{sync}{done}{answer}"), 0),
    ] {
        assert_eq!(synced(&trace), (1, safe), "{trace}");
    }
}

/// How many work, and how long each waits from one step to the next: an office, not a race.
const WORKERS: usize = 8;
const PACE: Duration = Duration::from_millis(100);
/// How much more memory the server may use in the last quarter of the time than in the second, in thousandths.
const DRIFT: i64 = 50;

/// Ordinary work for hours: no answer is a server's error, and the server does not grow.
async fn heavy_nothing_grows_under_load(server: Server) {
    let seed = seed();
    let hours: f64 = setting("FAIRLEAD_TEST_HOURS").unwrap_or(2.0);
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let pool = json!({"daily_claim_limit": 1_000_000, "daily_open_limit": 1_000_000});
    company.set(json!({"ownership": {"limit": 1_000_000}, "pool": pool})).await;
    let end = Instant::now() + Duration::from_secs_f64(hours * 3600.0);
    let mut random = StdRng::seed_from_u64(seed);
    let sellers = [&company.rep, &company.colleague, &company.inner];
    let workers = (0..WORKERS).map(|at| {
        let worker = Worker::new(&company, sellers[at % sellers.len()], random.random());
        tokio::spawn(worker.work(end))
    });
    let workers: Vec<_> = workers.collect();

    let mut sizes = Vec::new();
    while Instant::now() < end {
        sizes.push(resident(&server));
        sleep(Duration::from_secs(1)).await;
    }
    let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
    for worker in workers {
        for (status, times) in worker.await.unwrap() {
            *answers.entry(status).or_default() += times;
        }
    }
    // In the first quarter caches fill.
    let quarter = sizes.len() / 4;
    let (before, after) = (mean(&sizes[quarter..2 * quarter]), mean(&sizes[3 * quarter..]));
    let drift = (after - before) * 1000 / before;
    let percent = f64::from(i32::try_from(drift).unwrap()) / 10.0;
    let all: usize = answers.values().sum();
    let errors: usize = answers.range(500..).map(|(_, times)| times).sum();
    println!("answers by status: {answers:?}");
    let told = format!(
        "{hours} h, {all} answers, {errors} of them 5xx; {} MiB resident in the second quarter, {} in the last \
         ({percent:+.1} %); seed {seed}",
        before / 1024,
        after / 1024,
    );
    report("T13", server.database.kind, &told);
    assert_eq!(errors, 0, "{answers:?}\n{}", server.log());
    assert!(!server.log().contains("panicked"), "{}", server.log());
    let refused: usize = answers.range(400..500).map(|(_, times)| times).sum();
    assert!(refused * 5 < all && answers[&201] * 10 > all, "too little is done: {answers:?}");
    assert!(drift < DRIFT, "{told}");
}

/// How much memory the server uses, in KiB.
fn resident(server: &Server) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn mean(sizes: &[i64]) -> i64 {
    sizes.iter().sum::<i64>() / i64::try_from(sizes.len()).unwrap()
}

/// A seller at work, with those who decide about it.
struct Worker {
    seller: (String, Client),
    director: (String, Client),
    finance: (String, Client),
    logged_in: Instant,
    random: StdRng,
    /// Customers of this seller, the last ones.
    customers: Vec<String>,
    /// How often there was which status.
    answers: BTreeMap<u16, usize>,
}

impl Worker {
    fn new(company: &Company, seller: &Person, seed: u64) -> Self {
        let known = |person: &Person| (person.email.clone(), person.client.clone());
        Self {
            seller: known(seller),
            director: known(&company.director),
            finance: known(&company.finance),
            logged_in: Instant::now(),
            random: StdRng::seed_from_u64(seed),
            customers: Vec::new(),
            answers: BTreeMap::new(),
        }
    }

    async fn work(mut self, end: Instant) -> BTreeMap<u16, usize> {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while Instant::now() < end {
            pace.tick().await;
            // A login lasts fifteen minutes.
            if self.logged_in.elapsed() > Duration::from_mins(5) {
                self.log_in().await;
            }
            self.step().await;
        }
        self.answers
    }

    async fn log_in(&mut self) {
        for (email, client) in [&mut self.seller, &mut self.director, &mut self.finance] {
            *client = Client::new(&client.url).login(email, PASSWORD).await;
        }
        self.logged_in = Instant::now();
    }

    async fn ask(&mut self, request: RequestBuilder) -> Answer {
        let answer = self.seller.1.send(request).await;
        *self.answers.entry(answer.status).or_default() += 1;
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.ask(self.seller.1.request(Method::GET, path)).await
    }

    async fn post(&mut self, path: &str, form: Value) -> Answer {
        self.ask(self.seller.1.request(Method::POST, path).json(&form)).await
    }

    /// The customer is this seller's, if the answer says so.
    fn keep(&mut self, answer: &Answer) {
        if answer.status < 300 {
            self.customers.push(answer.id());
        }
        if self.customers.len() > 500 {
            self.customers.remove(0);
        }
    }

    /// Something that people do.
    async fn step(&mut self) {
        let word = format!("{:x}", self.random.random::<u32>());
        let chosen = (!self.customers.is_empty()).then(|| self.random.random_range(0..self.customers.len()));
        match (self.random.random_range(0..20), chosen) {
            (0..4, _) | (_, None) => {
                let form = json!({"kind": "company", "name": format!("Soak {word}")});
                let made = self.post("/customers", form).await;
                self.keep(&made);
            }
            (4..6, Some(at)) => {
                let path = format!("/customers/{}", self.customers[at]);
                let request = self.seller.1.request(Method::PATCH, &path).header("if-match", "*");
                self.ask(request.json(&json!({"note": word}))).await;
            }
            (6..8, Some(at)) => {
                self.get(&format!("/customers/{}", self.customers[at])).await;
            }
            (8..10, _) => {
                self.get("/customers?limit=50").await;
            }
            (10, _) => {
                self.get("/search?q=Soak").await;
            }
            (11, _) => {
                self.get("/sync?limit=50").await;
            }
            (12, Some(at)) => {
                self.get(&format!("/customers/{}/timeline", self.customers[at])).await;
            }
            (13, Some(at)) => {
                let form = json!({"customer_id": self.customers[at], "name": format!("Contact {word}")});
                self.post("/contacts", form).await;
            }
            (14, Some(at)) => {
                let form = json!({"customer_id": self.customers[at], "name": format!("Sale {word}")});
                self.post("/opportunities", form).await;
            }
            (15, _) => {
                self.post("/leads", json!({"name": format!("Lead {word}"), "source": "website"})).await;
            }
            (16, Some(at)) => {
                let path = format!("/customers/{}/release", self.customers.swap_remove(at));
                self.post(&path, json!({"reason": "No need"})).await;
            }
            (17, _) => {
                // Somebody else may be faster, or it may be too soon for this seller: that is an answer as well.
                let page = self.get("/public-pool/customers?limit=20").await;
                let pool = page.body["data"].as_array().cloned().unwrap_or_default();
                if !pool.is_empty() {
                    let id = &pool[self.random.random_range(0..pool.len())]["id"];
                    let claim = format!("/public-pool/customers/{}/claim", id.as_str().unwrap());
                    let claimed = self.ask(self.seller.1.request(Method::POST, &claim)).await;
                    self.keep(&claimed);
                }
            }
            (_, Some(at)) => self.sell(at).await,
        }
    }

    /// A contract, from its draft to its payment.
    async fn sell(&mut self, at: usize) {
        let money = json!({"amount": "100.00", "currency": "CNY"});
        let form = json!({
            "title": "Delivery", "customer_id": self.customers[at], "amount": money,
            "collection_scheme": "by_contract", "installments": [{"due_on": "2026-12-31", "amount": money}],
        });
        let made = self.post("/contracts", form).await;
        if made.status != 201 {
            return;
        }
        let contract = made.id();
        let submit = format!("/contracts/{contract}/submit");
        self.ask(self.seller.1.request(Method::POST, &submit)).await;
        let pending = format!("/approvals?subject_id={contract}&status=pending");
        let page = self.ask(self.director.1.request(Method::GET, &pending)).await;
        let Some(approval) = page.body["data"][0]["id"].as_str() else { return };
        let approve = format!("/approvals/{approval}/approve");
        self.ask(self.director.1.request(Method::POST, &approve).json(&json!({}))).await;
        self.ask(self.finance.1.request(Method::POST, &approve).json(&json!({}))).await;
        let paid = self.post("/payments", Company::payment(&contract, "100.00")).await;
        if paid.status == 201 {
            let confirm = format!("/payments/{}/confirm", paid.id());
            self.ask(self.finance.1.request(Method::POST, &confirm)).await;
        }
    }
}
