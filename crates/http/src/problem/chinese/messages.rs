//! What is said of single values, by the code of the rule.

use fairlead_domain::error::{FieldError, Rule};

use super::{filled, patterns, phrases};

/// The lines of a rule, of which the first counts whose figures are all there; the last has none. There is no catch-all:
/// a new rule does not compile until it has a line here.
pub(super) const fn lines(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::Length => {
            &["长度须为 {min} 至 {max}", "长度不得少于 {min}", "长度不得超过 {max}", "长度不符合要求"]
        }
        Rule::Range => &["须在 {min} 至 {max} 之间", "不得小于 {min}", "不得大于 {max}", "超出允许的范围"],
        Rule::Required => &["必须填写"],
        Rule::NotWanted => &["此处不能填写"],
        Rule::Malformed => &["请求无法解析"],
        Rule::UnknownValue => &["不是允许的值"],
        Rule::Distinct => &["不能重复"],
        Rule::Duplicate => &["该值已被占用"],
        Rule::UnknownReference => &["该记录不存在，或您无权查看"],
        Rule::MergedReference => &["该记录已合并到另一条记录"],
        Rule::Immutable => &["创建后不能修改"],
        Rule::NothingChanges => &["至少要有一处变更"],
        Rule::ControlCharacter => &["不能含有控制字符或改变文字方向的字符"],
        Rule::Email => &["须为有效的邮箱地址"],
        Rule::Phone => &["须为有效的电话号码"],
        Rule::Url => &["须为有效的网址"],
        Rule::Https => &["须为以 https 开头的地址"],
        Rule::Unreachable => &["须指向互联网上的其他主机"],
        Rule::Origin => &["须为不带路径的网站来源，例如 https://example.com"],
        Rule::InvalidId => &["须为带连字符的 UUID"],
        Rule::InvalidDate => &["须为有效的日期，例如 2026-01-31"],
        Rule::InvalidMonth => &["须为有效的月份，例如 2026-01"],
        Rule::InvalidTimestamp => &["须为有效的时间（RFC 3339），例如 2026-01-31T08:30:00.000Z"],
        Rule::YearOutOfRange => &["年份须在 1900 至 9999 之间"],
        Rule::UnknownTimeZone => &["须为 IANA 时区名称，例如 Asia/Shanghai"],
        Rule::InFuture => &["不能晚于现在"],
        Rule::InPast => &["不能早于现在"],
        Rule::DatesOutOfOrder => &["结束日期不能早于开始日期"],
        Rule::EndsBeforeItBegins => &["结束时间须晚于开始时间"],
        Rule::DueAtRequired => &["任务须填写截止时间 due_at"],
        Rule::DaysOrder => &["须为 1 至 3650 的天数，且逐个递增"],
        Rule::InvalidAmount => &["须为十进制数字，例如 12000.00"],
        Rule::MalformedAmount => &["逗号只能用作千位分隔符，小数点须为“.”"],
        Rule::TooManyDecimals => &["小数位数超出该币种允许的位数"],
        Rule::AmountOutOfRange => &["金额过大"],
        Rule::NotPositive => &["必须大于零"],
        Rule::UnknownCurrency => &["须为 ISO 4217 币种代码，例如 CNY"],
        Rule::CurrencyMismatch => &["币种不一致"],
        Rule::InvalidRate => &["须为 0 至 1 之间、最多 4 位小数的小数，例如 0.13"],
        Rule::InvalidQuantity => &["须为大于零且位数不超限的数量"],
        Rule::LineItemsMismatch => &["金额须等于明细行的合计 {sum}", "有明细行时须填写金额"],
        Rule::SharesMismatch => &["各份比例之和须为 1"],
        Rule::WrongSum => &["各部分之和须等于总金额"],
        Rule::GradesOrder => &["warm_from 须小于 hot_from"],
        Rule::OneReceiver | Rule::OneSubject => &["须指定用户或团队之一"],
        Rule::Value => &["该运算符所需的比较值缺失、多余或无效"],
        Rule::Operator => &["该运算符不适用于此字段"],
        Rule::Amount => &["须为带币种的金额，例如 100000 CNY"],
        Rule::Source => &["须为有效的来源"],
        Rule::NotAsked => &["表单没有这一项"],
        Rule::CustomersOnly => &["只有转移客户时才能带上其他记录"],
        Rule::DefaultNeeded => &["必须保留一个默认项，请改将另一个设为默认"],
        Rule::DryRunOnly => &["其他规则只能试运行"],
        Rule::OneOfBoth => &["只能选择交接或保留之一"],
        Rule::EndStages => &["须恰有一个赢单阶段和一个输单阶段"],
        Rule::StageOrder => &["进行中的阶段在前，赢单和输单阶段在后"],
        Rule::SigningStage => &["只有最后一个进行中的阶段可以发起合同"],
        Rule::Gate => &["只有前面还有阶段的进行中阶段可以要求审批"],
        Rule::UnknownStage => &["该销售流程没有这个阶段"],
        Rule::NotAnOpenStage => &["须为另一个进行中的阶段；赢单由合同决定，输单请用 `lose`"],
        Rule::OtherCustomer => &["须为同一客户的合同"],
        Rule::OnePattern => &["须按比例或按月之一"],
        Rule::OutOfRange => &["计划的结束日期过远"],
        Rule::NotSold => &["该产品已停售"],
        Rule::NoPrice => &["没有适用的价目"],
        Rule::InvalidFileName => &[
            "扩展名须与文件类型相符，可为 {allowed}，也可以没有",
            "须为一行 1 至 200 个字符的文件名，不含控制字符、/ 和 \\，且不以点开头",
        ],
        Rule::EmptyFile => &["文件是空的"],
        Rule::BeforeContract => &["不能早于合同签订或审批通过的日期"],
        Rule::BeforeInvoice => &["不能早于发票的开票日期"],
        Rule::BeforePayment => &["不能早于回款的到账日期"],
        Rule::OneTarget => &["须指定且只指定一个对象"],
        Rule::WrongTarget => &["与合同的回款方式不符"],
        Rule::NoSuchColumn => &["流水文件没有这一列"],
        Rule::SeveralColumns => &["流水文件中这一列不止一个"],
        Rule::InvalidDateFormat => &["须为能写出完整日期的格式，例如 %d.%m.%Y"],
        Rule::InvalidCsv => &["不是有效的 CSV"],
        Rule::TooManyRows => &["行数超出上限"],
        Rule::OtherMoney => &["该流水号已用于另一笔到账"],
        Rule::InvalidApproverRule => &["不是有效的审批人规则"],
        Rule::NoStepForTheRest => &["至少要有一个始终需要的步骤"],
        Rule::NotOptional => &["此类审批不能停用"],
        Rule::NeverHolds => &["该条件不适用于此类审批"],
        Rule::NobodyDecides => &["没有足够的用户可以审批该步骤"],
        Rule::NotAFormerStep => &["须为当前步骤之前的步骤"],
        Rule::CannotSeeSubject => &["该用户无权查看审批的内容"],
        Rule::SameUser => &["须为另一位用户"],
        Rule::RoleKey => &["须为 2 至 40 个 a-z、0-9 或 _，且以字母开头"],
        Rule::WrongPassword => &["当前密码不正确"],
        Rule::Cursor => &["视图须从第一页开始"],
        Rule::Query => &["查询条件有误"],
    }
}

