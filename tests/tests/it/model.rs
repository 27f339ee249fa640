//! The money of contracts against a reference model: random operations by several actors at once, each answer and
//! every sum as the model says. The model is written from the design, in whole cents, without looking at the rules.
//!
//! `FAIRLEAD_TEST_SEED` repeats a history.

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Company, Server, report, rounds, seed};

on_both_databases! {
    money_follows_the_model;
}

/// How many operations a history has; there is one on each database, or many in a long run. It ends before the logins
/// do that it began with.
const STEPS: usize = 5_000;
/// How many contracts are worked on at once.
const ACTORS: usize = 6;
/// After how many operations a contract is left for another one.
const LIFE: usize = 60;

async fn money_follows_the_model(server: Server) {
    let (kind, first, histories) = (server.database.kind, seed(), rounds(1, 100));
    let (mut done, mut granted) = (0, 0);
    for seed in first..first + histories {
        println!("the history of seed {seed}");
        let server = Server::start(kind).await;
        let keeper = server.keeper();
        let (its_done, its_granted) = history(&server, seed).await;
        keeper.verify().await;
        keeper.specified();
        done += its_done;
        granted += its_granted;
    }
    let told = format!(
        "{histories} histories of contracts, {done} operations, {granted} granted, 0 other than the model; \
         seeds from {first}"
    );
    report("T8", kind, &told);
}

/// One history: how many operations were done, and how many of them granted.
async fn history(server: &Server, seed: u64) -> (usize, usize) {
    let company = Company::found(server).await;
    company.tell_no_duplicates().await;
    company.set(json!({"ownership": {"limit": 1_000_000}})).await;
    let mut seeds = StdRng::seed_from_u64(seed);
    let actors = (0..ACTORS).map(|_| StdRng::seed_from_u64(seeds.random())).map(|mut random| {
        let company = &company;
        async move {
            let (mut done, mut granted) = (0, 0);
            while done < STEPS / ACTORS + 1 {
                let mut contract = Ledger::sign(company, &mut random).await;
                for _ in 0..LIFE {
                    if let Some(was_granted) = contract.step(company, &mut random).await {
                        done += 1;
                        granted += usize::from(was_granted);
                        contract.compare(company).await;
                    }
                }
            }
            (done, granted)
        }
    });
    let told = join_all(actors).await;
    let (done, granted): (Vec<usize>, Vec<usize>) = told.into_iter().unzip();
    let (done, granted): (usize, usize) = (done.iter().sum(), granted.iter().sum());
    assert!(done >= STEPS);
    assert!(granted * 2 > done, "most operations were refused: the model tries nothing");
    (done, granted)
}

/// An amount as the API writes it.
fn cny(cents: i64) -> Value {
    json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "CNY"})
}

