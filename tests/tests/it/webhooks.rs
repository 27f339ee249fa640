//! Webhooks: other programs are told of what happens, signed, as often as it takes, and of nothing that their owner does
//! not see.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{
    Answer, Client, Company, Kind, Message, PASSWORD, Receiver, Server, report, rounds, seed, until,
};

on_both_databases! {
    what_happens_is_told_and_signed;
    a_webhook_tells_what_its_owner_sees;
    whoever_changes_a_webhook_hears_what_they_see;
    hanging_receivers_keep_nobody_waiting;
    what_is_not_taken_comes_again_and_then_no_more;
    what_a_crash_cut_off_comes_again;
    of_two_servers_one_tells;
    what_a_deleted_webhook_leaves_is_removed_later;
    a_webhook_leads_nowhere_but_to_the_internet;
    heavy_what_happened_is_told_and_nothing_else;
}

const LOCAL: &str = "FAIRLEAD_WEBHOOKS__LOCAL_TARGETS";

/// The server again, with webhooks that may lead to this machine.
async fn local(mut server: Server) -> Server {
    server.stop().await;
    server.set(LOCAL, "true");
    server.restart().await;
    server
}

async fn webhook(client: &Client, receiver: &Receiver, events: &[&str]) -> Answer {
    let form = json!({"name": "Receiver", "url": receiver.url, "events": events});
    client.post("/webhooks", form).await.expect(201)
}

/// Checks a signature as a receiver would, after the text of Standard Webhooks.
fn is_signed(message: &Message, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut hash = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, timestamp) = (message.header("webhook-id"), message.header("webhook-timestamp"));
    hash.update(format!("{id}.{timestamp}.{}", message.text).as_bytes());
    let right = format!("v1,{}", STANDARD.encode(hash.finalize().into_bytes()));
    message.header("webhook-signature").split(' ').any(|one| one == right)
}

/// The deliveries of a webhook, once none of them is on its way.
async fn settled(client: &Client, webhook: &str) -> Vec<Value> {
    let path = format!("/webhook-deliveries?webhook_id={webhook}&sort=created_at");
    until("deliveries", async || {
        let all = client.all(&path).await;
        all.iter().all(|it| it["status"] != "pending").then_some(all)
    })
    .await
}

