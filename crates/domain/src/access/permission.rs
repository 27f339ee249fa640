use crate::text_enum;

text_enum! {
    /// What a collaborator may do with a customer, from little to much.
    pub enum Share {
        /// See it.
        Read = "read",
        /// Work with it.
        Write = "write",
    }
}

text_enum! {
    /// What a role may grant: `resource:action`.
    pub enum Permission {
        /// See leads.
        LeadsRead = "leads:read",
        /// See leads without owner.
        LeadsReadPool = "leads:read_pool",
        /// Record leads.
        LeadsCreate = "leads:create",
        /// Record leads that may be known already.
        LeadsAllowDuplicate = "leads:allow_duplicate",
        /// Change and delete leads.
        LeadsUpdate = "leads:update",
        /// Qualify, disqualify and reopen leads.
        LeadsQualify = "leads:qualify",
        /// Convert leads.
        LeadsConvert = "leads:convert",
        /// Give leads to users.
        LeadsAssign = "leads:assign",
        /// Take leads from the lead pool.
        LeadsClaim = "leads:claim",
        /// Make web forms that bring leads.
        LeadFormsManage = "lead_forms:manage",
        /// See customers.
        CustomersRead = "customers:read",
        /// Record customers.
        CustomersCreate = "customers:create",
        /// Record a customer that looks like one that is there.
        CustomersAllowDuplicate = "customers:allow_duplicate",
        /// Change and delete customers and their contacts.
        CustomersUpdate = "customers:update",
        /// Decide about changes of customers as the owner's manager.
        CustomersApprove = "customers:approve",
        /// Merge customers that are one.
        CustomersMerge = "customers:merge",
        /// Give customers back to the public pool.
        CustomersRelease = "customers:release",
        /// See the public pool.
        PoolRead = "pool:read",
        /// Claim customers from the public pool.
        PoolClaim = "pool:claim",
        /// Give customers to users.
        PoolAssign = "pool:assign",
        /// See transfers.
        TransfersRead = "transfers:read",
        /// Ask for transfers.
        TransfersRequest = "transfers:request",
        /// Decide transfers as the owner's supervisor.
        TransfersApprove = "transfers:approve",
        /// See opportunities.
        OpportunitiesRead = "opportunities:read",
        /// Record, change and delete opportunities.
        OpportunitiesUpdate = "opportunities:update",
        /// Move opportunities along their pipeline and lose them.
        OpportunitiesAdvance = "opportunities:advance",
        /// Decide about stages of opportunities as the owner's manager.
        OpportunitiesApprove = "opportunities:approve",
        /// Reopen lost opportunities.
        OpportunitiesReopen = "opportunities:reopen",
        /// See contracts.
        ContractsRead = "contracts:read",
        /// Draft, change, cancel and delete contracts.
        ContractsDraft = "contracts:draft",
        /// Submit contracts for approval and withdraw them.
        ContractsSubmit = "contracts:submit",
        /// Decide contracts as the owner's manager.
        ContractsApprove = "contracts:approve",
        /// End running contracts.
        ContractsTerminate = "contracts:terminate",
        /// See invoices.
        InvoicesRead = "invoices:read",
        /// Request, change, submit, withdraw, cancel and delete invoices.
        InvoicesRequest = "invoices:request",
        /// Decide invoices as the owner's manager.
        InvoicesApprove = "invoices:approve",
        /// Issue approved invoices.
        InvoicesIssue = "invoices:issue",
        /// Void issued invoices.
        InvoicesVoid = "invoices:void",
        /// See payments.
        PaymentsRead = "payments:read",
        /// Record payments.
        PaymentsRecord = "payments:record",
        /// Confirm, reject and reverse payments.
        PaymentsConfirm = "payments:confirm",
        /// See what the bank says has arrived.
        ReceiptsRead = "receipts:read",
        /// Enter and import what the bank says has arrived, and say what it pays.
        ReceiptsManage = "receipts:manage",
        /// See performance targets.
        TargetsRead = "targets:read",
        /// Set performance targets of others.
        TargetsManage = "targets:manage",
        /// See users.
        UsersRead = "users:read",
        /// Manage users.
        UsersManage = "users:manage",
        /// See teams.
        TeamsRead = "teams:read",
        /// Manage teams.
        TeamsManage = "teams:manage",
        /// See roles.
        RolesRead = "roles:read",
        /// Manage roles.
        RolesManage = "roles:manage",
        /// See how the organisation is set up: settings, pools, rules, jobs.
        SettingsRead = "settings:read",
        /// Configure pipelines, pools, rules and other settings.
        SettingsManage = "settings:manage",
        /// Read the audit trail.
        AuditRead = "audit:read",
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
