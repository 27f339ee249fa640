//! A `PATCH` that changes nothing writes nothing: no version, no event, nobody is told. It is judged like any other.

use serde_json::{Map, Value, json};

use crate::support::{Client, Company, PASSWORD, Server};

on_both_databases! {
    records_that_nothing_is_new_about_stay_as_they_are;
    configuration_that_nothing_is_new_about_stays_as_it_is;
    white_space_around_a_text_changes_nothing;
    what_changes_nothing_is_judged_like_any_other;
    what_happened_is_told_although_no_member_says_so;
}

/// How many events the trail has about a record.
async fn events(company: &Company, id: &str) -> usize {
    company.auditor.client.all(&format!("/audit-events?record_id={id}")).await.len()
}

/// Patches a record with nothing, and with members as they stand.
async fn stays(company: &Company, client: &Client, path: &str, members: &[&str]) {
    let before = client.get(path).await.expect(200);
    let (id, tag) = (before.id(), before.header("etag"));
    let told = events(company, &id).await;
    let as_it_is = |member: &&str| {
        let value = before.body.get(*member).unwrap_or_else(|| panic!("{path} has no {member}"));
        ((*member).to_owned(), value.clone())
    };
    let same: Map<String, Value> = members.iter().map(as_it_is).collect();
    for form in [json!({}), Value::Object(same)] {
        client.patch_if(path, "\"v99\"", form.clone()).await.refused(412, "version_mismatch");
        for if_match in [tag, "*"] {
            let patched = client.patch_if(path, if_match, form.clone()).await.expect(200);
            assert_eq!(patched.header("etag"), tag, "{path}: {form}");
            assert_eq!(patched.body, before.body, "{path}: {form}");
        }
    }
    assert_eq!(client.get(path).await.expect(200).body, before.body, "{path}");
    assert_eq!(events(company, &id).await, told, "{path}");
}

async fn records_that_nothing_is_new_about_stay_as_they_are(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let made = async |path: &str, form: Value| {
        let id = rep.post(path, form).await.expect(201).id();
        format!("{path}/{id}")
    };
    let lead = json!({"name": "Lin Mei", "source": "website", "tags": ["fair"], "phone": "138 0013 8000"});
    let lead = made("/leads", lead).await;
    stays(&company, rep, &lead, &["name", "source", "tags", "phone", "budget", "note"]).await;
    // What was changed and changed back is no different.
    rep.patch(&lead, json!({"note": "Called"})).await.expect(200);
    rep.patch(&lead, json!({"note": null})).await.expect(200);
    stays(&company, rep, &lead, &["note"]).await;

    let customer = json!({
        "kind": "company", "name": "Qingdao Harbour Machinery", "website": "https://harbour.example", "tags": ["a"],
    });
    let customer = made("/customers", customer).await;
    stays(&company, rep, &customer, &["kind", "name", "website", "tags", "tax_profiles", "grade"]).await;
    let id = customer.trim_start_matches("/customers/");
    let contact = json!({"customer_id": id, "name": "Zhang Wei", "is_primary": true});
    let contact = made("/contacts", contact).await;
    stays(&company, rep, &contact, &["customer_id", "name", "is_primary", "birthday"]).await;
    let about = json!({"kind": "customer", "id": id});
    let call = made("/activities", json!({"about": about, "kind": "call", "subject": "Called"})).await;
    stays(&company, rep, &call, &["about", "kind", "subject", "happened_at", "due_at"]).await;
    let form = json!({"customer_id": id, "user_id": company.other_rep.id, "access": "read"});
    let collaborator = made("/collaborators", form).await;
    stays(&company, rep, &collaborator, &["customer_id", "user_id", "access"]).await;
    let amount = json!({"amount": "1000.00", "currency": "CNY"});
    let deal = made("/opportunities", json!({"customer_id": id, "name": "Pumps", "amount": amount})).await;
    stays(&company, rep, &deal, &["customer_id", "name", "amount", "pipeline_id", "line_items"]).await;
    let view = made("/saved-views", json!({"resource": "leads", "name": "Mine", "query": "grade=hot"})).await;
    stays(&company, rep, &view, &["resource", "name", "query", "shared_with_team_id"]).await;

    let draft = format!("/contracts/{}", company.draft(&company.rep, "1000.00", "by_contract").await);
    let members = ["customer_id", "title", "amount", "installments", "line_items", "collection_scheme"];
    stays(&company, rep, &draft, &members).await;
    let running = company.active(&company.rep, "1000.00", "by_contract").await;
    let invoice = format!("/invoices/{}", company.invoice_draft(&company.rep, &running, "100.00").await);
    stays(&company, rep, &invoice, &["contract_id", "amount", "tax_rate", "kind", "tax_profile"]).await;
    let payment = made("/payments", Company::payment(&running, "100.00")).await;
    stays(&company, rep, &payment, &["contract_id", "amount", "bank_reference", "labels"]).await;
}

