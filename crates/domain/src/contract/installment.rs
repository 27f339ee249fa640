use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::context::{Context, Event};
use crate::error::Refusal;
use crate::record;
use crate::text_enum;
use crate::values::{ContractId, Currency, InstallmentId, Line, Money, Timestamp, Today};

text_enum! {
    /// Where an installment stands; follows from dates and allocations, never typed in.
    pub enum InstallmentStatus {
        /// Due later.
        Scheduled = "scheduled" ("Scheduled", "未到期"),
        /// Due within the days that the organisation set.
        DueSoon = "due_soon" ("Due soon", "即将到期"),
        /// Due before today and not paid in full.
        Overdue = "overdue" ("Overdue", "已逾期"),
        /// Paid in part, and not overdue.
        PartiallyPaid = "partially_paid" ("Partially paid", "部分回款"),
        /// Paid in full.
        Paid = "paid" ("Paid", "已回款"),
        /// Not wanted any more.
        Closed = "closed" ("Closed", "已关闭"),
    }
}

/// What is told of an installment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallmentWarning {
    /// It is due soon.
    DueSoon,
    /// It is overdue.
    Overdue,
}

impl InstallmentWarning {
    /// The event about its contract.
    pub const fn event(self) -> Event {
        match self {
            Self::DueSoon => Event("contract.installment_due_soon"),
            Self::Overdue => Event("contract.installment_overdue"),
        }
    }
}

/// A part of a running contract's amount (回款计划). Made when the contract becomes active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Installment {
    /// Its id.
    pub id: InstallmentId,
    /// The contract.
    pub contract_id: ContractId,
    /// Its place in the plan, from 1.
    #[schema(minimum = 1)]
    pub sequence: i64,
    /// When it is due.
    pub due_on: NaiveDate,
    /// How much.
    pub amount: Money,
    /// On what condition.
    #[schema(required)]
    pub condition: Option<Line>,
    /// What recorded and confirmed payments put on it.
    pub allocated: Money,
    /// What confirmed payments put on it.
    pub paid: Money,
    /// Whether its contract was terminated before it was paid, or an amendment left it out.
    pub closed: bool,
    /// Whether somebody was told that it is due soon.
    pub told_due_soon: bool,
    /// For how many days it was overdue when somebody was told so last; 0 when nobody was.
    #[schema(minimum = 0)]
    pub told_overdue_days: i64,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Installment, Installment);

impl Installment {
    /// Where it stands on a day.
    pub fn status(&self, today: Today, due_soon_days: u64) -> InstallmentStatus {
        if self.paid == self.amount {
            InstallmentStatus::Paid
        } else if self.closed {
            InstallmentStatus::Closed
        } else if self.due_on < today.0 {
            InstallmentStatus::Overdue
        } else if self.paid.is_positive() {
            InstallmentStatus::PartiallyPaid
        } else if self.due_on <= today.plus_days(due_soon_days) {
            InstallmentStatus::DueSoon
        } else {
            InstallmentStatus::Scheduled
        }
    }

    /// Closes it, unless it is paid. Says whether that changed anything.
    pub fn close(&mut self) -> bool {
        let closes = !self.closed && self.paid != self.amount;
        self.closed |= closes;
        closes
    }

    /// Notes what is to be told of it today: that it is due soon, or that it has been overdue for so many days. Each is
    /// told once; of several that fell due together, the last.
    pub fn warn(&mut self, ctx: &Context) -> Option<InstallmentWarning> {
        let (today, settings) = (ctx.today(), &ctx.org.settings);
        if self.closed || self.paid == self.amount {
            return None;
        }
        let late = self.overdue_days(today);
        let passed = settings.overdue_reminder_days.iter().copied().filter(|days| *days <= late).max();
        if let Some(days) = passed.filter(|days| *days > self.told_overdue_days) {
            self.told_overdue_days = days;
            return Some(InstallmentWarning::Overdue);
        }
        let soon = late == 0 && self.due_on <= today.plus_days(settings.due_soon_days);
        if soon && !self.told_due_soon {
            self.told_due_soon = true;
            return Some(InstallmentWarning::DueSoon);
        }
        None
    }

    /// It is due on another day: what was told of the day before no longer counts.
    pub fn move_to(&mut self, due_on: NaiveDate) {
        if self.due_on != due_on {
            self.due_on = due_on;
            self.told_due_soon = false;
            self.told_overdue_days = 0;
        }
    }

    /// It was paid before and no longer is: what was told of it then no longer counts, so that it is told again.
    pub fn note_reopened(&mut self, before: &Self) {
        if before.paid == before.amount && self.paid != self.amount {
            self.told_due_soon = false;
            self.told_overdue_days = 0;
        }
    }

    /// How many days it is overdue.
    pub fn overdue_days(&self, today: Today) -> i64 {
        if self.closed || self.paid == self.amount { 0 } else { (today.0 - self.due_on).num_days().max(0) }
    }
}

/// What should have been paid by today and was not.
pub fn overdue(currency: Currency, installments: &[Installment], today: Today) -> Result<Money, Refusal> {
    let late = installments.iter().filter(|part| part.overdue_days(today) > 0);
    let open = late.map(|part| part.amount.minus(part.paid)).collect::<Result<Vec<_>, _>>()?;
    Money::sum(currency, open)
}

/// Closes what is still open of a terminated contract's plan. Answers with the installments that changed.
pub fn close_installments(installments: &mut [Installment]) -> Vec<InstallmentId> {
    installments.iter_mut().filter_map(|part| part.close().then_some(part.id)).collect()
}
