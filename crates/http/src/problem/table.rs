//! What each code is to HTTP, and what it means in Chinese. Its titles are its labels, and its meaning in English is
//! its documentation.

use fairlead_domain::error::Code;

/// A code's status and its meaning in Chinese.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) status: u16,
    pub(crate) meaning_zh: &'static str,
}

/// The one table. It has no catch-all: a new code does not compile until it has a line here.
pub(crate) const fn entry(code: Code) -> Entry {
    let (status, meaning_zh) = match code {
        Code::MalformedRequest => (400, "请求无法解析：JSON 有误、类型不符，或含有未知的成员或参数。"),
        Code::InvalidCursor => (400, "该分页游标不是由本系统签发的。"),
        Code::CursorMismatch => (400, "该分页游标属于另一种排序或筛选条件。"),
        Code::Unauthenticated => (401, "没有令牌，或令牌已过期、已吊销或系伪造。"),
        Code::InvalidCredentials => (401, "邮箱或密码错误，或该账号不允许登录。"),
        Code::InvalidRefreshToken => (401, "刷新令牌未知、已过期或已被使用过。"),
        Code::Forbidden => (
            403,
            "调用者无权执行此操作；如有权限可以允许此操作，`permission` 说明是哪一项，`permissions` 列出任一即可的几项。",
        ),
        Code::NotFound => (404, "该记录不存在，或调用者不可见。"),
        Code::MethodNotAllowed => (405, "该路径不支持此请求方法。"),
        Code::NotAcceptable => (406, "无法以调用者接受的格式给出应答。"),
        Code::RequestTimeout => (408, "请求内容未能及时到达。"),
        Code::PayloadTooLarge => (413, "请求内容超过允许的大小。"),
        Code::UnsupportedMediaType => (415, "请求内容的类型不被接受，或内容与所称的类型不符。"),
        Code::RangeNotSatisfiable => (416, "请求了文件中不存在的部分，`size` 说明文件的长度。"),
        Code::InfectedFile => (422, "病毒扫描程序在文件中发现了病毒，`found` 说明是什么。"),
        Code::RateLimited => (429, "尝试次数过多，`Retry-After` 说明何时可以重试。"),
        Code::Internal => (500, "发生了意外错误，可凭请求编号在日志中查找。"),
        Code::Unavailable => (503, "数据库不可用，或服务器正在停止或过载。"),

        Code::VersionMismatch => (412, "`If-Match` 所指的版本不是当前版本。"),
        Code::PreconditionRequired => (428, "缺少 `If-Match` 请求头。"),
        Code::IdempotencyInProgress => (409, "使用同一个幂等键的请求仍在处理中。"),
        Code::IdempotencyKeyReused => (422, "同一个幂等键已用于另一个请求。"),

        Code::ValidationFailed => (
            422,
            "请求格式正确，但有值不符合规则，`errors` 列出每一处；若有值无法识别（如未知的取值），则先只列出该值。",
        ),
        Code::UnknownReference => (
            422,
            "请求所引用的记录不存在、调用者不可见，或已合并到另一条记录；若已合并，`errors` 中的规则为 `merged_reference`，其 `merged_into` 说明是哪一条。",
        ),
        Code::CurrencyMismatch => (422, "需要另一种币种的金额。"),
        Code::AmountOutOfRange => (422, "该金额无法精确保存。"),
        Code::ReasonRequired => (422, "退回到之前的阶段需要填写原因。"),
        Code::CommentRequired => (422, "驳回需要填写意见。"),

        Code::InvalidTransition => (409, "该记录的状态不允许此操作。"),
        Code::Duplicate => (409, "必须唯一的值已被占用，`errors` 指出是哪个成员。"),
        Code::InUse => (409, "有其他记录依赖于该记录。"),
        Code::AlreadyClaimed => (409, "该记录已有负责人。"),
        Code::OwnershipLimitReached => (409, "负责人持有的记录将超过允许的数量。"),
        Code::DailyOpenLimitReached => (409, "今天不能再查看更多公海客户。"),
        Code::Merged => (308, "该记录已合并到另一条记录，`Location` 和 `survivor_id` 说明是哪一条。"),
        Code::RecordMerged => {
            (409, "要修改的记录已合并到另一条记录，因此未作任何修改，`survivor_id` 说明是哪一条。")
        }
        Code::PossibleDuplicate => (409, "已有与此相似的记录，`matches` 说明是哪些。"),
        Code::OwnersDiffer => (409, "一起指定的记录属于不同的负责人。"),
        Code::TooMany => (409, "此类记录的数量已达到上限。"),
        Code::HandOverNeeded => (409, "将被停用的用户名下仍有记录，并说明每类各有多少。"),
        Code::SuccessorNeeded => (409, "交接的记录不能进入公海。"),
        Code::TransferObstructed => (409, "部分记录已无法转移，`items` 列出每一条。"),
        Code::PendingTransfer => (409, "该记录有一个待审批的转移。"),
        Code::BulkRefused => (409, "要求全部成功的调用中有操作被拒绝，`items` 列出每一项。"),
        Code::DailyClaimLimitReached => (409, "今天不能再领取。"),
        Code::ClaimCoolDown => (409, "原负责人不能这么快再次领取。"),
        Code::OwnerNotEligible => (409, "新负责人不能持有此类记录。"),
        Code::AlreadyOwner => (409, "该记录已归这位负责人所有。"),
        Code::CustomerHasOpenBusiness => (409, "该客户仍有进行中的业务。"),
        Code::CustomerUnowned => (409, "该客户没有负责人。"),
        Code::AlreadyConverted => (409, "该线索此前已转化，链接指向转化后的记录。"),
        Code::StageRequirementsMissing => (409, "该阶段的必填字段为空。"),
        Code::ContractDecides => (409, "该商机由合同决定。"),
        Code::PendingApproval => (409, "审批进行中，该记录不能修改。"),
        Code::ApprovalRequired => (409, "此操作需要审批，`subject_kind` 说明是哪一种。"),
        Code::NoEligibleApprover => (409, "其中一个步骤没有可以审批的用户。"),
        Code::SeparationOfDuties => (409, "任何人都不能审批自己申请的、自己负责的或自己已审批过的事项。"),
        Code::AlreadyDecided => (409, "该审批此前已作出决定。"),
        Code::RemindedRecently => (409, "不久前已向待审批人催办，`next_at` 说明何时可以再次催办。"),
        Code::StaleApproval => (409, "该审批对应的是记录的旧版本。"),
        Code::InvoiceIncomplete => (409, "该发票尚不具备提交条件。"),
        Code::ContractIncomplete => (409, "该合同尚不具备提交条件。"),
        Code::AmendmentBelowSums => (409, "已开票或已回款的金额超过合同变更后的金额。"),
        Code::InstallmentHasPayments => (409, "该期回款计划已分配的回款超过其新金额，或该期将被去除。"),
        Code::InstallmentsMismatch => (409, "各期回款计划的合计与合同金额不符。"),
        Code::ContractNotActive => (409, "该合同不在执行中。"),
        Code::InvoiceExceedsContract => (409, "开票金额将超出合同金额。"),
        Code::InvoiceCredited => (409, "该发票已有一部分被红冲。"),
        Code::CreditExceedsInvoice => (409, "红冲金额将超出发票金额。"),
        Code::InvoiceHasPayments => (409, "已有回款分配到该发票。"),
        Code::PaymentExceedsContract => (409, "回款金额将超出合同金额。"),
        Code::ReceiptMismatch => (409, "到账流水与回款的金额不一致。"),
        Code::PaymentRefunded => (409, "该回款已有一部分被退回。"),
        Code::RefundExceedsPayment => (409, "退款金额将超出回款金额。"),
        Code::AllocationExceedsOpen => (409, "分配金额将超出发票或回款计划的未结金额。"),
        Code::AllocationMismatch => (409, "分配合计与回款金额不符。"),
        Code::NothingToAllocate => (409, "该合同已开具发票的未结金额小于该回款。"),
        Code::TeamCycle => (409, "该团队将成为自己的下级。"),
        Code::BuiltInRole => (409, "内置角色不能修改，请复制后再改。"),
        Code::LastAdministrator => (409, "必须保留至少一名可以管理权限的用户。"),
    };
    Entry { status, meaning_zh }
}

#[cfg(test)]
mod tests {
    use fairlead_domain::values::TextEnum;

    use super::*;

    #[test]
    fn every_code_has_a_status_both_titles_and_a_meaning() {
        for code in Code::ALL {
            let (entry, title) = (entry(*code), code.label());
            assert!(
                actix_web::http::StatusCode::from_u16(entry.status).is_ok_and(|s| !s.is_success()),
                "{code}"
            );
            assert!(!title.en.is_empty() && title.en.is_ascii(), "{code}");
            assert!(!title.zh_cn.is_empty() && !title.zh_cn.is_ascii(), "{code}");
            assert!(entry.meaning_zh.ends_with('。'), "{code}: {}", entry.meaning_zh);
        }
    }
}
