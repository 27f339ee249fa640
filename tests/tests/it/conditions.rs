//! Searches: lists with longer conditions than a query says, in the body of a `POST` that reads.

mod compared;

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

use crate::lists::{ids, leads, minor, text};
use crate::support::{Answer, Client, Company, Server, seed};

on_both_databases! {
    groups_hold_where_one_of_their_filters_does;
    a_search_shows_what_the_list_shows;
    pages_of_a_search_show_every_row_once;
    cursors_belong_to_their_conditions;
    no_branch_tells_what_is_masked;
    what_no_search_takes_is_named;
    a_search_has_a_size;
    a_search_writes_nothing;
}

const LISTS: [&str; 6] = ["leads", "customers", "opportunities", "contracts", "invoices", "payments"];
const UNKNOWN_ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

async fn search(client: &Client, list: &str, body: Value) -> Answer {
    client.post(&format!("/{list}/search"), body).await
}

async fn found(client: &Client, list: &str, all: &Value) -> Vec<Value> {
    let answer = search(client, list, json!({"all": all, "limit": 200})).await.expect(200);
    answer.body["data"].as_array().unwrap().clone()
}

/// A member of a filter, its value, and whether a row fits.
type Atom<'a> = (&'static str, Value, Box<dyn Fn(&Value) -> bool + 'a>);

fn atoms(rep: &str) -> Vec<Atom<'_>> {
    vec![
        (
            "name",
            json!(["lead 03", "lead 04"]),
            Box::new(|row| matches!(text(row, "name"), Some("lead 03" | "lead 04"))),
        ),
        ("name_ne", json!(["lead 03"]), Box::new(|row| text(row, "name") != Some("lead 03"))),
        ("name_contains", json!("AD 0"), Box::new(|row| text(row, "name").unwrap().contains("ad 0"))),
        ("company", json!(["acme"]), Box::new(|row| text(row, "company") == Some("acme"))),
        (
            "company_ne",
            json!(["acme", "beta"]),
            Box::new(|row| !matches!(text(row, "company"), Some("acme" | "beta"))),
        ),
        ("company_is_null", json!(true), Box::new(|row| row["company"].is_null())),
        ("source", json!(["event", "referral"]), Box::new(|row| row["source"] != "website")),
        ("source_ne", json!(["event"]), Box::new(|row| row["source"] != "event")),
        ("status", json!(["disqualified"]), Box::new(|row| row["status"] == "disqualified")),
        ("owner_id", json!([rep]), Box::new(move |row| text(row, "owner_id") == Some(rep))),
        ("owner_id_ne", json!([rep]), Box::new(move |row| text(row, "owner_id") != Some(rep))),
        ("owner_id_is_null", json!(false), Box::new(|row| !row["owner_id"].is_null())),
        (
            "expected_purchase_on",
            json!(["2026-03-01"]),
            Box::new(|row| row["expected_purchase_on"] == "2026-03-01"),
        ),
        (
            "expected_purchase_on_gt",
            json!("2026-03-01"),
            Box::new(|row| row["expected_purchase_on"] == "2026-05-31"),
        ),
        ("expected_purchase_on_is_null", json!(true), Box::new(|row| row["expected_purchase_on"].is_null())),
        ("budget_gte", json!("100.00"), Box::new(|row| minor(row, "budget", "CNY") >= Some(10_000))),
        ("budget_lt", json!("2000.50 CNY"), Box::new(|row| minor(row, "budget", "CNY") == Some(10_000))),
        ("budget", json!("100.00 USD"), Box::new(|row| minor(row, "budget", "USD") == Some(10_000))),
        ("region", json!(["East"]), Box::new(|row| row["region"] == "East")),
        ("region_is_null", json!(false), Box::new(|row| !row["region"].is_null())),
        ("score_gte", json!(0), Box::new(|row| row["score"].as_i64() >= Some(0))),
        ("tags", json!(["vip"]), Box::new(|_| false)),
        ("tags_ne", json!(["vip"]), Box::new(|_| true)),
        ("created_at_gte", json!("2001-01-01T00:00:00Z"), Box::new(|_| true)),
    ]
}

