//! Leads (线索): people and companies who may become customers.

mod duplicates;
mod form;
mod routing;
mod scoring;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

pub use duplicates::{LikeKeys, LikeKind, Likeness, MatchedOn, check_unknown};
pub use form::{COUNTED, FormField, FormToken, LeadForm, LeadFormDetails, LeadFormSubmission};
pub use routing::{AssignmentRule, AssignmentRuleDetails, Route, route};
pub use scoring::{
    LeadGrade, Score, ScoreField, ScoreLine, ScoreOperator, Scoring, ScoringRule, ScoringRuleDetails,
};

use crate::access::Permission;
use crate::contact::ContactDetails;
use crate::context::{Context, Event};
use crate::customer::{CustomerDetails, CustomerKind};
use crate::dependents::Dependents;
use crate::error::{Code, Refusal};
use crate::record;
use crate::search::{ContactData, SearchEntry};
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{
    ContactId, CustomerId, Email, LeadId, Line, Money, OpportunityId, Phone, Prose, Tags, Timestamp, UserId,
};
use crate::workflow::{AllowedAction, Machine, Rule, Who, rejudge};

text_enum! {
    /// Where a lead, a customer or an opportunity came from.
    pub enum Source {
        /// The company's web site.
        Website = "website" ("Website", "官网"),
        /// Somebody recommended us.
        Referral = "referral" ("Referral", "转介绍"),
        /// A fair or another event.
        Event = "event" ("Event", "展会活动"),
        /// Advertising.
        Advertisement = "advertisement" ("Advertising", "广告"),
        /// A call without acquaintance.
        ColdCall = "cold_call" ("Cold call", "陌生电话"),
        /// Social media, WeChat included.
        SocialMedia = "social_media" ("Social media", "社交媒体"),
        /// A partner.
        Partner = "partner" ("Partner", "合作伙伴"),
        /// Anything else.
        Other = "other" ("Other", "其他"),
    }
}

text_enum! {
    /// How far a lead has come.
    pub enum LeadStatus {
        /// Nobody has been in touch.
        New = "new" ("New", "新线索"),
        /// Somebody has been in touch.
        Contacted = "contacted" ("Contacted", "已联系"),
        /// Worth an opportunity.
        Qualified = "qualified" ("Qualified", "有效线索"),
        /// Became a customer. Final.
        Converted = "converted" ("Converted", "已转化"),
        /// Not worth more time; may be reopened.
        Disqualified = "disqualified" ("Disqualified", "无效线索"),
    }
}

text_enum! {
    /// What may happen to a lead.
    pub enum LeadAction {
        /// Give it to a user.
        Assign = "assign",
        /// Take it from the lead pool.
        Claim = "claim",
        /// Give it back to the lead pool.
        Release = "release",
        /// Its owner did not respond in time, and it goes back to the lead pool.
        Recycle = "recycle",
        /// The first activity was logged.
        Contact = "contact",
        /// Find it worth an opportunity.
        Qualify = "qualify",
        /// Give it up.
        Disqualify = "disqualify",
        /// Take it up again.
        Reopen = "reopen",
        /// Make a customer of it.
        Convert = "convert",
    }
}

text_enum! {
    /// Why a lead was given up.
    pub enum DisqualifyReason {
        /// No money for it.
        NoBudget = "no_budget" ("No budget", "无预算"),
        /// No need.
        NoNeed = "no_need" ("No need", "无需求"),
        /// Cannot be reached.
        Unreachable = "unreachable" ("Unreachable", "无法联系"),
        /// Bought elsewhere.
        LostToCompetitor = "lost_to_competitor" ("Lost to a competitor", "已选择竞争对手"),
        /// Known already.
        Duplicate = "duplicate" ("Duplicate", "重复线索"),
        /// Not a real inquiry.
        Spam = "spam" ("Spam", "垃圾信息"),
        /// Anything else.
        Other = "other" ("Other", "其他"),
    }
}

impl DisqualifyReason {
    /// Whether a lead that was given up for it says nothing about anybody, so that it is nobody's duplicate.
    pub const fn says_nothing(self) -> bool {
        match self {
            Self::Duplicate | Self::Spam => true,
            Self::NoBudget | Self::NoNeed | Self::Unreachable | Self::LostToCompetitor | Self::Other => false,
        }
    }
}

