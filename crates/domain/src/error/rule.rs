use std::borrow::Cow;

use validator::ValidationError;

use crate::text_enum;

text_enum! {
    /// The stable code of a rule that a value breaks. Messages may change and are translated; codes never change.
    pub enum Rule {
        /// A text or a list is too short or too long; `min` and `max` say how long it may be.
        Length = "length" ("Wrong length", "长度不符"),
        /// A number is too small or too large; `min` and `max` say what it may be.
        Range = "range" ("Number out of range", "数值超出范围"),
        /// It is needed here.
        Required = "required" ("Needed", "必须填写"),
        /// It has no place here.
        NotWanted = "not_wanted" ("Not wanted here", "此处不能填写"),
        /// It is of another type, or cannot be read at all.
        Malformed = "malformed" ("Malformed", "无法解析"),
        /// It is not on the list of what is known; `allowed` may say what is.
        UnknownValue = "unknown_value" ("Unknown value", "未知的取值"),
        /// Something is named twice.
        Distinct = "distinct" ("Named twice", "内容重复"),
        /// Another record has this value, which only one may have.
        Duplicate = "duplicate" ("Taken", "已被占用"),
        /// The record that it names does not exist or is not visible to the caller.
        UnknownReference = "unknown_reference" ("Unknown record", "引用的记录不存在"),
        /// The record that it names was merged into another one, which `merged_into` names.
        MergedReference = "merged_reference" ("Merged record", "引用的记录已合并"),
        /// It cannot be changed after creation.
        Immutable = "immutable" ("Cannot be changed", "不可修改"),
        /// A change that changes nothing.
        NothingChanges = "nothing_changes" ("Nothing changes", "没有变更"),
        /// It has control characters, or such as turn the direction of text.
        ControlCharacter = "control_character" ("Control characters", "含有控制字符"),
        /// It is no e-mail address.
        Email = "email" ("Not an e-mail address", "邮箱地址无效"),
        /// It is no telephone number.
        Phone = "phone" ("Not a telephone number", "电话号码无效"),
        /// It is no web address, or has parts that are not wanted in one.
        Url = "url" ("Not a web address", "网址无效"),
        /// It is no address with https.
        Https = "https" ("Not an address with https", "不是 https 地址"),
        /// It does not lead to another machine on the internet.
        Unreachable = "unreachable" ("Not on the internet", "无法从互联网访问"),
        /// It is no origin of a web site, or has a path.
        Origin = "origin" ("Not an origin", "网站来源无效"),
        /// It is no UUID.
        InvalidId = "invalid_id" ("Not an id", "编号无效"),
        /// It is no date, or not in the format that was named.
        InvalidDate = "invalid_date" ("Not a date", "日期无效"),
        /// It is no month.
        InvalidMonth = "invalid_month" ("Not a month", "月份无效"),
        /// It is no instant as in RFC 3339.
        InvalidTimestamp = "invalid_timestamp" ("Not an instant", "时间无效"),
        /// The year is before 1900 or after 9999.
        YearOutOfRange = "year_out_of_range" ("Year out of range", "年份超出范围"),
        /// It is no time zone of the IANA list.
        UnknownTimeZone = "unknown_time_zone" ("Unknown time zone", "未知的时区"),
        /// It has happened, but is dated in the future.
        InFuture = "in_future" ("In the future", "晚于现在"),
        /// It is over already.
        InPast = "in_past" ("In the past", "早于现在"),
        /// The last day is before the first.
        DatesOutOfOrder = "dates_out_of_order" ("Dates out of order", "日期先后颠倒"),
        /// The end is not after the beginning.
        EndsBeforeItBegins = "ends_before_it_begins" ("Ends before it begins", "结束早于开始"),
        /// A task needs to be due at some time.
        DueAtRequired = "due_at_required" ("A deadline is needed", "需要截止时间"),
        /// Numbers of days are not from 1 to 3650, or do not rise.
        DaysOrder = "days_order" ("Days out of order", "天数顺序有误"),

        /// It is no decimal number.
        InvalidAmount = "invalid_amount" ("Not an amount", "金额无效"),
        /// An amount of a statement has a comma that is not between thousands.
        MalformedAmount = "malformed_amount" ("Misplaced comma", "逗号位置有误"),
        /// The amount has more decimals than its currency.
        TooManyDecimals = "too_many_decimals" ("Too many decimals", "小数位数过多"),
        /// The amount is too large to be kept exactly.
        AmountOutOfRange = "amount_out_of_range" ("Amount too large", "金额过大"),
        /// The amount is not above zero.
        NotPositive = "not_positive" ("Not above zero", "不大于零"),
        /// It is no currency of ISO 4217.
        UnknownCurrency = "unknown_currency" ("Unknown currency", "未知的币种"),
        /// The amount is of another currency than those it belongs to.
        CurrencyMismatch = "currency_mismatch" ("Another currency", "币种不一致"),
        /// It is no fraction from 0 to 1 with at most 4 decimals.
        InvalidRate = "invalid_rate" ("Not a rate", "比率无效"),
        /// It is no quantity: a number above zero that is neither too long nor too exact.
        InvalidQuantity = "invalid_quantity" ("Not a quantity", "数量无效"),
        /// The amount is not the sum of the line items; `sum` says what that is.
        LineItemsMismatch = "line_items_mismatch" ("Line items do not add up", "明细合计不符"),
        /// Shares do not add up to 1.
        SharesMismatch = "shares_mismatch" ("Shares do not add up", "比例合计不符"),
        /// Parts do not add up to the whole.
        WrongSum = "wrong_sum" ("Parts do not add up", "各部分合计不符"),

        /// Leads would be warm from a score at which they are hot.
        GradesOrder = "grades_order" ("Grades out of order", "等级界限颠倒"),
        /// An assignment rule names neither a user nor a team, or both.
        OneReceiver = "one_receiver" ("One receiver is wanted", "须指定一个接收方"),
        /// What a scoring rule compares with is missing, superfluous or empty.
        Value = "value" ("Nothing to compare with", "比较值有误"),
        /// The operator of a scoring rule does not fit the field.
        Operator = "operator" ("Operator does not fit", "运算符不适用"),
        /// What a scoring rule compares with is no amount with its currency.
        Amount = "amount" ("Not an amount with its currency", "不是带币种的金额"),
        /// What a scoring rule compares with is no source of leads.
        Source = "source" ("Not a source", "来源无效"),
        /// The web form does not ask this.
        NotAsked = "not_asked" ("Not asked", "表单未设此项"),

        /// Only transfers of customers take other records along.
        CustomersOnly = "customers_only" ("Of customers only", "仅限转移客户"),
        /// One must remain the default: make another one the default instead.
        DefaultNeeded = "default_needed" ("A default is needed", "需要默认项"),
        /// Rules other than the pool's can only be tried out.
        DryRunOnly = "dry_run_only" ("To be tried only", "只能试运行"),
        /// Records are handed over or kept, not both.
        OneOfBoth = "one_of_both" ("One or the other", "二者择一"),

        /// A pipeline has not exactly one won and one lost stage.
        EndStages = "end_stages" ("One won and one lost stage", "终止阶段有误"),
        /// The open stages of a pipeline do not come first, or the lost one comes before the won one.
        StageOrder = "stage_order" ("Stages out of order", "阶段顺序有误"),
        /// A stage other than the last open one starts the contract.
        SigningStage = "signing_stage" ("Cannot start the contract", "该阶段不能发起合同"),
        /// A stage needs an approval which is the first one, or not open.
        Gate = "gate" ("Cannot need an approval", "该阶段不能要求审批"),
        /// The pipeline has no such stage.
        UnknownStage = "unknown_stage" ("Unknown stage", "未知的阶段"),
        /// It is the present stage, or not an open one.
        NotAnOpenStage = "not_an_open_stage" ("Not another open stage", "不是另一个进行中的阶段"),

        /// The contract is another customer's.
        OtherCustomer = "other_customer" ("Another customer's", "属于其他客户"),
        /// A plan is made neither by shares nor in months, or by both.
        OnePattern = "one_pattern" ("One pattern is wanted", "须选择一种方式"),
        /// The plan would end too far away.
        OutOfRange = "out_of_range" ("Too far away", "日期过远"),
        /// The product is not sold any more.
        NotSold = "not_sold" ("Not sold any more", "已停售"),
        /// No price list has a price for it.
        NoPrice = "no_price" ("No price", "没有价格"),
        /// It is no name that a file may have.
        InvalidFileName = "invalid_file_name" ("Not a file name", "文件名无效"),
        /// The file is empty.
        EmptyFile = "empty_file" ("Empty file", "文件为空"),

        /// It is before the day on which the contract was signed or approved.
        BeforeContract = "before_contract" ("Before the contract", "早于合同"),
        /// It is before the day on which the invoice was issued.
        BeforeInvoice = "before_invoice" ("Before the invoice", "早于发票"),
        /// It is before the day on which the payment was received.
        BeforePayment = "before_payment" ("Before the payment", "早于回款"),
        /// None of two targets is named, or both.
        OneTarget = "one_target" ("One target is wanted", "须指定一个对象"),
        /// The contract is collected in another way: by invoices or by installments.
        WrongTarget = "wrong_target" ("Wrong target", "对象类型不符"),
        /// The statement has no such column.
        NoSuchColumn = "no_such_column" ("No such column", "没有该列"),
        /// The statement has several columns of this name.
        SeveralColumns = "several_columns" ("Several columns", "存在同名列"),
        /// It is no format that writes whole dates.
        InvalidDateFormat = "invalid_date_format" ("Not a format of dates", "日期格式无效"),
        /// It is no CSV.
        InvalidCsv = "invalid_csv" ("Not CSV", "CSV 无效"),
        /// The statement has more rows than it may.
        TooManyRows = "too_many_rows" ("Too many rows", "行数过多"),
        /// The bank reference belongs to a receipt of other money.
        OtherMoney = "other_money" ("Other money", "对应其他到账"),

        /// A performance target names neither a user nor a team, or both.
        OneSubject = "one_subject" ("One subject is wanted", "须指定一个考核对象"),

        /// It is no rule of who decides.
        InvalidApproverRule = "invalid_approver_rule" ("Not a rule of who decides", "审批人规则无效"),
        /// Every step of a flow has a condition, so that a request may need none.
        NoStepForTheRest = "no_step_for_the_rest" ("No step for the rest", "缺少兜底步骤"),
        /// Approvals of this kind cannot be switched off.
        NotOptional = "not_optional" ("Not optional", "不能停用"),
        /// What the condition asks about is never known of approvals of this kind.
        NeverHolds = "never_holds" ("Never holds", "条件永不成立"),
        /// There are not enough users who could decide the step.
        NobodyDecides = "nobody_decides" ("Nobody decides", "无人可审批"),
        /// The step is not before the present one.
        NotAFormerStep = "not_a_former_step" ("Not a former step", "不是之前的步骤"),
        /// The user cannot see what is to be approved.
        CannotSeeSubject = "cannot_see_subject" ("Cannot see it", "无权查看审批内容"),
        /// It must be another user.
        SameUser = "same_user" ("The same user", "是同一用户"),

        /// It is no key that a role may have.
        RoleKey = "role_key" ("Not a role's key", "角色标识无效"),
        /// It is not the present password.
        WrongPassword = "wrong_password" ("Wrong password", "密码错误"),
        /// A saved view does not begin at the first page.
        Cursor = "cursor" ("Not from the first page", "不是从第一页开始"),
        /// The list would refuse the query of a saved view.
        Query = "query" ("Query is refused", "查询条件有误"),
    }
}

