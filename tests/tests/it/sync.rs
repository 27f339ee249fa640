//! Delta sync: a copy that is kept up to date is what lists show, and is told nothing that it has.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::support::{Client, Company, Person, Server, report, rounds, seed};

on_both_databases! {
    heavy_a_copy_is_what_lists_show;
    what_is_told_is_what_its_reader_sees;
    contacts_go_into_the_pool_and_come_out_of_it;
    activities_go_with_whose_they_are_and_what_they_are_about;
    approvals_come_to_whoever_decides_and_go;
    transfers_are_told_to_whom_they_concern;
    what_lapses_with_a_customer_is_told;
    what_was_merged_is_told_with_its_survivor;
    what_goes_or_comes_between_pages_is_not_lost;
    what_is_not_for_somebody_any_more_is_forgotten;
    who_may_see_what_is_decided_anew;
    points_are_checked;
    points_are_not_made_up;
}

const KINDS: [(&str, &str); 10] = [
    ("lead", "leads"),
    ("customer", "customers"),
    ("contact", "contacts"),
    ("activity", "activities"),
    ("opportunity", "opportunities"),
    ("contract", "contracts"),
    ("invoice", "invoices"),
    ("payment", "payments"),
    ("approval", "approvals"),
    ("transfer", "transfers"),
];

/// A copy on somebody's device: which version it has of what.
struct Device<'a> {
    name: String,
    client: &'a Client,
    /// The same, which sees where it would be led.
    stays: Client,
    since: Option<String>,
    copy: BTreeMap<(&'static str, String), i64>,
    /// Of what was removed, and led to another record: to which.
    led: BTreeMap<String, String>,
    /// How often the copy was begun anew, and how many records were told.
    resets: usize,
    told: usize,
    /// Whether the copy is being begun anew.
    anew: bool,
    /// Whether something happened between the pages of this difference or of the one before: then some of it may be
    /// told twice, and something forgotten that was never told.
    loose: bool,
}

impl<'a> Device<'a> {
    fn of(person: &'a Person) -> Self {
        let (name, client, stays) = (person.email.clone(), &person.client, person.client.that_stays());
        let (copy, led, resets, told, anew, loose) = (BTreeMap::new(), BTreeMap::new(), 0, 0, false, false);
        Self { name, client, stays, since: None, copy, led, resets, told, anew, loose }
    }

    /// Brings the copy up to date, while nothing happens.
    async fn sync(&mut self, limit: usize) {
        while self.page(limit).await {}
        self.loose = false;
    }

    /// Follows one answer, and says whether there is more. What is told must make a difference, unless the copy is
    /// begun anew.
    async fn page(&mut self, limit: usize) -> bool {
        let since = self.since.as_ref().map(|since| format!("&since={since}")).unwrap_or_default();
        let page = self.client.get(&format!("/sync?limit={limit}{since}")).await.expect(200).body;
        if page["reset"] == true {
            self.anew = true;
            self.resets += 1;
            self.copy.clear();
        }
        for removed in page["removed"].as_array().unwrap() {
            let (kind, member) = *KINDS.iter().find(|(kind, _)| removed["kind"] == *kind).unwrap();
            let id = removed["id"].as_str().unwrap().to_owned();
            self.follow(kind, &format!("/{member}/{id}"), removed).await;
            let before = self.copy.remove(&(kind, id));
            assert!(self.loose || before.is_some(), "{} never had {removed}", self.name);
            self.told += 1;
        }
        for (kind, member) in KINDS {
            for record in page[member].as_array().unwrap() {
                let id = record["id"].as_str().unwrap().to_owned();
                let version = record["version"].as_i64().unwrap();
                let before = self.copy.insert((kind, id), version);
                let differs = self.anew || self.loose || before != Some(version);
                assert!(differs, "{} has {kind} {record}", self.name);
                self.told += 1;
            }
        }
        self.since = Some(page["next"].as_str().unwrap().to_owned());
        let more = page["has_more"] == true;
        self.anew &= more;
        more
    }

    /// What is removed leads where a read of it does, and nowhere where that finds nothing.
    async fn follow(&mut self, kind: &str, path: &str, removed: &Value) {
        let into = removed.get("merged_into").map(|into| into.as_str().unwrap());
        if !["lead", "customer"].contains(&kind) {
            assert_eq!(into, None, "{removed}");
            return;
        }
        let read = self.stays.get(path).await;
        let status = if into.is_some() { 308 } else { 404 };
        assert_eq!(read.status, status, "{} is told {removed}, and {path} answers {}", self.name, read.text);
        if let Some(into) = into {
            assert_eq!(read.body["survivor_id"], into, "{} of {path}", self.name);
            self.led.insert(removed["id"].as_str().unwrap().to_owned(), into.to_owned());
        }
    }

