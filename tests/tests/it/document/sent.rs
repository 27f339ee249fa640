//! Examples, sent to a demo as they stand: what Swagger UI sends when somebody presses the button.

use std::collections::{BTreeSet, HashMap};

use reqwest::Method;
use serde_json::{Value, json};

use super::examples::{example_of, example_path};
use super::{committed, operations, resolve};
use crate::support::{Answer, Client, Kind, Server};

on_both_databases! {
    examples_can_be_sent_to_a_demo;
    examples_that_end_something_can_be_sent_to_a_demo;
}

/// Who sends which operation, one after the other.
type Sent = &'static [(&'static str, &'static str)];

/// Somebody without an account.
const NOBODY: &str = "nobody";

/// What leaves to those after it what they need.
const MAKING: Sent = &[
    ("rep.east", "create_lead"),
    ("rep.east", "create_activity"),
    ("rep.east", "update_activity"),
    ("rep.east", "update_lead"),
    ("rep.east", "qualify_lead"),
    ("rep.east", "convert_lead"),
    ("rep.east", "claim_lead"),
    ("rep.east", "reopen_lead"),
    ("rep.east", "merge_lead"),
    ("manager.east", "assign_lead"),
    ("rep.east2", "release_lead"),
    ("marketing", "bulk_leads"),
    ("director", "search_leads"),
    ("director", "search_customers"),
    ("director", "search_opportunities"),
    ("director", "search_contracts"),
    ("director", "search_invoices"),
    ("director", "search_payments"),
    ("rep.east", "create_customer"),
    ("rep.east", "update_customer"),
    ("rep.east", "create_contact"),
    ("rep.east", "update_contact"),
    ("rep.east", "create_collaborator"),
    ("rep.east3", "update_collaborator"),
    ("rep.east", "claim_pool_customer"),
    ("rep.east", "create_opportunity"),
    ("rep.east", "update_opportunity"),
    ("rep.east", "advance_opportunity"),
    ("rep.east", "lose_opportunity"),
    ("manager.east", "reopen_opportunity"),
    ("rep.east", "create_contract"),
    ("rep.east3", "update_contract"),
    ("rep.east3", "plan_contract"),
    ("rep.east3", "cancel_contract"),
    ("rep.south2", "submit_contract"),
    ("rep.east", "withdraw_contract"),
    ("rep.east", "create_invoice"),
    ("rep.east", "update_invoice"),
    ("rep.east", "submit_invoice"),
    ("rep.east", "withdraw_invoice"),
    ("finance", "issue_invoice"),
    ("finance", "void_invoice"),
    ("rep.east", "record_payment"),
    ("finance", "match_receipt"),
    ("finance", "issue_credit_note"),
    ("finance", "reallocate_payment"),
    ("finance", "record_refund"),
    ("finance", "confirm_refund"),
    ("rep.east2", "update_payment"),
    ("finance", "confirm_payment"),
    ("finance", "reject_payment"),
    ("finance", "record_receipt"),
    ("finance", "import_receipts"),
    ("finance", "reopen_receipt"),
    ("finance", "join_receipt"),
    ("rep.east", "request_amendment"),
    ("rep.south", "withdraw_amendment"),
    ("director", "create_target"),
    ("director", "update_target"),
    ("rep.east", "withdraw_transfer"),
    ("rep.east", "withdraw_customer_change"),
    ("manager.east", "lock_customer"),
    ("manager.east", "unlock_customer"),
    ("director", "move_customer_to_pool"),
    ("manager.east", "merge_customer"),
    ("manager.east", "assign_customer"),
    ("manager.east", "read_notification"),
    ("manager.east", "read_all_notifications"),
    ("nobody", "log_in"),
    ("nobody", "submit_lead_form"),
    ("rep.east", "create_saved_view"),
    ("manager.east", "update_saved_view"),
    ("marketing", "create_lead_form"),
    ("manager.east", "create_delegation"),
    ("manager.south", "update_delegation"),
    ("rep.east", "quote_prices"),
    ("admin", "create_webhook"),
    ("admin", "rotate_webhook_secret"),
    ("admin", "ping_webhook"),
    ("admin", "redeliver_webhook_delivery"),
    ("admin", "enable_webhook"),
    ("admin", "disable_webhook"),
    ("admin", "create_public_pool"),
    ("admin", "update_public_pool"),
    ("admin", "run_recycling"),
    ("admin", "create_scoring_rule"),
    ("admin", "create_assignment_rule"),
    ("admin", "create_pipeline"),
    ("admin", "create_product"),
    ("admin", "update_product"),
    ("admin", "create_price_list"),
    ("admin", "update_approval_flow"),
    ("admin", "create_team"),
    ("admin", "create_role"),
    ("admin", "update_role"),
    ("admin", "create_user"),
    ("admin", "update_user"),
    ("admin", "update_settings"),
    ("admin", "run_verification"),
];

