//! Events as they happen, over a connection that stays open.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{Client, Company, Server};

on_both_databases! {
    what_happens_is_told_at_once;
    nobody_hears_of_what_they_do_not_see;
    a_broken_stream_goes_on_where_it_was;
    what_was_missed_is_judged_event_by_event;
    what_happens_out_of_sight_stays_untold;
    activities_are_told_to_whoever_sees_what_they_are_about;
    approvals_are_told_to_whom_they_wait_for;
    transfers_are_told_to_their_receiver;
    what_is_gone_since_long_was_there;
    streams_end;
    what_is_asked_is_checked;
}

/// An event of a stream.
#[derive(Debug, Clone)]
struct Heard {
    id: String,
    event: String,
    data: Value,
}

/// A stream that somebody listens to.
struct Listening {
    answer: std::pin::Pin<Box<dyn futures_util::Stream<Item = Vec<u8>>>>,
    text: String,
    /// The last line that was no event.
    aside: String,
}

impl Listening {
    async fn begin(client: &Client, query: &str, last: Option<&str>) -> Self {
        let mut request = client.request(reqwest::Method::GET, &format!("/events{query}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let bytes = answer.bytes_stream().map(|part| part.map(|bytes| bytes.to_vec()).unwrap_or_default());
        Self { answer: Box::pin(bytes), text: String::new(), aside: String::new() }
    }

    /// The next event; none at the end of the stream.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let found = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    found.map(str::to_owned)
                };
                if let Some(data) = field("data") {
                    return Some(Heard {
                        id: field("id").unwrap(),
                        event: field("event").unwrap(),
                        data: serde_json::from_str(&data).unwrap(),
                    });
                }
                self.aside = block;
            }
            let more = tokio::time::timeout(Duration::from_secs(20), self.answer.next()).await;
            self.text.push_str(&String::from_utf8(more.expect("something is told in time")?).unwrap());
        }
    }

    /// Everything until an event that is called so.
    async fn until(&mut self, event: &str) -> Vec<Heard> {
        let mut heard = Vec::new();
        loop {
            heard.push(self.next().await.expect("the stream goes on"));
            if heard.last().unwrap().event == event {
                return heard;
            }
        }
    }
}

async fn what_happens_is_told_at_once(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let mut stream = Listening::begin(rep, "", None).await;
    let ready = stream.next().await.unwrap();
    assert_eq!(ready.event, "ready");
    assert_eq!(ready.data, json!({"type": "ready", "last_event_id": ready.id}));
    let lead = json!({"name": "Heard of", "source": "website"});
    let lead = rep.post("/leads", lead).await.expect(201).id();
    let told = stream.next().await.unwrap();
    assert_eq!(told.event, "lead.created");
    assert_eq!(
        (&told.data["type"], &told.data["record_kind"], &told.data["record_id"], &told.data["actor_id"]),
        (&json!("lead.created"), &json!("lead"), &json!(lead), &json!(company.rep.id))
    );
    // What another server writes is told as well.
    let beside = server.beside().await;
    let path = format!("/leads/{lead}");
    rep.at(&beside.url).patch(&path, json!({"note": "Called"})).await.expect(200);
    assert_eq!(stream.next().await.unwrap().data["record_id"], json!(lead));
    // Only what was asked for.
    let mut customers = Listening::begin(rep, "?kinds=customer,contact", None).await;
    customers.next().await.unwrap();
    rep.patch(&path, json!({"note": "Called again"})).await.expect(200);
    let customer = company.customer(&company.rep).await;
    assert_eq!(customers.next().await.unwrap().data["record_id"], json!(customer));
    // And that something is gone.
    company.manager.client.delete(&path).await.expect(204);
    let gone = stream.until("lead.deleted").await;
    assert_eq!(gone.last().unwrap().data["record_id"], json!(lead));
}

async fn nobody_hears_of_what_they_do_not_see(server: Server) {
    let company = Company::found(&server).await;
    let mut mine = Listening::begin(&company.rep.client, "", None).await;
    let mut theirs = Listening::begin(&company.other_rep.client, "", None).await;
    let mut directors = Listening::begin(&company.director.client, "", None).await;
    for stream in [&mut mine, &mut theirs, &mut directors] {
        assert_eq!(stream.next().await.unwrap().event, "ready");
    }
    let first = company.customer(&company.rep).await;
    let second = company.customer(&company.other_rep).await;
    assert_eq!(mine.next().await.unwrap().data["record_id"], json!(first));
    assert_eq!(theirs.next().await.unwrap().data["record_id"], json!(second));
    for customer in [&first, &second] {
        assert_eq!(directors.next().await.unwrap().data["record_id"], json!(customer));
    }
    // Taken away: whoever had it hears that, and of nothing that happens to it later.
    let path = format!("/customers/{first}");
    let to = json!({"owner_id": company.other_rep.id});
    company.director.client.post(&format!("{path}/assign"), to).await.expect(200);
    let taken = mine.next().await.unwrap();
    assert_eq!((taken.event.as_str(), &taken.data["record_id"]), ("customer.assigned", &json!(first)));
    company.other_rep.client.patch(&path, json!({"note": "Secret"})).await.expect(200);
    let third = company.customer(&company.rep).await;
    assert_eq!(mine.next().await.unwrap().data["record_id"], json!(third));
}

