//! Limits of numbers, texts, lists and objects.

use std::cmp::Ordering;

use serde_json::Value;

use super::change::{Aspect, Direction, Limit, Movement, Site};
use super::shape::Shape;

/// A keyword that bounds something.
struct Bound {
    keyword: &'static str,
    limit: Limit,
    upper: bool,
    /// What holds without it: nothing is shorter than nothing.
    usual: Option<u64>,
}

impl Bound {
    const fn upper(keyword: &'static str, limit: Limit) -> Self {
        Self { keyword, limit, upper: true, usual: None }
    }

    const fn lower(keyword: &'static str, limit: Limit, usual: Option<u64>) -> Self {
        Self { keyword, limit, upper: false, usual }
    }

    /// The tightest of all layers.
    fn of(&self, shape: &Shape<'_>) -> Option<Value> {
        let said = shape.every(self.keyword).cloned().chain(self.usual.map(Value::from));
        said.filter(Value::is_number).reduce(|one, other| {
            let tighter = if self.upper { Ordering::Greater } else { Ordering::Less };
            if order(&one, &other) == tighter { other } else { one }
        })
    }
}

const BOUNDS: [Bound; 10] = [
    Bound::upper("maximum", Limit::Max),
    Bound::lower("minimum", Limit::Min, None),
    Bound::upper("exclusiveMaximum", Limit::ExclusiveMax),
    Bound::lower("exclusiveMinimum", Limit::ExclusiveMin, None),
    Bound::upper("maxLength", Limit::MaxLength),
    Bound::lower("minLength", Limit::MinLength, Some(0)),
    Bound::upper("maxItems", Limit::MaxItems),
    Bound::lower("minItems", Limit::MinItems, Some(0)),
    Bound::upper("maxProperties", Limit::MaxProperties),
    Bound::lower("minProperties", Limit::MinProperties, Some(0)),
];

/// Whether a keyword is one of those.
pub(super) fn is_limit(keyword: &str) -> bool {
    BOUNDS.iter().any(|bound| bound.keyword == keyword)
}

/// Every limit that went the wrong way.
pub(super) fn compare(before: &Shape<'_>, after: &Shape<'_>, site: Site) -> Vec<(Aspect, String)> {
    let moved = BOUNDS.iter().filter(|bound| counts(bound.limit, site)).filter_map(|bound| {
        let (old, new) = (bound.of(before), bound.of(after));
        let movement = movement(bound, old.as_ref(), new.as_ref(), site.direction())?;
        let [old, new] =
            [old, new].map(|value| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string()));
        Some((Aspect::Limit(bound.limit, movement), format!("`{}` was {old} and is {new}", bound.keyword)))
    });
    moved.collect()
}

/// As with oasdiff, a response may have longer lists and more members, and headers are not measured: clients do not lay
/// out memory for them.
fn counts(limit: Limit, site: Site) -> bool {
    match site {
        Site::Parameter | Site::Request => true,
        Site::Response => !matches!(limit, Limit::MaxItems | Limit::MaxProperties),
        Site::Header => false,
    }
}

fn movement(
    bound: &Bound,
    old: Option<&Value>,
    new: Option<&Value>,
    direction: Direction,
) -> Option<Movement> {
    let (old, new) = match (old, new) {
        (None, None) => return None,
        (None, Some(_)) => return (direction == Direction::Request).then_some(Movement::Set),
        (Some(_), None) => return (direction == Direction::Response).then_some(Movement::Unset),
        (Some(old), Some(new)) => (old, new),
    };
    let movement = match order(old, new) {
        Ordering::Equal => return None,
        Ordering::Less => Movement::Increased,
        Ordering::Greater => Movement::Decreased,
    };
    let tighter = (movement == Movement::Decreased) == bound.upper;
    (tighter == (direction == Direction::Request)).then_some(movement)
}

/// Whole numbers exactly, others as well as they are kept.
fn order(one: &Value, other: &Value) -> Ordering {
    let whole = |value: &Value| value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    match whole(one).zip(whole(other)) {
        Some((one, other)) => one.cmp(&other),
        None => one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal),
    }
}