async fn configuration_that_nothing_is_new_about_stays_as_it_is(server: Server) {
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    stays(&company, admin, "/settings", &["time_zone", "leads", "ownership", "pool", "due_soon_days"]).await;
    let rep = format!("/users/{}", company.rep.id);
    stays(&company, admin, &rep, &["email", "display_name", "team_id", "roles", "locale"]).await;
    let pool = format!("/public-pools/{}", company.pool);
    stays(&company, admin, &pool, &["name", "is_default", "member_ids", "manager_ids", "rules"]).await;
    let pipeline = format!("/pipelines/{}", company.pipeline["id"].as_str().unwrap());
    stays(&company, admin, &pipeline, &["name", "is_default", "stages"]).await;
    let grants = json!([{"permission": "leads:read", "scope": "own"}]);
    let forms = [
        ("/teams", json!({"name": "West"}), ["name", "parent_id"]),
        ("/roles", json!({"key": "reader", "name": "Reader", "grants": grants}), ["key", "grants"]),
        ("/products", json!({"code": "P-1", "name": "Pump", "tax_rate": "0.13"}), ["code", "tax_rate"]),
        (
            "/price-lists",
            json!({"name": "List", "currency": "CNY", "valid_from": "2026-01-01", "prices": []}),
            ["currency", "prices"],
        ),
        ("/lead-forms", json!({"name": "Page", "fields": ["phone"]}), ["fields", "active"]),
        (
            "/assignment-rules",
            json!({"name": "Rule", "position": 1, "regions": ["North"], "user_id": company.rep.id}),
            ["regions", "user_id"],
        ),
        (
            "/webhooks",
            json!({"name": "Hook", "url": "https://receiver.invalid/", "events": ["contact.merged"]}),
            ["url", "events"],
        ),
        (
            "/scoring-rules",
            json!({"name": "Phone", "field": "phone", "operator": "present", "points": 10}),
            ["field", "points"],
        ),
    ];
    for (path, form, members) in forms {
        let id = admin.post(path, form).await.expect(201).id();
        stays(&company, admin, &format!("{path}/{id}"), &members).await;
    }

    // Neither has a flow one version more.
    let flows = admin.get("/approval-flows?subject_kind=contract").await.expect(200);
    let flow = format!("/approval-flows/{}", flows.body["data"][0]["id"].as_str().unwrap());
    stays(&company, admin, &flow, &["enabled", "steps"]).await;
    assert_eq!(admin.all(&format!("{flow}/versions")).await.len(), 1);
    // Nor does a webhook listen for whoever said nothing new.
    let second = json!({
        "email": "second@example.com", "display_name": "Second", "roles": ["admin"], "password": PASSWORD,
    });
    admin.post("/users", second).await.expect(201);
    let second = server.login("second@example.com", PASSWORD).await;
    let webhook = admin.all("/webhooks").await.remove(0);
    let path = format!("/webhooks/{}", webhook["id"].as_str().unwrap());
    stays(&company, &second, &path, &["name", "url", "events"]).await;
    let taken = second.patch(&path, json!({"name": "Another"})).await.expect(200);
    assert!(webhook["owner_id"] != taken.body["owner_id"] && taken.body["version"] == 2, "{}", taken.text);
}

async fn white_space_around_a_text_changes_nothing(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let form = json!({
        "kind": "company", "name": "  Qingdao Harbour \u{3000}", "phone": " 138 0013 8000", "tags": ["fair "],
        "website": "https://harbour.example ", "note": " Asked:\n  for an offer\n",
    });
    let made = rep.post("/customers", form.clone()).await.expect(201);
    let path = format!("/customers/{}", made.id());
    let kept = rep.get(&path).await.expect(200);
    for (member, text) in [
        ("name", json!("Qingdao Harbour")),
        ("phone", json!("138 0013 8000")),
        ("tags", json!(["fair"])),
        ("website", json!("https://harbour.example")),
        ("note", json!("Asked:\n  for an offer")),
    ] {
        assert_eq!(kept.body[member], text, "{member}");
    }
    let told = events(&company, &made.id()).await;
    let again = rep.patch(&path, form).await.expect(200);
    assert_eq!(again.header("etag"), kept.header("etag"));
    assert_eq!(events(&company, &made.id()).await, told);
    let blank = rep.patch(&path, json!({"name": " \t\u{3000}"})).await.refused(422, "validation_failed");
    assert_eq!(
        (&blank.body["errors"][0]["pointer"], &blank.body["errors"][0]["code"]),
        (&json!("/name"), &json!("length"))
    );
    // A password is what was typed.
    let password = " a-password-for-tests ";
    let user = json!({"email": " new@example.com", "display_name": "New", "roles": ["sales_rep"], "password": password});
    company.admin.client.post("/users", user).await.expect(201);
    let login = async |password: &str| {
        rep.post("/auth/login", json!({"email": "new@example.com ", "password": password})).await
    };
    login(password).await.expect(200);
    login(password.trim()).await.refused(401, "invalid_credentials");
}

