//! `fairlead`: the server and the commands around it.
//!
//! This crate reads the configuration, wires the parts together and prints. It knows neither rules nor SQL nor routes.

mod command;
mod config;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

/// Gives back to the system what nobody uses any more. The C library's keeps it, for each thread apart: a server on SQLite,
/// where each connection has a thread of its own, would hold the most that each of them needed at any time.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Wrong usage or configuration; clap ends with the same.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match command::run(&command::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // In words only: the reader needs to know what to do, not how this program holds its errors.
        Err(error) => {
            eprintln!("error: {error:#}");
            if error.is::<config::Wrong>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}
