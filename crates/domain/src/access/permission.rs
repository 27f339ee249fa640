use crate::text_enum;

text_enum! {
    /// What a collaborator may do with a customer, from little to much.
    pub enum Share {
        /// See it.
        Read = "read" ("Can view", "只读"),
        /// Work with it.
        Write = "write" ("Can edit", "可编辑"),
    }
}

text_enum! {
    /// What a role may grant: `resource:action`.
    pub enum Permission {
        /// See leads.
        LeadsRead = "leads:read" ("See leads", "查看线索"),
        /// See leads without owner.
        LeadsReadPool = "leads:read_pool" ("See the lead pool", "查看线索池"),
        /// Record leads.
        LeadsCreate = "leads:create" ("Create leads", "新建线索"),
        /// Record leads that may be known already.
        LeadsAllowDuplicate = "leads:allow_duplicate" ("Create duplicate leads", "新建重复线索"),
        /// Change and delete leads.
        LeadsUpdate = "leads:update" ("Edit and delete leads", "编辑和删除线索"),
        /// Qualify, disqualify and reopen leads.
        LeadsQualify = "leads:qualify" ("Qualify leads", "判定线索有效性"),
        /// Convert leads.
        LeadsConvert = "leads:convert" ("Convert leads", "转化线索"),
        /// Give leads to users.
        LeadsAssign = "leads:assign" ("Assign leads", "分配线索"),
        /// Take leads from the lead pool.
        LeadsClaim = "leads:claim" ("Claim leads", "领取线索"),
        /// Make web forms that bring leads.
        LeadFormsManage = "lead_forms:manage" ("Manage lead forms", "管理线索表单"),
        /// See customers.
        CustomersRead = "customers:read" ("See customers", "查看客户"),
        /// Record customers.
        CustomersCreate = "customers:create" ("Create customers", "新建客户"),
        /// Record a customer that looks like one that is there.
        CustomersAllowDuplicate = "customers:allow_duplicate" ("Create duplicate customers", "新建重复客户"),
        /// Change and delete customers and their contacts.
        CustomersUpdate = "customers:update" ("Edit and delete customers", "编辑和删除客户"),
        /// Decide about changes of customers as the owner's manager.
        CustomersApprove = "customers:approve" ("Approve customer changes", "审批客户变更"),
        /// Merge customers that are one.
        CustomersMerge = "customers:merge" ("Merge customers", "合并客户"),
        /// Give customers back to the public pool.
        CustomersRelease = "customers:release" ("Release customers to the pool", "退回客户到公海"),
        /// See the public pool.
        PoolRead = "pool:read" ("See the public pool", "查看公海"),
        /// Claim customers from the public pool.
        PoolClaim = "pool:claim" ("Claim pool customers", "领取公海客户"),
        /// Give customers to users.
        PoolAssign = "pool:assign" ("Assign customers", "分配客户"),
        /// See transfers.
        TransfersRead = "transfers:read" ("See transfers", "查看转移"),
        /// Ask for transfers.
        TransfersRequest = "transfers:request" ("Request transfers", "申请转移"),
        /// Decide transfers as the owner's supervisor.
        TransfersApprove = "transfers:approve" ("Approve transfers", "审批转移"),
        /// See opportunities.
        OpportunitiesRead = "opportunities:read" ("See opportunities", "查看商机"),
        /// Record, change and delete opportunities.
        OpportunitiesUpdate = "opportunities:update"
            ("Manage opportunities", "管理商机"),
        /// Move opportunities along their pipeline and lose them.
        OpportunitiesAdvance = "opportunities:advance" ("Advance opportunities", "推进商机"),
        /// Decide about stages of opportunities as the owner's manager.
        OpportunitiesApprove = "opportunities:approve" ("Approve opportunity stages", "审批商机阶段"),
        /// Reopen lost opportunities.
        OpportunitiesReopen = "opportunities:reopen" ("Reopen opportunities", "重新打开商机"),
        /// See contracts.
        ContractsRead = "contracts:read" ("See contracts", "查看合同"),
        /// Draft, change, cancel and delete contracts.
        ContractsDraft = "contracts:draft" ("Draft contracts", "起草合同"),
        /// Submit contracts for approval and withdraw them.
        ContractsSubmit = "contracts:submit" ("Submit contracts", "提交合同"),
        /// Decide contracts as the owner's manager.
        ContractsApprove = "contracts:approve" ("Approve contracts", "审批合同"),
        /// End running contracts.
        ContractsTerminate = "contracts:terminate" ("Terminate contracts", "终止合同"),
        /// See invoices.
        InvoicesRead = "invoices:read" ("See invoices", "查看发票"),
        /// Request, change, submit, withdraw, cancel and delete invoices.
        InvoicesRequest = "invoices:request" ("Request invoices", "申请开票"),
        /// Decide invoices as the owner's manager.
        InvoicesApprove = "invoices:approve" ("Approve invoices", "审批开票"),
        /// Issue approved invoices.
        InvoicesIssue = "invoices:issue" ("Issue invoices", "开具发票"),
        /// Void issued invoices.
        InvoicesVoid = "invoices:void" ("Void invoices", "作废发票"),
        /// See payments.
        PaymentsRead = "payments:read" ("See payments", "查看回款"),
        /// Record payments.
        PaymentsRecord = "payments:record" ("Record payments", "登记回款"),
        /// Confirm, reject and reverse payments.
        PaymentsConfirm = "payments:confirm" ("Confirm payments", "确认回款"),
        /// See what the bank says has arrived.
        ReceiptsRead = "receipts:read" ("See receipts", "查看到账流水"),
        /// Enter and import what the bank says has arrived, and say what it pays.
        ReceiptsManage = "receipts:manage" ("Manage receipts", "管理到账流水"),
        /// See performance targets.
        TargetsRead = "targets:read" ("See performance targets", "查看业绩目标"),
        /// Set performance targets of others.
        TargetsManage = "targets:manage" ("Set performance targets", "设定业绩目标"),
        /// See users.
        UsersRead = "users:read" ("See users", "查看用户"),
        /// Manage users.
        UsersManage = "users:manage" ("Manage users", "管理用户"),
        /// See teams.
        TeamsRead = "teams:read" ("See teams", "查看团队"),
        /// Manage teams.
        TeamsManage = "teams:manage" ("Manage teams", "管理团队"),
        /// See roles.
        RolesRead = "roles:read" ("See roles", "查看角色"),
        /// Manage roles.
        RolesManage = "roles:manage" ("Manage roles", "管理角色"),
        /// See how the organisation is set up: settings, pools, rules, jobs.
        SettingsRead = "settings:read" ("See settings", "查看设置"),
        /// Configure pipelines, pools, rules and other settings.
        SettingsManage = "settings:manage" ("Manage settings", "管理设置"),
        /// Read the audit trail.
        AuditRead = "audit:read" ("Read the audit trail", "查看审计日志"),
    }
}

