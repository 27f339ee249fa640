//! Many clients at once. However a race ends, it ends well: one winner where one can win, no limit passed, no
//! update lost, and never a server error. That the sums add up afterwards, `verify` looks at after each test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::{Answer, Client, Company, Kind, PASSWORD, Person, Server, report, rounds};

on_both_databases! {
    heavy_one_of_many_claims_a_customer;
    heavy_one_of_twenty_claims_a_lead;
    heavy_nobody_owns_more_than_allowed;
    heavy_nobody_claims_more_than_allowed_in_a_day;
    heavy_invoices_never_exceed_their_contract;
    heavy_payments_never_exceed_their_contract;
    heavy_payments_never_exceed_their_invoices;
    heavy_each_step_of_an_approval_is_decided_once;
    heavy_an_approval_is_approved_rejected_or_withdrawn;
    heavy_a_payment_is_confirmed_or_rejected;
    heavy_one_key_has_one_effect;
    heavy_a_refused_request_is_refused_again_under_its_key;
    heavy_of_equal_versions_one_is_written;
    heavy_no_increment_is_lost;
    heavy_a_bank_reference_counts_once;
    heavy_a_lead_is_converted_once;
    heavy_an_opportunity_makes_one_contract;
    heavy_a_customer_with_open_business_is_never_released;
    heavy_a_sale_is_not_reopened_in_the_pool;
    heavy_no_stage_is_taken_from_under_a_sale;
    heavy_numbers_have_neither_gaps_nor_twins;
    heavy_teams_never_form_a_circle;
    heavy_an_administrator_remains;
    heavy_there_are_no_more_webhooks_than_allowed;
    heavy_there_are_no_more_scoring_rules_than_allowed;
}

/// Nothing here takes long; whatever does, hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// One call of a race.
type Call = BoxFuture<'static, Answer>;

fn post(client: &Client, path: impl Into<String>, body: Value) -> Call {
    let (client, path) = (client.clone(), path.into());
    Box::pin(async move { client.post(&path, body).await })
}

fn post_once(client: &Client, path: &str, key: &str, body: Value) -> Call {
    let (client, path, key) = (client.clone(), path.to_owned(), key.to_owned());
    Box::pin(async move { client.post_once(&path, &key, body).await })
}

fn act(client: &Client, path: impl Into<String>) -> Call {
    let (client, path) = (client.clone(), path.into());
    Box::pin(async move { client.act(&path).await })
}

fn patch(client: &Client, path: &str, if_match: &str, body: Value) -> Call {
    let (client, path, if_match) = (client.clone(), path.to_owned(), if_match.to_owned());
    Box::pin(async move { client.patch_if(&path, &if_match, body).await })
}

/// Lets everything go at the same moment, and gives the answers in the same order. None may be a server error,
/// 503 included: nothing here is away, and nothing overloaded.
async fn at_once(calls: impl IntoIterator<Item = Call>) -> Vec<Answer> {
    let calls: Vec<Call> = calls.into_iter().collect();
    let gate = Arc::new(Barrier::new(calls.len()));
    let begin = |call: Call| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move {
            gate.wait().await;
            call.await
        })
    };
    let running: Vec<_> = calls.into_iter().map(begin).collect();
    let mut answers = Vec::new();
    for call in running {
        let answer = tokio::time::timeout(PATIENCE, call).await.expect("an answer in time").unwrap();
        assert!(answer.status < 500, "{} answered {}: {}", answer.request, answer.status, answer.text);
        answers.push(answer);
    }
    answers
}

/// An answer in short: the status, and for problems the code.
fn outcome(answer: &Answer) -> String {
    match answer.body["code"].as_str() {
        Some(code) if answer.status >= 400 => format!("{} {code}", answer.status),
        _ => answer.status.to_string(),
    }
}

fn with_status(answers: &[Answer], status: u16) -> impl Iterator<Item = &Answer> {
    answers.iter().filter(move |answer| answer.status == status)
}

/// How often there was which answer.
fn tally(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for answer in answers {
        *tally.entry(outcome(answer)).or_default() += 1;
    }
    tally
}

