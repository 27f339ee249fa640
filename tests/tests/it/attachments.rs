//! Attachments: what is taken, who gets it, in which parts, and where it is kept.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Answer, Bucket, Client, Company, Kind, Server};

on_both_databases! {
    what_was_added_comes_back;
    only_what_it_is_said_to_be_is_taken;
    names_end_as_their_type_does;
    text_is_utf8_to_its_end_and_says_so;
    whoever_sees_the_contract_sees_its_files;
    a_repeated_upload_adds_one_file;
    files_are_scanned;
    a_lost_file_is_found_out;
    only_what_was_discarded_is_swept;
}

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << >>\n%%EOF\n";

async fn add(client: &Client, contract: &str, name: &str, kind: &str, content: &[u8]) -> Answer {
    let path = format!("/contracts/{contract}/attachments?file_name={name}");
    let request = client.request(Method::POST, &path).header("content-type", kind);
    client.send(request.body(content.to_vec())).await
}

/// Content, asked for with more headers.
async fn content(client: &Client, id: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let request = client.request(Method::GET, &format!("/attachments/{id}/content"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap()
}

/// How many files the server keeps in its folder.
fn kept(server: &Server) -> usize {
    std::fs::read_dir(server.database.folder().join("fairlead-files")).unwrap().count()
}

async fn what_was_added_comes_back(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    // Larger than what is judged, sent on and compressed at once.
    let mut large = PDF.to_vec();
    large.extend((0..3_000_000_u32).map(|at| u8::try_from(at % 251).unwrap()));
    let added =
        add(rep, &contract, "%E5%90%88%E5%90%8C%20(signed).pdf", "application/pdf", &large).await.expect(201);
    let id = added.id();
    let digest = Sha256::digest(&large).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(added.header("location"), format!("/api/v1/attachments/{id}"));
    assert_eq!(
        (&added.body["file_name"], &added.body["sha256"], &added.body["size"]),
        (&"合同 (signed).pdf".into(), &digest.clone().into(), &large.len().into())
    );
    let whole = content(rep, &id, &[("accept-encoding", "gzip")]).await;
    let header = |response: &reqwest::Response, name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let tag = format!("\"{digest}\"");
    assert_eq!((whole.status().as_u16(), header(&whole, "etag")), (200, tag.clone()));
    assert_eq!(header(&whole, "content-type"), "application/pdf");
    assert_eq!(header(&whole, "content-length"), large.len().to_string());
    assert_eq!(header(&whole, "accept-ranges"), "bytes");
    assert_eq!(
        header(&whole, "content-disposition"),
        "attachment; filename*=UTF-8''%E5%90%88%E5%90%8C%20%28signed%29.pdf"
    );
    assert_eq!(
        (header(&whole, "cache-control"), header(&whole, "x-content-type-options")),
        ("no-store".into(), "nosniff".into())
    );
    assert_eq!(whole.bytes().await.unwrap(), large);
    // Whatever is wished for: compressed, parts would be parts of something else.
    for encoding in ["gzip", "br", "zstd"] {
        let wishes = [("accept-encoding", encoding), ("range", "bytes=0-3")];
        for (headers, bytes) in [(&wishes[..1], &large[..]), (&wishes[..], &large[..4])] {
            let answer = content(rep, &id, headers).await;
            assert!(!answer.headers().contains_key("content-encoding"), "{encoding}");
            let vary = header(&answer, "vary").to_lowercase();
            assert!(!vary.contains("accept-encoding"), "{encoding}: {vary}");
            assert_eq!(answer.bytes().await.unwrap(), bytes, "{encoding}");
        }
    }
    // In parts.
    for (range, from, to) in [
        ("bytes=0-3", 0, 4),
        ("bytes=1000000-1999999", 1_000_000, 2_000_000),
        ("bytes=3000000-", 3_000_000, large.len()),
        ("bytes=-10", large.len() - 10, large.len()),
    ] {
        let part = content(rep, &id, &[("range", range), ("if-range", &tag)]).await;
        assert_eq!(part.status(), 206, "{range}");
        assert_eq!(header(&part, "content-range"), format!("bytes {from}-{}/{}", to - 1, large.len()));
        assert_eq!(part.bytes().await.unwrap(), &large[from..to], "{range}");
    }
    let other = content(rep, &id, &[("range", "bytes=0-3"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status().as_u16(), other.bytes().await.unwrap().len()), (200, large.len()));
    let beyond = content(rep, &id, &[("range", "bytes=99999999-")]).await;
    assert_eq!(
        (beyond.status().as_u16(), header(&beyond, "content-range")),
        (416, format!("bytes */{}", large.len()))
    );
    let problem: serde_json::Value = beyond.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["size"]), (&"range_not_satisfiable".into(), &large.len().into()));
    let seen = content(rep, &id, &[("if-none-match", &tag)]).await;
    assert_eq!((seen.status().as_u16(), seen.bytes().await.unwrap().len()), (304, 0));
    // HEAD tells how long it is.
    let head = rep.request(Method::HEAD, &format!("/attachments/{id}/content")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, large.len().to_string()));
    let all = rep.all(&format!("/contracts/{contract}/attachments")).await;
    assert_eq!((all.len(), &all[0]["id"]), (1, &id.clone().into()));
    rep.delete(&format!("/attachments/{id}")).await.expect(204);
    assert_eq!(content(rep, &id, &[]).await.status(), 404);
    assert!(rep.all(&format!("/contracts/{contract}/attachments")).await.is_empty());
    // With its draft, everything goes.
    add(rep, &contract, "a.pdf", "application/pdf", PDF).await.expect(201);
    rep.delete(&format!("/contracts/{contract}")).await.expect(204);
}

