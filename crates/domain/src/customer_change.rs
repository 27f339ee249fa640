//! Changes of customers that take an approval (客户变更审批): asked for, and made once it was given.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::access::{Permission, Standing};
use crate::approval::{ApprovalSubject, Outcome, Proposal, ProposalAction};
use crate::audit::{self, MemberChange};
use crate::context::{Context, Event};
use crate::customer::{Customer, CustomerDetails, CustomerKind, Grade};
use crate::error::{Code, Refusal, Rule};
use crate::patch::Patch;
use crate::valid::Valid;
use crate::values::{CustomerChangeId, CustomerId, Line, Number, Timestamp, UserId, form};
use crate::{proposal, record};

/// How a customer is to change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer_id": CustomerId::example(1),
    "changes": {"grade": "A", "industry": "Precision machinery"},
    "reason": "Graded anew after this year's review"
}))]
pub struct CustomerChangeForm {
    /// The customer.
    pub customer_id: CustomerId,
    /// The members that change, as a merge patch (RFC 7396) of the customer.
    #[validate(nested)]
    #[schema(value_type = CustomerPatch)]
    pub changes: Changes,
    /// Why.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Line>,
}

/// What may change about a customer.
pub type CustomerPatch = Patch<CustomerDetails>;

/// The members that change. They are read and judged together with the form that has them, as those of any customer: no
/// rule is about several members, so that what one of them breaks it breaks of every customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Changes(pub Map<String, Value>);

impl Changes {
    fn of_anybody(&self) -> Result<CustomerDetails, Refusal> {
        CustomerPatch::new(self.0.clone()).read(json!({"kind": CustomerKind::Company, "name": "-"}))
    }
}

impl<'de> Deserialize<'de> for Changes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let changes = Self(Map::deserialize(deserializer)?);
        match changes.of_anybody() {
            Ok(_) => Ok(changes),
            Err(refusal) => Err(form::refused(&refusal)),
        }
    }
}

impl Validate for Changes {
    fn validate(&self) -> Result<(), ValidationErrors> {
        if self.0.is_empty() {
            let mut errors = ValidationErrors::new();
            let nothing = Rule::NothingChanges.error("must change something");
            errors.add("__all__", nothing);
            return Err(errors);
        }
        self.of_anybody().map_or(Ok(()), |details| details.validate())
    }
}

/// What is said about a customer, kept as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Said(pub CustomerDetails);

impl Said {
    /// The same with its contact data masked or left out.
    fn masked(self) -> Self {
        Self(self.0.masked(|_| true))
    }
}

/// A change of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomerChange {
    /// Its id.
    pub id: CustomerChangeId,
    /// Its number.
    pub number: Number,
    /// The customer.
    pub customer_id: CustomerId,
    /// Who owns the customer; none while it is in the pool.
    #[schema(required)]
    pub owner_id: Option<UserId>,
    /// Why.
    #[schema(required)]
    pub reason: Option<Line>,
    /// What was said about the customer when it was asked for.
    pub before: Said,
    /// What is to be said about it.
    pub after: Said,
    /// How it stands.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Who asked for it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(CustomerChange, CustomerChange);
proposal!(
    CustomerChange,
    "customer_change",
    |it| (ApprovalSubject::CustomerChange, Some(it.customer_id)),
    &["the last step of its approval was approved", "the customer is as it was when it was asked for"],
    &["the customer went to another owner, or to the pool"]
);

/// Refuses to make or change a customer at once where the organisation wants an approval of it, by its grade before
/// or after.
pub fn check_at_once(ctx: &Context, grades: &[Option<Grade>]) -> Result<(), Refusal> {
    let flow = ctx.org.flow(ApprovalSubject::CustomerChange)?;
    let grades: Vec<Grade> = grades.iter().copied().flatten().collect();
    if !flow.concerns(&grades) {
        return Ok(());
    }
    let why = "customers of this grade are changed by approval; ask for it with /customer-changes";
    Err(Refusal::new(Code::ApprovalRequired, why).with("subject_kind", ApprovalSubject::CustomerChange))
}

/// Refuses to merge customers one of which takes an approval to be changed, unless the caller could give it. Of one
/// alone, says whether it could be merged with one that takes none.
pub fn check_merge(ctx: &Context, customers: &[&Customer]) -> Result<(), Refusal> {
    let grades: Vec<Option<Grade>> = customers.iter().map(|customer| customer.details.grade).collect();
    let Err(refusal) = check_at_once(ctx, &grades) else {
        return Ok(());
    };
    for customer in customers {
        if ctx.authorize(Permission::CustomersApprove, customer.owner_id).is_err() {
            let detail = "customers of this grade are merged by whoever approves changes of them";
            return Err(Refusal { detail: detail.to_owned(), ..refusal });
        }
        if customer.owner_id == Some(ctx.actor.id) {
            let why = "customers of this grade are merged by somebody who does not own them";
            return Err(Refusal::new(Code::SeparationOfDuties, why));
        }
    }
    Ok(())
}

