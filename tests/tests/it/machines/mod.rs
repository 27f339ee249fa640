//! Every state machine, exhaustively: a record in each of its states, each published action tried by
//! somebody who holds the permission. It goes through exactly where the published table says so.
//!
//! That the published table is the designed one is a test of the domain crate; here the whole server is held
//! against what it publishes.

mod contracts;
mod money;
mod sales;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Server};
use contracts::*;
use money::*;
use sales::*;

on_both_databases! {
    every_machine_is_published;
    leads_follow_their_machine;
    customers_follow_their_machine;
    opportunities_follow_their_machine;
    contracts_follow_their_machine;
    approvals_follow_their_machine;
    invoices_follow_their_machine;
    payments_follow_their_machine;
    refunds_follow_their_machine;
    receipts_follow_their_machine;
    webhooks_follow_their_machine;
    conditions_beside_the_state_hold;
}

/// Where a refusal has a code that says more than `invalid_transition`: machine, states, actions, code.
const TELLING: &[(&str, &[&str], &[&str], &str)] = &[
    ("lead", &["converted"], &["convert"], "already_converted"),
    ("customer", &["owned"], &["claim"], "already_claimed"),
    (
        "approval",
        &["approved", "rejected", "withdrawn"],
        &["approve", "reject", "withdraw", "return", "add_step", "remind"],
        "already_decided",
    ),
];

fn code_of_refusal(machine: &str, state: &str, action: &str) -> &'static str {
    TELLING
        .iter()
        .find(|line| line.0 == machine && line.1.contains(&state) && line.2.contains(&action))
        .map_or("invalid_transition", |line| line.3)
}

/// A machine as it is published.
struct Published {
    name: String,
    states: Vec<String>,
    transitions: Vec<Value>,
}

impl Published {
    async fn find(client: &Client, name: &str) -> Self {
        let machines = client.get("/workflows").await.expect(200);
        let machine = machines.body["data"].as_array().unwrap().iter().find(|one| one["name"] == name);
        let machine = machine.unwrap_or_else(|| panic!("{name} is not published"));
        Self {
            name: name.to_owned(),
            states: texts(&machine["states"]),
            transitions: machine["transitions"].as_array().unwrap().clone(),
        }
    }

    /// What people do; the rest happens by itself.
    fn actions(&self) -> BTreeSet<String> {
        self.by_people().map(|line| line["action"].as_str().unwrap().to_owned()).collect()
    }

    fn by_people(&self) -> impl Iterator<Item = &Value> {
        self.transitions.iter().filter(|line| line["by"] != "system")
    }

    /// The state that follows, where the table allows the action.
    fn next(&self, state: &str, action: &str) -> Option<String> {
        let line = self.by_people().find(|line| line["action"] == action && has(&line["from"], state))?;
        Some(line["to"].as_str().unwrap_or(state).to_owned())
    }

