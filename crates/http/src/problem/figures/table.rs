//! The table of figures, by code. Amounts of money are objects with `amount` and `currency`.

use fairlead_domain::error::Code;

use super::Kind::{Boolean, Integer, List, Object, Text};
use super::{Figure, figure};

const SOME_ID: &str = r#""0190163d-8694-739b-aea5-966c26f8ad91""#;
const LIMIT: (&str, &str) = ("How many there may be at most.", "数量上限。");
const RETRY_AFTER: Figure = figure(
    "retry_after",
    Integer,
    (
        "After how many seconds to try again, as in `Retry-After`.",
        "多少秒后可以重试，与 `Retry-After` 相同。",
    ),
    "1",
);
const SURVIVOR: Figure =
    figure("survivor_id", Text, ("The record into which it was merged.", "合并后保留的记录。"), SOME_ID);

/// One line for each code that has figures.
pub(in crate::problem) static FIGURES: &[(Code, &[Figure])] = &[
    (
        Code::MalformedRequest,
        &[figure(
            "allowed",
            List,
            (
                "Where a parameter or a member of a search is unknown: the names that there are.",
                "参数或搜索条件的成员未知时，列出可用的名称。",
            ),
            "",
        )],
    ),
    (
        Code::Forbidden,
        &[
            figure(
                "permission",
                Text,
                ("The permission that would allow it.", "可以允许此操作的权限。"),
                r#""contracts:read""#,
            ),
            figure(
                "needed_scope",
                Text,
                ("The smallest scope of it that covers the record.", "该权限所需的最小范围。"),
                r#""team""#,
            ),
            figure(
                "permissions",
                List,
                (
                    "Where one of several permissions would do: all of them.",
                    "多项权限任一即可时，列出这些权限。",
                ),
                "",
            ),
            figure(
                "waiting_for",
                Text,
                (
                    "Where others decide the present step of an approval: the rule that says who.",
                    "当前审批步骤由他人审批时，说明由谁审批的规则。",
                ),
                "",
            ),
        ],
    ),
    (
        Code::InvalidTransition,
        &[
            figure("record_kind", Text, ("What kind of record it is.", "记录的种类。"), r#""contract""#),
            figure("from", Text, ("The state in which it is.", "记录当前的状态。"), r#""draft""#),
            figure("action", Text, ("What was asked for.", "所请求的操作。"), r#""complete""#),
            figure(
                "allowed",
                List,
                (
                    "What the caller could do with it now, of its state machine.",
                    "调用者现在可以执行的状态机操作。",
                ),
                r#"["submit", "cancel"]"#,
            ),
            figure(
                "locked",
                Boolean,
                (
                    "Of a customer that is to be locked or unlocked: whether it is locked.",
                    "锁定或解锁客户时，该客户是否已锁定。",
                ),
                "",
            ),
        ],
    ),
    (
        Code::VersionMismatch,
        &[figure("current_version", Integer, ("The present version.", "当前版本。"), "7")],
    ),
    (
        Code::PayloadTooLarge,
        &[figure("limit", Integer, ("How many bytes there may be at most.", "允许的最大字节数。"), "65536")],
    ),
    (
        Code::UnsupportedMediaType,
        &[figure(
            "allowed",
            List,
            ("The types that are taken.", "可以接受的类型。"),
            r#"["application/json"]"#,
        )],
    ),
    (
        Code::InfectedFile,
        &[figure(
            "found",
            Text,
            ("What the scanner found.", "扫描程序发现的病毒。"),
            r#""Eicar-Test-Signature""#,
        )],
    ),
    (
        Code::RangeNotSatisfiable,
        &[figure("size", Integer, ("How many bytes the file has.", "文件的字节数。"), "1024")],
    ),
    (
        Code::RateLimited,
        &[
            RETRY_AFTER,
            figure(
                "limit",
                Integer,
                (
                    "How many there may be at most: in `window` seconds, or, of streams of events, at once.",
                    "数量上限：在 `window` 秒内，事件流则为每位用户可同时订阅的数量。",
                ),
                "",
            ),
            figure(
                "window",
                Integer,
                ("In how many seconds there may be `limit`.", "`limit` 所对应的时间窗口，以秒计。"),
                "",
            ),
        ],
    ),
    (Code::IdempotencyInProgress, &[RETRY_AFTER]),
    (Code::Unavailable, &[RETRY_AFTER]),
    (Code::Merged, &[SURVIVOR]),
    (Code::RecordMerged, &[SURVIVOR]),
    (
        Code::InUse,
        &[
            figure(
                "dependents",
                List,
                (
                    "What depends on the record: for each kind (`record_kind`) how many (`count`).",
                    "依赖于该记录的数据：每种（`record_kind`）各有多少（`count`）。",
                ),
                r#"[{"record_kind": "contact", "count": 2}]"#,
            ),
            figure(
                "subject_kind",
                Text,
                ("Of a role: the approval flow that names it.", "角色：指定了该角色的审批流。"),
                "",
            ),
            figure(
                "stage_id",
                Text,
                ("Of a pipeline: the stage in which there are opportunities.", "销售流程：仍有商机的阶段。"),
                "",
            ),
            figure(
                "receipt_id",
                Text,
                (
                    "Of a receipt that was split: the part that is not open any more.",
                    "已拆分的到账流水：已不再待匹配的部分。",
                ),
                "",
            ),
        ],
    ),
    (
        Code::BulkRefused,
        &[figure(
            "items",
            List,
            (
                "The operations that were refused: `index`, `id`, `code`, `detail`, and `errors` and `figures` where there \
                 are some.",
                "被拒绝的操作：`index`、`id`、`code`、`detail`，以及（如有）`errors` 和 `figures`。",
            ),
            r#"[{"index": 0, "id": "0190163d-8694-739b-aea5-966c26f8ad91", "outcome": "refused", "code": "already_claimed", "detail": "the lead has an owner"}]"#,
        )],
    ),
    (
        Code::CurrencyMismatch,
        &[
            figure("wanted", Text, ("The currency that is wanted.", "所需的币种。"), r#""CNY""#),
            figure("given", Text, ("The currency that was given.", "所提供的币种。"), r#""USD""#),
        ],
    ),
    (
        Code::AlreadyClaimed,
        &[figure(
            "customer_id",
            Text,
            (
                "Of customers that are distributed: the one that has an owner.",
                "分配多个客户时，已有负责人的那一个。",
            ),
            "",
        )],
    ),
    (
        Code::OwnershipLimitReached,
        &[
            figure("owned", Integer, ("How many customers count as owned.", "已计入的持有客户数。"), "50"),
            figure("limit", Integer, LIMIT, "50"),
        ],
    ),
    (
        Code::DailyClaimLimitReached,
        &[
            figure("claimed_today", Integer, ("How many were claimed today.", "今天已领取的次数。"), "5"),
            figure("limit", Integer, LIMIT, "5"),
        ],
    ),
    (
        Code::DailyOpenLimitReached,
        &[
            figure(
                "opened_today",
                Integer,
                ("How many were opened today.", "今天已查看的公海客户数。"),
                "20",
            ),
            figure("limit", Integer, LIMIT, "20"),
        ],
    ),
    (
        Code::ClaimCoolDown,
        &[figure(
            "until",
            Text,
            ("From when on it may be claimed again.", "何时起可以再次领取。"),
            r#""2026-02-01T00:00:00.000Z""#,
        )],
    ),
    (
        Code::OwnerNotEligible,
        &[figure("user_id", Text, ("The user who cannot own it.", "不能持有该记录的用户。"), SOME_ID)],
    ),
    (
        Code::TransferObstructed,
        &[figure(
            "items",
            List,
            (
                "The records that stay: `id`, `code` and `detail` of each.",
                "无法转移的记录：每条的 `id`、`code` 和 `detail`。",
            ),
            r#"[{"id": "0190163d-8694-739b-aea5-966c26f8ad91", "code": "pending_approval", "detail": "withdraw the approval first"}]"#,
        )],
    ),
    (Code::TooMany, &[figure("limit", Integer, LIMIT, "50")]),
    (
        Code::HandOverNeeded,
        &[figure(
            "holdings",
            Object,
            (
                "How many `leads`, `customers`, `opportunities` and `contracts` the user owns.",
                "该用户名下的 `leads`、`customers`、`opportunities` 和 `contracts` 各有多少。",
            ),
            r#"{"leads": 1, "customers": 2, "opportunities": 0, "contracts": 3}"#,
        )],
    ),
    (
        Code::PendingTransfer,
        &[figure("id", Text, ("The record that is to be transferred.", "将被转移的记录。"), SOME_ID)],
    ),
    (
        Code::CustomerUnowned,
        &[figure(
            "id",
            Text,
            (
                "Of records that are to be transferred: the one without owner.",
                "申请转移时，没有负责人的那条记录。",
            ),
            "",
        )],
    ),
    (
        Code::CustomerHasOpenBusiness,
        &[
            figure("opportunities", Integer, ("How many opportunities are open.", "进行中的商机数。"), "1"),
            figure(
                "contracts",
                Integer,
                (
                    "How many contracts are drafted, wait for approval, or run.",
                    "草稿、审批中和执行中的合同数。",
                ),
                "0",
            ),
        ],
    ),
    (
        Code::PossibleDuplicate,
        &[figure(
            "matches",
            List,
            (
                "What looks like it: `kind`, `matched_on` and `visible`, and `id` and `name` of those that the caller may see.",
                "相似的记录：`kind`、`matched_on` 和 `visible`；调用者可见的还有 `id` 和 `name`。",
            ),
            r#"[{"kind": "customer", "matched_on": ["phone"], "visible": false}]"#,
        )],
    ),
    (
        Code::AlreadyConverted,
        &[
            figure("customer_id", Text, ("The customer that it became.", "转化成的客户。"), SOME_ID),
            figure("contact_id", Text, ("The contact that it became.", "转化成的联系人。"), SOME_ID),
            figure(
                "opportunity_id",
                Text,
                ("The opportunity that it became; null if it became none.", "转化成的商机；没有则为 null。"),
                "null",
            ),
        ],
    ),
    (
        Code::StageRequirementsMissing,
        &[figure(
            "missing",
            List,
            ("The members that are empty.", "未填写的成员。"),
            r#"["amount", "grade"]"#,
        )],
    ),
    (
        Code::ContractDecides,
        &[figure("contract_id", Text, ("The contract that decides.", "起决定作用的合同。"), SOME_ID)],
    ),
    (
        Code::PendingApproval,
        &[
            figure(
                "customer_change_id",
                Text,
                ("Of a customer: the change of it that waits.", "客户：等待审批的变更。"),
                "",
            ),
            figure(
                "stage_id",
                Text,
                ("Of an opportunity: the stage that it is to enter.", "商机：将要进入的阶段。"),
                "",
            ),
        ],
    ),
    (
        Code::ApprovalRequired,
        &[figure(
            "subject_kind",
            Text,
            ("Which approval it takes.", "需要哪一种审批。"),
            r#""customer_change""#,
        )],
    ),
    (
        Code::NoEligibleApprover,
        &[figure(
            "step",
            Text,
            (
                "The step that nobody could decide; null if it has no name.",
                "没有可审批用户的步骤；没有名称则为 null。",
            ),
            r#""Finance""#,
        )],
    ),
    (
        Code::AlreadyDecided,
        &[figure("approval_status", Text, ("How it was decided.", "审批的结果。"), r#""approved""#)],
    ),
    (
        Code::RemindedRecently,
        &[figure(
            "next_at",
            Text,
            ("From when on they may be reminded again.", "何时起可以再次催办。"),
            r#""2026-02-01T09:00:00.000Z""#,
        )],
    ),
    (
        Code::StaleApproval,
        &[
            figure(
                "reviewed_version",
                Integer,
                ("The version that was submitted.", "提交审批时的版本。"),
                "3",
            ),
            figure("present_version", Integer, ("The present version.", "当前版本。"), "4"),
        ],
    ),
    (
        Code::ContractIncomplete,
        &[figure(
            "customer_owner_id",
            Text,
            (
                "Who owns the customer, where somebody else owns the contract.",
                "客户与合同的负责人不同时，客户的负责人。",
            ),
            SOME_ID,
        )],
    ),
    (
        Code::InvoiceIncomplete,
        &[figure(
            "missing",
            Text,
            ("The member that is not complete.", "尚不完整的成员。"),
            r#""tax_profile""#,
        )],
    ),
    (
        Code::AmendmentBelowSums,
        &[
            figure("amount", Object, ("The new amount.", "变更后的金额。"), CNY_90),
            figure(
                "invoice_committed",
                Object,
                ("What is invoiced or to be invoiced.", "已开票或待开票的金额。"),
                CNY_100,
            ),
            figure("received", Object, ("What was received.", "已回款的金额。"), CNY_0),
        ],
    ),
    (
        Code::InstallmentHasPayments,
        &[
            figure("installment_id", Text, ("The installment.", "该期回款计划。"), SOME_ID),
            figure("allocated", Object, ("What was put on it.", "已分配到该期的回款。"), CNY_50),
        ],
    ),
    (
        Code::InstallmentsMismatch,
        &[
            figure("installments", Object, ("The sum of the installments.", "各期回款计划的合计。"), CNY_90),
            figure("amount", Object, ("The contract's amount.", "合同金额。"), CNY_100),
        ],
    ),
    (
        Code::ContractNotActive,
        &[figure("contract_status", Text, ("The contract's state.", "合同当前的状态。"), r#""draft""#)],
    ),
    (
        Code::InvoiceExceedsContract,
        &[
            figure("amount", Object, ("The invoice's amount.", "本次开票金额。"), CNY_90),
            figure("contract_amount", Object, ("The contract's amount.", "合同金额。"), CNY_100),
            figure(
                "already_committed",
                Object,
                ("What is invoiced or to be invoiced.", "已开票或待开票的金额。"),
                CNY_50,
            ),
            figure("remaining", Object, ("What may still be invoiced.", "最多还可开票的金额。"), CNY_50),
        ],
    ),
    (Code::InvoiceCredited, &[figure("credited", Object, ("What was credited.", "已红冲的金额。"), CNY_50)]),
    (
        Code::CreditExceedsInvoice,
        &[
            figure("amount", Object, ("What is to be credited.", "本次红冲金额。"), CNY_90),
            figure("credited", Object, ("What was credited before.", "此前已红冲的金额。"), CNY_50),
            figure("allocated", Object, ("What was paid for it.", "已分配到该发票的回款。"), CNY_0),
            figure("remaining", Object, ("What may still be credited.", "最多还可红冲的金额。"), CNY_50),
        ],
    ),
    (
        Code::InvoiceHasPayments,
        &[
            figure("allocated", Object, ("What was paid for it.", "已分配到该发票的回款。"), CNY_50),
            figure(
                "amount",
                Object,
                ("Of a credit note: what is to be credited.", "红冲时：本次红冲金额。"),
                "",
            ),
            figure(
                "credited",
                Object,
                ("Of a credit note: what was credited before.", "红冲时：此前已红冲的金额。"),
                "",
            ),
            figure(
                "remaining",
                Object,
                ("Of a credit note: what may still be credited.", "红冲时：最多还可红冲的金额。"),
                "",
            ),
        ],
    ),
    (
        Code::PaymentExceedsContract,
        &[
            figure("amount", Object, ("The payment's amount.", "本次回款金额。"), CNY_90),
            figure("contract_amount", Object, ("The contract's amount.", "合同金额。"), CNY_100),
            figure(
                "already_received",
                Object,
                ("What was recorded or confirmed before.", "此前已登记或已确认的回款。"),
                CNY_50,
            ),
            figure("remaining", Object, ("What may still be paid.", "最多还可回款的金额。"), CNY_50),
        ],
    ),
    (
        Code::ReceiptMismatch,
        &[
            figure("amount", Object, ("The receipt's amount.", "到账流水的金额。"), CNY_100),
            figure("payment_amount", Object, ("The payment's amount.", "回款的金额。"), CNY_90),
        ],
    ),
    (
        Code::PaymentRefunded,
        &[
            figure("refunded", Object, ("What was paid back.", "已退款的金额。"), CNY_50),
            figure(
                "pending",
                Object,
                (
                    "What waits to be confirmed, where refunds are in the way that wait.",
                    "因待确认的退款而被拒绝时，待确认的退款金额。",
                ),
                "",
            ),
        ],
    ),
    (
        Code::RefundExceedsPayment,
        &[
            figure("amount", Object, ("The refund's amount.", "本次退款金额。"), CNY_90),
            figure("refunded", Object, ("What was paid back before.", "此前已退款的金额。"), CNY_0),
            figure("pending", Object, ("What waits to be confirmed.", "待确认的退款金额。"), CNY_50),
            figure("remaining", Object, ("What may still be paid back.", "最多还可退款的金额。"), CNY_50),
        ],
    ),
    (
        Code::AllocationExceedsOpen,
        &[
            figure(
                "target",
                Text,
                ("On what it is put: `invoice` or `installment`.", "分配对象：`invoice` 或 `installment`。"),
                r#""invoice""#,
            ),
            figure("target_id", Text, ("On which one, where it was named.", "所指定的分配对象。"), SOME_ID),
            figure("amount", Object, ("What is to be put on it.", "要分配的金额。"), CNY_90),
            figure("open", Object, ("What is open on it.", "其未结金额。"), CNY_50),
        ],
    ),
    (
        Code::AllocationMismatch,
        &[
            figure("allocations", Object, ("The sum of the allocations.", "分配的合计。"), CNY_90),
            figure("amount", Object, ("The payment's amount.", "回款金额。"), CNY_100),
        ],
    ),
    (
        Code::NothingToAllocate,
        &[
            figure(
                "target",
                Text,
                (
                    "On what it would be put: `invoice` or `installment`.",
                    "分配对象：`invoice` 或 `installment`。",
                ),
                r#""invoice""#,
            ),
            figure("amount", Object, ("The payment's amount.", "回款金额。"), CNY_100),
            figure("open", Object, ("What is open in all.", "未结金额的合计。"), CNY_50),
        ],
    ),
];

const CNY_0: &str = r#"{"amount": "0.00", "currency": "CNY"}"#;
const CNY_50: &str = r#"{"amount": "50.00", "currency": "CNY"}"#;
const CNY_90: &str = r#"{"amount": "90.00", "currency": "CNY"}"#;
const CNY_100: &str = r#"{"amount": "100.00", "currency": "CNY"}"#;