    /// What the lists show, without the contacts that are masked.
    async fn listed(&self) -> BTreeMap<(&'static str, String), i64> {
        let me = self.client.get("/me").await.expect(200).body;
        let unmasked = me["permissions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|grant| grant["permission"] == "customers:update" && grant["scope"] == "all");
        let mut pooled = BTreeSet::new();
        let mut listed = BTreeMap::new();
        for (kind, member) in KINDS {
            if self.client.get(&format!("/{member}?limit=1")).await.status == 403 {
                continue;
            }
            for record in self.client.all(&format!("/{member}?limit=200")).await {
                let id = record["id"].as_str().unwrap().to_owned();
                if kind == "customer" && record["owner_id"].is_null() {
                    pooled.insert(id.clone());
                }
                if kind == "contact" && !unmasked && pooled.contains(record["customer_id"].as_str().unwrap())
                {
                    continue;
                }
                listed.insert((kind, id), record["version"].as_i64().unwrap());
            }
        }
        listed
    }

    async fn is_what_lists_show(&self) {
        assert_eq!(self.copy, self.listed().await, "the copy of {}", self.name);
    }
}

fn pick<T: Clone>(random: &mut StdRng, from: &[T]) -> Option<T> {
    (!from.is_empty()).then(|| from[random.random_range(0..from.len())].clone())
}

/// Does something at random, which may be refused.
async fn act(company: &Company, random: &mut StdRng, ids: &mut BTreeMap<&'static str, Vec<String>>) {
    let sellers = [&company.rep, &company.colleague, &company.inner, &company.other_rep];
    let leaders = [&company.manager, &company.other_manager, &company.director, &company.admin];
    let seller = pick(random, &sellers).unwrap();
    let leader = pick(random, &leaders).unwrap();
    let client = &seller.client;
    let word = format!("{:x}", random.random::<u32>());
    let customer = pick(random, ids.entry("customer").or_default());
    let about = pick(random, &["lead", "customer", "contact", "opportunity", "contract"]).unwrap();
    let subject = pick(random, ids.entry(about).or_default());
    let activity = pick(random, ids.entry("activity").or_default());
    let mut made = |kind: &'static str, answer: &crate::support::Answer| {
        if answer.status == 201 {
            ids.entry(kind).or_default().push(answer.body["id"].as_str().unwrap().to_owned());
        }
    };
    match (random.random_range(0..30), customer) {
        (0, _) => {
            let form = json!({"name": format!("Lead {word}"), "source": "website"});
            made("lead", &client.post("/leads", form).await);
        }
        (1 | 2, _) | (_, None) => {
            let form = json!({"kind": "company", "name": format!("Customer {word}")});
            made("customer", &client.post("/customers", form).await);
        }
        (3, Some(customer)) => {
            let form = json!({"customer_id": customer, "name": format!("Contact {word}")});
            made("contact", &client.post("/contacts", form).await);
        }
        (4, Some(customer)) => {
            let form = json!({"customer_id": customer, "name": format!("Opportunity {word}")});
            made("opportunity", &client.post("/opportunities", form).await);
        }
        (5, Some(customer)) => {
            let form = json!({
                "customer_id": customer, "title": "Contract", "amount": {"amount": "100.00", "currency": "CNY"},
                "collection_scheme": "by_contract",
                "installments": [{"due_on": "2026-12-31", "amount": {"amount": "100.00", "currency": "CNY"}}],
            });
            made("contract", &client.post("/contracts", form).await);
        }
        (6, Some(customer)) => {
            client.patch(&format!("/customers/{customer}"), json!({"note": word})).await;
        }
        (7, Some(customer)) => {
            let reason = json!({"reason": "No need"});
            client.post(&format!("/customers/{customer}/release"), reason).await;
        }
        (8, Some(customer)) => {
            client.act(&format!("/public-pool/customers/{customer}/claim")).await;
        }
        (9 | 10, Some(customer)) => {
            let to = json!({"owner_id": pick(random, &sellers).unwrap().id});
            leader.client.post(&format!("/customers/{customer}/assign"), to).await;
        }
        (11, Some(customer)) => {
            let other = pick(random, &ids["customer"]).unwrap();
            let loser = json!({"loser_id": other});
            leader.client.post(&format!("/customers/{customer}/merge"), loser).await;
            let leads = ids.entry("lead").or_default();
            if let (Some(lead), Some(other)) = (pick(random, leads), pick(random, leads)) {
                let loser = json!({"loser_id": other});
                leader.client.post(&format!("/leads/{lead}/merge"), loser).await;
            }
        }
        (12, _) => {
            if let Some(lead) = pick(random, ids.entry("lead").or_default()) {
                client.act(&format!("/leads/{lead}/qualify")).await;
                client.post(&format!("/leads/{lead}/convert"), json!({})).await;
            }
        }
        (13, _) => {
            if let Some(lead) = pick(random, ids.entry("lead").or_default()) {
                let to = json!({"owner_id": pick(random, &sellers).unwrap().id});
                leader.client.post(&format!("/leads/{lead}/assign"), to).await;
            }
        }
        (14, _) => {
            for (kind, path) in [("contact", "contacts"), ("contract", "contracts"), ("lead", "leads")] {
                if let Some(id) = pick(random, ids.entry(kind).or_default()) {
                    client.delete(&format!("/{path}/{id}")).await;
                }
            }
        }
        (15, _) => {
            if let Some(opportunity) = pick(random, ids.entry("opportunity").or_default()) {
                let form = json!({"reason": "price"});
                client.post(&format!("/opportunities/{opportunity}/lose"), form).await;
            }
        }
        (16, Some(customer)) => {
            let user = pick(random, &sellers).unwrap().id.clone();
            let form = json!({"customer_id": customer, "user_id": user, "access": "read"});
            client.post("/collaborators", form).await;
        }
        (17 | 18, Some(_)) => {
            let Some(subject) = subject else { return };
            let kind = pick(random, &["task", "call"]).unwrap();
            let form = json!({
                "about": {"kind": about, "id": subject}, "kind": kind, "subject": word,
                "due_at": "2199-01-05T08:00:00.000Z",
            });
            made("activity", &client.post("/activities", form).await);
        }
        (19, Some(_)) => {
            let Some(activity) = activity else { return };
            let done = json!({"happened_at": "2026-01-05T08:00:00.000Z"});
            client.patch(&format!("/activities/{activity}"), done).await;
        }
        (20, Some(_)) => {
            let Some(activity) = activity else { return };
            client.delete(&format!("/activities/{activity}")).await;
        }
        (21 | 22, _) => {
            let Some(contract) = pick(random, ids.entry("contract").or_default()) else { return };
            for owner in sellers {
                owner.client.act(&format!("/contracts/{contract}/submit")).await;
            }
        }
        (23..=25, _) => {
            let deciders = [&company.manager, &company.other_manager, &company.finance];
            let who = pick(random, &[deciders.as_slice(), &sellers].concat()).unwrap();
            let waiting = who.client.get("/approvals?box=waiting&limit=200").await.expect(200).body;
            let Some(approval) = pick(random, waiting["data"].as_array().unwrap()) else { return };
            let what =
                pick(random, &["approve", "approve", "approve", "reject", "return", "comment"]).unwrap();
            let mut form = json!({"comment": word});
            if what == "return" {
                form["step"] = json!(0);
            }
            let path = format!("/approvals/{}/{what}", approval["id"].as_str().unwrap());
            who.client.post(&path, form).await;
        }
        (26, _) => {
            let Some(contract) = pick(random, ids.entry("contract").or_default()) else { return };
            client.act(&format!("/contracts/{contract}/withdraw")).await;
        }
        (27, _) => {
            if let Some(delegation) = pick(random, ids.entry("delegation").or_default()) {
                company.admin.client.delete(&format!("/delegations/{delegation}")).await;
            }
            let from = pick(random, &[&company.manager, &company.finance]).unwrap();
            let form = json!({
                "user_id": from.id, "delegate_id": seller.id, "starts_at": "2026-01-01T00:00:00Z",
                "ends_at": "2999-01-01T00:00:00Z",
            });
            let made = company.admin.client.post("/delegations", form).await;
            if made.status == 201 {
                ids.entry("delegation").or_default().push(made.id());
            }
        }
        (28, Some(customer)) => {
            let to = pick(random, &sellers).unwrap().id.clone();
            let form = json!({
                "kind": "customers", "record_ids": [customer], "to_user_id": to, "reason": word,
            });
            client.post("/transfers", form).await;
        }
        (_, Some(_)) => {
            if let Some(contact) = pick(random, ids.entry("contact").or_default()) {
                client.patch(&format!("/contacts/{contact}"), json!({"note": word})).await;
            }
        }
    }
}

