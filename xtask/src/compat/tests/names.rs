//! Named schemas: on both sides, renamed, containing themselves.

use serde_json::json;

use super::{Case, both, object, referring, response, text};

pub(super) fn pairs() -> Vec<Case> {
    let nullable =
        |name: &str| json!({"oneOf": [{"$ref": format!("#/components/schemas/{name}")}, {"type": "null"}]});
    let tree = |name: &str, limit: u32| {
        let children = json!({"type": "array", "items": {"$ref": format!("#/components/schemas/{name}")}});
        json!({name: {"type": "object", "properties": {
            "children": children, "label": {"type": "string", "maxLength": limit}
        }}})
    };
    vec![
        (
            "shortened on both sides",
            both(json!({"Thing": {"type": "string", "maxLength": 9}})),
            both(json!({"Thing": {"type": "string", "maxLength": 8}})),
            &["request-property-max-length-decreased"],
        ),
        (
            "lengthened on both sides",
            both(json!({"Thing": {"type": "string", "maxLength": 8}})),
            both(json!({"Thing": {"type": "string", "maxLength": 9}})),
            &["response-property-max-length-increased"],
        ),
        (
            "member removed on both sides",
            both(json!({"Thing": object(json!({"a": text()}), json!(["a"]))})),
            both(json!({"Thing": object(json!({}), json!([]))})),
            &["request-property-removed", "response-required-property-removed"],
        ),
        (
            "renamed",
            referring("Old", json!({"Old": text()})),
            referring("New", json!({"New": text()})),
            &["schema-renamed-or-removed"],
        ),
        (
            "another one of two",
            referring("Old", json!({"Old": text()})),
            referring("New", json!({"Old": text(), "New": text()})),
            &[],
        ),
        ("named", response(text()), referring("New", json!({"New": text()})), &[]),
        (
            "no longer named",
            referring("Old", json!({"Old": text()})),
            response(text()),
            &["schema-renamed-or-removed"],
        ),
        (
            "gone with what referred to it",
            referring(
                "Thing",
                json!({
                    "Thing": object(json!({"a": {"$ref": "#/components/schemas/Part"}, "b": text()}), json!([])),
                    "Part": text()
                }),
            ),
            referring("Thing", json!({"Thing": object(json!({"b": text()}), json!([]))})),
            &["response-optional-property-removed"],
        ),
        (
            "null or a name",
            referring(
                "Thing",
                json!({
                    "Thing": object(json!({"a": {"$ref": "#/components/schemas/Part", "description": "A"}}), json!([])),
                    "Part": text()
                }),
            ),
            referring(
                "Thing",
                json!({"Thing": object(json!({"a": nullable("Part")}), json!([])), "Part": text()}),
            ),
            &["response-property-became-nullable"],
        ),
        (
            "a name, not null",
            referring(
                "Thing",
                json!({"Thing": object(json!({"a": nullable("Part")}), json!([])), "Part": text()}),
            ),
            referring(
                "Thing",
                json!({
                    "Thing": object(json!({"a": {"$ref": "#/components/schemas/Part"}}), json!([])),
                    "Part": text()
                }),
            ),
            &[],
        ),
        (
            "alternatives behind a name",
            referring("Thing", json!({"Thing": {"$ref": "#/components/schemas/A"}, "A": text()})),
            referring(
                "Thing",
                json!({
                    "Thing": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]},
                    "A": text(),
                    "B": {"type": "integer"}
                }),
            ),
            &["response-property-one-of-added"],
        ),
        ("contains itself", referring("Tree", tree("Tree", 8)), referring("Tree", tree("Tree", 7)), &[]),
        (
            "contained itself, now to a depth",
            referring("Tree", tree("Tree", 8)),
            referring(
                "Tree",
                json!({
                    "Tree": {"type": "object", "properties": {"label": text(), "children": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"label": {"type": "string", "maxLength": 8}}}
                    }}}
                }),
            ),
            &["response-optional-property-removed", "response-property-max-length-unset"],
        ),
        (
            "contains itself, renamed",
            referring("Tree", tree("Tree", 8)),
            referring("Shrub", tree("Shrub", 9)),
            &["response-property-max-length-increased", "schema-renamed-or-removed"],
        ),
    ]
}
