use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{Client, Database, Kind};

pub const ADMIN_EMAIL: &str = "admin@example.com";
pub const PASSWORD: &str = "a-password-for-tests";

/// The real binary, running on a database of its own.
#[derive(Debug)]
pub struct Server {
    pub database: Arc<Database>,
    /// Such as `http://127.0.0.1:40123`.
    pub url: String,
    /// What all clients send with: making one reads every certificate that the machine trusts.
    http: reqwest::Client,
    process: Option<Child>,
    environment: Vec<(String, String)>,
    /// What a shell does before it becomes the server, such as setting limits.
    pub prelude: Option<&'static str>,
    /// Whether it is told that it shows a demo.
    demo: bool,
}

/// Looks at a server's database after the test.
pub struct Keeper(Arc<Database>);

/// The binary, built next to the tests by `cargo xtask test`.
pub fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let binary = tests.parent().unwrap().parent().unwrap().join("fairlead");
    assert!(binary.is_file(), "the server is not built: run `cargo build --package fairlead` first");
    binary
}

/// How long the server waits for a connection.
pub const ACQUIRE_TIMEOUT: &str = "FAIRLEAD_DATABASE__ACQUIRE_TIMEOUT_MS";

/// A command of the binary on a database.
pub fn command(database: &Database, arguments: &[&str]) -> Command {
    prepared(Command::new(binary()), database, arguments)
}

fn prepared(mut command: Command, database: &Database, arguments: &[&str]) -> Command {
    command
        .args(arguments)
        .current_dir(database.folder())
        .env("FAIRLEAD_DATABASE__URL", &database.url)
        .env("FAIRLEAD_DATABASE__MAX_CONNECTIONS", "12")
        .env(ACQUIRE_TIMEOUT, "20000")
        // Tests ask more often than people; that there is a limit has a test of its own.
        .env("FAIRLEAD_HTTP__REQUESTS_PER_MINUTE", "1000000")
        // Tests make many users; how strong a hash is has tests of its own.
        .env("FAIRLEAD_AUTH__PASSWORD_MEMORY_KIB", "64")
        .env("FAIRLEAD_FIRST_ADMINISTRATOR__EMAIL", ADMIN_EMAIL)
        .env("FAIRLEAD_FIRST_ADMINISTRATOR__NAME", "Test Administrator")
        .env("FAIRLEAD_FIRST_ADMINISTRATOR__PASSWORD", PASSWORD)
        .env("FAIRLEAD_LOG__FILTER", "warn")
        .kill_on_drop(true);
    command
}

impl Server {
    /// Starts a server on a new database.
    pub async fn start(kind: Kind) -> Self {
        Self::start_with(kind, &[]).await
    }

    /// Starts a server on a new database, with more settings from the environment; an empty one is as
    /// delivered.
    pub async fn start_with(kind: Kind, environment: &[(&str, &str)]) -> Self {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::on(Arc::new(Database::migrated(kind).await), environment, false).await
    }

    async fn on(database: Arc<Database>, environment: Vec<(String, String)>, demo: bool) -> Self {
        let http = Client::http();
        let url = String::new();
        let mut server = Self { database, url, http, process: None, environment, prelude: None, demo };
        server.restart().await;
        server
    }

    /// Starts a server on a database with the demo's data.
    pub async fn demo(kind: Kind) -> Self {
        let database = Arc::new(Database::create(kind).await);
        let seeded = command(&database, &["seed", "--demo"]).output().await.unwrap();
        assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
        Self::on(database, Vec::new(), true).await
    }

    /// Another server on the same database.
    pub async fn beside(&self) -> Self {
        Self::on(Arc::clone(&self.database), self.environment.clone(), false).await
    }

    /// Starts the server's process (again), on a new port. Its log goes to `server.log` in the database's
    /// folder, where each start appends.
    pub async fn restart(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.database.folder().join("server.log"))
            .unwrap();
        let program = match self.prelude {
            None => Command::new(binary()),
            Some(prelude) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("{prelude}; exec \"$0\" \"$@\"")).arg(binary());
                shell
            }
        };
        let demo: &[&str] = if self.demo { &["--demo"] } else { &[] };
        let arguments = [&["serve", "--address", "127.0.0.1:0"], demo].concat();
        let mut prepared = prepared(program, &self.database, &arguments);
        for (name, value) in &self.environment {
            if value.is_empty() {
                prepared.env_remove(name);
            } else {
                prepared.env(name, value);
            }
        }
        let mut process = prepared.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(url) = line.strip_prefix("listening on ") {
                    return url.trim().to_owned();
                }
            }
            panic!("the server ended at once:\n{}", self.log());
        };
        self.url =
            tokio::time::timeout(Duration::from_mins(1), url).await.expect("the server starts in time");
        // Whoever writes to a pipe that nobody reads would wait for ever.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.process = Some(process);
    }

    /// Changes a setting from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.database.folder().join("server.log")).unwrap_or_default()
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().and_then(Child::id).expect("the server runs")
    }

    /// Ends the server at once, as a crash would.
    pub async fn kill(&mut self) {
        let mut process = self.process.take().expect("the server runs");
        process.kill().await.unwrap();
    }

    /// Asks the server to stop, and waits until it has.
    pub async fn stop(&mut self) -> ExitStatus {
        self.terminate().await;
        self.wait().await
    }

    /// Asks the server to stop.
    pub async fn terminate(&self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    }

    /// Waits until the server has stopped.
    pub async fn wait(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the server runs");
        tokio::time::timeout(Duration::from_mins(1), process.wait()).await.expect("the server stops").unwrap()
    }

    /// A client that is nobody.
    pub fn anonymous(&self) -> Client {
        Client::with(self.http.clone(), &self.url)
    }

    /// A client with a login.
    pub async fn login(&self, email: &str, password: &str) -> Client {
        self.anonymous().login(email, password).await
    }

    /// The first administrator.
    pub async fn admin(&self) -> Client {
        self.login(ADMIN_EMAIL, PASSWORD).await
    }

    /// Looks at the database after the server is gone.
    pub fn keeper(&self) -> Keeper {
        Keeper(Arc::clone(&self.database))
    }

    /// `fairlead verify` finds no difference.
    pub async fn verify(&self) {
        self.keeper().verify().await;
    }

    /// Runs another command of the binary on the server's database.
    pub fn command(&self, arguments: &[&str]) -> Command {
        command(&self.database, arguments)
    }
}

impl Keeper {
    /// The specification names, for every operation, each code that it has refused with, and the catalogue of problems
    /// each figure that came with it.
    pub fn specified(&self) {
        let log = std::fs::read_to_string(self.0.folder().join("server.log")).unwrap_or_default();
        let unnamed = [
            "the specification does not name this code",
            "the catalogue of problems does not tell this figure",
        ];
        let is_wrong = |line: &&str| unnamed.iter().any(|what| line.contains(what));
        let wrong: Vec<&str> = log.lines().filter(is_wrong).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// `fairlead verify` finds no difference.
    pub async fn verify(&self) {
        let output = command(&self.0, &["verify"]).output().await.unwrap();
        let (out, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // What a test changed by SQL is found, and nothing else.
        let expected = |line: &str| line.starts_with("differs  records are what the audit trail says: ");
        let mut differences = out.lines().filter(|line| line.starts_with("differs")).peekable();
        let only_altered = self.0.is_altered() && differences.peek().is_some() && differences.all(expected);
        assert!(output.status.success() || only_altered, "verify found differences:\n{out}{log}");
    }
}
