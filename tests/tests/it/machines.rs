//! Every state machine, exhaustively: a record in each of its states, each published action tried by
//! somebody who holds the permission. It goes through exactly where the published table says so.
//!
//! That the published table is the designed one is a test of the domain crate; here the whole server is held
//! against what it publishes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Server};

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
    assert_eq!(converts["guards"], json!([{"en": "the lead has an owner", "zh_cn": "线索有负责人"}]));
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

struct Leads(Company);

impl Leads {
    async fn new_lead(&self) -> String {
        let form = json!({"name": "Wang Fang", "company": "Blue River", "source": "event"});
        self.0.marketing.client.post("/leads?allow_duplicate=true", form).await.expect(201).id()
    }
}

impl Records for Leads {
    const MACHINE: &'static str = "lead";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, action: &str) -> String {
        let (marketing, director) = (&self.0.marketing.client, &self.0.director.client);
        let id = self.new_lead().await;
        let lead = format!("/leads/{id}");
        // A lead is claimed while it has no owner; most else wants one.
        if action != "claim" || state == "converted" {
            let form = json!({"owner_id": self.0.rep.id});
            marketing.post(&format!("{lead}/assign"), form).await.expect(200);
        }
        if ["contacted", "qualified", "converted"].contains(&state) {
            let form = json!({"about": {"kind": "lead", "id": id}, "kind": "call", "subject": "First call"});
            marketing.post("/activities", form).await.expect(201);
        }
        if ["qualified", "converted"].contains(&state) {
            marketing.act(&format!("{lead}/qualify")).await.expect(200);
        }
        if state == "converted" {
            director.post(&format!("{lead}/convert"), json!({})).await.expect(200);
        }
        if state == "disqualified" {
            marketing.post(&format!("{lead}/disqualify"), json!({"reason": "spam"})).await.expect(200);
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.0.director.client
    }

    fn path(&self, id: &str) -> String {
        format!("/leads/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "assign" => json!({"owner_id": self.0.colleague.id}),
            "disqualify" => json!({"reason": "no_need"}),
            _ => json!({}),
        }
    }
}

struct Customers(Company);

impl Records for Customers {
    const MACHINE: &'static str = "customer";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, action: &str) -> String {
        let id = match state {
            "pool" => self.0.pool_customer().await,
            "owned" => self.0.customer(&self.0.rep).await,
            other => panic!("no customer is made {other}"),
        };
        if state == "owned" && action == "unlock" {
            self.0.director.client.act(&format!("/customers/{id}/lock")).await.expect(200);
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.0.director.client
    }

    fn path(&self, id: &str) -> String {
        format!("/customers/{id}")
    }

    fn action_path(&self, id: &str, action: &str) -> String {
        match action {
            "claim" => format!("/public-pool/customers/{id}/claim"),
            _ => format!("/customers/{id}/{action}"),
        }
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "assign" => json!({"owner_id": self.0.colleague.id}),
            "release" => json!({"reason": "nobody answers"}),
            "move" => json!({"pool_id": self.0.pool}),
            _ => json!({}),
        }
    }

    fn state(record: &Value) -> String {
        if record["owner_id"].is_null() { "pool" } else { "owned" }.to_owned()
    }
}

struct Opportunities(Company);

impl Opportunities {
    async fn open(&self) -> String {
        let rep = &self.0.rep;
        let form = json!({
            "name": "Packing line", "customer_id": self.0.customer(rep).await,
            "amount": {"amount": "1000.00", "currency": "CNY"},
        });
        rep.client.post("/opportunities", form).await.expect(201).id()
    }
}

impl Records for Opportunities {
    const MACHINE: &'static str = "opportunity";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let rep = &self.0.rep.client;
        let id = self.open().await;
        let opportunity = format!("/opportunities/{id}");
        match state {
            "open" => {}
            "lost" => {
                rep.post(&format!("{opportunity}/lose"), json!({"reason": "price"})).await.expect(200);
            }
            "won" => {
                let form = json!({"stage_id": self.0.signing_stage()});
                let signing = rep.post(&format!("{opportunity}/advance"), form).await.expect(200);
                let contract = signing.text_of("contract_id");
                let money = json!({"amount": "1000.00", "currency": "CNY"});
                let plan = json!({"installments": [{"due_on": "2099-12-31", "amount": money}]});
                rep.patch(&format!("/contracts/{contract}"), plan).await.expect(200);
                rep.act(&format!("/contracts/{contract}/submit")).await.expect(200);
                self.0.approve(&contract).await;
            }
            other => panic!("no opportunity is made {other}"),
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.0.director.client
    }

