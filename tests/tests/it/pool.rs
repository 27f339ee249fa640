//! The public pool: who sees it, who gets from it, and what comes back to it by itself.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Client, Company, Person, Server, until};

on_both_databases! {
    settings_are_read_and_changed;
    a_pool_belongs_to_its_members;
    limits_differ_by_role_and_by_user;
    what_was_merged_is_found_in_the_pool;
    labels_are_looked_for;
    opening_pool_records_is_limited;
    what_is_masked_is_a_setting;
    fair_distribution_is_fair_and_can_be_tried;
    bulk_calls_do_all_or_as_many_as_can_be;
    a_dry_run_leaves_nothing_behind;
    a_dry_run_opens_nothing;
    the_neglected_are_warned_and_then_recycled;
    the_day_is_right_in_the_time_zone;
    rules_that_go_take_their_warnings_with_them;
    what_is_looked_after_is_spared;
    other_rules_can_be_tried;
    heavy_two_servers_recycle_once;
    heavy_two_hundred_claims_of_one_person_keep_the_limit;
    heavy_a_day_has_its_limit_and_its_cool_down;
    a_claim_counts_whatever_becomes_of_the_customer;
    customers_go_dormant_and_wake;
    collaborators_see_what_is_shared_and_no_money;
}

/// Runs recycling and waits until it is done.
pub(crate) async fn recycle(admin: &Client, form: Value) -> Value {
    run(admin, "/public-pool/recycle-runs", form).await
}

/// The same, to be told what it would do.
async fn try_recycling(admin: &Client, form: Value) -> Value {
    run(admin, "/public-pool/recycle-runs?dry_run=true", form).await
}

async fn run(admin: &Client, path: &str, form: Value) -> Value {
    let begun = admin.post(path, form).await.expect(202);
    let id = begun.id();
    assert!(begun.header("location").ends_with(&format!("/api/v1/jobs/{id}")));
    until("the job", async || {
        let job = admin.get(&format!("/jobs/{id}")).await.expect(200).body;
        assert_ne!(job["status"], "failed", "{job}");
        (job["status"] == "finished").then_some(job)
    })
    .await
}

/// What a job did: record, outcome, reason.
async fn items(admin: &Client, job: &Value) -> BTreeSet<(String, String, String)> {
    let id = job["id"].as_str().unwrap();
    let text = |item: &Value, member: &str| item[member].as_str().unwrap().to_owned();
    let items = admin.all(&format!("/jobs/{id}/items")).await;
    items.iter().map(|it| (text(it, "record_id"), text(it, "outcome"), text(it, "reason"))).collect()
}

fn item(id: &str, outcome: &str, reason: &str) -> (String, String, String) {
    (id.to_owned(), outcome.to_owned(), reason.to_owned())
}

/// Lets a customer have been with its owner for so many days.
pub(crate) async fn age(server: &Server, customer: &str, days: i64) {
    let ago = server.database.ago(days, 0);
    let text = format!("UPDATE customers SET owned_since = {ago}, created_at = {ago} WHERE id = $1");
    server.database.alter(&text, customer).await;
}

async fn customer(person: &Person, id: &str) -> Value {
    person.client.get(&format!("/customers/{id}")).await.expect(200).body
}

async fn settings_are_read_and_changed(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let settings = admin.get("/settings").await.expect(200);
    assert_eq!(settings.body["time_zone"], "Asia/Shanghai");
    assert!(settings.header("etag").starts_with("\"v1-"));
    admin.patch_if("/settings", "\"v1\"", json!({"leads": {"hot_from": 80}})).await.expect(200);
    admin.patch_if("/settings", "\"v1\"", json!({"due_soon_days": 3})).await.refused(412, "version_mismatch");
    let settings = admin.get("/settings").await.expect(200).body;
    assert_eq!((&settings["leads"]["hot_from"], &settings["leads"]["warm_from"]), (&json!(80), &json!(40)));
    for (body, pointer) in [
        (json!({"time_zone": "Mars/Olympus"}), "/time_zone"),
        (json!({"leads": {"warm_from": 90}}), "/leads"),
        (json!({"pool": {"recycle": {"no_activity_days": 0}}}), "/pool/recycle/no_activity_days"),
        (json!({"ownership": {"limit": -1}}), "/ownership/limit"),
        (
            json!({"ownership": {"by_role": [{"role": "sales_rep", "limit": 1}, {"role": "sales_rep", "limit": 2}]}}),
            "/ownership/by_role",
        ),
    ] {
        let refused = admin.patch("/settings", body).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
    let unknown = json!({"ownership": {"by_role": [{"role": "nobody_has_it", "limit": 1}]}});
    admin.patch("/settings", unknown).await.refused(422, "unknown_reference");
    let again = admin.get("/settings").await.expect(200);
    assert_eq!(again.body["version"], 2, "what was refused left nothing");
}

async fn a_pool_belongs_to_its_members(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, other_rep, manager, other_manager, director, marketing, .. } = &company;
    let teams = admin.client.get("/teams?name=South").await.expect(200);
    let south = teams.body["data"][0]["id"].clone();
    let form = json!({
        "name": "South pool", "regions": ["Guangdong"], "member_team_ids": [south],
        "manager_ids": [other_manager.id],
    });
    let pool = admin.client.post("/public-pools", form).await.expect(201).id();
    let form = json!({"kind": "company", "name": "Pearl River", "region": "guang dong"});
    let made = admin.client.post("/customers", form).await.expect(201);
    assert_eq!(made.body["pool_id"], json!(pool));
    let (id, path) = (made.id(), format!("/public-pool/customers/{}", made.id()));

    // Whoever is no member learns nothing: not by list, total, single read, claim or history.
    for stranger in [rep, manager] {
        stranger.client.get(&path).await.refused(404, "not_found");
        stranger.client.get(&format!("/customers/{id}")).await.refused(404, "not_found");
        stranger.client.act(&format!("{path}/claim")).await.refused(404, "not_found");
        stranger.client.get(&format!("/customers/{id}/ownership-history")).await.refused(404, "not_found");
        stranger.client.get(&format!("/customers/{id}/timeline")).await.refused(404, "not_found");
        stranger.client.get(&format!("/public-pools/{pool}")).await.refused(404, "not_found");
        let seen = stranger.client.get("/public-pool/customers?total=true").await.expect(200);
        assert_eq!(seen.body["page"]["total"], "0");
        let form = json!({"name": "Chen", "source": "website", "company": "Pearl River Co., Ltd."});
        let known = stranger.client.post("/leads", form).await.refused(409, "possible_duplicate");
        let known = &known.body["matches"][0];
        assert_eq!((&known["visible"], &known["id"]), (&json!(false), &Value::Null));
    }
    // Members see and claim, its managers assign; whoever reaches everything does both.
    for member in [other_rep, other_manager, director, marketing] {
        member.client.get(&path).await.expect(200);
    }
    let give = json!({"owner_id": other_rep.id});
    let assign = format!("/customers/{id}/assign");
    other_manager.client.post(&assign, give.clone()).await.expect(200);
    other_rep
        .client
        .post(&format!("/customers/{id}/release"), json!({"reason": "No need"}))
        .await
        .expect(200);
    let back = customer(director, &id).await;
    assert_eq!(back["pool_id"], json!(pool), "it goes back to its own pool");
    // No longer its manager: the other one takes over.
    admin
        .client
        .patch(&format!("/public-pools/{pool}"), json!({"manager_ids": [director.id]}))
        .await
        .expect(200);
    other_manager.client.post(&assign, give.clone()).await.refused(403, "forbidden");
    director.client.post(&assign, give).await.expect(200);
    // A pool with customers stays; the default one too.
    admin.client.delete(&format!("/public-pools/{pool}")).await.refused(409, "in_use");
    let pools = admin.client.get("/public-pools?is_default=true").await.expect(200);
    let default = pools.body["data"][0]["id"].as_str().unwrap().to_owned();
    admin.client.delete(&format!("/public-pools/{default}")).await.refused(409, "in_use");
    let stays = json!({"is_default": false});
    admin.client.patch(&format!("/public-pools/{default}"), stays).await.refused(422, "validation_failed");
    // Moved to the default pool, it is everybody's.
    director.client.post(&format!("/customers/{id}/move"), json!({"pool_id": default})).await.expect(200);
    other_rep.client.post(&format!("/customers/{id}/release"), json!({"reason": "Moved"})).await.expect(200);
    rep.client.act(&format!("{path}/claim")).await.expect(200);
    admin.client.delete(&format!("/public-pools/{pool}")).await.expect(204);
}

