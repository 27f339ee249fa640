//! What was asked for about records that left their owner by other means: it lapses, and tells nobody how to reach whom
//! they lost.

use futures_util::future::join3;
use serde_json::{Value, json};

use crate::pool::recycling::{age, recycle};
use crate::support::{Answer, Company, Person, Server, rounds, until};

on_both_databases! {
    a_transfer_lapses_when_what_it_names_leaves;
    what_goes_along_leaves_the_rest_to_go;
    a_transfer_lapses_with_the_sale_that_is_lost;
    a_transfer_lapses_when_a_sale_is_taken_up_by_somebody_else;
    heavy_a_transfer_is_approved_while_its_customer_is_given_away;
    contact_data_of_a_change_leaves_with_the_customer;
    contact_data_of_a_change_leaves_its_approval_as_well;
    what_changes_is_named_where_it_is_masked;
}

fn transfer(kind: &str, ids: &[&str], to: &Person) -> Value {
    json!({"kind": kind, "record_ids": ids, "to_user_id": to.id, "reason": "New territory"})
}

/// How often each event of records happened.
async fn happened(company: &Company, event: &str, record: &str) -> usize {
    let events = company.auditor.client.all(&format!("/audit-events?action={event}")).await;
    events.iter().filter(|it| it["record_id"] == record).count()
}

/// A transfer and the question about it are over, once.
async fn is_over(company: &Company, transfer: &str, approval: &str) {
    for (path, record, event) in [
        (format!("/transfers/{transfer}"), transfer, "transfer.withdrawn"),
        (format!("/approvals/{approval}"), approval, "approval.withdrawn"),
    ] {
        let seen = company.director.client.get(&path).await.expect(200).body;
        assert_eq!(seen["status"], "withdrawn", "{path}");
        assert!(seen["decided_at"].is_string(), "{seen}");
        assert_eq!(happened(company, event, record).await, 1, "{path}");
        if record == approval {
            // It says why, and in nobody's name.
            let said = seen["trail"].as_array().unwrap().last().expect("a reason");
            assert_eq!((&said["kind"], &said["by"]), (&json!("commented"), &Value::Null));
            assert!(said["comment"].as_str().unwrap().contains("no longer there to be decided"), "{said}");
        }
    }
    let waiting = company.manager.client.get("/approvals?box=waiting&total=true").await.expect(200);
    assert_eq!(waiting.body["page"]["total"], "0", "nothing is left to be decided");
}

async fn a_transfer_lapses_when_what_it_names_leaves(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, inner, manager, director, .. } = &company;
    for how in ["assign", "release", "bulk", "hand over"] {
        let (gone, stays) = (company.customer(rep).await, company.customer(rep).await);
        let form = transfer("customers", &[&stays, &gone], colleague);
        let asked = rep.client.post("/transfers", form).await.expect(201).id();
        let approval = company.pending(&asked).await;
        let customer = format!("/customers/{gone}");
        match how {
            "assign" => {
                let to = json!({"owner_id": inner.id});
                // What is only tried leaves it as it is.
                let path = format!("{customer}/assign");
                manager.client.post(&format!("{path}?dry_run=true"), to.clone()).await.expect(200);
                assert_eq!(company.pending(&asked).await, approval);
                manager.client.post(&path, to).await.expect(200)
            }
            "release" => rep
                .client
                .post(&format!("{customer}/release"), json!({"reason": "No need"}))
                .await
                .expect(200),
            "bulk" => {
                let form = json!({"action": "release", "mode": "atomic", "items": [{"id": gone, "reason": "No need"}]});
                rep.client.post("/customers/bulk", form).await.expect(200)
            }
            _ => {
                let form = json!({"hand_over": {"successor_id": inner.id, "reason": "Leaves"}});
                admin.client.post(&format!("/users/{}/disable", rep.id), form).await.expect(200)
            }
        };
        is_over(&company, &asked, &approval).await;
        let path = format!("/approvals/{approval}/approve");
        director.client.post(&path, json!({})).await.refused(409, "already_decided");
        let told = until("the notice", async || {
            let told = colleague.client.all("/notifications?kind=transfer_withdrawn").await;
            let told = told.into_iter().find(|it| it["record_id"] == asked.as_str());
            told.map(|it| it["kind"].clone())
        })
        .await;
        assert_eq!(told, "transfer_withdrawn", "{how}");
        // What stayed is where it was, and nothing holds it up.
        let owner =
            director.client.get(&format!("/customers/{stays}")).await.expect(200).body["owner_id"].clone();
        if how == "hand over" {
            assert_eq!(owner, inner.id.as_str());
            continue;
        }
        assert_eq!(owner, rep.id.as_str(), "{how}");
        let form = transfer("customers", &[&stays], colleague);
        let again = rep.client.post("/transfers", form).await.expect(201).id();
        let approval = company.pending(&again).await;
        manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
    }
}