    fn path(&self, id: &str) -> String {
        format!("/opportunities/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "advance" => json!({"stage_id": self.0.stage(1)}),
            "lose" => json!({"reason": "competitor"}),
            _ => json!({}),
        }
    }
}

struct Contracts(Company);

impl Records for Contracts {
    const MACHINE: &'static str = "contract";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let (rep, director) = (&self.0.rep, &self.0.director.client);
        match state {
            "draft" => self.0.draft(rep, "1000.00", "by_contract").await,
            "pending_approval" => {
                let id = self.0.draft(rep, "1000.00", "by_contract").await;
                // By whoever will try to withdraw it.
                director.act(&format!("/contracts/{id}/submit")).await.expect(200);
                id
            }
            "active" => self.0.active(rep, "1000.00", "by_contract").await,
            "completed" => {
                let id = self.0.active(rep, "1000.00", "by_contract").await;
                let payment =
                    rep.client.post("/payments", Company::payment(&id, "1000.00")).await.expect(201);
                self.0.finance.client.act(&format!("/payments/{}/confirm", payment.id())).await.expect(200);
                id
            }
            "terminated" => {
                let id = self.0.active(rep, "1000.00", "by_contract").await;
                let form = json!({"reason": "the customer closed down"});
                director.post(&format!("/contracts/{id}/terminate"), form).await.expect(200);
                id
            }
            "cancelled" => {
                let id = self.0.draft(rep, "1000.00", "by_contract").await;
                rep.client.post(&format!("/contracts/{id}/cancel"), json!({})).await.expect(200);
                id
            }
            other => panic!("no contract is made {other}"),
        }
    }

    fn actor(&self, _: &str) -> &Client {
        &self.0.director.client
    }

    fn path(&self, id: &str) -> String {
        format!("/contracts/{id}")
    }

    fn body(&self, action: &str) -> Value {
        if action == "terminate" { json!({"reason": "by agreement"}) } else { json!({}) }
    }
}

struct Approvals(Company);

impl Records for Approvals {
    const MACHINE: &'static str = "approval";

    fn company(&self) -> &Company {
        &self.0
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let Company { rep, manager, finance, .. } = &self.0;
        let contract = self.0.draft(rep, "1000.00", "by_contract").await;
        rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        let id = self.0.pending(&contract).await;
        let approval = format!("/approvals/{id}");
        // The last step waits: its approval is the request's.
        manager.client.post(&format!("{approval}/approve"), json!({})).await.expect(200);
        match state {
            "pending" => {}
            "approved" => {
                finance.client.post(&format!("{approval}/approve"), json!({})).await.expect(200);
            }
            "rejected" => {
                let form = json!({"comment": "too cheap"});
                finance.client.post(&format!("{approval}/reject"), form).await.expect(200);
            }
            "withdrawn" => {
                rep.client.act(&format!("{approval}/withdraw")).await.expect(200);
            }
            other => panic!("no approval is made {other}"),
        }
        id
    }

    fn actor(&self, action: &str) -> &Client {
        if matches!(action, "withdraw" | "remind") { &self.0.rep.client } else { &self.0.finance.client }
    }

    fn path(&self, id: &str) -> String {
        format!("/approvals/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "reject" | "comment" => json!({"comment": "not like this"}),
            "return" => json!({"comment": "look again", "step": 0}),
            "add_step" => json!({"user_id": self.0.auditor.id, "place": "before"}),
            _ => json!({}),
        }
    }
}

struct Invoices {
    company: Company,
    contract: String,
}

impl Records for Invoices {
    const MACHINE: &'static str = "invoice";

