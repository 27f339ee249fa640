//! What HTTP itself asks: types, languages, methods, versions, queries, cursors, keys.

use super::*;

on_both_databases! {
    media_types_and_languages_are_negotiated;
    paths_and_methods_that_are_not_there_are_problems;
    versions_are_checked;
    what_is_shown_otherwise_is_no_longer_known;
    queries_are_read_strictly;
    cursors_belong_to_their_question;
    idempotency_keys_have_a_form;
}

async fn media_types_and_languages_are_negotiated(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let id = rep.post("/leads", lead()).await.expect(201).id();
    let mut refusals = Refusals::begin(company).await;
    let path = format!("/leads/{id}");
    let body = lead().to_string();
    for kind in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/jsonp",
        "json",
        "",
    ] {
        for (method, path) in [(Method::POST, "/leads"), (Method::PATCH, path.as_str())] {
            let request = rep
                .request(method, path)
                .header("if-match", "*")
                .header("content-type", kind)
                .body(body.clone());
            let answer = rep.send(request).await;
            refusals.check(kind, answer, 415, "unsupported_media_type", None);
        }
    }
    let answer = rep.send(rep.request(Method::POST, "/leads").body(body.clone())).await;
    refusals.check("no type", answer, 415, "unsupported_media_type", None);
    for encoding in ["gzip", "br", "zstd"] {
        let packed = raw(&rep, Method::POST, "/leads", body.clone()).header("content-encoding", encoding);
        let answer = rep.send(packed).await;
        refusals.check(encoding, answer, 415, "unsupported_media_type", None);
    }
    let merge = rep
        .request(Method::POST, "/leads")
        .header("content-type", "application/merge-patch+json")
        .body(body.clone());
    let answer = rep.send(merge).await;
    refusals.check("a patch to create", answer, 415, "unsupported_media_type", None);
    for accept in ["text/html", "application/xml", "application/json;q=0", "image/*"] {
        for (method, path) in [
            (Method::GET, "/leads"),
            (Method::GET, path.as_str()),
            (Method::POST, "/leads"),
            (Method::PATCH, path.as_str()),
        ] {
            let answer = rep.send(raw(&rep, method, path, body.clone()).header("accept", accept)).await;
            refusals.check(accept, answer, 406, "not_acceptable", None);
        }
    }
    for accept in ["text/html", "application/json", "text/event-stream;q=0"] {
        let request = rep.request(Method::GET, "/events?wait=0").header("accept", accept);
        let answer = rep.send(request).await;
        refusals.check(accept, answer, 406, "not_acceptable", None);
    }
    for accept in ["text/event-stream", "text/*", "*/*", "application/json, */*;q=0.1"] {
        let request = rep.request(Method::GET, "/events?wait=0").header("accept", accept);
        let answer = rep.send(request).await.expect(200);
        assert_eq!(answer.header("content-type"), "text/event-stream", "{accept}");
    }
    // An encoding that nobody has is a wish that is passed over.
    for encodings in ["identity;q=0", "*;q=0", "compress;q=1, identity;q=0"] {
        let request = rep.request(Method::GET, &path).header("accept-encoding", encodings);
        let answer = rep.send(request).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json", "{encodings}");
        assert!(!answer.header("ratelimit").is_empty(), "{encodings}");
    }
    // Titles are for people, codes are not.
    for (languages, title, tag) in [
        ("zh-CN,zh;q=0.9,en;q=0.8", "未找到", "zh-CN"),
        ("zh", "未找到", "zh-CN"),
        ("en-US,zh;q=0.5", "Not found", "en"),
        ("fr", "Not found", "en"),
    ] {
        let request =
            rep.request(Method::GET, &format!("/leads/{UNKNOWN_ID}")).header("accept-language", languages);
        let answer = rep.send(request).await;
        let answer = refusals.check(languages, answer, 404, "not_found", None);
        assert_eq!(answer.body["title"], title, "{languages}");
        assert_eq!(answer.header("content-language"), tag, "{languages}");
    }
    refusals.end().await;
}

