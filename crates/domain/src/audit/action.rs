//! What audit events say happened: everything that can happen to a record has a name, a label and a meaning.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::text_enum;
use crate::values::{Label, TextEnum, enum_schema};
use crate::webhook::EventType;

/// Something that happened to a record: the action of an audit event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditAction {
    /// Streams and webhooks tell of it as well.
    Told(EventType),
    /// Only the audit trail tells of it, and the timeline of a customer.
    Kept(KeptAction),
}

/// How many there are.
const COUNT: usize = EventType::ALL.len() + KeptAction::ALL.len();

/// What is told stands first, as in its own list.
const fn all() -> [AuditAction; COUNT] {
    let mut all = [AuditAction::Told(EventType::ALL[0]); COUNT];
    let told = EventType::ALL.len();
    let mut at = 0;
    while at < COUNT {
        all[at] = if at < told {
            AuditAction::Told(EventType::ALL[at])
        } else {
            AuditAction::Kept(KeptAction::ALL[at - told])
        };
        at += 1;
    }
    all
}

impl TextEnum for AuditAction {
    const NAME: &'static str = "AuditAction";
    const ALL: &'static [Self] = &all();

    fn as_str(self) -> &'static str {
        match self {
            Self::Told(event) => event.as_str(),
            Self::Kept(action) => action.as_str(),
        }
    }

    fn label(self) -> Label {
        match self {
            Self::Told(event) => event.label(),
            Self::Kept(action) => action.label(),
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Told(event) => event.meaning(),
            Self::Kept(action) => action.meaning(),
        }
    }
}

impl PartialSchema for AuditAction {
    fn schema() -> RefOr<Schema> {
        let words: Vec<_> = Self::ALL.iter().map(|action| (action.as_str(), [action.meaning()])).collect();
        let values: Vec<(&str, &[&str])> = words.iter().map(|(word, doc)| (*word, doc.as_slice())).collect();
        enum_schema("Something that happened to a record. There may be new ones.", &values)
    }
}
impl ToSchema for AuditAction {}

