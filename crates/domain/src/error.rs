//! What the domain refuses, each with a stable code and its figures.

mod rule;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::text_enum;
use crate::values::json::JsonObject;
use crate::values::{Money, form, json as free};

pub use rule::Rule;

text_enum! {
    /// The stable code of a problem. Titles and details may change and are translated; codes never change.
    pub enum Code {
        /// The request cannot be read: broken JSON, a wrong type, an unknown member or parameter.
        MalformedRequest = "malformed_request" ("Malformed request", "请求格式错误"),
        /// The request is well-formed, but values break a rule; `errors` names each. An unknown value, such as a
        /// word that is not on a list, is named alone, before the others.
        ValidationFailed = "validation_failed" ("Validation failed", "数据校验未通过"),
        /// No token, or one that is expired, revoked or forged.
        Unauthenticated = "unauthenticated" ("Not authenticated", "未登录或登录已失效"),
        /// E-mail or password is wrong, or the account may not log in.
        InvalidCredentials = "invalid_credentials" ("Wrong e-mail or password", "邮箱或密码错误"),
        /// The refresh token is unknown, expired or was used before.
        InvalidRefreshToken = "invalid_refresh_token" ("Invalid refresh token", "刷新令牌无效"),
        /// The caller is not permitted to do this. Where a permission would allow it, `permission` says which one, or
        /// `permissions` says of which one would do.
        Forbidden = "forbidden" ("Not permitted", "没有权限"),
        /// The record does not exist, or is not visible to the caller.
        NotFound = "not_found" ("Not found", "未找到"),
        /// The path does not know this method.
        MethodNotAllowed = "method_not_allowed" ("Method not allowed", "不支持的请求方法"),
        /// The answer cannot be given in an accepted form.
        NotAcceptable = "not_acceptable" ("Not acceptable", "无法提供所要求的格式"),
        /// The record's state does not allow the action.
        InvalidTransition = "invalid_transition" ("Not possible in this state", "当前状态不允许此操作"),
        /// `If-Match` names another version than the present one.
        VersionMismatch = "version_mismatch" ("Changed in the meantime", "记录已被他人修改"),
        /// `If-Match` is missing.
        PreconditionRequired = "precondition_required" ("If-Match is missing", "缺少 If-Match 请求头"),
        /// The body is larger than allowed.
        PayloadTooLarge = "payload_too_large" ("Body too large", "请求内容过大"),
        /// The body is of a type that is not taken here, or not what its type says.
        UnsupportedMediaType = "unsupported_media_type" ("Unsupported media type", "不支持的内容类型"),
        /// A virus scanner found something in a file; `found` says what.
        InfectedFile = "infected_file" ("Infected file", "文件含有病毒"),
        /// A part of a file is asked for that it does not have; `size` says how long it is.
        RangeNotSatisfiable = "range_not_satisfiable" ("No such part", "请求的范围无效"),
        /// The body did not arrive in time.
        RequestTimeout = "request_timeout" ("Request timed out", "请求超时"),
        /// Too many attempts; `Retry-After` says when to try again.
        RateLimited = "rate_limited" ("Too many requests", "请求过于频繁"),
        /// The same idempotency key was used with another request.
        IdempotencyKeyReused = "idempotency_key_reused"
            ("Idempotency key used before", "幂等键已用于其他请求"),
        /// A request with the same idempotency key is still running.
        IdempotencyInProgress = "idempotency_in_progress"
            ("Same request still running", "相同请求正在处理中"),
        /// The cursor is not one of ours.
        InvalidCursor = "invalid_cursor" ("Invalid cursor", "分页游标无效"),
        /// The cursor belongs to another sort or filter.
        CursorMismatch = "cursor_mismatch" ("Cursor of another list", "分页游标与查询条件不符"),
        /// Something unexpected failed; the request id finds it in the log.
        Internal = "internal" ("Internal error", "服务器内部错误"),
        /// The database is away, or the server is stopping or overloaded.
        Unavailable = "unavailable" ("Temporarily unavailable", "服务暂时不可用"),

        /// The record was merged into another one; `Location` and `survivor_id` say into which.
        Merged = "merged" ("Merged into another record", "已合并到其他记录"),
        /// What was to be changed was merged into another record, so nothing was; `survivor_id` says into which.
        RecordMerged = "record_merged" ("Merged meanwhile", "记录已被合并"),
        /// A value that must be unique is taken; `errors` names the member.
        Duplicate = "duplicate" ("Duplicate", "数据重复"),
        /// A record that the request names does not exist, is not visible to the caller, or was merged into another
        /// one: then the rule in `errors` is `merged_reference`, and its `merged_into` says into which.
        UnknownReference = "unknown_reference" ("Unknown reference", "引用的记录不存在"),
        /// Other records depend on this one.
        InUse = "in_use" ("Still in use", "仍被使用"),
        /// Some operations of an all-or-nothing call were refused; `items` names each.
        BulkRefused = "bulk_refused" ("Some operations were refused", "部分操作被拒绝"),
        /// An amount of another currency is wanted.
        CurrencyMismatch = "currency_mismatch" ("Another currency is wanted", "币种不一致"),
        /// The amount cannot be kept exactly.
        AmountOutOfRange = "amount_out_of_range" ("Amount out of range", "金额超出范围"),

        /// The record has an owner already.
        AlreadyClaimed = "already_claimed" ("Already claimed", "已被领取"),
        /// The owner would own more records than allowed.
        OwnershipLimitReached = "ownership_limit_reached" ("Ownership limit reached", "持有数量已达上限"),
        /// No more claims today.
        DailyClaimLimitReached = "daily_claim_limit_reached"
            ("Daily claim limit reached", "今日领取次数已达上限"),
        /// No more pool customers opened today.
        DailyOpenLimitReached = "daily_open_limit_reached"
            ("Daily limit on opening reached", "今日查看公海客户次数已达上限"),
        /// The previous owner may not claim so soon.
        ClaimCoolDown = "claim_cool_down" ("Claimed again too soon", "尚在领取冷却期内"),
        /// The new owner cannot own records of this kind.
        OwnerNotEligible = "owner_not_eligible" ("Owner not eligible", "该用户不能成为负责人"),
        /// The record is already with this owner.
        AlreadyOwner = "already_owner" ("Already the owner", "该用户已是负责人"),
        /// Records named together belong to different owners.
        OwnersDiffer = "owners_differ" ("Different owners", "所属负责人不同"),
        /// Some records cannot be transferred any more; `items` names each.
        TransferObstructed = "transfer_obstructed" ("Cannot be transferred", "无法转移"),
        /// There are as many of these as there may be.
        TooMany = "too_many" ("Too many", "数量已达上限"),
        /// A user who is to be disabled owns records; how many of each is told.
        HandOverNeeded = "hand_over_needed" ("Records must be handed over", "需要先交接名下数据"),
        /// What is handed over cannot go to a pool.
        SuccessorNeeded = "successor_needed" ("A successor is needed", "需要指定接手人"),
        /// A transfer of the record is pending.
        PendingTransfer = "pending_transfer" ("Transfer pending", "存在待审批的转移"),
        /// The customer still has open business.
        CustomerHasOpenBusiness = "customer_has_open_business"
            ("Customer has open business", "客户仍有进行中的业务"),
        /// The customer has no owner.
        CustomerUnowned = "customer_unowned" ("Customer has no owner", "客户没有负责人"),
        /// Records that are there look like this one; `matches` tells which.
        PossibleDuplicate = "possible_duplicate" ("Possibly known already", "可能重复"),
        /// The lead was converted before; the links say into what.
        AlreadyConverted = "already_converted" ("Already converted", "线索已转化"),

        /// Required fields of the stage are empty.
        StageRequirementsMissing = "stage_requirements_missing"
            ("Stage requirements missing", "未满足阶段要求"),
        /// Going back to a former stage needs a reason.
        ReasonRequired = "reason_required" ("A reason is required", "需要填写原因"),
        /// A contract decides about this opportunity.
        ContractDecides = "contract_decides" ("The contract decides", "须由合同决定"),

        /// An approval is pending, the record cannot be changed.
        PendingApproval = "pending_approval" ("Approval pending", "审批进行中"),
        /// This takes an approval; `subject_kind` says which.
        ApprovalRequired = "approval_required" ("An approval is required", "需要审批"),
        /// No user can decide one of the steps.
        NoEligibleApprover = "no_eligible_approver" ("Nobody can approve", "没有可用的审批人"),
        /// Nobody decides what they asked for, own, or decided before.
        SeparationOfDuties = "separation_of_duties" ("Separation of duties", "违反职责分离"),
        /// The approval was decided before.
        AlreadyDecided = "already_decided" ("Already decided", "已作出审批决定"),
        /// Those for whom it waits were reminded not long ago; `next_at` says when they may be again.
        RemindedRecently = "reminded_recently" ("Reminded not long ago", "刚刚已催办"),
        /// A rejection needs a comment.
        CommentRequired = "comment_required" ("A comment is required", "需要填写意见"),
        /// The approval belongs to an older version of the record.
        StaleApproval = "stale_approval" ("Approval of an older version", "审批对应的版本已过期"),

        /// The contract is not ready to be submitted.
        ContractIncomplete = "contract_incomplete" ("Contract incomplete", "合同信息不完整"),
        /// The invoice is not ready to be submitted.
        InvoiceIncomplete = "invoice_incomplete" ("Invoice incomplete", "发票信息不完整"),
        /// More is invoiced or received than the contract's new amount.
        AmendmentBelowSums = "amendment_below_sums"
            ("More is invoiced or received", "变更金额低于已开票或已回款金额"),
        /// More was put on an installment than it is to be, or it is to be left out.
        InstallmentHasPayments = "installment_has_payments"
            ("Installment has payments", "该期回款计划已有回款"),
        /// Installments do not add up to the contract's amount.
        InstallmentsMismatch = "installments_mismatch"
            ("Installments do not add up", "回款计划合计与合同金额不符"),
        /// The contract does not run.
        ContractNotActive = "contract_not_active" ("Contract does not run", "合同未在执行中"),
        /// Invoices would exceed the contract's amount.
        InvoiceExceedsContract = "invoice_exceeds_contract"
            ("Invoices exceed the contract", "开票金额超出合同金额"),
        /// A part of the invoice was credited.
        InvoiceCredited = "invoice_credited" ("Invoice was credited", "发票已部分红冲"),
        /// Credit notes would exceed the invoice.
        CreditExceedsInvoice = "credit_exceeds_invoice"
            ("Credit exceeds the invoice", "红冲金额超出发票金额"),
        /// Payments are allocated to the invoice.
        InvoiceHasPayments = "invoice_has_payments" ("Invoice has payments", "发票已有回款"),
        /// Payments would exceed the contract's amount.
        PaymentExceedsContract = "payment_exceeds_contract"
            ("Payments exceed the contract", "回款金额超出合同金额"),
        /// The receipt and the payment are not the same amount.
        ReceiptMismatch = "receipt_mismatch" ("Receipt and payment differ", "到账金额与回款金额不符"),
        /// A part of the payment was paid back.
        PaymentRefunded = "payment_refunded" ("Payment was refunded", "回款已部分退款"),
        /// Refunds would exceed the payment.
        RefundExceedsPayment = "refund_exceeds_payment"
            ("Refunds exceed the payment", "退款金额超出回款金额"),
        /// Allocations would exceed what is open on an invoice or installment.
        AllocationExceedsOpen = "allocation_exceeds_open"
            ("Allocation exceeds what is open", "分配金额超出未结金额"),
        /// Allocations do not add up to the payment's amount.
        AllocationMismatch = "allocation_mismatch" ("Allocations do not add up", "分配合计与回款金额不符"),
        /// The contract's issued invoices have less open than the payment.
        NothingToAllocate = "nothing_to_allocate" ("Nothing to allocate to", "没有可分配的发票"),

        /// The team would be below itself.
        TeamCycle = "team_cycle" ("Team below itself", "团队层级出现循环"),
        /// A built-in role cannot be changed; copy it.
        BuiltInRole = "built_in_role" ("Built-in role", "内置角色不可修改"),
        /// Somebody must remain who can manage access.
        LastAdministrator = "last_administrator" ("Last administrator", "至少保留一名管理员"),
    }
}

