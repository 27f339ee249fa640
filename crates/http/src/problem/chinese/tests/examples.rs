//! One example for each template, in their order.

use fairlead_domain::error::Code;
use serde_json::{Value, json};

fn cny(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// Code, figures, and what is said.
pub(super) fn examples() -> Vec<(Code, Value, &'static str)> {
    vec![
        (
            Code::Forbidden,
            json!({
                "permission": "contracts:read", "needed_scope": "own",
                "permissions": ["leads:create", "pool:read"],
            }),
            "需要下列权限之一：新建线索、查看公海。",
        ),
        (
            Code::Forbidden,
            json!({"permission": "leads:create", "needed_scope": "own"}),
            "需要“新建线索”权限，且范围至少为“本人”。",
        ),
        (Code::Forbidden, json!({"permission": "pool:read"}), "需要“查看公海”权限。"),
        (
            Code::InvalidTransition,
            json!({"record_kind": "contract", "from": "draft", "action": "complete", "allowed": ["submit", "cancel"]}),
            "合同当前为“草稿”，不能执行“完成”；现在可以执行：提交审批、取消。",
        ),
        (
            Code::InvalidTransition,
            json!({"record_kind": "invoice", "from": "issued", "action": "update", "allowed": []}),
            "开票当前为“已开票”，不能执行“修改”。",
        ),
        (
            Code::InvalidTransition,
            json!({"record_kind": "user", "from": "active"}),
            "用户当前为“正常”，不能执行此操作。",
        ),
        (
            Code::InvalidTransition,
            json!({"from": "frozen", "action": "melt"}),
            "当前状态为“frozen”，不能执行“melt”。",
        ),
        (Code::InvalidTransition, json!({"locked": true}), "客户已锁定，不能执行此操作。"),
        (
            Code::VersionMismatch,
            json!({"current_version": 7}),
            "`If-Match` 所指的不是当前版本，当前版本为 7。",
        ),
        (Code::PayloadTooLarge, json!({"limit": 65536}), "请求内容不能超过 65536 字节。"),
        (
            Code::UnsupportedMediaType,
            json!({"allowed": ["application/json"]}),
            "请以 UTF-8 编码、不压缩地发送下列类型之一：application/json。",
        ),
        (Code::RangeNotSatisfiable, json!({"size": 12}), "请求了文件中不存在的部分，文件共有 12 字节。"),
        (Code::InfectedFile, json!({"found": "Eicar"}), "病毒扫描程序在文件中发现了 Eicar。"),
        (Code::RateLimited, json!({"retry_after": 17}), "请求过于频繁，请在 17 秒后重试。"),
        (
            Code::IdempotencyInProgress,
            json!({"retry_after": 1}),
            "使用同一个幂等键的请求仍在处理中，请在 1 秒后重试。",
        ),
        (Code::Unavailable, json!({"retry_after": 1}), "服务暂时不可用，请在 1 秒后重试。"),
        (
            Code::CurrencyMismatch,
            json!({"wanted": "CNY", "given": "USD"}),
            "此处需要 CNY 的金额，而不是 USD。",
        ),
        (
            Code::Merged,
            json!({"survivor_id": "0190163d-8694-739b-aea5-966c26f8ad91"}),
            "该记录已合并到记录 0190163d-8694-739b-aea5-966c26f8ad91。",
        ),
        (
            Code::RecordMerged,
            json!({"survivor_id": "0190163d-8694-739b-aea5-966c26f8ad91"}),
            "该记录已合并到记录 0190163d-8694-739b-aea5-966c26f8ad91，因此未作任何修改。",
        ),
        (
            Code::PossibleDuplicate,
            json!({"matches": [{}, {}]}),
            "已有 2 条与此相似的记录，`matches` 说明是哪些。",
        ),
        (Code::InUse, json!({"subject_kind": "contract"}), "“合同”的审批流指定了该角色。"),
        (
            Code::InUse,
            json!({"dependents": [
                {"record_kind": "contact", "count": 2},
                {"record_kind": "opportunity", "count": 1},
            ]}),
            "仍有其他记录依赖于该记录，不能删除：联系人 2、商机 1。",
        ),
        (
            Code::BulkRefused,
            json!({"items": [{}]}),
            "有 1 项操作被拒绝，因此全部未执行，`items` 列出每一项。",
        ),
        (
            Code::AlreadyClaimed,
            json!({"customer_id": "0190163d-8694-739b-aea5-966c26f8ad91"}),
            "客户 0190163d-8694-739b-aea5-966c26f8ad91 已有负责人。",
        ),
        (Code::OwnershipLimitReached, json!({"owned": 20, "limit": 20}), "已持有 20 个客户，上限为 20 个。"),
        (
            Code::DailyClaimLimitReached,
            json!({"claimed_today": 5, "limit": 5}),
            "今天已领取 5 次，上限为 5 次。",
        ),
        (
            Code::DailyOpenLimitReached,
            json!({"opened_today": 9, "limit": 9}),
            "今天已查看 9 个公海客户，上限为 9 个。",
        ),
        (
            Code::ClaimCoolDown,
            json!({"until": "2026-02-01T00:00:00.000Z"}),
            "原负责人在 2026-02-01T00:00:00.000Z 之前不能再次领取。",
        ),
        (
            Code::OwnerNotEligible,
            json!({"user_id": "0190163d-8694-739b-aea5-966c26f8ad91"}),
            "用户 0190163d-8694-739b-aea5-966c26f8ad91 已停用，或不能持有此类记录。",
        ),
        (Code::TooMany, json!({"limit": 1000}), "数量已达到上限 1000。"),
        (
            Code::HandOverNeeded,
            json!({"holdings": {"leads": 1, "customers": 2, "opportunities": 0, "contracts": 3}}),
            "该用户名下仍有线索 1 条、客户 2 个、商机 0 个、合同 3 份；请说明如何交接，或说明暂时保留。",
        ),
        (
            Code::CustomerHasOpenBusiness,
            json!({"opportunities": 1, "contracts": 0}),
            "该客户仍有进行中的商机 1 个、合同 0 份。",
        ),
        (
            Code::StageRequirementsMissing,
            json!({"missing": ["amount", "grade"]}),
            "进入该阶段还需填写：金额、等级。",
        ),
        (Code::ApprovalRequired, json!({"subject_kind": "customer_change"}), "此操作需要“客户变更”审批。"),
        (Code::NoEligibleApprover, json!({"step": "Finance"}), "步骤“Finance”没有其他可以审批的用户。"),
        (
            Code::AlreadyDecided,
            json!({"approval_status": "approved"}),
            "该审批当前为“已通过”，不能再作决定。",
        ),
        (
            Code::RemindedRecently,
            json!({"next_at": "2026-02-01T09:00:00.000Z"}),
            "不久前已催办，2026-02-01T09:00:00.000Z 之后可以再次催办。",
        ),
        (
            Code::StaleApproval,
            json!({"reviewed_version": 3, "present_version": 4}),
            "提交审批后记录已被修改：审批对应版本 3，当前版本为 4。",
        ),
        (
            Code::AmendmentBelowSums,
            json!({"amount": cny("90.00"), "invoice_committed": cny("100.00"), "received": cny("0.00")}),
            "变更后的金额 90.00 CNY 不能低于已开票或待开票的 100.00 CNY，也不能低于已回款的 0.00 CNY。",
        ),
        (
            Code::InstallmentHasPayments,
            json!({"allocated": cny("50.00"), "installment_id": "x"}),
            "该期回款计划已分配回款 50.00 CNY。",
        ),
        (
            Code::InstallmentsMismatch,
            json!({"installments": cny("90.00"), "amount": cny("100.00")}),
            "各期回款计划合计 90.00 CNY，合同金额为 100.00 CNY。",
        ),
        (Code::ContractNotActive, json!({"contract_status": "draft"}), "合同当前为“草稿”，不在执行中。"),
        (
            Code::InvoiceExceedsContract,
            json!({"amount": cny("60.00"), "contract_amount": cny("100.00"), "already_committed": cny("50.00"), "remaining": cny("50.00")}),
            "本次开票 60.00 CNY，合同金额 100.00 CNY，已占用 50.00 CNY，最多还可开票 50.00 CNY。",
        ),
        (
            Code::InvoiceCredited,
            json!({"credited": cny("10.00")}),
            "该发票已红冲 10.00 CNY，其余部分请继续红冲。",
        ),
        (
            Code::CreditExceedsInvoice,
            json!({"amount": cny("60.00"), "credited": cny("50.00"), "allocated": cny("0.00"), "remaining": cny("50.00")}),
            "本次红冲 60.00 CNY，已红冲 50.00 CNY，最多还可红冲 50.00 CNY。",
        ),
        (
            Code::InvoiceHasPayments,
            json!({"amount": cny("60.00"), "credited": cny("0.00"), "allocated": cny("50.00"), "remaining": cny("50.00")}),
            "本次红冲 60.00 CNY，已红冲 0.00 CNY，已分配回款 50.00 CNY，最多还可红冲 50.00 CNY。",
        ),
        (
            Code::InvoiceHasPayments,
            json!({"allocated": cny("50.00")}),
            "该发票已分配回款 50.00 CNY，请先驳回或冲销这些回款。",
        ),
        (
            Code::PaymentExceedsContract,
            json!({"amount": cny("60.00"), "contract_amount": cny("100.00"), "already_received": cny("50.00"), "remaining": cny("50.00")}),
            "本次回款 60.00 CNY，合同金额 100.00 CNY，已回款 50.00 CNY，最多还可回款 50.00 CNY。",
        ),
        (
            Code::ReceiptMismatch,
            json!({"amount": cny("60.00"), "payment_amount": cny("50.00")}),
            "到账流水为 60.00 CNY，回款为 50.00 CNY，两者不一致。",
        ),
        (
            Code::PaymentRefunded,
            json!({"refunded": cny("0.00"), "pending": cny("5.00")}),
            "有 5.00 CNY 的退款等待确认，请先驳回；已退款 0.00 CNY。",
        ),
        (
            Code::PaymentRefunded,
            json!({"refunded": cny("5.00")}),
            "该回款已退款 5.00 CNY，其余部分请办理退款。",
        ),
        (
            Code::RefundExceedsPayment,
            json!({"amount": cny("60.00"), "refunded": cny("10.00"), "pending": cny("40.00"), "remaining": cny("50.00")}),
            "本次退款 60.00 CNY，已退款 10.00 CNY，待确认退款 40.00 CNY，最多还可退款 50.00 CNY。",
        ),
        (
            Code::AllocationExceedsOpen,
            json!({"target": "invoice", "target_id": "x", "amount": cny("60.00"), "open": cny("50.00")}),
            "向发票分配 60.00 CNY，超出其未结金额 50.00 CNY。",
        ),
        (
            Code::AllocationMismatch,
            json!({"allocations": cny("90.00"), "amount": cny("100.00")}),
            "分配合计 90.00 CNY，回款金额为 100.00 CNY。",
        ),
        (
            Code::NothingToAllocate,
            json!({"target": "installment", "amount": cny("100.00"), "open": cny("60.00")}),
            "回款 100.00 CNY 中只有 60.00 CNY 找到了未结的回款计划。",
        ),
    ]
}
