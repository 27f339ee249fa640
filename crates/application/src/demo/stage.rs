//! Where the demo's story is played: the application, the clock, and who and what there is so far.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use chrono::Duration;
use fairlead_domain::access::RoleKey;
use fairlead_domain::activity::{ActivityDetails, Subject, SubjectKind};
use fairlead_domain::context::Event;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::organisation::TeamDetails;
use fairlead_domain::record::RecordKind;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{
    ActivityId, AuditEventId, ContactId, ContractId, Currency, CustomerId, Email, FlowId, InvoiceId, LeadId,
    Line, Money, OpportunityId, PaymentId, PipelineId, ProductId, Prose, StageId, Tag, Tags, TeamId, UserId,
};
use secrecy::SecretString;
use serde_json::{Map, json};
use uuid::Uuid;

use super::act::{CustomerAct, DealAct, LeadAct, Note};
use super::clock::StoryClock;
use super::customers::{CUSTOMERS, CustomerRow};
use super::deals::{DEALS, Deal};
use super::ids::{self, StoryIds};
use super::leads::{LEADS, LeadRow};
use super::people::{DOMAIN, PASSWORD, PEOPLE, Person, TEAMS};
use super::pooled::POOLED;
use crate::app::App;
use crate::call::{Call, Caller, Done, Failure, Written};
use crate::clock::Clock;
use crate::passwords::Password;
use crate::users::{self, UserCreate};
use crate::{activities, admin, pipelines, teams};

/// How many days ago the company began to use Fairlead.
const BEGINNING: i64 = 200;

/// Somebody's key in the table of people.
pub(super) type Key = &'static str;

/// A record and its owner.
#[derive(Clone, Copy)]
pub(super) struct Owned<T> {
    pub(super) id: T,
    pub(super) owner: Option<Key>,
}

/// What became of a deal so far.
#[derive(Default)]
pub(super) struct Course {
    pub(super) owner: Key,
    pub(super) opportunity: Option<OpportunityId>,
    pub(super) contract: Option<ContractId>,
    pub(super) invoices: HashMap<usize, InvoiceId>,
    pub(super) payments: HashMap<usize, PaymentId>,
}

/// The story on its way.
pub(super) struct Stage {
    pub(super) app: App,
    pub(super) clock: Arc<StoryClock>,
    pub(super) ids: Arc<StoryIds>,
    users: HashMap<Key, UserId>,
    stages: HashMap<String, StageId>,
    teams: HashMap<&'static str, TeamId>,
    pub(super) leads: HashMap<&'static str, Owned<LeadId>>,
    pub(super) customers: HashMap<&'static str, Owned<CustomerId>>,
    pub(super) contacts: HashMap<&'static str, Vec<ContactId>>,
    pub(super) courses: HashMap<&'static str, Course>,
    pub(super) products: HashMap<&'static str, ProductId>,
}

