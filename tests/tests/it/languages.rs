//! Problems in the language of whoever asks: what people read differs, what programs read does not.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Server, until};

on_both_databases! {
    problems_speak_the_callers_language;
    a_replay_speaks_the_language_of_its_own_request;
    what_cannot_be_read_is_told_in_chinese;
    parts_of_an_answer_speak_the_callers_language;
    what_a_job_did_is_told_in_the_readers_language;
}

fn is_chinese(text: &Value) -> bool {
    text.as_str().unwrap().chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// A problem without what people read, and that.
fn parted(answer: &Answer) -> (Value, Vec<Value>) {
    let mut rest = answer.body.clone();
    let members = rest.as_object_mut().unwrap();
    members.remove("request_id");
    let mut words: Vec<Value> =
        ["title", "detail"].iter().map(|member| members.remove(*member).unwrap()).collect();
    for error in members.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
        words.push(error.as_object_mut().unwrap().remove("message").unwrap());
    }
    (rest, words)
}

/// Asks the same in both languages; answers with the Chinese problem.
async fn both(client: &Client, path: &str, body: Value, (status, code): (u16, &str)) -> Answer {
    let ask = async |languages: &str| {
        let request = client.request(Method::POST, path).header("accept-language", languages).json(&body);
        client.send(request).await.refused(status, code)
    };
    let (english, chinese) = (ask("en").await, ask("zh-CN,zh;q=0.9,en;q=0.8").await);
    let ((english_rest, english_words), (rest, words)) = (parted(&english), parted(&chinese));
    assert_eq!(rest, english_rest, "{code}");
    assert_eq!(words.len(), english_words.len(), "{code}");
    assert!(words.iter().all(is_chinese), "{code}: {words:?}");
    assert!(!english_words.iter().any(is_chinese), "{code}: {english_words:?}");
    speaks(&english, "en");
    speaks(&chinese, "zh-CN");
    chinese
}

/// Fails unless an answer says in which language it is, and that there are others.
fn speaks(answer: &Answer, tag: &str) {
    assert_eq!(answer.header("content-language"), tag, "{}", answer.request);
    let vary = answer.headers.get_all("vary").into_iter().filter_map(|value| value.to_str().ok());
    let vary = vary.collect::<Vec<_>>().join(", ").to_lowercase();
    assert!(vary.contains("accept-language"), "{}: {vary}", answer.request);
}