async fn what_changes_nothing_is_judged_like_any_other(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let first = rep.post("/leads", json!({"name": "Lin Mei", "source": "website"})).await.expect(201);
    let (lead, tag) = (format!("/leads/{}", first.id()), first.header("etag"));
    // Who may, and what was seen.
    company.auditor.client.patch(&lead, json!({})).await.refused(403, "forbidden");
    company.other_rep.client.patch(&lead, json!({})).await.refused(404, "not_found");
    let blind = rep.request(reqwest::Method::PATCH, &lead).json(&json!({}));
    rep.send(blind).await.refused(428, "precondition_required");
    rep.patch_if(&lead, tag, json!({"note": "Called"})).await.expect(200);
    let stale = rep.patch_if(&lead, tag, json!({})).await.refused(412, "version_mismatch");
    assert_eq!(stale.body["current_version"], 2);
    rep.patch_if(&lead, tag, json!({"note": "Called"})).await.refused(412, "version_mismatch");
    // The state.
    let contract = format!("/contracts/{}", company.draft(&company.rep, "100.00", "by_contract").await);
    rep.act(&format!("{contract}/submit")).await.expect(200);
    let told = events(&company, contract.trim_start_matches("/contracts/")).await;
    rep.patch(&contract, json!({})).await.refused(409, "pending_approval");
    rep.patch(&contract, json!({"title": "Delivery"})).await.refused(409, "pending_approval");
    assert_eq!(events(&company, contract.trim_start_matches("/contracts/")).await, told);

    // What was answered under a key is answered again.
    let running = company.active(&company.rep, "1000.00", "by_contract").await;
    let payment = rep.post("/payments", Company::payment(&running, "100.00")).await.expect(201).id();
    let told = events(&company, &payment).await;
    let label = json!({"action": "label", "mode": "atomic", "items": [{"id": payment, "labels": []}]});
    let done = rep.post_once("/payments/bulk", "label-nothing", label.clone()).await.expect(200);
    assert_eq!(done.body["items"][0]["version"], 1);
    let again = rep.post_once("/payments/bulk", "label-nothing", label).await.expect(200);
    assert_eq!((done.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    assert_eq!(again.body, done.body);
    assert_eq!(events(&company, &payment).await, told);
}

async fn what_happened_is_told_although_no_member_says_so(server: Server) {
    let company = Company::found(&server).await;
    let (admin, rep) = (&company.admin.client, &company.rep.client);
    let once = async |id: &str, event: &str| {
        let found = company.auditor.client.all(&format!("/audit-events?record_id={id}&action={event}")).await;
        assert_eq!(found.len(), 1, "{event}");
        assert_eq!(found[0]["changes"], json!({}), "{event}");
    };
    // The other one has nothing to add.
    let lead = |name: &str| json!({"name": name, "source": "website"});
    let survivor = rep.post("/leads", lead("Lin Mei")).await.expect(201).id();
    let loser = rep.post("/leads", lead("Lin May")).await.expect(201).id();
    let merge = format!("/leads/{survivor}/merge");
    let merged = rep.post(&merge, json!({"loser_id": loser})).await.expect(200);
    assert_eq!(merged.body["version"], 2);
    once(&survivor, "lead.merged").await;
    // A secret is no member.
    let hook = json!({"name": "Hook", "url": "https://receiver.invalid/", "events": ["contact.merged"]});
    let hook = admin.post("/webhooks", hook).await.expect(201).id();
    let fresh = admin.act(&format!("/webhooks/{hook}/rotate-secret")).await.expect(200);
    assert_eq!(fresh.body["version"], 2);
    once(&hook, "webhook.secret_rotated").await;
}