const OPEN: &[LeadStatus] = &[LeadStatus::New, LeadStatus::Contacted, LeadStatus::Qualified];

/// The lead's state machine.
pub static MACHINE: Machine<LeadStatus, LeadAction> = Machine {
    name: "lead",
    initial: &[LeadStatus::New],
    states: LeadStatus::ALL,
    rules: &[
        Rule {
            action: LeadAction::Assign,
            from: OPEN,
            to: None,
            who: Who::Holder(Permission::LeadsAssign),
            guards: &["the receiver is active, may own leads and is in the caller's scope"],
        },
        Rule {
            action: LeadAction::Claim,
            from: OPEN,
            to: None,
            who: Who::Holder(Permission::LeadsClaim),
            guards: &["the lead has no owner", "the caller is not who let it go without a response"],
        },
        Rule {
            action: LeadAction::Release,
            from: OPEN,
            to: None,
            who: Who::Holder(Permission::LeadsUpdate),
            guards: &["the lead has an owner"],
        },
        Rule {
            action: LeadAction::Recycle,
            from: &[LeadStatus::New],
            to: None,
            who: Who::System,
            guards: &["its owner did not respond before the deadline"],
        },
        Rule {
            action: LeadAction::Contact,
            from: &[LeadStatus::New],
            to: Some(LeadStatus::Contacted),
            who: Who::System,
            guards: &["the first activity was logged"],
        },
        Rule {
            action: LeadAction::Qualify,
            from: &[LeadStatus::Contacted],
            to: Some(LeadStatus::Qualified),
            who: Who::Holder(Permission::LeadsQualify),
            guards: &[],
        },
        Rule {
            action: LeadAction::Disqualify,
            from: OPEN,
            to: Some(LeadStatus::Disqualified),
            who: Who::Holder(Permission::LeadsQualify),
            guards: &["a reason is given"],
        },
        Rule {
            action: LeadAction::Reopen,
            from: &[LeadStatus::Disqualified],
            to: Some(LeadStatus::New),
            who: Who::Holder(Permission::LeadsQualify),
            guards: &[],
        },
        Rule {
            action: LeadAction::Convert,
            from: &[LeadStatus::Qualified],
            to: Some(LeadStatus::Converted),
            who: Who::Holder(Permission::LeadsConvert),
            guards: &["the lead has an owner", "the caller may create customers or change them"],
        },
    ],
};

/// What one may say about a lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "王芳",
    "company": "杭州云帆智能科技有限公司",
    "title": "采购总监",
    "phone": "+86 139 5710 2236",
    "email": "wang.fang@yunfan.example",
    "source": "website",
    "campaign": "Spring launch",
    "region": "East China",
    "industry": "Software",
    "interest": "Wants to replace spreadsheets for 20 sales people before the end of the quarter.",
    "budget": {"amount": "120000.00", "currency": "CNY"},
    "expected_purchase_on": "2027-03-31",
    "tags": ["trial", "callback wanted"],
    "note": "Best reached in the afternoon."
}))]
pub struct LeadDetails {
    /// The person's name.
    #[validate(nested)]
    pub name: Line,
    /// The company.
    #[serde(default)]
    #[validate(nested)]
    pub company: Option<Line>,
    /// The person's position.
    #[serde(default)]
    #[validate(nested)]
    pub title: Option<Line>,
    /// Telephone number.
    #[serde(default)]
    #[validate(nested)]
    pub phone: Option<Phone>,
    /// E-mail address.
    #[serde(default)]
    #[validate(nested)]
    pub email: Option<Email>,
    /// Where the lead came from.
    pub source: Source,
    /// The marketing campaign that brought it.
    #[serde(default)]
    #[validate(nested)]
    pub campaign: Option<Line>,
    /// Region.
    #[serde(default)]
    #[validate(nested)]
    pub region: Option<Line>,
    /// Industry.
    #[serde(default)]
    #[validate(nested)]
    pub industry: Option<Line>,
    /// What they are interested in.
    #[serde(default)]
    #[validate(nested)]
    pub interest: Option<Prose>,
    /// What they can spend.
    #[serde(default)]
    #[validate(custom(function = "crate::contract::positive"))]
    pub budget: Option<Money>,
    /// When they expect to buy.
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub expected_purchase_on: Option<chrono::NaiveDate>,
    /// Labels.
    #[serde(default)]
    #[validate(nested)]
    pub tags: Tags,
    /// Anything else.
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
}