async fn problems_speak_the_callers_language(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;

    // Broken rules of a form.
    let lead = json!({
        "name": "", "email": "nowhere", "source": "website", "budget": {"amount": "0", "currency": "CNY"},
    });
    let broken = both(rep, "/leads", lead, (422, "validation_failed")).await;
    let errors = broken.body["errors"].as_array().unwrap();
    let said = |pointer: &str| {
        let error = errors.iter().find(|error| error["pointer"] == pointer).unwrap();
        error["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(said("/name"), "长度须为 1 至 200");
    assert_eq!(said("/email"), "须为有效的邮箱地址");
    assert_eq!(said("/budget"), "必须大于零");
    let words = json!({"name": "Lin Mei", "source": "nowhere"});
    let unknown = both(rep, "/leads", words, (422, "validation_failed")).await;
    let message = unknown.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("须为下列值之一：`") && message.contains("`、`referral`"), "{message}");

    // What a list search and a view's query do not understand, with figures and reasons.
    let several =
        |filters: usize| json!({"all": vec![json!({"any": vec![json!({"name": ["a"]}); filters]}); 3]});
    let view = |query: &str| json!({"resource": "leads", "name": "Mine", "query": query});
    let cents = json!({
        "name": "Lin Mei", "source": "website", "budget": {"amount": "1.005", "currency": "CNY"},
    });
    for (path, body, params, told) in [
        ("/leads/search", json!({"limit": 201}), json!({"min": 1, "max": 200}), "须在 1 至 200 之间"),
        ("/leads/search", json!({"q": ""}), json!({"min": 1, "max": 200}), "长度须为 1 至 200"),
        (
            "/leads/search",
            json!({"all": vec![json!({"any": []}); 11]}),
            json!({"max": 10}),
            "长度不得超过 10",
        ),
        ("/leads/search", several(17), json!({"max": 50}), "所有分组合计最多 50 个筛选条件"),
        ("/saved-views", view("limit=0"), Value::Null, "查询条件有误：须为 1 至 200 的整数"),
        ("/saved-views", view("colour=red"), Value::Null, "查询条件有误：未知的参数 `colour`"),
        ("/leads", cents, Value::Null, "CNY 的小数位数最多为 2 位"),
    ] {
        let refused = both(rep, path, body, (422, "validation_failed")).await;
        let error = &refused.body["errors"][0];
        assert_eq!((&error["params"], &error["message"]), (&params, &json!(told)), "{path}");
    }
    let sort = both(rep, "/leads/search", json!({"sort": ["colour"]}), (422, "validation_failed")).await;
    let error = &sort.body["errors"][0];
    assert!(
        error["message"].as_str().unwrap().starts_with("最多为下列值中的 4 个，前面可以加 -："),
        "{error}"
    );
    assert!(error["params"]["allowed"].as_array().unwrap().contains(&json!("created_at")), "{error}");

    // Labels: each once, and so many of them.
    for (tags, english, chinese) in [
        (json!(["a", "a"]), "must name each once", "不能重复"),
        (
            json!((0..21).map(|it| it.to_string()).collect::<Vec<_>>()),
            "must have at most 20 items",
            "长度不得超过 20",
        ),
        (json!(["a", " "]), "must have between 1 and 40 characters", "长度须为 1 至 40"),
    ] {
        let lead = json!({"name": "Lin Mei", "source": "website", "tags": tags});
        let refused = rep.post("/leads", lead.clone()).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["message"], english);
        let refused = both(rep, "/leads", lead, (422, "validation_failed")).await;
        assert_eq!(refused.body["errors"][0]["message"], chinese);
    }

    // What cannot be read.
    let misspelt = json!({"name": "Lin Mei", "source": "website", "nmae": ""});
    let malformed = both(rep, "/leads", misspelt, (400, "malformed_request")).await;
    assert_eq!(malformed.body["detail"], "未知的成员 `nmae`");

    // A step that the state does not allow.
    let draft = company.draft(&company.rep, "100.00", "by_invoice").await;
    rep.act(&format!("/contracts/{draft}/submit")).await.expect(200);
    let again = format!("/contracts/{draft}/submit");
    let again = both(rep, &again, json!({}), (409, "invalid_transition")).await;
    let detail = again.body["detail"].as_str().unwrap();
    assert!(detail.starts_with("合同当前为“审批中”，不能执行“提交审批”"), "{detail}");

    // Limits, of money and of what one may own.
    let contract = company.active(&company.rep, "100.00", "by_invoice").await;
    let submit = async |amount: &str| {
        format!("/invoices/{}/submit", company.invoice_draft(&company.rep, &contract, amount).await)
    };
    rep.act(&submit("70.00").await).await.expect(200);
    let beyond = submit("60.00").await;
    let beyond = both(rep, &beyond, json!({}), (409, "invoice_exceeds_contract")).await;
    assert_eq!(
        beyond.body["detail"],
        "本次开票 60.00 CNY，合同金额 100.00 CNY，已占用 70.00 CNY，最多还可开票 30.00 CNY。"
    );
    company.set(json!({"ownership": {"limit": 2}})).await;
    let customer = json!({"kind": "company", "name": "One Too Many"});
    let full = both(rep, "/customers", customer, (409, "ownership_limit_reached")).await;
    assert_eq!(full.body["detail"], "已持有 2 个客户，上限为 2 个。");

    // What has an owner, be it the caller.
    let own = company.customer(&company.colleague).await;
    let claim = format!("/public-pool/customers/{own}/claim");
    let had = both(&company.colleague.client, &claim, json!({}), (409, "already_claimed")).await;
    assert_eq!(had.body["detail"], "该客户已有负责人。");

    // Rights.
    let list = async |languages: &str| {
        let request = company.marketing.client.request(Method::GET, "/approvals");
        let request = request.header("accept-language", languages);
        company.marketing.client.send(request).await.refused(403, "forbidden").body
    };
    let (english, chinese) = (list("en").await, list("zh-CN").await);
    let one_of =
        ["contracts:read", "invoices:read", "transfers:read", "opportunities:read", "customers:update"];
    let told = english["permissions"].as_array().unwrap();
    assert_eq!(told.len(), one_of.len(), "{told:?}");
    assert!(one_of.iter().all(|permission| told.contains(&json!(permission))), "{told:?}");
    let names: Vec<&str> = told.iter().map(|permission| permission.as_str().unwrap()).collect();
    assert_eq!(english["detail"], format!("this takes one of {}", names.join(", ")));
    assert_eq!(chinese["permissions"], english["permissions"]);
    let detail = chinese["detail"].as_str().unwrap();
    assert!(detail.starts_with("需要下列权限之一："), "{detail}");
    assert_eq!(detail.matches('、').count(), one_of.len() - 1, "{detail}");
    let team = json!({"name": "East End"});
    let forbidden = both(rep, "/teams", team, (403, "forbidden")).await;
    assert!(forbidden.body["detail"].as_str().unwrap().starts_with("需要“"), "{}", forbidden.text);
}