async fn what_was_merged_is_found_in_the_pool(server: Server) {
    let company = Company::found(&server).await;
    let (stays, goes) = (company.pool_customer().await, company.pool_customer().await);
    let merge = json!({"loser_id": goes});
    company.director.client.post(&format!("/customers/{stays}/merge"), merge).await.expect(200);
    let rep = &company.rep.client;
    assert_eq!(rep.get(&format!("/public-pool/customers/{goes}")).await.expect(200).id(), stays);
    // By its old id it is not claimed.
    let before = rep.get(&format!("/public-pool/customers/{stays}")).await.expect(200);
    let refused = rep.act(&format!("/public-pool/customers/{goes}/claim")).await;
    let refused = refused.refused(409, "record_merged");
    assert_eq!((&refused.body["survivor_id"], refused.header("location")), (&json!(stays), ""));
    let after = rep.get(&format!("/public-pool/customers/{stays}")).await.expect(200);
    assert_eq!(after.body, before.body);
    rep.act(&format!("/public-pool/customers/{stays}/claim")).await.expect(200);
}

async fn labels_are_looked_for(server: Server) {
    let company = Company::found(&server).await;
    let (admin, rep) = (&company.admin.client, &company.rep.client);
    let mut ids = Vec::new();
    for tags in [json!(["vip", "东区"]), json!(["vip \"a\\b\""]), json!([])] {
        let form = json!({"kind": "person", "name": "Somebody", "tags": tags});
        ids.push(admin.post("/customers", form).await.expect(201).id());
    }
    for (query, expected) in [
        ("tags=vip", vec![0]),
        ("tags=东区", vec![0]),
        ("tags=VIP", vec![]),
        ("tags=vi", vec![]),
        ("tags=vip%20%22a%5Cb%22", vec![1]),
        ("tags=vip%20%22a%5Cb%22,东区", vec![0, 1]),
        ("tags_ne=vip", vec![1, 2]),
    ] {
        for list in ["/public-pool/customers", "/customers"] {
            let found = rep.all(&format!("{list}?{query}")).await;
            let found: BTreeSet<&str> = found.iter().map(|it| it["id"].as_str().unwrap()).collect();
            let expected: BTreeSet<&str> = expected.iter().map(|at: &usize| ids[*at].as_str()).collect();
            assert_eq!(found, expected, "{list}?{query}");
        }
    }
}

async fn limits_differ_by_role_and_by_user(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, director, .. } = &company;
    company
        .set(json!({"ownership": {
            "limit": 1, "by_role": [{"role": "sales_manager", "limit": 3}],
            "by_user": [{"user_id": colleague.id, "limit": 2}], "counts_locked": false,
        }}))
        .await;
    for (person, limit) in [(rep, 1), (colleague, 2), (manager, 3)] {
        let mut owned = Vec::new();
        for _ in 0..limit {
            owned.push(company.customer(person).await);
        }
        let form = json!({"kind": "person", "name": "One more"});
        let full =
            person.client.post("/customers", form.clone()).await.refused(409, "ownership_limit_reached");
        assert_eq!((&full.body["owned"], &full.body["limit"]), (&json!(limit), &json!(limit)));
        // A locked one does not count.
        director.client.act(&format!("/customers/{}/lock", owned[0])).await.expect(200);
        person.client.post("/customers", form.clone()).await.expect(201);
        person.client.post("/customers", form).await.refused(409, "ownership_limit_reached");
    }
}

