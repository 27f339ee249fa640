//! `cargo xtask setup`: everything that the other commands need, on a fresh machine.

use anyhow::Result;

use crate::{postgres, process, tools};

/// Installs what is missing.
pub(crate) fn run() -> Result<()> {
    process::side_by_side(
        // Those are compiled, these are fetched.
        || tools::NEXTEST.ensure().and_then(|()| tools::DENY.ensure()),
        || {
            let fetched = postgres::ensure_available();
            browser();
            guides();
            fetched
        },
    )
}

/// What the guides tell one to type takes these; a test types it.
fn guides() {
    for program in ["curl", "jq"] {
        if process::on_path(program).is_none()
            && let Err(error) =
                tools::install_package(program, &format!("  Debian:  apt-get install {program}"))
        {
            eprintln!("\nNOTICE: the tests of the guides cannot run here. {error:#}");
        }
    }
}

/// A browser is a large thing to put on somebody's machine: only `setup` does, and the server's own tests do without.
fn browser() {
    const BY_HAND: &str = "  Debian:  apt-get install chromium chromium-driver\n  others:  Chromium or Google Chrome, and \
                           chromedriver of the same version, on the PATH";
    let there = [("chromium", tools::browser()), ("chromium-driver", process::on_path("chromedriver"))];
    for (package, _) in there.into_iter().filter(|(_, found)| found.is_none()) {
        if let Err(error) = tools::install_package(package, BY_HAND) {
            eprintln!("\nNOTICE: browser tests cannot run here. {error:#}");
        }
    }
}
