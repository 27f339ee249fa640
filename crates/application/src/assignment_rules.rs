//! Assignment rules for leads (分配规则).

use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::Refusal;
use fairlead_domain::lead::{AssignmentRule, AssignmentRuleDetails};
use fairlead_domain::patch::Patch;
use fairlead_domain::settings::Settings;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::AssignmentRuleId;
use fairlead_persistence::Predicate;

use crate::app::App;
use crate::call::{Call, Page, Read, Written};
use crate::change::Resource;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links};
use crate::views::views;

views!(AssignmentRule, /// An assignment rule.
    AssignmentRuleView, /// An assignment rule in a list.
    AssignmentRuleSummary, []);

/// What a list of assignment rules can be asked.
pub static LISTING: Listing = Listing {
    resource: "assignment_rules",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("active", Kind::Boolean),
        Field::new("position", Kind::Integer).sortable(),
        Field::new("user_id", Kind::Id).nullable(),
        Field::new("team_id", Kind::Id).nullable(),
    ],
    search: &["name"],
    default_sort: "position",
    includes: AssignmentRuleSummary::INCLUDES,
};

impl Resource for AssignmentRule {
    type View = AssignmentRuleView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Settings::may_read(ctx).map_err(|_| Refusal::not_found())
    }
    fn view(self, ctx: &Context, (): ()) -> Result<AssignmentRuleView, Refusal> {
        Ok(AssignmentRuleView { allowed_actions: Self::allowed_actions(ctx), record: self })
    }
}

/// One assignment rule.
pub async fn get(app: &App, call: &Call, id: AssignmentRuleId) -> Read<AssignmentRuleView> {
    app.get::<AssignmentRule>(call, id).await
}

/// All assignment rules.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<AssignmentRuleSummary>> {
    app.read(call, async |ctx, reader| {
        Settings::may_read(ctx)?;
        lists::page(ctx, reader, &list, Predicate::True, |_: &AssignmentRule| Links::default()).await
    })
    .await
}

/// Records an assignment rule.
pub async fn create(
    app: &App,
    call: &Call,
    form: Valid<AssignmentRuleDetails>,
) -> Written<AssignmentRuleView> {
    let made = app.write(call, async |ctx, work| {
        let (rule, event) = AssignmentRule::new(ctx, work.new_id(), form.clone())?;
        work.insert(&rule, event).await?;
        Ok(rule.view(ctx, ())?)
    });
    let made = made.await?;
    Ok(made)
}

/// Changes an assignment rule.
pub async fn update(
    app: &App,
    call: &Call,
    id: AssignmentRuleId,
    patch: Patch<AssignmentRuleDetails>,
) -> Written<AssignmentRuleView> {
    let changed = app.change(call, id, async |ctx, _, rule: &mut AssignmentRule| {
        Settings::may_manage(ctx)?;
        Ok(rule.edit(ctx, patch.apply(&rule.details)?)?)
    });
    let changed = changed.await?;
    Ok(changed)
}

/// Deletes an assignment rule.
pub async fn delete(app: &App, call: &Call, id: AssignmentRuleId) -> Written<()> {
    let deleted =
        app.remove(call, id, Event("assignment_rule.deleted"), async |ctx, _, _: &AssignmentRule| {
            Ok(Settings::may_manage(ctx)?)
        });
    let deleted = deleted.await?;
    Ok(deleted)
}
