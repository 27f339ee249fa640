//! Webhooks: what is sent is held to the rules of responses, what receivers answer to those of requests.

use serde_json::{Value, json};

use super::{Case, object, received_members, text};

fn webhook(operation: Value) -> Value {
    json!({"paths": {}, "webhooks": {"thing.made": {"post": operation}}})
}

/// A webhook with a body that is always there.
fn message(schema: Value) -> Value {
    contents(true, json!({"application/json": {"schema": schema}}))
}

fn contents(required: bool, content: Value) -> Value {
    webhook(json!({"requestBody": {"required": required, "content": content}}))
}

/// A member of a message.
fn told(schema: Value) -> Value {
    message(object(json!({"m": schema}), json!(["m"])))
}

fn sent_header(header: Value) -> Value {
    let mut parameter = json!({"name": "webhook-id", "in": "header"});
    parameter.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    webhook(json!({"parameters": [parameter]}))
}

fn answer(answer: Value) -> Value {
    webhook(json!({"responses": {"200": answer}}))
}

/// What is sent.
fn sent() -> Vec<Case> {
    let nothing = || json!({"paths": {}});
    let deprecated = |day: &str| webhook(json!({"deprecated": true, "x-sunset": day}));
    let named = |members: Value| {
        let mut document = message(json!({"$ref": "#/components/schemas/Data"}));
        document["components"] = json!({"schemas": {"Data": object(members, json!(["a"]))}});
        document
    };
    let json_only = || json!({"application/json": {}});
    let two_types = || json!({"application/json": {}, "text/csv": {}});
    vec![
        ("webhook removed", webhook(json!({})), nothing(), &["webhook-removed"]),
        ("webhook removed too early", deprecated("2026-06-02"), nothing(), &["webhook-removed"]),
        ("webhook removed on its day", deprecated("2026-06-01"), nothing(), &[]),
        ("webhook added", nothing(), webhook(json!({"requestBody": {"required": true}})), &[]),
        (
            "webhook renamed",
            webhook(json!({})),
            json!({"paths": {}, "webhooks": {"thing.begun": {"post": {}}}}),
            &["webhook-removed"],
        ),
        (
            "webhook by another method",
            webhook(json!({})),
            json!({"paths": {}, "webhooks": {"thing.made": {"put": {}}}}),
            &["webhook-removed"],
        ),
        (
            "names of a webhook",
            webhook(json!({"operationId": "receive_a", "tags": ["A"]})),
            webhook(json!({"operationId": "receive_b", "tags": ["B"]})),
            &["api-operation-id-removed", "api-tag-removed"],
        ),
        (
            "member of a named schema removed",
            named(json!({"a": text(), "b": text()})),
            named(json!({"a": text()})),
            &["response-optional-property-removed"],
        ),
        (
            "more types",
            told(text()),
            told(json!({"type": ["string", "integer"]})),
            &["response-property-type-changed"],
        ),
        ("fewer types", told(json!({"type": ["string", "integer"]})), told(text()), &[]),
        (
            "maybe null",
            told(text()),
            told(json!({"type": ["string", "null"]})),
            &["response-property-became-nullable"],
        ),
        (
            "values added and removed",
            told(json!({"type": "string", "enum": ["a", "b"]})),
            told(json!({"type": "string", "enum": ["a", "c"]})),
            &[],
        ),
        ("shorter", told(text()), told(json!({"type": "string", "maxLength": 9})), &[]),
        (
            "longer",
            told(json!({"type": "string", "maxLength": 9})),
            told(text()),
            &["response-property-max-length-unset"],
        ),
        (
            "no body",
            contents(true, json_only()),
            webhook(json!({})),
            &["response-media-type-removed", "webhook-body-became-optional"],
        ),
        ("body for the first time", webhook(json!({})), contents(true, json_only()), &[]),
        (
            "maybe no body",
            contents(true, json_only()),
            contents(false, json_only()),
            &["webhook-body-became-optional"],
        ),
        ("always a body", contents(false, json_only()), contents(true, json_only()), &[]),
        (
            "media type removed",
            contents(true, two_types()),
            contents(true, json_only()),
            &["response-media-type-removed"],
        ),
        (
            "media type added",
            contents(true, json_only()),
            contents(true, two_types()),
            &["webhook-media-type-added"],
        ),
        ("header removed", sent_header(json!({})), webhook(json!({})), &["optional-response-header-removed"]),
        (
            "required header removed",
            sent_header(json!({"required": true})),
            webhook(json!({})),
            &["required-response-header-removed"],
        ),
        (
            "header removed on its day",
            sent_header(json!({"deprecated": true, "x-sunset": "2026-06-01"})),
            webhook(json!({})),
            &[],
        ),
        ("header added", webhook(json!({})), sent_header(json!({"required": true})), &[]),
        (
            "header became optional",
            sent_header(json!({"required": true})),
            sent_header(json!({})),
            &["response-header-became-optional"],
        ),
        (
            "header in another case",
            sent_header(json!({"name": "webhook-id"})),
            sent_header(json!({"name": "Webhook-Id"})),
            &[],
        ),
        (
            "header of another type",
            sent_header(json!({"schema": text()})),
            sent_header(json!({"schema": {"type": "integer"}})),
            &["response-header-type-changed"],
        ),
        (
            "credentials not sent any more",
            webhook(json!({"security": [{"a": []}]})),
            webhook(json!({"security": []})),
            &["api-security-removed"],
        ),
        (
            "credentials sent",
            webhook(json!({"security": []})),
            webhook(json!({"security": [{"a": []}]})),
            &[],
        ),
    ]
}

/// What is answered.
fn answered() -> Vec<Case> {
    let statuses = |statuses: Value| webhook(json!({"responses": statuses}));
    let body = |schema: Value| answer(json!({"content": {"application/json": {"schema": schema}}}));
    let header = |header: Value| answer(json!({"headers": {"Retry-After": header}}));
    vec![
        (
            "answer removed",
            statuses(json!({"200": {}, "410": {}})),
            statuses(json!({"200": {}})),
            &["webhook-answer-status-removed"],
        ),
        ("answer added", statuses(json!({"200": {}})), statuses(json!({"200": {}, "410": {}})), &[]),
        ("any answer of a class", statuses(json!({"204": {}})), statuses(json!({"2XX": {}})), &[]),
        ("body wanted", answer(json!({})), body(text()), &["request-body-added-required"]),
        (
            "media type of an answer removed",
            body(text()),
            answer(json!({})),
            &["request-body-media-type-removed"],
        ),
        ("less is taken", body(text()), body(json!({"type": "integer"})), &["request-property-type-changed"]),
        ("more is taken", body(text()), body(json!({"type": ["string", "integer"]})), &[]),
        (
            "header wanted",
            answer(json!({})),
            header(json!({"required": true})),
            &["new-required-request-parameter"],
        ),
        ("header taken", answer(json!({})), header(json!({})), &[]),
        (
            "header became required",
            header(json!({})),
            header(json!({"required": true})),
            &["request-parameter-became-required"],
        ),
        ("header not read any more", header(json!({})), answer(json!({})), &["request-parameter-removed"]),
        (
            "less is taken of a header",
            header(json!({"schema": {"type": "string", "maxLength": 9}})),
            header(json!({"schema": {"type": "string", "maxLength": 8}})),
            &["request-parameter-max-length-decreased"],
        ),
    ]
}

pub(super) fn pairs() -> Vec<Case> {
    [sent(), received_members(message), answered()].concat()
}
