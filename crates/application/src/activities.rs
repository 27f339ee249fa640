//! Activities (跟进). They drive a lead's first response and a customer's last activity.

use fairlead_domain::access::Permission;
use fairlead_domain::activity::{Activity, ActivityDetails, ActivityKind, Parent, Subject, SubjectKind};
use fairlead_domain::contact::Contact;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::Customer;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::lead::Lead;
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{ActivityId, CustomerId};
use fairlead_persistence::{Predicate, Work};
use uuid::Uuid;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{self, Eyes, Resource, save_changed, there};
use crate::leads;
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Related, views};

views!(Activity, /// An activity.
    ActivityView, /// An activity in a list.
    ActivitySummary, [customer: WithCustomer]);

/// What a list of activities can be asked.
pub static LISTING: Listing = Listing {
    resource: "activities",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("kind", words!(ActivityKind)),
        Field::new("about_kind", words!(SubjectKind)),
        Field::new("about_id", Kind::Id),
        Field::new("lead_id", Kind::Id).nullable(),
        Field::new("customer_id", Kind::Id).nullable(),
        Field::new("created_by", Kind::Id),
        Field::new("happened_at", Kind::Timestamp).nullable().sortable(),
        Field::new("due_at", Kind::Timestamp).nullable().sortable(),
        Field::new("next_step_at", Kind::Timestamp).nullable().sortable(),
    ],
    search: &["subject"],
    default_sort: "-created_at",
    includes: ActivitySummary::INCLUDES,
};

fn view(ctx: &Context, parent: &Parent, activity: Activity) -> ActivityView {
    ActivityView { allowed_actions: activity.allowed_actions(ctx, parent), record: activity }
}

/// The customer that a subject belongs to.
async fn customer_of(ctx: &Context<'_>, work: &Work, subject: Subject) -> Result<CustomerId, Failure> {
    Ok(match subject.kind {
        SubjectKind::Customer | SubjectKind::Lead => CustomerId(subject.id),
        SubjectKind::Contact => there(work.find::<Contact>(subject.id).await?)?.details.customer_id,
        SubjectKind::Opportunity => {
            let opportunity: Opportunity = there(work.find(subject.id).await?)?;
            opportunity.reveal(ctx)?;
            opportunity.details.customer_id
        }
        SubjectKind::Contract => {
            let contract: Contract = there(work.find(subject.id).await?)?;
            contract.reveal(ctx)?;
            contract.details.customer_id
        }
    })
}

/// The record that a new activity depends on, locked. What it is about besides is there until the end: nobody deletes it
/// meanwhile.
async fn parent_of_new(ctx: &Context<'_>, work: &Work, about: Subject) -> Result<Parent, Failure> {
    let found = async {
        if about.kind == SubjectKind::Lead {
            return Ok(Parent::Lead(change::load(ctx, work, about.id).await?));
        }
        let customer = customer_of(ctx, work, about).await?;
        let parent = Parent::Customer(change::load(ctx, work, customer).await?);
        hold(work, about).await?;
        Ok(parent)
    };
    match found.await {
        Err(Failure::Refused(refusal)) if matches!(refusal.code, Code::NotFound | Code::RecordMerged) => {
            let (eyes, id, pointer) = (Eyes::Work(work), about.id, "/about/id");
            let refusal = match about.kind {
                SubjectKind::Lead => change::absent::<Lead>(ctx, &eyes, id, pointer).await?,
                SubjectKind::Customer => change::absent::<Customer>(ctx, &eyes, id, pointer).await?,
                SubjectKind::Contact | SubjectKind::Opportunity | SubjectKind::Contract => {
                    Refusal::unknown_reference(pointer)
                }
            };
            Err(refusal.into())
        }
        other => other,
    }
}

/// Keeps what an activity is about where it is, after its customer was locked.
async fn hold(work: &Work, about: Subject) -> Result<(), Failure> {
    let which = Predicate::Is("id", about.id.into());
    let held = match about.kind {
        SubjectKind::Lead | SubjectKind::Customer => true,
        SubjectKind::Contact => work.hold::<Contact>(which).await?.is_some(),
        SubjectKind::Opportunity => work.hold::<Opportunity>(which).await?.is_some(),
        SubjectKind::Contract => work.hold::<Contract>(which).await?.is_some(),
    };
    if held { Ok(()) } else { Err(Refusal::not_found().into()) }
}

/// The record that an activity depends on: the customer, once there is one. Reading and writing go by the same rule.
async fn parent(ctx: &Context<'_>, eyes: &Eyes<'_>, activity: &Activity) -> Result<Parent, Failure> {
    let parent = match (activity.customer_id, activity.lead_id) {
        (Some(customer), _) => Parent::Customer(whole(ctx, eyes, customer).await?),
        (None, Some(lead)) => Parent::Lead(whole(ctx, eyes, lead).await?),
        (None, None) => return Err(Refusal::not_found().into()),
    };
    parent.reveal_activities(ctx)?;
    // What is about an opportunity or a contract is for whoever sees that: the rule of `about_visible`.
    let about = activity.details.about;
    match about.kind {
        SubjectKind::Lead | SubjectKind::Customer | SubjectKind::Contact => {}
        SubjectKind::Opportunity => there(eyes.one::<Opportunity>(about.id).await?)?.reveal(ctx)?,
        SubjectKind::Contract => there(eyes.one::<Contract>(about.id).await?)?.reveal(ctx)?,
    }
    Ok(parent)
}

