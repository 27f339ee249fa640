//! Leads in full: how good they are, whom they go to, who is known already, and pages that bring them.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, PASSWORD, Server, until};

on_both_databases! {
    rules_make_scores_and_grades;
    leads_are_scored_anew_when_rules_change;
    rules_that_make_no_sense_are_refused;
    the_deadline_follows_the_grade_and_late_leads_come_back;
    leads_go_to_whom_the_rules_name;
    known_people_are_found_and_told_as_far_as_one_may_know;
    customers_that_are_known_are_not_made_anew;
    many_of_one_company_hide_nobody;
    whom_no_form_helps_is_told_so_before;
    heavy_the_same_person_is_recorded_once;
    two_leads_become_one;
    pages_bring_leads_and_learn_nothing;
}

fn rule(name: &str, field: &str, operator: &str, value: Option<&str>, points: i64) -> Value {
    json!({"name": name, "field": field, "operator": operator, "value": value, "points": points})
}

async fn add_rules(admin: &Client) -> Vec<String> {
    let mut ids = Vec::new();
    for form in [
        rule("Rich", "budget", "at_least", Some("100000 CNY"), 50),
        rule("Recommended", "source", "is", Some("referral"), 30),
        rule("Near", "region", "is", Some("上海"), 20),
        rule("No way to call", "phone", "absent", None, -40),
        rule("Decides", "title", "contains", Some("director"), 10),
    ] {
        ids.push(admin.post("/scoring-rules", form).await.expect(201).id());
    }
    ids
}

fn judged(lead: &Value) -> (i64, &str) {
    (lead["score"].as_i64().unwrap(), lead["grade"].as_str().unwrap())
}

async fn rules_make_scores_and_grades(server: Server) {
    let company = Company::found(&server).await;
    let marketing = &company.marketing.client;
    let plain = marketing.post("/leads", json!({"name": "Li", "source": "website"})).await.expect(201).body;
    assert_eq!(judged(&plain), (0, "warm"), "without rules every lead is warm");
    add_rules(&company.admin.client).await;
    let form = json!({
        "name": "Wang", "source": "referral", "region": " 上海", "phone": "138 0013 8000",
        "budget": {"amount": "100000.00", "currency": "CNY"}, "title": "Sales Director",
    });
    let hot = marketing.post("/leads", form).await.expect(201).body;
    assert_eq!(judged(&hot), (100, "hot"), "points add up to 100 at most");
    let lines = hot["score_lines"].as_array().unwrap();
    let texts: Vec<&str> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(
        texts,
        [
            "+50 budget at_least 100000 CNY",
            "+30 source is referral",
            "+20 region is 上海",
            "+10 title contains director"
        ]
    );
    // Besides, each line says what it is made of, for whoever puts it into words of another language.
    let parts: Vec<[&Value; 4]> =
        lines.iter().map(|line| ["points", "field", "operator", "value"].map(|part| &line[part])).collect();
    assert_eq!(
        json!(parts),
        json!([
            [50, "budget", "at_least", "100000 CNY"],
            [30, "source", "is", "referral"],
            [20, "region", "is", "上海"],
            [10, "title", "contains", "director"],
        ])
    );
    let id = hot["id"].as_str().unwrap();
    // A change of the lead changes its score; another currency is no budget; never below nothing.
    let edits = [
        (json!({"budget": {"amount": "99999.99", "currency": "CNY"}}), (60, "warm")),
        (json!({"budget": {"amount": "200000.00", "currency": "USD"}}), (60, "warm")),
        (json!({"title": null, "region": "Beijing"}), (30, "cold")),
        (json!({"phone": null}), (0, "cold")),
    ];
    for (edit, expected) in edits {
        let changed = marketing.patch(&format!("/leads/{id}"), edit).await.expect(200).body;
        assert_eq!(judged(&changed), expected);
    }
    let unreached = marketing.get(&format!("/leads/{id}")).await.expect(200).body;
    let line = unreached["score_lines"][1].as_object().unwrap();
    assert_eq!((&line["field"], &line["operator"]), (&json!("phone"), &json!("absent")));
    assert!(!line.contains_key("value"), "there is nothing to compare with: {line:?}");
    let hot = marketing.get("/leads?grade=hot&total=true").await.expect(200);
    assert_eq!(hot.body["page"]["total"], "0");
    let sorted = marketing.get("/leads?sort=-score&score_gte=0").await.expect(200);
    assert_eq!(sorted.body["data"].as_array().unwrap().len(), 2);
}

