//! The words in which the demo's story is told. Days count back from today; what is due counts on from the
//! day of the act, or, in the plan of a contract, from today.

use fairlead_domain::activity::ActivityKind;
use fairlead_domain::contract::CollectionScheme;
use fairlead_domain::lead::DisqualifyReason;
use fairlead_domain::opportunity::LossReason;
use fairlead_domain::payment::PaymentMethod;

/// How many days ago something happened, and what.
pub(super) type Acts<A> = &'static [(i64, A)];

/// An activity.
#[derive(Clone, Copy)]
pub(super) struct Note {
    pub(super) kind: ActivityKind,
    pub(super) subject: &'static str,
    pub(super) content: &'static str,
    /// What comes next, and in how many days.
    pub(super) next: Option<(&'static str, i64)>,
    /// In how many days a task is due.
    pub(super) due: Option<i64>,
}

const fn note(kind: ActivityKind, subject: &'static str) -> Note {
    Note { kind, subject, content: "", next: None, due: None }
}

pub(super) const fn call(subject: &'static str) -> Note {
    note(ActivityKind::Call, subject)
}

pub(super) const fn email(subject: &'static str) -> Note {
    note(ActivityKind::Email, subject)
}

pub(super) const fn meeting(subject: &'static str) -> Note {
    note(ActivityKind::Meeting, subject)
}

pub(super) const fn message(subject: &'static str) -> Note {
    note(ActivityKind::Message, subject)
}

pub(super) const fn remark(subject: &'static str) -> Note {
    note(ActivityKind::Note, subject)
}

pub(super) const fn task(subject: &'static str, due: i64) -> Note {
    Note { due: Some(due), ..note(ActivityKind::Task, subject) }
}

impl Note {
    pub(super) const fn saying(self, content: &'static str) -> Self {
        Self { content, ..self }
    }

    pub(super) const fn then(self, next: &'static str, days: i64) -> Self {
        Self { next: Some((next, days)), ..self }
    }
}

/// What happens to a lead.
#[derive(Clone, Copy)]
pub(super) enum LeadAct {
    Record,
    /// By the first, to the second.
    Assign(&'static str, &'static str),
    Claim(&'static str),
    Release,
    Log(Note),
    Qualify,
    Disqualify(DisqualifyReason),
    Reopen,
    /// Into a customer, and into the opportunity that this deal tells about.
    Convert(Option<(&'static str, &'static str)>),
}

/// What happens to a customer.
#[derive(Clone, Copy)]
pub(super) enum CustomerAct {
    /// With all of its contacts.
    Record,
    Log(Note),
    /// About the first contact.
    LogContact(Note),
    Claim(&'static str),
    /// By the first, to the second.
    Assign(&'static str, &'static str),
    Release(&'static str),
}

/// Who decides a step of an approval.
#[derive(Clone, Copy)]
pub(super) enum Approver {
    Manager,
    Finance,
}

/// What happens to a sale, from the opportunity to the last payment. Invoices and payments have a number
/// in each.
#[derive(Clone, Copy)]
pub(super) enum DealAct {
    Open,
    Log(Note),
    /// Forward to the stage of this name.
    Stage(&'static str),
    /// Back, with a reason.
    Back(&'static str, &'static str),
    Lose(LossReason, &'static str),
    /// By the owner's manager.
    Reopen,
    /// A contract without opportunity.
    Draft(&'static Terms),
    /// Fills the draft that the signing stage made.
    Write(&'static Terms),
    Submit,
    Withdraw,
    Agrees(Approver),
    Refuses(Approver, &'static str),
    /// From the empty draft to the running contract in one day.
    Sign(&'static Terms),
    Cancel(&'static str),
    /// By the owner's manager.
    Terminate(&'static str),
    LogContract(Note),
    Invoice(usize, i64),
    Ask(usize),
    InvoiceAgrees(usize, Approver),
    InvoiceRefuses(usize, Approver, &'static str),
    Void(usize, &'static str),
    CancelInvoice(usize),
    /// From the draft to the issued invoice in one day.
    Bill(usize, i64),
    /// Recorded by the owner.
    Receive(usize, i64, PaymentMethod),
    /// Recorded by finance, who must leave the confirmation to somebody else.
    FinanceReceives(usize, i64, PaymentMethod),
    RejectPayment(usize, &'static str),
    Reverse(usize, &'static str),
    /// Recorded by the owner and confirmed by finance on the same day.
    Paid(usize, i64, PaymentMethod),
}

/// What a contract says.
pub(super) struct Terms {
    pub(super) title: &'static str,
    pub(super) scheme: CollectionScheme,
    /// Product, quantity and price each.
    pub(super) items: &'static [(&'static str, i64, i64)],
    /// In how many days from today each part is due, the part, and its condition.
    pub(super) plan: &'static [(i64, i64, &'static str)],
    pub(super) signer: &'static str,
    /// For how many days it runs.
    pub(super) days: i64,
}
