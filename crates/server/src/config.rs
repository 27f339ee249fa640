//! The configuration: flags over environment over file over defaults.
//!
//! [`keys`] declares every key once. [`layer`] reads each source by that declaration and refuses what it does not
//! know; here the layers are put on top of each other.

mod keys;
mod layer;

use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, io};

use fairlead_application::{AppConfig, DatabaseConfig, FilesConfig, S3Config};
use fairlead_domain::webhook::Targets;
use fairlead_http::HttpConfig;
use figment::Figment;
use figment::value::Value;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use keys::KEYS;
pub(crate) use layer::Flag;
use layer::Layer;

/// The file that is read when it is there and no other is named.
const DEFAULT_FILE: &str = "fairlead.toml";
/// Where demo data goes when no database is named.
const DEMO_DATABASE: &str = "sqlite:fairlead-demo.db";
/// Below this (19 MiB, the least that OWASP finds acceptable) passwords are hashed too cheaply.
const WEAK_PASSWORD_MEMORY_KIB: u32 = 19_456;

/// What is wrong with the configuration, in words.
#[derive(Debug, Default)]
pub(crate) struct Wrong(Vec<String>);

impl Wrong {
    /// One fault.
    pub(crate) fn one(fault: impl Into<String>) -> Self {
        Self(vec![fault.into()])
    }

    fn add(&mut self, fault: String) {
        self.0.push(fault);
    }

    fn unless_empty(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [fault] => f.write_str(fault),
            faults => {
                f.write_str("the configuration has several faults")?;
                faults.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
            }
        }
    }
}

impl std::error::Error for Wrong {}

/// The configuration.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    /// Where records are kept.
    pub(crate) database: Database,
    /// How the server listens.
    pub(crate) http: Http,
    /// Where files are kept.
    files: FileStore,
    /// Tokens and passwords.
    pub(crate) auth: Auth,
    /// What is done in the background.
    pub(crate) jobs: Jobs,
    /// Who is told of what happens.
    webhooks: Webhooks,
    /// What is logged, and how.
    pub(crate) log: Log,
    /// Who is made when there is nobody yet.
    first_administrator: FirstAdministrator,
}

/// Where records are kept.
#[derive(Debug, Deserialize)]
pub(crate) struct Database {
    #[serde(deserialize_with = "secret")]
    url: SecretString,
    max_connections: u32,
    acquire_timeout_ms: u64,
}

/// Where files are kept.
#[derive(Debug, Deserialize)]
struct FileStore {
    url: String,
    s3_endpoint: Option<String>,
    s3_region: Option<String>,
    s3_access_key_id: Option<String>,
    #[serde(default, deserialize_with = "optional_secret")]
    s3_secret_access_key: Option<SecretString>,
    limit_bytes: usize,
    timeout_seconds: u64,
    scanner: Option<String>,
}

/// What is done in the background.
#[derive(Debug, Deserialize)]
pub(crate) struct Jobs {
    enabled: bool,
    interval_seconds: u64,
}

/// Who is told of what happens.
#[derive(Debug, Deserialize)]
struct Webhooks {
    local_targets: bool,
}

/// How the server listens.
#[derive(Debug, Deserialize)]
pub(crate) struct Http {
    address: String,
    port: Option<u16>,
    workers: Option<usize>,
    public_url: Option<String>,
    cors_origins: Vec<String>,
    trusted_proxies: Vec<String>,
    hsts: bool,
    body_limit_bytes: usize,
    body_timeout_seconds: u64,
    requests_per_minute: u32,
    shutdown_grace_ms: u64,
    shutdown_timeout_seconds: u64,
}

/// Tokens and passwords.
#[derive(Debug, Deserialize)]
pub(crate) struct Auth {
    issuer: String,
    audience: String,
    access_token_minutes: i64,
    refresh_token_days: i64,
    password_memory_kib: u32,
    hashing_threads: usize,
}

/// What is logged, and how.
#[derive(Debug, Deserialize)]
pub(crate) struct Log {
    /// Lines for people or for programs.
    pub(crate) format: LogFormat,
    /// Which events, in the notation of `tracing`.
    pub(crate) filter: String,
}

/// Lines for people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Deserialize)]
struct FirstAdministrator {
    email: Option<String>,
    name: String,
    #[serde(default, deserialize_with = "optional_secret")]
    password: Option<SecretString>,
    password_file: Option<PathBuf>,
}

