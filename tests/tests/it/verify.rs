//! What `fairlead verify` finds: everything that was broken on purpose, and nothing beside a running server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{Company, Database, Kind, PASSWORD, Server, command, until};

on_both_databases! {
    whatever_is_broken_is_named;
    heavy_a_running_server_is_no_difference;
    it_can_be_asked_for_over_http;
    a_checkpoint_shows_what_a_chain_does_not;
    what_follows_from_records_is_written_anew;
}

/// A check, and statements that break what it looks at.
const AS_TOLD: &str = "records are what the audit trail says";

const ABOUT: &str = "activities are about what is there";

const WITH_WHOM: &str = "requests are with whom their subjects are";

const IN_SEARCH: &str = "search knows every record as it is";
const STRAY: &str = "INSERT INTO search_entries (record_kind, record_id, title, words, contact_words) \
    SELECT 'lead', id, 'Nobody', 'nobody', '' FROM users";

const BROKEN: &[(&str, &str)] = &[
    (
        "contracts: invoices committed",
        "UPDATE contracts SET invoice_committed_minor = amount_minor \
        WHERE status = 'draft'",
    ),
    (
        "contracts: payments received",
        "UPDATE contracts SET received_minor = amount_minor WHERE status = 'draft'",
    ),
    (
        "contracts: installments of running contracts",
        "UPDATE installments SET amount_minor = amount_minor + 1",
    ),
    (
        "payments: allocations",
        "DELETE FROM allocations WHERE payment_id IN (SELECT id FROM payments \
        WHERE status = 'confirmed')",
    ),
    ("invoices: credit notes", "UPDATE credit_notes SET amount_minor = amount_minor + 1"),
    ("payments: refunds", "UPDATE refunds SET amount_minor = amount_minor + 1"),
    ("payments: allocations", "UPDATE allocations SET void = TRUE"),
    ("receipts: payments", "UPDATE receipts SET amount_minor = amount_minor + 1"),
    ("contracts: the amount is the approved one", "UPDATE amendments SET amount_minor = amount_minor + 1"),
    ("approvals agree with their subjects", "UPDATE amendments SET status = 'pending'"),
    (ABOUT, "UPDATE activities SET about_id = id WHERE about_kind = 'opportunity'"),
    (ABOUT, "UPDATE activities SET about_kind = 'contact' WHERE about_kind = 'lead'"),
    (
        ABOUT,
        "UPDATE contacts SET is_primary = FALSE, customer_id = (SELECT customer_id FROM contracts LIMIT 1)",
    ),
    (WITH_WHOM, "UPDATE approvals SET owner_id = NULL WHERE subject_kind = 'contract'"),
    (
        WITH_WHOM,
        "UPDATE approvals SET owner_id = (SELECT id FROM users WHERE email LIKE 'finance@%') \
        WHERE subject_kind = 'customer_change'",
    ),
    (
        WITH_WHOM,
        "UPDATE approvals SET subject_id = id WHERE subject_kind = 'invoice' AND status = 'approved'",
    ),
    (WITH_WHOM, "UPDATE customer_changes SET owner_id = NULL"),
    (
        "records wait for transfers that are pending",
        "UPDATE transfer_items SET pending = FALSE WHERE NOT included",
    ),
    (
        "records wait for transfers that are pending",
        "UPDATE customers SET owner_id = (SELECT id FROM users WHERE email LIKE 'finance@%') \
        WHERE id IN (SELECT record_id FROM transfer_items WHERE pending)",
    ),
    (
        "records wait for transfers that are pending",
        "UPDATE customers SET owner_id = NULL, pooled_at = created_at, locked = FALSE \
        WHERE id IN (SELECT record_id FROM transfer_items WHERE pending)",
    ),
    (WITH_WHOM, "UPDATE customer_changes SET owner_id = (SELECT id FROM users WHERE email LIKE 'finance@%')"),
    ("invoices and payments agree with their contract", "UPDATE refunds SET owner_id = created_by"),
    (
        "it is known where every record stands",
        "UPDATE standings SET owner_id = NULL WHERE record_kind = 'invoice'",
    ),
    ("it is known where every record stands", "DELETE FROM standings WHERE record_kind = 'contact'"),
    ("it is known where every record stands", "UPDATE standings SET with_id = NULL"),
    (
        "it is known where every record stands",
        "UPDATE standings SET about_id = with_id WHERE record_kind = 'activity'",
    ),
    ("it is known where every record stands", "UPDATE standings SET waiting_for = 'role:nobody'"),
    ("it is known where every record stands", "UPDATE standings SET persons = ''"),
    (IN_SEARCH, "UPDATE search_entries SET title = 'Another', number = NULL"),
    (IN_SEARCH, "UPDATE search_entries SET words = 'another' WHERE record_kind = 'opportunity'"),
    (IN_SEARCH, "UPDATE search_entries SET contact_words = '' WHERE contact_words <> ''"),
    (IN_SEARCH, "UPDATE search_entries SET record_kind = 'lead' WHERE record_kind = 'invoice'"),
    (IN_SEARCH, "DELETE FROM search_entries WHERE record_kind = 'payment'"),
    (IN_SEARCH, STRAY),
    (
        "idempotency keys have their answers",
        "INSERT INTO idempotency_keys (user_id, key, fingerprint, answer, created_at) \
        SELECT id, 'key', (SELECT secret FROM signing_keys), NULL, created_at FROM users LIMIT 1",
    ),
    (
        "installments and allocations are in their contract's currency",
        "UPDATE installments SET amount_currency = 'EUR', allocated_currency = 'EUR', paid_currency = 'EUR'",
    ),
    (
        "installments and allocations are in their contract's currency",
        "UPDATE allocations SET amount_currency = 'EUR'",
    ),
    (
        "invoices and payments agree with their contract",
        "UPDATE invoices SET owner_id = (SELECT id FROM users WHERE email LIKE 'finance@%')",
    ),
    (
        "invoices and payments agree with their contract",
        "UPDATE payments SET owner_id = (SELECT id FROM users WHERE email LIKE 'finance@%')",
    ),
    (
        "contracts: the amount is the approved one",
        "UPDATE approvals SET amount_minor = amount_minor + 1 WHERE subject_kind = 'contract'",
    ),
    (
        "contracts: the amount is the approved one",
        "UPDATE approvals SET amount_currency = 'EUR' WHERE subject_kind = 'contract'",
    ),
    (
        "what runs was approved",
        "UPDATE approvals SET status = 'withdrawn' \
        WHERE subject_kind = 'contract' AND status = 'approved'",
    ),
    (
        "what runs was approved",
        "UPDATE approvals SET status = 'withdrawn' \
        WHERE subject_kind = 'invoice' AND status = 'approved'",
    ),
    ("won opportunities have contracts", "UPDATE opportunities SET contract_id = NULL WHERE status = 'won'"),
    (
        "contracts are known to their opportunities",
        "UPDATE opportunities SET contract_id = NULL WHERE status = 'open' AND contract_id IS NOT NULL",
    ),
    (
        "open contracts have customers with owners",
        "UPDATE customers SET owner_id = NULL, pooled_at = created_at \
        WHERE id IN (SELECT customer_id FROM contracts WHERE status = 'draft')",
    ),
    (
        "open contracts have customers with owners",
        "UPDATE customers SET owner_id = NULL, pooled_at = created_at \
        WHERE id IN (SELECT customer_id FROM contracts WHERE status = 'active')",
    ),
    ("customers have an ownership history", "DELETE FROM ownership_history WHERE cause = 'created'"),
    ("somebody confirmed every confirmed payment", "UPDATE payments SET confirmed_by = NULL"),
    ("somebody confirmed every confirmed payment", "UPDATE payments SET confirmed_at = NULL"),
    ("terminated contracts have no open installments", "UPDATE installments SET closed = FALSE"),
    ("no number is ahead of its series", "UPDATE sequences SET value = value - 1 WHERE kind = 'CT'"),
    ("no number is ahead of its series", "DELETE FROM sequences WHERE kind = 'PY'"),
    (
        "no number is ahead of its series",
        "UPDATE invoices SET number = 'IV-1999-1000000' WHERE number = \
        (SELECT MAX(number) FROM invoices)",
    ),
    (
        "users have roles that exist",
        "UPDATE users SET roles = '[\"sales_rep\", \"wizard\"]' WHERE email LIKE 'finance@%'",
    ),
    (
        "deliveries are of webhooks, or will be removed",
        "INSERT INTO webhook_deliveries (id, webhook_id, event_id, event, occurred_at, status, attempts, version, created_at) \
        SELECT id, id, id, 'webhook.ping', created_at, 'delivered', 1, 1, created_at FROM users LIMIT 1",
    ),
    ("users have roles that exist", "DELETE FROM roles WHERE key = 'auditor'"),
    ("no team is below itself", "UPDATE teams SET parent_id = id WHERE parent_id IS NULL"),
    (
        "no team is below itself",
        "UPDATE teams SET parent_id = (SELECT lower.id FROM teams AS lower \
        WHERE lower.parent_id = teams.id LIMIT 1) WHERE parent_id IS NULL",
    ),
    (
        "opportunities are in stages of their pipeline",
        "UPDATE opportunities SET stage_id = id WHERE status = 'lost'",
    ),
    (
        "opportunities are in stages of their pipeline",
        "UPDATE opportunities SET returns_to_stage_id = id WHERE status = 'open' AND contract_id IS NOT NULL",
    ),
    ("opportunities are in stages of their pipeline", "UPDATE pipelines SET stages = '[]'"),
    ("tax invoice numbers are taken once", "DELETE FROM tax_invoice_numbers"),
    (
        "tax invoice numbers are taken once",
        "UPDATE credit_notes SET tax_invoice_key = (SELECT MIN(tax_invoice_key) FROM invoices)",
    ),
    (
        "refunds wait for payments that are confirmed",
        "UPDATE refunds SET status = 'recorded', \
        payment_id = (SELECT id FROM payments WHERE status = 'rejected' LIMIT 1)",
    ),
    ("attachments have their files", "UPDATE attachments SET size = size + 1"),
    (
        "contracts are worth their line items",
        "UPDATE contracts SET amount_minor = amount_minor + 1 WHERE status = 'completed'",
    ),
    (
        "opportunities are worth their line items",
        "UPDATE opportunities SET line_items = '[{\"product\": \"Pump\", \"quantity\": \"1\", \
        \"unit_price\": {\"amount\": \"0.01\", \"currency\": \"CNY\"}}]'",
    ),
    ("opportunities are worth their line items", "UPDATE opportunities SET line_items = '[{}]'"),
    ("approvals have their decisions", "DELETE FROM approval_decisions WHERE step = 1"),
    ("approvals have their decisions", "UPDATE approval_decisions SET outcome = 'rejected' WHERE step = 0"),
    (
        "approvals have their decisions",
        "UPDATE approval_decisions SET user_id = \
        (SELECT id FROM users WHERE email LIKE 'auditor@%') WHERE step = 0",
    ),
    (
        "approvals have their decisions",
        "INSERT INTO approval_decisions (id, approval_id, step, seat, user_id, outcome, void, decided_at) \
        SELECT id, id, 7, id, requester_id, 'approved', FALSE, created_at FROM approvals WHERE status = 'pending'",
    ),
    ("approvals have their decisions", "UPDATE approvals SET steps = '{}' WHERE status = 'pending'"),
    ("the outbox agrees with the audit trail", "DELETE FROM outbox WHERE sequence = 9"),
    (
        "the outbox agrees with the audit trail",
        "UPDATE outbox SET event = 'lead.converted' WHERE sequence = 9",
    ),
    (
        "the outbox agrees with the audit trail",
        "UPDATE outbox SET record_kind = 'payment' WHERE sequence = 9",
    ),
    ("the outbox agrees with the audit trail", "UPDATE outbox SET record_id = id WHERE sequence = 9"),
    (
        "the outbox agrees with the audit trail",
        "INSERT INTO outbox SELECT sequence + 1000000, id, occurred_at, event, \
        record_kind, record_id, data FROM outbox WHERE sequence = 9",
    ),
    (
        "the audit trail ends where its head says",
        "UPDATE audit_head SET sequence = sequence - 1, hash = \
        (SELECT previous_hash FROM audit_events WHERE audit_events.sequence = audit_head.sequence)",
    ),
    (
        "the audit trail ends where its head says",
        "DELETE FROM audit_events; DELETE FROM outbox; \
        UPDATE audit_head SET sequence = 0, hash = ''",
    ),
    ("audit trail", "UPDATE audit_events SET changes = 'not JSON' WHERE sequence = 9"),
    ("audit trail", "UPDATE audit_events SET changes = '{}' WHERE changes <> '{}'"),
    ("audit trail", "UPDATE audit_events SET record_kind = 'dragon' WHERE sequence = 9"),
    ("audit trail", "UPDATE audit_events SET actor_id = record_id WHERE sequence = 9"),
    ("audit trail", "DELETE FROM audit_events WHERE sequence = 9"),
    ("audit trail", "DELETE FROM audit_events WHERE sequence = (SELECT sequence FROM audit_head)"),
    (
        "audit trail",
        "UPDATE audit_events SET sequence = -1 WHERE sequence = 9; UPDATE audit_events SET sequence = 9 WHERE sequence = 10; \
        UPDATE audit_events SET sequence = 10 WHERE sequence = -1",
    ),
    ("audit trail", "UPDATE audit_head SET hash = 'other'"),
    ("audit trail", "DELETE FROM audit_head"),
    (AS_TOLD, "UPDATE credit_notes SET tax_minor = amount_minor"),
    (AS_TOLD, "UPDATE payments SET received_on = '2020-01-01'"),
    (AS_TOLD, "UPDATE payments SET labels = '[\"commission settled\"]'"),
    (AS_TOLD, "UPDATE invoices SET tax_rate = 0"),
    (AS_TOLD, "UPDATE approvals SET requester_id = (SELECT id FROM users WHERE email LIKE 'auditor@%')"),
    (AS_TOLD, "UPDATE attachments SET sha256 = 'other'"),
    (AS_TOLD, "UPDATE receipts SET amount_minor = amount_minor + 1 WHERE status = 'open'"),
    (AS_TOLD, "UPDATE customers SET lifecycle = 'dormant'"),
    (AS_TOLD, "UPDATE contracts SET signed_on = '2020-01-01' WHERE status = 'active'"),
    (AS_TOLD, "UPDATE approval_flows SET steps = '[]'"),
    (AS_TOLD, "UPDATE teams SET name = 'Another'"),
    (AS_TOLD, "UPDATE leads SET name = 'Somebody else'"),
    (AS_TOLD, "DELETE FROM activities"),
    (AS_TOLD, "UPDATE users SET email_key = 'thief@example.com' WHERE email LIKE 'admin@%'"),
    (AS_TOLD, "UPDATE customers SET name_key = 'OTHER'"),
    (
        "records were made by Fairlead",
        "INSERT INTO teams (id, name, version, created_at, updated_at) \
        SELECT ownership_history.id, 'Another', 1, customers.created_at, customers.created_at \
        FROM ownership_history, customers LIMIT 1",
    ),
];

