//! `cargo xtask mutants`: takes each guard out of a copy of the project, and expects the tests that look after it to
//! fail.
//!
//! A guard without which its tests still pass is guarded by nothing. Where two lines of defence hold one rule, the tests
//! are those that look at the very line that is gone, or both lines go. The guards are in [`table`].

mod table;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result, bail, ensure};

use crate::postgres::{self, Postgres};
use crate::{process, tools};
use table::{END_TO_END, Mutation, TABLE};

/// Below the project's folder, where nothing is committed: the copy (`tree`), what is built of it (`target`), and what
/// builds and tests print (`*.log`).
const FOLDER: &str = "target/mutants";

/// How nextest ends when tests failed. Ending in another way, it did not come so far.
const TESTS_FAILED: i32 = 100;
/// What a line of nextest's begins with when a test failed, and when it passed.
const FAILED: [&str; 5] = ["FAIL", "LEAK-FAIL", "TIMEOUT", "SIGABRT", "SIGSEGV"];
const PASSED: [&str; 2] = ["PASS", "LEAK"];

/// The databases, as the names of tests have them.
const DATABASES: [&str; 2] = ["sqlite", "postgres"];

/// Which guards.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Take out this guard only.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// Takes out one guard after the other. The last thing printed says of each which tests noticed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mutations = chosen(options.only.as_deref())?;
    tools::NEXTEST.ensure()?;
    postgres::ensure_available()?;
    let bench = Workbench::set_up()?;
    // First, so that a stale table is known before anything is built.
    for mutation in &mutations {
        mutate(&bench.tree, mutation)?;
    }
    let postgres = Postgres::start()?;
    bench.check_tests(&mutations, &postgres)?;
    let mut report = Vec::new();
    let mut survivors = 0;
    for (at, mutation) in mutations.iter().enumerate() {
        eprintln!("\n{} of {}, {}: without {}", at + 1, mutations.len(), mutation.name, mutation.without);
        let failed = bench.try_out(mutation, &postgres)?;
        let places = survived(mutation, &failed);
        survivors += usize::from(!places.is_empty());
        report.push(line(mutation, &failed, &places));
    }
    println!("\n{}", report.join("\n"));
    println!("\n{} guards were taken out, and of {survivors} nobody noticed", mutations.len());
    Ok(if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All guards, or the one that is named.
fn chosen(only: Option<&str>) -> Result<Vec<&'static Mutation>> {
    let chosen: Vec<_> = TABLE.iter().filter(|it| only.is_none_or(|name| it.name == name)).collect();
    let names: Vec<_> = TABLE.iter().map(|it| it.name).collect();
    ensure!(!chosen.is_empty(), "there is no guard of this name; there are {}", names.join(", "));
    Ok(chosen)
}

/// The files that a mutation changes, as they are and as they become.
fn mutate(tree: &Path, mutation: &Mutation) -> Result<BTreeMap<&'static str, (String, String)>> {
    let mut files: BTreeMap<&'static str, (String, String)> = BTreeMap::new();
    for edit in mutation.edits {
        let (_, text) = match files.entry(edit.file) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(file) => {
                let name = edit.file;
                let text =
                    fs::read_to_string(tree.join(name)).with_context(|| format!("cannot read {name}"))?;
                file.insert((text.clone(), text))
            }
        };
        let times = text.matches(edit.text).count();
        ensure!(
            times == 1,
            "{}: the text to replace is {times} times in {}, and must be there once:\n{}",
            mutation.name,
            edit.file,
            edit.text
        );
        *text = text.replacen(edit.text, edit.instead, 1);
    }
    Ok(files)
}

/// The whole names of a mutation's tests.
fn test_names(mutation: &Mutation) -> BTreeSet<String> {
    let each = |name: &&str| DATABASES.map(|database| name.replace('*', database));
    mutation.tests.iter().flat_map(each).collect()
}

/// Where a test runs.
fn place(test: &str) -> &'static str {
    if test.contains("::sqlite::") {
        "on SQLite"
    } else if test.contains("::postgres::") {
        "on PostgreSQL"
    } else {
        "elsewhere"
    }
}

