//! What a person sees: Swagger UI in a real browser, driven over the WebDriver protocol.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{Company, Kind, PASSWORD, Server, binary, run};

on_both_databases! {
    heavy_swagger_ui_authorizes_and_tries_out;
}

/// The page is the same on both databases, and slow to draw.
#[test]
fn heavy_swagger_ui_of_a_demo_is_tried_out_by_role() {
    run(Kind::Sqlite, of_a_demo);
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
            if tokio::time::Instant::now() > deadline {
                self.picture("failed").await;
                panic!("never came true: {script} {arguments}");
            }
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

/// What an element says, once it is there.
const SAYS: &str = "const it = document.querySelector(arguments[0]); return it ? it.innerText : null;";

impl Browser {
    async fn visit(&self, url: String) {
        self.tell("url", json!({"url": url})).await;
    }

    /// Types into a field. React notices what is typed, not what is assigned: the setter of the element's own class is
    /// what typing calls.
    async fn fill(&self, selector: &str, text: &str) {
        let script = "const it = document.querySelector(arguments[0]); if (!it) return false; \
                      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(it, arguments[1]); \
                      it.dispatchEvent(new Event('input', {bubbles: true})); return true;";
        self.until(script, json!([selector, text])).await;
    }

    /// Waits until an element says something.
    async fn says(&self, selector: &str, text: &str) {
        let script = "const it = document.querySelector(arguments[0]); return it && it.innerText.includes(arguments[1]);";
        self.until(script, json!([selector, text])).await;
    }

    /// Opens an operation, executes it as it stands, closes it (Swagger UI draws all open ones again at each click),
    /// and answers with its status and what is shown. A page that is still being drawn sometimes loses a click:
    /// whoever sees nothing come of it loads the page again, as people do.
    async fn execute(&self, tag: &str, id: &str) -> (String, String) {
        let operation = format!("[id$='-{id}']");
        // With `tryItOutEnabled` the form is open already; tags are closed at first, like a table of contents.
        let script = "const [tag, of] = arguments; \
            const status = document.querySelector(`${of} .live-responses-table tbody .response-col_status`); \
            if (status) return status.innerText; \
            const heading = document.querySelector(`.opblock-tag[data-tag='${tag}']`); \
            if (heading && heading.dataset.isOpen !== 'true') { heading.click(); return null; } \
            const button = document.querySelector(`${of} button.execute`); \
            if (!button) { document.querySelector(`${of}:not(.is-open) .opblock-summary-control`)?.click(); return null; } \
            if (!window.clicked) { window.clicked = true; button.click(); } \
            return null;";
        for _ in 0..3 {
            self.run("window.clicked = false;", json!([])).await;
            for _ in 0..40 {
                let status = self.run(script, json!([tag, operation])).await;
                if let Some(status) = status.as_str() {
                    let shown = self.run(SAYS, json!([format!("{operation} .live-responses-table")])).await;
                    self.click(&format!("{operation} .opblock-summary-control")).await;
                    return (status.trim().to_owned(), shown.as_str().unwrap().to_owned());
                }
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            self.tell("refresh", json!({})).await;
        }
        self.picture("failed").await;
        panic!("{id} was executed, and nothing came of it");
    }

    /// Keeps what is to be seen as a picture among what was built.
    async fn picture(&self, name: &str) {
        let answer = self.http.get(format!("{}/screenshot", self.session)).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let picture = STANDARD.decode(answer["value"].as_str().unwrap()).unwrap();
        let target = binary().ancestors().nth(2).unwrap().join("screenshots");
        std::fs::create_dir_all(&target).unwrap();
        std::fs::write(target.join(format!("{name}.png")), picture).unwrap();
    }

    /// The content security policy blocks nothing that the page needs.
    async fn blocked_nothing(&self) {
        let log = self.tell("se/log", json!({"type": "browser"})).await;
        let blocked = |entry: &&Value| {
            entry["message"].as_str().is_some_and(|text| text.contains("Content Security Policy"))
        };
        let blocked: Vec<&Value> = log.as_array().into_iter().flatten().filter(blocked).collect();
        assert!(blocked.is_empty(), "{blocked:?}");
    }
}

async fn heavy_swagger_ui_authorizes_and_tries_out(server: Server) {
    let company = Company::found(&server).await;
    let lead = json!({"name": "Seen in a browser", "source": "website"});
    company.marketing.client.post("/leads", lead).await.expect(201);
    let token = company.marketing.client.token.clone().unwrap();
    let Some(browser) = Browser::open().await else { return };
    browser.visit(format!("{}/swagger-ui/", server.url)).await;

    browser.click("button.authorize").await;
    browser.fill(".auth-container input", &token).await;
    browser.click(".auth-container button[type=submit]").await;
    browser.click(".auth-container button.btn-done").await;
    let (status, shown) = browser.execute("Leads", "list_leads").await;
    assert!(status.contains("200") && shown.contains("Seen in a browser"), "{status}: {shown}");

    // Where there is no demo, nobody's password is shown: people type theirs.
    assert_eq!(browser.run("return document.querySelectorAll('.demo-account').length;", json!([])).await, 0);
    browser.fill(".accounts input[name=email]", &company.rep.email).await;
    browser.fill(".accounts input[name=password]", "wrong").await;
    browser.click(".accounts button[type=submit]").await;
    browser.says(".account-state", "Not logged in").await;
    browser.fill(".accounts input[name=password]", PASSWORD).await;
    browser.click(".accounts button[type=submit]").await;
    browser.says(".account-state", &company.rep.email).await;
    let (_, shown) = browser.execute("Me", "get_me").await;
    assert!(shown.contains(&company.rep.email), "{shown}");

    // What Swagger UI keeps of a token over a reload, and what it takes away, is told.
    browser.tell("refresh", json!({})).await;
    browser.says(".account-state", "There is a token").await;
    browser.click("button.authorize").await;
    browser.click("[aria-label='Remove authorization']").await;
    browser.says(".account-state", "Nobody is logged in").await;
    browser.blocked_nothing().await;
    browser.close().await;
}

/// What QA does with the demo: pick an account, try operations as they stand, pick another.
async fn of_a_demo(server: Server) {
    let kind = server.database.kind;
    drop(server);
    let server = Server::demo(kind).await;
    let Some(browser) = Browser::open().await else { return };
    browser.visit(format!("{}/swagger-ui/", server.url)).await;
    browser.click(".demo-account[title^='rep.east@']").await;
    browser.says(".account-state", "Logged in as rep.east@").await;
    browser.picture("swagger-ui").await;
    let tried = [
        ("Me", "get_me", "200"),
        ("Search", "search_records", "200"),
        ("Leads", "list_leads", "200"),
        ("Leads", "create_lead", "201"),
        ("Customers", "create_customer", "201"),
        ("Public pool", "list_pool_customers", "200"),
        ("Contracts", "list_contracts", "200"),
        ("Dictionaries", "list_dictionaries", "200"),
    ];
    for (tag, id, expected) in tried {
        let (status, shown) = browser.execute(tag, id).await;
        assert!(status.contains(expected), "{id}: {status}: {shown}");
    }
    browser.picture("swagger-ui-tried-out").await;

    // Another role, and what it may do; a page that is loaded again still knows who is logged in.
    browser.click(".demo-account[title^='finance@']").await;
    browser.says(".account-state", "Logged in as finance@").await;
    browser.visit(format!("{}/swagger-ui/#/Me/get_me", server.url)).await;
    browser.tell("refresh", json!({})).await;
    browser.says(".account-state", "Logged in as finance@").await;
    // The link led to the operation: it is open.
    browser.click("[id$='-get_me'] button.execute").await;
    browser.says("[id$='-get_me'] .live-responses-table", "finance@").await;

    // Tags stand in the order of the sale.
    let tags = "return [...document.querySelectorAll('.opblock-tag')].map(it => it.dataset.tag);";
    let tags = browser.run(tags, json!([])).await;
    let place = |name: &str| tags.as_array().unwrap().iter().position(|tag| tag == name).unwrap();
    let chain = ["Leads", "Customers", "Opportunities", "Contracts", "Invoices", "Payments"];
    assert!(chain.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{tags}");

    // The name of a tag, typed into the filter, leaves that tag alone; without a filter the others come back.
    let shown = "return JSON.stringify([...document.querySelectorAll('.opblock-tag')].map(it => it.dataset.tag)) \
        === JSON.stringify(arguments[0]);";
    browser.fill(".operation-filter-input", "Invoices").await;
    browser.until(shown, json!([["Invoices"]])).await;
    browser.fill(".operation-filter-input", "").await;
    browser.until(shown, json!([tags])).await;
    browser.blocked_nothing().await;

    browser.visit(format!("{}/problems", server.url)).await;
    browser.says("h1", "Problems").await;
    browser.picture("problems").await;
    browser.click("a[href='/problems/invoice_exceeds_contract']").await;
    browser.says("body", "开票金额超出合同金额").await;
    browser.picture("problem").await;
    browser.blocked_nothing().await;
    browser.close().await;
}
