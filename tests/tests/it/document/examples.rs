//! Examples are as described, and name what a demo has.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::schemas::{faults, has_format};
use super::{committed, operations, resolve, visit};
use crate::support::Server;

on_both_databases! {
    a_demo_has_what_examples_name;
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
                "owner_id" | "user_id" | "delegate_id" | "to_user_id" | "successor_id" => "users",
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
pub(super) fn example_of(operation: &Value) -> &Value {
    let content = operation["requestBody"]["content"].as_object();
    content.and_then(|content| content.values().next()).map_or(&Value::Null, |content| &content["example"])
}

/// The path of an operation with its example in it.
pub(super) fn example_path(document: &Value, path: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let mut in_path = parameters.map(|it| resolve(document, it)).filter(|it| it["in"] == "path");
    let Some(parameter) = in_path.next() else { return path.to_owned() };
    let example =
        parameter.get("example").unwrap_or_else(|| &resolve(document, &parameter["schema"])["examples"][0]);
    let name = format!("{{{}}}", parameter["name"].as_str().unwrap());
    path.replace(&name, example.as_str().unwrap_or_default())
}

async fn a_demo_has_what_examples_name(server: Server) {
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
    let mut read = 0;
    for (method, path, operation) in &operations {
        if *method != Method::GET || !path.contains("{id}") {
            continue;
        }
        let address = example_path(&document, path, operation);
        let mut there = false;
        for client in [&admin, &auditor, &finance, &manager, &rep] {
            there = there || client.get_root(&address).await.status == 200;
        }
        read += usize::from(there);
        if !there {
            missing.push(address);
        }
    }
    assert!(read > 40, "{read} examples of paths");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
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

/// Every text in an example, with the name of the member that has it.
fn texts<'a>(member: &'a str, value: &'a Value, each: &mut impl FnMut(&'a str, &'a str)) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| texts(name, value, each)),
        Value::Array(items) => items.iter().for_each(|item| texts(member, item, each)),
        Value::String(text) => each(member, text),
        _ => {}
    }
}

#[test]
fn examples_of_answers_are_believable() {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let operations = operations(&document);
    // What schemas are filled with where nothing better is known.
    let fillers = ["text", "Acme Machinery", "Asked for an offer before the end of the month."];
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (_, _, operation) in &operations {
        let id = operation["operationId"].as_str().unwrap();
        let answers = operation["responses"].as_object().unwrap().iter();
        let answers = answers.filter(|(status, _)| status.starts_with('2'));
        for content in
            answers.filter_map(|(_, answer)| answer["content"].as_object()).flat_map(serde_json::Map::values)
        {
            texts("", &content["example"], &mut |member, text| {
                seen += 1;
                if fillers.contains(&text) {
                    wrong.push(format!("{id}: {member} is {text:?}"));
                }
            });
        }
    }
    assert!(seen > 5000, "{seen} texts");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));

    let answer = |id: &str| {
        let (_, _, operation) = operations.iter().find(|(_, _, it)| it["operationId"] == id).unwrap();
        operation["responses"]["200"]["content"]["application/json"]["example"].clone()
    };
    let person = answer("get_person");
    assert_ne!(person["display_name"], person["team_name"]);
    for (id, series) in [("get_contract", "CT-"), ("get_invoice", "IV-"), ("get_payment", "PY-")] {
        let number = answer(id)["number"].clone();
        assert!(number.as_str().unwrap().starts_with(series), "{id}: {number}");
    }
    // What is not issued has no day of issue, and only what is void says why.
    let (issued, voided) = (answer("get_invoice"), answer("void_invoice"));
    assert!(
        issued["status"] == "issued" && issued["issued_on"].is_string() && issued["void_reason"].is_null()
    );
    assert!(
        voided["status"] == "voided"
            && voided["void_reason"].is_string()
            && voided["paid"]["amount"] == "0.00"
    );
    let withdrawn = answer("withdraw_invoice");
    assert!(withdrawn["status"] == "draft" && withdrawn["issued_on"].is_null(), "{withdrawn}");
    // Sums are those of what is shown.
    let report = answer("get_aging_by_team");
    let cents = |amount: &Value| amount["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    for bucket in ["current", "days_1_to_30", "overdue", "total"] {
        let sum: i64 = report["data"].as_array().unwrap().iter().map(|line| cents(&line[bucket])).sum();
        assert_eq!(sum, cents(&report["totals"][0][bucket]), "{bucket}");
    }
    let machine = answer("list_workflows")["data"][0].clone();
    assert!(machine["states"].as_array().unwrap().len() > 3, "{machine}");
    assert!(machine["svg"].as_str().unwrap().starts_with("<svg"), "{machine}");
}