/// A lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lead {
    /// Its id.
    pub id: LeadId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: LeadDetails,
    /// The owner; none while it is in the lead pool.
    #[schema(required)]
    pub owner_id: Option<UserId>,
    /// Who owned it before.
    #[schema(required)]
    pub previous_owner_id: Option<UserId>,
    /// How good it looks, and why.
    #[serde(flatten)]
    pub score: Score,
    /// How far it has come.
    pub status: LeadStatus,
    /// Why it was given up.
    #[schema(required)]
    pub disqualify_reason: Option<DisqualifyReason>,
    /// Until when its owner should respond.
    #[schema(required)]
    pub response_due_at: Option<Timestamp>,
    /// When its owner was reminded of that.
    #[schema(required)]
    pub reminded_at: Option<Timestamp>,
    /// When the first activity was logged.
    #[schema(required)]
    pub first_responded_at: Option<Timestamp>,
    /// When the last activity happened.
    #[schema(required)]
    pub last_activity_at: Option<Timestamp>,
    /// The customer that it became.
    #[schema(required)]
    pub converted_customer_id: Option<CustomerId>,
    /// The contact that it became.
    #[schema(required)]
    pub converted_contact_id: Option<ContactId>,
    /// The opportunity that it became.
    #[schema(required)]
    pub converted_opportunity_id: Option<OpportunityId>,
    /// When it was converted.
    #[schema(required)]
    pub converted_at: Option<Timestamp>,
    /// Who recorded it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Lead, Lead, found by |lead| {
    let of = &lead.details;
    SearchEntry::new(of.name.as_str())
        .with(of.company.as_ref())
        .with_contact(of.phone.as_ref().map(ContactData::Phone))
        .with_contact(of.email.as_ref().map(ContactData::Email))
});

/// Refuses an owner who cannot work with what they would own.
pub(crate) fn eligible_owner(ctx: &Context, user: UserId, permission: Permission) -> Result<(), Refusal> {
    if ctx.org.user(user).is_none() {
        return Err(Refusal::unknown_reference("/owner_id"));
    }
    match ctx.org.actor(user) {
        Some(owner) if owner.holds(permission) => Ok(()),
        _ => {
            let detail = format!("the user {user} is disabled or cannot own such records");
            Err(Refusal::new(Code::OwnerNotEligible, detail).with("user_id", user))
        }
    }
}

fn claimed() -> Refusal {
    Refusal::new(Code::AlreadyClaimed, "the lead has an owner")
}

impl Lead {
    /// Records a lead. A seller keeps what they record; from others it goes to the lead pool.
    pub fn new(ctx: &Context, id: LeadId, form: Valid<LeadDetails>) -> Result<(Self, Event), Refusal> {
        ctx.actor.authorize_own(Permission::LeadsCreate)?;
        let owner_id = ctx.actor.holds(Permission::LeadsClaim).then_some(ctx.actor.id);
        let lead = Self::record(ctx, id, form, owner_id);
        Ok((lead, Event("lead.created")))
    }

    /// A lead that a web form brought in the name of whoever made the form: it goes to the lead pool.
    pub fn from_form(
        ctx: &Context,
        id: LeadId,
        created_by: UserId,
        form: Valid<LeadDetails>,
    ) -> (Self, Event) {
        (Self { created_by, ..Self::record(ctx, id, form, None) }, Event("lead.created"))
    }