async fn leads_are_scored_anew_when_rules_change(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, marketing, .. } = &company;
    let mut ids = Vec::new();
    for at in 0..5 {
        let form =
            json!({"name": format!("Lead {at}"), "source": "referral", "phone": format!("1380013800{at}")});
        ids.push(marketing.client.post("/leads", form).await.expect(201).id());
    }
    let scores = async |expected: (i64, &str)| {
        for id in &ids {
            let lead = marketing.client.get(&format!("/leads/{id}")).await.expect(200).body;
            if judged(&lead) != expected {
                return None;
            }
        }
        Some(())
    };
    let rules = add_rules(&admin.client).await;
    until("the leads to be scored", async || scores((30, "cold")).await).await;
    let jobs = admin.client.all("/jobs?kind=rescore_leads").await;
    assert!(!jobs.is_empty());
    until("the job to end", async || {
        let jobs = admin.client.all("/jobs?kind=rescore_leads").await;
        jobs.iter().all(|job| job["status"] == "finished").then_some(())
    })
    .await;
    // A threshold, a rule that is switched off, and one that goes.
    company.set(json!({"leads": {"hot_from": 30, "warm_from": 20}})).await;
    until("the new threshold", async || scores((30, "hot")).await).await;
    admin.client.patch(&format!("/scoring-rules/{}", rules[1]), json!({"points": 25})).await.expect(200);
    until("the new points", async || scores((25, "warm")).await).await;
    admin.client.delete(&format!("/scoring-rules/{}", rules[1])).await.expect(204);
    until("the rule to be gone", async || scores((0, "cold")).await).await;
}

async fn rules_that_make_no_sense_are_refused(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    for form in [
        rule("No value", "region", "is", None, 10),
        rule("A value", "phone", "present", Some("x"), 10),
        rule("No amount", "budget", "at_least", Some("much"), 10),
        rule("No currency", "budget", "at_most", Some("100"), 10),
        rule("Not for texts", "region", "at_least", Some("1 CNY"), 10),
        rule("Not for dates", "expected_purchase_on", "contains", Some("2026"), 10),
        rule("No source", "source", "is", Some("heaven"), 10),
        rule("Nothing to compare", "company", "contains", Some("%"), 10),
        rule("Too much", "region", "is", Some("x"), 101),
    ] {
        admin.post("/scoring-rules", form).await.refused(422, "validation_failed");
    }
    let nobody = "01900000-0000-7000-8000-000000000000";
    for (form, code) in [
        (json!({"name": "Neither", "position": 1}), "validation_failed"),
        (json!({"name": "Both", "position": 1, "user_id": nobody, "team_id": nobody}), "validation_failed"),
        (json!({"name": "Unknown", "position": 1, "user_id": nobody}), "unknown_reference"),
        (json!({"name": "Unknown", "position": 1, "team_id": nobody}), "unknown_reference"),
    ] {
        admin.post("/assignment-rules", form).await.refused(422, code);
    }
}