async fn what_goes_along_leaves_the_rest_to_go(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, director, .. } = &company;
    let customer = company.customer(rep).await;
    let deal = async |name: &str| {
        let form = json!({"name": name, "customer_id": customer});
        rep.client.post("/opportunities", form).await.expect(201).id()
    };
    let (lost, open) = (deal("Pumps").await, deal("Valves").await);
    let mut form = transfer("customers", &[&customer], colleague);
    form["include_opportunities"] = json!(true);
    let asked = rep.client.post("/transfers", form).await.expect(201).id();
    let path = format!("/opportunities/{lost}/lose");
    rep.client.post(&path, json!({"reason": "price"})).await.expect(200);
    let approval = company.pending(&asked).await;
    manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
    for (deal, owner) in [(&lost, rep), (&open, colleague)] {
        let seen = director.client.get(&format!("/opportunities/{deal}")).await.expect(200).body;
        assert_eq!(seen["owner_id"], owner.id.as_str());
    }
}

/// A neglected customer goes to the pool and loses its open sales: with one of them goes the transfer that named it.
async fn a_transfer_lapses_with_the_sale_that_is_lost(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, .. } = &company;
    let (neglected, kept) = (company.customer(rep).await, company.customer(rep).await);
    let mut deals = Vec::new();
    for customer in [&neglected, &kept] {
        let form = json!({"name": "Pumps", "customer_id": customer});
        deals.push(rep.client.post("/opportunities", form).await.expect(201).id());
    }
    let form = transfer("opportunities", &[&deals[0], &deals[1]], colleague);
    let asked = rep.client.post("/transfers", form).await.expect(201).id();
    let approval = company.pending(&asked).await;
    company.set(json!({"pool": {"recycle": {"no_activity_days": 30, "warning_days": 0}}})).await;
    age(&server, &neglected, 40).await;
    let run = recycle(&admin.client, json!({})).await;
    assert_eq!(run["changed"], 1);
    is_over(&company, &asked, &approval).await;
    let form = transfer("opportunities", &[&deals[1]], colleague);
    rep.client.post("/transfers", form).await.expect(201);
}

/// A lost sale is taken up again by the customer's owner where its own has left: a transfer of it is over.
async fn a_transfer_lapses_when_a_sale_is_taken_up_by_somebody_else(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, colleague, inner, manager, director, .. } = &company;
    let customer = company.customer(rep).await;
    let form = json!({"name": "Pumps", "customer_id": customer});
    let deal = rep.client.post("/opportunities", form).await.expect(201).id();
    // The customer goes alone.
    let form = transfer("customers", &[&customer], colleague);
    let gone = rep.client.post("/transfers", form).await.expect(201).id();
    let approve = format!("/approvals/{}/approve", company.pending(&gone).await);
    manager.client.post(&approve, json!({})).await.expect(200);
    let form = transfer("opportunities", &[&deal], inner);
    let asked = manager.client.post("/transfers", form).await.expect(201).id();
    let approval = company.pending(&asked).await;
    let path = format!("/opportunities/{deal}");
    rep.client.post(&format!("{path}/lose"), json!({"reason": "price"})).await.expect(200);
    let keep = json!({"keep_records": true});
    admin.client.post(&format!("/users/{}/disable", rep.id), keep).await.expect(200);
    let seen = director.client.get(&path).await.expect(200).body;
    assert_eq!((&seen["owner_id"], &seen["status"]), (&json!(rep.id), &json!("lost")));
    assert_eq!(company.pending(&asked).await, approval, "it waits for as long as nobody else has it");
    let reopened = manager.client.act(&format!("{path}/reopen")).await.expect(200).body;
    assert_eq!((&reopened["owner_id"], &reopened["status"]), (&json!(colleague.id), &json!("open")));
    is_over(&company, &asked, &approval).await;
    server.verify().await;
    // Nothing holds it up.
    let form = transfer("opportunities", &[&deal], inner);
    colleague.client.post("/transfers", form).await.expect(201);
}

