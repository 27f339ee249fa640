//! Schemas of responses: loosening breaks, tightening does not.

use serde_json::json;

use super::{Case, got, object, response, text};

pub(super) fn pairs() -> Vec<Case> {
    vec![
        (
            "required member removed on its day",
            response(object(
                json!({"a": {"type": "string", "deprecated": true, "x-sunset": "2026-01-01"}}),
                json!(["a"]),
            )),
            response(object(json!({}), json!([]))),
            &[],
        ),
        ("another type", got(text()), got(json!({"type": "integer"})), &["response-property-type-changed"]),
        (
            "more types",
            got(text()),
            got(json!({"type": ["string", "integer"]})),
            &["response-property-type-changed"],
        ),
        ("fewer types", got(json!({"type": ["string", "integer"]})), got(text()), &[]),
        (
            "integers to numbers",
            got(json!({"type": "integer"})),
            got(json!({"type": "number"})),
            &["response-property-type-changed"],
        ),
        ("numbers to integers", got(json!({"type": "number"})), got(json!({"type": "integer"})), &[]),
        (
            "no format",
            got(json!({"type": "string", "format": "date"})),
            got(text()),
            &["response-property-type-changed"],
        ),
        ("a format", got(text()), got(json!({"type": "string", "format": "date"})), &[]),
        (
            "maybe null",
            got(text()),
            got(json!({"type": ["string", "null"]})),
            &["response-property-became-nullable"],
        ),
        ("never null", got(json!({"oneOf": [text(), {"type": "null"}]})), got(text()), &[]),
        (
            "values added and removed",
            got(json!({"type": "string", "enum": ["a", "b"]})),
            got(json!({"type": "string", "enum": ["a", "c"]})),
            &[],
        ),
        (
            "another constant",
            got(json!({"type": "string", "const": "a"})),
            got(json!({"type": "string", "const": "b"})),
            &["response-property-const-changed"],
        ),
        (
            "constant no more",
            got(json!({"type": "string", "const": "a"})),
            got(text()),
            &["response-property-const-changed"],
        ),
        ("constant", got(text()), got(json!({"type": "string", "const": "a"})), &[]),
        ("constant, written as the only value", got(json!({"const": "a"})), got(json!({"enum": ["a"]})), &[]),
        (
            "another pattern",
            got(json!({"type": "string", "pattern": "^a"})),
            got(json!({"type": "string", "pattern": "^b"})),
            &[],
        ),
        (
            "longer",
            got(json!({"type": "string", "minLength": 2, "maxLength": 8})),
            got(json!({"type": "string", "minLength": 1, "maxLength": 9})),
            &["response-property-max-length-increased", "response-property-min-length-decreased"],
        ),
        (
            "no limits",
            got(json!({"type": "integer", "minimum": 1, "maximum": 8})),
            got(json!({"type": "integer"})),
            &["response-property-max-unset", "response-property-min-unset"],
        ),
        (
            "shorter",
            got(json!({"type": "string"})),
            got(json!({"type": "string", "minLength": 1, "maxLength": 9})),
            &[],
        ),
        (
            "longer list",
            got(json!({"type": "array", "minItems": 1, "maxItems": 8})),
            got(json!({"type": "array", "minItems": 1, "maxItems": 9})),
            &[],
        ),
        (
            "empty list",
            got(json!({"type": "array", "minItems": 1})),
            got(json!({"type": "array"})),
            &["response-property-min-items-decreased"],
        ),
        (
            "map removed",
            got(json!({"type": "object", "additionalProperties": text()})),
            got(json!({"type": "object", "additionalProperties": false})),
            &["response-optional-property-removed"],
        ),
        (
            "alternative added",
            got(text()),
            got(json!({"oneOf": [text(), {"type": "integer"}]})),
            &["response-property-one-of-added"],
        ),
        ("alternative removed", got(json!({"oneOf": [text(), {"type": "integer"}]})), got(text()), &[]),
        (
            "null among alternatives",
            got(json!({"oneOf": [text(), {"type": "integer"}]})),
            got(json!({"oneOf": [text(), {"type": "null"}, {"type": "integer"}]})),
            &["response-property-became-nullable"],
        ),
    ]
}