/// One broken rule of one member of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Where in the body: a JSON pointer (RFC 6901). For query parameters, the parameter's name.
    #[schema(example = "/name", max_length = 200)]
    pub pointer: String,
    /// The stable code of the rule.
    pub code: Rule,
    /// For people, in English or Chinese by `Accept-Language`.
    #[schema(example = "must have between 1 and 200 characters", max_length = 500)]
    pub message: String,
    /// The figures of the rule, such as `min` and `max`, the words that it knows (`allowed`), and the record into which
    /// another one was merged (`merged_into`).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = RuleFigures)]
    pub params: Map<String, Value>,
}

/// The figures of a broken rule, as the specification describes them.
#[derive(Debug, Clone, Copy)]
pub struct RuleFigures;

impl PartialSchema for RuleFigures {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Number);
        let word = ObjectBuilder::new().schema_type(Type::String).max_length(Some(100));
        let words = ArrayBuilder::new().items(word).max_items(Some(200));
        let money = free::reference::<Money>();
        let id = ObjectBuilder::new().schema_type(Type::String);
        let id = id.format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        let figure = OneOfBuilder::new().item(number).item(words).item(money).item(id);
        free::map_of(
            figure,
            "The figures of a broken rule: limits, known words, what was to be, and records.",
        )
        .examples([json!({"min": 1, "max": 200})])
        .into()
    }
}
impl ToSchema for RuleFigures {
    fn schemas(named: &mut Vec<(String, RefOr<Schema>)>) {
        free::name::<Money>(named);
    }
}

