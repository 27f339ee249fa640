//! The sentences with figures, by code.

use fairlead_domain::error::Code;
use fairlead_domain::job::JobOutcome;
use serde_json::{Map, Value};

/// Of the lines of a code, the first counts whose figures are all there. Codes that have no figures worth reading have
/// no line: their meaning is told.
pub(super) const TEMPLATES: &[(Code, &str)] = &[
    (Code::Forbidden, "需要下列权限之一：{permissions}。"),
    (Code::Forbidden, "需要“{permission}”权限，且范围至少为“{needed_scope}”。"),
    (Code::Forbidden, "需要“{permission}”权限。"),
    (Code::InvalidTransition, "{record_kind}当前为“{from}”，不能执行“{action}”；现在可以执行：{allowed}。"),
    (Code::InvalidTransition, "{record_kind}当前为“{from}”，不能执行“{action}”。"),
    (Code::InvalidTransition, "{record_kind}当前为“{from}”，不能执行此操作。"),
    (Code::InvalidTransition, "当前状态为“{from}”，不能执行“{action}”。"),
    (Code::InvalidTransition, "客户{locked}，不能执行此操作。"),
    (Code::VersionMismatch, "`If-Match` 所指的不是当前版本，当前版本为 {current_version}。"),
    (Code::PayloadTooLarge, "请求内容不能超过 {limit} 字节。"),
    (Code::UnsupportedMediaType, "请以 UTF-8 编码、不压缩地发送下列类型之一：{allowed}。"),
    (Code::RangeNotSatisfiable, "请求了文件中不存在的部分，文件共有 {size} 字节。"),
    (Code::InfectedFile, "病毒扫描程序在文件中发现了 {found}。"),
    (Code::RateLimited, "请求过于频繁，请在 {retry_after} 秒后重试。"),
    (Code::IdempotencyInProgress, "使用同一个幂等键的请求仍在处理中，请在 {retry_after} 秒后重试。"),
    (Code::Unavailable, "服务暂时不可用，请在 {retry_after} 秒后重试。"),
    (Code::CurrencyMismatch, "此处需要 {wanted} 的金额，而不是 {given}。"),
    (Code::Merged, "该记录已合并到记录 {survivor_id}。"),
    (Code::RecordMerged, "该记录已合并到记录 {survivor_id}，因此未作任何修改。"),
    (Code::PossibleDuplicate, "已有 {matches.length} 条与此相似的记录，`matches` 说明是哪些。"),
    (Code::InUse, "“{subject_kind}”的审批流指定了该角色。"),
    (Code::InUse, "仍有其他记录依赖于该记录，不能删除：{dependents}。"),
    (Code::BulkRefused, "有 {items.length} 项操作被拒绝，因此全部未执行，`items` 列出每一项。"),
    (Code::AlreadyClaimed, "客户 {customer_id} 已有负责人。"),
    (Code::OwnershipLimitReached, "已持有 {owned} 个客户，上限为 {limit} 个。"),
    (Code::DailyClaimLimitReached, "今天已领取 {claimed_today} 次，上限为 {limit} 次。"),
    (Code::DailyOpenLimitReached, "今天已查看 {opened_today} 个公海客户，上限为 {limit} 个。"),
    (Code::ClaimCoolDown, "原负责人在 {until} 之前不能再次领取。"),
    (Code::OwnerNotEligible, "用户 {user_id} 已停用，或不能持有此类记录。"),
    (Code::TooMany, "数量已达到上限 {limit}。"),
    (
        Code::HandOverNeeded,
        "该用户名下仍有线索 {holdings.leads} 条、客户 {holdings.customers} 个、商机 {holdings.opportunities} 个、合同 \
         {holdings.contracts} 份；请说明如何交接，或说明暂时保留。",
    ),
    (Code::CustomerHasOpenBusiness, "该客户仍有进行中的商机 {opportunities} 个、合同 {contracts} 份。"),
    (Code::StageRequirementsMissing, "进入该阶段还需填写：{missing}。"),
    (Code::ApprovalRequired, "此操作需要“{subject_kind}”审批。"),
    (Code::NoEligibleApprover, "步骤“{step}”没有其他可以审批的用户。"),
    (Code::AlreadyDecided, "该审批当前为“{approval_status}”，不能再作决定。"),
    (Code::RemindedRecently, "不久前已催办，{next_at} 之后可以再次催办。"),
    (
        Code::StaleApproval,
        "提交审批后记录已被修改：审批对应版本 {reviewed_version}，当前版本为 {present_version}。",
    ),
    (
        Code::AmendmentBelowSums,
        "变更后的金额 {amount} 不能低于已开票或待开票的 {invoice_committed}，也不能低于已回款的 {received}。",
    ),
    (Code::InstallmentHasPayments, "该期回款计划已分配回款 {allocated}。"),
    (Code::InstallmentsMismatch, "各期回款计划合计 {installments}，合同金额为 {amount}。"),
    (Code::ContractNotActive, "合同当前为“{contract_status}”，不在执行中。"),
    (
        Code::InvoiceExceedsContract,
        "本次开票 {amount}，合同金额 {contract_amount}，已占用 {already_committed}，最多还可开票 {remaining}。",
    ),
    (Code::InvoiceCredited, "该发票已红冲 {credited}，其余部分请继续红冲。"),
    (Code::CreditExceedsInvoice, "本次红冲 {amount}，已红冲 {credited}，最多还可红冲 {remaining}。"),
    (
        Code::InvoiceHasPayments,
        "本次红冲 {amount}，已红冲 {credited}，已分配回款 {allocated}，最多还可红冲 {remaining}。",
    ),
    (Code::InvoiceHasPayments, "该发票已分配回款 {allocated}，请先驳回或冲销这些回款。"),
    (
        Code::PaymentExceedsContract,
        "本次回款 {amount}，合同金额 {contract_amount}，已回款 {already_received}，最多还可回款 {remaining}。",
    ),
    (Code::ReceiptMismatch, "到账流水为 {amount}，回款为 {payment_amount}，两者不一致。"),
    (Code::PaymentRefunded, "有 {pending} 的退款等待确认，请先驳回；已退款 {refunded}。"),
    (Code::PaymentRefunded, "该回款已退款 {refunded}，其余部分请办理退款。"),
    (
        Code::RefundExceedsPayment,
        "本次退款 {amount}，已退款 {refunded}，待确认退款 {pending}，最多还可退款 {remaining}。",
    ),
    (Code::AllocationExceedsOpen, "向{target}分配 {amount}，超出其未结金额 {open}。"),
    (Code::AllocationMismatch, "分配合计 {allocations}，回款金额为 {amount}。"),
    (Code::NothingToAllocate, "回款 {amount} 中只有 {open} 找到了未结的{target}。"),
];

/// What a code says with these figures; `None` when it has no line that they fill.
pub(super) fn fill(code: Code, figures: &Map<String, Value>) -> Option<String> {
    let mut lines = TEMPLATES.iter().filter(|(of, _)| *of == code);
    lines.find_map(|(_, template)| super::filled(template, figures))
}

/// What jobs say of records besides what they were refused, by what they did.
pub(super) const OUTCOMES: &[(JobOutcome, &str)] = &[
    (JobOutcome::Warned, "将于 {goes_on} 退回公海。"),
    (JobOutcome::WouldWarn, "将于 {goes_on} 退回公海。"),
    (JobOutcome::AlreadyWarned, "将于 {goes_on} 退回公海，此前已预警其负责人。"),
];

/// What an outcome says with these figures; `None` when it says no more than its name.
pub(super) fn outcome(outcome: &str, figures: &Map<String, Value>) -> Option<String> {
    let (_, template) = OUTCOMES.iter().find(|(of, _)| of.as_str() == outcome)?;
    super::filled(template, figures)
}
