use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{RecycleRules, distinct};
use crate::access::RoleKey;
use crate::context::Context;
use crate::error::Refusal;
use crate::settings::{RoleLimit, by_role, distinct_limits, known_role};
use crate::text_enum;

text_enum! {
    /// A member of a customer that is masked or left out while it is in the pool.
    pub enum ContactField {
        /// The telephone number, as `138****8000`.
        Phone = "phone" ("Phone", "电话"),
        /// The e-mail address, as `z***@example.com`.
        Email = "email" ("E-mail", "邮箱"),
        /// The address, as `张**`.
        Address = "address" ("Address", "地址"),
        /// The web site, left out.
        Website = "website" ("Website", "网址"),
        /// The registration number, left out.
        RegistrationNumber = "registration_number" ("Registration number", "工商注册号"),
        /// What an invoice needs to know, left out.
        TaxProfiles = "tax_profiles" ("Tax profiles", "开票信息"),
        /// The note, left out.
        Note = "note" ("Note", "备注"),
    }
}

/// The rules of a public pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({
    "recycle": {
        "no_activity_days": 30,
        "no_opportunity_days": 90,
        "no_contract_days": 180,
        "after_contract_days": 60,
        "warning_days": 3
    },
    "daily_claim_limit": 20,
    "daily_open_limit": 200,
    "daily_open_limits": [{"role": "sales_manager", "limit": 500}],
    "cool_down_days": 7,
    "masked_fields": ["phone", "email", "address"]
}))]
pub struct PoolRules {
    /// When customers come back to it by themselves.
    #[validate(nested)]
    pub recycle: RecycleRules,
    /// How many pool customers one user may claim in one business day.
    #[validate(range(min = 0, max = 1_000_000, message = "must be from 0 to 1000000"))]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub daily_claim_limit: i64,
    /// How many different pool customers one user may open in one business day, for whom `daily_open_limits`
    /// says nothing else; any number when absent.
    #[validate(range(min = 0, max = 1_000_000, message = "must be from 0 to 1000000"))]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub daily_open_limit: Option<i64>,
    /// The same by role; of several roles the highest limit counts.
    #[validate(length(max = 100), custom(function = "distinct_limits"), nested)]
    #[schema(max_items = 100)]
    pub daily_open_limits: Vec<RoleLimit>,
    /// Days during which the previous owner may not claim a customer back.
    #[validate(range(min = 0, max = 3650, message = "must be from 0 to 3650"))]
    #[schema(minimum = 0, maximum = 3650)]
    pub cool_down_days: i64,
    /// What of a pool customer stays masked in a single read (`GET /customers/{id}`), which opens it, for whoever may
    /// not change it. Lists, searches and `/sync` open nothing: there every member that can be named here is masked,
    /// whether it is named or not. Of a masked member `phone`, `email` and `address` are shown in part; the others are
    /// `null` or empty, as if there were none. It is neither filtered nor sorted by.
    #[validate(length(max = 7), custom(function = "distinct_fields"))]
    #[schema(max_items = 7)]
    pub masked_fields: Vec<ContactField>,
}

fn distinct_fields(fields: &[ContactField]) -> Result<(), ValidationError> {
    distinct(fields.iter().collect::<std::collections::BTreeSet<_>>().len() == fields.len())
}

impl Default for PoolRules {
    fn default() -> Self {
        Self {
            recycle: RecycleRules::default(),
            daily_claim_limit: 20,
            daily_open_limit: Some(200),
            daily_open_limits: Vec::new(),
            cool_down_days: 7,
            masked_fields: vec![
                ContactField::Phone,
                ContactField::Email,
                ContactField::Address,
                ContactField::Website,
                ContactField::TaxProfiles,
                ContactField::Note,
            ],
        }
    }
}

impl PoolRules {
    /// How many pool customers a user with these roles may open in one business day; any number when none.
    pub fn open_limit(&self, roles: &[RoleKey]) -> Option<i64> {
        by_role(&self.daily_open_limits, roles).or(self.daily_open_limit)
    }

    /// Whether a member is masked.
    pub fn masks(&self, field: ContactField) -> bool {
        self.masked_fields.contains(&field)
    }

    /// Refuses rules for roles that do not exist.
    pub fn check_references(&self, ctx: &Context, at: &str) -> Result<(), Refusal> {
        for (place, limit) in self.daily_open_limits.iter().enumerate() {
            known_role(ctx, &limit.role, &format!("{at}/daily_open_limits/{place}/role"))?;
        }
        Ok(())
    }
}
