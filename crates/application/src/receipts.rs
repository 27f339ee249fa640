//! Receipts (到账流水): entered or imported, and matched with what they pay.

mod import;
mod proposals;

use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::Contract;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::payment::{Payment, PaymentMethod};
use fairlead_domain::receipt::{
    MatchForm, MatchTarget, Receipt, ReceiptDetails, ReceiptStatus, ReceiptTies, SplitForm,
};
use fairlead_domain::text_enum;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{ContractId, Line, PaymentId, ReceiptId};
use fairlead_persistence::{Predicate, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use import::{Delimiter, ImportColumns, ImportForm, ImportOutcome, ImportResult, ImportRow, import};
pub use proposals::{Proposal, Proposals, proposals};

use crate::app::App;
use crate::bulk::{self, BulkMode, BulkResult};
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::{self, Resource, there};
use crate::listing::{Field, Kind, ListRequest, Listing, MAX_INTEGER};
use crate::lists::{self, Links, words};
use crate::payments::{self, EndForm};
use crate::views::views;

views!(Receipt, /// A receipt.
    ReceiptView, /// A receipt in a list.
    ReceiptSummary, []);

/// What a list of receipts can be asked.
pub static LISTING: Listing = Listing {
    resource: "receipts",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("received_on", Kind::Date).sortable(),
        Field::new("status", words!(ReceiptStatus)),
        Field::new("method", words!(PaymentMethod)),
        Field::new("payment_id", Kind::Id).nullable(),
        Field::new("part_of_id", Kind::Id).nullable(),
        Field::new("payer", Kind::Text).nullable(),
        Field::new("bank_reference", Kind::Text).nullable(),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").sortable(),
    ],
    search: &["bank_reference", "payer", "memo"],
    default_sort: "-received_on",
    includes: ReceiptSummary::INCLUDES,
};

impl Resource for Receipt {
    type View = ReceiptView;
    type Ties = ReceiptTies;
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Self::may_read(ctx).map_err(|_| Refusal::not_found())
    }
    fn view(self, ctx: &Context, ties: ReceiptTies) -> Result<ReceiptView, Refusal> {
        Ok(ReceiptView { allowed_actions: self.allowed_actions(ctx, &ties), record: self })
    }
}

/// One receipt.
pub async fn get(app: &App, call: &Call, id: ReceiptId) -> Read<ReceiptView> {
    app.get::<Receipt>(call, id).await
}

/// All receipts.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<ReceiptSummary>> {
    app.read(call, async |ctx, reader| {
        Receipt::may_read(ctx)?;
        lists::page(ctx, reader, &list, Predicate::True, |_: &Receipt| Links::default()).await
    })
    .await
}

/// Enters a receipt.
pub async fn create(app: &App, call: &Call, form: Valid<ReceiptDetails>) -> Written<ReceiptView> {
    app.write(call, async |ctx, work| {
        let (receipt, event) = Receipt::new(ctx, work.new_id(), form.clone())?;
        work.insert(&receipt, event).await?;
        Ok(receipt.view(ctx, ReceiptTies::default())?)
    })
    .await
}

/// Says what a receipt pays: the contract is locked first, then its payment, then the receipt.
async fn pay(
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    id: ReceiptId,
    form: &MatchForm,
) -> Result<ReceiptView, Failure> {
    let found: Receipt = there(work.find(id).await?)?;
    found.reveal(ctx)?;
    found.may_match(ctx)?;
    let payment = match form.target()? {
        MatchTarget::Contract(contract) => {
            let payment = found.as_payment(contract, form.allocations.clone())?;
            payments::record(ctx, work, payment).await?.0
        }
        MatchTarget::Payment(payment) => {
            let known = payments::load(ctx, work, payment).await;
            let (_, payment) = known.map_err(|failure| match failure {
                Failure::Refused(_) => Failure::Refused(Refusal::unknown_reference("/payment_id")),
                other => other,
            })?;
            if of_payment(work, payment.id).await?.is_some() {
                let why = "another receipt is matched with this payment";
                return Err(Refusal::new(Code::InUse, why).into());
            }
            payment
        }
    };
    let before: Receipt = there(work.load(id).await?)?;
    call.check_version(before.version)?;
    let mut after = before.clone();
    let event = after.match_with(ctx, &payment)?;
    work.save(&before, &mut after, event).await?;
    Ok(after.view(ctx, ReceiptTies::default())?)
}

/// The receipt for which a payment accounts.
async fn of_payment(work: &Work, payment: PaymentId) -> Result<Option<Receipt>, Failure> {
    let found: Vec<Receipt> = work.load_all(Predicate::Is("payment_id", payment.0.into())).await?;
    Ok(found.into_iter().next())
}

/// A payment was rejected or reversed: the receipt for which it accounted is open again.
pub(crate) async fn release(work: &mut Work, payment: &Payment) -> Result<(), Failure> {
    let Some(before) = of_payment(work, payment.id).await? else { return Ok(()) };
    let mut after = before.clone();
    let event = after.release()?;
    Ok(work.save(&before, &mut after, event).await?)
}

