//! Opportunities (商机).

use std::collections::BTreeMap;

use fairlead_domain::access::Permission;
use fairlead_domain::approval::SubjectFacts;
use fairlead_domain::contact::Contact;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::{Customer, Lifecycle};
use fairlead_domain::error::Refusal;
use fairlead_domain::lead::Source;
use fairlead_domain::opportunity::{
    Entered, ForecastCategory, LossReason, Opportunity, OpportunityDetails, OpportunityGrade,
    OpportunityStatus, OpportunityTies,
};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{ContractId, Line, Money, Number, NumberKind, OpportunityId, StageId};
use fairlead_persistence::Work;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{Eyes, Resource, load, named, there};
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Related, views};
use crate::{approvals, catalogue, customers, pipelines, transfers};

views!(Opportunity, /// An opportunity.
    OpportunityView, /// An opportunity in a list.
    OpportunitySummary, [owner: WithOwner, customer: WithCustomer, contract: WithContract]);

/// What a list of opportunities can be asked.
pub static LISTING: Listing = Listing {
    resource: "opportunities",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("updated_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("customer_id", Kind::Id),
        Field::new("pipeline_id", Kind::Id),
        Field::new("stage_id", Kind::Id),
        Field::new("status", words!(OpportunityStatus)),
        Field::new("owner_id", Kind::Id),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").nullable().sortable(),
        Field::new("probability", Kind::Integer).sortable(),
        Field::new("expected_close_on", Kind::Date).nullable().sortable(),
        Field::new("stage_entered_at", Kind::Timestamp).sortable(),
        Field::new("closed_at", Kind::Timestamp).nullable().sortable(),
        Field::new("source", words!(Source)).nullable(),
        Field::new("grade", words!(OpportunityGrade)).nullable(),
        Field::new("forecast_category", words!(ForecastCategory)),
        Field::new("loss_reason", words!(LossReason)).nullable(),
    ],
    search: &["name"],
    default_sort: "-created_at",
    includes: OpportunitySummary::INCLUDES,
};

impl Resource for Opportunity {
    type View = OpportunityView;
    type Ties = OpportunityTies;
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Opportunity::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, ties: OpportunityTies) -> Result<OpportunityView, Refusal> {
        Ok(OpportunityView { allowed_actions: self.allowed_actions(ctx, &ties), record: self })
    }
}

/// Where an opportunity goes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "stage_id": StageId::example(1),
    "reason": "The customer agreed to the scope"
}))]
pub struct AdvanceForm {
    /// The stage to enter: another open one of the pipeline.
    pub stage_id: StageId,
    /// Why; needed to go back.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Line>,
}

/// Why an opportunity is given up.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "reason": "price",
    "lost_to": "星图软件"
}))]
pub struct LoseForm {
    /// Why.
    pub reason: LossReason,
    /// To whom it was lost.
    #[serde(default)]
    #[validate(nested)]
    pub lost_to: Option<Line>,
}

/// Makes an opportunity.
pub(crate) async fn make(
    ctx: &Context<'_>,
    work: &mut Work,
    form: Valid<OpportunityDetails>,
) -> Result<Opportunity, Failure> {
    let customer: Customer = named(ctx, work, form.customer_id, "/customer_id").await?;
    let pipeline = pipelines::chosen(work, form.pipeline_id, "/pipeline_id").await?;
    check_contact(work, &form).await?;
    let (mut opportunity, event) = Opportunity::new(ctx, work.new_id(), &customer, &pipeline, form)?;
    catalogue::take(work, &mut opportunity.details.line_items, &[]).await?;
    work.insert(&opportunity, event).await?;
    customers::reach(work, customer.id, Lifecycle::Engaged).await?;
    Ok(opportunity)
}

/// The contact to talk to is one of the customer's.
async fn check_contact(work: &Work, form: &OpportunityDetails) -> Result<(), Failure> {
    let Some(contact) = form.primary_contact_id else { return Ok(()) };
    let contact: Option<Contact> = work.find(contact).await?;
    match contact {
        Some(contact) if contact.details.customer_id == form.customer_id => Ok(()),
        _ => Err(Refusal::unknown_reference("/primary_contact_id").into()),
    }
}

/// What an opportunity refers to.
fn links(opportunity: &Opportunity) -> Links {
    Links {
        owner: Some(opportunity.owner_id),
        customer: Some(opportunity.details.customer_id),
        contract: opportunity.contract_id,
        ..Links::default()
    }
}

/// One opportunity.
pub async fn get(
    app: &App,
    call: &Call,
    id: OpportunityId,
    include: Include,
) -> Read<Related<OpportunityView>> {
    app.get_related::<Opportunity>(call, id, &include, links).await
}

