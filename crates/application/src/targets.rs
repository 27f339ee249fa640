//! Performance targets (业绩目标), and how much of each is attained.

use std::collections::BTreeMap;

use fairlead_domain::access::Permission;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::error::Refusal;
use fairlead_domain::patch::Patch;
use fairlead_domain::target::{self, Month, Target, TargetDetails, TargetMeasure, percent};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{Money, TargetId, UserId};
use fairlead_persistence::{Predicate, Reader};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::{Resource, there};
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Included, Related, WithOwner};

/// A target, and how much of it is attained.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TargetView {
    /// The record.
    #[serde(flatten)]
    pub record: Target,
    /// What counts towards it by now.
    pub attained: Money,
    /// The same in percent with one decimal, rounded down.
    #[schema(max_length = 30, pattern = r"^[0-9]+\.[0-9]$", example = "87.5")]
    pub attainment: String,
    /// What the caller may do with it now.
    #[schema(max_items = 20)]
    pub allowed_actions: Vec<fairlead_domain::workflow::AllowedAction>,
}

impl Versioned for TargetView {
    fn version(&self) -> i64 {
        self.record.version
    }
}

/// A target in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TargetSummary {
    /// The record.
    #[serde(flatten)]
    pub record: Target,
    /// What counts towards it by now.
    pub attained: Money,
    /// The same in percent with one decimal, rounded down.
    #[schema(max_length = 30, pattern = r"^[0-9]+\.[0-9]$", example = "87.5")]
    pub attainment: String,
    /// Where it was asked to be included.
    #[serde(flatten)]
    pub owner: WithOwner,
}

/// A target as it is read, before it is known what is attained.
struct Bare(Target, WithOwner);

impl From<(Target, Included)> for Bare {
    fn from((record, included): (Target, Included)) -> Self {
        Self(record, included.owner)
    }
}

/// What a list of targets can be asked.
pub static LISTING: Listing = Listing {
    resource: "targets",
    fields: &[
        Field::new("month", Kind::Text).sortable(),
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("owner_id", Kind::Id).nullable(),
        Field::new("team_id", Kind::Id).nullable(),
        Field::new("measure", words!(TargetMeasure)),
        Field::new("amount", Kind::Money("amount_currency")).in_column("amount_minor").sortable(),
    ],
    search: &[],
    default_sort: "-month",
    includes: &[WithOwner::WORDS],
};

impl Versioned for Target {
    fn version(&self) -> i64 {
        self.version
    }
}

/// The figures are read apart: what is written does not change them.
impl Resource for Target {
    type View = Self;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Self::reveal(self, ctx)
    }
    fn view(self, _: &Context, (): ()) -> Result<Self, Refusal> {
        Ok(self)
    }
}

/// What counted in months, user by user.
#[derive(Default)]
struct Books(BTreeMap<(Month, TargetMeasure), Vec<(UserId, Money)>>);

impl Books {
    /// Reads what the targets need: once for each month and measure.
    async fn of(
        ctx: &Context<'_>,
        reader: &Reader<'_>,
        targets: impl Iterator<Item = &Target>,
    ) -> Result<Self, Failure> {
        let mut books = BTreeMap::new();
        for target in targets {
            let key = (target.details.month, target.details.measure);
            if books.contains_key(&key) {
                continue;
            }
            let (from, to) = (key.0.first_day(), key.0.end());
            let sums = match key.1 {
                TargetMeasure::Signed => {
                    reader.signed_by_owner(ctx.org.midnight(from), ctx.org.midnight(to)).await?
                }
                TargetMeasure::Collected => reader.collected_by_owner(from, to).await?,
            };
            books.insert(key, sums);
        }
        Ok(Self(books))
    }

    /// What counts towards a target: the user's own, or that of the team and of the teams below.
    fn attained(&self, ctx: &Context, target: &Target) -> Result<Money, Refusal> {
        let details = &target.details;
        let currency = details.amount.currency();
        let counts = |user: UserId| match (details.owner_id, details.team_id) {
            (Some(owner), _) => owner == user,
            (None, Some(team)) => {
                let own = ctx.org.user(user).and_then(|user| user.details.team_id);
                own.is_some_and(|own| ctx.org.is_within(own, team))
            }
            (None, None) => false,
        };
        let sums = self.0.get(&(details.month, details.measure)).into_iter().flatten();
        let sums = sums.filter(|(user, sum)| sum.currency() == currency && counts(*user));
        Money::sum(currency, sums.map(|(_, sum)| *sum))
    }
}

/// What a target refers to.
fn links(target: &Target) -> Links {
    Links { owner: target.details.owner_id, ..Links::default() }
}

/// One target.
pub async fn get(app: &App, call: &Call, id: TargetId, include: Include) -> Read<Related<TargetView>> {
    app.read(call, async |ctx, reader| {
        let target: Target = there(reader.one(id).await?)?;
        target.reveal(ctx)?;
        let attained = Books::of(ctx, reader, [&target].into_iter()).await?.attained(ctx, &target)?;
        let links = links(&target);
        let view = TargetView {
            attained,
            attainment: percent(attained, target.details.amount),
            allowed_actions: target.allowed_actions(ctx),
            record: target,
        };
        lists::related(ctx, reader, &include, links, view).await
    })
    .await
}

/// The targets that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<TargetSummary>> {
    app.read(call, async |ctx, reader| {
        let scope = target::visible(ctx);
        if scope.users.is_nothing() {
            ctx.actor.authorize_own(Permission::TargetsRead)?;
        }
        let of_users = Predicate::All(vec![
            Predicate::IsNull("owner_id").negate(),
            // No customer is behind a target.
            Predicate::Scope("id", scope.users),
        ]);
        let of_teams = match scope.teams {
            None => Predicate::IsNull("owner_id"),
            Some(teams) => Predicate::In("team_id", teams.into_iter().map(|team| team.0).collect()),
        };
        let visible = Predicate::Any(vec![of_users, of_teams]);
        let page: Page<Bare> = lists::page(ctx, reader, &list, visible, links).await?;
        let books = Books::of(ctx, reader, page.data.iter().map(|Bare(target, _)| target)).await?;
        let summary = |Bare(record, owner): Bare| {
            let attained = books.attained(ctx, &record)?;
            let attainment = percent(attained, record.details.amount);
            Ok(TargetSummary { record, attained, attainment, owner })
        };
        Ok(Page {
            data: page.data.into_iter().map(summary).collect::<Result<_, Refusal>>()?,
            page: page.page,
        })
    })
    .await
}

/// Sets a target.
pub async fn create(app: &App, call: &Call, form: Valid<TargetDetails>) -> Written<Target> {
    app.write(call, async |ctx, work| {
        let (target, event) = Target::new(ctx, work.new_id(), form.clone())?;
        work.insert(&target, event).await?;
        Ok(target)
    })
    .await
}

/// Changes how much a target is.
pub async fn update(app: &App, call: &Call, id: TargetId, patch: Patch<TargetDetails>) -> Written<Target> {
    app.change(call, id, async |ctx, _, target: &mut Target| {
        target.may_manage(ctx)?;
        Ok(target.edit(ctx, patch.apply(&target.details)?)?)
    })
    .await
}

/// Deletes a target.
pub async fn delete(app: &App, call: &Call, id: TargetId) -> Written<()> {
    app.remove(call, id, Event("target.deleted"), async |ctx, _, target: &Target| Ok(target.may_manage(ctx)?))
        .await
}
