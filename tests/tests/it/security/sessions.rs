//! API2: refresh tokens work once, but for a lost answer, and a session that ended is over for all its tokens.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::Connection;

use crate::support::{Answer, Client, Company, Database, Kind, PASSWORD, Server};

on_both_databases! {
    a_refresh_token_works_once;
    a_stolen_refresh_token_ends_the_session;
    a_lost_answer_is_given_again;
    a_used_token_renews_for_a_minute;
    tabs_that_renew_at_once_all_go_on;
    no_tab_comes_after_another_went_on;
    a_renewal_comes_before_a_repetition_or_after_it;
    logging_out_ends_the_session;
    sessions_are_listed_and_ended_by_their_owner;
    other_things_are_no_refresh_tokens;
    refresh_tokens_are_kept_as_hashes;
    a_session_has_its_end;
}

async fn renew(client: &Client, token: &str) -> Answer {
    client.post("/auth/refresh", json!({"refresh_token": token})).await
}

/// The client after a renewal.
async fn renewed(client: &Client) -> Client {
    let pair = renew(client, client.refresh_token.as_ref().unwrap()).await.expect(200);
    with_pair(client, &pair)
}

fn with_pair(client: &Client, pair: &Answer) -> Client {
    let mut next = client.with_token(&pair.text_of("access_token"));
    next.refresh_token = Some(pair.text_of("refresh_token"));
    next
}

/// The session of this client.
async fn current(client: &Client) -> Value {
    let sessions = client.get("/auth/sessions").await.expect(200).body["data"].clone();
    let sessions = sessions.as_array().unwrap().clone();
    sessions.into_iter().find(|session| session["current"] == true).unwrap()
}

/// How many sessions were ended because a refresh token came again.
async fn revoked(company: &Company) -> usize {
    let trail = company.admin.client.get("/audit-events?action=session.revoked").await.expect(200);
    trail.body["data"].as_array().unwrap().len()
}

/// Fails unless the session of this client is over for both of its tokens.
async fn expect_over(client: &Client) {
    client.get("/me").await.refused(401, "unauthenticated");
    let form = json!({"kind": "company", "name": "Too late"});
    client.post("/customers", form).await.refused(401, "unauthenticated");
    renew(client, client.refresh_token.as_ref().unwrap()).await.refused(401, "invalid_refresh_token");
}

async fn a_refresh_token_works_once(server: Server) {
    let company = Company::found(&server).await;
    let first = server.login(&company.rep.email, PASSWORD).await;
    let second = renewed(&first).await;
    assert_ne!(first.refresh_token, second.refresh_token);
    assert_ne!(first.token, second.token);
    second.get("/me").await.expect(200);
    let third = renewed(&second).await;
    third.get("/me").await.expect(200);
    // It is one session all the time.
    let sessions = third.get("/auth/sessions").await.expect(200).body;
    assert_eq!(sessions["data"].as_array().unwrap().len(), 2);
}

async fn a_stolen_refresh_token_ends_the_session(server: Server) {
    let company = Company::found(&server).await;
    let first = server.login(&company.rep.email, PASSWORD).await;
    let second = renewed(&first).await;
    let third = renewed(&second).await;
    renew(&first, first.refresh_token.as_ref().unwrap()).await.refused(401, "invalid_refresh_token");
    for client in [&third, &second, &first] {
        expect_over(client).await;
    }
    // The others of the same user and of other users go on.
    company.rep.client.get("/me").await.expect(200);
    renewed(&company.colleague.client).await;
    assert_eq!(revoked(&company).await, 1);
}

async fn a_lost_answer_is_given_again(server: Server) {
    let company = Company::found(&server).await;
    let first = server.login(&company.rep.email, PASSWORD).await;
    let lost = renewed(&first).await;
    let got = renewed(&first).await;
    assert_ne!(lost.refresh_token, got.refresh_token);
    assert_ne!(lost.token, got.token);
    for client in [&lost, &got] {
        client.get("/me").await.expect(200);
        renewed(client).await.get("/me").await.expect(200);
    }
    // So it is where the answer to that is lost as well, and it is one session all the time.
    let next = renewed(&got).await;
    let sessions = next.get("/auth/sessions").await.expect(200).body;
    assert_eq!(sessions["data"].as_array().unwrap().len(), 2);
    assert_eq!(revoked(&company).await, 0);
}

