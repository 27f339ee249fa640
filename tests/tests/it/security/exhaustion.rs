//! API4: what a client sends is bounded in size, depth and time.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{parameters, resolved};
use crate::support::{ACQUIRE_TIMEOUT, Answer, Client, Company, Server};

on_both_databases! {
    bodies_have_a_size;
    bodies_have_a_depth;
    pages_have_a_size;
    bulk_calls_have_a_size;
    who_finds_no_connection_is_told;
    long_queries_and_headers_are_refused;
    a_slow_body_is_not_waited_for;
    whoever_asks_too_often_waits;
    what_refuses_is_the_limit_that_is_told;
}

const LIMIT: usize = 1024 * 1024;

/// A valid form, filled up with blanks to this many bytes.
fn filled(size: usize) -> String {
    let form = json!({"name": "Large", "source": "website"}).to_string();
    format!("{form}{}", " ".repeat(size - form.len()))
}

/// Sends bytes as they are, and reads what comes until the server closes or the time is over.
async fn exchange(server: &Server, parts: &[&[u8]], patience: Duration) -> (String, Duration) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    for part in parts {
        // Whoever is refused early may find the door closed before everything is sent.
        if stream.write_all(part).await.is_err() {
            break;
        }
    }
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(patience, async {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            bytes.extend_from_slice(&buffer[..read]);
            // The answer is there; whether the connection stays open is not the question.
            if bytes.windows(4).any(|end| end == b"\r\n\r\n") && bytes.ends_with(b"}") {
                break;
            }
        }
    })
    .await;
    (String::from_utf8_lossy(&bytes).into_owned(), begun.elapsed())
}

fn head(client: &Client, line: &str, headers: &str) -> Vec<u8> {
    let token = client.token.as_ref().unwrap();
    format!("{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{headers}\r\n")
        .into_bytes()
}

async fn bodies_have_a_size(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.rep.client;
    let send = async |body: String| {
        let request = client.request(Method::POST, "/leads").header("content-type", "application/json");
        client.send(request.body(body)).await
    };
    send(filled(LIMIT - 1)).await.expect(201);
    send(filled(LIMIT)).await.expect(201);
    let large = send(filled(LIMIT + 1)).await.refused(413, "payload_too_large");
    assert_eq!(large.body["limit"], LIMIT);
    // Without a length that tells it beforehand.
    for (size, status) in [(LIMIT, "201"), (LIMIT + 1, "413")] {
        let headers = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
        let head = head(client, "POST /api/v1/leads", headers);
        let body = filled(size);
        let chunks: Vec<String> = body
            .as_bytes()
            .chunks(64 * 1024)
            .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)))
            .collect();
        let mut parts: Vec<&[u8]> = vec![&head];
        parts.extend(chunks.iter().map(String::as_bytes));
        parts.push(b"0\r\n\r\n");
        let (answer, _) = exchange(&server, &parts, Duration::from_secs(10)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{size} bytes in chunks: {answer}");
    }
    // Before it is read: who may not log in does not get rid of a megabyte.
    let nobody = server.anonymous();
    let request = nobody.request(Method::POST, "/auth/login").header("content-type", "application/json");
    nobody.send(request.body(filled(LIMIT + 1))).await.refused(413, "payload_too_large");
    // A small body that says it is compressed is not unpacked into a large one.
    let request = client.request(Method::POST, "/leads").header("content-type", "application/json");
    let bomb = client.send(request.header("content-encoding", "gzip").body(vec![0x1f, 0x8b, 8, 0])).await;
    bomb.refused(415, "unsupported_media_type");
    assert_eq!(client.get("/leads?total=true").await.expect(200).body["page"]["total"], "3");
}

async fn bodies_have_a_depth(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.rep.client;
    let lead = client.post("/leads", json!({"name": "Deep", "source": "website"})).await.expect(201).id();
    for depth in [200, 10_000, 400_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep =
                format!("{}1{}", open.repeat(depth.min(LIMIT / 8)), close.repeat(depth.min(LIMIT / 8)));
            for (method, path, body) in [
                (Method::POST, "/leads".to_owned(), deep.clone()),
                (Method::POST, "/leads".to_owned(), format!("{{\"name\": {deep}}}")),
                (Method::PATCH, format!("/leads/{lead}"), format!("{{\"note\": {deep}}}")),
                (Method::POST, format!("/leads/{lead}/release"), deep.clone()),
                // Never closed.
                (Method::POST, "/leads".to_owned(), open.repeat(depth.min(LIMIT / 8))),
            ] {
                let request = client.request(method, &path).header("if-match", "*");
                let request = request.header("content-type", "application/json").body(body);
                client.send(request).await.refused(400, "malformed_request");
            }
        }
    }
    client.get(&format!("/leads/{lead}")).await.expect(200);
}

