//! How a database comes to be: by migrations, all or none, and by the demo's seeding.

use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};

use serde_json::json;

use crate::support::{Company, Database, Kind, PASSWORD, Server, command, until};

on_both_databases! {
    a_migration_happens_as_a_whole;
    heavy_several_start_on_a_new_database;
    heavy_a_demo_is_whole_or_refused;
    a_mistyped_database_is_not_made;
    what_nobody_asks_for_again_is_forgotten;
}

#[test]
fn a_database_of_another_locale_is_refused() {
    crate::support::run(Kind::Postgres, other_locales_are_refused);
}

const TABLES: [(&str, Kind); 2] = [
    ("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", Kind::Sqlite),
    ("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'", Kind::Postgres),
];

async fn tables(database: &Database) -> i64 {
    let (question, _) = TABLES.into_iter().find(|(_, kind)| *kind == database.kind).unwrap();
    database.connect().await.number(question).await
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An empty database.
async fn empty(kind: Kind) -> Database {
    let database = Database::create(kind).await;
    if kind == Kind::Sqlite {
        std::fs::write(database.folder().join("fairlead.db"), "").unwrap();
    }
    database
}

/// A migration that fails in its last statements, or is killed there, leaves nothing behind.
async fn a_migration_happens_as_a_whole(server: Server) {
    let database = empty(server.database.kind).await;
    database.connect().await.run("CREATE TABLE idempotency_keys (id BIGINT)").await;
    let failed = command(&database, &["migrate"]).output().await.unwrap();
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    assert_eq!(tables(&database).await, 1, "{}", said(&failed));

    database.connect().await.run("DROP TABLE idempotency_keys").await;
    let done = command(&database, &["migrate"]).output().await.unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let status = command(&database, &["migrate", "--status"]).output().await.unwrap();
    assert!(status.status.success() && !said(&status).contains("pending"), "{}", said(&status));
}

/// Servers that are started together on a new database agree on who makes it.
async fn heavy_several_start_on_a_new_database(server: Server) {
    for _ in 0..5 {
        let database = Database::create(server.database.kind).await;
        let migrations: Vec<_> =
            (0..6).map(|_| tokio::spawn(command(&database, &["migrate"]).output())).collect();
        let mut applied = 0;
        for migration in migrations {
            let output = migration.await.unwrap().unwrap();
            assert!(output.status.success(), "{}", said(&output));
            applied += usize::from(said(&output).contains("applied"));
        }
        assert_eq!(applied, 1);
        let mut direct = database.connect().await;
        assert_eq!(direct.number("SELECT count(*) FROM signing_keys").await, 1);
        assert_eq!(direct.number("SELECT count(DISTINCT key) - count(*) FROM roles").await, 0);
        let verified = command(&database, &["verify"]).output().await.unwrap();
        assert!(verified.status.success(), "{}", said(&verified));
    }
}

/// What a demo prints before it serves, or with what it ends.
async fn demo(database: &Database) -> Result<String, String> {
    let mut serve = command(database, &["serve", "--demo", "--address", "127.0.0.1:0"]);
    let mut process =
        serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut printed = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("listening on ") {
            process.kill().await.unwrap();
            return Ok(printed);
        }
        printed.push_str(&line);
        printed.push('\n');
    }
    let ended = process.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", said(&ended));
    Err(said(&ended))
}

