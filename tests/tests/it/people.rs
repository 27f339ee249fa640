//! The directory: everybody finds out whom an id stands for and whom they may choose, and nothing more.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Company, Server};

on_both_databases! {
    everybody_sees_everybody;
    the_directory_is_filtered_and_paged;
    the_directory_follows_its_users;
    nothing_else_of_a_person_shows;
}

const NO_ID: &str = "01900000-0000-7000-8000-000000000000";

/// The names of the people that a question finds.
async fn names(client: &Client, question: &str) -> BTreeSet<String> {
    let rows = client.all(&format!("/people?{question}")).await;
    rows.iter().map(|row| row["display_name"].as_str().unwrap().to_owned()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn everybody_sees_everybody(server: Server) {
    let company = Company::found(&server).await;
    let users = company.admin.client.all("/users").await;
    let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    for (role, person) in company.by_role() {
        let people = person.client.all("/people").await;
        assert_eq!(ids(&people), ids(&users), "{role} sees others, or in another order");
        for row in &people {
            let path = format!("/people/{}", row["id"].as_str().unwrap());
            assert_eq!(person.client.get(&path).await.expect(200).body, *row, "{role}");
        }
    }
    assert_eq!(users.len(), 12);
    // Whoever has no role that grants anything at all is somebody as well.
    let role = json!({"key": "nothing", "name": "Nothing", "grants": []});
    company.admin.client.post("/roles", role).await.expect(201);
    let path = format!("/users/{}", company.marketing.id);
    company.admin.client.patch(&path, json!({"roles": ["nothing"]})).await.expect(200);
    assert_eq!(ids(&company.marketing.client.all("/people").await), ids(&users));

    let rep = &company.rep.client;
    rep.get(&format!("/people/{NO_ID}")).await.refused(404, "not_found");
    rep.get("/people/nobody").await.refused(400, "malformed_request");
    for path in ["/people", &format!("/people/{}", company.rep.id)] {
        server.anonymous().get(path).await.refused(401, "unauthenticated");
    }
}

async fn the_directory_is_filtered_and_paged(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let me = rep.get("/me").await.expect(200);
    let east = me.text_of("team_id");
    let (one, other) = (&company.finance.id, &company.other_rep.id);
    for (question, expected) in [
        (format!("id={one},{other}"), set(&["finance", "other-rep"])),
        (format!("id={NO_ID}"), set(&[])),
        ("display_name=rep".to_owned(), set(&["rep"])),
        ("display_name_contains=MANAGER".to_owned(), set(&["manager", "other-manager"])),
        ("display_name_prefix=Other".to_owned(), set(&["other-manager", "other-rep"])),
        ("q=finance".to_owned(), set(&["finance", "finance-two"])),
        (format!("team_id={east}"), set(&["manager", "rep", "colleague"])),
        (format!("team_id={east}&id_ne={}", company.rep.id), set(&["manager", "colleague"])),
        ("team_id_is_null=true".to_owned(), set(&["Test Administrator", "auditor", "marketing"])),
        ("status=disabled".to_owned(), set(&[])),
    ] {
        assert_eq!(names(rep, &question).await, expected, "{question}");
    }

    // Small pages show what a large one does, forwards and backwards.
    for sort in ["display_name", "-display_name"] {
        let whole = rep.get(&format!("/people?sort={sort}&limit=200&total=true")).await.expect(200).body;
        assert_eq!(whole["page"], json!({"next_cursor": null, "has_more": false, "total": "12"}));
        let walked = rep.all(&format!("/people?sort={sort}&limit=5")).await;
        assert_eq!(json!(walked), whole["data"], "{sort}");
    }
    let first = rep.get("/people?limit=5").await.expect(200);
    let cursor = first.body["page"]["next_cursor"].as_str().unwrap();
    let question = format!("/people?limit=5&status=active&cursor={cursor}");
    rep.get(&question).await.refused(400, "cursor_mismatch");

    let some = rep.get(&format!("/people?id={one}&fields=id,display_name")).await.expect(200).body;
    assert_eq!(some["data"], json!([{"id": one, "display_name": "finance"}]));
}

async fn the_directory_follows_its_users(server: Server) {
    let company = Company::found(&server).await;
    let (rep, admin, colleague) = (&company.rep.client, &company.admin.client, &company.colleague.id);
    let path = format!("/people/{colleague}");
    let before = rep.get(&path).await.expect(200);
    let team = before.text_of("team_id");
    let person = json!({
        "id": colleague, "display_name": "colleague", "team_id": team, "team_name": "East", "status": "active",
    });
    assert_eq!(before.body, person);
    assert_eq!(before.header("cache-control"), "no-store", "browsers keep nothing of a person");
    let known = before.header("etag").to_owned();
    let ask = async || rep.send(rep.request(Method::GET, &path).header("if-none-match", &known)).await;
    assert_eq!(ask().await.expect(304).text, "");

    // A team has its new name at once, although nobody wrote the person.
    admin.patch(&format!("/teams/{team}"), json!({"name": "Far East"})).await.expect(200);
    assert_eq!(ask().await.expect(200).body["team_name"], "Far East");
    let user = format!("/users/{colleague}");
    admin.patch(&user, json!({"display_name": "Somebody else", "team_id": null})).await.expect(200);
    // Records still name whoever left.
    admin.post(&format!("{user}/disable"), json!({"keep_records": true})).await.expect(200);
    let left = json!({
        "id": colleague, "display_name": "Somebody else", "team_id": null, "team_name": null,
        "status": "disabled",
    });
    assert_eq!(rep.get(&path).await.expect(200).body, left);
    assert_eq!(rep.all("/people?status=disabled").await, std::slice::from_ref(&left));
    assert!(rep.all("/people").await.contains(&left));
    assert!(!names(rep, "status=active").await.contains("Somebody else"));
    company.colleague.client.get("/people").await.refused(401, "unauthenticated");
}

async fn nothing_else_of_a_person_shows(server: Server) {
    let company = Company::found(&server).await;
    for (role, person) in company.by_role() {
        let client = &person.client;
        let listed = client.get("/people?limit=200").await.expect(200);
        let one = client.get(&format!("/people/{}", company.director.id)).await.expect(200);
        for row in listed.body["data"].as_array().unwrap().iter().chain([&one.body]) {
            let members: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
            let shown = BTreeSet::from(["id", "display_name", "team_id", "team_name", "status"]);
            assert_eq!(members, shown, "{role}");
        }
        assert!(!listed.text.contains("@example.com") && !one.text.contains("@example.com"), "{role}");
        // Neither does a filter, an order or a search tell it.
        assert_eq!(names(client, "q=example.com").await, set(&[]), "{role}");
        for question in [
            "email=rep@example.com",
            "email_prefix=rep",
            "roles=sales_rep",
            "locale=en",
            "created_at_gte=2000-01-01T00:00:00Z",
            "sort=email",
            "sort=created_at",
            "fields=email",
            "include=owner",
        ] {
            client.get(&format!("/people?{question}")).await.refused(400, "malformed_request");
        }
        client.post("/people", json!({})).await.refused(405, "method_not_allowed");
        client.delete(&format!("/people/{}", person.id)).await.refused(405, "method_not_allowed");
    }
}
