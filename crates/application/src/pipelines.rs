//! Pipelines: the stages of a sale, as configuration.

use fairlead_domain::context::{Context, Event};
use fairlead_domain::dependents::Dependents;
use fairlead_domain::error::Refusal;
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::patch::Patch;
use fairlead_domain::pipeline::{Pipeline, PipelineDetails};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::PipelineId;
use fairlead_persistence::{Predicate, Work};

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{Eyes, Resource};
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links};
use crate::views::views;

views!(Pipeline, /// A pipeline.
    PipelineView, /// A pipeline in a list.
    PipelineSummary, []);

/// What a list of pipelines can be asked.
pub static LISTING: Listing = Listing {
    resource: "pipelines",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("is_default", Kind::Boolean),
    ],
    search: &["name"],
    default_sort: "created_at",
    includes: PipelineSummary::INCLUDES,
};

impl Resource for Pipeline {
    type View = PipelineView;
    type Ties = ();
    /// Whoever works here may know how sales are made.
    fn reveal(&self, _ctx: &Context) -> Result<(), Refusal> {
        Ok(())
    }
    fn view(self, ctx: &Context, (): ()) -> Result<PipelineView, Refusal> {
        Ok(view(ctx, self, &Dependents::default()))
    }
    async fn judged(self, ctx: &Context<'_>, eyes: &Eyes<'_>, (): ()) -> Result<PipelineView, Failure> {
        let dependents = eyes.ties_that_decide(&self, |it| self.may_delete(ctx, it)).await?;
        Ok(view(ctx, self, &dependents))
    }
}

fn view(ctx: &Context, pipeline: Pipeline, dependents: &Dependents) -> PipelineView {
    PipelineView { allowed_actions: pipeline.allowed_actions(ctx, dependents), record: pipeline }
}

fn which(id: Option<PipelineId>) -> Predicate {
    match id {
        Some(id) => Predicate::Is("id", id.0.into()),
        None => Predicate::Is("is_default", true.into()),
    }
}

/// The pipeline that a form names, or the default one. It cannot change while an opportunity moves along it.
pub(crate) async fn chosen(work: &Work, id: Option<PipelineId>, pointer: &str) -> Result<Pipeline, Failure> {
    let found: Option<Pipeline> = work.hold(which(id)).await?;
    Ok(found.ok_or_else(|| Refusal::unknown_reference(pointer))?)
}

/// The pipeline of an opportunity.
pub(crate) async fn of(work: &Work, opportunity: &Opportunity) -> Result<Pipeline, Failure> {
    chosen(work, opportunity.details.pipeline_id, "/pipeline_id").await
}

/// The same, for whoever only looks.
pub(crate) async fn seen_of(eyes: &Eyes<'_>, opportunity: &Opportunity) -> Result<Pipeline, Failure> {
    let found: Vec<Pipeline> = eyes.all(which(opportunity.details.pipeline_id)).await?;
    Ok(found.into_iter().next().ok_or_else(|| Refusal::unknown_reference("/pipeline_id"))?)
}

/// Exactly one pipeline is the default: a new one takes the place of the one before.
async fn step_down(work: &mut Work, except: PipelineId) -> Result<(), Failure> {
    let defaults = Predicate::All(vec![
        Predicate::Is("is_default", true.into()),
        Predicate::Is("id", except.0.into()).negate(),
    ]);
    for before in work.load_all::<Pipeline>(defaults).await? {
        let mut after = before.clone();
        after.details.is_default = false;
        work.save(&before, &mut after, Event("pipeline.updated")).await?;
    }
    Ok(())
}

/// One pipeline.
pub async fn get(app: &App, call: &Call, id: PipelineId) -> Read<PipelineView> {
    app.get::<Pipeline>(call, id).await
}

/// All pipelines.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<PipelineSummary>> {
    app.read(call, async |ctx, reader| {
        lists::page(ctx, reader, &list, Predicate::True, |_: &Pipeline| Links::default()).await
    })
    .await
}

/// Records a pipeline.
pub async fn create(app: &App, call: &Call, form: Valid<PipelineDetails>) -> Written<PipelineView> {
    app.write(call, async |ctx, work| {
        let (pipeline, event) = Pipeline::new(ctx, work.new_id(), form.clone(), || work.new_id())?;
        if pipeline.details.is_default {
            step_down(work, pipeline.id).await?;
        }
        work.insert(&pipeline, event).await?;
        Ok(pipeline.view(ctx, ())?)
    })
    .await
}

/// Changes a pipeline.
pub async fn update(
    app: &App,
    call: &Call,
    id: PipelineId,
    patch: Patch<PipelineDetails>,
) -> Written<PipelineView> {
    app.change(call, id, async |ctx, work, pipeline: &mut Pipeline| {
        Pipeline::may_manage(ctx)?;
        let form = patch.apply(&pipeline.details)?;
        let in_use = work.stages_in_use(id).await?;
        let event = pipeline.edit(ctx, form, &in_use, || work.new_id())?;
        if pipeline.details.is_default {
            step_down(work, id).await?;
        }
        Ok(event)
    })
    .await
}

/// Deletes a pipeline that no opportunity is in.
pub async fn delete(app: &App, call: &Call, id: PipelineId) -> Written<()> {
    app.remove(call, id, Event("pipeline.deleted"), async |ctx, work, pipeline: &Pipeline| {
        Ok(pipeline.may_delete(ctx, &work.ties(pipeline).await?)?)
    })
    .await
}
