//! What can happen to the records of the sales chain, as streams and webhooks tell it.

use crate::record::RecordKind;
use crate::text_enum;

text_enum! {
    /// Something that happened to a record of the sales chain. There may be new ones.
    pub enum EventType {
        /// A lead was recorded.
        LeadCreated = "lead.created" ("Lead recorded", "线索已创建"),
        /// What is said about a lead changed.
        LeadUpdated = "lead.updated" ("Lead changed", "线索已修改"),
        /// A lead was deleted.
        LeadDeleted = "lead.deleted" ("Lead deleted", "线索已删除"),
        /// A lead was given to somebody.
        LeadAssigned = "lead.assigned" ("Lead assigned", "线索已分配"),
        /// Somebody took a lead from the lead pool.
        LeadClaimed = "lead.claimed" ("Lead claimed", "线索已领取"),
        /// A lead went back to the lead pool.
        LeadReleased = "lead.released" ("Lead released", "线索已退回"),
        /// A lead went to the successor of somebody who left.
        LeadHandedOver = "lead.handed_over" ("Lead handed over", "线索已交接"),
        /// Somebody got in touch with a lead for the first time.
        LeadContacted = "lead.contacted" ("Lead contacted", "线索已联系"),
        /// A lead is worth an opportunity.
        LeadQualified = "lead.qualified" ("Lead qualified", "线索已确认有效"),
        /// A lead was given up.
        LeadDisqualified = "lead.disqualified" ("Lead disqualified", "线索已判无效"),
        /// A lead that was given up is looked at again.
        LeadReopened = "lead.reopened" ("Lead reopened", "线索已重新打开"),
        /// A lead became a customer.
        LeadConverted = "lead.converted" ("Lead converted", "线索已转化"),
        /// Another lead was merged into this one.
        LeadMerged = "lead.merged" ("Lead merged", "线索已合并"),
        /// A lead was merged into another one and is gone.
        LeadMergedAway = "lead.merged_away" ("Lead merged away", "线索已被合并"),
        /// The customer that a lead became was merged into another one.
        LeadCustomerMerged = "lead.customer_merged" ("Customer of a lead merged", "线索对应客户已合并"),
        /// A lead was scored anew by changed rules.
        LeadRescored = "lead.rescored" ("Lead rescored", "线索已重新评分"),
        /// Somebody who is a lead already filled in a form again.
        LeadAskedAgain = "lead.asked_again" ("Lead asked again", "线索再次咨询"),
        /// A lead wants a response soon.
        LeadResponseDueSoon = "lead.response_due_soon" ("Lead response due soon", "线索即将超时"),
        /// Nobody responded to a lead in time; it is in the lead pool again.
        LeadResponseOverdue = "lead.response_overdue" ("Lead response overdue", "线索超时已回收"),
        /// An activity with a lead was logged.
        LeadActivityLogged = "lead.activity_logged" ("Activity with a lead", "线索已跟进"),
        /// An activity with a lead was changed or deleted.
        LeadActivitiesChanged = "lead.activities_changed" ("Activities with a lead changed", "线索跟进已变更"),
        /// A customer was recorded.
        CustomerCreated = "customer.created" ("Customer recorded", "客户已创建"),
        /// What is said about a customer changed.
        CustomerUpdated = "customer.updated" ("Customer changed", "客户已修改"),
        /// A customer was deleted.
        CustomerDeleted = "customer.deleted" ("Customer deleted", "客户已删除"),
        /// Somebody claimed a customer from the public pool.
        CustomerClaimed = "customer.claimed" ("Customer claimed", "客户已领取"),
        /// A customer was given to somebody.
        CustomerAssigned = "customer.assigned" ("Customer assigned", "客户已分配"),
        /// A customer went back to the public pool by its owner.
        CustomerReleased = "customer.released" ("Customer released", "客户已释放"),
        /// A customer that was taken away from somebody came back.
        CustomerReturned = "customer.returned" ("Customer returned", "客户已归还"),
        /// A neglected customer went back to the public pool.
        CustomerRecycled = "customer.recycled" ("Customer recycled", "客户已回收"),
        /// A customer goes back to the public pool soon.
        CustomerRecycleWarned = "customer.recycle_warned" ("Customer about to be recycled", "客户即将回收"),
        /// A customer does not go back to the public pool after all.
        CustomerRecycleCalledOff = "customer.recycle_called_off" ("Warning of recycling called off", "客户回收预警已解除"),
        /// A customer stands in another public pool.
        CustomerMovedToPool = "customer.moved_to_pool" ("Customer moved to another pool", "客户已移至其他公海"),
        /// A customer went to another owner by an approved transfer.
        CustomerTransferred = "customer.transferred" ("Customer transferred", "客户已转移"),
        /// A customer went to the successor of somebody who left.
        CustomerHandedOver = "customer.handed_over" ("Customer handed over", "客户已交接"),
        /// A customer is kept from being recycled.
        CustomerLocked = "customer.locked" ("Customer locked", "客户已锁定"),
        /// A customer can be recycled again.
        CustomerUnlocked = "customer.unlocked" ("Customer unlocked", "客户已解锁"),
        /// A customer is at another point of its lifecycle.
        CustomerLifecycleChanged = "customer.lifecycle_changed" ("Lifecycle changed", "客户生命周期已变更"),
        /// Somebody who is a customer already filled in a form.
        CustomerAskedAgain = "customer.asked_again" ("Customer asked again", "客户再次咨询"),
        /// An activity with a customer was logged, changed or deleted.
        CustomerActivitiesChanged = "customer.activities_changed" ("Activities with a customer changed", "客户跟进已变更"),
        /// Another customer was merged into this one.
        CustomerMerged = "customer.merged" ("Customer merged", "客户已合并"),
        /// A customer was merged into another one and is gone.
        CustomerMergedAway = "customer.merged_away" ("Customer merged away", "客户已被合并"),
        /// A contact was recorded.
        ContactCreated = "contact.created" ("Contact recorded", "联系人已创建"),
        /// A contact was changed.
        ContactUpdated = "contact.updated" ("Contact changed", "联系人已修改"),
        /// A contact was deleted.
        ContactDeleted = "contact.deleted" ("Contact deleted", "联系人已删除"),
        /// A contact went along to the customer into which its own was merged.
        ContactMerged = "contact.merged" ("Contact moved", "联系人已随客户合并"),
        /// A call, a meeting, a note, a task or the like was logged.
        ActivityLogged = "activity.logged" ("Activity logged", "跟进已登记"),
        /// Somebody who is known already filled in a form.
        ActivityReceived = "activity.received" ("Activity by a web form", "已收到表单咨询"),
        /// An activity was changed; a task that now has `happened_at` is done.
        ActivityUpdated = "activity.updated" ("Activity changed", "跟进已修改"),
        /// An activity was deleted.
        ActivityDeleted = "activity.deleted" ("Activity deleted", "跟进已删除"),
        /// An activity with a lead is one with the customer that the lead became.
        ActivityFollowed = "activity.followed" ("Activity converted", "跟进已随线索转化"),
        /// An activity went along to the lead or the customer into which its own was merged.
        ActivityMerged = "activity.merged" ("Activity moved", "跟进已随合并转移"),
        /// An opportunity was recorded.
        OpportunityCreated = "opportunity.created" ("Opportunity recorded", "商机已创建"),
        /// What is said about an opportunity changed.
        OpportunityUpdated = "opportunity.updated" ("Opportunity changed", "商机已修改"),
        /// An opportunity was deleted.
        OpportunityDeleted = "opportunity.deleted" ("Opportunity deleted", "商机已删除"),
        /// An opportunity is at a later stage.
        OpportunityAdvanced = "opportunity.advanced" ("Opportunity advanced", "商机已推进"),
        /// An opportunity is at a former stage.
        OpportunityReturned = "opportunity.returned" ("Opportunity sent back", "商机已退回"),
        /// The step to a stage waits for an approval.
        OpportunityStageRequested = "opportunity.stage_requested" ("Stage requested", "商机阶段已申请"),
        /// The step to a stage was not approved.
        OpportunityStageRefused = "opportunity.stage_refused" ("Stage refused", "商机阶段被驳回"),
        /// An opportunity became a contract.
        OpportunityWon = "opportunity.won" ("Opportunity won", "商机已赢单"),
        /// An opportunity was lost.
        OpportunityLost = "opportunity.lost" ("Opportunity lost", "商机已输单"),
        /// A lost opportunity goes on.
        OpportunityReopened = "opportunity.reopened" ("Opportunity reopened", "商机已重新打开"),
        /// An opportunity went to another owner.
        OpportunityTransferred = "opportunity.transferred" ("Opportunity transferred", "商机已转移"),
        /// An opportunity went along to the customer into which its own was merged.
        OpportunityMerged = "opportunity.merged" ("Opportunity moved", "商机已随客户合并"),
        /// A contract was drafted.
        ContractDrafted = "contract.drafted" ("Contract drafted", "合同已起草"),
        /// A draft of a contract was changed.
        ContractUpdated = "contract.updated" ("Contract changed", "合同已修改"),
        /// A draft of a contract was deleted.
        ContractDeleted = "contract.deleted" ("Contract deleted", "合同已删除"),
        /// A contract was submitted for approval.
        ContractSubmitted = "contract.submitted" ("Contract submitted", "合同已提交"),
        /// A contract was taken back from approval.
        ContractWithdrawn = "contract.withdrawn" ("Contract withdrawn", "合同已撤回"),
        /// A contract was not approved.
        ContractRejected = "contract.rejected" ("Contract rejected", "合同已驳回"),
        /// A contract was approved and runs.
        ContractActivated = "contract.activated" ("Contract activated", "合同已生效"),
        /// The terms of a running contract changed.
        ContractAmended = "contract.amended" ("Contract amended", "合同已变更"),
        /// Everything of a contract was received.
        ContractCompleted = "contract.completed" ("Contract completed", "合同已完成"),
        /// A completed contract has money open again.
        ContractReactivated = "contract.reactivated" ("Contract reactivated", "合同已重新执行"),
        /// A running contract was ended before its time.
        ContractTerminated = "contract.terminated" ("Contract terminated", "合同已终止"),
        /// A contract was given up before it ran.
        ContractCancelled = "contract.cancelled" ("Contract cancelled", "合同已取消"),
        /// What of a contract is invoiced or received changed.
        ContractSumsChanged = "contract.sums_changed" ("Sums of a contract changed", "合同金额汇总已变更"),
        /// An installment of a contract is due soon.
        ContractInstallmentDueSoon = "contract.installment_due_soon" ("Installment due soon", "回款计划即将到期"),
        /// An installment of a contract is overdue.
        ContractInstallmentOverdue = "contract.installment_overdue" ("Installment overdue", "回款计划已逾期"),
        /// A contract went to another owner.
        ContractTransferred = "contract.transferred" ("Contract transferred", "合同已转移"),
        /// A contract went along to the customer into which its own was merged.
        ContractMerged = "contract.merged" ("Contract moved", "合同已随客户合并"),
        /// An invoice was asked for.
        InvoiceDrafted = "invoice.drafted" ("Invoice drafted", "开票已起草"),
        /// A draft of an invoice was changed.
        InvoiceUpdated = "invoice.updated" ("Invoice changed", "开票已修改"),
        /// A draft of an invoice was deleted.
        InvoiceDeleted = "invoice.deleted" ("Invoice deleted", "开票已删除"),
        /// An invoice was submitted for approval.
        InvoiceSubmitted = "invoice.submitted" ("Invoice submitted", "开票已提交"),
        /// An invoice was taken back from approval.
        InvoiceWithdrawn = "invoice.withdrawn" ("Invoice withdrawn", "开票已撤回"),
        /// An invoice was not approved.
        InvoiceRejected = "invoice.rejected" ("Invoice rejected", "开票已驳回"),
        /// An invoice was approved and may be issued.
        InvoiceApproved = "invoice.approved" ("Invoice approved", "开票已通过"),
        /// An invoice was issued.
        InvoiceIssued = "invoice.issued" ("Invoice issued", "发票已开具"),
        /// An approved invoice is not issued after all.
        InvoiceCancelled = "invoice.cancelled" ("Invoice cancelled", "开票已取消"),
        /// An issued invoice was made void.
        InvoiceVoided = "invoice.voided" ("Invoice voided", "发票已作废"),
        /// A credit note was issued for an invoice.
        InvoiceCredited = "invoice.credited" ("Invoice credited", "发票已红冲"),
        /// What was paid for an invoice changed.
        InvoiceAllocationChanged = "invoice.allocation_changed" ("Allocations to an invoice changed", "发票分配已变更"),
        /// An invoice went to another owner with its contract.
        InvoiceTransferred = "invoice.transferred" ("Invoice transferred", "开票已转移"),
        /// An invoice went along to the customer into which its own was merged.
        InvoiceMerged = "invoice.merged" ("Invoice moved", "开票已随客户合并"),
        /// A payment was recorded.
        PaymentRecorded = "payment.recorded" ("Payment recorded", "回款已登记"),
        /// A payment that nobody confirmed yet was changed.
        PaymentUpdated = "payment.updated" ("Payment changed", "回款已修改"),
        /// The money of a payment has arrived.
        PaymentConfirmed = "payment.confirmed" ("Payment confirmed", "回款已确认"),
        /// The money of a payment did not arrive.
        PaymentRejected = "payment.rejected" ("Payment rejected", "回款已驳回"),
        /// The money of a confirmed payment was taken back.
        PaymentReversed = "payment.reversed" ("Payment reversed", "回款已撤销"),
        /// Some money of a payment was paid back.
        PaymentRefunded = "payment.refunded" ("Payment refunded", "回款已退款"),
        /// A payment was put on invoices or installments.
        PaymentAllocated = "payment.allocated" ("Payment allocated", "回款已分配"),
        /// A payment was put on other invoices or installments.
        PaymentReallocated = "payment.reallocated" ("Payment reallocated", "回款已重新分配"),
        /// What a payment was put on became void.
        PaymentAllocationVoided = "payment.allocation_voided" ("Allocation voided", "回款分配已作废"),
        /// A payment went to another owner with its contract.
        PaymentTransferred = "payment.transferred" ("Payment transferred", "回款已转移"),
        /// A payment went along to the customer into which its own was merged.
        PaymentMerged = "payment.merged" ("Payment moved", "回款已随客户合并"),
        /// Somebody asked for an approval.
        ApprovalRequested = "approval.requested" ("Approval requested", "审批已发起"),
        /// Somebody agreed to a step that waits for others as well.
        ApprovalAgreed = "approval.agreed" ("Agreed in part", "审批已部分同意"),
        /// A step of a request was approved; the next one waits.
        ApprovalStepApproved = "approval.step_approved" ("Step approved", "审批步骤已通过"),
        /// Every step of a request was approved.
        ApprovalApproved = "approval.approved" ("Request approved", "审批已通过"),
        /// A request was rejected.
        ApprovalRejected = "approval.rejected" ("Request rejected", "审批已驳回"),
        /// A request goes back to a former step.
        ApprovalReturned = "approval.returned" ("Request returned", "审批已退回"),
        /// One more person is to agree before the present step.
        ApprovalStepPutBefore = "approval.step_put_before" ("Step added before", "审批已前加签"),
        /// One more person is to agree after the present step.
        ApprovalStepPutAfter = "approval.step_put_after" ("Step added after", "审批已后加签"),
        /// Somebody said something about a request.
        ApprovalCommented = "approval.commented" ("Comment on a request", "审批有新评论"),
        /// Those for whom a request waits were reminded.
        ApprovalReminded = "approval.reminded" ("Reminder of a request", "审批已催办"),
        /// A request was taken back, or what it is about changed meanwhile.
        ApprovalWithdrawn = "approval.withdrawn" ("Request withdrawn", "审批已撤回"),
        /// A request went along to the next owner of what it is about.
        ApprovalTransferred = "approval.transferred" ("Request transferred", "审批已随负责人转移"),
        /// A request went along to the customer into which its own was merged.
        ApprovalMerged = "approval.merged" ("Request moved", "审批已随客户合并"),
        /// A customer of what a request is about was merged; what is asked is the same.
        ApprovalSubjectMerged = "approval.subject_merged" ("Subject of a request merged", "审批涉及的客户已合并"),
        /// Somebody asked for a transfer.
        TransferRequested = "transfer.requested" ("Transfer requested", "转移已申请"),
        /// A transfer was approved, and everything of it went to the receiver.
        TransferApproved = "transfer.approved" ("Transfer approved", "转移已完成"),
        /// A transfer was not approved.
        TransferRejected = "transfer.rejected" ("Transfer rejected", "转移已驳回"),
        /// A transfer was taken back, or can no longer go as it was asked for.
        TransferWithdrawn = "transfer.withdrawn" ("Transfer withdrawn", "转移已撤回"),
        /// A customer of a transfer that waits was merged into another one.
        TransferCustomerMerged = "transfer.customer_merged" ("Customer of a transfer merged", "转移涉及的客户已合并"),
    }
}