async fn heavy_a_transfer_is_approved_while_its_customer_is_given_away(server: Server) {
    let company = Company::found(&server).await;
    company.set(json!({"ownership": {"limit": 1000}})).await;
    let Company { rep, colleague, inner, manager, director, .. } = &company;
    for _ in 0..rounds(8, 60) {
        let (one, other) = (company.customer(rep).await, company.customer(rep).await);
        let form = transfer("customers", &[&one, &other], colleague);
        let asked = rep.client.post("/transfers", form).await.expect(201).id();
        let approval = company.pending(&asked).await;
        let approve = format!("/approvals/{approval}/approve");
        let assign = format!("/customers/{other}/assign");
        let release = format!("/customers/{one}/release");
        let (approved, given, released): (Answer, Answer, Answer) = join3(
            manager.client.post(&approve, json!({})),
            director.client.post(&assign, json!({"owner_id": inner.id})),
            director.client.post(&release, json!({"reason": "No need"})),
        )
        .await;
        given.expect(200);
        released.expect(200);
        let end = if approved.status == 200 {
            "approved"
        } else {
            approved.refused(409, "already_decided");
            "withdrawn"
        };
        let seen = director.client.get(&format!("/transfers/{asked}")).await.expect(200).body;
        assert_eq!(seen["status"], end);
        for (customer, last) in [(&one, Value::Null), (&other, json!(inner.id))] {
            let path = format!("/customers/{customer}");
            assert_eq!(director.client.get(&path).await.expect(200).body["owner_id"], last);
            // It was with the receiver in between, or never.
            let history = director.client.all(&format!("{path}/ownership-history")).await;
            let transferred = history.iter().any(|it| it["cause"] == "transferred");
            assert_eq!(transferred, end == "approved", "all of it or nothing");
        }
    }
    server.verify().await;
}

