//! Sentences that never vary, by their English wording. One code has many reasons, such as the separation of duties,
//! and its meaning says less than they do. A sentence that was reworded loses its line here and is told by its code; a
//! test names it.

pub(super) const PHRASES: &[(&str, &str)] = &[
    // Separation of duties.
    ("whoever recorded a payment does not confirm it", "登记回款的人不能确认该回款。"),
    ("whoever corrected a payment does not confirm it", "更正过回款的人不能确认该回款。"),
    ("nobody confirms the payments of their contract", "任何人都不能确认自己合同的回款。"),
    ("whoever recorded a refund does not confirm it", "登记退款的人不能确认该退款。"),
    ("nobody confirms the refunds of their contract", "任何人都不能确认自己合同的退款。"),
    ("nobody decides what they asked for", "任何人都不能审批自己申请的事项。"),
    ("nobody decides about what they own", "任何人都不能审批自己负责的记录。"),
    ("nobody decides about what they would receive", "任何人都不能审批将由自己接收的记录。"),
    ("nobody decides two steps of one request", "同一个人不能审批同一申请的两个步骤。"),
    (
        "nobody decides for somebody who must not decide it themselves",
        "不能代替本身不得审批该事项的人作出决定。",
    ),
    ("nobody hands over to themselves", "不能把记录交接给自己。"),
    ("nobody sets their own target", "任何人都不能设定自己的业绩目标。"),
    (
        "customers of this grade are merged by somebody who does not own them",
        "此等级的客户须由不是其负责人的人合并。",
    ),
    // Rights that no permission gives.
    ("a view is changed by its owner only", "视图只能由其所有者修改。"),
    ("an activity is changed by its author only", "跟进只能由其作者修改。"),
    (
        "an open task is changed by its author, and by whoever has what it is about",
        "未完成的任务只能由其作者、所涉记录的负责人及其上级修改。",
    ),
    ("this form is sent from other sites", "此表单只接受来自指定网站的提交。"),
    ("only whoever made the request takes it back", "只有申请人可以撤回。"),
    ("only whoever made the request reminds of it", "只有申请人可以催办。"),
    ("the present step is decided by others", "当前步骤由他人审批。"),
    // Approvals.
    (
        "customers of this grade are changed by approval; ask for it with /customer-changes",
        "此等级客户的变更需要审批，请通过 /customer-changes 申请。",
    ),
    (
        "customers of this grade are merged by whoever approves changes of them",
        "此等级的客户只能由可以审批其变更的人合并。",
    ),
    ("withdraw the approval to change the invoice", "审批进行中；如需修改发票，请先撤回审批。"),
    ("withdraw the approval to change the contract", "审批进行中；如需修改合同，请先撤回审批。"),
    ("what is asked about stays as it is; withdraw the approval", "审批进行中，内容不能变动；请先撤回审批。"),
    ("an approval of its next stage is pending; withdraw it first", "其下一阶段的审批进行中，请先撤回。"),
    (
        "an approval of the contract, of an amendment or of one of its invoices is pending",
        "合同、合同变更或其发票的审批进行中。",
    ),
    ("another amendment of the contract waits for approval", "该合同有另一个变更等待审批。"),
    ("another change of the customer waits for approval", "该客户有另一个变更等待审批。"),
    ("a change of the customer waits for approval; withdraw it first", "该客户有变更等待审批，请先撤回。"),
    ("a decision about the record that goes is pending", "将被合并掉的记录有审批进行中。"),
    ("the approval flow has no steps", "该审批流没有步骤。"),
    ("the customer changed after this was asked for", "申请之后客户已被修改。"),
    ("the contract's terms are no longer those that were to be changed", "合同条款已不是申请变更时的条款。"),
    ("there is no former step; reject the request instead", "之前没有步骤；请改为驳回。"),
    ("the present step was decided in part; add a step after it", "当前步骤已有人作出决定，请在其后加签。"),
    // States.
    ("only a draft can be changed", "只有草稿可以修改。"),
    ("only a draft can be deleted", "只有草稿可以删除。"),
    ("what never ran is not renewed", "从未执行过的合同不能续签。"),
    ("nothing is added to what was given up", "已取消的合同不能再添加附件。"),
    ("the user is active; disable them, or ask for a transfer", "该用户仍在使用中；请先停用，或申请转移。"),
    ("the lead has no owner", "该线索没有负责人。"),
    (
        "a special invoice needs the title and the tax number of whom it is issued to",
        "专用发票需要购买方的抬头和税号。",
    ),
    ("the customer belongs to somebody else than the contract", "客户与合同不属于同一位负责人。"),
    ("the opportunity has no amount", "该商机没有金额。"),
    // What depends on it.
    ("users have this role", "仍有用户使用该角色。"),
    ("requests for approval wait for this role", "仍有审批等待该角色处理。"),
    ("it took part in an approval; cancel it instead", "它参与过审批，不能删除；请改为取消。"),
    ("make another pipeline the default first", "请先将另一个销售流程设为默认。"),
    ("make another pool the default first", "请先将另一个公海设为默认。"),
    ("another receipt is matched with this payment", "该回款已与另一条到账流水匹配。"),
    (
        "other records depend on this one, or one that it names is gone",
        "有其他记录依赖于该记录，或它所引用的记录已不存在。",
    ),
    // Owners.
    ("the customer has an owner", "该客户已有负责人。"),
    ("the lead has an owner", "该线索已有负责人。"),
    ("claim or assign the customer first", "请先领取或分配该客户。"),
    (
        "of two customers of which one has an owner, that one survives",
        "两个客户中只有一个有负责人时，须保留有负责人的那一个。",
    ),
    ("transfer what belongs to one owner at a time", "一次只能转移同一位负责人的记录。"),
    ("the record has changed hands since the transfer was asked for", "申请转移之后，该记录已更换负责人。"),
    (
        "the customers have different owners; give or transfer one of them first",
        "两个客户的负责人不同，请先分配或转移其中一个。",
    ),
    (
        "you let it go without a response; it is somebody else's turn, or a manager gives it to you",
        "您未联系就放弃了该线索，现在应由他人领取，或由主管分配给您。",
    ),
    ("the receiver has no room for so many customers", "接收人持有的客户将超过上限。"),
    ("this cannot go to a pool; name a successor", "此类记录不能进入公海，请指定接手人。"),
    ("must have no NUL", "不能含有 NUL 字符。"),
    // Files.
    ("the content is not text in UTF-8", "文件内容不是 UTF-8 编码的文本。"),
    // HTTP.
    ("no such path", "没有这个路径。"),
    ("no such code", "没有这个错误代码。"),
    ("answers are `text/event-stream`", "应答的格式是 `text/event-stream`。"),
    ("answers are `application/json` or `text/html`", "应答的格式是 `application/json` 或 `text/html`。"),
    ("answers are `application/json`", "应答的格式是 `application/json`。"),
    ("the server is about to stop", "服务器即将停止。"),
    ("give one `Authorization: Bearer` header", "请提供一个 `Authorization: Bearer` 请求头。"),
    ("the scheme of `Authorization` must be `Bearer`", "`Authorization` 的认证方式必须是 `Bearer`。"),
    ("the session has ended, or the account may not log in", "会话已结束，或该账号不允许登录。"),
    ("give a parameter once", "每个参数只能出现一次"),
    ("expected true or false", "须为 true 或 false"),
    ("expected UTF-8, percent-encoded", "须为百分号编码的 UTF-8"),
    ("this operation takes no body", "此操作不接受请求内容"),
    ("a body is wanted", "缺少请求内容"),
    ("expected an object with the members to change", "须为含有要修改的成员的对象"),
    ("the body breaks off before its end", "请求内容不完整"),
    ("not one of our cursors", "该分页游标不是由本系统签发的"),
    ("not one of our points", "该同步点不是由本系统签发的"),
    ("the cursor belongs to another sort or filter", "该分页游标属于另一种排序或筛选条件"),
    ("say what the file is called", "请说明文件名"),
    // Pages of other sites.
    ("pages of this origin may not call the API", "不允许来自该网站的页面调用 API。"),
    ("pages may not send requests with this method", "页面不能使用此请求方法。"),
    ("pages may not send one of these headers", "页面不能发送其中的某个请求头。"),
    ("a preflight says of which origin it is", "预检请求须说明来自哪个网站"),
    ("expected the names of headers", "须为请求头的名称"),
    // Queries and paths.
    ("give a parameter once; alternatives go in a comma list", "每个参数只能出现一次；多个可选值用逗号分隔"),
    ("says nothing", "缺少要比较的值"),
    ("expected a whole number below 2^53", "须为绝对值小于 2^53 的整数"),
    ("expected a decimal number such as `12000.00`", "须为十进制数字，例如 12000.00"),
    ("the amount is too large", "金额过大"),
    ("expected a currency code of ISO 4217 such as `CNY`", "须为 ISO 4217 币种代码，例如 CNY"),
    ("expected a UUID such as `0190163d-8694-739b-aea5-966c26f8ad91`", "须为带连字符的 UUID"),
    (
        "expected an instant such as `2026-01-31T08:30:00.000Z` (RFC 3339)",
        "须为有效的时间（RFC 3339），例如 2026-01-31T08:30:00.000Z",
    ),
    (
        "write the `+` of an offset as `%2B`: as it is, it stands for a blank",
        "时区偏移中的 `+` 须写作 `%2B`：直接书写表示空格",
    ),
    ("expected a date such as `2026-01-31`", "须为有效的日期，例如 2026-01-31"),
    ("the year must be between 1900 and 9999", "年份须在 1900 至 9999 之间"),
    ("expected 32 hexadecimal digits", "须为 32 个十六进制数字"),
    ("expected the name of a dictionary such as `lead_status`", "须为字典的名称，例如 `lead_status`"),
    ("it belongs to other kinds of records", "该同步点属于其他类型的记录"),
    ("expected the id of an event", "须为事件的 id"),
    ("no event has this id yet", "还没有这个 id 的事件"),
];

/// The Chinese wording of a sentence.
pub(super) fn phrase(english: &str) -> Option<&'static str> {
    PHRASES.iter().find(|(known, _)| *known == english).map(|(_, chinese)| *chinese)
}