async fn paths_and_methods_that_are_not_there_are_problems(server: Server) {
    let company = Company::found(&server).await;
    let admin = company.admin.client.clone();
    let mut refusals = Refusals::begin(company).await;
    for path in [
        "/",
        "/nope",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nope",
        "/api/v2/leads",
        "/api/v1/Leads",
        "/api/v1/leads/",
        "/api/v1//leads",
        "/.well-known/nope",
        "/swagger-ui/nope.js",
        "/swagger-ui/index.html/nope",
        "/../etc/passwd",
        "/%00",
    ] {
        let answer = admin.get_root(path).await;
        refusals.check(path, answer, 404, "not_found", None);
    }
    let answer = admin.get_root("/problems/nope").await;
    let answer = refusals.check("an unknown code", answer, 404, "not_found", None);
    assert_eq!(answer.body["detail"], "no such code");
    let browser = admin.root(Method::GET, "/problems/nope").header("accept", "text/html,*/*;q=0.8");
    let page = admin.send(browser.header("accept-language", "zh-CN")).await.expect(404);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("content-language"), "zh-CN");
    assert!(page.text.contains("没有这个错误代码") && !page.text.contains("nope"), "{}", page.text);
    let strange = admin.get_root("/problems/duplicate?x=1").await;
    refusals.check("a parameter", strange, 400, "malformed_request", Some("x"));
    let answer = admin.act(&format!("/leads/{UNKNOWN_ID}/fly")).await;
    refusals.check("an unknown action", answer, 404, "not_found", None);
    let known = format!("/leads/{UNKNOWN_ID}");
    let claim = format!("/public-pool/customers/{UNKNOWN_ID}/claim");
    let cases = [
        (Method::PUT, "/leads", vec!["GET", "HEAD", "POST"]),
        (Method::DELETE, "/leads", vec!["GET", "HEAD", "POST"]),
        (Method::PATCH, "/leads", vec!["GET", "HEAD", "POST"]),
        (Method::TRACE, "/leads", vec!["GET", "HEAD", "POST"]),
        (Method::PUT, known.as_str(), vec!["GET", "HEAD", "PATCH", "DELETE"]),
        (Method::POST, known.as_str(), vec!["GET", "HEAD", "PATCH", "DELETE"]),
        (Method::GET, claim.as_str(), vec!["POST"]),
        (Method::DELETE, "/me", vec!["GET", "HEAD"]),
        (Method::from_bytes(b"BREW").unwrap(), "/me", vec!["GET", "HEAD"]),
    ];
    for (method, path, allowed) in cases {
        let what = format!("{method} {path}");
        let answer = admin.send(admin.request(method, path)).await;
        let answer = refusals.check(&what, answer, 405, "method_not_allowed", None);
        let mut said: Vec<&str> =
            answer.header("allow").split(", ").filter(|one| *one != "OPTIONS").collect();
        let mut allowed = allowed;
        said.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(said, allowed, "{what}");
    }
    // Ids.
    for bad in [
        "abc",
        "1",
        "-1",
        "%00",
        "%FF",
        "%F0%9F%90%8D",
        "0190163d8694739baea5966c26f8ad91",
        "%7B0190163d-8694-739b-aea5-966c26f8ad91%7D",
        "' OR '1'='1",
        "null",
        "*",
    ] {
        for resource in [
            "leads",
            "customers",
            "public-pool/customers",
            "contacts",
            "activities",
            "pipelines",
            "opportunities",
            "contracts",
            "invoices",
            "payments",
            "approvals",
            "users",
            "teams",
            "roles",
            "audit-events",
        ] {
            let answer = admin.get(&format!("/{resource}/{bad}")).await;
            refusals.check(bad, answer, 400, "malformed_request", Some("id"));
        }
        for request in [
            raw(&admin, Method::PATCH, &format!("/leads/{bad}"), "{}"),
            admin.request(Method::DELETE, &format!("/leads/{bad}")).header("if-match", "*"),
            admin.request(Method::POST, &format!("/leads/{bad}/claim")),
        ] {
            refusals.refused(bad, &admin, request, 400, "malformed_request", "id").await;
        }
    }
    // The catalogue explains every code that the specification knows.
    let document = server.anonymous().get_root("/openapi.json").await.expect(200).body;
    let codes = document["components"]["schemas"]["Code"]["enum"].as_array().unwrap();
    assert!(codes.len() > 40, "{codes:?}");
    let listed = server.anonymous().get_root("/problems").await.expect(200).body;
    for code in codes {
        let code = code.as_str().unwrap();
        let kind = server.anonymous().get_root(&format!("/problems/{code}")).await.expect(200).body;
        assert_eq!(kind["code"], code);
        // One problem is none: it leads from a record that was merged to the one that stayed.
        let merged = kind["code"] == "merged" && kind["status"] == 308;
        assert!(merged || (400..600).contains(&kind["status"].as_u64().unwrap()), "{kind}");
        assert!(listed.to_string().contains(&format!("\"{code}\"")), "{code}");
    }
    // With what each carries, and how that looks.
    let used = server.anonymous().get_root("/problems/in_use").await.expect(200).body;
    let named = &used["figures"][0];
    assert_eq!((&named["name"], &named["value_type"]), (&json!("dependents"), &json!("array")));
    assert!(named["description"].is_string() && named["description_zh"].is_string(), "{named}");
    let refusals_of = &document["paths"]["/api/v1/contracts/{id}"]["delete"]["responses"]["409"]["content"];
    let shown = &refusals_of["application/problem+json"]["examples"]["in_use"]["value"]["dependents"];
    assert_eq!(shown[0]["record_kind"], "contact", "{refusals_of}");
    refusals.end().await;
}

