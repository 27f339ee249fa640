//! Lists over many records stay on an index: the databases' own plans for the statements that the server sends. And
//! how many it sends.

mod many;
mod sync;

use serde_json::{Value, json};

use crate::support::{Company, Database, Direct, Kind, Server, until};
use many::*;
use sync::*;

on_both_databases! {
    heavy_among_many_customers_all_is_looked_up;
    what_is_included_costs_no_statement_per_row;
    what_hangs_on_a_record_is_read_along_with_it;
    a_search_without_alternatives_asks_what_its_list_asks;
    the_outbox_is_read_from_a_place_on;
    a_timeline_looks_at_no_other_customers_records;
    a_difference_is_told_by_what_happened;
    what_is_asked_every_few_seconds_is_asked_of_indexes;
    scoring_anew_goes_through_the_leads_once;
    what_hangs_on_records_that_change_hands_is_looked_for_once;
}

/// Every statement that the server has sent.
fn all_sent(server: &Server) -> Vec<String> {
    let log = server.log();
    // What is short stands in the summary, what is long follows it.
    let whole = |line: &str| {
        let (_, rest) = line.split_once("summary=\"")?;
        let (summary, rest) = rest.split_once("\" db.statement=\"")?;
        let (statement, _) = rest.split_once("\" rows_affected")?;
        let text = if statement.is_empty() { summary } else { statement };
        Some(text.replace("\\n", " ").trim().to_owned())
    };
    log.lines().filter_map(whole).collect()
}

/// The plan, whatever the values are.
async fn plan(database: &Database, statement: &str) -> String {
    plan_of(database.connect().await, database.kind, statement).await
}

/// The same, of tables so large that none is read whole if there is another way.
async fn plan_at_large(database: &Database, statement: &str) -> String {
    let mut direct = database.connect().await;
    if database.kind == Kind::Postgres {
        direct.run("SET enable_seqscan = off").await;
    }
    plan_of(direct, database.kind, statement).await
}

async fn plan_of(mut direct: Direct, kind: Kind, statement: &str) -> String {
    match kind {
        Kind::Sqlite => direct.plan(&format!("EXPLAIN QUERY PLAN {statement}")).await,
        Kind::Postgres => {
            let parameters = (1..100).take_while(|at| statement.contains(&format!("${at}"))).count();
            direct.run("SET plan_cache_mode = force_generic_plan").await;
            direct.run(&format!("PREPARE listed AS {}", typed(statement))).await;
            let values = vec!["NULL"; parameters].join(", ");
            let values = if parameters == 0 { values } else { format!("({values})") };
            direct.plan(&format!("EXPLAIN EXECUTE listed {values}")).await
        }
    }
}

/// The statement with the types of values that stand alone, as they do to be hidden from the planner: here nothing else
/// tells.
fn typed(statement: &str) -> String {
    let mut parts = statement.split("(SELECT $");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        // What it is compared with, by an operator.
        let column = text.split_whitespace().rev().nth(1).unwrap();
        let kind = match column {
            it if it.ends_with("_id") => "uuid",
            it if it.ends_with("_at") => "timestamptz",
            _ => "text",
        };
        let (at, rest) = part.split_once(')').unwrap();
        text.extend(["(SELECT $", at, "::", kind, ")", rest]);
    }
    text
}

/// Starts the server again, so that it tells what it asks its database.
async fn tell(server: &mut Server) {
    server.stop().await;
    server.set("FAIRLEAD_LOG__FILTER", "warn,sqlx=debug");
    server.restart().await;
}