async fn pages_have_a_size(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.admin.client;
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let mut lists = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let limit = parameters(&document, &item["get"]).into_iter().find(|one| one["name"] == "limit");
        let Some(limit) = limit.filter(|_| !path.contains('{')) else { continue };
        let most = resolved(&document, &limit["schema"])["maximum"].as_u64().expect("a largest page");
        // A copy is filled by larger ones.
        assert!(most <= if path.ends_with("/sync") { 500 } else { 200 }, "{path}: pages of {most} rows");
        let question = if path.ends_with("/search") { "q=ab&" } else { "" };
        let page = async |size: &str| client.get_root(&format!("{path}?{question}limit={size}")).await;
        for bad in ["0", "-1", "", "x", "1.5", "99999999999999999999", "50,60"] {
            page(bad).await.refused(400, "malformed_request");
        }
        page(&(most + 1).to_string()).await.refused(400, "malformed_request");
        page(&most.to_string()).await.expect(200);
        page("1").await.expect(200);
        lists += 1;
    }
    assert!(lists >= 35, "only {lists} lists were found");
}

async fn bulk_calls_have_a_size(server: Server) {
    let company = Company::found(&server).await;
    for (path, action, client) in [
        ("/leads/bulk", "qualify", &company.rep.client),
        ("/customers/bulk", "lock", &company.manager.client),
        ("/payments/bulk", "confirm", &company.finance.client),
        ("/receipts/bulk", "match", &company.finance.client),
    ] {
        let call = async |size: usize| {
            let items: Vec<_> =
                (0..size).map(|at| json!({"id": format!("01900000-0000-7000-8000-{at:012x}")})).collect();
            client.post(path, json!({"action": action, "mode": "best_effort", "items": items})).await
        };
        let most = call(200).await.expect(200);
        assert_eq!((&most.body["done"], &most.body["refused"]), (&json!(0), &json!(200)), "{path}");
        call(201).await.refused(422, "validation_failed");
        call(0).await.refused(422, "validation_failed");
    }
}

/// Whoever waits for a lock has the only connection that writes: the next one is told so, and soon.
async fn who_finds_no_connection_is_told(server: Server) {
    let environment = [
        ("FAIRLEAD_DATABASE__MAX_CONNECTIONS", "2"),
        (ACQUIRE_TIMEOUT, "300"),
        ("FAIRLEAD_JOBS__ENABLED", "false"),
    ];
    let server = Server::start_with(server.database.kind, &environment).await;
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let customer = company.customer(&company.rep).await;
    let path = format!("/customers/{customer}");
    let mut direct = server.database.connect().await;
    let id = server.database.id(&customer);
    direct.hold(&format!("SELECT 1 FROM customers WHERE id = {id}")).await;
    let waiting = {
        let (rep, path) = (rep.clone(), path.clone());
        tokio::spawn(async move { rep.patch(&path, json!({"note": "Waited"})).await })
    };
    direct.until_somebody_waits().await;
    let lead = json!({"name": "Too many", "source": "website"});
    for _ in 0..3 {
        let begun = Instant::now();
        let told = rep.post("/leads", lead.clone()).await.refused(503, "unavailable");
        assert!(!told.header("retry-after").is_empty());
        assert!(begun.elapsed() < Duration::from_millis(1500), "told after {:?}", begun.elapsed());
        // Reading has connections of its own.
        rep.get(&path).await.expect(200);
    }
    direct.run("ROLLBACK").await;
    waiting.await.unwrap().expect(200);
    rep.post("/leads", lead).await.expect(201);
}

