//! Lists: filters, search, order, pages, and what a caller may learn from them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Company, Server};

on_both_databases! {
    filters_find_what_they_say;
    patterns_are_literal;
    orders_hold_with_absent_values_last;
    pages_show_every_row_once;
    pages_hold_while_rows_come_and_go;
    pages_link_to_the_next_one;
    totals_count_what_the_caller_sees;
    included_records_stand_beside_their_ids;
    relations_that_are_not_there_are_null_where_they_were_asked_for;
    contact_data_in_the_pool_stays_masked;
    some_members_are_enough_for_some;
}

const COMPANIES: [Option<&str>; 4] = [Some("acme"), Some("beta"), None, Some("Acme Motors")];
const DAYS: [Option<&str>; 3] = [Some("2026-03-01"), None, Some("2026-05-31")];
const BUDGETS: [Option<(&str, &str)>; 5] =
    [Some(("100.00", "CNY")), Some(("2000.50", "CNY")), None, Some(("1000", "JPY")), Some(("100.00", "USD"))];
const SOURCES: [&str; 3] = ["website", "referral", "event"];

/// Leads with ties and absent values in every member; the rep owns every second one.
pub async fn leads(company: &Company) -> Vec<Value> {
    let marketing = &company.marketing.client;
    for at in 0..13_usize {
        let budget = BUDGETS[at % BUDGETS.len()]
            .map(|(amount, currency)| json!({"amount": amount, "currency": currency}));
        let form = json!({
            "name": format!("lead {:02}", (at * 5) % 13),
            "company": COMPANIES[at % COMPANIES.len()],
            "source": SOURCES[at % SOURCES.len()],
            "expected_purchase_on": DAYS[at % DAYS.len()],
            "budget": budget,
            "region": if at < 6 { Some("East") } else { None },
        });
        let id = marketing.post("/leads?allow_duplicate=true", form).await.expect(201).id();
        if at % 2 == 0 {
            let receiver = json!({"owner_id": company.rep.id});
            marketing.post(&format!("/leads/{id}/assign"), receiver).await.expect(200);
        }
        if at % 4 == 0 {
            let form = json!({"reason": "no_need"});
            marketing.post(&format!("/leads/{id}/disqualify"), form).await.expect(200);
        }
    }
    let leads = marketing.get("/leads?limit=200").await.expect(200).body["data"].as_array().unwrap().clone();
    assert_eq!(leads.len(), 13);
    leads
}

pub fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

async fn found(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).await.expect(200).body["data"].as_array().unwrap().clone()
}

pub fn text<'a>(row: &'a Value, member: &str) -> Option<&'a str> {
    row[member].as_str()
}

/// An amount in minor units, when it is one of this currency.
pub fn minor(row: &Value, member: &str, currency: &str) -> Option<i64> {
    let amount = &row[member];
    let digits: String = amount["amount"].as_str()?.chars().filter(char::is_ascii_digit).collect();
    (amount["currency"] == currency).then(|| digits.parse().unwrap())
}

type Holds<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

