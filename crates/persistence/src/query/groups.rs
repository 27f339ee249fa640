//! Longer conditions than a query string says: groups of filters, from the body of a search. A filter's members are
//! the list's parameters, and mean what they mean there.

use fairlead_domain::error::{Refusal, Rule};
use fairlead_domain::values::form;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

use super::listing::{
    Condition, Field, Kind, ListRequest, Listing, MAX_INCLUDE, MAX_INTEGER, MAX_LIMIT, MAX_SORT, MAX_TEXT,
    Operator, Unexpected, bounded, fingerprint,
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
        let (members, wishes) = (body.as_object().into_iter().flatten(), self.wishes());
        if let Some(name) = members.map(|(name, _)| name.as_str()).find(|name| !wishes.contains(name)) {
            return Err(unknown("", name, &wishes));
        }
        known_members(&body)?;
        let search: Search = form::read(body)?;
        let mut request = ListRequest { cursor_at: "/cursor", total: search.total, ..self.bare() };
        let mut question = Vec::new();
        request.groups = self.groups(search.all, &mut question)?;
        if let Some(text) = search.q {
            bounded(&text).map_err(|why| between(Refusal::invalid("/q", Rule::Length, why), 1, MAX_TEXT))?;
            question.push(("q".to_owned(), text.clone()));
            request.search = Some(text);
        }
        if let Some(words) = search.include {
            check_length("/include", words.len(), MAX_INCLUDE)?;
            let include = self.include(words.iter().map(String::as_str));
            request.include = include.map_err(|it| unknown_item("/include", it, self.relations()))?;
        }
        let order = search.sort.unwrap_or_else(|| self.default_sort.split(',').map(str::to_owned).collect());
        check_length("/sort", order.len(), MAX_SORT)?;
        let sort = self.order(order.iter().map(String::as_str));
        request.sort = sort.map_err(|it| unknown_item("/sort", it, self.sortable()))?;
        if let Some(limit) = search.limit {
            let limit = u64::try_from(limit).ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
            let why = || format!("must be between 1 and {MAX_LIMIT}");
            let refusal = || between(Refusal::invalid("/limit", Rule::Range, why()), 1, MAX_LIMIT);
            request.limit = limit.ok_or_else(refusal)?;
        }
        request.cursor = search.cursor;
        request.fingerprint = fingerprint(&question, &order.join(","));
        Ok(request)
    }

    /// The members that the body of a search may have.
    fn wishes(&self) -> Vec<&'static str> {
        let q = (!self.search.is_empty()).then_some("q");
        let include = (!self.includes.is_empty()).then_some("include");
        let others = ["sort", "limit", "cursor", "total"];
        ["all"].into_iter().chain(q).chain(include).chain(others).collect()
    }

    /// The members that a filter may have. What stands for a condition of its own is said in a query only.
    fn comparable(&self) -> Vec<String> {
        let said = |name: &String| self.filter(name).is_some_and(|(field, _)| !field.only_equals);
        self.filters().into_iter().filter(said).collect()
    }

    /// What the rows may be sorted by.
    pub(super) fn sortable(&self) -> Vec<&'static str> {
        self.fields.iter().filter(|field| field.sortable).map(|field| field.name).collect()
    }

    /// Reads the groups, and notes each member of each filter by its place.
    fn groups(
        &'static self,
        groups: Vec<Group>,
        question: &mut Vec<(String, String)>,
    ) -> Result<Vec<Vec<Vec<Condition>>>, Refusal> {
        if groups.len() > MAX_GROUPS {
            return Err(too_long(format!("must have at most {MAX_GROUPS} groups"), MAX_GROUPS));
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
            return Err(too_long(why, MAX_FILTERS_IN_ALL));
        }
        let values = read.iter().flatten().flatten().map(|condition: &Condition| condition.values.len());
        if values.sum::<usize>() > MAX_VALUES_IN_ALL {
            let why = format!("must have at most {MAX_VALUES_IN_ALL} values in all filters together");
            return Err(too_long(why, MAX_VALUES_IN_ALL));
        }
        Ok(read)
    }

    /// Reads one filter. One that says nothing would hold of every row, and make its group pointless.
    fn conditions(&'static self, at: &str, filter: Map<String, Json>) -> Result<Vec<Condition>, Refusal> {
        if filter.is_empty() {
            let refusal = Refusal::invalid(at, Rule::Length, "must have at least one member");
            return Err(refusal.with_param("min", 1));
        }
        let read = |(name, value): (String, Json)| {
            let found = self.filter(&name).filter(|(field, _)| !field.only_equals);
            let (field, operator) = found.ok_or_else(|| unknown(at, &name, &self.comparable()))?;
            condition(field, operator, value).map_err(|refusal| refusal.within(&member(at, &name)))
        };
        filter.into_iter().map(read).collect()
    }
}