/// What is said of a broken rule.
pub(super) fn message(error: &FieldError) -> String {
    let english = error.message.as_str();
    if let Some(phrase) = phrases::phrase(english) {
        return phrase.to_owned();
    }
    let by_rule = || {
        let line = lines(error.code).iter().find_map(|template| filled(template, &error.params));
        line.unwrap_or_else(|| english.to_owned())
    };
    match error.code {
        // Whoever must change a program needs what the parser said, even where it is not known here.
        Rule::Malformed => reason(english).unwrap_or_else(|| format!("{}（{english}）", by_rule())),
        Rule::UnknownValue => reason(english).unwrap_or_else(by_rule),
        // How days are written, a statement says by itself, and of money the currency counts.
        Rule::InvalidDate | Rule::InvalidAmount | Rule::TooManyDecimals => {
            patterns::said(english).unwrap_or_else(by_rule)
        }
        // What several lists have together is the length of none.
        Rule::Length if english.ends_with(" together") => patterns::said(english).unwrap_or_else(by_rule),
        // What is wrong with a view's query, its list says.
        Rule::Query => reason(english).map_or_else(by_rule, |why| format!("查询条件有误：{why}")),
        _ => by_rule(),
    }
}

/// A sentence that cites something, or lists known words.
fn reason(english: &str) -> Option<String> {
    known(english).or_else(|| patterns::said(english))
}

/// A list of known words is the same in every language.
fn known(english: &str) -> Option<String> {
    let words = english.strip_prefix("expected one of ")?;
    Some(format!("须为下列值之一：{}", words.replace("` `", "`、`")))
}