/// The same version of a contact shows other things to its seller once its customer is in the pool.
async fn what_is_shown_otherwise_is_no_longer_known(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let customer = company.customer(&company.rep).await;
    let form = json!({"customer_id": customer, "name": "Li", "phone": "+86 138 0000 1234"});
    let path = format!("/contacts/{}", rep.post("/contacts", form).await.expect(201).id());
    let before = rep.get(&path).await.expect(200);
    let again = |tag: &str| rep.send(rep.request(Method::GET, &path).header("if-none-match", tag));
    again(before.header("etag")).await.expect(304);
    // A part of a record is not the record.
    let part = rep.get(&format!("{path}?fields=version")).await.expect(200);
    assert_ne!(part.header("etag"), before.header("etag"));

    rep.post(&format!("/customers/{customer}/release"), json!({"reason": "no_need"})).await.expect(200);
    let after = again(before.header("etag")).await.expect(200);
    assert_eq!(after.body["version"], before.body["version"]);
    assert!(after.body["phone"] != before.body["phone"], "{}", after.text);
    assert_ne!(after.body["allowed_actions"], before.body["allowed_actions"]);
    again(after.header("etag")).await.expect(304);
}

async fn versions_are_checked(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let first = rep.post("/leads", lead()).await.expect(201);
    let (path, tag) = (format!("/leads/{}", first.id()), first.header("etag").to_owned());
    assert!(tag.starts_with("\"v1-"), "{tag}");
    let second = rep.patch_if(&path, &tag, json!({"title": "CEO"})).await.expect(200);
    assert!(second.header("etag").starts_with("\"v2-"));
    let mut refusals = Refusals::begin(company).await;

    for request in
        [rep.request(Method::PATCH, &path).json(&json!({"title": "CTO"})), rep.request(Method::DELETE, &path)]
    {
        let answer = rep.send(request).await;
        refusals.check("no If-Match", answer, 428, "precondition_required", None);
    }
    let writes = |value: &str| {
        [
            rep.request(Method::PATCH, &path).json(&json!({"title": "CTO"})).header("if-match", value),
            rep.request(Method::DELETE, &path).header("if-match", value),
            rep.request(Method::POST, &format!("{path}/disqualify"))
                .json(&json!({"reason": "no_need"}))
                .header("if-match", value),
        ]
    };
    // Old, never seen, foreign: none of them is the present version, and which that is, is said.
    for other in [
        tag.as_str(),
        "\"v3\"",
        "W/\"v3\"",
        "W/\"abc\"",
        "\"v1-0123456789abcdef-gzip\"",
        "\"v2-0123456789abcdef-compress\"",
        "\"abc\"",
        "\"v02\"",
        "\"v1\", \"abc\"",
        "\"v1\", \"v3\",W/\"v4\"",
        "\"2\"",
        "\"v99999999999999999999\"",
    ] {
        for request in writes(other) {
            let answer = rep.send(request).await;
            let answer = refusals.check(other, answer, 412, "version_mismatch", None);
            if answer.body["current_version"] != 2 {
                refusals.wrong.push(format!("{other}: does not tell the present version: {}", answer.text));
            }
        }
    }
    for nonsense in ["v2", "2", "\"v2", "\"v2\" \"v2\"", "\"v2\",", "", "*, \"v2\"", "'v2'"] {
        for request in writes(nonsense) {
            refusals.refused(nonsense, &rep, request, 400, "malformed_request", "If-Match").await;
        }
    }
    // Whoever names several means any of them.
    let several = rep.patch_if(&path, "\"v1\", \"v2\"\t,\"v3\"", json!({"title": "CEO"})).await.expect(200);
    assert_eq!(several.body["version"], 2, "nothing was changed");
    // Compressed, by us or by a proxy, a record is still of its version.
    let shown = second.header("etag");
    let zipped = format!("{}-gzip\"", shown.trim_end_matches('"'));
    for told in [format!("W/{shown}"), zipped.clone(), format!("W/{zipped}"), "W/\"v2\"".to_owned()] {
        rep.patch_if(&path, &told, json!({"title": "CEO"})).await.expect(200);
    }
    for encoding in ["gzip", "br", "zstd"] {
        let ask = || rep.request(Method::GET, &path).header("accept-encoding", encoding);
        let packed = rep.send(ask()).await.expect(200);
        let tag = packed.header("etag");
        assert_eq!(packed.header("content-encoding"), encoding);
        assert!(tag.starts_with("\"v2-") && tag.ends_with(&format!("-{encoding}\"")), "{tag}");
        let known = rep.send(ask().header("if-none-match", tag)).await.expect(304);
        assert_eq!(known.header("etag"), tag);
        rep.patch_if(&path, tag, json!({"title": "CEO"})).await.expect(200);
    }
    // Somebody else's record stays unseen, whatever the version.
    let stranger = refusals.company.other_rep.client.clone();
    for value in ["\"v1\"", "\"v2\"", "\"abc\"", "*"] {
        let request =
            stranger.request(Method::PATCH, &path).json(&json!({"title": "CTO"})).header("if-match", value);
        let answer = stranger.send(request).await;
        refusals.check(value, answer, 404, "not_found", None);
    }

    let read = |value: &str| rep.request(Method::GET, &path).header("if-none-match", value);
    let now = rep.get(&path).await.expect(200).header("etag").to_owned();
    for seen in [now.clone(), format!("W/{now}"), format!("\"v1\", {now}"), "*".to_owned()] {
        let answer = rep.send(read(&seen)).await.expect(304);
        assert_eq!((answer.text.as_str(), answer.header("etag")), ("", now.as_str()), "{seen}");
    }
    for other in [tag.as_str(), "\"v2\"", "\"abc\"", "W/\"v1\""] {
        rep.send(read(other)).await.expect(200);
    }
    for nonsense in ["v2", "\"v2", "2"] {
        refusals.refused(nonsense, &rep, read(nonsense), 400, "malformed_request", "If-None-Match").await;
        // Whatever could be said of what is asked for.
        let nowhere = format!("/contacts/{}", uuid::Uuid::from_u128(7));
        let read = rep.request(Method::GET, &nowhere).header("if-none-match", nonsense);
        refusals.refused(nonsense, &rep, read, 400, "malformed_request", "If-None-Match").await;
    }
    refusals.end().await;
}

