//! Receipts (到账流水): money that the bank says has arrived, kept until it is known what it pays.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::{Permission, Standing};
use crate::context::{Context, Event};
use crate::contract::{Contract, Installment};
use crate::error::{self, Code, Refusal};
use crate::invoice::{Invoice, InvoiceStatus};
use crate::payment::{AllocationPlan, Payment, PaymentForm, PaymentMethod, PaymentStatus, distinct_targets};
use crate::record;
use crate::record::RecordKind;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{
    ContractId, Line, Money, PaymentId, Prose, ReceiptId, Tags, Timestamp, UserId, company_key,
};
use crate::workflow::{AllowedAction, Machine, Rule, Who};

text_enum! {
    /// The state of a receipt.
    pub enum ReceiptStatus {
        /// Nobody has said yet what it pays.
        Open = "open" ("Open", "待匹配"),
        /// A payment accounts for it.
        Matched = "matched" ("Matched", "已匹配"),
        /// It pays no contract, such as interest.
        SetAside = "set_aside" ("Set aside", "无需匹配"),
        /// It pays several contracts: each of its parts is a receipt of its own.
        Split = "split" ("Split", "已拆分"),
    }
}

text_enum! {
    /// What may happen to a receipt.
    pub enum ReceiptAction {
        /// Say what it pays.
        Match = "match",
        /// Say that it pays no contract.
        SetAside = "set_aside",
        /// Look at it again.
        Reopen = "reopen",
        /// Take it apart, because it pays several contracts.
        Split = "split",
        /// Put it together again.
        Join = "join",
        /// The payment that accounted for it was rejected or reversed.
        Unmatch = "unmatch",
    }
}

/// The receipt's state machine.
pub static MACHINE: Machine<ReceiptStatus, ReceiptAction> = Machine {
    name: "receipt",
    initial: &[ReceiptStatus::Open],
    states: ReceiptStatus::ALL,
    rules: &[
        Rule {
            action: ReceiptAction::Match,
            from: &[ReceiptStatus::Open],
            to: Some(ReceiptStatus::Matched),
            who: Who::Holder(Permission::ReceiptsManage),
            guards: &[
                "a payment of the same amount accounts for it, which is recorded now or was before",
                "no other receipt is matched with that payment",
            ],
        },
        Rule {
            action: ReceiptAction::SetAside,
            from: &[ReceiptStatus::Open],
            to: Some(ReceiptStatus::SetAside),
            who: Who::Holder(Permission::ReceiptsManage),
            guards: &["a reason is given"],
        },
        Rule {
            action: ReceiptAction::Reopen,
            from: &[ReceiptStatus::SetAside],
            to: Some(ReceiptStatus::Open),
            who: Who::Holder(Permission::ReceiptsManage),
            guards: &[],
        },
        Rule {
            action: ReceiptAction::Split,
            from: &[ReceiptStatus::Open],
            to: Some(ReceiptStatus::Split),
            who: Who::Holder(Permission::ReceiptsManage),
            guards: &["the parts add up to it"],
        },
        Rule {
            action: ReceiptAction::Join,
            from: &[ReceiptStatus::Split],
            to: Some(ReceiptStatus::Open),
            who: Who::Holder(Permission::ReceiptsManage),
            guards: &["every part of it is open"],
        },
        Rule {
            action: ReceiptAction::Unmatch,
            from: &[ReceiptStatus::Matched],
            to: Some(ReceiptStatus::Open),
            who: Who::System,
            guards: &["its payment was rejected or reversed"],
        },
    ],
};

/// What the bank says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "amount": {"amount": "36000.00", "currency": "CNY"},
    "received_on": "2026-02-12",
    "method": "bank_transfer",
    "payer": "宁波海川机械有限公司",
    "memo": "CT-2026-000123 first installment"
}))]
pub struct ReceiptDetails {
    /// How much.
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Money,
    /// When it arrived.
    #[serde(deserialize_with = "crate::values::day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub received_on: NaiveDate,
    /// How it came.
    pub method: PaymentMethod,
    /// The bank's reference; unique with the method.
    #[serde(default)]
    #[validate(nested)]
    pub bank_reference: Option<Line>,
    /// Who paid, as the bank writes it.
    #[serde(default)]
    #[validate(nested)]
    pub payer: Option<Line>,
    /// What the payer wrote.
    #[serde(default)]
    #[validate(nested)]
    pub memo: Option<Prose>,
}

