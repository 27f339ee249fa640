//! Invoices (开票): asked for by sales, approved by manager and finance, issued by finance.

mod credit;
#[cfg(test)]
mod tests;

pub use credit::{CreditForm, CreditNote};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::Permission;
use crate::approval::{Approval, ApprovalSubject, SubjectFacts, TAKES_BACK, may_take_back, never_asked};
use crate::contact::unchanged;
use crate::context::{Context, Event};
use crate::contract::{Contract, ContractStatus};
use crate::customer::{Customer, TaxProfile};
use crate::dependents::Dependents;
use crate::error::{self, Code, Refusal};
use crate::record;
use crate::record::RecordKind;
use crate::search::{ContactData, SearchEntry};
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{
    ContractId, CustomerId, InvoiceId, Line, Money, Number, Prose, Rate, TaxSplit, Timestamp, UserId,
};
use crate::workflow::{Action, AllowedAction, Machine, Rule, Who};

text_enum! {
    /// The state of an invoice.
    pub enum InvoiceStatus {
        /// Being written.
        Draft = "draft" ("Draft", "草稿"),
        /// Waiting for approval.
        PendingApproval = "pending_approval" ("Pending approval", "审批中"),
        /// Approved; finance may issue it.
        Approved = "approved" ("Approved", "待开票"),
        /// Issued, with its tax invoice number.
        Issued = "issued" ("Issued", "已开票"),
        /// Taken back after it was issued.
        Voided = "voided" ("Voided", "已作废"),
        /// Credited in full (红冲).
        Credited = "credited" ("Credited", "已红冲"),
        /// Given up before it was issued.
        Cancelled = "cancelled" ("Cancelled", "已取消"),
    }
}

text_enum! {
    /// What may happen to an invoice.
    pub enum InvoiceAction {
        /// Ask for approval.
        Submit = "submit",
        /// Take the question back.
        Withdraw = "withdraw",
        /// Give it up.
        Cancel = "cancel",
        /// Issue it.
        Issue = "issue",
        /// Take it back.
        Void = "void",
        /// Credit notes add up to it.
        Credit = "credit",
        /// The last approver agreed.
        Approve = "approve",
        /// An approver did not agree.
        Reject = "reject",
    }
}

text_enum! {
    /// What kind of tax invoice.
    pub enum InvoiceKind {
        /// Ordinary (普通发票).
        Ordinary = "ordinary" ("Ordinary invoice", "普通发票"),
        /// Special VAT invoice (专用发票).
        Special = "special" ("Special VAT invoice", "专用发票"),
    }
}

/// The invoice's state machine.
pub static MACHINE: Machine<InvoiceStatus, InvoiceAction> = Machine {
    name: "invoice",
    initial: &[InvoiceStatus::Draft],
    states: InvoiceStatus::ALL,
    rules: &[
        Rule {
            action: InvoiceAction::Submit,
            from: &[InvoiceStatus::Draft],
            to: Some(InvoiceStatus::PendingApproval),
            who: Who::Holder(Permission::InvoicesRequest),
            guards: &[
                "of a special invoice, the buyer's title and tax number are known",
                "the contract is active or completed",
                "pending, approved and issued invoices stay within the contract's amount",
                "every step of the approval has somebody to decide it",
            ],
        },
        Rule {
            action: InvoiceAction::Withdraw,
            from: &[InvoiceStatus::PendingApproval],
            to: Some(InvoiceStatus::Draft),
            who: Who::Holder(Permission::InvoicesRequest),
            guards: &[TAKES_BACK],
        },
        Rule {
            action: InvoiceAction::Cancel,
            from: &[InvoiceStatus::Draft, InvoiceStatus::Approved],
            to: Some(InvoiceStatus::Cancelled),
            who: Who::Holder(Permission::InvoicesRequest),
            guards: &[],
        },
        Rule {
            action: InvoiceAction::Issue,
            from: &[InvoiceStatus::Approved],
            to: Some(InvoiceStatus::Issued),
            who: Who::Holder(Permission::InvoicesIssue),
            guards: &["the contract is active or completed", "the tax invoice number is unique"],
        },
        Rule {
            action: InvoiceAction::Void,
            from: &[InvoiceStatus::Issued],
            to: Some(InvoiceStatus::Voided),
            who: Who::Holder(Permission::InvoicesVoid),
            guards: &["a reason is given", "no payment is allocated to it", "no part of it was credited"],
        },
        Rule {
            action: InvoiceAction::Credit,
            from: &[InvoiceStatus::Issued],
            to: Some(InvoiceStatus::Credited),
            who: Who::System,
            guards: &["credit notes add up to its amount"],
        },
        Rule {
            action: InvoiceAction::Approve,
            from: &[InvoiceStatus::PendingApproval],
            to: Some(InvoiceStatus::Approved),
            who: Who::System,
            guards: &["the last step of the approval was approved"],
        },
        Rule {
            action: InvoiceAction::Reject,
            from: &[InvoiceStatus::PendingApproval],
            to: Some(InvoiceStatus::Draft),
            who: Who::System,
            guards: &["a step of the approval was rejected"],
        },
    ],
};