/// Refuses what a group does not have, before its type would, which does not say what there is.
fn known_members(body: &Json) -> Result<(), Refusal> {
    let groups = body.get("all").and_then(Json::as_array);
    for (at, group) in groups.into_iter().flatten().enumerate() {
        let mut members = group.as_object().into_iter().flatten();
        if let Some((name, _)) = members.find(|(name, _)| name.as_str() != "any") {
            return Err(unknown(&format!("/all/{at}"), name, &["any"]));
        }
    }
    Ok(())
}

fn member(at: &str, name: &str) -> String {
    let mut pointer = at.to_owned();
    form::push_segment(&mut pointer, name);
    pointer
}

/// Names what there is in words as well: whoever reads the message has no figures before them.
fn unknown<T: AsRef<str>>(at: &str, name: &str, allowed: &[T]) -> Refusal {
    let allowed: Vec<&str> = allowed.iter().map(AsRef::as_ref).collect();
    let why = format!("unknown field `{name}`, expected some of {}", allowed.join(", "));
    Refusal::malformed(&member(at, name), why).with("allowed", allowed)
}

fn check_length(at: &str, length: usize, most: usize) -> Result<(), Refusal> {
    if (1..=most).contains(&length) {
        return Ok(());
    }
    Err(between(Refusal::invalid(at, Rule::Length, format!("must have between 1 and {most} items")), 1, most))
}

fn between(refusal: Refusal, min: impl Serialize, max: impl Serialize) -> Refusal {
    refusal.with_param("min", min).with_param("max", max)
}

fn too_long(why: String, most: usize) -> Refusal {
    Refusal::invalid("/all", Rule::Length, why).with_param("max", most)
}

/// The same of a word in a list of them, which is named by its place like any other item.
fn unknown_item(list: &str, (at, why): Unexpected, known: Vec<&'static str>) -> Refusal {
    unknown_word(&format!("{list}/{at}"), why, known)
}

fn unknown_word(at: &str, why: String, known: Vec<&'static str>) -> Refusal {
    Refusal::invalid(at, Rule::UnknownValue, why).with_param("allowed", known)
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
        values.push(value.map_err(|why| broken(&place, field.kind, why))?);
    }
    Ok(Condition { field, operator, values })
}

/// What a member says, as a query would write it.
fn texts<T: DeserializeOwned + ToString>(value: Json, several: bool) -> Result<Vec<String>, Refusal> {
    let values: Vec<T> = if several { form::read(value)? } else { vec![form::read(value)?] };
    Ok(values.iter().map(T::to_string).collect())
}

/// Refuses a value of which a member makes nothing, by the rule and with the figures that forms have.
fn broken(at: &str, kind: Kind, why: String) -> Refusal {
    match kind {
        Kind::Text | Kind::Tags => between(Refusal::invalid(at, Rule::Length, why), 1, MAX_TEXT),
        Kind::OneOf(words) => unknown_word(at, why, words()),
        Kind::Boolean => Refusal::invalid(at, Rule::UnknownValue, why),
        Kind::Id => Refusal::invalid(at, Rule::InvalidId, why),
        Kind::Integer => between(Refusal::invalid(at, Rule::Range, why), -MAX_INTEGER, MAX_INTEGER),
        Kind::Timestamp => Refusal::invalid(at, Rule::InvalidTimestamp, why),
        Kind::Date => Refusal::invalid(at, Rule::InvalidDate, why),
        Kind::Money(_) => Refusal::invalid(at, Rule::InvalidAmount, why),
    }
}

#[cfg(test)]
mod tests {
    use fairlead_domain::error::Code;
    use serde_json::json;

    use super::*;

    static THINGS: Listing = Listing {
        resource: "things",
        fields: &[
            Field::new("name", Kind::Text).sortable(),
            Field::new("status", Kind::OneOf(|| vec!["new", "old"])),
            Field::new("owner_id", Kind::Id).nullable(),
            Field::new("tags", Kind::Tags),
            Field::new("score", Kind::Integer).sortable(),
            Field::new("locked", Kind::Boolean),
            Field::new("seen_at", Kind::Timestamp),
            Field::new("due_on", Kind::Date),
            Field::new("amount", Kind::Money("currency")),
            Field::new("box", Kind::Text).one_value(),
        ],
        search: &["name"],
        default_sort: "-name",
        includes: &[&["owner"]],
    };