/// The figures of a refusal, as the specification describes them.
#[derive(Debug, Clone, Copy)]
pub struct Figures;

impl PartialSchema for Figures {
    fn schema() -> RefOr<Schema> {
        let figure = free::any_value("A figure; what it is depends on the code.");
        free::map_of(figure, "The figures of a refusal, which depend on its code.")
            .examples([json!({"limit": 50, "owned": 50})])
            .into()
    }
}
impl ToSchema for Figures {
    fn schemas(named: &mut Vec<(String, RefOr<Schema>)>) {
        free::name::<JsonObject>(named);
    }
}

/// An expected, typed "no".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of "no".
    pub code: Code,
    /// For people, with the figures in words, in English. Other languages are made from the code and the figures.
    pub detail: String,
    /// The figures for programs: members of the problem document.
    pub figures: Map<String, Value>,
    /// Broken rules of single members. Boxed, so that a `Result` with a refusal stays small.
    pub errors: Box<[FieldError]>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// A refusal without figures.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), figures: Map::new(), errors: Box::default() }
    }

    /// Adds a figure.
    #[must_use]
    pub fn with(mut self, name: &str, figure: impl Serialize) -> Self {
        self.figures.insert(name.to_owned(), json!(figure));
        self
    }

    /// The record does not exist or is not visible: the two look the same.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "no such record, or it is not visible to you")
    }

    /// One member of the form breaks a rule.
    pub fn invalid(pointer: &str, rule: Rule, message: impl Into<String>) -> Self {
        let error = FieldError {
            pointer: pointer.to_owned(),
            code: rule,
            message: message.into(),
            params: Map::new(),
        };
        Self { errors: Box::new([error]), ..Self::new(Code::ValidationFailed, "a value breaks a rule") }
    }

    /// A value that only one record may have is another's.
    pub fn duplicate(pointer: &str) -> Self {
        let detail = "a value that must be unique is taken".to_owned();
        Self {
            code: Code::Duplicate,
            detail,
            ..Self::invalid(pointer, Rule::Duplicate, "this value is taken")
        }
    }

    /// A record named in the form does not exist or is not visible.
    pub fn unknown_reference(pointer: &str) -> Self {
        let message = "no such record, or it is not visible to you";
        Self { code: Code::UnknownReference, ..Self::invalid(pointer, Rule::UnknownReference, message) }
    }

    /// A record named in the form was merged into another one, which the caller may see.
    pub fn merged_reference(pointer: &str, survivor: Uuid) -> Self {
        let message = "the record was merged into another one";
        let refusal =
            Self::invalid(pointer, Rule::MergedReference, message).with_param("merged_into", survivor);
        Self { code: Code::UnknownReference, ..refusal }
    }

    /// Adds a figure of the rule to what is said of a member.
    #[must_use]
    pub fn with_param(mut self, name: &str, figure: impl Serialize) -> Self {
        let figure = json!(figure);
        for error in &mut self.errors {
            error.params.insert(name.to_owned(), figure.clone());
        }
        self
    }

    /// The same about a value that stands deeper: `pointer` leads to it.
    #[must_use]
    pub fn within(mut self, pointer: &str) -> Self {
        for error in &mut self.errors {
            error.pointer.insert_str(0, pointer);
        }
        self
    }

    /// The same of one of many items, whose errors say in which.
    #[must_use]
    pub fn within_item(mut self, index: usize) -> Self {
        let item = format!("/items/{index}");
        for error in self.errors.iter_mut().filter(|error| !error.pointer.starts_with(&item)) {
            error.pointer.insert_str(0, &item);
        }
        self
    }

    /// The request cannot be read; `pointer` says where.
    pub fn malformed(pointer: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut refusal = Self::invalid(pointer, Rule::Malformed, message.clone());
        refusal.code = Code::MalformedRequest;
        refusal.detail = message;
        refusal
    }

    /// A word that is none of those that there may be.
    pub fn unknown_word<W: AsRef<str> + Serialize>(pointer: &str, message: &str, allowed: &[W]) -> Self {
        let mut refusal = Self::malformed(pointer, message);
        for error in &mut refusal.errors {
            error.code = Rule::UnknownValue;
        }
        refusal.with_param("allowed", allowed)
    }

    /// What a failed read of a JSON value says: malformed, or a broken rule when the value's type said so.
    pub(crate) fn from_form(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let mut pointer = form::pointer(error.path());
        let text = error.inner().to_string();
        let broken = form::classify(&text);
        let member = broken.map_or_else(|| form::absent_or_repeated(&text), |broken| broken.member);
        // Names that came with the request may begin with a slash as well; those are no pointers.
        match member {
            Some(deeper) if broken.is_some() && deeper.starts_with('/') => pointer.push_str(deeper),
            Some(member) => form::push_segment(&mut pointer, member),
            None => {}
        }
        match broken {
            Some(broken) if broken.rule == Rule::Malformed => Self::malformed(&pointer, broken.message),
            Some(broken) => Self::invalid(&pointer, broken.rule, broken.message),
            None => Self::malformed(&pointer, form::in_words(text)),
        }
    }
}