async fn opening_pool_records_is_limited(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, director, .. } = &company;
    let limits = json!([{"role": "sales_manager", "limit": 3}]);
    company.set(json!({"pool": {"daily_open_limit": 2, "daily_open_limits": limits}})).await;
    let mut pool = Vec::new();
    for _ in 0..4 {
        pool.push(company.pool_customer().await);
    }
    let open = async |person: &Person, at: usize, path: &str| {
        person.client.get(&format!("{path}/{}", pool[at])).await
    };
    // Both doors count, each record once.
    open(rep, 0, "/customers").await.expect(200);
    open(rep, 0, "/public-pool/customers").await.expect(200);
    open(rep, 1, "/public-pool/customers").await.expect(200);
    for path in ["/customers", "/public-pool/customers"] {
        let refused = open(rep, 2, path).await.refused(409, "daily_open_limit_reached");
        assert_eq!((&refused.body["opened_today"], &refused.body["limit"]), (&json!(2), &json!(2)));
    }
    open(rep, 1, "/customers").await.expect(200);
    // What belongs to a customer is behind the same door: its history, its story and its contacts. What was said
    // about it waits until somebody owns it.
    let mut contacts = Vec::new();
    for id in &pool {
        let form = json!({"customer_id": id, "name": "Zhang", "phone": "138 0013 8000"});
        contacts.push(director.client.post("/contacts", form).await.expect(201).id());
        let form =
            json!({"about": {"kind": "customer", "id": id}, "kind": "call", "subject": "138 0013 8000"});
        let said = director.client.post("/activities", form).await.expect(201).id();
        rep.client.get(&format!("/activities/{said}")).await.refused(404, "not_found");
    }
    assert!(rep.client.all("/activities").await.is_empty());
    assert_eq!(director.client.all("/activities").await.len(), 4);
    for below in ["ownership-history", "timeline"] {
        rep.client.get(&format!("/customers/{}/{below}", pool[0])).await.expect(200);
        let refused = rep.client.get(&format!("/customers/{}/{below}", pool[2])).await;
        refused.refused(409, "daily_open_limit_reached");
    }
    rep.client.get(&format!("/contacts/{}", contacts[0])).await.expect(200);
    rep.client.get(&format!("/contacts/{}", contacts[2])).await.refused(409, "daily_open_limit_reached");
    let seen = rep.client.all("/contacts").await;
    let seen: BTreeSet<&str> = seen.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(seen, BTreeSet::from([contacts[0].as_str(), contacts[1].as_str()]));
    for at in 0..3 {
        open(manager, at, "/customers").await.expect(200);
    }
    open(manager, 3, "/customers").await.refused(409, "daily_open_limit_reached");
    // Whoever may change pool customers opens as many as they like; so does whoever owns one.
    for at in 0..4 {
        open(director, at, "/customers").await.expect(200);
    }
    rep.client.act(&format!("/public-pool/customers/{}/claim", pool[3])).await.expect(200);
    open(rep, 3, "/customers").await.expect(200);
    assert_eq!((rep.client.all("/contacts").await.len(), rep.client.all("/activities").await.len()), (3, 1));
}

async fn what_is_masked_is_a_setting(server: Server) {
    let company = Company::found(&server).await;
    let form = json!({
        "kind": "company", "name": "Acme", "phone": "138 0013 8000", "email": "zhang@example.com",
        "registration_number": "91310000MA1FL0001X", "website": "https://acme.example.com", "note": "Call first",
    });
    let id = company.admin.client.post("/customers", form).await.expect(201).id();
    let rep = &company.rep.client;
    let opened = rep.get(&format!("/customers/{id}")).await.expect(200).body;
    assert_eq!(opened["phone"], "138****8000");
    assert_eq!(
        (&opened["website"], &opened["registration_number"]),
        (&Value::Null, &json!("91310000MA1FL0001X"))
    );
    let listed = rep.get("/public-pool/customers").await.expect(200).body["data"][0].clone();
    assert_eq!(listed["registration_number"], Value::Null, "a list shows less than an opened record");
    company.set(json!({"pool": {"masked_fields": ["phone", "registration_number"]}})).await;
    let opened = rep.get(&format!("/customers/{id}")).await.expect(200).body;
    assert_eq!(opened["email"], "zhang@example.com");
    assert_eq!((&opened["note"], &opened["registration_number"]), (&json!("Call first"), &Value::Null));
    for query in ["registration_number=91310000MA1FL0001X", "phone_contains=8000", "email=zhang@example.com"]
    {
        let found = rep.get(&format!("/customers?{query}")).await.expect(200);
        assert_eq!(found.body["data"], json!([]), "{query} tells what is masked");
    }
    // Nor does a guess: of what meets it in masked data, no more is told than that somebody is there.
    let looks_like = async |person: &Client, name: &str| {
        let form = json!({"kind": "company", "name": name, "phone": "13800138000"});
        let known = person.post("/customers", form).await.refused(409, "possible_duplicate");
        known.body["matches"][0].clone()
    };
    let hidden = json!({"kind": "customer", "matched_on": ["phone"], "visible": false});
    assert_eq!(looks_like(rep, "Somebody").await, hidden);
    // Its name can be read in the pool.
    let named =
        json!({"kind": "customer", "matched_on": ["company"], "visible": true, "id": id, "name": "Acme"});
    assert_eq!(looks_like(rep, "ACME").await, named);
    let all = looks_like(&company.director.client, "ACME").await;
    assert_eq!((&all["matched_on"], &all["id"]), (&json!(["phone", "company"]), &json!(id)));
}