#[track_caller]
fn expect_tally(answers: &[Answer], expected: &[(&str, usize)]) {
    let expected: BTreeMap<String, usize> =
        expected.iter().map(|(outcome, times)| ((*outcome).to_owned(), *times)).collect();
    assert_eq!(tally(answers), expected);
}

/// Exactly one answer with this status, and every other among these outcomes.
#[track_caller]
fn one_winner<'a>(answers: &'a [Answer], status: u16, losers: &[&str]) -> &'a Answer {
    let (winners, lost): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.status == status);
    assert_eq!(winners.len(), 1, "{:?}", tally(answers));
    for answer in lost {
        assert!(losers.contains(&outcome(answer).as_str()), "{} answered {}", answer.request, answer.text);
    }
    winners[0]
}

/// Sellers besides those of the company.
async fn sellers(server: &Server, company: &Company, count: usize) -> Vec<Person> {
    let team = company.admin.client.post("/teams", json!({"name": "Racers"})).await.expect(201).id();
    let mut sellers = Vec::new();
    for at in 0..count {
        let (email, password) = (format!("racer-{at}@example.com"), "a-password-for-races");
        let user = json!({
            "email": email, "display_name": format!("Racer {at}"), "team_id": team, "roles": ["sales_rep"],
            "password": password,
        });
        let id = company.admin.client.post("/users", user).await.expect(201).id();
        let client = server.login(&email, password).await;
        sellers.push(Person { id, email, client });
    }
    sellers
}