/// What one may say about an invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "contract_id": ContractId::example(1),
    "amount": {"amount": "36000.00", "currency": "CNY"},
    "tax_rate": "0.06",
    "kind": "special",
    "tax_profile": {
        "invoice_title": "宁波海川机械有限公司",
        "tax_number": "91330206MA2EXAMP0X",
        "bank": "中国工商银行宁波北仑支行",
        "account": "3901130009200012345",
        "address": "浙江省宁波市北仑区明州路 301 号",
        "phone": "+86 574 8826 4410"
    },
    "note": "First installment"
}))]
pub struct InvoiceDetails {
    /// The contract; cannot be changed.
    pub contract_id: ContractId,
    /// The amount, tax included.
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Money,
    /// The tax rate.
    pub tax_rate: Rate,
    /// What kind of tax invoice.
    pub kind: InvoiceKind,
    /// To whom; the first of the customer's tax profiles when absent.
    #[serde(default)]
    #[validate(nested)]
    pub tax_profile: Option<TaxProfile>,
    /// Anything else.
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// Its number inside Fairlead.
    pub number: Number,
    /// What was said about it.
    #[serde(flatten)]
    pub details: InvoiceDetails,
    /// The contract's customer.
    pub customer_id: CustomerId,
    /// The contract's owner.
    pub owner_id: UserId,
    /// Its state.
    pub status: InvoiceStatus,
    /// What credit notes took back of it.
    pub credited: Money,
    /// What recorded and confirmed payments put on it.
    pub allocated: Money,
    /// What confirmed payments put on it.
    pub paid: Money,
    /// The number of the tax invoice; unique, whatever the case and the width of its characters and the spaces
    /// in it.
    #[schema(required)]
    pub tax_invoice_number: Option<Line>,
    /// When it was issued.
    #[schema(required)]
    pub issued_on: Option<NaiveDate>,
    /// Why it was voided.
    #[schema(required)]
    pub void_reason: Option<Line>,
    /// Who asked for its approval last; none before it was submitted.
    #[schema(required)]
    pub submitted_by: Option<UserId>,
    /// Who recorded it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Invoice, Invoice, found by |invoice| {
    let profile = invoice.details.tax_profile.as_ref();
    let title = profile.and_then(|profile| profile.invoice_title.as_ref());
    SearchEntry::borrowing(title, &invoice.number)
        .with_contact(profile.and_then(|profile| profile.tax_number.as_ref()).map(ContactData::Number))
        .with_contact(invoice.tax_invoice_number.as_ref().map(ContactData::Number))
});

/// What other records say about what may be done with an invoice.
#[derive(Debug, Clone)]
pub struct InvoiceTies {
    /// The state of its contract.
    pub contract_status: ContractStatus,
    /// What would be left without it.
    pub dependents: Dependents,
    /// Why [`Invoice::check_submission`] refuses it; asked where [`Invoice::may_submit`] does not.
    pub submission: Option<Refusal>,
}

/// What issuing takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "tax_invoice_number": "26332000000012345678"
}))]
pub struct IssueForm {
    /// The number of the tax invoice; unique, whatever the case and the width of its characters and the spaces
    /// in it.
    #[validate(nested)]
    pub tax_invoice_number: Line,
    /// When it was issued; today when absent.
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub issued_on: Option<NaiveDate>,
}

impl Invoice {
    /// Drafts an invoice of a contract.
    pub fn new(
        ctx: &Context,
        id: InvoiceId,
        number: Number,
        contract: &Contract,
        customer_profile: Option<TaxProfile>,
        form: Valid<InvoiceDetails>,
    ) -> Result<(Self, Event), Refusal> {
        ctx.authorize(Permission::InvoicesRequest, Some(contract.owner_id))?;
        contract.invoicing()?;
        form.amount.stated_in(contract.details.amount.currency(), "/amount")?;
        let mut details = form.into_inner();
        details.tax_profile = details.tax_profile.or(customer_profile);
        let nothing = Money::zero(details.amount.currency());
        let invoice = Self {
            id,
            number,
            details,
            customer_id: contract.details.customer_id,
            owner_id: contract.owner_id,
            status: InvoiceStatus::Draft,
            credited: nothing,
            allocated: nothing,
            paid: nothing,
            tax_invoice_number: None,
            issued_on: None,
            void_reason: None,
            submitted_by: None,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((invoice, Event("invoice.drafted")))
    }

    /// An invoice outside the caller's scope does not exist for them.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal(Permission::InvoicesRead, Some(self.owner_id))
    }