async fn the_deadline_follows_the_grade_and_late_leads_come_back(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, marketing, director, .. } = &company;
    add_rules(&company.admin.client).await;
    let hours = |lead: &Value| {
        let at =
            |member: &str| lead[member].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        (at("response_due_at") - at("updated_at")).num_hours()
    };
    let mut given = Vec::new();
    for (form, expected) in [
        (
            json!({"name": "Hot", "source": "referral", "phone": "13800138001", "budget": {"amount": "100000.00", "currency": "CNY"}}),
            4,
        ),
        (json!({"name": "Warm", "source": "referral", "phone": "13800138002", "region": "上海"}), 24),
        (json!({"name": "Cold", "source": "website", "phone": "13800138003"}), 72),
    ] {
        let id = marketing.client.post("/leads", form).await.expect(201).id();
        let assign = format!("/leads/{id}/assign");
        let lead = marketing.client.post(&assign, json!({"owner_id": rep.id})).await.expect(200).body;
        assert_eq!(hours(&lead), expected);
        given.push(id);
    }
    // A release and a claim renew no deadline: it is somebody else's turn.
    let again =
        marketing.client.post("/leads", json!({"name": "Let go", "source": "event"})).await.expect(201);
    let again = format!("/leads/{}", again.id());
    rep.client.act(&format!("{again}/claim")).await.expect(200);
    rep.client.act(&format!("{again}/release")).await.expect(200);
    rep.client.act(&format!("{again}/claim")).await.refused(409, "claim_cool_down");
    company.colleague.client.act(&format!("{again}/claim")).await.expect(200);
    // An hour before, the owner is reminded, once.
    let soon = server.database.instant(chrono::Duration::minutes(30));
    server
        .database
        .alter(&format!("UPDATE leads SET response_due_at = {soon} WHERE id = $1"), &given[0])
        .await;
    until("the reminder", async || {
        let told = rep.client.all("/notifications?kind=lead_response_due_soon").await;
        (!told.is_empty()).then_some(())
    })
    .await;
    // Past it, the lead is in the lead pool again, and the owner and the manager hear of it.
    let overdue = format!("UPDATE leads SET response_due_at = {} WHERE id = $1", server.database.ago(0, 1));
    server.database.alter(&overdue, &given[0]).await;
    let back = until("the lead to come back", async || {
        let lead = director.client.get(&format!("/leads/{}", given[0])).await.expect(200).body;
        lead["owner_id"].is_null().then_some(lead)
    })
    .await;
    assert_eq!((&back["previous_owner_id"], &back["status"]), (&json!(rep.id), &json!("new")));
    for person in [rep, manager] {
        until("the news", async || {
            let told = person.client.all("/notifications?kind=lead_response_overdue").await;
            (told.len() == 1 && told[0]["record_id"] == json!(given[0])).then_some(())
        })
        .await;
    }
    assert_eq!(rep.client.all("/notifications?kind=lead_response_due_soon").await.len(), 1);
    assert!(
        director.client.all("/notifications?kind=lead_response_overdue").await.is_empty(),
        "the near one hears"
    );
    // Whoever responded is left alone.
    let form = json!({"about": {"kind": "lead", "id": given[1]}, "kind": "call", "subject": "Called"});
    rep.client.post("/activities", form).await.expect(201);
    let kept = rep.client.get(&format!("/leads/{}", given[1])).await.expect(200).body;
    assert_eq!((&kept["response_due_at"], &kept["owner_id"]), (&Value::Null, &json!(rep.id)));
}

