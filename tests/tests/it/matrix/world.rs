//! A company with everything that a line of the tables can be about, and how a line is tried.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A company with everybody whom the matrix needs.
pub(super) struct World {
    pub(super) company: Company,
    pub(super) spec: BTreeMap<String, Operation>,
    /// A second director, who decides what the first one owns.
    pub(super) deputy: Person,
    pub(super) server: Server,
}

/// Whom a record belongs to; nobody in the pool.
pub(super) type Owner<'a> = Option<&'a Person>;

pub(super) fn unique_phone() -> String {
    format!("138{:08}", rand::random_range(0..100_000_000))
}

pub(super) fn unique(what: &str) -> String {
    format!("{what} {:016x}", rand::random::<u64>())
}

pub(super) fn money(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

impl World {
    pub(super) async fn new(server: Server) -> Self {
        let company = Company::found(&server).await;
        let me = company.director.client.get("/me").await.expect(200);
        let deputy = json!({
            "email": "deputy@example.com", "display_name": "deputy", "team_id": me.body["team_id"],
            "roles": ["sales_director"], "password": PASSWORD,
        });
        let id = company.admin.client.post("/users", deputy).await.expect(201).id();
        let email = "deputy@example.com".to_owned();
        let client = server.login(&email, PASSWORD).await;
        let spec = operations(&server).await;
        Self { company, spec, deputy: Person { id, email, client }, server }
    }

    pub(super) fn caller(&self, role: &str) -> &Person {
        self.company.by_role().into_iter().find(|(name, _)| *name == role).unwrap().1
    }

    /// Who owns a record that stands so to the caller; none where the caller's role has no such thing.
    pub(super) fn owner(&self, role: &str, relation: Relation) -> Option<Owner<'_>> {
        let company = &self.company;
        let owner = match (role, relation) {
            (_, Relation::Pool) => return Some(None),
            ("sales_rep", Relation::Own) | ("sales_director", Relation::Team) => &company.rep,
            ("sales_rep", Relation::Team) => &company.colleague,
            ("sales_manager", Relation::Own) => &company.manager,
            // A team below is the farthest that `team_and_below` reaches.
            ("sales_manager", Relation::Team) => &company.inner,
            ("sales_director", Relation::Own) => &company.director,
            (_, Relation::Other) => &company.other_rep,
            // The others own nothing and lead nobody.
            _ => return None,
        };
        Some(Some(owner))
    }

    /// Whoever records things for this owner: themselves, or the administrator for the pool.
    pub(super) fn author<'a>(&'a self, owner: Owner<'a>) -> &'a Client {
        &owner.unwrap_or(&self.company.admin).client
    }

    pub(super) async fn lead(&self, owner: Owner<'_>, state: &str) -> String {
        let author = self.author(owner);
        let form = json!({"name": unique("Lead"), "company": unique("Company"), "source": "website"});
        let made = author.post("/leads", form).await.expect(201);
        assert_eq!(made.body["owner_id"], json!(owner.map(|owner| &owner.id)));
        let id = made.id();
        if matches!(state, "contacted" | "qualified") {
            self.activity(owner, "lead", &id).await;
        }
        if state == "qualified" {
            author.act(&format!("/leads/{id}/qualify")).await.expect(200);
        }
        if state == "disqualified" {
            author.post(&format!("/leads/{id}/disqualify"), json!({"reason": "no_need"})).await.expect(200);
        }
        id
    }

    pub(super) async fn customer(&self, owner: Owner<'_>) -> String {
        let form = json!({"kind": "company", "name": unique("Customer"), "phone": unique_phone()});
        let made = self.author(owner).post("/customers", form).await.expect(201);
        assert_eq!(made.body["owner_id"], json!(owner.map(|owner| &owner.id)));
        made.id()
    }

    pub(super) async fn activity(&self, owner: Owner<'_>, kind: &str, id: &str) -> String {
        let form = json!({"about": {"kind": kind, "id": id}, "kind": "call", "subject": "Called"});
        self.author(owner).post("/activities", form).await.expect(201).id()
    }

    pub(super) async fn opportunity(&self, owner: Owner<'_>, state: &str) -> String {
        let customer = self.customer(owner).await;
        let form =
            json!({"name": unique("Opportunity"), "customer_id": customer, "amount": money("1000.00")});
        let id = self.author(owner).post("/opportunities", form).await.expect(201).id();
        if state == "lost" {
            let lose = format!("/opportunities/{id}/lose");
            self.author(owner).post(&lose, json!({"reason": "price"})).await.expect(200);
        }
        id
    }

    pub(super) async fn contract(&self, owner: Owner<'_>, state: &str) -> String {
        let id = self.company.draft(owner.unwrap(), "1000.00", "by_contract").await;
        if state != "draft" {
            self.author(owner).act(&format!("/contracts/{id}/submit")).await.expect(200);
        }
        if state == "active" {
            self.approve_both(&id).await;
        }
        id
    }

    pub(super) async fn approve_first(&self, subject: &str) -> String {
        let approval = self.company.pending(subject).await;
        self.deputy.client.post(&format!("/approvals/{approval}/approve"), json!({})).await.expect(200);
        approval
    }

    pub(super) async fn approve_both(&self, subject: &str) {
        let approval = self.approve_first(subject).await;
        let approve = format!("/approvals/{approval}/approve");
        self.company.finance_two.client.post(&approve, json!({})).await.expect(200);
    }

    pub(super) async fn invoice(&self, owner: Owner<'_>, state: &str) -> String {
        let contract = self.contract(owner, "active").await;
        let id = self.company.invoice_draft(owner.unwrap(), &contract, "100.00").await;
        if state != "draft" {
            self.author(owner).act(&format!("/invoices/{id}/submit")).await.expect(200);
        }
        if matches!(state, "approved" | "issued") {
            self.approve_both(&id).await;
        }
        if state == "issued" {
            let form = json!({"tax_invoice_number": unique("T")});
            self.company.finance_two.client.post(&format!("/invoices/{id}/issue"), form).await.expect(200);
        }
        id
    }

    pub(super) async fn payment(&self, owner: Owner<'_>, state: &str) -> String {
        let contract = self.contract(owner, "active").await;
        let form = Company::payment(&contract, "100.00");
        let id = self.author(owner).post("/payments", form).await.expect(201).id();
        if state == "confirmed" {
            self.company.finance_two.client.act(&format!("/payments/{id}/confirm")).await.expect(200);
        }
        id
    }

    /// A transfer that its owner asked for, to somebody whom the tables do not ask about.
    pub(super) async fn transfer(&self, owner: Owner<'_>) -> String {
        let form = json!({
            "kind": "customers", "record_ids": [self.customer(owner).await],
            "to_user_id": self.company.other_manager.id, "reason": "Closer by",
        });
        self.author(owner).post("/transfers", form).await.expect(201).id()
    }

    /// In a month of its own.
    pub(super) fn target(owner: &str) -> Value {
        static MONTH: AtomicU32 = AtomicU32::new(0);
        let month = MONTH.fetch_add(1, Ordering::Relaxed);
        json!({
            "owner_id": owner, "month": format!("2{:03}-{:02}", month / 12, month % 12 + 1), "measure": "signed",
            "amount": money("100.00"),
        })
    }

    pub(super) fn receipt() -> Value {
        json!({"amount": money("10.00"), "received_on": "2026-02-01", "method": "bank_transfer"})
    }

    fn halves() -> Value {
        json!({"amounts": [money("5.00"), money("5.00")]})
    }

    pub(super) fn credit_note(invoice: &str) -> Value {
        json!({
            "invoice_id": invoice, "amount": money("10.00"), "reason": "Wrong price", "tax_invoice_number": unique("R"),
        })
    }

    pub(super) fn refund(payment: &str) -> Value {
        json!({
            "payment_id": payment, "amount": money("10.00"), "refunded_on": "2026-02-01", "method": "bank_transfer",
            "reason": "Paid too much",
        })
    }

    pub(super) fn amendment(contract: &str) -> Value {
        json!({"contract_id": contract, "reason": "They pay later", "ends_on": "2031-12-31"})
    }

    pub(super) fn new_scoring_rule() -> Value {
        json!({"name": unique("Rule"), "field": "phone", "operator": "present", "points": 10})
    }

    /// A rule that fits no lead of this test.
    pub(super) fn new_assignment_rule(&self) -> Value {
        json!({
            "name": unique("Rule"), "position": 1, "regions": [unique("Region")],
            "user_id": self.company.colleague.id,
        })
    }

    /// Another record of the same owner, to be merged.
    pub(super) async fn twin(&self, collection: &str, id: &str) -> String {
        let admin = &self.company.admin.client;
        let seen = admin.get(&format!("/{collection}/{id}")).await.expect(200).body;
        let people =
            [&self.company.rep, &self.company.colleague, &self.company.inner, &self.company.other_rep];
        let people = people.into_iter().chain([&self.company.manager, &self.company.director]);
        let owner = people.into_iter().find(|person| seen["owner_id"] == json!(person.id));
        self.make(collection.trim_end_matches('s'), owner).await
    }

    pub(super) async fn user(&self, state: &str) -> String {
        let admin = &self.company.admin.client;
        let id = admin.post("/users", Self::new_user()).await.expect(201).id();
        if state == "disabled" {
            admin.post(&format!("/users/{id}/disable"), json!({"keep_records": true})).await.expect(200);
        }
        id
    }

    pub(super) fn new_user() -> Value {
        json!({
            "email": format!("{:016x}@example.com", rand::random::<u64>()), "display_name": "Somebody",
            "roles": ["sales_rep"], "password": PASSWORD,
        })
    }

    pub(super) fn new_role() -> Value {
        json!({"key": format!("r{:016x}", rand::random::<u64>()), "name": unique("Role"), "grants": []})
    }

    pub(super) fn new_product() -> Value {
        json!({"code": unique("P"), "name": "Pump", "tax_rate": "0.13"})
    }

    pub(super) fn new_price_list() -> Value {
        json!({"name": unique("List"), "currency": "CNY", "valid_from": "2026-01-01", "prices": []})
    }

    /// One that leads nowhere, and has next to nothing to tell.
    pub(super) fn new_webhook() -> Value {
        json!({"name": unique("Webhook"), "url": "https://receiver.invalid/", "events": ["contact.merged"]})
    }

    pub(super) fn new_pipeline() -> Value {
        json!({"name": unique("Pipeline"), "stages": [
            {"name": "Talk", "probability": 10, "kind": "open"},
            {"name": "Won", "probability": 100, "kind": "won"},
            {"name": "Lost", "probability": 0, "kind": "lost"},
        ]})
    }

    /// Makes a record for a line of a table.
    pub(super) async fn make(&self, target: &str, owner: Owner<'_>) -> String {
        let admin = &self.company.admin.client;
        let (kind, state) = target.split_once('.').unwrap_or((target, ""));
        match (kind, state) {
            ("nothing", _) => NO_ID.to_owned(),
            ("lead", "activity") => {
                let lead = self.lead(owner, "").await;
                self.activity(owner, "lead", &lead).await
            }
            ("lead", state) => self.lead(owner, state).await,
            ("customer", "contact") => {
                let form = json!({"customer_id": self.customer(owner).await, "name": "Zhang"});
                self.author(owner).post("/contacts", form).await.expect(201).id()
            }
            ("customer", "activity") => {
                let customer = self.customer(owner).await;
                self.activity(owner, "customer", &customer).await
            }
            ("customer", "locked") => {
                let id = self.customer(owner).await;
                // What nobody owns needs no lock.
                if owner.is_some() {
                    admin.act(&format!("/customers/{id}/lock")).await.expect(200);
                }
                id
            }
            ("customer" | "pooled", _) => self.customer(owner).await,
            ("opportunity", state) => self.opportunity(owner, state).await,
            ("contract", "") => self.contract(owner, "draft").await,
            ("contract", state) => self.contract(owner, state).await,
            ("invoice", "") => self.invoice(owner, "draft").await,
            ("invoice", state) => self.invoice(owner, state).await,
            ("payment", state) => self.payment(owner, state).await,
            ("change", _) => {
                let customer = self.customer(owner).await;
                let form = json!({"customer_id": customer, "changes": {"note": unique("Note")}});
                self.author(owner).post("/customer-changes", form).await.expect(201).id()
            }
            ("target", _) => {
                let form = Self::target(&owner.unwrap().id);
                admin.post("/targets", form).await.expect(201).id()
            }
            ("receipt", state) => {
                let finance = &self.company.finance_two.client;
                let id = finance.post("/receipts", Self::receipt()).await.expect(201).id();
                if state == "aside" {
                    let aside = format!("/receipts/{id}/set-aside");
                    finance.post(&aside, json!({"reason": "Interest"})).await.expect(200);
                }
                if state == "split" {
                    finance.post(&format!("/receipts/{id}/split"), Self::halves()).await.expect(200);
                }
                id
            }
            ("creditnote", _) => {
                let invoice = self.invoice(owner, "issued").await;
                let form = Self::credit_note(&invoice);
                self.company.finance_two.client.post("/credit-notes", form).await.expect(201).id()
            }
            ("refund", _) => {
                let payment = self.payment(owner, "confirmed").await;
                let form = Self::refund(&payment);
                self.company.finance_two.client.post("/refunds", form).await.expect(201).id()
            }
            ("amendment", _) => {
                let contract = self.contract(owner, "active").await;
                let form = Self::amendment(&contract);
                self.author(owner).post("/amendments", form).await.expect(201).id()
            }
            ("approval", state) => {
                let (subject, step) = state.split_once('.').unwrap();
                let subject = match subject {
                    "contract" => self.contract(owner, "pending").await,
                    _ => self.invoice(owner, "pending").await,
                };
                match step {
                    "first" => self.company.pending(&subject).await,
                    _ => self.approve_first(&subject).await,
                }
            }
            ("collaborator", _) => {
                let form = json!({
                    "customer_id": self.customer(owner).await, "user_id": self.company.other_manager.id,
                    "access": "read",
                });
                self.author(owner).post("/collaborators", form).await.expect(201).id()
            }
            ("transfer", _) => self.transfer(owner).await,
            ("transferapproval", _) => self.company.pending(&self.transfer(owner).await).await,
            ("openpool", _) => {
                admin.post("/public-pools", json!({"name": unique("Pool")})).await.expect(201).id()
            }
            ("leadform", _) => {
                let form = json!({"name": unique("Form"), "fields": ["phone"]});
                admin.post("/lead-forms", form).await.expect(201).id()
            }
            ("rule", "scoring") => {
                admin.post("/scoring-rules", Self::new_scoring_rule()).await.expect(201).id()
            }
            ("rule", _) => admin.post("/assignment-rules", self.new_assignment_rule()).await.expect(201).id(),
            ("job", _) => {
                let run = "/public-pool/recycle-runs?dry_run=true";
                let id = admin.post(run, json!({})).await.expect(202).id();
                // Its version is looked at: nothing but the calls of this test may change it.
                until("the job", async || {
                    let job = admin.get(&format!("/jobs/{id}")).await.expect(200).body;
                    (job["status"] == "finished").then_some(())
                })
                .await;
                id
            }
            ("webhook", state) => {
                let id = admin.post("/webhooks", Self::new_webhook()).await.expect(201).id();
                if state == "disabled" {
                    admin.act(&format!("/webhooks/{id}/disable")).await.expect(200);
                }
                id
            }
            ("webhookdelivery", _) => {
                let webhook = admin.post("/webhooks", Self::new_webhook()).await.expect(201).id();
                let id = admin.act(&format!("/webhooks/{webhook}/ping")).await.expect(200).id();
                // Its version is looked at: it is tried once.
                until("the attempt", async || {
                    let delivery = admin.get(&format!("/webhook-deliveries/{id}")).await.expect(200).body;
                    (delivery["status"] == "failed").then_some(())
                })
                .await;
                id
            }
            ("flow", state) => {
                let flows = admin.get("/approval-flows").await.expect(200);
                flows.body["data"][usize::from(state == "other")]["id"].as_str().unwrap().to_owned()
            }
            ("user", state) => self.user(state).await,
            ("team", _) => admin.post("/teams", json!({"name": unique("Team")})).await.expect(201).id(),
            ("role", _) => admin.post("/roles", Self::new_role()).await.expect(201).id(),
            ("pipeline", _) => admin.post("/pipelines", Self::new_pipeline()).await.expect(201).id(),
            ("attachment", _) => {
                let contract = self.contract(owner, "draft").await;
                let add = Self::upload(&self.company.admin.client, &contract);
                self.company.admin.client.send(add).await.expect(201).id()
            }
            ("product", _) => admin.post("/products", Self::new_product()).await.expect(201).id(),
            ("pricelist", _) => admin.post("/price-lists", Self::new_price_list()).await.expect(201).id(),
            ("audit", _) => {
                let events = admin.get("/audit-events?limit=1").await.expect(200);
                events.body["data"][0]["id"].as_str().unwrap().to_owned()
            }
            _ => panic!("nobody knows how to make a {target}"),
        }
    }

    /// A valid body for an operation; `id` is the record that the line is about.
    pub(super) async fn body(&self, operation: &str, target: &str, id: &str) -> Value {
        let colleague = &self.company.colleague.id;
        match operation {
            "merge_lead" => json!({"loser_id": Box::pin(self.twin("leads", id)).await}),
            "merge_customer" => json!({"loser_id": Box::pin(self.twin("customers", id)).await}),
            "bulk_leads" => json!({"action": "qualify", "mode": "best_effort", "items": [{"id": NO_ID}]}),
            "bulk_customers" => json!({"action": "lock", "mode": "best_effort", "items": [{"id": NO_ID}]}),
            "create_lead_form" => json!({"name": unique("Form"), "fields": ["phone"]}),
            "create_webhook" => Self::new_webhook(),
            "update_webhook" | "update_lead_form" | "update_public_pool" | "update_product"
            | "update_price_list" => {
                json!({"name": unique("Renamed")})
            }
            "move_customer_to_pool" => json!({"pool_id": self.company.pool}),
            "distribute_pool_customers" => json!({
                "customer_ids": [self.customer(None).await], "members": [{"user_id": colleague}],
                "strategy": "round_robin",
            }),
            "create_public_pool" => json!({"name": unique("Pool")}),
            "create_collaborator" => {
                json!({"customer_id": id, "user_id": self.company.other_manager.id, "access": "read"})
            }
            "update_collaborator" => json!({"access": "write"}),
            "request_transfer" => json!({
                "kind": "customers", "record_ids": [id], "to_user_id": self.company.other_manager.id,
                "reason": "Closer by",
            }),
            "hand_over_user" => json!({"to_pool": true, "reason": "Left"}),
            "update_settings" => json!({"due_soon_days": 7}),
            "create_scoring_rule" => Self::new_scoring_rule(),
            "create_assignment_rule" => self.new_assignment_rule(),
            "update_scoring_rule" | "update_assignment_rule" => json!({"name": unique("Rule")}),
            "create_lead" => json!({"name": unique("Lead"), "source": "website"}),
            "update_lead" | "update_customer" | "update_opportunity" | "update_invoice" => {
                json!({"note": "Changed"})
            }
            "assign_lead" | "assign_customer" => json!({"owner_id": colleague}),
            "disqualify_lead" => json!({"reason": "no_need"}),
            "create_customer" => json!({"kind": "company", "name": unique("Customer")}),
            "release_customer" | "terminate_contract" | "void_invoice" | "reject_payment"
            | "reverse_payment" | "reject_refund" | "set_aside_receipt" => json!({"reason": "It must be"}),
            "split_receipt" => Self::halves(),
            "create_contact" => json!({"customer_id": id, "name": "Zhang"}),
            "update_contact" => json!({"name": "Wang"}),
            "create_activity" => {
                let kind = target.strip_prefix("in:").unwrap();
                json!({"about": {"kind": kind, "id": id}, "kind": "call", "subject": "Called"})
            }
            "update_activity" => json!({"subject": "Called again"}),
            "create_opportunity" => json!({"name": unique("Opportunity"), "customer_id": id}),
            "advance_opportunity" => json!({"stage_id": self.company.stage(1)}),
            "lose_opportunity" => json!({"reason": "price"}),
            "create_contract" => json!({
                "title": "Delivery", "customer_id": id, "amount": money("1000.00"),
                "collection_scheme": "by_contract",
            }),
            "plan_contract" => json!({"starts_on": "2031-01-31", "months": 3}),
            "update_contract" => json!({"title": "Another title"}),
            "issue_credit_note" => Self::credit_note(id),
            "record_refund" => Self::refund(id),
            "request_customer_change" => json!({"customer_id": id, "changes": {"note": unique("Note")}}),
            "create_target" => Self::target(colleague),
            "update_target" => json!({"amount": money("200.00")}),
            "record_receipt" => Self::receipt(),
            "import_receipts" => json!({
                "csv": "Date,Amount\n", "columns": {"received_on": "Date", "amount": "Amount"}, "currency": "CNY",
                "method": "bank_transfer",
            }),
            "bulk_receipts" => {
                json!({"action": "set_aside", "mode": "best_effort", "items": [{"id": NO_ID, "reason": "x"}]})
            }
            "match_receipt" => {
                let contract = self.contract(Some(&self.company.rep), "active").await;
                json!({"contract_id": contract})
            }
            "reallocate_payment" => json!({"reason": "For the other one"}),
            "bulk_payments" => {
                json!({"action": "label", "mode": "best_effort", "items": [{"id": NO_ID, "labels": []}]})
            }
            "request_amendment" => Self::amendment(id),
            "create_invoice" => json!({
                "contract_id": id, "amount": money("10.00"), "tax_rate": "0.13", "kind": "ordinary",
            }),
            "issue_invoice" => json!({"tax_invoice_number": unique("T")}),
            "record_payment" => Company::payment(id, "10.00"),
            "update_payment" => json!({"payer": "Somebody"}),
            "reject_request" | "comment_on_request" => json!({"comment": "Not like this"}),
            "return_request" => json!({"comment": "Look again", "step": 0}),
            "add_approval_step" => json!({"user_id": self.company.auditor.id, "place": "after"}),
            "update_approval_flow" => json!({"enabled": true}),
            "create_user" => Self::new_user(),
            "update_user" => json!({"display_name": "Renamed"}),
            "set_user_password" => json!({"password": PASSWORD}),
            "create_team" | "update_team" => json!({"name": unique("Team")}),
            "create_role" => Self::new_role(),
            "update_role" => json!({"name": unique("Role")}),
            "create_pipeline" => Self::new_pipeline(),
            "update_pipeline" => json!({"name": unique("Pipeline")}),
            "create_product" => Self::new_product(),
            "create_price_list" => Self::new_price_list(),
            "quote_prices" => {
                let admin = &self.company.admin.client;
                let product = admin.post("/products", Self::new_product()).await.expect(201).id();
                let mut list = Self::new_price_list();
                list["prices"] = json!([{"product_id": product, "unit_price": money("10.00")}]);
                admin.post("/price-lists", list).await.expect(201);
                json!({"currency": "CNY", "lines": [{"product_id": product, "quantity": "2"}]})
            }
            // To run the recycling as well: no rule is on, so that nothing goes.
            _ => json!({}),
        }
    }

    pub(super) fn upload(caller: &Client, contract: &str) -> reqwest::RequestBuilder {
        let path = format!("/contracts/{contract}/attachments?file_name=a.txt");
        caller.request(Method::POST, &path).header("content-type", "text/plain").body("signed")
    }

    pub(super) async fn call(&self, caller: &Client, operation: &str, target: &str, id: &str) -> Answer {
        let Operation { method, path, .. } = &self.spec[operation];
        let mut request = caller.root(method.clone(), &path.replace("{id}", id));
        if matches!(*method, Method::PATCH | Method::DELETE) {
            request = request.header("if-match", "*");
        }
        if operation == "add_contract_attachment" {
            request = Self::upload(caller, id);
        } else if matches!(*method, Method::POST | Method::PATCH) {
            request = request.json(&self.body(operation, target, id).await);
        }
        caller.send(request).await
    }

    /// The relations in which a line can be tried, and the record of each.
    pub(super) fn relations(&self, role: &str, target: &str) -> Vec<Relation> {
        let kind = target.trim_start_matches("in:").split('.').next().unwrap();
        let fits = |relation: &Relation| match kind {
            // They belong to the organisation as a whole.
            "nothing" | "team" | "role" | "pipeline" | "product" | "pricelist" | "audit" | "openpool"
            | "leadform" | "rule" | "job" => *relation == Relation::Other,
            "user" => matches!(relation, Relation::Own | Relation::Other),
            "lead" | "customer" | "pooled" => self.owner(role, *relation).is_some(),
            _ => *relation != Relation::Pool && self.owner(role, *relation).is_some(),
        };
        RELATIONS.into_iter().filter(fits).collect()
    }

    pub(super) async fn record(&self, role: &str, relation: Relation, target: &str) -> String {
        if target.starts_with("user") && relation == Relation::Own {
            return self.caller(role).id.clone();
        }
        // There is one of each kind: what one may change is another one than what others may not.
        let target = if target == "flow" && role != "admin" { "flow.other" } else { target };
        let owner = self.owner(role, relation).unwrap();
        self.make(target.trim_start_matches("in:"), owner).await
    }

    /// The version of the record that an operation is about, as the administrator sees it.
    pub(super) async fn version(&self, operation: &str, id: &str) -> Option<i64> {
        let (collection, _) = self.spec[operation].path.split_once("/{id}")?;
        let collection = collection.replace("/public-pool/", "/");
        let seen = self.company.admin.client.get_root(&format!("{collection}/{id}")).await.expect(200);
        seen.body["version"].as_i64()
    }

    /// Tries every role in every relation on one line of a table, and says what was not as designed.
    pub(super) async fn try_line(
        &mut self,
        operation: &str,
        target: &str,
        words: [&str; 7],
        wrong: &mut Vec<String>,
    ) {
        let kind = target.trim_start_matches("in:").split('.').next().unwrap();
        let reads = read_words(if target == "customer.activity" { target } else { kind });
        let mut succeeded = false;
        // What refused calls leave alone is shared among them.
        let mut untouched: BTreeMap<String, (String, Option<i64>)> = BTreeMap::new();
        for (at, role) in ROLES.into_iter().enumerate() {
            for relation in self.relations(role, target) {
                let expected = if covers(words[at], relation) {
                    Expected::Allowed
                } else if covers(reads[at], relation) {
                    Expected::Forbidden
                } else {
                    Expected::Hidden
                };
                let owner = self.owner(role, relation).flatten().map_or("pool", |person| &person.id);
                let alone = kind == "user" || kind == "flow";
                let shared = if alone { format!("{role} {relation:?}") } else { owner.to_owned() };
                let id = match untouched.get(&shared) {
                    Some((id, _)) if expected != Expected::Allowed => id.clone(),
                    _ => self.record(role, relation, target).await,
                };
                if expected != Expected::Allowed && !untouched.contains_key(&shared) {
                    let version = self.version(operation, &id).await;
                    untouched.insert(shared, (id.clone(), version));
                }
                let answer = self.call(&self.caller(role).client, operation, target, &id).await;
                succeeded |= answer.status < 300;
                let code = answer.body["code"].as_str().unwrap_or_default();
                let right = match expected {
                    Expected::Allowed => !matches!(answer.status, 401 | 403 | 404) && answer.status < 500,
                    Expected::Forbidden => (answer.status, code) == (403, "forbidden"),
                    Expected::Hidden if target.starts_with("in:") => {
                        (answer.status, code) == (422, "unknown_reference")
                    }
                    Expected::Hidden => (answer.status, code) == (404, "not_found"),
                };
                // Of what is hidden, nothing may differ from what does not exist.
                let plain = expected != Expected::Hidden || owner == "pool" || !answer.text.contains(owner);
                if !right || !plain {
                    wrong.push(format!(
                        "{operation} ({target}, {relation:?}) by {role}: expected {expected:?}, got {} {}",
                        answer.status, answer.text
                    ));
                }
                // Whoever sets their own password has to log in anew.
                if operation == "set_user_password" && answer.status < 300 {
                    self.company.admin.client = self.server.admin().await;
                }
            }
        }
        for (id, before) in untouched.into_values() {
            let after = self.version(operation, &id).await;
            if before != after {
                wrong.push(format!(
                    "{operation} ({target}) was refused and changed {id}: {before:?} to {after:?}"
                ));
            }
        }
        if !succeeded {
            wrong.push(format!("{operation} ({target}) never succeeded, so the line proves nothing"));
        }
    }
}