async fn heavy_a_copy_is_what_lists_show(server: Server) {
    let (kind, first, histories) = (server.database.kind, seed(), rounds(1, 20));
    for seed in first..first + histories {
        println!("the history of seed {seed}");
        let server = Server::start(kind).await;
        let keeper = server.keeper();
        copies_follow(&server, seed).await;
        keeper.verify().await;
        keeper.specified();
    }
    let told = format!("{histories} histories with 9 copies, each as the lists are; seeds from {first}");
    report("T8", kind, &told);
}

/// One history: whatever happens, the copies of nine people become what lists show them.
async fn copies_follow(server: &Server, seed: u64) {
    let company = Company::found(server).await;
    company.tell_no_duplicates().await;
    let mut random = StdRng::seed_from_u64(seed);
    let mut ids = BTreeMap::new();
    let people = [
        &company.rep,
        &company.colleague,
        &company.inner,
        &company.other_rep,
        &company.manager,
        &company.director,
        &company.finance,
        &company.marketing,
        &company.admin,
    ];
    let mut devices: Vec<Device> = people.into_iter().map(Device::of).collect();
    for _ in 0..40 {
        for _ in 0..random.random_range(1..12) {
            act(&company, &mut random, &mut ids).await;
        }
        let device = random.random_range(0..devices.len());
        let device = &mut devices[device];
        if random.random_bool(0.4) {
            device.loose = true;
            while device.page(random.random_range(1..9)).await {
                act(&company, &mut random, &mut ids).await;
            }
        }
        let limit = random.random_range(1..60);
        device.sync(limit).await;
        device.is_what_lists_show().await;
    }
    let contract = company.active(&company.rep, "100.00", "by_contract").await;
    company.paid(&company.rep, &contract, "40.00").await;
    for device in &mut devices {
        device.sync(200).await;
        device.is_what_lists_show().await;
        let told = device.told;
        device.sync(200).await;
        assert_eq!(device.told, told, "{}: nothing happened, and something is told", device.name);
    }
    assert!(devices.iter().all(|device| device.resets >= 1) && devices[5].resets == 1);
}

