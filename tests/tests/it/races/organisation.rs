//! Teams, users and what there is only so much of.

use serde_json::{Value, json};

use super::{at_once, count, expect_tally, one_winner, patch, post};
use crate::support::{Client, Company, Kind, PASSWORD, Server};

on_both_databases! {
    heavy_teams_never_form_a_circle;
    heavy_an_administrator_remains;
    heavy_there_are_no_more_webhooks_than_allowed;
    heavy_there_are_no_more_scoring_rules_than_allowed;
}

async fn heavy_teams_never_form_a_circle(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    for round in 0..20 {
        let mut teams = Vec::new();
        for name in ["A", "B", "C"] {
            let team = json!({"name": format!("{name} {round}")});
            teams.push(admin.post("/teams", team).await.expect(201).id());
        }
        // Each below the next, and the last below the first.
        let below = |at: usize| {
            let parent = json!({"parent_id": teams[(at + 1) % 3]});
            patch(admin, &format!("/teams/{}", teams[at]), "*", parent)
        };
        let answers = at_once((0..3).map(below)).await;
        expect_tally(&answers, &[("200", 2), ("409 team_cycle", 1)]);
        let free = json!({"parent_id": null});
        for team in &teams {
            admin.patch(&format!("/teams/{team}"), free.clone()).await.expect(200);
        }
        let mutually = [(0, 1), (1, 0)].map(|(team, parent): (usize, usize)| {
            let parent = json!({"parent_id": teams[parent]});
            patch(admin, &format!("/teams/{}", teams[team]), "*", parent)
        });
        expect_tally(&at_once(mutually).await, &[("200", 1), ("409 team_cycle", 1)]);
    }
}

async fn heavy_an_administrator_remains(server: Server) {
    for _ in 0..5 {
        let server = Server::start(server.database.kind).await;
        let admin = server.admin().await;
        let first = admin.get("/me").await.expect(200).id();
        let user = json!({
            "email": "second@example.com", "display_name": "Second", "roles": ["admin"], "password": PASSWORD,
        });
        let second = admin.post("/users", user).await.expect(201).id();
        let other = server.login("second@example.com", PASSWORD).await;
        // Each would be allowed alone. Who comes second is disabled already, or the last one.
        let calls = [
            post(&admin, format!("/users/{second}/disable"), json!({})),
            post(&other, format!("/users/{first}/disable"), json!({})),
            post(&admin, format!("/users/{first}/disable"), json!({})),
            post(&other, format!("/users/{second}/disable"), json!({})),
        ];
        let answers = at_once(calls).await;
        let losers = ["401 unauthenticated", "409 last_administrator", "409 invalid_transition"];
        one_winner(&answers, 200, &losers);
    }
}

/// Lets sixteen make the same at once where so many less than sixteen may still be made: so many are.
async fn the_last_are_made(admin: &Client, path: &str, form: &Value, left: usize) {
    let answers = at_once((0..16).map(|_| post(admin, path, form.clone()))).await;
    expect_tally(&answers, &[("201", left), ("409 too_many", 16 - left)]);
}

async fn heavy_there_are_no_more_webhooks_than_allowed(server: Server) {
    const MOST: usize = 100;
    let admin = server.admin().await;
    // One that has nothing to tell in this test.
    let form = json!({"name": "Receiver", "url": "https://receiver.invalid/", "events": ["contact.merged"]});
    for _ in 0..MOST - 3 {
        admin.post("/webhooks", form.clone()).await.expect(201);
    }
    the_last_are_made(&admin, "/webhooks", &form, 3).await;
    assert_eq!(count(&admin, "/webhooks?limit=100").await, MOST);
    // And again, as often as there is room for one.
    for _ in 0..20 {
        let one = admin.get("/webhooks?limit=1").await.expect(200);
        let one = one.body["data"][0]["id"].as_str().unwrap().to_owned();
        admin.delete(&format!("/webhooks/{one}")).await.expect(204);
        the_last_are_made(&admin, "/webhooks", &form, 1).await;
    }
    assert_eq!(count(&admin, "/webhooks?limit=100").await, MOST);
}

async fn heavy_there_are_no_more_scoring_rules_than_allowed(server: Server) {
    const MOST: usize = 1000;
    let admin = server.admin().await;
    let form = json!({"name": "Phone", "field": "phone", "operator": "present", "points": 1});
    admin.post("/scoring-rules", form.clone()).await.expect(201);
    // Nearly all of them past the server, for a while: one by one they would take long.
    let id = match server.database.kind {
        Kind::Sqlite => "randomblob(16)",
        Kind::Postgres => "gen_random_uuid()",
    };
    let rest = "name, field, operator, value, points, active, version, created_at, updated_at";
    let copies = format!(
        "INSERT INTO scoring_rules (id, {rest}) \
         WITH RECURSIVE copies (turn) AS (SELECT 1 UNION ALL SELECT turn + 1 FROM copies WHERE turn < {}) \
         SELECT {id}, 'Copy', field, operator, value, points, active, version, created_at, updated_at \
         FROM scoring_rules, copies",
        MOST - 4
    );
    server.database.connect().await.run(&copies).await;
    the_last_are_made(&admin, "/scoring-rules", &form, 3).await;
    assert_eq!(count(&admin, "/scoring-rules?limit=100").await, MOST);
    server.database.connect().await.run("DELETE FROM scoring_rules WHERE name = 'Copy'").await;
}