/// Where no test failed of those that should have.
fn survived(mutation: &Mutation, failed: &BTreeSet<String>) -> BTreeSet<&'static str> {
    let noticed: BTreeSet<_> = failed.iter().map(|test| place(test)).collect();
    let wanted: BTreeSet<_> = test_names(mutation).iter().map(|test| place(test)).collect();
    wanted.difference(&noticed).copied().collect()
}

/// What became of a mutation: its name, where it survived, and the tests that failed.
fn line(mutation: &Mutation, failed: &BTreeSet<String>, places: &BTreeSet<&str>) -> String {
    let survived = places.iter().map(|place| format!("SURVIVED {place}"));
    let outcome: Vec<String> = survived.chain(failed.iter().cloned()).collect();
    format!("{:<22}{}", mutation.name, outcome.join("\n                      "))
}

/// The tests that ended in one of these ways, as a log of nextest's has it. A line about a test begins with how it
/// ended and how long it took, and ends with its name.
fn ended(log: &str, ways: &[&str]) -> BTreeSet<String> {
    let name = |line: &str| {
        let way = line.split_whitespace().next()?;
        let ended = ways.contains(&way) && line.contains(" [");
        line.split_whitespace().next_back().filter(|_| ended).map(str::to_owned)
    };
    log.lines().filter_map(name).collect()
}

/// Where guards are taken out: a copy, so that nobody has to leave the working tree alone meanwhile.
struct Workbench {
    folder: PathBuf,
    tree: PathBuf,
}

impl Workbench {
    /// Brings the copy up to date with the working tree: what git knows, or would take. A file that is the same is left
    /// alone, for cargo goes by times. What an interrupted run left changed is not the same.
    fn set_up() -> Result<Self> {
        let root = process::root();
        let folder = root.join(FOLDER);
        let tree = folder.join("tree");
        fs::create_dir_all(&tree)?;
        let mut git = Command::new("git");
        git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = String::from_utf8(process::capture(&mut git)?.stdout)
            .context("a file has a name that is not UTF-8")?;
        let names = listed.split_terminator('\0').map(PathBuf::from);
        // What is known to git may have been deleted.
        let names: BTreeSet<PathBuf> = names.filter(|name| root.join(name).is_file()).collect();
        for name in &names {
            let copy = tree.join(name);
            let content = fs::read(root.join(name))?;
            if !fs::read(&copy).is_ok_and(|present| present == content) {
                fs::create_dir_all(copy.parent().unwrap_or(&tree))?;
                fs::write(&copy, content).with_context(|| format!("cannot write {}", copy.display()))?;
            }
        }
        for file in files(&tree)? {
            if !file.strip_prefix(&tree).is_ok_and(|name| names.contains(name)) {
                fs::remove_file(&file)?;
            }
        }
        Ok(Self { folder, tree })
    }

    /// Without any mutation, every test of the table is there and passes.
    fn check_tests(&self, mutations: &[&Mutation], postgres: &Postgres) -> Result<()> {
        let mut packages: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for mutation in mutations {
            packages.entry(mutation.package).or_default().extend(test_names(mutation));
        }
        for (package, names) in packages {
            let log = self.log(package)?;
            ensure!(self.build(package, &log)?, "{package} does not build; see {}", log.display());
            self.test(package, &names, postgres, &log)?;
            let passed = ended(&fs::read_to_string(&log)?, &PASSED);
            let missing: Vec<_> = names.difference(&passed).cloned().collect();
            ensure!(
                missing.is_empty(),
                "nothing was taken out, and yet these tests fail or are not there; see {}:\n{}",
                log.display(),
                missing.join("\n")
            );
        }
        Ok(())
    }

    /// Takes a guard out, runs its tests, and puts it back whatever came of it. Answers with the tests that failed.
    fn try_out(&self, mutation: &Mutation, postgres: &Postgres) -> Result<BTreeSet<String>> {
        let files = mutate(&self.tree, mutation)?;
        for (name, (_, without)) in &files {
            fs::write(self.tree.join(name), without)?;
        }
        let outcome = self.failures(mutation, postgres);
        for (name, (whole, _)) in &files {
            fs::write(self.tree.join(name), whole)?;
        }
        outcome
    }

