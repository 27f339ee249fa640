//! Giving many customers at once, and trying what would come of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::customer;
use crate::support::{Company, Server};

pub(super) async fn fair_distribution_is_fair_and_can_be_tried(server: Server) {
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

pub(super) async fn bulk_calls_do_all_or_as_many_as_can_be(server: Server) {
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

pub(super) async fn a_dry_run_leaves_nothing_behind(server: Server) {
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
pub(super) async fn a_dry_run_opens_nothing(server: Server) {
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