impl ReceiptDetails {
    /// The bank's reference as it is compared.
    pub fn reference_key(&self) -> Option<String> {
        self.bank_reference.as_ref().map(Line::normalised)
    }

    /// The payer as companies' names are compared.
    pub fn payer_key(&self) -> Option<String> {
        self.payer.as_ref().map(|payer| company_key(payer.as_str())).filter(|key| !key.is_empty())
    }

    /// The numbers of contracts and invoices that are written in it.
    pub fn numbers(&self) -> Vec<String> {
        let texts = [self.memo.as_ref().map(Prose::as_str), self.bank_reference.as_ref().map(Line::as_str)];
        let text = Line::new(texts.into_iter().flatten().collect::<Vec<_>>().join(" ")).normalised();
        let starts = ["CT-", "IV-"].into_iter().flat_map(|kind| text.match_indices(kind).map(|(at, _)| at));
        let number = |at: usize| {
            let rest: String = text.get(at..)?.chars().take(24).collect();
            let end = rest
                .get(3..)?
                .find(|c: char| !c.is_ascii_digit() && c != '-')
                .map_or(rest.len(), |end| end + 3);
            rest.get(..end).map(|number| number.trim_end_matches('-').to_owned())
        };
        let mut found: Vec<String> = starts.filter_map(number).filter(|number| number.len() >= 14).collect();
        found.sort_unstable();
        found.dedup();
        found.truncate(20);
        found
    }
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Its id.
    pub id: ReceiptId,
    /// What the bank says.
    #[serde(flatten)]
    pub details: ReceiptDetails,
    /// Its state.
    pub status: ReceiptStatus,
    /// The payment that accounts for it.
    #[schema(required)]
    pub payment_id: Option<PaymentId>,
    /// The receipt of which it is a part.
    #[schema(required)]
    pub part_of_id: Option<ReceiptId>,
    /// Why it was set aside.
    #[schema(required)]
    pub reason: Option<Line>,
    /// Who entered it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Receipt, Receipt);

/// What other records say about what may be done with a receipt.
#[derive(Debug, Clone, Default)]
pub struct ReceiptTies {
    /// A part of it that is no longer open, and what it is.
    pub part_in_use: Option<(ReceiptId, ReceiptStatus)>,
}

impl ReceiptTies {
    fn check_none(&self) -> Result<(), Refusal> {
        match self.part_in_use {
            None => Ok(()),
            Some((part, status)) => {
                let why = format!("a part of it is {status}");
                Err(Refusal::new(Code::InUse, why).with("receipt_id", part))
            }
        }
    }
}

/// What a receipt pays: a contract, for which a payment is recorded, or a payment that was recorded already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "contract_id": ContractId::example(1)
}))]
pub struct MatchForm {
    /// The contract.
    #[serde(default)]
    pub contract_id: Option<ContractId>,
    /// The payment.
    #[serde(default)]
    pub payment_id: Option<PaymentId>,
    /// With a contract: what it settles; the oldest first when absent.
    #[serde(default)]
    #[validate(length(min = 1, max = 100), custom(function = "distinct_targets"), nested)]
    #[schema(min_items = 1, max_items = 100)]
    pub allocations: Option<Vec<AllocationPlan>>,
}

/// Into which parts a receipt is taken apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "amounts": [
        {"amount": "24000.00", "currency": "CNY"},
        {"amount": "12000.00", "currency": "CNY"}
    ]
}))]
pub struct SplitForm {
    /// How much each part is; they add up to the receipt.
    #[validate(
        length(min = 2, max = 20, message = "must have between 2 and 20 parts"),
        custom(function = "all_positive")
    )]
    #[schema(min_items = 2, max_items = 20)]
    pub amounts: Vec<Money>,
}