    fn permit(&self, ctx: &Context, action: InvoiceAction) -> Result<InvoiceStatus, Refusal> {
        let standing = ctx.standing(Some(self.owner_id));
        MACHINE.permit_where(ctx.actor, &standing, self.status, action, |offered| match offered {
            InvoiceAction::Withdraw => self.may_take_back(ctx).is_ok(),
            _ => true,
        })
    }

    /// The number of the tax invoice as it is compared.
    pub fn tax_invoice_key(&self) -> Option<String> {
        self.tax_invoice_number.as_ref().map(Line::normalised)
    }

    /// May it be changed by hand? While it is a draft.
    pub fn may_update(&self, ctx: &Context) -> Result<(), Refusal> {
        self.is_draft(ctx, Action::Update, "only a draft can be changed")
    }

    /// Refuses what is done by hand to drafts only.
    fn is_draft(&self, ctx: &Context, action: Action, why: &str) -> Result<(), Refusal> {
        ctx.authorize(Permission::InvoicesRequest, Some(self.owner_id))?;
        match self.status {
            InvoiceStatus::Draft => Ok(()),
            InvoiceStatus::PendingApproval => {
                Err(Refusal::new(Code::PendingApproval, "withdraw the approval to change the invoice"))
            }
            other => Err(Refusal::new(Code::InvalidTransition, why)
                .with("record_kind", RecordKind::Invoice)
                .with("from", other)
                .with("action", action)),
        }
    }

    /// May it be deleted? While it is a draft that nobody was ever asked about.
    pub fn may_delete(&self, ctx: &Context, ties: &InvoiceTies) -> Result<(), Refusal> {
        self.is_draft(ctx, Action::Delete, "only a draft can be deleted")?;
        never_asked(self.submitted_by, &ties.dependents)
    }