fn cents(money: &Value) -> i64 {
    money["amount"].as_str().unwrap().replace('.', "").parse().unwrap()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Invoicing {
    Pending,
    Approved,
    Issued,
    Over,
}

#[derive(Debug)]
struct Invoice {
    id: String,
    amount: i64,
    credited: i64,
    state: Invoicing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paying {
    Recorded,
    Confirmed,
    Over,
}

#[derive(Debug)]
struct Payment {
    id: String,
    amount: i64,
    refunded: i64,
    state: Paying,
    /// On which invoice or installment how much was put.
    on_invoices: Vec<(usize, i64)>,
    on_parts: Vec<(usize, i64)>,
}

#[derive(Debug)]
struct Part {
    id: String,
    due: String,
    amount: i64,
    closed: bool,
}

/// A contract, and what the model thinks of it.
#[derive(Debug)]
struct Ledger {
    id: String,
    by_invoice: bool,
    amount: i64,
    terminated: bool,
    invoices: Vec<Invoice>,
    payments: Vec<Payment>,
    parts: Vec<Part>,
}

/// What an operation should answer.
type Expected = Result<(), &'static str>;

/// Whether an operation was granted, which must be as expected.
#[track_caller]
fn settle(what: &str, answer: &Answer, expected: Expected) -> bool {
    match expected {
        Ok(()) => {
            assert!(answer.status < 300, "{what} was refused: {}", answer.text);
            true
        }
        Err(code) => {
            assert_eq!(answer.body["code"], code, "{what}: {}", answer.text);
            assert_eq!(answer.status, 409, "{what}: {}", answer.text);
            false
        }
    }
}

impl Ledger {
    async fn sign(company: &Company, random: &mut StdRng) -> Self {
        let by_invoice = random.random_bool(0.5);
        let rep = &company.rep.client;
        let shares: Vec<i64> =
            (0..random.random_range(1..5)).map(|_| random.random_range(1..30_000)).collect();
        let amount: i64 = shares.iter().sum();
        let plan = shares
            .iter()
            .zip(1..)
            .map(|(share, month)| json!({"due_on": format!("2031-{month:02}-01"), "amount": cny(*share)}));
        let form = json!({
            "title": "Model", "customer_id": company.customer(&company.rep).await, "amount": cny(amount),
            "collection_scheme": if by_invoice { "by_invoice" } else { "by_contract" },
            "installments": plan.collect::<Vec<_>>(),
        });
        let id = rep.post("/contracts", form).await.expect(201).id();
        rep.act(&format!("/contracts/{id}/submit")).await.expect(200);
        company.approve(&id).await;
        let mut ledger = Self {
            id,
            by_invoice,
            amount,
            terminated: false,
            invoices: Vec::new(),
            payments: Vec::new(),
            parts: Vec::new(),
        };
        ledger.read_parts(company).await;
        ledger
    }

    /// New installments get their ids from the server; the model keeps the rest.
    async fn read_parts(&mut self, company: &Company) {
        let billing =
            company.rep.client.get(&format!("/contracts/{}/billing", self.id)).await.expect(200).body;
        for part in billing["installments"].as_array().unwrap() {
            let id = part["id"].as_str().unwrap();
            if self.parts.iter().all(|known| known.id != id) {
                self.parts.push(Part {
                    id: id.to_owned(),
                    due: part["due_on"].as_str().unwrap().to_owned(),
                    amount: cents(&part["amount"]),
                    closed: false,
                });
            }
        }
    }

    // What follows from the rows.

    fn counted(&self, which: impl Fn(&Payment) -> bool) -> i64 {
        self.payments.iter().filter(|it| which(it)).map(|it| it.amount - it.refunded).sum()
    }

    fn received(&self) -> i64 {
        self.counted(|it| it.state != Paying::Over)
    }

    fn paid(&self) -> i64 {
        self.counted(|it| it.state == Paying::Confirmed)
    }

    fn invoiced(&self, which: impl Fn(Invoicing) -> bool) -> i64 {
        self.invoices.iter().filter(|it| which(it.state)).map(|it| it.amount - it.credited).sum()
    }

    fn committed(&self) -> i64 {
        self.invoiced(|state| state != Invoicing::Over)
    }

    fn issued(&self) -> i64 {
        self.invoiced(|state| state == Invoicing::Issued)
    }

    fn completed(&self) -> bool {
        !self.terminated && self.paid() == self.amount && (!self.by_invoice || self.issued() == self.amount)
    }

    fn status(&self) -> &'static str {
        match (self.terminated, self.completed()) {
            (true, _) => "terminated",
            (false, true) => "completed",
            (false, false) => "active",
        }
    }

    fn on_invoice(&self, at: usize) -> i64 {
        let live = self.payments.iter().filter(|it| it.state != Paying::Over);
        live.flat_map(|it| &it.on_invoices).filter(|(target, _)| *target == at).map(|(_, share)| share).sum()
    }

    fn on_part(&self, at: usize) -> i64 {
        let live = self.payments.iter().filter(|it| it.state != Paying::Over);
        live.flat_map(|it| &it.on_parts).filter(|(target, _)| *target == at).map(|(_, share)| share).sum()
    }

    /// Cuts an amount over what has room, the oldest first; nothing when there is not enough of it.
    fn cut(amount: i64, rooms: impl Iterator<Item = (usize, i64)>) -> Option<Vec<(usize, i64)>> {
        let (mut rest, mut shares) = (amount, Vec::new());
        for (at, room) in rooms {
            let share = rest.min(room);
            if share > 0 {
                shares.push((at, share));
                rest -= share;
            }
        }
        (rest == 0).then_some(shares)
    }

    /// On what an amount is put, the oldest first.
    fn allocate(&self, amount: i64) -> Option<[Vec<(usize, i64)>; 2]> {
        let mut order: Vec<usize> = (0..self.parts.len()).filter(|at| !self.parts[*at].closed).collect();
        order.sort_by_key(|at| (&self.parts[*at].due, *at));
        let parts = order.into_iter().map(|at| (at, self.parts[at].amount - self.on_part(at)));
        let invoices = self.invoices.iter().enumerate().filter(|(_, it)| it.state == Invoicing::Issued);
        let invoices = invoices.map(|(at, it)| (at, it.amount - it.credited - self.on_invoice(at)));
        let on_invoices = if self.by_invoice { Self::cut(amount, invoices)? } else { Vec::new() };
        Some([on_invoices, Self::cut(amount, parts)?])
    }

    fn any(random: &mut StdRng, count: usize) -> Option<usize> {
        (count > 0).then(|| random.random_range(0..count))
    }

    // What is done.

    /// One random operation. Says whether it was granted; nothing, when there was nothing to do it to.
    async fn step(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        match random.random_range(0..100) {
            0..18 => self.submit_invoice(company, random).await,
            18..34 => self.decide_invoice(company, random).await,
            34..42 => self.issue(company, random).await,
            42..45 => self.void(company, random).await,
            45..50 => self.credit(company, random).await,
            50..68 => self.record(company, random).await,
            68..80 => self.decide_payment(company, random).await,
            80..84 => self.reverse(company, random).await,
            84..88 => self.reallocate(company, random).await,
            88..93 => self.refund(company, random).await,
            93..99 => self.amend(company, random).await,
            _ => self.terminate(company, random).await,
        }
    }

    async fn submit_invoice(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let amount = random.random_range(1..=self.amount * 2 / 3 + 1);
        let rep = &company.rep.client;
        let form = json!({
            "contract_id": self.id, "amount": cny(amount), "tax_rate": "0.13", "kind": "ordinary",
        });
        let drafted = rep.post("/invoices", form).await;
        if self.terminated {
            return Some(settle("draft an invoice", &drafted, Err("contract_not_active")));
        }
        let id = drafted.expect(201).id();
        let fits = self.committed() + amount <= self.amount;
        let expected = if fits { Ok(()) } else { Err("invoice_exceeds_contract") };
        let answer = rep.act(&format!("/invoices/{id}/submit")).await;
        let granted = settle("submit an invoice", &answer, expected);
        if granted {
            self.invoices.push(Invoice { id, amount, credited: 0, state: Invoicing::Pending });
        }
        Some(granted)
    }

    async fn decide_invoice(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let pending: Vec<usize> = self.at_invoices(Invoicing::Pending);
        let at = Self::any(random, pending.len()).map(|at| pending[at])?;
        let approval = company.pending(&self.invoices[at].id).await;
        let path = |what: &str| format!("/approvals/{approval}/{what}");
        let approvers = [&company.director.client, &company.finance.client];
        if random.random_bool(0.15) {
            let by = approvers[0];
            by.post(&path("reject"), json!({"comment": "No"})).await.expect(200);
            self.invoices[at].state = Invoicing::Over;
            return Some(true);
        }
        approvers[0].post(&path("approve"), json!({})).await.expect(200);
        let last = approvers[1].post(&path("approve"), json!({})).await;
        let expected = if self.terminated { Err("contract_not_active") } else { Ok(()) };
        if settle("approve an invoice", &last, expected) {
            self.invoices[at].state = Invoicing::Approved;
            return Some(true);
        }
        // It waits for finance for ever; whoever asked takes it back.
        company.rep.client.act(&path("withdraw")).await.expect(200);
        self.invoices[at].state = Invoicing::Over;
        Some(false)
    }

    fn at_invoices(&self, state: Invoicing) -> Vec<usize> {
        (0..self.invoices.len()).filter(|at| self.invoices[*at].state == state).collect()
    }

    fn at_payments(&self, state: Paying) -> Vec<usize> {
        (0..self.payments.len()).filter(|at| self.payments[*at].state == state).collect()
    }

    async fn issue(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let approved = self.at_invoices(Invoicing::Approved);
        let at = Self::any(random, approved.len()).map(|at| approved[at])?;
        let form = json!({"tax_invoice_number": format!("T-{}", self.invoices[at].id)});
        let path = format!("/invoices/{}/issue", self.invoices[at].id);
        let answer = company.finance.client.post(&path, form).await;
        let expected = if self.terminated { Err("contract_not_active") } else { Ok(()) };
        let granted = settle("issue an invoice", &answer, expected);
        if granted {
            self.invoices[at].state = Invoicing::Issued;
        }
        Some(granted)
    }

    async fn void(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let issued = self.at_invoices(Invoicing::Issued);
        let at = Self::any(random, issued.len()).map(|at| issued[at])?;
        let expected = if self.on_invoice(at) > 0 {
            Err("invoice_has_payments")
        } else if self.invoices[at].credited > 0 {
            Err("invoice_credited")
        } else {
            Ok(())
        };
        let path = format!("/invoices/{}/void", self.invoices[at].id);
        let answer = company.finance.client.post(&path, json!({"reason": "Wrong"})).await;
        let granted = settle("void an invoice", &answer, expected);
        if granted {
            self.invoices[at].state = Invoicing::Over;
        }
        Some(granted)
    }

    async fn credit(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let issued = self.at_invoices(Invoicing::Issued);
        let at = Self::any(random, issued.len()).map(|at| issued[at])?;
        let amount = random.random_range(1..=self.invoices[at].amount);
        let open = self.invoices[at].amount - self.invoices[at].credited - self.on_invoice(at);
        let expected = if amount <= open {
            Ok(())
        } else if self.on_invoice(at) > 0 {
            Err("invoice_has_payments")
        } else {
            Err("credit_exceeds_invoice")
        };
        let form = json!({
            "invoice_id": self.invoices[at].id, "amount": cny(amount), "reason": "Price",
            "tax_invoice_number": format!("R-{:x}", random.random::<u64>()),
        });
        let answer = company.finance.client.post("/credit-notes", form).await;
        let granted = settle("credit an invoice", &answer, expected);
        if granted {
            self.invoices[at].credited += amount;
            if self.invoices[at].credited == self.invoices[at].amount {
                self.invoices[at].state = Invoicing::Over;
            }
        }
        Some(granted)
    }

    async fn record(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let most =
            if random.random_bool(0.8) { (self.amount - self.received()).max(1) } else { self.amount + 1 };
        let amount = random.random_range(1..=most);
        let shares = self.allocate(amount);
        let expected = if self.terminated || self.completed() {
            Err("contract_not_active")
        } else if self.received() + amount > self.amount {
            Err("payment_exceeds_contract")
        } else if shares.is_none() {
            Err("nothing_to_allocate")
        } else {
            Ok(())
        };
        let mut form = Company::payment(&self.id, "1.00");
        form["amount"] = cny(amount);
        let answer = company.rep.client.post("/payments", form).await;
        let granted = settle("record a payment", &answer, expected);
        if granted {
            let [on_invoices, on_parts] = shares.unwrap();
            let (id, state) = (answer.id(), Paying::Recorded);
            self.payments.push(Payment { id, amount, refunded: 0, state, on_invoices, on_parts });
        }
        Some(granted)
    }

    async fn decide_payment(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let recorded = self.at_payments(Paying::Recorded);
        let at = Self::any(random, recorded.len()).map(|at| recorded[at])?;
        let payment = format!("/payments/{}", self.payments[at].id);
        let finance = &company.finance.client;
        if random.random_bool(0.2) {
            finance.post(&format!("{payment}/reject"), json!({"reason": "Not there"})).await.expect(200);
            self.payments[at].state = Paying::Over;
        } else {
            finance.act(&format!("{payment}/confirm")).await.expect(200);
            self.payments[at].state = Paying::Confirmed;
        }
        Some(true)
    }

    /// What a terminated contract had paid is not asked for again.
    fn close_paid_parts(&mut self, at: usize) {
        if self.terminated {
            let named: Vec<usize> = self.payments[at].on_parts.iter().map(|(part, _)| *part).collect();
            for part in named {
                self.parts[part].closed = true;
            }
        }
    }

    async fn reverse(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let confirmed = self.at_payments(Paying::Confirmed);
        let at = Self::any(random, confirmed.len()).map(|at| confirmed[at])?;
        let expected = if self.payments[at].refunded > 0 { Err("payment_refunded") } else { Ok(()) };
        let path = format!("/payments/{}/reverse", self.payments[at].id);
        let answer = company.finance.client.post(&path, json!({"reason": "Bounced"})).await;
        let granted = settle("reverse a payment", &answer, expected);
        if granted {
            self.close_paid_parts(at);
            self.payments[at].state = Paying::Over;
        }
        Some(granted)
    }

    async fn reallocate(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let live: Vec<usize> =
            (0..self.payments.len()).filter(|at| self.payments[*at].state != Paying::Over).collect();
        let at = Self::any(random, live.len()).map(|at| live[at])?;
        let before = std::mem::replace(&mut self.payments[at].state, Paying::Over);
        let left = self.payments[at].amount - self.payments[at].refunded;
        let shares = self.allocate(left);
        self.payments[at].state = before;
        let expected = if self.terminated {
            Err("contract_not_active")
        } else if shares.is_none() {
            Err("nothing_to_allocate")
        } else {
            Ok(())
        };
        let path = format!("/payments/{}/reallocate", self.payments[at].id);
        let answer = company.finance.client.post(&path, json!({"reason": "Elsewhere"})).await;
        let granted = settle("put a payment elsewhere", &answer, expected);
        if granted {
            [self.payments[at].on_invoices, self.payments[at].on_parts] = shares.unwrap();
        }
        Some(granted)
    }

    async fn refund(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let confirmed = self.at_payments(Paying::Confirmed);
        let at = Self::any(random, confirmed.len()).map(|at| confirmed[at])?;
        let left = self.payments[at].amount - self.payments[at].refunded;
        let amount = random.random_range(1..=left + left / 4 + 1);
        let expected = if amount <= left { Ok(()) } else { Err("refund_exceeds_payment") };
        let form = json!({
            "payment_id": self.payments[at].id, "amount": cny(amount), "refunded_on": "2026-02-01",
            "method": "bank_transfer", "reason": "Too much",
        });
        let answer = company.finance_two.client.post("/refunds", form).await;
        if !settle("refund a payment", &answer, expected) {
            return Some(false);
        }
        company.finance.client.act(&format!("/refunds/{}/confirm", answer.id())).await.expect(200);
        self.close_paid_parts(at);
        let payment = &mut self.payments[at];
        payment.refunded += amount;
        let left = payment.amount - payment.refunded;
        // The newest shares go first.
        payment.on_invoices = Self::cut(left, payment.on_invoices.iter().copied()).unwrap_or_default();
        payment.on_parts = Self::cut(left, payment.on_parts.iter().copied()).unwrap();
        if left == 0 {
            payment.state = Paying::Over;
        }
        Some(true)
    }

    /// Another amount: what is paid on stays, and one new installment has the rest.
    async fn amend(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        let amount = random.random_range(1..=self.amount * 3 / 2 + 2);
        let month = random.random_range(1..=12);
        let due = format!("2032-{month:02}-01");
        let kept: Vec<(usize, i64)> = (0..self.parts.len())
            .filter(|at| !self.parts[*at].closed && self.on_part(*at) > 0)
            .map(|at| (at, self.on_part(at)))
            .collect();
        let rest = amount - kept.iter().map(|(_, share)| share).sum::<i64>();
        let mut plan: Vec<Value> = kept
            .iter()
            .map(|(at, share)| {
                json!({"id": self.parts[*at].id, "due_on": self.parts[*at].due, "amount": cny(*share)})
            })
            .collect();
        if rest > 0 {
            plan.push(json!({"due_on": due, "amount": cny(rest)}));
        }
        let expected = if self.terminated || self.completed() {
            Err("contract_not_active")
        } else if amount < self.committed().max(self.received()) {
            Err("amendment_below_sums")
        } else {
            Ok(())
        };
        let form =
            json!({"contract_id": self.id, "reason": "Agreed", "amount": cny(amount), "installments": plan});
        let answer = company.rep.client.post("/amendments", form).await;
        // Nothing may be left that would change: then there is nothing to ask for.
        if answer.status == 422 && answer.body["errors"][0]["code"] == "nothing_changes" {
            return None;
        }
        if !settle("amend a contract", &answer, expected) {
            return Some(false);
        }
        let approval = company.pending(&answer.id()).await;
        let path = |what: &str| format!("/approvals/{approval}/{what}");
        if random.random_bool(0.2) {
            let comment = json!({"comment": "No"});
            company.director.client.post(&path("reject"), comment).await.expect(200);
            return Some(true);
        }
        for by in [&company.director.client, &company.finance.client] {
            by.post(&path("approve"), json!({})).await.expect(200);
        }
        self.amount = amount;
        for at in 0..self.parts.len() {
            match kept.iter().find(|(kept, _)| *kept == at) {
                Some((_, share)) => self.parts[at].amount = *share,
                None => self.parts[at].closed = true,
            }
        }
        self.read_parts(company).await;
        Some(true)
    }

    async fn terminate(&mut self, company: &Company, random: &mut StdRng) -> Option<bool> {
        if random.random_bool(0.5) {
            return None;
        }
        let expected = if self.status() == "active" { Ok(()) } else { Err("invalid_transition") };
        let path = format!("/contracts/{}/terminate", self.id);
        let answer = company.director.client.post(&path, json!({"reason": "Bankrupt"})).await;
        let granted = settle("terminate a contract", &answer, expected);
        if granted {
            self.terminated = true;
            for at in 0..self.parts.len() {
                let on_it = self.payments.iter().filter(|it| it.state == Paying::Confirmed);
                let paid: i64 = on_it
                    .flat_map(|it| &it.on_parts)
                    .filter(|(part, _)| *part == at)
                    .map(|(_, share)| share)
                    .sum();
                self.parts[at].closed |= paid != self.parts[at].amount;
            }
        }
        Some(granted)
    }

    // What the server says.

    async fn compare(&self, company: &Company) {
        let reader: &Client = &company.auditor.client;
        let seen = reader.get(&format!("/contracts/{}", self.id)).await.expect(200).body;
        let sums =
            ["amount", "invoice_committed", "invoiced", "received", "paid"].map(|sum| cents(&seen[sum]));
        let expected = [self.amount, self.committed(), self.issued(), self.received(), self.paid()];
        assert_eq!((&seen["status"], sums), (&json!(self.status()), expected), "{self:#?}");
        let billing = reader.get(&format!("/contracts/{}/billing", self.id)).await.expect(200).body;
        for part in billing["installments"].as_array().unwrap() {
            let at = self.parts.iter().position(|known| part["id"] == known.id.as_str()).unwrap();
            let confirmed = self.payments.iter().filter(|it| it.state == Paying::Confirmed);
            let paid: i64 = confirmed
                .flat_map(|it| &it.on_parts)
                .filter(|(to, _)| *to == at)
                .map(|(_, share)| share)
                .sum();
            let known = (self.parts[at].amount, paid);
            assert_eq!((cents(&part["amount"]), cents(&part["paid"])), known, "{part} {self:#?}");
        }
        for invoice in billing["invoices"].as_array().unwrap() {
            let Some(at) = self.invoices.iter().position(|known| invoice["id"] == known.id.as_str()) else {
                continue;
            };
            let known = &self.invoices[at];
            let figures = (cents(&invoice["credited"]), cents(&invoice["allocated"]));
            assert_eq!(figures, (known.credited, self.on_invoice(at)), "{invoice} {self:#?}");
        }
    }
}
