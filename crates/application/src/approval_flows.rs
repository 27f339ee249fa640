//! Approval flows (审批流): who must agree to what.

use fairlead_domain::approval::{ApprovalFlow, ApprovalSubject, FlowDetails, FlowVersion};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::Refusal;
use fairlead_domain::patch::Patch;
use fairlead_domain::settings::Settings;
use fairlead_domain::values::FlowId;
use fairlead_persistence::{Predicate, StoreError, Work};

use crate::app::App;
use crate::call::{Call, Page, Read, Written};
use crate::change::{self, Resource};
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::views;

views!(ApprovalFlow, /// An approval flow.
    ApprovalFlowView, /// An approval flow in a list.
    ApprovalFlowSummary, []);

/// What a list of approval flows can be asked.
pub static LISTING: Listing = Listing {
    resource: "approval_flows",
    fields: &[
        Field::new("subject_kind", words!(ApprovalSubject)).sortable(),
        Field::new("enabled", Kind::Boolean),
        Field::new("updated_at", Kind::Timestamp).sortable(),
    ],
    search: &[],
    default_sort: "subject_kind",
    includes: ApprovalFlowSummary::INCLUDES,
};

/// What a list of the versions of a flow can be asked.
pub static VERSIONS: Listing = Listing {
    resource: "approval_flow_versions",
    fields: &[
        Field::new("version", Kind::Integer).sortable(),
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("created_by", Kind::Id).nullable(),
    ],
    search: &[],
    default_sort: "-version",
    includes: &[],
};

impl Resource for ApprovalFlow {
    type View = ApprovalFlowView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Settings::may_read(ctx).map_err(|_| Refusal::not_found())
    }
    fn view(self, ctx: &Context, (): ()) -> Result<ApprovalFlowView, Refusal> {
        Ok(ApprovalFlowView { allowed_actions: Self::allowed_actions(ctx), record: self })
    }
}

impl App {
    /// Brings the flows of kinds of subjects that are newer than the company. A company that is yet to be founded gets
    /// all of them with its first administrator.
    pub(crate) async fn bring_new_flows(&self) -> Result<(), StoreError> {
        let mut work = self.store().begin(self.author(None, "start"), None).await?;
        work.lock_organisation().await?;
        if work.count("users", Predicate::True).await? > 0 {
            bring_flows(&mut work).await?;
        }
        work.commit(None).await
    }
}

/// Makes the flow of each kind of subject that has none yet.
pub(crate) async fn bring_flows(work: &mut Work) -> Result<(), StoreError> {
    let known = work.find_all::<ApprovalFlow>(Predicate::True).await?;
    for subject in ApprovalSubject::ALL {
        if known.iter().any(|flow| flow.subject_kind == *subject) {
            continue;
        }
        let flow = ApprovalFlow::first(work.new_id(), *subject, work.now());
        work.insert(&flow, Event("approval_flow.created")).await?;
        work.append(&flow.as_version(work.new_id(), None)).await?;
    }
    Ok(())
}

/// One approval flow.
pub async fn get(app: &App, call: &Call, id: FlowId) -> Read<ApprovalFlowView> {
    app.get::<ApprovalFlow>(call, id).await
}

/// All approval flows: one for each kind of subject.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<ApprovalFlowSummary>> {
    app.read(call, async |ctx, reader| {
        Settings::may_read(ctx)?;
        lists::page(ctx, reader, &list, Predicate::True, |_: &ApprovalFlow| Links::default()).await
    })
    .await
}

/// A flow as it was in each of its versions.
pub async fn versions(app: &App, call: &Call, id: FlowId, list: ListRequest) -> Read<Page<FlowVersion>> {
    app.read(call, async |ctx, reader| {
        change::read::<ApprovalFlow>(ctx, reader, id).await?;
        lists::lines(reader, &list, Predicate::Is("flow_id", id.0.into())).await
    })
    .await
}

/// Changes a flow, for requests from now on.
pub async fn update(
    app: &App,
    call: &Call,
    id: FlowId,
    patch: Patch<FlowDetails>,
) -> Written<ApprovalFlowView> {
    app.write(call, async |ctx, work| {
        let before: ApprovalFlow = change::load(ctx, work, id).await?;
        call.check_version(before.version)?;
        Settings::may_manage(ctx)?;
        work.lock_access(ctx.org.epoch).await?;
        let mut after = before.clone();
        let event = after.edit(ctx, patch.apply(&before.details)?)?;
        work.save(&before, &mut after, event).await?;
        if after.version != before.version {
            work.append(&after.as_version(work.new_id(), work.user())).await?;
        }
        Ok(after.view(ctx, ())?)
    })
    .await
}
