//! Stale rights: who was disabled, demoted or moved is judged by the new state from the very next request on,
//! whatever their token says.

use futures_util::future::join;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Company, PASSWORD, Person, Server};

on_both_databases! {
    a_disabled_user_is_out_at_once;
    a_demoted_user_is_demoted_at_once;
    whoever_changes_teams_sees_the_new_team_at_once;
    a_moved_team_moves_what_its_managers_see;
    an_edited_role_counts_at_once;
    a_password_set_by_an_administrator_ends_sessions;
    somebody_remains_who_can_manage_users;
    two_administrators_do_not_lock_each_other_out;
    an_answer_kept_under_a_key_takes_the_permission_still;
    whoever_sees_nothing_is_told_what_it_takes;
}

async fn a_disabled_user_is_out_at_once(server: Server) {
    let company = Company::found(&server).await;
    let (admin, rep) = (&company.admin.client, &company.rep.client);
    let second = server.login(&company.rep.email, PASSWORD).await;
    let lead = rep.post("/leads", json!({"name": "Mine", "source": "website"})).await.expect(201).id();
    for _ in 0..3 {
        // Warm: whatever the server remembers of a token, it remembers now.
        rep.get(&format!("/leads/{lead}")).await.expect(200);
    }
    admin
        .post(&format!("/users/{}/disable", company.rep.id), json!({"keep_records": true}))
        .await
        .expect(200);
    for client in [rep, &second] {
        client.get(&format!("/leads/{lead}")).await.refused(401, "unauthenticated");
        client.get("/leads").await.refused(401, "unauthenticated");
        client.get("/me").await.refused(401, "unauthenticated");
        client
            .post("/leads", json!({"name": "Late", "source": "website"}))
            .await
            .refused(401, "unauthenticated");
        let refresh = json!({"refresh_token": client.refresh_token});
        client.post("/auth/refresh", refresh).await.refused(401, "invalid_refresh_token");
    }
    let login = json!({"email": company.rep.email, "password": PASSWORD});
    server.anonymous().post("/auth/login", login).await.refused(401, "invalid_credentials");

    // Enabling lets them log in anew; what ended stays ended.
    admin.act(&format!("/users/{}/enable", company.rep.id)).await.expect(200);
    rep.get("/me").await.refused(401, "unauthenticated");
    server.login(&company.rep.email, PASSWORD).await.get(&format!("/leads/{lead}")).await.expect(200);
}

async fn change_user(admin: &Client, user: &Person, change: Value) {
    admin.patch(&format!("/users/{}", user.id), change).await.expect(200);
}

async fn a_demoted_user_is_demoted_at_once(server: Server) {
    let company = Company::found(&server).await;
    let (admin, director) = (&company.admin.client, &company.director);
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let path = format!("/contracts/{contract}");
    director.client.get(&path).await.expect(200);
    for (role, read, list, write) in [
        ("sales_rep", 404, 200, 404),
        ("auditor", 200, 200, 403),
        ("marketing", 404, 403, 404),
        ("sales_director", 200, 200, 200),
        ("finance", 200, 200, 403),
    ] {
        change_user(admin, director, json!({"roles": [role]})).await;
        let written = director.client.patch(&path, json!({"title": "Changed"})).await;
        assert_eq!(written.status, write, "{role}: {}", written.text);
        assert_eq!(director.client.get(&path).await.status, read, "{role}");
        assert_eq!(director.client.get("/contracts").await.status, list, "{role}");
        let me = director.client.get("/me").await.expect(200);
        assert_eq!(me.body["roles"], json!([role]));
    }
}

async fn whoever_changes_teams_sees_the_new_team_at_once(server: Server) {
    let company = Company::found(&server).await;
    let (admin, manager) = (&company.admin.client, &company.manager);
    let team = |who: &Person| {
        let client = who.client.clone();
        async move { client.get("/me").await.expect(200).body["team_id"].clone() }
    };
    let (east, south) = (team(&company.manager).await, team(&company.other_manager).await);
    let ours = format!("/customers/{}", company.customer(&company.rep).await);
    let theirs = format!("/customers/{}", company.customer(&company.other_rep).await);
    let sees = |one: u16, other: u16| {
        let (client, ours, theirs) = (manager.client.clone(), ours.clone(), theirs.clone());
        async move {
            assert_eq!((client.get(&ours).await.status, client.get(&theirs).await.status), (one, other));
            let total = client.get("/customers?total=true").await.expect(200).body["page"]["total"].clone();
            assert_eq!(total, (u16::from(one == 200) + u16::from(other == 200)).to_string());
        }
    };
    sees(200, 404).await;
    change_user(admin, manager, json!({"team_id": south})).await;
    sees(404, 200).await;
    change_user(admin, manager, json!({"team_id": null})).await;
    sees(404, 404).await;
    change_user(admin, manager, json!({"team_id": east})).await;
    sees(200, 404).await;
    // It is the owner's present team that counts.
    change_user(admin, &company.rep, json!({"team_id": south})).await;
    sees(404, 404).await;
    change_user(admin, &company.other_rep, json!({"team_id": east})).await;
    sees(404, 200).await;
}

