//! The committed document, and what would be missed of it.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Map, Value, json};

use super::{TODAY, referring};
use crate::compat::{DOCUMENT, comparison::compare};
use crate::process;

fn committed() -> Value {
    let text = fs::read_to_string(process::root().join(DOCUMENT)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn places(before: &Value, after: &Value) -> Vec<(String, String)> {
    let changes = compare(before, after, TODAY).unwrap();
    changes.into_iter().map(|change| (change.rule.to_string(), change.place)).collect()
}

fn map<'a>(document: &'a Value, pointer: &str) -> &'a Map<String, Value> {
    document.pointer(pointer).and_then(Value::as_object).unwrap()
}

#[test]
fn the_committed_document_is_compatible_with_itself() {
    assert_eq!(places(&committed(), &committed()), []);
}

#[test]
fn any_operation_of_the_committed_document_is_missed() {
    const ROUNDS: usize = 5;
    let before = committed();
    let operations: Vec<(&str, &str)> = map(&before, "/paths")
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (path.as_str(), method.as_str()))
        })
        .collect();
    assert!(operations.len() > 100);
    // Each is away in one round, with others that have nothing to do with it.
    for round in 0..ROUNDS {
        let mut after = before.clone();
        let mut expected = BTreeSet::new();
        for (path, method) in operations.iter().skip(round).step_by(ROUNDS) {
            after["paths"][path].as_object_mut().unwrap().shift_remove(*method).unwrap();
            let place = format!("{} {path}", method.to_uppercase());
            expected.insert(("api-removed-without-deprecation".to_owned(), place));
        }
        assert_eq!(places(&before, &after).into_iter().collect::<BTreeSet<_>>(), expected);
    }
}

#[test]
fn any_webhook_of_the_committed_document_is_missed() {
    let before = committed();
    let mut after = before.clone();
    after.as_object_mut().unwrap().shift_remove("webhooks").unwrap();
    let removed = |name: &String| ("webhook-removed".to_owned(), format!("POST webhook {name}"));
    let expected: BTreeSet<_> = map(&before, "/webhooks").keys().map(removed).collect();
    assert!(expected.len() > 50, "{expected:?}");
    assert_eq!(places(&before, &after).into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn any_header_of_any_webhook_of_the_committed_document_is_missed() {
    let before = committed();
    for header in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let named = json!({"$ref": format!("#/components/parameters/{header}")});
        let mut after = before.clone();
        let mut expected = BTreeSet::new();
        for (name, item) in after["webhooks"].as_object_mut().unwrap() {
            let parameters = item["post"]["parameters"].as_array_mut().unwrap();
            let place = parameters.iter().position(|parameter| *parameter == named).unwrap();
            parameters.remove(place);
            let place = format!("POST webhook {name} header {header}");
            expected.insert(("required-response-header-removed".to_owned(), place));
        }
        assert_eq!(places(&before, &after).into_iter().collect::<BTreeSet<_>>(), expected);
    }
}

#[test]
fn any_member_of_any_message_of_the_committed_document_is_missed() {
    let mut before = committed();
    // Without operations, nothing but the messages leads to these schemas.
    before["paths"] = json!({});
    let mut tried = BTreeSet::new();
    for name in reached(&before, &before["webhooks"]) {
        let schema = &before["components"]["schemas"][&name];
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { continue };
        for member in properties.keys() {
            let mut after = before.clone();
            let properties = after["components"]["schemas"][&name]["properties"].as_object_mut().unwrap();
            properties.shift_remove(member).unwrap();
            let place = format!("schema {name} in responses /{member}");
            let expected = [("response-required-property-removed".to_owned(), place)];
            assert_eq!(places(&before, &after), expected);
            tried.insert(format!("{name}/{member}"));
        }
    }
    assert!(tried.contains("HappenedData/sequence") && tried.contains("PingData/webhook_id"), "{tried:?}");
}

/// The names of all schemas that a part leads to.
fn reached(document: &Value, part: &Value) -> BTreeSet<String> {
    fn collect(document: &Value, part: &Value, names: &mut BTreeSet<String>) {
        match part {
            Value::Object(members) => {
                if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                    let schema = target.strip_prefix("#/components/schemas/");
                    if schema.is_none_or(|name| names.insert(name.to_owned())) {
                        collect(document, document.pointer(&target[1..]).unwrap(), names);
                    }
                }
                members.values().for_each(|member| collect(document, member, names));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(document, item, names)),
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    collect(document, part, &mut names);
    names
}

#[test]
fn any_member_of_any_answer_of_the_committed_document_is_missed() {
    let document = committed();
    let operations = map(&document, "/paths").values().flat_map(|item| item.as_object().unwrap().values());
    let responses: Value = operations.map(|operation| operation["responses"].clone()).collect();
    let mut tried = 0;
    for name in reached(&document, &responses) {
        let schema = &document["components"]["schemas"][&name];
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { continue };
        // As much of the document as this schema needs: the whole would be compared hundreds of times.
        let needed = reached(&document, &json!({"$ref": format!("#/components/schemas/{name}")}));
        let schemas = map(&document, "/components/schemas").iter().filter(|(name, _)| needed.contains(*name));
        let schemas: Map<String, Value> =
            schemas.map(|(name, schema)| (name.clone(), schema.clone())).collect();
        let before = referring(&name, Value::Object(schemas));
        for member in properties.keys() {
            let mut after = before.clone();
            let properties = after["components"]["schemas"][&name]["properties"].as_object_mut().unwrap();
            properties.shift_remove(member).unwrap();
            let place = format!("schema {name} in responses /{member}");
            let missed =
                |(rule, found): &(String, String)| rule.ends_with("-property-removed") && *found == place;
            assert!(places(&before, &after).iter().any(missed), "{place}");
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
}