impl Rule {
    /// What `validator` is told of a value that breaks the rule. Nobody else makes its errors, so that each has a rule
    /// and a message.
    pub fn error(self, message: impl Into<Cow<'static, str>>) -> ValidationError {
        ValidationError::new(self.as_str()).with_message(message.into())
    }

    /// The rule that `validator` says was broken: the one whose [`error`](Self::error) it is, or its own, which is
    /// called as its attribute. A test compares every attribute of the source with the rules; what it overlooked is
    /// told as a value that is not taken.
    pub(super) fn of(error: &ValidationError) -> Self {
        error.code.parse().unwrap_or(Self::UnknownValue)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::FieldError;

    #[test]
    fn validator_hands_back_the_rule_that_was_broken() {
        for rule in Rule::ALL {
            assert_eq!(Rule::of(&rule.error("must be otherwise")), *rule);
        }
        assert_eq!(Rule::of(&ValidationError::new("unheard_of")), Rule::UnknownValue);
    }

    #[test]
    fn a_rule_is_kept_and_read_as_its_code() {
        let kept =
            json!({"pointer": "/amount", "code": "too_many_decimals", "message": "CNY has 2 decimals"});
        let read: FieldError = serde_json::from_value(kept.clone()).unwrap();
        assert_eq!((read.code, json!(read)), (Rule::TooManyDecimals, kept));
    }
}