    fn allowed_in(&self, state: &str) -> BTreeSet<String> {
        self.actions().into_iter().filter(|action| self.next(state, action).is_some()).collect()
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Whether something is said in English and in Chinese.
fn in_both_languages(said: &Value) -> bool {
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    said["en"].as_str().is_some_and(|text| !text.is_empty() && !chinese(text))
        && said["zh_cn"].as_str().is_some_and(chinese)
}

fn has(list: &Value, text: &str) -> bool {
    list.as_array().unwrap().iter().any(|one| one == text)
}

/// What the test of one machine needs to know about its records.
trait Records {
    const MACHINE: &'static str;

    fn company(&self) -> &Company;

    /// Makes a record in a state, fit for the action as far as its state does not forbid it.
    async fn make(&self, state: &str, action: &str) -> String;

    /// Who holds the permission.
    fn actor(&self, action: &str) -> &Client;

    fn path(&self, id: &str) -> String;

    /// The words of a path are apart by hyphens.
    fn action_path(&self, id: &str, action: &str) -> String {
        format!("{}/{}", self.path(id), action.replace('_', "-"))
    }

    /// A body with which the action would go through.
    fn body(&self, action: &str) -> Value;

    fn state(record: &Value) -> String {
        record["status"].as_str().unwrap().to_owned()
    }
}

async fn every_pair<R: Records>(records: &R) {
    let machine = Published::find(&records.company().auditor.client, R::MACHINE).await;
    let (mut allowed, mut refused) = (0, 0);
    for state in &machine.states {
        for action in machine.actions() {
            let id = records.make(state, &action).await;
            let pair = format!("{} {state} {action}", machine.name);
            let client = records.actor(&action);
            let before = client.get(&records.path(&id)).await.expect(200);
            assert_eq!(R::state(&before.body), *state, "{pair}: the record is made in that state");

            let answer = client.post(&records.action_path(&id, &action), records.body(&action)).await;
            let after = client.get(&records.path(&id)).await.expect(200);
            if let Some(next) = machine.next(state, &action) {
                assert_eq!(answer.status, 200, "{pair}: {}", answer.text);
                assert_eq!(R::state(&answer.body), next, "{pair}");
                assert_eq!(R::state(&after.body), next, "{pair}");
                assert!(version(&after) > version(&before), "{pair}");
                assert_eq!(offer(&before, &action), (true, Value::Null), "{pair}");
                allowed += 1;
                continue;
            }
            let code = code_of_refusal(&machine.name, state, &action);
            assert_eq!((answer.status, &answer.body["code"]), (409, &json!(code)), "{pair}");
            if code == "invalid_transition" {
                assert_eq!(answer.body["from"], **state, "{pair}");
                assert_eq!(answer.body["action"], *action, "{pair}");
                // What the caller could do instead, and nothing that they are forbidden.
                let named: BTreeSet<String> = texts(&answer.body["allowed"]).into_iter().collect();
                let in_state = machine.allowed_in(state);
                let offered: BTreeSet<String> =
                    in_state.iter().filter(|other| offer(&before, other).0).cloned().collect();
                assert!(named.is_subset(&in_state) && offered.is_subset(&named), "{pair}: {named:?}");
                assert!(
                    named.iter().all(|other| offer(&before, other).1 != "forbidden"),
                    "{pair}: {named:?}"
                );
            }
            assert_eq!(after.body, before.body, "{pair}: a refusal changes nothing");
            assert_eq!(offer(&before, &action), (false, json!(code)), "{pair}");
            refused += 1;
        }
    }
    assert_eq!(allowed + refused, machine.states.len() * machine.actions().len());
    assert!(allowed > 0 && refused > 0);
    no_path_for_what_happens_by_itself(records, &machine).await;
}

fn version(answer: &Answer) -> i64 {
    answer.body["version"].as_i64().unwrap()
}

/// What the record's `allowed_actions` say about an action.
fn offer(record: &Answer, action: &str) -> (bool, Value) {
    let offers = record.body["allowed_actions"].as_array().unwrap();
    let offer = offers.iter().find(|offer| offer["action"] == action);
    let offer = offer.unwrap_or_else(|| panic!("{action} is missing in {}", record.text));
    (offer["allowed"].as_bool().unwrap(), offer["reason"].clone())
}

async fn no_path_for_what_happens_by_itself<R: Records>(records: &R, machine: &Published) {
    let by_itself: BTreeSet<&str> = machine
        .transitions
        .iter()
        .filter(|line| line["by"] == "system")
        .map(|line| line["action"].as_str().unwrap())
        .filter(|action| !machine.actions().contains(*action))
        .collect();
    let id = records.make(&machine.states[0], "").await;
    for action in by_itself {
        let path = records.action_path(&id, action);
        records.company().director.client.post(&path, json!({})).await.refused(404, "not_found");
    }
}

async fn every_machine_is_published(server: Server) {
    let company = Company::found(&server).await;
    let machines = company.rep.client.get("/workflows").await.expect(200);
    let machines = machines.body["data"].as_array().unwrap();
    let names: Vec<&str> = machines.iter().map(|machine| machine["name"].as_str().unwrap()).collect();
    let expected = "lead customer customer_change opportunity contract amendment approval invoice payment refund receipt transfer webhook job";
    assert_eq!(names.join(" "), expected);
    for machine in machines {
        let diagram = machine["mermaid"].as_str().unwrap();
        assert!(machine["svg"].as_str().unwrap().starts_with("<svg "));
        let labels = machine["state_labels"].as_array().unwrap();
        let labelled: Vec<&Value> = labels.iter().map(|one| &one["state"]).collect();
        assert_eq!(json!(labelled), machine["states"]);
        assert!(labels.iter().all(|one| in_both_languages(&one["label"])), "{labels:?}");
        for line in machine["transitions"].as_array().unwrap() {
            assert!(in_both_languages(&line["label"]), "{line}");
            assert!(line["guards"].as_array().unwrap().iter().all(in_both_languages), "{line}");
            for from in texts(&line["from"]) {
                let to = line["to"].as_str().unwrap_or(&from);
                let arrow = format!("  {from} --> {to}: {}", line["action"].as_str().unwrap());
                assert!(diagram.lines().any(|drawn| drawn == arrow), "{arrow}");
                assert!(has(&machine["states"], &from) && has(&machine["states"], to), "{arrow}");
            }
        }
    }
    let lead = Published::find(&company.rep.client, "lead").await;
    let converts = lead.transitions.iter().find(|line| line["action"] == "convert").unwrap();
    assert_eq!(converts["label"], json!({"en": "Convert", "zh_cn": "转化"}));
    let guards = json!([
        {"en": "the lead has an owner", "zh_cn": "线索有负责人"},
        {"en": "the caller may create customers or change them", "zh_cn": "操作人可以新建或修改客户"},
    ]);
    assert_eq!(converts["guards"], guards);
    // Every exception speaks of pairs that exist.
    for (name, states, actions, _) in TELLING {
        let machine = Published::find(&company.rep.client, name).await;
        for state in *states {
            assert!(machine.states.iter().any(|one| one == state));
            for action in *actions {
                assert!(machine.actions().contains(*action) && machine.next(state, action).is_none());
            }
        }
    }
    server.anonymous().get("/workflows").await.refused(401, "unauthenticated");
}

struct Webhooks(Company);

impl Records for Webhooks {
    const MACHINE: &'static str = "webhook";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let form =
            json!({"name": "Receiver", "url": "https://receiver.invalid/", "events": ["contact.merged"]});
        let id = self.0.admin.client.post("/webhooks", form).await.expect(201).id();
        if state == "disabled" {
            self.0.admin.client.act(&format!("/webhooks/{id}/disable")).await.expect(200);
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.0.admin.client
    }

    fn path(&self, id: &str) -> String {
        format!("/webhooks/{id}")
    }

    fn body(&self, _: &str) -> Value {
        json!({})
    }
}

async fn webhooks_follow_their_machine(server: Server) {
    every_pair(&Webhooks(Company::found(&server).await)).await;
}
