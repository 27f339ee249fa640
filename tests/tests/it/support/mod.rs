//! What every test stands on: a server of its own on a database of its own, and clients that talk to it.

// Each test uses a part of it.
#![allow(dead_code, unused_imports, unreachable_pub)]

mod bucket;
mod client;
mod company;
mod database;
mod effort;
mod receiver;
mod server;

pub use bucket::Bucket;
pub use client::{Answer, Client};
pub use company::{Company, Person};
pub use database::{Database, Direct, Kind};
pub use effort::{report, rounds, seed, setting};
pub use receiver::{Message, Receiver};
pub use server::{ACQUIRE_TIMEOUT, ADMIN_EMAIL, PASSWORD, Server, binary, command};

/// Asks until there is an answer, for what a server does by itself.
pub async fn until<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("waited in vain for {what}");
}

/// Runs each test on both databases. A test is `async fn name(server: Server)`; `with` names another way to run it.
macro_rules! on_both_databases {
    (with $run:ident; $($name:ident;)+) => {
        mod sqlite {
            $(
                #[test]
                fn $name() {
                    $crate::support::$run($crate::support::Kind::Sqlite, super::$name);
                }
            )+
        }
        mod postgres {
            $(
                #[test]
                fn $name() {
                    $crate::support::$run($crate::support::Kind::Postgres, super::$name);
                }
            )+
        }
    };
    ($($name:ident;)+) => {
        on_both_databases! { with run; $($name;)+ }
    };
}

/// Runs a test with a new server on a new database, and checks afterwards that all sums add up and that nothing
/// was refused in a way that the specification does not know.
///
/// What is tested so is what answers say, not how busy the machine is: the server waits longer for a connection.
pub fn run<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(Server) -> F) {
    run_with(kind, &[], test);
}

/// The same where it counts how long the server waits.
pub fn run_as_delivered<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(Server) -> F) {
    run_with(kind, &[(ACQUIRE_TIMEOUT, "")], test);
}

fn run_with<F: Future<Output = ()>>(
    kind: Kind,
    environment: &[(&str, &str)],
    test: impl FnOnce(Server) -> F,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::start_with(kind, environment).await;
        let keeper = server.keeper();
        test(server).await;
        keeper.verify().await;
        keeper.specified();
    });
}