    fn record(ctx: &Context, id: LeadId, form: Valid<LeadDetails>, owner_id: Option<UserId>) -> Self {
        let mut lead = Self {
            id,
            score: ctx.org.score(&form),
            details: form.into_inner(),
            owner_id: None,
            previous_owner_id: None,
            status: LeadStatus::New,
            disqualify_reason: None,
            response_due_at: None,
            reminded_at: None,
            first_responded_at: None,
            last_activity_at: None,
            converted_customer_id: None,
            converted_contact_id: None,
            converted_opportunity_id: None,
            converted_at: None,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        lead.belong_to(ctx, owner_id);
        lead
    }

    fn belong_to(&mut self, ctx: &Context, owner: Option<UserId>) {
        if self.owner_id.is_some() && self.owner_id != owner {
            self.previous_owner_id = self.owner_id;
        }
        self.owner_id = owner;
        self.reminded_at = None;
        let hours = &ctx.org.settings.leads.response_hours;
        let hours = chrono::Duration::hours(match self.score.grade {
            LeadGrade::Hot => hours.hot,
            LeadGrade::Warm => hours.warm,
            LeadGrade::Cold => hours.cold,
        });
        self.response_due_at = match owner {
            Some(_) if self.first_responded_at.is_none() => Some(ctx.now.plus(hours)),
            _ => None,
        };
    }

    /// A lead outside the caller's scope does not exist for them.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal(Permission::LeadsRead, self.owner_id)
    }

    fn permit(&self, ctx: &Context, action: LeadAction) -> Result<LeadStatus, Refusal> {
        let standing = ctx.standing(self.owner_id);
        MACHINE.permit_where(ctx.actor, &standing, self.status, action, |offered| match offered {
            LeadAction::Claim => self.owner_id.is_none(),
            LeadAction::Release => self.owner_id.is_some(),
            _ => true,
        })
    }

    /// May it be changed by hand? A converted lead is history.
    pub fn may_update(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.authorize(Permission::LeadsUpdate, self.owner_id)?;
        self.unconverted()
    }

    /// May it be deleted? While nobody noted anything about it.
    pub fn may_delete(&self, ctx: &Context, dependents: &Dependents) -> Result<(), Refusal> {
        self.may_update(ctx)?;
        dependents.check_none()
    }

    fn unconverted(&self) -> Result<(), Refusal> {
        if self.status != LeadStatus::Converted {
            return Ok(());
        }
        Err(Refusal::new(Code::AlreadyConverted, "the lead was converted")
            .with("customer_id", self.converted_customer_id)
            .with("contact_id", self.converted_contact_id)
            .with("opportunity_id", self.converted_opportunity_id))
    }

