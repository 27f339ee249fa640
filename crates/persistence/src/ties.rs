//! What hangs on a record: what would be left without it, and what waits for it.

use fairlead_domain::contact::Contact;
use fairlead_domain::contract::{Contract, ContractTies};
use fairlead_domain::customer::{Customer, CustomerTies, OpenBusiness};
use fairlead_domain::dependents::Dependents;
use fairlead_domain::lead::Lead;
use fairlead_domain::opportunity::{Opportunity, OpportunityTies};
use fairlead_domain::record::RecordKind;
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::Row;
use crate::reader::Reader;
use crate::sql::Sql;
use crate::work::Work;

/// A record on which others hang. They are looked at in one statement, always with one row.
pub trait Tied {
    /// What is told about them.
    type Ties: Default;
    /// The columns that tell it.
    fn ask(&self, sql: &mut Sql);
    /// Reads these columns.
    fn tell(row: &mut Row) -> Result<Self::Ties, StoreError>;
}

impl Reader<'_> {
    /// What hangs on a record.
    pub async fn ties<T: Tied>(&self, record: &T) -> Result<T::Ties, StoreError> {
        let ask = |sql: &mut Sql| {
            record.ask(sql);
            Ok(())
        };
        Ok(self.rows(ask, T::tell).await?.into_iter().next().unwrap_or_default())
    }
}

impl Work {
    /// What hangs on a record. Where it is locked, it stays like this until the end: nearly all that is to hang on it
    /// waits for that lock, and the foreign keys stop the rest.
    pub async fn ties<T: Tied>(&self, record: &T) -> Result<T::Ties, StoreError> {
        let mut sql = Sql::new("SELECT ");
        record.ask(&mut sql);
        Ok(self.select(sql, T::tell).await?.into_iter().next().unwrap_or_default())
    }
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

fn count_all(sql: &mut Sql, named: &[Naming], id: Uuid) {
    for (at, (_, table, column)) in named.iter().enumerate() {
        if at > 0 {
            sql.push(", ");
        }
        sql.push(&format!("(SELECT COUNT(*) FROM {table} WHERE {column} = ")).bind(id).push(")");
    }
}

fn count_of_customer(sql: &mut Sql, named: &[(Naming, &str)], id: Uuid, customer: Uuid) {
    for (at, ((_, table, column), of)) in named.iter().enumerate() {
        if at > 0 {
            sql.push(", ");
        }
        sql.push(&format!("(SELECT COUNT(*) FROM {table} WHERE {of} = ")).bind(customer);
        sql.push(&format!(" AND {column} = ")).bind(id).push(")");
    }
}

fn pending_transfers(sql: &mut Sql, id: Uuid) {
    sql.push("(SELECT COUNT(*) FROM transfer_items WHERE record_id = ").bind(id).push(" AND pending)");
}

/// Reads as many figures as there are kinds.
fn dependents(row: &mut Row, kinds: impl Iterator<Item = RecordKind>) -> Result<Dependents, StoreError> {
    kinds.map(|kind| Ok((kind, row.column::<i64>()?))).collect()
}

/// What of a customer goes on; two columns.
pub(crate) fn open_business(sql: &mut Sql, customer: Uuid) {
    sql.push("(SELECT COUNT(*) FROM opportunities WHERE customer_id = ").bind(customer);
    sql.push(" AND status = 'open'), (SELECT COUNT(*) FROM contracts WHERE customer_id = ").bind(customer);
    sql.push(" AND status IN ('draft', 'pending_approval', 'active'))");
}

pub(crate) fn take_open_business(row: &mut Row) -> Result<OpenBusiness, StoreError> {
    Ok(OpenBusiness { opportunities: row.column()?, contracts: row.column()? })
}

impl Tied for Customer {
    type Ties = CustomerTies;

    fn ask(&self, sql: &mut Sql) {
        let id = self.id.0;
        open_business(sql, id);
        sql.push(", ");
        pending_transfers(sql, id);
        sql.push(", (SELECT id FROM customer_changes WHERE customer_id = ").bind(id);
        sql.push(" AND status = 'pending'), ");
        count_all(sql, OF_CUSTOMER, id);
    }

    fn tell(row: &mut Row) -> Result<CustomerTies, StoreError> {
        Ok(CustomerTies {
            open: take_open_business(row)?,
            pending_transfers: row.column()?,
            pending_change: row.member()?,
            dependents: dependents(row, OF_CUSTOMER.iter().map(|it| it.0))?,
        })
    }
}

impl Tied for Lead {
    type Ties = Dependents;

    fn ask(&self, sql: &mut Sql) {
        count_all(sql, OF_LEAD, self.id.0);
    }

    fn tell(row: &mut Row) -> Result<Dependents, StoreError> {
        dependents(row, OF_LEAD.iter().map(|it| it.0))
    }
}

impl Tied for Contact {
    type Ties = Dependents;

    fn ask(&self, sql: &mut Sql) {
        count_of_customer(sql, OF_CONTACT, self.id.0, self.details.customer_id.0);
    }

    fn tell(row: &mut Row) -> Result<Dependents, StoreError> {
        dependents(row, OF_CONTACT.iter().map(|it| it.0.0))
    }
}

impl Tied for Opportunity {
    type Ties = OpportunityTies;

    fn ask(&self, sql: &mut Sql) {
        pending_transfers(sql, self.id.0);
        sql.push(", ");
        count_of_customer(sql, OF_OPPORTUNITY, self.id.0, self.details.customer_id.0);
    }

    fn tell(row: &mut Row) -> Result<OpportunityTies, StoreError> {
        Ok(OpportunityTies {
            pending_transfers: row.column()?,
            dependents: dependents(row, OF_OPPORTUNITY.iter().map(|it| it.0.0))?,
        })
    }
}

impl Tied for Contract {
    type Ties = ContractTies;

    fn ask(&self, sql: &mut Sql) {
        pending_transfers(sql, self.id.0);
    }

    fn tell(row: &mut Row) -> Result<ContractTies, StoreError> {
        Ok(ContractTies { pending_transfers: row.column()? })
    }
}
