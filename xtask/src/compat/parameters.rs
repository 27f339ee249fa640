//! Parameters: their presence, and how they are written. What they may be is in [`super::schema`].

use serde_json::Value;

use super::change::{Direction, Rule, Site};
use super::comparison::Comparison;
use super::operations::Operation;
use super::place::Place;
use super::shape::Shape;
use super::sunset::{self, Sunset};
use super::walk::{ANYTHING, Document, list, name, reference, says, text};

/// A parameter where it is named, and what it is.
pub(super) struct Parameter<'a> {
    pub(super) named: &'a Value,
    pub(super) what: &'a Value,
}

impl<'a> Parameter<'a> {
    /// All parameters of an operation. Its own take the place of those of its path.
    pub(super) fn all(document: Document<'a>, operation: &Operation<'a>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for owner in [operation.own, operation.path] {
            for named in list(owner.get("parameters")) {
                let parameter = Self { named, what: document.resolve(named) };
                if !all.iter().any(|known| known.key() == parameter.key()) {
                    all.push(parameter);
                }
            }
        }
        all
    }

    /// Place and name. Names of headers are the same in any case.
    pub(super) fn key(&self) -> (&'a str, String) {
        let (place, name) = (self.place(), self.name());
        (place, if place == "header" { name.to_lowercase() } else { name.to_owned() })
    }

    pub(super) fn place(&self) -> &'a str {
        text(self.what, "in").unwrap_or_default()
    }

    pub(super) fn name(&self) -> &'a str {
        text(self.what, "name").unwrap_or_default()
    }

    fn schema(&self) -> &'a Value {
        self.what.get("schema").unwrap_or(ANYTHING)
    }

    /// How several values are written, with the defaults of OpenAPI.
    fn style(&self) -> (&'a str, bool) {
        let usual = if matches!(self.place(), "query" | "cookie") { "form" } else { "simple" };
        let style = text(self.what, "style").unwrap_or(usual);
        (style, self.what.get("explode").and_then(Value::as_bool).unwrap_or(style == "form"))
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn parameters(&mut self, before: &Operation<'a>, after: &Operation<'a>, place: &Place) {
        let before = Parameter::all(self.before, before);
        let after = Parameter::all(self.after, after);
        for old in &before {
            let here = place.word(&format!("{} parameter {}", old.place(), old.name()));
            match after.iter().find(|new| new.key() == old.key()) {
                Some(new) => self.parameter(old, new, here),
                None => self.removed_parameter(old, &here),
            }
        }
        for new in after.iter().filter(|new| before.iter().all(|old| old.key() != new.key())) {
            let here = place.word(&format!("{} parameter {}", new.place(), new.name()));
            if new.place() == "path" {
                self.report(Rule::NewRequestPathParameter, here, "the path has a new parameter");
            } else if says(new.what, "required") {
                self.report(Rule::NewRequiredRequestParameter, here, "the parameter is new and required");
            }
        }
    }

    fn removed_parameter(&mut self, old: &Parameter<'a>, place: &Place) {
        let sunset = Sunset::of(old.what, self.today);
        let rule = match sunset {
            Sunset::Passed => return,
            Sunset::Ahead(_) => Rule::RequestParameterRemovedBeforeSunset,
            Sunset::Unannounced | Sunset::Undated => Rule::RequestParameterRemoved,
        };
        self.report(rule, place, format!("the parameter is gone{}", sunset.explanation()));
    }

    fn parameter(&mut self, old: &Parameter<'a>, new: &Parameter<'a>, mut place: Place) {
        if let Some(target) = reference(old.named).filter(|target| reference(new.named) == Some(*target)) {
            if !self.first_time(target, Direction::Request) {
                return;
            }
            place = Place::new(format!("parameter {}", name(target)));
        }
        if !says(old.what, "required") && says(new.what, "required") {
            self.report(
                Rule::RequestParameterBecameRequired,
                &place,
                "the parameter was optional and is required",
            );
        }
        if let Some((promised, now)) = sunset::advanced(old.what, new.what) {
            let what = format!("its announced end came nearer, from {promised} to {now}");
            self.report(Rule::RequestParameterSunsetDateChangedTooSmall, &place, what);
        }
        // Of a single value there is only one way to write it.
        let several = Shape::of(old.schema()).expand(self.before).types();
        let several = several.is_none_or(|types| types.contains("array") || types.contains("object"));
        if several && old.style() != new.style() {
            let (style, explode) = new.style();
            let what = format!("several values are written differently: style {style}, explode {explode}");
            self.report(Rule::RequestParameterStyleChanged, &place, what);
        }
        self.schemas(old.schema(), new.schema(), Site::Parameter, &place);
    }
}