/// Whether the contact data of a customer with this owner is shown to this caller: to whoever may change it, and while it
/// has an owner to whoever may see it.
pub(crate) fn shows_contact_data(
    ctx: &Context,
    owner_id: Option<UserId>,
    customer_id: Option<CustomerId>,
) -> bool {
    let standing = ctx.org.standing_with(owner_id, customer_id);
    let may = |permission| ctx.actor.authorize(permission, &standing).is_ok();
    may(Permission::CustomersUpdate) || (owner_id.is_some() && may(Permission::CustomersRead))
}

/// Masks the contact data of a change as the approval of it keeps it. What cannot be read is left out: nobody knows what
/// it would tell.
pub(crate) fn mask_snapshot(snapshot: &mut Value) {
    for member in ["before", "after"] {
        if let Some(kept) = snapshot.get_mut(member) {
            let said = Said::deserialize(&*kept);
            *kept = said.map_or(Value::Null, |said| json!(said.masked()));
        }
    }
}

impl CustomerChange {
    /// Asks for a change of a customer that somebody owns.
    pub fn request(
        ctx: &Context,
        id: CustomerChangeId,
        number: Number,
        customer: &Customer,
        form: &CustomerChangeForm,
    ) -> Result<(Self, Event), Refusal> {
        customer.may_update(ctx)?;
        let owner_id = Some(customer.owner()?);
        let patch = CustomerPatch::new(form.changes.0.clone());
        let after =
            patch.apply(&customer.details).map_err(|refusal| refusal.within("/changes"))?.into_inner();
        if after == customer.details {
            return Err(Refusal::invalid("/changes", Rule::NothingChanges, "must change something"));
        }
        let change = Self {
            id,
            number,
            customer_id: customer.id,
            owner_id,
            reason: form.reason.clone(),
            before: Said(customer.details.clone()),
            after: Said(after),
            outcome: Outcome::PENDING,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((change, Event("customer_change.requested")))
    }

    fn standing(&self, ctx: &Context) -> Standing {
        ctx.org.standing_with(self.owner_id, Some(self.customer_id))
    }

    /// Seen by whoever may change the customer, those with whom it is shared for that included, and by whoever asked.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal_concerning(Permission::CustomersUpdate, &self.standing(ctx), &[self.created_by])
    }

    /// What this caller may see of it: its contact data as that of the customer itself. Whoever asked goes on seeing what
    /// became of it when the customer is in the pool or somebody else's, and nothing that would tell how to reach it.
    #[must_use]
    pub fn seen_by(mut self, ctx: &Context) -> Self {
        if self.shows_contact_data(ctx) {
            return self;
        }
        self.before = self.before.masked();
        self.after = self.after.masked();
        self
    }

    fn shows_contact_data(&self, ctx: &Context) -> bool {
        shows_contact_data(ctx, self.owner_id, Some(self.customer_id))
    }

    /// Its customer has another owner now, or none: what it tells is for whoever may change the customer.
    pub fn belong_to(&mut self, owner: Option<UserId>) -> Event {
        self.owner_id = owner;
        Event("customer_change.transferred")
    }

    /// What it changes, member by member, `before` and `after`, as this caller may see it: every member that changes,
    /// though masked values may be alike.
    pub fn changes(&self, ctx: &Context) -> Map<String, Value> {
        let told = |said: &Said| serde_json::to_value(said).unwrap_or_default();
        let mut changes = audit::changes(Some(&told(&self.before)), Some(&told(&self.after)));
        if self.shows_contact_data(ctx) {
            return changes;
        }
        let (before, after) = (told(&self.before.clone().masked()), told(&self.after.clone().masked()));
        for (member, change) in &mut changes {
            let masked = |said: &Value| said.get(member).cloned().unwrap_or_default();
            *change = json!(MemberChange { before: masked(&before), after: masked(&after) });
        }
        changes
    }

