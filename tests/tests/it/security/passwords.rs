//! API2: passwords cannot be guessed, fished for, or read from the database.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::Connection;

use crate::support::{Answer, Client, Company, Database, Kind, PASSWORD, Server};

on_both_databases! {
    a_login_does_not_tell_who_exists;
    guessing_is_slowed_down;
    guessing_at_many_accounts_is_slowed_down;
    guessing_at_once_counts_every_try;
    many_may_log_in_at_once;
    a_proxy_is_believed_and_nobody_before_it;
    a_network_counts_as_one_address;
    passwords_have_bounds;
    changing_a_password_takes_the_present_one;
    heavy_passwords_are_kept_as_strong_hashes;
    heavy_the_time_of_a_login_does_not_tell_who_exists;
    heavy_a_hundred_logins_keep_nobody_waiting;
}

async fn try_login(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/auth/login", json!({"email": email, "password": password})).await
}

/// The same through a proxy, which says from where it comes.
async fn try_login_from(client: &Client, from: &str, email: &str, password: &str) -> Answer {
    let request = client.request(reqwest::Method::POST, "/auth/login").header("x-forwarded-for", from);
    client.send(request.json(&json!({"email": email, "password": password}))).await
}

/// An answer without what differs from request to request.
fn plain(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    (answer.status, body, headers)
}

async fn a_login_does_not_tell_who_exists(server: Server) {
    let company = Company::found(&server).await;
    let nobody = server.anonymous();
    company
        .admin
        .client
        .post(&format!("/users/{}/disable", company.inner.id), json!({"keep_records": true}))
        .await
        .expect(200);
    let wrong = try_login(&nobody, &company.rep.email, "not the password").await;
    let wrong = wrong.refused(401, "invalid_credentials");
    for (email, password) in [
        ("nobody@example.com", "not the password"),
        ("nobody@example.com", PASSWORD),
        (company.inner.email.as_str(), PASSWORD),
        (company.inner.email.as_str(), "not the password"),
        (company.rep.email.as_str(), ""),
    ] {
        let answer = try_login(&nobody, email, password).await;
        assert_eq!(plain(&answer), plain(&wrong), "{email}");
        assert!(!answer.text.contains(email));
    }
}

async fn guessing_is_slowed_down(server: Server) {
    let company = Company::found(&server).await;
    let nobody = server.anonymous();
    // The same account, however it is written, and whether it exists or not.
    for email in [["rep@example.com", "REP@Example.COM"], ["nobody@example.com", "Nobody@example.com"]] {
        for at in 0..5 {
            try_login(&nobody, email[at % 2], "not the password").await.refused(401, "invalid_credentials");
        }
        for (at, password) in ["not the password", PASSWORD].into_iter().enumerate() {
            let late = try_login(&nobody, email[at], password).await.refused(429, "rate_limited");
            let wait: u64 = late.header("retry-after").parse().expect("Retry-After in seconds");
            assert!((1..=301).contains(&wait), "{wait}");
        }
    }
    // Others are not kept out by it, and who is in stays in.
    server.login(&company.colleague.email, PASSWORD).await;
    company.rep.client.get("/me").await.expect(200);
    // A success forgets the failures before it.
    for _ in 0..2 {
        for _ in 0..4 {
            let answer = try_login(&nobody, &company.colleague.email, "not the password").await;
            answer.refused(401, "invalid_credentials");
        }
        server.login(&company.colleague.email, PASSWORD).await;
    }
}

async fn guessing_at_many_accounts_is_slowed_down(server: Server) {
    let nobody = server.anonymous();
    let mut refused = 0;
    for at in 0..60 {
        // Nobody trusts this client about where it comes from.
        let form = json!({"email": format!("user{at}@example.com"), "password": "one for all"});
        let request = nobody.request(reqwest::Method::POST, "/auth/login").json(&form);
        let spoofed = request.header("x-forwarded-for", format!("203.0.113.{at}"));
        let answer = nobody.send(spoofed.header("forwarded", format!("for=203.0.113.{at}"))).await;
        refused += u32::from(answer.status == 429);
    }
    assert!(refused > 0, "60 accounts could be tried from one address");
}