    fn failures(&self, mutation: &Mutation, postgres: &Postgres) -> Result<BTreeSet<String>> {
        let Mutation { name, package, .. } = mutation;
        let log = self.log(name)?;
        // Only a test may notice: what the compiler notices would prove nothing about them.
        ensure!(self.build(package, &log)?, "without {name} nothing builds; see {}", log.display());
        let names = test_names(mutation);
        let status = self.test(package, &names, postgres, &log)?;
        let failed = ended(&fs::read_to_string(&log)?, &FAILED);
        let failed: BTreeSet<String> = names.intersection(&failed).cloned().collect();
        match status.code() {
            Some(0) => Ok(BTreeSet::new()),
            Some(TESTS_FAILED) if !failed.is_empty() => Ok(failed),
            _ => bail!("the tests of {name} did not run ({status}); see {}", log.display()),
        }
    }

    /// A new log.
    fn log(&self, name: &str) -> Result<PathBuf> {
        let log = self.folder.join(format!("{name}.log"));
        File::create(&log)?;
        Ok(log)
    }

    /// Builds a package's tests, and the binary that the end-to-end tests drive. Says whether that was possible.
    fn build(&self, package: &str, log: &Path) -> Result<bool> {
        let mut binary = self.cargo(["build", "--package", "fairlead"]);
        if package == END_TO_END && !logged(&mut binary, log)?.success() {
            return Ok(false);
        }
        let mut tests = self.cargo(["nextest", "run", "--no-run", "--package", package]);
        Ok(logged(&mut tests, log)?.success())
    }

    /// Runs tests of a package.
    fn test(
        &self,
        package: &str,
        names: &BTreeSet<String>,
        postgres: &Postgres,
        log: &Path,
    ) -> Result<ExitStatus> {
        let filter: Vec<String> = names.iter().map(|name| format!("test(={name})")).collect();
        let mut tests = self.cargo(["nextest", "run", "--color", "never", "--status-level", "pass"]);
        tests.args(["--no-fail-fast", "--package", package, "--filterset"]).arg(filter.join(" | "));
        logged(tests.env(postgres::URL, postgres.url()), log)
    }

    /// Cargo in the copy. What it builds is kept from one mutation to the next.
    fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = process::cargo(arguments);
        command.current_dir(&self.tree).env("CARGO_TARGET_DIR", self.folder.join("target"));
        command
    }
}

/// Runs a command whose output goes to the end of a log.
fn logged(command: &mut Command, log: &Path) -> Result<ExitStatus> {
    let output = File::options().append(true).open(log)?;
    process::status(command.stdout(output.try_clone()?).stderr(output))
}

/// All files in a folder and in those below it.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutation_changes_a_text_that_is_there_once() {
        let mut names = BTreeSet::new();
        for mutation in TABLE {
            assert!(names.insert(mutation.name), "{} is there twice", mutation.name);
            for (file, (whole, without)) in mutate(process::root(), mutation).unwrap() {
                assert_ne!(whole, without, "{} leaves {file} as it is", mutation.name);
            }
        }
    }

    #[test]
    fn a_log_tells_how_tests_ended() {
        let log = "    Starting 3 tests across 1 binary
        PASS [   0.512s] (1/3) fairlead-tests::it a::sqlite::b
        FAIL [   1.209s] (2/3) fairlead-tests::it a::postgres::b
     TIMEOUT [ 600.012s] (3/3) fairlead-tests::it c
     Summary [ 600.020s] 3 tests run: 1 passed, 1 failed, 1 timed out, 0 skipped
        FAIL [   1.209s] (2/3) fairlead-tests::it a::postgres::b
";
        assert_eq!(ended(log, &PASSED), BTreeSet::from(["a::sqlite::b".to_owned()]));
        assert_eq!(ended(log, &FAILED), BTreeSet::from(["a::postgres::b", "c"].map(str::to_owned)));
    }

    #[test]
    fn each_database_has_to_notice() {
        let mutation = Mutation { name: "x", without: "x", edits: &[], package: "x", tests: &["a::*::b"] };
        let one = BTreeSet::from(["a::sqlite::b".to_owned()]);
        assert_eq!(survived(&mutation, &one), BTreeSet::from(["on PostgreSQL"]));
        assert_eq!(survived(&mutation, &test_names(&mutation)), BTreeSet::new());
    }
}
