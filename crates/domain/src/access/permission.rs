use crate::text_enum;

text_enum! {
    /// What a role may grant: `resource:action`.
    pub enum Permission {
        /// See leads.
        LeadsRead = "leads:read",
        /// See leads without owner.
        LeadsReadPool = "leads:read_pool",
        /// Record leads.
        LeadsCreate = "leads:create",
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
        /// See customers.
        CustomersRead = "customers:read",
        /// Record customers.
        CustomersCreate = "customers:create",
        /// Change and delete customers and their contacts.
        CustomersUpdate = "customers:update",
        /// Give customers back to the public pool.
        CustomersRelease = "customers:release",
        /// See the public pool.
        PoolRead = "pool:read",
        /// Claim customers from the public pool.
        PoolClaim = "pool:claim",
        /// Give customers to users.
        PoolAssign = "pool:assign",
        /// See opportunities.
        OpportunitiesRead = "opportunities:read",
        /// Record, change and delete opportunities.
        OpportunitiesUpdate = "opportunities:update",
        /// Move opportunities along their pipeline and lose them.
        OpportunitiesAdvance = "opportunities:advance",
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
        /// Configure pipelines and other settings.
        SettingsManage = "settings:manage",
        /// Read the audit trail.
        AuditRead = "audit:read",
    }
}

impl Permission {
    /// The permission that opens records without owner to whoever holds this one in a narrower scope than
    /// all. A pool belongs to nobody, so no scope but `all` reaches it by itself.
    pub const fn over_pool(self) -> Option<Self> {
        match self {
            Self::LeadsRead | Self::LeadsReadPool => Some(Self::LeadsReadPool),
            Self::CustomersRead | Self::PoolRead => Some(Self::PoolRead),
            // Whoever may claim or assign at all may take from the pool; who receives is judged apart.
            Self::LeadsClaim | Self::LeadsAssign | Self::PoolClaim | Self::PoolAssign => Some(self),
            _ => None,
        }
    }
}
