use super::{Approval, ApprovalStatus, ApprovalSubject, ApproverRule};
use crate::access::{Actor, ScopeFilter, Standing};
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

/// One way in which a request waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxClause {
    /// The kind of subject.
    pub subject_kind: ApprovalSubject,
    /// The text of the request's `waiting_for`.
    pub waiting_for: String,
    /// Which, by the subject's owner.
    pub scope: ScopeFilter,
}

/// What waits for an actor, as data for persistence: the pending requests that are [`Inbox::readable`], fit
/// a clause or [`Inbox::named_pattern`], were neither asked for by nor are owned by nor would go to [`Inbox::me`], and were
/// not decided in an earlier step by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    /// Whose inbox.
    pub me: UserId,
    /// What they may see.
    pub readable: Vec<SubjectScope>,
    /// What waits for them, by rules that name nobody in person.
    pub clauses: Vec<InboxClause>,
}

/// What waits for an actor.
pub fn inbox(actor: &Actor) -> Inbox {
    let clauses = ApprovalSubject::ALL.iter().flat_map(|kind| {
        let clause = |rule: ApproverRule, scope| InboxClause {
            subject_kind: *kind,
            waiting_for: rule.to_string(),
            scope,
        };
        let manager = clause(ApproverRule::ManagerOfOwner, actor.visible_scope(kind.approve()));
        let roles =
            actor.roles.iter().map(move |role| clause(ApproverRule::Role(role.clone()), ScopeFilter::All));
        std::iter::once(manager).chain(roles)
    });
    Inbox {
        me: actor.id,
        readable: readable(actor),
        clauses: clauses.filter(|clause| !clause.scope.is_nothing()).collect(),
    }
}

impl Inbox {
    /// The `LIKE` pattern of a `waiting_for` that names the actor in person.
    pub fn named_pattern(&self) -> String {
        format!("{}%{}%", ApproverRule::USERS, self.me)
    }

    /// Whether a request whose owner stands there waits for the actor. The same answer as the SQL gives.
    pub fn admits(&self, approval: &Approval, standing: &Standing) -> bool {
        let kind = approval.subject_kind;
        let Some(rule) = &approval.waiting_for else { return false };
        let waits = match rule {
            ApproverRule::Users(users) => users.contains(&self.me),
            _ => self.clauses.iter().any(|clause| {
                clause.subject_kind == kind
                    && clause.waiting_for == rule.to_string()
                    && clause.scope.admits(standing)
            }),
        };
        let seen = self.readable.iter().any(|part| part.subject_kind == kind && part.scope.admits(standing));
        approval.status == ApprovalStatus::Pending
            && waits
            && seen
            && approval.involved(self.me).is_none()
            && !approval.decided_by(self.me)
    }
}