/// A copy shows nobody more of a record than they see of it anyway, above all of those in the pool.
async fn what_is_told_is_what_its_reader_sees(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "100.00", "by_contract").await;
    company.paid(&company.rep, &contract, "40.00").await;
    let lead = json!({"name": "Li Wei", "source": "website"});
    let lead = company.rep.client.post("/leads", lead).await.expect(201).id();
    let pooled = company.pool_customer().await;
    for (by, kind, id) in [
        (&company.rep, "lead", &lead),
        (&company.rep, "contract", &contract),
        (&company.admin, "customer", &pooled),
    ] {
        let form = json!({"about": {"kind": kind, "id": id}, "kind": "call", "subject": "Called"});
        by.client.post("/activities", form).await.expect(201);
    }
    for customer in [&company.customer(&company.rep).await, &pooled] {
        let form = json!({
            "customer_id": customer, "name": "Zhang", "phone": "138 0013 8000", "email": "zhang@example.com",
            "wechat": "zhang88", "birthday": "1990-01-02", "note": "Calls back in the morning",
        });
        company.admin.client.post("/contacts", form).await.expect(201);
    }
    for (role, person) in company.by_role() {
        let client = &person.client;
        let told = client.get("/sync?limit=500").await.expect(200).body;
        assert_eq!(told["has_more"], false);
        let mut copy = Device::of(person);
        copy.sync(500).await;
        copy.is_what_lists_show().await;
        for (kind, member) in KINDS {
            for record in told[member].as_array().unwrap() {
                let id = record["id"].as_str().unwrap();
                let seen = if kind == "customer" && id == pooled {
                    // Whoever opens one sees more of it than a list shows.
                    let listed = client.all("/customers?limit=200").await;
                    listed.into_iter().find(|listed| listed["id"] == record["id"]).unwrap()
                } else {
                    client.get(&format!("/{member}/{id}")).await.expect(200).body
                };
                for (name, value) in record.as_object().unwrap() {
                    assert_eq!(*value, seen[name], "{name} of {kind} {id} for {role}");
                }
            }
        }
        let expected = match role {
            "sales_director" | "admin" => 2,
            "marketing" => 0,
            _ => 1,
        };
        assert_eq!(told["contacts"].as_array().unwrap().len(), expected, "unmasked contacts for {role}");
    }
}