/// The first administrator, complete.
#[derive(Debug)]
pub(crate) struct Administrator {
    /// The address to log in with.
    pub(crate) email: String,
    /// The name to show.
    pub(crate) name: String,
    /// The password.
    pub(crate) password: SecretString,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

/// The configuration with the source of each value.
pub(crate) struct Loaded {
    /// The configuration.
    pub(crate) config: Config,
    layers: Figment,
}

/// Reads the configuration of this process. `demo` keeps demo data apart unless a database is named.
pub(crate) fn load(file: Option<&Path>, flags: &[Flag], demo: bool) -> Result<Loaded, Wrong> {
    let content = match file {
        Some(path) => Some((path, fs::read_to_string(path))),
        None => Some((Path::new(DEFAULT_FILE), fs::read_to_string(DEFAULT_FILE)))
            .filter(|(_, content)| !matches!(content, Err(error) if error.kind() == io::ErrorKind::NotFound)),
    };
    let file = match content {
        Some((path, Ok(content))) => Some((path.display().to_string(), content)),
        Some((path, Err(error))) => {
            return Err(Wrong::one(format!(
                "cannot read the configuration file {}: {error}",
                path.display()
            )));
        }
        None => None,
    };
    let file = file.as_ref().map(|(name, content)| (name.as_str(), content.as_str()));
    Loaded::from(file, env::vars_os(), flags, demo)
}

impl Loaded {
    fn from(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &[Flag],
        demo: bool,
    ) -> Result<Self, Wrong> {
        let mut layers = Figment::from(Layer::defaults(demo.then_some(DEMO_DATABASE)));
        if let Some((name, content)) = file {
            layers = layers.merge(Layer::file(name, content)?);
        }
        layers = layers.merge(Layer::environment(environment)?).merge(Layer::flags(flags)?);
        // Every value was judged on its way in. Should one still not fit, its key is all that may be told.
        let config = layers.extract().map_err(|error: figment::Error| {
            Wrong::one(format!("`{}` cannot be used", error.path.join(".")))
        })?;
        Ok(Self { config, layers })
    }

    /// The effective configuration as a file, each value with where it is from; secrets are masked.
    pub(crate) fn print(&self) -> String {
        let mut out = String::new();
        let mut section = "";
        for key in KEYS {
            if key.section != section {
                section = key.section;
                let gap = if out.is_empty() { "" } else { "\n" };
                let _ = writeln!(out, "{gap}[{section}]");
            }
            let value =
                self.layers.find_value(&key.path()).ok().filter(|value| !matches!(value, Value::Empty(..)));
            let Some(value) = value else {
                let _ = writeln!(out, "# {} is not set", key.name);
                continue;
            };
            let shown = match value.as_str() {
                Some(url) if key.section == "database" => serde_json::to_string(&masked(url)),
                Some(_) if key.is_secret() => serde_json::to_string("***"),
                // The JSON of a text, number, truth value or list of texts is TOML as well.
                _ => serde_json::to_string(&value),
            };
            let source = self.layers.get_metadata(value.tag()).map_or("", |metadata| &metadata.name);
            let _ = writeln!(out, "{} = {} # {source}", key.name, shown.unwrap_or_default());
        }
        out
    }
}

/// A database URL without its password.
fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| scheme.starts_with("postgres"))
    else {
        return url.to_owned();
    };
    // The last `@` ends the password, should it hold one; parameters may repeat it.
    let (user, host) = match rest.rsplit_once('@') {
        Some((user, host)) => (user.split(':').next().unwrap_or_default(), host),
        None => ("", rest),
    };
    let (host, parameters) = host.split_once('?').map_or((host, ""), |(host, _)| (host, "?***"));
    let user = if rest.contains('@') { format!("{user}:***@") } else { String::new() };
    format!("{scheme}://{user}{host}{parameters}")
}

impl Config {
    /// Where to listen.
    pub(crate) fn address(&self) -> String {
        let Http { address, port, .. } = &self.http;
        match (port, address.rsplit_once(':')) {
            (Some(port), Some((host, _))) => format!("{host}:{port}"),
            _ => address.clone(),
        }
    }