async fn what_happens_is_told_and_signed(server: Server) {
    let server = local(server).await;
    let company = Company::found(&server).await;
    let (admin, rep) = (&company.admin.client, &company.rep.client);
    let (all, some) = (Receiver::start().await, Receiver::start().await);
    let made = webhook(admin, &all, &[]).await;
    let (id, secret) = (made.id(), made.body["secret"].as_str().unwrap().to_owned());
    webhook(admin, &some, &["lead.deleted"]).await;
    // It is never shown again, and no audit event has it.
    let shown = admin.get(&format!("/webhooks/{id}")).await.expect(200);
    assert_eq!((&shown.body["status"], shown.body.get("secret")), (&json!("active"), None));
    let trail = admin.get(&format!("/audit-events?record_id={id}")).await.expect(200);
    assert!(!trail.body.to_string().contains("whsec") && !trail.body.to_string().contains("\"secret\""));

    let lead = rep.post("/leads", json!({"name": "Told of", "source": "website"})).await.expect(201).id();
    for note in ["First", "Second", "Third"] {
        rep.patch(&format!("/leads/{lead}"), json!({"note": note})).await.expect(200);
    }
    company.manager.client.delete(&format!("/leads/{lead}")).await.expect(204);
    let got = all.wait_for(5).await;
    let told: Vec<&str> = got.iter().map(Message::event).collect();
    assert_eq!(told, ["lead.created", "lead.updated", "lead.updated", "lead.updated", "lead.deleted"]);
    for message in &got {
        assert_eq!(message.header("content-type"), "application/json");
        assert!(message.header("user-agent").starts_with("Fairlead/"));
        assert!(is_signed(message, &secret), "{message:?}");
        assert_eq!((message.record(), &message.body["data"]["record_kind"]), (lead.as_str(), &json!("lead")));
        let members: Vec<&String> = message.body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["type", "timestamp", "data"]);
    }
    assert_eq!(got[0].body["data"]["actor_id"], json!(company.rep.id));
    let places: Vec<i64> = got.iter().map(|it| it.body["data"]["sequence"].as_i64().unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    let ids: BTreeSet<&str> = got.iter().map(|it| it.header("webhook-id")).collect();
    assert_eq!(ids.len(), 5);
    let few: Vec<String> = some.wait_for(1).await.iter().map(|it| it.event().to_owned()).collect();
    assert_eq!(few, ["lead.deleted"]);

    // The log says what became of each.
    let deliveries = settled(admin, &id).await;
    assert_eq!(deliveries.len(), 5);
    for delivery in &deliveries {
        assert_eq!(
            (&delivery["status"], &delivery["attempts"], &delivery["response_status"]),
            (&json!("delivered"), &json!(1), &json!(204))
        );
    }

    // Replaced: both secrets are good, and after a day only the new one.
    let path = format!("/webhooks/{id}");
    let fresh = admin.act(&format!("{path}/rotate-secret")).await.expect(200).body["secret"].clone();
    let fresh = fresh.as_str().unwrap();
    let ping = admin.act(&format!("{path}/ping")).await.expect(200);
    assert_eq!(ping.body["event"], "webhook.ping");
    let got = all.wait_for(6).await;
    assert_eq!(got[5].event(), "webhook.ping");
    assert_eq!(got[5].body["data"]["webhook_id"], json!(id));
    assert!(is_signed(&got[5], &secret) && is_signed(&got[5], fresh));
    let past = server.database.ago(0, 1);
    let expire = format!(
        "UPDATE webhook_secrets SET expires_at = {past} WHERE webhook_id = $1 AND expires_at IS NOT NULL"
    );
    server.database.alter(&expire, &id).await;
    admin.act(&format!("{path}/ping")).await.expect(200);
    let got = all.wait_for(7).await;
    assert!(!is_signed(&got[6], &secret) && is_signed(&got[6], fresh));

    // Disabled, it tells nothing, and does not tell it later.
    admin.act(&format!("{path}/disable")).await.expect(200);
    company.customer(&company.rep).await;
    assert_eq!(all.rest().await.len(), 7);
    // But it can be tried.
    admin.act(&format!("{path}/ping")).await.expect(200);
    assert_eq!(all.wait_for(8).await[7].event(), "webhook.ping");
    admin.act(&format!("{path}/enable")).await.expect(200);
    let customer = company.customer(&company.rep).await;
    let got = all.wait_for(9).await;
    assert_eq!((got.len(), got[8].record()), (9, customer.as_str()));
    // Changed, it tells other things at another place.
    let change = json!({"url": some.url, "events": ["customer.updated"]});
    admin.patch(&path, change).await.expect(200);
    rep.patch(&format!("/customers/{customer}"), json!({"note": "Changed"})).await.expect(200);
    assert_eq!(some.wait_for(2).await[1].event(), "customer.updated");
    settled(admin, &id).await;
    admin.delete(&path).await.expect(204);
    assert_eq!(admin.all(&format!("/webhook-deliveries?webhook_id={id}")).await.len(), 0);
    rep.patch(&format!("/customers/{customer}"), json!({"note": "Unheard"})).await.expect(200);
    assert_eq!((all.rest().await.len(), some.got().len()), (9, 2));
}