async fn queries_are_read_strictly(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let id = rep.post("/leads", lead()).await.expect(201).id();
    let mut refusals = Refusals::begin(company).await;
    let too_long = format!("name={}", "x".repeat(201));
    let too_many = format!("status={}", vec!["new"; 101].join(","));
    let cases = [
        ("color=red", "color"),
        ("name_like=x", "name_like"),
        ("name_gte=x", "name_gte"),
        ("status_contains=new", "status_contains"),
        ("name_is_null=true", "name_is_null"),
        ("NAME=x", "NAME"),
        ("=x", ""),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("total=yes", "total"),
        ("total=", "total"),
        ("sort=shoe_size", "sort"),
        ("sort=phone", "sort"),
        ("sort=", "sort"),
        ("sort=name,name,name,name,name", "sort"),
        ("name=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21", "name"),
        ("score=9007199254740992", "score"),
        ("score_gte=-9007199254740992", "score_gte"),
        ("sort=--name", "sort"),
        ("sort=name;DROP%20TABLE%20leads", "sort"),
        ("sort=name,company,created_at,updated_at,expected_purchase_on", "sort"),
        ("include=password", "include"),
        ("include=", "include"),
        ("status=shiny", "status"),
        ("status=new,shiny", "status"),
        ("status_ne=shiny", "status_ne"),
        ("status=", "status"),
        ("owner_id=x", "owner_id"),
        ("owner_id=%7B0190163d-8694-739b-aea5-966c26f8ad91%7D", "owner_id"),
        ("owner_id=0190163d8694739baea5966c26f8ad91", "owner_id"),
        ("owner_id_is_null=maybe", "owner_id_is_null"),
        ("created_at_gte=yesterday", "created_at_gte"),
        ("created_at_gte=2026-01-01", "created_at_gte"),
        ("created_at_gte=2016-12-31T23:59:60Z", "created_at_gte"),
        ("created_at_gte=-262143-01-01T00:00:00Z", "created_at_gte"),
        ("created_at_gte=%2B262142-01-01T00:00:00Z", "created_at_gte"),
        ("expected_purchase_on=2026-02-30", "expected_purchase_on"),
        ("expected_purchase_on_lte=2026-1-1", "expected_purchase_on_lte"),
        ("expected_purchase_on_lte=-262143-01-01", "expected_purchase_on_lte"),
        ("expected_purchase_on_lte=%2B262142-12-31", "expected_purchase_on_lte"),
        ("budget_gte=lots", "budget_gte"),
        ("budget_gte=1.001", "budget_gte"),
        ("budget_gte=1%20XXX", "budget_gte"),
        ("budget_gte=1%20", "budget_gte"),
        ("budget_gte=99999999999999999999", "budget_gte"),
        ("budget_gte=1e3", "budget_gte"),
        ("name=a%00b", "name"),
        ("q=", "q"),
        ("q=%00", "q"),
        ("q=%ff", "q"),
        ("name_prefix=%c3%28", "name_prefix"),
        ("limit=%ff", "limit"),
        ("name=a,%E9%95", "name"),
        (too_long.as_str(), "name"),
        (too_many.as_str(), "status"),
    ];
    for (query, pointer) in cases {
        let what: String = query.chars().take(80).collect();
        let request = rep.request(Method::GET, &format!("/leads?{query}"));
        refusals.refused(&what, &rep, request, 400, "malformed_request", pointer).await;
    }
    // A `+` that stands for a blank is told how it is written.
    rep.get("/leads?created_at_gte=2026-01-01T00:00:00%2B08:00").await.expect(200);
    let blank = rep.get("/leads?created_at_gte=2026-01-01T00:00:00+08:00").await;
    let blank = refusals.check("a plus", blank, 400, "malformed_request", Some("created_at_gte"));
    assert!(blank.text_of("detail").contains("`%2B`"), "{}", blank.text);
    let answer = rep.get("/leads?color=red").await;
    let allowed = answer.body["allowed"].as_array().expect("the known parameters");
    for name in [
        "name",
        "name_contains",
        "status_ne",
        "budget_gte",
        "owner_id_is_null",
        "q",
        "sort",
        "limit",
        "cursor",
        "total",
        "include",
    ] {
        assert!(allowed.iter().any(|known| known == name), "{name} is not in {allowed:?}");
    }
    // Operations that are no lists have no parameters at all, but for what a record includes.
    for (method, path) in [
        (Method::GET, "/me?x=1".to_owned()),
        (Method::GET, "/me?include=owner".to_owned()),
        (Method::GET, format!("/leads/{id}?limit=1")),
        (Method::GET, format!("/leads/{id}?include=customer")),
        (Method::GET, format!("/leads/{id}?include=owner&include=owner")),
        (Method::GET, format!("/leads/{id}/duplicates?include=owner")),
        (Method::POST, "/leads?owner_id=1".to_owned()),
        (Method::POST, format!("/leads/{id}/qualify?force=true")),
        (Method::PATCH, format!("/leads/{id}?x=")),
        (Method::DELETE, format!("/leads/{id}?x")),
    ] {
        let answer = rep.send(raw(&rep, method, &path, "{}")).await;
        refusals.check(&path, answer, 400, "malformed_request", None);
    }
    // What is no text is refused by whatever reads it, and says where it stands.
    for (method, path, pointer) in [
        (Method::GET, "/search?q=%ff".to_owned(), "q"),
        (Method::GET, "/sync?since=%c3%28".to_owned(), "since"),
        (Method::GET, "/me?x=%ff".to_owned(), "x"),
        (Method::GET, format!("/leads/{id}?fields=%ff"), "fields"),
        (Method::GET, format!("/leads/{id}?include=%ff"), "include"),
        (Method::POST, format!("/leads/{id}/qualify?dry_run=%ff"), "dry_run"),
    ] {
        let answer = rep.send(raw(&rep, method, &path, "{}")).await;
        refusals.check(&path, answer, 400, "malformed_request", Some(pointer));
    }
    let view = json!({"name": "A", "resource": "leads", "query": "q=%ff"});
    let request = rep.request(Method::POST, "/saved-views").json(&view);
    refusals.refused("a saved view", &rep, request, 422, "validation_failed", "/query").await;
    for (path, status, code) in [
        ("/api/v1/leads/%ff", 400, "malformed_request"),
        ("/api/v1/dictionaries/%ff", 400, "malformed_request"),
        ("/problems/%c3%28", 404, "not_found"),
        ("/api/v1/%ff", 404, "not_found"),
        ("/%ff", 404, "not_found"),
    ] {
        let answer = rep.get_root(path).await;
        refusals.check(path, answer, status, code, None);
    }
    let admin = refusals.company.admin.client.clone();
    for query in ["sequence=x", "sequence=1.5", "sequence_gte=99999999999999999999", "sequence_gte="] {
        let pointer = query.split_once('=').unwrap().0;
        let request = admin.request(Method::GET, &format!("/audit-events?{query}"));
        refusals.refused(query, &admin, request, 400, "malformed_request", pointer).await;
    }
    refusals.end().await;
}