async fn a_moved_team_moves_what_its_managers_see(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let path = format!("/customers/{}", company.customer(&company.inner).await);
    let inner = company.inner.client.get("/me").await.expect(200).body["team_id"].clone();
    let south = company.other_rep.client.get("/me").await.expect(200).body["team_id"].clone();
    company.manager.client.get(&path).await.expect(200);
    company.other_manager.client.get(&path).await.refused(404, "not_found");
    let team = format!("/teams/{}", inner.as_str().unwrap());
    admin.patch(&team, json!({"parent_id": south})).await.expect(200);
    company.manager.client.get(&path).await.refused(404, "not_found");
    company.other_manager.client.get(&path).await.expect(200);
}

async fn an_edited_role_counts_at_once(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let own = company.customer(&company.rep).await;
    let other = company.customer(&company.other_rep).await;
    let grant = |permission: &str, scope: &str| json!({"permission": permission, "scope": scope});
    let role = json!({
        "key": "helper", "name": "Helper",
        "grants": [grant("customers:read", "all"), grant("customers:update", "all")],
    });
    let role = format!("/roles/{}", admin.post("/roles", role).await.expect(201).id());
    change_user(admin, &company.rep, json!({"roles": ["helper"]})).await;
    let client = &company.rep.client;
    let (own, other) = (format!("/customers/{own}"), format!("/customers/{other}"));
    let note = || json!({"note": "Changed"});
    client.patch(&own, note()).await.expect(200);
    client.patch(&other, note()).await.expect(200);
    admin.patch(&role, json!({"grants": [grant("customers:read", "all")]})).await.expect(200);
    client.patch(&own, note()).await.refused(403, "forbidden");
    client.get(&other).await.expect(200);
    admin.patch(&role, json!({"grants": [grant("customers:read", "own")]})).await.expect(200);
    client.get(&other).await.refused(404, "not_found");
    client.get(&own).await.expect(200);
    admin.patch(&role, json!({"grants": []})).await.expect(200);
    client.get(&own).await.refused(404, "not_found");
    client.get("/customers").await.refused(403, "forbidden");
    client.get("/me").await.expect(200);
}

async fn a_password_set_by_an_administrator_ends_sessions(server: Server) {
    let company = Company::found(&server).await;
    let path = format!("/users/{}/set-password", company.rep.id);
    company.admin.client.post(&path, json!({"password": "another-password"})).await.expect(200);
    company.rep.client.get("/me").await.refused(401, "unauthenticated");
    let refresh = json!({"refresh_token": company.rep.client.refresh_token});
    company.rep.client.post("/auth/refresh", refresh).await.refused(401, "invalid_refresh_token");
    server.login(&company.rep.email, "another-password").await;
    company.colleague.client.get("/me").await.expect(200);
}

async fn somebody_remains_who_can_manage_users(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let me = format!("/users/{}", company.admin.id);
    let locked_out = |answer: crate::support::Answer| answer.refused(409, "last_administrator");
    locked_out(admin.post(&format!("{me}/disable"), json!({"keep_records": true})).await);
    locked_out(admin.patch(&me, json!({"roles": ["auditor"]})).await);
    // A second one who is disabled, or who manages less than everybody, is none.
    change_user(admin, &company.director, json!({"roles": ["admin"]})).await;
    admin
        .post(&format!("/users/{}/disable", company.director.id), json!({"keep_records": true}))
        .await
        .expect(200);
    locked_out(admin.post(&format!("{me}/disable"), json!({"keep_records": true})).await);
    let grant = |scope: &str| json!([{"permission": "users:manage", "scope": scope}]);
    let role = json!({"key": "keeper", "name": "Keeper", "grants": grant("own")});
    let role = format!("/roles/{}", admin.post("/roles", role).await.expect(201).id());
    change_user(admin, &company.manager, json!({"roles": ["keeper"]})).await;
    locked_out(admin.patch(&me, json!({"roles": ["auditor"]})).await);
    // Now there is one: the first may go, and the role that is left may not.
    admin.patch(&role, json!({"grants": grant("all")})).await.expect(200);
    admin.patch(&me, json!({"roles": ["admin", "keeper"]})).await.expect(200);
    let roles = json!({"grants": grant("all"), "name": "Keeper of users"});
    admin.patch(&role, roles).await.expect(200);
    change_user(admin, &company.manager, json!({"roles": ["keeper", "admin"]})).await;
    company.manager.client.post(&format!("{me}/disable"), json!({"keep_records": true})).await.expect(200);
    let last = format!("/users/{}", company.manager.id);
    locked_out(company.manager.client.post(&format!("{last}/disable"), json!({"keep_records": true})).await);
    company.manager.client.get("/users").await.expect(200);
}

