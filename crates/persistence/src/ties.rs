//! What hangs on a record: what would be left without it, and what waits for it.

use std::sync::LazyLock;

use fairlead_domain::contact::Contact;
use fairlead_domain::contract::{Contract, ContractTies};
use fairlead_domain::customer::{Customer, CustomerTies, OpenBusiness};
use fairlead_domain::dependents::Dependents;
use fairlead_domain::invoice::{Invoice, InvoiceTies};
use fairlead_domain::lead::Lead;
use fairlead_domain::opportunity::{Opportunity, OpportunityTies};
use fairlead_domain::organisation::Team;
use fairlead_domain::payment::{Payment, PaymentTies};
use fairlead_domain::pipeline::Pipeline;
use fairlead_domain::pool::Pool;
use fairlead_domain::receipt::{Receipt, ReceiptStatus, ReceiptTies};
use fairlead_domain::record::RecordKind;
use fairlead_domain::values::ReceiptId;
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::Row;
use crate::ownership::Owner;
use crate::reader::Reader;
use crate::sql::Sql;
use crate::stored::{Kept, Stored};
use crate::work::Work;

/// What hangs on records of a kind. It is told by columns of its own, which can be read along with the record's.
pub trait Ties<T>: Sized {
    /// What it is where there is nothing to ask.
    const KNOWN: Option<Self> = None;
    /// The columns, of a statement that has the record's row: they call it by the name of its table, and any other row
    /// `other`, which may be of the same table. Without such a name before it, a column that one of them lacks would be
    /// the other's.
    fn columns() -> &'static str;
    /// Asks for them, and for what depends on who asks.
    fn ask(sql: &mut Sql, _caller: Option<&Owner>) {
        sql.push(Self::columns());
    }
    /// Reads these columns.
    fn take(row: &mut Row) -> Result<Self, StoreError>;
}

/// Nothing decides.
impl<T> Ties<T> for () {
    const KNOWN: Option<()> = Some(());

    fn columns() -> &'static str {
        ""
    }

    fn take(_row: &mut Row) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Reader<'_> {
    /// One record with what hangs on it, in one statement.
    pub async fn tied<T: Kept, U: Ties<T>>(&self, id: impl Into<Uuid>) -> Result<Option<(T, U)>, StoreError> {
        let columns = |sql: &mut Sql| {
            sql.push(&T::table().selection);
            if U::KNOWN.is_none() {
                sql.push(", ");
                U::ask(sql, self.caller.as_ref());
            }
            of_record::<T>(sql, id.into());
        };
        self.row(columns, |row| Ok((T::take(row)?, U::take(row)?))).await
    }

    /// What hangs on a record. Where that is gone in between, all is read again.
    pub async fn ties<T: Stored, U: Ties<T>>(&self, record: &T) -> Result<U, StoreError> {
        if let Some(known) = U::KNOWN {
            return Ok(known);
        }
        let columns = |sql: &mut Sql| {
            U::ask(sql, self.caller.as_ref());
            of_record::<T>(sql, record.id());
        };
        self.row(columns, U::take).await?.ok_or(StoreError::Conflict)
    }
}

impl Work {
    /// What hangs on a record. Where it is locked, it stays like this until the end: nearly all that is to hang on it
    /// waits for that lock, and the foreign keys stop the rest. Where it is not, it may be gone: all is read again.
    pub async fn ties<T: Stored, U: Ties<T>>(&self, record: &T) -> Result<U, StoreError> {
        if let Some(known) = U::KNOWN {
            return Ok(known);
        }
        let mut sql = Sql::new("SELECT ");
        U::ask(&mut sql, self.caller.as_ref());
        of_record::<T>(&mut sql, record.id());
        self.select(sql, U::take).await?.into_iter().next().ok_or(StoreError::Conflict)
    }
}

/// Of which row the columns are.
fn of_record<T: Kept>(sql: &mut Sql, id: Uuid) {
    let table = T::table().name;
    sql.push(" FROM ").push(table).push(" WHERE ").push(table).push(".id = ").bind(id);
}

/// Records that name another one: their kind, their table, and the column in which they do.
type Naming = (RecordKind, &'static str, &'static str);

/// Every record that names a customer and outlives it. Invoices, payments and all that follows have a contract.
const OF_CUSTOMER: &[Naming] = &[
    (RecordKind::Contact, "contacts", "customer_id"),
    (RecordKind::Activity, "activities", "customer_id"),
    (RecordKind::Lead, "leads", "converted_customer_id"),
    (RecordKind::Opportunity, "opportunities", "customer_id"),
    (RecordKind::Contract, "contracts", "customer_id"),
    (RecordKind::CustomerChange, "customer_changes", "customer_id"),
    (RecordKind::Approval, "approvals", "customer_id"),
];