const LOOKED_UP: &str = "search looks words up as they are known";

/// What PostgreSQL does not let anybody break.
const BROKEN_ON_SQLITE: &[(&str, &str)] = &[
    (LOOKED_UP, "INSERT INTO search_index (search_index) VALUES ('delete-all')"),
    (
        LOOKED_UP,
        "INSERT INTO search_index (rowid, words, contact_words) SELECT MIN(id), 'another', '' FROM search_entries",
    ),
    ("foreign keys", "PRAGMA foreign_keys = OFF; DELETE FROM users WHERE email LIKE 'rep.%'"),
    ("the file is whole", "PRAGMA ignore_check_constraints = ON; UPDATE contracts SET amount_minor = -1"),
];

async fn verify(database: &Database) -> (bool, String) {
    verify_with(database, &[]).await
}

async fn verify_with(database: &Database, options: &[&str]) -> (bool, String) {
    let arguments: Vec<&str> = std::iter::once("verify").chain(options.iter().copied()).collect();
    let output = command(database, &arguments).output().await.unwrap();
    let (out, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), format!("{out}{log}"))
}

async fn whatever_is_broken_is_named(server: Server) {
    let kind = server.database.kind;
    let demo = Database::create(kind).await;
    let seeded = command(&demo, &["seed", "--demo"]).output().await.unwrap();
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    let (whole, report) = verify(&demo.copy().await).await;
    assert!(whole, "{report}");
    for line in report.lines().filter_map(|line| line.strip_prefix("checked  ")) {
        let (check, rows) = line.rsplit_once(' ').unwrap();
        let in_no_demo = check.starts_with("idempotency") || check.starts_with("deliveries");
        assert!(rows != "0" || in_no_demo, "{check} has nothing to look at");
    }

    let of_sqlite = if kind == Kind::Sqlite { BROKEN_ON_SQLITE } else { &[] };
    for (check, statements) in BROKEN.iter().chain(of_sqlite) {
        let copy = demo.copy().await;
        copy.connect().await.run(statements).await;
        let (whole, report) = verify(&copy).await;
        let named = report.lines().any(|line| line.starts_with(&format!("differs  {check}: ")));
        assert!(!whole && named, "{check} does not see {statements}:\n{report}");
    }
}