/// A lead or a customer, locked by whoever is about to write.
async fn whole<T: Resource>(ctx: &Context<'_>, eyes: &Eyes<'_>, id: impl Into<Uuid>) -> Result<T, Failure> {
    match eyes {
        Eyes::Reader(reader) => change::read_parent(ctx, reader, id).await,
        Eyes::Work(work) => change::load_parent(ctx, work, id).await,
    }
}

/// Of the activities about a customer, those about an opportunity or a contract are for whoever sees that.
pub(crate) fn about_visible(ctx: &Context<'_>) -> Predicate {
    let guarded = [
        (SubjectKind::Opportunity, "opportunities", Permission::OpportunitiesRead),
        (SubjectKind::Contract, "contracts", Permission::ContractsRead),
    ];
    let hidden = guarded.map(|(kind, table, permission)| {
        let seen = Predicate::Scope("customer_id", ctx.actor.visible_scope(permission));
        let seen = Predicate::Each("activities.about_id", table, Box::new(seen));
        Predicate::All(vec![Predicate::Is("about_kind", kind.as_str().into()), seen.negate()])
    });
    Predicate::Any(hidden.into()).negate()
}

/// What an activity refers to.
fn links(activity: &Activity) -> Links {
    Links { customer: activity.customer_id, ..Links::default() }
}

/// One activity.
pub async fn get(app: &App, call: &Call, id: ActivityId, include: Include) -> Read<Related<ActivityView>> {
    app.read(call, async |ctx, reader| {
        let activity: Activity = there(reader.one(id).await?)?;
        let parent = parent(ctx, &Eyes::Reader(reader), &activity).await?;
        let links = links(&activity);
        lists::related(ctx, reader, &include, links, view(ctx, &parent, activity)).await
    })
    .await
}

/// The activities about the leads and customers that the caller may see, unmasked. Whoever may see neither is told so.
pub(crate) fn visible(ctx: &Context<'_>) -> Result<Predicate, Refusal> {
    let leads = lists::scope(ctx, Permission::LeadsRead, "id");
    let customers = lists::scope(ctx, Permission::CustomersRead, "id");
    let of_leads = |scope| {
        let about_leads = Predicate::Through("activities.lead_id", "leads", Box::new(scope));
        Predicate::All(vec![Predicate::IsNull("customer_id"), about_leads])
    };
    let of_customers = |scope: Predicate| {
        let seen = if Customer::sees_every_customer(ctx) { scope } else { scope.owned() };
        Predicate::Through("activities.customer_id", "customers", Box::new(seen))
    };
    let of_either = match (leads, customers) {
        (Err(refusal), Err(_)) => return Err(refusal),
        (leads, customers) => Predicate::Any(
            leads.into_iter().map(of_leads).chain(customers.into_iter().map(of_customers)).collect(),
        ),
    };
    Ok(Predicate::All(vec![of_either, about_visible(ctx)]))
}

/// The activities that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<ActivitySummary>> {
    app.read(call, async |ctx, reader| {
        let visible = visible(ctx)?;
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Logs an activity.
pub async fn create(app: &App, call: &Call, form: Valid<ActivityDetails>) -> Written<ActivityView> {
    app.write(call, async |ctx, work| {
        let parent = parent_of_new(ctx, work, form.about).await?;
        let (activity, event) = Activity::new(ctx, work.new_id(), &parent, form.clone())?;
        work.insert(&activity, event).await?;
        match (&parent, activity.details.happened_at) {
            (Parent::Lead(lead), Some(at)) => leads::note_activity(ctx, work, lead.id, at).await?,
            (Parent::Lead(_), None) => {}
            (Parent::Customer(_), _) => follow(work, &parent).await?,
        }
        let parent = self::parent(ctx, &Eyes::Work(work), &activity).await?;
        Ok(view(ctx, &parent, activity))
    })
    .await
}

/// What follows for the lead or the customer from the activities that it has now.
async fn follow(work: &mut Work, parent: &Parent) -> Result<(), Failure> {
    match parent {
        Parent::Lead(before) => {
            let mut after = before.clone();
            let event = after.follow(work.activities_of_lead(before.id).await?.last);
            save_changed(work, before, &mut after, event).await
        }
        Parent::Customer(before) => {
            let mut after = before.clone();
            let event = after.follow(work.activities_of_customer(before.id).await?);
            save_changed(work, before, &mut after, event).await
        }
    }
}

/// Changes what was said about an activity.
pub async fn update(
    app: &App,
    call: &Call,
    id: ActivityId,
    patch: Patch<ActivityDetails>,
) -> Written<ActivityView> {
    app.write(call, async |ctx, work| {
        let found: Activity = there(work.find(id).await?)?;
        let parent = parent(ctx, &Eyes::Work(work), &found).await?;
        let before: Activity = there(work.load(id).await?)?;
        call.check_version(before.version)?;
        before.may_update(ctx, &parent)?;
        let mut after = before.clone();
        let event = after.edit(ctx, &parent, patch.apply(&before.details)?)?;
        work.save(&before, &mut after, event).await?;
        follow(work, &parent).await?;
        Ok(view(ctx, &parent, after))
    })
    .await
}

/// Deletes an activity that was a mistake.
pub async fn delete(app: &App, call: &Call, id: ActivityId) -> Written<()> {
    app.write(call, async |ctx, work| {
        let found: Activity = there(work.find(id).await?)?;
        let parent = parent(ctx, &Eyes::Work(work), &found).await?;
        let activity: Activity = there(work.load(id).await?)?;
        call.check_version(activity.version)?;
        activity.may_update(ctx, &parent)?;
        work.delete(&activity, Event("activity.deleted")).await?;
        follow(work, &parent).await
    })
    .await
}