/// Whatever is put together by chance, the rows are those that fit when one looks at each.
async fn groups_hold_where_one_of_their_filters_does(server: Server) {
    let company = Company::found(&server).await;
    let all = leads(&company).await;
    let atoms = atoms(&company.rep.id);
    let mut random = StdRng::seed_from_u64(seed());
    let (mut some, mut wrong) = (0, Vec::new());
    for _ in 0..150 {
        let (mut groups, mut chosen) = (Vec::new(), Vec::new());
        for _ in 0..random.random_range(1..4) {
            let (mut filters, mut any) = (Vec::new(), Vec::new());
            for _ in 0..random.random_range(1..4) {
                // A member is there once: of two with one name the last counts.
                let places = (0..random.random_range(1..4)).map(|_| random.random_range(0..atoms.len()));
                let places: BTreeMap<&str, usize> = places.map(|at| (atoms[at].0, at)).collect();
                let members: Map<String, Value> =
                    places.values().map(|at| (atoms[*at].0.to_owned(), atoms[*at].1.clone())).collect();
                filters.push(Value::Object(members));
                any.push(places.into_values().collect::<Vec<usize>>());
            }
            groups.push(json!({"any": filters}));
            chosen.push(any);
        }
        let holds = |row: &Value| {
            let of_filter = |filter: &Vec<usize>| filter.iter().all(|at| atoms[*at].2(row));
            chosen.iter().all(|any| any.iter().any(of_filter))
        };
        let expected: Vec<Value> = all.iter().filter(|row| holds(row)).cloned().collect();
        some += usize::from(!expected.is_empty() && expected.len() < all.len());
        let groups = json!(groups);
        let rows = found(&company.marketing.client, "leads", &groups).await;
        if ids(&rows) != ids(&expected) {
            wrong.push(format!("{groups}: {} rows, not {}", rows.len(), expected.len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(some > 30, "only {some} of the questions told rows apart");

    // A text may hold what stands between those of a query, and `q` holds besides.
    company.tell_no_duplicates().await;
    let rep = &company.rep.client;
    for name in ["Lin, Chen & Co.", "Lin", "Chen & Co."] {
        rep.post("/customers", json!({"kind": "company", "name": name})).await.expect(201);
    }
    let names = async |body: Value| {
        let answer = search(rep, "customers", body).await.expect(200);
        let rows = answer.body["data"].as_array().unwrap().iter();
        rows.map(|row| text(row, "name").unwrap().to_owned()).collect::<Vec<_>>()
    };
    let comma = json!([{"any": [{"name": ["Lin, Chen & Co."]}]}]);
    assert_eq!(names(json!({"all": comma})).await, ["Lin, Chen & Co."]);
    let either = json!([{"any": [{"name": ["Lin"]}, {"name_contains": "& co"}]}]);
    let body = json!({"all": either, "sort": ["-name"], "q": "chen"});
    assert_eq!(names(body).await, ["Lin, Chen & Co.", "Chen & Co."]);
}

/// As every role: the same rows, the same masks, the same refusals.
async fn a_search_shows_what_the_list_shows(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    for owner in [&company.rep, &company.other_rep] {
        let lead = json!({"name": "Lead", "source": "website", "phone": "13800138000"});
        owner.client.post("/leads", lead).await.expect(201);
        let contract = company.active(owner, "100.00", "by_invoice").await;
        company.issued(owner, &contract, "40.00").await;
        owner.client.post("/payments", Company::payment(&contract, "10.00")).await.expect(201);
        let customer = company.customer(owner).await;
        let form = json!({"customer_id": customer, "name": "Deal"});
        owner.client.post("/opportunities", form).await.expect(201);
    }
    company.pool_customer().await;
    let anything = json!([{"any": [{"owner_id": [UNKNOWN_ID]}, {"created_at_gte": "2000-01-01T00:00:00Z"}]}]);
    let (mut seen, mut refused) = (0, 0);
    for (role, person) in company.by_role() {
        for list in LISTS {
            let shown = person.client.get(&format!("/{list}?include=owner&total=true")).await;
            let body = json!({"include": ["owner"], "total": true});
            let answer = search(&person.client, list, body).await;
            assert_eq!(answer.status, shown.status, "{list} as {role}: {}", answer.text);
            if answer.status == 403 {
                answer.refused(403, "forbidden");
                refused += 1;
                continue;
            }
            let shown = shown.expect(200);
            assert_eq!(answer.body, shown.body, "{list} as {role}");
            // What holds of everything widens nothing.
            let rows = found(&person.client, list, &anything).await;
            assert_eq!(ids(&rows), ids(shown.body["data"].as_array().unwrap()), "{list} as {role}");
            seen += rows.len();
        }
    }
    assert!(seen > 40 && refused >= 4, "{seen} {refused}");
    // A seller who asks for another's gets none, however it is asked.
    let other = &company.other_rep.id;
    for list in LISTS {
        for all in [
            json!([{"any": [{"owner_id": [other]}]}]),
            json!([{"any": [{"owner_id_ne": [company.rep.id]}]}, {"any": [{"owner_id": [other]}]}]),
        ] {
            assert_eq!(found(&company.rep.client, list, &all).await, Vec::<Value>::new(), "{list} {all}");
        }
    }
    server.anonymous().post("/leads/search", json!({})).await.refused(401, "unauthenticated");
}

async fn pages_of_a_search_show_every_row_once(server: Server) {
    let company = Company::found(&server).await;
    leads(&company).await;
    let client = &company.marketing.client;
    let all = json!([{"any": [{"company": ["acme"]}, {"company_is_null": true}, {"region": ["East"]}]}]);
    for sort in [json!(["-company", "name"]), json!(["expected_purchase_on"]), json!(["-created_at"])] {
        let body = json!({"all": all, "sort": sort, "limit": 200, "total": true});
        let whole = search(client, "leads", body).await.expect(200);
        let rows = whole.body["data"].as_array().unwrap();
        assert!(rows.len() > 5 && rows.len() < 13, "{}", rows.len());
        assert_eq!(whole.body["page"]["total"], rows.len().to_string());
        for limit in 1..=3 {
            let (mut walked, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let mut body = json!({"all": all, "sort": sort, "limit": limit, "total": true});
                if let Some(cursor) = &cursor {
                    body["cursor"] = json!(cursor);
                }
                let page = search(client, "leads", body).await.expect(200);
                // There is no address that a client could follow.
                assert_eq!(page.header("link"), "");
                assert_eq!(page.body["page"]["total"], whole.body["page"]["total"]);
                walked.extend(page.body["data"].as_array().unwrap().iter().cloned());
                cursor = page.body["page"]["next_cursor"].as_str().map(str::to_owned);
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(ids(&walked), ids(rows), "{sort} by {limit}");
        }
    }
    // Some members are enough for some.
    let some = client.post("/leads/search?fields=id,name", json!({"limit": 2})).await.expect(200);
    for row in some.body["data"].as_array().unwrap() {
        assert_eq!(row.as_object().unwrap().len(), 2, "{row}");
    }
    let wrong = client.post("/leads/search?fields=nope", json!({})).await.refused(400, "malformed_request");
    assert_eq!(wrong.body["errors"][0]["pointer"], "fields");
    client.post("/leads/search?limit=2", json!({})).await.refused(400, "malformed_request");
}

async fn cursors_belong_to_their_conditions(server: Server) {
    let company = Company::found(&server).await;
    leads(&company).await;
    let client = &company.marketing.client;
    let body = json!({
        "all": [{"any": [{"status": ["new"], "company_is_null": false}, {"source": ["event"]}]}],
        "sort": ["name"], "limit": 2,
    });
    let first = search(client, "leads", body.clone()).await.expect(200);
    let cursor = first.body["page"]["next_cursor"].as_str().expect("a next page").to_owned();
    let with = |changes: Value| {
        let mut body = body.clone();
        body["cursor"] = json!(cursor);
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let next = search(client, "leads", with(json!({}))).await.expect(200);
    let (rows, before) = (next.body["data"].as_array().unwrap(), first.body["data"].as_array().unwrap());
    assert!(!rows.is_empty() && rows.iter().all(|row| !before.contains(row)));
    // How much is shown of a row or a page, and how the filter is written, is another matter.
    for same in [
        json!({"total": true, "include": ["owner"]}),
        json!({"all": [{"any": [{"company_is_null": false, "status": ["new"]}, {"source": ["event"]}]}]}),
    ] {
        let again = search(client, "leads", with(same)).await.expect(200);
        assert_eq!(ids(again.body["data"].as_array().unwrap()), ids(rows));
    }
    for other in [
        json!({"all": []}),
        json!({"all": [{"any": [{"status": ["new"], "company_is_null": true}, {"source": ["event"]}]}]}),
        json!({"all": [{"any": [{"status": ["new"]}, {"company_is_null": false, "source": ["event"]}]}]}),
        json!({"all": [{"any": [{"status": ["new"], "company_is_null": false}]}, {"any": [{"source": ["event"]}]}]}),
        json!({"sort": ["-name"]}),
        json!({"q": "lead"}),
    ] {
        let refused = search(client, "leads", with(other.clone())).await.refused(400, "cursor_mismatch");
        assert_eq!(refused.body["errors"][0]["pointer"], "/cursor", "{other}");
    }
    let list = client.get("/leads?limit=2&sort=name").await.expect(200);
    let forms = [
        (json!({"cursor": "none"}), "invalid_cursor"),
        (json!({"cursor": list.body["page"]["next_cursor"]}), "cursor_mismatch"),
    ];
    for (form, code) in forms {
        let refused = search(client, "leads", with(form)).await.refused(400, code);
        assert_eq!(refused.body["errors"][0]["pointer"], "/cursor", "{code}");
    }
    let elsewhere = search(client, "customers", json!({"sort": ["name"], "cursor": cursor})).await;
    elsewhere.refused(400, "invalid_cursor");
}

/// The conditions around a guess.
type Around<'a> = Box<dyn Fn(Value) -> Value + 'a>;

/// A guess about masked contact data, right or wrong, changes no answer: not alone, not beside what holds, not beside
/// what does not, and not as its own opposite.
async fn no_branch_tells_what_is_masked(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let form = json!({
        "kind": "company", "name": "Pooled", "phone": "13800131234", "email": "zhang@example.com",
        "registration_number": "91310000KESTREL",
    });
    let pooled = company.admin.client.post("/customers", form).await.expect(201).id();
    let own =
        json!({"kind": "company", "name": "Owned", "phone": "13800131234", "email": "zhang@example.com"});
    company.rep.client.post("/customers", own).await.expect(201);

    // Of each two guesses one is right and one is wrong.
    let guesses = [
        ("phone", json!(["13800131234"]), json!(["13999999999"])),
        ("phone_ne", json!(["13999999999"]), json!(["13800131234"])),
        ("phone_prefix", json!("138"), json!("139")),
        ("phone_contains", json!("0013"), json!("9999")),
        ("phone_is_null", json!(false), json!(true)),
        ("email", json!(["zhang@example.com"]), json!(["li@example.com"])),
        ("email_ne", json!(["li@example.com"]), json!(["zhang@example.com"])),
        ("email_prefix", json!("z"), json!("y")),
        ("email_contains", json!("ZHANG"), json!("LI@")),
        ("email_is_null", json!(false), json!(true)),
        ("registration_number", json!(["91310000KESTREL"]), json!(["91310000"])),
        ("registration_number_ne", json!(["91310000"]), json!(["91310000KESTREL"])),
        ("registration_number_is_null", json!(false), json!(true)),
    ];
    let no = json!({"name": ["Nobody"]});
    let yes = json!({"owner_id_is_null": true});
    // Whether they hold of the customer whatever the guess is.
    let around: Vec<(Around<'_>, bool)> = vec![
        (Box::new(|guess: Value| json!([{"any": [guess]}])), false),
        (Box::new(|guess: Value| json!([{"any": [guess, no]}])), false),
        (Box::new(|guess: Value| json!([{"any": [no, guess, no]}, {"any": [yes]}])), false),
        (Box::new(|guess: Value| json!([{"any": [yes]}, {"any": [no, guess]}])), false),
        (
            Box::new(|mut guess: Value| {
                guess["owner_id_is_null"] = json!(true);
                json!([{"any": [guess]}])
            }),
            false,
        ),
        (Box::new(|guess: Value| json!([{"any": [guess]}, {"any": [guess]}])), false),
        (Box::new(|guess: Value| json!([{"any": [guess, yes]}])), true),
        (
            Box::new(|guess: Value| json!([{"any": [yes, guess]}, {"any": [guess, {"name": ["Pooled"]}]}])),
            true,
        ),
    ];
    let mut told = 0;
    for (member, right, wrong) in &guesses {
        for (at, (around, holds)) in around.iter().enumerate() {
            let ask = async |client: &Client, value: &Value| {
                let mut guess = json!({});
                guess[*member] = value.clone();
                let body = json!({"all": around(guess), "sort": ["name"], "total": true, "limit": 200});
                let page = search(client, "customers", body).await.expect(200);
                let rows = page.body["data"].as_array().unwrap();
                assert_eq!(page.body["page"]["total"], rows.len().to_string(), "{member} {at}");
                ids(rows).contains(&pooled.as_str())
            };
            for person in [&company.rep, &company.manager, &company.marketing, &company.auditor] {
                for value in [right, wrong] {
                    let shown = ask(&person.client, value).await;
                    assert_eq!(shown, *holds, "{member} {value} {at} as {}", person.email);
                }
            }
            // Whoever sees the data learns it by the same question, but where something else holds anyway.
            let (one, other) =
                (ask(&company.admin.client, right).await, ask(&company.admin.client, wrong).await);
            assert_eq!((one, other), (true, *holds), "{member} {at}");
            told += usize::from(one != other);
        }
    }
    assert_eq!(told, guesses.len() * 6);
    // Nor is it an order.
    for member in ["phone", "-email", "registration_number"] {
        let refused = search(&company.rep.client, "customers", json!({"sort": [member]})).await;
        let refused = refused.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], "/sort/0", "{member}");
    }
}

async fn what_no_search_takes_is_named(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.rep.client;
    let filter = |filter: Value| json!({"all": [{"any": [{"name": ["a"]}, filter]}]});
    let (malformed, broken) = ((400, "malformed_request"), (422, "validation_failed"));
    for (body, (status, code), pointer) in [
        (json!([]), malformed, ""),
        (json!({"any": []}), malformed, "/any"),
        (json!({"all": [{"or": []}]}), malformed, "/all/0/or"),
        (json!({"all": [{"any": []}]}), broken, "/all/0/any"),
        (json!({"limit": 201}), broken, "/limit"),
        (json!({"limit": "7"}), malformed, "/limit"),
        (json!({"cursor": null}), malformed, "/cursor"),
        (json!({"include": ["contract"]}), broken, "/include/0"),
        (json!({"include": ["owner", "owner", "contract"]}), broken, "/include/2"),
        (json!({"include": vec!["owner"; 6]}), broken, "/include"),
        (json!({"sort": ["name", "-shoe_size"]}), broken, "/sort/1"),
        (json!({"colour": ["red"]}), malformed, "/colour"),
        (filter(json!({})), broken, "/all/0/any/1"),
        (filter(json!({"colour": ["red"]})), malformed, "/all/0/any/1/colour"),
        (filter(json!({"grade": ["hot", "E"]})), broken, "/all/0/any/1/grade/1"),
        (filter(json!({"grade": "hot"})), malformed, "/all/0/any/1/grade"),
        (filter(json!({"score_gte": "7"})), malformed, "/all/0/any/1/score_gte"),
        (filter(json!({"owner_id": ["7"]})), broken, "/all/0/any/1/owner_id/0"),
        (filter(json!({"budget_gte": "1 XXX"})), broken, "/all/0/any/1/budget_gte"),
        (filter(json!({"company_is_null": 1})), malformed, "/all/0/any/1/company_is_null"),
        (filter(json!({"any": [{"name": ["a"]}]})), malformed, "/all/0/any/1/any"),
    ] {
        let refused = search(client, "leads", body.clone()).await.refused(status, code);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    // What is unknown is told with what is known.
    let refused = search(client, "leads", filter(json!({"colour": ["red"]}))).await;
    let allowed = refused.body["allowed"].as_array().unwrap();
    assert!(allowed.contains(&json!("budget_gte")) && !allowed.contains(&json!("limit")), "{}", refused.text);
    let said = refused.text_of("detail");
    let expected = "unknown field `colour`, expected some of ";
    assert!(said.starts_with(expected) && said.contains("budget_gte"), "{said}");
    let whole = search(client, "leads", json!({"colour": ["red"]})).await;
    assert_eq!(whole.body["allowed"], json!(["all", "q", "include", "sort", "limit", "cursor", "total"]));
    let twice =
        client.request(reqwest::Method::POST, "/leads/search").header("content-type", "application/json");
    let twice = twice.body(r#"{"all": [{"any": [{"name": ["a"], "name": ["b"]}]}]}"#);
    client.send(twice).await.refused(400, "malformed_request");
    // In Chinese too.
    let asked = client.request(reqwest::Method::POST, "/leads/search").header("accept-language", "zh-CN");
    let told = client.send(asked.json(&filter(json!({"colour": ["red"]})))).await;
    let told = told.refused(400, "malformed_request").text_of("detail");
    assert!(told.starts_with("未知的成员 `colour`，可以使用：") && told.contains("budget_gte"), "{told}");
    client.get("/leads/search").await.refused(405, "method_not_allowed");
}

async fn a_search_has_a_size(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.director.client;
    let group = |filters: usize| json!({"any": vec![json!({"name": ["a"]}); filters]});
    let many = |count: usize| vec![UNKNOWN_ID; count];
    let wide = |filters: usize| json!({"any": vec![json!({"owner_id": many(100)}); filters]});
    for (all, taken) in [
        (json!(vec![group(1); 10]), true),
        (json!(vec![group(1); 11]), false),
        (json!([group(20)]), true),
        (json!([group(21)]), false),
        (json!([group(20), group(20), group(10)]), true),
        (json!([group(20), group(20), group(11)]), false),
        (json!([{"any": [{"owner_id": many(100), "name": vec!["a"; 20]}]}]), true),
        (json!([{"any": [{"owner_id": many(101)}]}]), false),
        (json!([{"any": [{"name": vec!["a"; 21]}]}]), false),
        // As much as both databases bind.
        (json!([wide(20)]), true),
        (json!([wide(20), group(1)]), false),
    ] {
        for list in ["leads", "customers"] {
            let answer = search(client, list, json!({"all": all, "total": true})).await;
            if taken {
                answer.expect(200);
            } else {
                answer.refused(422, "validation_failed");
            }
        }
    }
}

async fn a_search_writes_nothing(server: Server) {
    let company = Company::found(&server).await;
    leads(&company).await;
    let newest = async || {
        let page = company.admin.client.get("/audit-events?sort=-sequence&limit=1").await.expect(200);
        page.body["data"][0]["sequence"].clone()
    };
    let before = newest().await;
    let client = &company.marketing.client;
    // A key binds nothing: the same one with another question is answered, and not what was answered before.
    for name in ["lead 03", "lead 04"] {
        let body = json!({"all": [{"any": [{"name": [name]}]}]});
        let answer = client.post_once("/leads/search", "one-key", body).await.expect(200);
        assert_eq!((answer.header("idempotent-replayed"), answer.header("cache-control")), ("", "no-store"));
        assert_eq!(answer.body["data"][0]["name"], name);
    }
    assert_eq!(newest().await, before);
}
