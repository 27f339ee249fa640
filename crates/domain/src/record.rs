//! What every kept record has.

use uuid::Uuid;

use crate::search::SearchEntry;
use crate::text_enum;
use crate::values::Timestamp;

text_enum! {
    /// A kind of record, as audit events and outbox events name it.
    pub enum RecordKind {
        /// A user.
        User = "user" ("User", "用户"),
        /// A team.
        Team = "team" ("Team", "团队"),
        /// A role.
        Role = "role" ("Role", "角色"),
        /// A login session.
        Session = "session" ("Login session", "登录会话"),
        /// The settings.
        Settings = "settings" ("Settings", "设置"),
        /// A public pool (公海).
        Pool = "pool" ("Public pool", "公海"),
        /// A customer's collaborator (协作人).
        Collaborator = "collaborator" ("Collaborator", "协作人"),
        /// A scoring rule for leads (评分规则).
        ScoringRule = "scoring_rule" ("Scoring rule", "评分规则"),
        /// An assignment rule for leads (分配规则).
        AssignmentRule = "assignment_rule" ("Assignment rule", "分配规则"),
        /// A saved view (视图).
        SavedView = "saved_view" ("Saved view", "视图"),
        /// A web form that brings leads (网页表单).
        LeadForm = "lead_form" ("Web form", "网页表单"),
        /// A webhook.
        Webhook = "webhook" ("Webhook", "Webhook"),
        /// A background job.
        Job = "job" ("Background job", "后台任务"),
        /// A lead (线索).
        Lead = "lead" ("Lead", "线索"),
        /// A customer (客户).
        Customer = "customer" ("Customer", "客户"),
        /// A change of a customer that takes an approval (客户变更).
        CustomerChange = "customer_change" ("Customer change", "客户变更"),
        /// A contact (联系人).
        Contact = "contact" ("Contact", "联系人"),
        /// An activity (跟进).
        Activity = "activity" ("Activity", "跟进"),
        /// A product (产品).
        Product = "product" ("Product", "产品"),
        /// A price list (价目表).
        PriceList = "price_list" ("Price list", "价目表"),
        /// A pipeline.
        Pipeline = "pipeline" ("Pipeline", "销售流程"),
        /// An opportunity (商机).
        Opportunity = "opportunity" ("Opportunity", "商机"),
        /// A contract (合同).
        Contract = "contract" ("Contract", "合同"),
        /// An attachment of a contract (合同附件).
        Attachment = "attachment" ("Contract attachment", "合同附件"),
        /// An amendment of a contract (合同变更).
        Amendment = "amendment" ("Contract amendment", "合同变更"),
        /// An installment (回款计划).
        Installment = "installment" ("Installment", "回款计划"),
        /// An invoice (开票).
        Invoice = "invoice" ("Invoice", "开票"),
        /// A credit note (红冲).
        CreditNote = "credit_note" ("Credit note", "红冲"),
        /// A payment (回款).
        Payment = "payment" ("Payment", "回款"),
        /// A performance target (业绩目标).
        Target = "target" ("Performance target", "业绩目标"),
        /// A receipt (到账流水).
        Receipt = "receipt" ("Receipt", "到账流水"),
        /// A refund (退款).
        Refund = "refund" ("Refund", "退款"),
        /// A part of a payment, put on an invoice or an installment.
        Allocation = "allocation" ("Allocation", "回款分配"),
        /// A transfer (转移).
        Transfer = "transfer" ("Transfer", "转移"),
        /// An approval request (审批).
        Approval = "approval" ("Approval", "审批"),
        /// An approval flow (审批流).
        ApprovalFlow = "approval_flow" ("Approval flow", "审批流"),
        /// A delegation of decisions (审批委托).
        Delegation = "delegation" ("Delegation", "审批委托"),
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