impl EventType {
    /// The kind of record that it happens to.
    pub fn kind(self) -> Option<RecordKind> {
        self.as_str().split_once('.').and_then(|(kind, _)| kind.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fixtures::sources;

    fn is_event(word: &str) -> bool {
        let kinds = [
            "lead",
            "customer",
            "contact",
            "activity",
            "opportunity",
            "contract",
            "invoice",
            "payment",
            "approval",
            "transfer",
        ];
        word.split_once('.').is_some_and(|(kind, verb)| {
            // What lists include of a record is a noun.
            let relations = ["owner", "customer"];
            kinds.contains(&kind)
                && !relations.contains(&verb)
                && !verb.is_empty()
                && verb.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        })
    }

    /// The event of a write is a plain text where it is named, so that nothing but the sources knows them all.
    #[test]
    fn whatever_the_code_says_happened_is_known() {
        let sources = sources();
        let words = sources.iter().flat_map(|source| source.split('"'));
        let used: BTreeSet<String> = words.filter(|word| is_event(word)).map(str::to_owned).collect();
        let known: BTreeSet<String> = EventType::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(used, known);
    }

    #[test]
    fn each_happens_to_a_kind_of_record() {
        for event in EventType::ALL {
            assert!(event.kind().is_some(), "{event}");
        }
    }
}