/// What would take something away from those above.
const ENDING: Sent = &[
    ("rep.east", "disqualify_lead"),
    ("rep.east", "delete_lead"),
    ("rep.east", "delete_activity"),
    ("director", "distribute_pool_customers"),
    ("manager.east", "bulk_customers"),
    ("admin", "delete_contact"),
    ("admin", "delete_customer"),
    ("rep.east", "release_customer"),
    ("rep.east3", "delete_collaborator"),
    ("rep.east3", "delete_opportunity"),
    ("rep.east", "request_customer_change"),
    ("rep.east", "request_transfer"),
    ("rep.east3", "delete_contract"),
    ("rep.east", "delete_invoice"),
    ("rep.south2", "cancel_invoice"),
    ("finance", "reverse_payment"),
    ("finance", "bulk_payments"),
    ("finance", "reject_refund"),
    ("finance", "split_receipt"),
    ("finance", "bulk_receipts"),
    ("manager.east", "comment_on_request"),
    ("manager.east", "add_approval_step"),
    ("manager.east", "approve_request"),
    ("director", "reject_request"),
    ("finance", "return_request"),
    ("director", "delete_target"),
    ("rep.south2", "delete_attachment"),
    ("manager.east", "terminate_contract"),
    ("admin", "update_pipeline"),
    ("admin", "update_team"),
    ("admin", "update_price_list"),
    ("admin", "update_scoring_rule"),
    ("admin", "update_assignment_rule"),
    ("marketing", "update_lead_form"),
    ("admin", "update_webhook"),
    ("manager.east", "delete_saved_view"),
    ("marketing", "delete_lead_form"),
    ("manager.south", "delete_delegation"),
    ("admin", "delete_webhook"),
    ("admin", "delete_public_pool"),
    ("admin", "delete_scoring_rule"),
    ("admin", "delete_assignment_rule"),
    ("admin", "delete_pipeline"),
    ("admin", "delete_price_list"),
    ("admin", "delete_team"),
    ("admin", "delete_role"),
    ("admin", "set_user_password"),
    ("admin", "disable_user"),
    ("admin", "hand_over_user"),
    ("admin", "enable_user"),
    ("rep.south2", "change_my_password"),
    ("rep.south", "log_out"),
];

/// What is not sent here, and why.
const ELSEWHERE: Sent = &[
    ("nobody knows a token beforehand", "refresh_tokens"),
    ("nobody knows a session beforehand", "end_session"),
    ("whoever sends a file chooses it", "add_contract_attachment"),
    ("whether the server has reminded by itself is a question of the hour", "remind_of_request"),
    ("of the requests that could be taken back, one was decided and one withdrawn", "withdraw_request"),
    ("of the receipts that are open, one was matched and one split", "set_aside_receipt"),
];

/// A demo, and everybody who has logged in to it.
struct Demo {
    server: Server,
    document: Value,
    clients: HashMap<String, Client>,
}

impl Demo {
    async fn start(kind: Kind) -> Self {
        let server = Server::demo(kind).await;
        let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
        Self { server, document, clients: HashMap::new() }
    }

    async fn client(&mut self, who: &str) -> Client {
        if who == NOBODY {
            return self.server.anonymous();
        }
        if let Some(known) = self.clients.get(who) {
            return known.clone();
        }
        let email = format!("{who}@demo.fairlead.example");
        let client = self.server.anonymous().login(&email, "demo-password").await;
        self.clients.insert(who.to_owned(), client.clone());
        client
    }

    /// Sends the path with its example, the headers that must be there, and the body's example.
    async fn send(&mut self, who: &str, id: &str) -> Answer {
        let client = self.client(who).await;
        let operations = operations(&self.document);
        let found = operations.iter().find(|(_, _, operation)| operation["operationId"] == id);
        let (method, path, operation) = found.unwrap_or_else(|| panic!("{id} is not in the document"));
        let path = example_path(&self.document, path, operation);
        let mut request = client.root(method.clone(), &path);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = resolve(&self.document, parameter);
            if parameter["in"] == "header" && parameter["required"] == true {
                let name = parameter["name"].as_str().unwrap();
                request = request.header(name, parameter["example"].as_str().unwrap());
            }
        }
        if !operation["requestBody"].is_null() {
            request = request.json(example_of(operation));
        }
        client.send(request).await
    }

    /// Sends them all. Those that were refused are told together.
    async fn all_succeed(&mut self, sent: Sent) {
        let mut refused = Vec::new();
        for (who, id) in sent {
            let answer = self.send(who, id).await;
            if !(200..300).contains(&answer.status) {
                refused.push(format!("{id} by {who}: {} {}", answer.status, answer.text));
            }
        }
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }
}

async fn examples_can_be_sent_to_a_demo(server: Server) {
    let mut demo = Demo::start(server.database.kind).await;
    for list in ["leads", "customers", "opportunities", "contracts", "invoices", "payments"] {
        let found = demo.send("director", &format!("search_{list}")).await.expect(200);
        assert_ne!(found.body["data"], json!([]), "the example finds none of the {list}");
    }
    demo.all_succeed(MAKING).await;
    demo.server.verify().await;
}

async fn examples_that_end_something_can_be_sent_to_a_demo(server: Server) {
    let mut demo = Demo::start(server.database.kind).await;
    // A bulk call succeeds whatever becomes of its items: these could be done.
    for (who, id) in
        [("rep.east", "bulk_leads"), ("finance", "bulk_payments"), ("rep.east", "bulk_customers")]
    {
        let client = demo.client(who).await;
        let operations = operations(&demo.document);
        let (_, path, operation) = operations.iter().find(|(_, _, it)| it["operationId"] == id).unwrap();
        let request = client.root(Method::POST, &format!("{path}?dry_run=true"));
        let answer = client.send(request.json(example_of(operation))).await.expect(200);
        assert_eq!(answer.body["refused"], 0, "{id}: {}", answer.text);
    }
    demo.all_succeed(ENDING).await;
    demo.server.verify().await;
}

#[test]
fn every_operation_that_is_no_read_is_sent_or_excused() {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let sent: BTreeSet<&str> = [MAKING, ENDING, ELSEWHERE].concat().iter().map(|(_, id)| *id).collect();
    let written = operations(&document).into_iter().filter(|(method, ..)| *method != Method::GET);
    let written: BTreeSet<&str> =
        written.map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(sent, written);
}
