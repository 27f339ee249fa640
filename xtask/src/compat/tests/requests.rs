//! Schemas of requests: tightening breaks, loosening does not.

use serde_json::{Value, json};

use super::{Case, object, request, sent, text};

pub(super) fn pairs() -> Vec<Case> {
    let members = |required: Value| request(object(json!({"a": text(), "b": text()}), required));
    let one = || request(object(json!({"a": text()}), json!(["a"])));
    let number = |bounds: Value| {
        let mut schema = json!({"type": "number"});
        schema.as_object_mut().unwrap().extend(bounds.as_object().unwrap().clone());
        sent(schema)
    };
    vec![
        ("member removed", members(json!(["a"])), one(), &["request-property-removed"]),
        ("optional member added", one(), members(json!(["a"])), &[]),
        ("required member added", one(), members(json!(["a", "b"])), &["new-required-request-property"]),
        ("became required", members(json!([])), members(json!(["a"])), &["request-property-became-required"]),
        ("became optional", members(json!(["a"])), members(json!([])), &[]),
        (
            "member removed on its day",
            sent(json!({"type": "string", "deprecated": true, "x-sunset": "2026-01-01"})),
            request(object(json!({}), json!([]))),
            &[],
        ),
        ("another type", sent(text()), sent(json!({"type": "integer"})), &["request-property-type-changed"]),
        (
            "fewer types",
            sent(json!({"type": ["string", "integer"]})),
            sent(text()),
            &["request-property-type-changed"],
        ),
        ("more types", sent(text()), sent(json!({"type": ["string", "integer"]})), &[]),
        ("integers to numbers", sent(json!({"type": "integer"})), sent(json!({"type": "number"})), &[]),
        ("a type where was none", sent(json!({})), sent(text()), &["request-property-type-changed"]),
        ("no type where was one", sent(text()), sent(json!({})), &[]),
        (
            "anything where an object was",
            sent(object(json!({"a": text()}), json!(["a"]))),
            sent(json!({})),
            &[],
        ),
        (
            "a format",
            sent(text()),
            sent(json!({"type": "string", "format": "date"})),
            &["request-property-type-changed"],
        ),
        ("no format", sent(json!({"type": "string", "format": "date"})), sent(text()), &[]),
        (
            "null refused",
            sent(json!({"type": ["string", "null"]})),
            sent(text()),
            &["request-property-became-not-nullable"],
        ),
        ("null taken", sent(text()), sent(json!({"oneOf": [text(), {"type": "null"}]})), &[]),
        (
            "value removed",
            sent(json!({"type": "string", "enum": ["a", "b"]})),
            sent(json!({"type": "string", "enum": ["a"]})),
            &["request-property-enum-value-removed"],
        ),
        (
            "value added",
            sent(json!({"type": "string", "enum": ["a"]})),
            sent(json!({"type": "string", "enum": ["a", "b"]})),
            &[],
        ),
        (
            "values listed",
            sent(text()),
            sent(json!({"type": "string", "enum": ["a"]})),
            &["request-property-became-enum"],
        ),
        ("values no longer listed", sent(json!({"type": "string", "enum": ["a"]})), sent(text()), &[]),
        (
            "another constant",
            sent(json!({"type": "string", "const": "a"})),
            sent(json!({"type": "string", "const": "b"})),
            &["request-property-enum-value-removed"],
        ),
        (
            "constant to values",
            sent(json!({"type": "string", "const": "a"})),
            sent(json!({"type": "string", "enum": ["a", "b"]})),
            &[],
        ),
        (
            "pattern added",
            sent(text()),
            sent(json!({"type": "string", "pattern": "^a"})),
            &["request-property-pattern-added"],
        ),
        (
            "pattern changed",
            sent(json!({"type": "string", "pattern": "^a"})),
            sent(json!({"type": "string", "pattern": "^b"})),
            &["request-property-pattern-changed"],
        ),
        ("pattern removed", sent(json!({"type": "string", "pattern": "^a"})), sent(text()), &[]),
        (
            "shorter",
            sent(json!({"type": "string", "minLength": 1, "maxLength": 9})),
            sent(json!({"type": "string", "minLength": 2, "maxLength": 8})),
            &["request-property-max-length-decreased", "request-property-min-length-increased"],
        ),
        (
            "longer",
            sent(json!({"type": "string", "minLength": 2, "maxLength": 8})),
            sent(json!({"type": "string", "maxLength": 9})),
            &[],
        ),
        (
            "limits set",
            number(json!({})),
            number(json!({"minimum": 0, "maximum": 9})),
            &["request-property-max-set", "request-property-min-set"],
        ),
        ("limits unset", number(json!({"minimum": 0, "maximum": 9})), number(json!({})), &[]),
        (
            "limits tightened",
            number(json!({"exclusiveMinimum": -1.5, "exclusiveMaximum": 9})),
            number(json!({"exclusiveMinimum": -1, "exclusiveMaximum": 8.5})),
            &["request-property-exclusive-max-decreased", "request-property-exclusive-min-increased"],
        ),
        (
            "a great limit",
            number(json!({"maximum": 9_223_372_036_854_775_807_u64})),
            number(json!({"maximum": 9_223_372_036_854_775_806_u64})),
            &["request-property-max-decreased"],
        ),
        ("a limit that is none", sent(text()), sent(json!({"type": "string", "minLength": 0})), &[]),
        (
            "fewer items",
            sent(json!({"type": "array", "maxItems": 9})),
            sent(json!({"type": "array", "maxItems": 8, "minItems": 1, "uniqueItems": true})),
            &[
                "request-property-max-items-decreased",
                "request-property-min-items-increased",
                "request-property-unique-items-set",
            ],
        ),
        (
            "more items",
            sent(json!({"type": "array", "maxItems": 8, "minItems": 1, "uniqueItems": true})),
            sent(json!({"type": "array", "maxItems": 9})),
            &[],
        ),
        (
            "fewer members",
            sent(json!({"type": "object", "maxProperties": 9})),
            sent(json!({"type": "object", "maxProperties": 8, "minProperties": 1})),
            &["request-property-max-properties-decreased", "request-property-min-properties-increased"],
        ),
        (
            "only multiples",
            number(json!({})),
            number(json!({"multipleOf": 5})),
            &["request-property-multiple-of-changed"],
        ),
        ("not only multiples", number(json!({"multipleOf": 5})), number(json!({})), &[]),
        (
            "items of another type",
            sent(json!({"type": "array", "items": text()})),
            sent(json!({"type": "array", "items": {"type": "integer"}})),
            &["request-property-type-changed"],
        ),
        (
            "other members refused",
            sent(json!({"type": "object"})),
            sent(json!({"type": "object", "additionalProperties": false})),
            &["request-property-additional-properties-refused"],
        ),
        (
            "other members taken",
            sent(json!({"type": "object", "additionalProperties": false})),
            sent(json!({"type": "object", "additionalProperties": text()})),
            &[],
        ),
        (
            "values of a map limited",
            sent(json!({"type": "object", "additionalProperties": text()})),
            sent(json!({"type": "object", "additionalProperties": {"type": "string", "enum": ["a"]}})),
            &["request-property-became-enum"],
        ),
        (
            "alternative removed",
            sent(json!({"oneOf": [text(), {"type": "integer"}]})),
            sent(text()),
            &["request-property-one-of-removed"],
        ),
        ("alternative added", sent(text()), sent(json!({"anyOf": [text(), {"type": "integer"}]})), &[]),
        (
            "alternative by its mark",
            sent(json!({"oneOf": [
                object(json!({"kind": {"const": "a"}, "x": text()}), json!(["kind"])),
                object(json!({"kind": {"const": "b"}, "y": text()}), json!(["kind"])),
            ]})),
            sent(json!({"oneOf": [
                object(json!({"kind": {"const": "b"}, "y": text()}), json!(["kind", "y"])),
                object(json!({"kind": {"const": "a"}, "x": text()}), json!(["kind"])),
            ]})),
            &["request-property-became-required"],
        ),
        (
            "keyword that is not compared",
            sent(json!({"not": text()})),
            sent(json!({"not": {"type": "integer"}})),
            &["request-property-keyword-changed"],
        ),
        (
            "remarks",
            sent(json!({"type": "string", "title": "A", "default": "a", "examples": ["a"], "x-note": 1})),
            sent(json!({"type": "string", "default": "b", "description": "B", "deprecated": true})),
            &[],
        ),
        (
            "parts merged",
            sent(
                json!({"allOf": [object(json!({"a": text()}), json!(["a"])), object(json!({"b": text()}), json!([]))]}),
            ),
            sent(object(json!({"a": text(), "b": text()}), json!(["a"]))),
            &[],
        ),
        (
            "a part tightened",
            sent(json!({"allOf": [{"type": "string", "maxLength": 9}]})),
            sent(json!({"allOf": [{"type": "string", "maxLength": 9}, {"maxLength": 8}]})),
            &["request-property-max-length-decreased"],
        ),
    ]
}