async fn fair_distribution_is_fair_and_can_be_tried(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, inner, other_rep, manager, director, .. } = &company;
    company.set(json!({"ownership": {"by_user": [{"user_id": inner.id, "limit": 1}]}})).await;
    for _ in 0..4 {
        company.customer(rep).await;
    }
    company.customer(inner).await;
    let mut pool = Vec::new();
    for _ in 0..8 {
        pool.push(company.pool_customer().await);
    }
    let members = json!([{"user_id": rep.id}, {"user_id": colleague.id}, {"user_id": inner.id}]);
    let form = |strategy: &str| json!({"customer_ids": pool, "members": members, "strategy": strategy, "reason": "May"});
    let path = "/public-pool/distributions";
    let tried = manager.client.post(&format!("{path}?dry_run=true"), form("least_loaded")).await.expect(200);
    let counts = |answer: &Value| -> Vec<(i64, i64)> {
        let members = answer["members"].as_array().unwrap();
        members.iter().map(|it| (it["before"].as_i64().unwrap(), it["after"].as_i64().unwrap())).collect()
    };
    assert_eq!(counts(&tried.body), [(4, 6), (0, 6), (1, 1)], "whoever is at the limit gets none");
    let owned = director.client.get(&format!("/customers?owner_id={}&total=true", rep.id)).await.expect(200);
    assert_eq!(owned.body["page"]["total"], "4", "a dry run moves nothing");
    let key = "share-1";
    let done = manager.client.post_once(path, key, form("least_loaded")).await.expect(200);
    assert_eq!(done.body["assignments"], tried.body["assignments"], "what was tried is what is done");
    let repeated = manager.client.post_once(path, key, form("least_loaded")).await.expect(200);
    assert_eq!(repeated.body, done.body);
    let assigned: BTreeMap<&str, &str> = done.body["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["customer_id"].as_str().unwrap(), it["user_id"].as_str().unwrap()))
        .collect();
    assert_eq!(assigned.len(), 8);
    for (id, owner) in assigned {
        assert_eq!(customer(director, id).await["owner_id"], json!(owner));
        let history = director.client.get(&format!("/customers/{id}/ownership-history")).await.expect(200);
        assert_eq!(
            (&history.body["data"][0]["cause"], &history.body["data"][0]["reason"]),
            (&json!("assigned"), &json!("May"))
        );
    }
    // Taken meanwhile, unknown, outside the reach: nothing moves.
    manager.client.post(path, form("round_robin")).await.refused(409, "already_claimed");
    let one = company.pool_customer().await;
    let to =
        |user: &str| json!({"customer_ids": [one], "members": [{"user_id": user}], "strategy": "weighted"});
    manager.client.post(path, to(&other_rep.id)).await.refused(403, "forbidden");
    let unfit = director.client.post(path, to(&company.finance.id)).await;
    assert_eq!(unfit.refused(409, "owner_not_eligible").body["user_id"], json!(company.finance.id));
    let unknown = director.client.post(path, to("01900000-0000-7000-8000-000000000000")).await;
    assert_eq!(unknown.refused(422, "unknown_reference").body["errors"][0]["pointer"], "/members/0/user_id");
    let twice = json!({"customer_ids": [one, one], "members": [{"user_id": rep.id}], "strategy": "weighted"});
    let twice = director.client.post(path, twice).await.refused(422, "validation_failed");
    let error = &twice.body["errors"][0];
    assert_eq!((&error["pointer"], &error["code"]), (&json!("/customer_ids"), &json!("distinct")));
    // What nobody may own stays.
    let to_inner = director.client.post(path, to(&inner.id)).await.expect(200);
    assert_eq!((&to_inner.body["assignments"], &to_inner.body["unassigned"]), (&json!([]), &json!([one])));
    let weighted = json!({
        "customer_ids": [one], "strategy": "weighted",
        "members": [{"user_id": rep.id, "weight": 1}, {"user_id": other_rep.id, "weight": 3}],
    });
    let done = director.client.post(path, weighted).await.expect(200);
    assert_eq!(done.body["assignments"][0]["user_id"], json!(other_rep.id));
}

async fn bulk_calls_do_all_or_as_many_as_can_be(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, director, .. } = &company;
    let (free, taken) = (company.pool_customer().await, company.customer(colleague).await);
    let claim = |mode: &str| json!({"action": "claim", "mode": mode, "items": [{"id": free}, {"id": taken}]});
    let refused = rep.client.post("/customers/bulk", claim("atomic")).await.refused(409, "bulk_refused");
    assert_eq!(refused.body["items"][0]["code"], "already_claimed");
    assert_eq!(refused.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(customer(director, &free).await["owner_id"], Value::Null, "all or nothing");
    let key = "bulk-1";
    let done = rep.client.post_once("/customers/bulk", key, claim("best_effort")).await.expect(200);
    assert_eq!((&done.body["done"], &done.body["refused"]), (&json!(1), &json!(1)));
    assert_eq!(done.body["items"][0]["version"], 2);
    assert_eq!(done.body["items"][1]["code"], "already_claimed");
    let more = company.pool_customer().await;
    company.set(json!({"ownership": {"by_user": [{"user_id": rep.id, "limit": 1}]}})).await;
    let full = json!({"action": "claim", "mode": "best_effort", "items": [{"id": more}]});
    let full = rep.client.post("/customers/bulk", full).await.expect(200);
    assert_eq!(full.body["items"][0]["figures"], json!({"owned": 1, "limit": 1}), "as a single call tells");
    company.set(json!({"ownership": {"by_user": []}})).await;
    assert_eq!(
        rep.client.post_once("/customers/bulk", key, claim("best_effort")).await.expect(200).body,
        done.body
    );
    let events =
        company.auditor.client.all(&format!("/audit-events?record_id={free}&action=customer.claimed")).await;
    assert_eq!(events.len(), 1);
    let untouched = company.auditor.client.all(&format!("/audit-events?record_id={taken}")).await;
    assert_eq!(untouched.len(), 1, "what was refused left no event");

    // Versions, members that an action needs, and records named twice.
    let release = json!({"action": "release", "mode": "best_effort", "items": [
        {"id": free, "version": 1, "reason": "Old"}, {"id": taken},
    ]});
    let done = director.client.post("/customers/bulk", release).await.expect(200);
    assert_eq!(done.body["items"][0]["code"], "version_mismatch");
    assert_eq!(done.body["items"][1]["errors"][0]["pointer"], "/items/1/reason");
    // What an action does not take is not passed over.
    for (path, action, member, value) in [
        ("/customers/bulk", "release", "owner_id", json!(colleague.id)),
        ("/customers/bulk", "lock", "reason", json!("Old")),
        ("/customers/bulk", "assign", "pool_id", json!(company.pool)),
        ("/leads/bulk", "release", "owner_id", json!(colleague.id)),
        ("/leads/bulk", "assign", "reason", json!("spam")),
    ] {
        let mut item = json!({"id": free});
        item[member] = value;
        let form = json!({"action": action, "mode": "best_effort", "items": [item]});
        let done = director.client.post(path, form).await.expect(200);
        let error = &done.body["items"][0]["errors"][0];
        let told = (json!(format!("/items/0/{member}")), json!("not_wanted"));
        assert_eq!((&error["pointer"], &error["code"]), (&told.0, &told.1), "{path} {action}");
    }
    let twice = json!({"action": "lock", "mode": "atomic", "items": [{"id": free}, {"id": free}]});
    manager.client.post("/customers/bulk", twice).await.refused(422, "validation_failed");
    let many: Vec<Value> = (0..201).map(|_| json!({"id": free})).collect();
    let many = json!({"action": "lock", "mode": "atomic", "items": many});
    manager.client.post("/customers/bulk", many).await.refused(422, "validation_failed");

    // Explicit pairs, and leads likewise.
    let pairs = json!({"action": "assign", "mode": "atomic", "items": [
        {"id": free, "owner_id": colleague.id, "reason": "Swap"}, {"id": taken, "owner_id": rep.id},
    ]});
    manager.client.post("/customers/bulk", pairs).await.expect(200);
    assert_eq!(customer(director, &free).await["owner_id"], json!(colleague.id));
    assert_eq!(customer(director, &taken).await["owner_id"], json!(rep.id));
    let mut leads = Vec::new();
    for at in 0..3 {
        let form = json!({"name": format!("Lead {at}"), "source": "website"});
        leads.push(company.marketing.client.post("/leads", form).await.expect(201).id());
    }
    let items: Vec<Value> = leads.iter().map(|id| json!({"id": id})).collect();
    let claimed = json!({"action": "claim", "mode": "atomic", "items": items});
    rep.client.post("/leads/bulk", claimed).await.expect(200);
    let items: Vec<Value> = leads.iter().map(|id| json!({"id": id, "reason": "spam"})).collect();
    let given_up = json!({"action": "disqualify", "mode": "atomic", "items": items});
    colleague.client.post("/leads/bulk", given_up.clone()).await.refused(409, "bulk_refused");
    rep.client.post("/leads/bulk", given_up).await.expect(200);
    let open = rep.client.get("/leads?status=disqualified&total=true").await.expect(200);
    assert_eq!(open.body["page"]["total"], "3");
}

