//! What is said of single values, by the code of the rule.

use fairlead_domain::error::FieldError;

use super::{filled, patterns, phrases};

/// Of the lines of a rule, the first counts whose figures are all there. A rule without line keeps its English message.
pub(super) const MESSAGES: &[(&str, &str)] = &[
    ("length", "长度须为 {min} 至 {max}"),
    ("length", "长度不得少于 {min}"),
    ("length", "长度不得超过 {max}"),
    ("length", "长度不符合要求"),
    ("range", "须在 {min} 至 {max} 之间"),
    ("range", "不得小于 {min}"),
    ("range", "不得大于 {max}"),
    ("range", "超出允许的范围"),
    ("required", "必须填写"),
    ("empty_file", "文件是空的"),
    ("distinct", "不能重复"),
    ("duplicate", "该值已被占用"),
    ("unknown_reference", "该记录不存在，或您无权查看"),
    ("merged_reference", "该记录已合并到另一条记录"),
    ("immutable", "创建后不能修改"),
    ("nothing_changes", "至少要有一处变更"),
    ("not_wanted", "此处不能填写"),
    ("control_character", "不能含有控制字符或改变文字方向的字符"),
    ("email", "须为有效的邮箱地址"),
    ("phone", "须为有效的电话号码"),
    ("url", "须为有效的网址"),
    ("https", "须为以 https 开头的地址"),
    ("unreachable", "须指向互联网上的其他主机"),
    ("origin", "须为不带路径的网站来源，例如 https://example.com"),
    ("invalid_id", "须为带连字符的 UUID"),
    ("invalid_date", "须为有效的日期，例如 2026-01-31"),
    ("invalid_month", "须为有效的月份，例如 2026-01"),
    ("invalid_timestamp", "须为有效的时间（RFC 3339），例如 2026-01-31T08:30:00.000Z"),
    ("year_out_of_range", "年份须在 1900 至 9999 之间"),
    ("unknown_time_zone", "须为 IANA 时区名称，例如 Asia/Shanghai"),
    ("in_future", "不能晚于现在"),
    ("in_past", "不能早于现在"),
    ("dates_out_of_order", "结束日期不能早于开始日期"),
    ("ends_before_it_begins", "结束时间须晚于开始时间"),
    ("due_at_required", "任务须填写截止时间 due_at"),
    ("days_order", "须为 1 至 3650 的天数，且逐个递增"),
    // Money and numbers.
    ("invalid_amount", "须为十进制数字，例如 12000.00"),
    ("malformed_amount", "逗号只能用作千位分隔符，小数点须为“.”"),
    ("too_many_decimals", "小数位数超出该币种允许的位数"),
    ("amount_out_of_range", "金额过大"),
    ("not_positive", "必须大于零"),
    ("unknown_currency", "须为 ISO 4217 币种代码，例如 CNY"),
    ("currency_mismatch", "币种不一致"),
    ("invalid_rate", "须为 0 至 1 之间、最多 4 位小数的小数，例如 0.13"),
    ("invalid_quantity", "须为大于零且位数不超限的数量"),
    ("line_items_mismatch", "金额须等于明细行的合计 {sum}"),
    ("line_items_mismatch", "有明细行时须填写金额"),
    ("shares_mismatch", "各份比例之和须为 1"),
    ("wrong_sum", "各部分之和须等于总金额"),
    // Leads.
    ("grades_order", "warm_from 须小于 hot_from"),
    ("one_receiver", "须指定用户或团队之一"),
    ("value", "该运算符所需的比较值缺失、多余或无效"),
    ("operator", "该运算符不适用于此字段"),
    ("amount", "须为带币种的金额，例如 100000 CNY"),
    ("source", "须为有效的来源"),
    ("not_asked", "表单没有这一项"),
    // Customers, pools and transfers.
    ("customers_only", "只有转移客户时才能带上其他记录"),
    ("default_needed", "必须保留一个默认项，请改将另一个设为默认"),
    ("dry_run_only", "其他规则只能试运行"),
    ("one_of_both", "只能选择交接或保留之一"),
    // Pipelines and opportunities.
    ("end_stages", "须恰有一个赢单阶段和一个输单阶段"),
    ("stage_order", "进行中的阶段在前，赢单和输单阶段在后"),
    ("signing_stage", "只有最后一个进行中的阶段可以发起合同"),
    ("gate", "只有前面还有阶段的进行中阶段可以要求审批"),
    ("unknown_stage", "该销售流程没有这个阶段"),
    ("not_an_open_stage", "须为另一个进行中的阶段；赢单由合同决定，输单请用 `lose`"),
    // Contracts and what is sold.
    ("other_customer", "须为同一客户的合同"),
    ("one_pattern", "须按比例或按月之一"),
    ("out_of_range", "计划的结束日期过远"),
    ("not_sold", "该产品已停售"),
    ("no_price", "没有适用的价目"),
    ("invalid_file_name", "须为一行 1 至 200 个字符的文件名，不含 / 和 \\，且不以点开头"),
    // Invoices, payments and receipts.
    ("before_contract", "不能早于合同签订或审批通过的日期"),
    ("before_invoice", "不能早于发票的开票日期"),
    ("before_payment", "不能早于回款的到账日期"),
    ("one_target", "须指定且只指定一个对象"),
    ("wrong_target", "与合同的回款方式不符"),
    ("no_such_column", "流水文件没有这一列"),
    ("several_columns", "流水文件中这一列不止一个"),
    ("invalid_date_format", "须为能写出完整日期的格式，例如 %d.%m.%Y"),
    ("invalid_csv", "不是有效的 CSV"),
    ("too_many_rows", "行数超出上限"),
    ("other_money", "该流水号已用于另一笔到账"),
    // Targets.
    ("one_subject", "须指定用户或团队之一"),
    // Approvals.
    ("invalid_approver_rule", "不是有效的审批人规则"),
    ("no_step_for_the_rest", "至少要有一个始终需要的步骤"),
    ("not_optional", "此类审批不能停用"),
    ("never_holds", "该条件不适用于此类审批"),
    ("nobody_decides", "没有足够的用户可以审批该步骤"),
    ("not_a_former_step", "须为当前步骤之前的步骤"),
    ("cannot_see_subject", "该用户无权查看审批的内容"),
    ("same_user", "须为另一位用户"),
    // Users and their views.
    ("role_key", "须为 2 至 40 个 a-z、0-9 或 _，且以字母开头"),
    ("wrong_password", "当前密码不正确"),
    ("cursor", "视图须从第一页开始"),
    ("query", "查询条件有误"),
];

