//! What the guards of the state machines say, by their English wording.

/// Every guard of every machine, once: several machines share some.
pub(super) const GUARDS: &[(&str, &str)] = &[
    // lead
    (
        "the receiver is active, may own leads and is in the caller's scope",
        "接收人状态正常、可以持有线索，且在操作人的权限范围内",
    ),
    ("the lead has no owner", "线索没有负责人"),
    ("the caller is not who let it go without a response", "操作人不是未联系就放弃该线索的人"),
    ("the lead has an owner", "线索有负责人"),
    ("the caller may create customers or change them", "操作人可以新建或修改客户"),
    ("its owner did not respond before the deadline", "负责人未在响应时限内联系"),
    ("the first activity was logged", "已登记首次跟进"),
    ("a reason is given", "须填写原因"),
    // customer
    ("the caller owns fewer customers than the ownership limit", "操作人持有的客户数未达上限"),
    ("the caller claimed fewer today than the pool's daily limit", "操作人今日领取次数未达该公海的每日上限"),
    ("the caller is not the previous owner within the cool-down", "操作人不是仍在冷却期内的原负责人"),
    (
        "the receiver is active, may own customers and is in the caller's scope",
        "接收人状态正常、可以持有客户，且在操作人的权限范围内",
    ),
    ("the receiver owns fewer customers than the ownership limit", "接收人持有的客户数未达上限"),
    ("no open opportunity and no running contract", "没有进行中的商机，也没有执行中的合同"),
    (
        "a recycle rule of its pool takes it and its owner was warned",
        "符合所属公海的回收规则，且已向负责人预警",
    ),
    (
        "it is not locked, no contract is asked for or running, no approval is pending",
        "客户未锁定，没有审批中或执行中的合同，也没有进行中的审批",
    ),
    (
        "its drafted contracts are cancelled and its open opportunities are lost",
        "客户的合同草稿随之取消，进行中的商机随之输单",
    ),
    (
        "a transfer was approved and the owner is still who it was, or an administrator hands over \
         what a user owns",
        "转移已审批通过且负责人未变，或由管理员交接用户名下的数据",
    ),
    (
        "the receiver is active, may own customers and is below the ownership limit",
        "接收人状态正常、可以持有客户，且持有数量未达上限",
    ),
    ("the caller may assign from the other pool as well", "操作人对目标公海也有分配权限"),
    ("it is not locked", "客户未锁定"),
    ("it is locked", "客户已锁定"),
    // customer_change, amendment and transfer
    ("a step of its approval was rejected", "其审批有一个步骤被驳回"),
    ("the last step of its approval was approved", "其审批的最后一个步骤已通过"),
    ("the customer is as it was when it was asked for", "客户自申请以来未被修改"),
    ("the contract runs, with the terms that were to be changed", "合同执行中，且条款仍为申请变更时的条款"),
    (
        "the new amount is not below what is invoiced or received",
        "新金额不低于已开票金额，也不低于已回款金额",
    ),
    (
        "the new installments add up to it, and none is below what was put on it",
        "新的回款计划合计等于合同金额，且每一期不低于已分配到该期的回款",
    ),
    (
        "every record still has the owner that it had, and is not closed",
        "每条记录仍归原负责人所有，且尚未结束",
    ),
    (
        "the receiver is active, may own such records and has room for all of them",
        "接收人状态正常、可以持有此类记录，且全部接收后不超过持有上限",
    ),
    ("the customer went to another owner, or to the pool", "客户已更换负责人，或已回到公海"),
    ("the contract was terminated", "合同已终止"),
    (
        "a record that it names left its owner by other means, or ended when its customer went to the pool",
        "其指定的记录已通过其他方式离开原负责人，或在客户回到公海时随之结束",
    ),
    // opportunity
    ("the stage is another open stage of the pipeline", "目标阶段是该销售流程中另一个进行中的阶段"),
    ("forward: the stage's required fields are filled", "向前推进时：该阶段的必填字段已填写"),
    ("forward, where the stage needs it: its approval was given", "向前推进且该阶段需要审批时：审批已通过"),
    ("no approval of another stage is pending", "没有其他阶段的审批正在进行"),
    ("backward: a reason is given", "退回之前的阶段时：须填写原因"),
    ("no contract was made", "尚未生成合同"),
    ("its contract became active", "其合同已生效"),
    ("its contract was cancelled before it became active", "其合同在生效前被取消"),
    ("a transfer was approved, or its owner leaves", "转移已审批通过，或其负责人离职"),
    // contract
    ("the customer has an owner", "客户有负责人"),
    ("installments are present and add up to the amount", "已填写回款计划，且各期合计等于合同金额"),
    ("every step of the approval has somebody to decide it", "审批的每个步骤都有人可以审批"),
    ("the last step of the approval was approved", "审批的最后一个步骤已通过"),
    ("a step of the approval was rejected", "审批有一个步骤被驳回"),
    ("confirmed payments equal the amount", "已确认的回款等于合同金额"),
    ("by_invoice: issued invoices equal it too", "按发票回款时：已开票金额也等于合同金额"),
    (
        "confirmed payments, or by_invoice issued invoices, no longer equal the amount",
        "已确认的回款不再等于合同金额；按发票回款时，或已开票金额不再等于合同金额",
    ),
    (
        "no approval of it, of an amendment or of its invoices is pending",
        "合同、合同变更及其发票都没有进行中的审批",
    ),
    // approval
    ("the caller is named by the present step", "操作人是当前步骤的审批人"),
    (
        "the caller neither asked, nor owns or would receive the subject, nor decided an earlier step",
        "操作人不是申请人，不是审批对象的负责人或接收人，也未审批过之前的步骤",
    ),
    ("the subject is as it was when the request was made", "审批对象自提交申请以来未被修改"),
    ("with the last step: the subject can go on", "最后一个步骤通过时：审批对象可以继续执行"),
    ("the request is approved with its last step", "最后一个步骤通过后，整个审批通过"),
    (
        "a step that each of several decides ends by itself when nobody is left whom it waits for",
        "会签步骤不再有待审批的人时，该步骤自动结束",
    ),
    ("a comment is given", "须填写意见"),
    (
        "the caller made the request, or may make such a request and whoever made it no longer may",
        "操作人是申请人；或操作人有权提出此类申请，而原申请人已无此权限",
    ),
    (
        "the transfer, the amendment or the change of a customer that it is about lapsed",
        "其涉及的转移、合同变更或客户变更已失效",
    ),
    ("the caller could decide the present step", "操作人可以审批当前步骤"),
    ("there is a step before it", "当前步骤之前还有步骤"),
    ("every step that is left has somebody to decide it", "剩余的每个步骤都有人可以审批"),
    (
        "the new approver may see the subject, and neither asked, nor owns or would receive it, nor \
         decided",
        "新增的审批人可以查看审批对象，不是申请人、负责人或接收人，也未作过审批决定",
    ),
    ("before: nobody decided the present step yet", "加在当前步骤之前时：当前步骤尚无人作出决定"),
    ("the caller made the request", "操作人是申请人"),
    ("nobody was reminded within the last hour", "一小时内没有催办过"),
    ("the caller may see the request", "操作人可以查看该审批"),
    // invoice
    ("of a special invoice, the buyer's title and tax number are known", "专用发票须有购买方的抬头和税号"),
    ("the contract is active or completed", "合同执行中或已完成"),
    (
        "pending, approved and issued invoices stay within the contract's amount",
        "审批中、待开票和已开票的金额合计不超过合同金额",
    ),
    ("the tax invoice number is unique", "税务发票号码不重复"),
    ("no payment is allocated to it", "没有回款分配到该发票"),
    ("no part of it was credited", "该发票没有红冲过"),
    ("credit notes add up to its amount", "红冲金额合计等于发票金额"),
    // payment and refund
    (
        "the caller neither recorded the payment nor owns the contract",
        "操作人既不是登记该回款的人，也不是合同的负责人",
    ),
    ("no refund of it was recorded", "该回款没有登记过退款"),
    ("the allocations add up to what is left of the payment", "各项分配合计等于回款的剩余金额"),
    ("confirmed refunds add up to its amount", "已确认的退款合计等于回款金额"),
    (
        "the caller neither recorded the refund nor owns the contract",
        "操作人既不是登记该退款的人，也不是合同的负责人",
    ),
    // receipt
    (
        "a payment of the same amount accounts for it, which is recorded now or was before",
        "有一笔金额相同的回款与之对应，可以当场登记，也可以是此前登记的",
    ),
    ("no other receipt is matched with that payment", "该回款没有匹配其他到账流水"),
    ("the parts add up to it", "各部分合计等于该笔到账金额"),
    ("every part of it is open", "拆分出的每一部分都待匹配"),
    ("its payment was rejected or reversed", "对应的回款已被驳回或撤销"),
    // webhook
    (
        "something was tried for three days and nothing else arrived meanwhile, the receiver answered \
         410, or whoever it listened for cannot log in any more",
        "某条推送已重试三天且期间没有其他推送送达，或接收方答复 410，或所代表的用户已无法登录",
    ),
    // job
    (
        "no other server works on it, or the one that did has been silent for a minute",
        "没有其他服务器在处理该任务，或处理它的服务器已有一分钟没有响应",
    ),
];