/// What a client writes into the header stands before what the proxy adds to it.
async fn a_proxy_is_believed_and_nobody_before_it(server: Server) {
    let proxies = [("FAIRLEAD_HTTP__TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8")];
    let server = Server::start_with(server.database.kind, &proxies).await;
    let company = Company::found(&server).await;
    let nobody = server.anonymous();
    let mut refused = 0;
    for at in 0..60 {
        let from = format!("203.0.113.{at}, 198.51.100.7, 10.0.0.9");
        let answer = try_login_from(&nobody, &from, &format!("user{at}@example.com"), "one for all").await;
        refused += u32::from(answer.status == 429);
    }
    assert!(refused > 0, "60 accounts could be tried from one address, by a header that changed");
    // Whoever comes from elsewhere is not kept out by it, and is known by the address that the proxy saw.
    let pair = try_login_from(&nobody, "203.0.113.1, 198.51.100.8", &company.rep.email, PASSWORD).await;
    let client = nobody.with_token(&pair.expect(200).text_of("access_token"));
    let sessions = client.get("/auth/sessions").await.expect(200).body["data"].clone();
    let current = sessions.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
    assert_eq!(current["client"], "198.51.100.8");
}

/// Whoever has one address of IPv6 has as many as they like beside it.
async fn a_network_counts_as_one_address(server: Server) {
    let settings = [
        ("FAIRLEAD_HTTP__TRUSTED_PROXIES", "127.0.0.1"),
        // Enough for what follows, and too little for whoever asks again and again.
        ("FAIRLEAD_HTTP__REQUESTS_PER_MINUTE", "100"),
    ];
    let server = Server::start_with(server.database.kind, &settings).await;
    let company = Company::found(&server).await;
    let form = json!({"name": "Page", "fields": ["phone"], "required": ["phone"]});
    let form = company.marketing.client.post("/lead-forms", form).await.expect(201).text_of("token");
    let nobody = server.anonymous();
    let (mut refused, near) = (0, |network: u32, at: u32| format!("2001:db8:{network}::{at:x}"));
    for at in 0..60 {
        let email = format!("user{at}@example.com");
        let answer = try_login_from(&nobody, &near(1, at), &email, "one for all").await;
        refused += u32::from(answer.status == 429);
    }
    assert_eq!(refused, 10, "60 accounts could be tried from one network");
    // The form of a page takes ten from one sender.
    let mut taken = Vec::new();
    for at in 0..12 {
        let path = format!("/public/lead-forms/{form}");
        let request = nobody.request(reqwest::Method::POST, &path).header("x-forwarded-for", near(2, at));
        let body = json!({"name": "Zhang", "phone": format!("138001380{at:02}")});
        taken.push(nobody.send(request.json(&body)).await.status);
    }
    assert_eq!((&taken[..10], &taken[10..]), (&[202; 10][..], &[429; 2][..]));
    // Requests of whoever is not known are counted in the same way.
    let mut answers = Vec::new();
    for at in 0..200 {
        let request = nobody.request(reqwest::Method::GET, "/me").header("x-forwarded-for", near(3, at));
        answers.push(nobody.send(request).await.status);
    }
    assert!(answers.contains(&429), "a network has a budget for each of its addresses");
    // Neighbours are somebody else, and whoever is let in is known by the whole address.
    let pair = try_login_from(&nobody, &near(4, 0x77), &company.rep.email, PASSWORD).await.expect(200);
    let sessions = nobody.with_token(&pair.text_of("access_token")).get("/auth/sessions").await.expect(200);
    let rows = sessions.body["data"].as_array().unwrap().clone();
    let current = rows.iter().find(|session| session["current"] == true).unwrap();
    assert_eq!(current["client"], "2001:db8:4::77");
}

async fn guessing_at_once_counts_every_try(server: Server) {
    let company = Company::found(&server).await;
    let nobody = server.anonymous();
    let tries = (0..20).map(|_| try_login(&nobody, &company.rep.email, "not the password"));
    let answers = join_all(tries).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    // A throttle that counts afterwards lets all of them pass the check together.
    assert_eq!((count(401), count(429)), (5, 15));
}

