//! Bodies, statuses, media types and headers.

use serde_json::json;

use super::{Case, answer, body, header, operation, text};

pub(super) fn pairs() -> Vec<Case> {
    let content = || json!({"application/json": {}});
    let two_types = || json!({"application/json": {}, "text/csv": {}});
    vec![
        (
            "body removed",
            body(json!({"content": content()})),
            operation(json!({})),
            &["request-body-removed"],
        ),
        (
            "required body added",
            operation(json!({})),
            body(json!({"required": true, "content": content()})),
            &["request-body-added-required"],
        ),
        ("optional body added", operation(json!({})), body(json!({"content": content()})), &[]),
        (
            "body became required",
            body(json!({"content": content()})),
            body(json!({"required": true, "content": content()})),
            &["request-body-became-required"],
        ),
        (
            "body became optional",
            body(json!({"required": true, "content": content()})),
            body(json!({"content": content()})),
            &[],
        ),
        (
            "media type of a request removed",
            body(json!({"content": two_types()})),
            body(json!({"content": content()})),
            &["request-body-media-type-removed"],
        ),
        (
            "media type of a request added",
            body(json!({"content": content()})),
            body(json!({"content": two_types()})),
            &[],
        ),
        (
            "media type of a response removed",
            answer(json!({"content": two_types()})),
            answer(json!({"content": content()})),
            &["response-media-type-removed"],
        ),
        (
            "media type of a response added",
            answer(json!({"content": content()})),
            answer(json!({"content": two_types()})),
            &[],
        ),
        (
            "status removed",
            operation(json!({"responses": {"200": {}, "202": {}}})),
            operation(json!({"responses": {"200": {}}})),
            &["response-success-status-removed"],
        ),
        (
            "status of a refusal removed",
            operation(json!({"responses": {"200": {}, "409": {}}})),
            operation(json!({"responses": {"200": {}}})),
            &[],
        ),
        (
            "status added",
            operation(json!({"responses": {"200": {}}})),
            operation(json!({"responses": {"200": {}, "202": {}, "409": {}}})),
            &[],
        ),
        ("header removed", header(json!({})), answer(json!({})), &["optional-response-header-removed"]),
        (
            "required header removed",
            header(json!({"required": true})),
            answer(json!({})),
            &["required-response-header-removed"],
        ),
        ("header added", answer(json!({})), header(json!({"required": true})), &[]),
        (
            "header became optional",
            header(json!({"required": true})),
            header(json!({})),
            &["response-header-became-optional"],
        ),
        ("header became required", header(json!({})), header(json!({"required": true})), &[]),
        (
            "header of another type",
            header(json!({"schema": text()})),
            header(json!({"schema": {"type": "integer"}})),
            &["response-header-type-changed"],
        ),
        (
            "longer header",
            header(json!({"schema": {"type": "string", "maxLength": 8}})),
            header(json!({"schema": {"type": "string", "maxLength": 9}})),
            &[],
        ),
    ]
}
