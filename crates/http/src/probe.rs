use crate::{api::*, config::*, state::*};
use actix_web::{App as A, test, web};
use fairlead_application::{listing::*, *};
use fairlead_domain::{access::Permission, error::*, lead::*, patch::Patch, valid::Valid, values::*};
use std::sync::Arc;

#[derive(serde::Serialize, utoipa::ToSchema)]
struct LeadView {
    id: LeadId,
    name: String,
    version: i64,
}
impl Versioned for LeadView {
    fn version(&self) -> i64 {
        self.version
    }
}
#[derive(serde::Serialize, utoipa::ToSchema)]
struct LeadSummary {
    id: LeadId,
    name: String,
}
fn view() -> LeadView {
    LeadView { id: uuid(), name: "x".repeat(3000), version: 7 }
}
fn uuid() -> LeadId {
    "0190163d-8694-739b-aea5-966c26f8ad91".parse().unwrap()
}

static LISTING: Listing = Listing {
    resource: "leads",
    fields: &[Field::new("name", Kind::Text).sortable()],
    search: &["name"],
    default_sort: "-name",
    includes: &["owner"],
};
async fn list(_: &App, _: &Call, _r: ListRequest) -> Read<Page<LeadSummary>> {
    Ok(Page { data: vec![], page: PageInfo { next_cursor: Some("abc".into()), has_more: true, total: None } })
}
async fn get(_: &App, _: &Call, _id: LeadId) -> Read<LeadView> {
    Ok(view())
}
async fn create(_: &App, _: &Call, _f: Valid<LeadDetails>) -> Written<LeadView> {
    Ok(Done::Fresh(view()))
}
async fn update(_: &App, c: &Call, _id: LeadId, p: Patch<LeadDetails>) -> Written<LeadView> {
    assert!(p.touches("name"));
    assert!(c.if_match.is_some());
    Ok(Done::Fresh(view()))
}
async fn delete(_: &App, _: &Call, _id: LeadId) -> Written<()> {
    Ok(Done::Fresh(()))
}
async fn qualify(_: &App, _: &Call, _id: LeadId) -> Written<LeadView> {
    panic!("boom")
}
async fn mine(_: &App, _: &Call) -> Read<LeadView> {
    Ok(view())
}

fn probe_api() -> Api {
    let mut api = Api::default();
    api.tag("Leads", "x")
        .list("/leads", "list_leads", "s", "r", &LISTING, list)
        .needs(Permission::LeadsRead)
        .create("/leads", "create_lead", "s", "r", create)
        .refuses(&[Code::Duplicate])
        .get("/leads/{id}", "get_lead", "s", "r", get)
        .read("/leads/mine", "mine", "s", "r", mine)
        .patch("/leads/{id}", "update_lead", "s", "r", update)
        .delete("/leads/{id}", "delete_lead", "s", "r", delete)
        .act("/leads/{id}/qualify", "qualify_lead", "s", "r", qualify);
    crate::resource::health_routes(&mut api);
    api
}

