//! Every key of the configuration, declared once: what it means, what it may be, what it is when nobody says.

use std::net::IpAddr;

use figment::value::Value;

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    /// The table of the file that it is in.
    pub(super) section: &'static str,
    /// Its name in that table.
    pub(super) name: &'static str,
    /// What it may be.
    pub(super) kind: Kind,
    /// What it is when nobody says, written as in the environment; none when it then stays unset.
    pub(super) default: Option<&'static str>,
    /// Another key of the table that says the same differently: whoever sets one takes the other back.
    pub(super) rival: Option<&'static str>,
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A text that fits.
    Text(Text),
    /// The same, never shown.
    Secret(Text),
    /// Texts that fit each; a comma list in the environment.
    Texts(Text),
    /// A whole number within limits, both included.
    Whole(u64, u64),
    /// True or false.
    Truth,
    /// One of a few words.
    OneOf(&'static [&'static str]),
}

/// A rule for a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    expected: &'static str,
    fits: fn(&str) -> bool,
}

const fn text(expected: &'static str, fits: fn(&str) -> bool) -> Text {
    Text { expected, fits }
}

const fn key(section: &'static str, name: &'static str, kind: Kind, default: Option<&'static str>) -> Key {
    Key { section, name, kind, default, rival: None }
}

impl Key {
    const fn or(mut self, rival: &'static str) -> Self {
        self.rival = Some(rival);
        self
    }

    /// `section.name`, as messages name it.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that sets it.
    pub(super) fn variable(&self) -> String {
        format!("FAIRLEAD_{}__{}", self.section, self.name).to_uppercase()
    }

    /// Whether its value must never be shown.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret(_))
    }
}

const ANY: Text = text("a text that is not empty", |text| !text.trim().is_empty());
const DATABASE: Text =
    text("`sqlite:<file>` or `postgres://<user>:<password>@<host>/<database>`", is_database);
const LISTEN: Text = text("an address with a port, such as `127.0.0.1:8080` or `[::1]:8080`", is_address);
const WEB: Text = text("an address on the web, such as `https://crm.example.com`", is_web);
const ORIGIN: Text = text("origins without a path, such as `https://app.example.com`", is_origin);
const FILES: Text = text("`file:<folder>` or `s3://<bucket>/<prefix>`", is_place);
const NETWORK: Text = text("addresses or networks, such as `10.0.0.7` or `10.0.0.0/8`", is_network);

/// All of them, in the order in which they are shown.
pub(super) const KEYS: &[Key] = &[
    key("database", "url", Kind::Secret(DATABASE), Some("sqlite:fairlead.db")),
    key("database", "max_connections", Kind::Whole(1, 1000), Some("16")),
    key("database", "acquire_timeout_ms", Kind::Whole(1, 600_000), Some("2000")),
    key("http", "address", Kind::Text(LISTEN), Some("127.0.0.1:8080")).or("port"),
    key("http", "port", Kind::Whole(0, 65_535), None),
    key("http", "workers", Kind::Whole(1, 1024), None),
    key("http", "public_url", Kind::Text(WEB), None),
    key("http", "cors_origins", Kind::Texts(ORIGIN), Some("")),
    key("http", "trusted_proxies", Kind::Texts(NETWORK), Some("")),
    key("http", "hsts", Kind::Truth, Some("false")),
    key("http", "body_limit_bytes", Kind::Whole(1024, 104_857_600), Some("1048576")),
    key("http", "body_timeout_seconds", Kind::Whole(1, 3600), Some("15")),
    key("http", "requests_per_minute", Kind::Whole(0, 1_000_000_000), Some("6000")),
    key("http", "shutdown_grace_ms", Kind::Whole(0, 60_000), Some("500")),
    key("http", "shutdown_timeout_seconds", Kind::Whole(1, 30), Some("20")),
    key("files", "url", Kind::Text(FILES), Some("file:fairlead-files")),
    key("files", "s3_endpoint", Kind::Text(WEB), None),
    key("files", "s3_region", Kind::Text(ANY), None),
    key("files", "s3_access_key_id", Kind::Text(ANY), None),
    key("files", "s3_secret_access_key", Kind::Secret(ANY), None),
    key("files", "limit_bytes", Kind::Whole(1024, 1_073_741_824), Some("26214400")),
    key("files", "timeout_seconds", Kind::Whole(1, 86_400), Some("300")),
    key("files", "scanner", Kind::Text(LISTEN), None),
    key("auth", "issuer", Kind::Text(ANY), Some("fairlead")),
    key("auth", "audience", Kind::Text(ANY), Some("fairlead")),
    key("auth", "access_token_minutes", Kind::Whole(1, 15), Some("15")),
    key("auth", "refresh_token_days", Kind::Whole(1, 365), Some("30")),
    key("auth", "password_memory_kib", Kind::Whole(8, 4_194_304), Some("47104")),
    key("auth", "hashing_threads", Kind::Whole(1, 64), Some("2")),
    key("jobs", "enabled", Kind::Truth, Some("true")),
    key("jobs", "interval_seconds", Kind::Whole(1, 3600), Some("5")),
    key("webhooks", "local_targets", Kind::Truth, Some("false")),
    key("log", "format", Kind::OneOf(&["text", "json"]), Some("text")),
    key("log", "filter", Kind::Text(ANY), Some("info")),
    key("first_administrator", "email", Kind::Text(ANY), None),
    key("first_administrator", "name", Kind::Text(ANY), Some("Administrator")),
    key("first_administrator", "password", Kind::Secret(ANY), None).or("password_file"),
    key("first_administrator", "password_file", Kind::Text(ANY), None).or("password"),
];

