//! Who may do what: every role, every operation, and a record that stands near to or far from the caller.
//!
//! The tables below are written by hand from the design, not from the code. An operation of the specification
//! that they do not know fails the build.

mod tables;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, PASSWORD, Person, Server, until};
use tables::*;
use world::*;

on_both_databases! {
    the_matrix_knows_every_operation;
    nothing_but_the_public_is_open_without_a_token;
    what_is_open_to_everybody_is_open_to_every_role;
    leads_follow_the_matrix;
    customers_follow_the_matrix;
    sharing_and_transfers_follow_the_matrix;
    contacts_and_activities_follow_the_matrix;
    opportunities_follow_the_matrix;
    contracts_follow_the_matrix;
    invoices_follow_the_matrix;
    payments_follow_the_matrix;
    decisions_about_contracts_follow_the_matrix;
    decisions_about_invoices_follow_the_matrix;
    the_organisation_follows_the_matrix;
    nobody_gives_to_whom_they_do_not_lead;
    whoever_asked_takes_it_back;
    without_a_grant_nothing_is_allowed;
    lists_and_totals_agree_with_single_reads;
    what_a_list_shows_is_what_can_be_read;
}

/// Open without a login.
const PUBLIC: [&str; 8] = [
    "submit_lead_form",
    "log_in",
    "refresh_tokens",
    "get_signing_keys",
    "get_health",
    "get_readiness",
    "list_problems",
    "get_problem",
];

/// Open to everybody who has logged in.
const OPEN: [&str; 28] = [
    "log_out",
    "list_sessions",
    "end_session",
    "get_me",
    "change_my_password",
    "list_workflows",
    // It shows nothing but who is who: `people` looks at it.
    "list_people",
    "get_person",
    // It finds what lists show: `search` compares them.
    "search_records",
    // The same of what happened: `events` and `sync` look at them.
    "follow_events",
    "sync_records",
    "list_dictionaries",
    "get_dictionary",
    // Each user's own, which nobody else sees: `personal` looks at them.
    "list_notifications",
    "count_unread_notifications",
    "read_notification",
    "read_all_notifications",
    "list_saved_views",
    "create_saved_view",
    "get_saved_view",
    "update_saved_view",
    "delete_saved_view",
    "withdraw_transfer",
    // Each user's own as well: `approvals` looks at them.
    "list_delegations",
    "create_delegation",
    "get_delegation",
    "update_delegation",
    "delete_delegation",
];

/// What everybody who sells looks up, whatever their role.
const LOOKED_UP: [&str; 7] = [
    "list_pipelines",
    "get_pipeline",
    "list_products",
    "get_product",
    "list_price_lists",
    "get_price_list",
    "quote_prices",
];

/// The columns of the tables.
const ROLES: [&str; 7] =
    ["sales_rep", "sales_manager", "sales_director", "finance", "marketing", "auditor", "admin"];

/// Where a record stands, seen from the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    Own,
    /// Of a member of the caller's team, or of a team below.
    Team,
    Other,
    Pool,
}

const RELATIONS: [Relation; 4] = [Relation::Own, Relation::Team, Relation::Other, Relation::Pool];

/// Whether a word of the tables covers a relation.
fn covers(word: &str, relation: Relation) -> bool {
    word.split('+').any(|part| match part {
        "own" => relation == Relation::Own,
        "team" => matches!(relation, Relation::Own | Relation::Team),
        "all" => true,
        "pool" => relation == Relation::Pool,
        "-" => false,
        other => panic!("`{other}` is no word of the tables"),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Allowed,
    Forbidden,
    Hidden,
}

/// A line of a table, split at its blanks: names first, then one word for each role.
fn lines(table: &'static str, names: usize) -> Vec<(Vec<&'static str>, [&'static str; 7])> {
    let rows = table.lines().skip(2).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|words| !words.is_empty())
        .map(|words| {
            let (names, words) = words.split_at(names);
            (names.to_vec(), words.try_into().unwrap_or_else(|_| panic!("{names:?} needs seven words")))
        })
        .collect()
}

fn read_words(kind: &str) -> [&'static str; 7] {
    let rows = lines(READ, 1);
    rows.into_iter().find(|(names, _)| names[0] == kind).unwrap_or_else(|| panic!("READ lacks {kind}")).1
}

/// An operation as the specification has it.
#[derive(Debug, Clone)]
struct Operation {
    method: Method,
    path: String,
    public: bool,
}

async fn operations(server: &Server) -> BTreeMap<String, Operation> {
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let method = method.to_uppercase().parse().unwrap();
            let public = operation["security"] == json!([]);
            let known = found.insert(id.to_owned(), Operation { method, path: path.clone(), public });
            assert!(known.is_none(), "{id} is there twice");
        }
    }
    found
}