async fn a_used_token_renews_for_a_minute(server: Server) {
    let company = Company::found(&server).await;
    let first = server.login(&company.rep.email, PASSWORD).await;
    let session = current(&first).await["id"].as_str().unwrap().to_owned();
    let used_ago = async |seconds| {
        let at = server.database.instant(-chrono::Duration::seconds(seconds));
        let age =
            format!("UPDATE refresh_tokens SET used_at = {at} WHERE session_id = $1 AND used_at IS NOT NULL");
        server.database.alter(&age, &session).await;
    };
    let lost = renewed(&first).await;
    used_ago(40).await;
    let got = renewed(&first).await;
    // The minute is that of the first use: to ask again does not make it longer.
    used_ago(60).await;
    let token = first.refresh_token.clone().unwrap();
    for answer in join_all((0..8).map(|_| renew(&first, &token))).await {
        answer.refused(401, "invalid_refresh_token");
    }
    for client in [&got, &lost, &first] {
        expect_over(client).await;
    }
    company.rep.client.get("/me").await.expect(200);
    assert_eq!(revoked(&company).await, 1);
}

async fn tabs_that_renew_at_once_all_go_on(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..5 {
        let client = server.login(&company.rep.email, PASSWORD).await;
        let mut tabs = join_all((0..4).map(|_| renewed(&client))).await;
        let tokens: BTreeSet<_> = tabs.iter().map(|tab| tab.refresh_token.clone()).collect();
        assert_eq!(tokens.len(), tabs.len(), "two tabs got one token");
        // Each goes on with its own pair: together, and one after the other.
        tabs = join_all(tabs.iter().map(renewed)).await;
        for tab in &mut tabs {
            *tab = renewed(tab).await;
        }
        for tab in &tabs {
            tab.get("/me").await.expect(200);
        }
    }
    assert_eq!(revoked(&company).await, 0);
}

async fn no_tab_comes_after_another_went_on(server: Server) {
    let company = Company::found(&server).await;
    let first = server.login(&company.rep.email, PASSWORD).await;
    let (one, other) = (renewed(&first).await, renewed(&first).await);
    let next = renewed(&other).await;
    renew(&first, first.refresh_token.as_ref().unwrap()).await.refused(401, "invalid_refresh_token");
    // Nobody can tell the owner from the thief: both are out.
    for client in [&next, &one, &other, &first] {
        expect_over(client).await;
    }
    assert_eq!(revoked(&company).await, 1);
}

async fn a_renewal_comes_before_a_repetition_or_after_it(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..10 {
        let first = server.login(&company.rep.email, PASSWORD).await;
        let second = renewed(&first).await;
        let (before, after) = (first.refresh_token.as_ref().unwrap(), second.refresh_token.as_ref().unwrap());
        let (repeated, next) = tokio::join!(renew(&first, before), renew(&second, after));
        let next = with_pair(&second, &next.expect(200));
        if repeated.status == 200 {
            for client in [&next, &with_pair(&first, &repeated)] {
                renewed(client).await.get("/me").await.expect(200);
            }
        } else {
            repeated.refused(401, "invalid_refresh_token");
            expect_over(&next).await;
        }
    }
}

async fn logging_out_ends_the_session(server: Server) {
    let company = Company::found(&server).await;
    let client = server.login(&company.rep.email, PASSWORD).await;
    client.act("/auth/logout").await.expect(204);
    expect_over(&client).await;
    client.act("/auth/logout").await.refused(401, "unauthenticated");
    company.rep.client.get("/me").await.expect(200);
}

