//! What hangs on a record: what would be left without it, and what waits for it.

use fairlead_domain::contact::Contact;
use fairlead_domain::contract::{Contract, ContractTies};
use fairlead_domain::customer::{Customer, CustomerTies, OpenBusiness, OwnerLoad};
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
use crate::reader::Reader;
use crate::sql::Sql;
use crate::work::Work;

/// A record on which others hang. They are looked at in one statement, always with one row.
pub trait Tied {
    /// What is told about them.
    type Ties;
    /// The columns that tell it, and where they are.
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
        told(self.rows(ask, T::tell).await?)
    }
}

impl Work {
    /// What hangs on a record. Where it is locked, it stays like this until the end: nearly all that is to hang on it
    /// waits for that lock, and the foreign keys stop the rest.
    pub async fn ties<T: Tied>(&self, record: &T) -> Result<T::Ties, StoreError> {
        let mut sql = Sql::new("SELECT ");
        record.ask(&mut sql);
        told(self.select(sql, T::tell).await?)
    }
}

fn told<T>(rows: Vec<T>) -> Result<T, StoreError> {
    let nothing = || StoreError::Corrupt("nothing tells what hangs on a record".to_owned());
    rows.into_iter().next().ok_or_else(nothing)
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

/// Every customer has a kind: saying so is what opens `customers_pool_id`, which is closed to lists.
const OF_POOL: &[Naming] = &[(RecordKind::Customer, "customers", "kind <> '' AND pool_id")];

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

fn customer_owner(sql: &mut Sql, customer: Uuid) {
    sql.push("(SELECT owner_id FROM customers WHERE id = ").bind(customer).push("), ");
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
            caller: OwnerLoad::default(),
            dependents: dependents(row, OF_CUSTOMER.iter().map(|it| it.0))?,
        })
    }
}

/// Records of which only matters what others name them.
macro_rules! named_by {
    ($($record:ident: $naming:ident),+ $(,)?) => { $(
        impl Tied for $record {
            type Ties = Dependents;

            fn ask(&self, sql: &mut Sql) {
                count_all(sql, $naming, self.id.0);
            }

            fn tell(row: &mut Row) -> Result<Dependents, StoreError> {
                dependents(row, $naming.iter().map(|it| it.0))
            }
        }
    )+ };
}
named_by!(Lead: OF_LEAD, Team: OF_TEAM, Pool: OF_POOL, Pipeline: OF_PIPELINE);

impl Tied for Contact {
    type Ties = Dependents;

    fn ask(&self, sql: &mut Sql) {
        count_of_customer(sql, OF_CONTACT, self.id.0, self.details.customer_id.0);
        sql.push(", ");
        count_all(sql, ABOUT, self.id.0);
    }

    fn tell(row: &mut Row) -> Result<Dependents, StoreError> {
        dependents(row, OF_CONTACT.iter().map(|it| it.0.0).chain(ABOUT.iter().map(|it| it.0)))
    }
}

impl Tied for Opportunity {
    type Ties = OpportunityTies;

    fn ask(&self, sql: &mut Sql) {
        customer_owner(sql, self.details.customer_id.0);
        pending_transfers(sql, self.id.0);
        sql.push(", ");
        count_of_customer(sql, OF_OPPORTUNITY, self.id.0, self.details.customer_id.0);
        sql.push(", ");
        count_all(sql, ABOUT_SUBJECT, self.id.0);
    }

    fn tell(row: &mut Row) -> Result<OpportunityTies, StoreError> {
        let kinds = OF_OPPORTUNITY.iter().map(|it| it.0.0);
        Ok(OpportunityTies {
            customer_owner: row.member()?,
            pending_transfers: row.column()?,
            dependents: dependents(row, kinds.chain(ABOUT_SUBJECT.iter().map(|it| it.0)))?,
        })
    }
}

impl Tied for Contract {
    type Ties = ContractTies;

    fn ask(&self, sql: &mut Sql) {
        customer_owner(sql, self.details.customer_id.0);
        pending_transfers(sql, self.id.0);
        sql.push(", ");
        count_all(sql, ABOUT_SUBJECT, self.id.0);
    }

    fn tell(row: &mut Row) -> Result<ContractTies, StoreError> {
        Ok(ContractTies {
            customer_owner: row.member()?,
            pending_transfers: row.column()?,
            dependents: dependents(row, ABOUT_SUBJECT.iter().map(|it| it.0))?,
            submission: None,
        })
    }
}

impl Tied for Invoice {
    type Ties = InvoiceTies;

    fn ask(&self, sql: &mut Sql) {
        sql.push("status, ");
        count_all(sql, OF_INVOICE, self.id.0);
        sql.push(" FROM contracts WHERE id = ").bind(self.details.contract_id.0);
    }

    fn tell(row: &mut Row) -> Result<InvoiceTies, StoreError> {
        Ok(InvoiceTies {
            contract_status: row.member()?,
            dependents: dependents(row, OF_INVOICE.iter().map(|it| it.0))?,
            submission: None,
        })
    }
}

impl Tied for Payment {
    type Ties = PaymentTies;

    fn ask(&self, sql: &mut Sql) {
        sql.push("status, (SELECT CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) FROM refunds");
        sql.push(" WHERE status = 'recorded' AND payment_id = ").bind(self.id.0);
        sql.push("), amount_currency FROM contracts WHERE id = ").bind(self.details.contract_id.0);
    }

    fn tell(row: &mut Row) -> Result<PaymentTies, StoreError> {
        Ok(PaymentTies { contract_status: row.member()?, pending_refunds: row.member()? })
    }
}

impl Tied for Receipt {
    type Ties = ReceiptTies;

    fn ask(&self, sql: &mut Sql) {
        let part = |sql: &mut Sql, column: &str| {
            sql.push(&format!("(SELECT {column} FROM receipts WHERE part_of_id = ")).bind(self.id.0);
            sql.push(" AND status <> 'open' ORDER BY id LIMIT 1)");
        };
        part(sql, "id");
        sql.push(", ");
        part(sql, "status");
    }

    fn tell(row: &mut Row) -> Result<ReceiptTies, StoreError> {
        let (part, status): (Option<ReceiptId>, Option<ReceiptStatus>) = (row.member()?, row.member()?);
        Ok(ReceiptTies { part_in_use: part.zip(status) })
    }
}