async fn a_webhook_tells_what_its_owner_sees(server: Server) {
    let server = local(server).await;
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    // Somebody who sets things up, and sees leads only.
    let grants = json!([
        {"permission": "settings:read", "scope": "all"},
        {"permission": "settings:manage", "scope": "all"},
        {"permission": "leads:read", "scope": "all"},
    ]);
    let role = json!({"key": "integrator", "name": "Integrator", "grants": grants});
    let role = admin.post("/roles", role).await.expect(201).body["key"].clone();
    let user = json!({"email": "integrator@example.com", "display_name": "Integrator", "roles": [role], "password": PASSWORD});
    let user = admin.post("/users", user).await.expect(201).id();
    let integrator = server.login("integrator@example.com", PASSWORD).await;
    let receiver = Receiver::start().await;
    let id = webhook(&integrator, &receiver, &[]).await.id();

    company.customer(&company.rep).await;
    let lead = json!({"name": "Seen", "source": "website"});
    let lead = company.rep.client.post("/leads", lead).await.expect(201).id();
    let got = receiver.wait_for(1).await;
    assert_eq!((got[0].event(), got[0].record()), ("lead.created", lead.as_str()));
    assert_eq!(receiver.rest().await.len(), 1);

    // Whoever it listened for is gone: it is given up, and those who can do something about it are told.
    admin.post(&format!("/users/{user}/disable"), json!({"keep_records": true})).await.expect(200);
    company.customer(&company.rep).await;
    let path = format!("/webhooks/{id}");
    let given_up = until("the end of the webhook", async || {
        let webhook = admin.get(&path).await.expect(200).body;
        (webhook["status"] == "disabled").then_some(webhook)
    })
    .await;
    assert_eq!(given_up["disabled_because"], "owner_left");
    until("a notification", async || {
        let told = admin.all("/notifications?kind=webhook_given_up").await;
        told.iter().any(|it| it["record_id"] == json!(id)).then_some(())
    })
    .await;
    // Somebody else enables it: now it listens for them.
    let enabled = admin.act(&format!("{path}/enable")).await.expect(200);
    assert_eq!(enabled.body["owner_id"], json!(company.admin.id));
    let customer = company.customer(&company.rep).await;
    let got = receiver.wait_for(2).await;
    assert_eq!(got[1].record(), customer);
}

/// Whoever may set webhooks up, and see little else, gets nothing to see by doing so.
async fn whoever_changes_a_webhook_hears_what_they_see(server: Server) {
    let server = local(server).await;
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let grants = json!([
        {"permission": "settings:read", "scope": "all"},
        {"permission": "settings:manage", "scope": "all"},
        {"permission": "leads:read", "scope": "all"},
    ]);
    let role = json!({"key": "integrator", "name": "Integrator", "grants": grants});
    let role = admin.post("/roles", role).await.expect(201).body["key"].clone();
    let user = json!({"email": "integrator@example.com", "display_name": "Integrator", "roles": [role], "password": PASSWORD});
    let user = admin.post("/users", user).await.expect(201).id();
    let integrator = server.login("integrator@example.com", PASSWORD).await;
    let (right, other) = (Receiver::start().await, Receiver::start().await);
    let id = webhook(admin, &right, &[]).await.id();
    let path = format!("/webhooks/{id}");
    // Not taken at once, so that it is on its way when the webhook changes hands.
    right.answer(&[500]);
    let customer = company.customer(&company.rep).await;
    right.wait_for(1).await;
    let changed = integrator.patch(&path, json!({"url": other.url})).await.expect(200);
    assert_eq!(changed.body["owner_id"], json!(user));
    let delivery = settled(admin, &id).await.remove(0);
    assert_eq!(
        (&delivery["status"], &delivery["record_id"], &delivery["problem"]),
        (&json!("failed"), &json!(customer), &json!("the owner of the webhook may not see the record"))
    );
    // Nor again, nor in the log, nor what happens next.
    let again = format!("/webhook-deliveries/{}", delivery["id"].as_str().unwrap());
    integrator.get(&again).await.refused(404, "not_found");
    integrator.act(&format!("{again}/redeliver")).await.refused(404, "not_found");
    integrator.get("/webhook-deliveries").await.refused(403, "forbidden");
    company.customer(&company.rep).await;
    let lead = json!({"name": "Seen by everybody", "source": "website"});
    let lead = company.rep.client.post("/leads", lead).await.expect(201).id();
    assert_eq!(other.wait_for(1).await[0].record(), lead);
    assert_eq!((other.rest().await.len(), right.got().len()), (1, 1));
    // The same by a new secret.
    let second = webhook(admin, &other, &["customer.created"]).await.id();
    let secret = format!("/webhooks/{second}/rotate-secret");
    let tried = integrator.act(&format!("{secret}?dry_run=true")).await.expect(200);
    assert_eq!(tried.body["secret"], json!(null));
    integrator.act(&secret).await.expect(200);
    company.customer(&company.rep).await;
    assert_eq!(other.rest().await.len(), 1);
}