/// Whoever asked for a change goes on seeing what became of it: as masked as the customer is for them.
async fn contact_data_of_a_change_leaves_with_the_customer(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, manager, director, .. } = &company;
    let form = json!({"kind": "company", "name": "Acme", "phone": "138 0013 8000", "note": "Ask for Li"});
    let customer = rep.client.post("/customers", form).await.expect(201).id();
    let changes = json!({"phone": "139 0013 9000", "email": "zhang@acme.example", "region": "East China"});
    let form = json!({"customer_id": customer, "changes": changes, "reason": "They moved"});
    let change = rep.client.post("/customer-changes", form).await.expect(201);
    assert_eq!(change.body["after"]["phone"], "139 0013 9000", "who asks sees what they ask for");
    let change = change.id();
    let approval = company.pending(&change).await;
    let (one, list) =
        (format!("/customer-changes/{change}"), format!("/customer-changes?customer_id={customer}"));
    let told = async |person: &Person| {
        let seen = person.client.get(&one).await.expect(200).body;
        let rows = person.client.all(&list).await;
        assert_eq!(rows.len(), 1, "{}", person.email);
        for member in ["before", "after", "status", "owner_id", "version"] {
            assert_eq!(rows[0][member], seen[member], "{member}: its list and it say the same");
        }
        (seen, format!("{rows:?}"))
    };
    let sees_all = async |person: &Person, status: &str| {
        let (seen, rows) = told(person).await;
        assert_eq!((&seen["status"], &seen["before"]["phone"]), (&json!(status), &json!("138 0013 8000")));
        assert_eq!(seen["changes"]["phone"]["after"], "139 0013 9000");
        assert!(rows.contains("zhang@acme.example") && rows.contains("Ask for Li"), "{rows}");
    };
    let sees_masked = async |person: &Person| {
        let (seen, rows) = told(person).await;
        assert_eq!((&seen["status"], &seen["before"]["phone"]), (&json!("withdrawn"), &json!("138****8000")));
        assert_eq!(seen["changes"]["phone"]["after"], "139****9000");
        assert_eq!(seen["changes"]["region"]["after"], "East China");
        for hidden in [" 0013 ", "zhang@", "Ask for Li"] {
            assert!(!rows.contains(hidden) && !seen.to_string().contains(hidden), "{hidden} in {seen}");
        }
        // Its approval is not for them, neither by itself nor in the list.
        person.client.get(&format!("/approvals/{approval}")).await.refused(404, "not_found");
        assert!(person.client.all(&format!("/approvals?customer_id={customer}")).await.is_empty());
    };
    for person in [rep, manager, director] {
        sees_all(person, "pending").await;
    }
    // In the pool, where the customer itself is masked for them.
    let release = format!("/customers/{customer}/release");
    rep.client.post(&release, json!({"reason": "No need"})).await.expect(200);
    sees_masked(rep).await;
    sees_all(director, "withdrawn").await;
    manager.client.get(&one).await.refused(404, "not_found");
    // With somebody of another team, whose customer they do not even see.
    let assign = format!("/customers/{customer}/assign");
    director.client.post(&assign, json!({"owner_id": other_rep.id})).await.expect(200);
    rep.client.get(&format!("/customers/{customer}")).await.refused(404, "not_found");
    sees_masked(rep).await;
    sees_all(other_rep, "withdrawn").await;
    // Shared with them to be read, the customer is shown to them, and what was asked about it as well.
    let share = json!({"customer_id": customer, "user_id": rep.id, "access": "read"});
    let share = other_rep.client.post("/collaborators", share).await.expect(201).id();
    sees_all(rep, "withdrawn").await;
    other_rep.client.delete(&format!("/collaborators/{share}")).await.expect(204);
    sees_masked(rep).await;
    // Theirs again.
    director.client.post(&assign, json!({"owner_id": rep.id})).await.expect(200);
    sees_all(rep, "withdrawn").await;
    server.verify().await;
}

/// What a request says of its subject to this person: the same alone, in lists and in copies, begun anew and followed.
async fn snapshot(person: &Person, approval: &str, copy: &mut String) -> Value {
    let alone = person.client.get(&format!("/approvals/{approval}")).await.expect(200).body;
    let listed = json!(person.client.all("/approvals").await);
    let anew = person.client.get("/sync?kinds=approval").await.expect(200).body;
    let followed = person.client.get(&format!("/sync?kinds=approval{copy}")).await.expect(200).body;
    for rows in [&listed, &anew["approvals"], &followed["approvals"]] {
        let row = rows.as_array().unwrap().iter().find(|row| row["id"] == approval).expect("it is told");
        assert_eq!((&row["snapshot"], &row["version"]), (&alone["snapshot"], &alone["version"]));
    }
    *copy = format!("&since={}", followed["next"].as_str().unwrap());
    alone["snapshot"].clone()
}

