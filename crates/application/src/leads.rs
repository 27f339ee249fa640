//! Leads (线索).

use chrono::NaiveDate;
use fairlead_domain::access::Permission;
use fairlead_domain::activity::Activity;
use fairlead_domain::contact::Contact;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::customer::{Customer, OwnershipCause};
use fairlead_domain::dependents::Dependents;
use fairlead_domain::error::Refusal;
use fairlead_domain::lead::{
    self, DisqualifyReason, Lead, LeadDetails, LeadGrade, LeadStatus, LikeKeys, Source,
};
use fairlead_domain::opportunity::{ForecastCategory, OpportunityDetails};
use fairlead_domain::patch::Patch;
use fairlead_domain::text_enum;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{
    ContactId, CustomerId, LeadId, Line, Money, OpportunityId, PipelineId, Tags, UserId, phone_key,
};
use fairlead_persistence::{Predicate, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::app::App;
use crate::bulk::{self, BulkMode, BulkResult};
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{Eyes, Resource, change, changed, load, named};
use crate::likeness::{self, Among, Duplicates};
use crate::listing::{Field, Include, Kind, ListRequest, Listing, MAX_INTEGER};
use crate::lists::{self, Links, words};
use crate::views::{Related, views};
use crate::{customers, merging, opportunities};

views!(Lead, /// A lead.
    LeadView, /// A lead in a list.
    LeadSummary, [owner: WithOwner]);

/// What a list of leads can be asked.
pub static LISTING: Listing = Listing {
    resource: "leads",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("updated_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("company", Kind::Text).nullable().sortable(),
        Field::new("phone", Kind::Text).nullable().compared_by("phone_key", phone_key),
        Field::new("email", Kind::Text).nullable(),
        Field::new("source", words!(Source)),
        Field::new("campaign", Kind::Text).nullable(),
        Field::new("region", Kind::Text).nullable(),
        Field::new("industry", Kind::Text).nullable(),
        Field::new("tags", Kind::Tags),
        Field::new("status", words!(LeadStatus)),
        Field::new("score", Kind::Integer).sortable(),
        Field::new("grade", words!(LeadGrade)),
        Field::new("owner_id", Kind::Id).nullable(),
        Field::new("budget", Kind::Money("budget_currency")).in_column("budget_minor").nullable(),
        Field::new("expected_purchase_on", Kind::Date).nullable().sortable(),
        Field::new("response_due_at", Kind::Timestamp).nullable().sortable(),
        Field::new("last_activity_at", Kind::Timestamp).nullable().sortable(),
        Field::new("converted_customer_id", Kind::Id).nullable(),
    ],
    search: &["name", "company", "email"],
    default_sort: "-created_at",
    includes: LeadSummary::INCLUDES,
};

impl Resource for Lead {
    type View = LeadView;
    type Ties = Dependents;
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Lead::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, dependents: Dependents) -> Result<LeadView, Refusal> {
        Ok(LeadView { allowed_actions: self.allowed_actions(ctx, &dependents), record: self })
    }
}

/// To whom a lead is given. No history is kept of it that would have a reason.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"owner_id": UserId::example(1)}))]
pub struct LeadAssignForm {
    /// The new owner: somebody of `/people`.
    pub owner_id: UserId,
}

/// Why a lead is given up.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisqualifyForm {
    /// Why.
    pub reason: DisqualifyReason,
}

/// What a lead becomes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "create_contact": true,
    "opportunity": {
        "name": "杭州云帆 20 seats",
        "amount": {"amount": "120000.00", "currency": "CNY"},
        "expected_close_on": "2027-03-31"
    }
}))]
pub struct ConvertForm {
    /// A customer that is there already; a new one is made when absent.
    #[serde(default)]
    pub customer_id: Option<CustomerId>,
    /// Whether to make a contact of the person.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub create_contact: bool,
    /// The opportunity to make, if any.
    #[serde(default)]
    #[validate(nested)]
    pub opportunity: Option<ConvertOpportunity>,
}

fn yes() -> bool {
    true
}

/// The opportunity that a lead becomes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvertOpportunity {
    /// In one line.
    #[validate(nested)]
    pub name: Line,
    /// The pipeline; the default one when absent.
    #[serde(default)]
    pub pipeline_id: Option<PipelineId>,
    /// What it is worth; the lead's budget when absent.
    #[serde(default)]
    pub amount: Option<Money>,
    /// When it should be won; the lead's expected date when absent.
    #[serde(default, deserialize_with = "fairlead_domain::values::optional_day")]
    pub expected_close_on: Option<NaiveDate>,
}

/// What a lead refers to.
fn links(lead: &Lead) -> Links {
    Links { owner: lead.owner_id, ..Links::default() }
}

