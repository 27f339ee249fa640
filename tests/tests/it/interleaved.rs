//! Two things at the same moment, one held up in the middle until the other is done.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Kind, PASSWORD, Server};

on_both_databases! {
    a_login_does_not_outlive_the_password;
    nobody_logs_in_while_being_disabled;
    a_password_is_changed_by_whoever_knows_the_present_one;
    a_repeated_renewal_is_judged_by_what_came_before;
    what_is_opened_while_it_is_claimed_is_not_in_the_pool;
}

// On SQLite writers come one after the other.
#[test]
fn nobody_is_given_anything_while_being_disabled() {
    crate::support::run(Kind::Postgres, gifts_come_too_late);
}

// On SQLite writers come one after the other.
#[test]
fn nothing_goes_in_a_merge_while_somebody_is_asked_about_it() {
    crate::support::run(Kind::Postgres, questions_come_in_the_middle_of_a_merge);
}

// On SQLite writers come one after the other.
#[test]
fn a_contract_is_submitted_whose_customer_is_being_merged() {
    crate::support::run(Kind::Postgres, a_merge_comes_before_a_submission);
}

// Readers of SQLite wait for nobody.
#[test]
fn what_went_along_in_a_merge_is_found() {
    crate::support::run(Kind::Postgres, readers_come_in_the_middle_of_a_merge);
}

// On SQLite writers come one after the other.
#[test]
fn what_is_opened_while_it_is_merged_leads_on() {
    crate::support::run(Kind::Postgres, an_opening_comes_in_the_middle_of_a_merge);
}

// On SQLite writers come one after the other.
#[test]
fn what_is_noted_waits_for_what_it_is_about() {
    crate::support::run(Kind::Postgres, a_note_comes_beside_a_change);
}

fn post(client: &Client, path: &str, body: Value) -> tokio::task::JoinHandle<Answer> {
    let (client, path) = (client.clone(), path.to_owned());
    tokio::spawn(async move { client.post(&path, body).await })
}

fn get(client: &Client, path: &str) -> tokio::task::JoinHandle<Answer> {
    let (client, path) = (client.clone(), path.to_owned());
    tokio::spawn(async move { client.get(&path).await })
}

fn act(client: &Client, path: &str) -> tokio::task::JoinHandle<Answer> {
    let (client, path) = (client.clone(), path.to_owned());
    tokio::spawn(async move { client.act(&path).await })
}

/// Statements about a user: a question that locks them, and a change of their password to the one of another.
async fn of_user(server: &Server, company: &Company) -> (String, String) {
    let user = json!({
        "email": "other@example.com", "display_name": "Other", "roles": ["sales_rep"],
        "password": "another-password",
    });
    let other = company.admin.client.post("/users", user).await.expect(201).id();
    let (rep, other) = (server.database.id(&company.rep.id), server.database.id(&other));
    let question = format!(
        "SELECT 1 FROM users JOIN credentials ON credentials.user_id = users.id WHERE users.id = {rep}"
    );
    let change = format!(
        "UPDATE credentials SET password_hash = (SELECT password_hash FROM credentials WHERE user_id = {other}) \
         WHERE user_id = {rep}"
    );
    (question, change)
}

async fn a_login_does_not_outlive_the_password(server: Server) {
    let company = Company::found(&server).await;
    let (question, change) = of_user(&server, &company).await;
    let mut direct = server.database.connect().await;
    direct.hold(&question).await;
    let form = json!({"email": company.rep.email, "password": PASSWORD});
    let login = post(&server.anonymous(), "/auth/login", form);
    direct.until_somebody_waits().await;
    direct.run(&format!("{change}; COMMIT")).await;
    login.await.unwrap().refused(401, "invalid_credentials");
    server.login(&company.rep.email, "another-password").await.get("/me").await.expect(200);
}

async fn nobody_logs_in_while_being_disabled(server: Server) {
    let company = Company::found(&server).await;
    let (question, _) = of_user(&server, &company).await;
    let mut direct = server.database.connect().await;
    direct.hold(&question).await;
    let form = json!({"email": company.rep.email, "password": PASSWORD});
    let login = post(&server.anonymous(), "/auth/login", form.clone());
    direct.until_somebody_waits().await;
    let rep = server.database.id(&company.rep.id);
    let disable = format!(
        "UPDATE users SET status = 'disabled' WHERE id = {rep}; UPDATE organisation SET epoch = epoch + 1; COMMIT"
    );
    direct.run(&disable).await;
    server.database.note_altered();
    login.await.unwrap().refused(401, "invalid_credentials");
    server.anonymous().post("/auth/login", form).await.refused(401, "invalid_credentials");
}

