//! What transfers, amendments and changes of customers share: somebody asks, an approval decides, and only then
//! something happens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApprovalStatus, ApprovalSubject, TAKES_BACK, may_take_back};
use crate::context::{Context, Event};
use crate::error::Refusal;
use crate::text_enum;
use crate::values::{CustomerId, Timestamp, UserId};
use crate::workflow::{AllowedAction, Machine, Rule, Who};

text_enum! {
    /// What may happen to what is asked for.
    pub enum ProposalAction {
        /// The last approver agrees, and it is done.
        Approve = "approve",
        /// An approver does not agree.
        Reject = "reject",
        /// Whoever asked takes it back.
        Withdraw = "withdraw",
        /// End it: what it is about is no longer there to be decided.
        Lapse = "lapse",
    }
}

/// The state machine of a kind of proposal.
pub type ProposalMachine = Machine<ApprovalStatus, ProposalAction>;

/// The table of every kind. `guards` are what must hold when it is done, `lapses` is what ends it undecided.
pub const fn rules(
    guards: &'static [&'static str],
    lapses: &'static [&'static str],
) -> [Rule<ApprovalStatus, ProposalAction>; 4] {
    const fn ends(
        action: ProposalAction,
        to: ApprovalStatus,
        who: Who,
        guards: &'static [&'static str],
    ) -> Rule<ApprovalStatus, ProposalAction> {
        Rule { action, from: &[ApprovalStatus::Pending], to: Some(to), who, guards }
    }
    [
        ends(ProposalAction::Approve, ApprovalStatus::Approved, Who::System, guards),
        ends(
            ProposalAction::Reject,
            ApprovalStatus::Rejected,
            Who::System,
            &["a step of its approval was rejected"],
        ),
        ends(ProposalAction::Withdraw, ApprovalStatus::Withdrawn, Who::Named, &[TAKES_BACK]),
        ends(ProposalAction::Lapse, ApprovalStatus::Withdrawn, Who::System, lapses),
    ]
}

/// How a proposal stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// Its state.
    pub status: ApprovalStatus,
    /// When it was approved, rejected or withdrawn.
    #[schema(required)]
    pub decided_at: Option<Timestamp>,
}

impl Outcome {
    /// Nobody has decided.
    pub const PENDING: Self = Self { status: ApprovalStatus::Pending, decided_at: None };
}

/// Something that is asked for and waits for an approval.
pub trait Proposal {
    /// Its state machine.
    fn machine() -> &'static ProposalMachine;
    /// What is told of a step.
    fn event(action: ProposalAction) -> Event;
    /// Who asked for it.
    fn requester(&self) -> UserId;
    /// What its approval is about, who owns that, where somebody does, and its customer, where it has one.
    fn about(&self) -> (ApprovalSubject, Option<UserId>, Option<CustomerId>);
    /// How it stands.
    fn outcome(&self) -> &Outcome;
    /// How it stands, to be changed.
    fn outcome_mut(&mut self) -> &mut Outcome;

    /// Takes a step that follows from its approval.
    fn decided(&mut self, ctx: &Context, action: ProposalAction) -> Result<Event, Refusal> {
        let status = Self::machine().follow(self.outcome().status, action)?;
        *self.outcome_mut() = Outcome { status, decided_at: Some(ctx.now) };
        Ok(Self::event(action))
    }

    /// It was rejected.
    fn reject(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.decided(ctx, ProposalAction::Reject)
    }

    /// May the caller take it back?
    fn may_withdraw(&self, ctx: &Context) -> Result<(), Refusal> {
        let (kind, owner, customer) = self.about();
        may_take_back(ctx, Some(self.requester()), kind, &ctx.org.standing_with(owner, customer))?;
        Self::machine().follow(self.outcome().status, ProposalAction::Withdraw).map(|_| ())
    }

    /// Takes it back.
    fn withdraw(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.may_withdraw(ctx)?;
        self.decided(ctx, ProposalAction::Withdraw)
    }

    /// What it is about is no longer what was asked about.
    fn lapse(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.decided(ctx, ProposalAction::Lapse)
    }

    /// What this caller may do with it.
    fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        vec![AllowedAction::judge("withdraw", self.may_withdraw(ctx))]
    }
}

/// Implements [`Proposal`] for a struct with `outcome`, `owner_id` and `created_by`, and declares its `MACHINE`: its
/// word, what its approval is about with its customer, what must hold when it is done, and what ends it undecided.
#[macro_export]
macro_rules! proposal {
    ($name:ident, $word:literal, |$it:ident| $about:expr, $guards:expr, $lapses:expr) => {
        /// Its state machine.
        pub static MACHINE: $crate::approval::ProposalMachine = $crate::workflow::Machine {
            name: $word,
            initial: &[$crate::approval::ApprovalStatus::Pending],
            states: $crate::approval::ApprovalStatus::ALL,
            rules: {
                const RULES: &[$crate::workflow::Rule<
                    $crate::approval::ApprovalStatus,
                    $crate::approval::ProposalAction,
                >] = &$crate::approval::proposal_rules($guards, $lapses);
                RULES
            },
        };

        impl $crate::approval::Proposal for $name {
            fn machine() -> &'static $crate::approval::ProposalMachine {
                &MACHINE
            }
            fn event(action: $crate::approval::ProposalAction) -> $crate::context::Event {
                $crate::context::Event(match action {
                    $crate::approval::ProposalAction::Approve => concat!($word, ".approved"),
                    $crate::approval::ProposalAction::Reject => concat!($word, ".rejected"),
                    $crate::approval::ProposalAction::Withdraw | $crate::approval::ProposalAction::Lapse => {
                        concat!($word, ".withdrawn")
                    }
                })
            }
            fn requester(&self) -> $crate::values::UserId {
                self.created_by
            }
            fn about(
                &self,
            ) -> (
                $crate::approval::ApprovalSubject,
                Option<$crate::values::UserId>,
                Option<$crate::values::CustomerId>,
            ) {
                let $it = self;
                let (kind, customer) = $about;
                (kind, $it.owner_id.into(), customer)
            }
            fn outcome(&self) -> &$crate::approval::Outcome {
                &self.outcome
            }
            fn outcome_mut(&mut self) -> &mut $crate::approval::Outcome {
                &mut self.outcome
            }
        }
    };
}