/// Receivers that never answer keep nobody else waiting, and no request.
async fn hanging_receivers_keep_nobody_waiting(server: Server) {
    let server = local(server).await;
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let hanging = Receiver::start().await;
    hanging.usually(0);
    for _ in 0..8 {
        webhook(admin, &hanging, &[]).await;
    }
    let healthy = Receiver::start().await;
    webhook(admin, &healthy, &[]).await;
    for _ in 0..30 {
        company.customer(&company.rep).await;
    }
    healthy.wait_for(30).await;
    assert!(hanging.got().len() >= 8);
}

async fn what_is_not_taken_comes_again_and_then_no_more(server: Server) {
    let server = local(server).await;
    let company = Company::found(&server).await;
    let admin = &company.admin.client;
    let receiver = Receiver::start().await;
    let made = webhook(admin, &receiver, &[]).await;
    let (id, secret) = (made.id(), made.body["secret"].as_str().unwrap().to_owned());
    receiver.answer(&[500]);
    let lead = json!({"name": "Not taken at once", "source": "website"});
    let lead = company.rep.client.post("/leads", lead).await.expect(201).id();
    receiver.wait_for(1).await;
    // What happens to the same record waits for it; anything else does not.
    company.rep.client.patch(&format!("/leads/{lead}"), json!({"note": "Later"})).await.expect(200);
    let customer = company.customer(&company.rep).await;
    let got = receiver.wait_for(4).await;
    let told: Vec<(&str, &str)> = got.iter().map(|it| (it.event(), it.record())).collect();
    assert_eq!(
        told,
        [
            ("lead.created", lead.as_str()),
            ("customer.created", customer.as_str()),
            ("lead.created", lead.as_str()),
            ("lead.updated", lead.as_str())
        ]
    );
    assert_eq!((got[0].header("webhook-id"), &got[0].text), (got[2].header("webhook-id"), &got[2].text));
    assert!(got.iter().all(|message| is_signed(message, &secret)));
    let deliveries = settled(admin, &id).await;
    let first = deliveries.iter().find(|it| it["event"] == "lead.created").unwrap();
    assert_eq!((&first["attempts"], &first["problem"]), (&json!(2), &json!(null)));

    // The last of ten attempts, three days later; nothing has arrived since.
    let long_ago = server.database.ago(4, 0);
    let arrived = format!(
        "UPDATE webhook_deliveries SET last_attempt_at = {long_ago} WHERE webhook_id = $1 AND status = 'delivered'"
    );
    server.database.alter(&arrived, &id).await;
    receiver.usually(503);
    company.rep.client.patch(&format!("/leads/{lead}"), json!({"note": "Never"})).await.expect(200);
    let path = format!("/webhook-deliveries?webhook_id={id}&status=pending");
    let waiting = until("the first attempt", async || {
        let all = admin.all(&path).await;
        all.first().filter(|it| it["response_status"] == 503).cloned()
    })
    .await;
    assert_eq!(waiting["problem"], "the receiver answered 503");
    assert_eq!(waiting["response_body"], "ok");
    let delivery = waiting["id"].as_str().unwrap();
    let past = server.database.ago(0, 1);
    let later = format!("UPDATE webhook_deliveries SET attempts = 9, next_attempt_at = {past} WHERE id = $1");
    server.database.alter(&later, delivery).await;
    let webhook = until("the end of the webhook", async || {
        let webhook = admin.get(&format!("/webhooks/{id}")).await.expect(200).body;
        (webhook["status"] == "disabled").then_some(webhook)
    })
    .await;
    assert_eq!(webhook["disabled_because"], "undeliverable");
    let failed = admin.get(&format!("/webhook-deliveries/{delivery}")).await.expect(200);
    assert_eq!(
        (&failed.body["status"], &failed.body["attempts"], &failed.body["next_attempt_at"]),
        (&json!("failed"), &json!(10), &json!(null))
    );
    until("a notification", async || {
        let told = admin.all("/notifications?kind=webhook_given_up").await;
        told.iter().any(|it| it["record_id"] == json!(id)).then_some(())
    })
    .await;

    // The receiver is mended: what was given up is sent again by hand.
    receiver.usually(204);
    let before = receiver.got().len();
    let again = admin.act(&format!("/webhook-deliveries/{delivery}/redeliver")).await.expect(200);
    assert_eq!((&again.body["status"], &again.body["attempts"]), (&json!("pending"), &json!(0)));
    assert_eq!(receiver.rest().await.len(), before);
    admin.act(&format!("/webhooks/{id}/enable")).await.expect(200);
    let got = receiver.wait_for(before + 1).await;
    assert_eq!(got[before].header("webhook-id"), failed.body["event_id"].as_str().unwrap());
    settled(admin, &id).await;

    // A receiver that is gone for good says so once.
    receiver.answer(&[410, 410]);
    let ping = admin.act(&format!("/webhooks/{id}/ping")).await.expect(200).id();
    settled(admin, &id).await;
    let tried = admin.get(&format!("/webhook-deliveries/{ping}")).await.expect(200);
    assert_eq!((&tried.body["status"], &tried.body["response_status"]), (&json!("failed"), &json!(410)));
    company.rep.client.patch(&format!("/leads/{lead}"), json!({"note": "Gone"})).await.expect(200);
    let webhook = until("the end of the webhook", async || {
        let webhook = admin.get(&format!("/webhooks/{id}")).await.expect(200).body;
        (webhook["status"] == "disabled").then_some(webhook)
    })
    .await;
    assert_eq!(webhook["disabled_because"], "gone");
}

