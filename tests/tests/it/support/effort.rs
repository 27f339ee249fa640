//! How much a test does, by which chance, and what it tells of it.

use std::fs::File;
use std::io::Write;

use super::Kind;

/// Set by `cargo xtask long`: the file where tests leave their figures. That it is set makes them long.
const LONG: &str = "FAIRLEAD_TEST_LONG";
/// Makes random choices happen again.
const SEED: &str = "FAIRLEAD_TEST_SEED";

/// A setting of a test, from the environment.
pub fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// How often something is done: in the tests that everybody runs, and in a long run.
pub fn rounds<T>(short: T, long: T) -> T {
    if std::env::var_os(LONG).is_some() { long } else { short }
}

/// From what a test draws its random choices. Small, so that a test with many histories can count on from it and name
/// the one that failed.
pub fn seed() -> u64 {
    let seed = setting(SEED).unwrap_or_else(|| u64::from(rand::random::<u32>()));
    println!("{SEED}={seed}");
    seed
}

/// Tells in one line what a test did; `row` is a row of `cargo xtask long`.
pub fn report(row: &str, kind: Kind, figures: &str) {
    let line = format!("{row} {kind}: {figures}");
    println!("{line}");
    if let Some(path) = std::env::var_os(LONG) {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}