async fn a_dry_run_leaves_nothing_behind(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let id = company.pool_customer().await;
    let before =
        company.auditor.client.get("/audit-events?limit=1").await.expect(200).body["data"][0].clone();
    let path = format!("/public-pool/customers/{id}/claim?dry_run=true");
    let tried = rep
        .send(rep.request(reqwest::Method::POST, &path).header("idempotency-key", "dry"))
        .await
        .expect(200);
    assert_eq!(tried.body["owner_id"], json!(company.rep.id), "it tells what would be");
    assert_eq!(tried.header("etag"), "");
    let after = company.auditor.client.get("/audit-events?limit=1").await.expect(200).body["data"][0].clone();
    assert_eq!(after["sequence"], before["sequence"]);
    assert_eq!(customer(&company.director, &id).await["owner_id"], Value::Null);
    // The key is free, a refusal is a refusal, and a flag is true or false.
    let real = path.trim_end_matches("?dry_run=true");
    let claimed = rep.send(rep.request(reqwest::Method::POST, real).header("idempotency-key", "dry")).await;
    assert_eq!(claimed.expect(200).header("idempotent-replayed"), "");
    rep.act(&path).await.refused(409, "already_claimed");
    rep.act(&format!("{real}?dry_run=yes")).await.refused(400, "malformed_request");
    rep.get(&format!("/customers/{id}?dry_run=true")).await.refused(400, "malformed_request");
}

/// What is masked for somebody stays so, whatever they try: else a trial would be a way around the daily limits.
async fn a_dry_run_opens_nothing(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, manager, director, inner, .. } = &company;
    let form = json!({
        "kind": "company", "name": "Pearl River", "phone": "138 6200 0137", "email": "office@pearl.example.com",
        "address": "1 River Road", "website": "https://pearl.example.com", "note": "Ask for Lin",
        "registration_number": "91310000MA1FL0001X",
        "tax_profiles": [{"invoice_title": "Pearl River Ltd", "tax_number": "91-C", "account": "6222 0001"}],
    });
    let id = admin.client.post("/customers", form).await.expect(201).id();
    let pools = admin.client.get("/public-pools?is_default=true").await.expect(200);
    let pool = pools.body["data"][0]["id"].as_str().unwrap().to_owned();
    let in_charge = json!({"manager_ids": [manager.id]});
    admin.client.patch(&format!("/public-pools/{pool}"), in_charge).await.expect(200);

    let contact_data = |shown: &Value| {
        ["phone", "email", "address", "website", "note", "registration_number", "tax_profiles"]
            .map(|member| shown[member].clone())
    };
    let masked = contact_data(&rep.client.all("/public-pool/customers").await[0]);
    assert_eq!(masked[0], "138****0137");
    let (customer_path, claim) =
        (format!("/customers/{id}"), format!("/public-pool/customers/{id}/claim?dry_run=true"));
    let assign = format!("{customer_path}/assign?dry_run=true");
    let to_inner = json!({"owner_id": inner.id});
    let tried = rep.client.act(&claim).await.expect(200);
    assert_eq!((&tried.body["owner_id"], contact_data(&tried.body)), (&json!(rep.id), masked.clone()));
    let tried = manager.client.post(&assign, to_inner.clone()).await.expect(200);
    assert_eq!((&tried.body["owner_id"], contact_data(&tried.body)), (&json!(inner.id), masked.clone()));
    // Nor does a write that leaves it in the pool open it, tried or done.
    for query in ["?dry_run=true", ""] {
        let path = format!("{customer_path}/move{query}");
        let moved = manager.client.post(&path, json!({"pool_id": pool})).await.expect(200);
        assert_eq!(contact_data(&moved.body), masked, "{path}");
    }
    // What tells of many customers tells nothing of this kind.
    let items = |item: &Value, action: &str| json!({"action": action, "mode": "atomic", "items": [item]});
    let bulk = "/customers/bulk?dry_run=true";
    let shared = json!({
        "customer_ids": [id], "members": [{"user_id": inner.id}], "strategy": "round_robin",
    });
    for tried in [
        rep.client.post(bulk, items(&json!({"id": id}), "claim")).await,
        manager.client.post(bulk, items(&json!({"id": id, "owner_id": inner.id}), "assign")).await,
        manager.client.post("/public-pool/distributions?dry_run=true", shared).await,
    ] {
        let tried = tried.expect(200);
        assert!(!tried.text.contains("0137") && !tried.text.contains("pearl"), "{}", tried.text);
    }
    // Whoever sees it unmasked does so in a trial as well; whoever gets it sees it.
    let seen = director.client.post(&assign, to_inner).await.expect(200);
    assert_eq!(seen.body["phone"], "138 6200 0137");
    let claimed = rep.client.act(claim.trim_end_matches("?dry_run=true")).await.expect(200);
    assert_eq!(
        (&claimed.body["phone"], &claimed.body["note"]),
        (&json!("138 6200 0137"), &json!("Ask for Lin"))
    );
}