fn all_positive(amounts: &[Money]) -> Result<(), ValidationError> {
    amounts.iter().try_for_each(crate::contract::positive)
}

/// One of the two things that a receipt can be matched with.
#[derive(Debug, Clone)]
pub enum MatchTarget {
    /// A contract: a payment is recorded.
    Contract(ContractId),
    /// A payment that is there.
    Payment(PaymentId),
}

impl MatchForm {
    /// What it names.
    pub fn target(&self) -> Result<MatchTarget, Refusal> {
        match (self.contract_id, self.payment_id) {
            (Some(contract), None) => Ok(MatchTarget::Contract(contract)),
            (None, Some(_)) if self.allocations.is_some() => Err(Refusal::invalid(
                "/allocations",
                error::Rule::NotWanted,
                "the payment is allocated already",
            )),
            (None, Some(payment)) => Ok(MatchTarget::Payment(payment)),
            _ => {
                Err(Refusal::invalid("", error::Rule::OneTarget, "must name either a contract or a payment"))
            }
        }
    }
}

impl Receipt {
    /// Whether the caller sees receipts.
    pub fn may_read(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::ReceiptsRead, &Standing::Organisation)
    }

    /// Whether the caller enters receipts and says what they pay.
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::ReceiptsManage, &Standing::Organisation)
    }

    /// Enters a receipt.
    pub fn new(ctx: &Context, id: ReceiptId, form: Valid<ReceiptDetails>) -> Result<(Self, Event), Refusal> {
        Self::may_manage(ctx)?;
        if form.received_on > ctx.today().0 {
            return Err(Refusal::invalid("/received_on", error::Rule::InFuture, "must not be in the future"));
        }
        let receipt = Self {
            id,
            details: form.into_inner(),
            status: ReceiptStatus::Open,
            payment_id: None,
            part_of_id: None,
            reason: None,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((receipt, Event("receipt.recorded")))
    }

    /// Takes it apart: one transfer that pays several contracts. Each part has the reference with its number behind it,
    /// so that the payments that account for them differ in it.
    pub fn split(
        &mut self,
        ctx: &Context,
        form: &Valid<SplitForm>,
        mut new_id: impl FnMut() -> ReceiptId,
    ) -> Result<(Vec<Self>, Event), Refusal> {
        let status = self.permit(ctx, ReceiptAction::Split)?;
        let whole = self.details.amount;
        for (at, amount) in form.amounts.iter().enumerate() {
            amount.stated_in(whole.currency(), &format!("/amounts/{at}"))?;
        }
        let sum = Money::sum(whole.currency(), form.amounts.iter().copied())?;
        if sum != whole {
            let why = format!("must add up to {whole}, and add up to {sum}");
            return Err(Refusal::invalid("/amounts", error::Rule::WrongSum, why));
        }
        let part = |(amount, number): (&Money, usize)| {
            let reference = self.details.bank_reference.as_ref();
            let numbered = reference.map(|reference| {
                // A line holds two hundred characters.
                let begin: String = reference.as_str().chars().take(190).collect();
                Line::new(format!("{begin}/{number}"))
            });
            let details =
                ReceiptDetails { amount: *amount, bank_reference: numbered, ..self.details.clone() };
            let (part, _) = Self::new(ctx, new_id(), Valid::check(details)?)?;
            Ok(Self { part_of_id: Some(self.id), ..part })
        };
        let parts = form.amounts.iter().zip(1..).map(part).collect::<Result<Vec<_>, Refusal>>()?;
        self.status = status;
        Ok((parts, Event("receipt.split")))
    }

    /// Puts it together again.
    pub fn join(&mut self, ctx: &Context, parts: &[Self]) -> Result<Event, Refusal> {
        let status = self.permit(ctx, ReceiptAction::Join)?;
        let used = parts.iter().find(|part| part.status != ReceiptStatus::Open);
        ReceiptTies { part_in_use: used.map(|part| (part.id, part.status)) }.check_none()?;
        self.status = status;
        Ok(Event("receipt.joined"))
    }

    fn permit(&self, ctx: &Context, action: ReceiptAction) -> Result<ReceiptStatus, Refusal> {
        MACHINE.permit(ctx.actor, &Standing::Organisation, self.status, action)
    }

    /// May the caller say what it pays?
    pub fn may_match(&self, ctx: &Context) -> Result<(), Refusal> {
        self.permit(ctx, ReceiptAction::Match).map(|_| ())
    }

    /// The payment of a contract that it is.
    pub fn as_payment(
        &self,
        contract_id: ContractId,
        allocations: Option<Vec<AllocationPlan>>,
    ) -> Result<Valid<PaymentForm>, Refusal> {
        let details = &self.details;
        Valid::check(PaymentForm {
            contract_id,
            amount: details.amount,
            received_on: details.received_on,
            method: details.method,
            bank_reference: details.bank_reference.clone(),
            payer: details.payer.clone(),
            note: details.memo.clone(),
            labels: Tags::default(),
            allocations,
        })
    }

    /// Says which payment accounts for it.
    pub fn match_with(&mut self, ctx: &Context, payment: &Payment) -> Result<Event, Refusal> {
        let status = self.permit(ctx, ReceiptAction::Match)?;
        if !matches!(payment.status, PaymentStatus::Recorded | PaymentStatus::Confirmed) {
            let why = format!("the payment is {}", payment.status);
            return Err(Refusal::new(Code::InvalidTransition, why)
                .with("record_kind", RecordKind::Payment)
                .with("from", payment.status)
                .with("action", "match"));
        }
        if payment.details.amount != self.details.amount {
            let why =
                format!("the payment is {}, the receipt {}", payment.details.amount, self.details.amount);
            return Err(Refusal::new(Code::ReceiptMismatch, why)
                .with("amount", self.details.amount)
                .with("payment_amount", payment.details.amount));
        }
        self.status = status;
        self.payment_id = Some(payment.id);
        Ok(Event("receipt.matched"))
    }

    /// Says that it pays no contract.
    pub fn set_aside(&mut self, ctx: &Context, reason: Line) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, ReceiptAction::SetAside)?;
        self.reason = Some(reason);
        Ok(Event("receipt.set_aside"))
    }

    /// Looks at it again.
    pub fn reopen(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, ReceiptAction::Reopen)?;
        self.reason = None;
        Ok(Event("receipt.reopened"))
    }

    /// Its payment was rejected or reversed: nobody knows what it pays.
    pub fn release(&mut self) -> Result<Event, Refusal> {
        self.status = MACHINE.follow(self.status, ReceiptAction::Unmatch)?;
        self.payment_id = None;
        Ok(Event("receipt.released"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, ties: &ReceiptTies) -> Vec<AllowedAction> {
        MACHINE.offers(ctx.actor, &Standing::Organisation, self.status, |action| match action {
            ReceiptAction::Join => ties.check_none(),
            ReceiptAction::Match
            | ReceiptAction::SetAside
            | ReceiptAction::Reopen
            | ReceiptAction::Split
            | ReceiptAction::Unmatch => Ok(()),
        })
    }
}

text_enum! {
    /// Why a receipt may pay something.
    pub enum MatchReason {
        /// A payment was recorded with the same bank reference.
        Reference = "reference" ("Bank reference", "银行流水号"),
        /// The number of the contract, or of an invoice of it, is written on the receipt.
        Number = "number" ("Contract or invoice number", "合同或发票编号"),
        /// The payer is the customer.
        Payer = "payer" ("Payer", "付款方"),
        /// It is what is open on the contract, on an installment or on an invoice.
        Amount = "amount" ("Amount", "金额"),
    }
}

impl MatchReason {
    const fn points(self) -> i64 {
        match self {
            Self::Reference => 80,
            Self::Number => 60,
            Self::Payer => 30,
            Self::Amount => 25,
        }
    }
}

/// How likely it is that a receipt pays something, from 0 to 100.
pub fn score(reasons: &[MatchReason]) -> i64 {
    reasons.iter().map(|reason| reason.points()).sum::<i64>().min(100)
}

/// Whether an amount is what is open on a contract, or on one of its installments or issued invoices.
pub fn is_open_amount(
    amount: Money,
    contract: &Contract,
    installments: &[Installment],
    invoices: &[Invoice],
) -> bool {
    let open = |whole: Money, taken: Money| whole.minus(taken).is_ok_and(|open| open == amount);
    open(contract.details.amount, contract.sums.received)
        || installments.iter().any(|part| !part.closed && open(part.amount, part.allocated))
        || invoices.iter().any(|it| it.status == InvoiceStatus::Issued && it.open() == Ok(amount))
}

#[cfg(test)]
mod tests {
    use iso_currency::Currency;

    use super::*;
    use crate::fixtures::{FINANCE, World, cny};

    fn receipt(memo: &str, reference: Option<&str>) -> ReceiptDetails {
        ReceiptDetails {
            amount: Money::from_minor(100, Currency::CNY),
            received_on: NaiveDate::from_ymd_opt(2026, 3, 1).unwrap(),
            method: PaymentMethod::BankTransfer,
            bank_reference: reference.map(Line::new),
            payer: Some(Line::new("上海星辰科技有限公司")),
            memo: Some(Prose::new(memo)),
        }
    }

    #[test]
    fn numbers_are_found_however_they_are_written() {
        for (memo, found) in [
            ("Payment for CT-2026-000123, thanks", vec!["CT-2026-000123"]),
            ("货款 ct-2026-000123 及 ＩＶ-2026-000007", vec!["CT-2026-000123", "IV-2026-000007"]),
            ("CT - 2026 - 000123", vec!["CT-2026-000123"]),
            ("CT-2026-1234567.", vec!["CT-2026-1234567"]),
            ("CT-2026-12 and CT-", vec![]),
            ("ACT-2026-000123-", vec!["CT-2026-000123"]),
            ("nothing", vec![]),
        ] {
            assert_eq!(receipt(memo, None).numbers(), found, "{memo}");
        }
        assert_eq!(receipt("x", Some("iv-2026-000007")).numbers(), ["IV-2026-000007"]);
        assert_eq!(receipt("x", None).payer_key(), Some(company_key("上海 星辰科技")));
    }

    #[test]
    fn a_receipt_of_which_a_part_is_used_stays_apart() {
        let world = World::new();
        let form = Valid::check(receipt("x", None)).unwrap();
        let id = |number| ReceiptId(uuid::Uuid::from_u128(number));
        let (mut whole, _) = world.by(FINANCE, |ctx| Receipt::new(ctx, id(1), form)).unwrap();
        let halves = Valid::check(SplitForm { amounts: vec![cny(50), cny(50)] }).unwrap();
        let (mut parts, _) = world.by(FINANCE, |ctx| whole.split(ctx, &halves, || id(2))).unwrap();
        for (status, code) in [
            (ReceiptStatus::Open, None),
            (ReceiptStatus::Matched, Some(Code::InUse)),
            (ReceiptStatus::SetAside, Some(Code::InUse)),
        ] {
            parts[1].status = status;
            let used = (status != ReceiptStatus::Open).then_some((parts[1].id, status));
            let ties = ReceiptTies { part_in_use: used };
            let offers = world.by(FINANCE, |ctx| whole.allowed_actions(ctx, &ties));
            assert_eq!(offers.iter().find(|offer| offer.action == "join").unwrap().reason, code, "{status}");
            let joined = world.by(FINANCE, |ctx| whole.clone().join(ctx, &parts));
            assert_eq!(joined.err().map(|refusal| refusal.code), code, "{status}");
        }
    }

    #[test]
    fn a_form_names_one_target() {
        let form = |contract: bool, payment: bool| MatchForm {
            contract_id: contract.then(|| ContractId(uuid::Uuid::nil())),
            payment_id: payment.then(|| PaymentId(uuid::Uuid::nil())),
            allocations: None,
        };
        assert!(form(true, false).target().is_ok() && form(false, true).target().is_ok());
        assert!(form(true, true).target().is_err() && form(false, false).target().is_err());
        let both = MatchForm { allocations: Some(vec![]), ..form(false, true) };
        assert_eq!(both.target().unwrap_err().errors[0].pointer, "/allocations");
    }
}