/// The opportunities that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<OpportunitySummary>> {
    app.read(call, async |ctx, reader| {
        let visible = lists::scope(ctx, Permission::OpportunitiesRead, "customer_id")?;
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Records an opportunity.
pub async fn create(app: &App, call: &Call, form: Valid<OpportunityDetails>) -> Written<OpportunityView> {
    app.write(call, async |ctx, work| {
        Ok(make(ctx, work, form.clone()).await?.view(ctx, OpportunityTies::default())?)
    })
    .await
}

/// Changes what was said about an opportunity.
pub async fn update(
    app: &App,
    call: &Call,
    id: OpportunityId,
    patch: Patch<OpportunityDetails>,
) -> Written<OpportunityView> {
    app.change(call, id, async |ctx, work, opportunity: &mut Opportunity| {
        opportunity.may_update(ctx)?;
        let form = patch.apply(&opportunity.details)?;
        let before = opportunity.details.line_items.clone();
        let event = opportunity.edit(ctx, form)?;
        catalogue::take(work, &mut opportunity.details.line_items, &before).await?;
        check_contact(work, &opportunity.details).await?;
        Ok(event)
    })
    .await
}

/// Deletes an opportunity that was a mistake: nothing may depend on it.
pub async fn delete(app: &App, call: &Call, id: OpportunityId) -> Written<()> {
    let event = Event("opportunity.deleted");
    app.remove(call, id, event, async |ctx, work, opportunity: &Opportunity| {
        Ok(opportunity.may_delete(ctx, &work.ties(opportunity).await?)?)
    })
    .await
}

/// Moves an opportunity to another open stage, or asks for its approval; the signing stage makes the contract's draft.
pub async fn advance(
    app: &App,
    call: &Call,
    id: OpportunityId,
    form: Valid<AdvanceForm>,
) -> Written<OpportunityView> {
    app.write(call, async |ctx, work| {
        let before: Opportunity = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        let pipeline = pipelines::of(work, &before).await?;
        let mut after = before.clone();
        let (entered, event) = after.advance(ctx, &pipeline, form.stage_id, form.reason.as_ref())?;
        if entered == Entered::Signing {
            draft_contract(ctx, work, &mut after).await?;
        }
        work.save(&before, &mut after, event).await?;
        if entered == Entered::Waits {
            let customer: Customer = there(work.find(after.details.customer_id).await?)?;
            let currency = after.details.amount.map(Money::currency);
            let prices = catalogue::todays_prices(ctx, &Eyes::Work(work), currency).await?;
            approvals::request(ctx, work, SubjectFacts::of_stage(&after, &customer, &prices)?).await?;
        }
        after.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

async fn draft_contract(
    ctx: &Context<'_>,
    work: &mut Work,
    opportunity: &mut Opportunity,
) -> Result<(), Failure> {
    let number = work.next_number(NumberKind::Contract, ctx.today().year()).await?;
    let (contract, drafted) = Contract::from_opportunity(ctx, work.new_id(), number, opportunity)?;
    work.insert(&contract, drafted).await?;
    opportunity.bind_contract(contract.id);
    Ok(())
}

/// The last approver agreed: it enters the stage.
pub(crate) async fn pass_gate(
    ctx: &Context<'_>,
    work: &mut Work,
    before: &Opportunity,
) -> Result<(), Failure> {
    let pipeline = pipelines::of(work, before).await?;
    let mut after = before.clone();
    let (entered, event) = after.pass_gate(ctx, &pipeline)?;
    if entered == Entered::Signing {
        draft_contract(ctx, work, &mut after).await?;
    }
    Ok(work.save(before, &mut after, event).await?)
}

/// Why it would not enter the stage if the last approver agreed now: what [`pass_gate`] would answer.
pub(crate) async fn gate_obstacle(
    ctx: &Context<'_>,
    eyes: &Eyes<'_>,
    before: &Opportunity,
) -> Result<Option<Refusal>, Failure> {
    let pipeline = pipelines::seen_of(eyes, before).await?;
    let mut after = before.clone();
    let passed = after.pass_gate(ctx, &pipeline).and_then(|(entered, _)| {
        if entered != Entered::Signing {
            return Ok(());
        }
        // Nothing is kept of this draft, so that it needs neither an id nor a number of its own.
        let number = Number::new(NumberKind::Contract, ctx.today().year(), 0);
        Contract::from_opportunity(ctx, ContractId(before.id.0), number, &after).map(drop)
    });
    Ok(passed.err())
}

/// An approver did not agree, or the question was taken back: it stays where it is.
pub(crate) async fn stay(work: &mut Work, before: &Opportunity) -> Result<(), Failure> {
    let mut after = before.clone();
    let event = after.stay();
    Ok(work.save(before, &mut after, event).await?)
}

/// Gives an opportunity up.
pub async fn lose(
    app: &App,
    call: &Call,
    id: OpportunityId,
    form: Valid<LoseForm>,
) -> Written<OpportunityView> {
    app.change(call, id, async |ctx, work, opportunity: &mut Opportunity| {
        let pipeline = pipelines::of(work, opportunity).await?;
        Ok(opportunity.lose(ctx, &pipeline, form.reason, form.lost_to.clone())?)
    })
    .await
}

/// Takes a lost opportunity up again.
pub async fn reopen(app: &App, call: &Call, id: OpportunityId) -> Written<OpportunityView> {
    app.change(call, id, async |ctx, work, opportunity: &mut Opportunity| {
        let pipeline = pipelines::of(work, opportunity).await?;
        // Locked: a customer that is being released has no business that begins again meanwhile.
        let customer: Customer = there(work.load(opportunity.details.customer_id).await?)?;
        let former = opportunity.owner_id;
        let event = opportunity.reopen(ctx, &pipeline, &customer)?;
        if opportunity.owner_id != former {
            transfers::lapse(ctx, work, &[opportunity.id.0]).await?;
        }
        let owner = BTreeMap::from([(opportunity.id.0, Some(opportunity.owner_id))]);
        approvals::follow(work, &owner).await?;
        Ok(event)
    })
    .await
}