async fn a_password_is_changed_by_whoever_knows_the_present_one(server: Server) {
    let company = Company::found(&server).await;
    let (question, change) = of_user(&server, &company).await;
    let mut direct = server.database.connect().await;
    direct.hold(&question).await;
    let form = json!({"current_password": PASSWORD, "new_password": "a-third-password"});
    let changed = post(&company.rep.client, "/me/change-password", form);
    direct.until_somebody_waits().await;
    direct.run(&format!("{change}; COMMIT")).await;
    let refused = changed.await.unwrap().refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "wrong_password", "{}", refused.text);
    server.login(&company.rep.email, "another-password").await.get("/me").await.expect(200);
}

/// Whoever uses a token holds its session: what it gave was used meanwhile.
async fn a_repeated_renewal_is_judged_by_what_came_before(server: Server) {
    let company = Company::found(&server).await;
    let client = server.login(&company.colleague.email, PASSWORD).await;
    let form = json!({"refresh_token": client.refresh_token});
    let pair = client.post("/auth/refresh", form.clone()).await.expect(200);
    let mut direct = server.database.connect().await;
    direct.hold("SELECT 1 FROM sessions").await;
    let repeated = post(&server.anonymous(), "/auth/refresh", form);
    direct.until_somebody_waits().await;
    let now = server.database.instant(chrono::Duration::zero());
    let next = format!("UPDATE refresh_tokens SET used_at = {now} WHERE parent_hash IS NOT NULL; COMMIT");
    direct.run(&next).await;
    repeated.await.unwrap().refused(401, "invalid_refresh_token");
    client.with_token(&pair.text_of("access_token")).get("/me").await.refused(401, "unauthenticated");
}

async fn gifts_come_too_late(server: Server) {
    let company = Company::found(&server).await;
    let lead = json!({"name": "Somebody", "source": "website"});
    let lead_for = async || company.marketing.client.post("/leads", lead.clone()).await.expect(201).id();
    let (assigned, claimed) = (lead_for().await, lead_for().await);
    let customer = company.pool_customer().await;
    let (manager, colleague) = (&company.manager.client, &company.colleague);
    let to_colleague = json!({"owner_id": colleague.id});
    for (table, id, action) in
        [("customers", &customer, "assign"), ("leads", &assigned, "assign"), ("leads", &claimed, "claim")]
    {
        let mut direct = server.database.connect().await;
        direct.hold(&format!("SELECT 1 FROM {table} WHERE id = '{id}'")).await;
        let path = format!("/{table}/{id}/{action}");
        let given = if action == "assign" {
            post(manager, &path, to_colleague.clone())
        } else {
            let colleague = server.login(&colleague.email, PASSWORD).await;
            act(&colleague, &path)
        };
        direct.until_somebody_waits().await;
        let account = format!("/users/{}", colleague.id);
        company
            .admin
            .client
            .post(&format!("{account}/disable"), json!({"keep_records": true}))
            .await
            .expect(200);
        direct.run("ROLLBACK").await;
        let (status, code) =
            if action == "assign" { (409, "owner_not_eligible") } else { (401, "unauthenticated") };
        given.await.unwrap().refused(status, code);
        company.admin.client.act(&format!("{account}/enable")).await.expect(200);
    }
    // Whoever has been disabled for long is refused as well.
    company
        .admin
        .client
        .post(&format!("/users/{}/disable", colleague.id), json!({"keep_records": true}))
        .await
        .expect(200);
    for path in [format!("/customers/{customer}/assign"), format!("/leads/{assigned}/assign")] {
        manager.post(&path, to_colleague.clone()).await.refused(409, "owner_not_eligible");
    }
}

