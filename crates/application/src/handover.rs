//! Hand-over (离职交接): what a user owns goes to a successor or to the pools.

use fairlead_domain::access::{Permission, Standing};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::{Customer, OpenBusiness, OwnershipChange};
use fairlead_domain::error::{Code, Refusal, Rule};
use fairlead_domain::lead::Lead;
use fairlead_domain::notification;
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::organisation::User;
use fairlead_domain::record::RecordKind;
use fairlead_domain::transfer::TransferObstacle;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{Line, UserId};
use fairlead_persistence::{Predicate, StoreError, Stored, Work};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::app::App;
use crate::bulk::refused;
use crate::call::{Call, Failure, Read, Written};
use crate::change::{Eyes, Resource};
use crate::customers;
use crate::transfers::Moving;

/// How a user's records are handed over.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "successor_id": UserId::example(2),
    "to_pool": true,
    "reason": "Leaves the company"
}))]
pub struct HandOverForm {
    /// Who gets everything, or where `to_pool` is said, what cannot go to a pool.
    #[serde(default)]
    pub successor_id: Option<UserId>,
    /// Whether customers without open business and leads go to their pools.
    #[serde(default)]
    pub to_pool: bool,
    /// Why; kept in each customer's history.
    #[validate(nested)]
    pub reason: Line,
}

/// What becomes of what a user owns who is disabled.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[validate(schema(function = "one_of_both"))]
#[schema(example = json!({
    "hand_over": {"successor_id": UserId::example(2), "to_pool": true, "reason": "Leaves the company"}
}))]
pub struct DisableForm {
    /// How it is handed over, all or nothing, together with the end of their access.
    #[validate(nested)]
    pub hand_over: Option<HandOverForm>,
    /// Whether it stays theirs, to be handed over later.
    pub keep_records: bool,
}

fn one_of_both(form: &DisableForm) -> Result<(), ValidationError> {
    if form.hand_over.is_none() || !form.keep_records {
        return Ok(());
    }
    Err(Rule::OneOfBoth.error("records are handed over or kept, not both"))
}

/// How much a user owns that is not closed.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Holdings {
    /// Leads.
    #[schema(minimum = 0)]
    pub leads: usize,
    /// Customers.
    #[schema(minimum = 0)]
    pub customers: usize,
    /// Open opportunities.
    #[schema(minimum = 0)]
    pub opportunities: usize,
    /// Drafted and running contracts, and those that wait for approval.
    #[schema(minimum = 0)]
    pub contracts: usize,
}

/// What a hand-over did, or would do.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct HandOver {
    /// What the successor gets.
    pub to_successor: Holdings,
    /// What goes to the pools.
    pub to_pool: Holdings,
    /// Which records go where: the first thousand.
    #[schema(max_items = 1000)]
    pub records: Vec<HandedOver>,
}

/// A record that is handed over.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HandedOver {
    /// What it is.
    pub record_kind: RecordKind,
    /// Which one it is.
    pub record_id: Uuid,
    /// Its name, title or number.
    #[schema(required, max_length = 200)]
    pub title: Option<String>,
    /// Who gets it; none when it goes to a pool.
    #[schema(required)]
    pub to_id: Option<UserId>,
}

/// How many records an answer names.
const NAMED: usize = 1000;

const LIVE: [&str; 3] = ["draft", "pending_approval", "active"];
const OPEN_LEADS: [&str; 3] = ["new", "contacted", "qualified"];

