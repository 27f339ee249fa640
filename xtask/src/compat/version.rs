//! Versions, in the order of [Semantic Versioning](https://semver.org/#spec-item-11).

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Error, Result, ensure};

/// A released version. The order of the members is the order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    numbers: [u64; 3],
    stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Before(Vec<Identifier>),
    Final,
}

/// A part of a pre-release. Numbers come before words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

impl FromStr for Version {
    type Err = Error;

    /// Build metadata (`+...`) is not taken: it has no order.
    fn from_str(text: &str) -> Result<Self> {
        let (core, stage) = match text.split_once('-') {
            Some((core, stage)) => {
                let identifiers = stage.split('.').map(identifier).collect::<Option<_>>();
                (core, identifiers.map(Stage::Before))
            }
            None => (text, Some(Stage::Final)),
        };
        let numbers: Option<Vec<u64>> = core.split('.').map(number).collect();
        let numbers = numbers.and_then(|numbers| <[u64; 3]>::try_from(numbers).ok());
        let version = numbers.zip(stage).map(|(numbers, stage)| Self { numbers, stage });
        let version =
            version.with_context(|| format!("`{text}` is not a version such as 1.2.3 or 1.2.3-rc.1"))?;
        ensure!(version.to_string() == text, "`{text}` is written {version}");
        Ok(version)
    }
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn identifier(text: &str) -> Option<Identifier> {
    let word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    word.then(|| number(text).map_or_else(|| Identifier::Word(text.to_owned()), Identifier::Number))
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(out, "{major}.{minor}.{patch}")?;
        let Stage::Before(identifiers) = &self.stage else {
            return Ok(());
        };
        for (position, identifier) in identifiers.iter().enumerate() {
            out.write_str(if position == 0 { "-" } else { "." })?;
            match identifier {
                Identifier::Number(number) => write!(out, "{number}")?,
                Identifier::Word(word) => out.write_str(word)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn newer_versions_come_later() {
        let ascending = [
            "0.1.0",
            "0.2.0",
            "0.10.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-rc.2",
            "1.0.0-rc.10",
            "1.0.0",
            "1.0.1",
        ];
        let versions: Vec<Version> = ascending.iter().map(|text| text.parse().unwrap()).collect();
        assert!(versions.is_sorted());
        let printed: Vec<String> = versions.iter().map(Version::to_string).collect();
        assert_eq!(printed, ascending);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            "1.2.x",
            "01.2.3",
            "1.2.3-",
            "1.2.3-rc_1",
            "1.2.3+5",
            "+1.2.3",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