/// Says what a receipt pays.
pub async fn match_one(
    app: &App,
    call: &Call,
    id: ReceiptId,
    form: Valid<MatchForm>,
) -> Written<ReceiptView> {
    app.write(call, async |ctx, work| pay(ctx, work, call, id, &form).await).await
}

/// Says that a receipt pays no contract.
pub async fn set_aside(app: &App, call: &Call, id: ReceiptId, form: Valid<EndForm>) -> Written<ReceiptView> {
    app.change(call, id, async |ctx, _, receipt: &mut Receipt| {
        Ok(receipt.set_aside(ctx, form.reason.clone())?)
    })
    .await
}

/// Takes a receipt apart that pays several contracts.
pub async fn split(app: &App, call: &Call, id: ReceiptId, form: Valid<SplitForm>) -> Written<ReceiptView> {
    app.change(call, id, async |ctx, work, receipt: &mut Receipt| {
        let next = work.ids();
        let (parts, event) = receipt.split(ctx, &form, || next().into())?;
        for part in &parts {
            work.insert(part, Event("receipt.recorded")).await?;
        }
        Ok(event)
    })
    .await
}

/// Puts a receipt together again: its parts are gone.
pub async fn join(app: &App, call: &Call, id: ReceiptId) -> Written<ReceiptView> {
    app.change(call, id, async |ctx, work, receipt: &mut Receipt| {
        let parts: Vec<Receipt> = work.load_all(Predicate::Is("part_of_id", id.0.into())).await?;
        let event = receipt.join(ctx, &parts)?;
        for part in &parts {
            work.delete(part, Event("receipt.deleted")).await?;
        }
        Ok(event)
    })
    .await
}

/// Looks at a receipt again that was set aside.
pub async fn reopen(app: &App, call: &Call, id: ReceiptId) -> Written<ReceiptView> {
    app.change(call, id, async |ctx, _, receipt: &mut Receipt| Ok(receipt.reopen(ctx)?)).await
}

text_enum! {
    /// What is done with many receipts.
    pub enum ReceiptBulkAction {
        /// Say what they pay.
        Match = "match",
        /// Say that they pay no contract.
        SetAside = "set_aside",
    }
}

/// One receipt of a bulk call. What its action does not take is refused.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptBulkItem {
    /// Which one it is.
    pub id: ReceiptId,
    /// The version that the caller believes to change.
    #[serde(default)]
    #[validate(range(min = 1, max = MAX_INTEGER, message = "must be between 1 and 2^53"))]
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// The contract that it pays; to match.
    #[serde(default)]
    pub contract_id: Option<ContractId>,
    /// The payment that it is; to match.
    #[serde(default)]
    pub payment_id: Option<PaymentId>,
    /// Why; to set aside.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Line>,
}

/// Something that is done with many receipts.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "action": "match",
    "mode": "best_effort",
    "items": [{"id": ReceiptId::example(1), "contract_id": ContractId::example(1)}]
}))]
pub struct ReceiptBulk {
    /// What.
    pub action: ReceiptBulkAction,
    /// What happens when some are refused.
    pub mode: BulkMode,
    /// With which.
    #[validate(length(min = 1, max = "bulk::MAX", message = "must have between 1 and 200 items"), nested)]
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<ReceiptBulkItem>,
}

impl bulk::Operation for ReceiptBulkItem {
    fn id(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> Option<i64> {
        self.version
    }
}

/// Matches or sets aside many receipts.
pub async fn bulk(app: &App, call: &Call, form: Valid<ReceiptBulk>) -> Written<BulkResult> {
    app.write(call, async |ctx, work| {
        Receipt::may_manage(ctx)?;
        bulk::distinct(&form.items)?;
        // Contracts are locked first, in one order, whatever the order of the call.
        let payments = Predicate::ids(form.items.iter().filter_map(|item| item.payment_id).map(|id| id.0));
        let payments: Vec<Payment> = work.find_all(payments).await?;
        let contracts = payments.iter().map(|payment| payment.details.contract_id);
        let contracts = contracts.chain(form.items.iter().filter_map(|item| item.contract_id));
        work.load_all::<Contract>(Predicate::ids(contracts.map(|id| id.0))).await?;
        bulk::run(work, call, form.mode, &form.items, async |work, call, at, item| {
            let matches = form.action == ReceiptBulkAction::Match;
            bulk::only_wanted(
                at,
                &[
                    ("contract_id", item.contract_id.is_some(), matches),
                    ("payment_id", item.payment_id.is_some(), matches),
                    ("reason", item.reason.is_some(), !matches),
                ],
            )?;
            let view = match form.action {
                ReceiptBulkAction::Match => {
                    let target = MatchForm {
                        contract_id: item.contract_id,
                        payment_id: item.payment_id,
                        allocations: None,
                    };
                    pay(ctx, work, call, item.id, &target).await?
                }
                ReceiptBulkAction::SetAside => {
                    let reason = bulk::needed(item.reason.as_ref(), at, "reason")?;
                    let aside =
                        async |_: &mut Work, receipt: &mut Receipt| Ok(receipt.set_aside(ctx, reason)?);
                    change::change(ctx, work, call, item.id, aside).await?
                }
            };
            Ok(view.version())
        })
        .await
    })
    .await
}
