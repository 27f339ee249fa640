//! `fairlead`: the server and the commands around it.
//!
//! This crate reads the configuration, wires the parts together and prints. It knows neither rules nor SQL nor routes.

mod command;
mod config;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

/// The memory of all of it, of SQLite as well: the C library would keep for each thread the most that it ever needed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
