//! The specification: committed, true, and the same thing as the router.

mod answers;
mod examples;
mod queries;
mod routes;
mod schemas;
mod sent;

use std::path::Path;

use reqwest::Method;
use serde_json::Value;

const UNKNOWN_ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn committed(format: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../openapi/fairlead.v1.{format}"));
    std::fs::read_to_string(path).expect("the committed document can be read")
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

/// What a reference leads to, or the thing itself.
pub fn resolve<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str() {
        Some(target) => {
            let pointer = target.strip_prefix('#').expect("a reference within the document");
            resolve(document, document.pointer(pointer).unwrap_or_else(|| panic!("{target} leads nowhere")))
        }
        None => part,
    }
}

/// Visits every part of the document.
fn visit(part: &Value, at: &str, each: &mut impl FnMut(&str, &serde_json::Map<String, Value>)) {
    match part {
        Value::Object(members) => {
            each(at, members);
            // What stands in an example is no part of the document, whatever it looks like.
            for (name, member) in members.iter().filter(|(name, _)| !name.starts_with("example")) {
                visit(member, &format!("{at}/{name}"), each);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &format!("{at}/{index}"), each);
            }
        }
        _ => {}
    }
}