async fn questions_come_in_the_middle_of_a_merge(server: Server) {
    let company = Company::found(&server).await;
    let Company { admin, rep, manager, .. } = &company;
    let mut stages = company.pipeline["stages"].clone();
    stages[1]["needs_approval"] = json!(true);
    let pipeline = format!("/pipelines/{}", company.pipeline["id"].as_str().unwrap());
    admin.client.patch(&pipeline, json!({"stages": stages})).await.expect(200);
    let contract = company.active(rep, "100.00", "by_invoice").await;
    let goes = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let invoice = company.invoice_draft(rep, &contract, "50.00").await;
    let form = json!({"name": "Press", "customer_id": goes, "amount": {"amount": "1.00", "currency": "CNY"}});
    let deal = rep.client.post("/opportunities", form).await.expect(201).id();
    let form = json!({"customer_id": goes, "name": "Zhang Wei"});
    let person = rep.client.post("/contacts", form).await.expect(201).id();
    let merge = format!("/customers/{}/merge", company.customer(rep).await);
    let merged = json!({"loser_id": goes});

    for (asks, form, subject, read) in [
        (format!("/invoices/{invoice}/submit"), json!({}), &invoice, "/invoices"),
        (
            format!("/opportunities/{deal}/advance"),
            json!({"stage_id": company.stage(1)}),
            &deal,
            "/opportunities",
        ),
    ] {
        let before = rep.client.get(&format!("{read}/{subject}")).await.expect(200).body;
        let mut direct = server.database.connect().await;
        direct.hold(&format!("SELECT 1 FROM contacts WHERE id = '{person}'")).await;
        let merging = post(&manager.client, &merge, merged.clone());
        direct.until_somebody_waits().await;
        rep.client.post(&asks, form).await.expect(200);
        direct.run("ROLLBACK").await;
        merging.await.unwrap().refused(409, "pending_approval");
        // It can be decided, and what was asked about is as it was.
        let rejected = json!({"comment": "Later"});
        let approval = format!("/approvals/{}/reject", company.pending(subject).await);
        manager.client.post(&approval, rejected).await.expect(200);
        let after = rep.client.get(&format!("{read}/{subject}")).await.expect(200).body;
        assert_eq!((&after["status"], &after["customer_id"]), (&before["status"], &json!(goes)), "{asks}");
    }
    manager.client.post(&merge, merged).await.expect(200);
}

async fn a_merge_comes_before_a_submission(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = format!("/contracts/{}", company.draft(&company.rep, "100.00", "by_contract").await);
    let goes = rep.get(&contract).await.expect(200).text_of("customer_id");
    let person =
        rep.post("/contacts", json!({"customer_id": goes, "name": "Zhang Wei"})).await.expect(201).id();
    let stays = company.customer(&company.rep).await;
    let mut direct = server.database.connect().await;
    direct.hold(&format!("SELECT 1 FROM contacts WHERE id = '{person}'")).await;
    let merge = format!("/customers/{stays}/merge");
    let merging = post(&company.manager.client, &merge, json!({"loser_id": goes}));
    direct.until_somebody_waits().await;
    let submitting = post(rep, &format!("{contract}/submit"), json!({}));
    direct.until_so_many_wait(2).await;
    direct.run("ROLLBACK").await;
    merging.await.unwrap().expect(200);
    let submitted = submitting.await.unwrap().expect(200).body;
    assert_eq!(
        (&submitted["status"], &submitted["customer_id"]),
        (&json!("pending_approval"), &json!(stays))
    );
}

/// Statements by which records go to another customer.
fn moves(parts: &[(&str, String)], to: &str) -> String {
    let each = parts
        .iter()
        .map(|(table, id)| format!("UPDATE {table} SET customer_id = '{to}' WHERE id = '{id}'; "));
    each.collect()
}

/// What a merge does, so far as readers look. What was deleted is kept aside.
fn merge(goes: &str, stays: &str, moved: &str) -> String {
    format!(
        "CREATE TABLE gone AS SELECT * FROM customers WHERE id = '{goes}'; {moved} \
         INSERT INTO merges (loser_id, record_kind, survivor_id, merged_at) \
         VALUES ('{goes}', 'customer', '{stays}', now()); \
         DELETE FROM customers WHERE id = '{goes}'; COMMIT"
    )
}

/// What undoes that.
fn parting(back: &str) -> String {
    format!("INSERT INTO customers SELECT * FROM gone; {back} DELETE FROM merges; DROP TABLE gone")
}

