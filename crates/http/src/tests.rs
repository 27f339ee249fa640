//! The server as a whole, over a database of its own.

use std::io::Read as _;
use std::rc::Rc;

use actix_web::App as ActixApp;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use fairlead_application::{App, AppConfig, Call, DatabaseConfig, FilesConfig, Read, Versioned, admin};
use fairlead_domain::error::Code;
use fairlead_domain::values::LeadId;
use flate2::read::{GzDecoder, ZlibDecoder};
use futures_util::future::LocalBoxFuture;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use utoipa::ToSchema;

use crate::api::{Api, Deprecation, describe};
use crate::server::configure;
use crate::state::State;
use crate::{Health, HttpConfig, resource};

const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "correct horse battery staple";
const ORIGIN: &str = "https://app.example.com";

/// A server with one administrator, who is logged in.
struct Site {
    send: Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>,
    token: String,
    health: Health,
    _folder: TempDir,
}

struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let named = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }

    fn varies_by(&self, header: &str) -> bool {
        let lines = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("vary"));
        lines.map(|(_, line)| line.to_lowercase()).any(|line| line.contains(header))
    }

    /// The body as it was before it was encoded.
    fn unpacked(&self) -> Vec<u8> {
        let (mut packed, mut whole) = (self.body.as_slice(), Vec::new());
        match self.header("content-encoding") {
            None => whole.extend_from_slice(packed),
            Some("gzip") => {
                GzDecoder::new(packed).read_to_end(&mut whole).unwrap();
            }
            Some("deflate") => {
                ZlibDecoder::new(packed).read_to_end(&mut whole).unwrap();
            }
            Some("br") => brotli::BrotliDecompress(&mut packed, &mut whole).unwrap(),
            Some("zstd") => whole = zstd::decode_all(packed).unwrap(),
            Some(other) => panic!("{other} is none of ours"),
        }
        whole
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The code of a problem, which every failure must be.
    fn code(&self) -> Code {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"));
        problem["code"].as_str().unwrap().parse().unwrap()
    }
}

impl Site {
    async fn of(api: Api) -> Self {
        let config =
            HttpConfig { body_limit: 2000, cors_origins: vec![ORIGIN.into()], ..HttpConfig::default() };
        Self::with(api, config).await
    }

    async fn with(api: Api, config: HttpConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseConfig {
            url: SecretString::from(format!("sqlite:{}", folder.path().join("test.db").display())),
            max_connections: 4,
            acquire_timeout_ms: 2000,
        };
        let app = App::open(AppConfig {
            database,
            files: FilesConfig::folder(&folder.path().join("files")),
            issuer: "test".into(),
            audience: "test".into(),
            access_token_minutes: 15,
            refresh_token_days: 1,
            password_memory_kib: 64,
            hashing_threads: 1,
            webhook_targets: fairlead_domain::webhook::Targets::default(),
        });
        let app = app.await.unwrap();
        app.migrate().await.unwrap();
        admin::create_first_administrator(&app, EMAIL, "Admin", PASSWORD.into()).await.unwrap();
        let health = Health::default();
        let routes = configure(api.into_operations(), app, config, health.clone());
        let service = Rc::new(init_service(ActixApp::new().configure(routes)).await);
        let send = Box::new(move |request: TestRequest| {
            let service = Rc::clone(&service);
            let answer: LocalBoxFuture<'static, Answer> = Box::pin(async move {
                let response = call_service(&*service, request.to_request()).await;
                let headers = response.headers().iter();
                let headers =
                    headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
                let (status, headers) = (response.status(), headers.collect());
                Answer { status, headers, body: read_body(response).await.to_vec() }
            });
            answer
        });
        let mut site = Self { send, token: String::new(), health, _folder: folder };
        let form = json!({"email": EMAIL, "password": PASSWORD});
        let tokens = (site.send)(TestRequest::post().uri("/api/v1/auth/login").set_json(form)).await.json();
        site.token = tokens["access_token"].as_str().unwrap().to_owned();
        site
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = TestRequest::default()
            .method(method)
            .uri(path)
            .insert_header(("authorization", format!("Bearer {}", self.token)))
            .set_payload(body.to_owned());
        for header in headers {
            request = request.insert_header(*header);
        }
        (self.send)(request).await
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, path, headers, "").await
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(Method::POST, path, &[("content-type", "application/json")], body).await
    }
}

