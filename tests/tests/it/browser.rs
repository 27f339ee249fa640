//! What a person sees: Swagger UI in a real browser, driven over the WebDriver protocol.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{Company, Server};

on_both_databases! {
    heavy_swagger_ui_authorizes_and_tries_out;
}

/// Where `cargo xtask test` says that the browser is.
const BROWSER: &str = "FAIRLEAD_TEST_BROWSER";

/// How long a page may take to do what was asked.
const PATIENCE: Duration = Duration::from_secs(30);

struct Browser {
    http: reqwest::Client,
    session: String,
    _driver: Child,
    _profile: tempfile::TempDir,
}

fn driver() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders)
        .chain(std::env::var_os("CHROMEWEBDRIVER").map(PathBuf::from))
        .collect();
    folders.into_iter().map(|folder| folder.join("chromedriver")).find(|driver| driver.is_file())
}

impl Browser {
    async fn open() -> Option<Self> {
        let (Some(browser), Some(driver)) = (std::env::var_os(BROWSER), driver()) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "no browser to test with: run `cargo xtask setup`, which installs Chromium and its driver"
            );
            eprintln!(
                "NOT TESTED: there is no Chromium with chromedriver; `cargo xtask setup` installs both"
            );
            return None;
        };
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("chromedriver says where it listens");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let profile = tempfile::tempdir().unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1300,1400",
        ];
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| (*argument).to_owned())
            .chain([format!("--user-data-dir={}", profile.path().display())])
            .collect();
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"binary": browser.to_string_lossy(), "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let answer =
            http.post(format!("http://127.0.0.1:{port}/session")).json(&capabilities).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {answer}"));
        let session = format!("http://127.0.0.1:{port}/session/{id}");
        Some(Self { http, session, _driver: driver, _profile: profile })
    }

    async fn tell(&self, command: &str, body: Value) -> Value {
        let answer = self.http.post(format!("{}/{command}", self.session)).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["value"]["error"].is_null(), "{command}: {answer}");
        answer["value"].clone()
    }

    async fn run(&self, script: &str, arguments: Value) -> Value {
        self.tell("execute/sync", json!({"script": script, "args": arguments})).await
    }

    /// Runs a script until it answers with something true.
    async fn until(&self, script: &str, arguments: Value) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let value = self.run(script, arguments.clone()).await;
            if value != Value::Null && value != json!(false) {
                return value;
            }
            assert!(tokio::time::Instant::now() < deadline, "never came true: {script}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Clicks on the first element that is there.
    async fn click(&self, selector: &str) {
        let script = "const it = document.querySelector(arguments[0]); if (!it) return false; it.click(); return true;";
        self.until(script, json!([selector])).await;
    }

    async fn close(&self) {
        let _ = self.http.delete(&self.session).send().await;
    }
}

async fn heavy_swagger_ui_authorizes_and_tries_out(server: Server) {
    let company = Company::found(&server).await;
    company
        .marketing
        .client
        .post("/leads", json!({"name": "Seen in a browser", "source": "website"}))
        .await
        .expect(201);
    let token = company.marketing.client.token.clone().unwrap();
    let Some(browser) = Browser::open().await else { return };
    browser.tell("url", json!({"url": format!("{}/swagger-ui/", server.url)})).await;

    browser.click("button.authorize").await;
    // React notices what is typed, not what is assigned: the setter of the element's own class is what typing calls.
    let typed = "const it = document.querySelector('.auth-container input'); if (!it) return false; \
                 Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(it, arguments[0]); \
                 it.dispatchEvent(new Event('input', {bubbles: true})); return true;";
    browser.until(typed, json!([token])).await;
    browser.click(".auth-container button[type=submit]").await;
    browser.click(".auth-container button.btn-done").await;

    let operation = "[id$='-list_leads']";
    browser.click(&format!("{operation} .opblock-summary-control")).await;
    // With `tryItOutEnabled` the form is open already.
    browser.click(&format!("{operation} button.execute")).await;
    let answered = "const it = document.querySelector(arguments[0]); return it ? it.innerText : null;";
    let status = format!("{operation} .live-responses-table tbody .response-col_status");
    let status = browser.until(answered, json!([status])).await;
    assert!(status.as_str().unwrap().contains("200"), "{status}");
    let shown = browser.run(answered, json!([format!("{operation} .live-responses-table")])).await;
    assert!(shown.as_str().unwrap().contains("Seen in a browser"), "{shown}");

    // The content security policy blocks nothing that the page needs.
    let log = browser.tell("se/log", json!({"type": "browser"})).await;
    let blocked: Vec<&Value> = log
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| {
            entry["message"].as_str().is_some_and(|text| text.contains("Content Security Policy"))
        })
        .collect();
    assert!(blocked.is_empty(), "{blocked:?}");
    browser.close().await;
}
