//! What every kept record has.

use uuid::Uuid;

use crate::search::SearchEntry;
use crate::text_enum;
use crate::values::Timestamp;

text_enum! {
    /// A kind of record, as audit events and outbox events name it.
    pub enum RecordKind {
        /// A user.
        User = "user",
        /// A team.
        Team = "team",
        /// A role.
        Role = "role",
        /// A login session.
        Session = "session",
        /// The settings.
        Settings = "settings",
        /// A public pool (公海).
        Pool = "pool",
        /// A customer's collaborator (协作人).
        Collaborator = "collaborator",
        /// A scoring rule for leads (评分规则).
        ScoringRule = "scoring_rule",
        /// An assignment rule for leads (分配规则).
        AssignmentRule = "assignment_rule",
        /// A saved view (视图).
        SavedView = "saved_view",
        /// A web form that brings leads (网页表单).
        LeadForm = "lead_form",
        /// A background job.
        Job = "job",
        /// A lead (线索).
        Lead = "lead",
        /// A customer (客户).
        Customer = "customer",
        /// A change of a customer that takes an approval (客户变更).
        CustomerChange = "customer_change",
        /// A contact (联系人).
        Contact = "contact",
        /// An activity (跟进).
        Activity = "activity",
        /// A product (产品).
        Product = "product",
        /// A price list (价目表).
        PriceList = "price_list",
        /// A pipeline.
        Pipeline = "pipeline",
        /// An opportunity (商机).
        Opportunity = "opportunity",
        /// A contract (合同).
        Contract = "contract",
        /// An attachment of a contract (合同附件).
        Attachment = "attachment",
        /// An amendment of a contract (合同变更).
        Amendment = "amendment",
        /// An installment (回款计划).
        Installment = "installment",
        /// An invoice (开票).
        Invoice = "invoice",
        /// A credit note (红冲).
        CreditNote = "credit_note",
        /// A payment (回款).
        Payment = "payment",
        /// A performance target (业绩目标).
        Target = "target",
        /// A receipt (到账流水).
        Receipt = "receipt",
        /// A refund (退款).
        Refund = "refund",
        /// A part of a payment, put on an invoice or an installment.
        Allocation = "allocation",
        /// A transfer (转移).
        Transfer = "transfer",
        /// An approval request (审批).
        Approval = "approval",
        /// An approval flow (审批流).
        ApprovalFlow = "approval_flow",
        /// A delegation of decisions (审批委托).
        Delegation = "delegation",
    }
}

/// A record with an id and a version that each write bumps.
pub trait Record {
    /// Its kind.
    const KIND: RecordKind;
    /// Its id.
    fn id(&self) -> Uuid;
    /// Its version, from 1.
    fn version(&self) -> i64;
    /// Bumps the version and notes the time of the write.
    fn touch(&mut self, now: Timestamp);
    /// What global search finds it by; none where it is not looked for.
    fn search_entry(&self) -> Option<SearchEntry> {
        None
    }
}

/// Implements [`Record`] for a struct with `id`, `version` and `updated_at`; a function behind it says what global
/// search finds it by.
#[macro_export]
macro_rules! record {
    ($name:ident, $kind:ident $(, found by $entry:expr)?) => {
        impl $crate::record::Record for $name {
            const KIND: $crate::record::RecordKind = $crate::record::RecordKind::$kind;
            fn id(&self) -> uuid::Uuid {
                self.id.into()
            }
            fn version(&self) -> i64 {
                self.version
            }
            fn touch(&mut self, now: $crate::values::Timestamp) {
                self.version += 1;
                self.updated_at = now;
            }
            $(
                fn search_entry(&self) -> Option<$crate::search::SearchEntry> {
                    let entry: fn(&$name) -> $crate::search::SearchEntry = $entry;
                    Some(entry(self))
                }
            )?
        }
    };
}