/// What is to be done is on the device of whoever may see it: of nobody else, and of nobody any more.
async fn activities_go_with_whose_they_are_and_what_they_are_about(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, other_rep, inner, director, finance, .. } = &company;
    let task = async |kind: &str, id: &str| {
        let form = json!({
            "about": {"kind": kind, "id": id}, "kind": "task", "subject": "Call back",
            "due_at": "2199-01-05T08:00:00.000Z",
        });
        ("activity", rep.client.post("/activities", form).await.expect(201).id())
    };
    let contract = company.draft(rep, "100.00", "by_contract").await;
    let customer = rep.client.get(&format!("/contracts/{contract}")).await.expect(200).text_of("customer_id");
    let (mine, of_contract) = (task("customer", &customer).await, task("contract", &contract).await);
    let mut devices = [rep, other_rep, inner, director, finance].map(Device::of);
    let (none, one, both): (&[_], &[_], &[_]) = (&[], &[&mine], &[&mine, &of_contract]);
    let mut look = async |holders: [&[&(&'static str, String)]; 5], what: &str| {
        for (device, held) in devices.iter_mut().zip(holders) {
            device.sync(3).await;
            device.is_what_lists_show().await;
            let has = [&mine, &of_contract].map(|it| device.copy.contains_key(it));
            assert_eq!(has, [held.contains(&&mine), held.contains(&&of_contract)], "{what}: {}", device.name);
            let told = device.told;
            device.sync(3).await;
            assert_eq!(device.told, told, "{what}: {} is told of it twice", device.name);
        }
    };
    look([both, none, none, both, both], "logged").await;
    let give = async |to: &Person| {
        let form = json!({"owner_id": to.id});
        director.client.post(&format!("/customers/{customer}/assign"), form).await.expect(200);
    };
    // The contract stays with its owner, who does not see the customer any more.
    give(other_rep).await;
    look([none, one, none, both, both], "given away").await;
    let share = json!({"customer_id": customer, "user_id": inner.id, "access": "read"});
    other_rep.client.post("/collaborators", share).await.expect(201);
    look([none, one, one, both, both], "shared").await;
    let path = format!("/activities/{}", mine.1);
    other_rep.client.patch(&path, json!({"happened_at": "2026-01-05T08:00:00.000Z"})).await.expect(200);
    look([none, one, one, both, both], "completed").await;
    give(rep).await;
    look([both, none, one, both, both], "given back").await;
    // A contract stays as long as something is about it.
    rep.client.delete(&format!("/activities/{}", of_contract.1)).await.expect(204);
    look([one, none, one, one, one], "the one about the contract deleted").await;
    rep.client.delete(&format!("/contracts/{contract}")).await.expect(204);
    let release = format!("/customers/{customer}/release");
    rep.client.post(&release, json!({"reason": "No need"})).await.expect(200);
    look([none, none, none, one, one], "in the pool").await;
    inner.client.act(&format!("/public-pool/customers/{customer}/claim")).await.expect(200);
    look([none, none, one, one, one], "claimed").await;
    give(rep).await;
    let survivor = company.customer(rep).await;
    let loser = json!({"loser_id": customer});
    director.client.post(&format!("/customers/{survivor}/merge"), loser).await.expect(200);
    look([one, none, none, one, one], "merged").await;
    rep.client.delete(&path).await.expect(204);
    look([none, none, none, none, none], "deleted").await;

    // Of a lead, then of the customer that it becomes.
    let lead = json!({"name": "Lin Mei", "source": "website"});
    let lead = rep.client.post("/leads", lead).await.expect(201).id();
    let of_lead = task("lead", &lead).await;
    let mut devices = [rep, other_rep, director, &company.marketing].map(Device::of);
    let mut holders = async || {
        let mut holders = Vec::new();
        for device in &mut devices {
            device.sync(200).await;
            device.is_what_lists_show().await;
            holders.push(device.copy.contains_key(&of_lead));
        }
        holders
    };
    assert_eq!(holders().await, [true, false, true, true]);
    let to = json!({"owner_id": other_rep.id});
    director.client.post(&format!("/leads/{lead}/assign"), to).await.expect(200);
    assert_eq!(holders().await, [false, true, true, true]);
    let call = json!({"about": {"kind": "lead", "id": lead}, "kind": "call", "subject": "Called"});
    other_rep.client.post("/activities", call).await.expect(201);
    other_rep.client.act(&format!("/leads/{lead}/qualify")).await.expect(200);
    other_rep.client.post(&format!("/leads/{lead}/convert"), json!({})).await.expect(200);
    assert_eq!(holders().await, [false, true, true, false], "marketing sees no customers");
}

/// Whoever decides for somebody has what waits for that person, as long as it does, and what they decided.
async fn approvals_come_to_whoever_decides_and_go(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, finance, other_rep, other_manager, .. } = &company;
    let contract = company.draft(rep, "100.00", "by_contract").await;
    rep.client.act(&format!("/contracts/{contract}/submit")).await.expect(200);
    let approval = ("approval", company.pending(&contract).await);
    let mut devices = [rep, manager, finance, other_manager, other_rep, colleague].map(Device::of);
    let mut holders = async |what: &str, resets: usize| {
        let mut holders = Vec::new();
        for device in &mut devices {
            let before = device.resets;
            device.sync(50).await;
            device.is_what_lists_show().await;
            assert!(device.resets - before <= resets, "{what}: {} begins anew", device.name);
            holders.push(device.copy.contains_key(&approval));
        }
        holders
    };
    let path = format!("/approvals/{}", approval.1);
    assert_eq!(holders("asked", 1).await, [true, true, true, false, false, false]);
    let delegate = async |from: &Person, to: &Person| {
        let form = json!({
            "user_id": from.id, "delegate_id": to.id, "starts_at": "2026-01-01T00:00:00Z",
            "ends_at": "2999-01-01T00:00:00Z",
        });
        from.client.post("/delegations", form).await.expect(201);
    };
    delegate(manager, other_rep).await;
    delegate(finance, colleague).await;
    assert_eq!(holders("delegated", 1).await, [true, true, true, false, true, false]);
    manager.client.post(&format!("{path}/approve"), json!({})).await.expect(200);
    assert_eq!(holders("approved", 0).await, [true, true, true, false, false, true]);
    let back = json!({"step": 0, "comment": "Look again"});
    colleague.client.post(&format!("{path}/return"), back).await.expect(200);
    assert_eq!(holders("returned", 0).await, [true, true, true, false, true, false]);
    // What they decided they go on seeing.
    other_rep.client.post(&format!("{path}/approve"), json!({})).await.expect(200);
    assert_eq!(holders("approved for the manager", 0).await, [true, true, true, false, true, true]);
    finance.client.post(&format!("{path}/approve"), json!({})).await.expect(200);
    assert_eq!(holders("approved by all", 0).await, [true, true, true, false, true, false]);
}

async fn transfers_are_told_to_whom_they_concern(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, inner, other_rep, manager, .. } = &company;
    let customer = company.customer(rep).await;
    let mut devices = [rep, other_rep, manager, colleague, inner].map(Device::of);
    for device in &mut devices {
        device.sync(50).await;
    }
    let form = json!({
        "kind": "customers", "record_ids": [customer], "to_user_id": other_rep.id, "reason": "Closer to them",
    });
    let transfer = ("transfer", rep.client.post("/transfers", form).await.expect(201).id());
    let path = format!("/transfers/{}", transfer.1);
    for version in [1, 2] {
        for device in &mut devices {
            device.sync(50).await;
            device.is_what_lists_show().await;
        }
        let held = devices.each_ref().map(|device| device.copy.get(&transfer).copied());
        assert_eq!(held, [Some(version), Some(version), Some(version), None, None]);
        if version == 1 {
            rep.client.act(&format!("{path}/withdraw")).await.expect(200);
        }
    }
}