const OF_LEAD: &[Naming] = &[(RecordKind::Activity, "activities", "lead_id")];

/// Users, rules, targets and views name a team; so may pools, which go on without it.
const OF_TEAM: &[Naming] = &[
    (RecordKind::Team, "teams", "parent_id"),
    (RecordKind::User, "users", "team_id"),
    (RecordKind::AssignmentRule, "assignment_rules", "team_id"),
    (RecordKind::Target, "targets", "team_id"),
    (RecordKind::SavedView, "saved_views", "shared_with_team_id"),
];

const OF_PIPELINE: &[Naming] = &[(RecordKind::Opportunity, "opportunities", "pipeline_id")];

/// Of what names a contact or an opportunity, and the column with the customer, which has an index: both are always the
/// same customer's.
const OF_CONTACT: &[(Naming, &str)] = &[
    ((RecordKind::Opportunity, "opportunities", "primary_contact_id"), "customer_id"),
    ((RecordKind::Lead, "leads", "converted_contact_id"), "converted_customer_id"),
];

const OF_OPPORTUNITY: &[(Naming, &str)] = &[
    ((RecordKind::Contract, "contracts", "opportunity_id"), "customer_id"),
    ((RecordKind::Lead, "leads", "converted_opportunity_id"), "converted_customer_id"),
];

/// What is about a contact: whoever sees that one sees it, and nobody else.
const ABOUT: &[Naming] = &[(RecordKind::Activity, "activities", "about_id")];

/// What is about an opportunity or a contract, with what was asked about it: before it entered a stage, before it ran.
const ABOUT_SUBJECT: &[Naming] =
    &[(RecordKind::Activity, "activities", "about_id"), (RecordKind::Approval, "approvals", "subject_id")];

/// What was asked about an invoice. Where money was put on it, or a part of it taken back, it is no draft any more.
const OF_INVOICE: &[Naming] = &[(RecordKind::Approval, "approvals", "subject_id")];

/// How many records name the one whose row this table has, by kind; so many columns.
fn counts(of: &str, named: &[Naming]) -> String {
    let count = |(_, table, column): &Naming| {
        format!("(SELECT COUNT(*) FROM {table} AS other WHERE other.{column} = {of}.id)")
    };
    named.iter().map(count).collect::<Vec<_>>().join(", ")
}

/// The same, of those whose customer is the record's.
fn counts_of_customer(of: &str, named: &[(Naming, &str)]) -> String {
    let count = |((_, table, column), customer): &(Naming, &str)| {
        format!(
            "(SELECT COUNT(*) FROM {table} AS other \
               WHERE other.{customer} = {of}.customer_id AND other.{column} = {of}.id)"
        )
    };
    named.iter().map(count).collect::<Vec<_>>().join(", ")
}

fn customer_owner(of: &str) -> String {
    format!("(SELECT other.owner_id FROM customers AS other WHERE other.id = {of}.customer_id)")
}

fn contract_status(of: &str) -> String {
    format!("(SELECT other.status FROM contracts AS other WHERE other.id = {of}.contract_id)")
}

fn pending_transfers(of: &str) -> String {
    format!(
        "(SELECT COUNT(*) FROM transfer_items AS other WHERE other.record_id = {of}.id AND other.pending)"
    )
}

/// Reads as many figures as there are kinds.
fn dependents(row: &mut Row, kinds: impl Iterator<Item = RecordKind>) -> Result<Dependents, StoreError> {
    kinds.map(|kind| Ok((kind, row.column::<i64>()?))).collect()
}

/// The columns of ties, a text that is made once.
macro_rules! columns {
    ($text:expr) => {
        fn columns() -> &'static str {
            static TEXT: LazyLock<String> = LazyLock::new(|| $text);
            &TEXT
        }
    };
}

/// What of a customer goes on.
impl Ties<Customer> for OpenBusiness {
    fn columns() -> &'static str {
        "(SELECT COUNT(*) FROM opportunities AS other \
            WHERE other.customer_id = customers.id AND other.status = 'open'), \
         (SELECT COUNT(*) FROM contracts AS other \
            WHERE other.customer_id = customers.id AND other.status IN ('draft', 'pending_approval', 'active'))"
    }

    fn take(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self { opportunities: row.column()?, contracts: row.column()? })
    }
}

impl Ties<Customer> for CustomerTies {
    columns! {
        [
            OpenBusiness::columns(),
            &pending_transfers("customers"),
            "(SELECT other.id FROM customer_changes AS other \
               WHERE other.customer_id = customers.id AND other.status = 'pending')",
            &counts("customers", OF_CUSTOMER),
        ]
        .join(", ")
    }

