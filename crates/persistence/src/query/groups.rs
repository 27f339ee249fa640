//! Longer conditions than a query string says: groups of filters, from the body of a search. A filter's members are
//! the list's parameters, and mean what they mean there.

use fairlead_domain::error::Refusal;
use fairlead_domain::values::form;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use super::listing::{
    Condition, Field, Kind, ListRequest, Listing, MAX_LIMIT, Operator, bounded, fingerprint,
};

/// How many groups a search may have.
pub const MAX_GROUPS: usize = 10;
/// How many filters a group may have.
pub const MAX_FILTERS: usize = 20;
/// How many filters all groups may have together.
pub const MAX_FILTERS_IN_ALL: usize = 50;
/// How many values all filters may have together: both databases bind so many in one statement, beside what a scope
/// binds.
pub const MAX_VALUES_IN_ALL: usize = 2000;

/// A search as it is said, before its listing has read the filters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    #[serde(default)]
    all: Vec<Group>,
    #[serde(default, deserialize_with = "said")]
    q: Option<String>,
    #[serde(default, deserialize_with = "said")]
    sort: Option<Vec<String>>,
    #[serde(default, deserialize_with = "said")]
    limit: Option<i64>,
    #[serde(default, deserialize_with = "said")]
    cursor: Option<String>,
    #[serde(default)]
    total: bool,
    #[serde(default, deserialize_with = "said")]
    include: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    any: Vec<Map<String, Json>>,
}

/// What is not asked for is absent, as in a query: `null` is nothing that anybody could ask for.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Listing {
    /// Reads the body of a search, in which no object names a member twice.
    pub fn search(&'static self, body: Json) -> Result<ListRequest, Refusal> {
        let search: Search = form::read(body)?;
        let mut request = ListRequest { cursor_at: "/cursor", total: search.total, ..self.bare() };
        let mut question = Vec::new();
        request.groups = self.groups(search.all, &mut question)?;
        if let Some(text) = search.q {
            if self.search.is_empty() {
                return Err(unknown("", "q", Vec::new()));
            }
            bounded(&text).map_err(|why| Refusal::invalid("/q", "length", why))?;
            question.push(("q".to_owned(), text.clone()));
            request.search = Some(text);
        }
        if let Some(words) = search.include {
            if self.includes.is_empty() {
                return Err(unknown("", "include", Vec::new()));
            }
            check_length("/include", words.len(), self.includes.len())?;
            let include = self.relations(words.iter().map(String::as_str));
            request.include = include.map_err(|why| Refusal::invalid("/include", "unknown_value", why))?;
        }
        let order = search.sort.unwrap_or_else(|| self.default_sort.split(',').map(str::to_owned).collect());
        let sort = self.order(order.iter().map(String::as_str));
        request.sort = sort.map_err(|why| Refusal::invalid("/sort", "unknown_value", why))?;
        if request.sort.is_empty() {
            return Err(Refusal::invalid("/sort", "length", "must name a member"));
        }
        if let Some(limit) = search.limit {
            let limit = u64::try_from(limit).ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
            let refusal =
                || Refusal::invalid("/limit", "range", format!("must be between 1 and {MAX_LIMIT}"));
            request.limit = limit.ok_or_else(refusal)?;
        }
        request.cursor = search.cursor;
        request.fingerprint = fingerprint(&question, &order.join(","));
        Ok(request)
    }

    /// Reads the groups, and notes each member of each filter by its place.
    fn groups(
        &'static self,
        groups: Vec<Group>,
        question: &mut Vec<(String, String)>,
    ) -> Result<Vec<Vec<Vec<Condition>>>, Refusal> {
        if groups.len() > MAX_GROUPS {
            return Err(Refusal::invalid("/all", "length", format!("must have at most {MAX_GROUPS} groups")));
        }
        let mut read = Vec::new();
        for (at, group) in groups.into_iter().enumerate() {
            let at = format!("/all/{at}/any");
            check_length(&at, group.any.len(), MAX_FILTERS)?;
            let mut filters = Vec::new();
            for (place, members) in group.any.into_iter().enumerate() {
                let at = format!("{at}/{place}");
                let named = members.iter().map(|(name, value)| (format!("{at}/{name}"), value.to_string()));
                question.extend(named);
                filters.push(self.conditions(&at, members)?);
            }
            read.push(filters);
        }
        if read.iter().map(Vec::len).sum::<usize>() > MAX_FILTERS_IN_ALL {
            let why = format!("must have at most {MAX_FILTERS_IN_ALL} filters in all groups together");
            return Err(Refusal::invalid("/all", "length", why));
        }
        let values = read.iter().flatten().flatten().map(|condition: &Condition| condition.values.len());
        if values.sum::<usize>() > MAX_VALUES_IN_ALL {
            let why = format!("must have at most {MAX_VALUES_IN_ALL} values in all filters together");
            return Err(Refusal::invalid("/all", "length", why));
        }
        Ok(read)
    }

    /// Reads one filter. One that says nothing would hold of every row, and make its group pointless.
    fn conditions(&'static self, at: &str, filter: Map<String, Json>) -> Result<Vec<Condition>, Refusal> {
        if filter.is_empty() {
            return Err(Refusal::invalid(at, "length", "must have at least one member"));
        }
        let read = |(name, value): (String, Json)| {
            let found = self.filter(&name).filter(|(field, _)| !field.only_equals);
            let (field, operator) = found.ok_or_else(|| unknown(at, &name, self.filters()))?;
            condition(field, operator, value).map_err(|refusal| refusal.within(&member(at, &name)))
        };
        filter.into_iter().map(read).collect()
    }
}