/// What was asked about a customer is over when the customer leaves: whoever may still see it is told so, and whoever may
/// not forgets it.
async fn what_lapses_with_a_customer_is_told(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, manager, director, .. } = &company;
    let customer = company.customer(rep).await;
    let change = json!({"customer_id": customer, "changes": {"phone": "138 0013 8000"}});
    let change = rep.client.post("/customer-changes", change).await.expect(201).id();
    let form = json!({
        "kind": "customers", "record_ids": [customer], "to_user_id": colleague.id, "reason": "Closer to them",
    });
    let transfer = rep.client.post("/transfers", form).await.expect(201).id();
    let about_change = ("approval", company.pending(&change).await);
    let about_transfer = ("approval", company.pending(&transfer).await);
    let transfer = ("transfer", transfer);
    let mut devices = [rep, colleague, manager, director].map(Device::of);
    let mut held = async || {
        let mut held = Vec::new();
        for device in &mut devices {
            device.sync(50).await;
            device.is_what_lists_show().await;
            let version = |record: &(&'static str, String)| device.copy.get(record).copied();
            held.push([version(&about_change), version(&about_transfer), version(&transfer)]);
        }
        held
    };
    let all = [Some(1); 3];
    assert_eq!(held().await, [all, [None, None, Some(1)], all, all]);
    let reason = json!({"reason": "No need"});
    rep.client.post(&format!("/customers/{customer}/release"), reason).await.expect(200);
    let told = held().await;
    // The customer is masked for them in the pool, and so is the question about it gone; the transfer was of their own.
    let (gone, over) = ([None, Some(2), Some(2)], [None, None, Some(2)]);
    assert_eq!(told[..3], [gone, over, gone]);
    assert_eq!(told[3][1..], [Some(2), Some(2)]);
    assert!(told[3][0] > Some(1), "it was taken back, and has no owner any more");
    server.verify().await;
}

async fn contacts_go_into_the_pool_and_come_out_of_it(server: Server) {
    let company = Company::found(&server).await;
    let id = company.customer(&company.rep).await;
    let contact = json!({"customer_id": id, "name": "Li Wei", "phone": "138 0013 8000"});
    let contact = ("contact", company.rep.client.post("/contacts", contact).await.expect(201).id());
    let mut masked = Device::of(&company.finance);
    let mut unmasked = Device::of(&company.director);
    for step in ["owned", "released", "claimed"] {
        if step == "released" {
            let reason = json!({"reason": "No need"});
            company.rep.client.post(&format!("/customers/{id}/release"), reason).await.expect(200);
        } else if step == "claimed" {
            let claim = format!("/public-pool/customers/{id}/claim");
            company.colleague.client.act(&claim).await.expect(200);
        }
        for device in [&mut masked, &mut unmasked] {
            device.sync(200).await;
            device.is_what_lists_show().await;
        }
        assert_eq!(masked.copy.contains_key(&contact), step != "released", "{step}");
        assert!(unmasked.copy.contains_key(&contact), "{step}");
    }
}

/// Whoever keeps the id of a merged record keeps that of its survivor from then on, as far as they see that one.
async fn what_was_merged_is_told_with_its_survivor(server: Server) {
    let company = Company::found(&server).await;
    let Company { rep, colleague, other_rep, director, .. } = &company;
    for of in ["leads", "customers"] {
        let make = async |owner: &Person| {
            let name = format!("Record {}", rand::random::<u32>());
            let form = match of {
                "leads" => json!({"name": name, "source": "website"}),
                _ => json!({"kind": "company", "name": name}),
            };
            owner.client.post(&format!("/{of}"), form).await.expect(201).id()
        };
        let merge = async |goes: &str, stays: &str| {
            let loser = json!({"loser_id": goes});
            director.client.post(&format!("/{of}/{stays}/merge"), loser).await.expect(200);
        };
        let (first, second, last, late) =
            (make(rep).await, make(rep).await, make(rep).await, make(rep).await);
        let mut devices = [rep, director, colleague].map(Device::of);
        let mut told = async || {
            let mut told = Vec::new();
            for device in &mut devices {
                device.led.clear();
                // One at a time, so that answers end between the merged ones.
                device.sync(1).await;
                device.is_what_lists_show().await;
                told.push(std::mem::take(&mut device.led));
            }
            told
        };
        let led = |pairs: &[(&String, &String)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(from, to)| ((*from).clone(), (*to).clone())).collect()
        };
        assert_eq!(told().await, vec![led(&[]); 3]);

        // One after the other: both are where the last one is.
        merge(&first, &second).await;
        merge(&second, &last).await;
        let both = led(&[(&first, &last), (&second, &last)]);
        assert_eq!(told().await, [both.clone(), both, led(&[])], "{of}");
        // What was told before goes as well.
        merge(&last, &late).await;
        let one = led(&[(&last, &late)]);
        assert_eq!(told().await, [one.clone(), one, led(&[])], "{of}");

        // The survivor goes to somebody else, or is deleted.
        let (goes, stays) = (make(rep).await, make(rep).await);
        told().await;
        merge(&goes, &stays).await;
        let to = json!({"owner_id": other_rep.id});
        director.client.post(&format!("/{of}/{stays}/assign"), to).await.expect(200);
        assert_eq!(told().await, [led(&[]), led(&[(&goes, &stays)]), led(&[])], "{of}");
        if of == "leads" {
            let (goes, stays) = (make(rep).await, make(rep).await);
            told().await;
            merge(&goes, &stays).await;
            company.manager.client.delete(&format!("/leads/{stays}")).await.expect(204);
            assert_eq!(told().await, vec![led(&[]); 3]);
        } else {
            // Everybody saw the one in the pool; those who do not see the other one only learn that it is gone.
            let (goes, stays) = (company.pool_customer().await, make(rep).await);
            told().await;
            let held = devices.each_ref().map(|it| it.copy.contains_key(&("customer", goes.clone())));
            assert_eq!(held, [true; 3]);
            merge(&goes, &stays).await;
            for (device, sees) in devices.iter_mut().zip([true, true, false]) {
                device.sync(200).await;
                let to = device.led.get(&goes);
                assert_eq!(to, sees.then_some(&stays), "{}", device.name);
                assert!(!device.copy.contains_key(&("customer", goes.clone())), "{}", device.name);
            }
        }
    }
}