    fn ask(sql: &mut Sql, caller: Option<&Owner>) {
        sql.push(Self::columns()).push(", ");
        // Nobody claims one that has an owner, whatever else they own.
        Owner::columns(caller, sql, ("CASE WHEN customers.owner_id IS NULL THEN ", " ELSE 0 END"));
    }

    fn take(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self {
            open: OpenBusiness::take(row)?,
            pending_transfers: row.column()?,
            pending_change: row.member()?,
            dependents: dependents(row, OF_CUSTOMER.iter().map(|it| it.0))?,
            caller: Owner::take(row)?,
        })
    }
}

/// Records of which only matters what others name them.
macro_rules! named_by {
    ($($record:ident: $naming:ident),+ $(,)?) => { $(
        impl Ties<$record> for Dependents {
            columns! { counts($record::table().name, $naming) }

            fn take(row: &mut Row) -> Result<Self, StoreError> {
                dependents(row, $naming.iter().map(|it| it.0))
            }
        }
    )+ };
}
named_by!(Lead: OF_LEAD, Team: OF_TEAM, Pipeline: OF_PIPELINE);

impl Ties<Pool> for Dependents {
    fn columns() -> &'static str {
        // Every customer has a kind: saying so is what opens `customers_pool_id`, which is closed to lists.
        "(SELECT COUNT(*) FROM customers AS other WHERE other.kind <> '' AND other.pool_id = pools.id)"
    }

    fn take(row: &mut Row) -> Result<Self, StoreError> {
        dependents(row, std::iter::once(RecordKind::Customer))
    }
}

impl Ties<Contact> for Dependents {
    columns! { [counts_of_customer("contacts", OF_CONTACT), counts("contacts", ABOUT)].join(", ") }

    fn take(row: &mut Row) -> Result<Self, StoreError> {
        dependents(row, OF_CONTACT.iter().map(|it| it.0.0).chain(ABOUT.iter().map(|it| it.0)))
    }
}

impl Ties<Opportunity> for OpportunityTies {
    columns! {
        [
            customer_owner("opportunities"),
            pending_transfers("opportunities"),
            counts_of_customer("opportunities", OF_OPPORTUNITY),
            counts("opportunities", ABOUT_SUBJECT),
        ]
        .join(", ")
    }

    fn take(row: &mut Row) -> Result<Self, StoreError> {
        let kinds = OF_OPPORTUNITY.iter().map(|it| it.0.0);
        Ok(Self {
            customer_owner: row.member()?,
            pending_transfers: row.column()?,
            dependents: dependents(row, kinds.chain(ABOUT_SUBJECT.iter().map(|it| it.0)))?,
        })
    }
}

impl Ties<Contract> for ContractTies {
    columns! {
        [customer_owner("contracts"), pending_transfers("contracts"), counts("contracts", ABOUT_SUBJECT)].join(", ")
    }

    fn take(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self {
            customer_owner: row.member()?,
            pending_transfers: row.column()?,
            dependents: dependents(row, ABOUT_SUBJECT.iter().map(|it| it.0))?,
            submission: None,
        })
    }
}

impl Ties<Invoice> for InvoiceTies {
    columns! { [contract_status("invoices"), counts("invoices", OF_INVOICE)].join(", ") }

    fn take(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self {
            contract_status: row.member()?,
            dependents: dependents(row, OF_INVOICE.iter().map(|it| it.0))?,
            submission: None,
        })
    }
}

impl Ties<Payment> for PaymentTies {
    columns! {
        format!(
            "{}, (SELECT CAST(COALESCE(SUM(other.amount_minor), 0) AS BIGINT) FROM refunds AS other \
               WHERE other.status = 'recorded' AND other.payment_id = payments.id), payments.amount_currency",
            contract_status("payments"),
        )
    }

    fn take(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self { contract_status: row.member()?, pending_refunds: row.member()? })
    }
}

impl Ties<Receipt> for ReceiptTies {
    columns! {
        ["id", "status"]
            .map(|column| {
                format!(
                    "(SELECT other.{column} FROM receipts AS other \
                       WHERE other.part_of_id = receipts.id AND other.status <> 'open' \
                       ORDER BY other.id LIMIT 1)"
                )
            })
            .join(", ")
    }

    fn take(row: &mut Row) -> Result<Self, StoreError> {
        let (part, status): (Option<ReceiptId>, Option<ReceiptStatus>) = (row.member()?, row.member()?);
        Ok(Self { part_in_use: part.zip(status) })
    }
}
