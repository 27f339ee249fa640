//! What is done with the demo's contracts and their money.

use fairlead_domain::activity::SubjectKind;
use fairlead_domain::catalogue::LineItem;
use fairlead_domain::contract::{ContractDetails, InstallmentPlan};
use fairlead_domain::customer::TaxProfile;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::invoice::{InvoiceDetails, InvoiceKind, IssueForm};
use fairlead_domain::patch::Patch;
use fairlead_domain::payment::{PaymentForm, PaymentMethod};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{
    ApprovalId, ContractId, Currency, InvoiceId, Line, PaymentId, Rate, Tags, Today,
};
use serde_json::Value;
use uuid::Uuid;

use super::act::{Approver, DealAct, Terms};
use super::deals::Deal;
use super::ids;
use super::stage::{Key, Stage, done, exactly, known, line, manager_of, prose, there};
use crate::approvals::{self, ApproveForm, RejectForm};
use crate::call::Failure;
use crate::contracts::{self, CancelForm, TerminateForm};
use crate::invoices::{self, VoidForm};
use crate::payments::{self, EndForm};

/// Who approves and confirms for finance.
const FINANCE: Key = "finance";
/// Who issues invoices and records what comes in.
const CASHIER: Key = "finance2";
/// Between two steps of one day, in minutes.
const PAUSE: i64 = 15;

impl Stage {
    pub(super) async fn contract(&mut self, deal: &'static Deal, act: DealAct) -> Result<(), Failure> {
        let course = self.course(deal)?;
        let (id, owner) = (there(course.contract, "contract")?, course.owner);
        let call = self.call(owner)?;
        let manager = self.call(manager_of(owner)?)?;
        let app = &self.app;
        match act {
            DealAct::Write(terms) => self.write(deal, id, owner, terms).await?,
            DealAct::Submit => {
                done(contracts::submit(app, &call, id).await)?;
            }
            DealAct::Withdraw => {
                done(contracts::withdraw(app, &call, id).await)?;
            }
            DealAct::Agrees(approver) => self.agree(id, owner, approver).await?,
            DealAct::Refuses(approver, comment) => self.refuse(id, owner, approver, comment).await?,
            DealAct::Sign(terms) => {
                self.write(deal, id, owner, terms).await?;
                self.clock.pass(PAUSE);
                done(contracts::submit(app, &call, id).await)?;
                self.both_agree(id, owner).await?;
            }
            DealAct::Cancel(reason) => {
                let form = Valid::check(CancelForm { reason: line(reason) })?;
                done(contracts::cancel(app, &call, id, form).await)?;
            }
            DealAct::Terminate(reason) => {
                let form = Valid::check(TerminateForm { reason: Line::new(reason) })?;
                done(contracts::terminate(app, &manager, id, form).await)?;
            }
            DealAct::LogContract(note) => self.log(owner, SubjectKind::Contract, id, note).await?,
            other => return Box::pin(self.invoice(deal, other)).await,
        }
        Ok(())
    }

    /// What a contract says. The amount is the deal's.
    fn details(&self, deal: &Deal, terms: &Terms) -> Result<ContractDetails, Failure> {
        let amount = |units| exactly(units, deal.currency);
        let item = |(product, quantity, price): &(&str, i64, i64)| {
            Ok(LineItem {
                product_id: self.products.get(product).copied(),
                product: Line::new(*product),
                quantity: quantity
                    .to_string()
                    .parse()
                    .map_err(|why: String| Refusal::new(Code::Internal, why))?,
                unit_price: amount(*price),
                discount: Rate::ZERO,
                tax_rate: None,
            })
        };
        let part = |(due, units, condition): &(i64, i64, &str)| InstallmentPlan {
            due_on: self.clock.day(*due),
            amount: amount(*units),
            condition: line(condition),
        };
        let Today(today) = self.clock.today();
        Ok(ContractDetails {
            title: Line::new(terms.title),
            customer_id: known(&self.customers, deal.customer, "customer")?.id,
            amount: amount(deal.amount),
            line_items: terms.items.iter().map(item).collect::<Result<_, Refusal>>()?,
            installments: terms.plan.iter().map(part).collect(),
            collection_scheme: terms.scheme,
            signed_on: Some(today),
            starts_on: Some(today),
            ends_on: today.checked_add_signed(chrono::Duration::days(terms.days)),
            our_signer: Some(Line::new("Zhou Jianguo 周建国")),
            customer_signer: line(terms.signer),
            renewal_of_id: None,
            terms: prose("Delivered at the customer's works, start-up included. 交货至客户现场，含调试。"),
        })
    }