async fn heavy_a_demo_is_whole_or_refused(server: Server) {
    let account = "admin@demo.fairlead.example";
    // The server's own database never was a demo.
    let printed = demo(&server.database).await.unwrap();
    assert!(printed.contains("no demo") && !printed.contains(account), "{printed}");

    let database = empty(server.database.kind).await;
    let migrated = command(&database, &["migrate"]).output().await.unwrap();
    assert!(migrated.status.success(), "{}", said(&migrated));
    let mut seeding = command(&database, &["seed", "--demo"]).stdout(Stdio::null()).spawn().unwrap();
    let (mut direct, begun) = (database.connect().await, Instant::now());
    while direct.number("SELECT count(*) FROM users").await < 3 {
        assert!(begun.elapsed() < Duration::from_mins(1), "nobody is hired");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    seeding.kill().await.unwrap();
    let refused = demo(&database).await.unwrap_err();
    assert!(refused.contains("only a part of the demo") && refused.contains("Remove"), "{refused}");
    let again = command(&database, &["seed", "--demo"]).output().await.unwrap();
    assert!(!again.status.success() && said(&again).contains("only a part of the demo"), "{}", said(&again));

    let database = Database::create(server.database.kind).await;
    for _ in 0..2 {
        let printed = demo(&database).await.unwrap();
        assert!(printed.contains("Demo accounts") && printed.contains(account), "{printed}");
        assert!(!printed.contains(PASSWORD), "{printed}");
    }
}

/// There texts would be sorted and found otherwise than on SQLite. A machine with no locale but C has only the encoding to
/// try this with.
async fn other_locales_are_refused(server: Server) {
    let locales = "SELECT collcollate FROM pg_collation WHERE collprovider = 'c' AND collencoding = 6 \
                   AND collcollate NOT IN ('C', 'POSIX') ORDER BY collcollate LIMIT 3";
    let locales: Vec<String> =
        sqlx::query_scalar(locales).fetch_all(&mut server.database.cluster().await).await.unwrap();
    let locales =
        locales.iter().map(|locale| format!("ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE '{locale}'"));
    for locale in locales.chain(["ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'".to_owned()]) {
        let database = Database::create_from(Kind::Postgres, &format!("template0 {locale}")).await;
        let refused = command(&database, &["migrate"]).output().await.unwrap();
        assert_eq!(refused.status.code(), Some(1), "{locale}: {}", said(&refused));
        assert!(said(&refused).contains("--locale=C"), "{locale}: {}", said(&refused));
        assert_eq!(tables(&database).await, 0, "{locale}");
    }
}

/// Only what is to fill a database makes one.
async fn a_mistyped_database_is_not_made(server: Server) {
    let wrong = match server.database.kind {
        Kind::Sqlite => format!("sqlite:{}", server.database.folder().join("wrong.db").display()),
        Kind::Postgres => server.database.url.replace(server.database.name(), "fairlead_test_wrong"),
    };
    for arguments in [&["verify"][..], &["migrate", "--status"]] {
        let output = server.command(arguments).env("FAIRLEAD_DATABASE__URL", &wrong).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(!server.database.folder().join("wrong.db").exists(), "{}", said(&output));
    }
}

/// Idempotency keys after a day, sessions that are over with their tokens, and what web forms took before the last
/// hour. What is still good stays good.
async fn what_nobody_asks_for_again_is_forgotten(mut server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let lead = json!({"name": "Once", "source": "website"});
    let of_yesterday = rep.post_once("/leads", "yesterday", lead.clone()).await.expect(201).id();
    let of_today = rep.post_once("/leads", "today", lead.clone()).await.expect(201).id();
    let gone = server.login(&company.manager.email, PASSWORD).await;
    gone.act("/auth/logout").await.expect(204);

    let mut direct = server.database.connect().await;
    let age = format!(
        "UPDATE idempotency_keys SET created_at = {} WHERE key = 'yesterday'",
        server.database.ago(1, 1)
    );
    direct.run(&age).await;
    let tokens =
        "SELECT count(*) FROM refresh_tokens JOIN sessions ON sessions.id = session_id WHERE ended_at IS";
    let open = direct.number(&format!("{tokens} NULL")).await;
    assert!(direct.number(&format!("{tokens} NOT NULL")).await > 0 && open > 0);
    let sessions = "SELECT count(*) FROM sessions";
    let live = direct.number(&format!("{sessions} WHERE ended_at IS NULL")).await;
    let expired = server.login(&company.manager.email, PASSWORD).await;
    let theirs = expired.get("/auth/sessions").await.expect(200).body["data"].clone();
    let session = theirs.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
    let session = server.database.id(session["id"].as_str().unwrap());
    let past = server.database.ago(0, 2);
    direct.run(&format!("UPDATE sessions SET expires_at = {past} WHERE id = {session}")).await;
    let form = json!({"name": "Page", "fields": ["phone"]});
    let form = company.marketing.client.post("/lead-forms", form).await.expect(201).text_of("token");
    let submit = async |phone: &str| {
        let filled = json!({"name": "Zhang", "phone": phone});
        server.anonymous().post(&format!("/public/lead-forms/{form}"), filled).await.expect(202);
    };
    submit("13800138001").await;
    direct.run(&format!("UPDATE lead_form_submissions SET received_at = {past}")).await;
    submit("13800138002").await;

    server.stop().await;
    server.restart().await;
    until("old keys, sessions and submissions are forgotten", async || {
        let mut direct = server.database.connect().await;
        let keys = direct.number("SELECT count(*) FROM idempotency_keys WHERE key = 'yesterday'").await;
        let left = direct.number(&format!("{tokens} NOT NULL")).await;
        let over = direct.number(&format!("{sessions} WHERE ended_at IS NOT NULL OR id = {session}")).await;
        let submissions = direct.number("SELECT count(*) FROM lead_form_submissions").await;
        (keys == 0 && left == 0 && over == 0 && submissions == 1).then_some(())
    })
    .await;
    let mut direct = server.database.connect().await;
    assert_eq!(direct.number(&format!("{tokens} NULL")).await, open);
    assert_eq!(direct.number(sessions).await, live);

    let rep = rep.at(&server.url);
    assert_eq!(rep.post_once("/leads", "today", lead.clone()).await.expect(201).id(), of_today);
    assert_ne!(rep.post_once("/leads", "yesterday", lead).await.expect(201).id(), of_yesterday);
}