fn member(at: &str, name: &str) -> String {
    let mut pointer = at.to_owned();
    form::push_segment(&mut pointer, name);
    pointer
}

fn unknown(at: &str, name: &str, allowed: Vec<String>) -> Refusal {
    let why = format!("unknown field `{name}`, expected what the list can be asked");
    let refusal = Refusal::malformed(&member(at, name), why);
    if allowed.is_empty() { refusal } else { refusal.with("allowed", allowed) }
}

fn check_length(at: &str, length: usize, most: usize) -> Result<(), Refusal> {
    if (1..=most).contains(&length) {
        return Ok(());
    }
    Err(Refusal::invalid(at, "length", format!("must have between 1 and {most} items")))
}

fn condition(field: &'static Field, operator: Operator, value: Json) -> Result<Condition, Refusal> {
    let several = field.takes_several(operator);
    let texts = match (operator, field.kind) {
        (Operator::IsNull, _) | (_, Kind::Boolean) => texts::<bool>(value, several),
        (_, Kind::Integer) => texts::<i64>(value, several),
        _ => texts::<String>(value, several),
    }?;
    if several {
        check_length("", texts.len(), field.most_values())?;
    }
    let mut values = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let place = if several { format!("/{at}") } else { String::new() };
        let value = field.value(operator, text);
        values.push(value.map_err(|why| Refusal::invalid(&place, rule(field.kind), why))?);
    }
    Ok(Condition { field, operator, values })
}

/// What a member says, as a query would write it.
fn texts<T: DeserializeOwned + ToString>(value: Json, several: bool) -> Result<Vec<String>, Refusal> {
    let values: Vec<T> = if several { form::read(value)? } else { vec![form::read(value)?] };
    Ok(values.iter().map(T::to_string).collect())
}

/// The rule that a value breaks of which a member makes nothing, as forms call it.
fn rule(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Tags => "length",
        Kind::OneOf(_) | Kind::Boolean => "unknown_value",
        Kind::Id => "invalid_id",
        Kind::Integer => "range",
        Kind::Timestamp => "invalid_timestamp",
        Kind::Date => "invalid_date",
        Kind::Money(_) => "invalid_amount",
    }
}