    fn company(&self) -> &Company {
        &self.company
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let Company { rep, finance, director, .. } = &self.company;
        let draft = async || self.company.invoice_draft(rep, &self.contract, "1.00").await;
        match state {
            "draft" => draft().await,
            "pending_approval" => {
                let id = draft().await;
                // By whoever will try to withdraw it.
                director.client.act(&format!("/invoices/{id}/submit")).await.expect(200);
                id
            }
            "approved" => {
                let id = draft().await;
                rep.client.act(&format!("/invoices/{id}/submit")).await.expect(200);
                self.company.approve(&id).await;
                id
            }
            "issued" => self.company.issued(rep, &self.contract, "1.00").await,
            "credited" => {
                let id = self.company.issued(rep, &self.contract, "1.00").await;
                let form = json!({
                    "invoice_id": id, "amount": {"amount": "1.00", "currency": "CNY"}, "reason": "wrong price",
                    "tax_invoice_number": format!("R-{}", rand::random::<u64>()),
                });
                finance.client.post("/credit-notes", form).await.expect(201);
                id
            }
            "voided" => {
                let id = self.company.issued(rep, &self.contract, "1.00").await;
                let form = json!({"reason": "wrong title"});
                finance.client.post(&format!("/invoices/{id}/void"), form).await.expect(200);
                id
            }
            "cancelled" => {
                let id = draft().await;
                rep.client.act(&format!("/invoices/{id}/cancel")).await.expect(200);
                id
            }
            other => panic!("no invoice is made {other}"),
        }
    }

    fn actor(&self, action: &str) -> &Client {
        match action {
            "issue" | "void" => &self.company.finance.client,
            _ => &self.company.director.client,
        }
    }

    fn path(&self, id: &str) -> String {
        format!("/invoices/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "issue" => json!({"tax_invoice_number": format!("T-{}", rand::random::<u64>())}),
            "void" => json!({"reason": "wrong tax number"}),
            _ => json!({}),
        }
    }
}

struct Payments {
    company: Company,
    contract: String,
}

impl Records for Payments {
    const MACHINE: &'static str = "payment";

    fn company(&self) -> &Company {
        &self.company
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let (rep, finance) = (&self.company.rep.client, &self.company.finance.client);
        let id = rep.post("/payments", Company::payment(&self.contract, "1.00")).await.expect(201).id();
        let payment = format!("/payments/{id}");
        if ["confirmed", "reversed", "refunded"].contains(&state) {
            finance.act(&format!("{payment}/confirm")).await.expect(200);
        }
        match state {
            "recorded" | "confirmed" => {}
            "rejected" => {
                finance.post(&format!("{payment}/reject"), json!({"reason": "not there"})).await.expect(200);
            }
            "refunded" => {
                let form = json!({
                    "payment_id": id, "amount": {"amount": "1.00", "currency": "CNY"}, "refunded_on": "2026-02-01",
                    "method": "bank_transfer", "reason": "too much",
                });
                let refund = finance.post("/refunds", form).await.expect(201).id();
                self.company.finance_two.client.act(&format!("/refunds/{refund}/confirm")).await.expect(200);
            }
            "reversed" => {
                finance.post(&format!("{payment}/reverse"), json!({"reason": "sent back"})).await.expect(200);
            }
            other => panic!("no payment is made {other}"),
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.company.finance.client
    }

    fn path(&self, id: &str) -> String {
        format!("/payments/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "reject" | "reverse" | "reallocate" => json!({"reason": "the bank says no"}),
            _ => json!({}),
        }
    }
}

struct Refunds {
    company: Company,
    contract: String,
}

impl Records for Refunds {
    const MACHINE: &'static str = "refund";

    fn company(&self) -> &Company {
        &self.company
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let Company { rep, finance, finance_two, .. } = &self.company;
        let payment = self.company.paid(rep, &self.contract, "2.00").await;
        let form = json!({
            "payment_id": payment, "amount": {"amount": "1.00", "currency": "CNY"}, "refunded_on": "2026-02-01",
            "method": "bank_transfer", "reason": "too much",
        });
        let id = finance_two.client.post("/refunds", form).await.expect(201).id();
        match state {
            "recorded" => {}
            "confirmed" => {
                finance.client.act(&format!("/refunds/{id}/confirm")).await.expect(200);
            }
            "rejected" => {
                let form = json!({"reason": "not agreed"});
                finance.client.post(&format!("/refunds/{id}/reject"), form).await.expect(200);
            }
            other => panic!("no refund is made {other}"),
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.company.finance.client
    }

    fn path(&self, id: &str) -> String {
        format!("/refunds/{id}")
    }

    fn body(&self, action: &str) -> Value {
        if action == "reject" { json!({"reason": "not agreed"}) } else { json!({}) }
    }
}

struct Receipts {
    company: Company,
    contract: String,
}

impl Records for Receipts {
    const MACHINE: &'static str = "receipt";