async fn what_is_included_costs_no_statement_per_row(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    for name in ["First", "Second", "Third"] {
        let contract = company.active(&company.rep, "100.00", "by_invoice").await;
        company.invoice_draft(&company.rep, &contract, "10.00").await;
        let customer = rep.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
        let person = json!({"customer_id": customer, "name": name, "is_primary": true});
        rep.post("/contacts", person).await.expect(201);
    }
    // Nothing but what is asked for is to be counted.
    server.set("FAIRLEAD_JOBS__ENABLED", "false");
    tell(&mut server).await;
    let rep = company.rep.client.at(&server.url);
    rep.get("/customers").await.expect(200);
    let asked = || all_sent(&server).iter().filter(|statement| statement.starts_with("SELECT")).count();
    // Owners are known without a statement; customers of rows and of their contracts are looked up together.
    for (list, include, more) in [
        ("/customers", "owner", 0),
        ("/customers", "owner,primary_contact", 1),
        ("/contracts", "owner,customer,customer.owner", 1),
        ("/invoices", "customer.owner,contract", 2),
        ("/invoices", "owner,customer,customer.owner,contract.owner,contract.customer", 2),
    ] {
        let cost = async |query: &str| {
            let before = asked();
            let rows = rep.get(&format!("{list}?{query}")).await.expect(200).body["data"].clone();
            (rows.as_array().unwrap().len(), asked() - before)
        };
        let (_, bare) = cost("limit=200").await;
        assert!(bare >= 1, "{list} costs nothing: what is sent is not logged");
        assert_eq!(cost(&format!("limit=1&include={include}")).await, (1, bare + more), "{list} {include}");
        assert_eq!(cost(&format!("limit=200&include={include}")).await, (3, bare + more), "{list} {include}");
        // A record alone costs as much more.
        let rows = rep.get(&format!("{list}?limit=1")).await.expect(200).body["data"].clone();
        let path = format!("{list}/{}", rows[0]["id"].as_str().unwrap());
        let cost = async |query: &str| {
            let before = asked();
            rep.get(&format!("{path}?{query}")).await.expect(200);
            asked() - before
        };
        let bare = cost("fields=id").await;
        assert_eq!(cost(&format!("include={include}")).await, bare + more, "{path} {include}");
    }
}

/// What may be done with a record depends on it, and each is judged by whatever has an index.
async fn what_hangs_on_a_record_is_read_along_with_it(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    let rep = &company.rep;
    let pooled = company.pool_customer().await;
    let contract = company.active(rep, "100.00", "by_contract").await;
    let payment = company.paid(rep, &contract, "10.00").await;
    let invoice = company.issued(rep, &contract, "10.00").await;
    let customer = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let made = async |path: &str, form: Value| rep.client.post(path, form).await.expect(201).id();
    let deal = made("/opportunities", json!({"name": "Deal", "customer_id": customer})).await;
    let person = made("/contacts", json!({"name": "Zhang", "customer_id": customer})).await;
    let lead = made("/leads", json!({"name": "Li", "source": "event"})).await;
    let receipt = json!({
        "amount": {"amount": "9.00", "currency": "CNY"}, "received_on": "2026-01-15", "method": "bank_transfer",
    });
    let receipt = company.finance.client.post("/receipts", receipt).await.expect(201).id();
    let first = async |list: &str| {
        company.admin.client.get(list).await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned()
    };
    let (team, pool, pipeline) =
        (first("/teams").await, first("/public-pools").await, first("/pipelines").await);
    // Nothing but what is asked here is to be counted.
    server.set("FAIRLEAD_JOBS__ENABLED", "false");
    tell(&mut server).await;
    let admin = company.admin.client.at(&server.url);
    let finance = company.finance.client.at(&server.url);
    let director = company.director.client.at(&server.url);
    for who in [&admin, &finance, &director] {
        who.get("/customers").await.expect(200);
    }
    // Besides: the customer by whom a contact is seen, and what a payment is put on.
    // Those of a pool and of a pipeline, which may be many, are not counted where it is kept as the default anyway.
    for (by, path, statements) in [
        (&admin, format!("/customers/{customer}"), 1),
        (&director, format!("/customers/{pooled}"), 1),
        (&admin, format!("/contacts/{person}"), 2),
        (&admin, format!("/leads/{lead}"), 1),
        (&admin, format!("/opportunities/{deal}"), 1),
        (&admin, format!("/contracts/{contract}"), 1),
        (&admin, format!("/invoices/{invoice}"), 1),
        (&admin, format!("/payments/{payment}"), 2),
        (&finance, format!("/receipts/{receipt}"), 1),
        (&admin, format!("/teams/{team}"), 1),
        (&admin, format!("/public-pools/{pool}"), 1),
        (&admin, format!("/pipelines/{pipeline}"), 1),
    ] {
        let before = all_sent(&server).len();
        by.get(&path).await.expect(200);
        let asked = all_sent(&server).split_off(before);
        assert_eq!(asked.len(), statements, "{path}: {asked:#?}");
        // Of teams and of what names them there are few.
        if !path.starts_with("/teams") {
            for statement in &asked {
                let plan = plan_at_large(&server.database, statement).await.replace("SCAN CONSTANT ROW", "");
                let whole = plan.contains("SCAN ") || plan.contains("Seq Scan");
                assert!(!whole, "{statement} reads all of a table:\n{plan}");
            }
        }
    }
}