/// What has no owner and may be open to a permission nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unowned {
    /// Leads without owner, for whoever holds this permission.
    Leads(Permission),
    /// Customers in the public pools that the actor is a member of, for whoever holds this permission.
    Customers(Permission),
    /// Customers in the public pools that the actor may assign from.
    Assignable,
}

impl Permission {
    /// What is open to whoever holds this permission in a narrower scope than all. A pool belongs to nobody, so
    /// no scope but `all` reaches it by itself.
    pub const fn over_pool(self) -> Option<Unowned> {
        match self {
            Self::LeadsRead | Self::LeadsReadPool => Some(Unowned::Leads(Self::LeadsReadPool)),
            // Whoever may claim or assign at all may take from the pool; who receives is judged apart.
            Self::LeadsClaim | Self::LeadsAssign => Some(Unowned::Leads(self)),
            Self::CustomersRead | Self::PoolRead => Some(Unowned::Customers(Self::PoolRead)),
            Self::PoolClaim => Some(Unowned::Customers(self)),
            Self::PoolAssign => Some(Unowned::Assignable),
            _ => None,
        }
    }

    /// What a customer's collaborator needs so that this permission covers the customer of somebody else, its
    /// contacts, activities and opportunities. Contracts and money are never shared.
    pub const fn shared_by(self) -> Option<Share> {
        match self {
            Self::CustomersRead | Self::OpportunitiesRead => Some(Share::Read),
            Self::CustomersUpdate | Self::OpportunitiesUpdate | Self::OpportunitiesAdvance => {
                Some(Share::Write)
            }
            _ => None,
        }
    }
}