fn money(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// How many rows a list has.
async fn count(client: &Client, path: &str) -> usize {
    client.all(path).await.len()
}

async fn heavy_one_of_many_claims_a_customer(server: Server) {
    // So many rounds: nobody may win so often that a limit decides instead.
    let company = Company::found(&server).await;
    company.set(json!({"ownership": {"limit": 1000}, "pool": {"daily_claim_limit": 1000}})).await;
    let (racers, times) = (sellers(&server, &company, 64).await, rounds(50, 200));
    for _ in 0..times {
        let customer = company.pool_customer().await;
        let path = format!("/public-pool/customers/{customer}/claim");
        let answers = at_once(racers.iter().map(|racer| act(&racer.client, &path))).await;
        expect_tally(&answers, &[("200", 1), ("409 already_claimed", 63)]);
        let winner = answers.iter().position(|answer| answer.status == 200).unwrap();
        let owned = company.director.client.get(&format!("/customers/{customer}")).await.expect(200);
        assert_eq!(owned.text_of("owner_id"), racers[winner].id);
        assert_eq!(owned.body["version"], 2, "one write, and none by those who lost");
    }
    server.verify().await;
    let told = format!("{times} customers claimed by 64 at once: one 200 and 63 x 409 each");
    report("T3", server.database.kind, &told);
}

async fn heavy_one_of_twenty_claims_a_lead(server: Server) {
    let company = Company::found(&server).await;
    let racers = sellers(&server, &company, 20).await;
    for round in 0..20 {
        let form = json!({"name": format!("Lead {round}"), "source": "website"});
        let lead = company.marketing.client.post("/leads", form).await.expect(201).id();
        let path = format!("/leads/{lead}/claim");
        let answers = at_once(racers.iter().map(|racer| act(&racer.client, &path))).await;
        expect_tally(&answers, &[("200", 1), ("409 already_claimed", 19)]);
        let winner = answers.iter().position(|answer| answer.status == 200).unwrap();
        let owned = company.marketing.client.get(&format!("/leads/{lead}")).await.expect(200);
        assert_eq!(owned.text_of("owner_id"), racers[winner].id);
    }
}

/// Fifty customers in the pool, and the calls by which one person claims them all.
async fn fifty_claims(company: &Company, by: &Person) -> Vec<Call> {
    let mut claims = Vec::new();
    for _ in 0..50 {
        let path = format!("/public-pool/customers/{}/claim", company.pool_customer().await);
        claims.push(act(&by.client, path));
    }
    claims
}

async fn heavy_nobody_owns_more_than_allowed(server: Server) {
    let company = Company::found(&server).await;
    company.set(json!({"ownership": {"limit": 10}, "pool": {"daily_claim_limit": 1000}})).await;
    let answers = at_once(fifty_claims(&company, &company.rep).await).await;
    expect_tally(&answers, &[("200", 10), ("409 ownership_limit_reached", 40)]);
    let owned = format!("/customers?owner_id={}", company.rep.id);
    assert_eq!(count(&company.director.client, &owned).await, 10);

    // Whatever makes somebody an owner counts: claiming, recording, being assigned.
    let racer = &company.colleague;
    let mut calls = Vec::new();
    for at in 0..12 {
        let (claimed, assigned) = (company.pool_customer().await, company.pool_customer().await);
        calls.push(act(&racer.client, format!("/public-pool/customers/{claimed}/claim")));
        let form = json!({"kind": "company", "name": format!("Recorded {at}")});
        calls.push(post(&racer.client, "/customers", form));
        let (path, form) = (format!("/customers/{assigned}/assign"), json!({"owner_id": racer.id}));
        calls.push(post(&company.manager.client, path, form));
    }
    let answers = at_once(calls).await;
    let won = answers.iter().filter(|answer| answer.status < 300).count();
    assert_eq!(won, 10, "{:?}", tally(&answers));
    assert_eq!(tally(&answers)["409 ownership_limit_reached"], 26);
    let owned = format!("/customers?owner_id={}", racer.id);
    assert_eq!(count(&company.director.client, &owned).await, 10);
    server.verify().await;
}

async fn heavy_nobody_claims_more_than_allowed_in_a_day(server: Server) {
    // The limit is one of a business day, which could end in the middle of the test. In a time zone where it
    // is about noon it does not.
    let hour = UNIX_EPOCH.elapsed().unwrap().as_secs() / 3600 % 24;
    let zone = format!("Etc/GMT{:+}", hour.cast_signed() - 12);
    let company = Company::found(&server).await;
    company.set(json!({"time_zone": zone, "pool": {"daily_claim_limit": 10}})).await;
    let answers = at_once(fifty_claims(&company, &company.rep).await).await;
    expect_tally(&answers, &[("200", 10), ("409 daily_claim_limit_reached", 40)]);
    let owned = format!("/customers?owner_id={}", company.rep.id);
    assert_eq!(count(&company.director.client, &owned).await, 10);
    server.verify().await;
}

/// One of a contract's sums.
async fn sum(client: &Client, contract: &str, member: &str) -> String {
    let contract = client.get(&format!("/contracts/{contract}")).await.expect(200);
    contract.body[member]["amount"].as_str().unwrap().to_owned()
}

async fn heavy_invoices_never_exceed_their_contract(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "800.00", "by_contract").await;
    let mut drafts = Vec::new();
    for _ in 0..32 {
        drafts.push(company.invoice_draft(&company.rep, &contract, "100.00").await);
    }
    let times = rounds(50, 200);
    for _ in 0..times {
        let submit = |draft: &String| act(&company.rep.client, format!("/invoices/{draft}/submit"));
        let answers = at_once(drafts.iter().map(submit)).await;
        expect_tally(&answers, &[("200", 8), ("409 invoice_exceeds_contract", 24)]);
        assert_eq!(sum(&company.rep.client, &contract, "invoice_committed").await, "800.00");
        // Those that came through are drafts again for the next round.
        let withdraw =
            |invoice: &Answer| act(&company.rep.client, format!("/invoices/{}/withdraw", invoice.id()));
        expect_tally(&at_once(with_status(&answers, 200).map(withdraw)).await, &[("200", 8)]);
        assert_eq!(sum(&company.rep.client, &contract, "invoice_committed").await, "0.00");
    }
    let told = format!("{times} rounds of 32 invoices at once on a contract that takes 8: 8 each");
    report("T4", server.database.kind, &told);
}

/// Rounds of 32 payments of 100.00 at once, of which eight fit. Finance rejects those, and the next round begins.
async fn eight_payments_fit(company: &Company, contract: &str, times: usize, refusal: &str) {
    for _ in 0..times {
        let record = |_| post(&company.rep.client, "/payments", Company::payment(contract, "100.00"));
        let answers = at_once((0..32).map(record)).await;
        expect_tally(&answers, &[("201", 8), (refusal, 24)]);
        assert_eq!(sum(&company.rep.client, contract, "received").await, "800.00");
        let reject = |payment: &Answer| {
            let (path, form) = (format!("/payments/{}/reject", payment.id()), json!({"reason": "not found"}));
            post(&company.finance.client, path, form)
        };
        expect_tally(&at_once(with_status(&answers, 201).map(reject)).await, &[("200", 8)]);
        assert_eq!(sum(&company.rep.client, contract, "received").await, "0.00");
    }
}