async fn the_matrix_knows_every_operation(server: Server) {
    let spec = operations(&server).await;
    let listed = TABLES.iter().flat_map(|table| lines(table, 2)).map(|(names, _)| names[0]);
    let known: BTreeSet<&str> = listed.chain(PUBLIC).chain(OPEN).collect();
    let there: BTreeSet<&str> = spec.keys().map(String::as_str).collect();
    let unknown: Vec<_> = there.difference(&known).collect();
    assert!(unknown.is_empty(), "the matrix must say who may use {unknown:?}");
    let gone: Vec<_> = known.difference(&there).collect();
    assert!(gone.is_empty(), "the matrix names {gone:?}, which the specification does not have");
    for (id, operation) in &spec {
        assert_eq!(operation.public, PUBLIC.contains(&id.as_str()), "{id}: who needs a token?");
    }
}

const NO_ID: &str = "01900000-0000-7000-8000-000000000000";

async fn nothing_but_the_public_is_open_without_a_token(server: Server) {
    let nobody = server.anonymous();
    for (id, operation) in operations(&server).await {
        let path = operation.path.replace("{id}", NO_ID).replace("{code}", "not_found");
        let path = path.replace("{form}", &"0".repeat(32));
        let request = nobody.root(operation.method, &path).header("if-match", "*").json(&json!({}));
        let answer = nobody.send(request).await;
        if PUBLIC.contains(&id.as_str()) {
            assert_ne!(answer.body["code"], "unauthenticated", "{id}");
            continue;
        }
        let answer = answer.refused(401, "unauthenticated");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{id}: {:?}", answer.headers);
    }
}

async fn what_is_open_to_everybody_is_open_to_every_role(server: Server) {
    let company = Company::found(&server).await;
    for (role, person) in company.by_role() {
        let me = server.login(&person.email, PASSWORD).await;
        let answer = me.get("/me").await.expect(200);
        assert_eq!(answer.body["roles"], json!([role]));
        me.get("/workflows").await.expect(200);
        me.get("/search?q=nothing").await.expect(200);
        me.get("/events?wait=0").await.expect(200);
        me.get("/sync").await.expect(200);
        me.get("/people").await.expect(200);
        me.get(&format!("/people/{}", company.admin.id)).await.expect(200);
        me.get("/dictionaries").await.expect(200);
        me.get("/dictionaries/lead_status").await.expect(200);
        let sessions = me.get("/auth/sessions").await.expect(200).body;
        let other = sessions["data"].as_array().unwrap().iter().find(|one| one["current"] == false).unwrap();
        let end = me.request(Method::DELETE, &format!("/auth/sessions/{}", other["id"].as_str().unwrap()));
        me.send(end).await.expect(204);
        let passwords = json!({"current_password": PASSWORD, "new_password": "another-password"});
        me.post("/me/change-password", passwords).await.expect(204);
        me.act("/auth/logout").await.expect(204);
        me.get("/me").await.refused(401, "unauthenticated");
    }
}