text_enum! {
    /// Something that happened to a record, of which only the audit trail tells, and the timeline of a customer.
    pub enum KeptAction {
        /// A user was added.
        UserCreated = "user.created" ("User added", "用户已创建"),
        /// A user was changed.
        UserUpdated = "user.updated" ("User changed", "用户已修改"),
        /// A user may log in no more.
        UserDisabled = "user.disabled" ("User disabled", "用户已停用"),
        /// A user may log in again.
        UserEnabled = "user.enabled" ("User enabled", "用户已启用"),
        /// A user has another password.
        UserPasswordChanged = "user.password_changed" ("Password changed", "密码已修改"),
        /// What a user owned went to others, or to the pool.
        UserHandedOver = "user.handed_over" ("User handed over", "用户已交接"),
        /// Somebody logged in.
        SessionBegan = "session.began" ("Logged in", "已登录"),
        /// Somebody logged out, or ended one of their sessions.
        SessionEnded = "session.ended" ("Logged out", "已退出登录"),
        /// A session was ended because its refresh token came twice: somebody else may have it.
        SessionRevoked = "session.revoked" ("Session revoked", "会话已撤销"),
        /// A team was made.
        TeamCreated = "team.created" ("Team made", "团队已创建"),
        /// A team was changed.
        TeamUpdated = "team.updated" ("Team changed", "团队已修改"),
        /// A team was deleted.
        TeamDeleted = "team.deleted" ("Team deleted", "团队已删除"),
        /// A role was made.
        RoleCreated = "role.created" ("Role made", "角色已创建"),
        /// A role was changed.
        RoleUpdated = "role.updated" ("Role changed", "角色已修改"),
        /// A role was deleted.
        RoleDeleted = "role.deleted" ("Role deleted", "角色已删除"),
        /// The settings that an organisation begins with were made.
        SettingsCreated = "settings.created" ("Settings made", "设置已建立"),
        /// The settings were changed.
        SettingsUpdated = "settings.updated" ("Settings changed", "设置已修改"),
        /// A public pool was made.
        PoolCreated = "pool.created" ("Public pool made", "公海已创建"),
        /// A public pool was changed.
        PoolUpdated = "pool.updated" ("Public pool changed", "公海已修改"),
        /// A public pool was deleted.
        PoolDeleted = "pool.deleted" ("Public pool deleted", "公海已删除"),
        /// A scoring rule for leads was made.
        ScoringRuleCreated = "scoring_rule.created" ("Scoring rule made", "评分规则已创建"),
        /// A scoring rule for leads was changed.
        ScoringRuleUpdated = "scoring_rule.updated" ("Scoring rule changed", "评分规则已修改"),
        /// A scoring rule for leads was deleted.
        ScoringRuleDeleted = "scoring_rule.deleted" ("Scoring rule deleted", "评分规则已删除"),
        /// An assignment rule for leads was made.
        AssignmentRuleCreated = "assignment_rule.created" ("Assignment rule made", "分配规则已创建"),
        /// An assignment rule for leads was changed.
        AssignmentRuleUpdated = "assignment_rule.updated" ("Assignment rule changed", "分配规则已修改"),
        /// An assignment rule for leads was deleted.
        AssignmentRuleDeleted = "assignment_rule.deleted" ("Assignment rule deleted", "分配规则已删除"),
        /// A web form was made.
        LeadFormCreated = "lead_form.created" ("Web form made", "网页表单已创建"),
        /// A web form was changed.
        LeadFormUpdated = "lead_form.updated" ("Web form changed", "网页表单已修改"),
        /// A web form was deleted.
        LeadFormDeleted = "lead_form.deleted" ("Web form deleted", "网页表单已删除"),
        /// A view was saved.
        SavedViewCreated = "saved_view.created" ("View saved", "视图已保存"),
        /// A saved view was changed.
        SavedViewUpdated = "saved_view.updated" ("Saved view changed", "视图已修改"),
        /// A saved view was deleted.
        SavedViewDeleted = "saved_view.deleted" ("Saved view deleted", "视图已删除"),
        /// A customer was shared with somebody.
        CollaboratorAdded = "collaborator.added" ("Collaborator added", "协作人已添加"),
        /// What a collaborator may do was changed.
        CollaboratorUpdated = "collaborator.updated" ("Collaborator changed", "协作人已修改"),
        /// A customer is not shared with somebody any more.
        CollaboratorRemoved = "collaborator.removed" ("Collaborator removed", "协作人已移除"),
        /// A collaborator went along to the customer into which their own was merged.
        CollaboratorMerged = "collaborator.merged" ("Collaborator moved", "协作人已随客户合并"),
        /// Somebody asked for a change of a customer.
        CustomerChangeRequested = "customer_change.requested" ("Customer change requested", "客户变更已申请"),
        /// A change of a customer was approved and made.
        CustomerChangeApproved = "customer_change.approved" ("Customer change approved", "客户变更已通过"),
        /// A change of a customer was not approved.
        CustomerChangeRejected = "customer_change.rejected" ("Customer change rejected", "客户变更已驳回"),
        /// A change of a customer was taken back, or can no longer be made as it was asked for.
        CustomerChangeWithdrawn = "customer_change.withdrawn" ("Customer change withdrawn", "客户变更已撤回"),
        /// A change of a customer went along to the customer's next owner, or to nobody while it is in the pool.
        CustomerChangeTransferred = "customer_change.transferred" ("Customer change transferred", "客户变更已转移"),
        /// A change of a customer went along to the customer into which its own was merged.
        CustomerChangeMerged = "customer_change.merged" ("Customer change moved", "客户变更已随客户合并"),
        /// A product was made.
        ProductCreated = "product.created" ("Product made", "产品已创建"),
        /// A product was changed.
        ProductUpdated = "product.updated" ("Product changed", "产品已修改"),
        /// A price list was made.
        PriceListCreated = "price_list.created" ("Price list made", "价目表已创建"),
        /// A price list was changed.
        PriceListUpdated = "price_list.updated" ("Price list changed", "价目表已修改"),
        /// A price list was deleted.
        PriceListDeleted = "price_list.deleted" ("Price list deleted", "价目表已删除"),
        /// A pipeline was made.
        PipelineCreated = "pipeline.created" ("Pipeline made", "销售流程已创建"),
        /// A pipeline was changed.
        PipelineUpdated = "pipeline.updated" ("Pipeline changed", "销售流程已修改"),
        /// A pipeline was deleted.
        PipelineDeleted = "pipeline.deleted" ("Pipeline deleted", "销售流程已删除"),
        /// A file was added to a contract.
        AttachmentAdded = "attachment.added" ("Attachment added", "合同附件已添加"),
        /// A file of a contract was deleted.
        AttachmentDeleted = "attachment.deleted" ("Attachment deleted", "合同附件已删除"),
        /// Somebody asked for an amendment of a contract.
        AmendmentRequested = "amendment.requested" ("Amendment requested", "合同变更已申请"),
        /// An amendment was approved and made.
        AmendmentApproved = "amendment.approved" ("Amendment approved", "合同变更已通过"),
        /// An amendment was not approved.
        AmendmentRejected = "amendment.rejected" ("Amendment rejected", "合同变更已驳回"),
        /// An amendment was taken back, or can no longer be made as it was asked for.
        AmendmentWithdrawn = "amendment.withdrawn" ("Amendment withdrawn", "合同变更已撤回"),
        /// An amendment went to another owner with its contract.
        AmendmentTransferred = "amendment.transferred" ("Amendment transferred", "合同变更已转移"),
        /// An amendment went along to the customer into which its own was merged.
        AmendmentMerged = "amendment.merged" ("Amendment moved", "合同变更已随客户合并"),
        /// An installment of a contract was planned.
        InstallmentPlanned = "installment.planned" ("Installment planned", "回款计划已制定"),
        /// An amendment changed an installment.
        InstallmentChanged = "installment.changed" ("Installment changed", "回款计划已修改"),
        /// An installment is not awaited any more: its contract was ended early.
        InstallmentClosed = "installment.closed" ("Installment closed", "回款计划已关闭"),
        /// It was told that an installment is due soon, or overdue.
        InstallmentTold = "installment.told" ("Installment warned of", "回款计划已提醒"),
        /// What was paid for an installment changed.
        InstallmentAllocationChanged = "installment.allocation_changed" ("Allocations to an installment changed", "回款计划分配已变更"),
        /// A credit note was issued.
        CreditNoteIssued = "credit_note.issued" ("Credit note issued", "红字发票已开具"),
        /// A credit note went to another owner with its contract.
        CreditNoteTransferred = "credit_note.transferred" ("Credit note transferred", "红字发票已转移"),
        /// A credit note went along to the customer into which its own was merged.
        CreditNoteMerged = "credit_note.merged" ("Credit note moved", "红字发票已随客户合并"),
        /// A refund was recorded.
        RefundRecorded = "refund.recorded" ("Refund recorded", "退款已登记"),
        /// The money of a refund was paid.
        RefundConfirmed = "refund.confirmed" ("Refund confirmed", "退款已确认"),
        /// The money of a refund was not paid.
        RefundRejected = "refund.rejected" ("Refund rejected", "退款已驳回"),
        /// A refund went to another owner with its contract.
        RefundTransferred = "refund.transferred" ("Refund transferred", "退款已转移"),
        /// A refund went along to the customer into which its own was merged.
        RefundMerged = "refund.merged" ("Refund moved", "退款已随客户合并"),
        /// A receipt was recorded, imported, or made as a part of another one.
        ReceiptRecorded = "receipt.recorded" ("Receipt recorded", "到账流水已登记"),
        /// A payment accounts for a receipt.
        ReceiptMatched = "receipt.matched" ("Receipt matched", "到账流水已匹配"),
        /// The payment that accounted for a receipt was rejected or reversed.
        ReceiptReleased = "receipt.released" ("Receipt match undone", "到账流水匹配已解除"),
        /// A receipt pays no contract.
        ReceiptSetAside = "receipt.set_aside" ("Receipt set aside", "到账流水已标记无需匹配"),
        /// A receipt that was set aside is looked at again.
        ReceiptReopened = "receipt.reopened" ("Receipt reopened", "到账流水已重新打开"),
        /// A receipt was taken apart.
        ReceiptSplit = "receipt.split" ("Receipt split", "到账流水已拆分"),
        /// A receipt was put together again.
        ReceiptJoined = "receipt.joined" ("Receipt joined", "到账流水已重新合并"),
        /// A part of a receipt is gone: the receipt was put together again.
        ReceiptDeleted = "receipt.deleted" ("Part of a receipt deleted", "到账流水拆分部分已删除"),
        /// A performance target was set.
        TargetCreated = "target.created" ("Target set", "业绩目标已设定"),
        /// A performance target was changed.
        TargetUpdated = "target.updated" ("Target changed", "业绩目标已修改"),
        /// A performance target was deleted.
        TargetDeleted = "target.deleted" ("Target deleted", "业绩目标已删除"),
        /// An approval flow was made.
        ApprovalFlowCreated = "approval_flow.created" ("Approval flow made", "审批流已创建"),
        /// An approval flow was changed.
        ApprovalFlowUpdated = "approval_flow.updated" ("Approval flow changed", "审批流已修改"),
        /// Somebody delegated their decisions.
        DelegationCreated = "delegation.created" ("Delegation made", "审批委托已创建"),
        /// A delegation of decisions was changed.
        DelegationUpdated = "delegation.updated" ("Delegation changed", "审批委托已修改"),
        /// A delegation of decisions was ended.
        DelegationDeleted = "delegation.deleted" ("Delegation ended", "审批委托已终止"),
        /// A webhook was made.
        WebhookCreated = "webhook.created" ("Webhook made", "Webhook 已创建"),
        /// A webhook was changed.
        WebhookUpdated = "webhook.updated" ("Webhook changed", "Webhook 已修改"),
        /// A webhook was deleted.
        WebhookDeleted = "webhook.deleted" ("Webhook deleted", "Webhook 已删除"),
        /// A webhook was disabled by hand.
        WebhookDisabled = "webhook.disabled" ("Webhook disabled", "Webhook 已停用"),
        /// A webhook tells again what happens.
        WebhookEnabled = "webhook.enabled" ("Webhook enabled", "Webhook 已启用"),
        /// Fairlead disabled a webhook: nobody takes what it tells, or nobody is left in whose name it listens.
        WebhookGivenUp = "webhook.given_up" ("Webhook given up", "Webhook 已自动停用"),
        /// A webhook has a new secret.
        WebhookSecretRotated = "webhook.secret_rotated" ("Secret of a webhook rotated", "Webhook 密钥已更换"),
        /// A background job was queued.
        JobQueued = "job.queued" ("Job queued", "后台任务已排队"),
        /// A server began a background job, or went on with it.
        JobProgressed = "job.progressed" ("Job in progress", "后台任务已推进"),
        /// A background job was brought to its end.
        JobFinished = "job.finished" ("Job finished", "后台任务已结束"),
        /// A background job cannot be done.
        JobFailed = "job.failed" ("Job failed", "后台任务失败"),
        /// All of the demo data is there.
        DemoSeeded = "demo.seeded" ("Demo seeded", "演示数据已生成"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::amendment::Amendment;
    use crate::approval::{Proposal, ProposalAction};
    use crate::customer_change::CustomerChange;
    use crate::fixtures::sources;
    use crate::record::RecordKind;
    use crate::transfer::Transfer;
    use crate::webhook::PING;

    /// Whether a text of the sources names something that happened to a record.
    fn is_action(word: &str) -> bool {
        // What lists include of a record is a noun; a trial happens to no record; a test tries what nobody else can.
        let others = ["contract.owner", "contract.customer", "customer.owner", PING, "user.deleted"];
        word.split_once('.').is_some_and(|(kind, verb)| {
            (word == "demo.seeded" || kind.parse::<RecordKind>().is_ok())
                && !others.contains(&word)
                && !verb.is_empty()
                && verb.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        })
    }

    /// What the proposals call their ends is put together.
    fn ends<T: Proposal>() -> impl Iterator<Item = String> {
        ProposalAction::ALL.iter().map(|action| T::event(*action).0.to_owned())
    }

    /// An event is a plain text where it is named, so that nothing but the sources knows them all.
    #[test]
    fn whatever_is_noted_has_a_name() {
        let sources = sources();
        let words = sources.iter().flat_map(|source| source.split('"'));
        let mut noted: BTreeSet<String> = words.filter(|word| is_action(word)).map(str::to_owned).collect();
        noted.extend(ends::<Amendment>().chain(ends::<CustomerChange>()).chain(ends::<Transfer>()));
        // The ones that are told are named where they are declared, and held against the sources there.
        noted.extend(EventType::ALL.iter().map(ToString::to_string));
        let known: BTreeSet<String> =
            AuditAction::ALL.iter().map(|action| action.as_str().to_owned()).collect();
        assert_eq!(noted, known);
        assert_eq!(known.len(), AuditAction::ALL.len(), "each once");
    }

    #[test]
    fn what_is_told_is_called_the_same() {
        for (action, event) in AuditAction::ALL.iter().zip(EventType::ALL) {
            assert_eq!((action.as_str(), action.label()), (event.as_str(), event.label()));
            assert_eq!(action.meaning(), event.meaning());
        }
    }
}