async fn heavy_payments_never_exceed_their_contract(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "800.00", "by_contract").await;
    let times = rounds(25, 200);
    eight_payments_fit(&company, &contract, times, "409 payment_exceeds_contract").await;
    let told = format!("{times} rounds of 32 payments at once on a contract that takes 8: 8 each");
    report("T4", server.database.kind, &told);
}

async fn heavy_payments_never_exceed_their_invoices(server: Server) {
    let company = Company::found(&server).await;
    // The contract would take twice as much: it is the invoices that are full.
    let contract = company.active(&company.rep, "1600.00", "by_invoice").await;
    let invoices = [
        company.issued(&company.rep, &contract, "550.00").await,
        company.issued(&company.rep, &contract, "250.00").await,
    ];
    let times = rounds(25, 200);
    eight_payments_fit(&company, &contract, times, "409 nothing_to_allocate").await;
    for invoice in invoices {
        let invoice = company.rep.client.get(&format!("/invoices/{invoice}")).await.expect(200);
        assert_eq!(invoice.body["allocated"], money("0.00"));
    }
    let told = format!("{times} rounds of 32 payments at once on invoices that take 8: 8 each");
    report("T4", server.database.kind, &told);
}

async fn heavy_each_step_of_an_approval_is_decided_once(server: Server) {
    let (company, times) = (Company::found(&server).await, rounds(20, 100));
    for _ in 0..times {
        let contract = company.draft(&company.rep, "1000.00", "by_contract").await;
        company.rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        let path = format!("/approvals/{}/approve", company.pending(&contract).await);
        let decide = |people: [&Person; 2]| {
            // Each of them twice: two people are in a race here, and each one with themselves.
            let calls = people.into_iter().chain(people);
            calls.map(|person| post(&person.client, &path, json!({}))).collect::<Vec<_>>()
        };
        let losers = ["409 already_decided", "409 separation_of_duties", "403 forbidden"];
        let answers = at_once(decide([&company.manager, &company.director])).await;
        assert_eq!(one_winner(&answers, 200, &losers).body["status"], "pending");
        let answers = at_once(decide([&company.finance, &company.finance_two])).await;
        assert_eq!(one_winner(&answers, 200, &losers).body["status"], "approved");

        let active = company.rep.client.get(&format!("/contracts/{contract}")).await.expect(200);
        assert_eq!(active.body["status"], "active");
        assert_eq!(active.body["installments"].as_array().unwrap().len(), 1, "{}", active.text);
        let trail = format!("/audit-events?record_id={contract}&action=contract.activated");
        assert_eq!(count(&company.auditor.client, &trail).await, 1);
    }
    let told = format!("{times} approvals of two steps, each by two people twice at once: one decision each");
    report("T7", server.database.kind, &told);
}

async fn heavy_an_approval_is_approved_rejected_or_withdrawn(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..20 {
        let contract = company.draft(&company.rep, "1000.00", "by_contract").await;
        company.rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
        let approval = company.pending(&contract).await;
        company.manager.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
        let no = json!({"comment": "too cheap"});
        let calls = vec![
            post(&company.finance.client, format!("/approvals/{approval}/approve"), json!({})),
            post(&company.finance_two.client, format!("/approvals/{approval}/reject"), no),
            act(&company.rep.client, format!("/contracts/{contract}/withdraw")),
        ];
        let answers = at_once(calls).await;
        one_winner(&answers, 200, &["409 already_decided", "409 invalid_transition"]);
        let won = answers.iter().position(|answer| answer.status == 200).unwrap();
        let (status, asked) = [("active", "approved"), ("draft", "rejected"), ("draft", "withdrawn")][won];
        let contract = company.rep.client.get(&format!("/contracts/{contract}")).await.expect(200);
        assert_eq!(contract.body["status"], status);
        let approval = company.rep.client.get(&format!("/approvals/{approval}")).await.expect(200);
        assert_eq!(approval.body["status"], asked);
    }
}