/// Whoever can write to the database cuts the end off, and everything agrees again; but not with what was signed before.
async fn a_checkpoint_shows_what_a_chain_does_not(server: Server) {
    const CUT: &str = "DELETE FROM outbox WHERE sequence > (SELECT sequence - 2 FROM audit_head); \
        DELETE FROM audit_events WHERE sequence > (SELECT sequence - 2 FROM audit_head); \
        UPDATE audit_head SET sequence = sequence - 2, hash = (SELECT hash FROM audit_events \
        WHERE audit_events.sequence = audit_head.sequence - 2)";
    const DIFFERS: &str = "differs  the audit trail has its checkpoint: ";
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let foreign = verify_with(&server.database, &["--checkpoint", &file("foreign")]).await;
    assert!(foreign.0, "{}", foreign.1);

    let mut server = Server::start(server.database.kind).await;
    let admin = server.admin().await;
    let (whole, report) = verify_with(&server.database, &["--checkpoint", &file("early")]).await;
    assert!(whole, "{report}");
    for _ in 0..2 {
        // A login is an event, and nothing else tells of it.
        server.admin().await;
    }
    let (early, late) = (file("early"), file("late"));
    let (whole, report) = verify_with(&server.database, &["--against", &early, "--checkpoint", &late]).await;
    assert!(whole && report.contains("checked  the audit trail has its checkpoint"), "{report}");
    // It is signed by the key of the tokens, and is none.
    let signed = std::fs::read_to_string(&late).unwrap();
    admin.with_token(signed.trim()).get("/me").await.refused(401, "unauthenticated");
    std::fs::write(file("token"), admin.token.as_ref().unwrap()).unwrap();
    let (body, _) = signed.rsplit_once('.').unwrap();
    std::fs::write(file("forged"), format!("{body}.{}", "A".repeat(86))).unwrap();
    server.stop().await;

    let cut = server.database.copy().await;
    cut.connect().await.run(CUT).await;
    let (_, report) = verify(&cut).await;
    assert!(!report.contains("differs  audit trail: "), "the chain alone shows it: {report}");
    let (whole, report) = verify_with(&cut, &["--against", &late, "--checkpoint", &file("never")]).await;
    let missing = report.lines().any(|line| line.starts_with(DIFFERS) && line.ends_with(" is missing"));
    assert!(!whole && missing, "{report}");
    assert!(!std::path::Path::new(&file("never")).exists(), "what differs is not signed");
    // What was cut off came after the earlier one.
    let (_, report) = verify_with(&cut, &["--against", &early]).await;
    assert!(!report.contains(DIFFERS), "{report}");

    let changed = server.database.copy().await;
    let newest = "UPDATE audit_events SET hash = 'other' WHERE sequence = (SELECT sequence FROM audit_head); \
                  UPDATE audit_head SET hash = 'other'";
    changed.connect().await.run(newest).await;
    let (whole, report) = verify_with(&changed, &["--against", &late]).await;
    let another = report.lines().any(|line| line.starts_with(DIFFERS) && line.ends_with(" is another one"));
    assert!(!whole && another, "{report}");
    for name in ["foreign", "forged", "token"] {
        let (whole, report) = verify_with(&changed, &["--against", &file(name)]).await;
        assert!(
            !whole && report.contains(&format!("{DIFFERS}no key of this database signed it")),
            "{name}: {report}"
        );
    }
    let (whole, report) = verify_with(&changed, &["--against", &file("nowhere")]).await;
    assert!(!whole && report.contains("cannot read the checkpoint"), "{report}");
}

