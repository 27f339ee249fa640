//! Invoices, payments, refunds and receipts.

use serde_json::{Value, json};

use super::{Records, every_pair};
use crate::support::{Client, Company, Server};

struct Invoices {
    company: Company,
    contract: String,
}

impl Records for Invoices {
    const MACHINE: &'static str = "invoice";

    fn company(&self) -> &Company {
        &self.company
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let Company { rep, finance, director, .. } = &self.company;
        let draft = async || self.company.invoice_draft(rep, &self.contract, "1.00").await;
        match state {
            "draft" => draft().await,
            "pending_approval" => {
                let id = draft().await;
                // By whoever will try to withdraw it.
                director.client.act(&format!("/invoices/{id}/submit")).await.expect(200);
                id
            }
            "approved" => {
                let id = draft().await;
                rep.client.act(&format!("/invoices/{id}/submit")).await.expect(200);
                self.company.approve(&id).await;
                id
            }
            "issued" => self.company.issued(rep, &self.contract, "1.00").await,
            "credited" => {
                let id = self.company.issued(rep, &self.contract, "1.00").await;
                let form = json!({
                    "invoice_id": id, "amount": {"amount": "1.00", "currency": "CNY"}, "reason": "wrong price",
                    "tax_invoice_number": format!("R-{}", rand::random::<u64>()),
                });
                finance.client.post("/credit-notes", form).await.expect(201);
                id
            }
            "voided" => {
                let id = self.company.issued(rep, &self.contract, "1.00").await;
                let form = json!({"reason": "wrong title"});
                finance.client.post(&format!("/invoices/{id}/void"), form).await.expect(200);
                id
            }
            "cancelled" => {
                let id = draft().await;
                rep.client.act(&format!("/invoices/{id}/cancel")).await.expect(200);
                id
            }
            other => panic!("no invoice is made {other}"),
        }
    }

    fn actor(&self, action: &str) -> &Client {
        match action {
            "issue" | "void" => &self.company.finance.client,
            _ => &self.company.director.client,
        }
    }

    fn path(&self, id: &str) -> String {
        format!("/invoices/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "issue" => json!({"tax_invoice_number": format!("T-{}", rand::random::<u64>())}),
            "void" => json!({"reason": "wrong tax number"}),
            _ => json!({}),
        }
    }
}

struct Payments {
    company: Company,
    contract: String,
}

impl Records for Payments {
    const MACHINE: &'static str = "payment";

    fn company(&self) -> &Company {
        &self.company
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let (rep, finance) = (&self.company.rep.client, &self.company.finance.client);
        let id = rep.post("/payments", Company::payment(&self.contract, "1.00")).await.expect(201).id();
        let payment = format!("/payments/{id}");
        if ["confirmed", "reversed", "refunded"].contains(&state) {
            finance.act(&format!("{payment}/confirm")).await.expect(200);
        }
        match state {
            "recorded" | "confirmed" => {}
            "rejected" => {
                finance.post(&format!("{payment}/reject"), json!({"reason": "not there"})).await.expect(200);
            }
            "refunded" => {
                let form = json!({
                    "payment_id": id, "amount": {"amount": "1.00", "currency": "CNY"}, "refunded_on": "2026-02-01",
                    "method": "bank_transfer", "reason": "too much",
                });
                let refund = finance.post("/refunds", form).await.expect(201).id();
                self.company.finance_two.client.act(&format!("/refunds/{refund}/confirm")).await.expect(200);
            }
            "reversed" => {
                finance.post(&format!("{payment}/reverse"), json!({"reason": "sent back"})).await.expect(200);
            }
            other => panic!("no payment is made {other}"),
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.company.finance.client
    }

    fn path(&self, id: &str) -> String {
        format!("/payments/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "reject" | "reverse" | "reallocate" => json!({"reason": "the bank says no"}),
            _ => json!({}),
        }
    }
}

struct Refunds {
    company: Company,
    contract: String,
}

impl Records for Refunds {
    const MACHINE: &'static str = "refund";

    fn company(&self) -> &Company {
        &self.company
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let Company { rep, finance, finance_two, .. } = &self.company;
        let payment = self.company.paid(rep, &self.contract, "2.00").await;
        let form = json!({
            "payment_id": payment, "amount": {"amount": "1.00", "currency": "CNY"}, "refunded_on": "2026-02-01",
            "method": "bank_transfer", "reason": "too much",
        });
        let id = finance_two.client.post("/refunds", form).await.expect(201).id();
        match state {
            "recorded" => {}
            "confirmed" => {
                finance.client.act(&format!("/refunds/{id}/confirm")).await.expect(200);
            }
            "rejected" => {
                let form = json!({"reason": "not agreed"});
                finance.client.post(&format!("/refunds/{id}/reject"), form).await.expect(200);
            }
            other => panic!("no refund is made {other}"),
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.company.finance.client
    }

    fn path(&self, id: &str) -> String {
        format!("/refunds/{id}")
    }

    fn body(&self, action: &str) -> Value {
        if action == "reject" { json!({"reason": "not agreed"}) } else { json!({}) }
    }
}

struct Receipts {
    company: Company,
    contract: String,
}

impl Records for Receipts {
    const MACHINE: &'static str = "receipt";

    fn company(&self) -> &Company {
        &self.company
    }

    async fn make(&self, state: &str, _: &str) -> String {
        let finance = &self.company.finance.client;
        let form = json!({
            "amount": {"amount": "1.00", "currency": "CNY"}, "received_on": "2026-02-01", "method": "bank_transfer",
        });
        let id = finance.post("/receipts", form).await.expect(201).id();
        match state {
            "open" => {}
            "matched" => {
                finance.post(&format!("/receipts/{id}/match"), self.body("match")).await.expect(200);
            }
            "set_aside" => {
                finance.post(&format!("/receipts/{id}/set-aside"), self.body("set_aside")).await.expect(200);
            }
            "split" => {
                finance.post(&format!("/receipts/{id}/split"), self.body("split")).await.expect(200);
            }
            other => panic!("no receipt is made {other}"),
        }
        id
    }

    fn actor(&self, _: &str) -> &Client {
        &self.company.finance.client
    }

    fn path(&self, id: &str) -> String {
        format!("/receipts/{id}")
    }

    fn body(&self, action: &str) -> Value {
        match action {
            "match" => json!({"contract_id": self.contract}),
            "set_aside" => json!({"reason": "interest"}),
            "split" => json!({"amounts": [
                {"amount": "0.40", "currency": "CNY"}, {"amount": "0.60", "currency": "CNY"},
            ]}),
            _ => json!({}),
        }
    }
}

pub(super) async fn invoices_follow_their_machine(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "1000000.00", "by_invoice").await;
    every_pair(&Invoices { company, contract }).await;
}

pub(super) async fn payments_follow_their_machine(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "1000000.00", "by_contract").await;
    every_pair(&Payments { company, contract }).await;
}

pub(super) async fn refunds_follow_their_machine(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "1000000.00", "by_contract").await;
    every_pair(&Refunds { company, contract }).await;
}

pub(super) async fn receipts_follow_their_machine(server: Server) {
    let company = Company::found(&server).await;
    let contract = company.active(&company.rep, "1000000.00", "by_contract").await;
    every_pair(&Receipts { company, contract }).await;
}
