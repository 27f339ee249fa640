//! The document, the router and the committed file are the same thing.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::{UNKNOWN_ID, committed, operations};
use crate::support::Server;

on_both_databases! {
    the_served_document_is_the_committed_one;
    every_operation_is_routed_and_described;
    no_method_is_routed_that_is_not_described;
    what_is_beside_the_api_is_read_and_nothing_else;
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
    let answer = server.anonymous().get_root("/openapi.yaml").await.expect(200);
    assert!(answer.text.trim_end() == committed("yaml").trim_end(), "another YAML is served than printed");
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
        let concrete = path.replace("{id}", UNKNOWN_ID).replace("{code}", "not_found");
        let answer = client.send(client.root(method.clone(), &concrete)).await;
        let unknown =
            answer.status == 404 && answer.body["detail"].as_str().is_some_and(|why| why.contains("path"));
        if answer.status == 405 || answer.status >= 500 || unknown {
            wrong.push(format!("{what}: answers {} {}", answer.status, answer.text));
        }
    }
    for target in references(&document) {
        if target.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).is_none() {
            wrong.push(format!("{target} leads nowhere"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything that is referred to.
fn references(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| match (name.as_str(), member.as_str()) {
                ("$ref", Some(target)) => BTreeSet::from([target.to_owned()]),
                _ => references(member),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

async fn no_method_is_routed_that_is_not_described(server: Server) {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let client = server.anonymous();
    for (path, item) in document["paths"].as_object().unwrap() {
        let mut described: BTreeSet<String> =
            item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        described.insert("OPTIONS".to_owned());
        if described.contains("GET") {
            described.insert("HEAD".to_owned());
        }
        let concrete = path.replace("{id}", UNKNOWN_ID).replace("{code}", "not_found");
        let answer = client.send(client.root(Method::PUT, &concrete)).await;
        let answer = answer.refused(405, "method_not_allowed");
        let allowed: BTreeSet<String> = answer.header("allow").split(", ").map(str::to_owned).collect();
        assert_eq!(allowed, described, "{path}");
        for method in [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::TRACE] {
            let answer = client.send(client.root(method.clone(), &concrete)).await;
            assert_eq!(
                answer.status == 405,
                !described.contains(method.as_str()),
                "{method} {path}: {}",
                answer.text
            );
        }
    }
}

/// The pages and the document are no operations, and answer other methods as operations do.
async fn what_is_beside_the_api_is_read_and_nothing_else(server: Server) {
    let client = server.anonymous();
    let ask = async |method: Method, path: &str| client.send(client.root(method, path)).await;
    for path in [
        "/openapi.json",
        "/openapi.yaml",
        "/swagger-ui/",
        "/swagger-ui/swagger-ui.css",
        "/swagger-ui/swagger-initializer.js",
        "/swagger-ui/demo-accounts.json",
        "/problems",
        "/problems/not_found",
    ] {
        let whole = ask(Method::GET, path).await.expect(200);
        let head = ask(Method::HEAD, path).await.expect(200);
        assert!(head.text.is_empty() && !whole.text.is_empty(), "{path}");
        for header in ["content-type", "etag", "content-security-policy"] {
            assert_eq!(head.header(header), whole.header(header), "{path} {header}");
        }
        let allowed = |header: &str| header.split(", ").map(str::to_owned).collect::<BTreeSet<String>>();
        let expected = allowed("OPTIONS, GET, HEAD");
        let options = ask(Method::OPTIONS, path).await.expect(204);
        assert_eq!(allowed(options.header("allow")), expected, "{path}");
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE] {
            let refused = ask(method.clone(), path).await.refused(405, "method_not_allowed");
            assert_eq!(allowed(refused.header("allow")), expected, "{method} {path}");
        }
    }
    // What is not there is not there for HEAD either.
    for path in ["/swagger-ui/nope.js", "/problems/nope", "/nope"] {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(ask(method.clone(), path).await.status, 404, "{method} {path}");
        }
    }
    for path in
        ["/openapi.json", "/swagger-ui/", "/swagger-ui/swagger-ui.css", "/swagger-ui/favicon-32x32.png"]
    {
        let whole = ask(Method::GET, path).await.expect(200);
        let known = whole.header("etag").to_owned();
        assert_eq!(whole.header("cache-control"), "no-cache", "{path}");
        for method in [Method::GET, Method::HEAD] {
            let again = client.root(method.clone(), path).header("if-none-match", &known);
            assert_eq!(client.send(again).await.status, 304, "{method} {path}");
        }
    }
}