async fn two_administrators_do_not_lock_each_other_out(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..10 {
        let admin = &server.admin().await;
        let id = admin.get("/me").await.expect(200).id();
        change_user(admin, &company.director, json!({"roles": ["admin"]})).await;
        let demote = |client: &Client, id: &str| {
            let (client, path) = (client.clone(), format!("/users/{id}"));
            async move { client.patch(&path, json!({"roles": ["auditor"]})).await }
        };
        let director = &company.director.client;
        let (one, other) = join(demote(admin, &company.director.id), demote(director, &id)).await;
        let wins = [&one, &other].into_iter().filter(|answer| answer.status == 200).count();
        assert_eq!(wins, 1, "{} {} / {} {}", one.status, one.text, other.status, other.text);
        let lost = if one.status == 200 { &other } else { &one };
        assert!(
            matches!(lost.body["code"].as_str(), Some("forbidden" | "last_administrator")),
            "{} {}",
            lost.status,
            lost.text
        );
        if other.status == 200 {
            let back = json!({"roles": ["admin"]});
            director.patch(&format!("/users/{id}"), back).await.expect(200);
        }
    }
}

async fn an_answer_kept_under_a_key_takes_the_permission_still(server: Server) {
    let company = Company::found(&server).await;
    let (admin, rep) = (&company.admin.client, &company.rep);
    let draft = company.draft(&company.rep, "100.00", "by_contract").await;
    let submit = format!("/contracts/{draft}/submit");
    rep.client.patch(&format!("/contracts/{draft}"), json!({"installments": []})).await.expect(200);
    let made =
        async || rep.client.post_once("/leads", "made", json!({"name": "Mine", "source": "website"})).await;
    let refused = async || {
        rep.client.send(rep.client.request(Method::POST, &submit).header("idempotency-key", "refused")).await
    };
    let (first, no) = (made().await.expect(201), refused().await.refused(409, "installments_mismatch"));
    for answer in [&first, &no] {
        assert_eq!(answer.header("idempotent-replayed"), "", "{}", answer.request);
    }
    // A refusal that is told again says so, as an answer does.
    let again = async || {
        let (same, no) = (made().await.expect(201), refused().await.refused(409, "installments_mismatch"));
        for answer in [&same, &no] {
            assert_eq!(answer.header("idempotent-replayed"), "true", "{}", answer.request);
        }
        assert_eq!(same.body, first.body);
    };
    again().await;
    change_user(admin, rep, json!({"roles": ["auditor"]})).await;
    for (answer, permission) in [(made().await, "leads:create"), (refused().await, "contracts:submit")] {
        let answer = answer.refused(403, "forbidden");
        assert_eq!(answer.body["permission"], permission);
        assert_eq!(answer.header("idempotent-replayed"), "");
    }
    change_user(admin, rep, json!({"roles": ["sales_rep"]})).await;
    again().await;
}

async fn whoever_sees_nothing_is_told_what_it_takes(server: Server) {
    let company = Company::found(&server).await;
    let (marketing, finance, rep) = (&company.marketing.client, &company.finance.client, &company.rep.client);
    for (client, path, permission) in [
        (marketing, "/approvals", "contracts:read"),
        (marketing, "/contracts", "contracts:read"),
        (finance, "/leads", "leads:read"),
        (finance, "/public-pool/customers", "pool:read"),
        (rep, "/audit-events", "audit:read"),
        (rep, "/users", "users:read"),
    ] {
        let answer = client.get(path).await.refused(403, "forbidden");
        assert_eq!(answer.body["permission"], permission, "{path}");
        assert!(answer.body["needed_scope"].is_string(), "{path}: {}", answer.text);
    }
}
