//! What schemas say, and values held against them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{committed, operations, resolve, visit};

/// The properties that a schema knows, its parts' among them.
fn properties<'a>(document: &'a Value, schema: &'a Value) -> BTreeSet<&'a str> {
    let schema = resolve(document, schema);
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let parts = schema["allOf"].as_array().into_iter().flatten();
    own.chain(parts.flat_map(|part| properties(document, part))).collect()
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no such type: {other}"),
    }
}

pub(super) fn has_format(text: &str, format: &str) -> bool {
    let shaped = |shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                b'x' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
                like => byte == like,
            })
    };
    match format {
        "uuid" => shaped("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"),
        "date" => shaped("0000-00-00"),
        "date-time" => shaped("0000-00-00T00:00:00.000Z"),
        "email" => text.contains('@'),
        _ => true,
    }
}

/// Where a value is not as its schema says. A member that the schema does not name is a fault too, whether or
/// not JSON Schema would mind: a client that was generated from the document would never see it.
pub(super) fn faults(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = resolve(document, schema);
    let mut wrong = Vec::new();
    let mut fault = |holds: bool, rule: &str| {
        if !holds {
            wrong.push(format!("{at}: {rule} {} does not hold for {value}", schema[rule]));
        }
    };
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        several => several.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    fault(types.is_empty() || types.iter().any(|name| is_of_type(value, name)), "type");
    if let Some(allowed) = schema["enum"].as_array() {
        fault(allowed.contains(value), "enum");
    }
    let limit = |rule: &str| schema[rule].as_u64().and_then(|limit| usize::try_from(limit).ok());
    if let Some(text) = value.as_str() {
        let length = text.chars().count();
        fault(limit("minLength").is_none_or(|limit| length >= limit), "minLength");
        fault(limit("maxLength").is_none_or(|limit| length <= limit), "maxLength");
        fault(schema["format"].as_str().is_none_or(|format| has_format(text, format)), "format");
    }
    if let Some(number) = value.as_i64() {
        fault(schema["minimum"].as_i64().is_none_or(|limit| number >= limit), "minimum");
        fault(schema["maximum"].as_i64().is_none_or(|limit| number <= limit), "maximum");
    }
    let matching = |rule: &str| {
        let parts = schema[rule].as_array()?;
        Some(parts.iter().filter(|part| faults(document, part, value, at).is_empty()).count())
    };
    fault(matching("oneOf").is_none_or(|matching| matching == 1), "oneOf");
    fault(matching("anyOf").is_none_or(|matching| matching > 0), "anyOf");
    if let Some(items) = value.as_array() {
        fault(limit("minItems").is_none_or(|limit| items.len() >= limit), "minItems");
        fault(limit("maxItems").is_none_or(|limit| items.len() <= limit), "maxItems");
        for (index, item) in items.iter().enumerate().filter(|_| schema.get("items").is_some()) {
            wrong.extend(faults(document, &schema["items"], item, &format!("{at}/{index}")));
        }
    }
    if let Some(members) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                wrong.push(format!("{at}: {name} is missing"));
            }
        }
        let known = properties(document, schema);
        let open = schema.get("additionalProperties").is_some_and(|more| more != false)
            || (known.is_empty() && schema.get("oneOf").is_none());
        for (name, member) in members {
            if let Some(described) = schema["properties"].get(name) {
                wrong.extend(faults(document, described, member, &format!("{at}/{name}")));
            } else if let Some(others) = schema.get("additionalProperties").filter(|more| more.is_object()) {
                wrong.extend(faults(document, others, member, &format!("{at}/{name}")));
            } else if !open && !known.contains(name.as_str()) && schema.get("oneOf").is_none() {
                wrong.push(format!("{at}: {name} is not described"));
            }
        }
    }
    wrong
}

/// How many bytes the longest value of a schema takes in an address.
fn longest(document: &Value, schema: &Value) -> usize {
    let schema = resolve(document, schema);
    let limit = |rule: &str| schema[rule].as_u64().and_then(|limit| usize::try_from(limit).ok());
    if schema["type"] == "array" {
        let most = limit("maxItems").expect("a list says how many items it has");
        return most * (longest(document, &schema["items"]) + "%2C".len());
    }
    // A character has four bytes at most, each of which may be written as `%F0`.
    let words = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let words = words.map(|word| word.len() * "%F0".len()).max();
    // Numbers and truth values are shorter than any text that matters here.
    words.or_else(|| Some(limit("maxLength")? * "%F0%9F%90%8D".len())).unwrap_or(20)
}

