//! Amendments of running contracts (合同变更).

use fairlead_domain::access::Permission;
use fairlead_domain::amendment::{Amendment, AmendmentForm, AmendmentKind, TermChange};
use fairlead_domain::approval::{ApprovalStatus, Proposal, SubjectFacts};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::{Contract, Installment};
use fairlead_domain::customer::Customer;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{AmendmentId, NumberKind};
use fairlead_persistence::{Predicate, Work};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::{Eyes, Resource, save_changed, there};
use crate::contracts::{named_contract, of_contract, settle_and_save};
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Related, summary};
use crate::{approvals, catalogue};

/// An amendment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AmendmentView {
    /// The record.
    #[serde(flatten)]
    pub record: Amendment,
    /// What it changes, member by member.
    #[schema(max_items = 20)]
    pub changes: Vec<TermChange>,
    /// What the caller may do with it now. What depends on other records is judged when it is done.
    #[schema(max_items = 20)]
    pub allowed_actions: Vec<fairlead_domain::workflow::AllowedAction>,
}

impl Versioned for AmendmentView {
    fn version(&self) -> i64 {
        self.record.version
    }
}

summary!(Amendment, /// An amendment in a list.
    AmendmentSummary, [owner: WithOwner, customer: WithCustomer, contract: WithContract]);

/// What a list of amendments can be asked.
pub static LISTING: Listing = Listing {
    resource: "amendments",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("decided_at", Kind::Timestamp).nullable().sortable(),
        Field::new("number", Kind::Text).sortable(),
        Field::new("contract_id", Kind::Id),
        Field::new("customer_id", Kind::Id),
        Field::new("owner_id", Kind::Id),
        Field::new("kind", words!(AmendmentKind)),
        Field::new("status", words!(ApprovalStatus)),
        Field::new("created_by", Kind::Id),
    ],
    search: &["number", "reason"],
    default_sort: "-created_at",
    includes: AmendmentSummary::INCLUDES,
};

impl Resource for Amendment {
    type View = AmendmentView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Amendment::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, (): ()) -> Result<AmendmentView, Refusal> {
        Ok(AmendmentView {
            changes: self.changes(),
            allowed_actions: self.allowed_actions(ctx),
            record: self,
        })
    }
}

/// What an amendment refers to.
fn links(amendment: &Amendment) -> Links {
    Links {
        owner: Some(amendment.owner_id),
        customer: Some(amendment.customer_id),
        contract: Some(amendment.contract_id),
        ..Links::default()
    }
}

/// One amendment.
pub async fn get(app: &App, call: &Call, id: AmendmentId, include: Include) -> Read<Related<AmendmentView>> {
    app.get_related::<Amendment>(call, id, &include, links).await
}

/// The amendments of contracts that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<AmendmentSummary>> {
    app.read(call, async |ctx, reader| {
        let visible = lists::scope(ctx, Permission::ContractsRead, "customer_id")?;
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

fn pending(contract: fairlead_domain::values::ContractId) -> Predicate {
    let waits = Predicate::Is("status", ApprovalStatus::Pending.as_str().into());
    Predicate::All(vec![of_contract(contract), waits])
}

/// How many amendments of a contract wait. Whoever asks holds the contract's lock.
pub(crate) async fn count_pending(work: &Work, contract: &Contract) -> Result<usize, Failure> {
    let waiting: Vec<Amendment> = work.find_all(pending(contract.id)).await?;
    Ok(waiting.len())
}

/// Asks for other terms of a running contract.
pub async fn create(app: &App, call: &Call, form: Valid<AmendmentForm>) -> Written<AmendmentView> {
    app.write(call, async |ctx, work| {
        let contract = named_contract(ctx, work, form.contract_id).await?;
        let installments: Vec<Installment> = work.load_all(of_contract(contract.id)).await?;
        let number = work.next_number(NumberKind::Amendment, ctx.today().year()).await?;
        let (mut amendment, event) =
            Amendment::request(ctx, work.new_id(), number, (&contract, &installments), form.clone())?;
        if count_pending(work, &contract).await? > 0 {
            let why = "another amendment of the contract waits for approval";
            return Err(Refusal::new(Code::PendingApproval, why).into());
        }
        catalogue::take(work, &mut amendment.after.line_items, &contract.details.line_items).await?;
        work.insert(&amendment, event).await?;
        let customer: Customer = there(work.find(contract.details.customer_id).await?)?;
        let currency = Some(amendment.amount.currency());
        let prices = catalogue::todays_prices(ctx, &Eyes::Work(work), currency).await?;
        let facts = SubjectFacts::of_amendment(&amendment, &contract, &customer, &prices)?;
        approvals::request(ctx, work, facts).await?;
        Ok(amendment.view(ctx, ())?)
    })
    .await
}

/// Locks the contract first, then its amendment. Who sees it is for the caller to judge.
pub(crate) async fn locked(work: &Work, id: AmendmentId) -> Result<(Contract, Amendment), Failure> {
    let found: Amendment = there(work.find(id).await?)?;
    let contract = there(work.load(found.contract_id).await?)?;
    let amendment = there(work.load(id).await?)?;
    Ok((contract, amendment))
}

/// Takes it back.
pub async fn withdraw(app: &App, call: &Call, id: AmendmentId) -> Written<AmendmentView> {
    app.write(call, async |ctx, work| {
        let (_, before) = locked(work, id).await?;
        before.reveal(ctx)?;
        approvals::take_back(ctx, work, call, before).await
    })
    .await
}

/// The last approver agreed: the contract has the new terms, or the approver is told why it cannot.
pub(crate) async fn execute(
    ctx: &Context<'_>,
    work: &mut Work,
    (contract, before): (&Contract, &Amendment),
) -> Result<(), Failure> {
    let known: Vec<Installment> = work.load_all(of_contract(contract.id)).await?;
    let (mut after, mut amended, mut plan) = (before.clone(), contract.clone(), known.clone());
    let event = after.approve(ctx, &mut amended, &mut plan, || work.new_id())?;
    work.save(before, &mut after, event).await?;
    let new = plan.split_off(known.len());
    for (known, part) in known.iter().zip(&mut plan) {
        save_changed(work, known, part, Event("installment.changed")).await?;
    }
    for part in &new {
        work.insert(part, Event("installment.planned")).await?;
    }
    settle_and_save(ctx, work, contract, amended, Event("contract.amended")).await
}