/// So that it is read by whatever the list is read by.
async fn a_search_without_alternatives_asks_what_its_list_asks(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    // Nothing but what is asked here.
    server.set("FAIRLEAD_JOBS__ENABLED", "false");
    tell(&mut server).await;
    let rep = company.rep.client.at(&server.url);
    let since = |before: usize| -> Vec<String> {
        let about = |statement: &String| statement.contains("FROM customers WHERE");
        all_sent(&server).into_iter().skip(before).filter(about).collect()
    };
    let before = all_sent(&server).len();
    let query = "grade=A,B&phone=13800138000&region_is_null=true&sort=name&total=true";
    rep.get(&format!("/customers?{query}")).await.expect(200);
    let listed = since(before);
    assert_eq!(listed.len(), 2, "a page and its total: {listed:#?}");

    let search = async |all: &Value| {
        let before = all_sent(&server).len();
        let body = json!({"all": all, "sort": ["name"], "total": true});
        rep.post("/customers/search", body).await.expect(200);
        since(before)
    };
    let grade = json!({"grade": ["A", "B"]});
    let rest = json!({"phone": ["13800138000"], "region_is_null": true});
    let whole = json!({"grade": ["A", "B"], "phone": ["13800138000"], "region_is_null": true});
    for all in [json!([{"any": [whole]}]), json!([{"any": [grade]}, {"any": [rest]}])] {
        assert_eq!(search(&all).await, listed, "{all}");
    }
    let either = search(&json!([{"any": [grade, rest]}])).await;
    assert_eq!(either.len(), 2, "{either:#?}");
    assert!(either.iter().all(|statement| !listed.contains(statement)), "{either:#?}");
}

async fn the_outbox_is_read_from_a_place_on(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    tell(&mut server).await;
    let rep = company.rep.client.at(&server.url);
    rep.post("/leads", json!({"name": "Li", "source": "event"})).await.expect(201);
    let reads = |statement: &String| statement.contains("FROM outbox JOIN audit_events");
    let statement = until("a reader of the outbox", async || all_sent(&server).into_iter().find(reads)).await;
    if server.database.kind == Kind::Sqlite {
        let plan = plan(&server.database, &statement).await;
        assert!(plan.contains("SEARCH outbox") && plan.contains("SEARCH audit_events"), "{plan}");
        return;
    }
    // With many events PostgreSQL merges the two in their order; with as few as here only where it has no other way.
    let mut direct = server.database.connect().await;
    for setting in ["plan_cache_mode = force_generic_plan", "enable_nestloop = off", "enable_hashjoin = off"]
    {
        direct.run(&format!("SET {setting}")).await;
    }
    direct.run(&format!("PREPARE reading AS {statement}")).await;
    let plan = direct.plan("EXPLAIN EXECUTE reading (NULL)").await;
    assert!(plan.contains("Merge Join"), "{plan}");
    assert_eq!(
        plan.matches("sequence > $1").count(),
        2,
        "one of the two is read from its beginning:\n{plan}"
    );
}

async fn a_timeline_looks_at_no_other_customers_records(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    let path = format!("/contracts/{contract}");
    let customer = company.rep.client.get(&path).await.expect(200).text_of("customer_id");
    tell(&mut server).await;
    let manager = company.manager.client.at(&server.url);
    let entries = manager.get(&format!("/customers/{customer}/timeline")).await.expect(200);
    assert!(entries.text.contains("contract.activated"), "{}", entries.text);
    let listed = |statement: &String| statement.contains("FROM timeline_entries");
    let statement = all_sent(&server).into_iter().rfind(listed).expect("a statement");
    let guarded = ["opportunities", "contracts", "invoices", "payments", "transfers", "activities"];
    for table in guarded {
        assert!(statement.contains(&format!("{table}.id = timeline_entries.record_id")), "{statement}");
    }
    // PostgreSQL decides by how many records there are, and here are few.
    if server.database.kind == Kind::Sqlite {
        let plan = plan(&server.database, &statement).await;
        for table in guarded {
            let searched = |line: &str| line.contains(&format!("SEARCH {table} ")) && line.contains("(id=?)");
            assert!(plan.lines().any(searched), "{table}:\n{plan}");
        }
    }
}

#[test]
fn postgres_plans_a_search_each_time() {
    crate::support::run(Kind::Postgres, no_plan_of_a_search_is_kept);
}

