//! Examples are as described, and can be sent.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::schemas::{faults, has_format};
use super::{committed, operations, resolve, visit};
use crate::support::Server;

on_both_databases! {
    examples_can_be_sent_to_a_demo;
}

/// The records that an example names: where each is found, and its id. `of` is what its operation is about.
fn named(of: &str, member: &str, value: &Value, found: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(members) => {
            // A record of any kind is named by its kind as well.
            let of =
                members.get("kind").and_then(Value::as_str).map_or(of.to_owned(), |kind| format!("{kind}s"));
            members.iter().for_each(|(name, member)| named(&of, name, member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| named(of, member, item, found)),
        Value::String(id) if has_format(id, "uuid") => {
            let home = match member {
                "owner_id" | "user_id" | "delegate_id" | "to_user_id" => "users",
                "team_id" => "teams",
                "pool_id" => "public-pools",
                "stage_id" => "stages",
                "customer_id" | "customer_ids" | "record_ids" => "customers",
                "contract_id" => "contracts",
                "invoice_id" => "invoices",
                "payment_id" => "payments",
                "product_id" => "products",
                "id" | "loser_id" => of,
                other => panic!("it is not known what {other} names"),
            };
            found.insert((home.to_owned(), id.clone()));
        }
        _ => {}
    }
}

/// The example of a body.
fn example_of(operation: &Value) -> &Value {
    let content = operation["requestBody"]["content"].as_object();
    content.and_then(|content| content.values().next()).map_or(&Value::Null, |content| &content["example"])
}

/// The path of an operation with its example in it.
fn example_path(document: &Value, path: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let mut in_path = parameters.map(|it| resolve(document, it)).filter(|it| it["in"] == "path");
    let example = in_path
        .next()
        .map(|it| it.get("example").unwrap_or_else(|| &resolve(document, &it["schema"])["examples"][0]));
    path.replace("{id}", example.and_then(Value::as_str).unwrap_or_default())
}

/// What a demo has none of that could be known beforehand: flows are there before it, changes of customers take one that
/// is off, and webhooks would tell somebody.
const UNKNOWN: [&str; 4] = ["approval-flows", "customer-changes", "webhooks", "webhook-deliveries"];

async fn examples_can_be_sent_to_a_demo(server: Server) {
    let demo = Server::demo(server.database.kind).await;
    let log_in = async |who: &str| {
        demo.anonymous().login(&format!("{who}@demo.fairlead.example"), "demo-password").await
    };
    let (auditor, admin, finance) = (log_in("auditor").await, log_in("admin").await, log_in("finance").await);
    let document = demo.anonymous().get_root("/openapi.json").await.expect(200).body;
    let operations = operations(&document);

    // Whatever a body names is there.
    let mut records = BTreeSet::new();
    for (_, path, operation) in &operations {
        let of = path.split('/').nth(3).unwrap_or_default();
        named(of, "", example_of(operation), &mut records);
    }
    let pipelines = auditor.get("/pipelines").await.expect(200).text;
    let mut missing = Vec::new();
    for (home, id) in &records {
        if home == "stages" {
            assert!(pipelines.contains(id), "{id} is no stage");
            continue;
        }
        let mut there = false;
        for client in [&auditor, &admin, &finance] {
            there |= client.get(&format!("/{home}/{id}")).await.status == 200;
        }
        if !there {
            missing.push(format!("{home}/{id}"));
        }
    }
    assert!(records.len() > 15, "{records:?}");
    assert!(missing.is_empty(), "{}", missing.join("\n"));

    // Whatever a path names is there for somebody.
    let (manager, rep) = (log_in("manager.east").await, log_in("rep.east").await);
    let (mut wrong, mut read) = (Vec::new(), 0);
    for (method, path, operation) in &operations {
        if *method != Method::GET || !path.contains("{id}") {
            continue;
        }
        let address = example_path(&document, path, operation);
        let mut there = false;
        for client in [&admin, &auditor, &finance, &manager, &rep] {
            there = there || client.get_root(&address).await.status == 200;
        }
        let expected = !UNKNOWN.contains(&path.split('/').nth(3).unwrap_or_default());
        read += usize::from(there);
        if there != expected {
            wrong.push(format!("{address}: {}", if there { "is there after all" } else { "is not there" }));
        }
    }
    assert!(read > 40, "{read} examples of paths");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // What Swagger UI sends when somebody presses the button: the path with its example, and the body's.
    let send = async |who: &str, id: &str| {
        let found = operations.iter().find(|(_, _, operation)| operation["operationId"] == id);
        let (method, path, operation) = found.unwrap_or_else(|| panic!("{id} is not in the document"));
        let path = example_path(&document, path, operation);
        let client = log_in(who).await;
        let request = client.root(method.clone(), &path);
        client
            .send(if operation["requestBody"].is_null() {
                request
            } else {
                request.json(example_of(operation))
            })
            .await
    };
    for (who, id) in [
        ("rep.east", "create_activity"),
        ("rep.east", "create_contact"),
        ("rep.east", "create_opportunity"),
        ("rep.east", "create_invoice"),
        ("rep.east", "record_payment"),
        ("rep.east", "request_customer_change"),
        ("rep.east", "merge_lead"),
        ("finance", "issue_credit_note"),
        ("finance", "match_receipt"),
        ("finance", "bulk_payments"),
    ] {
        let answer = send(who, id).await;
        let unknown = answer.status == 404 || answer.text.contains("unknown_reference");
        assert!(!unknown && answer.status < 500, "{id}: {}", answer.text);
    }
    for (who, id) in [
        ("rep.east", "advance_opportunity"),
        ("rep.east", "claim_pool_customer"),
        ("manager.east", "assign_lead"),
        ("manager.east", "assign_customer"),
    ] {
        send(who, id).await.expect(200);
    }
    for (who, id) in [("rep.east", "request_amendment"), ("finance", "record_refund")] {
        send(who, id).await.expect(201);
    }
    for list in ["leads", "customers", "opportunities", "contracts", "invoices", "payments"] {
        let found = send("director", &format!("search_{list}")).await.expect(200);
        assert_ne!(found.body["data"], json!([]), "the example finds none of the {list}");
    }
}

#[test]
fn examples_are_as_described() {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    visit(&document, "", &mut |at, members| {
        // A body, a parameter or a header says its schema beside its examples; a schema is one itself.
        let itself = Value::Object(members.clone());
        let schema = members.get("schema").unwrap_or(&itself);
        let one = members.get("example");
        let many = members.get("examples").and_then(Value::as_array).into_iter().flatten();
        let named = members.get("examples").and_then(Value::as_object).into_iter().flatten();
        let named = named.filter_map(|(_, example)| resolve(&document, example).get("value"));
        for example in one.into_iter().chain(many).chain(named) {
            seen += 1;
            wrong.extend(faults(&document, schema, example, at));
        }
    });
    assert!(seen > 500, "{seen} examples");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
