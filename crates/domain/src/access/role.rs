use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::{Permission, Scope};
use crate::error::Rule;

/// The key of a role, such as `sales_rep`: lower-case letters, digits and underscores, up to 40.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, min_length = 2, max_length = 40, pattern = "^[a-z][a-z0-9_]{1,39}$", example = "sales_rep")]
pub struct RoleKey(pub String);

impl RoleKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Validate for RoleKey {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut bytes = self.0.bytes();
        let fits = self.0.len() >= 2
            && self.0.len() <= 40
            && bytes.next().is_some_and(|b| b.is_ascii_lowercase())
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if fits {
            return Ok(());
        }
        let mut errors = ValidationErrors::new();
        let error = Rule::RoleKey.error("must be 2 to 40 of a-z, 0-9 and _, beginning with a letter");
        errors.add("", error);
        Err(errors)
    }
}

/// A permission and how far it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The permission.
    pub permission: Permission,
    /// Its reach.
    pub scope: Scope,
}

/// A role that Fairlead brings along.
#[derive(Debug)]
pub struct BuiltInRole {
    /// Its key.
    pub key: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// What it grants: a scope, and the permissions that reach as far.
    pub grants: &'static [(Scope, &'static [Permission])],
}

impl BuiltInRole {
    /// The grants as data.
    pub fn grants(&self) -> Vec<Grant> {
        let mut grants: Vec<Grant> = self
            .grants
            .iter()
            .flat_map(|(scope, permissions)| {
                permissions.iter().map(|permission| Grant { permission: *permission, scope: *scope })
            })
            .collect();
        grants.sort_unstable();
        grants
    }
}

use Permission as P;

/// What a seller does every day, in a reach that differs by role.
const SELLING: &[Permission] = &[
    P::LeadsRead,
    P::LeadsUpdate,
    P::LeadsQualify,
    P::LeadsConvert,
    P::CustomersRead,
    P::CustomersCreate,
    P::CustomersUpdate,
    P::CustomersRelease,
    P::TransfersRead,
    P::TransfersRequest,
    P::OpportunitiesRead,
    P::OpportunitiesUpdate,
    P::OpportunitiesAdvance,
    P::ContractsRead,
    P::ContractsDraft,
    P::ContractsSubmit,
    P::InvoicesRead,
    P::InvoicesRequest,
    P::PaymentsRead,
    P::PaymentsRecord,
    P::TargetsRead,
];
/// What makes a superior.
const LEADING: &[Permission] = &[
    P::LeadsAllowDuplicate,
    P::LeadsAssign,
    P::CustomersAllowDuplicate,
    P::CustomersApprove,
    P::CustomersMerge,
    P::PoolAssign,
    P::TransfersApprove,
    P::OpportunitiesApprove,
    P::OpportunitiesReopen,
    P::ContractsApprove,
    P::ContractsTerminate,
    P::InvoicesApprove,
    P::TargetsManage,
];
/// What is open to every seller, whatever their reach.
const POOL: &[Permission] = &[P::LeadsCreate, P::LeadsReadPool, P::LeadsClaim, P::PoolRead, P::PoolClaim];
/// What whoever looks over the whole chain may see.
const SEEING: &[Permission] = &[
    P::LeadsRead,
    P::LeadsReadPool,
    P::CustomersRead,
    P::PoolRead,
    P::TransfersRead,
    P::OpportunitiesRead,
    P::ContractsRead,
    P::InvoicesRead,
    P::PaymentsRead,
    P::ReceiptsRead,
    P::UsersRead,
    P::TeamsRead,
    P::RolesRead,
    P::SettingsRead,
    P::AuditRead,
    P::TargetsRead,
];

/// The built-in roles. Copies of them may be edited, they themselves not.
pub const BUILT_IN: &[BuiltInRole] = &[
    BuiltInRole {
        key: "sales_rep",
        name: "Sales representative",
        description: "Sells: own leads, customers, opportunities, contracts; claims from the pool.",
        grants: &[(Scope::Own, SELLING), (Scope::Own, POOL)],
    },
    BuiltInRole {
        key: "sales_manager",
        name: "Sales manager",
        description: "Leads a team and the teams below: assigns, approves, sees all of theirs.",
        grants: &[(Scope::TeamAndBelow, SELLING), (Scope::TeamAndBelow, LEADING), (Scope::Own, POOL)],
    },
    BuiltInRole {
        key: "sales_director",
        name: "Sales director",
        description: "Leads all of sales.",
        grants: &[(Scope::All, SELLING), (Scope::All, LEADING), (Scope::All, POOL)],
    },
    BuiltInRole {
        key: "finance",
        name: "Finance",
        description: "Approves contracts and invoices, issues invoices, confirms payments.",
        grants: &[(
            Scope::All,
            &[
                P::CustomersRead,
                P::OpportunitiesRead,
                P::ContractsRead,
                P::InvoicesRead,
                P::InvoicesRequest,
                P::InvoicesIssue,
                P::InvoicesVoid,
                P::PaymentsRead,
                P::PaymentsRecord,
                P::PaymentsConfirm,
                P::ReceiptsRead,
                P::ReceiptsManage,
                P::TargetsRead,
            ],
        )],
    },
    BuiltInRole {
        key: "marketing",
        name: "Marketing",
        description: "Brings leads and assigns them; sees the public pool.",
        grants: &[(
            Scope::All,
            &[
                P::LeadsRead,
                P::LeadsReadPool,
                P::LeadsCreate,
                P::LeadsAllowDuplicate,
                P::LeadsUpdate,
                P::LeadsQualify,
                P::LeadsAssign,
                P::LeadFormsManage,
                P::PoolRead,
            ],
        )],
    },
    BuiltInRole {
        key: "auditor",
        name: "Auditor",
        description: "Sees everything, changes nothing.",
        grants: &[(Scope::All, SEEING)],
    },
    BuiltInRole {
        key: "admin",
        name: "Administrator",
        description: "Manages users, teams, roles and settings, and helps with records. Decides no approval \
                      and confirms no money.",
        grants: &[
            (Scope::All, SEEING),
            (
                Scope::All,
                &[
                    P::LeadsCreate,
                    P::LeadsAllowDuplicate,
                    P::LeadsUpdate,
                    P::LeadsQualify,
                    P::LeadsConvert,
                    P::LeadsAssign,
                    P::LeadFormsManage,
                    P::CustomersCreate,
                    P::CustomersAllowDuplicate,
                    P::CustomersUpdate,
                    P::CustomersMerge,
                    P::CustomersRelease,
                    P::PoolAssign,
                    P::TransfersRequest,
                    P::OpportunitiesUpdate,
                    P::OpportunitiesAdvance,
                    P::ContractsDraft,
                    P::ContractsSubmit,
                    P::UsersManage,
                    P::TeamsManage,
                    P::RolesManage,
                    P::TargetsManage,
                    P::SettingsManage,
                ],
            ),
        ],
    },
];
