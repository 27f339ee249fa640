//! What a list can be asked. A [`Listing`] is declared once per resource; the parser of the query string,
//! the SQL and the specification all read that one declaration.

use fairlead_domain::error::Refusal;
use fairlead_domain::values::{Currency, CurrencyCode, Money, Timestamp, parse_day, parse_id};
use sea_orm::Value;
use sha2::{Digest, Sha256};

/// The largest page.
pub const MAX_LIMIT: u64 = 200;
/// The page when none is asked for.
pub const DEFAULT_LIMIT: u64 = 50;
/// How many values an "any of" may have.
pub const MAX_VALUES: usize = 100;
/// How many it may have where they are texts: a whole query must fit into the address of a request.
pub const MAX_TEXTS: usize = 20;
/// The longest text of a filter, in characters.
pub const MAX_TEXT: usize = 200;
/// The largest whole number that every client can hold.
pub const MAX_INTEGER: i64 = 9_007_199_254_740_991;
/// How many digits an amount has before its point: so many are exact in every currency.
const MAX_DIGITS: usize = 11;
/// How many members a list may be sorted by.
pub const MAX_SORT: usize = 4;
/// How many relations a query may include.
pub const MAX_INCLUDE: usize = 5;

/// The relations that a query includes: with `customer.owner` also `customer`.
pub type Include = Vec<&'static str>;

/// A word that a list does not know, or that is one too many: its place among the others, and what was expected.
pub(super) type Unexpected = (usize, String);

/// What one resource's list can be asked.
#[derive(Debug)]
pub struct Listing {
    /// The resource's plural name.
    pub resource: &'static str,
    /// What may be filtered and sorted by.
    pub fields: &'static [Field],
    /// The columns that `q` looks in; without any there is no `q`.
    pub search: &'static [&'static str],
    /// The order when none is asked for, such as `-created_at`.
    pub default_sort: &'static str,
    /// The relations that `include` may add, each with those of what it adds: `customer`, `customer.owner`.
    pub includes: &'static [&'static [&'static str]],
}

/// A member that a list may be filtered or sorted by.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own about the member")]
pub struct Field {
    /// Its name in the query.
    pub name: &'static str,
    /// Its column; for money the one with the minor units.
    pub column: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it can be absent.
    pub nullable: bool,
    /// Whether a list may be sorted by it.
    pub sortable: bool,
    /// Whether it is contact data, masked in the pool: then a filter on it passes over the pool for a
    /// caller who sees it masked, and nobody sorts by it.
    pub sensitive: bool,
    /// Whether it can only be asked to equal something: it stands for a condition, not for a column.
    pub only_equals: bool,
    /// Where its normal form is kept, and how that is made: what is written in several ways equals itself.
    pub key: Option<Key>,
}

/// A column with the normal form of another one.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The column.
    pub column: &'static str,
    /// The normal form of a text.
    pub of: fn(&str) -> String,
}