/// Somebody's phone, tablet and three browsers wake up together: nobody guessed.
async fn many_may_log_in_at_once(server: Server) {
    let company = Company::found(&server).await;
    let nobody = server.anonymous();
    let tries = (0..60).map(|_| try_login(&nobody, &company.rep.email, PASSWORD));
    for answer in join_all(tries).await {
        answer.expect(200);
    }
    // One's own failures before it leave fewer places, and as many are let in.
    for _ in 0..4 {
        let wrong = try_login(&nobody, &company.colleague.email, "not the password").await;
        wrong.refused(401, "invalid_credentials");
    }
    let tries = (0..8).map(|_| try_login(&nobody, &company.colleague.email, PASSWORD));
    for answer in join_all(tries).await {
        answer.expect(200);
    }
}

async fn passwords_have_bounds(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let long = "字".repeat(200);
    let (too_short, too_long) = ("123456789", "x".repeat(201));
    for bad in ["", too_short, too_long.as_str()] {
        let user = json!({
            "email": "new@example.com", "display_name": "New", "roles": ["sales_rep"], "password": bad,
        });
        let set = format!("/users/{}/set-password", company.inner.id);
        let change = json!({"current_password": PASSWORD, "new_password": bad});
        for (answer, pointer) in [
            (admin.post("/users", user).await, "/password"),
            (admin.post(&set, json!({"password": bad})).await, "/password"),
            (company.rep.client.post("/me/change-password", change).await, "/new_password"),
        ] {
            let answer = answer.refused(422, "validation_failed");
            assert_eq!(answer.body["errors"][0]["pointer"], pointer);
            assert!(bad.is_empty() || !answer.text.contains(bad), "the answer repeats the password");
        }
    }
    server.login(&company.inner.email, PASSWORD).await;
    for good in ["0123456789", long.as_str()] {
        let set = format!("/users/{}/set-password", company.inner.id);
        admin.post(&set, json!({"password": good})).await.expect(200);
        server.login(&company.inner.email, good).await;
    }
}

async fn changing_a_password_takes_the_present_one(server: Server) {
    let company = Company::found(&server).await;
    let other = server.login(&company.rep.email, PASSWORD).await;
    let change = |from: &str, to: &str| json!({"current_password": from, "new_password": to});
    let client = &company.rep.client;
    let wrong = client.post("/me/change-password", change("not the password", "another-password")).await;
    wrong.refused(422, "validation_failed");
    other.get("/me").await.expect(200);
    client.post("/me/change-password", change(PASSWORD, "another-password")).await.expect(204);
    // The session that asked goes on, all others are over.
    client.get("/me").await.expect(200);
    other.get("/me").await.refused(401, "unauthenticated");
    try_login(&other, &company.rep.email, PASSWORD).await.refused(401, "invalid_credentials");
    server.login(&company.rep.email, "another-password").await;
    // Whoever found an open session guesses no faster than at the front door.
    for _ in 0..5 {
        client.post("/me/change-password", change("a guess at it", "another-password")).await.expect(422);
    }
    let late = client.post("/me/change-password", change("another-password", PASSWORD)).await;
    assert!(!late.refused(429, "rate_limited").header("retry-after").is_empty());
}

async fn hashes(database: &Database) -> Vec<String> {
    const QUERY: &str = "SELECT password_hash FROM credentials";
    match database.kind {
        Kind::Sqlite => {
            let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
            sqlx::query_scalar(QUERY).fetch_all(&mut connection).await.unwrap()
        }
        Kind::Postgres => {
            let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
            sqlx::query_scalar(QUERY).fetch_all(&mut connection).await.unwrap()
        }
    }
}

/// A server with the memory for passwords that it has when nobody says otherwise.
async fn as_delivered(kind: Kind) -> Server {
    Server::start_with(kind, &[("FAIRLEAD_AUTH__PASSWORD_MEMORY_KIB", "")]).await
}

