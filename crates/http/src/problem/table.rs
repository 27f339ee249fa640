//! What each code is to HTTP and to people.

use fairlead_domain::error::Code;

/// A code's status and its titles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) status: u16,
    pub(crate) english: &'static str,
    pub(crate) chinese: &'static str,
}

/// The one table. It has no catch-all: a new code does not compile until it has a line here.
pub(crate) const fn entry(code: Code) -> Entry {
    let (status, english, chinese) = match code {
        Code::MalformedRequest => (400, "Malformed request", "请求格式错误"),
        Code::InvalidCursor => (400, "Invalid cursor", "分页游标无效"),
        Code::CursorMismatch => (400, "Cursor of another list", "分页游标与查询条件不符"),
        Code::Unauthenticated => (401, "Not authenticated", "未登录或登录已失效"),
        Code::InvalidCredentials => (401, "Wrong e-mail or password", "邮箱或密码错误"),
        Code::InvalidRefreshToken => (401, "Invalid refresh token", "刷新令牌无效"),
        Code::Forbidden => (403, "Not permitted", "没有权限"),
        Code::NotFound => (404, "Not found", "未找到"),
        Code::MethodNotAllowed => (405, "Method not allowed", "不支持的请求方法"),
        Code::NotAcceptable => (406, "Not acceptable", "无法提供所要求的格式"),
        Code::RequestTimeout => (408, "Request timed out", "请求超时"),
        Code::PayloadTooLarge => (413, "Body too large", "请求内容过大"),
        Code::UnsupportedMediaType => (415, "Unsupported media type", "不支持的内容类型"),
        Code::RangeNotSatisfiable => (416, "No such part", "请求的范围无效"),
        Code::InfectedFile => (422, "Infected file", "文件含有病毒"),
        Code::RateLimited => (429, "Too many requests", "请求过于频繁"),
        Code::Internal => (500, "Internal error", "服务器内部错误"),
        Code::Unavailable => (503, "Temporarily unavailable", "服务暂时不可用"),

        Code::VersionMismatch => (412, "Changed in the meantime", "记录已被他人修改"),
        Code::PreconditionRequired => (428, "If-Match is missing", "缺少 If-Match 请求头"),
        Code::IdempotencyInProgress => (409, "Same request still running", "相同请求正在处理中"),
        Code::IdempotencyKeyReused => (422, "Idempotency key used before", "幂等键已用于其他请求"),

        Code::ValidationFailed => (422, "Validation failed", "数据校验未通过"),
        Code::UnknownReference => (422, "Unknown reference", "引用的记录不存在"),
        Code::CurrencyMismatch => (422, "Another currency is wanted", "币种不一致"),
        Code::AmountOutOfRange => (422, "Amount out of range", "金额超出范围"),
        Code::ReasonRequired => (422, "A reason is required", "需要填写原因"),
        Code::CommentRequired => (422, "A comment is required", "需要填写意见"),

        Code::InvalidTransition => (409, "Not possible in this state", "当前状态不允许此操作"),
        Code::Duplicate => (409, "Duplicate", "数据重复"),
        Code::InUse => (409, "Still in use", "仍被使用"),
        Code::AlreadyClaimed => (409, "Already claimed", "已被他人领取"),
        Code::OwnershipLimitReached => (409, "Ownership limit reached", "持有数量已达上限"),
        Code::DailyOpenLimitReached => {
            (409, "Daily limit on opening reached", "今日查看公海客户次数已达上限")
        }
        Code::Merged => (308, "Merged into another record", "已合并到其他记录"),
        Code::PossibleDuplicate => (409, "Possibly known already", "可能重复"),
        Code::OwnersDiffer => (409, "Different owners", "所属负责人不同"),
        Code::TooMany => (409, "Too many", "数量已达上限"),
        Code::HandOverNeeded => (409, "Records must be handed over", "需要先交接名下数据"),
        Code::SuccessorNeeded => (409, "A successor is needed", "需要指定接手人"),
        Code::TransferObstructed => (409, "Cannot be transferred", "无法转移"),
        Code::PendingTransfer => (409, "Transfer pending", "存在待审批的转移"),
        Code::BulkRefused => (409, "Some operations were refused", "部分操作被拒绝"),
        Code::DailyClaimLimitReached => (409, "Daily claim limit reached", "今日领取次数已达上限"),
        Code::ClaimCoolDown => (409, "Claimed again too soon", "尚在领取冷却期内"),
        Code::OwnerNotEligible => (409, "Owner not eligible", "该用户不能成为负责人"),
        Code::AlreadyOwner => (409, "Already the owner", "该用户已是负责人"),
        Code::CustomerHasOpenBusiness => (409, "Customer has open business", "客户仍有进行中的业务"),
        Code::CustomerUnowned => (409, "Customer has no owner", "客户没有负责人"),
        Code::AlreadyConverted => (409, "Already converted", "线索已转化"),
        Code::StageRequirementsMissing => (409, "Stage requirements missing", "未满足阶段要求"),
        Code::ContractDecides => (409, "The contract decides", "须由合同决定"),
        Code::PendingApproval => (409, "Approval pending", "审批进行中"),
        Code::ApprovalRequired => (409, "An approval is required", "需要审批"),
        Code::NoEligibleApprover => (409, "Nobody can approve", "没有可用的审批人"),
        Code::SeparationOfDuties => (409, "Separation of duties", "违反职责分离"),
        Code::AlreadyDecided => (409, "Already decided", "已作出审批决定"),
        Code::RemindedRecently => (409, "Reminded not long ago", "刚刚已催办"),
        Code::StaleApproval => (409, "Approval of an older version", "审批对应的版本已过期"),
        Code::InvoiceIncomplete => (409, "Invoice incomplete", "发票信息不完整"),
        Code::ContractIncomplete => (409, "Contract incomplete", "合同信息不完整"),
        Code::AmendmentBelowSums => (409, "More is invoiced or received", "变更金额低于已开票或已回款金额"),
        Code::InstallmentHasPayments => (409, "Installment has payments", "该期回款计划已有回款"),
        Code::InstallmentsMismatch => (409, "Installments do not add up", "回款计划合计与合同金额不符"),
        Code::ContractNotActive => (409, "Contract does not run", "合同未在执行中"),
        Code::InvoiceExceedsContract => (409, "Invoices exceed the contract", "开票金额超出合同金额"),
        Code::InvoiceCredited => (409, "Invoice was credited", "发票已部分红冲"),
        Code::CreditExceedsInvoice => (409, "Credit exceeds the invoice", "红冲金额超出发票金额"),
        Code::InvoiceHasPayments => (409, "Invoice has payments", "发票已有回款"),
        Code::PaymentExceedsContract => (409, "Payments exceed the contract", "回款金额超出合同金额"),
        Code::ReceiptMismatch => (409, "Receipt and payment differ", "到账金额与回款金额不符"),
        Code::PaymentRefunded => (409, "Payment was refunded", "回款已部分退款"),
        Code::RefundExceedsPayment => (409, "Refunds exceed the payment", "退款金额超出回款金额"),
        Code::AllocationExceedsOpen => (409, "Allocation exceeds what is open", "分配金额超出未结金额"),
        Code::AllocationMismatch => (409, "Allocations do not add up", "分配合计与回款金额不符"),
        Code::NothingToAllocate => (409, "Nothing to allocate to", "没有可分配的发票"),
        Code::TeamCycle => (409, "Team below itself", "团队层级出现循环"),
        Code::BuiltInRole => (409, "Built-in role", "内置角色不可修改"),
        Code::LastAdministrator => (409, "Last administrator", "至少保留一名管理员"),
    };
    Entry { status, english, chinese }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_and_both_titles() {
        for code in Code::ALL {
            let entry = entry(*code);
            assert!(
                actix_web::http::StatusCode::from_u16(entry.status).is_ok_and(|s| !s.is_success()),
                "{code}"
            );
            assert!(!entry.english.is_empty() && entry.english.is_ascii(), "{code}");
            assert!(!entry.chinese.is_empty() && !entry.chinese.is_ascii(), "{code}");
        }
    }
}