const LEAD: &str = r#"{"name": "Chen Wei", "source": "website"}"#;
const NOBODY: &str = "/api/v1/leads/0190163d-8694-739b-aea5-966c26f8ad91";

#[actix_web::test]
async fn whatever_is_asked_wrongly_is_answered_with_a_problem() {
    let site = Site::of(resource::api()).await;
    let none: &[(&str, &str)] = &[];
    let text: &[(&str, &str)] = &[("content-type", "text/plain")];
    let json: &[(&str, &str)] = &[("content-type", "application/json")];
    let any: &[(&str, &str)] = &[("content-type", "application/json"), ("if-match", "*")];
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(2000));
    let cases = [
        (Method::GET, "/nowhere", none, "", Code::NotFound),
        (Method::GET, "/api/v1/nowhere", none, "", Code::NotFound),
        (Method::GET, "/api/v1/leads/", none, "", Code::NotFound),
        (Method::GET, NOBODY, none, "", Code::NotFound),
        (Method::PUT, "/api/v1/leads", json, LEAD, Code::MethodNotAllowed),
        (Method::GET, "/api/v1/leads/1", none, "", Code::MalformedRequest),
        (Method::GET, "/api/v1/leads?nothing=1", none, "", Code::MalformedRequest),
        (Method::GET, "/api/v1/me?nothing=1", none, "", Code::MalformedRequest),
        (Method::GET, "/api/v1/me", &[("accept", "text/html")], "", Code::NotAcceptable),
        (Method::POST, "/api/v1/leads", none, LEAD, Code::UnsupportedMediaType),
        (Method::POST, "/api/v1/leads", text, LEAD, Code::UnsupportedMediaType),
        (Method::POST, "/api/v1/leads", json, "", Code::MalformedRequest),
        (Method::POST, "/api/v1/leads", json, "{", Code::MalformedRequest),
        (Method::POST, "/api/v1/leads", json, r#"{"name": "", "source": "website"}"#, Code::ValidationFailed),
        (Method::POST, "/api/v1/leads", json, &large, Code::PayloadTooLarge),
        (Method::PATCH, NOBODY, json, "{}", Code::PreconditionRequired),
        (Method::PATCH, NOBODY, any, "{}", Code::NotFound),
        (Method::DELETE, NOBODY, &[("if-match", "7")], "", Code::MalformedRequest),
        (Method::POST, "/api/v1/auth/logout", json, r#"{"all": true}"#, Code::MalformedRequest),
    ];
    for (method, path, headers, body, code) in cases {
        let answer = site.ask(method.clone(), path, headers, body).await;
        assert_eq!(answer.code(), code, "{method} {path} {body}");
    }
    let refused = site.ask(Method::PUT, "/api/v1/leads", json, LEAD).await;
    assert_eq!(refused.header("allow"), Some("OPTIONS, GET, HEAD, POST"));
}

#[actix_web::test]
async fn only_tokens_of_ours_open_anything() {
    let mut site = Site::of(resource::api()).await;
    site.token = "forged".into();
    for path in ["/api/v1/leads", "/api/v1/leads?nothing=1", "/api/v1/me", "/api/v1/workflows"] {
        let answer = site.get(path, &[("accept-language", "zh-CN,zh;q=0.9")]).await;
        assert_eq!(answer.code(), Code::Unauthenticated, "{path}");
        assert!(answer.header("www-authenticate").unwrap().contains("invalid_token"));
        assert_eq!(answer.json()["title"], "未登录或登录已失效");
    }
    let bare = (site.send)(TestRequest::get().uri("/api/v1/me")).await;
    assert_eq!(bare.code(), Code::Unauthenticated);
    for path in ["/healthz", "/readyz", "/problems", "/problems/duplicate", "/.well-known/jwks.json"] {
        assert_eq!((site.send)(TestRequest::get().uri(path)).await.status, StatusCode::OK, "{path}");
    }
}

#[actix_web::test]
async fn versions_travel_as_entity_tags() {
    let site = Site::of(resource::api()).await;
    let made = site.post("/api/v1/leads", LEAD).await;
    let tag = made.header("etag").unwrap();
    assert!(made.status == StatusCode::CREATED && tag.starts_with("\"v1-"), "{tag}");
    let path = made.header("location").unwrap();
    assert_eq!(path, format!("/api/v1/leads/{}", made.json()["id"].as_str().unwrap()));

    let found = site.get(path, &[]).await;
    assert_eq!(found.status, StatusCode::OK);
    let known = site.get(path, &[("if-none-match", &format!("W/{}", found.header("etag").unwrap()))]).await;
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));

    let patch = async |version: &str| {
        let headers = [("content-type", "application/merge-patch+json"), ("if-match", version)];
        site.ask(Method::PATCH, path, &headers, r#"{"company": "Acme"}"#).await
    };
    assert_eq!(patch("\"v2\"").await.code(), Code::VersionMismatch);
    assert_eq!(patch("W/\"v2\"").await.code(), Code::VersionMismatch);
    // As a proxy that compresses hands it on.
    let patched = patch(&format!("W/{tag}")).await;
    assert!(patched.status == StatusCode::OK && patched.header("etag").unwrap().starts_with("\"v2-"));
    assert_eq!(patched.json()["company"], "Acme");
    assert_eq!(patch("*").await.status, StatusCode::OK);

    let deleted = site.ask(Method::DELETE, path, &[("if-match", "*")], "").await;
    assert_eq!((deleted.status, deleted.body.len()), (StatusCode::NO_CONTENT, 0));
}