async fn leads_go_to_whom_the_rules_name(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, inner, manager, other_rep, marketing, .. } = &company;
    let teams = admin.client.get("/teams?name=East").await.expect(200);
    let east = teams.body["data"][0]["id"].clone();
    let rules = [
        json!({"name": "East in turn", "position": 2, "regions": ["上海"], "team_id": east}),
        json!({"name": "Recommended", "position": 1, "sources": ["referral"], "user_id": other_rep.id}),
        json!({"name": "Off", "position": 0, "active": false, "user_id": other_rep.id}),
    ];
    for rule in rules {
        admin.client.post("/assignment-rules", rule).await.expect(201);
    }
    let mut number = 0;
    let mut bring = async |source: &str, region: Option<&str>| {
        number += 1;
        let form = json!({"name": format!("Lead {number}"), "source": source, "region": region});
        let lead = marketing.client.post("/leads", form).await.expect(201).body;
        assert_eq!(lead["response_due_at"].is_null(), lead["owner_id"].is_null());
        lead["owner_id"].as_str().map(str::to_owned)
    };
    assert_eq!(bring("website", None).await, None, "no rule fits");
    assert_eq!(
        bring("referral", Some("上海")).await.as_ref(),
        Some(&other_rep.id),
        "the lowest position counts"
    );
    let mut turns = Vec::new();
    for _ in 0..8 {
        turns.push(bring("website", Some("上海")).await.unwrap());
    }
    let members: BTreeSet<&String> = [&rep.id, &colleague.id, &inner.id, &manager.id].into();
    assert_eq!(
        turns.iter().collect::<BTreeSet<_>>(),
        members,
        "everybody of the team and below who owns leads"
    );
    assert_eq!(turns[..4], turns[4..], "each in turn");
    // Whoever is gone gets none.
    admin
        .client
        .post(&format!("/users/{}/disable", colleague.id), json!({"keep_records": true}))
        .await
        .expect(200);
    for _ in 0..3 {
        assert_ne!(bring("website", Some("上海")).await.unwrap(), colleague.id);
    }
    // A seller keeps what they record.
    let form = json!({"name": "Mine", "source": "referral"});
    let own = rep.client.post("/leads", form).await.expect(201).body;
    assert_eq!(own["owner_id"], json!(rep.id));
    until("the news", async || {
        (!other_rep.client.all("/notifications?kind=lead_assigned").await.is_empty()).then_some(())
    })
    .await;
}

fn matches(answer: &Answer) -> Vec<Value> {
    answer.body["matches"].as_array().unwrap().clone()
}

async fn known_people_are_found_and_told_as_far_as_one_may_know(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, manager, marketing, .. } = &company;
    let form = json!({
        "name": "Zhang San", "source": "website", "company": "上海星辰科技有限公司", "phone": "138 0013 8000",
        "email": "Zhang@Example.com",
    });
    let first = rep.client.post("/leads", form).await.expect(201).id();
    for (members, on) in [
        (json!({"phone": "+86-13800138000"}), json!(["phone"])),
        (json!({"email": "zhang@example.COM"}), json!(["email"])),
        (json!({"company": "上海 星辰科技"}), json!(["company"])),
    ] {
        let mut form = json!({"name": "Somebody", "source": "event"});
        form.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let known = rep.client.post("/leads", form.clone()).await.refused(409, "possible_duplicate");
        let known = matches(&known);
        assert_eq!((&known[0]["id"], &known[0]["matched_on"]), (&json!(first), &on));
        // Another team learns that somebody is known, and nothing else.
        let known = other_rep.client.post("/leads", form.clone()).await.refused(409, "possible_duplicate");
        assert_eq!(matches(&known), [json!({"kind": "lead", "matched_on": on, "visible": false})]);
        assert!(
            !known.text.contains(&first)
                && !known.text.contains("Zhang San")
                && !known.text.contains(&rep.id)
        );
        // Whoever may says that it is another one.
        let anyway = async |person: &Client| person.post("/leads?allow_duplicate=true", form.clone()).await;
        anyway(&rep.client).await.refused(403, "forbidden");
        let second = anyway(&manager.client).await.expect(201).id();
        let path = format!("/leads/{first}/duplicates");
        let found = manager.client.get(&path).await.expect(200).body;
        assert!(found["data"].as_array().unwrap().iter().any(|it| it["id"] == json!(second)));
        manager.client.delete(&format!("/leads/{second}")).await.expect(204);
    }
    // Customers and their contacts are known too; what was given up as spam is not.
    let customer = company.customer(rep).await;
    let form = json!({"customer_id": customer, "name": "Wang", "phone": "139 0013 9000"});
    rep.client.post("/contacts", form).await.expect(201);
    let form = json!({"name": "Wang", "source": "website", "phone": "13900139000"});
    let known = marketing.client.post("/leads", form).await.refused(409, "possible_duplicate");
    assert_eq!(matches(&known), [json!({"kind": "customer", "matched_on": ["phone"], "visible": false})]);
    assert_eq!(known.body["detail"], "1 record looks like this one");
    let form = json!({"name": "Spam", "source": "website", "phone": "137 0013 7000"});
    let spam = marketing.client.post("/leads", form.clone()).await.expect(201).id();
    marketing.client.post(&format!("/leads/{spam}/disqualify"), json!({"reason": "spam"})).await.expect(200);
    marketing.client.post("/leads", form).await.expect(201);
}