async fn a_broken_stream_goes_on_where_it_was(server: Server) {
    let mut server = server;
    let company = Company::found(&server).await;
    let mut stream = Listening::begin(&company.rep.client, "", None).await;
    let ready = stream.next().await.unwrap();
    let mut made = vec![company.customer(&company.rep).await];
    let last = stream.next().await.unwrap().id;
    drop(stream);
    for _ in 0..3 {
        made.push(company.customer(&company.rep).await);
    }
    server.kill().await;
    server.restart().await;
    let rep = company.rep.client.at(&server.url);
    let missed = async |from: &str| {
        let mut stream = Listening::begin(&rep, "?wait=0", Some(from)).await;
        let mut heard = Vec::new();
        while let Some(event) = stream.next().await {
            heard.push(event.data["record_id"].as_str().unwrap().to_owned());
        }
        heard
    };
    assert_eq!(missed(&last).await, made[1..], "nothing is missed, nothing told twice");
    assert_eq!(missed(&ready.id).await, made);
}

async fn what_was_missed_is_judged_event_by_event(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let ready = Listening::begin(rep, "", None).await.next().await.unwrap();
    let customer = company.customer(&company.rep).await;
    let contact = json!({"customer_id": customer, "name": "Li Wei"});
    let contact = rep.post("/contacts", contact).await.expect(201).id();
    rep.delete(&format!("/contacts/{contact}")).await.expect(204);
    let path = format!("/customers/{customer}");
    let to = json!({"owner_id": company.other_rep.id});
    company.director.client.post(&format!("{path}/assign"), to).await.expect(200);
    company.other_rep.client.patch(&path, json!({"note": "Secret"})).await.expect(200);
    let another = json!({"customer_id": customer, "name": "Sun Qi"});
    company.other_rep.client.post("/contacts", another).await.expect(201);

    let heard = async |client: &Client, query: &str| {
        let mut stream = Listening::begin(client, query, Some(&ready.id)).await;
        let mut heard = Vec::new();
        while let Some(event) = stream.next().await {
            heard.push(event.event);
        }
        heard
    };
    // Up to where the customer was taken away, and not beyond, however late it is asked for.
    assert_eq!(heard(rep, "?wait=0&kinds=customer").await, ["customer.created", "customer.assigned"]);
    // Contacts go with their customer: what happened to them until then is told as it was told at once, nothing since.
    assert_eq!(heard(rep, "?wait=0&kinds=contact").await, ["contact.created", "contact.deleted"]);
    // The first one was gone when the customer came to them.
    assert_eq!(heard(&company.other_rep.client, "?wait=0&kinds=contact").await, ["contact.created"]);
}

/// Seen twice, and hidden in between: what happened meanwhile was not for them.
async fn what_happens_out_of_sight_stays_untold(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let ready = Listening::begin(rep, "", None).await.next().await.unwrap();
    let path = format!("/customers/{}", company.customer(&company.rep).await);
    let give = async |to: &str| {
        let form = json!({"owner_id": to});
        company.director.client.post(&format!("{path}/assign"), form).await.expect(200);
    };
    let note = async |client: &Client, note: &str| {
        client.patch(&path, json!({"note": note})).await.expect(200);
    };
    give(&company.other_rep.id).await;
    note(&company.other_rep.client, "Secret").await;
    note(&company.other_rep.client, "Another secret").await;
    give(&company.rep.id).await;
    note(rep, "Mine again").await;
    give(&company.other_rep.id).await;
    note(&company.other_rep.client, "The last secret").await;

    let mut stream = Listening::begin(rep, "?wait=0&kinds=customer", Some(&ready.id)).await;
    let mut heard = Vec::new();
    while let Some(event) = stream.next().await {
        heard.push(event.event);
    }
    let seen = ["created", "assigned", "assigned", "updated", "assigned"];
    assert_eq!(heard, seen.map(|event| format!("customer.{event}")));
}