    /// Changes what was said about it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<LeadDetails>) -> Result<Event, Refusal> {
        self.may_update(ctx)?;
        self.details = form.into_inner();
        self.rescore(ctx);
        Ok(Event("lead.updated"))
    }

    /// Scores it anew, by the rules that hold now. A deadline once given stays. Says whether anything changed.
    pub fn rescore(&mut self, ctx: &Context) -> Option<Event> {
        let score = ctx.org.score(&self.details);
        let changed = self.score.score != score.score
            || self.score.grade != score.grade
            || self.score.score_lines != score.score_lines;
        self.score = score;
        changed.then_some(Event("lead.rescored"))
    }

    /// Goes to whom an assignment rule names.
    pub fn route(&mut self, ctx: &Context, to: UserId) -> Event {
        self.belong_to(ctx, Some(to));
        Event("lead.assigned")
    }

    /// Leaves an owner who leaves: to a successor, or to the lead pool.
    pub fn hand_over(&mut self, ctx: &Context, to: Option<UserId>) -> Event {
        self.belong_to(ctx, to);
        Event("lead.handed_over")
    }

    /// Reminds its owner that a response is due soon, once. Says whether it is time.
    pub fn remind(&mut self, ctx: &Context) -> Option<Event> {
        let due =
            self.response_due_at.filter(|_| self.status == LeadStatus::New && self.reminded_at.is_none())?;
        let from = due.plus(-chrono::Duration::hours(ctx.org.settings.leads.reminder_hours));
        if ctx.now < from || self.owner_id.is_none() {
            return None;
        }
        self.reminded_at = Some(ctx.now);
        Some(Event("lead.response_due_soon"))
    }

    /// Goes back to the lead pool when its owner did not respond in time. Says whether that is so.
    pub fn give_back_late(&mut self, ctx: &Context) -> Result<Option<Event>, Refusal> {
        if self.owner_id.is_none() || self.response_due_at.is_none_or(|due| ctx.now < due) {
            return Ok(None);
        }
        self.status = MACHINE.follow(self.status, LeadAction::Recycle)?;
        self.belong_to(ctx, None);
        Ok(Some(Event("lead.response_overdue")))
    }

    /// May it be merged with another one? Whether the other one may be as well is judged when it is known.
    pub fn may_merge(&self, ctx: &Context) -> Result<(), Refusal> {
        self.may_update(ctx)
    }

    /// Takes another lead in that is the same one: what it lacks, and how far the other had come.
    pub fn absorb(&mut self, ctx: &Context, other: &Self) -> Result<Event, Refusal> {
        self.may_merge(ctx)?;
        crate::merge::check_two(&self.id, &other.id)?;
        other.may_merge(ctx)?;
        self.details = crate::merge::filled(&self.details, &other.details)?.into_inner();
        self.rescore(ctx);
        self.last_activity_at = self.last_activity_at.max(other.last_activity_at);
        if let Some(responded) = other.first_responded_at.filter(|_| self.status == LeadStatus::New) {
            self.respond(responded)?;
        }
        Ok(Event("lead.merged"))
    }

    /// Gives it to a user.
    pub fn assign(&mut self, ctx: &Context, to: UserId) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, LeadAction::Assign)?;
        eligible_owner(ctx, to, Permission::LeadsClaim)?;
        ctx.authorize(Permission::LeadsAssign, Some(to))?;
        if self.owner_id == Some(to) {
            return Err(Refusal::new(Code::AlreadyOwner, "the lead is already with this user"));
        }
        self.belong_to(ctx, Some(to));
        Ok(Event("lead.assigned"))
    }

    /// Takes it from the lead pool.
    pub fn claim(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        if self.reveal(ctx).is_err() {
            // Whoever lost the race still sees why, though the lead has left their sight, and nothing else of
            // it. To whoever could not have won, it does not exist.
            let raced = self.owner_id.is_some()
                && ctx.reveal(Permission::LeadsRead, None).is_ok()
                && ctx.authorize(Permission::LeadsClaim, None).is_ok();
            return Err(if raced { claimed() } else { Refusal::not_found() });
        }
        self.status = self.may_claim(ctx)?;
        self.belong_to(ctx, Some(ctx.actor.id));
        Ok(Event("lead.claimed"))
    }

    /// Whether the caller could have claimed it comes before whether somebody was faster.
    fn may_claim(&self, ctx: &Context) -> Result<LeadStatus, Refusal> {
        let status = MACHINE.permit(ctx.actor, &ctx.standing(None), self.status, LeadAction::Claim)?;
        if self.owner_id.is_some() {
            return Err(claimed());
        }
        // Otherwise a release and a claim would renew the deadline for ever.
        let let_go = self.status == LeadStatus::New && self.first_responded_at.is_none();
        if let_go && self.previous_owner_id == Some(ctx.actor.id) {
            let detail =
                "you let it go without a response; it is somebody else's turn, or a manager gives it to you";
            return Err(Refusal::new(Code::ClaimCoolDown, detail));
        }
        Ok(status)
    }

    /// Gives it back to the lead pool.
    pub fn release(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, LeadAction::Release)?;
        self.owned()?;
        self.belong_to(ctx, None);
        Ok(Event("lead.released"))
    }

    fn owned(&self) -> Result<UserId, Refusal> {
        self.owner_id.ok_or_else(|| Refusal::new(Code::InvalidTransition, "the lead has no owner"))
    }

    /// Notes an activity; the first one is the response to a new lead.
    pub fn note_activity(&mut self, at: Timestamp) -> Result<Event, Refusal> {
        self.last_activity_at = self.last_activity_at.max(Some(at));
        if self.status != LeadStatus::New {
            return Ok(Event("lead.activity_logged"));
        }
        self.respond(at)?;
        Ok(Event("lead.contacted"))
    }

    /// The person asked again, by a web form. That is no response of ours.
    pub fn ask_again(&mut self, ctx: &Context) -> Event {
        self.last_activity_at = self.last_activity_at.max(Some(ctx.now));
        Event("lead.asked_again")
    }

    /// Somebody responded; not before it came, whatever an activity says.
    fn respond(&mut self, at: Timestamp) -> Result<(), Refusal> {
        self.status = MACHINE.follow(self.status, LeadAction::Contact)?;
        self.first_responded_at = self.first_responded_at.or(Some(at.max(self.created_at)));
        self.response_due_at = None;
        Ok(())
    }

    /// Finds it worth an opportunity.
    pub fn qualify(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, LeadAction::Qualify)?;
        Ok(Event("lead.qualified"))
    }

    /// Gives it up.
    pub fn disqualify(&mut self, ctx: &Context, reason: DisqualifyReason) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, LeadAction::Disqualify)?;
        self.disqualify_reason = Some(reason);
        self.response_due_at = None;
        Ok(Event("lead.disqualified"))
    }

    /// Takes it up again.
    pub fn reopen(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, LeadAction::Reopen)?;
        self.disqualify_reason = None;
        self.first_responded_at = None;
        // Whoever has left takes nothing up again.
        self.belong_to(ctx, self.owner_id.filter(|owner| ctx.org.actor(*owner).is_some()));
        Ok(Event("lead.reopened"))
    }

    /// May it be converted now? Answers with the owner of what it becomes. A second conversion is told
    /// what the first one made.
    pub fn may_convert(&self, ctx: &Context) -> Result<UserId, Refusal> {
        ctx.authorize(Permission::LeadsConvert, self.owner_id)?;
        // It becomes a new customer, or goes to one that the caller may change.
        if !ctx.actor.holds(Permission::CustomersUpdate) {
            ctx.actor.authorize_own(Permission::CustomersCreate)?;
        }
        self.unconverted()?;
        self.permit(ctx, LeadAction::Convert)?;
        self.owned()
    }

    /// Notes when the last of its activities happened, now that they are others.
    pub fn follow(&mut self, last: Option<Timestamp>) -> Event {
        self.last_activity_at = last;
        Event("lead.activities_changed")
    }

    /// Notes what it became.
    pub fn convert(
        &mut self,
        ctx: &Context,
        customer: CustomerId,
        contact: Option<ContactId>,
        opportunity: Option<OpportunityId>,
    ) -> Result<Event, Refusal> {
        self.may_convert(ctx)?;
        self.status = self.permit(ctx, LeadAction::Convert)?;
        self.converted_customer_id = Some(customer);
        self.converted_contact_id = contact;
        self.converted_opportunity_id = opportunity;
        self.converted_at = Some(ctx.now);
        Ok(Event("lead.converted"))
    }

    /// The customer that it describes.
    pub fn as_customer(&self) -> CustomerDetails {
        let details = self.details.clone();
        CustomerDetails {
            kind: if details.company.is_some() { CustomerKind::Company } else { CustomerKind::Person },
            name: details.company.unwrap_or(details.name),
            registration_number: None,
            source: Some(details.source),
            grade: None,
            industry: details.industry,
            region: details.region,
            address: None,
            scale: None,
            phone: details.phone,
            email: details.email,
            website: None,
            tags: details.tags,
            tax_profiles: Vec::new(),
            note: details.note,
        }
    }

    /// The person that it describes, as a contact of a customer.
    pub fn as_contact(&self, customer: CustomerId, is_primary: bool) -> ContactDetails {
        let details = self.details.clone();
        ContactDetails {
            customer_id: customer,
            name: details.name,
            title: details.title,
            department: None,
            phone: details.phone,
            email: details.email,
            wechat: None,
            birthday: None,
            decision_role: None,
            is_primary,
            note: None,
        }
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, dependents: &Dependents) -> Vec<AllowedAction> {
        let mut actions =
            MACHINE.offers(ctx.actor, &ctx.standing(self.owner_id), self.status, |action| match action {
                LeadAction::Release => self.owned().map(|_| ()),
                _ => Ok(()),
            });
        rejudge(&mut actions, LeadAction::Claim.as_str(), self.may_claim(ctx));
        rejudge(&mut actions, LeadAction::Convert.as_str(), self.may_convert(ctx));
        actions.push(AllowedAction::judge("update", self.may_update(ctx)));
        actions.push(AllowedAction::judge("delete", self.may_delete(ctx, dependents)));
        actions.push(AllowedAction::judge("merge", self.may_merge(ctx)));
        actions
    }
}