async fn heavy_a_payment_is_confirmed_or_rejected(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "10000.00", "by_contract").await;
    let mut confirmed = 0;
    for _ in 0..20 {
        let form = Company::payment(&contract, "100.00");
        let payment = company.rep.client.post("/payments", form).await.expect(201).id();
        let calls = [&company.finance, &company.finance_two].into_iter().flat_map(|person| {
            let reject = json!({"reason": "not found"});
            [
                act(&person.client, format!("/payments/{payment}/confirm")),
                post(&person.client, format!("/payments/{payment}/reject"), reject),
            ]
        });
        let answers = at_once(calls).await;
        let won = one_winner(&answers, 200, &["409 invalid_transition"]);
        confirmed += i32::from(won.body["status"] == "confirmed");
    }
    let paid = format!("{}.00", confirmed * 100);
    assert_eq!(sum(&company.rep.client, &contract, "paid").await, paid);
    assert_eq!(sum(&company.rep.client, &contract, "received").await, paid);
}

/// What matters of an answer that is given more than once: everything but the ids of the single request.
fn essence(answer: &Answer) -> (u16, Value) {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    (answer.status, body)
}

async fn heavy_one_key_has_one_effect(server: Server) {
    let company = Company::found(&server).await;
    company.tell_no_duplicates().await;
    company.set(json!({"ownership": {"limit": 1000}, "pool": {"daily_claim_limit": 1000}})).await;
    let contract = company.active(&company.rep, "100000.00", "by_contract").await;
    let (client, times) = (&company.rep.client, rounds(20, 100));
    for round in 0..times {
        let key = format!("key-{round}");
        // A record, a transition of a record, and money.
        let name = format!("Only Once {round}");
        let customer = json!({"kind": "company", "name": name});
        let claim = format!("/public-pool/customers/{}/claim", company.pool_customer().await);
        let payment = Company::payment(&contract, "100.00");
        let (path, form, status) = match round % 3 {
            0 => ("/customers", customer, 201),
            1 => (claim.as_str(), Value::Null, 200),
            _ => ("/payments", payment, 201),
        };
        let once = |client: &Client| match &form {
            Value::Null => act_once(client, path, &key),
            form => post_once(client, path, &key, form.clone()),
        };
        let answers = at_once((0..32).map(|_| once(client))).await;
        let later = once(client).await.expect(status);
        assert_eq!(later.header("idempotent-replayed"), "true");
        let mut fresh = 0;
        for answer in &answers {
            if answer.status == 409 {
                assert_eq!(outcome(answer), "409 idempotency_in_progress", "{}", answer.text);
                continue;
            }
            assert_eq!(essence(answer), essence(&later), "{}", answer.request);
            assert_eq!(answer.header("etag"), later.header("etag"));
            assert_eq!(answer.header("location"), later.header("location"));
            fresh += i32::from(answer.header("idempotent-replayed").is_empty());
        }
        assert_eq!(fresh, 1, "{:?}", tally(&answers));

        // Another request may not use the key, the same of another person is another key.
        let other = json!({"kind": "company", "name": "Another"});
        client.post_once("/customers", &key, other).await.refused(422, "idempotency_key_reused");
        if path == "/customers" {
            let own = once(&company.colleague.client).await.expect(201);
            assert_ne!(own.id(), later.id());
        }
        let made = match path {
            "/customers" => format!("/customers?q=Only+Once+{round}&owner_id={}", company.rep.id),
            "/payments" => format!("/payments?bank_reference={}", later.text_of("bank_reference")),
            _ => format!("/audit-events?action=customer.claimed&record_id={}", later.id()),
        };
        let client = if made.starts_with("/audit-events") { &company.auditor.client } else { client };
        assert_eq!(count(client, &made).await, 1, "{made}");
    }
    let told = format!("{times} rounds of 32 equal keys at once: one effect and one answer each");
    report("T5", server.database.kind, &told);
}

fn act_once(client: &Client, path: &str, key: &str) -> Call {
    let (client, path, key) = (client.clone(), path.to_owned(), key.to_owned());
    let request = client.request(Method::POST, &path).header("idempotency-key", key);
    Box::pin(async move { client.send(request).await })
}