async fn follow(server: Server, table: &'static str) {
    let mut world = World::new(server).await;
    let mut wrong = Vec::new();
    for (names, words) in lines(table, 2) {
        world.try_line(names[0], names[1], words, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "not as designed:\n{}", wrong.join("\n"));
}

async fn leads_follow_the_matrix(server: Server) {
    follow(server, LEADS).await;
}

async fn customers_follow_the_matrix(server: Server) {
    follow(server, CUSTOMERS).await;
}

async fn sharing_and_transfers_follow_the_matrix(server: Server) {
    follow(server, SHARING).await;
}

async fn contacts_and_activities_follow_the_matrix(server: Server) {
    follow(server, CONTACTS_AND_ACTIVITIES).await;
}

async fn opportunities_follow_the_matrix(server: Server) {
    follow(server, OPPORTUNITIES).await;
}

async fn contracts_follow_the_matrix(server: Server) {
    follow(server, CONTRACTS).await;
}

async fn invoices_follow_the_matrix(server: Server) {
    follow(server, INVOICES).await;
}

async fn payments_follow_the_matrix(server: Server) {
    follow(server, PAYMENTS).await;
}

async fn decisions_about_contracts_follow_the_matrix(server: Server) {
    follow(server, CONTRACT_DECISIONS).await;
}

async fn decisions_about_invoices_follow_the_matrix(server: Server) {
    follow(server, INVOICE_DECISIONS).await;
}

async fn the_organisation_follows_the_matrix(server: Server) {
    follow(server, ORGANISATION).await;
}

/// The second half of an assignment: not only the record, the receiver as well must be in the caller's reach.
async fn nobody_gives_to_whom_they_do_not_lead(server: Server) {
    let world = World::new(server).await;
    let company = &world.company;
    for (kind, id) in [
        ("leads", world.lead(Some(&company.rep), "").await),
        ("leads", world.lead(None, "").await),
        ("customers", world.customer(Some(&company.rep)).await),
        ("customers", world.customer(None).await),
    ] {
        let path = format!("/{kind}/{id}/assign");
        let to = |owner: &Person| json!({"owner_id": owner.id});
        company.manager.client.post(&path, to(&company.other_rep)).await.refused(403, "forbidden");
        company.manager.client.post(&path, to(&company.inner)).await.expect(200);
        company.director.client.post(&path, to(&company.other_rep)).await.expect(200);
        company.manager.client.post(&path, to(&company.inner)).await.refused(404, "not_found");
        // Whoever cannot own such records gets none.
        company.director.client.post(&path, to(&company.finance)).await.refused(409, "owner_not_eligible");
    }
}

/// A request belongs to whoever made it, whoever owns the record; and nobody decides their own.
async fn whoever_asked_takes_it_back(server: Server) {
    let world = World::new(server).await;
    let company = &world.company;
    let contract = world.contract(Some(&company.rep), "draft").await;
    for asker in [&company.manager, &company.director, &company.admin] {
        asker.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        let approval = company.pending(&contract).await;
        let withdraw = format!("/approvals/{approval}/withdraw");
        company.rep.client.act(&withdraw).await.refused(403, "forbidden");
        company.rep.client.act(&format!("/contracts/{contract}/withdraw")).await.refused(403, "forbidden");
        let approve = format!("/approvals/{approval}/approve");
        let code =
            if asker.id == company.admin.id { (403, "forbidden") } else { (409, "separation_of_duties") };
        asker.client.post(&approve, json!({})).await.refused(code.0, code.1);
        asker.client.act(&withdraw).await.expect(200);
    }
    let own = world.contract(Some(&company.manager), "pending").await;
    let approve = format!("/approvals/{}/approve", company.pending(&own).await);
    company.manager.client.post(&approve, json!({})).await.refused(409, "separation_of_duties");
}

/// Nothing is allowed because somebody forgot to forbid it: a role that grants nothing can do nothing.
async fn without_a_grant_nothing_is_allowed(server: Server) {
    let world = World::new(server).await;
    let admin = &world.company.admin.client;
    let role = admin.post("/roles", World::new_role()).await.expect(201).text_of("key");
    let mut form = World::new_user();
    form["roles"] = json!([role]);
    admin.post("/users", form.clone()).await.expect(201);
    let nobody = world.server.login(form["email"].as_str().unwrap(), PASSWORD).await;
    assert_eq!(nobody.get("/me").await.expect(200).body["permissions"], json!([]));
    let rep = Some(&world.company.rep);
    let (lead, customer) = (world.lead(rep, "contacted").await, world.customer(rep).await);
    let open: Vec<&str> = PUBLIC.into_iter().chain(OPEN).chain(LOOKED_UP).collect();
    let mut wrong = Vec::new();
    for (id, operation) in &world.spec {
        if open.contains(&id.as_str()) {
            continue;
        }
        let record = if operation.path.contains("/leads/{id}") { &lead } else { &customer };
        let answer = world.call(&nobody, id, "in:customer", record).await;
        let code = answer.body["code"].as_str().unwrap_or_default();
        let right = match (answer.status, code) {
            (403, "forbidden") => true,
            // Of what is hidden, not even that is told.
            (404, "not_found") => operation.path.contains("{id}"),
            (422, "unknown_reference") => !operation.path.contains("{id}"),
            _ => false,
        };
        if !right {
            wrong.push(format!("{id}: {} {}", answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Walks a list in small pages, and checks its total on the way. None when the caller may not list at all.
async fn walk(client: &Client, path: &str) -> Option<BTreeSet<String>> {
    let mut ids = Vec::new();
    let mut totals = BTreeSet::new();
    let mut next = format!("{path}?limit=2&total=true");
    loop {
        let page = client.get(&next).await;
        if page.status == 403 {
            page.refused(403, "forbidden");
            return None;
        }
        let page = page.expect(200).body;
        totals.insert(page["page"]["total"].to_string());
        ids.extend(page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["page"]["next_cursor"].as_str() else { break };
        next = format!("{path}?limit=2&total=true&cursor={cursor}");
    }
    let distinct: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len(), "{path} shows a record twice");
    let total: Vec<String> = totals.into_iter().map(|total| total.trim_matches('"').to_owned()).collect();
    assert_eq!(total, [ids.len().to_string()], "{path} has another total than rows");
    Some(distinct)
}

async fn lists_and_totals_agree_with_single_reads(server: Server) {
    let world = World::new(server).await;
    let company = &world.company;
    let owners = [&company.rep, &company.colleague, &company.inner, &company.other_rep, &company.manager];
    for owner in owners.into_iter().map(Some).chain([Some(&company.director), None]) {
        world.make("lead.activity", owner).await;
        world.make("customer.contact", owner).await;
        world.make("customer.activity", owner).await;
        if owner.is_none() {
            continue;
        }
        world.make("opportunity", owner).await;
        world.make("contract", owner).await;
        world.make("invoice.pending", owner).await;
        world.make("payment", owner).await;
        // What followed a lead to its customer is judged by the customer.
        let lead = world.make("lead.qualified", owner).await;
        world.author(owner).post(&format!("/leads/{lead}/convert"), json!({})).await.expect(200);
    }
    let callers: Vec<(&str, &Person)> = company
        .by_role()
        .into_iter()
        .chain([("colleague", &company.colleague), ("inner", &company.inner)])
        .chain([("other_manager", &company.other_manager), ("other_rep", &company.other_rep)])
        .collect();
    let mut wrong = Vec::new();
    for (path, everything) in [
        ("/leads", "/leads"),
        ("/customers", "/customers"),
        ("/public-pool/customers", "/customers"),
        ("/contacts", "/contacts"),
        ("/activities", "/activities"),
        ("/opportunities", "/opportunities"),
        ("/contracts", "/contracts"),
        ("/invoices", "/invoices"),
        ("/payments", "/payments"),
        ("/approvals", "/approvals"),
    ] {
        let all = walk(&company.admin.client, everything).await.unwrap();
        assert!(all.len() >= 6, "{path} has too little to prove anything");
        assert_eq!(Some(&all), walk(&company.director.client, everything).await.as_ref(), "{path}");
        let mut different = BTreeSet::new();
        for (name, caller) in &callers {
            let listed = walk(&caller.client, path).await;
            let mut readable = BTreeSet::new();
            for id in &all {
                match caller.client.get(&format!("{path}/{id}")).await.status {
                    200 => readable.insert(id.clone()),
                    404 => false,
                    other => panic!("{name} reads {path}/{id} and gets {other}"),
                };
            }
            if listed.clone().unwrap_or_default() != readable {
                wrong.push(format!("{path} as {name}: listed {listed:?}, readable {readable:?}"));
            }
            different.insert(readable);
        }
        assert!(path.contains("pool") || different.len() > 2, "{path} is the same to everybody");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The ids that a list shows; none to whoever may not list at all.
async fn shown(client: &Client, path: &str) -> BTreeSet<String> {
    let path = format!("{path}?limit=200");
    if client.get(&path).await.status == 403 {
        return BTreeSet::new();
    }
    client.all(&path).await.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Whether a record is there for somebody.
async fn is_there(client: &Client, path: &str) -> bool {
    match client.get(path).await.status {
        200 => true,
        403 | 404 => false,
        other => panic!("{path} answers {other}"),
    }
}

/// Of every kind that has both: the document says which. A demo has some of each.
async fn what_a_list_shows_is_what_can_be_read(server: Server) {
    const MOST: usize = 60;
    // Nothing happens by itself between a list and what is read one by one.
    let mut demo = Server::demo(server.database.kind).await;
    demo.stop().await;
    demo.set("FAIRLEAD_JOBS__ENABLED", "false");
    demo.restart().await;
    let mut people = Vec::new();
    for who in [
        "rep.east",
        "rep.east2",
        "rep.east3",
        "rep.south",
        "manager.east",
        "finance",
        "marketing",
        "auditor",
        "admin",
    ] {
        let client = demo.login(&format!("{who}@demo.fairlead.example"), "demo-password").await;
        people.push((who, client.get("/me").await.expect(200).id(), client));
    }
    // A customer of which a change waits is shared with somebody who may change it then.
    let (owner, (_, other, _)) = (&people[0].2, &people[3]);
    let change = owner.get("/customer-changes").await.expect(200).body["data"][0].clone();
    let share = json!({"customer_id": change["customer_id"], "user_id": other, "access": "write"});
    owner.post("/collaborators", share).await.expect(201);
    assert!(shown(&people[3].2, "/customer-changes").await.contains(change["id"].as_str().unwrap()));

    let spec = operations(&demo).await;
    let reads: BTreeSet<&str> =
        spec.values().filter(|it| it.method == Method::GET).map(|it| it.path.as_str()).collect();
    let mut lists: Vec<&str> = reads
        .iter()
        .filter_map(|path| path.strip_suffix("/{id}"))
        .filter(|list| reads.contains(list))
        .map(|list| list.strip_prefix("/api/v1").unwrap())
        .collect();
    assert!(lists.len() >= 36, "{lists:?}");
    // Whoever opens a customer of the pool sees its contacts from then on.
    lists.sort_by_key(|list| !list.ends_with("/customers"));
    let mut wrong = Vec::new();
    for list in lists {
        let mut listed = Vec::new();
        for (_, _, client) in &people {
            listed.push(shown(client, list).await);
        }
        let all: BTreeSet<&String> = listed.iter().flatten().collect();
        assert!(!all.is_empty(), "the demo has nothing under {list}");
        for ((who, me, client), listed) in people.iter().zip(&listed) {
            for id in all.iter().step_by(all.len() / MOST + 1) {
                // Everybody reads their own account; the list of all is for whoever sees users.
                if list == "/users" && *id == me {
                    continue;
                }
                let read = is_there(client, &format!("{list}/{id}")).await;
                if read != listed.contains(*id) {
                    let how = if read { "read, not listed" } else { "listed, not read" };
                    wrong.push(format!("{list}/{id} as {who}: {how}"));
                }
            }
        }
    }
    // Attachments are listed with their contracts.
    let auditor = &people[7].2;
    let mut compared = 0;
    for contract in shown(auditor, "/contracts").await {
        let list = format!("/contracts/{contract}/attachments");
        for id in shown(auditor, &list).await {
            for (who, _, client) in &people {
                let listed = is_there(client, &list).await;
                if listed != is_there(client, &format!("/attachments/{id}")).await {
                    wrong.push(format!("/attachments/{id} as {who}: listed {listed}"));
                }
                compared += 1;
            }
        }
    }
    assert!(compared > people.len(), "the demo has attachments");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
