//! The one way to declare a state machine.
//!
//! A [`Machine`] is a table of rules. The domain executes it ([`Machine::permit`]), records answer with
//! what is allowed now ([`Machine::offers`]), and the API publishes it ([`Machine::describe`]): three
//! readers of one table, so that they cannot disagree.

mod action;
mod svg;
#[cfg(test)]
mod tests;

use serde::Serialize;
use utoipa::ToSchema;

pub use action::Action;

use crate::access::{Actor, Permission, Standing};
use crate::error::{Code, Refusal};
use crate::text_enum;
use crate::values::{Label, TextEnum, one_of};

/// A state or an action: a text enum.
pub trait Word: TextEnum + Eq + std::fmt::Display {}
impl<T: TextEnum + Eq + std::fmt::Display> Word for T {}

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever holds the permission for the record.
    Holder(Permission),
    /// Somebody whom the record itself names, such as the approver of a step; the subject's code judges.
    Named,
    /// Fairlead itself, when another record makes it happen.
    System,
}

/// One line of a machine's table.
#[derive(Debug)]
pub struct Rule<S: 'static, A> {
    /// The action's name, which is also the verb of its path.
    pub action: A,
    /// The states in which it is allowed.
    pub from: &'static [S],
    /// The state that follows; none when the action leaves the state as it is.
    pub to: Option<S>,
    /// Who may.
    pub who: Who,
    /// Further conditions, in words; the subject's code enforces them.
    pub guards: &'static [&'static str],
}

/// A state machine.
#[derive(Debug)]
pub struct Machine<S: 'static, A: 'static> {
    /// The subject's name: the word of its [`RecordKind`](crate::record::RecordKind).
    pub name: &'static str,
    /// The states in which a record may begin.
    pub initial: &'static [S],
    /// All states.
    pub states: &'static [S],
    /// The table.
    pub rules: &'static [Rule<S, A>],
}

impl<S: Word, A: Word> Machine<S, A> {
    /// Whether this actor may take this step now: first the permission (`forbidden`), then the state
    /// (`invalid_transition`). Answers with the state that follows.
    pub fn permit(&self, actor: &Actor, standing: &Standing, state: S, action: A) -> Result<S, Refusal> {
        self.permit_where(actor, standing, state, action, |_| true)
    }

    /// The same of a record that itself rules out some of what its state allows: what does not hold of it is not
    /// named as allowed.
    pub fn permit_where(
        &self,
        actor: &Actor,
        standing: &Standing,
        state: S,
        action: A,
        holds: impl Fn(A) -> bool,
    ) -> Result<S, Refusal> {
        // An action may have several lines with one permission each; the line for this state decides, and
        // any line tells the permission when no line fits.
        let fitting = self.rules.iter().find(|rule| rule.action == action && rule.from.contains(&state));
        let named = fitting.or_else(|| self.rules.iter().find(|rule| rule.action == action));
        match named.map(|rule| rule.who) {
            Some(Who::Holder(permission)) => actor.authorize(permission, standing)?,
            // Such a step is taken with `follow`, after the subject's own code judged who takes it.
            Some(Who::Named | Who::System) => return Err(nobody(action)),
            None => {}
        }
        fitting.map(|rule| rule.to.unwrap_or(state)).ok_or_else(|| {
            // Others than this actor may take further steps; to name them would send the actor into a 403.
            let may = |rule: &Rule<S, A>| match rule.who {
                Who::Holder(permission) => actor.authorize(permission, standing).is_ok(),
                Who::Named => true,
                Who::System => false,
            };
            let allowed = self.words(state, |rule| may(rule) && holds(rule.action));
            self.refuse(state, action).with("allowed", allowed)
        })
    }

    /// Takes a step that Fairlead itself takes, or somebody whom the subject's code has judged.
    pub fn follow(&self, state: S, action: A) -> Result<S, Refusal> {
        self.rules
            .iter()
            .find(|rule| rule.action == action && rule.from.contains(&state))
            .map(|rule| rule.to.unwrap_or(state))
            .ok_or_else(|| {
                // Nobody's permissions are known here, so no step that takes one is named.
                let allowed = self.words(state, |rule| rule.who == Who::Named);
                let refusal = self.refuse(state, action);
                if allowed.is_empty() { refusal } else { refusal.with("allowed", allowed) }
            })
    }

    /// What this actor could do now, and why not the rest. `guard` adds the subject's own conditions.
    pub fn offers(
        &self,
        actor: &Actor,
        standing: &Standing,
        state: S,
        guard: impl Fn(A) -> Result<(), Refusal>,
    ) -> Vec<AllowedAction> {
        let mut seen: Vec<A> = Vec::new();
        let mut offers = Vec::new();
        for rule in self.rules.iter().filter(|rule| matches!(rule.who, Who::Holder(_))) {
            if seen.contains(&rule.action) {
                continue;
            }
            seen.push(rule.action);
            let verdict = self.permit(actor, standing, state, rule.action).and_then(|_| guard(rule.action));
            offers.push(AllowedAction {
                action: rule.action.to_string(),
                allowed: verdict.is_ok(),
                reason: verdict.err().map(|refusal| refusal.code),
            });
        }
        offers
    }

    /// The actions of the lines for a state that fit.
    fn words(&self, state: S, fits: impl Fn(&Rule<S, A>) -> bool) -> Vec<String> {
        let lines = self.rules.iter().filter(|rule| rule.from.contains(&state) && fits(rule));
        lines.map(|rule| rule.action.to_string()).collect()
    }

