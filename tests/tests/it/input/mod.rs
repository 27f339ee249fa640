//! Bad input, on real operations: each is a clear 4xx that says where it is wrong, and nothing is written.

mod forms;
mod nonsense;
mod protocol;

use futures_util::stream::{self, StreamExt};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::support::{Answer, Client, Company, Server};

const UNKNOWN_ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// What the tests of this file ask of a server: refusals, and that nothing comes of them.
struct Refusals {
    company: Company,
    before: i64,
    wrong: Vec<String>,
}

/// The newest audit event: every write makes one, in its own transaction.
async fn newest_event(admin: &Client) -> i64 {
    let page = admin.get("/audit-events?sort=-sequence&limit=1").await.expect(200);
    page.body["data"][0]["sequence"].as_i64().unwrap()
}

/// Why an answer is not a problem that keeps to the rules.
fn not_a_problem(answer: &Answer) -> Option<String> {
    let body = &answer.body;
    let why = if answer.header("content-type") != "application/problem+json" {
        "it is no problem document"
    } else if body["status"] != answer.status {
        "its status is another one"
    } else if body["request_id"] != answer.header("x-request-id") || answer.header("x-request-id").is_empty()
    {
        "its request id is not the header's"
    } else if body["type"] != format!("/problems/{}", body["code"].as_str().unwrap_or_default()) {
        "its type does not lead to its code"
    } else if ["title", "detail", "instance"]
        .iter()
        .any(|name| body[*name].as_str().is_none_or(str::is_empty))
    {
        "it says too little"
    } else {
        return None;
    };
    Some(format!("{} answered {} {}: {why}", answer.request, answer.status, answer.text))
}

impl Refusals {
    async fn begin(company: Company) -> Self {
        let before = newest_event(&company.admin.client).await;
        Self { company, before, wrong: Vec::new() }
    }

    /// Looks at an answer that must be a refusal; returns it for more.
    fn check(
        &mut self,
        what: &str,
        answer: Answer,
        status: u16,
        code: &str,
        pointer: Option<&str>,
    ) -> Answer {
        if answer.status != status || answer.body["code"] != code {
            let found = format!("{} {}", answer.status, answer.text);
            self.wrong.push(format!("{what}: {} answered {found}, not {status} {code}", answer.request));
        } else if let Some(why) = not_a_problem(&answer) {
            self.wrong.push(format!("{what}: {why}"));
        } else if let Some(pointer) = pointer {
            let named = answer.body["errors"].as_array().into_iter().flatten();
            if !named.into_iter().any(|error| error["pointer"] == pointer) {
                self.wrong.push(format!("{what}: does not name {pointer}: {}", answer.text));
            }
        }
        answer
    }

    async fn refused(
        &mut self,
        what: &str,
        client: &Client,
        request: RequestBuilder,
        status: u16,
        code: &str,
        pointer: &str,
    ) {
        let answer = client.send(request).await;
        self.check(what, answer, status, code, Some(pointer));
    }

    /// Fails if anything was other than it must be, or anything was written.
    async fn end(self) {
        assert!(self.wrong.is_empty(), "{} wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
        let after = newest_event(&self.company.admin.client).await;
        assert_eq!(after, self.before, "a request that was refused has written something");
    }
}

fn lead() -> Value {
    json!({"name": "Lin Mei", "source": "website"})
}

/// A form with one member changed or added.
fn with(form: &Value, member: &str, value: Value) -> Value {
    let mut form = form.clone();
    form[member] = value;
    form
}

fn raw(client: &Client, method: Method, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    client.request(method, path).header("if-match", "*").header("content-type", "application/json").body(body)
}