async fn only_what_it_is_said_to_be_is_taken(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let page = b"<!DOCTYPE html><script>alert(1)</script>";
    for (name, kind, content, status, code) in [
        ("a.pdf", "application/pdf", &page[..], 415, "unsupported_media_type"),
        ("a.png", "image/png", PDF, 415, "unsupported_media_type"),
        ("a.html", "text/html", page, 415, "unsupported_media_type"),
        ("a.exe", "application/octet-stream", b"MZ", 415, "unsupported_media_type"),
        ("a.pdf", "application/pdf", b"", 422, "validation_failed"),
        ("..%2Fa.pdf", "application/pdf", PDF, 422, "validation_failed"),
        ("a%5Cb.pdf", "application/pdf", PDF, 422, "validation_failed"),
        ("a%0Ab.pdf", "application/pdf", PDF, 422, "validation_failed"),
        ("", "application/pdf", PDF, 422, "validation_failed"),
        (".htaccess", "text/plain", b"deny", 422, "validation_failed"),
        ("a.pdf&x=1", "application/pdf", PDF, 400, "malformed_request"),
        ("a.pdf&file_name=b.pdf", "application/pdf", PDF, 400, "malformed_request"),
    ] {
        add(rep, &contract, name, kind, content).await.refused(status, code);
    }
    let path = format!("/contracts/{contract}/attachments");
    let unnamed = rep.request(Method::POST, &path).header("content-type", "application/pdf").body(PDF);
    rep.send(unnamed).await.refused(400, "malformed_request");
    let large = vec![b'x'; 26_214_401];
    add(rep, &contract, "a.txt", "text/plain", &large).await.refused(413, "payload_too_large");
    // Without a length, what is too much shows on the way.
    let chunks = futures_util::stream::iter((0..27).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1_000_000])));
    let request = rep
        .request(Method::POST, &format!("{path}?file_name=a.txt"))
        .header("content-type", "text/plain")
        .body(reqwest::Body::wrap_stream(chunks));
    if let Ok(answer) = rep.try_send(request).await {
        answer.refused(413, "payload_too_large");
    }
    assert_eq!(kept(&server), 0, "of what was refused, nothing is kept");
    add(rep, &contract, "a.txt", "text/plain; charset=utf-8", "公海".as_bytes()).await.expect(201);
    assert_eq!(kept(&server), 1);
}