#[test]
fn every_query_parameter_fits_into_an_address() {
    // Longer addresses are not even read.
    const MOST: usize = 65_534;
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = resolve(&document, parameter);
            if parameter["in"] == "query" {
                seen += 1;
                let length = longest(&document, &parameter["schema"]);
                if length > MOST {
                    wrong.push(format!("{method} {path}: {} may take {length} bytes", parameter["name"]));
                }
            }
        }
    }
    assert!(seen > 500, "{seen} parameters");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_schema_asks_for_the_impossible() {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let mut wrong = Vec::new();
    visit(&document, "", &mut |at, members| {
        // Each part sees the whole object: one that refuses what it does not know refuses the others' members.
        for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            if resolve(&document, part)["additionalProperties"] == false {
                wrong.push(format!("{at}: a part of allOf refuses the members of the others"));
            }
        }
        // What must be there must be allowed to be there.
        let closed = members.get("additionalProperties").is_some_and(|more| more == false);
        for name in members.get("required").and_then(Value::as_array).into_iter().flatten() {
            if closed && members["properties"].get(name.as_str().unwrap()).is_none() {
                wrong.push(format!("{at}: {name} is required and refused"));
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_told_of_its_size_is_true() {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let count = |pointer| document.pointer(pointer).and_then(Value::as_object).expect(pointer).len();
    let figures =
        [operations(&document).len(), count("/paths"), count("/components/schemas"), count("/webhooks")];
    let row = format!(
        "| operations, paths, named schemas, webhooks | | {} |",
        figures.map(|figure| figure.to_string()).join(", ")
    );
    let told = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/quality.md")).unwrap();
    assert!(told.contains(&row), "docs/quality.md should say `{row}`");
}

#[test]
fn every_id_has_its_form() {
    let document: Value = serde_json::from_str(&committed("json")).unwrap();
    let (mut bare, mut seen) = (Vec::new(), 0);
    visit(&document, "", &mut |at, schema| {
        if schema.get("format").is_some_and(|format| format == "uuid") {
            seen += 1;
            let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
            if !pattern.starts_with("^[0-9a-fA-F]{8}-") || schema.get("minLength") != Some(&json!(36)) {
                bare.push(at.to_owned());
            }
        }
    });
    assert!(seen > 200, "{seen} ids");
    assert!(bare.is_empty(), "{} allow other forms:\n{}", bare.len(), bare.join("\n"));
}

#[test]
fn the_comparison_finds_what_is_wrong() {
    let document =
        json!({"components": {"schemas": {"Name": {"type": "string", "minLength": 1, "maxLength": 3}}}});
    let name = json!({"$ref": "#/components/schemas/Name"});
    let schema = json!({
        "type": "object", "required": ["name"],
        "properties": {
            "name": name,
            "other": {"oneOf": [name, {"type": "null"}]},
            "day": {"type": "string", "format": "date"},
            "many": {"type": "array", "maxItems": 1, "items": {"type": "integer", "maximum": 9}},
            "word": {"enum": ["a", "b"]},
            "figures": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
    });
    let count = |value: Value| faults(&document, &schema, &value, "").len();
    assert_eq!(
        count(
            json!({"name": "abc", "other": null, "day": "2026-01-31", "many": [9], "word": "a", "figures": {"x": 1}})
        ),
        0
    );
    for wrong in [
        json!([]),
        json!({}),
        json!({"name": 1}),
        json!({"name": ""}),
        json!({"name": "abcd"}),
        json!({"name": "a", "more": 1}),
        json!({"name": "a", "other": 1}),
        json!({"name": "a", "day": "31.01.2026"}),
        json!({"name": "a", "many": [1, 2]}),
        json!({"name": "a", "many": [10]}),
        json!({"name": "a", "word": "c"}),
        json!({"name": "a", "figures": {"x": "1"}}),
    ] {
        assert!(count(wrong.clone()) > 0, "{wrong}");
    }
}
