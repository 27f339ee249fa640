//! API8 and leaks: what leaves the server in headers, and what stays out of its log.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Company, PASSWORD, Server};

on_both_databases! {
    no_secret_is_logged;
    request_ids_of_others_are_harmless;
    traces_of_others_go_on_in_the_log;
    nobody_writes_lines_of_the_log;
    answers_carry_security_headers;
    every_route_carries_security_headers;
    other_origins_are_not_let_in;
}

async fn no_secret_is_logged(server: Server) {
    let kind = server.database.kind;
    let server = Server::start_with(kind, &[("FAIRLEAD_LOG__FILTER", "debug")]).await;
    let company = Company::found(&server).await;
    let (client, admin) = (&company.rep.client, &company.admin.client);
    // Passwords: right, wrong, too long, in a form that is broken elsewhere.
    let nobody = server.anonymous();
    let login = |password: &str| json!({"email": company.rep.email, "password": password});
    nobody.post("/auth/login", login("canary-wrong-password")).await.expect(401);
    let mut broken = login("canary-broken-password");
    broken["extra"] = json!("canary-extra");
    nobody.post("/auth/login", broken).await.expect(400);
    let raw = nobody.request(Method::POST, "/auth/login").header("content-type", "application/json");
    nobody.send(raw.body("{\"password\": \"canary-cut-off")).await.expect(400);
    let user = |password: String| {
        json!({
            "email": "canary-user@example.com", "display_name": "canary-name", "roles": ["sales_rep"],
            "password": password,
        })
    };
    admin.post("/users", user("canary-first-password".to_owned())).await.expect(201);
    admin.post("/users", user("canary-long-password".repeat(20))).await.expect(422);
    let change = json!({"current_password": PASSWORD, "new_password": "canary-next-password"});
    company.colleague.client.post("/me/change-password", change).await.expect(204);
    // Tokens: good, forged, in the wrong place.
    client.with_token("canary-forged-token").get("/me").await.expect(401);
    client.get("/leads?access_token=canary-query-token").await.expect(400);
    let refresh = json!({"refresh_token": "canary-refresh-token"});
    nobody.post("/auth/refresh", refresh).await.expect(401);
    let pair = nobody.post("/auth/refresh", json!({"refresh_token": client.refresh_token})).await.expect(200);
    // Contact data: kept, refused, searched for.
    let customer = json!({
        "kind": "company", "name": "canary-customer", "phone": "+86 138 7777 6666",
        "email": "canary-customer@example.com", "address": "canary-address", "tax_profiles": [{"account": "canary-account"}],
    });
    let customer = client.post_once("/customers", "canary-idempotency-key", customer).await.expect(201).id();
    let person = json!({"customer_id": customer, "name": "canary-contact", "wechat": "canary-wechat"});
    let person = client.post("/contacts", person).await.expect(201).id();
    client
        .patch(&format!("/contacts/{person}"), json!({"email": "canary-mail@example.com"}))
        .await
        .expect(200);
    client.patch(&format!("/contacts/{person}"), json!({"birthday": "canary-birthday"})).await.expect(422);
    client.get("/customers?q=canary-question&phone=canary-phone").await.expect(200);
    client.get("/customers?unknown=canary-unknown").await.expect(400);
    for (filter, status) in [(json!({"phone": ["canary-phone"]}), 200), (json!({"canary_unknown": 1}), 400)] {
        let search = json!({"q": "canary-question", "all": [{"any": [filter]}]});
        client.post("/customers/search", search).await.expect(status);
    }
    client.get("/customers?cursor=canary-cursor").await.expect(400);
    client.get("/leads/canary-path").await;
    client.get("/search?q=canary-search").await.expect(200);
    let view = json!({"resource": "leads", "name": "canary-view", "query": "name=canary-value"});
    client.post("/saved-views", view).await.expect(201);
    // Files, statements and what strangers fill in.
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let path = format!("/contracts/{contract}/attachments?file_name=canary-file.txt");
    let file = client.request(Method::POST, &path).header("content-type", "text/plain");
    client.send(file.body("canary-content")).await.expect(201);
    let statement = json!({
        "csv": "Date,Amount,From\n2026-03-01,1.00,canary-payer\ncanary-day,1.00,x\n", "currency": "CNY",
        "method": "bank_transfer",
        "columns": {"received_on": "Date", "amount": "Amount", "payer": "From"},
    });
    company.finance.client.post("/receipts/import", statement).await.expect(200);
    let form = json!({"name": "canary-stranger", "phone": "+86 138 7777 6666", "note": "canary-stranger"});
    let stranger = nobody.request(Method::POST, &format!("/public/lead-forms/{}", "0".repeat(32)));
    let stranger = nobody.send(stranger.header("origin", "https://canary.example").json(&form)).await;
    assert!(stranger.status >= 400, "{}", stranger.text);

    let log = server.log();
    assert!(log.contains("DEBUG"), "the log is not at the level that this test is about");
    let id = pair.header("x-request-id");
    assert!(log.contains(id), "requests are logged, this one is not");
    let held = [
        PASSWORD,
        client.token.as_ref().unwrap(),
        client.refresh_token.as_ref().unwrap(),
        &pair.text_of("access_token"),
        &pair.text_of("refresh_token"),
        "13877776666",
        "138 7777 6666",
        "Bearer ",
        "$argon2id$",
    ];
    let lines = log.lines().filter(|line| {
        line.to_lowercase().contains("canary") || held.iter().any(|secret| line.contains(secret))
    });
    let found: Vec<&str> = lines.collect();
    assert!(
        found.is_empty(),
        "{} lines of the log tell secrets, such as:\n{}",
        found.len(),
        found[..found.len().min(10)].join("\n")
    );
}