    /// A contract that no opportunity makes.
    pub(super) async fn draft(&mut self, deal: &'static Deal, terms: &Terms) -> Result<(), Failure> {
        let owner = self.begin(deal)?.owner;
        let form = Valid::check(self.details(deal, terms)?)?;
        let made = done(contracts::create(&self.app, &self.call(owner)?, form).await)?;
        self.begin(deal)?.contract = Some(made.record.id);
        Ok(())
    }

    /// Fills the draft that the signing stage made.
    async fn write(&self, deal: &Deal, id: ContractId, by: Key, terms: &Terms) -> Result<(), Failure> {
        let details = self.details(deal, terms)?;
        let Ok(Value::Object(members)) = serde_json::to_value(&details) else {
            return Err(Refusal::new(Code::Internal, "a contract is not an object").into());
        };
        done(contracts::update(&self.app, &self.call(by)?, id, Patch::new(members)).await)?;
        Ok(())
    }

    fn approver(owner: Key, approver: Approver) -> Result<Key, Failure> {
        match approver {
            Approver::Manager => manager_of(owner),
            Approver::Finance => Ok(FINANCE),
        }
    }

    /// The request that waits for somebody's decision about a subject.
    async fn waiting(&self, by: Key, subject: Uuid) -> Result<ApprovalId, Failure> {
        let query = [("box", "waiting".to_owned()), ("subject_id", subject.to_string())];
        let query = query.map(|(name, value)| (name.to_owned(), value));
        let page = approvals::list(&self.app, &self.call(by)?, approvals::LISTING.parse(&query)?).await?;
        there(page.data.first().map(|approval| approval.record.id), "request that waits")
    }

    pub(super) async fn agree(
        &self,
        subject: impl Into<Uuid>,
        owner: Key,
        step: Approver,
    ) -> Result<(), Failure> {
        let by = Self::approver(owner, step)?;
        let id = self.waiting(by, subject.into()).await?;
        let form = Valid::check(ApproveForm { comment: None })?;
        done(approvals::approve(&self.app, &self.call(by)?, id, form).await)?;
        Ok(())
    }

    async fn both_agree(&self, subject: impl Into<Uuid>, owner: Key) -> Result<(), Failure> {
        let subject = subject.into();
        for step in [Approver::Manager, Approver::Finance] {
            self.clock.pass(PAUSE);
            self.agree(subject, owner, step).await?;
        }
        Ok(())
    }

    async fn refuse(
        &self,
        subject: impl Into<Uuid>,
        owner: Key,
        step: Approver,
        comment: &str,
    ) -> Result<(), Failure> {
        let by = Self::approver(owner, step)?;
        let id = self.waiting(by, subject.into()).await?;
        let form = Valid::check(RejectForm { comment: prose(comment) })?;
        done(approvals::reject(&self.app, &self.call(by)?, id, form).await)?;
        Ok(())
    }

    async fn invoice(&mut self, deal: &'static Deal, act: DealAct) -> Result<(), Failure> {
        let owner = self.course(deal)?.owner;
        let call = self.call(owner)?;
        match act {
            DealAct::Invoice(number, units) => self.draft_invoice(deal, owner, number, units).await?,
            DealAct::Ask(number) => {
                let approval = ids::example_of(&(deal.key, number), ids::ASKED, ApprovalId::example);
                if let Some(ApprovalId(id)) = approval {
                    // It is noted first what becomes of the invoice, and of its contract.
                    self.ids.give_in_order([None, None, Some(id)]);
                }
                done(invoices::submit(&self.app, &call, self.invoice_of(deal, number)?).await)?;
            }
            DealAct::InvoiceAgrees(number, step) => {
                self.agree(self.invoice_of(deal, number)?, owner, step).await?;
            }
            DealAct::InvoiceRefuses(number, step, comment) => {
                self.refuse(self.invoice_of(deal, number)?, owner, step, comment).await?;
            }
            DealAct::Bill(number, units) => {
                self.draft_invoice(deal, owner, number, units).await?;
                let id = self.invoice_of(deal, number)?;
                self.clock.pass(PAUSE);
                done(invoices::submit(&self.app, &call, id).await)?;
                self.both_agree(id, owner).await?;
                self.clock.pass(PAUSE);
                self.issue(deal, number, id).await?;
            }
            DealAct::Void(number, reason) => {
                let form = Valid::check(VoidForm { reason: Line::new(reason) })?;
                let id = self.invoice_of(deal, number)?;
                done(invoices::void(&self.app, &self.call(CASHIER)?, id, form).await)?;
            }
            DealAct::CancelInvoice(number) => {
                done(invoices::cancel(&self.app, &call, self.invoice_of(deal, number)?).await)?;
            }
            other => return Box::pin(self.payment(deal, other)).await,
        }
        Ok(())
    }