    fn company(&self) -> &Company {
        &self.company
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let finance = &self.company.finance.client;
        let form = json!({
            "amount": {"amount": "1.00", "currency": "CNY"}, "received_on": "2026-02-01", "method": "bank_transfer",
        });
        let id = finance.post("/receipts", form).await.expect(201).id();
        match state {
            "open" => {}
            "matched" => {
                finance.post(&format!("/receipts/{id}/match"), self.body("match")).await.expect(200);
            }
            "set_aside" => {
                finance.post(&format!("/receipts/{id}/set-aside"), self.body("set_aside")).await.expect(200);
            }
            "split" => {
                finance.post(&format!("/receipts/{id}/split"), self.body("split")).await.expect(200);
            }
            other => panic!("no receipt is made {other}"),
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.company.finance.client
    }

    fn path(&self, id: &str) -> String {
        format!("/receipts/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "match" => json!({"contract_id": self.contract}),
            "set_aside" => json!({"reason": "interest"}),
            "split" => json!({"amounts": [
                {"amount": "0.40", "currency": "CNY"}, {"amount": "0.60", "currency": "CNY"},
            ]}),
            _ => json!({}),
        }
    }
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

async fn leads_follow_their_machine(server: Server) {
    let leads = Leads(Company::found(&server).await);
    leads.0.tell_no_duplicates().await;
    every_pair(&leads).await;
}

async fn customers_follow_their_machine(server: Server) {
    every_pair(&Customers(Company::found(&server).await)).await;
}

async fn opportunities_follow_their_machine(server: Server) {
    every_pair(&Opportunities(Company::found(&server).await)).await;
}

async fn contracts_follow_their_machine(server: Server) {
    every_pair(&Contracts(Company::found(&server).await)).await;
}

async fn approvals_follow_their_machine(server: Server) {
    every_pair(&Approvals(Company::found(&server).await)).await;
}

async fn invoices_follow_their_machine(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "1000000.00", "by_invoice").await;
    every_pair(&Invoices { company, contract }).await;
}

async fn payments_follow_their_machine(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "1000000.00", "by_contract").await;
    every_pair(&Payments { company, contract }).await;
}

async fn refunds_follow_their_machine(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "1000000.00", "by_contract").await;
    every_pair(&Refunds { company, contract }).await;
}

async fn receipts_follow_their_machine(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "1000000.00", "by_contract").await;
    every_pair(&Receipts { company, contract }).await;
}

/// Refusals of a state that allows the action, where the record itself says no.
async fn conditions_beside_the_state_hold(server: Server) {
    let leads = Leads(Company::found(&server).await);
    let company = &leads.0;
    let director = &company.director.client;
    for state in ["new", "contacted", "qualified"] {
        let owned = leads.make(state, "assign").await;
        director.act(&format!("/leads/{owned}/claim")).await.refused(409, "already_claimed");
        let form = json!({"owner_id": company.rep.id});
        director.post(&format!("/leads/{owned}/assign"), form).await.refused(409, "already_owner");
        let unowned = leads.make(state, "claim").await;
        director.act(&format!("/leads/{unowned}/release")).await.refused(409, "invalid_transition");
        director
            .post(&format!("/leads/{unowned}/convert"), json!({}))
            .await
            .refused(409, "invalid_transition");
    }
    let customer = company.customer(&company.rep).await;
    let form = json!({"owner_id": company.rep.id});
    director.post(&format!("/customers/{customer}/assign"), form).await.refused(409, "already_owner");

    // Whoever did not ask does not withdraw, though they hold the permission.
    let contract = company.draft(&company.rep, "1000.00", "by_contract").await;
    company.rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    director.act(&format!("/contracts/{contract}/withdraw")).await.refused(403, "forbidden");
    company.rep.client.act(&format!("/contracts/{contract}/withdraw")).await.expect(200);
}