/// A field's type, with what the query may ask of it.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text: equals, not, contains, prefix; for the latter two the case of the letters a to z does not count
    /// (of other letters it does on SQLite; on PostgreSQL its locale decides).
    Text,
    /// One of a few words: equals any of, not.
    OneOf(fn() -> Vec<&'static str>),
    /// An id: equals any of, not.
    Id,
    /// Labels: has any of, has none of.
    Tags,
    /// A whole number: equals, and more or less than.
    Integer,
    /// True or false.
    Boolean,
    /// An instant.
    Timestamp,
    /// A date.
    Date,
    /// An amount; `1000.00` means the organisation's currency, `1000.00 USD` says another. The second
    /// name is the currency's column.
    Money(&'static str),
}

impl Field {
    /// A field that every record has.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            column: name,
            kind,
            nullable: false,
            sortable: false,
            sensitive: false,
            only_equals: false,
            key: None,
        }
    }

    /// The same, kept in another column.
    #[must_use]
    pub const fn in_column(mut self, column: &'static str) -> Self {
        self.column = column;
        self
    }

    /// The same, which can be absent.
    #[must_use]
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The same, which a list may be sorted by.
    #[must_use]
    pub const fn sortable(mut self) -> Self {
        self.sortable = true;
        self
    }

    /// The same, which is only ever asked for a value.
    #[must_use]
    pub const fn one_value(mut self) -> Self {
        self.only_equals = true;
        self
    }

    /// The same, which equals a text where their normal forms are the same.
    #[must_use]
    pub const fn compared_by(mut self, column: &'static str, of: fn(&str) -> String) -> Self {
        self.key = Some(Key { column, of });
        self
    }

    /// The normal form that it is compared by.
    pub fn key(&self, operator: Operator) -> Option<Key> {
        self.key.filter(|_| matches!(operator, Operator::Equals | Operator::Not))
    }

    /// The same, as contact data.
    #[must_use]
    pub const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// What the query may ask of it.
    pub fn operators(&self) -> Vec<Operator> {
        use Operator::{Contains, Equals, Gt, Gte, IsNull, Lt, Lte, Not, Prefix};
        if self.only_equals {
            return vec![Equals];
        }
        let mut operators = match self.kind {
            Kind::Text => vec![Equals, Not, Contains, Prefix],
            Kind::OneOf(_) | Kind::Id | Kind::Tags => vec![Equals, Not],
            Kind::Integer | Kind::Timestamp | Kind::Date | Kind::Money(_) => vec![Equals, Gt, Gte, Lt, Lte],
            Kind::Boolean => vec![Equals],
        };
        if self.nullable {
            operators.push(IsNull);
        }
        operators
    }

    /// Whether it is asked for any or none of several values. An amount may hold a comma of its own kind, and of two
    /// truth values any is no filter.
    pub fn takes_several(&self, operator: Operator) -> bool {
        matches!(operator, Operator::Equals | Operator::Not)
            && !matches!(self.kind, Kind::Money(_) | Kind::Boolean)
    }

    /// How many values "equals" and "not" take.
    pub fn most_values(&self) -> usize {
        if matches!(self.kind, Kind::Text | Kind::Tags) { MAX_TEXTS } else { MAX_VALUES }
    }

    /// One value that it is compared with.
    pub(super) fn value(&self, operator: Operator, text: &str) -> Result<Vec<Value>, String> {
        if operator == Operator::IsNull {
            return Ok(vec![boolean(text)?.into()]);
        }
        if let Some(key) = self.key(operator) {
            return Ok(vec![(key.of)(bounded(text)?).into()]);
        }
        self.parse(text)
    }

    fn parse(&self, text: &str) -> Result<Vec<Value>, String> {
        Ok(match self.kind {
            Kind::Text => vec![bounded(text)?.into()],
            Kind::OneOf(words) => {
                let words = words();
                if !words.contains(&text) {
                    return Err(format!("expected one of {}", words.join(", ")));
                }
                vec![text.into()]
            }
            Kind::Id => vec![parse_id(text)?.into()],
            // As it stands in the list of them.
            Kind::Tags => vec![serde_json::Value::from(bounded(text)?).to_string().into()],
            Kind::Integer => {
                let number = whole(text).filter(|it| it.unsigned_abs() <= MAX_INTEGER.unsigned_abs());
                vec![number.ok_or_else(|| "expected a whole number below 2^53".to_owned())?.into()]
            }
            Kind::Boolean => vec![boolean(text)?.into()],
            Kind::Timestamp => vec![text.parse::<Timestamp>()?.instant().into()],
            Kind::Date => {
                vec![parse_day(text)?.into()]
            }
            Kind::Money(_) => {
                let whole = text.trim_start_matches('-').split(['.', ' ']).next().unwrap_or_default();
                if whole.len() > MAX_DIGITS {
                    return Err("the amount is too large".to_owned());
                }
                let (amount, currency) = match text.split_once(' ') {
                    Some((amount, code)) => (amount, code.parse::<CurrencyCode>()?.0),
                    None => (text, Currency::CNY),
                };
                let money = Money::parse(amount, currency).map_err(|(_, why)| why)?;
                vec![money.minor().into(), currency.code().into()]
            }
        })
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "expected true or false".to_owned())
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The bare name: equals, or with commas any of.
    Equals,
    /// `_ne`: none of.
    Not,
    /// `_gt`
    Gt,
    /// `_gte`
    Gte,
    /// `_lt`
    Lt,
    /// `_lte`
    Lte,
    /// `_contains`
    Contains,
    /// `_prefix`
    Prefix,
    /// `_is_null`
    IsNull,
}

impl Operator {
    /// What the query's parameter adds to the field's name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Equals => "",
            Self::Not => "_ne",
            Self::Gt => "_gt",
            Self::Gte => "_gte",
            Self::Lt => "_lt",
            Self::Lte => "_lte",
            Self::Contains => "_contains",
            Self::Prefix => "_prefix",
            Self::IsNull => "_is_null",
        }
    }
}

/// One condition of a list.
#[derive(Debug, Clone)]
pub struct Condition {
    /// On which field.
    pub field: &'static Field,
    /// How it compares.
    pub operator: Operator,
    /// With what: for each alternative the value, and for money its currency.
    pub values: Vec<Vec<Value>>,
}

impl Condition {
    /// The values as words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(|value| match value.first() {
            Some(Value::String(Some(word))) => Some(word.as_str()),
            _ => None,
        })
    }
}