async fn customers_that_are_known_are_not_made_anew(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, manager, marketing, .. } = &company;
    let form = json!({"kind": "company", "name": "上海星辰科技有限公司", "phone": "138 0013 8000"});
    let first = rep.client.post("/customers", form).await.expect(201).id();
    // Not by another team, which learns no more than that it is there; nor by who gave it back.
    let again = json!({"kind": "company", "name": "上海 星辰科技"});
    let known = other_rep.client.post("/customers", again.clone()).await.refused(409, "possible_duplicate");
    assert_eq!(matches(&known), [json!({"kind": "customer", "matched_on": ["company"], "visible": false})]);
    rep.client.post(&format!("/customers/{first}/release"), json!({"reason": "No need"})).await.expect(200);
    rep.client.act(&format!("/public-pool/customers/{first}/claim")).await.refused(409, "claim_cool_down");
    let known = rep.client.post("/customers", again.clone()).await.refused(409, "possible_duplicate");
    assert_eq!(matches(&known)[0]["id"], json!(first));
    // Nor by a change, or by way of a lead.
    let (other, phone) = (company.customer(rep).await, json!({"phone": "+86 13800138000"}));
    rep.client.patch(&format!("/customers/{other}"), phone.clone()).await.refused(409, "possible_duplicate");
    rep.client.patch(&format!("/customers/{other}"), json!({"phone": "13700137000"})).await.expect(200);
    rep.client.patch(&format!("/customers/{other}"), json!({"note": "Same number"})).await.expect(200);
    let lead = rep.client.post("/leads", json!({"name": "Zhang", "source": "event"})).await.expect(201).id();
    rep.client.patch(&format!("/leads/{lead}"), phone.clone()).await.refused(409, "possible_duplicate");
    let path = format!("/leads/{lead}?allow_duplicate=true");
    rep.client.patch(&path, phone.clone()).await.refused(403, "forbidden");
    manager.client.patch(&path, phone).await.expect(200);
    let form = json!({"about": {"kind": "lead", "id": lead}, "kind": "call", "subject": "Called"});
    rep.client.post("/activities", form).await.expect(201);
    rep.client.act(&format!("/leads/{lead}/qualify")).await.expect(200);
    let convert = format!("/leads/{lead}/convert");
    // In the pool phones are masked, so a match by phone alone does not say whose it is.
    let known = rep.client.post(&convert, json!({})).await.refused(409, "possible_duplicate");
    assert_eq!(matches(&known), [json!({"kind": "customer", "matched_on": ["phone"], "visible": false})]);
    manager.client.post(&format!("{convert}?allow_duplicate=true"), json!({})).await.expect(200);
    let found = manager.client.get(&format!("/customers/{other}/duplicates")).await.expect(200).body;
    assert_eq!(found["data"], json!([]));
    manager.client.post("/customers?allow_duplicate=true", again).await.expect(201);
    // Persons share names; and what refuses is a setting.
    for _ in 0..2 {
        let form = json!({"kind": "person", "name": "王伟"});
        rep.client.post("/customers", form).await.expect(201);
    }
    company.set(json!({"duplicates": {"refuse_on": ["phone"]}})).await;
    let form = json!({"name": "Chen", "source": "event", "company": "上海星辰科技有限公司"});
    marketing.client.post("/leads", form.clone()).await.expect(201);
    let mut called = form;
    called["phone"] = json!("13800138000");
    marketing.client.post("/leads", called).await.refused(409, "possible_duplicate");
    let twice = json!({"duplicates": {"refuse_on": ["phone", "phone"]}});
    company.admin.client.patch("/settings", twice).await.refused(422, "validation_failed");
}

