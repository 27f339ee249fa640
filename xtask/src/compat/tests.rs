//! Pairs of documents and the rules that they break.

// The functions that build documents read like the documents: they take what `json!` gives.
#![expect(clippy::needless_pass_by_value, reason = "a table of values without ampersands is easier to read")]

mod bodies;
mod committed;
mod names;
mod operations;
mod requests;
mod responses;
mod webhooks;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::comparison::compare;

const TODAY: &str = "2026-06-01";

/// A name, the two documents, and the rules.
type Case = (&'static str, Value, Value, &'static [&'static str]);

fn operation(operation: Value) -> Value {
    json!({"paths": {"/things/{id}": {"get": operation}}})
}

fn two_operations(second: Value) -> Value {
    json!({"paths": {"/things": {"get": {"operationId": "list"}, "post": second}}})
}

fn parameter(parameter: Value) -> Value {
    operation(json!({"parameters": [{"name": "id", "in": "path", "required": true}, parameter]}))
}

fn query(schema: Value) -> Value {
    parameter(json!({"name": "q", "in": "query", "schema": schema}))
}

fn body(body: Value) -> Value {
    operation(json!({"requestBody": body}))
}

fn request(schema: Value) -> Value {
    body(json!({"content": {"application/json": {"schema": schema}}}))
}

fn answer(response: Value) -> Value {
    operation(json!({"responses": {"200": response}}))
}

fn response(schema: Value) -> Value {
    answer(json!({"content": {"application/json": {"schema": schema}}}))
}

fn header(header: Value) -> Value {
    answer(json!({"headers": {"ETag": header}}))
}

fn security(security: Value) -> Value {
    operation(json!({"security": security}))
}

/// The same schema in requests and responses, by name.
fn both(schemas: Value) -> Value {
    let content =
        json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
    let mut document = operation(json!({"requestBody": content, "responses": {"200": content}}));
    document["components"] = json!({"schemas": schemas});
    document
}

fn referring(name: &str, schemas: Value) -> Value {
    let mut document = response(json!({"$ref": format!("#/components/schemas/{name}")}));
    document["components"] = json!({"schemas": schemas});
    document
}

fn object(properties: Value, required: Value) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// A member of a request.
fn sent(schema: Value) -> Value {
    request(object(json!({"m": schema}), json!([])))
}

/// A member of a response.
fn got(schema: Value) -> Value {
    response(object(json!({"m": schema}), json!([])))
}

/// What holds of the members of whatever is received.
fn received_members(message: impl Fn(Value) -> Value) -> Vec<Case> {
    let members = |required: Value| message(object(json!({"a": text(), "b": text()}), required));
    let one = || message(object(json!({"a": text()}), json!(["a"])));
    vec![
        (
            "required member removed",
            members(json!(["a", "b"])),
            one(),
            &["response-required-property-removed"],
        ),
        ("optional member removed", members(json!(["a"])), one(), &["response-optional-property-removed"]),
        ("member added", one(), members(json!(["a", "b"])), &[]),
        (
            "became optional",
            members(json!(["a", "b"])),
            members(json!(["a"])),
            &["response-property-became-optional"],
        ),
        ("became required", members(json!(["a"])), members(json!(["a", "b"])), &[]),
    ]
}

fn text() -> Value {
    json!({"type": "string"})
}

fn all() -> Vec<Case> {
    [
        operations::pairs(),
        bodies::pairs(),
        requests::pairs(),
        responses::pairs(),
        received_members(response),
        names::pairs(),
        webhooks::pairs(),
    ]
    .concat()
}

#[test]
fn each_pair_breaks_the_rules_that_it_should() {
    for (name, before, after, expected) in all() {
        let changes = compare(&before, &after, TODAY).unwrap();
        let mut found: Vec<String> = changes.iter().map(|change| change.rule.to_string()).collect();
        found.sort();
        assert_eq!(found, expected, "{name}: {changes:#?}");
        let same = compare(&before, &before, TODAY).unwrap();
        assert_eq!(same, [], "{name}, compared with itself");
    }
}

#[test]
fn every_rule_is_in_the_table() {
    let found: BTreeSet<&str> = all().into_iter().flat_map(|(_, _, _, expected)| expected).copied().collect();
    let written =
        include_str!("change.rs").lines().filter_map(|line| line.split_once(" => \"")?.1.split_once('"'));
    let mut count = 0;
    for (part, _) in written {
        count += 1;
        assert!(found.iter().any(|rule| rule.contains(part)), "no pair breaks {part}");
    }
    assert!(count > 50, "the rules are written down in another way: {count}");
}

#[test]
fn a_named_part_is_reported_once_and_under_its_name() {
    let document = |limit: u32| {
        let use_it = json!({
            "parameters": [{"$ref": "#/components/parameters/Key"}],
            "responses": {"200": {"$ref": "#/components/responses/Fine"}}
        });
        let list = json!({"type": "array", "items": {"$ref": "#/components/schemas/Line"}});
        let key = json!({"type": "string", "maxLength": 10 - limit});
        json!({
            "paths": {"/a": {"get": use_it, "post": use_it}, "/b": {"get": use_it}},
            "components": {
                "parameters": {"Key": {"name": "key", "in": "query", "schema": key}},
                "responses": {"Fine": {
                    "headers": {"Link": {"$ref": "#/components/headers/Link"}},
                    "content": {"text/plain": {"schema": list}}
                }},
                "headers": {"Link": {"schema": {"type": if limit == 1 { "string" } else { "boolean" }}}},
                "schemas": {"Line": object(json!({"a": {"type": "string", "maxLength": limit}}), json!([]))}
            }
        })
    };
    let changes = compare(&document(1), &document(2), TODAY).unwrap();
    let found: Vec<String> =
        changes.iter().map(|change| format!("{} {}", change.rule, change.place)).collect();
    assert_eq!(
        found,
        [
            "request-parameter-max-length-decreased parameter Key",
            "response-header-type-changed header Link",
            "response-property-max-length-increased schema Line in responses /a",
        ]
    );
}

#[test]
fn places_within_operations_are_exact() {
    let before = request(object(
        json!({"a": {"type": "array", "items": {"oneOf": [text(), {"type": "integer"}]}}}),
        json!([]),
    ));
    let after = request(object(json!({"a": {"type": "array", "items": text()}}), json!([])));
    let changes = compare(&before, &after, TODAY).unwrap();
    let places: Vec<&str> = changes.iter().map(|change| change.place.as_str()).collect();
    assert_eq!(places, ["GET /things/{id} request body application/json /a[](integer)"]);
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    let whole = response(text());
    for target in
        ["#/components/schemas/None", "other.json#/A", "#/paths/~1things~1{id}/get/responses/200/content/a"]
    {
        let mut broken = response(json!({"$ref": target}));
        broken["paths"]["/things/{id}"]["get"]["responses"]["200"]["content"]["a"] = json!({"$ref": target});
        assert!(compare(&whole, &broken, TODAY).is_err(), "{target}");
        assert!(compare(&broken, &whole, TODAY).is_err(), "{target}");
    }
    assert!(compare(&whole, &json!({}), TODAY).is_err());
}