    fn refuse(&self, state: S, action: A) -> Refusal {
        let detail = format!("{} that is {state} does not allow {action}", one_of(self.name));
        Refusal::new(Code::InvalidTransition, detail)
            .with("record_kind", self.name)
            .with("from", state.to_string())
            .with("action", action.to_string())
    }

    /// The table as data, with a diagram and a picture.
    pub fn describe(&self) -> Workflow {
        let mut diagram = vec!["stateDiagram-v2".to_owned()];
        diagram.extend(self.initial.iter().map(|state| format!("  [*] --> {state}")));
        let mut transitions = Vec::new();
        for rule in self.rules {
            for from in rule.from {
                let to = rule.to.unwrap_or(*from);
                diagram.push(format!("  {from} --> {to}: {}", rule.action));
            }
            transitions.push(Transition {
                action: rule.action.to_string(),
                label: rule.action.label(),
                from: rule.from.iter().map(ToString::to_string).collect(),
                to: rule.to.map(|to| to.to_string()),
                by: match rule.who {
                    Who::Holder(_) => TakenBy::PermissionHolder,
                    Who::Named => TakenBy::NamedPerson,
                    Who::System => TakenBy::System,
                },
                permission: match rule.who {
                    Who::Holder(permission) => Some(permission),
                    Who::Named | Who::System => None,
                },
                guards: rule.guards.iter().map(|guard| (*guard).to_owned()).collect(),
            });
        }
        let states: Vec<String> = self.states.iter().map(ToString::to_string).collect();
        let initial: Vec<String> = self.initial.iter().map(ToString::to_string).collect();
        let svg = svg::draw(self.name, &states, &initial, &transitions);
        Workflow {
            name: self.name.to_owned(),
            states,
            state_labels: self.states.iter().map(|state| state.label()).collect(),
            initial,
            transitions,
            mermaid: diagram.join("\n"),
            svg,
        }
    }
}

fn nobody(action: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Forbidden, format!("{action} follows from something else, no permission allows it"))
}

text_enum! {
    /// Who takes a step.
    pub enum TakenBy {
        /// Whoever holds the permission for the record.
        PermissionHolder = "permission_holder" ("Permission holder", "有权限的人"),
        /// Somebody whom the record itself names; the guards say who.
        NamedPerson = "named_person" ("Named person", "指定人员"),
        /// Fairlead itself, when another record makes it happen.
        System = "system" ("System", "系统"),
    }
}

/// Every state machine of Fairlead as data, in the order of the sale.
pub fn machines() -> Vec<Workflow> {
    vec![
        crate::lead::MACHINE.describe(),
        crate::customer::MACHINE.describe(),
        crate::customer_change::MACHINE.describe(),
        crate::opportunity::MACHINE.describe(),
        crate::contract::MACHINE.describe(),
        crate::amendment::MACHINE.describe(),
        crate::approval::MACHINE.describe(),
        crate::invoice::MACHINE.describe(),
        crate::payment::MACHINE.describe(),
        crate::payment::REFUND_MACHINE.describe(),
        crate::receipt::MACHINE.describe(),
        crate::transfer::MACHINE.describe(),
        crate::webhook::MACHINE.describe(),
        crate::job::MACHINE.describe(),
    ]
}

/// An action on a record, and whether this caller may take it now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"action": "submit", "allowed": false, "reason": "invalid_transition"}))]
pub struct AllowedAction {
    /// What it is: `update` is `PATCH` of the record and `delete` is `DELETE`; `attach` and `credit` are `POST` of what
    /// comes to the record, of an attachment and of a credit note; a customer is claimed in `/public-pool/customers`;
    /// every other is the verb behind the record's own path, which is `/customers/{id}` for one in the pool as well.
    /// What happens by itself, as `/workflows` say, is not named here.
    #[schema(value_type = Action)]
    pub action: String,
    /// Whether it is allowed now.
    pub allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Code>,
}

impl AllowedAction {
    /// An action outside the machine, such as `update`.
    pub fn judge(action: &str, verdict: Result<(), Refusal>) -> Self {
        Self {
            action: action.to_owned(),
            allowed: verdict.is_ok(),
            reason: verdict.err().map(|refusal| refusal.code),
        }
    }
}

/// Lets the subject judge an action of the machine by itself, where it asks in another order.
pub(crate) fn rejudge<T>(actions: &mut [AllowedAction], action: &str, verdict: Result<T, Refusal>) {
    if let Some(offer) = actions.iter_mut().find(|offer| offer.action == action) {
        *offer = AllowedAction::judge(action, verdict.map(drop));
    }
}

/// A state machine as data.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// The subject.
    pub name: String,
    /// All states.
    pub states: Vec<String>,
    /// What the states are called, in the same order.
    pub state_labels: Vec<Label>,
    /// The states in which a record may begin.
    pub initial: Vec<String>,
    /// What may happen.
    pub transitions: Vec<Transition>,
    /// A state diagram in Mermaid's notation.
    pub mermaid: String,
    /// The same as an SVG picture that stands by itself. It takes the text colour of the page around it; the
    /// CSS variable `--fairlead-halo` is the colour behind the names at the lines, which is otherwise the page's
    /// own background.
    pub svg: String,
}

/// One line of a workflow.
#[derive(Debug, Clone)]
pub struct Transition {
    /// The verb.
    pub action: String,
    /// What people call the action.
    pub label: Label,
    /// From any of these states.
    pub from: Vec<String>,
    /// To this state; none when the action leaves the state as it is.
    pub to: Option<String>,
    /// Who takes the step.
    pub by: TakenBy,
    /// The permission that it takes; none when no permission decides.
    pub permission: Option<Permission>,
    /// Further conditions, in words.
    pub guards: Vec<String>,
}