/// Whoever may convert leads, but neither create customers nor change them, is not told that they may convert this one.
async fn whom_no_form_helps_is_told_so_before(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, admin, .. } = &company;
    let lead = rep.client.post("/leads", json!({"name": "Zhang", "source": "event"})).await.expect(201).id();
    let form = json!({"about": {"kind": "lead", "id": lead}, "kind": "call", "subject": "Called"});
    rep.client.post("/activities", form).await.expect(201);
    rep.client.act(&format!("/leads/{lead}/qualify")).await.expect(200);
    for (key, more, fits) in [
        ("neither", vec![], false),
        ("creates", vec!["customers:create", "customers:update"], true),
        ("changes", vec!["customers:read", "customers:update"], true),
    ] {
        let grants: Vec<Value> = ["leads:read", "leads:convert"]
            .into_iter()
            .chain(more)
            .map(|permission| json!({"permission": permission, "scope": "all"}))
            .collect();
        admin.client.post("/roles", json!({"key": key, "name": key, "grants": grants})).await.expect(201);
        let email = format!("{key}@example.com");
        let user = json!({"email": email, "display_name": key, "roles": [key], "password": PASSWORD});
        admin.client.post("/users", user).await.expect(201);
        let client = server.login(&email, PASSWORD).await;
        let seen = client.get(&format!("/leads/{lead}")).await.expect(200).body;
        let offers = seen["allowed_actions"].as_array().unwrap();
        let offer = offers.iter().find(|offer| offer["action"] == "convert").unwrap();
        let mut expected = json!({"action": "convert", "allowed": fits});
        if !fits {
            expected["reason"] = json!("forbidden");
        }
        assert_eq!(*offer, expected, "{key}");
        let form = match key {
            "changes" => json!({"customer_id": company.customer(rep).await}),
            _ => json!({}),
        };
        let answer = client.post(&format!("/leads/{lead}/convert?dry_run=true"), form).await;
        assert_eq!(answer.status, if fits { 200 } else { 403 }, "{key}: {}", answer.text);
    }
}

/// More of a company than are told of: whoever has the same telephone is found among them, or behind them.
async fn many_of_one_company_hide_nobody(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, manager, marketing, .. } = &company;
    let phone = |at: usize| format!("138001380{at:02}");
    let lead = |at: usize| json!({"name": format!("N{at}"), "source": "event", "company": "Zeta", "phone": phone(at)});
    let mut leads = Vec::new();
    for at in 0..60 {
        let made = manager.client.post("/leads?allow_duplicate=true", lead(at)).await.expect(201);
        leads.push(made.id());
    }
    let last = json!({"name": "Again", "source": "event", "company": "Zeta", "phone": phone(59)});
    let known = manager.client.post("/leads", last).await.refused(409, "possible_duplicate");
    let (known, both) = (matches(&known), json!(["phone", "company"]));
    assert_eq!((&known[0]["id"], &known[0]["matched_on"]), (&json!(leads[59]), &both));
    assert_eq!(known.len(), 50, "as many are told of");
    let mut ids: Vec<&str> = known.iter().map(|it| it["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 50, "each once");
    // A page notes it with the one that is known, and makes no lead.
    let form = json!({"name": "Page", "fields": ["phone", "company"], "required": ["phone"]});
    let form = marketing.client.post("/lead-forms", form).await.expect(201);
    let path = format!("/public/lead-forms/{}", form.text_of("token"));
    let filled = json!({"name": "Again", "phone": phone(59), "company": "Zeta"});
    server.anonymous().post(&path, filled).await.expect(202);
    let listed = manager.client.get("/leads?total=true").await.expect(200).body;
    assert_eq!(listed["page"]["total"], "60");
    let noted = manager.client.all(&format!("/activities?lead_id={}", leads[59])).await;
    assert_eq!(noted.len(), 1);
    // Nor does a record hide others from itself, or what says nothing the others behind it.
    let found = manager.client.get(&format!("/leads/{}/duplicates", leads[0])).await.expect(200).body;
    assert_eq!(found["data"].as_array().unwrap().len(), 50);
    for id in &leads[..50] {
        let path = format!("/leads/{id}/disqualify");
        manager.client.post(&path, json!({"reason": "spam"})).await.expect(200);
    }
    let colleague = json!({"name": "Colleague", "source": "event", "company": "Zeta"});
    let known = rep.client.post("/leads", colleague).await.refused(409, "possible_duplicate");
    assert_eq!(matches(&known).len(), 10);
}

async fn heavy_the_same_person_is_recorded_once(server: Server) {
    let company = Company::found(&server).await;
    for round in 0..20 {
        let form = json!({"name": "Twin", "source": "website", "phone": format!("138001380{round:02}")});
        let answers = join_all((0..10).map(|_| company.marketing.client.post("/leads", form.clone()))).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 201) {
            answer.refused(409, "possible_duplicate");
        }
    }
}