#[actix_web::test]
async fn probe() {
    let ops: Vec<_> = probe_api().into_operations();
    let mut cfg = HttpConfig::default();
    cfg.body_limit = 1000;
    cfg.cors_origins = vec!["https://a.example".into()];
    cfg.hsts = true;
    let app =
        test::init_service(A::new().configure(crate::server::configure(ops, App, cfg, Health::default())))
            .await;
    macro_rules! go {
        ($m:expr, $uri:expr, $h:expr, $body:expr) => {{
            let mut r = test::TestRequest::default().method($m.parse().unwrap()).uri($uri).set_payload($body);
            for (k, v) in $h {
                r = r.insert_header((*k, *v));
            }
            let res = test::call_service(&app, r.to_request()).await;
            println!("\n### {} {} {:?}\n{}", $m, $uri, $h, res.status());
            let mut hs: Vec<_> =
                res.headers().iter().map(|(k, v)| format!("{k}: {}", v.to_str().unwrap())).collect();
            hs.sort();
            println!("{}", hs.join("\n"));
            let b = test::read_body(res).await;
            println!("{}", String::from_utf8_lossy(&b).chars().take(500).collect::<String>());
        }};
    }
    let auth = ("authorization", "Bearer good");
    let j = ("content-type", "application/json");
    go!("GET", "/api/v1/leads?name=a&limit=3", &[auth], "");
    go!("GET", "/api/v1/leads?nope=a", &[auth], "");
    go!("GET", "/api/v1/leads/mine", &[auth, ("accept-encoding", "gzip")], "");
    go!("HEAD", "/api/v1/leads/mine", &[auth], "");
    go!("GET", "/api/v1/leads/xx", &[auth], "");
    go!("GET", "/api/v1/leads/0190163d-8694-739b-aea5-966c26f8ad91", &[("accept-language", "zh-CN")], "");
    go!(
        "GET",
        "/api/v1/leads/0190163d-8694-739b-aea5-966c26f8ad91",
        &[auth, ("if-none-match", "\"v7\"")],
        ""
    );
    go!("GET", "/api/v1/leads/0190163d-8694-739b-aea5-966c26f8ad91?x=1", &[auth], "");
    go!("PUT", "/api/v1/leads", &[auth], "");
    go!(
        "OPTIONS",
        "/api/v1/leads",
        &[("origin", "https://a.example"), ("access-control-request-method", "POST")],
        ""
    );
    go!(
        "OPTIONS",
        "/api/v1/leads",
        &[("origin", "https://b.example"), ("access-control-request-method", "POST")],
        ""
    );
    go!("OPTIONS", "/api/v1/leads", &[("x", "y")], "");
    go!("GET", "/api/v1/nope", &[auth], "");
    go!("GET", "/nope", &[auth], "");
    go!("POST", "/api/v1/leads", &[auth], "{}");
    go!("POST", "/api/v1/leads", &[auth, j], "{}");
    go!("POST", "/api/v1/leads", &[auth, j], r#"{"name":"a","source":"web_site"}"#);
    go!("POST", "/api/v1/leads", &[auth, j], r#"{"name":"a","source":"website"}"#);
    go!("POST", "/api/v1/leads", &[auth, j], "x".repeat(2000));
    go!("PATCH", "/api/v1/leads/0190163d-8694-739b-aea5-966c26f8ad91", &[auth, j], r#"{"name":"a"}"#);
    go!(
        "PATCH",
        "/api/v1/leads/0190163d-8694-739b-aea5-966c26f8ad91",
        &[auth, j, ("if-match", "*")],
        r#"{"name":"a"}"#
    );
    go!("DELETE", "/api/v1/leads/0190163d-8694-739b-aea5-966c26f8ad91", &[auth, ("if-match", "*")], "");
    go!("POST", "/api/v1/leads/0190163d-8694-739b-aea5-966c26f8ad91/qualify", &[auth], "");
    go!("GET", "/healthz", &[("x-request-id", "abc")], "");
    go!("GET", "/readyz", &[("accept", "text/html")], "");
    go!("GET", "/problems/duplicate", &[("x-request-id", "a b")], "");
    go!("GET", "/swagger-ui", &[("x", "y")], "");
    go!("GET", "/swagger-ui/", &[("x", "y")], "");
    go!("GET", "/swagger-ui/swagger-initializer.js", &[("x", "y")], "");
    go!("GET", "/openapi.yaml", &[("x", "y")], "");
    let parts = describe(probe_api());
    assert_eq!(parts.collisions, Vec::<String>::new());
    std::fs::write("/tmp/probe.json", crate::openapi::document(parts).to_pretty_json().unwrap()).unwrap();
    let _ = (Arc::new(1), web::Data::new(1));
}

#[actix_web::test]
async fn live() {
    use std::io::{Read, Write};
    let mut cfg = HttpConfig::default(); cfg.body_timeout = std::time::Duration::from_millis(500); cfg.body_limit = 100;
    let l = std::net::TcpListener::bind("127.0.0.1:0").unwrap(); let a = l.local_addr().unwrap();
    let health = Health::default();
    let conf = crate::server::configure(probe_api().into_operations(), App, cfg, health.clone());
    let srv = actix_web::HttpServer::new(move || A::new().configure(conf.clone())).workers(1).disable_signals().listen(l).unwrap().run();
    let h = srv.handle();
    actix_web::rt::spawn(srv);
    let talk = move |text: &'static str| actix_web::web::block(move || {
        let mut s = std::net::TcpStream::connect(a).unwrap();
        s.set_read_timeout(Some(std::time::Duration::from_secs(3))).unwrap();
        s.write_all(text.as_bytes()).unwrap();
        let mut out = vec![]; let _ = s.read_to_end(&mut out);
        println!("\n>>> {}\n{}", text.lines().next().unwrap(), String::from_utf8_lossy(&out).chars().take(1500).collect::<String>());
    });
    talk("HEAD /api/v1/leads/mine HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\nconnection: close\r\n\r\n").await.unwrap();
    talk("POST /api/v1/leads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{").await.unwrap();
    talk("POST /api/v1/leads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{").await.unwrap();
    talk("POST /api/v1/leads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\nzz\r\n").await.unwrap();
    talk("GET /api/v1/leads/%00 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\nconnection: close\r\n\r\n").await.unwrap();
    talk("GET /api/v1/leads/a%2Fb HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\nconnection: close\r\n\r\n").await.unwrap();
    talk("TRACE /api/v1/leads HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    talk("GARBAGE\r\n\r\n").await.unwrap();
    health.drain();
    talk("GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    h.stop(true).await;
}