    /// How many threads serve requests.
    pub(crate) fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.http.workers.unwrap_or_else(cores)
    }

    /// The address under which people reach the server, if it is another than where it listens.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.http.public_url.as_deref()
    }

    /// Between "not ready" and "no new connections".
    pub(crate) fn shutdown_grace(&self) -> Duration {
        Duration::from_millis(self.http.shutdown_grace_ms)
    }

    /// How long running requests may take to end.
    pub(crate) fn shutdown_timeout(&self) -> Duration {
        Duration::from_secs(self.http.shutdown_timeout_seconds)
    }

    /// The database, fit to be shown.
    pub(crate) fn shown_database(&self) -> String {
        masked(self.database.url.expose_secret())
    }

    /// Whether passwords are hashed too cheaply.
    pub(crate) fn hashes_cheaply(&self) -> bool {
        self.auth.password_memory_kib < WEAK_PASSWORD_MEMORY_KIB
    }

    /// What the application takes of it.
    pub(crate) fn application(&self) -> AppConfig {
        AppConfig {
            database: DatabaseConfig {
                url: self.database.url.clone(),
                max_connections: self.database.max_connections,
                acquire_timeout_ms: self.database.acquire_timeout_ms,
            },
            files: FilesConfig {
                url: self.files.url.clone(),
                s3: S3Config {
                    endpoint: self.files.s3_endpoint.clone(),
                    region: self.files.s3_region.clone(),
                    access_key_id: self.files.s3_access_key_id.clone(),
                    secret_access_key: self.files.s3_secret_access_key.clone(),
                },
                scanner: self.files.scanner.clone(),
            },
            issuer: self.auth.issuer.clone(),
            audience: self.auth.audience.clone(),
            access_token_minutes: self.auth.access_token_minutes,
            refresh_token_days: self.auth.refresh_token_days,
            password_memory_kib: self.auth.password_memory_kib,
            hashing_threads: self.auth.hashing_threads,
            webhook_targets: Targets { local: self.webhooks.local_targets },
        }
    }

    /// How often this server looks for work in the background; never when it does none.
    pub(crate) fn background_interval(&self) -> Option<Duration> {
        self.jobs.enabled.then(|| Duration::from_secs(self.jobs.interval_seconds))
    }

    /// What the HTTP interface takes of it.
    pub(crate) fn http(&self) -> HttpConfig {
        HttpConfig {
            public_url: self.http.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned()),
            cors_origins: self.http.cors_origins.clone(),
            body_limit: self.http.body_limit_bytes,
            body_timeout: Duration::from_secs(self.http.body_timeout_seconds),
            file_limit: self.files.limit_bytes,
            file_timeout: Duration::from_secs(self.files.timeout_seconds),
            requests_per_minute: self.http.requests_per_minute,
            trusted_proxies: self.http.trusted_proxies.clone(),
            hsts: self.http.hsts,
            demo_accounts: Vec::new(),
        }
    }

    /// The first administrator; none when nobody is named. The password may be in a file, or come from standard
    /// input when that file is `-`.
    pub(crate) fn first_administrator(&self) -> Result<Option<Administrator>, Wrong> {
        let FirstAdministrator { email, name, password, password_file } = &self.first_administrator;
        let password = match (password, password_file) {
            (Some(password), _) => Some(password.clone()),
            (None, Some(path)) => Some(read_password(path)?),
            (None, None) => None,
        };
        match (email, password) {
            (Some(email), Some(password)) => {
                Ok(Some(Administrator { email: email.clone(), name: name.clone(), password }))
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err(Wrong::one(
                "the first administrator has no password: give `--password-file <file>` (`-` reads standard \
                 input), FAIRLEAD_FIRST_ADMINISTRATOR__PASSWORD, or `first_administrator.password_file` in the \
                 configuration file",
            )),
            (None, Some(_)) => Err(Wrong::one(
                "the first administrator has a password but no e-mail address: give `--admin-email` or \
                 `first_administrator.email`",
            )),
        }
    }
}