/// The pages of one difference are not of the same moment.
async fn what_goes_or_comes_between_pages_is_not_lost(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let lead = async |name: &str| {
        let form = json!({"name": name, "source": "website"});
        rep.post("/leads", form).await.expect(201).id()
    };
    for name in ["Alder", "Birch", "Cedar", "Elm", "Fir"] {
        lead(name).await;
    }
    for _ in 0..3 {
        company.customer(&company.rep).await;
    }
    let customer = company.customer(&company.rep).await;
    let contact = json!({"customer_id": customer, "name": "Li Wei"});
    let contact = ("contact", rep.post("/contacts", contact).await.expect(201).id());

    // Made after the point of the difference, told, and gone before its end.
    let mut mine = Device::of(&company.rep);
    assert!(mine.page(3).await);
    let late = ("lead", lead("Hazel").await);
    assert!(mine.page(3).await && mine.copy.contains_key(&late));
    company.manager.client.delete(&format!("/leads/{}", late.1)).await.expect(204);
    while mine.page(3).await {}
    assert!(mine.copy.contains_key(&late), "it was told");
    mine.sync(3).await;
    mine.is_what_lists_show().await;

    // There at the point of the difference, away when it would have been told, and back.
    let give = async |to: &Person| {
        let form = json!({"owner_id": to.id});
        company.director.client.post(&format!("/customers/{customer}/assign"), form).await.expect(200);
    };
    let mut mine = Device::of(&company.rep);
    assert!(mine.page(3).await);
    give(&company.other_rep).await;
    while mine.page(3).await {}
    assert!(!mine.copy.contains_key(&contact));
    give(&company.rep).await;
    mine.sync(3).await;
    mine.is_what_lists_show().await;
    assert!(mine.copy.contains_key(&contact));
}

async fn what_is_not_for_somebody_any_more_is_forgotten(server: Server) {
    let company = Company::found(&server).await;
    let id = company.customer(&company.rep).await;
    let contact = json!({"customer_id": id, "name": "Li Wei"});
    let contact = company.rep.client.post("/contacts", contact).await.expect(201).id();
    let mut mine = Device::of(&company.rep);
    let mut theirs = Device::of(&company.other_rep);
    let mut managers = Device::of(&company.manager);
    for device in [&mut mine, &mut theirs, &mut managers] {
        device.sync(200).await;
    }
    let give = async |to: &Person| {
        let form = json!({"owner_id": to.id});
        company.director.client.post(&format!("/customers/{id}/assign"), form).await.expect(200);
    };
    give(&company.other_rep).await;
    for device in [&mut mine, &mut managers] {
        device.sync(200).await;
        assert!(!device.copy.contains_key(&("customer", id.clone())), "{}", device.name);
        assert!(!device.copy.contains_key(&("contact", contact.clone())), "{}", device.name);
        device.is_what_lists_show().await;
    }
    theirs.sync(200).await;
    assert!(theirs.copy.contains_key(&("contact", contact.clone())), "contacts come with their customer");

    // There and back between two times: nothing is removed, the present version is told.
    give(&company.rep).await;
    give(&company.other_rep).await;
    let before = theirs.copy[&("customer", id.clone())];
    theirs.sync(200).await;
    assert_eq!(theirs.copy[&("customer", id.clone())], before + 2);
    // Somebody who never saw it is told nothing, not even that it is gone.
    let mut inner = Device::of(&company.inner);
    inner.sync(200).await;
    give(&company.rep).await;
    give(&company.other_rep).await;
    let told = inner.told;
    inner.sync(200).await;
    assert_eq!(inner.told, told);
}