    /// It was approved: the customer changes now, if it is still what it was.
    pub fn approve(&mut self, ctx: &Context, customer: &mut Customer) -> Result<Event, Refusal> {
        let event = self.decided(ctx, ProposalAction::Approve)?;
        if customer.details != self.before.0 {
            return Err(Refusal::new(Code::StaleApproval, "the customer changed after this was asked for"));
        }
        customer.details = Valid::check(self.after.0.clone())?.into_inner();
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::*;
    use crate::access::{Actor, Places, Share};
    use crate::approval::{Approval, Decision, SubjectFacts};
    use crate::fixtures::{
        DIRECTOR, Everybody, FINANCE, MANAGER, MARKETING, OTHER_MANAGER, OTHER_REP, REP, World, delegation,
        flow, user,
    };
    use crate::values::{ApprovalId, NumberKind};

    #[test]
    fn a_change_is_seen_by_whoever_may_change_the_customer_and_by_whoever_asked() {
        let world = World::new();
        let customer = world.customer(Some(REP));
        let changes = Changes(json!({"region": "East China"}).as_object().unwrap().clone());
        let form = CustomerChangeForm { customer_id: customer.id, changes, reason: None };
        let (id, number) =
            (CustomerChangeId(Uuid::from_u128(1)), Number::new(NumberKind::CustomerChange, 2026, 1));
        let asked = world.by(REP, |ctx| CustomerChange::request(ctx, id, number, &customer, &form));
        let mut change = asked.unwrap().0;
        let sees = |change: &CustomerChange, who| world.by(who, |ctx| change.reveal(ctx)).is_ok();
        for (who, seen) in [(REP, true), (MANAGER, true), (DIRECTOR, true), (OTHER_REP, false)] {
            assert_eq!(sees(&change, who), seen, "{who}");
        }
        // With whom the customer is shared to be changed, for them its changes are as well.
        let other = world.actor(OTHER_REP);
        let with = |share| {
            let places = Places { shared: BTreeMap::from([(customer.id, share)]), ..Places::default() };
            Actor::new(other.id, other.team, other.roles.clone(), other.grants(), places)
        };
        for (share, seen) in [(Share::Read, false), (Share::Write, true)] {
            assert_eq!(change.reveal(&world.ctx(&with(share))).is_ok(), seen, "{share}");
        }
        // In the pool, only whoever may change every customer, and whoever asked.
        change.belong_to(None);
        for (who, seen) in [(REP, true), (MANAGER, false), (DIRECTOR, true)] {
            assert_eq!(sees(&change, who), seen, "{who}");
        }
        assert!(change.reveal(&world.ctx(&with(Share::Write))).is_err());
        // Whoever asked, and may not change customers any more, gets no list of them either.
        change.created_by = user(FINANCE);
        assert!(!sees(&change, FINANCE));
        change.created_by = user(OTHER_MANAGER);
        assert!(sees(&change, OTHER_MANAGER));
    }

    /// Whether all of it is shown; if not, that no contact data is.
    fn shows(change: &CustomerChange, ctx: &Context) -> bool {
        let seen = change.clone().seen_by(ctx);
        if seen == *change {
            return true;
        }
        let text = serde_json::to_string(&(&seen, change.changes(ctx))).unwrap();
        for hidden in [" 0013 ", "zhang@", "acme.example", "Ask for Li"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
        assert_eq!(change.changes(ctx)["region"]["after"], "East China", "what is no contact data stays");
        assert!(change.changes(ctx).contains_key("note"), "what changes is named");
        false
    }

    #[test]
    fn contact_data_of_a_change_is_shown_where_that_of_the_customer_is() {
        let world = World::new();
        let mut customer = world.customer(Some(REP));
        let details = json!({
            "kind": "company", "name": "Acme", "phone": "138 0013 8000", "email": "zhang@example.com",
            "website": "https://acme.example",
        });
        customer.details = serde_json::from_value(details).unwrap();
        let changes = json!({"phone": "139 0013 9000", "note": "Ask for Li", "region": "East China"});
        let changes = Changes(changes.as_object().unwrap().clone());
        let form = CustomerChangeForm { customer_id: customer.id, changes, reason: None };
        let (id, number) =
            (CustomerChangeId(Uuid::from_u128(1)), Number::new(NumberKind::CustomerChange, 2026, 1));
        let asked = world.by(REP, |ctx| CustomerChange::request(ctx, id, number, &customer, &form));
        let mut change = asked.unwrap().0;
        let to = |change: &CustomerChange, who| world.by(who, |ctx| shows(change, ctx));
        let other = world.actor(OTHER_REP);
        let shared = |share| {
            let places = Places { shared: BTreeMap::from([(customer.id, share)]), ..Places::default() };
            Actor::new(other.id, other.team, other.roles.clone(), other.grants(), places)
        };
        assert!(to(&change, REP) && to(&change, MANAGER));
        // With somebody else: for whoever sees the customer, as by sharing, not for having asked.
        change.created_by = user(OTHER_REP);
        assert!(!to(&change, OTHER_REP));
        assert!(shows(&change, &world.ctx(&shared(Share::Read))));
        assert!(shows(&change, &world.ctx(&shared(Share::Write))));
        // In the pool: for whoever may change what is there.
        change.belong_to(None);
        change.created_by = user(REP);
        for (who, shown) in [(REP, false), (MANAGER, false), (FINANCE, false), (DIRECTOR, true)] {
            assert_eq!(to(&change, who), shown, "{who}");
        }
    }

    #[test]
    fn the_approval_of_a_change_is_masked_where_the_change_is() {
        let world = World::with(Everybody::EACH, vec![delegation(DIRECTOR, MARKETING)]);
        let customer = world.customer(Some(REP));
        let changes = json!({"phone": "139 0013 9000", "note": "Ask for Li"});
        let changes = Changes(changes.as_object().unwrap().clone());
        let form = CustomerChangeForm { customer_id: customer.id, changes, reason: None };
        let (id, number) =
            (CustomerChangeId(Uuid::from_u128(1)), Number::new(NumberKind::CustomerChange, 2026, 1));
        let asked = world.by(REP, |ctx| CustomerChange::request(ctx, id, number, &customer, &form));
        let change = asked.unwrap().0;
        let facts = SubjectFacts::of_customer_change(&change).unwrap();
        let flow = flow(ApprovalSubject::CustomerChange);
        let approval = ApprovalId(Uuid::from_u128(2));
        let asked = world.by(REP, |ctx| Approval::request(ctx, approval, &flow, facts));
        let mut approval = asked.unwrap().0;
        let is_whole = |approval: &Approval, who| {
            let seen = world.by(who, |ctx| approval.clone().seen_by(ctx));
            if seen == *approval {
                return true;
            }
            assert_eq!(seen.snapshot["after"]["phone"], "139****9000");
            assert!(!seen.snapshot.to_string().contains("Ask for Li"), "{}", seen.snapshot);
            assert_eq!(Approval { snapshot: approval.snapshot.clone(), ..seen }, *approval, "nothing else");
            false
        };
        // The delegate decides what they would not see otherwise; who neither decides nor sees the customer is not told.
        for who in [REP, MANAGER, DIRECTOR, MARKETING] {
            assert!(is_whole(&approval, who), "{who}");
        }
        assert!(!is_whole(&approval, OTHER_REP));
        world.by(MARKETING, |ctx| approval.decide(ctx, Decision::Approved, None)).unwrap();
        assert!(!is_whole(&approval, MARKETING), "once it is decided");
        // Only where the customer is counts then.
        approval.belong_to(None);
        for (who, shown) in [(REP, false), (MANAGER, false), (DIRECTOR, true)] {
            assert_eq!(is_whole(&approval, who), shown, "{who}");
        }
        // What cannot be read is left out, and other subjects stay as they are.
        approval.snapshot = json!({"before": {"phone": 7}, "after": "139 0013 9000"});
        let masked = world.by(MANAGER, |ctx| approval.clone().seen_by(ctx));
        assert_eq!(masked.snapshot, json!({"before": null, "after": null}));
        approval.subject_kind = ApprovalSubject::Contract;
        assert!(is_whole(&approval, OTHER_REP));
    }

    #[test]
    fn what_changes_is_read_and_judged_with_the_form() {
        let form = |reason: &str, changes: Value| {
            let body = json!({"customer_id": CustomerId::example(1), "changes": changes, "reason": reason});
            Valid::<CustomerChangeForm>::check(form::read(body)?)
        };
        let long = "x".repeat(201);
        for (changes, code, pointers) in [
            (
                json!({"name": "", "email": "nowhere", "tax_profiles": [{"bank": ""}]}),
                Code::ValidationFailed,
                "/changes/email, /changes/name, /changes/tax_profiles/0/bank, /reason",
            ),
            (json!({}), Code::ValidationFailed, "/changes, /reason"),
            // What cannot be read, and unknown words, end the reading as anywhere else.
            (json!({"nmae": "a"}), Code::MalformedRequest, "/changes/nmae"),
            (json!({"a\u{1f}/b": 1}), Code::MalformedRequest, "/changes/a~1b"),
            (json!({"tags": [7]}), Code::MalformedRequest, "/changes/tags/0"),
            (json!({"name": null}), Code::MalformedRequest, "/changes/name"),
            (json!({"grade": "Z", "name": ""}), Code::ValidationFailed, "/changes/grade"),
        ] {
            let refusal = form(&long, changes.clone()).unwrap_err();
            let told: Vec<&str> = refusal.errors.iter().map(|error| &*error.pointer).collect();
            assert_eq!((refusal.code, &*told.join(", ")), (code, pointers), "{changes}");
        }
        for taken in [json!({"kind": "person"}), json!({"grade": null, "tags": ["vip"]})] {
            assert!(form("Grew", taken.clone()).is_ok(), "{taken}");
        }
    }
}
