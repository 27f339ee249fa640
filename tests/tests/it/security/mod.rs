//! The threats of an API, each with the test that the control against it holds (OWASP API Security Top 10
//! 2023). `docs/security.md` says which test is whose.

use serde_json::Value;

mod assignment;
mod exhaustion;
mod leaks;
mod objects;
mod passwords;
mod rights;
mod sessions;
mod tokens;

/// What an operation takes in its path, its query and its headers.
fn parameters<'a>(document: &'a Value, operation: &'a Value) -> Vec<&'a Value> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.map(|one| resolved(document, one)).collect()
}

/// What a reference leads to, or the thing itself.
fn resolved<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str() {
        Some(target) => document.pointer(target.strip_prefix('#').unwrap()).unwrap(),
        None => part,
    }
}
