//! Web forms (网页表单): made by marketing, sent by anybody.

use fairlead_domain::activity::{Activity, ActivityDetails, ActivityKind, Subject, SubjectKind};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::customer::Customer;
use fairlead_domain::error::Refusal;
use fairlead_domain::lead::{
    COUNTED, FormToken, Lead, LeadForm, LeadFormDetails, LeadFormSubmission, LikeKeys, Source,
};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{CustomerId, LeadFormId, LeadId, Line};
use fairlead_persistence::{Predicate, Work};
use rand::Rng;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{Eyes, Resource, there};
use crate::leads;
use crate::likeness::{self, Like};
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::throttle::Budget;
use crate::views::views;

views!(LeadForm, /// A web form.
    LeadFormView, /// A web form in a list.
    LeadFormSummary, []);

/// What a list of web forms can be asked.
pub static LISTING: Listing = Listing {
    resource: "lead_forms",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("source", words!(Source)),
        Field::new("active", Kind::Boolean),
    ],
    search: &["name"],
    default_sort: "-created_at",
    includes: LeadFormSummary::INCLUDES,
};

impl Resource for LeadForm {
    type View = LeadFormView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Self::may_read(ctx).map_err(|_| Refusal::not_found())
    }
    fn view(self, ctx: &Context, (): ()) -> Result<LeadFormView, Refusal> {
        Ok(LeadFormView { allowed_actions: Self::allowed_actions(ctx), record: self })
    }
}

/// What a page is told. It is the same whether the person is known or not.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Received {
    /// Always true.
    pub received: bool,
}

/// One web form.
pub async fn get(app: &App, call: &Call, id: LeadFormId) -> Read<LeadFormView> {
    app.get::<LeadForm>(call, id).await
}

/// All web forms.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<LeadFormSummary>> {
    app.read(call, async |ctx, reader| {
        LeadForm::may_read(ctx)?;
        lists::page(ctx, reader, &list, Predicate::True, |_: &LeadForm| Links::default()).await
    })
    .await
}

/// Makes a web form.
pub async fn create(app: &App, call: &Call, form: Valid<LeadFormDetails>) -> Written<LeadFormView> {
    let token = FormToken(format!("{:032x}", rand::rng().random::<u128>()));
    make(app, call, token, form).await
}

/// The same, with a token that is known beforehand.
pub(crate) async fn make(
    app: &App,
    call: &Call,
    token: FormToken,
    form: Valid<LeadFormDetails>,
) -> Written<LeadFormView> {
    app.write(call, async |ctx, work| {
        let (form, event) = LeadForm::new(ctx, work.new_id(), token.clone(), form.clone())?;
        work.insert(&form, event).await?;
        Ok(form.view(ctx, ())?)
    })
    .await
}

/// Changes a web form.
pub async fn update(
    app: &App,
    call: &Call,
    id: LeadFormId,
    patch: Patch<LeadFormDetails>,
) -> Written<LeadFormView> {
    app.change(call, id, async |ctx, _, form: &mut LeadForm| {
        LeadForm::may_manage(ctx)?;
        Ok(form.edit(ctx, patch.apply(&form.details)?)?)
    })
    .await
}

/// Deletes a web form; its address answers 404 from then on.
pub async fn delete(app: &App, call: &Call, id: LeadFormId) -> Written<()> {
    app.remove(call, id, Event("lead_form.deleted"), async |ctx, _, _: &LeadForm| {
        Ok(LeadForm::may_manage(ctx)?)
    })
    .await
}

/// Takes what somebody filled in on a page. Whoever is known already is noted with what is known, and the page is
/// told the same.
pub async fn submit(
    app: &App,
    token: FormToken,
    origin: Option<&str>,
    client: &str,
    filled: Valid<LeadFormSubmission>,
) -> Read<Received> {
    app.inner.throttle.admit_sender(&token.0, client, app.now())?;
    app.act("lead-form", async |ctx, work| {
        let of_token = Predicate::Is("token", token.0.clone().into());
        let form: LeadForm = there(work.load_all(of_token).await?.into_iter().next())?;
        if !form.details.active {
            return Err(Refusal::not_found().into());
        }
        form.check_origin(origin)?;
        let details = form.lead(&filled)?;
        if filled.homepage.as_ref().is_some_and(|trap| !trap.is_empty()) {
            return Ok(Received { received: true });
        }
        form.check_rate(work.form_submissions(form.id, ctx.now.plus(-COUNTED)).await?, ctx.now)?;
        work.note_form_submission(form.id).await?;
        let keys = LikeKeys::of_lead(&details);
        work.hold_words(keys.words()).await?;
        // Colleagues share a company; the same person has the same telephone or address.
        let person = LikeKeys { company: None, ..keys };
        let known = likeness::find(&Eyes::Work(work), &person, None).await?;
        let given_up = |like: &Like| matches!(like, Like::Lead(lead) if lead.disqualify_reason.is_some());
        let known = known.into_iter().find(|(like, _)| !given_up(like));
        match known {
            Some((Like::Lead(lead), _)) => {
                asked_again(ctx, work, &form, (Some(lead.id), None), &filled).await?;
            }
            Some((Like::Customer(customer), _)) => {
                asked_again(ctx, work, &form, (None, Some(customer.id)), &filled).await?;
            }
            None => {
                let made = Lead::from_form(ctx, work.new_id(), form.created_by, details);
                leads::record(ctx, work, made).await?;
            }
        }
        Ok(Received { received: true })
    })
    .await
}

/// How much an address may still send to a form.
pub fn budget(app: &App, token: &FormToken, client: &str) -> Budget {
    app.inner.throttle.sender_budget(&token.0, client, app.now())
}

/// Notes that somebody who is known asked again, and has whose they are told.
async fn asked_again(
    ctx: &Context<'_>,
    work: &mut Work,
    form: &LeadForm,
    (lead_id, customer_id): (Option<LeadId>, Option<CustomerId>),
    filled: &LeadFormSubmission,
) -> Result<(), Failure> {
    let about = match (lead_id, customer_id) {
        (Some(lead), _) => Subject { kind: SubjectKind::Lead, id: lead.0 },
        (None, Some(customer)) => Subject { kind: SubjectKind::Customer, id: customer.0 },
        (None, None) => return Ok(()),
    };
    let subject: String = format!("Asked again: {}", form.details.name).chars().take(Line::MAX).collect();
    let activity = Activity {
        id: work.new_id(),
        details: ActivityDetails {
            about,
            kind: ActivityKind::Message,
            subject: Line::from(subject),
            content: Some(filled.told()),
            happened_at: Some(ctx.now),
            due_at: None,
            next_step: None,
            next_step_at: None,
        },
        lead_id,
        customer_id,
        created_by: form.created_by,
        version: 1,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    work.insert(&activity, Event("activity.received")).await?;
    if let Some(lead) = lead_id {
        let before: Lead = there(work.load(lead).await?)?;
        let mut after = before.clone();
        let event = after.ask_again(ctx);
        work.save(&before, &mut after, event).await?;
    } else if let Some(customer) = customer_id {
        let before: Customer = there(work.load(customer).await?)?;
        let mut after = before.clone();
        let event = after.ask_again(work.activities_of_customer(customer).await?);
        work.save(&before, &mut after, event).await?;
    }
    Ok(())
}