async fn heavy_a_refused_request_is_refused_again_under_its_key(server: Server) {
    let company = Company::found(&server).await;
    for round in 0..10 {
        let customer = company.pool_customer().await;
        let path = format!("/public-pool/customers/{customer}/claim");
        company.rep.client.act(&path).await.expect(200);
        let key = format!("refused-{round}");
        let answers = at_once((0..32).map(|_| act_once(&company.colleague.client, &path, &key))).await;
        for answer in &answers {
            assert!(
                ["409 already_claimed", "409 idempotency_in_progress"].contains(&outcome(answer).as_str()),
                "{}",
                answer.text
            );
        }
        // What was refused once stays refused, even though it would be possible now.
        let reason = json!({"reason": "no time"});
        company.rep.client.post(&format!("/customers/{customer}/release"), reason).await.expect(200);
        act_once(&company.colleague.client, &path, &key).await.refused(409, "already_claimed");
        act_once(&company.colleague.client, &path, &format!("{key}-again")).await.expect(200);
    }
}

async fn heavy_of_equal_versions_one_is_written(server: Server) {
    let company = Company::found(&server).await;
    let path = format!("/customers/{}", company.customer(&company.rep).await);
    let times = rounds(25, 100);
    for round in 0..times {
        let tag = company.rep.client.get(&path).await.expect(200).header("etag").to_owned();
        let change = |at: usize| {
            let person = if at.is_multiple_of(2) { &company.rep } else { &company.manager };
            patch(&person.client, &path, &tag, json!({"note": format!("round {round}, client {at}")}))
        };
        let answers = at_once((0..16).map(change)).await;
        expect_tally(&answers, &[("200", 1), ("412 version_mismatch", 15)]);
        let won = with_status(&answers, 200).next().unwrap();
        let now = company.rep.client.get(&path).await.expect(200);
        assert_eq!(now.body["note"], won.body["note"]);
        assert_eq!(now.body["version"], won.body["version"]);
        for lost in with_status(&answers, 412) {
            assert_eq!(lost.body["current_version"], now.body["version"], "{}", lost.text);
        }
    }
    let told = format!("{times} rounds of 16 with the same If-Match: one 200 and 15 x 412 each");
    report("T6", server.database.kind, &told);
}

async fn heavy_no_increment_is_lost(server: Server) {
    const CLIENTS: usize = 8;
    const EACH: usize = 125;
    let company = Company::found(&server).await;
    let path = format!("/customers/{}", company.customer(&company.rep).await);
    company.rep.client.patch(&path, json!({"note": "0"})).await.expect(200);
    let count = |client: Client, path: String| async move {
        let mut lost = 0;
        for _ in 0..EACH {
            loop {
                let now = client.get(&path).await.expect(200);
                let next = now.text_of("note").parse::<usize>().unwrap() + 1;
                let note = json!({"note": next.to_string()});
                let answer = client.patch_if(&path, now.header("etag"), note).await;
                if answer.status == 200 {
                    break;
                }
                answer.refused(412, "version_mismatch");
                lost += 1;
            }
        }
        lost
    };
    let (mut lost, times) = (0, rounds(1, 10));
    for _ in 0..times {
        // A login each: one alone would not last a long run.
        let rep = server.login(&company.rep.email, PASSWORD).await;
        let counting: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(count(rep.clone(), path.clone()))).collect();
        for client in counting {
            lost += tokio::time::timeout(PATIENCE * 3, client).await.expect("counts in time").unwrap();
        }
    }
    assert!(lost > 0, "nobody was ever too late: this was no race");
    let (end, made) = (server.login(&company.rep.email, PASSWORD).await, CLIENTS * EACH * times);
    assert_eq!(end.get(&path).await.expect(200).body["note"], made.to_string());
    let told = format!("{made} increments by {CLIENTS} clients, {lost} x 412 and asked again, 0 lost");
    report("T6", server.database.kind, &told);
}