async fn a_replay_speaks_the_language_of_its_own_request(server: Server) {
    let company = Company::found(&server).await;
    company.set(json!({"ownership": {"limit": 1}})).await;
    company.customer(&company.rep).await;
    let rep = &company.rep.client;
    let customer = json!({"kind": "company", "name": "One Too Many"});
    let ask = async |languages: &str| {
        let request = rep
            .request(Method::POST, "/customers")
            .header("idempotency-key", "in-two-languages")
            .header("accept-language", languages)
            .json(&customer);
        rep.send(request).await.refused(409, "ownership_limit_reached")
    };
    let (first, replayed, back) = (ask("en").await, ask("zh-CN").await, ask("en").await);
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(replayed.header("idempotent-replayed"), "true");
    assert_eq!(replayed.header("content-language"), "zh-CN");
    assert_eq!(replayed.body["detail"], "已持有 1 个客户，上限为 1 个。");
    assert_eq!(back.body["detail"], first.body["detail"]);
    assert_eq!(parted(&replayed).0, parted(&first).0);
}

async fn what_cannot_be_read_is_told_in_chinese(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let ask = async |request: RequestBuilder, code: &str| {
        let answer = rep.send(request.header("accept-language", "zh-CN")).await.refused(400, code);
        speaks(&answer, "zh-CN");
        assert_eq!(answer.body["errors"][0]["message"], answer.body["detail"], "{}", answer.text);
        answer.text_of("detail")
    };
    for (path, told) in [
        ("/leads?limit=0", "须为 1 至 200 的整数"),
        ("/leads?limit=1&limit=2", "每个参数只能出现一次；多个可选值用逗号分隔"),
        ("/leads?total=perhaps", "须为 true 或 false"),
        ("/leads?colour=red", "未知的参数 `colour`"),
        ("/leads?owner_id=7", "须为带连字符的 UUID"),
        ("/leads?owner_id=", "缺少要比较的值"),
        (
            "/leads?created_at_gte=2026-01-01T00:00:00+08:00",
            "时区偏移中的 `+` 须写作 `%2B`：直接书写表示空格",
        ),
        ("/leads/7", "须为带连字符的 UUID"),
        ("/search?q=acme&limit=many", "类型不符：应为整数，而不是字符串 \"many\""),
    ] {
        let detail = ask(rep.request(Method::GET, path), "malformed_request").await;
        assert_eq!(detail, told, "{path}");
    }
    for (path, english, told) in [
        ("/search?q=acme&limit=51", "must be between 1 and 50", "须在 1 至 50 之间"),
        ("/search?q=", "must have between 1 and 200 characters", "长度须为 1 至 200"),
        ("/search?q=a%00b", "must not contain the character NUL", "不能含有控制字符或改变文字方向的字符"),
        ("/sync?limit=501", "must be between 1 and 500", "须在 1 至 500 之间"),
        ("/sync?since=", "must have between 1 and 1000 characters", "长度须为 1 至 1000"),
        (
            "/sync?kinds=lead,lead,lead,lead,lead,lead,lead,lead,lead,lead,lead",
            "must have between 1 and 10 items",
            "长度须为 1 至 10",
        ),
        ("/events?wait=901", "must be between 0 and 900", "须在 0 至 900 之间"),
    ] {
        let refused = rep.get(path).await.refused(400, "malformed_request");
        assert_eq!(refused.body["errors"][0]["message"], english, "{path}");
        assert_eq!(ask(rep.request(Method::GET, path), "malformed_request").await, told, "{path}");
    }
    let sort = ask(rep.request(Method::GET, "/leads?sort=colour"), "malformed_request").await;
    assert!(sort.starts_with("最多为下列值中的 4 个，前面可以加 -："), "{sort}");
    for (path, told) in [
        ("/leads?cursor=none", "该分页游标不是由本系统签发的"),
        ("/sync?since=none", "该同步点不是由本系统签发的"),
    ] {
        assert_eq!(ask(rep.request(Method::GET, path), "invalid_cursor").await, told, "{path}");
    }
    for (body, told) in [
        ("", "缺少请求内容"),
        ("{", "JSON 不完整：对象没有结束（第 1 行第 1 列）"),
        (r#"{"name": 5}"#, "类型不符：应为字符串，而不是整数 `5`（第 1 行第 10 列）"),
        (r#"{"name": "Lin Mei",}"#, "JSON 有误：末尾多了逗号（第 1 行第 20 列）"),
        (r#"{"source": "website"}"#, "缺少成员 `name`"),
    ] {
        let request = rep.request(Method::POST, "/leads").header("content-type", "application/json");
        assert_eq!(ask(request.body(body), "malformed_request").await, told, "{body}");
    }
}

/// Takes what people read out of the parts of an answer.
fn words_of(parts: &mut Value) -> Vec<Value> {
    let mut words = Vec::new();
    for part in parts.as_array_mut().unwrap() {
        words.extend(part.as_object_mut().unwrap().remove("detail"));
        for error in part.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
            words.push(error.as_object_mut().unwrap().remove("message").unwrap());
        }
    }
    words
}

async fn parts_of_an_answer_speak_the_callers_language(server: Server) {
    let company = Company::found(&server).await;
    let (rep, finance) = (&company.rep.client, &company.finance.client);
    let (taken, nobody) =
        (company.customer(&company.colleague).await, "0190163d-8694-739b-aea5-966c26f8ad91");
    let bulk =
        |action: &str, id: &str| json!({"action": action, "mode": "best_effort", "items": [{"id": id}]});
    let statement = json!({
        "csv": "Date,Amount\n31.02.2026,10\n01.03.2026,10.001\n", "currency": "CNY", "method": "bank_transfer",
        "date_format": "%d.%m.%Y", "columns": {"received_on": "Date", "amount": "Amount"},
    });
    for (client, path, body, list, first) in [
        (rep, "/leads/bulk", bulk("claim", nobody), "items", "该记录不存在，或调用者不可见。"),
        (rep, "/customers/bulk", bulk("claim", &taken), "items", "该客户已有负责人。"),
        (finance, "/payments/bulk", bulk("confirm", nobody), "items", "该记录不存在，或调用者不可见。"),
        (finance, "/receipts/bulk", bulk("set_aside", nobody), "items", "请求格式正确，但有值不符合规则"),
        (finance, "/receipts/import", statement, "rows", "`31.02.2026` 不是格式为 %d.%m.%Y 的日期"),
    ] {
        // The second time it is told again what was answered the first time, whatever its language.
        let ask = async |languages: &str| {
            let request = client.request(Method::POST, path).header("accept-language", languages);
            client.send(request.header("idempotency-key", path).json(&body)).await.expect(200)
        };
        let (mut english, mut chinese) = (ask("en").await, ask("zh-CN,zh;q=0.9,en;q=0.8").await);
        speaks(&english, "en");
        speaks(&chinese, "zh-CN");
        assert_eq!(chinese.header("idempotent-replayed"), "true");
        let (english_words, words) = (words_of(&mut english.body[list]), words_of(&mut chinese.body[list]));
        assert_eq!(chinese.body, english.body, "{path}");
        assert_eq!(words.len(), english_words.len(), "{path}");
        assert!(!words.is_empty() && words.iter().all(is_chinese), "{path}: {words:?}");
        assert!(!english_words.iter().any(is_chinese), "{path}: {english_words:?}");
        assert!(words[0].as_str().unwrap().starts_with(first), "{path}: {words:?}");
    }
}

/// Runs recycling, and reads what became of a record in both languages: what people read, then all in Chinese.
async fn recycled(admin: &Client, query: &str, record: &str) -> (Value, Value, Value) {
    let path = format!("/public-pool/recycle-runs{query}");
    let job = admin.post(&path, json!({})).await.expect(202).id();
    until("the job", async || {
        let job = admin.get(&format!("/jobs/{job}")).await.expect(200).body;
        (job["status"] == "finished").then_some(())
    })
    .await;
    let path = format!("/jobs/{job}/items?record_id={record}");
    let ask = async |path: &str, languages: &str| {
        let request = admin.request(Method::GET, path).header("accept-language", languages);
        admin.send(request).await.expect(200)
    };
    let (mut english, mut chinese) = (ask(&path, "en").await, ask(&path, "zh-CN,zh;q=0.9").await);
    speaks(&english, "en");
    speaks(&chinese, "zh-CN");
    // Whoever asks for some members gets these in their language, too.
    let some = ask(&format!("{path}&fields=detail"), "zh-CN").await;
    let item = chinese.body["data"][0].clone();
    assert_eq!(some.body["data"], json!([{"detail": item["detail"]}]));
    let (english_words, words) = (words_of(&mut english.body["data"]), words_of(&mut chinese.body["data"]));
    assert_eq!(chinese.body, english.body);
    assert_eq!((words.len(), english_words.len()), (1, 1), "{item}");
    (english_words[0].clone(), words[0].clone(), item)
}

async fn what_a_job_did_is_told_in_the_readers_language(server: Server) {
    let company = Company::found(&server).await;
    let (admin, rep) = (&company.admin.client, &company.rep.client);
    let rules = |days: i64| json!({"pool": {"recycle": {"no_contract_days": 30, "warning_days": days}}});
    company.set(rules(3)).await;
    // The job of the day finds nothing yet, and does not come again.
    until("the job of the day", async || {
        let jobs = admin.all("/jobs?kind=recycle&status=finished").await;
        (!jobs.is_empty()).then_some(())
    })
    .await;
    let neglected = async || {
        let id = company.customer(&company.rep).await;
        let long = format!("UPDATE customers SET owned_since = {} WHERE id = $1", server.database.ago(40, 0));
        server.database.alter(&long, &id).await;
        id
    };

    // Warned, and warned before: the day is a figure.
    let warned = neglected().await;
    let (english, chinese, item) = recycled(admin, "", &warned).await;
    let day = rep.get(&format!("/customers/{warned}")).await.expect(200).text_of("recycle_on");
    assert_eq!((&item["outcome"], &item["figures"]), (&json!("warned"), &json!({"goes_on": day})));
    assert_eq!(english, format!("goes on {day}"));
    assert_eq!(chinese, format!("将于 {day} 退回公海。"));
    let (english, chinese, item) = recycled(admin, "?dry_run=true", &warned).await;
    assert_eq!(item["outcome"], "already_warned");
    assert_eq!(english, format!("goes on {day}, of which its owner was told before"));
    assert_eq!(chinese, format!("将于 {day} 退回公海，此前已预警其负责人。"));

    // Refused: somebody gave its open sale a contract behind our back.
    company.set(rules(0)).await;
    let stuck = neglected().await;
    let form =
        json!({"name": "Pumps", "customer_id": stuck, "amount": {"amount": "10.00", "currency": "CNY"}});
    let sale = rep.post("/opportunities", form).await.expect(201).id();
    server.database.alter("UPDATE opportunities SET contract_id = id WHERE id = $1", &sale).await;
    let (english, chinese, item) = recycled(admin, "", &stuck).await;
    assert_eq!((&item["outcome"], &item["reason"]), (&json!("failed"), &json!("contract_decides")));
    assert_eq!(item["figures"], json!({"contract_id": sale}));
    assert_eq!(english, "its contract decides; cancel the contract first");
    assert!(is_chinese(&chinese), "{chinese}");
    assert_eq!(rep.get(&format!("/customers/{stuck}")).await.expect(200).body["owner_id"], company.rep.id);
    server.database.alter("UPDATE opportunities SET contract_id = NULL WHERE id = $1", &sale).await;
}