async fn cursors_belong_to_their_question(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    for name in ["a", "b", "c"] {
        rep.post("/leads", with(&lead(), "name", json!(name))).await.expect(201);
        rep.post("/customers", json!({"kind": "company", "name": name})).await.expect(201);
    }
    let mut refusals = Refusals::begin(company).await;
    let page = rep.get("/leads?source=website&sort=name&limit=1").await.expect(200);
    let cursor = page.body["page"]["next_cursor"].as_str().unwrap().to_owned();
    let follow = |query: &str| format!("/leads?{query}&cursor={cursor}");
    // The size of a page and what it shows of each row may change on the way.
    for same in [
        "source=website&sort=name",
        "sort=name&limit=2&source=website",
        "source=website&sort=name&include=owner&total=true",
    ] {
        rep.get(&follow(same)).await.expect(200);
    }
    for other in [
        "source=website",
        "source=website&sort=-name",
        "source=website&sort=name,company",
        "source=website,event&sort=name",
        "sort=name",
        "source=website&sort=name&q=a",
        "source=website&sort=name&status=new",
    ] {
        let request = rep.request(Method::GET, &follow(other));
        refusals.refused(other, &rep, request, 400, "cursor_mismatch", "cursor").await;
    }
    let (head, tail) = cursor.split_at(cursor.len() / 2);
    let turned = if tail.starts_with('A') { "B" } else { "A" };
    let flipped = format!("{head}{turned}{}", &tail[1..]);
    let bad = [
        "x",
        "%00",
        "bm90IG91cnM",
        "////",
        &cursor[..cursor.len() - 4],
        &flipped,
        &format!("{cursor}AAAA"),
        "",
        &"A".repeat(6000),
    ]
    .map(str::to_owned);
    for bad in bad {
        let what: String = format!("cursor {}", bad.chars().take(40).collect::<String>());
        let request = rep.request(Method::GET, &format!("/leads?source=website&sort=name&cursor={bad}"));
        refusals.refused(&what, &rep, request, 400, "invalid_cursor", "cursor").await;
    }
    // A cursor of another resource, with the very same question.
    let page = rep.get("/customers?sort=name&limit=1").await.expect(200);
    let foreign = page.body["page"]["next_cursor"].as_str().unwrap();
    for path in ["/leads", "/public-pool/customers", "/contracts?sort=title"] {
        let separator = if path.contains('?') { "&" } else { "?sort=name&" };
        let request = rep.request(Method::GET, &format!("{path}{separator}cursor={foreign}"));
        refusals.refused(path, &rep, request, 400, "invalid_cursor", "cursor").await;
    }
    refusals.end().await;
}

async fn idempotency_keys_have_a_form(server: Server) {
    let company = Company::found(&server).await;
    let rep = company.rep.client.clone();
    let mut refusals = Refusals::begin(company).await;
    let long = "k".repeat(256);
    for key in ["a b", "", " ", long.as_str(), "a\tb", "schlüssel"] {
        let request =
            rep.request(Method::POST, "/leads").header("idempotency-key", key.as_bytes()).json(&lead());
        refusals.refused(key, &rep, request, 400, "malformed_request", "Idempotency-Key").await;
    }
    for second in ["one", "two"] {
        let request = rep.request(Method::POST, "/leads").header("idempotency-key", "one");
        let request = request.header("idempotency-key", second).json(&lead());
        refusals.refused(second, &rep, request, 400, "malformed_request", "Idempotency-Key").await;
    }
    refusals.end().await;
}