async fn what_a_crash_cut_off_comes_again(server: Server) {
    let mut server = local(server).await;
    let company = Company::found(&server).await;
    let admin = company.admin.client.clone();
    let receiver = Receiver::start().await;
    let id = webhook(&admin, &receiver, &[]).await.id();
    // It takes the message and says nothing: nobody knows whether it has arrived.
    receiver.answer(&[0]);
    let customer = company.customer(&company.rep).await;
    let first = receiver.wait_for(1).await.remove(0);
    server.kill().await;
    server.restart().await;
    let admin = admin.at(&server.url);
    // The server that had it is given a minute.
    let path = format!("/webhook-deliveries?webhook_id={id}");
    let delivery = admin.all(&path).await.remove(0);
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("pending"), &json!(0)));
    assert_eq!(receiver.rest().await.len(), 1);
    let past = server.database.ago(0, 1);
    let over = format!("UPDATE webhook_deliveries SET next_attempt_at = {past} WHERE id = $1");
    server.database.alter(&over, delivery["id"].as_str().unwrap()).await;
    let again = receiver.wait_for(2).await.remove(1);
    assert_eq!((again.record(), again.header("webhook-id")), (customer.as_str(), first.header("webhook-id")));
    let delivered = settled(&admin, &id).await;
    assert_eq!((&delivered[0]["status"], &delivered[0]["attempts"]), (&json!("delivered"), &json!(1)));
}

async fn what_a_deleted_webhook_leaves_is_removed_later(mut server: Server) {
    // Nothing happens by itself yet.
    server.stop().await;
    server.set(LOCAL, "true");
    server.set("FAIRLEAD_JOBS__ENABLED", "false");
    server.restart().await;
    let admin = server.admin().await;
    let (deleted, other) = (Receiver::start().await, Receiver::start().await);
    let id = webhook(&admin, &deleted, &[]).await.id();
    let kept = webhook(&admin, &other, &[]).await.id();
    let ping = admin.act(&format!("/webhooks/{id}/ping")).await.expect(200).id();
    let kept_ping = admin.act(&format!("/webhooks/{kept}/ping")).await.expect(200).id();
    let fresh = match server.database.kind {
        Kind::Sqlite => "randomblob(16)",
        Kind::Postgres => "gen_random_uuid()",
    };
    let many = format!(
        "WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < 2500) \
         INSERT INTO webhook_deliveries (id, webhook_id, event_id, event, occurred_at, status, attempts, next_attempt_at, \
         version, created_at) SELECT {fresh}, webhook_id, {fresh}, event, occurred_at, status, attempts, next_attempt_at, \
         version, created_at FROM webhook_deliveries, n WHERE id = {}",
        server.database.id(&ping)
    );
    let mut direct = server.database.connect().await;
    direct.run(&many).await;

    // It goes at once and leaves its deliveries where nobody sees them.
    admin.delete(&format!("/webhooks/{id}")).await.expect(204);
    let left =
        format!("SELECT COUNT(*) FROM webhook_deliveries WHERE webhook_id = {}", server.database.id(&id));
    assert_eq!(direct.number(&left).await, 2501);
    admin.get(&format!("/webhooks/{id}")).await.refused(404, "not_found");
    assert!(admin.all(&format!("/webhook-deliveries?webhook_id={id}")).await.is_empty());
    let shown = admin.get("/webhook-deliveries?total=true").await.expect(200);
    assert_eq!(
        (&shown.body["page"]["total"], &shown.body["data"][0]["id"]),
        (&json!("1"), &json!(kept_ping))
    );
    admin.get(&format!("/webhook-deliveries/{ping}")).await.refused(404, "not_found");
    admin.act(&format!("/webhook-deliveries/{ping}/redeliver")).await.refused(404, "not_found");
    server.verify().await;

    // Another server finds them, some of them gone already, and sends none.
    server.kill().await;
    let some = format!("DELETE FROM webhook_deliveries WHERE id = {}", server.database.id(&ping));
    direct.run(&some).await;
    server.set("FAIRLEAD_JOBS__ENABLED", "true");
    server.restart().await;
    let listed = "SELECT COUNT(*) FROM deleted_webhooks";
    until("the end of what was deleted", async || {
        let mut direct = server.database.connect().await;
        (direct.number(&left).await + direct.number(listed).await == 0).then_some(())
    })
    .await;
    other.wait_for(1).await;
    assert_eq!((deleted.rest().await.len(), other.got().len()), (0, 1));
    assert_eq!(settled(&admin.at(&server.url), &kept).await.len(), 1);
}