    fn invoice_of(&self, deal: &Deal, number: usize) -> Result<InvoiceId, Failure> {
        known(&self.course(deal)?.invoices, &number, "invoice")
    }

    async fn draft_invoice(
        &mut self,
        deal: &'static Deal,
        by: Key,
        number: usize,
        units: i64,
    ) -> Result<(), Failure> {
        let form = InvoiceDetails {
            contract_id: there(self.course(deal)?.contract, "contract")?,
            amount: exactly(units, deal.currency),
            tax_rate: if deal.currency == Currency::CNY {
                there(Rate::from_basis_points(1_300), "tax rate")?
            } else {
                Rate::ZERO
            },
            kind: if deal.currency == Currency::CNY { InvoiceKind::Special } else { InvoiceKind::Ordinary },
            tax_profile: None::<TaxProfile>,
            note: None,
        };
        self.ids.give_to(&(deal.key, number), ids::INVOICES, InvoiceId::example);
        let made = invoices::create(&self.app, &self.call(by)?, Valid::check(form)?).await;
        let id = done(made)?.record.id;
        self.begin(deal)?.invoices.insert(number, id);
        Ok(())
    }

    async fn issue(&self, deal: &Deal, number: usize, id: InvoiceId) -> Result<(), Failure> {
        let tax_invoice_number = Line::new(format!("DEMO-{}-{number:02}", deal.key).to_uppercase());
        let form = Valid::check(IssueForm { tax_invoice_number, issued_on: None })?;
        done(invoices::issue(&self.app, &self.call(CASHIER)?, id, form).await)?;
        Ok(())
    }

    async fn payment(&mut self, deal: &'static Deal, act: DealAct) -> Result<(), Failure> {
        let owner = self.course(deal)?.owner;
        let finance = self.call(FINANCE)?;
        match act {
            DealAct::Receive(number, units, method) => {
                self.receive(deal, owner, number, units, method).await?;
            }
            DealAct::FinanceReceives(number, units, method) => {
                self.receive(deal, CASHIER, number, units, method).await?;
            }
            DealAct::Paid(number, units, method) => {
                self.receive(deal, owner, number, units, method).await?;
                self.clock.pass(PAUSE);
                done(payments::confirm(&self.app, &finance, self.payment_of(deal, number)?).await)?;
            }
            DealAct::RejectPayment(number, reason) => {
                let form = Valid::check(EndForm { reason: Line::new(reason) })?;
                done(payments::reject(&self.app, &finance, self.payment_of(deal, number)?, form).await)?;
            }
            DealAct::Reverse(number, reason) => {
                let form = Valid::check(EndForm { reason: Line::new(reason) })?;
                done(payments::reverse(&self.app, &finance, self.payment_of(deal, number)?, form).await)?;
            }
            _ => return Err(Refusal::new(Code::Internal, "the demo's tables: an act out of place").into()),
        }
        Ok(())
    }

    fn payment_of(&self, deal: &Deal, number: usize) -> Result<PaymentId, Failure> {
        known(&self.course(deal)?.payments, &number, "payment")
    }

    async fn receive(
        &mut self,
        deal: &'static Deal,
        by: Key,
        number: usize,
        units: i64,
        method: PaymentMethod,
    ) -> Result<(), Failure> {
        let Today(today) = self.clock.today();
        let form = PaymentForm {
            contract_id: there(self.course(deal)?.contract, "contract")?,
            amount: exactly(units, deal.currency),
            received_on: today,
            method,
            bank_reference: Some(Line::new(format!("{}-{number:02}", deal.key).to_uppercase())),
            payer: None,
            note: None,
            labels: Tags::default(),
            allocations: None,
        };
        self.ids.give_to(&(deal.key, number), ids::PAYMENTS, PaymentId::example);
        let made = payments::create(&self.app, &self.call(by)?, Valid::check(form)?).await;
        let id = done(made)?.record.id;
        self.begin(deal)?.payments.insert(number, id);
        Ok(())
    }
}
