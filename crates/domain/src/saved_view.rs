//! Saved views (视图): named filters of a list, private or shared with a team.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::context::{Context, Event};
use crate::error::{Code, Refusal};
use crate::record;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{Line, Prose, SavedViewId, TeamId, Timestamp, UserId};
use crate::workflow::AllowedAction;

text_enum! {
    /// Of which list a view is.
    pub enum ViewResource {
        /// Leads.
        Leads = "leads" ("Leads", "线索"),
        /// Customers.
        Customers = "customers" ("Customers", "客户"),
        /// Customers in the public pool.
        PoolCustomers = "pool_customers" ("Pool customers", "公海客户"),
        /// Contacts.
        Contacts = "contacts" ("Contacts", "联系人"),
        /// Activities.
        Activities = "activities" ("Activities", "跟进"),
        /// Opportunities.
        Opportunities = "opportunities" ("Opportunities", "商机"),
        /// Contracts.
        Contracts = "contracts" ("Contracts", "合同"),
        /// Invoices.
        Invoices = "invoices" ("Invoices", "发票"),
        /// Payments.
        Payments = "payments" ("Payments", "回款"),
        /// Approvals.
        Approvals = "approvals" ("Approvals", "审批"),
        /// Transfers.
        Transfers = "transfers" ("Transfers", "转移"),
    }
}

/// What one may say about a view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "resource": "leads",
    "name": "Leads to call",
    "query": "status=new,contacted&sort=-created_at"
}))]
pub struct SavedViewDetails {
    /// Of which list.
    pub resource: ViewResource,
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// What the list is asked, as in its query: `grade=A&sort=-created_at&fields=id,name`, without `cursor`.
    #[validate(nested)]
    #[schema(example = "grade=A&sort=-created_at")]
    pub query: Prose,
    /// The team whose members see it too; nobody else does when absent.
    #[serde(default)]
    pub shared_with_team_id: Option<TeamId>,
}

/// A saved view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SavedView {
    /// Its id.
    pub id: SavedViewId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: SavedViewDetails,
    /// Whose it is.
    pub owner_id: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(SavedView, SavedView);

fn check_team(ctx: &Context, form: &SavedViewDetails) -> Result<(), Refusal> {
    match form.shared_with_team_id {
        Some(team) if !ctx.org.knows_team(team) => Err(Refusal::unknown_reference("/shared_with_team_id")),
        _ => Ok(()),
    }
}

impl SavedView {
    /// Records a view of the caller's own.
    pub fn new(
        ctx: &Context,
        id: SavedViewId,
        form: Valid<SavedViewDetails>,
    ) -> Result<(Self, Event), Refusal> {
        check_team(ctx, &form)?;
        let view = Self {
            id,
            details: form.into_inner(),
            owner_id: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((view, Event("saved_view.created")))
    }

    /// Seen by its owner, and by the members of the team with which it is shared.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        let mine = self.owner_id == ctx.actor.id;
        let shared = self.details.shared_with_team_id.is_some_and(|team| ctx.actor.team == Some(team));
        if mine || shared { Ok(()) } else { Err(Refusal::not_found()) }
    }

    /// May the caller change it? Its owner may.
    pub fn may_update(&self, ctx: &Context) -> Result<(), Refusal> {
        if self.owner_id == ctx.actor.id {
            return Ok(());
        }
        Err(Refusal::new(Code::Forbidden, "a view is changed by its owner only"))
    }

    /// Changes it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<SavedViewDetails>) -> Result<Event, Refusal> {
        self.may_update(ctx)?;
        check_team(ctx, &form)?;
        self.details = form.into_inner();
        Ok(Event("saved_view.updated"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        ["update", "delete"].map(|action| AllowedAction::judge(action, self.may_update(ctx))).to_vec()
    }
}