/// Whoever sees a customer in the pool masked opens it, and waits for whoever changes it.
async fn an_opening_comes_in_the_middle_of_a_merge(server: Server) {
    let company = Company::found(&server).await;
    let (stays, goes) = (company.pool_customer().await, company.pool_customer().await);
    let form = json!({"customer_id": goes, "name": "Zhang Wei"});
    let parts = [("contacts", company.admin.client.post("/contacts", form).await.expect(201).id())];
    let mut direct = server.database.connect().await;
    let customer = format!("/customers/{goes}");
    let contact = format!("/contacts/{}", parts[0].1);
    // The client goes where it is led.
    let in_pool = format!("/public-pool{customer}");
    for (who, path, tells) in [
        (&company.rep, customer, "id"),
        (&company.rep, in_pool.clone(), "id"),
        (&company.marketing, in_pool, "id"),
        (&company.rep, contact, "customer_id"),
    ] {
        direct.hold(&format!("SELECT 1 FROM customers WHERE id = '{goes}'")).await;
        let opening = get(&who.client, &path);
        direct.until_somebody_waits().await;
        direct.run(&merge(&goes, &stays, &moves(&parts, &stays))).await;
        assert_eq!(opening.await.unwrap().expect(200).body[tells], json!(stays), "{path}");
        direct.run(&parting(&moves(&parts, &goes))).await;
    }
}

/// What was in the pool when it was looked at belongs to somebody when it is opened: neither whole nor masked is it shown
/// to those who do not see it, and in the pool it is shown to nobody.
async fn what_is_opened_while_it_is_claimed_is_not_in_the_pool(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, marketing, .. } = &company;
    for (who, place, claims, status) in [
        (marketing, "/public-pool/customers", colleague, 404),
        (rep, "/public-pool/customers", colleague, 404),
        (rep, "/public-pool/customers", rep, 404),
        (rep, "/customers", colleague, 404),
        (rep, "/customers", rep, 200),
    ] {
        let customer = company.pool_customer().await;
        let mut direct = server.database.connect().await;
        let id = server.database.id(&customer);
        direct.hold(&format!("SELECT 1 FROM customers WHERE id = {id}")).await;
        let claiming = act(&claims.client, &format!("/public-pool/customers/{customer}/claim"));
        direct.until_somebody_waits().await;
        let opening = get(&who.client, &format!("{place}/{customer}"));
        direct.until_so_many_wait(2).await;
        direct.run("ROLLBACK").await;
        claiming.await.unwrap().expect(200);
        let opened = opening.await.unwrap();
        assert_eq!(opened.status, status, "{place} of {}: {}", who.email, opened.text);
    }
}

async fn readers_come_in_the_middle_of_a_merge(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let (stays, goes) = (company.customer(&company.rep).await, company.customer(&company.rep).await);
    let mut parts = Vec::new();
    for (table, form) in [
        ("contacts", json!({"customer_id": goes, "name": "Zhang Wei"})),
        ("collaborators", json!({"customer_id": goes, "user_id": company.other_rep.id, "access": "read"})),
        (
            "activities",
            json!({"about": {"kind": "customer", "id": goes}, "kind": "call", "subject": "Called"}),
        ),
    ] {
        parts.push((table, rep.post(&format!("/{table}"), form).await.expect(201).id()));
    }
    let moved = |to: &str| moves(&parts, to);
    let mut direct = server.database.connect().await;
    for (table, id) in &parts {
        direct.run("BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE").await;
        let (client, path) = (rep.clone(), format!("/{table}/{id}"));
        let reading = tokio::spawn(async move { client.get(&path).await });
        direct.until_somebody_waits().await;
        direct.run(&merge(&goes, &stays, &moved(&stays))).await;
        let found = reading.await.unwrap().expect(200);
        assert_eq!(found.body["customer_id"], json!(stays), "{table}");
        direct.run(&parting(&moved(&goes))).await;
    }
}

/// Whoever has what an activity is about deletes it, perhaps.
async fn a_note_comes_beside_a_change(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let customer = company.customer(&company.rep).await;
    let person = json!({"customer_id": customer, "name": "Zhang Wei"});
    let person = rep.post("/contacts", person).await.expect(201).id();
    let deal = json!({"customer_id": customer, "name": "Pumps"});
    let deal = rep.post("/opportunities", deal).await.expect(201).id();
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    for (kind, table, id) in [
        ("contact", "contacts", person),
        ("opportunity", "opportunities", deal),
        ("contract", "contracts", contract),
    ] {
        let mut direct = server.database.connect().await;
        direct.hold(&format!("SELECT 1 FROM {table} WHERE id = '{id}'")).await;
        let form = json!({"about": {"kind": kind, "id": id}, "kind": "call", "subject": "Called"});
        let noted = post(rep, "/activities", form);
        direct.until_somebody_waits().await;
        direct.run("ROLLBACK").await;
        noted.await.unwrap().expect(201);
    }
}