async fn heavy_a_bank_reference_counts_once(server: Server) {
    let company = Company::found(&server).await;
    let first = company.active(&company.rep, "10000.00", "by_contract").await;
    let second = company.active(&company.colleague, "10000.00", "by_contract").await;
    for _ in 0..20 {
        let form = Company::payment(&first, "10.00");
        let mut other = form.clone();
        other["contract_id"] = json!(second);
        // On one contract its lock would do; on two only the unique index does.
        let calls = [
            post(&company.rep.client, "/payments", form.clone()),
            post(&company.rep.client, "/payments", form),
            post(&company.colleague.client, "/payments", other.clone()),
            post(&company.colleague.client, "/payments", other),
        ];
        let answers = at_once(calls).await;
        expect_tally(&answers, &[("201", 1), ("409 duplicate", 3)]);
    }
    for contract in [&first, &second] {
        let payments = count(&company.finance.client, &format!("/payments?contract_id={contract}")).await;
        let received = sum(&company.finance.client, contract, "received").await;
        assert_eq!(received, format!("{:.2}", 10.0 * f64::from(u32::try_from(payments).unwrap())));
    }
}

/// A qualified lead of this person.
async fn qualified(owner: &Person, company: &str) -> String {
    let form = json!({"name": "Somebody", "company": company, "source": "website"});
    let lead = owner.client.post("/leads", form).await.expect(201).id();
    let call = json!({
        "about": {"kind": "lead", "id": lead}, "kind": "call", "subject": "First call",
        "happened_at": "2026-01-01T00:00:00Z",
    });
    owner.client.post("/activities", call).await.expect(201);
    owner.client.act(&format!("/leads/{lead}/qualify")).await.expect(200);
    lead
}

async fn heavy_a_lead_is_converted_once(server: Server) {
    let company = Company::found(&server).await;
    for round in 0..10 {
        let name = format!("Converted{round}");
        let lead = qualified(&company.rep, &name).await;
        let form = json!({"opportunity": {"name": format!("Sale {name}")}});
        let convert = |at: usize| {
            let person = if at.is_multiple_of(2) { &company.rep } else { &company.manager };
            post(&person.client, format!("/leads/{lead}/convert"), form.clone())
        };
        let answers = at_once((0..10).map(convert)).await;
        expect_tally(&answers, &[("200", 1), ("409 already_converted", 9)]);
        let customers = company.director.client.all(&format!("/customers?name={name}")).await;
        assert_eq!(customers.len(), 1);
        let of_customer = format!("customer_id={}", customers[0]["id"].as_str().unwrap());
        assert_eq!(count(&company.director.client, &format!("/contacts?{of_customer}")).await, 1);
        assert_eq!(count(&company.director.client, &format!("/opportunities?{of_customer}")).await, 1);
    }
}

async fn opportunity(company: &Company, owner: &Person, customer: &str) -> String {
    let form = json!({
        "name": "A sale", "customer_id": customer, "amount": money("5000.00"), "expected_close_on": "2027-06-30",
        "pipeline_id": company.pipeline["id"],
    });
    owner.client.post("/opportunities", form).await.expect(201).id()
}

async fn heavy_an_opportunity_makes_one_contract(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..10 {
        let customer = company.customer(&company.rep).await;
        let sale = opportunity(&company, &company.rep, &customer).await;
        let form = json!({"stage_id": company.signing_stage()});
        let advance = |at: usize| {
            let person = if at.is_multiple_of(2) { &company.rep } else { &company.manager };
            post(&person.client, format!("/opportunities/{sale}/advance"), form.clone())
        };
        let answers = at_once((0..10).map(advance)).await;
        // Who comes late finds it in that stage already.
        let won = one_winner(&answers, 200, &["422 validation_failed"]);
        let contracts = company.director.client.all(&format!("/contracts?customer_id={customer}")).await;
        assert_eq!(contracts.len(), 1);
        assert_eq!(contracts[0]["id"], won.body["contract_id"]);
    }
}

async fn heavy_a_customer_with_open_business_is_never_released(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..20 {
        let customer = company.customer(&company.rep).await;
        let sale = json!({"name": "A sale", "customer_id": customer});
        let contract = json!({
            "title": "Delivery", "customer_id": customer, "amount": money("10.00"),
            "collection_scheme": "by_contract",
        });
        let calls = [
            post(
                &company.manager.client,
                format!("/customers/{customer}/release"),
                json!({"reason": "moved"}),
            ),
            post(&company.rep.client, "/opportunities", sale),
            post(&company.rep.client, "/contracts", contract),
        ];
        let answers = at_once(calls).await;
        let released = answers[0].status == 200;
        let made = answers[1..].iter().filter(|answer| answer.status == 201).count();
        if released {
            assert_eq!(made, 0, "{:?}", tally(&answers));
        } else {
            assert_eq!(outcome(&answers[0]), "409 customer_has_open_business");
        }
        let now = company.admin.client.get(&format!("/customers/{customer}")).await.expect(200);
        assert_eq!(now.body["owner_id"].is_null(), released);
    }
}