/// One lead.
pub async fn get(app: &App, call: &Call, id: LeadId, include: Include) -> Read<Related<LeadView>> {
    app.get_related::<Lead>(call, id, &include, links).await
}

/// The leads that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<LeadSummary>> {
    app.read(call, async |ctx, reader| {
        let visible = lists::scope(ctx, Permission::LeadsRead, "id")?;
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Records a lead.
pub async fn create(app: &App, call: &Call, form: Valid<LeadDetails>) -> Written<LeadView> {
    app.write(call, async |ctx, work| {
        let made = Lead::new(ctx, work.new_id(), form.clone())?;
        let keys = LikeKeys::of_lead(&form);
        likeness::refuse_known(ctx, work, call, (keys, None, Among::Everybody)).await?;
        Ok(record(ctx, work, made).await?.view(ctx, Dependents::default())?)
    })
    .await
}

/// Writes a new lead; one that nobody owns goes to whom an assignment rule names.
pub(crate) async fn record(
    ctx: &Context<'_>,
    work: &mut Work,
    (lead, event): (Lead, Event),
) -> Result<Lead, Failure> {
    work.insert(&lead, event).await?;
    let route = match lead.owner_id {
        None => lead::route(ctx.org, &lead.details, lead.score.grade),
        Some(_) => None,
    };
    let Some(route) = route else { return Ok(lead) };
    let Some(to) = route.next(work.last_turn(route.rule_id).await?) else { return Ok(lead) };
    work.note_turn(route.rule_id, to).await?;
    let mut after = lead.clone();
    let event = after.route(ctx, to);
    work.save(&lead, &mut after, event).await?;
    Ok(after)
}

/// Leads and customers that look like a lead.
pub async fn duplicates(app: &App, call: &Call, id: LeadId) -> Read<Duplicates> {
    app.read(call, async |ctx, reader| {
        let lead: Lead = crate::change::read(ctx, reader, id).await?;
        let keys = LikeKeys::of_lead(&lead.details);
        Ok(Duplicates { data: likeness::of(ctx, &Eyes::Reader(reader), &keys, Some(id.0)).await? })
    })
    .await
}

/// Which lead is the same one and goes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"loser_id": LeadId::example(2)}))]
pub struct LeadMerge {
    /// The lead that goes; its id leads to the survivor from then on.
    pub loser_id: LeadId,
}

/// Merges another lead into this one.
pub async fn merge(app: &App, call: &Call, id: LeadId, form: Valid<LeadMerge>) -> Written<LeadView> {
    app.write(call, async |ctx, work| {
        let loser = form.loser_id;
        // Both are locked in the order of their ids, whichever goes.
        work.load_all::<Lead>(Predicate::ids([id.0, loser.0])).await?;
        // Who may not is told so, whatever the other one is.
        load::<Lead>(ctx, work, id).await?.may_merge(ctx)?;
        let other: Lead = named(ctx, work, loser, "/loser_id").await?;
        change(ctx, work, call, id, async |work: &mut Work, lead: &mut Lead| {
            let event = lead.absorb(ctx, &other)?;
            merging::lead(work, &other, id).await?;
            Ok(event)
        })
        .await
    })
    .await
}

/// Changes what was said about a lead.
pub async fn update(app: &App, call: &Call, id: LeadId, patch: Patch<LeadDetails>) -> Written<LeadView> {
    app.change(call, id, async |ctx, work, lead: &mut Lead| {
        lead.may_update(ctx)?;
        let before = LikeKeys::of_lead(&lead.details);
        let event = lead.edit(ctx, patch.apply(&lead.details)?)?;
        let keys = LikeKeys::of_lead(&lead.details).since(&before);
        likeness::refuse_known(ctx, work, call, (keys, Some(id.0), Among::Everybody)).await?;
        Ok(event)
    })
    .await
}

/// Deletes a lead that was a mistake: nothing may depend on it.
pub async fn delete(app: &App, call: &Call, id: LeadId) -> Written<()> {
    app.remove(call, id, Event("lead.deleted"), async |ctx, work, lead: &Lead| {
        lead.may_delete(ctx, &work.ties(lead).await?)?;
        Ok(work.forget_merges(id.0).await?)
    })
    .await
}

/// Gives a lead to a user.
pub async fn assign(app: &App, call: &Call, id: LeadId, form: Valid<LeadAssignForm>) -> Written<LeadView> {
    app.change(call, id, async |ctx, work, lead: &mut Lead| {
        work.lock_user(form.owner_id).await?;
        Ok(lead.assign(ctx, form.owner_id)?)
    })
    .await
}

/// Takes a lead from the lead pool. Of many at once, one gets it.
pub async fn claim(app: &App, call: &Call, id: LeadId) -> Written<LeadView> {
    app.write(call, async |ctx, work| {
        let lead = take(ctx, work, call, id).await?;
        lead.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

async fn take(ctx: &Context<'_>, work: &mut Work, call: &Call, id: LeadId) -> Result<Lead, Failure> {
    // Whoever comes late is told so, even though the lead has left their sight, but not its version.
    let before: Lead = crate::change::load_any(ctx, work, id.0).await?;
    let mut after = before.clone();
    work.lock_user(ctx.actor.id).await?;
    let event = after.claim(ctx)?;
    call.check_version(before.version)?;
    work.save(&before, &mut after, event).await?;
    Ok(after)
}

/// Gives a lead back to the lead pool.
pub async fn release(app: &App, call: &Call, id: LeadId) -> Written<LeadView> {
    app.change(call, id, async |ctx, _, lead: &mut Lead| Ok(lead.release(ctx)?)).await
}

/// Finds a lead worth an opportunity.
pub async fn qualify(app: &App, call: &Call, id: LeadId) -> Written<LeadView> {
    app.change(call, id, async |ctx, _, lead: &mut Lead| Ok(lead.qualify(ctx)?)).await
}

/// Gives a lead up.
pub async fn disqualify(
    app: &App,
    call: &Call,
    id: LeadId,
    form: Valid<DisqualifyForm>,
) -> Written<LeadView> {
    app.change(call, id, async |ctx, _, lead: &mut Lead| Ok(lead.disqualify(ctx, form.reason)?)).await
}

/// Takes a lead up again.
pub async fn reopen(app: &App, call: &Call, id: LeadId) -> Written<LeadView> {
    app.change(call, id, async |ctx, _, lead: &mut Lead| Ok(lead.reopen(ctx)?)).await
}

text_enum! {
    /// What is done with many leads.
    pub enum LeadBulkAction {
        /// Give each to its `owner_id`.
        Assign = "assign",
        /// Take them from the lead pool.
        Claim = "claim",
        /// Give them back to the lead pool.
        Release = "release",
        /// Find them worth an opportunity.
        Qualify = "qualify",
        /// Give each up for its `reason`.
        Disqualify = "disqualify",
        /// Take them up again.
        Reopen = "reopen",
    }
}

/// One of many leads. What its action does not take is refused.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadBulkItem {
    /// The lead.
    pub id: LeadId,
    /// The version that the caller believes to change; any when absent.
    #[serde(default)]
    #[validate(range(min = 1, max = MAX_INTEGER, message = "must be between 1 and 2^53"))]
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// The new owner, for `assign`.
    #[serde(default)]
    pub owner_id: Option<UserId>,
    /// Why, for `disqualify`.
    #[serde(default)]
    pub reason: Option<DisqualifyReason>,
}

impl bulk::Operation for LeadBulkItem {
    fn id(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> Option<i64> {
        self.version
    }
}

/// An action over many leads.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "action": "disqualify",
    "mode": "best_effort",
    "items": [{"id": LeadId::example(1), "reason": "unreachable"}]
}))]
pub struct LeadBulk {
    /// What is done.
    pub action: LeadBulkAction,
    /// What happens when some are refused.
    pub mode: BulkMode,
    /// With which leads, each once.
    #[validate(length(min = 1, max = "bulk::MAX", message = "must have between 1 and 200 items"), nested)]
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<LeadBulkItem>,
}

/// Runs one action over many leads.
pub async fn bulk(app: &App, call: &Call, form: Valid<LeadBulk>) -> Written<BulkResult> {
    app.write(call, async |ctx, work| {
        ctx.actor.authorize_own(Permission::LeadsRead)?;
        bulk::distinct(&form.items)?;
        // Everybody locks leads in the order of their ids, whatever the order of the call.
        work.load_all::<Lead>(Predicate::ids(form.items.iter().map(|item| item.id.0))).await?;
        bulk::run(work, call, form.mode, &form.items, async |work, call, at, item| {
            bulk::only_wanted(
                at,
                &[
                    ("owner_id", item.owner_id.is_some(), form.action == LeadBulkAction::Assign),
                    ("reason", item.reason.is_some(), form.action == LeadBulkAction::Disqualify),
                ],
            )?;
            if form.action == LeadBulkAction::Claim {
                return Ok(take(ctx, work, call, item.id).await?.version);
            }
            let after = changed(ctx, work, call, item.id, async |_, lead: &mut Lead| {
                Ok(match form.action {
                    LeadBulkAction::Assign => {
                        lead.assign(ctx, bulk::needed(item.owner_id.as_ref(), at, "owner_id")?)?
                    }
                    LeadBulkAction::Claim => lead.claim(ctx)?,
                    LeadBulkAction::Release => lead.release(ctx)?,
                    LeadBulkAction::Qualify => lead.qualify(ctx)?,
                    LeadBulkAction::Disqualify => {
                        lead.disqualify(ctx, bulk::needed(item.reason.as_ref(), at, "reason")?)?
                    }
                    LeadBulkAction::Reopen => lead.reopen(ctx)?,
                })
            });
            Ok(after.await?.version)
        })
        .await
    })
    .await
}

/// Makes customer, contact and opportunity of a lead, all or nothing.
pub async fn convert(app: &App, call: &Call, id: LeadId, form: Valid<ConvertForm>) -> Written<LeadView> {
    app.change(call, id, async |ctx, work, lead: &mut Lead| {
        let owner = lead.may_convert(ctx)?;
        let customer = match form.customer_id {
            Some(customer) => {
                let customer: Customer = named(ctx, work, customer, "/customer_id").await?;
                customer.may_update(ctx)?;
                customer
            }
            None => new_customer(ctx, work, call, lead, owner).await?,
        };
        let contact =
            if form.create_contact { Some(contact(ctx, work, lead, &customer).await?) } else { None };
        let opportunity = match &form.opportunity {
            Some(wanted) => Some(opportunity(ctx, work, lead, &customer, contact, wanted).await?),
            None => None,
        };
        activities_follow(work, lead.id, customer.id).await?;
        Ok(lead.convert(ctx, customer.id, contact, opportunity)?)
    })
    .await
}

async fn new_customer(
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    lead: &Lead,
    owner: UserId,
) -> Result<Customer, Failure> {
    let owner = Some((owner, work.owner_load(owner, ctx.day_began()).await?));
    let details = Valid::check(lead.as_customer())?;
    let keys = LikeKeys::of_customer(&details);
    likeness::refuse_known(ctx, work, call, (keys, None, Among::Customers)).await?;
    let made = Customer::new(ctx, work.new_id(), details, owner, OwnershipCause::Converted)?;
    customers::insert(work, made).await
}

async fn contact(
    ctx: &Context<'_>,
    work: &mut Work,
    lead: &Lead,
    customer: &Customer,
) -> Result<ContactId, Failure> {
    let of_customer = Predicate::Is("customer_id", customer.id.0.into());
    let known: Vec<Contact> = work.find_all(of_customer).await?;
    let is_primary = known.iter().all(|contact| !contact.details.is_primary);
    let details = Valid::check(lead.as_contact(customer.id, is_primary))?;
    let (contact, event) = Contact::new(ctx, work.new_id(), customer, details)?;
    work.insert(&contact, event).await?;
    Ok(contact.id)
}

async fn opportunity(
    ctx: &Context<'_>,
    work: &mut Work,
    lead: &Lead,
    customer: &Customer,
    contact: Option<ContactId>,
    wanted: &ConvertOpportunity,
) -> Result<OpportunityId, Failure> {
    let details = OpportunityDetails {
        name: wanted.name.clone(),
        customer_id: customer.id,
        pipeline_id: wanted.pipeline_id,
        primary_contact_id: contact,
        amount: wanted.amount.or(lead.details.budget),
        line_items: Vec::new(),
        expected_close_on: wanted.expected_close_on.or(lead.details.expected_purchase_on),
        source: Some(lead.details.source),
        grade: None,
        forecast_category: ForecastCategory::Pipeline,
        competitors: Tags::default(),
        note: lead.details.interest.clone(),
    };
    let within = |refusal: Refusal| refusal.within("/opportunity");
    let details = Valid::check(details).map_err(within)?;
    match opportunities::make(ctx, work, details).await {
        Ok(made) => Ok(made.id),
        Err(Failure::Refused(refusal)) => Err(within(refusal).into()),
        Err(failure) => Err(failure),
    }
}

async fn activities_follow(work: &mut Work, lead: LeadId, customer: CustomerId) -> Result<(), Failure> {
    for before in work.load_all::<Activity>(Predicate::Is("lead_id", lead.0.into())).await? {
        let mut after = before.clone();
        after.customer_id = Some(customer);
        work.save(&before, &mut after, Event("activity.followed")).await?;
    }
    Ok(())
}

/// Notes an activity about a lead.
pub(crate) async fn note_activity(
    ctx: &Context<'_>,
    work: &mut Work,
    id: LeadId,
    at: fairlead_domain::values::Timestamp,
) -> Result<(), Failure> {
    let before: Lead = load(ctx, work, id).await?;
    let mut after = before.clone();
    let event = after.note_activity(at)?;
    work.save(&before, &mut after, event).await?;
    Ok(())
}
