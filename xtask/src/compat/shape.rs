//! What a schema says, in however many parts it says it.
//!
//! `{"$ref": A}`, `{"$ref": A, "description": ...}`, `{"allOf": [A]}` and `{"oneOf": [A, null]}` say much the same. A
//! [`Shape`] takes them apart: layers that hold all at once, the names that they refer to, alternatives, and whether
//! `null` is one.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::walk::{Document, list, name};

/// A schema, taken apart.
#[derive(Clone, Default)]
pub(super) struct Shape<'a> {
    /// The references, in their order.
    pub(super) references: Vec<&'a str>,
    /// Two or more schemas of which a value has one; empty if there is no choice.
    pub(super) alternatives: Vec<&'a Value>,
    /// Whether `null` is one more alternative.
    null: bool,
    /// Whether the layers have what the references lead to.
    expanded: bool,
    layers: Vec<&'a Map<String, Value>>,
}

/// What an object says about members that it does not name.
pub(super) enum Others<'a> {
    /// They may be there; it need not say so.
    Open,
    /// They may not.
    Closed,
    /// They may, with such values: it is a map.
    Like(&'a Value),
}

/// What tells a schema from others: the names that it refers to, or else where it begins in memory.
#[derive(PartialEq)]
pub(super) enum Identity<'a> {
    Names(Vec<&'a str>),
    Unnamed(Option<*const Map<String, Value>>),
}

impl<'a> Shape<'a> {
    /// As far as the schema itself says something: references are named, not followed.
    pub(super) fn of(schema: &'a Value) -> Self {
        let mut shape = Self::default();
        shape.take(schema);
        shape
    }

    fn take(&mut self, schema: &'a Value) {
        let Value::Object(members) = schema else { return };
        self.layers.push(members);
        if let Some(target) = members.get("$ref").and_then(Value::as_str) {
            self.references.push(target);
        }
        for part in list(members.get("allOf")) {
            self.take(part);
        }
        for choice in ["oneOf", "anyOf"] {
            let (nulls, others): (Vec<_>, Vec<_>) =
                list(members.get(choice)).iter().partition(|alternative| is_null(alternative));
            self.null |= !nulls.is_empty();
            match others[..] {
                [] => {}
                [only] => self.take(only),
                _ => self.alternatives.extend(others),
            }
        }
    }

    /// Which schema this is, whatever it says.
    pub(super) fn identity(&self) -> Identity<'a> {
        if self.references.is_empty() {
            Identity::Unnamed(self.layers.first().map(|layer| std::ptr::from_ref(*layer)))
        } else {
            Identity::Names(self.references.clone())
        }
    }

    /// With everything that the references lead to. They keep their names.
    pub(super) fn expand(&self, document: Document<'a>) -> Self {
        let mut shape = self.clone();
        let mut followed = 0;
        while let Some(target) = shape.references.get(followed).copied() {
            followed += 1;
            if shape.references.iter().take(followed - 1).all(|earlier| *earlier != target) {
                document.find(target).into_iter().for_each(|schema| shape.take(schema));
            }
        }
        shape.references.truncate(self.references.len());
        shape.expanded = true;
        shape
    }

    /// The same without `null`.
    pub(super) fn without_null(mut self) -> Self {
        self.null = false;
        self
    }

    /// The first layer's word. Where layers differ, all of them would hold; documents do not do that.
    pub(super) fn get(&self, keyword: &str) -> Option<&'a Value> {
        self.layers.iter().find_map(|layer| layer.get(keyword))
    }

    /// Every layer's word.
    pub(super) fn every(&self, keyword: &str) -> impl Iterator<Item = &'a Value> {
        self.layers.iter().filter_map(move |layer| layer.get(keyword))
    }

    /// All keywords that any layer has.
    pub(super) fn keywords(&self) -> BTreeSet<&'a str> {
        self.layers.iter().flat_map(|layer| layer.keys()).map(String::as_str).collect()
    }

    /// The types but for `null`; nothing if it may be anything.
    pub(super) fn types(&self) -> Option<BTreeSet<&'a str>> {
        Some(one_or_more(self.get("type")?).filter(|kind| *kind != "null").collect())
    }

    /// Whether `null` is a value; nothing if the schema leaves that open.
    pub(super) fn nullable(&self) -> Option<bool> {
        if self.null {
            return Some(true);
        }
        if let Some(kind) = self.get("type") {
            return Some(one_or_more(kind).any(|kind| kind == "null"));
        }
        // What a name stands for is judged where the name is.
        let says_more = (!self.references.is_empty() && !self.expanded) || !self.alternatives.is_empty();
        says_more.then_some(false)
    }

    /// The only values that there are. A constant is a list of one.
    pub(super) fn values(&self) -> Option<Vec<&'a Value>> {
        let lists = self.every("enum").map(|values| list(Some(values)).iter().collect::<Vec<_>>());
        let mut lists = lists.chain(self.every("const").map(|value| vec![value]));
        let first = lists.next()?;
        Some(
            lists.fold(first, |values, more| {
                values.into_iter().filter(|value| more.contains(value)).collect()
            }),
        )
    }

    /// The members of an object, by their names.
    pub(super) fn members(&self) -> Vec<(&'a str, &'a Value)> {
        let mut members: Vec<(&str, &Value)> = Vec::new();
        for (name, schema) in self.every("properties").filter_map(Value::as_object).flatten() {
            if members.iter().all(|(known, _)| known != name) {
                members.push((name, schema));
            }
        }
        members
    }

    /// The names of the members that must be there.
    pub(super) fn required(&self) -> BTreeSet<&'a str> {
        self.every("required").flat_map(|names| list(Some(names))).filter_map(Value::as_str).collect()
    }

    /// What it says about other members.
    pub(super) fn others(&self) -> Others<'a> {
        match self.get("additionalProperties") {
            None | Some(Value::Bool(true)) => Others::Open,
            Some(Value::Bool(false)) => Others::Closed,
            Some(schema) => Others::Like(schema),
        }
    }

    /// What an alternative is known by in both documents: its name, the values that mark it, or its types.
    pub(super) fn key(&self) -> String {
        if !self.references.is_empty() {
            return self.references.iter().map(|target| name(target)).collect::<Vec<_>>().join("+");
        }
        if let Some([value]) = self.values().as_deref() {
            return value.to_string();
        }
        let marks = self.members().into_iter().filter_map(|(name, schema)| {
            let values = Self::of(schema).values()?;
            let [value] = values[..] else { return None };
            Some(format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        });
        let marks: Vec<String> = marks.collect();
        if !marks.is_empty() {
            return marks.join(",");
        }
        self.types().map_or_else(|| "any".to_owned(), |types| types.into_iter().collect::<Vec<_>>().join("|"))
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

fn one_or_more(kind: &Value) -> impl Iterator<Item = &str> {
    kind.as_str().into_iter().chain(list(Some(kind)).iter().filter_map(Value::as_str))
}