/// A key by its place.
pub(super) fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.section == section && key.name == name)
}

/// The names of the sections.
pub(super) fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = KEYS.iter().map(|key| key.section).collect();
    sections.dedup();
    sections
}

/// The names of a section's keys.
pub(super) fn names(section: &str) -> Vec<&'static str> {
    KEYS.iter().filter(|key| key.section == section).map(|key| key.name).collect()
}

impl Kind {
    /// Reads a value from a text, as the environment and flags have it.
    pub(super) fn read(self, text: &str) -> Option<Value> {
        let value = match self {
            Self::Text(_) | Self::Secret(_) | Self::OneOf(_) => Value::from(text),
            Self::Texts(_) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                Value::from(words.map(Value::from).collect::<Vec<_>>())
            }
            Self::Whole(..) => Value::from(text.trim().parse::<u64>().ok()?),
            Self::Truth => Value::from(text.trim().parse::<bool>().ok()?),
        };
        self.admits(&value).then_some(value)
    }

    /// Whether a value, as the file has it, is one of this kind.
    pub(super) fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(rule) | Self::Secret(rule), Value::String(_, text)) => (rule.fits)(text),
            (Self::Texts(rule), Value::Array(_, values)) => {
                values.iter().all(|value| value.as_str().is_some_and(rule.fits))
            }
            (Self::Whole(min, max), Value::Num(_, number)) => number
                .to_u128_lossy()
                .is_some_and(|number| (u128::from(min)..=u128::from(max)).contains(&number)),
            (Self::Truth, Value::Bool(..)) => true,
            (Self::OneOf(words), Value::String(_, text)) => words.contains(&text.as_str()),
            _ => false,
        }
    }

    /// What it wants, in words.
    pub(super) fn expected(self) -> String {
        match self {
            Self::Text(rule) | Self::Secret(rule) => rule.expected.to_owned(),
            Self::Texts(rule) => format!("a list of {}", rule.expected),
            Self::Whole(min, max) => format!("a whole number from {min} to {max}"),
            Self::Truth => "`true` or `false`".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
        }
    }
}

fn is_database(url: &str) -> bool {
    // A database in memory would be another one for each connection.
    let file = url.strip_prefix("sqlite:").is_some_and(|file| !file.is_empty() && !file.contains(":memory:"));
    let server = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    file || server
}

fn is_place(text: &str) -> bool {
    let folder = text.strip_prefix("file:").is_some_and(|folder| !folder.is_empty());
    folder || text.strip_prefix("s3://").is_some_and(|bucket| !bucket.is_empty() && !bucket.starts_with('/'))
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        // An IPv6 address without brackets leaves open where the port begins.
        let host = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or_else(|| if host.contains(':') { "" } else { host });
        !host.is_empty() && port.parse::<u16>().is_ok()
    })
}

fn is_web(text: &str) -> bool {
    web_rest(text)
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['?', '#']))
}

fn is_origin(text: &str) -> bool {
    web_rest(text).is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '?', '#', '*', '@']))
}

fn web_rest(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    (!rest.contains(char::is_whitespace)).then_some(rest)
}

fn is_network(text: &str) -> bool {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()),
        None => (text, Some(0)),
    };
    match (address.parse::<IpAddr>(), length) {
        (Ok(IpAddr::V4(_)), Some(length)) => length <= 32,
        (Ok(IpAddr::V6(_)), Some(length)) => length <= 128,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_admitted() {
        for key in KEYS {
            if let Some(default) = key.default {
                assert!(key.kind.read(default).is_some(), "{}", key.path());
            }
        }
    }

    #[test]
    fn rivals_exist() {
        for key in KEYS {
            if let Some(rival) = key.rival {
                assert!(find(key.section, rival).is_some(), "{}", key.path());
            }
        }
    }

    #[test]
    fn texts_are_judged() {
        for (judge, good, bad) in [
            (
                is_database as fn(&str) -> bool,
                &["sqlite:a.db", "sqlite:///var/a.db", "postgres://u:p@h/d", "postgresql:///d"][..],
                &[
                    "",
                    "sqlite:",
                    "sqlite::memory:",
                    "sqlite:file::memory:?cache=shared",
                    "mysql://h/d",
                    "a.db",
                ][..],
            ),
            (
                is_address,
                &["127.0.0.1:0", "[::1]:8080", "localhost:80"],
                &["8080", ":8080", "::1:8080", "h:70000"],
            ),
            (
                is_place,
                &["file:/var/files", "s3://crm", "s3://crm/files"],
                &["", "file:", "s3://", "s3:///x", "x"],
            ),
            (
                is_web,
                &["https://a.example", "http://localhost:8080/crm"],
                &["a.example", "https://", "https:///x"],
            ),
            (
                is_origin,
                &["https://a.example:8443"],
                &["*", "https://a.example/", "https://*.example", "null"],
            ),
            (
                is_network,
                &["10.0.0.7", "10.0.0.0/8", "::1", "fd00::/8"],
                &["", "10.0.0.0/33", "host", "10.0.0.0/"],
            ),
        ] {
            for text in good {
                assert!(judge(text), "{text}");
            }
            for text in bad {
                assert!(!judge(text), "{text}");
            }
        }
    }
}