async fn long_queries_and_headers_are_refused(server: Server) {
    let company = Company::found(&server).await;
    let client = &company.rep.client;
    let many = "&status=new".repeat(3000);
    for query in [
        format!("q={}", "a".repeat(5_000)),
        format!("q={}", "a".repeat(60_000)),
        format!("name={}", "a,".repeat(10_000)),
        format!("include={}", "owner,".repeat(5_000)),
        format!("sort={}", "name,".repeat(5_000)),
        format!("cursor={}", "A".repeat(50_000)),
        format!("q=a{many}"),
    ] {
        let head = head(client, &format!("GET /api/v1/leads?{query}"), "");
        let (answer, took) = exchange(&server, &[&head], Duration::from_secs(5)).await;
        let start = &answer[..answer.len().min(300)];
        // Refused, with an answer or by closing the connection: what no server reads gets no answer.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{start}");
        assert!(took < Duration::from_secs(5), "no answer in {took:?}");
    }
    let header = format!("X-Request-Id: {}\r\n", "a".repeat(200_000));
    let head = head(client, "GET /api/v1/leads", &header);
    let (answer, _) = exchange(&server, &[&head], Duration::from_secs(5)).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    client.get("/leads").await.expect(200);
}

async fn a_slow_body_is_not_waited_for(server: Server) {
    let kind = server.database.kind;
    let server = Server::start_with(kind, &[("FAIRLEAD_HTTP__BODY_TIMEOUT_SECONDS", "1")]).await;
    let client = server.admin().await;
    let json = "Content-Type: application/json\r\n";
    let announced = head(&client, "POST /api/v1/leads", &format!("{json}Content-Length: 100\r\n"));
    let chunked = head(&client, "POST /api/v1/leads", &format!("{json}Transfer-Encoding: chunked\r\n"));
    let login =
        format!("POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n{json}Content-Length: 100\r\n\r\n");
    for (what, parts) in [
        ("announced, nothing sent", vec![announced.as_slice()]),
        ("announced, begun", vec![&announced, b"{\"name\": "]),
        ("in chunks, begun", vec![&chunked, b"5\r\n{\"nam\r\n"]),
        ("without a login", vec![login.as_bytes(), b"{"]),
    ] {
        let (answer, took) = exchange(&server, &parts, Duration::from_secs(8)).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{what}: {answer}");
        assert!(answer.contains("request_timeout"), "{what}: {answer}");
        assert!((1..5).contains(&took.as_secs()), "{what}: after {took:?}");
    }
    // One that trickles keeps nobody either: the deadline is for the whole body.
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(&announced).await.unwrap();
    let begun = Instant::now();
    let mut answer = [0; 12];
    loop {
        let _ = stream.write_all(b" ").await;
        let heard = tokio::time::timeout(Duration::from_millis(100), stream.read_exact(&mut answer)).await;
        if heard.is_ok() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(6), "a trickle keeps the connection");
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
    // Meanwhile nobody else waits, and nothing was made.
    assert_eq!(client.get("/leads?total=true").await.expect(200).body["page"]["total"], "0");
}

/// `r` or `t` of the header that says how a budget stands.
fn budget(answer: &Answer, member: &str) -> u64 {
    let parts = answer.header("ratelimit").split(';').skip(1);
    let value = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| *name == member);
    value.expect("a budget").1.parse().unwrap()
}