async fn the_neglected_are_warned_and_then_recycled(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, director, .. } = &company;
    let id = company.customer(rep).await;
    let form = json!({"name": "Pumps", "customer_id": id});
    let opportunity = rep.client.post("/opportunities", form).await.expect(201).id();
    company.set(json!({"pool": {"recycle": {"no_activity_days": 30, "warning_days": 3}}})).await;
    age(&server, &id, 26).await;
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!((&run["changed"], &run["warned"]), (&json!(0), &json!(0)), "four days are left");

    age(&server, &id, 40).await;
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!((&run["changed"], &run["warned"]), (&json!(0), &json!(1)), "long due, but nobody was warned");
    assert_eq!(items(&admin.client, &run).await, BTreeSet::from([item(&id, "warned", "no_activity")]));
    let warned = customer(rep, &id).await;
    assert!(warned["recycle_on"].is_string());
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!((&run["changed"], &run["warned"]), (&json!(0), &json!(0)), "warned once, and not yet due");

    let other = json!({"rules": {"no_activity_days": 20, "warning_days": 3}});
    let tried = try_recycling(&admin.client, other).await;
    assert_eq!(
        items(&admin.client, &tried).await,
        BTreeSet::from([item(&id, "already_warned", "no_activity")])
    );

    // An activity calls it off.
    let form = json!({"about": {"kind": "customer", "id": id}, "kind": "call", "subject": "Called"});
    rep.client.post("/activities", form).await.expect(201);
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!(items(&admin.client, &run).await, BTreeSet::from([item(&id, "called_off", "out_of_danger")]));
    assert_eq!(customer(rep, &id).await["recycle_on"], Value::Null);

    // Neglected for good: warned, and when the day has come, gone with its open sale.
    let ago = server.database.ago(40, 0);
    server.database.alter(&format!("UPDATE customers SET last_activity_at = {ago} WHERE id = $1"), &id).await;
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!(run["warned"], 1);
    server.database.alter("UPDATE customers SET recycle_on = '2026-01-01' WHERE id = $1", &id).await;
    // A day that lies before the one that the rules give was for something that is over: it is told anew.
    let told = server.database.ago(1, 0);
    let day = told.trim_start_matches('\'').split('T').next().unwrap().to_owned();
    server.database.alter(&format!("UPDATE customers SET recycle_on = '{day}' WHERE id = $1"), &id).await;
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!((&run["changed"], &run["warned"]), (&json!(1), &json!(0)));
    assert_eq!(items(&admin.client, &run).await, BTreeSet::from([item(&id, "changed", "no_activity")]));
    let gone = customer(director, &id).await;
    assert_eq!((&gone["owner_id"], &gone["pool_reason"]), (&Value::Null, &json!("no_activity")));
    let lost = director.client.get(&format!("/opportunities/{opportunity}")).await.expect(200).body;
    assert_eq!((&lost["status"], &lost["loss_reason"]), (&json!("lost"), &json!("neglected")));
    let history = director.client.all(&format!("/customers/{id}/ownership-history")).await;
    assert_eq!((&history[0]["cause"], &history[0]["job_id"]), (&json!("recycled"), &run["id"]));
    let again = recycle(&admin.client, json!({})).await;
    assert_eq!((&again["changed"], &again["examined"]), (&json!(0), &json!(0)), "a second run moves nothing");
    let runs = admin.client.get("/public-pool/recycle-runs").await.expect(200);
    assert!(runs.body["data"].as_array().unwrap().iter().any(|one| one["id"] == run["id"]));

    // Both were told.
    until("the notifications", async || {
        let told = rep.client.all("/notifications").await;
        let kinds: BTreeSet<String> = told.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect();
        ["customer_recycle_warned", "customer_recycled"]
            .iter()
            .all(|kind| kinds.contains(*kind))
            .then_some(())
    })
    .await;
}

async fn the_day_is_right_in_the_time_zone(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, .. } = &company;
    let id = company.customer(rep).await;
    company.set(json!({"pool": {"recycle": {"no_activity_days": 10, "warning_days": 0}}})).await;
    // East of the date line it is up to a day later than west of it: of one instant the two see different days.
    for (zone, days, gone) in [("Pacific/Kiritimati", 9, false), ("Pacific/Kiritimati", 11, true)] {
        company.set(json!({"time_zone": zone})).await;
        age(&server, &id, days).await;
        let run = try_recycling(&admin.client, json!({})).await;
        assert_eq!(run["changed"], json!(i64::from(gone)), "{zone} after {days} days");
    }
}

async fn rules_that_go_take_their_warnings_with_them(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, .. } = &company;
    let id = company.customer(rep).await;
    age(&server, &id, 40).await;
    company.set(json!({"pool": {"recycle": {"no_activity_days": 30, "warning_days": 3}}})).await;
    until("the warning", async || (!customer(rep, &id).await["recycle_on"].is_null()).then_some(())).await;
    // Tomorrow, with no rule left.
    company.set(json!({"pool": {"recycle": {"no_activity_days": null}}})).await;
    let jobs = admin.client.all("/jobs?kind=recycle").await;
    let today = jobs.iter().find(|job| !job["business_day"].is_null()).unwrap()["id"].as_str().unwrap();
    server.database.alter("UPDATE jobs SET business_day = '2026-01-01' WHERE id = $1", today).await;
    until("the end of the warning", async || customer(rep, &id).await["recycle_on"].is_null().then_some(()))
        .await;
}

