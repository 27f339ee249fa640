//! What servers do by themselves while a job takes long.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::{Bucket, Company, Server, until};

on_both_databases! {
    a_long_job_keeps_nothing_else_waiting;
    a_long_step_keeps_its_job;
}

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << >>\n%%EOF\n";

/// A server that keeps its files in a bucket, with one file.
async fn with_a_file(server: &Server, bucket: &Bucket) -> (Server, Company) {
    let settings = [&bucket.settings()[..], &[("FAIRLEAD_JOBS__INTERVAL_SECONDS", "1")]].concat();
    let server = Server::start_with(server.database.kind, &settings).await;
    let company = Company::found(&server).await;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let path = format!("/contracts/{contract}/attachments?file_name=a.pdf");
    let rep = &company.rep.client;
    let file = rep.request(Method::POST, &path).header("content-type", "application/pdf").body(PDF);
    rep.send(file).await.expect(201);
    (server, company)
}

/// Begins to verify, as far as the bucket does not answer.
async fn long_job(company: &Company, bucket: &Bucket) -> String {
    bucket.be_slow(true);
    let job = company.admin.client.post("/verifications", json!({})).await.expect(202).id();
    until("the first check", async || (bucket.measured() == 1).then_some(())).await;
    job
}

async fn status(company: &Company, job: &str) -> String {
    company.admin.client.get(&format!("/jobs/{job}")).await.expect(200).text_of("status")
}

async fn a_long_job_keeps_nothing_else_waiting(server: Server) {
    let bucket = Bucket::start();
    let (server, company) = with_a_file(&server, &bucket).await;
    let Company { rep, marketing, .. } = &company;
    let job = long_job(&company, &bucket).await;
    let lead =
        marketing.client.post("/leads", json!({"name": "Li", "source": "event"})).await.expect(201).id();
    let assign = format!("/leads/{lead}/assign");
    marketing.client.post(&assign, json!({"owner_id": rep.id})).await.expect(200);
    until("the news", async || {
        let told = rep.client.all("/notifications?kind=lead_assigned").await;
        (!told.is_empty()).then_some(())
    })
    .await;
    let overdue = format!("UPDATE leads SET response_due_at = {} WHERE id = $1", server.database.ago(0, 1));
    server.database.alter(&overdue, &lead).await;
    until("the lead's return", async || {
        let seen = marketing.client.get(&format!("/leads/{lead}")).await.expect(200).body;
        seen["owner_id"].is_null().then_some(())
    })
    .await;
    assert_eq!(status(&company, &job).await, "running", "the job had ended before");
    bucket.be_slow(false);
    until("the end of the job", async || (status(&company, &job).await == "finished").then_some(())).await;
}

/// Of two servers none takes over what the other one works on, however long a step takes.
async fn a_long_step_keeps_its_job(server: Server) {
    let bucket = Bucket::start();
    let (server, company) = with_a_file(&server, &bucket).await;
    let _second = server.beside().await;
    let job = long_job(&company, &bucket).await;
    // As if most of the minute were over; the other server looks every second.
    let soon = server.database.instant(chrono::Duration::seconds(8));
    server.database.alter(&format!("UPDATE jobs SET leased_until = {soon} WHERE id = $1"), &job).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(12) {
        assert_eq!(bucket.measured(), 1, "another server began the same check");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bucket.be_slow(false);
    until("the end of the job", async || (status(&company, &job).await == "finished").then_some(())).await;
    assert_eq!(bucket.measured(), 1, "the check was made twice");
    assert!(!server.log().contains("a job was interrupted"));
}