/// Beside the server that runs, and without a trace: nobody sees that anything was wrong.
async fn what_follows_from_records_is_written_anew(server: Server) {
    const CLEAN: &str = "nothing to do: everything is as it should be";
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let form = json!({"kind": "company", "name": "Reindexed Machinery", "phone": "+86 21 5588 1234"});
    let customer = rep.post("/customers", form).await.expect(201);
    rep.post("/leads", json!({"name": "Reindexed Lead", "source": "website"})).await.expect(201);
    let contract = company.active(&company.rep, "100.00", "by_contract").await;
    company.paid(&company.rep, &contract, "40.00").await;
    let (database, kind) = (&server.database, server.database.kind);
    let reindex = async || {
        let output = command(database, &["reindex"]).output().await.unwrap();
        let (out, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{out}{log}");
        out.into_owned()
    };
    let found = async |q: &str| {
        let hits = rep.get(&format!("/search?q={q}")).await.expect(200).body;
        hits["data"].as_array().unwrap().len()
    };
    assert!(reindex().await.ends_with(&format!("{CLEAN}\n")));
    assert_eq!((found("reindexed").await, found("55881234").await), (2, 1));

    let mut direct = database.connect().await;
    direct.run("UPDATE search_entries SET words = 'other' WHERE record_kind = 'customer'").await;
    direct.run("UPDATE search_entries SET contact_words = '' WHERE record_kind = 'customer'").await;
    direct.run("DELETE FROM search_entries WHERE record_kind = 'payment'").await;
    direct.run("UPDATE search_entries SET record_kind = 'lead' WHERE record_kind = 'contract'").await;
    direct.run(STRAY).await;
    direct.run("UPDATE customers SET name_key = 'OTHER', phone_key = NULL").await;
    direct.run("UPDATE users SET email_key = 'other' || email_key").await;
    if kind == Kind::Sqlite {
        direct.run("INSERT INTO search_index (search_index) VALUES ('delete-all')").await;
    }
    assert_eq!(found("55881234").await, 0);
    let (whole, report) = verify(database).await;
    let of_sqlite: &[&str] = if kind == Kind::Sqlite { &[LOOKED_UP] } else { &[] };
    for check in [IN_SEARCH, AS_TOLD].iter().chain(of_sqlite) {
        let named = report.lines().any(|line| line.starts_with(&format!("differs  {check}: ")));
        assert!(!whole && named, "{check} sees nothing:\n{report}");
    }

    let said = reindex().await;
    assert!(said.contains("removed what search knew of "), "{said}");
    assert_eq!(said.contains("made the index of words anew"), kind == Kind::Sqlite, "{said}");
    let (whole, report) = verify(database).await;
    assert!(whole, "{report}");
    assert_eq!((found("reindexed").await, found("55881234").await), (2, 1));
    assert!(reindex().await.contains(CLEAN));
    // Records stay as they are, and can be changed as before.
    let path = format!("/customers/{}", customer.id());
    assert_eq!(rep.get(&path).await.expect(200).body["version"], customer.body["version"]);
    rep.patch(&path, json!({"name": "Renamed Machinery"})).await.expect(200);
    assert_eq!((found("reindexed").await, found("renamed").await), (1, 1));
    server.login(&company.rep.email, PASSWORD).await;
}

async fn it_can_be_asked_for_over_http(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "100.00", "by_contract").await;
    company.paid(&company.rep, &contract, "40.00").await;
    let run = async || {
        let id = company.admin.client.post("/verifications", json!({})).await.expect(202).id();
        until("the verification", async || {
            let job = company.admin.client.get(&format!("/jobs/{id}")).await.expect(200).body;
            (job["status"] == "finished").then_some(job)
        })
        .await
    };
    let clean = run().await;
    assert_eq!((&clean["kind"], &clean["failed"]), (&json!("verify"), &json!(0)));
    assert!(clean["examined"].as_i64().unwrap() > 50);
    let id = server.database.id(&contract);
    let tamper =
        |minor: &str| format!("UPDATE contracts SET paid_minor = paid_minor {minor} WHERE id = {id}");
    server.database.connect().await.run(&tamper("- 1")).await;
    let broken = run().await;
    assert_eq!(broken["failed"], 2);
    let items = company.admin.client.all(&format!("/jobs/{}/items", broken["id"].as_str().unwrap())).await;
    assert!(items.len() == 2 && items.iter().all(|item| item["outcome"] == "differs"), "{items:?}");
    for what in ["confirmed payments do not add up", "paid is not what its events say"] {
        assert!(items.iter().any(|item| item["detail"].as_str().unwrap().contains(what)), "{items:?}");
    }
    server.database.connect().await.run(&tamper("+ 1")).await;
}

async fn heavy_a_running_server_is_no_difference(server: Server) {
    let company = Company::found(&server).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (stop, rep) = (Arc::clone(&stop), company.rep.client.clone());
            tokio::spawn(async move {
                let mut written = 0;
                while !stop.load(Ordering::Relaxed) {
                    let lead = json!({"name": format!("Lead {writer} {written}"), "source": "website"});
                    rep.post("/leads", lead).await.expect(201);
                    written += 1;
                }
                written
            })
        })
        .collect();
    for _ in 0..10 {
        let (whole, report) = verify(&server.database).await;
        assert!(whole, "{report}");
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.unwrap() > 0);
    }
}