async fn of_two_servers_one_tells(server: Server) {
    let server = local(server).await;
    let _beside = server.beside().await;
    let company = Company::found(&server).await;
    let receiver = Receiver::start().await;
    let id = webhook(&company.admin.client, &receiver, &[]).await.id();
    for _ in 0..30 {
        company.customer(&company.rep).await;
    }
    receiver.wait_for(30).await;
    let got = receiver.rest().await;
    let ids: BTreeSet<&str> = got.iter().map(|it| it.header("webhook-id")).collect();
    assert_eq!((got.len(), ids.len()), (30, 30));
    assert_eq!(settled(&company.admin.client, &id).await.len(), 30);
}

async fn a_webhook_leads_nowhere_but_to_the_internet(server: Server) {
    let mut server = local(server).await;
    let company = Company::found(&server).await;
    let admin = company.admin.client.clone();
    let receiver = Receiver::start().await;
    let id = webhook(&admin, &receiver, &[]).await.id();
    // The next start no longer lets webhooks lead to this machine.
    server.stop().await;
    server.set(LOCAL, "");
    server.restart().await;
    let admin = admin.at(&server.url);
    for url in [
        receiver.url.as_str(),
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://user:secret@hooks.example.com/",
    ] {
        let refused = admin.post("/webhooks", json!({"name": "Inside", "url": url})).await;
        let refused = refused.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], "/url", "{url}");
        let refused = admin.patch(&format!("/webhooks/{id}"), json!({"url": url})).await;
        if url != receiver.url {
            refused.refused(422, "validation_failed");
        }
    }
    // What was recorded while it was allowed is judged each time.
    let ping = admin.act(&format!("/webhooks/{id}/ping")).await.expect(200).id();
    let tried = until("an attempt", async || {
        let delivery = admin.get(&format!("/webhook-deliveries/{ping}")).await.expect(200).body;
        (delivery["status"] == "failed").then_some(delivery)
    })
    .await;
    assert_eq!((&tried["response_status"], &tried["attempts"]), (&json!(null), &json!(1)));
    assert_eq!(tried["problem"], "must be an address with https");
    assert_eq!(receiver.got().len(), 0);
    // A name that leads nowhere is told of in words.
    let lost = json!({"name": "Lost", "url": "https://receiver.invalid/hook"});
    let lost = admin.post("/webhooks", lost).await.expect(201).id();
    let ping = admin.act(&format!("/webhooks/{lost}/ping")).await.expect(200).id();
    until("an attempt", async || {
        let delivery = admin.get(&format!("/webhook-deliveries/{ping}")).await.expect(200).body;
        (delivery["status"] == "failed" && delivery["problem"].is_string()).then_some(())
    })
    .await;
}