async fn sessions_are_listed_and_ended_by_their_owner(server: Server) {
    let company = Company::found(&server).await;
    let other = server.login(&company.rep.email, PASSWORD).await;
    let list = |client: Client| async move {
        let sessions = client.get("/auth/sessions").await.expect(200).body["data"].clone();
        sessions.as_array().unwrap().clone()
    };
    let end = |client: &Client, id: &Value| {
        let request = client.request(Method::DELETE, &format!("/auth/sessions/{}", id.as_str().unwrap()));
        let client = client.clone();
        async move { client.send(request).await }
    };
    let mine = list(company.rep.client.clone()).await;
    assert_eq!(mine.len(), 2);
    assert_eq!(mine.iter().filter(|session| session["current"] == true).count(), 1);
    let foreign = mine.iter().find(|session| session["current"] == false).unwrap()["id"].clone();

    // Sessions of others do not exist, not even for the administrator.
    for stranger in [&company.colleague, &company.manager, &company.admin] {
        end(&stranger.client, &foreign).await.refused(404, "not_found");
        assert!(list(stranger.client.clone()).await.iter().all(|session| session["id"] != foreign));
    }
    other.get("/me").await.expect(200);
    end(&company.rep.client, &foreign).await.expect(204);
    expect_over(&other).await;
    end(&company.rep.client, &foreign).await.refused(404, "not_found");
    assert_eq!(list(company.rep.client.clone()).await.len(), 1);
}

async fn other_things_are_no_refresh_tokens(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.rep.client;
    for token in ["x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "' OR '1'='1", "\u{0}"] {
        renew(client, token).await.refused(401, "invalid_refresh_token");
    }
    renew(client, "").await.refused(422, "validation_failed");
    renew(client, client.token.as_ref().unwrap()).await.refused(422, "validation_failed");
    renewed(client).await.get("/me").await.expect(200);
}

/// What the database has of refresh tokens.
async fn kept(database: &Database) -> BTreeSet<Vec<u8>> {
    const QUERY: &str = "SELECT hash FROM refresh_tokens";
    let rows: Vec<Vec<u8>> = match database.kind {
        Kind::Sqlite => {
            let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
            sqlx::query_scalar(QUERY).fetch_all(&mut connection).await.unwrap()
        }
        Kind::Postgres => {
            let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
            sqlx::query_scalar(QUERY).fetch_all(&mut connection).await.unwrap()
        }
    };
    rows.into_iter().collect()
}

async fn refresh_tokens_are_kept_as_hashes(server: Server) {
    let company = Company::found(&server).await;
    let mut client = server.login(&company.rep.email, PASSWORD).await;
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        let token = client.refresh_token.clone().unwrap();
        let secret = URL_SAFE_NO_PAD.decode(&token).unwrap();
        assert_eq!(secret.len(), 32, "a refresh token has 256 bits");
        let kept = kept(&server.database).await;
        assert!(kept.contains(Sha256::digest(&token).as_slice()), "it is known by its hash");
        assert!(!kept.contains(&secret) && !kept.contains(token.as_bytes()), "the token itself is kept");
        assert!(seen.insert(token), "a token came twice");
        client = renewed(&client).await;
    }
}

async fn a_session_has_its_end(server: Server) {
    let company = Company::found(&server).await;
    let first = server.login(&company.rep.email, PASSWORD).await;
    let session = current(&first).await;
    let id = session["id"].as_str().unwrap();
    // Renewing its tokens does not put it off.
    let second = renewed(&first).await;
    assert_eq!(current(&second).await["expires_at"], session["expires_at"]);
    let soon = server.database.instant(chrono::Duration::seconds(5));
    server.database.alter(&format!("UPDATE sessions SET expires_at = {soon} WHERE id = $1"), id).await;
    // No token outlives its session.
    let pair = renew(&second, second.refresh_token.as_ref().unwrap()).await.expect(200);
    let lasts = pair.body["expires_in"].as_u64().unwrap();
    assert!((1..=5).contains(&lasts), "{lasts} seconds");
    let third = with_pair(&second, &pair);
    third.get("/me").await.expect(200);
    tokio::time::sleep(Duration::from_secs(lasts + 1)).await;
    third.get("/me").await.refused(401, "unauthenticated");
    renew(&third, third.refresh_token.as_ref().unwrap()).await.refused(401, "invalid_refresh_token");
    // The other session of the same user goes on, and does not show it any more.
    let left = company.rep.client.get("/auth/sessions").await.expect(200).body;
    assert!(left["data"].as_array().unwrap().iter().all(|one| one["id"] != session["id"]), "{left}");
}