    /// Changes what was said about it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<InvoiceDetails>) -> Result<Event, Refusal> {
        self.may_update(ctx)?;
        unchanged("/contract_id", &self.details.contract_id, &form.contract_id)?;
        form.amount.stated_in(self.details.amount.currency(), "/amount")?;
        self.details = form.into_inner();
        Ok(Event("invoice.updated"))
    }

    /// Net, tax and gross.
    pub fn tax(&self) -> Result<TaxSplit, Refusal> {
        self.details.amount.split_tax(self.details.tax_rate)
    }

    /// Asks for approval and commits its amount on the contract.
    pub fn submit(&mut self, ctx: &Context, contract: &mut Contract) -> Result<Event, Refusal> {
        let status = self.permit(ctx, InvoiceAction::Submit)?;
        self.complete()?;
        contract.commit_invoice(self.details.amount)?;
        self.status = status;
        self.submitted_by = Some(ctx.actor.id);
        Ok(Event("invoice.submitted"))
    }

    /// May the caller ask for approval, as far as it and the state of its contract tell?
    pub fn may_submit(&self, ctx: &Context, ties: &InvoiceTies) -> Result<(), Refusal> {
        self.permit(ctx, InvoiceAction::Submit)?;
        self.ready(ties)
    }

    fn ready(&self, ties: &InvoiceTies) -> Result<(), Refusal> {
        self.complete()?;
        ties.contract_status.invoicing()
    }

    /// Whether it would be submitted: all that the caller would be refused for when they do it.
    pub fn check_submission(
        &self,
        ctx: &Context,
        contract: &Contract,
        customer: &Customer,
    ) -> Result<(), Refusal> {
        let mut submitted = self.clone();
        submitted.submit(ctx, &mut contract.clone())?;
        Approval::check_request(ctx, SubjectFacts::of_invoice(&submitted, contract, customer)?)
    }

    /// The tax office issues a special invoice to a taxpayer only, by their title and number.
    fn complete(&self) -> Result<(), Refusal> {
        let profile = self.details.tax_profile.as_ref();
        let known = profile.is_some_and(|it| it.invoice_title.is_some() && it.tax_number.is_some());
        match self.details.kind {
            InvoiceKind::Special if !known => {
                let why = "a special invoice needs the title and the tax number of whom it is issued to";
                Err(Refusal::new(Code::InvoiceIncomplete, why).with("missing", "tax_profile"))
            }
            InvoiceKind::Special | InvoiceKind::Ordinary => Ok(()),
        }
    }

    fn may_take_back(&self, ctx: &Context) -> Result<(), Refusal> {
        let standing = ctx.standing(Some(self.owner_id));
        may_take_back(ctx, self.submitted_by, ApprovalSubject::Invoice, &standing)
    }

    /// Takes the question back.
    pub fn withdraw(&mut self, ctx: &Context, contract: &mut Contract) -> Result<Event, Refusal> {
        let status = self.permit(ctx, InvoiceAction::Withdraw)?;
        self.may_take_back(ctx)?;
        contract.free_invoice(self.details.amount)?;
        self.status = status;
        Ok(Event("invoice.withdrawn"))
    }

    /// The last approver agreed. The contract must not have ended early meanwhile.
    pub fn approve(&mut self, contract: &Contract) -> Result<Event, Refusal> {
        contract.invoicing()?;
        self.status = MACHINE.follow(self.status, InvoiceAction::Approve)?;
        Ok(Event("invoice.approved"))
    }

    /// An approver did not agree.
    pub fn reject(&mut self, contract: &mut Contract) -> Result<Event, Refusal> {
        let status = MACHINE.follow(self.status, InvoiceAction::Reject)?;
        contract.free_invoice(self.details.amount)?;
        self.status = status;
        Ok(Event("invoice.rejected"))
    }

    /// Gives it up before it is issued. An approved one frees its amount: that of a terminated contract could
    /// not be issued any more.
    pub fn cancel(&mut self, ctx: &Context, contract: &mut Contract) -> Result<Event, Refusal> {
        let status = self.permit(ctx, InvoiceAction::Cancel)?;
        if self.status == InvoiceStatus::Approved {
            contract.free_invoice(self.details.amount)?;
        }
        self.status = status;
        Ok(Event("invoice.cancelled"))
    }

    /// Issues it.
    pub fn issue(
        &mut self,
        ctx: &Context,
        contract: &mut Contract,
        form: Valid<IssueForm>,
    ) -> Result<Event, Refusal> {
        let status = self.permit(ctx, InvoiceAction::Issue)?;
        let form = form.into_inner();
        let today = ctx.today().0;
        if form.issued_on.is_some_and(|day| day > today) {
            return Err(Refusal::invalid("/issued_on", error::Rule::InFuture, "must not be in the future"));
        }
        if form.issued_on.zip(contract.began_on(ctx.org)).is_some_and(|(day, began)| day < began) {
            let why = "must not be before the contract was signed or approved";
            return Err(Refusal::invalid("/issued_on", error::Rule::BeforeContract, why));
        }
        contract.note_issued(self.details.amount)?;
        self.status = status;
        self.issued_on = form.issued_on.or(Some(today));
        self.tax_invoice_number = Some(form.tax_invoice_number);
        Ok(Event("invoice.issued"))
    }

    /// Takes it back.
    pub fn void(&mut self, ctx: &Context, contract: &mut Contract, reason: Line) -> Result<Event, Refusal> {
        let status = self.permit(ctx, InvoiceAction::Void)?;
        self.unpaid()?;
        self.uncredited()?;
        contract.void_invoice(self.details.amount)?;
        self.status = status;
        self.void_reason = Some(reason);
        Ok(Event("invoice.voided"))
    }

    /// What of it nobody paid for, and no credit note took back.
    pub fn open(&self) -> Result<Money, Refusal> {
        self.details.amount.minus(self.credited)?.minus(self.allocated)
    }

    fn uncredited(&self) -> Result<(), Refusal> {
        if self.credited.is_zero() {
            return Ok(());
        }
        Err(Refusal::new(Code::InvoiceCredited, "a part of it was credited; credit the rest")
            .with("credited", self.credited))
    }

    fn unpaid(&self) -> Result<(), Refusal> {
        if self.allocated.is_zero() {
            return Ok(());
        }
        Err(Refusal::new(Code::InvoiceHasPayments, "reject or reverse its payments first")
            .with("allocated", self.allocated))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, ties: &InvoiceTies) -> Vec<AllowedAction> {
        let standing = ctx.standing(Some(self.owner_id));
        let mut actions = MACHINE.offers(ctx.actor, &standing, self.status, |action| match action {
            InvoiceAction::Submit => {
                self.ready(ties)?;
                ties.submission.clone().map_or(Ok(()), Err)
            }
            InvoiceAction::Withdraw => self.may_take_back(ctx),
            InvoiceAction::Issue => ties.contract_status.invoicing(),
            InvoiceAction::Void => self.unpaid().and_then(|()| self.uncredited()),
            InvoiceAction::Cancel
            | InvoiceAction::Credit
            | InvoiceAction::Approve
            | InvoiceAction::Reject => Ok(()),
        });
        actions.push(AllowedAction::judge("credit", self.may_credit(ctx)));
        actions.push(AllowedAction::judge("update", self.may_update(ctx)));
        actions.push(AllowedAction::judge("delete", self.may_delete(ctx, ties)));
        actions
    }
}