/// A receiver that fails, and servers that are killed: each event that was committed comes once or more under its one
/// id, those of one record in order, and nothing comes that was rolled back.
async fn heavy_what_happened_is_told_and_nothing_else(server: Server) {
    let mut random = StdRng::seed_from_u64(seed());
    let mut server = local(server).await;
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    company.set(json!({"ownership": {"limit": 1_000_000}})).await;
    let receiver = Receiver::start().await;
    let id = webhook(&company.admin.client, &receiver, &[]).await.id();
    receiver.fails(30);
    // Nobody waits for minutes here: what waits is due at once.
    let past = server.database.ago(0, 1);
    let hurry = format!(
        "UPDATE webhook_deliveries SET next_attempt_at = {past} WHERE webhook_id = $1 AND status = 'pending'"
    );
    let kills = rounds(3, 50);
    for _ in 0..kills {
        let writers: Vec<_> = (0..4)
            .map(|_| tokio::spawn(write_until_it_is_gone(company.rep.client.at(&server.url))))
            .collect();
        tokio::time::sleep(Duration::from_millis(random.random_range(300..1500))).await;
        // However slow the machine is, something can be lost.
        let admin = company.admin.client.at(&server.url);
        until("a few events", async || {
            let trail = admin.get("/audit-events?record_kind=customer&limit=21").await.expect(200);
            (trail.body["data"].as_array().unwrap().len() > 20).then_some(())
        })
        .await;
        server.kill().await;
        for writer in writers {
            writer.await.unwrap();
        }
        server.restart().await;
        server.database.alter(&hurry, &id).await;
    }
    receiver.fails(0);
    let admin = company.admin.client.at(&server.url);
    until("everything to arrive", async || {
        server.database.alter(&hurry, &id).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let path = format!("/webhook-deliveries?webhook_id={id}&status=pending&limit=1");
        let waits = !admin.get(&path).await.expect(200).body["data"].as_array().unwrap().is_empty();
        let trail = admin.get("/audit-events?record_kind=customer&limit=1&sort=-sequence").await.expect(200);
        let last = trail.body["data"][0]["id"].as_str().unwrap().to_owned();
        let heard = receiver.got().iter().any(|it| it.header("webhook-id") == last);
        (heard && !waits).then_some(())
    })
    .await;

    let got = receiver.got();
    let told: BTreeSet<String> = got.iter().map(|it| it.header("webhook-id").to_owned()).collect();
    let trail = admin.all("/audit-events?record_kind=customer&limit=200").await;
    let happened: BTreeSet<String> = trail.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    assert!(happened.len() > 20, "{}", happened.len());
    assert_eq!(happened.difference(&told).count(), 0, "something was not told");
    assert_eq!(told.difference(&happened).count(), 0, "something was told that did not happen");
    // By when each first came: of one record, in order.
    let mut first: BTreeMap<&str, i64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for message in &got {
        if seen.insert(message.header("webhook-id")) {
            let place = message.body["data"]["sequence"].as_i64().unwrap();
            let before = first.insert(message.record(), place);
            assert!(before.is_none_or(|before| before < place), "{message:?}");
        }
    }
    let figures = format!(
        "{kills} crashes, a receiver that fails 30 %: {} events, each told, {} messages in all, none of what was rolled back",
        happened.len(),
        got.len()
    );
    report("T9", server.database.kind, &figures);
}

/// Records customers, changes them, and tries out what is rolled back, until the server is gone.
async fn write_until_it_is_gone(client: Client) {
    loop {
        let form = json!({"kind": "company", "name": "Qingdao Harbour Machinery"});
        let made = client.request(reqwest::Method::POST, "/customers").json(&form);
        let Ok(made) = client.try_send(made).await else { return };
        let Some(id) = made.body["id"].as_str() else { return };
        let path = format!("/customers/{id}");
        for note in ["First", "Second"] {
            let change = client.request(reqwest::Method::PATCH, &path).header("if-match", "*");
            if client.try_send(change.json(&json!({"note": note}))).await.is_err() {
                return;
            }
        }
        let tried = format!("{path}/release?dry_run=true");
        let tried = client.request(reqwest::Method::POST, &tried).json(&json!({}));
        if client.try_send(tried).await.is_err() {
            return;
        }
    }
}
