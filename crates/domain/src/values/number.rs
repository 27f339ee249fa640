use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text_enum;

text_enum! {
    /// What a human number counts.
    pub enum NumberKind {
        /// Contracts, `CT-2026-000123`.
        Contract = "CT" ("Contract", "合同"),
        /// Invoices, `IV-2026-000123`.
        Invoice = "IV" ("Invoice", "发票"),
        /// Payments, `PY-2026-000123`.
        Payment = "PY" ("Payment", "回款"),
        /// Transfers, `TR-2026-000123`.
        Transfer = "TR" ("Transfer", "转移"),
        /// Credit notes, `CN-2026-000123`.
        CreditNote = "CN" ("Credit note", "红冲"),
        /// Refunds, `RF-2026-000123`.
        Refund = "RF" ("Refund", "退款"),
        /// Changes of customers, `CC-2026-000123`.
        CustomerChange = "CC" ("Customer change", "客户变更"),
        /// Amendments, `AM-2026-000123`.
        Amendment = "AM" ("Contract amendment", "合同变更"),
    }
}

/// A human number such as `CT-2026-000123`: unique, increasing per kind and year, allocated inside the
/// transaction that creates the record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, max_length = 24, example = "CT-2026-000123")]
pub struct Number(pub String);

impl Number {
    /// The number that the `sequence`-th record of a kind gets in a year.
    pub fn new(kind: NumberKind, year: i32, sequence: i64) -> Self {
        Self(format!("{kind}-{year}-{sequence:06}"))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