#[actix_web::test]
async fn repeated_posts_are_answered_alike() {
    let site = Site::of(resource::api()).await;
    let post = async |body: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "once")];
        site.ask(Method::POST, "/api/v1/leads", &headers, body).await
    };
    let (first, second) = (post(LEAD).await, post(LEAD).await);
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::CREATED, None));
    assert_eq!((second.status, second.header("idempotent-replayed")), (StatusCode::CREATED, Some("true")));
    for header in ["etag", "location"] {
        assert_eq!(first.header(header), second.header(header));
    }
    assert_eq!(first.json(), second.json());
    let other = post(r#"{"name": "Li Na", "source": "website"}"#).await;
    assert_eq!(other.code(), Code::IdempotencyKeyReused);
}

#[actix_web::test]
async fn lists_lead_from_page_to_page() {
    let site = Site::of(resource::api()).await;
    for _ in 0..3 {
        assert_eq!(site.post("/api/v1/leads", LEAD).await.status, StatusCode::CREATED);
    }
    let first = site.get("/api/v1/leads?limit=2&name_contains=chen", &[]).await;
    assert_eq!(first.json()["data"].as_array().unwrap().len(), 2);
    let link = first.header("link").unwrap();
    let next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    let second = site.get(next, &[]).await;
    assert_eq!((second.json()["data"].as_array().unwrap().len(), second.header("link")), (1, None));
    let elsewhere = next.replace("name_contains=chen", "name_contains=wei");
    assert_eq!(site.get(&elsewhere, &[]).await.code(), Code::CursorMismatch);
}