/// One act of the story.
enum Act {
    Lead(&'static LeadRow, LeadAct),
    Customer(usize, &'static CustomerRow, CustomerAct),
    Deal(&'static Deal, DealAct),
}

/// The last event of a seeding: without it, the demo is not whole.
pub(super) const SEEDED: Event = Event("demo.seeded");

/// Plays the whole story in order of time.
pub(super) async fn play(app: &App) -> Result<(), Failure> {
    let clock = Arc::new(StoryClock::until(app.now(), app.organisation().await?.settings.time_zone.0));
    let ids = Arc::new(StoryIds::new());
    let maker = Arc::clone(&ids);
    let mut stage = Stage {
        app: app.with_story(Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(move || maker.make())),
        clock,
        ids,
        users: HashMap::new(),
        stages: HashMap::new(),
        teams: HashMap::new(),
        leads: HashMap::new(),
        customers: HashMap::new(),
        contacts: HashMap::new(),
        courses: HashMap::new(),
        products: HashMap::new(),
    };
    stage.clock.go_to(BEGINNING, 9 * 60);
    stage.found().await?;
    Box::pin(stage.set_scores()).await?;
    Box::pin(stage.fill_catalogue()).await?;
    for (ago, minute, act) in acts() {
        stage.clock.go_to(ago, minute);
        // A form is large; kept on the heap, the futures around it stay small.
        match act {
            Act::Lead(row, act) => Box::pin(stage.lead(row, act)).await?,
            Act::Customer(place, row, act) => Box::pin(stage.customer(place, row, act)).await?,
            Act::Deal(deal, act) => Box::pin(stage.deal(deal, act)).await?,
        }
    }
    Box::pin(stage.set_up()).await?;
    Box::pin(stage.settle()).await?;
    Box::pin(stage.leave_open()).await?;
    let administrator = there(PEOPLE.first(), "administrator")?;
    let id = stage.user(administrator.key)?;
    let mut work = app.store().begin(app.author(None, "start"), None).await?;
    work.note_changes(SEEDED, RecordKind::User, id.0, Map::new(), json!({ "id": id }));
    Ok(work.commit(None).await?)
}

/// Every act of every table with its day and minute, in order of time. What one record goes through on one
/// day keeps its order.
fn acts() -> Vec<(i64, i64, Act)> {
    let mut all = Vec::new();
    let mut opening = 0;
    let mut tell = |acts: Vec<(i64, Act)>| {
        opening = (opening + 37) % 360;
        let (mut day, mut minute) = (None, 0);
        for (ago, act) in acts {
            minute = if day == Some(ago) { minute + 45 } else { 9 * 60 + opening };
            day = Some(ago);
            all.push((ago, minute, act));
        }
    };
    for row in LEADS {
        tell(row.acts.iter().map(|(ago, act)| (*ago, Act::Lead(row, *act))).collect());
    }
    for (place, row) in CUSTOMERS.iter().chain(POOLED).enumerate() {
        tell(row.acts.iter().map(|(ago, act)| (*ago, Act::Customer(place, row, *act))).collect());
    }
    for deal in DEALS {
        tell(deal.acts.iter().map(|(ago, act)| (*ago, Act::Deal(deal, *act))).collect());
    }
    all.sort_by_key(|(ago, minute, _)| (-ago, *minute));
    all
}

/// The answer of a use case that cannot be a repetition.
pub(super) fn done<V>(written: Written<V>) -> Result<V, Failure> {
    match written? {
        Done::Fresh(view) => Ok(view),
        Done::Replayed(_) => Err(wrong("a call without a key was repeated")),
    }
}

fn wrong(why: impl Into<String>) -> Failure {
    Refusal::new(Code::Internal, format!("the demo's tables: {}", why.into())).into()
}

/// What the story has named before.
pub(super) fn known<Q: Hash + Eq + ?Sized, K: Hash + Eq + std::borrow::Borrow<Q>, V: Copy>(
    map: &HashMap<K, V>,
    key: &Q,
    what: &str,
) -> Result<V, Failure> {
    map.get(key).copied().ok_or_else(|| wrong(format!("no {what} of this name yet")))
}

pub(super) fn there<V>(value: Option<V>, what: &str) -> Result<V, Failure> {
    value.ok_or_else(|| wrong(format!("no {what} yet")))
}

/// A line, or nothing where the table has none.
pub(super) fn line(text: &str) -> Option<Line> {
    (!text.is_empty()).then(|| Line::new(text))
}

pub(super) fn prose(text: &str) -> Option<Prose> {
    (!text.is_empty()).then(|| Prose::new(text))
}

pub(super) fn tags(labels: &[&str]) -> Tags {
    Tags(labels.iter().copied().map(Tag::new).collect())
}

/// An amount in whole units, or nothing where the table has none.
pub(super) fn money(units: i64, currency: Currency) -> Option<Money> {
    (units > 0).then(|| exactly(units, currency))
}

/// An amount in whole units of a currency with two decimals.
pub(super) fn exactly(units: i64, currency: Currency) -> Money {
    Money::from_minor(units * 100, currency)
}

/// Who approves what somebody asks for.
pub(super) fn manager_of(key: Key) -> Result<Key, Failure> {
    let person = PEOPLE.iter().find(|person| person.key == key);
    there(person.map(|person| person.manager), "such person")
}

impl Stage {
    /// A call in somebody's name.
    pub(super) fn call(&self, by: &str) -> Result<Call, Failure> {
        let user = known(&self.users, by, "person")?;
        Ok(Call::new(Caller { user, session: None }, self.app.new_request_id()))
    }

    pub(super) fn user(&self, key: &str) -> Result<UserId, Failure> {
        known(&self.users, key, "person")
    }

    /// A team.
    pub(super) fn team(&self, name: &'static str) -> Result<TeamId, Failure> {
        known(&self.teams, name, "team")
    }

    /// A stage of the default pipeline.
    pub(super) fn pipeline_stage(&self, name: &str) -> Result<StageId, Failure> {
        known(&self.stages, name, "stage")
    }

    /// The company, its teams and its people.
    async fn found(&mut self) -> Result<(), Failure> {
        let mut people = PEOPLE.iter();
        let administrator = there(people.next(), "administrator")?;
        let password = SecretString::from(PASSWORD);
        let email = format!("{}@{DOMAIN}", administrator.key);
        // The administrator and the event about it, the stages of the pipeline, the pipeline and the event about it, and
        // the approval flow of contracts, which is the first.
        let event = Some(AuditEventId::example(1).0);
        let proposal = Some(StageId::example(1).0);
        let pipeline = Some(PipelineId::example(1).0);
        let flow = Some(FlowId::example(1).0);
        self.ids
            .give_in_order([None, event, None, None, proposal, None, None, None, None, pipeline, None, flow]);
        admin::create_first_administrator(&self.app, &email, administrator.name, password).await?;
        let credentials = self.app.store().credentials(&email).await?;
        let (id, _) = there(credentials, "administrator")?;
        self.users.insert(administrator.key, id);
        let teams = self.found_teams(administrator.key).await?;
        self.teams.clone_from(&teams);
        for person in people {
            self.clock.pass(5);
            self.hire(person, administrator.key, &teams).await?;
        }
        let call = self.call(administrator.key)?;
        let pipelines = pipelines::list(&self.app, &call, pipelines::LISTING.parse(&[])?).await?;
        let pipelines = pipelines.data.into_iter().map(|pipeline| pipeline.record);
        for stage in pipelines.flat_map(|pipeline| pipeline.details.stages) {
            self.stages.extend(stage.id.map(|id| (stage.name.into(), id)));
        }
        Ok(())
    }

    async fn found_teams(&self, by: Key) -> Result<HashMap<&'static str, TeamId>, Failure> {
        let mut teams = HashMap::new();
        for row in TEAMS {
            self.clock.pass(1);
            let parent_id = row.parent.map(|parent| known(&teams, parent, "team")).transpose()?;
            let form = Valid::check(TeamDetails { name: Line::new(row.name), parent_id })?;
            self.ids.give_to(&row.name, ids::TEAMS, TeamId::example);
            let team = done(teams::create(&self.app, &self.call(by)?, form).await)?;
            teams.insert(row.name, team.record.id);
        }
        Ok(teams)
    }

    async fn hire(
        &mut self,
        person: &Person,
        by: Key,
        teams: &HashMap<&'static str, TeamId>,
    ) -> Result<(), Failure> {
        let form = UserCreate {
            email: Email::new(format!("{}@{DOMAIN}", person.key)),
            display_name: Line::new(person.name),
            team_id: person.team.map(|team| known(teams, team, "team")).transpose()?,
            roles: vec![RoleKey(person.role.to_owned())],
            locale: person.locale,
            password: Password::new(SecretString::from(PASSWORD)),
        };
        self.ids.give_to(&person.key, ids::USERS, UserId::example);
        let user = done(users::create(&self.app, &self.call(by)?, Valid::check(form)?).await)?;
        self.users.insert(person.key, user.record.id);
        Ok(())
    }

    /// Logs an activity at this moment.
    pub(super) async fn log(
        &self,
        by: Key,
        kind: SubjectKind,
        id: impl Into<Uuid>,
        note: Note,
    ) -> Result<(), Failure> {
        let days = |days: i64| self.clock.now().plus(Duration::days(days));
        let form = ActivityDetails {
            about: Subject { kind, id: id.into() },
            kind: note.kind,
            subject: Line::new(note.subject),
            content: prose(note.content),
            happened_at: None,
            due_at: note.due.map(days),
            next_step: note.next.map(|(next, _)| Line::new(next)),
            next_step_at: note.next.map(|(_, at)| days(at)),
        };
        self.ids.give_to(&note.subject, ids::ACTIVITIES, ActivityId::example);
        done(activities::create(&self.app, &self.call(by)?, Valid::check(form)?).await)?;
        Ok(())
    }
}
