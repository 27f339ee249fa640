//! Operations, their credentials and parameters.

use serde_json::{Value, json};

use super::{Case, operation, parameter, query, security, text, two_operations};

pub(super) fn pairs() -> Vec<Case> {
    let gone = || json!({"paths": {"/things": {"get": {"operationId": "list"}}}});
    let deprecated = |day: &str| two_operations(json!({"deprecated": true, "x-sunset": day}));
    let parameter_until =
        |day: &str| parameter(json!({"name": "q", "in": "query", "deprecated": true, "x-sunset": day}));
    let without = || operation(json!({"parameters": [{"name": "id", "in": "path", "required": true}]}));
    let path = |name: &str| {
        let parameter = json!({"name": name, "in": "path", "required": true});
        json!({"paths": {format!("/a/{{{name}}}/b"): {"get": {}, "parameters": [parameter]}}})
    };
    let scheme = |scheme: Value| json!({"paths": {}, "components": {"securitySchemes": {"a": scheme}}});
    let array = |explode: bool| {
        parameter(
            json!({"name": "q", "in": "query", "explode": explode, "schema": {"type": "array", "items": text()}}),
        )
    };
    vec![
        ("operation removed", two_operations(json!({})), gone(), &["api-removed-without-deprecation"]),
        (
            "operation removed that was deprecated without a date",
            two_operations(json!({"deprecated": true})),
            gone(),
            &["api-removed-without-deprecation"],
        ),
        ("a date that is none", deprecated("in summer"), gone(), &["api-removed-without-deprecation"]),
        ("operation removed too early", deprecated("2026-06-02"), gone(), &["api-removed-before-sunset"]),
        ("operation removed on its day", deprecated("2026-06-01"), gone(), &[]),
        ("operation removed after its day", deprecated("2026-05-31T12:00:00Z"), gone(), &[]),
        ("operation added", gone(), two_operations(json!({})), &[]),
        ("operation deprecated", two_operations(json!({})), two_operations(json!({"deprecated": true})), &[]),
        (
            "end came nearer",
            deprecated("2026-12-01"),
            deprecated("2026-11-30"),
            &["api-sunset-date-changed-too-small"],
        ),
        ("end was put off", deprecated("2026-12-01"), deprecated("2026-12-02"), &[]),
        (
            "path removed",
            json!({"paths": {"/things": {"get": {}}, "/others": {"get": {}}}}),
            json!({"paths": {"/things": {"get": {}}}}),
            &["api-removed-without-deprecation"],
        ),
        (
            "operationId changed",
            operation(json!({"operationId": "get_thing"})),
            operation(json!({"operationId": "fetch_thing"})),
            &["api-operation-id-removed"],
        ),
        ("operationId added", operation(json!({})), operation(json!({"operationId": "fetch_thing"})), &[]),
        (
            "tag changed",
            operation(json!({"tags": ["A"]})),
            operation(json!({"tags": ["B"]})),
            &["api-tag-removed"],
        ),
        ("tag added", operation(json!({"tags": ["A"]})), operation(json!({"tags": ["A", "B"]})), &[]),
        ("texts changed", operation(json!({"summary": "A"})), operation(json!({"summary": "B"})), &[]),
        ("credentials wanted", security(json!([])), security(json!([{"a": []}])), &["api-security-added"]),
        ("credentials no longer wanted", security(json!([{"a": []}])), security(json!([])), &[]),
        (
            "other credentials",
            security(json!([{"a": []}])),
            security(json!([{"b": []}])),
            &["api-security-removed"],
        ),
        (
            "other credentials as well",
            security(json!([{"a": []}])),
            security(json!([{"b": []}, {"a": []}])),
            &[],
        ),
        (
            "two credentials in place of one",
            security(json!([{"a": []}])),
            security(json!([{"a": [], "b": []}])),
            &["api-security-removed"],
        ),
        (
            "more scopes",
            security(json!([{"a": ["read"]}])),
            security(json!([{"a": ["read", "write"]}])),
            &["api-security-removed"],
        ),
        (
            "fewer scopes",
            security(json!([{"a": ["read", "write"]}])),
            security(json!([{"a": ["read"]}])),
            &[],
        ),
        (
            "scheme changed",
            scheme(json!({"type": "http", "scheme": "bearer"})),
            scheme(json!({"type": "http", "scheme": "basic"})),
            &["api-security-component-type-changed"],
        ),
        (
            "scheme described",
            scheme(json!({"type": "http", "description": "A"})),
            scheme(json!({"type": "http", "description": "B"})),
            &[],
        ),
        ("parameter removed", query(text()), without(), &["request-parameter-removed"]),
        (
            "parameter removed too early",
            parameter_until("2026-06-02"),
            without(),
            &["request-parameter-removed-before-sunset"],
        ),
        ("parameter removed on its day", parameter_until("2026-06-01"), without(), &[]),
        (
            "end of a parameter came nearer",
            parameter_until("2026-12-01"),
            parameter_until("2026-11-30"),
            &["request-parameter-sunset-date-changed-too-small"],
        ),
        ("parameter added", without(), query(text()), &[]),
        (
            "required parameter added",
            without(),
            parameter(json!({"name": "q", "in": "query", "required": true})),
            &["new-required-request-parameter"],
        ),
        (
            "parameter became required",
            query(text()),
            parameter(json!({"name": "q", "in": "query", "required": true, "schema": text()})),
            &["request-parameter-became-required"],
        ),
        (
            "parameter became optional",
            parameter(json!({"name": "q", "in": "query", "required": true, "schema": text()})),
            query(text()),
            &[],
        ),
        (
            "header in another case",
            parameter(json!({"name": "If-Match", "in": "header"})),
            parameter(json!({"name": "if-match", "in": "header"})),
            &[],
        ),
        (
            "path parameter renamed",
            path("id"),
            path("no"),
            &["new-request-path-parameter", "request-parameter-removed"],
        ),
        ("list written differently", array(false), array(true), &["request-parameter-style-changed"]),
        (
            "list written as usual",
            array(true),
            parameter(
                json!({"name": "q", "in": "query", "style": "form", "schema": {"type": "array", "items": text()}}),
            ),
            &[],
        ),
        (
            "parameter limited",
            query(json!({"type": "string", "maxLength": 9})),
            query(json!({"type": "string", "maxLength": 8})),
            &["request-parameter-max-length-decreased"],
        ),
    ]
}