async fn two_leads_become_one(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, manager, auditor, .. } = &company;
    let lead = async |form: Value| rep.client.post("/leads", form).await.expect(201).id();
    let stays = lead(json!({"name": "Li Wei", "source": "website", "tags": ["a"]})).await;
    let goes =
        lead(json!({"name": "Wei Li", "source": "event", "phone": "13800138000", "tags": ["b", "a"]})).await;
    let form = json!({"about": {"kind": "lead", "id": goes}, "kind": "call", "subject": "Called"});
    let call = rep.client.post("/activities", form).await.expect(201).id();
    let path = format!("/leads/{stays}/merge");
    let form = json!({"loser_id": goes});
    other_rep.client.post(&path, form.clone()).await.refused(404, "not_found");
    rep.client.post(&path, json!({"loser_id": stays})).await.refused(422, "validation_failed");
    let one = rep.client.post(&path, form.clone()).await.expect(200).body;
    assert_eq!(
        (&one["name"], &one["phone"], &one["tags"]),
        (&json!("Li Wei"), &json!("13800138000"), &json!(["a", "b"]))
    );
    assert_eq!((&one["status"], &one["response_due_at"]), (&json!("contacted"), &Value::Null));
    assert!(one["first_responded_at"].is_string(), "somebody had responded to the one that went");
    let moved = rep.client.get(&format!("/activities/{call}")).await.expect(200).body;
    assert_eq!((&moved["lead_id"], &moved["about"]["id"]), (&json!(stays), &json!(stays)));
    // The other id leads here, for whoever may see it.
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    for (person, status) in [(rep, 308), (manager, 308), (auditor, 308), (other_rep, 404)] {
        let url = format!("{}/api/v1/leads/{goes}", rep.client.url);
        let answer =
            client.get(&url).bearer_auth(person.client.token.as_ref().unwrap()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let there = answer.headers().get("location").map(|it| it.to_str().unwrap().to_owned());
        assert_eq!(there, (status == 308).then(|| format!("/api/v1/leads/{stays}")));
    }
    assert_eq!(
        rep.client.get(&format!("/leads/{goes}")).await.expect(200).id(),
        stays,
        "redirects are followed"
    );
    rep.client.post(&path, form).await.refused(422, "unknown_reference");
}

