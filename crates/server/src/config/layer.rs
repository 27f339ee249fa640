//! Where values come from: defaults, the file, the environment, flags. Each layer is judged by itself, so that a
//! complaint can say where the fault is.

use std::ffi::OsString;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Empty, Map, Tag, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::Wrong;
use super::keys::{KEYS, Key, find, names, sections};

/// A value that a flag gives.
pub(crate) struct Flag {
    /// How one types it.
    pub(crate) typed: &'static str,
    /// The key that it sets, `section.name`.
    pub(crate) key: &'static str,
    /// The value.
    pub(crate) value: String,
}

/// The values of one place.
pub(super) struct Layer {
    name: String,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

impl Layer {
    /// What counts when nobody says otherwise.
    pub(super) fn defaults(database: Option<&str>) -> Self {
        let mut layer = Self::named("default");
        for key in KEYS {
            let text = if (key.section, key.name) == ("database", "url") {
                database.or(key.default)
            } else {
                key.default
            };
            if let Some(value) = text.and_then(|text| key.kind.read(text)) {
                layer.set(key, value);
            }
        }
        layer
    }

    /// What the configuration file says.
    pub(super) fn file(name: &str, content: &str) -> Result<Self, Wrong> {
        let tables: Dict = Toml::from_str(content).map_err(|error| {
            // The error's own words show the line, and a line may hold a secret.
            let at = error.span().map_or(0, |span| span.start).min(content.len());
            let line = content.get(..at).unwrap_or_default().matches('\n').count() + 1;
            Wrong::one(format!("{name} is not TOML: line {line}: {}", error.message()))
        })?;
        let (mut layer, mut wrong) = (Self::named(name), Wrong::default());
        for (section, table) in tables {
            if !sections().contains(&section.as_str()) {
                let known = sections().join(", ");
                wrong.add(format!("unknown section `{section}` in {name}; there are {known}"));
                continue;
            }
            let Value::Dict(_, members) = table else {
                wrong.add(format!("`{section}` in {name} must be a table: `[{section}]`"));
                continue;
            };
            for (member, value) in members {
                match find(&section, &member) {
                    None => wrong.add(unknown(&section, &member, &format!("in {name}"))),
                    Some(key) if !key.kind.admits(&value) => {
                        wrong.add(refused(key, &format!("in {name}"), &shown(&value)));
                    }
                    Some(key) => layer.set(key, value),
                }
            }
        }
        wrong.unless_empty()?;
        layer.settled()
    }

    /// What the environment says. Only names with a double underscore are ours; others with our prefix belong to
    /// other programs, unless they look like one of ours that lost an underscore.
    pub(super) fn environment(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Wrong> {
        let (mut layer, mut wrong) = (Self::named("environment"), Wrong::default());
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            let Some(path) = name.strip_prefix("FAIRLEAD_") else { continue };
            let path = path.to_lowercase();
            let Some((section, member)) = path.split_once("__") else {
                if let Some(key) = KEYS.iter().find(|key| path == format!("{}_{}", key.section, key.name)) {
                    wrong.add(format!("unknown environment variable {name}; it is {}", key.variable()));
                }
                continue;
            };
            let place = format!("from the environment variable {name}");
            let Some(key) = find(section, member) else {
                wrong.add(unknown(section, member, &place));
                continue;
            };
            match value.to_str() {
                Some(text) => layer.read(key, text, &place, &mut wrong),
                None => wrong.add(refused(key, &place, "a text that is not UTF-8")),
            }
        }
        wrong.unless_empty()?;
        layer.settled()
    }

    /// What the command line says.
    pub(super) fn flags(flags: &[Flag]) -> Result<Self, Wrong> {
        let (mut layer, mut wrong) = (Self::named("flag"), Wrong::default());
        for flag in flags {
            let place = format!("from {}", flag.typed);
            match flag.key.split_once('.').and_then(|(section, name)| find(section, name)) {
                Some(key) => layer.read(key, &flag.value, &place, &mut wrong),
                None => wrong.add(format!("{} sets an unknown key", flag.typed)),
            }
        }
        wrong.unless_empty()?;
        layer.settled()
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), values: Dict::new() }
    }

    fn set(&mut self, key: &Key, value: Value) {
        let table = self.values.entry(key.section.to_owned()).or_insert_with(|| Value::from(Dict::new()));
        if let Value::Dict(_, members) = table {
            members.insert(key.name.to_owned(), value);
        }
    }

    fn has(&self, section: &str, name: &str) -> bool {
        let member = self.values.get(section).and_then(Value::as_dict).and_then(|members| members.get(name));
        member.is_some_and(|value| !matches!(value, Value::Empty(..)))
    }

    fn read(&mut self, key: &Key, text: &str, place: &str, wrong: &mut Wrong) {
        match key.kind.read(text) {
            Some(value) => self.set(key, value),
            None => wrong.add(refused(key, place, &format!("`{text}`"))),
        }
    }

    /// Takes back what layers below say by a rival key.
    fn settled(mut self) -> Result<Self, Wrong> {
        for key in KEYS {
            let Some(rival) = key.rival.and_then(|rival| find(key.section, rival)) else { continue };
            match (self.has(key.section, key.name), self.has(rival.section, rival.name)) {
                (true, false) => self.set(rival, Value::Empty(Tag::Default, Empty::None)),
                (true, true) if rival.rival.is_some() => {
                    let (one, other, name) = (key.path(), rival.path(), &self.name);
                    return Err(Wrong::one(format!(
                        "`{one}` and `{other}` are both given ({name}); give one"
                    )));
                }
                _ => {}
            }
        }
        Ok(self)
    }
}

fn unknown(section: &str, member: &str, place: &str) -> String {
    let names = names(section);
    if names.is_empty() {
        return format!("unknown section `{section}` {place}; there are {}", sections().join(", "));
    }
    format!("unknown key `{section}.{member}` {place}; `{section}` has {}", names.join(", "))
}

/// A complaint about a value, which is shown unless it is secret.
fn refused(key: &Key, place: &str, found: &str) -> String {
    let (path, expected) = (key.path(), key.kind.expected());
    if key.is_secret() {
        return format!("`{path}` {place} is wrong (its value is not shown); expected {expected}");
    }
    format!("`{path}` {place} is {found}; expected {expected}")
}

fn shown(value: &Value) -> String {
    serde_json::to_string(value).map_or_else(|_| "something else".to_owned(), |json| format!("`{json}`"))
}