fn owned(user: UserId, states: &[&'static str]) -> Predicate {
    let states = states.iter().map(|state| Predicate::Is("status", (*state).into()));
    Predicate::All(vec![Predicate::Is("owner_id", user.0.into()), Predicate::Any(states.collect())])
}

/// A user whom the caller may not see does not exist for them.
fn known(ctx: &Context, id: UserId) -> Result<(), Refusal> {
    ctx.org.user(id).ok_or_else(Refusal::not_found)?.reveal(ctx)
}

impl Holdings {
    async fn of(user: UserId, eyes: &Eyes<'_>) -> Result<Self, StoreError> {
        let size = |count: i64| usize::try_from(count).unwrap_or(0);
        let customers = Predicate::Is("owner_id", user.0.into());
        Ok(Self {
            leads: size(eyes.count("leads", owned(user, &OPEN_LEADS)).await?),
            customers: size(eyes.count("customers", customers).await?),
            opportunities: size(eyes.count("opportunities", owned(user, &["open"])).await?),
            contracts: size(eyes.count("contracts", owned(user, &LIVE)).await?),
        })
    }

    fn is_empty(&self) -> bool {
        self.leads + self.customers + self.opportunities + self.contracts == 0
    }
}

/// What becomes of what a user owns who was just disabled. Nobody forgets it by accident.
pub(crate) async fn at_the_end(
    ctx: &Context<'_>,
    work: &mut Work,
    id: UserId,
    form: &DisableForm,
) -> Result<(), Failure> {
    if let Some(form) = &form.hand_over {
        return match leave(ctx, work, id, form).await {
            Err(Failure::Refused(refusal)) => Err(refusal.within("/hand_over").into()),
            other => other.map(|_| ()),
        };
    }
    if form.keep_records {
        return Ok(());
    }
    let held = Holdings::of(id, &Eyes::Work(work)).await?;
    if held.is_empty() {
        return Ok(());
    }
    let detail = "the user owns records; say how they are handed over, or that they are kept for now";
    Err(Refusal::new(Code::HandOverNeeded, detail).with("holdings", held).into())
}

/// How much a user owns: what disabling them would leave behind.
pub async fn holdings(app: &App, call: &Call, id: UserId) -> Read<Holdings> {
    app.read(call, async |ctx, reader| {
        known(ctx, id)?;
        ctx.actor.authorize(Permission::UsersRead, &Standing::Organisation)?;
        Ok(Holdings::of(id, &Eyes::Reader(reader)).await?)
    })
    .await
}

/// Hands over what a disabled user owns, all or nothing. What would go where can be tried before.
pub async fn hand_over(app: &App, call: &Call, id: UserId, form: Valid<HandOverForm>) -> Written<HandOver> {
    app.write(call, async |ctx, work| {
        known(ctx, id)?;
        User::may_hand_over(ctx, form.successor_id)?;
        if !call.dry_run {
            User::check_gone(ctx, id)?;
        }
        leave(ctx, work, id, &form).await
    })
    .await
}

async fn leave(
    ctx: &Context<'_>,
    work: &mut Work,
    id: UserId,
    form: &HandOverForm,
) -> Result<HandOver, Failure> {
    User::may_hand_over(ctx, form.successor_id)?;
    if form.successor_id.is_none() && !form.to_pool {
        let why = "name a successor, or say that records go to the pools";
        return Err(Refusal::invalid("/successor_id", Rule::Required, why).into());
    }
    let customers: Vec<Customer> = work.load_all(Predicate::Is("owner_id", id.0.into())).await?;
    let mut leaving = Leaving::new(ctx, work, id, form).await?;
    for customer in &customers {
        let outcome = leaving.customer(ctx, work, customer).await;
        leaving.note(customer.id.0, outcome)?;
    }
    for lead in work.load_all::<Lead>(owned(id, &OPEN_LEADS)).await? {
        leaving.lead(ctx, work, &lead).await?;
    }
    for opportunity in work.load_all::<Opportunity>(owned(id, &["open"])).await? {
        let outcome = leaving.opportunity(work, &opportunity).await;
        leaving.note(opportunity.id.0, outcome)?;
    }
    for contract in work.load_all::<Contract>(owned(id, &LIVE)).await? {
        let outcome = leaving.contract(work, &contract).await;
        leaving.note(contract.id.0, outcome)?;
    }
    let done = leaving.end(ctx, work).await?;
    if done.records.is_empty() {
        return Ok(done);
    }
    let name = ctx.org.user(id).map(|user| user.details.display_name.clone());
    let data = json!({ "id": id, "name": name, "successor_id": form.successor_id });
    let mut changes = serde_json::Map::new();
    changes.insert("to_successor".to_owned(), json!(done.to_successor));
    changes.insert("to_pool".to_owned(), json!(done.to_pool));
    work.note_changes(Event("user.handed_over"), RecordKind::User, id.0, changes, data);
    Ok(done)
}

/// Records on their way out of a user's hands.
struct Leaving<'a> {
    form: &'a HandOverForm,
    /// Moves to the successor.
    moving: Option<Moving>,
    /// Customers that went, to the successor or to their pools.
    changes: Vec<OwnershipChange>,
    done: HandOver,
    obstacles: Vec<TransferObstacle>,
}