async fn who_may_see_what_is_decided_anew(server: Server) {
    let company = Company::found(&server).await;
    let id = company.customer(&company.rep).await;
    let mut other = Device::of(&company.other_rep);
    let mut manager = Device::of(&company.manager);
    other.sync(200).await;
    manager.sync(200).await;
    assert!(manager.copy.contains_key(&("customer", id.clone())));
    let share = json!({"customer_id": id, "user_id": company.other_rep.id, "access": "read"});
    company.rep.client.post("/collaborators", share).await.expect(201);
    other.sync(200).await;
    other.is_what_lists_show().await;
    assert!(other.copy.contains_key(&("customer", id.clone())) && other.resets == 2);
    // The seller leaves the manager's team: whom the manager leads is another matter now.
    let user = format!("/users/{}", company.rep.id);
    company.admin.client.patch(&user, json!({"team_id": null})).await.expect(200);
    manager.sync(200).await;
    manager.is_what_lists_show().await;
    assert!(!manager.copy.contains_key(&("customer", id.clone())) && manager.resets == 2);
}

async fn points_are_checked(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    company.customer(&company.rep).await;
    let point = rep.get("/sync?kinds=lead,customer").await.expect(200).text_of("next");
    rep.get(&format!("/sync?kinds=lead,customer&since={point}")).await.expect(200);
    rep.get(&format!("/sync?kinds=lead&since={point}")).await.refused(400, "cursor_mismatch");
    let some = rep.get("/sync?kinds=lead,customer").await.expect(200).text_of("next");
    rep.get(&format!("/sync?kinds=customer,lead,customer&since={some}")).await.expect(200);
    rep.get("/sync?since=abc").await.refused(400, "invalid_cursor");
    rep.get("/sync?since=").await.refused(400, "malformed_request");
    rep.get("/sync?limit=501").await.refused(400, "malformed_request");
    rep.get("/sync?kinds=user").await.refused(400, "malformed_request");
    // Somebody else's point is no point of mine: all is told anew.
    let anew = company.manager.client.get(&format!("/sync?kinds=lead,customer&since={point}")).await;
    assert_eq!(anew.expect(200).body["reset"], Value::Bool(true));
    let twice = rep.get("/sync?kinds=customer,customer").await.expect(200).body;
    assert_eq!(twice["customers"].as_array().unwrap().len(), 1, "a kind that is named twice is told once");
    let only = rep.get("/sync?kinds=lead").await.expect(200).body;
    assert_eq!(only["customers"], json!([]));
}

/// Whoever could say what their copy has would be told which of it to forget: ids of records that it never had.
async fn points_are_not_made_up(server: Server) {
    let company = Company::found(&server).await;
    let rep = &company.rep.client;
    let director = &company.director.client;
    // The rep's for a while, before the copy was begun.
    let customer = company.customer(&company.rep).await;
    let give = json!({"owner_id": company.other_rep.id});
    director.post(&format!("/customers/{customer}/assign"), give).await.expect(200);
    let first = rep.get("/sync").await.expect(200);
    assert!(first.body["customers"] == json!([]) && first.body["removed"] == json!([]), "{}", first.text);

    let point = first.text_of("next");
    let bytes = URL_SAFE_NO_PAD.decode(&point).unwrap();
    let begins = |at: &usize| bytes[*at] == b'{' && serde_json::from_slice::<Value>(&bytes[*at..]).is_ok();
    let (signature, told) = bytes.split_at((0..bytes.len()).find(begins).unwrap());
    assert!(!signature.is_empty(), "a point is not signed");
    let told: Value = serde_json::from_slice(told).unwrap();
    let (mut earlier, mut behind) = (told.clone(), told.clone());
    earlier["to"] = json!(0);
    behind["at"] = json!([0, told["read"]]);
    behind["behind"] = json!([0, null]);
    // A place in a list is signed as well, for something else.
    company.customer(&company.other_rep).await;
    let page = director.get("/customers?limit=1").await.expect(200).body;
    let mut forged = vec![page["page"]["next_cursor"].as_str().unwrap().to_owned()];
    for made_up in [told, earlier, behind] {
        let text = made_up.to_string();
        forged.push(URL_SAFE_NO_PAD.encode(&text));
        forged.push(URL_SAFE_NO_PAD.encode([&[0; 16][..], text.as_bytes()].concat()));
        if made_up["to"] == json!(0) || !made_up["behind"].is_null() {
            forged.push(URL_SAFE_NO_PAD.encode([signature, text.as_bytes()].concat()));
        }
    }
    for since in forged {
        let refused = rep.get(&format!("/sync?since={since}")).await.refused(400, "invalid_cursor");
        assert_eq!(refused.body["errors"][0]["pointer"], "since", "{since}");
    }
    // What was made here goes on being one.
    let next = rep.get(&format!("/sync?since={point}")).await.expect(200).body;
    assert!(next["reset"] == false && next["removed"] == json!([]), "{next}");
}