/// Only a session itself sees which of its plans it keeps. What searches ask is made to tell, by the name under which
/// the session is listed, how many are those of searches. It also says that every word is common, so that a search goes on
/// to ask all that it ever asks.
const TELLING: &str = "CREATE OR REPLACE FUNCTION search_hits (wanted TSQUERY, most BIGINT) RETURNS SETOF BIGINT \
    LANGUAGE plpgsql AS $$ BEGIN \
        PERFORM set_config('application_name', (\
            SELECT 'keeps ' || COUNT(*) FROM pg_prepared_statements \
            WHERE statement LIKE '%search_hits%' OR statement LIKE '%AS seen%'\
        ), FALSE); \
        RETURN QUERY SELECT generate_series(1, most); \
    END $$";

/// How many sessions told how many plans of searches they keep, and how many all of them keep.
async fn told(direct: &mut Direct) -> (i64, i64) {
    let tells =
        "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'keeps %'";
    let sum = "SUM(CAST(SPLIT_PART(application_name, ' ', 2) AS BIGINT))";
    let sessions = direct.number(&format!("SELECT COUNT(*) {tells}")).await;
    (sessions, direct.number(&format!("SELECT CAST(COALESCE({sum}, 0) AS BIGINT) {tells}")).await)
}

async fn no_plan_of_a_search_is_kept(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    // Nothing but what is asked here uses the sessions.
    server.set("FAIRLEAD_JOBS__ENABLED", "false");
    tell(&mut server).await;
    let mut direct = server.database.connect().await;
    direct.run(TELLING).await;
    // That a plan which is kept shows: this session keeps that of its own question.
    direct.number("SELECT COUNT(*) FROM search_hits(CAST('many' AS TSQUERY), 1)").await;
    assert_eq!(told(&mut direct).await, (1, 1));
    let rep = company.rep.client.at(&server.url);
    // What one search leaves behind, the next one tells.
    for _ in 0..3 {
        rep.get("/search?q=many").await.expect(200);
    }
    let sent = all_sent(&server);
    for part in ["COUNT(*) FROM search_hits(", ") AS seen), (", ") AS seen JOIN "] {
        assert!(sent.iter().any(|statement| statement.contains(part)), "no search asked `{part}`");
    }
    let (sessions, kept) = told(&mut direct).await;
    assert!(sessions > 1, "no session of the server told what it keeps");
    assert_eq!(kept, 1, "plans of searches are kept");
}

/// Tables of which a plan of SQLite reads every row, however it names the index.
fn read_whole<'a>(plan: &str, tables: &[&'a str]) -> Vec<&'a str> {
    let whole = |table: &&&str| plan.lines().any(|line| line.starts_with(&format!("SCAN {table}")));
    tables.iter().filter(whole).copied().collect()
}

/// The questions to a table among the statements.
fn asked_of<'a>(sent: &'a [String], table: &str) -> Vec<&'a String> {
    let of_table = |it: &&String| it.starts_with("SELECT") && it.contains(&format!("FROM {table} WHERE"));
    sent.iter().filter(of_table).collect()
}

/// A server that has nothing to do finds that out without reading its tables.
async fn what_is_asked_every_few_seconds_is_asked_of_indexes(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    let form = json!({"name": "Li", "source": "event"});
    let lead = company.rep.client.post("/leads", form).await.expect(201).id();
    server.stop().await;
    // One lead is due, so that what is behind it is asked for as well.
    let due = format!("UPDATE leads SET response_due_at = {} WHERE id = $1", server.database.ago(0, 1));
    server.database.alter(&due, &lead).await;
    server.set("FAIRLEAD_LOG__FILTER", "warn,sqlx=debug");
    server.restart().await;
    let looks = [("leads", 3), ("approvals", 2), ("jobs", 1), ("installments", 1)];
    let sent = until("the server to look for what is to be done", async || {
        let sent = all_sent(&server);
        looks.iter().all(|(table, least)| asked_of(&sent, table).len() >= *least).then_some(sent)
    })
    .await;
    let asked = |table: &str| asked_of(&sent, table);
    let due = asked("leads").into_iter().filter(|it| it.contains("response_due_at <=")).count();
    assert_eq!(due, 2, "the leads that are due, and those behind the first: {:#?}", asked("leads"));
    for (table, _) in looks {
        for statement in asked(table) {
            if server.database.kind == Kind::Sqlite {
                let plan = plan(&server.database, statement).await;
                // That index has only the jobs that wait.
                let plan = plan.replace("SCAN jobs USING INDEX jobs_waiting", "");
                assert!(read_whole(&plan, &[table]).is_empty(), "{statement} reads all:\n{plan}");
                assert!(!plan.contains("(id>?)"), "{statement} reads what is behind:\n{plan}");
            }
        }
    }
    if server.database.kind == Kind::Postgres {
        let outdated = asked("leads").into_iter().find(|it| it.contains("score_basis) FROM"));
        let mut direct = server.database.connect().await;
        // With as few leads as here it would otherwise read them all.
        direct.run("SET enable_seqscan = off").await;
        let plan = direct.plan(&format!("EXPLAIN {}", outdated.expect("a look at the scores"))).await;
        assert_eq!(plan.matches("using leads_score_basis on leads").count(), 2, "{plan}");
        assert_eq!(plan.matches("Limit").count(), 2, "more than the first and the last is read:\n{plan}");
    }
}