impl From<ValidationErrors> for Refusal {
    fn from(errors: ValidationErrors) -> Self {
        let mut refusal = Self::new(Code::ValidationFailed, "one or more values break a rule");
        let mut broken = Vec::new();
        flatten("", &errors, &mut broken);
        broken.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        refusal.errors = broken.into();
        refusal
    }
}

fn flatten(parent: &str, errors: &ValidationErrors, out: &mut Vec<FieldError>) {
    for (member, kind) in errors.errors() {
        let mut pointer = parent.to_owned();
        // An empty name is the value itself, "__all__" a rule over the whole object.
        if !member.is_empty() && member != "__all__" && member != "_tmp_validator" {
            form::push_segment(&mut pointer, member.strip_prefix("r#").unwrap_or(member));
        }
        match kind {
            ValidationErrorsKind::Field(rules) => {
                out.extend(rules.iter().map(|rule| broken_rule(&pointer, rule)));
            }
            ValidationErrorsKind::Struct(inner) => flatten(&pointer, inner, out),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    flatten(&format!("{pointer}/{index}"), inner, out);
                }
            }
        }
    }
}

fn broken_rule(pointer: &str, rule: &ValidationError) -> FieldError {
    // The validator keeps figures in a hash map, which is in another order each time.
    let figures: BTreeMap<&str, &Value> =
        rule.params.iter().map(|(name, figure)| (&**name, figure)).collect();
    let named = figures.into_iter().filter(|(name, _)| *name != "value");
    FieldError {
        pointer: pointer.to_owned(),
        code: Rule::of(rule),
        message: rule.message.as_ref().map_or_else(|| sentence(rule), ToString::to_string),
        // Backwards, so that `min` stands before `max`.
        params: named.rev().map(|(name, figure)| (name.to_owned(), figure.clone())).collect(),
    }
}