/// Reopened business is open business: its customer has an owner, whichever of the two comes first.
async fn heavy_a_sale_is_not_reopened_in_the_pool(server: Server) {
    let company = Company::found(&server).await;
    for _ in 0..20 {
        let customer = company.customer(&company.rep).await;
        let sale = json!({"name": "A sale", "customer_id": customer});
        let sale = company.rep.client.post("/opportunities", sale).await.expect(201).id();
        let lost = json!({"reason": "timing"});
        company.rep.client.post(&format!("/opportunities/{sale}/lose"), lost).await.expect(200);
        let reason = json!({"reason": "moved"});
        let calls = [
            post(&company.rep.client, format!("/customers/{customer}/release"), reason),
            act(&company.manager.client, format!("/opportunities/{sale}/reopen")),
        ];
        let answers = at_once(calls).await;
        let released = answers[0].status == 200;
        let (of_release, of_reopening) = if released {
            ("200", "409 customer_unowned")
        } else {
            ("409 customer_has_open_business", "200")
        };
        assert_eq!((outcome(&answers[0]), outcome(&answers[1])), (of_release.into(), of_reopening.into()));
    }
}

/// An opportunity is always in a stage that its pipeline has, however it is moved while the pipeline changes.
async fn heavy_no_stage_is_taken_from_under_a_sale(server: Server) {
    let company = Company::found(&server).await;
    let stage = |name: &str, kind: &str| json!({"name": name, "kind": kind, "probability": 10});
    let stages =
        [stage("First", "open"), stage("Second", "open"), stage("Won", "won"), stage("Lost", "lost")];
    for round in 0..25 {
        let pipeline = json!({"name": format!("Pipeline {round}"), "stages": stages});
        let pipeline = company.admin.client.post("/pipelines", pipeline).await.expect(201);
        let second = pipeline.body["stages"][1]["id"].clone();
        let without: Vec<&Value> = pipeline.body["stages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|stage| stage["id"] != second)
            .collect();
        let customer = company.customer(&company.rep).await;
        let sale = json!({"name": "A sale", "customer_id": customer, "pipeline_id": pipeline.id()});
        let sale = company.rep.client.post("/opportunities", sale).await.expect(201).id();
        let path = format!("/pipelines/{}", pipeline.id());
        let calls = [
            patch(&company.admin.client, &path, "*", json!({"stages": without})),
            post(&company.rep.client, format!("/opportunities/{sale}/advance"), json!({"stage_id": second})),
        ];
        let answers = at_once(calls).await;
        let (of_pipeline, of_sale) =
            if answers[0].status == 200 { ("200", "422 unknown_reference") } else { ("409 in_use", "200") };
        assert_eq!((outcome(&answers[0]), outcome(&answers[1])), (of_pipeline.into(), of_sale.into()));
    }
}

async fn heavy_numbers_have_neither_gaps_nor_twins(server: Server) {
    let company = Company::found(&server).await;
    let first = company.active(&company.rep, "1000.00", "by_contract").await;
    let second = company.active(&company.colleague, "1000.00", "by_contract").await;
    let record = |at: usize| {
        let (person, contract) =
            if at.is_multiple_of(2) { (&company.rep, &first) } else { (&company.colleague, &second) };
        // Every fourth is refused, and its number with it: it is the next one's.
        let amount = if at % 4 == 3 { "1000.01" } else { "1.00" };
        post(&person.client, "/payments", Company::payment(contract, amount))
    };
    let answers = at_once((0..64).map(record)).await;
    expect_tally(&answers, &[("201", 48), ("409 payment_exceeds_contract", 16)]);
    let mut numbers: Vec<u32> = with_status(&answers, 201)
        .map(|answer| answer.text_of("number").rsplit('-').next().unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=48).collect::<Vec<u32>>());
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
