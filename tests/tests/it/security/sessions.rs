//! API2: refresh tokens work once, and a session that ended is over for all its tokens.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, PASSWORD, Server};

on_both_databases! {
    a_refresh_token_works_once;
    a_stolen_refresh_token_ends_the_session;
    of_concurrent_renewals_one_wins;
    logging_out_ends_the_session;
    sessions_are_listed_and_ended_by_their_owner;
    other_things_are_no_refresh_tokens;
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
    let trail = company.admin.client.get("/audit-events?action=session.revoked").await.expect(200);
    assert_eq!(trail.body["data"].as_array().unwrap().len(), 1);
}

async fn of_concurrent_renewals_one_wins(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..10 {
        let client = server.login(&company.rep.email, PASSWORD).await;
        let token = client.refresh_token.clone().unwrap();
        let answers = join_all((0..8).map(|_| renew(&client, &token))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "{} renewals won", won.len());
        for answer in lost {
            answer.refused(401, "invalid_refresh_token");
        }
        // Nobody can tell the owner from the thief: both are out.
        expect_over(&with_pair(&client, &won[0])).await;
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
