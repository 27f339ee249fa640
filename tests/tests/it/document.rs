//! The specification: committed, true, and the same thing as the router.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Company, Server};

on_both_databases! {
    the_served_document_is_the_committed_one;
    every_operation_is_routed_and_described;
    answers_are_as_described;
}

fn committed(format: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../openapi/fairlead.v1.{format}"));
    std::fs::read_to_string(path).expect("the committed document can be read")
}

async fn the_served_document_is_the_committed_one(server: Server) {
    for format in ["json", "yaml"] {
        let printed = server.command(&["openapi", "--format", format]).output().await.unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        assert!(
            printed.trim_end() == committed(format).trim_end(),
            "openapi/fairlead.v1.{format} is out of date: run `cargo xtask openapi` and commit it"
        );
    }
    let answer = server.anonymous().get_root("/openapi.json").await.expect(200);
    assert_eq!(answer.body, serde_json::from_str::<Value>(&committed("json")).unwrap());
}

/// Every operation of the document: method, path, and itself.
fn operations(document: &Value) -> Vec<(Method, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Ok(method) = method.to_uppercase().parse::<Method>()
                && operation.get("operationId").is_some()
            {
                found.push((method, path.clone(), operation));
            }
        }
    }
    found
}

async fn every_operation_is_routed_and_described(server: Server) {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let client = server.anonymous();
    let (mut ids, mut wrong) = (BTreeSet::new(), Vec::new());
    let operations = operations(&document);
    assert!(operations.len() > 100);
    for (method, path, operation) in &operations {
        let what = format!("{method} {path}");
        if !ids.insert(operation["operationId"].as_str().unwrap()) {
            wrong.push(format!("{what}: its operationId is taken"));
        }
        for member in ["summary", "description", "tags", "security", "responses"] {
            if operation[member].is_null() {
                wrong.push(format!("{what}: without {member}"));
            }
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let problem = response.to_string().contains("#/components/schemas/Problem");
            let refers = response.get("$ref").is_some();
            if status.starts_with(['4', '5']) && !problem && !refers && status != "503" {
                wrong.push(format!("{what}: {status} is no problem document"));
            }
        }
        let concrete =
            path.replace("{id}", "0190163d-8694-739b-aea5-966c26f8ad91").replace("{code}", "not_found");
        let answer = client.send(client.root(method.clone(), &concrete)).await;
        let unknown =
            answer.status == 404 && answer.body["detail"].as_str().is_some_and(|why| why.contains("path"));
        if answer.status == 405 || answer.status >= 500 || unknown {
            wrong.push(format!("{what}: answers {} {}", answer.status, answer.text));
        }
    }
    let known = document["components"]["schemas"].as_object().unwrap();
    for name in references(&document) {
        if !known.contains_key(&name) {
            wrong.push(format!("the schema {name} is missing"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names of all schemas that are referred to.
fn references(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| match (name.as_str(), member.as_str()) {
                ("$ref", Some(target)) => {
                    target.strip_prefix("#/components/schemas/").map(str::to_owned).into_iter().collect()
                }
                _ => references(member),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

/// The properties of a schema and those of them that must be there, through `$ref` and `allOf`.
fn properties<'a>(document: &'a Value, schema: &'a Value) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    if let Some(target) = schema["$ref"].as_str() {
        return properties(document, document.pointer(target.trim_start_matches('#')).unwrap());
    }
    let mut all: BTreeSet<&str> =
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let mut required: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let (more, needed) = properties(document, part);
        all.extend(more);
        required.extend(needed);
    }
    (all, required)
}

async fn answers_are_as_described(server: Server) {
    let company = Company::found(&server).await;
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    let invoice = company.issued(&company.rep, &contract, "100.00").await;
    let payment =
        company.rep.client.post("/payments", Company::payment(&contract, "40.00")).await.expect(201).id();
    let customer = company.customer(&company.rep).await;
    for (path, operation) in [
        (format!("/contracts/{contract}"), "get_contract"),
        (format!("/contracts/{contract}/billing"), "get_contract_billing"),
        (format!("/invoices/{invoice}"), "get_invoice"),
        (format!("/payments/{payment}"), "get_payment"),
        (format!("/customers/{customer}"), "get_customer"),
        ("/contracts?include=owner,customer".to_owned(), "list_contracts"),
        ("/approvals?total=true".to_owned(), "list_approvals"),
        ("/me".to_owned(), "get_me"),
    ] {
        let answer = company.director.client.get(&path).await.expect(200);
        let operations = operations(&document);
        let found = operations.iter().find(|(_, _, one)| one["operationId"] == operation);
        let (_, _, described) = found.unwrap_or_else(|| panic!("{operation} is not in the document"));
        let schema = &described["responses"]["200"]["content"]["application/json"]["schema"];
        let (all, required) = properties(&document, schema);
        let members: BTreeSet<&str> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(members.is_subset(&all), "{operation}: not described: {:?}", members.difference(&all));
        assert!(required.is_subset(&members), "{operation}: missing: {:?}", required.difference(&members));
    }
}
