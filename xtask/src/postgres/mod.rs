//! A PostgreSQL server for tests: the one that is named, or a throwaway one.

mod binaries;
mod cluster;

use std::env;
use std::thread;

use anyhow::Result;

use self::binaries::Binaries;
use self::cluster::Cluster;
use crate::process;

/// Names the server, for this program and for the tests it runs: a URL whose user may create databases.
pub(crate) const URL: &str = "FAIRLEAD_TEST_POSTGRES_URL";

/// A server that tests may create databases on. A throwaway one is gone when this is dropped.
pub(crate) struct Postgres {
    url: String,
    /// Held for its `Drop`.
    _cluster: Option<Cluster>,
}

impl Postgres {
    /// The server that [`URL`] names, or else a throwaway one.
    pub(crate) fn start() -> Result<Self> {
        if let Some(url) = named() {
            return Ok(Self { url, _cluster: None });
        }
        let cluster = Cluster::start(&Binaries::find_or_install()?)?;
        Ok(Self { url: cluster.url(), _cluster: Some(cluster) })
    }

    /// A throwaway one, whatever is named.
    pub(crate) fn throwaway() -> Result<Self> {
        let cluster = Cluster::start(&Binaries::find_or_install()?)?;
        Ok(Self { url: cluster.url(), _cluster: Some(cluster) })
    }

    /// Where the server is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Makes sure that [`Postgres::start`] will find something to start.
pub(crate) fn ensure_available() -> Result<()> {
    if named().is_none() {
        Binaries::find_or_install()?;
    }
    Ok(())
}

/// `cargo xtask postgres`: a server for as long as the developer wants one.
pub(crate) fn keep() -> Result<()> {
    let postgres = Postgres::start()?;
    println!("{}", postgres.url());
    eprintln!(
        "\nFor tests:  export {URL}='{}'\nCtrl-C ends the server and removes its data.",
        postgres.url()
    );
    while !process::interrupted() {
        thread::sleep(process::TICK);
    }
    Ok(())
}

/// The server that the environment names.
fn named() -> Option<String> {
    env::var(URL).ok().filter(|url| !url.is_empty())
}