/// Whoever decided about a change goes on seeing the request: as masked as the customer is for them.
async fn contact_data_of_a_change_leaves_its_approval_as_well(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, manager, director, .. } = &company;
    let form = json!({
        "kind": "company", "name": "Acme", "phone": "138 0013 8000", "email": "zhang@acme.example",
        "note": "Ask for Li",
    });
    let customer = rep.client.post("/customers", form).await.expect(201).id();
    let changes = json!({"phone": "139 0013 9000", "note": "Ask for Wu", "region": "East China"});
    let form = json!({"customer_id": customer, "changes": changes, "reason": "They moved"});
    let change = rep.client.post("/customer-changes", form).await.expect(201).id();
    let approval = company.pending(&change).await;
    let path = format!("/approvals/{approval}");
    let is_whole = |seen: &Value| {
        assert_eq!(
            (&seen["before"]["phone"], &seen["before"]["note"]),
            (&json!("138 0013 8000"), &json!("Ask for Li"))
        );
        assert_eq!(
            (&seen["after"]["phone"], &seen["after"]["note"]),
            (&json!("139 0013 9000"), &json!("Ask for Wu"))
        );
    };
    let is_masked = |seen: &Value| {
        assert_eq!(
            (&seen["before"]["phone"], &seen["after"]["phone"]),
            (&json!("138****8000"), &json!("139****9000"))
        );
        assert_eq!((&seen["before"]["note"], &seen["after"]["note"]), (&Value::Null, &Value::Null));
        for hidden in [" 0013 ", "zhang@", "Ask for"] {
            assert!(!seen.to_string().contains(hidden), "{hidden} in {seen}");
        }
        // What is no contact data stays.
        assert_eq!((&seen["id"], &seen["after"]["region"]), (&json!(change), &json!("East China")));
    };
    let mut copy = String::new();
    is_whole(&snapshot(manager, &approval, &mut copy).await);
    let decided = manager.client.post(&format!("{path}/approve"), json!({})).await.expect(200);
    is_whole(&decided.body["snapshot"]);
    is_whole(&snapshot(manager, &approval, &mut copy).await);
    // In the pool, where the customer itself is masked for them.
    let release = format!("/customers/{customer}/release");
    rep.client.post(&release, json!({"reason": "No need"})).await.expect(200);
    is_masked(&snapshot(manager, &approval, &mut copy).await);
    let rows = manager.client.all("/approvals?box=decided").await;
    assert_eq!(rows.len(), 1);
    is_masked(&rows[0]["snapshot"]);
    // A write shows no more.
    let said = manager.client.post(&format!("{path}/comment"), json!({"comment": "Well"})).await.expect(200);
    is_masked(&said.body["snapshot"]);
    is_masked(&snapshot(manager, &approval, &mut copy).await);
    is_whole(&snapshot(director, &approval, &mut String::new()).await);
    rep.client.get(&path).await.refused(404, "not_found");
    // With somebody of another team, whose customer they do not even see.
    let assign = format!("/customers/{customer}/assign");
    director.client.post(&assign, json!({"owner_id": other_rep.id})).await.expect(200);
    manager.client.get(&format!("/customers/{customer}")).await.refused(404, "not_found");
    is_masked(&snapshot(manager, &approval, &mut copy).await);
    is_whole(&snapshot(other_rep, &approval, &mut String::new()).await);
    // Shared with them to be read.
    let share = json!({"customer_id": customer, "user_id": manager.id, "access": "read"});
    let share = other_rep.client.post("/collaborators", share).await.expect(201).id();
    is_whole(&snapshot(manager, &approval, &mut copy).await);
    other_rep.client.delete(&format!("/collaborators/{share}")).await.expect(204);
    is_masked(&snapshot(manager, &approval, &mut copy).await);
    // In their team again.
    director.client.post(&assign, json!({"owner_id": rep.id})).await.expect(200);
    is_whole(&snapshot(manager, &approval, &mut copy).await);
    server.verify().await;
}

/// What is left out before and after, or is masked alike, changes all the same.
async fn what_changes_is_named_where_it_is_masked(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, director, .. } = &company;
    for (name, member, before, after, masked) in [
        ("Acme", "note", "Ask for Li", "Ask for Wu", Value::Null),
        ("Borealis", "phone", "138 0013 8000", "138 0014 8000", json!("138****8000")),
    ] {
        let form = json!({"kind": "company", "name": name, member: before});
        let customer = rep.client.post("/customers", form).await.expect(201).id();
        let form = json!({"customer_id": customer, "changes": {member: after}});
        let change = rep.client.post("/customer-changes", form).await.expect(201).id();
        let path = format!("/customer-changes/{change}");
        let plain = json!({member: {"before": before, "after": after}});
        assert_eq!(rep.client.get(&path).await.expect(200).body["changes"], plain);
        let release = format!("/customers/{customer}/release");
        rep.client.post(&release, json!({"reason": "No need"})).await.expect(200);
        let masked = json!({member: {"before": masked, "after": masked}});
        assert_eq!(rep.client.get(&path).await.expect(200).body["changes"], masked);
        assert_eq!(director.client.get(&path).await.expect(200).body["changes"], plain);
    }
}
