//! Scoring rules for leads (评分规则).

use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::Refusal;
use fairlead_domain::lead::{ScoringRule, ScoringRuleDetails};
use fairlead_domain::patch::Patch;
use fairlead_domain::settings::Settings;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::ScoringRuleId;
use fairlead_persistence::Predicate;

use crate::app::App;
use crate::call::{Call, Page, Read, Written};
use crate::change::Resource;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links};
use crate::views::views;

views!(ScoringRule, /// A scoring rule.
    ScoringRuleView, /// A scoring rule in a list.
    ScoringRuleSummary, []);

/// What a list of scoring rules can be asked.
pub static LISTING: Listing = Listing {
    resource: "scoring_rules",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("active", Kind::Boolean),
    ],
    search: &["name"],
    default_sort: "created_at",
    includes: ScoringRuleSummary::INCLUDES,
};

impl Resource for ScoringRule {
    type View = ScoringRuleView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Settings::may_read(ctx).map_err(|_| Refusal::not_found())
    }
    fn view(self, ctx: &Context, (): ()) -> Result<ScoringRuleView, Refusal> {
        Ok(ScoringRuleView { allowed_actions: Self::allowed_actions(ctx), record: self })
    }
}

/// One scoring rule.
pub async fn get(app: &App, call: &Call, id: ScoringRuleId) -> Read<ScoringRuleView> {
    app.get::<ScoringRule>(call, id).await
}

/// All scoring rules.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<ScoringRuleSummary>> {
    app.read(call, async |ctx, reader| {
        Settings::may_read(ctx)?;
        lists::page(ctx, reader, &list, Predicate::True, |_: &ScoringRule| Links::default()).await
    })
    .await
}

/// Records a scoring rule.
pub async fn create(app: &App, call: &Call, form: Valid<ScoringRuleDetails>) -> Written<ScoringRuleView> {
    let made = app.write(call, async |ctx, work| {
        let (rule, event) = ScoringRule::new(ctx, work.new_id(), form.clone())?;
        // Of two who make the last one that may be there, one is counted by the other.
        work.lock_organisation().await?;
        ScoringRule::check_count(work.count("scoring_rules", Predicate::True).await?)?;
        work.insert(&rule, event).await?;
        Ok(rule.view(ctx, ())?)
    });
    let made = made.await?;
    app.inner.wake.notify_one();
    Ok(made)
}

/// Changes a scoring rule.
pub async fn update(
    app: &App,
    call: &Call,
    id: ScoringRuleId,
    patch: Patch<ScoringRuleDetails>,
) -> Written<ScoringRuleView> {
    let changed = app.change(call, id, async |ctx, _, rule: &mut ScoringRule| {
        Settings::may_manage(ctx)?;
        Ok(rule.edit(ctx, patch.apply(&rule.details)?)?)
    });
    let changed = changed.await?;
    app.inner.wake.notify_one();
    Ok(changed)
}

/// Deletes a scoring rule.
pub async fn delete(app: &App, call: &Call, id: ScoringRuleId) -> Written<()> {
    let deleted = app.remove(call, id, Event("scoring_rule.deleted"), async |ctx, _, _: &ScoringRule| {
        Ok(Settings::may_manage(ctx)?)
    });
    let deleted = deleted.await?;
    app.inner.wake.notify_one();
    Ok(deleted)
}