    fn filter(filter: &Json) -> Json {
        json!({"all": [{"any": [filter]}]})
    }

    #[test]
    fn a_filter_says_what_a_query_says() {
        let id = "0190163d-8694-739b-aea5-966c26f8ad91";
        for (name, query, body) in [
            ("name", "a", json!(["a"])),
            ("name_ne", "a,b", json!(["a", "b"])),
            ("name_contains", "a,b", json!("a,b")),
            ("name_prefix", "a", json!("a")),
            ("status", "new,old", json!(["new", "old"])),
            ("owner_id", id, json!([id])),
            ("owner_id_is_null", "true", json!(true)),
            ("tags_ne", "a,b", json!(["a", "b"])),
            ("score", "1,2", json!([1, 2.0])),
            ("score_gte", "-7", json!(-7)),
            ("locked", "false", json!(false)),
            ("seen_at_lt", "2026-01-31T08:30:00+08:00", json!("2026-01-31T08:30:00+08:00")),
            ("due_on", "2026-01-31", json!(["2026-01-31"])),
            ("amount_lte", "12.50 USD", json!("12.50 USD")),
            ("amount", "12.50", json!("12.50")),
        ] {
            let asked = THINGS.parse(&[(name.to_owned(), query.to_owned())]).unwrap();
            let searched = THINGS.search(filter(&json!({name: body}))).unwrap();
            let (asked, searched) = (&asked.conditions[0], &searched.groups[0][0][0]);
            assert_eq!(asked.field.name, searched.field.name, "{name}");
            assert_eq!((asked.operator, &asked.values), (searched.operator, &searched.values), "{name}");
        }
        // What no comma list could say.
        let searched = THINGS.search(filter(&json!({"name": ["a, b"]}))).unwrap();
        assert_eq!(searched.groups[0][0][0].words().collect::<Vec<_>>(), ["a, b"]);
    }

    #[test]
    fn a_search_orders_and_pages_as_a_query_does() {
        let search = THINGS.search(json!({})).unwrap();
        assert_eq!((search.limit, search.total, search.cursor_at), (50, false, "/cursor"));
        assert!(search.groups.is_empty() && search.sort[0].field.name == "name" && search.sort[0].descending);
        let said = json!({
            "q": "a", "sort": ["score", "-name"], "limit": 7, "cursor": "x", "total": true, "include": ["owner"],
        });
        let search = THINGS.search(said).unwrap();
        assert_eq!((search.search.as_deref(), search.limit, search.total), (Some("a"), 7, true));
        assert_eq!((search.cursor.as_deref(), search.include), (Some("x"), vec!["owner"]));
        assert_eq!(search.sort.iter().map(|sort| sort.field.name).collect::<Vec<_>>(), ["score", "name"]);
    }

