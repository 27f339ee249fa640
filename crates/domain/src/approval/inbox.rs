use super::{Approval, ApprovalStatus, ApprovalSubject, ApproverRule};
use crate::access::{Actor, Clause, ScopeFilter, Standing};
use crate::context::Context;
use crate::organisation::Organisation;
use crate::values::UserId;

/// A kind of subject and which of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectScope {
    /// The kind.
    pub subject_kind: ApprovalSubject,
    /// Which, by the subject's owner.
    pub scope: ScopeFilter,
}

/// Which requests an actor may see: those about subjects that they may see.
pub fn readable(actor: &Actor) -> Vec<SubjectScope> {
    ApprovalSubject::ALL
        .iter()
        .map(|kind| SubjectScope { subject_kind: *kind, scope: actor.visible_scope(kind.read()) })
        .collect()
}

/// Whether a caller sees requests at all: those about subjects of some kind, or in the name of somebody who delegated
/// their decisions to them. Nobody else gets a list, not even of what they decided once.
pub fn sees_any(ctx: &Context) -> bool {
    ApprovalSubject::ALL.iter().any(|kind| ctx.actor.holds(kind.read()))
        || !ctx.org.delegated_to(ctx.actor.id, ctx.now).is_empty()
}

/// One way in which a request waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxClause {
    /// The kind of subject.
    pub subject_kind: ApprovalSubject,
    /// The text of the request's `waiting_for`.
    pub waiting_for: String,
    /// Which, by the subject's owner: those within every one of these scopes.
    pub scopes: Vec<ScopeFilter>,
}

/// What an actor decides in somebody's name, as data for persistence: the pending requests that are
/// [`Inbox::readable`], fit a clause or [`Inbox::named_pattern`], were neither asked for by nor are owned by nor would
/// go to one of [`Inbox::persons`], and were not decided in an earlier step by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    /// In whose name.
    pub name: UserId,
    /// Who must have nothing to do with it: the actor, and whoever they decide for.
    pub persons: Vec<UserId>,
    /// What the person in whose name it is may see.
    pub readable: Vec<SubjectScope>,
    /// What waits for them, by rules that name nobody in person.
    pub clauses: Vec<InboxClause>,
}

/// What waits for an actor: in their own name, and in that of each person who delegated their decisions to them.
pub fn inboxes(ctx: &Context) -> Vec<Inbox> {
    let mut inboxes = vec![inbox(ctx.org, ctx.actor, ctx.actor, ApprovalSubject::ALL)];
    for (principal, kinds) in ctx.org.delegated_to(ctx.actor.id, ctx.now) {
        inboxes.push(inbox(ctx.org, ctx.actor, &principal, &kinds));
    }
    inboxes
}

fn inbox(org: &Organisation, actor: &Actor, name: &Actor, kinds: &[ApprovalSubject]) -> Inbox {
    let clauses = kinds.iter().flat_map(|kind| {
        let clause = |rule: ApproverRule, scopes| InboxClause {
            subject_kind: *kind,
            waiting_for: rule.to_string(),
            scopes,
        };
        let approves = name.visible_scope(kind.approve());
        let manager = clause(ApproverRule::ManagerOfOwner, vec![approves.clone()]);
        let levels = (1..=ApproverRule::MAX_LEVELS).filter_map(move |levels| {
            let teams = org.teams_below(name.team?, levels);
            let below = ScopeFilter::Any(vec![Clause::OwnerInTeams(teams.clone())]);
            let scopes = vec![approves.clone(), below];
            (!teams.is_empty()).then(|| clause(ApproverRule::LevelsUp(levels), scopes))
        });
        let roles = name
            .roles
            .iter()
            .map(move |role| clause(ApproverRule::Role(role.clone()), vec![ScopeFilter::All]));
        std::iter::once(manager).chain(levels).chain(roles)
    });
    let mut persons = vec![actor.id, name.id];
    persons.dedup();
    Inbox {
        name: name.id,
        persons,
        readable: kinds
            .iter()
            .map(|kind| SubjectScope { subject_kind: *kind, scope: name.visible_scope(kind.read()) })
            .collect(),
        clauses: clauses.filter(|clause| !clause.scopes.iter().any(ScopeFilter::is_nothing)).collect(),
    }
}

impl Inbox {
    /// The `LIKE` pattern of a `waiting_for` that names the person.
    pub fn named_pattern(&self) -> String {
        format!("{}%{}%", ApproverRule::USERS, self.name)
    }

    /// Whether a request whose owner stands there waits to be decided in this name. The same answer as the SQL gives.
    pub fn admits(&self, approval: &Approval, standing: &Standing) -> bool {
        let kind = approval.subject_kind;
        let Some(rule) = &approval.waiting_for else { return false };
        let waits = match rule {
            ApproverRule::Users(users) => users.contains(&self.name),
            _ => self.clauses.iter().any(|clause| {
                clause.subject_kind == kind
                    && clause.waiting_for == rule.to_string()
                    && clause.scopes.iter().all(|scope| scope.admits(standing))
            }),
        };
        let seen = self.readable.iter().any(|part| part.subject_kind == kind && part.scope.admits(standing));
        approval.status == ApprovalStatus::Pending
            && waits
            && seen
            && self
                .persons
                .iter()
                .all(|user| approval.involved(*user).is_none() && !approval.decided_by(*user))
    }
}