async fn whoever_asks_too_often_waits(server: Server) {
    let kind = server.database.kind;
    let server = Server::start_with(kind, &[("FAIRLEAD_HTTP__REQUESTS_PER_MINUTE", "30")]).await;
    let admin = server.admin().await;
    let first = admin.get("/me").await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), "\"asker\";q=30;w=60");
    assert_eq!((budget(&first, "r"), budget(&first, "t")), (29, 2));
    let second = admin.get("/leads").await.expect(200);
    assert_eq!(budget(&second, "r"), 28);
    let mut answers = Vec::new();
    for _ in 0..35 {
        answers.push(admin.get("/me").await);
    }
    let late = answers.into_iter().find(|answer| answer.status == 429).expect("a refusal");
    assert_eq!(budget(&late, "r"), 0);
    let wait: u64 = late.header("retry-after").parse().unwrap();
    assert!((1..=4).contains(&wait), "{wait}");
    late.refused(429, "rate_limited");
    // Nobody else is kept by it: neither who is not known, nor health and keys.
    let nobody = server.anonymous();
    let unknown = nobody.get("/me").await.refused(401, "unauthenticated");
    assert!(budget(&unknown, "r") > 0);
    for path in ["/readyz", "/healthz", "/.well-known/jwks.json"] {
        for _ in 0..40 {
            nobody.get_root(path).await.expect(200);
        }
    }
    // Whoever tries tokens is counted by address.
    let forged = nobody.with_token("eyJhbGciOiJFZERTQSJ9.e30.AAAA");
    let mut refused = 0;
    for _ in 0..40 {
        refused += u32::from(forged.get("/me").await.status == 429);
    }
    assert!(refused > 0, "tokens are tried without end");
    // So is whoever asks for documents, or for what is not there.
    for path in ["/openapi.json", "/openapi.yaml", "/swagger-ui/", "/nope", "/api/v1/nope", "/api/v1/leads/"]
    {
        let mut answers = Vec::new();
        for _ in 0..40 {
            answers.push(nobody.get_root(path).await);
        }
        let late = answers.into_iter().find(|answer| answer.status == 429);
        let late = late.unwrap_or_else(|| panic!("{path} is asked for without end"));
        assert_eq!(budget(&late, "r"), 0, "{path}");
        late.refused(429, "rate_limited");
    }
    nobody.get_root("/healthz").await.expect(200);
    // The budget refills by itself.
    tokio::time::sleep(Duration::from_secs(wait)).await;
    admin.get("/me").await.expect(200);
}

async fn what_refuses_is_the_limit_that_is_told(server: Server) {
    let company = Company::found(&server).await;
    let nobody = server.anonymous();
    let told = |answer: &Answer| {
        (answer.header("ratelimit-policy").to_owned(), answer.header("ratelimit").to_owned())
    };
    let form = json!({"name": "Open", "fields": [], "hourly_limit": 2});
    let made = company.marketing.client.post("/lead-forms", form).await.expect(201);
    let token = made.text_of("token");
    let [path, in_capitals] =
        [token.clone(), token.to_uppercase()].map(|token| format!("/public/lead-forms/{token}"));
    let send = async |path: &str| nobody.post(path, json!({"name": "Ann"})).await;
    // What one sender may send is less than what anybody may ask.
    for left in [9, 8] {
        let (policy, standing) = told(&send(&path).await.expect(202));
        assert_eq!(policy, "\"operation\";q=10;w=300");
        assert!(standing.starts_with(&format!("\"operation\";r={left};t=")), "{standing}");
    }
    // The form takes no more of anybody.
    let full = send(&path).await.refused(429, "rate_limited");
    let again = full.header("retry-after").to_owned();
    assert_eq!(told(&full), ("\"operation\";q=2;w=3600".into(), format!("\"operation\";r=0;t={again}")));
    // When the first of them counts no more.
    assert!((3300..=3600).contains(&again.parse::<u32>().unwrap()), "{again}");
    assert_eq!((&full.body["limit"], &full.body["window"]), (&json!(2), &json!(3600)));
    // Nor of this sender, in whatever letters the form is named.
    for at in 4..=10 {
        send(if at % 2 == 0 { &path } else { &in_capitals }).await.refused(429, "rate_limited");
    }
    let late = send(&path).await.refused(429, "rate_limited");
    let again = late.header("retry-after").to_owned();
    assert_eq!(told(&late), ("\"operation\";q=10;w=300".into(), format!("\"operation\";r=0;t={again}")));
    assert!((200..=300).contains(&again.parse::<u32>().unwrap()), "{again}");
    // So it is with passwords.
    let login = json!({"email": "nobody@example.com", "password": "wrong"});
    for _ in 0..5 {
        let failed = nobody.post("/auth/login", login.clone()).await.refused(401, "invalid_credentials");
        assert!(told(&failed).0.starts_with("\"asker\";"), "{:?}", told(&failed));
    }
    let late = nobody.post("/auth/login", login).await.refused(429, "rate_limited");
    let standing = format!("\"operation\";r=0;t={}", late.header("retry-after"));
    assert_eq!(told(&late), ("\"operation\";q=5;w=300".into(), standing));
    // Others have what they had.
    let me = company.rep.client.get("/me").await.expect(200);
    assert!(told(&me).0.starts_with("\"asker\";"), "{:?}", told(&me));
}