/// Whoever opens a file that was saved goes by its name: one that promises something else is as good as other content.
async fn names_end_as_their_type_does(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
    for (name, kind, content, extensions) in [
        ("invoice.exe", "application/pdf", PDF, &["pdf"][..]),
        ("invoice.pdf.exe", "application/pdf", PDF, &["pdf"]),
        ("invoice.exe.", "application/pdf", PDF, &["pdf"]),
        ("x.html", "image/jpeg", jpeg, &["jpg", "jpeg", "jpe", "jfif"]),
        ("x.html", "text/csv", b"<p>", &["csv"]),
        ("x.js", "text/plain", b"alert(1)", &["txt", "text", "md", "log", "csv", "tsv"]),
    ] {
        let refused = add(rep, &contract, name, kind, content).await.refused(422, "validation_failed");
        let error = &refused.body["errors"][0];
        let expected = json!({
            "pointer": "file_name", "code": "invalid_file_name", "params": {"allowed": extensions},
            "message": format!("must have no extension or one of {kind}: {}", extensions.join(", ")),
        });
        assert_eq!(error, &expected, "{name}");
    }
    let path = format!("/contracts/{contract}/attachments?file_name=x.html");
    let asked = rep.request(Method::POST, &path).header("content-type", "image/jpeg").body(&jpeg[..]);
    let told = rep.send(asked.header("accept-language", "zh-CN")).await.refused(422, "validation_failed");
    let message = "扩展名须与文件类型相符，可为 jpg、jpeg、jpe、jfif，也可以没有";
    assert_eq!(told.body["errors"][0]["message"], message);
    let path = format!("/contracts/{contract}/attachments?file_name=x.jpg");
    let asked = rep.request(Method::POST, &path).header("content-type", "image/jpeg").body(PDF);
    let told =
        rep.send(asked.header("accept-language", "zh-CN")).await.refused(415, "unsupported_media_type");
    assert_eq!(told.body["detail"], "请求内容的类型不被接受，或内容与所称的类型不符。");
    assert_eq!(kept(&server), 0, "of what was refused, nothing is kept");
    // As phones and people write them.
    for (name, kind, content) in [
        ("IMG_1.JPG", "image/jpeg", &jpeg[..]),
        ("IMG_2.jpeg", "image/jpeg", jpeg),
        ("scan", "application/pdf", PDF),
        ("v1.2.Pdf", "application/pdf", PDF),
        ("notes.md", "text/plain", b"# Notes"),
    ] {
        let added = add(rep, &contract, name, kind, content).await.expect(201);
        assert_eq!(added.body["file_name"], name);
    }
}

/// What is said of text when it is given back is true of all of it, not of its first bytes alone.
async fn text_is_utf8_to_its_end_and_says_so(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    // Longer than what is judged at once, and than a part of what arrives.
    let rows = "客户,金额\r\n".repeat(20_000).into_bytes();
    let kind = |response: &reqwest::Response| response.headers()["content-type"].to_str().unwrap().to_owned();
    for (name, sent, given) in [
        ("a.csv", "text/csv", "text/csv; charset=utf-8"),
        ("a.csv", "text/csv; charset=utf-8", "text/csv; charset=utf-8"),
        ("a.csv", "text/csv;header=present;charset=\"UTF-8\"", "text/csv; charset=utf-8"),
        ("a.txt", "text/plain", "text/plain; charset=utf-8"),
    ] {
        let id = add(rep, &contract, name, sent, &rows).await.expect(201).id();
        let whole = content(rep, &id, &[]).await;
        assert_eq!((whole.status().as_u16(), kind(&whole)), (200, given.to_owned()), "{sent}");
        assert_eq!(whole.bytes().await.unwrap(), rows, "{sent}");
        let part = content(rep, &id, &[("range", "bytes=0-3")]).await;
        assert_eq!((part.status().as_u16(), kind(&part)), (206, given.to_owned()), "{sent}");
    }
    let before = kept(&server);
    // The name of the first column in GBK, at once and far behind what tells what a file is.
    let gbk: &[u8] = b"\xbf\xcd\xbb\xa7,a\r\n";
    let late = [&rows[..], gbk].concat();
    let cut = &rows[..rows.len() - 3];
    for (what, bytes) in [("GBK", gbk), ("GBK at last", &late), ("cut", cut), ("NUL", b"a,b\0c\r\n")] {
        let refused = add(rep, &contract, "b.csv", "text/csv", bytes).await;
        let refused = refused.refused(415, "unsupported_media_type");
        assert_eq!(refused.body["detail"], "the content is not text in UTF-8", "{what}");
    }
    add(rep, &contract, "b.csv", "text/csv; charset=gbk", gbk).await.refused(415, "unsupported_media_type");
    assert_eq!(kept(&server), before, "of what was refused, nothing is kept");
}