async fn activities_are_told_to_whoever_sees_what_they_are_about(server: Server) {
    let company = Company::found(&server).await;
    let (rep, other_rep) = (&company.rep.client, &company.other_rep.client);
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    let customer = rep.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let share = json!({"customer_id": customer, "user_id": company.other_rep.id, "access": "read"});
    rep.post("/collaborators", share).await.expect(201);
    let ready = Listening::begin(rep, "", None).await.next().await.unwrap();
    let log = async |kind: &str, id: &str| {
        let about = json!({"kind": kind, "id": id});
        let form =
            json!({"about": about, "kind": "task", "subject": "Call", "due_at": "2199-01-05T08:00:00Z"});
        rep.post("/activities", form).await.expect(201).id()
    };
    let (call, of_contract) = (log("customer", &customer).await, log("contract", &contract).await);
    let done = json!({"happened_at": "2026-01-05T08:00:00.000Z"});
    rep.patch(&format!("/activities/{of_contract}"), done).await.expect(200);
    rep.delete(&format!("/activities/{call}")).await.expect(204);
    let heard = async |client: &Client| {
        let mut stream = Listening::begin(client, "?wait=0&kinds=activity", Some(&ready.id)).await;
        let mut heard = Vec::new();
        while let Some(event) = stream.next().await {
            heard.push((event.event, event.data["record_id"].as_str().unwrap().to_owned()));
        }
        heard
    };
    let told = |events: &[(&str, &String)]| -> Vec<(String, String)> {
        events.iter().map(|(event, id)| (format!("activity.{event}"), (*id).clone())).collect()
    };
    let all =
        told(&[("logged", &call), ("logged", &of_contract), ("updated", &of_contract), ("deleted", &call)]);
    assert_eq!(heard(rep).await, all);
    assert_eq!(
        heard(other_rep).await,
        told(&[("logged", &call), ("deleted", &call)]),
        "the contract is not shared"
    );
    assert_eq!(heard(&company.inner.client).await, told(&[]));
    // They go with their customer: whose it is not any more hears what they missed until then, and nothing since.
    let to = json!({"owner_id": company.colleague.id});
    company.director.client.post(&format!("/customers/{customer}/assign"), to).await.expect(200);
    let later = json!({
        "about": {"kind": "customer", "id": customer}, "kind": "task", "subject": "Call",
        "due_at": "2199-01-05T08:00:00Z",
    });
    let later = company.colleague.client.post("/activities", later).await.expect(201).id();
    assert_eq!(heard(rep).await, all);
    let since = told(&[("logged", &later)]);
    assert_eq!(heard(&company.director.client).await, [all, since].concat());
}

async fn approvals_are_told_to_whom_they_wait_for(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let ready = Listening::begin(rep, "", None).await.next().await.unwrap();
    let form = json!({
        "user_id": company.manager.id, "delegate_id": company.other_rep.id, "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2999-01-01T00:00:00Z",
    });
    company.manager.client.post("/delegations", form).await.expect(201);
    let contract = company.draft(&company.rep, "100.00", "by_contract").await;
    rep.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    let path = format!("/approvals/{}", company.pending(&contract).await);
    for person in [&company.manager, &company.finance] {
        person.client.post(&format!("{path}/approve"), json!({})).await.expect(200);
    }
    let heard = async |client: &Client| {
        let mut stream = Listening::begin(client, "?wait=0&kinds=approval", Some(&ready.id)).await;
        let mut heard = Vec::new();
        while let Some(event) = stream.next().await {
            heard.push(event.event);
        }
        heard
    };
    let course = ["requested", "step_approved", "approved"].map(|event| format!("approval.{event}"));
    for person in [&company.rep, &company.manager, &company.finance] {
        assert_eq!(heard(&person.client).await, course, "{}", person.email);
    }
    // Up to where it waited for them no more.
    assert_eq!(heard(&company.other_rep.client).await, course[..2]);
    assert_eq!(heard(&company.colleague.client).await, Vec::<String>::new());
}

async fn transfers_are_told_to_their_receiver(server: Server) {
    let company = Company::found(&server).await;
    let (rep, receiver) = (&company.rep.client, &company.other_rep.client);
    let customer = company.customer(&company.rep).await;
    let ready = Listening::begin(rep, "", None).await.next().await.unwrap();
    let form = json!({
        "kind": "customers", "record_ids": [customer], "to_user_id": company.other_rep.id, "reason": "Closer",
    });
    let transfer = rep.post("/transfers", form).await.expect(201).id();
    rep.act(&format!("/transfers/{transfer}/withdraw")).await.expect(200);
    for (client, hears) in [(rep, true), (receiver, true), (&company.colleague.client, false)] {
        let mut stream = Listening::begin(client, "?wait=0&kinds=transfer", Some(&ready.id)).await;
        let mut heard = Vec::new();
        while let Some(event) = stream.next().await {
            assert_eq!(event.data["record_id"], json!(transfer));
            heard.push(event.event);
        }
        let course: &[&str] = if hears { &["transfer.requested", "transfer.withdrawn"] } else { &[] };
        assert_eq!(heard, course);
    }
}