/// What a length or a range says that was given no words of its own.
fn sentence(rule: &ValidationError) -> String {
    let figure = |name: &str| rule.params.get(name);
    let (must, counted) = match (Rule::of(rule), figure("value")) {
        (Rule::Length, Some(Value::String(_))) => ("must have", " characters"),
        (Rule::Length, _) => ("must have", " items"),
        _ => ("must be", ""),
    };
    match (figure("min"), figure("max")) {
        (Some(min), Some(max)) => format!("{must} between {min} and {max}{counted}"),
        (Some(min), None) => format!("{must} at least {min}{counted}"),
        (None, Some(max)) => format!("{must} at most {max}{counted}"),
        (None, None) => rule.code.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use validator::Validate;

    use super::*;
    use crate::valid::Valid;

    #[derive(Debug, Validate)]
    struct Form {
        #[validate(length(min = 2, max = 9))]
        text: Option<String>,
        #[validate(length(max = 3))]
        list: Vec<u8>,
        #[validate(range(min = 1, max = 50))]
        number: u64,
        #[validate(range(min = 1))]
        least: i64,
        #[validate(range(max = 5, message = "must be small"))]
        own: i64,
    }

    #[test]
    fn a_rule_without_words_of_its_own_is_told_by_its_figures() {
        let form = Form { text: Some("é".to_owned()), list: vec![1; 4], number: 0, least: 0, own: 9 };
        let refusal = Valid::check(form).unwrap_err();
        let told: Vec<(&str, &str)> =
            refusal.errors.iter().map(|error| (&*error.pointer, &*error.message)).collect();
        assert_eq!(
            told,
            [
                ("/least", "must be at least 1"),
                ("/list", "must have at most 3 items"),
                ("/number", "must be between 1 and 50"),
                ("/own", "must be small"),
                ("/text", "must have between 2 and 9 characters"),
            ]
        );
    }

    #[test]
    fn figures_stand_in_one_order() {
        // A hash map of its own each time: one of so many would be in the other order.
        for _ in 0..64 {
            let form = Form { text: None, list: Vec::new(), number: 51, least: 1, own: 1 };
            let refusal = Valid::check(form).unwrap_err();
            assert_eq!(json!(refusal.errors[0].params).to_string(), r#"{"min":1,"max":50}"#);
        }
    }
}