async fn what_is_looked_after_is_spared(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, director, .. } = &company;
    let rules = json!({
        "no_activity_days": 10, "no_opportunity_days": 10, "no_contract_days": 10, "after_contract_days": 10,
        "warning_days": 0,
    });
    company.set(json!({"pool": {"recycle": rules}})).await;
    let locked = company.customer(rep).await;
    director.client.act(&format!("/customers/{locked}/lock")).await.expect(200);
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let running = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let pending = company.draft(rep, "500.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{pending}/submit")).await.expect(200);
    let asked = rep.client.get(&format!("/contracts/{pending}")).await.expect(200).text_of("customer_id");
    let busy = company.customer(rep).await;
    let form = json!({"about": {"kind": "customer", "id": busy}, "kind": "call", "subject": "Called"});
    rep.client.post("/activities", form).await.expect(201);
    let plain = company.customer(rep).await;
    let transferred = company.customer(rep).await;
    // A draft shields nobody: it goes with the customer, and so does the sale that it came from.
    let hoarded = company.customer(rep).await;
    let form =
        json!({"name": "Pumps", "customer_id": hoarded, "amount": {"amount": "10.00", "currency": "CNY"}});
    let deal = rep.client.post("/opportunities", form).await.expect(201).id();
    let signing = json!({"stage_id": company.signing_stage()});
    let deal = rep.client.post(&format!("/opportunities/{deal}/advance"), signing).await.expect(200).body;
    let draft = deal["contract_id"].as_str().unwrap().to_owned();
    let form = json!({
        "kind": "customers", "record_ids": [transferred], "to_user_id": company.colleague.id, "reason": "Closer",
    });
    rep.client.post("/transfers", form).await.expect(201);
    for id in [&locked, &running, &asked, &busy, &plain, &transferred, &hoarded] {
        age(&server, id, 20).await;
    }
    let run = recycle(&admin.client, json!({})).await;
    // The one that was called had no opportunity for too long, whatever was said on the telephone.
    let gone = BTreeSet::from([
        item(&plain, "changed", "no_activity"),
        item(&busy, "changed", "no_opportunity"),
        item(&hoarded, "changed", "no_activity"),
    ]);
    assert_eq!(items(&admin.client, &run).await, gone);
    let cancelled = director.client.get(&format!("/contracts/{draft}")).await.expect(200).body;
    assert_eq!(cancelled["status"], "cancelled");
    let lost = director.client.get(&format!("/opportunities/{}", deal["id"].as_str().unwrap())).await;
    assert_eq!(lost.expect(200).body["loss_reason"], "neglected");
    for id in [&locked, &running, &asked, &transferred] {
        assert_eq!(customer(director, id).await["owner_id"], json!(rep.id));
    }
    director.client.act(&format!("/customers/{locked}/unlock")).await.expect(200);
    assert_eq!(recycle(&admin.client, json!({})).await["changed"], 1);
}

async fn other_rules_can_be_tried(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, director, .. } = &company;
    let id = company.customer(rep).await;
    age(&server, &id, 20).await;
    let form = json!({"rules": {"no_activity_days": 10, "warning_days": 0}});
    let run = try_recycling(&admin.client, form.clone()).await;
    assert_eq!(run["parameters"], json!({"dry_run": true, "rules": run["parameters"]["rules"]}));
    assert_eq!(items(&admin.client, &run).await, BTreeSet::from([item(&id, "would_change", "no_activity")]));
    assert_eq!(customer(director, &id).await["version"], 1, "nothing moved");
    let path = "/public-pool/recycle-runs";
    for query in ["", "?dry_run=false"] {
        let real = admin.client.post(&format!("{path}{query}"), form.clone()).await;
        assert_eq!(real.refused(422, "validation_failed").body["errors"][0]["code"], "dry_run_only");
    }
    // As with everything that can be tried, the query says so, not the body.
    admin.client.post(path, json!({"dry_run": true})).await.refused(400, "malformed_request");
    // Repeated under one key, it is one job.
    let tried = format!("{path}?dry_run=true");
    let once = admin.client.post_once(&tried, "try-1", form.clone()).await.expect(202).id();
    assert_eq!(admin.client.post_once(&tried, "try-1", form.clone()).await.expect(202).id(), once);
    admin.client.post_once(path, "try-1", form).await.refused(422, "idempotency_key_reused");
    rep.client.post("/public-pool/recycle-runs", json!({})).await.refused(403, "forbidden");
}

async fn heavy_two_servers_recycle_once(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, director, .. } = &company;
    let mut ids = Vec::new();
    for _ in 0..60 {
        let id = company.customer(rep).await;
        age(&server, &id, 20).await;
        ids.push(id);
    }
    let second = server.beside().await;
    company.set(json!({"pool": {"recycle": {"no_activity_days": 10, "warning_days": 0}}})).await;
    // The scheduler of each server sees the rule, and a person asks both at once as well.
    let other = admin.client.at(&second.url);
    join_all([&admin.client, &other].map(|client| recycle(client, json!({})))).await;
    until("all runs", async || {
        let runs = admin.client.all("/jobs?kind=recycle").await;
        runs.iter().all(|run| run["status"] == "finished").then_some(())
    })
    .await;
    for id in &ids {
        assert_eq!(customer(director, id).await["owner_id"], Value::Null);
        let history = director.client.all(&format!("/customers/{id}/ownership-history?cause=recycled")).await;
        assert_eq!(history.len(), 1, "each once");
    }
    let days = admin.client.all("/jobs?kind=recycle").await;
    let scheduled = days.iter().filter(|job| !job["business_day"].is_null()).count();
    assert!(scheduled <= 1, "of two servers one begins the day's run");
    // Everybody hears of each once.
    let told = until("the notifications", async || {
        let told = rep.client.all("/notifications?kind=customer_recycled").await;
        (told.len() >= ids.len()).then_some(told)
    })
    .await;
    assert_eq!(told.len(), ids.len());
}

async fn heavy_two_hundred_claims_of_one_person_keep_the_limit(server: Server) {
    let company = Company::found(&server).await;
    company.set(json!({"ownership": {"limit": 10}, "pool": {"daily_claim_limit": 1000}})).await;
    let mut pool = Vec::new();
    for _ in 0..200 {
        pool.push(company.pool_customer().await);
    }
    // Fifty clients, four claims each, all at once.
    let claims = pool.chunks(4).map(|some| {
        let (client, some) = (company.rep.client.clone(), some.to_vec());
        async move {
            let mut won = 0;
            for id in some {
                let answer = client.act(&format!("/public-pool/customers/{id}/claim")).await;
                assert!(
                    answer.status == 200 || answer.body["code"] == "ownership_limit_reached",
                    "{}",
                    answer.text
                );
                won += usize::from(answer.status == 200);
            }
            won
        }
    });
    let won: usize = join_all(claims).await.into_iter().sum();
    assert_eq!(won, 10);
    let owned =
        company.director.client.get(&format!("/customers?owner_id={}&total=true", company.rep.id)).await;
    assert_eq!(owned.expect(200).body["page"]["total"], "10");
}

async fn heavy_a_day_has_its_limit_and_its_cool_down(server: Server) {
    let company = Company::found(&server).await;
    company.set(json!({"pool": {"daily_claim_limit": 5, "cool_down_days": 7}})).await;
    let mut pool = Vec::new();
    for _ in 0..40 {
        pool.push(company.pool_customer().await);
    }
    let claim =
        async |id: &String| company.rep.client.act(&format!("/public-pool/customers/{id}/claim")).await;
    let answers = join_all(pool.iter().map(claim)).await;
    let won: Vec<&String> =
        pool.iter().zip(&answers).filter(|(_, answer)| answer.status == 200).map(|(id, _)| id).collect();
    assert_eq!(won.len(), 5);
    // What was given back is not there for whoever gave it back, however often they ask at once.
    company.set(json!({"pool": {"daily_claim_limit": 100}})).await;
    let release = format!("/customers/{}/release", won[0]);
    company.rep.client.post(&release, json!({"reason": "No need"})).await.expect(200);
    let answers = join_all((0..20).map(|_| claim(won[0]))).await;
    for answer in answers {
        answer.refused(409, "claim_cool_down");
    }
}

