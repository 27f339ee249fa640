//! Searches beside their lists, on a demo: what a filter finds is what the list finds by the same parameters, and what
//! groups find follows from that.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::{LISTS, found, search};
use crate::document::resolve;
use crate::lists::ids;
use crate::search::serde_urlencoded;
use crate::support::{Answer, Client, Server, rounds, seed};

on_both_databases! {
    a_search_finds_what_its_list_finds;
}

/// Who may see rows of every list. The first sees all, and nothing masked.
const PEOPLE: [&str; 4] = ["admin", "director", "rep.east", "auditor"];
/// What stands behind the name of a member that is not asked to equal something.
const WAYS: [&str; 8] = ["_ne", "_gt", "_gte", "_lt", "_lte", "_contains", "_prefix", "_is_null"];

/// A member of a filter: its name, its value, and how a query writes that.
struct Said {
    name: String,
    value: Value,
    text: String,
}

impl Said {
    fn one(name: &str, value: Value) -> Self {
        Self { name: name.to_owned(), text: written(&value), value }
    }
}

fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What filters take of a member of a row: of an amount a text, of labels each by itself.
fn values(member: &Value) -> Vec<Value> {
    match member {
        Value::Null => Vec::new(),
        Value::Array(labels) => labels.clone(),
        Value::Object(money) => {
            vec![json!(format!("{} {}", written(&money["amount"]), written(&money["currency"])))]
        }
        one => vec![one.clone()],
    }
}

/// Every member that a list's filters have, each with a value of some row.
fn questions(document: &Value, list: &str, rows: &[Value], random: &mut StdRng) -> Vec<Said> {
    let body = &document["paths"][format!("/api/v1/{list}/search")]["post"]["requestBody"];
    let whole = resolve(document, &body["content"]["application/json"]["schema"]);
    let group = resolve(document, &whole["properties"]["all"]["items"]);
    let filter = resolve(document, &group["properties"]["any"]["items"]);
    let members = filter["properties"].as_object().unwrap().iter();
    members.filter_map(|(name, schema)| question(name, schema, rows, random)).collect()
}

fn question(name: &str, schema: &Value, rows: &[Value], random: &mut StdRng) -> Option<Said> {
    let way = WAYS.into_iter().find(|way| name.ends_with(*way)).unwrap_or_default();
    if way == "_is_null" {
        return Some(Said::one(name, json!(random.random_bool(0.5))));
    }
    let several = schema["type"] == "array";
    let member = name.strip_suffix(way).unwrap_or(name);
    let of_rows = rows.iter().flat_map(|row| values(&row[member]));
    // A comma is no part of a value in a query.
    let known: Vec<Value> = of_rows.filter(|value| !several || !written(value).contains(',')).collect();
    if known.is_empty() {
        return None;
    }
    let mut any = || known[random.random_range(0..known.len())].clone();
    let text = written(&any());
    Some(match way {
        "_prefix" => Said::one(name, json!(text.chars().take(2).collect::<String>())),
        "_contains" => {
            let last = text.char_indices().rev().nth(1).map_or(0, |(at, _)| at);
            Said::one(name, json!(&text[last..]))
        }
        _ if several => {
            let two = [any(), any()];
            let text = format!("{},{}", written(&two[0]), written(&two[1]));
            Said { name: name.to_owned(), value: json!(two), text }
        }
        _ => Said::one(name, any()),
    })
}

/// Some of the questions, which a filter asks together.
fn some<'a>(questions: &'a [Said], random: &mut StdRng) -> Vec<&'a Said> {
    let places: BTreeSet<usize> =
        (0..random.random_range(1..3)).map(|_| random.random_range(0..questions.len())).collect();
    places.into_iter().map(|at| &questions[at]).collect()
}

fn filter(said: &[&Said]) -> Value {
    said.iter().map(|one| (one.name.as_str(), one.value.clone())).collect()
}

async fn listed(client: &Client, list: &str, said: &[&Said]) -> Answer {
    let said = said.iter().map(|one| (one.name.as_str(), one.text.as_str()));
    let query: Vec<(&str, &str)> = [("limit", "200"), ("total", "true")].into_iter().chain(said).collect();
    client.get(&format!("/{list}?{}", serde_urlencoded(&query))).await.expect(200)
}

fn rows(answer: &Answer) -> &[Value] {
    answer.body["data"].as_array().unwrap()
}

async fn a_search_finds_what_its_list_finds(server: Server) {
    let mut demo = Server::demo(server.database.kind).await;
    // What a server does by itself would change rows between two questions.
    demo.stop().await;
    demo.set("FAIRLEAD_JOBS__ENABLED", "false");
    demo.restart().await;
    let document = demo.anonymous().get_root("/openapi.json").await.expect(200).body;
    let mut people = Vec::new();
    for who in PEOPLE {
        people.push(demo.login(&format!("{who}@demo.fairlead.example"), "demo-password").await);
    }
    let mut random = StdRng::seed_from_u64(seed());
    let (mut compared, mut told) = (0, 0);
    for list in LISTS {
        let all = listed(&people[0], list, &[]).await;
        assert_eq!(all.body["page"]["has_more"], false, "{list} has more than a page");
        let questions = questions(&document, list, rows(&all), &mut random);
        for question in &questions {
            let who = random.random_range(0..PEOPLE.len());
            let shown = listed(&people[who], list, &[question]).await;
            let body = json!({"all": [{"any": [filter(&[question])]}], "limit": 200, "total": true});
            let answer = search(&people[who], list, body).await.expect(200);
            let (name, text) = (&question.name, &question.text);
            assert_eq!(answer.body, shown.body, "{list} {name}={text} as {}", PEOPLE[who]);
            compared += 1;
        }
        for _ in 0..rounds(12, 60) {
            let who = random.random_range(0..PEOPLE.len());
            let client = &people[who];
            let whole = listed(client, list, &[]).await;
            let (mut groups, mut expected) = (Vec::new(), ids(rows(&whole)));
            for _ in 0..random.random_range(1..3) {
                let (mut filters, mut fitting) = (Vec::new(), BTreeSet::new());
                for _ in 0..random.random_range(1..4) {
                    let some = some(&questions, &mut random);
                    let shown = listed(client, list, &some).await;
                    fitting.extend(ids(rows(&shown)).into_iter().map(str::to_owned));
                    filters.push(filter(&some));
                }
                expected.retain(|id| fitting.contains(*id));
                groups.push(json!({"any": filters}));
            }
            let groups = json!(groups);
            let answer = found(client, list, &groups).await;
            assert_eq!(ids(&answer), expected, "{list} {groups} as {}", PEOPLE[who]);
            told += usize::from(!expected.is_empty() && expected.len() < rows(&whole).len());
        }
    }
    assert!(compared > 250, "only {compared} filters had values to ask about");
    assert!(told > 10, "only {told} of the searches told rows apart");
}