/// What is said of a broken rule.
pub(super) fn message(error: &FieldError) -> String {
    let english = error.message.as_str();
    if let Some(phrase) = phrases::phrase(english) {
        return phrase.to_owned();
    }
    let by_rule = || {
        let mut lines = MESSAGES.iter().filter(|(of, _)| *of == error.code);
        let line = lines.find_map(|(_, template)| filled(template, &error.params));
        line.unwrap_or_else(|| english.to_owned())
    };
    match error.code.as_str() {
        "malformed" => malformed(english),
        "unknown_value" => reason(english).unwrap_or_else(|| "不是允许的值".to_owned()),
        // How days are written, a statement says by itself, and of money the currency counts.
        "invalid_date" | "invalid_amount" | "too_many_decimals" => {
            patterns::said(english).unwrap_or_else(by_rule)
        }
        // What several lists have together is the length of none.
        "length" if english.ends_with(" together") => patterns::said(english).unwrap_or_else(by_rule),
        // What is wrong with a view's query, its list says.
        "query" => reason(english).map_or_else(by_rule, |why| format!("查询条件有误：{why}")),
        _ => by_rule(),
    }
}

/// Whoever must change a program needs what the parser said, even where it is not known here.
fn malformed(english: &str) -> String {
    reason(english).unwrap_or_else(|| format!("请求无法解析（{english}）"))
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