async fn streams_end(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let mut short = Listening::begin(rep, "?wait=1", None).await;
    assert_eq!(short.next().await.unwrap().event, "ready");
    assert!(short.next().await.is_none(), "it ends when it was asked to");
    // Whoever asks for the head only opens no stream.
    for _ in 0..12 {
        let head = rep.request(reqwest::Method::HEAD, "/events").timeout(Duration::from_secs(5));
        assert_eq!(head.send().await.unwrap().status(), 200);
    }
    // So many at the same time, the newest: a page that was reloaded waits for none that it left behind.
    let mut open = Vec::new();
    for _ in 0..10 {
        let mut one = Listening::begin(rep, "", None).await;
        assert_eq!(one.next().await.unwrap().event, "ready");
        open.push(one);
    }
    // What stays for no time takes no place, nor does what is refused or somebody else.
    rep.get("/events?wait=0").await.expect(200);
    let unheard_of = rep.request(reqwest::Method::GET, "/events").header("last-event-id", "999999999999");
    rep.send(unheard_of).await.refused(400, "invalid_cursor");
    rep.send(rep.request(reqwest::Method::HEAD, "/events")).await.expect(200);
    let mut colleague = Listening::begin(&company.colleague.client, "", None).await;
    assert_eq!(colleague.next().await.unwrap().event, "ready");
    let customer = company.customer(&company.rep).await;
    for one in &mut open {
        assert_eq!(one.next().await.expect("it goes on").data["record_id"], json!(customer));
    }
    open.push(Listening::begin(rep, "", None).await);
    assert_eq!(open[10].next().await.unwrap().event, "ready");
    let mut oldest = open.remove(0);
    assert!(oldest.next().await.is_none(), "the oldest ends");
    // So that many pages do not go on ending one another.
    assert_eq!(oldest.aside, "retry: 30000");
    let customer = company.customer(&company.rep).await;
    for one in &mut open {
        assert_eq!(one.next().await.expect("it goes on").data["record_id"], json!(customer));
    }
    // Whoever logs out hears nothing more.
    let session = server.login(&company.colleague.email, crate::support::PASSWORD).await;
    let mut stream = Listening::begin(&session, "", None).await;
    assert_eq!(stream.next().await.unwrap().event, "ready");
    session.post("/auth/logout", json!({})).await.expect(204);
    company.customer(&company.colleague).await;
    assert!(stream.next().await.is_none(), "a stream ends with its session");
}

async fn what_is_asked_is_checked(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    rep.get("/events?wait=901").await.refused(400, "malformed_request");
    rep.get("/events?kinds=user").await.refused(400, "malformed_request");
    for last in ["x", "-1", "", "1.5", "9999999999999999999", "999999999999"] {
        let request = rep.request(reqwest::Method::GET, "/events?wait=0").header("last-event-id", last);
        rep.send(request).await.refused(400, "invalid_cursor");
    }
    server.anonymous().get("/events").await.refused(401, "unauthenticated");
}

/// However much happened between the beginning and the end of a record: whoever missed both hears of both.
async fn what_is_gone_since_long_was_there(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let mut stream = Listening::begin(rep, "?wait=0", None).await;
    let point = stream.next().await.unwrap().id;
    let lead = json!({"name": "Short-lived", "source": "website"});
    let lead = rep.post("/leads", lead).await.expect(201).id();
    let other = format!("/customers/{}", company.customer(&company.rep).await);
    for note in 0..520 {
        rep.patch(&other, json!({"note": note.to_string()})).await.expect(200);
    }
    company.manager.client.delete(&format!("/leads/{lead}")).await.expect(204);
    let mut missed = Listening::begin(rep, "?wait=0&kinds=lead", Some(&point)).await;
    let mut told = Vec::new();
    while let Some(heard) = missed.next().await {
        told.push((heard.event, heard.data["record_id"].as_str().unwrap_or_default().to_owned()));
    }
    // Those who see none of it are told that they need not look there again.
    let marketing = &company.marketing.client;
    let mut sees_nothing = Listening::begin(marketing, "?wait=0&kinds=contract", Some(&point)).await;
    assert!(sees_nothing.next().await.is_none());
    let behind = sees_nothing.aside.strip_prefix(": the end\nid: ").expect("it says where to go on");
    assert!(behind.parse::<i64>().unwrap() >= point.parse::<i64>().unwrap() + 520, "{behind} after {point}");
    let about: Vec<&str> =
        told.iter().filter(|(_, id)| *id == lead).map(|(event, _)| event.as_str()).collect();
    assert_eq!(about, ["lead.created", "lead.deleted"]);
}
