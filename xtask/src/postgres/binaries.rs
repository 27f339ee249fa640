//! Where PostgreSQL's server programs are: systems that allow several versions keep them off the PATH.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{process, tools};

const BY_HAND: &str = "  Debian, Ubuntu:  apt-get install postgresql
  Fedora:          dnf install postgresql-server
  macOS:           brew install postgresql@17
or set FAIRLEAD_TEST_POSTGRES_URL to a server whose user may create databases.";

/// A folder that has all the programs a cluster needs.
pub(super) struct Binaries(PathBuf);

impl Binaries {
    /// The programs; installed if they are missing and that is possible, else an error that says what to install.
    pub(super) fn find_or_install() -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        tools::install_package("postgresql", BY_HAND)?;
        Self::find().context("postgresql was installed, but its server programs cannot be found")
    }

    /// One of the programs.
    pub(super) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.0.join(name));
        // The user's own settings for psql would send us to the user's own server.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        command
    }

    /// The PATH first, because that is where the user chose a version; then what `pg_config` says; then the usual
    /// places, newest version first.
    fn find() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).chain(configured()).chain(usual()).find(|folder| complete(folder)).map(Self)
    }
}

fn complete(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_isready"].iter().all(|program| folder.join(program).is_file())
}

fn configured() -> Option<PathBuf> {
    let output = process::capture(Command::new("pg_config").arg("--bindir")).ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn usual() -> impl Iterator<Item = PathBuf> {
    // The folder, what its entries that count begin with, and what follows the version.
    let places = [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
    ];
    places.into_iter().flat_map(|(folder, prefix)| versions(Path::new(folder), prefix))
}

/// `<folder>/<prefix><version>/bin`, newest version first.
fn versions(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_unstable_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["pg-9", "pg-16", "pg-15", "pg-latest", "other"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let expected: Vec<_> =
            ["pg-16", "pg-15", "pg-9"].iter().map(|name| folder.path().join(name).join("bin")).collect();
        assert_eq!(versions(folder.path(), "pg-"), expected);
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_versions() {
        assert!(versions(Path::new("/nowhere/at/all"), "").is_empty());
    }
}