async fn heavy_passwords_are_kept_as_strong_hashes(server: Server) {
    let server = as_delivered(server.database.kind).await;
    let admin = server.admin().await;
    let user = |email: &str| json!({"email": email, "display_name": "Twin", "roles": ["sales_rep"], "password": PASSWORD});
    admin.post("/users", user("one@example.com")).await.expect(201);
    admin.post("/users", user("two@example.com")).await.expect(201);
    let hashes = hashes(&server.database).await;
    assert_eq!(hashes.len(), 3);
    for hash in &hashes {
        assert!(!hash.contains(PASSWORD));
        let parts: Vec<&str> = hash.split('$').collect();
        assert_eq!(parts[1..3], ["argon2id", "v=19"], "{hash}");
        let number = |name: &str| {
            let found = parts[3].split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.unwrap().parse::<u32>().unwrap()
        };
        assert!(number("m") >= 47_104 && number("t") >= 1 && number("p") == 1, "{hash}");
        assert!(parts[4].len() >= 22 && parts[5].len() >= 43, "salt or hash is short: {hash}");
    }
    // The same password, and yet no two hashes are the same.
    assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
}

async fn heavy_the_time_of_a_login_does_not_tell_who_exists(server: Server) {
    let environment =
        [("FAIRLEAD_AUTH__PASSWORD_MEMORY_KIB", ""), ("FAIRLEAD_HTTP__TRUSTED_PROXIES", "127.0.0.1")];
    let server = Server::start_with(server.database.kind, &environment).await;
    let admin = server.admin().await;
    let nobody = server.anonymous();
    for at in 0..20 {
        let email = format!("known{at}@example.com");
        let user =
            json!({"email": email, "display_name": "Known", "roles": ["sales_rep"], "password": PASSWORD});
        admin.post("/users", user).await.expect(201);
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let mut gaps = Vec::new();
    // A few tries for each account, and each from somewhere else: the throttle answers faster than a hash. A busy machine
    // makes a gap now and then; one that is there stays, however often one looks.
    for round in 0..4 {
        for at in 0..20 {
            // By turns, so that whatever slows the machine down slows both.
            for (who, times) in [("known", &mut known), ("unknown", &mut unknown)] {
                let (from, email) = (format!("198.51.{round}.{at}"), format!("{who}{at}@example.com"));
                let begun = Instant::now();
                let answer = try_login_from(&nobody, &from, &email, "not the password").await;
                times.push(begun.elapsed());
                answer.refused(401, "invalid_credentials");
            }
        }
        let (known, unknown) = (median(&mut known), median(&mut unknown));
        // Without the hash for nobody, the one is many times the other.
        let gap = (known / unknown - 1.0).abs();
        if gap < 0.1 {
            return;
        }
        gaps.push(gap);
    }
    panic!("a login tells who exists: the times differ by {gaps:.3?}");
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

async fn heavy_a_hundred_logins_keep_nobody_waiting(server: Server) {
    let environment =
        [("FAIRLEAD_AUTH__PASSWORD_MEMORY_KIB", ""), ("FAIRLEAD_HTTP__TRUSTED_PROXIES", "127.0.0.1")];
    let server = Server::start_with(server.database.kind, &environment).await;
    let admin = server.admin().await;
    admin.get("/me").await.expect(200);
    let nobody = server.anonymous();
    let begun = Instant::now();
    let logins = (0..100).map(|at| {
        let nobody = nobody.clone();
        tokio::spawn(async move {
            let (from, email) = (format!("198.51.100.{at}"), format!("user{at}@example.com"));
            try_login_from(&nobody, &from, &email, "not the password").await
        })
    });
    let logins: Vec<_> = logins.collect();
    let mut waits = Vec::new();
    while logins.iter().any(|login| !login.is_finished()) {
        let asked = Instant::now();
        admin.get("/me").await.expect(200);
        waits.push(asked.elapsed());
    }
    let all = begun.elapsed();
    let mut looked_at = 0;
    for login in logins {
        let answer = login.await.unwrap();
        if answer.status == 401 {
            answer.refused(401, "invalid_credentials");
            looked_at += 1;
        } else {
            // A slow machine does not come to all of them in the ten seconds that one waits.
            assert!(answer.refused(503, "unavailable").header("retry-after").parse::<u64>().unwrap() >= 1);
        }
    }
    assert!(looked_at >= 10, "{looked_at} of a hundred passwords were looked at");
    waits.sort_unstable();
    assert!(waits.len() >= 10, "the logins took {all:?} only");
    let slow = waits[waits.len() * 99 / 100];
    // Passwords are hashed a few at a time, and not by those who answer: all of them take seconds.
    assert!(slow < Duration::from_millis(500) && slow < all / 4, "{slow:?}, while the logins took {all:?}");
}
