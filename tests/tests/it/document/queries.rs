//! What queries may say: what the document says, and nothing else.

use serde_json::{Value, json};

use super::{UNKNOWN_ID, committed, operations, resolve};
use crate::support::{Company, Server};

on_both_databases! {
    what_is_unknown_is_told_with_what_the_document_knows;
}

async fn what_is_unknown_is_told_with_what_the_document_knows(server: Server) {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let client = Company::found(&server).await.admin.client;
    let mut wrong = Vec::new();
    for (method, path, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let queried = parameters.map(|it| resolve(&document, it)).filter(|it| it["in"] == "query");
        let mut documented: Vec<&str> = queried.map(|it| it["name"].as_str().unwrap()).collect();
        let concrete = path.replace("{id}", UNKNOWN_ID).replace("{code}", "not_found");
        let request = client.root(method.clone(), &format!("{concrete}?no_such_parameter=1"));
        let answer = client.send(request).await.refused(400, "malformed_request");
        let mut told: Vec<&str> =
            answer.body["allowed"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        documented.sort_unstable();
        told.sort_unstable();
        let pointer = &answer.body["errors"][0]["pointer"];
        if told != documented || *pointer != json!("no_such_parameter") || answer.body["allowed"].is_null() {
            wrong.push(format!("{method} {path} takes {documented:?} and says {told:?} about {pointer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
