//! Finding one's way in a document: references and members.

use std::sync::LazyLock;

use anyhow::{Result, ensure};
use serde_json::{Map, Value};

/// More references in a row than this are a circle.
const LONGEST_CHAIN: usize = 32;

/// A schema that says nothing.
pub(super) const ANYTHING: &Value = &Value::Null;

/// A document whose references all lead somewhere.
#[derive(Clone, Copy)]
pub(super) struct Document<'a>(&'a Value);

impl<'a> Document<'a> {
    /// Refuses references that lead nowhere or in a circle, so that what follows can rely on them.
    pub(super) fn new(root: &'a Value) -> Result<Self> {
        ensure!(
            root.get("paths").is_some_and(Value::is_object),
            "this is no OpenAPI document: it has no paths"
        );
        let document = Self(root);
        document.check(root)?;
        Ok(document)
    }

    fn check(self, part: &'a Value) -> Result<()> {
        if let Some(target) = reference(part) {
            let end = self.resolve(part);
            ensure!(reference(end).is_none(), "the reference {target} leads nowhere within the document");
        }
        match part {
            Value::Object(members) => members.values().try_for_each(|member| self.check(member)),
            Value::Array(items) => items.iter().try_for_each(|item| self.check(item)),
            _ => Ok(()),
        }
    }

    /// The part itself, or what its references lead to in the end.
    pub(super) fn resolve(self, part: &'a Value) -> &'a Value {
        let mut end = part;
        for _ in 0..LONGEST_CHAIN {
            match reference(end).and_then(|target| self.find(target)) {
                Some(next) => end = next,
                None => break,
            }
        }
        end
    }

    /// What a reference names.
    pub(super) fn find(self, target: &str) -> Option<&'a Value> {
        self.0.pointer(target.strip_prefix('#')?)
    }

    /// The members of an object at the top of the document.
    pub(super) fn members(self, pointer: &str) -> &'a Map<String, Value> {
        object(self.0.pointer(pointer))
    }

    /// What every operation has that does not say otherwise.
    pub(super) fn security(self) -> Option<&'a Value> {
        self.0.get("security")
    }
}

/// Where a part refers to, in place of saying something itself.
pub(super) fn reference(part: &Value) -> Option<&str> {
    part.get("$ref")?.as_str()
}

/// The last segment of a reference.
pub(super) fn name(target: &str) -> &str {
    target.rsplit('/').next().unwrap_or(target)
}

/// An object, or an empty one.
pub(super) fn object(part: Option<&Value>) -> &Map<String, Value> {
    static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    part.and_then(Value::as_object).unwrap_or(&NOTHING)
}

/// A list, or an empty one.
pub(super) fn list(part: Option<&Value>) -> &[Value] {
    part.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a member is there and `true`.
pub(super) fn says(part: &Value, member: &str) -> bool {
    part.get(member).and_then(Value::as_bool).unwrap_or(false)
}

/// A member that is a text.
pub(super) fn text<'a>(part: &'a Value, member: &str) -> Option<&'a str> {
    part.get(member)?.as_str()
}