#[actix_web::test]
async fn answers_carry_what_browsers_obey() {
    let site = Site::of(resource::api()).await;
    let api = site.get("/api/v1/me", &[("origin", ORIGIN), ("x-request-id", "from-outside")]).await;
    assert_eq!(api.header("x-request-id"), Some("from-outside"));
    assert_eq!(api.header("cache-control"), Some("no-store"));
    assert_eq!(api.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(api.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
    assert_eq!(api.header("access-control-allow-origin"), Some(ORIGIN));
    let foreign = site.get("/api/v1/me", &[("origin", "https://evil.example.com")]).await;
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    let preflight = [("origin", ORIGIN), ("access-control-request-method", "PATCH")];
    let preflight = site.ask(Method::OPTIONS, NOBODY, &preflight, "").await;
    assert!(preflight.header("access-control-allow-methods").unwrap().contains("PATCH"));
    for asked in [
        "if-match",
        "idempotency-key",
        "last-event-id",
        "traceparent",
        "tracestate",
        "baggage",
        "cache-control",
    ] {
        let preflight = [
            ("origin", ORIGIN),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", asked),
        ];
        let preflight = site.ask(Method::OPTIONS, NOBODY, &preflight, "").await;
        assert!(
            preflight.header("access-control-allow-headers").is_some_and(|all| all.contains(asked)),
            "{asked}"
        );
    }
    let options = site.ask(Method::OPTIONS, NOBODY, &[], "").await;
    assert_eq!((options.status, options.header("allow").is_some()), (StatusCode::NO_CONTENT, true));
    let zipped = site.get("/openapi.json", &[("accept-encoding", "gzip")]).await;
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
}

#[actix_web::test]
async fn a_refused_preflight_is_a_problem() {
    let site = Site::of(resource::api()).await;
    let [origin, method] = ["origin", "access-control-request-method"];
    let [headers, language] = ["access-control-request-headers", "accept-language"];
    let evil = "https://evil.example.com";
    for (asked, code) in [
        (&[(method, "POST"), (origin, evil)][..], Code::Forbidden),
        (&[(method, "PUT"), (origin, ORIGIN)], Code::Forbidden),
        (&[(method, "POST"), (origin, ORIGIN), (headers, "x-other")], Code::Forbidden),
        (&[(method, "POST"), (origin, ORIGIN), (headers, "no header")], Code::MalformedRequest),
        (&[(method, "POST")], Code::MalformedRequest),
    ] {
        let asked = [asked, &[(language, "zh-CN")]].concat();
        let answer = site.ask(Method::OPTIONS, "/api/v1/leads", &asked, "").await;
        assert_eq!(answer.code(), code, "{asked:?}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{asked:?}");
        assert_eq!(answer.header("content-language"), Some("zh-CN"), "{asked:?}");
        assert!(!answer.json()["detail"].as_str().unwrap().is_ascii(), "{asked:?}");
        for by in [origin, method, headers, language] {
            assert!(answer.varies_by(by), "{asked:?} {by}");
        }
    }
}

#[actix_web::test]
async fn what_was_refused_of_many_speaks_the_callers_language() {
    let site = Site::of(resource::api()).await;
    let body = r#"{"action": "claim", "mode": "best_effort", "items": [{"id": "0190163d-8694-739b-aea5-966c26f8ad91"}]}"#;
    for tag in ["en", "zh-CN", "en"] {
        let headers =
            [("content-type", "application/json"), ("idempotency-key", "many"), ("accept-language", tag)];
        let answer = site.ask(Method::POST, "/api/v1/leads/bulk", &headers, body).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-language"), Some(tag));
        assert!(answer.varies_by("accept-language"));
        let view = answer.json();
        let item = &view["items"][0];
        assert_eq!(item["outcome"], "refused");
        assert_eq!(item["detail"].as_str().unwrap().is_ascii(), tag == "en", "{item}");
    }
    let plain = site.get("/api/v1/leads", &[("accept-language", "zh-CN")]).await;
    assert_eq!(plain.header("content-language"), None, "records are the same in every language");
}

#[actix_web::test]
async fn no_wish_for_an_encoding_is_refused() {
    let site = Site::of(resource::api()).await;
    let whole =
        [("/openapi.json", 200), ("/api/v1/leads", 200), ("/problems", 200), ("/api/v1/nowhere", 404)];
    for (path, status) in whole {
        // Problems name their request.
        let ask =
            async |wish: &str| site.get(path, &[("accept-encoding", wish), ("x-request-id", "same")]).await;
        let plain = ask("identity").await.body;
        for (wish, encoding) in [
            ("", None),
            ("gzip", Some("gzip")),
            ("gzip, identity;q=0", Some("gzip")),
            ("br", Some("br")),
            ("br, identity;q=0", Some("br")),
            ("zstd", Some("zstd")),
            ("zstd, identity;q=0", Some("zstd")),
            // What browsers say, and what is preferred.
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip, br;q=0.5, zstd;q=0.8", Some("gzip")),
            ("gzip;q=0.5, br;q=0, zstd", Some("zstd")),
            ("compress", None),
            ("compress, identity;q=0", None),
            ("identity;q=0", None),
            ("*;q=0", None),
        ] {
            let answer = ask(wish).await;
            assert_eq!(answer.status.as_u16(), status, "{path} {wish}");
            assert_eq!(answer.header("content-encoding"), encoding, "{path} {wish}");
            assert_eq!(answer.body == plain, encoding.is_none(), "{path} {wish}");
            assert!(answer.unpacked() == plain, "{path} {wish}");
            assert!(answer.header("content-type").is_some(), "{path} {wish}");
            assert!(answer.varies_by("accept-encoding"), "{path} {wish}");
            assert!(answer.header("ratelimit").is_some(), "{path} {wish}");
        }
    }
    assert!(site.get("/problems", &[("accept-encoding", "gzip")]).await.varies_by("accept-language"));
    // What is never encoded is the same to everybody.
    for wish in ["gzip", "br", "zstd", "gzip, deflate, br, zstd"] {
        let events = site.get("/api/v1/events?wait=0", &[("accept-encoding", wish)]).await;
        assert_eq!(
            (events.header("content-encoding"), events.varies_by("accept-encoding")),
            (None, false),
            "{wish}"
        );
        assert!(String::from_utf8(events.body).unwrap().starts_with("retry: "), "{wish}");
    }
}

#[actix_web::test]
async fn each_encoding_of_a_record_has_a_tag_of_its_own() {
    let site = Site::of(resource::api()).await;
    let mut path = String::new();
    for encoding in ["gzip", "br", "zstd", "deflate", "identity"] {
        let headers = [("content-type", "application/json"), ("accept-encoding", encoding)];
        let made = site.ask(Method::POST, "/api/v1/leads", &headers, LEAD).await;
        let suffix = if encoding == "identity" { String::new() } else { format!("-{encoding}") };
        let end = format!("{suffix}\"");
        assert!(made.header("etag").unwrap().ends_with(&end), "{encoding}: {:?}", made.header("etag"));
        path = made.header("location").unwrap().to_owned();
        let found = site.get(&path, &[("accept-encoding", encoding)]).await;
        let tag = found.header("etag").unwrap();
        assert!(tag.starts_with("\"v1-") && tag.len() == 21 + suffix.len() && tag.ends_with(&end), "{tag}");
        // Whoever has it is told so under the same tag, whether it was one of ours or of a proxy's.
        for known in [tag.to_owned(), format!("W/{tag}")] {
            let headers = [("accept-encoding", encoding), ("if-none-match", known.as_str())];
            let again = site.get(&path, &headers).await;
            assert_eq!((again.status, again.header("etag")), (StatusCode::NOT_MODIFIED, Some(tag)));
            assert!(again.varies_by("accept-encoding"));
        }
        // It names the version.
        let headers = [("content-type", "application/merge-patch+json"), ("if-match", tag)];
        let patched = site.ask(Method::PATCH, &path, &headers, r#"{"note": "Early"}"#).await;
        assert_eq!(patched.status, StatusCode::OK, "{tag}");
        let late = site.ask(Method::PATCH, &path, &headers, r#"{"note": "Late"}"#).await;
        assert_eq!(late.code(), Code::VersionMismatch, "{tag}");
    }
    let plain = site.get(&path, &[]).await;
    assert_eq!(plain.header("etag").unwrap().len(), 21);
}

#[actix_web::test]
async fn files_of_the_page_are_kept_by_browsers() {
    let site = Site::of(resource::api()).await;
    let files = ["", "swagger-ui-bundle.js", "swagger-ui.css", "favicon-16x16.png", "swagger-initializer.js"];
    let mut tags = std::collections::BTreeSet::new();
    for file in files {
        let path = format!("/swagger-ui/{file}");
        let plain = site.get(&path, &[("accept-encoding", "identity")]).await;
        let tag = plain.header("etag").unwrap();
        assert!(plain.status == StatusCode::OK && tags.insert(tag.to_owned()), "{file}");
        for encoding in ["gzip", "br", "zstd", "deflate", "identity"] {
            // Twice, because the first time it is packed and the second time it was.
            for _ in 0..2 {
                let found = site.get(&path, &[("accept-encoding", encoding)]).await;
                assert!(found.unpacked() == plain.body, "{file} {encoding}");
                assert_eq!(found.header("etag"), Some(tag), "{file} {encoding}");
                assert_eq!(found.header("cache-control"), Some("no-cache"), "{file} {encoding}");
                assert!(found.varies_by("accept-encoding"), "{file} {encoding}");
                let packed = encoding != "identity" && !file.ends_with("png");
                assert_eq!(found.header("content-encoding"), packed.then_some(encoding), "{file}");
            }
            let headers = [("accept-encoding", encoding), ("if-none-match", tag)];
            let known = site.get(&path, &headers).await;
            assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0), "{file} {encoding}");
        }
    }
    assert_eq!(site.get("/swagger-ui/nope.js", &[]).await.header("etag"), None);
}

#[actix_web::test]
async fn documents_are_known_by_a_weak_tag() {
    let site = Site::of(resource::api()).await;
    for encoding in ["gzip", "br", "zstd", "deflate", "identity"] {
        let document = site.get("/openapi.json", &[("accept-encoding", encoding)]).await;
        let tag = document.header("etag").unwrap();
        let strong = tag.strip_prefix("W/").unwrap();
        for known in [tag, strong, "*"] {
            let answer = site.get("/openapi.json", &[("if-none-match", known)]).await;
            assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
            assert_eq!(answer.header("etag"), Some(tag));
            assert!(answer.varies_by("accept-encoding"));
        }
        assert_eq!(site.get("/openapi.json", &[("if-none-match", "W/\"x\"")]).await.status, StatusCode::OK);
    }
}

/// Clients hold a file against the document before they send it; what was kept under another limit is still given back.
#[actix_web::test]
async fn the_document_tells_the_limit_of_the_server_that_writes_it() {
    let operation = "/paths/~1api~1v1~1contracts~1{id}~1attachments/post/requestBody";
    let longest = |document: &Value, kind: &str| {
        document.pointer(operation).unwrap()["content"][kind]["schema"]["maxLength"].clone()
    };
    let usual = serde_json::to_value(crate::openapi()).unwrap();
    assert_eq!(longest(&usual, "application/pdf"), 25 * 1024 * 1024);
    assert!(usual.pointer(operation).unwrap()["description"].as_str().unwrap().contains("files.limit_bytes"));
    let site = Site::with(resource::api(), HttpConfig { file_limit: 2048, ..HttpConfig::default() }).await;
    let told = site.get("/openapi.json", &[]).await.json();
    assert_eq!((longest(&told, "application/pdf"), longest(&told, "text/csv")), (json!(2048), json!(2048)));
    let given =
        "/paths/~1api~1v1~1attachments~1{id}~1content/get/responses/200/content/text~1csv/schema/maxLength";
    assert_eq!(told.pointer(given), Some(&json!(1_073_741_824)));
    let yaml = String::from_utf8(site.get("/openapi.yaml", &[]).await.body).unwrap();
    assert!(yaml.contains("maxLength: 2048\n") && !yaml.contains("maxLength: 26214400\n"));
}

#[actix_web::test]
async fn the_documentation_is_served() {
    let site = Site::of(resource::api()).await;
    let document = site.get("/openapi.json", &[]).await;
    assert_eq!(document.json(), serde_json::to_value(crate::openapi()).unwrap());
    let yaml = site.get("/openapi.yaml", &[]).await;
    assert!(yaml.body.starts_with(b"openapi: 3.1.0\n"));
    assert!(yaml.body == crate::openapi_yaml().unwrap().into_bytes());
    assert_eq!(site.get("/swagger-ui", &[]).await.header("location"), Some("/swagger-ui/"));
    for file in ["swagger-ui-bundle.js", "swagger-initializer.js", "swagger-ui.css"] {
        let file = site.get(&format!("/swagger-ui/{file}"), &[]).await;
        assert!(file.status == StatusCode::OK && !file.body.is_empty());
    }
    assert_eq!(site.get("/swagger-ui/nope.js", &[]).await.code(), Code::NotFound);
    let page = site.get("/swagger-ui/", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));
}

#[actix_web::test]
async fn readiness_ends_before_the_server_does() {
    let site = Site::of(resource::api()).await;
    assert_eq!(site.get("/readyz", &[]).await.status, StatusCode::OK);
    site.health.drain();
    let draining = site.get("/readyz", &[]).await;
    assert_eq!((draining.code(), draining.header("retry-after")), (Code::Unavailable, Some("1")));
    assert_eq!(site.get("/healthz", &[]).await.status, StatusCode::OK);
}

/// Something to answer.
#[derive(Serialize, ToSchema)]
struct Thing {
    id: String,
}

impl Versioned for Thing {
    fn version(&self) -> i64 {
        1
    }
}

#[actix_web::test]
async fn literal_paths_win_and_panics_are_problems() {
    let mut api = resource::api();
    api.get("/things/{id}", "get_thing", "s", "r", async |_: &App, _: &Call, id: LeadId| -> Read<Thing> {
        panic!("no thing {id}")
    })
    .read("/things/mine", "get_my_thing", "s", "r", async |_: &App, _: &Call| {
        Ok(Thing { id: "mine".into() })
    });
    let site = Site::of(api).await;
    assert_eq!(site.get("/api/v1/things/mine", &[]).await.json()["id"], "mine");
    let failed = site.get("/api/v1/things/0190163d-8694-739b-aea5-966c26f8ad91", &[]).await;
    assert_eq!(failed.code(), Code::Internal);
    assert!(!String::from_utf8(failed.body).unwrap().contains("no thing"));
}

#[actix_web::test]
async fn what_goes_away_says_so() {
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    let mut api = resource::api();
    api.open_read("/old", "get_old", "s", "Something old.", async |_: &State| Ok(Thing { id: "old".into() }))
        .deprecated(Deprecation {
            since: day("2026-01-01"),
            sunset: day("2027-01-01"),
            instead: "get_health",
        });
    let document = serde_json::to_value(describe(api, 1).paths).unwrap();
    let operation = &document["/old"]["get"];
    assert_eq!((&operation["deprecated"], &operation["x-sunset"]), (&true.into(), &"2027-01-01".into()));
    assert!(operation["description"].as_str().unwrap().contains("gone from 2027-01-01 on. Use `get_health`"));
    assert!(operation["responses"]["200"]["headers"].get("Sunset").is_some());

    let mut api = resource::api();
    api.open_read("/old", "get_old", "s", "Something old.", async |_: &State| Ok(Thing { id: "old".into() }))
        .deprecated(Deprecation {
            since: day("2026-01-01"),
            sunset: day("2027-01-01"),
            instead: "get_health",
        });
    let old = Site::of(api).await.get("/old", &[]).await;
    assert_eq!(old.header("deprecation"), Some("@1767225600"));
    assert_eq!(old.header("sunset"), Some("Fri, 01 Jan 2027 00:00:00 GMT"));
}