async fn pages_bring_leads_and_learn_nothing(server: Server) {
    let company = Company::found(&server).await;
    let Company { marketing, rep, .. } = &company;
    let form = json!({
        "name": "Landing page", "source": "advertisement", "campaign": "Spring", "fields": ["phone", "interest"],
        "required": ["phone"], "allowed_origins": ["https://www.example.com"], "hourly_limit": 5,
    });
    rep.client.post("/lead-forms", form.clone()).await.refused(403, "forbidden");
    let made = marketing.client.post("/lead-forms", form).await.expect(201);
    let (id, token) = (made.id(), made.text_of("token"));
    let page = server.anonymous();
    let send = async |origin: Option<&str>, body: Value| {
        let mut request = page.request(Method::POST, &format!("/public/lead-forms/{token}")).json(&body);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        page.send(request).await
    };
    let site = Some("https://www.example.com");
    let body = json!({"name": "Zhang", "phone": "13800138000", "interest": "Pumps"});
    send(Some("https://evil.example"), body.clone()).await.refused(403, "forbidden");
    send(None, body.clone()).await.refused(403, "forbidden");
    send(site, json!({"name": "Zhang"})).await.refused(422, "validation_failed");
    send(site, json!({"name": "Zhang", "phone": "13800138000", "email": "z@example.com"}))
        .await
        .refused(422, "validation_failed");
    send(site, json!({"name": "Zhang", "phone": "13800138000", "owner_id": rep.id}))
        .await
        .refused(400, "malformed_request");
    let first = send(site, body.clone()).await.expect(202);
    assert_eq!(first.header("access-control-allow-origin"), "https://www.example.com");
    let leads = marketing.client.all("/leads").await;
    assert_eq!(leads.len(), 1);
    assert_eq!((&leads[0]["source"], &leads[0]["campaign"]), (&json!("advertisement"), &json!("Spring")));
    assert_eq!((&leads[0]["owner_id"], &leads[0]["created_by"]), (&Value::Null, &json!(marketing.id)));
    // Even the trap is a text.
    let trap = |homepage: &str| json!({"name": "Bot", "phone": "13900139000", "homepage": homepage});
    send(site, trap("a\u{0}b")).await.refused(422, "validation_failed");
    // A program that fills in everything, and somebody who is known: the page is told the same.
    let trapped = send(site, trap("https://spam.example")).await.expect(202);
    let again = send(site, body.clone()).await.expect(202);
    assert_eq!((&first.body, &first.body), (&trapped.body, &again.body));
    let leads = marketing.client.all("/leads").await;
    assert_eq!(leads.len(), 1, "neither made a lead");
    let noted =
        marketing.client.all(&format!("/activities?lead_id={}", leads[0]["id"].as_str().unwrap())).await;
    assert_eq!(noted.len(), 1);
    let content = noted[0]["content"].as_str().unwrap();
    assert!(content.contains("Pumps") && content.contains("name: "), "{content}");
    // So much an hour, and nothing once it is switched off.
    for at in 0..3 {
        send(site, json!({"name": "Li", "phone": format!("1370013700{at}")})).await.expect(202);
    }
    let full = send(site, json!({"name": "Li", "phone": "13600136000"})).await.refused(429, "rate_limited");
    assert!(!full.header("retry-after").is_empty());
    marketing.client.patch(&format!("/lead-forms/{id}"), json!({"active": false})).await.expect(200);
    send(site, body).await;
    let unknown = page.post(&format!("/public/lead-forms/{}", "0".repeat(32)), json!({"name": "X"})).await;
    unknown.refused(404, "not_found");
    page.post("/public/lead-forms/short", json!({"name": "X"})).await.refused(400, "malformed_request");
    // A colleague of somebody who is known is somebody else, and so is whoever was given up before.
    let form = json!({"name": "Open", "fields": ["phone", "company"]});
    let made = marketing.client.post("/lead-forms", form).await.expect(201);
    let path = format!("/public/lead-forms/{}", made.text_of("token"));
    for (name, phone) in [("Ann", "13500135001"), ("Bob", "13500135002")] {
        page.post(&path, json!({"name": name, "phone": phone, "company": "Zeta"})).await.expect(202);
    }
    let named = async |name: &str| marketing.client.all(&format!("/leads?name={name}")).await;
    assert_eq!((named("Ann").await.len(), named("Bob").await.len()), (1, 1));
    let ann = named("Ann").await[0]["id"].as_str().unwrap().to_owned();
    let form = json!({"reason": "no_budget"});
    marketing.client.post(&format!("/leads/{ann}/disqualify"), form).await.expect(200);
    page.post(&path, json!({"name": "Ann", "phone": "13500135001"})).await.expect(202);
    assert_eq!(named("Ann").await.len(), 2);
}