/// What a client sends is not taken for an event of ours, by whoever reads the log or by a program.
async fn nobody_writes_lines_of_the_log(server: Server) {
    let kind = server.database.kind;
    for format in ["text", "json"] {
        let environment = [("FAIRLEAD_LOG__FILTER", "debug"), ("FAIRLEAD_LOG__FORMAT", format)];
        let server = Server::start_with(kind, &environment).await;
        let admin = server.admin().await;
        let forged = "x\r\n{\"level\":\"ERROR\",\"message\":\"forged\"}\nforged\u{1b}[31m\u{2028}forged";
        let encoded = "x%0D%0Aforged%0Aforged%1B%5B31m%E2%80%A8forged";
        let login = json!({"email": forged, "password": forged});
        server.anonymous().post("/auth/login", login).await;
        admin.post("/leads", json!({"name": forged, "source": "website", "note": forged})).await;
        admin.post("/leads", json!({"name": "Lead", "source": forged})).await;
        admin.post("/leads", json!({forged: forged})).await.expect(400);
        admin.post_once("/leads", "forged", json!({"name": "Lead", "source": "website"})).await.expect(201);
        for path in [format!("/leads/{encoded}"), format!("/{encoded}"), format!("/leads?q={encoded}")] {
            admin.get(&path).await;
        }
        admin.get(&format!("/leads?{encoded}=1")).await.expect(400);
        let log = server.log();
        assert!(log.lines().count() > 10, "{log}");
        for line in log.lines() {
            assert!(!line.trim_start().starts_with("forged"), "{line}");
            assert!(!line.contains('\u{1b}') && !line.contains('\u{2028}'), "{line:?}");
            if format == "json" {
                let event: Value =
                    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                assert!(event["level"].is_string() && event["message"] != "forged", "{line}");
            }
        }
    }
}