fn read_password(path: &Path) -> Result<SecretString, Wrong> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    let text = text
        .map_err(|error| Wrong::one(format!("cannot read the password from {}: {error}", path.display())))?;
    // The end of the line is the editor's, not the password's.
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() {
        return Err(Wrong::one(format!("the password in {} is empty", path.display())));
    }
    Ok(SecretString::from(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "correct-horse-7";

    fn loaded(
        file: &str,
        environment: &[(&str, &str)],
        flags: &[(&'static str, &str)],
    ) -> Result<Loaded, String> {
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
        let flags: Vec<Flag> = flags
            .iter()
            .map(|(key, value)| Flag { typed: "--flag", key, value: (*value).to_owned() })
            .collect();
        Loaded::from(Some(("fairlead.toml", file)), environment, &flags, false)
            .map_err(|wrong| wrong.to_string())
    }

    fn fault(file: &str, environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> String {
        loaded(file, environment, flags).err().expect("must be refused")
    }

    #[test]
    fn flags_over_environment_over_file_over_defaults() {
        let file = "[http]\naddress = '127.0.0.1:1'\nworkers = 1\nhsts = true\n[log]\nfilter = 'file'";
        let environment = [("FAIRLEAD_HTTP__ADDRESS", "127.0.0.1:2"), ("FAIRLEAD_HTTP__WORKERS", "2")];
        let config = loaded(file, &environment, &[("http.address", "127.0.0.1:3")]).unwrap().config;
        assert_eq!(config.address(), "127.0.0.1:3");
        assert_eq!(config.workers(), 2);
        assert!(config.http.hsts);
        assert_eq!(config.log.filter, "file");
        assert_eq!(config.database.max_connections, 16);
    }

    #[test]
    fn nothing_given_is_the_documented_default() {
        let config = Loaded::from(None, [], &[], false).unwrap().config;
        assert_eq!(config.background_interval(), Some(Duration::from_secs(5)));
        assert_eq!(config.database.url.expose_secret(), "sqlite:fairlead.db");
        assert!(config.first_administrator().unwrap().is_none());
    }

    #[test]
    fn a_demo_keeps_its_data_apart_unless_a_database_is_named() {
        let demo = Loaded::from(None, [], &[], true).unwrap().config;
        assert_eq!(demo.database.url.expose_secret(), DEMO_DATABASE);
        let named = [("FAIRLEAD_DATABASE__URL".into(), "sqlite:mine.db".into())];
        let demo = Loaded::from(None, named, &[], true).unwrap().config;
        assert_eq!(demo.database.url.expose_secret(), "sqlite:mine.db");
    }

    #[test]
    fn a_port_counts_until_somebody_above_gives_an_address() {
        let port = [("FAIRLEAD_HTTP__PORT", "9")];
        let address = |file, flags: &[_]| loaded(file, &port, flags).unwrap().config.address();
        assert_eq!(address("[http]\naddress = '0.0.0.0:80'", &[]), "0.0.0.0:9");
        assert_eq!(address("", &[("http.address", "[::1]:0")]), "[::1]:0");
        let below = loaded("[http]\nport = 9", &[("FAIRLEAD_HTTP__ADDRESS", "0.0.0.0:80")], &[]).unwrap();
        assert_eq!(below.config.address(), "0.0.0.0:80");
    }

    #[test]
    fn unknown_keys_are_named_with_the_known_ones() {
        let message = fault("[database]\nulr = 'x'", &[], &[]);
        assert_eq!(
            message,
            "unknown key `database.ulr` in fairlead.toml; `database` has url, max_connections, acquire_timeout_ms"
        );
        assert!(fault("[datbase]\nurl = 'x'", &[], &[]).contains("unknown section `datbase`"));
        assert!(fault("database = 'x'", &[], &[]).contains("must be a table"));
        let message = fault("", &[("FAIRLEAD_DATABASE__ULR", "x")], &[]);
        assert!(
            message.contains("`database.ulr` from the environment variable FAIRLEAD_DATABASE__ULR"),
            "{message}"
        );
    }

    #[test]
    fn a_lost_underscore_is_noticed_and_other_programs_variables_are_not_ours() {
        let message = fault("", &[("FAIRLEAD_DATABASE_URL", "x")], &[]);
        assert!(message.ends_with("it is FAIRLEAD_DATABASE__URL"), "{message}");
        let others =
            [("FAIRLEAD_PORT", "tcp://10.0.0.1:80"), ("FAIRLEAD_TEST_POSTGRES_URL", "x"), ("PATH", "x")];
        assert!(loaded("", &others, &[]).is_ok());
    }

    #[test]
    fn wrong_values_say_where_and_what_is_expected() {
        assert_eq!(
            fault("[auth]\naccess_token_minutes = 60", &[], &[]),
            "`auth.access_token_minutes` in fairlead.toml is `60`; expected a whole number from 1 to 15"
        );
        assert_eq!(
            fault("", &[("FAIRLEAD_HTTP__HSTS", "yes")], &[]),
            "`http.hsts` from the environment variable FAIRLEAD_HTTP__HSTS is `yes`; expected `true` or `false`"
        );
        assert_eq!(
            fault("", &[], &[("log.format", "xml")]),
            "`log.format` from --flag is `xml`; expected one of text, json"
        );
        let both = fault("[http]\nhsts = 1\nworkers = -1", &[], &[]);
        assert!(both.contains("http.hsts") && both.contains("http.workers"), "{both}");
    }

    #[test]
    fn broken_toml_is_located_without_showing_the_line() {
        let message = fault(&format!("[database]\n\nurl = '{SECRET}"), &[], &[]);
        assert!(message.starts_with("fairlead.toml is not TOML: line 3:"), "{message}");
        assert!(!message.contains(SECRET));
    }

    #[test]
    fn lists_come_as_comma_lists_from_the_environment() {
        let environment = [("FAIRLEAD_HTTP__CORS_ORIGINS", "https://a.example, https://b.example")];
        let config = loaded("", &environment, &[]).unwrap().config;
        assert_eq!(config.http().cors_origins, ["https://a.example", "https://b.example"]);
    }

    #[test]
    fn secrets_are_neither_printed_nor_in_debug_nor_in_complaints() {
        let file = format!("[database]\nurl = 'postgres://crm:{SECRET}@db.example/crm?password={SECRET}'");
        let environment = [
            ("FAIRLEAD_FIRST_ADMINISTRATOR__EMAIL", "a@example.com"),
            ("FAIRLEAD_FIRST_ADMINISTRATOR__PASSWORD", SECRET),
        ];
        let loaded = loaded(&file, &environment, &[]).unwrap();
        let administrator = loaded.config.first_administrator().unwrap().unwrap();
        assert_eq!(administrator.password.expose_secret(), SECRET);
        for shown in [loaded.print(), format!("{:?} {administrator:?}", loaded.config)] {
            assert!(!shown.contains(SECRET), "{shown}");
        }
        assert!(loaded.print().contains(r#"url = "postgres://crm:***@db.example/crm?***" # fairlead.toml"#));
        let message = fault("", &[("FAIRLEAD_DATABASE__URL", "correct-horse-7@db")], &[]);
        assert!(message.contains("database.url") && !message.contains(SECRET), "{message}");
    }

    #[test]
    fn a_password_of_digits_is_a_text() {
        let environment = [
            ("FAIRLEAD_FIRST_ADMINISTRATOR__EMAIL", "a@example.com"),
            ("FAIRLEAD_FIRST_ADMINISTRATOR__PASSWORD", "0123456789012"),
        ];
        let administrator =
            loaded("", &environment, &[]).unwrap().config.first_administrator().unwrap().unwrap();
        assert_eq!(administrator.password.expose_secret(), "0123456789012");
        assert_eq!(administrator.name, "Administrator");
    }

    #[test]
    fn half_an_administrator_is_refused() {
        for key in ["first_administrator.email", "first_administrator.password"] {
            let config = loaded("", &[], &[(key, "a@example.com")]).unwrap().config;
            assert!(config.first_administrator().is_err(), "{key}");
        }
        let both = "[first_administrator]\npassword = 'x'\npassword_file = 'y'";
        assert!(fault(both, &[], &[]).contains("give one"));
    }

    #[test]
    fn the_printed_configuration_can_be_read_again() {
        let printed = loaded("[http]\ncors_origins = ['https://a.example']", &[], &[]).unwrap().print();
        let again = loaded(&printed, &[], &[]).unwrap();
        assert_eq!(again.config.http.cors_origins, ["https://a.example"]);
    }

    #[test]
    fn the_example_file_shows_every_key_with_its_default() {
        let example = include_str!("../../../fairlead.example.toml");
        // `# key = value` is a key at rest; other comments are prose.
        let woken: Vec<&str> = example
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| is_entry(rest)).unwrap_or(line))
            .collect();
        for key in KEYS {
            let entry =
                woken.iter().any(|line| line.split_once(" = ").is_some_and(|(name, _)| name == key.name));
            assert!(entry, "{} is missing", key.path());
        }
        let resting = loaded(example, &[], &[]).unwrap();
        assert_eq!(
            resting.print().replace("fairlead.toml", "default"),
            Loaded::from(None, [], &[], false).unwrap().print()
        );
    }

    fn is_entry(line: &str) -> bool {
        line.split_once(" = ").is_some_and(|(name, _)| KEYS.iter().any(|key| key.name == name))
    }

    #[test]
    fn the_readme_tells_every_key() {
        let readme = include_str!("../../../README.md");
        for key in KEYS {
            assert!(readme.contains(&format!("`{}`", key.path())), "{} is missing", key.path());
        }
    }
}