async fn scoring_anew_goes_through_the_leads_once(server: Server) {
    // One more than a step scores.
    const LEADS: usize = 201;
    let mut server = server;
    let company = Company::found(&server).await;
    for at in 0..LEADS {
        let form = json!({"name": format!("Lead {at}"), "source": "referral"});
        company.marketing.client.post("/leads", form).await.expect(201);
    }
    tell(&mut server).await;
    let admin = company.admin.client.at(&server.url);
    let rule = json!({
        "name": "Recommended", "field": "source", "operator": "is", "value": "referral", "points": 30,
    });
    admin.post("/scoring-rules", rule).await.expect(201);
    let job = until("the leads to be scored", async || {
        let jobs = admin.get("/jobs?kind=rescore_leads&status=finished").await.expect(200);
        jobs.body["data"].as_array().unwrap().first().cloned()
    })
    .await;
    for figure in ["total", "examined", "changed"] {
        assert_eq!(job[figure], json!(LEADS), "{figure} of {job}");
    }
    let sent = all_sent(&server);
    let times = |what: &str| sent.iter().filter(|statement| statement.contains(what)).count();
    assert_eq!(times("COUNT(*) FROM leads"), 1, "they are counted with every step");
    assert_eq!(times("score_basis <> "), 3, "the count, and a look for each step");
    assert_eq!(times("score_basis <> $1 AND id > $2"), 2, "a step looks again at what is done");
}

/// However many records change hands at once.
async fn what_hangs_on_records_that_change_hands_is_looked_for_once(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    let Company { rep, colleague, inner, other_rep, .. } = &company;
    let mut asked = Vec::new();
    for many in [2, 8] {
        let mut ids = Vec::new();
        for _ in 0..many {
            let customer = company.customer(rep).await;
            let change = json!({"customer_id": customer, "changes": {"region": "East China"}});
            rep.client.post("/customer-changes", change).await.expect(201);
            ids.push(customer);
        }
        let form = json!({
            "kind": "customers", "record_ids": ids, "to_user_id": colleague.id, "reason": "Closer by",
        });
        let transfer = rep.client.post("/transfers", form).await.expect(201).id();
        asked.push(company.pending(&transfer).await);
    }
    for (person, many) in [(inner, 1), (other_rep, 6)] {
        for _ in 0..many {
            let deal = json!({"name": "Deal", "customer_id": company.customer(person).await});
            person.client.post("/opportunities", deal).await.expect(201);
        }
    }
    // Nothing but what is asked here is to be counted.
    server.set("FAIRLEAD_JOBS__ENABLED", "false");
    tell(&mut server).await;
    let looks = |since: usize| {
        let sent = all_sent(&server).split_off(since);
        ["customer_changes", "approvals", "collaborators"].map(|table| asked_of(&sent, table).len())
    };
    let manager = company.manager.client.at(&server.url);
    let mut transfers = Vec::new();
    for approval in asked {
        let since = all_sent(&server).len();
        manager.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
        transfers.push(looks(since));
    }
    assert_eq!(transfers[0], transfers[1], "by two customers, and by eight");
    let admin = company.admin.client.at(&server.url);
    let mut handed_over = Vec::new();
    for person in [inner, other_rep] {
        let since = all_sent(&server).len();
        let path = format!("/users/{}/hand-over?dry_run=true", person.id);
        let form = json!({"successor_id": colleague.id, "reason": "Leaves"});
        admin.post(&path, form).await.expect(200);
        handed_over.push(looks(since));
    }
    assert_eq!(handed_over[0], handed_over[1], "of whoever has one customer and one sale, and six of both");
    assert!(transfers[0].iter().chain(&handed_over[0]).all(|times| *times > 0), "nothing was looked for");
}