    #[test]
    fn a_cursor_belongs_to_the_conditions_whatever_the_order_of_their_members() {
        let print = |body: Json| THINGS.search(body).unwrap().fingerprint;
        let (a, b) = (json!({"name": ["a"]}), json!({"name": ["b"]}));
        let both = print(filter(&json!({"name": ["a"], "score": [1]})));
        assert_eq!(both, print(filter(&json!({"score": [1], "name": ["a"]}))));
        let different = [
            both,
            print(json!({})),
            print(filter(&a)),
            print(filter(&b)),
            print(json!({"all": [{"any": [a, b]}]})),
            print(json!({"all": [{"any": [b, a]}]})),
            print(json!({"all": [{"any": [a]}, {"any": [b]}]})),
            print(json!({"sort": ["name"]})),
            print(json!({"q": "a"})),
        ];
        for (at, one) in different.iter().enumerate() {
            assert!(!different[..at].contains(one), "{at}");
        }
        assert_eq!(print(json!({})), print(json!({"limit": 3, "total": true, "include": ["owner"]})));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        use Code::{MalformedRequest as Malformed, ValidationFailed as Broken};
        let ids = |count: usize| vec!["0190163d-8694-739b-aea5-966c26f8ad91"; count];
        let a = json!({"name": ["a"]});
        let cases = [
            (json!([]), Malformed, ""),
            (json!({"any": []}), Malformed, "/any"),
            (json!({"q": null}), Malformed, "/q"),
            (json!({"q": ""}), Broken, "/q"),
            (json!({"limit": 0}), Broken, "/limit"),
            (json!({"limit": 201}), Broken, "/limit"),
            (json!({"limit": "5"}), Malformed, "/limit"),
            (json!({"sort": []}), Broken, "/sort"),
            (json!({"sort": "name"}), Malformed, "/sort"),
            (json!({"sort": vec!["name"; 5]}), Broken, "/sort"),
            (json!({"sort": ["name,score"]}), Broken, "/sort/0"),
            (json!({"sort": ["name", "-status"]}), Broken, "/sort/1"),
            (json!({"include": []}), Broken, "/include"),
            (json!({"include": vec!["owner"; 6]}), Broken, "/include"),
            (json!({"include": ["customer"]}), Broken, "/include/0"),
            (json!({"include": ["owner", "owner", ""]}), Broken, "/include/2"),
            (json!({"colour": "red"}), Malformed, "/colour"),
            (json!({"total": "true"}), Malformed, "/total"),
            (json!({"all": {}}), Malformed, "/all"),
            (json!({"all": [a]}), Malformed, "/all/0/name"),
            (json!({"all": [{}]}), Malformed, "/all/0/any"),
            (json!({"all": [{"any": []}]}), Broken, "/all/0/any"),
            (json!({"all": [{"any": [a, {}]}]}), Broken, "/all/0/any/1"),
            (json!({"all": [{"any": [a, []]}]}), Malformed, "/all/0/any/1"),
            (filter(&json!({"colour": ["red"]})), Malformed, "/all/0/any/0/colour"),
            (filter(&json!({"a/b": 1})), Malformed, "/all/0/any/0/a~1b"),
            (filter(&json!({"name_gt": "a"})), Malformed, "/all/0/any/0/name_gt"),
            (filter(&json!({"box": "a"})), Malformed, "/all/0/any/0/box"),
            (filter(&json!({"name": "a"})), Malformed, "/all/0/any/0/name"),
            (filter(&json!({"name": null})), Malformed, "/all/0/any/0/name"),
            (filter(&json!({"name": []})), Broken, "/all/0/any/0/name"),
            (filter(&json!({"name": ["a", 1]})), Malformed, "/all/0/any/0/name/1"),
            (filter(&json!({"name": ["a", ""]})), Broken, "/all/0/any/0/name/1"),
            (filter(&json!({"name": ["a\u{0}"]})), Broken, "/all/0/any/0/name/0"),
            (filter(&json!({"name": vec!["a"; 21]})), Broken, "/all/0/any/0/name"),
            (filter(&json!({"owner_id": ids(101)})), Broken, "/all/0/any/0/owner_id"),
            (filter(&json!({"owner_id": ["x"]})), Broken, "/all/0/any/0/owner_id/0"),
            (filter(&json!({"owner_id_is_null": "true"})), Malformed, "/all/0/any/0/owner_id_is_null"),
            (filter(&json!({"name_contains": ["a"]})), Malformed, "/all/0/any/0/name_contains"),
            (filter(&json!({"status": ["gone"]})), Broken, "/all/0/any/0/status/0"),
            (filter(&json!({"score": ["1"]})), Malformed, "/all/0/any/0/score/0"),
            (filter(&json!({"score": [1.5]})), Malformed, "/all/0/any/0/score/0"),
            (filter(&json!({"score_gt": 9_007_199_254_740_992_i64})), Broken, "/all/0/any/0/score_gt"),
            (filter(&json!({"locked": [true]})), Malformed, "/all/0/any/0/locked"),
            (filter(&json!({"due_on": ["2026-02-30"]})), Broken, "/all/0/any/0/due_on/0"),
            (filter(&json!({"seen_at_gt": "now"})), Broken, "/all/0/any/0/seen_at_gt"),
            (filter(&json!({"amount": "1 XXX"})), Broken, "/all/0/any/0/amount"),
            (
                filter(&json!({"amount": {"amount": "1", "currency": "CNY"}})),
                Malformed,
                "/all/0/any/0/amount",
            ),
            (json!({"all": vec![json!({"any": [a]}); 11]}), Broken, "/all"),
            (json!({"all": [{"any": vec![a.clone(); 21]}]}), Broken, "/all/0/any"),
            (json!({"all": vec![json!({"any": vec![a.clone(); 17]}); 3]}), Broken, "/all"),
            (
                json!({"all": [{"any": vec![json!({"owner_id": ids(99), "score_gt": 1, "score_lt": 9}); 20]}]}),
                Broken,
                "/all",
            ),
        ];
        for (body, code, pointer) in cases {
            let refusal = THINGS.search(body.clone()).unwrap_err();
            assert_eq!((refusal.code, &*refusal.errors[0].pointer), (code, pointer), "{body}");
        }
        // With the figures of each rule, as forms have them.
        for (body, params) in [
            (json!({"limit": 201}), json!({"min": 1, "max": 200})),
            (json!({"q": ""}), json!({"min": 1, "max": 200})),
            (json!({"sort": []}), json!({"min": 1, "max": 4})),
            (json!({"sort": ["status"]}), json!({"allowed": ["name", "score"]})),
            (json!({"sort": vec!["name"; 5]}), json!({"min": 1, "max": 4})),
            (json!({"include": []}), json!({"min": 1, "max": 5})),
            (json!({"include": ["customer"]}), json!({"allowed": ["owner"]})),
            (json!({"all": vec![json!({"any": [a]}); 11]}), json!({"max": 10})),
            (json!({"all": vec![json!({"any": vec![a.clone(); 17]}); 3]}), json!({"max": 50})),
            (json!({"all": [{"any": [{}]}]}), json!({"min": 1})),
            (filter(&json!({"name": vec!["a"; 21]})), json!({"min": 1, "max": 20})),
            (filter(&json!({"name": [""]})), json!({"min": 1, "max": 200})),
            (filter(&json!({"status": ["gone"]})), json!({"allowed": ["new", "old"]})),
            (filter(&json!({"score_gt": MAX_INTEGER + 1})), json!({"min": -MAX_INTEGER, "max": MAX_INTEGER})),
            (filter(&json!({"owner_id": ["x"]})), json!({})),
        ] {
            let refusal = THINGS.search(body.clone()).unwrap_err();
            assert_eq!(json!(refusal.errors[0].params), params, "{body}");
        }
        for taken in [
            json!({"all": []}),
            json!({"all": vec![json!({"any": [a]}); 10]}),
            json!({"all": [{"any": vec![a.clone(); 20]}, {"any": vec![a.clone(); 20]}, {"any": vec![a; 10]}]}),
            json!({"all": [{"any": vec![json!({"owner_id": ids(99), "score_gt": 1}); 20]}]}),
            filter(&json!({"name": vec!["a"; 20]})),
            // Said twice, a relation or a member is no more than said once, however many there are.
            json!({"include": vec!["owner"; 5]}),
            json!({"sort": ["name", "-name", "name", "name"]}),
        ] {
            assert!(THINGS.search(taken.clone()).is_ok(), "{taken}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_with_what_is() {
        static BARE: Listing = Listing {
            resource: "bare",
            fields: &[Field::new("name", Kind::Text).sortable()],
            search: &[],
            default_sort: "-name",
            includes: &[],
        };
        let wishes = "all, sort, limit, cursor, total";
        let told = |listing: &'static Listing, body: Json| listing.search(body).unwrap_err();
        for (refusal, expected) in [
            (
                told(&THINGS, json!({"colour": 1})),
                "unknown field `colour`, expected some of all, q, include, sort, limit, cursor, total"
                    .to_owned(),
            ),
            (told(&BARE, json!({"q": "a"})), format!("unknown field `q`, expected some of {wishes}")),
            (
                told(&BARE, json!({"include": ["owner"]})),
                format!("unknown field `include`, expected some of {wishes}"),
            ),
        ] {
            assert_eq!((&*refusal.errors[0].message, &refusal.detail), (&*expected, &expected));
        }
        let refusal = told(&THINGS, json!({"all": [{"any": [{"name": ["a"]}]}, {"any": [], "none": []}]}));
        assert_eq!(&*refusal.errors[0].pointer, "/all/1/none");
        assert_eq!(&*refusal.errors[0].message, "unknown field `none`, expected some of any");
        assert_eq!(refusal.figures["allowed"], json!(["any"]));
        let refusal = told(&THINGS, filter(&json!({"colour": ["red"]})));
        let message = &refusal.errors[0].message;
        assert!(message.starts_with("unknown field `colour`, expected some of name, name_ne, "), "{message}");
        let allowed = refusal.figures["allowed"].as_array().unwrap();
        assert!(allowed.contains(&json!("owner_id_is_null")), "{allowed:?}");
        // What stands for a condition of its own is said in a query only.
        assert!(!allowed.contains(&json!("box")), "{allowed:?}");
    }
}