/// Sends a request as it is and reads the head of the answer.
async fn raw(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), async {
        let mut buffer = [0; 1024];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            bytes.extend_from_slice(&buffer[..read]);
            if bytes.windows(4).any(|end| end == b"\r\n\r\n") {
                break;
            }
        }
    })
    .await;
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn request_ids_of_others_are_harmless(server: Server) {
    let nobody = server.anonymous();
    let ask = async |id: &str| {
        let request = nobody.request(Method::GET, "/me").header("x-request-id", id);
        let answer = nobody.send(request).await.expect(401);
        assert_eq!(answer.body["request_id"], answer.header("x-request-id"));
        answer.header("x-request-id").to_owned()
    };
    assert_eq!(ask("trace-1.2_3").await, "trace-1.2_3");
    for bad in ["a b", "a%0d%0aSet-Cookie:%20x", "a\tb", "<script>", "a,b", "\"", &"x".repeat(65)] {
        let made = ask(bad).await;
        assert_ne!(made, bad);
        assert!(made.len() == 36 && made.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    }
    for line in [
        &b"X-Request-Id: evil\rX-Evil: 1"[..],
        b"X-Request-Id: evil\nX-Evil: 1",
        b"X-Request-Id: evil\r\n X-Evil: 1",
        b"X-Request-Id: evil\0",
        b"X-Request-Id: evil\xe5\x98\x8a\xe5\x98\x8dX-Evil: 1",
    ] {
        let request =
            [b"GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\n".as_slice(), line, b"\r\n\r\n"].concat();
        let answer = raw(&server, &request).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        let lower = answer.to_lowercase();
        assert!(!lower.contains("\r\nx-evil") && !lower.contains("\nx-evil"), "{answer}");
    }
    let two = b"GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: one\r\nX-Request-Id: two\r\n\r\n";
    let answer = raw(&server, two).await.to_lowercase();
    assert_eq!(answer.matches("\r\nx-request-id:").count(), 1, "{answer}");
}

/// A request is found by the trace that it came in, if that has the form, and by one of its own otherwise.
async fn traces_of_others_go_on_in_the_log(server: Server) {
    let environment = [("FAIRLEAD_LOG__FILTER", "info"), ("FAIRLEAD_LOG__FORMAT", "json")];
    let server = Server::start_with(server.database.kind, &environment).await;
    let nobody = server.anonymous();
    // What the log says of a request with these lines.
    let ask = async |lines: &[&str]| {
        let request = nobody.request(Method::GET, "/me");
        let request = lines.iter().fold(request, |request, line| request.header("traceparent", *line));
        let answer = nobody.send(request).await.expect(401);
        let log = server.log();
        let mut events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let found = events.find(|event| {
            event["message"] == "answered" && event["span"]["request_id"] == answer.header("x-request-id")
        });
        found.unwrap_or_else(|| panic!("the request is not in the log: {log}"))["span"].clone()
    };
    let is_id = |value: &Value, length: usize| {
        let id = value.as_str().unwrap_or_default();
        id.len() == length && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for line in [caller, "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-then"] {
        let span = ask(&[line]).await;
        assert_eq!(span["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736", "{line}: {span}");
        assert_eq!(span["parent_id"], "00f067aa0ba902b7", "{line}: {span}");
        assert!(is_id(&span["span_id"], 16) && span["span_id"] != span["parent_id"], "{line}: {span}");
    }
    let none_of_use: [&[&str]; 8] = [
        &[],
        &[caller, caller],
        &["00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"],
        &["00-00000000000000000000000000000000-00f067aa0ba902b7-01"],
        &["00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"],
        &["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"],
        &["ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
        &["\"},\"level\":\"ERROR\""],
    ];
    let mut begun = Vec::new();
    for lines in none_of_use {
        let span = ask(lines).await;
        assert!(is_id(&span["trace_id"], 32) && is_id(&span["span_id"], 16), "{lines:?}: {span}");
        assert!(span["parent_id"].is_null(), "{lines:?}: {span}");
        assert_ne!(span["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736", "{lines:?}: {span}");
        assert!(!begun.contains(&span["trace_id"]), "{lines:?}: {span}");
        begun.push(span["trace_id"].clone());
    }
}

async fn answers_carry_security_headers(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.rep.client;
    let lead = client.post("/leads", json!({"name": "Lead", "source": "website"})).await.expect(201);
    let answers = [
        client.get("/leads").await.expect(200),
        client.get(&format!("/leads/{}", lead.id())).await.expect(200),
        client.delete(&format!("/leads/{}", lead.id())).await.expect(204),
        client.post("/leads", json!({})).await,
        client.get("/leads/01900000-0000-7000-8000-000000000000").await.expect(404),
        client.get("/no-such-thing").await.expect(404),
        client.get("/users").await.expect(403),
        client.send(client.request(Method::PUT, "/leads")).await.expect(405),
        server.anonymous().get("/leads").await.expect(401),
        server
            .anonymous()
            .post("/auth/login", json!({"email": "a@b.example", "password": "x"}))
            .await
            .expect(401),
        lead,
    ];
    for answer in &answers {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{name} of {} {}", answer.request, answer.status);
        }
        assert!(!answer.header("x-request-id").is_empty(), "{}", answer.request);
        for name in ["server", "x-powered-by", "access-control-allow-origin", "set-cookie"] {
            assert_eq!(answer.header(name), "", "{name} of {}", answer.request);
        }
        // Only behind TLS: a browser that came by plain HTTP would be locked out.
        assert_eq!(answer.header("strict-transport-security"), "");
    }
    for path in ["/healthz", "/openapi.json", "/.well-known/jwks.json", "/problems", "/swagger-ui/"] {
        let answer = client.get_root(path).await.expect(200);
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe-eval"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("script-src 'self' 'unsafe-inline'"), "{path}: {policy}");
    }
    let behind_tls = Server::start_with(server.database.kind, &[("FAIRLEAD_HTTP__HSTS", "true")]).await;
    let answer = behind_tls.anonymous().get("/leads").await.expect(401);
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
}

/// Whatever a route answers, to whomever.
async fn every_route_carries_security_headers(server: Server) {
    let server = Server::start_with(server.database.kind, &[("FAIRLEAD_HTTP__HSTS", "true")]).await;
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let mut tried = 0;
    let mut wrong = Vec::new();
    for client in [server.anonymous(), server.admin().await] {
        for (template, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                // Ending one's own session would end the test.
                if template.ends_with("/logout") && client.token.is_some() {
                    continue;
                }
                let path = template
                    .replace("{id}", "01900000-0000-7000-8000-000000000000")
                    .replace("{code}", "not_found")
                    .replace("{name}", "lead_status")
                    .replace("{form}", &"0".repeat(32));
                // What goes on telling is to end at once.
                let path = if path.ends_with("/events") { format!("{path}?wait=0") } else { path };
                let method: Method = method.to_uppercase().parse().unwrap();
                let impersonal = method == Method::GET
                    && ["/api/v1/workflows", "/api/v1/dictionaries", "/api/v1/dictionaries/{name}"]
                        .contains(&template.as_str());
                let request = client.root(method, &path).header("if-match", "*");
                let answer = client.send(request.header("origin", "https://evil.example")).await;
                let api = path.starts_with("/api/");
                let policy = if path.starts_with("/problems") {
                    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
                } else {
                    "default-src 'none'; frame-ancestors 'none'"
                };
                // Of what is the same for everybody browsers may keep what was answered, no refusals.
                let cached = match (api, impersonal && answer.status == 200) {
                    (true, true) => "private, no-cache",
                    (true, false) => "no-store",
                    (false, _) => answer.header("cache-control"),
                };
                for (name, value) in [
                    ("x-content-type-options", "nosniff"),
                    ("x-frame-options", "DENY"),
                    ("referrer-policy", "no-referrer"),
                    ("content-security-policy", policy),
                    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
                    ("cache-control", cached),
                    ("server", ""),
                    ("x-powered-by", ""),
                    ("set-cookie", ""),
                ] {
                    if answer.header(name) != value {
                        let found = answer.header(name);
                        wrong.push(format!("{} {}: {name} is {found:?}", answer.request, answer.status));
                    }
                }
                // Who may send a public form is said by the form itself.
                let public = path.starts_with("/api/v1/public/");
                if !public && !answer.header("access-control-allow-origin").is_empty() {
                    wrong.push(format!("{} lets other origins in", answer.request));
                }
                tried += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 450, "only {tried} answers were looked at");
}

async fn other_origins_are_not_let_in(server: Server) {
    let origins = [("FAIRLEAD_HTTP__CORS_ORIGINS", "https://app.example.com")];
    let open = Server::start_with(server.database.kind, &origins).await;
    for (server, origin, allowed) in [
        (&server, "https://app.example.com", false),
        (&open, "https://app.example.com", true),
        (&open, "https://app.example.com.evil.example", false),
        (&open, "https://evil-app.example.com", false),
        (&open, "http://app.example.com", false),
        (&open, "null", false),
    ] {
        let client = server.admin().await;
        let preflight = client
            .request(Method::OPTIONS, "/leads")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,if-match,idempotency-key");
        let simple = client.request(Method::GET, "/leads").header("origin", origin);
        let (preflight, simple) = (client.send(preflight).await, client.send(simple).await);
        if !allowed {
            let refused = preflight.clone().refused(403, "forbidden");
            assert!(refused.header("vary").contains("origin"), "{}", refused.header("vary"));
        }
        for answer in [preflight, simple] {
            let granted = answer.header("access-control-allow-origin");
            assert_eq!(granted, if allowed { origin } else { "" }, "{} for {origin}", answer.request);
            assert_eq!(answer.header("access-control-allow-credentials"), "");
        }
    }
}
