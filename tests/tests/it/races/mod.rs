//! Many clients at once. However a race ends, it ends well: one winner where one can win, no limit passed, no
//! update lost, and never a server error. That the sums add up afterwards, `verify` looks at after each test.

mod approvals;
mod contracts;
mod organisation;
mod ownership;
mod requests;
mod sales;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::{Answer, Client, Company, Person, Server};

/// Nothing here takes long; whatever does, hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// One call of a race.
type Call = BoxFuture<'static, Answer>;

fn post(client: &Client, path: impl Into<String>, body: Value) -> Call {
    let (client, path) = (client.clone(), path.into());
    Box::pin(async move { client.post(&path, body).await })
}

fn act(client: &Client, path: impl Into<String>) -> Call {
    let (client, path) = (client.clone(), path.into());
    Box::pin(async move { client.act(&path).await })
}

fn delete(client: &Client, path: impl Into<String>) -> Call {
    let (client, path) = (client.clone(), path.into());
    Box::pin(async move { client.delete(&path).await })
}

fn patch(client: &Client, path: &str, if_match: &str, body: Value) -> Call {
    let (client, path, if_match) = (client.clone(), path.to_owned(), if_match.to_owned());
    Box::pin(async move { client.patch_if(&path, &if_match, body).await })
}

/// Lets everything go at the same moment, and gives the answers in the same order. None may be a server error,
/// 503 included: nothing here is away, and nothing overloaded.
async fn at_once(calls: impl IntoIterator<Item = Call>) -> Vec<Answer> {
    let calls: Vec<Call> = calls.into_iter().collect();
    let gate = Arc::new(Barrier::new(calls.len()));
    let begin = |call: Call| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move {
            gate.wait().await;
            call.await
        })
    };
    let running: Vec<_> = calls.into_iter().map(begin).collect();
    let mut answers = Vec::new();
    for call in running {
        let answer = tokio::time::timeout(PATIENCE, call).await.expect("an answer in time").unwrap();
        assert!(answer.status < 500, "{} answered {}: {}", answer.request, answer.status, answer.text);
        answers.push(answer);
    }
    answers
}

/// An answer in short: the status, and for problems the code.
fn outcome(answer: &Answer) -> String {
    match answer.body["code"].as_str() {
        Some(code) if answer.status >= 400 => format!("{} {code}", answer.status),
        _ => answer.status.to_string(),
    }
}

fn with_status(answers: &[Answer], status: u16) -> impl Iterator<Item = &Answer> {
    answers.iter().filter(move |answer| answer.status == status)
}

/// How often there was which answer.
fn tally(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for answer in answers {
        *tally.entry(outcome(answer)).or_default() += 1;
    }
    tally
}

#[track_caller]
fn expect_tally(answers: &[Answer], expected: &[(&str, usize)]) {
    let expected: BTreeMap<String, usize> =
        expected.iter().map(|(outcome, times)| ((*outcome).to_owned(), *times)).collect();
    assert_eq!(tally(answers), expected);
}

/// Exactly one answer with this status, and every other among these outcomes.
#[track_caller]
fn one_winner<'a>(answers: &'a [Answer], status: u16, losers: &[&str]) -> &'a Answer {
    let (winners, lost): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.status == status);
    assert_eq!(winners.len(), 1, "{:?}", tally(answers));
    for answer in lost {
        assert!(losers.contains(&outcome(answer).as_str()), "{} answered {}", answer.request, answer.text);
    }
    winners[0]
}

/// Sellers besides those of the company.
async fn sellers(server: &Server, company: &Company, count: usize) -> Vec<Person> {
    let team = company.admin.client.post("/teams", json!({"name": "Racers"})).await.expect(201).id();
    let mut sellers = Vec::new();
    for at in 0..count {
        let (email, password) = (format!("racer-{at}@example.com"), "a-password-for-races");
        let user = json!({
            "email": email, "display_name": format!("Racer {at}"), "team_id": team, "roles": ["sales_rep"],
            "password": password,
        });
        let id = company.admin.client.post("/users", user).await.expect(201).id();
        let client = server.login(&email, password).await;
        sellers.push(Person { id, email, client });
    }
    sellers
}

fn money(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// How many rows a list has.
async fn count(client: &Client, path: &str) -> usize {
    client.all(path).await.len()
}

/// One of a contract's sums.
async fn sum(client: &Client, contract: &str, member: &str) -> String {
    let contract = client.get(&format!("/contracts/{contract}")).await.expect(200);
    contract.body[member]["amount"].as_str().unwrap().to_owned()
}