impl<'a> Leaving<'a> {
    async fn new(
        ctx: &Context<'_>,
        work: &Work,
        from: UserId,
        form: &'a HandOverForm,
    ) -> Result<Self, Failure> {
        let moving = match form.successor_id {
            Some(to) => {
                fairlead_domain::transfer::Transfer::may_receive(ctx, to, from, "/successor_id")?;
                Some(Moving::between(ctx, work, (from, to), form.reason.clone()).await?)
            }
            None => None,
        };
        Ok(Self { form, moving, changes: Vec::new(), done: HandOver::default(), obstacles: Vec::new() })
    }

    fn successor(&mut self) -> Result<&mut Moving, Refusal> {
        let why = || Refusal::new(Code::SuccessorNeeded, "this cannot go to a pool; name a successor");
        self.moving.as_mut().ok_or_else(why)
    }

    async fn customer(
        &mut self,
        ctx: &Context<'_>,
        work: &mut Work,
        before: &Customer,
    ) -> Result<(), Failure> {
        let open: OpenBusiness = work.ties(before).await?;
        let to_pool = self.form.to_pool && open.opportunities + open.contracts == 0;
        let reason = self.form.reason.clone();
        let mut after = before.clone();
        if to_pool {
            let (change, event) = after.hand_over(ctx, None, open, reason)?;
            work.save(before, &mut after, event).await?;
            self.changes.push(change);
            self.done.to_pool.customers += 1;
            self.went(before, None);
            return Ok(());
        }
        let moving = self.successor()?;
        let to = Some((moving.to(), moving.load()));
        let (change, event) = after.hand_over(ctx, to, OpenBusiness::default(), reason)?;
        work.save(before, &mut after, event).await?;
        moving.took_one();
        self.changes.push(change);
        self.done.to_successor.customers += 1;
        self.went(before, self.form.successor_id);
        Ok(())
    }

    async fn lead(&mut self, ctx: &Context<'_>, work: &mut Work, before: &Lead) -> Result<(), Failure> {
        let to = if self.form.to_pool { None } else { self.form.successor_id };
        let mut after = before.clone();
        let event = after.hand_over(ctx, to);
        work.save(before, &mut after, event).await?;
        let done = if to.is_some() { &mut self.done.to_successor } else { &mut self.done.to_pool };
        done.leads += 1;
        self.went(before, to);
        Ok(())
    }

    async fn opportunity(&mut self, work: &mut Work, before: &Opportunity) -> Result<(), Failure> {
        self.successor()?.opportunity(work, before).await?;
        self.done.to_successor.opportunities += 1;
        self.went(before, self.form.successor_id);
        Ok(())
    }

    async fn contract(&mut self, work: &mut Work, before: &Contract) -> Result<(), Failure> {
        self.successor()?.contract(work, before).await?;
        self.done.to_successor.contracts += 1;
        self.went(before, self.form.successor_id);
        Ok(())
    }

    fn went<T: Stored>(&mut self, record: &T, to_id: Option<UserId>) {
        if self.done.records.len() < NAMED {
            let title = serde_json::to_value(record).ok().as_ref().and_then(notification::title);
            let (record_kind, record_id) = (T::KIND, record.id());
            self.done.records.push(HandedOver { record_kind, record_id, title, to_id });
        }
    }

    fn note(&mut self, id: Uuid, outcome: Result<(), Failure>) -> Result<(), Failure> {
        if let Err(refusal) = refused(outcome)? {
            self.obstacles.push(TransferObstacle::new(id, refusal));
        }
        Ok(())
    }

    async fn end(mut self, ctx: &Context<'_>, work: &mut Work) -> Result<HandOver, Failure> {
        if self.obstacles.is_empty() {
            customers::moved(ctx, work, &self.changes, None).await?;
            if let Some(moving) = &self.moving {
                moving.settle(ctx, work).await?;
            }
            return Ok(self.done);
        }
        let detail = format!("{} of the records cannot be handed over, so none was", self.obstacles.len());
        self.obstacles.truncate(200);
        Err(Refusal::new(Code::TransferObstructed, detail).with("items", self.obstacles).into())
    }
}
