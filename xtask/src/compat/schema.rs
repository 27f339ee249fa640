//! Schemas. A request breaks when its schema is tightened: what was sent is refused. A response breaks when its schema
//! is loosened: what comes was not to be expected.

use serde_json::Value;

use super::change::{Aspect, Direction, Rule, Site};
use super::comparison::Comparison;
use super::limits;
use super::place::Place;
use super::shape::Shape;
use super::walk::{ANYTHING, name};

/// Keywords that are compared here.
const COMPARED: [&str; 15] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "format",
    "items",
    "multipleOf",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "type",
    "uniqueItems",
];

/// Keywords that no value depends on. `default` is one of them: oasdiff warns of a different one, but it is the same as
/// before to whoever sends the member.
const REMARKS: [&str; 11] = [
    "$comment",
    "default",
    "deprecated",
    "description",
    "example",
    "examples",
    "externalDocs",
    "readOnly",
    "title",
    "writeOnly",
    "xml",
];

impl<'a> Comparison<'a> {
    /// One schema of both documents.
    pub(super) fn schemas(&mut self, before: &'a Value, after: &'a Value, site: Site, place: &Place) {
        self.shapes(&Shape::of(before), &Shape::of(after), site, place);
    }

    fn shapes(&mut self, before: &Shape<'a>, after: &Shape<'a>, site: Site, place: &Place) {
        if before.references == after.references {
            before.references.iter().for_each(|target| self.component(target, site.direction()));
            return self.details(before, after, (before, after), site, place);
        }
        self.names(before, after, place);
        let pair = (before.identity(), after.identity());
        if self.open.contains(&pair) {
            return;
        }
        self.open.push(pair);
        let expanded = (&before.expand(self.before), &after.expand(self.after));
        self.details(expanded.0, expanded.1, (before, after), site, place);
        self.open.pop();
    }

    /// What a name stands for, under that name.
    fn component(&mut self, target: &'a str, direction: Direction) {
        let (Some(before), Some(after)) = (self.before.find(target), self.after.find(target)) else { return };
        if !self.first_time(target, direction) {
            return;
        }
        let (site, used_in) = match direction {
            Direction::Request => (Site::Request, "requests"),
            Direction::Response => (Site::Response, "responses"),
        };
        self.schemas(before, after, site, &Place::new(format!("schema {} in {used_in}", name(target))));
    }

    /// Where something else is referred to than before, the former name should still be there.
    fn names(&mut self, before: &Shape<'a>, after: &Shape<'a>, place: &Place) {
        let document = self.after;
        for target in before.references.iter().filter(|target| document.find(target).is_none()) {
            let now: Vec<&str> = after.references.iter().map(|target| name(target)).collect();
            let now = if now.is_empty() { "no name".to_owned() } else { now.join(" and ") };
            let what = format!("the name is gone; {place} refers to {now} instead");
            self.report(Rule::SchemaRenamedOrRemoved, format!("schema {}", name(target)), what);
        }
    }

    /// `named` are the same two shapes with their references not followed.
    fn details(
        &mut self,
        before: &Shape<'a>,
        after: &Shape<'a>,
        named: (&Shape<'a>, &Shape<'a>),
        site: Site,
        place: &Place,
    ) {
        self.nullability(before, after, site, place);
        if !before.alternatives.is_empty() || !after.alternatives.is_empty() {
            self.alternatives(&choices(before, named.0), &choices(after, named.1), site, place);
            // Where only one of them has alternatives, the other is one; they have no other members in common.
            if before.alternatives.is_empty() || after.alternatives.is_empty() {
                return;
            }
        }
        if let Some(what) = type_change(before, after, site.direction()) {
            // Whatever else is said of the value belongs to its type.
            return self.value(site, Aspect::TypeChanged, place, what);
        }
        self.values(before, after, site, place);
        for (aspect, what) in limits::compare(before, after, site) {
            self.value(site, aspect, place, what);
        }
        if site.direction() == Direction::Request {
            self.request_only(before, after, site, place);
        }
        self.members(before, after, site, place);
        if before.get("items").is_some() || after.get("items").is_some() {
            let items = |shape: &Shape<'a>| shape.get("items").unwrap_or(ANYTHING);
            self.schemas(items(before), items(after), site, &place.items());
        }
        self.unknown_keywords(before, after, site, place);
    }

    pub(super) fn value(&mut self, site: Site, aspect: Aspect, place: &Place, what: impl Into<String>) {
        self.report(Rule::Value(site, aspect), place, what);
    }

    fn nullability(&mut self, before: &Shape<'a>, after: &Shape<'a>, site: Site, place: &Place) {
        match (before.nullable(), after.nullable(), site.direction()) {
            (Some(true), Some(false), Direction::Request) => {
                self.value(site, Aspect::BecameNotNullable, place, "`null` is refused");
            }
            (Some(false), Some(true), Direction::Response) => {
                self.value(site, Aspect::BecameNullable, place, "it may be `null`");
            }
            _ => {}
        }
    }