async fn whoever_sees_the_contract_sees_its_files(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, manager, finance, auditor, .. } = &company;
    let contract = company.draft(rep, "100.00", "by_contract").await;
    let id = add(&rep.client, &contract, "a.pdf", "application/pdf", PDF).await.expect(201).id();
    let paths = [format!("/attachments/{id}"), format!("/contracts/{contract}/attachments")];
    for person in [rep, manager, finance, auditor] {
        for path in &paths {
            person.client.get(path).await.expect(200);
        }
        assert_eq!(content(&person.client, &id, &[]).await.status(), 200);
    }
    for path in &paths {
        other_rep.client.get(path).await.refused(404, "not_found");
    }
    assert_eq!(content(&other_rep.client, &id, &[]).await.status(), 404);
    assert_eq!(content(&server.anonymous(), &id, &[]).await.status(), 401);
    add(&other_rep.client, &contract, "a.pdf", "application/pdf", PDF).await.refused(404, "not_found");
    add(&finance.client, &contract, "a.pdf", "application/pdf", PDF).await.refused(403, "forbidden");
    finance.client.delete(&paths[0]).await.refused(403, "forbidden");
    other_rep.client.delete(&paths[0]).await.refused(404, "not_found");
    // While somebody decides, nothing is added or taken away.
    rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    add(&rep.client, &contract, "b.pdf", "application/pdf", PDF).await.refused(409, "pending_approval");
    rep.client.delete(&paths[0]).await.refused(409, "pending_approval");
    company.approve(&contract).await;
    // What runs gets its signed copy, and keeps everything.
    add(&manager.client, &contract, "signed.pdf", "application/pdf", PDF).await.expect(201);
    rep.client.delete(&paths[0]).await.refused(409, "invalid_transition");
    let actions = rep.client.get(&paths[0]).await.expect(200).body["allowed_actions"].clone();
    assert_eq!((&actions[0]["action"], &actions[0]["allowed"]), (&"delete".into(), &false.into()));
}

async fn a_repeated_upload_adds_one_file(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let send = async |content: &[u8]| {
        let path = format!("/contracts/{contract}/attachments?file_name=a.txt");
        let request = rep.request(Method::POST, &path).header("content-type", "text/plain");
        rep.send(request.header("idempotency-key", "upload-1").body(content.to_vec())).await
    };
    let first = send(b"once").await.expect(201);
    let again = send(b"once").await.expect(201);
    assert_eq!((again.body.clone(), again.header("idempotent-replayed")), (first.body.clone(), "true"));
    send(b"another").await.refused(422, "idempotency_key_reused");
    assert_eq!(kept(&server), 1);
    // What was answered is answered alike, also when it would no longer be allowed.
    rep.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    assert_eq!(send(b"once").await.expect(201).body, first.body);
    assert_eq!(kept(&server), 1);
    let found = content(rep, &first.id(), &[]).await.bytes().await.unwrap();
    assert_eq!(found, &b"once"[..]);
}

/// A scanner that finds the word EICAR, and says nothing at all to what contains SILENCE.
async fn scanner() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut command = [0; 10];
                connection.read_exact(&mut command).await.unwrap();
                assert_eq!(&command, b"zINSTREAM\0");
                let mut content = Vec::new();
                loop {
                    let length = connection.read_u32().await.unwrap();
                    if length == 0 {
                        break;
                    }
                    let mut chunk = vec![0; usize::try_from(length).unwrap()];
                    connection.read_exact(&mut chunk).await.unwrap();
                    content.extend(chunk);
                }
                let has = |word: &str| content.windows(word.len()).any(|window| window == word.as_bytes());
                let answer: &[u8] = match (has("EICAR"), has("SILENCE")) {
                    (true, _) => b"stream: Eicar-Test-Signature FOUND\0",
                    (_, true) => b"INSTREAM size limit exceeded. ERROR\0",
                    _ => b"stream: OK\0",
                };
                connection.write_all(answer).await.unwrap();
            });
        }
    });
    address
}