/// A list as it was asked for.
#[derive(Debug, Clone)]
pub struct ListRequest {
    /// The declaration it was read by.
    pub listing: &'static Listing,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// All must hold: each does where one of its filters does, and a filter where all its conditions do.
    pub groups: Vec<Vec<Vec<Condition>>>,
    /// Text to look for.
    pub search: Option<String>,
    /// The order; ids break ties.
    pub sort: Vec<Sort>,
    /// How many rows at most.
    pub limit: u64,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// How a refusal names the cursor: as a parameter, or by its place in a body.
    pub cursor_at: &'static str,
    /// Whether to count.
    pub total: bool,
    /// What to add to each row.
    pub include: Include,
    /// Tells two questions apart: a cursor belongs to one.
    pub fingerprint: [u8; 16],
}

/// One part of an order.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    /// By which field.
    pub field: &'static Field,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Listing {
    /// A list of which nothing was asked yet.
    pub(super) fn bare(&'static self) -> ListRequest {
        ListRequest {
            listing: self,
            conditions: Vec::new(),
            groups: Vec::new(),
            search: None,
            sort: Vec::new(),
            limit: DEFAULT_LIMIT,
            cursor: None,
            cursor_at: "cursor",
            total: false,
            include: Vec::new(),
            fingerprint: [0; 16],
        }
    }

    /// Reads a query string, already decoded into pairs. An unknown parameter is refused.
    pub fn parse(&'static self, query: &[(String, String)]) -> Result<ListRequest, Refusal> {
        let mut request = self.bare();
        let mut sort = self.default_sort;
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in query {
            if seen.contains(&name.as_str()) {
                return Err(Refusal::malformed(
                    name,
                    "give a parameter once; alternatives go in a comma list",
                ));
            }
            seen.push(name);
            let malformed = |why: String| Refusal::malformed(name, why);
            match name.as_str() {
                "limit" => {
                    request.limit = whole(value)
                        .and_then(|limit| u64::try_from(limit).ok())
                        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                        .ok_or_else(|| malformed(format!("expected a number from 1 to {MAX_LIMIT}")))?;
                }
                "cursor" => request.cursor = Some(value.clone()),
                "sort" => sort = value,
                "total" => request.total = boolean(value).map_err(malformed)?,
                "include" if !self.includes.is_empty() => {
                    request.include = self.include_said(value)?;
                }
                "q" if !self.search.is_empty() => {
                    request.search = Some(bounded(value).map_err(malformed)?.to_owned());
                }
                _ => request.conditions.push(self.parse_condition(name, value)?),
            }
        }
        request.sort = self
            .order(sort.split(','))
            .map_err(|(_, why)| Refusal::unknown_word("sort", &why, &self.sortable()))?;
        request.fingerprint = fingerprint(query, sort);
        Ok(request)
    }

    /// Reads the query of a record that is read alone: it says what to include of what the list includes, and nothing
    /// else.
    pub fn parse_include(&self, query: &[(String, String)]) -> Result<Include, Refusal> {
        let mut include = None;
        for (name, value) in query {
            if name != "include" {
                return Err(unknown(name));
            }
            if include.is_some() {
                return Err(Refusal::malformed(
                    name,
                    "give a parameter once; alternatives go in a comma list",
                ));
            }
            include = Some(self.include_said(value)?);
        }
        Ok(include.unwrap_or_default())
    }

    fn include_said(&self, words: &str) -> Result<Include, Refusal> {
        let unknown = |(_, why): Unexpected| Refusal::unknown_word("include", &why, &self.relations());
        self.include(words.split(',')).map_err(unknown)
    }

    /// Every parameter that the query may have.
    pub fn parameters(&self) -> Vec<String> {
        let q = (!self.search.is_empty()).then_some("q".to_owned());
        let include = (!self.includes.is_empty()).then_some("include".to_owned());
        let fixed = ["sort", "limit", "cursor", "total"].map(str::to_owned);
        self.filters().into_iter().chain(q).chain(include).chain(fixed).collect()
    }

    /// What the rows can be compared with: each member with each way to compare it.
    pub(super) fn filters(&self) -> Vec<String> {
        let of = |field: &Field| {
            let name = field.name;
            field.operators().into_iter().map(move |operator| format!("{name}{}", operator.suffix()))
        };
        self.fields.iter().flat_map(of).collect()
    }

    /// The member that a filter is about, and how it compares.
    pub(super) fn filter(&self, name: &str) -> Option<(&'static Field, Operator)> {
        self.fields.iter().find_map(|field| {
            let suffix = name.strip_prefix(field.name)?;
            let operator = field.operators().into_iter().find(|operator| operator.suffix() == suffix)?;
            Some((field, operator))
        })
    }

    /// Every word of `include`.
    pub fn relations(&self) -> Vec<&'static str> {
        self.includes.concat()
    }

    /// What some words of `include` name. Of every list so many words are taken, however many relations it has, as of
    /// `sort`: to say one twice is the same everywhere.
    pub(super) fn include<'a>(&self, words: impl Iterator<Item = &'a str>) -> Result<Include, Unexpected> {
        let relations = self.relations();
        let mut include = Include::new();
        for (at, word) in words.enumerate() {
            let Some(&relation) = relations.iter().find(|known| at < MAX_INCLUDE && **known == word) else {
                let why = format!("expected up to {MAX_INCLUDE} of {}", relations.join(", "));
                return Err((at, why));
            };
            // What is in a related record brings that record along. Said twice, it is there once.
            let record = relation.split_once('.').map(|(record, _)| record);
            for name in record.into_iter().chain([relation]) {
                if !include.contains(&name) {
                    include.push(name);
                }
            }
        }
        Ok(include)
    }

    pub(super) fn order<'a>(&self, words: impl Iterator<Item = &'a str>) -> Result<Vec<Sort>, Unexpected> {
        let mut sort: Vec<Sort> = Vec::new();
        for (at, word) in words.enumerate() {
            let (name, descending) = word.strip_prefix('-').map_or((word, false), |name| (name, true));
            let field = self.fields.iter().find(|field| field.sortable && field.name == name);
            match field {
                // What was said once more orders nothing that is not in order already.
                Some(field) if at < MAX_SORT => {
                    if sort.iter().all(|other| other.field.name != name) {
                        sort.push(Sort { field, descending });
                    }
                }
                _ => {
                    let known = self.sortable().join(", ");
                    let why = format!("expected up to {MAX_SORT} of {known}, each with or without -");
                    return Err((at, why));
                }
            }
        }
        Ok(sort)
    }

    fn parse_condition(&self, name: &str, value: &str) -> Result<Condition, Refusal> {
        let Some((field, operator)) = self.filter(name) else {
            return Err(unknown(name));
        };
        if value.is_empty() {
            return Err(Refusal::malformed(name, "says nothing"));
        }
        let words: Vec<&str> =
            if field.takes_several(operator) { value.split(',').collect() } else { vec![value] };
        if words.len() > field.most_values() {
            let why = format!("at most {} alternatives", field.most_values());
            return Err(Refusal::malformed(name, why));
        }
        let value = |word| {
            field.value(operator, word).map_err(|why| {
                if matches!(field.kind, Kind::Timestamp) && has_lost_its_plus(word) {
                    "write the `+` of an offset as `%2B`: as it is, it stands for a blank".to_owned()
                } else {
                    why
                }
            })
        };
        let values: Result<Vec<_>, String> = words.into_iter().map(value).collect();
        let values = values.map_err(|why| match field.kind {
            Kind::OneOf(words) if operator != Operator::IsNull => Refusal::unknown_word(name, &why, &words()),
            _ => Refusal::malformed(name, why),
        })?;
        Ok(Condition { field, operator, values })
    }
}