    fn alternatives(&mut self, before: &[Shape<'a>], after: &[Shape<'a>], site: Site, place: &Place) {
        let mut left: Vec<&Shape<'a>> = after.iter().collect();
        for old in before {
            let key = old.key();
            let here = place.alternative(&key);
            if let Some(position) = left.iter().position(|new| new.key() == key) {
                self.shapes(old, left.remove(position), site, &here);
            } else if site.direction() == Direction::Request {
                self.value(site, Aspect::OneOfRemoved, &here, "the alternative is gone");
            }
        }
        if site.direction() == Direction::Response {
            for new in left {
                self.value(
                    site,
                    Aspect::OneOfAdded,
                    &place.alternative(&new.key()),
                    "the alternative is new",
                );
            }
        }
    }

    fn values(&mut self, before: &Shape<'a>, after: &Shape<'a>, site: Site, place: &Place) {
        let (old, new) = (before.values(), after.values());
        if site.direction() == Direction::Response {
            let constants = [before, after].map(|shape| shape.get("const"));
            if let [Some(constant), now] = constants
                && Some(constant) != now
                && new.is_none_or(|new| new != [constant])
            {
                self.value(site, Aspect::ConstChanged, place, format!("it was always {constant}"));
            }
            return;
        }
        match (old, new) {
            (None, Some(new)) => {
                self.value(
                    site,
                    Aspect::BecameEnum,
                    place,
                    format!("only these are taken: {}", listed(&new)),
                );
            }
            (Some(old), Some(new)) => {
                let gone: Vec<&Value> = old.into_iter().filter(|value| !new.contains(value)).collect();
                if !gone.is_empty() {
                    self.value(
                        site,
                        Aspect::EnumValueRemoved,
                        place,
                        format!("no longer taken: {}", listed(&gone)),
                    );
                }
            }
            (_, None) => {}
        }
    }

    /// What oasdiff does not mind in responses: they may follow another pattern, since no client checks it.
    fn request_only(&mut self, before: &Shape<'a>, after: &Shape<'a>, site: Site, place: &Place) {
        let known: Vec<&Value> = before.every("pattern").collect();
        let new: Vec<&Value> = after.every("pattern").filter(|pattern| !known.contains(pattern)).collect();
        if !new.is_empty() {
            let aspect = if known.is_empty() { Aspect::PatternAdded } else { Aspect::PatternChanged };
            self.value(site, aspect, place, format!("it must match {}", listed(&new)));
        }
        let unique =
            |shape: &Shape<'a>| shape.every("uniqueItems").any(|unique| *unique == Value::Bool(true));
        if !unique(before) && unique(after) {
            self.value(site, Aspect::UniqueItemsSet, place, "no item may occur twice");
        }
        let steps = [before, after].map(|shape| shape.get("multipleOf"));
        if let [old, Some(new)] = steps
            && old != Some(new)
        {
            self.value(site, Aspect::MultipleOfChanged, place, format!("it must be a multiple of {new}"));
        }
    }

    /// Whatever is neither compared nor a remark: somebody has to look at it.
    fn unknown_keywords(&mut self, before: &Shape<'a>, after: &Shape<'a>, site: Site, place: &Place) {
        let all: Vec<&str> = before.keywords().union(&after.keywords()).copied().collect();
        let unknown = all.into_iter().filter(|keyword| {
            let known = COMPARED.contains(keyword) || REMARKS.contains(keyword) || limits::is_limit(keyword);
            !known && !keyword.starts_with("x-")
        });
        let changed: Vec<&str> =
            unknown.filter(|keyword| before.get(keyword) != after.get(keyword)).collect();
        if !changed.is_empty() {
            let what = format!("not understood, but different: {}", changed.join(", "));
            self.value(site, Aspect::KeywordChanged, place, what);
        }
    }
}

/// The alternatives, each by itself; a schema without any is its own.
fn choices<'a>(expanded: &Shape<'a>, named: &Shape<'a>) -> Vec<Shape<'a>> {
    if expanded.alternatives.is_empty() {
        vec![named.clone().without_null()]
    } else {
        expanded.alternatives.iter().map(|alternative| Shape::of(alternative)).collect()
    }
}

/// What changed about the type, if whoever reads the value cannot read it any more.
fn type_change(before: &Shape<'_>, after: &Shape<'_>, direction: Direction) -> Option<String> {
    let (narrow, wide) = match direction {
        Direction::Request => (before, after),
        Direction::Response => (after, before),
    };
    let written = |shape: &Shape<'_>| {
        let types = shape
            .types()
            .map_or_else(|| "any".to_owned(), |types| types.into_iter().collect::<Vec<_>>().join("|"));
        shape.get("format").map_or(types.clone(), |format| format!("{types} {format}"))
    };
    let fits = wide.types().is_none_or(|wide| {
        narrow.types().is_some_and(|narrow| {
            narrow.iter().all(|kind| wide.contains(kind) || (*kind == "integer" && wide.contains("number")))
        })
    });
    let formats = (narrow.get("format").and_then(Value::as_str), wide.get("format").and_then(Value::as_str));
    let fits = fits
        && match formats {
            (_, None) | (Some("int32"), Some("int64")) | (Some("float"), Some("double")) => true,
            (narrow, wide) => narrow == wide,
        };
    (!fits).then(|| format!("it was {} and is {}", written(before), written(after)))
}

fn listed(values: &[&Value]) -> String {
    values.iter().copied().map(Value::to_string).collect::<Vec<_>>().join(", ")
}
