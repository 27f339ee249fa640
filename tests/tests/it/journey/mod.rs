//! The journey from a lead to the last payment, as people walk it, and the ways off it.

mod chain;
mod contracts;
mod decisions;
mod money;
mod pool;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Person, Server};

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// What the trail tells of a record, the oldest first.
async fn trail(auditor: &Person, record: &str) -> Vec<Value> {
    auditor.client.all(&format!("/audit-events?record_id={record}&sort=sequence")).await
}

/// The trail of a record is exactly this: what happened, and who did it.
async fn expect_trail(auditor: &Person, record: &str, expected: &[(&str, &Person)]) {
    let events = trail(auditor, record).await;
    let told: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event["action"].as_str().unwrap(), event["actor_id"].as_str().unwrap()))
        .collect();
    let expected: Vec<(&str, &str)> =
        expected.iter().map(|(action, who)| (*action, who.id.as_str())).collect();
    assert_eq!(told, expected);
}

/// The states of a record as its trail tells them; each change begins where the one before ended.
async fn expect_states(auditor: &Person, record: &str, expected: &[&str]) {
    let mut states: Vec<Value> = vec![Value::Null];
    for event in trail(auditor, record).await {
        let change = &event["changes"]["status"];
        if change.is_null() {
            continue;
        }
        assert_eq!(change["before"], *states.last().unwrap(), "{event}");
        states.push(change["after"].clone());
    }
    assert_eq!(states[1..], *expected);
}

/// The whole trail: no gap, each event bound to the one before, and no time that runs backwards.
async fn expect_whole_trail(auditor: &Person) -> Vec<Value> {
    let events = auditor.client.all("/audit-events?sort=sequence&limit=50").await;
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence"], at + 1);
        assert_eq!(event["hash"].as_str().unwrap().len(), 64);
        assert!(event["request_id"].is_string(), "{event}");
    }
    for pair in events.windows(2) {
        assert_eq!(pair[1]["previous_hash"], pair[0]["hash"]);
        assert!(pair[1]["occurred_at"].as_str() >= pair[0]["occurred_at"].as_str());
    }
    events
}

async fn contract(client: &Client, id: &str) -> Value {
    client.get(&format!("/contracts/{id}")).await.expect(200).body
}

async fn billing(client: &Client, id: &str) -> Value {
    client.get(&format!("/contracts/{id}/billing")).await.expect(200).body
}

/// One member of each installment.
fn each(billing: &Value, member: &str) -> Vec<Value> {
    billing["installments"].as_array().unwrap().iter().map(|part| part[member].clone()).collect()
}

async fn record_payment(by: &Person, contract: &str, amount: &str) -> Answer {
    by.client.post("/payments", Company::payment(contract, amount)).await
}

async fn confirm(by: &Person, payment: &str) -> Answer {
    by.client.act(&format!("/payments/{payment}/confirm")).await
}

async fn approve(by: &Person, approval: &str) -> Answer {
    by.client.post(&format!("/approvals/{approval}/approve"), json!({})).await
}

async fn waits_for(person: &Person) -> Vec<String> {
    let waiting = person.client.all("/approvals?box=waiting").await;
    waiting.iter().map(|approval| approval["subject_id"].as_str().unwrap().to_owned()).collect()
}