/// Whether a text would be an instant with a `+` in place of its last blank: that is what a query makes of one that is
/// not escaped.
fn has_lost_its_plus(text: &str) -> bool {
    text.rsplit_once(' ')
        .is_some_and(|(time, offset)| format!("{time}+{offset}").parse::<Timestamp>().is_ok())
}

/// What else may be asked beside a list, it does not know: that is told by whoever takes the whole query.
fn unknown(name: &str) -> Refusal {
    Refusal::malformed(name, format!("unknown parameter `{name}`"))
}

/// A whole number, written as in JSON: neither `+5` nor `05`.
pub fn whole(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

pub(super) fn bounded(text: &str) -> Result<&str, String> {
    if text.is_empty() || text.chars().count() > MAX_TEXT {
        return Err(format!("must have between 1 and {MAX_TEXT} characters"));
    }
    if text.contains('\0') {
        return Err("must have no NUL".to_owned());
    }
    Ok(text)
}

/// What a cursor is bound to: everything but the page.
pub(super) fn fingerprint(query: &[(String, String)], sort: &str) -> [u8; 16] {
    let mut pairs: Vec<(&str, &str)> = query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| !["cursor", "limit", "total", "include", "sort"].contains(name))
        .collect();
    pairs.push(("sort", sort));
    pairs.sort_unstable();
    let mut hash = Sha256::new();
    for (name, value) in pairs {
        hash.update([name, "\0", value, "\0"].concat());
    }
    let mut out = [0; 16];
    out.copy_from_slice(&hash.finalize()[..16]);
    out
}
