use crate::text_enum;

text_enum! {
    /// What one may do with a record, as its `allowed_actions` name it, and what happens to it by itself, as `/workflows`
    /// tell: each is called the same there and here. In paths, hyphens stand for the underscores.
    pub enum Action {
        /// Change it: `PATCH` of the record.
        Update = "update" ("Change", "修改"),
        /// Delete it: `DELETE` of the record.
        Delete = "delete" ("Delete", "删除"),
        /// Take another record into it that is the same one.
        Merge = "merge" ("Merge", "合并"),
        /// Give it to a user.
        Assign = "assign" ("Assign", "分配"),
        /// Take it from its pool: a customer with `POST /public-pool/customers/{id}/claim`.
        Claim = "claim" ("Claim", "领取"),
        /// Give it back to its pool.
        Release = "release" ("Release to the pool", "退回池中"),
        /// It was neglected, and goes back to its pool by itself.
        Recycle = "recycle" ("Recycle", "回收"),
        /// Somebody was in touch for the first time.
        Contact = "contact" ("Contact", "首次联系"),
        /// Find it worth an opportunity.
        Qualify = "qualify" ("Qualify", "确认有效"),
        /// Find it not worth more time.
        Disqualify = "disqualify" ("Disqualify", "标记无效"),
        /// Make a customer of it.
        Convert = "convert" ("Convert", "转化"),
        /// Change its owner: a transfer was approved, or its owner leaves.
        Transfer = "transfer" ("Transfer", "转移"),
        /// Let it go to another pool.
        Move = "move" ("Move to another pool", "移至其他公海"),
        /// Keep it from being recycled.
        Lock = "lock" ("Lock", "锁定"),
        /// Let it be recycled again.
        Unlock = "unlock" ("Unlock", "解锁"),
        /// Move it to another open stage.
        Advance = "advance" ("Advance", "推进阶段"),
        /// Win it: its contract became active.
        Win = "win" ("Win", "赢单"),
        /// Go on with it: its contract was cancelled before it became active.
        Resume = "resume" ("Resume", "继续推进"),
        /// Give it up for a reason.
        Lose = "lose" ("Lose", "输单"),
        /// Take it up again.
        Reopen = "reopen" ("Reopen", "重新打开"),
        /// Make its payment plan from a pattern.
        Plan = "plan" ("Plan installments", "生成回款计划"),
        /// Add a file to it: `POST /contracts/{id}/attachments`.
        Attach = "attach" ("Attach a file", "添加附件"),
        /// Ask for approval.
        Submit = "submit" ("Submit", "提交审批"),
        /// Take the question back.
        Withdraw = "withdraw" ("Withdraw", "撤回"),
        /// End it: what it is about is no longer there to be decided.
        Lapse = "lapse" ("Lapse", "失效"),
        /// Give it up before it counts.
        Cancel = "cancel" ("Cancel", "取消"),
        /// End it early.
        Terminate = "terminate" ("Terminate", "终止"),
        /// Complete it: it was paid in full.
        Complete = "complete" ("Complete", "完成"),
        /// Have it run again: a payment or an invoice was taken back after completion.
        Reactivate = "reactivate" ("Reactivate", "恢复执行"),
        /// Agree to the present step; what was asked for is approved with the last one.
        Approve = "approve" ("Approve", "同意"),
        /// Do not agree, or say that the money did not move.
        Reject = "reject" ("Reject", "驳回"),
        /// Have a former step decided anew.
        Return = "return" ("Return to a former step", "退回上一步骤"),
        /// Have one more person agree (加签).
        AddStep = "add_step" ("Add an approver", "加签"),
        /// Remind those for whom it waits (催办).
        Remind = "remind" ("Remind", "催办"),
        /// Say something about it.
        Comment = "comment" ("Comment", "评论"),
        /// Issue it.
        Issue = "issue" ("Issue", "开票"),
        /// Take it back after it was issued.
        Void = "void" ("Void", "作废"),
        /// Take a part of it or all of it back by a credit note: `POST /credit-notes`.
        Credit = "credit" ("Credit", "红冲"),
        /// Say that the money moved.
        Confirm = "confirm" ("Confirm", "确认"),
        /// Take a confirmed payment back.
        Reverse = "reverse" ("Reverse", "撤销"),
        /// Pay it back in full.
        Refund = "refund" ("Refund", "退款"),
        /// Put it on other invoices or installments.
        Reallocate = "reallocate" ("Reallocate", "重新分配"),
        /// Say what it pays.
        Match = "match" ("Match", "匹配"),
        /// Open it again: the payment that accounted for it was rejected or reversed.
        Unmatch = "unmatch" ("Undo the match", "解除匹配"),
        /// Say that it pays no contract.
        SetAside = "set_aside" ("Set aside", "标记无需匹配"),
        /// Take it apart, because it pays several contracts.
        Split = "split" ("Split", "拆分"),
        /// Put it together again.
        Join = "join" ("Join", "重新合并"),
        /// Make a new secret.
        RotateSecret = "rotate_secret" ("Rotate secret", "更换密钥"),
        /// Send it a trial.
        Ping = "ping" ("Send a trial", "发送测试"),
        /// Send it once more.
        Redeliver = "redeliver" ("Send again", "重新发送"),
        /// Disable it because nobody takes what it tells, or nobody is left in whose name it listens.
        GiveUp = "give_up" ("Give up", "自动停用"),
        /// Let it do nothing for a while, or the user log in no more.
        Disable = "disable" ("Disable", "停用"),
        /// Take that back.
        Enable = "enable" ("Enable", "启用"),
        /// Set the user's password.
        SetPassword = "set_password" ("Set the password", "设置密码"),
        /// Give what the user owns to others, or to the pool.
        HandOver = "hand_over" ("Hand over", "交接"),
        /// Have a server take it, or take it over from one that went away.
        Run = "run" ("Run", "运行"),
        /// Bring it to its end.
        Finish = "finish" ("Finish", "结束"),
        /// End it because it cannot be done.
        Fail = "fail" ("Fail", "失败"),
    }
}