async fn files_are_scanned(mut server: Server) {
    server.set("FAIRLEAD_FILES__SCANNER", &scanner().await);
    server.stop().await;
    server.restart().await;
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    add(rep, &contract, "a.txt", "text/plain", b"harmless").await.expect(201);
    let found =
        add(rep, &contract, "b.txt", "text/plain", b"with EICAR in it").await.refused(422, "infected_file");
    assert_eq!(found.body["found"], "Eicar-Test-Signature");
    // What the scanner does not judge is not taken.
    add(rep, &contract, "c.txt", "text/plain", b"SILENCE").await.refused(503, "unavailable");
    assert_eq!(kept(&server), 1);
    server.set("FAIRLEAD_FILES__SCANNER", "127.0.0.1:1");
    server.stop().await;
    server.restart().await;
    let rep = rep.at(&server.url);
    add(&rep, &contract, "d.txt", "text/plain", b"harmless").await.refused(503, "unavailable");
    assert_eq!(kept(&server), 1);
}

async fn a_lost_file_is_found_out(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let id = add(rep, &contract, "a.txt", "text/plain", b"here").await.expect(201).id();
    let path = server.database.folder().join("fairlead-files").join(&id);
    let verified = async || {
        let output = server.command(&["verify"]).output().await.unwrap();
        (output.status.success(), format!("{output:?}"))
    };
    assert!(verified().await.0);
    std::fs::write(&path, b"gone").unwrap();
    assert!(verified().await.0, "its length alone is looked at");
    std::fs::write(&path, b"longer").unwrap();
    let (clean, said) = verified().await;
    assert!(
        !clean && said.contains("attachments have their files: a.txt of") && said.contains("has 6 bytes"),
        "{said}"
    );
    std::fs::remove_file(&path).unwrap();
    let (clean, said) = verified().await;
    assert!(!clean && said.contains("is not there"), "{said}");
    assert_eq!(content(rep, &id, &[]).await.status(), 500);
    rep.delete(&format!("/attachments/{id}")).await.expect(204);
}

/// What an attachment left behind is swept away once it is old. What still has a record stays, and so does everything
/// that this database never knew: others may keep their files in the same place.
async fn only_what_was_discarded_is_swept(mut server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let add = async |name: &str| add(rep, &contract, name, "text/plain", b"here").await.expect(201).id();
    let (kept, deleted, fresh) = (add("a.txt").await, add("b.txt").await, add("c.txt").await);
    for id in [&deleted, &fresh] {
        rep.delete(&format!("/attachments/{id}")).await.expect(204);
    }
    let folder = server.database.folder().join("fairlead-files");
    let foreign = folder.join(uuid::Uuid::from_u128(1).to_string());
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 50);
    for path in [&foreign, &folder.join(&kept)] {
        let file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        file.set_modified(old).unwrap();
    }
    let long_ago = format!("UPDATE discarded_files SET since = {} WHERE id = $1", server.database.ago(3, 0));
    server.database.alter(&long_ago, &deleted).await;
    server.stop().await;
    server.restart().await;
    let gone = async || (!folder.join(&deleted).exists()).then_some(());
    crate::support::until("the discarded file is swept", gone).await;
    assert!(folder.join(&kept).exists() && folder.join(&fresh).exists() && foreign.exists());
    let rep = rep.at(&server.url);
    assert_eq!(content(&rep, &kept, &[]).await.status(), 200);
}

/// The same over anything that speaks S3.
#[test]
fn files_are_kept_in_a_bucket() {
    let bucket = Bucket::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = Server::start_with(Kind::Sqlite, &bucket.settings()).await;
        let company = Company::found(&server).await;
        let rep = &company.rep.client;
        let contract = company.draft(&company.rep, "100.00", "by_contract").await;
        let id = add(rep, &contract, "a.pdf", "application/pdf", PDF).await.expect(201).id();
        assert_eq!(bucket.held(), [format!("crm/attachments/{id}")]);
        assert_eq!(content(rep, &id, &[]).await.bytes().await.unwrap(), PDF);
        let part = content(rep, &id, &[("range", "bytes=0-3")]).await;
        assert_eq!((part.status().as_u16(), part.bytes().await.unwrap()), (206, (&PDF[..4]).into()));
        let signed = bucket.signed();
        assert!(signed.iter().all(|it| it.starts_with("AWS4-HMAC-SHA256 Credential=harbour/")), "{signed:?}");
        // A bucket that is away is no fault of ours, and says so.
        bucket.lose();
        assert_eq!(content(rep, &id, &[]).await.status(), 500);
        assert!(!server.log().contains("a-secret"));
    });
}