async fn filters_find_what_they_say(server: Server) {
    let company = Company::found(&server).await;
    let all = leads(&company).await;
    let rep = company.rep.id.as_str();
    let middle = text(&all[6], "created_at").unwrap().to_owned();
    let at = middle.as_str();
    let some = format!("owner_id={rep},{}", company.admin.id);
    let cases: Vec<(String, Holds<'_>)> = vec![
        ("name=lead 03".into(), Box::new(|row| text(row, "name") == Some("lead 03"))),
        (
            "name=lead 03,lead 04,nobody".into(),
            Box::new(|row| matches!(text(row, "name"), Some("lead 03" | "lead 04"))),
        ),
        ("name=LEAD 03".into(), Box::new(|_| false)),
        (
            "name_ne=lead 03,lead 04".into(),
            Box::new(|row| !matches!(text(row, "name"), Some("lead 03" | "lead 04"))),
        ),
        ("name_contains=AD 0".into(), Box::new(|row| text(row, "name").unwrap().contains("ad 0"))),
        ("name_contains=ad 0".into(), Box::new(|row| text(row, "name").unwrap().contains("ad 0"))),
        ("name_prefix=Lead 1".into(), Box::new(|row| text(row, "name").unwrap().starts_with("lead 1"))),
        ("name_prefix=ead".into(), Box::new(|_| false)),
        ("company=acme".into(), Box::new(|row| text(row, "company") == Some("acme"))),
        // What is absent is not that either.
        ("company_ne=acme".into(), Box::new(|row| text(row, "company") != Some("acme"))),
        (
            "company_contains=ACME".into(),
            Box::new(|row| text(row, "company").is_some_and(|name| name.to_lowercase().contains("acme"))),
        ),
        ("company_prefix=acme%20".into(), Box::new(|row| text(row, "company") == Some("Acme Motors"))),
        ("company_is_null=true".into(), Box::new(|row| row["company"].is_null())),
        ("company_is_null=false".into(), Box::new(|row| !row["company"].is_null())),
        ("source=event".into(), Box::new(|row| row["source"] == "event")),
        ("source=event,referral".into(), Box::new(|row| row["source"] != "website")),
        ("source_ne=event,referral".into(), Box::new(|row| row["source"] == "website")),
        ("status=disqualified".into(), Box::new(|row| row["status"] == "disqualified")),
        ("status_ne=disqualified".into(), Box::new(|row| row["status"] == "new")),
        (format!("owner_id={rep}"), Box::new(|row| text(row, "owner_id") == Some(rep))),
        (some, Box::new(|row| text(row, "owner_id") == Some(rep))),
        (format!("owner_id_ne={rep}"), Box::new(|row| text(row, "owner_id") != Some(rep))),
        ("owner_id_is_null=true".into(), Box::new(|row| row["owner_id"].is_null())),
        ("owner_id_is_null=false".into(), Box::new(|row| !row["owner_id"].is_null())),
        (
            "expected_purchase_on=2026-03-01".into(),
            Box::new(|row| row["expected_purchase_on"] == "2026-03-01"),
        ),
        (
            "expected_purchase_on=2026-03-01,2026-05-31".into(),
            Box::new(|row| !row["expected_purchase_on"].is_null()),
        ),
        (
            "expected_purchase_on_gt=2026-03-01".into(),
            Box::new(|row| row["expected_purchase_on"] == "2026-05-31"),
        ),
        (
            "expected_purchase_on_gte=2026-03-01".into(),
            Box::new(|row| !row["expected_purchase_on"].is_null()),
        ),
        (
            "expected_purchase_on_lt=2026-05-31".into(),
            Box::new(|row| row["expected_purchase_on"] == "2026-03-01"),
        ),
        (
            "expected_purchase_on_lte=2026-05-31".into(),
            Box::new(|row| !row["expected_purchase_on"].is_null()),
        ),
        ("expected_purchase_on_lte=2026-02-28".into(), Box::new(|_| false)),
        ("expected_purchase_on_is_null=true".into(), Box::new(|row| row["expected_purchase_on"].is_null())),
        (format!("created_at_gte={at}"), Box::new(|row| text(row, "created_at").unwrap() >= at)),
        (format!("created_at_gt={at}"), Box::new(|row| text(row, "created_at").unwrap() > at)),
        (format!("created_at_lt={at}"), Box::new(|row| text(row, "created_at").unwrap() < at)),
        (format!("created_at_lte={at}"), Box::new(|row| text(row, "created_at").unwrap() <= at)),
        (format!("created_at={at}"), Box::new(|row| text(row, "created_at").unwrap() == at)),
        ("created_at_gte=2999-01-01T00:00:00Z".into(), Box::new(|_| false)),
        // An instant is one instant, wherever its clock hangs.
        ("created_at_gte=2001-01-01T07:00:00%2B08:00".into(), Box::new(|_| true)),
        ("response_due_at_is_null=false".into(), Box::new(|row| !row["response_due_at"].is_null())),
        // Without a currency it is the organisation's; amounts of others are not compared.
        ("budget=100".into(), Box::new(|row| minor(row, "budget", "CNY") == Some(10_000))),
        ("budget=100.00 USD".into(), Box::new(|row| minor(row, "budget", "USD") == Some(10_000))),
        ("budget_gt=100.00".into(), Box::new(|row| minor(row, "budget", "CNY") > Some(10_000))),
        ("budget_gte=100.00".into(), Box::new(|row| minor(row, "budget", "CNY") >= Some(10_000))),
        ("budget_gte=100.00 CNY".into(), Box::new(|row| minor(row, "budget", "CNY") >= Some(10_000))),
        ("budget_lt=2000.50".into(), Box::new(|row| minor(row, "budget", "CNY") == Some(10_000))),
        ("budget_lte=2000.50".into(), Box::new(|row| minor(row, "budget", "CNY").is_some())),
        ("budget_lte=1000 JPY".into(), Box::new(|row| minor(row, "budget", "JPY") == Some(1000))),
        ("budget_gte=0.01 EUR".into(), Box::new(|_| false)),
        ("budget_is_null=true".into(), Box::new(|row| row["budget"].is_null())),
        ("budget_is_null=false".into(), Box::new(|row| !row["budget"].is_null())),
        (
            "q=ACME".into(),
            Box::new(|row| text(row, "company").is_some_and(|name| name.to_lowercase().contains("acme"))),
        ),
        ("q=lead 1".into(), Box::new(|row| text(row, "name").unwrap().contains("lead 1"))),
        ("q=nowhere".into(), Box::new(|_| false)),
        // All must hold.
        (
            "source=event&company_is_null=false&budget_gte=100".into(),
            Box::new(|row| {
                row["source"] == "event" && !row["company"].is_null() && minor(row, "budget", "CNY").is_some()
            }),
        ),
        (
            "expected_purchase_on_gt=2026-03-01&expected_purchase_on_lt=2026-06-01&q=acme".into(),
            Box::new(|row| {
                row["expected_purchase_on"] == "2026-05-31"
                    && text(row, "company").is_some_and(|name| name.to_lowercase().contains("acme"))
            }),
        ),
        ("region=East&status=new".into(), Box::new(|row| row["region"] == "East" && row["status"] == "new")),
    ];
    let mut wrong = Vec::new();
    for (query, holds) in &cases {
        let rows = found(&company.marketing.client, &format!("/leads?limit=200&{query}")).await;
        let expected: Vec<Value> = all.iter().filter(|row| holds(row)).cloned().collect();
        if ids(&rows) != ids(&expected) {
            wrong.push(format!("{query}: {} rows, not {}", rows.len(), expected.len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Booleans and whole numbers.
    let admin = &company.admin.client;
    assert!(found(admin, "/roles?built_in=true").await.iter().all(|role| role["built_in"] == true));
    assert_eq!(found(admin, "/roles?built_in=false").await, Vec::<Value>::new());
    let events = found(admin, "/audit-events?sequence_gt=2&sequence_lte=5&sort=sequence").await;
    assert_eq!(events.iter().map(|event| event["sequence"].as_i64().unwrap()).collect::<Vec<_>>(), [3, 4, 5]);
    let events = found(admin, "/audit-events?action=lead.created").await;
    assert_eq!(events.len(), 13);
}

async fn patterns_are_literal(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let rep = &company.rep.client;
    let names = [
        "100% cotton",
        "100 percent",
        "a_b",
        "axb",
        r"back\slash",
        "backslash",
        "O'Brien",
        "'; DROP TABLE customers; --",
        "\" OR 1=1",
        "$1",
        "?",
        "长城 汽车",
        "star*",
        "[a-z]",
        "a--b",
    ];
    for name in names {
        rep.post("/customers", json!({"kind": "company", "name": name})).await.expect(201);
    }
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let patterns = [
        "%",
        "_",
        r"\",
        "'",
        "\"",
        "?",
        "$1",
        "*",
        "[",
        "--",
        "a_b",
        "100%",
        r"\s",
        r"\%",
        "%%",
        "a%b",
        "' OR '1'='1",
        "'; DROP TABLE customers; --",
        "城 汽",
        "o'bRIEN",
        "x') OR 1=1 --",
        "100",
    ];
    for pattern in patterns {
        for (parameter, finds) in [
            ("name_contains", (|name, pattern| name.contains(pattern)) as fn(&str, &str) -> bool),
            ("name_prefix", |name, pattern| name.starts_with(pattern)),
            ("q", |name, pattern| name.contains(pattern)),
        ] {
            let rows =
                found(rep, &format!("/customers?sort=name&limit=200&{parameter}={}", encode(pattern))).await;
            let rows: BTreeSet<&str> = rows.iter().map(|row| text(row, "name").unwrap()).collect();
            let expected: BTreeSet<&str> = names
                .into_iter()
                .filter(|name| finds(&name.to_lowercase(), &pattern.to_lowercase()))
                .collect();
            assert_eq!(rows, expected, "{parameter}={pattern}");
        }
        let rows = found(rep, &format!("/customers?name={}", encode(pattern))).await;
        let expected = names.iter().filter(|name| **name == pattern).count();
        assert_eq!(rows.len(), expected, "name={pattern}");
    }
    // The case of the letters a to z does not count; what is written alike is found in any script.
    rep.post("/customers", json!({"kind": "company", "name": "Ärger ÉCLAIR Жук"})).await.expect(201);
    for pattern in ["ÄRger", "Éclair", "Жук"] {
        let rows = found(rep, &format!("/customers?name_contains={}", encode(pattern))).await;
        assert_eq!(rows.len(), 1, "{pattern}");
    }
    assert_eq!(found(rep, "/customers?limit=200").await.len(), names.len() + 1);
}

/// Two rows in an order such as `-company,name`, absent values last whatever the direction.
fn compare(sort: &str, one: &Value, other: &Value) -> Ordering {
    for part in sort.split(',') {
        let (member, descends) = part.strip_prefix('-').map_or((part, false), |member| (member, true));
        let key = |row: &Value| match &row[member] {
            Value::String(text) => Some((0, text.to_lowercase())),
            Value::Number(number) => Some((number.as_i64().unwrap(), String::new())),
            _ => None,
        };
        let order = match (key(one), key(other)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(other)) if descends => other.cmp(&one),
            (Some(one), Some(other)) => one.cmp(&other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

const SORTS: [&str; 10] = [
    "name",
    "-name",
    "company",
    "-company",
    "expected_purchase_on,name",
    "-expected_purchase_on,company",
    "company,-expected_purchase_on",
    "-company,-expected_purchase_on,-name",
    "-created_at",
    "last_activity_at,response_due_at,-company",
];

const FEW_COMPANIES: [Option<&str>; 3] = [Some("acme"), Some("beta"), None];

/// Leads whose texts every collation orders alike.
async fn plain_leads(company: &Company) {
    for at in 0..13_usize {
        let form = json!({
            "name": format!("lead {}", (at * 5) % 4),
            "company": FEW_COMPANIES[at % FEW_COMPANIES.len()],
            "source": "website",
            "expected_purchase_on": DAYS[(at / 2) % DAYS.len()],
        });
        company.marketing.client.post("/leads?allow_duplicate=true", form).await.expect(201);
    }
}

async fn orders_hold_with_absent_values_last(server: Server) {
    let company = Company::found(&server).await;
    plain_leads(&company).await;
    for sort in SORTS {
        let rows = found(&company.marketing.client, &format!("/leads?limit=200&sort={sort}")).await;
        assert_eq!(rows.len(), 13);
        for pair in rows.windows(2) {
            assert_ne!(
                compare(sort, &pair[0], &pair[1]),
                Ordering::Greater,
                "{sort}: {} before {}",
                pair[0],
                pair[1]
            );
        }
    }
    // Money by its amount, numbers by their value.
    for amount in ["9.00", "100.00", "20.00"] {
        company.draft(&company.rep, amount, "by_contract").await;
    }
    let rows = found(&company.rep.client, "/contracts?sort=-amount").await;
    let amounts: Vec<_> = rows.iter().map(|row| text(&row["amount"], "amount").unwrap()).collect();
    assert_eq!(amounts, ["100.00", "20.00", "9.00"]);
}

async fn pages_show_every_row_once(server: Server) {
    let company = Company::found(&server).await;
    plain_leads(&company).await;
    let client = &company.marketing.client;
    for sort in SORTS {
        let whole = found(client, &format!("/leads?limit=200&sort={sort}")).await;
        for limit in 1..=3 {
            let walked = client.all(&format!("/leads?sort={sort}&limit={limit}")).await;
            assert_eq!(ids(&walked), ids(&whole), "{sort} by {limit}");
        }
    }
    // The same with a filter, and on pages that end exactly where the list does.
    let filtered = client.all("/leads?sort=-company&company_is_null=false&limit=3").await;
    let whole = found(client, "/leads?sort=-company&company_is_null=false&limit=200").await;
    assert_eq!(ids(&filtered), ids(&whole));
    let exact = client.get("/leads?limit=13").await.expect(200);
    assert_eq!(
        (&exact.body["page"]["has_more"], &exact.body["page"]["next_cursor"]),
        (&json!(false), &Value::Null)
    );
    // Every list walks like this, in its own order and backwards.
    let admin = &company.admin.client;
    company.active(&company.rep, "100.00", "by_contract").await;
    for (path, sort) in [
        ("/audit-events", "-sequence"),
        ("/users", "-display_name"),
        ("/people", "-display_name"),
        ("/roles", "key"),
        ("/teams", "name"),
        ("/customers", "-name"),
        ("/approvals", "-created_at"),
        ("/pipelines", "created_at"),
    ] {
        let whole = found(admin, &format!("{path}?limit=200&sort={sort}")).await;
        let walked = admin.all(&format!("{path}?limit=2&sort={sort}")).await;
        assert_eq!(ids(&walked), ids(&whole), "{path}");
        assert!(!whole.is_empty(), "{path}");
    }
}

async fn pages_hold_while_rows_come_and_go(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.marketing.client;
    for sort in ["company", "-company,name", "-expected_purchase_on,-name"] {
        let before: BTreeSet<String> = {
            for lead in client.all("/leads?limit=200").await {
                client.delete(&format!("/leads/{}", text(&lead, "id").unwrap())).await.expect(204);
            }
            plain_leads(&company).await;
            client
                .all("/leads?limit=200")
                .await
                .iter()
                .map(|row| text(row, "id").unwrap().to_owned())
                .collect()
        };
        let (mut seen, mut deleted) = (Vec::new(), BTreeSet::new());
        let mut next = format!("/leads?sort={sort}&limit=2");
        for round in 0_usize.. {
            let page = client.get(&next).await.expect(200);
            for row in page.body["data"].as_array().unwrap() {
                seen.push(text(row, "id").unwrap().to_owned());
            }
            let Some(cursor) = page.body["page"]["next_cursor"].as_str() else { break };
            next = format!("/leads?sort={sort}&limit=2&cursor={cursor}");
            assert!(round < 100, "the walk does not end");
            if round < 5 {
                // A row before, among and after those that were seen; the very row where the page ended goes.
                for name in ["lead 0", "lead 2", "lead 9"] {
                    let company = [Some("aaa"), Some("beta"), None][round % 3];
                    let form = json!({"name": name, "company": company, "source": "event", "expected_purchase_on": DAYS[round % 3]});
                    client.post("/leads?allow_duplicate=true", form).await.expect(201);
                }
                let last = seen.last().unwrap();
                client.delete(&format!("/leads/{last}")).await.expect(204);
                deleted.insert(last.clone());
                if let Some(unseen) = before.iter().find(|id| !seen.contains(id) && !deleted.contains(*id)) {
                    client.delete(&format!("/leads/{unseen}")).await.expect(204);
                    deleted.insert(unseen.clone());
                }
            }
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{sort}: a row was shown twice");
        let missing: Vec<_> =
            before.iter().filter(|id| !deleted.contains(*id) && !distinct.contains(id)).collect();
        assert!(missing.is_empty(), "{sort}: {missing:?} stayed and were not shown");
        assert!(deleted.len() > 6 && before.len() - deleted.len() > 2, "{sort}: the test lost its point");
    }
}

async fn pages_link_to_the_next_one(server: Server) {
    let company = Company::found(&server).await;
    plain_leads(&company).await;
    let client = &company.marketing.client;
    let first = client
        .get("/leads?name_contains=lead%20&sort=name,-created_at&limit=7&include=owner")
        .await
        .expect(200);
    let cursor = first.text_of_page();
    let link = first.header("link").to_owned();
    let (address, relation) = link.split_once("; ").unwrap();
    assert_eq!(relation, "rel=\"next\"");
    let address = address.trim_start_matches('<').trim_end_matches('>');
    assert!(address.contains(&format!("cursor={cursor}")), "{link}");
    // It leads to the same place as the cursor does, whether it is a path or a whole address.
    let path = address.strip_prefix(&client.url).unwrap_or(address);
    let by_link = client.get_root(path).await.expect(200);
    let by_cursor = client
        .get(&format!("/leads?name_contains=lead%20&sort=name,-created_at&limit=7&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(
        ids(by_link.body["data"].as_array().unwrap()),
        ids(by_cursor.body["data"].as_array().unwrap())
    );
    assert_eq!(by_link.body["data"].as_array().unwrap().len(), 6);
    assert_eq!((by_link.header("link"), &by_link.body["page"]["has_more"]), ("", &json!(false)));
    assert!(address.contains("include=owner"), "the link forgets what was included: {link}");
}

trait NextCursor {
    fn text_of_page(&self) -> String;
}

impl NextCursor for crate::support::Answer {
    fn text_of_page(&self) -> String {
        assert_eq!(self.body["page"]["has_more"], true);
        self.body["page"]["next_cursor"].as_str().expect("a next page").to_owned()
    }
}

async fn totals_count_what_the_caller_sees(server: Server) {
    let company = Company::found(&server).await;
    let mine = company.customer(&company.rep).await;
    company.customer(&company.colleague).await;
    company.customer(&company.inner).await;
    company.customer(&company.other_rep).await;
    company.pool_customer().await;
    for (person, sees) in [
        (&company.rep, 2),
        (&company.manager, 4),
        (&company.other_manager, 2),
        (&company.director, 5),
        (&company.finance, 5),
    ] {
        let page = person.client.get("/customers?total=true&limit=1").await.expect(200);
        assert_eq!(page.body["page"]["total"], json!(sees.to_string()), "{}", person.email);
        assert_eq!(person.client.all("/customers?limit=1").await.len(), sees, "{}", person.email);
    }
    let rep = &company.rep.client;
    let page = rep.get(&format!("/customers?total=true&owner_id={}", company.colleague.id)).await.expect(200);
    assert_eq!((&page.body["page"]["total"], &page.body["data"]), (&json!("0"), &json!([])));
    let page = rep.get("/customers?total=true&owner_id_is_null=false").await.expect(200);
    assert_eq!(
        (page.body["page"]["total"].as_str(), ids(page.body["data"].as_array().unwrap())),
        (Some("1"), vec![mine.as_str()])
    );
    // Nobody asked, nobody counts; and a page further on counts the whole list.
    assert_eq!(rep.get("/customers").await.expect(200).body["page"].get("total"), None);
    let cursor = company.director.client.get("/customers?limit=2").await.expect(200).text_of_page();
    let page = company
        .director
        .client
        .get(&format!("/customers?limit=2&total=true&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(page.body["page"]["total"], "5");
}

async fn included_records_stand_beside_their_ids(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    let invoice = company.invoice_draft(&company.rep, &contract, "10.00").await;
    let pooled = company.pool_customer().await;
    let rep = &company.rep.client;
    let customer = rep.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");

    let page = rep.get("/invoices?include=owner,customer,contract").await.expect(200);
    let row = &page.body["data"][0];
    assert_eq!(row["id"], invoice);
    for (member, id) in [("owner", &company.rep.id), ("customer", &customer), ("contract", &contract)] {
        assert_eq!(row[member]["id"], *id, "{member}: {row}");
        assert_eq!(row[format!("{member}_id")], *id, "{member}: {row}");
    }
    assert_eq!(row["owner"]["display_name"], "rep");
    assert!(text(&row["customer"], "name").is_some() && text(&row["contract"], "number").is_some(), "{row}");
    // Only what was asked for.
    let row = &rep.get("/invoices?include=owner").await.expect(200).body["data"][0].clone();
    assert!(row["owner"].is_object() && row.get("customer").is_none(), "{row}");
    let row = &rep.get("/invoices").await.expect(200).body["data"][0].clone();
    assert!(["owner", "customer", "contract"].iter().all(|member| row.get(*member).is_none()), "{row}");
    let row = &rep.get("/contracts?include=customer,owner").await.expect(200).body["data"][0].clone();
    assert_eq!((&row["customer"]["id"], &row["owner"]["id"]), (&json!(customer), &json!(company.rep.id)));
    // A record without an owner has a member that is null.
    let rows = found(rep, "/customers?include=owner&owner_id_is_null=true").await;
    assert_eq!(ids(&rows), [pooled.as_str()]);
    assert_eq!(rows[0].get("owner"), Some(&Value::Null));
    // An included record is no way to what the caller does not see. Marketing reads leads but no customers.
    let lead = json!({"name": "A", "source": "website"});
    let lead = rep.post("/leads", lead).await.expect(201).id();
    let rows = found(&company.marketing.client, "/leads?include=owner").await;
    assert_eq!(
        (rows[0]["id"].as_str(), &rows[0]["owner"]["id"]),
        (Some(lead.as_str()), &json!(company.rep.id))
    );
    assert!(rows[0]["owner"].get("email").is_none(), "a reference shows more than a name: {}", rows[0]);
    let opportunity = json!({"customer_id": customer, "name": "A"});
    rep.post("/opportunities", opportunity).await.expect(201);
    let row = found(rep, "/opportunities?include=customer,contract,owner").await[0].clone();
    assert_eq!((&row["customer"]["id"], row.get("contract")), (&json!(customer), Some(&Value::Null)));
}

/// Whoever asked for a relation is told that there is none; whoever did not is told nothing of it.
async fn relations_that_are_not_there_are_null_where_they_were_asked_for(server: Server) {
    let company = Company::found(&server).await;
    let (rep, marketing) = (&company.rep.client, &company.marketing.client);
    let pooled = company.pool_customer().await;
    let lead = json!({"name": "Nobody's", "source": "website"});
    let lead = marketing.post("/leads", lead).await.expect(201).id();
    let own = json!({"name": "Somebody's", "source": "website"});
    let own = rep.post("/leads", own).await.expect(201).id();
    let call = json!({"kind": "call", "subject": "First call", "about": {"kind": "lead", "id": own}});
    let call = rep.post("/activities", call).await.expect(201).id();
    let customer = company.customer(&company.rep).await;
    let opportunity = json!({"customer_id": customer, "name": "A"});
    let opportunity = rep.post("/opportunities", opportunity).await.expect(201).id();
    let manager = &company.manager.client;
    let target = json!({
        "team_id": manager.get("/me").await.expect(200).body["team_id"], "month": "2026-05",
        "measure": "signed", "amount": {"amount": "100.00", "currency": "CNY"},
    });
    let target = manager.post("/targets", target).await.expect(201).id();
    // A contract stays with its seller when the customer goes to somebody whose customers the seller does not see.
    let contract = company.draft(&company.other_rep, "100.00", "by_contract").await;
    let seller = &company.other_rep.client;
    let sold = seller.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let assign = json!({"owner_id": company.rep.id});
    company.director.client.post(&format!("/customers/{sold}/assign"), assign).await.expect(200);

    for (client, list, id, relation) in [
        (marketing, "/leads?owner_id_is_null=true", &lead, "owner"),
        (rep, "/customers?owner_id_is_null=true", &pooled, "owner"),
        (rep, "/activities?about_kind=lead", &call, "customer"),
        (rep, "/opportunities?limit=9", &opportunity, "contract"),
        (manager, "/targets?owner_id_is_null=true", &target, "owner"),
        (seller, "/contracts?limit=9", &contract, "customer"),
    ] {
        let asked = format!("{list}&include={relation}");
        for (path, expected) in [(asked.as_str(), Some(&Value::Null)), (list, None)] {
            let rows = found(client, path).await;
            let row = rows.iter().find(|row| row["id"] == *id).unwrap_or_else(|| panic!("{path}: no {id}"));
            assert_eq!(row.get(relation), expected, "{path}: {row}");
        }
    }
    // Chosen members are no other matter.
    let rows = found(marketing, "/leads?owner_id_is_null=true&include=owner&fields=id,owner").await;
    assert_eq!(rows, [json!({"id": lead, "owner": null})]);
}

async fn contact_data_in_the_pool_stays_masked(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    let secrets = json!({
        "kind": "company", "name": "Pooled", "phone": "+86 138-0013-1234", "email": "zhang@example.com",
        "address": "长安街 1", "website": "https://pooled.example.com", "note": "knows the minister",
    });
    let mut plain = secrets.clone();
    plain["phone"] = json!("13800131234");
    let admin = &company.admin.client;
    let pooled = admin.post("/customers", plain).await.expect(201).id();
    let contact = json!({"customer_id": pooled, "name": "Zhang", "phone": "13800131234", "email": "zhang@example.com", "wechat": "zhang_w"});
    admin.post("/contacts", contact).await.expect(201);
    let mut own = secrets;
    own["name"] = json!("Owned");
    let owned = company.rep.client.post("/customers", own).await.expect(201).id();
    let rep = &company.rep.client;

    let path = format!("/customers/{pooled}");
    let pool_path = format!("/public-pool{path}");
    for (masked, shown) in [(rep, false), (&company.marketing.client, false), (admin, true)] {
        for list in [
            "/public-pool/customers",
            "/public-pool/customers?q=pool",
            "/customers?owner_id_is_null=true",
            pool_path.as_str(),
            path.as_str(),
        ] {
            let answer = masked.get(list).await;
            if answer.status == 403 {
                continue;
            }
            let answer = answer.expect(200);
            let row = if list.contains(&pooled) { &answer.body } else { &answer.body["data"][0] };
            assert_eq!(row["id"], pooled, "{list}: {}", answer.text);
            let told = ["13800131234", "zhang@", "长安街", "pooled.example.com", "minister"]
                .iter()
                .filter(|secret| answer.text.contains(**secret))
                .count();
            assert_eq!(told, if shown { 5 } else { 0 }, "{list}: {}", answer.text);
            if !shown {
                assert_eq!(
                    (&row["phone"], &row["email"]),
                    (&json!("138****1234"), &json!("z***@example.com")),
                    "{list}"
                );
            }
        }
    }
    let contacts = rep.get(&format!("/contacts?customer_id={pooled}")).await.expect(200);
    assert_eq!(contacts.body["data"][0]["phone"], "138****1234", "{}", contacts.text);
    assert!(!contacts.text.contains("zhang@") && !contacts.text.contains("zhang_w"), "{}", contacts.text);

    // No question about contact data tells of the pool, whether the guess is right or wrong.
    let guesses = [
        ("phone", "13800131234"),
        ("phone", "13999999999"),
        ("phone_ne", "13800131234"),
        ("phone_ne", "13999999999"),
        ("phone_prefix", "138"),
        ("phone_prefix", "139"),
        ("phone_contains", "0013"),
        ("phone_contains", "9999"),
        ("phone_is_null", "true"),
        ("phone_is_null", "false"),
        ("email", "zhang@example.com"),
        ("email", "li@example.com"),
        ("email_ne", "zhang@example.com"),
        ("email_prefix", "z"),
        ("email_contains", "ZHANG"),
        ("email_is_null", "false"),
        ("q", "13800131234"),
        ("q", "zhang"),
        ("q", "长安街"),
    ];
    for (parameter, value) in guesses {
        let page = rep.get(&format!("/customers?{parameter}={value}&total=true")).await.expect(200);
        let rows = page.body["data"].as_array().unwrap();
        assert!(
            !ids(rows).contains(&pooled.as_str()),
            "{parameter}={value} tells of the pool: {}",
            page.text
        );
        assert_eq!(page.body["page"]["total"], json!(rows.len().to_string()), "{parameter}={value}");
    }
    // Their own customers are found by it, and whoever sees the data may ask for it.
    let rows = found(rep, "/customers?phone_contains=0013-1234&email_prefix=zhang").await;
    assert_eq!(ids(&rows), [owned.as_str()]);
    let rows = found(admin, "/customers?email=zhang@example.com&sort=name").await;
    assert_eq!(ids(&rows), [owned.as_str(), pooled.as_str()]);
    // In the pool itself it is no question at all, and nowhere an order.
    for query in ["phone=1", "email_contains=z", "sort=phone", "sort=email"] {
        rep.get(&format!("/public-pool/customers?{query}")).await.refused(400, "malformed_request");
    }
    rep.get("/customers?sort=phone").await.refused(400, "malformed_request");
    // Claimed, the data is theirs to see.
    let claimed = rep.act(&format!("{pool_path}/claim")).await.expect(200);
    assert_eq!(claimed.body["phone"], "13800131234");
}

async fn some_members_are_enough_for_some(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    for number in 0..3 {
        let form = json!({"name": format!("Lead {number}"), "source": "website"});
        rep.post("/leads", form).await.expect(201);
    }
    let page = rep.get("/leads?fields=id,name&sort=name&limit=2").await.expect(200);
    let names: Vec<&Value> = page.body["data"].as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["Lead 0", "Lead 1"]);
    assert!(page.body["data"].as_array().unwrap().iter().all(|row| row.as_object().unwrap().len() == 2));
    // The way to the next page says it again, and the cursor is the same without.
    assert!(page.header("link").contains("fields=id%2Cname"), "{}", page.header("link"));
    let cursor = page.body["page"]["next_cursor"].as_str().unwrap();
    let next = rep.get(&format!("/leads?sort=name&limit=2&cursor={cursor}")).await.expect(200);
    let last = &next.body["data"][0];
    assert!(last["name"] == "Lead 2" && last["source"] == "website");
    // What is included can be chosen as well; a record alone comes with its tag.
    let page = rep.get("/leads?fields=owner&include=owner&limit=1").await.expect(200);
    assert_eq!(page.body["data"][0]["owner"]["id"], json!(company.rep.id));
    for (fields, members) in [("id", 2), ("id,owner", 2), ("name,owner", 2), ("owner", 1)] {
        let path = format!("?fields={fields}&limit=1");
        let body = json!({"include": ["owner"], "limit": 1});
        let searched = rep.post(&format!("/leads/search?fields={fields}"), body).await.expect(200);
        for page in [rep.get(&format!("/leads{path}&include=owner")).await.expect(200), searched] {
            let row = page.body["data"][0].as_object().unwrap();
            assert!(row.len() == members && row["owner"]["id"] == json!(company.rep.id), "{fields}: {row:?}");
        }
    }
    // A related record that nobody asked to include is no member that could be chosen.
    let search = rep.post("/leads/search?fields=id,owner", json!({})).await;
    let others = rep.get("/customers?fields=owner&include=primary_contact").await;
    for answer in [rep.get("/leads?limit=1&fields=owner").await, search, others] {
        let refused = answer.refused(400, "malformed_request");
        let error = &refused.body["errors"][0];
        assert_eq!(error["pointer"], "fields");
        assert_eq!(error["message"], "`owner` is there only where `include` names it");
    }
    let chinese = rep.request(Method::GET, "/leads?fields=owner").header("accept-language", "zh-CN");
    let refused = rep.send(chinese).await.refused(400, "malformed_request");
    assert_eq!(refused.body["errors"][0]["message"], "只有 `include` 中指定了 `owner` 时才能选择它");
    let path = format!("/leads/{}", last["id"].as_str().unwrap());
    let one = rep.get(&format!("{path}?fields=version,allowed_actions")).await.expect(200);
    assert!(one.body.as_object().unwrap().len() == 2 && one.header("etag").starts_with("\"v1-"));
    // A lead has no contract to include, so that none can be chosen either.
    for bad in ["", "nope", "id,", "id,nope", "id&fields=name", "contract", "id,customer"] {
        for path in ["/leads", path.as_str()] {
            let refused = rep.get(&format!("{path}?fields={bad}")).await.refused(400, "malformed_request");
            assert_eq!(refused.body["errors"][0]["pointer"], "fields", "{path} {bad}");
        }
    }
    // What is no record has no members to choose from.
    rep.get("/notifications/unread-count?fields=unread").await.refused(400, "malformed_request");
}