async fn a_claim_counts_whatever_becomes_of_the_customer(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, .. } = &company;
    company.set(json!({"pool": {"daily_claim_limit": 2}})).await;
    let claim = async |id: &str| rep.client.act(&format!("/public-pool/customers/{id}/claim")).await;
    let (first, second, third) =
        (company.pool_customer().await, company.pool_customer().await, company.pool_customer().await);
    claim(&first).await.expect(200);
    // What came from the pool goes back there; it was not this seller's mistake.
    rep.client.delete(&format!("/customers/{first}")).await.refused(403, "forbidden");
    let kept = company.customer(rep).await;
    manager.client.post(&format!("/customers/{kept}/merge"), json!({"loser_id": first})).await.expect(200);
    claim(&second).await.expect(200);
    manager.client.delete(&format!("/customers/{second}")).await.expect(204);
    let full = claim(&third).await.refused(409, "daily_claim_limit_reached");
    assert_eq!(full.body["claimed_today"], 2);
    rep.client.delete(&format!("/customers/{}", company.customer(rep).await)).await.expect(204);
}

async fn customers_go_dormant_and_wake(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, .. } = &company;
    let id = company.customer(rep).await;
    age(&server, &id, 40).await;
    company.set(json!({"dormant_after_days": 30})).await;
    until("the customer to doze off", async || {
        (customer(rep, &id).await["lifecycle"] == "dormant").then_some(())
    })
    .await;
    let form = json!({"about": {"kind": "customer", "id": id}, "kind": "call", "subject": "Called"});
    rep.client.post("/activities", form).await.expect(201);
    assert_eq!(customer(rep, &id).await["lifecycle"], "potential");
}

async fn collaborators_see_what_is_shared_and_no_money(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, manager, director, .. } = &company;
    let contract = company.active(rep, "1000.00", "by_contract").await;
    let id = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let form = json!({"name": "Pumps", "customer_id": id});
    let opportunity = rep.client.post("/opportunities", form).await.expect(201).id();
    let path = format!("/customers/{id}");
    other_rep.client.get(&path).await.refused(404, "not_found");
    let form = json!({"customer_id": id, "user_id": other_rep.id, "access": "read"});
    other_rep.client.post("/collaborators", form.clone()).await.refused(422, "unknown_reference");
    let shared = rep.client.post("/collaborators", form.clone()).await.expect(201).id();
    rep.client.post("/collaborators", form).await.refused(409, "duplicate");

    let sees = async |what: &str| other_rep.client.get(what).await.status == 200;
    let lists = async |what: &str| {
        let rows = other_rep.client.all(what).await;
        rows.iter().any(|row| row["id"] == json!(id) || row["customer_id"] == json!(id))
    };
    let deal = format!("/opportunities/{opportunity}");
    assert!(sees(&path).await && sees(&deal).await);
    assert!(lists("/customers").await && lists("/opportunities").await);
    assert!(!sees(&format!("/contracts/{contract}")).await && !lists("/contracts").await, "never contracts");
    let timeline = other_rep.client.all(&format!("{path}/timeline")).await;
    assert!(timeline.iter().any(|entry| entry["record_kind"] == "opportunity"));
    assert!(
        timeline.iter().all(|entry| entry["record_kind"] != "contract" && entry["record_kind"] != "approval")
    );
    other_rep.client.patch(&path, json!({"note": "Mine"})).await.refused(403, "forbidden");
    // Nor what is written about contracts.
    for (kind, about, shown) in [("contract", &contract, false), ("opportunity", &opportunity, true)] {
        let form = json!({"about": {"kind": kind, "id": about}, "kind": "call", "subject": "Margin"});
        let activity = rep.client.post("/activities", form).await.expect(201).id();
        assert_eq!(sees(&format!("/activities/{activity}")).await, shown, "{kind}");
        let listed = other_rep.client.all(&format!("/activities?customer_id={id}")).await;
        assert_eq!(listed.iter().any(|row| row["id"] == json!(activity)), shown, "{kind}");
        let told = other_rep.client.all(&format!("{path}/timeline")).await;
        assert_eq!(told.iter().any(|entry| entry["record_id"] == json!(activity)), shown, "{kind}");
        let own = rep.client.all(&format!("{path}/timeline")).await;
        assert!(own.iter().any(|entry| entry["record_id"] == json!(activity)), "{kind}");
    }

    // With `write` they work with it, but neither give it away, share it nor delete it.
    let one = format!("/collaborators/{shared}");
    rep.client.patch(&one, json!({"access": "write"})).await.expect(200);
    other_rep.client.patch(&path, json!({"note": "Ours"})).await.expect(200);
    other_rep.client.patch(&deal, json!({"note": "Ours"})).await.expect(200);
    let form = json!({"about": {"kind": "customer", "id": id}, "kind": "call", "subject": "Called"});
    other_rep.client.post("/activities", form).await.expect(201);
    other_rep.client.delete(&path).await.refused(403, "forbidden");
    other_rep.client.delete(&deal).await.refused(403, "forbidden");
    let release = json!({"reason": "Not mine"});
    other_rep.client.post(&format!("{path}/release"), release).await.refused(403, "forbidden");
    other_rep.client.patch(&one, json!({"access": "read"})).await.refused(403, "forbidden");
    let sign = json!({"stage_id": company.signing_stage(), "reason": "Fast"});
    let signing = other_rep.client.post(&format!("{deal}/advance"), sign).await;
    assert!(matches!(signing.status, 403 | 409), "a collaborator makes no contract: {}", signing.text);

    // It stays when the customer changes hands, and ends with the sharing.
    let give = json!({"owner_id": company.colleague.id});
    manager.client.post(&format!("{path}/assign"), give).await.expect(200);
    assert!(sees(&path).await);
    director.client.delete(&one).await.expect(204);
    assert!(!sees(&path).await && !lists("/customers").await);
}
