//! Operations: whether they are still there, under their names.

use std::collections::HashMap;

use serde_json::Value;

use super::change::Rule;
use super::comparison::Comparison;
use super::place::Place;
use super::sunset::{self, Sunset};
use super::walk::{list, text};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// One operation, with what it inherits from its path.
pub(super) struct Operation<'a> {
    pub(super) path: &'a Value,
    pub(super) own: &'a Value,
}

impl<'a> Comparison<'a> {
    /// All operations of the last release. New ones break nothing.
    pub(super) fn operations(&mut self) {
        for (place, before, after) in self.operations_in("/paths", "") {
            match after {
                Some(after) => self.operation(&before, &after, &place),
                None => self.removed_operation(before.own, &place),
            }
        }
    }

    /// Every operation of the last release in a part of the document, and what it is now. `word` goes before its path.
    pub(super) fn operations_in(
        &self,
        part: &str,
        word: &str,
    ) -> Vec<(Place, Operation<'a>, Option<Operation<'a>>)> {
        let (before, after) = (self.before, self.after);
        let items: HashMap<String, &'a Value> =
            after.members(part).iter().map(|(path, item)| (nameless(path), after.resolve(item))).collect();
        let mut operations = Vec::new();
        for (path, item) in before.members(part) {
            let item = before.resolve(item);
            let now = items.get(&nameless(path)).copied();
            for method in METHODS {
                let Some(own) = item.get(method) else { continue };
                let place = Place::new(format!("{} {word}{path}", method.to_uppercase()));
                let now = now.and_then(|path| Some(Operation { path, own: path.get(method)? }));
                operations.push((place, Operation { path: item, own }, now));
            }
        }
        operations
    }

    fn removed_operation(&mut self, before: &'a Value, place: &Place) {
        let sunset = Sunset::of(before, self.today);
        let rule = match sunset {
            Sunset::Passed => return,
            Sunset::Ahead(_) => Rule::ApiRemovedBeforeSunset,
            Sunset::Unannounced | Sunset::Undated => Rule::ApiRemovedWithoutDeprecation,
        };
        self.report(rule, place, format!("the operation is gone{}", sunset.explanation()));
    }

    fn operation(&mut self, before: &Operation<'a>, after: &Operation<'a>, place: &Place) {
        self.names_and_promises(before, after, place);
        self.security(before, after, place);
        self.parameters(before, after, place);
        self.request_body(before, after, place);
        self.responses(before, after, place);
    }

    /// What generated code is named by, and until when the operation was to stay.
    pub(super) fn names_and_promises(
        &mut self,
        before: &Operation<'a>,
        after: &Operation<'a>,
        place: &Place,
    ) {
        if let Some((promised, now)) = sunset::advanced(before.own, after.own) {
            let what = format!("its announced end came nearer, from {promised} to {now}");
            self.report(Rule::ApiSunsetDateChangedTooSmall, place, what);
        }
        let (id, now) = (text(before.own, "operationId"), text(after.own, "operationId"));
        if let Some(id) = id.filter(|_| id != now) {
            let now = now.unwrap_or("nothing");
            self.report(Rule::ApiOperationIdRemoved, place, format!("`operationId` was {id} and is {now}"));
        }
        let tags = list(after.own.get("tags"));
        for tag in list(before.own.get("tags")).iter().filter(|tag| !tags.contains(tag)) {
            self.report(Rule::ApiTagRemoved, place, format!("the tag {tag} is gone"));
        }
    }
}

/// A path without the names of its parameters: they are not part of what is sent, and a new name is a change of the
/// parameter.
fn nameless(path: &str) -> String {
    let mut out = String::new();
    for (position, part) in path.split('{').enumerate() {
        match part.split_once('}') {
            Some((_, rest)) if position > 0 => out.extend(["{}", rest]),
            _ => out.push_str(part),
        }
    }
    out
}
