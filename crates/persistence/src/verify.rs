//! Recomputes every sum and looks for every invariant that rows could break.

use crate::error::StoreError;
use crate::member::{Row, only};
use crate::sql::Sql;
use crate::store::Store;

/// A question whose every answer is a difference: the rows name the record and say what is wrong.
struct Check {
    name: &'static str,
    /// Counts what is looked at.
    population: &'static str,
    /// Selects a text for each difference.
    differences: &'static str,
}

const CHECKS: &[Check] = &[
    Check {
        name: "contracts: invoices committed",
        population: "SELECT COUNT(*) FROM contracts",
        differences: "SELECT number || ': invoices committed do not add up' FROM contracts \
             WHERE invoice_committed_minor <> (SELECT COALESCE(SUM(amount_minor), 0) FROM invoices \
             WHERE contract_id = contracts.id AND invoices.status IN ('pending_approval', 'approved', 'issued'))",
    },
    Check {
        name: "contracts: invoices issued",
        population: "SELECT COUNT(*) FROM contracts",
        differences: "SELECT number || ': issued invoices do not add up' FROM contracts \
             WHERE invoiced_minor <> (SELECT COALESCE(SUM(amount_minor), 0) FROM invoices \
             WHERE contract_id = contracts.id AND invoices.status = 'issued')",
    },
    Check {
        name: "contracts: payments received",
        population: "SELECT COUNT(*) FROM contracts",
        differences: "SELECT number || ': received payments do not add up' FROM contracts \
             WHERE received_minor <> (SELECT COALESCE(SUM(amount_minor), 0) FROM payments \
             WHERE contract_id = contracts.id AND payments.status IN ('recorded', 'confirmed'))",
    },
    Check {
        name: "contracts: payments confirmed",
        population: "SELECT COUNT(*) FROM contracts",
        differences: "SELECT number || ': confirmed payments do not add up' FROM contracts \
             WHERE paid_minor <> (SELECT COALESCE(SUM(amount_minor), 0) FROM payments \
             WHERE contract_id = contracts.id AND payments.status = 'confirmed')",
    },
    Check {
        name: "contracts: installments of running contracts",
        population: "SELECT COUNT(*) FROM contracts WHERE status IN ('active', 'completed')",
        differences: "SELECT number || ': installments do not add up to the amount' FROM contracts \
             WHERE status IN ('active', 'completed') AND amount_minor <> \
             (SELECT COALESCE(SUM(amount_minor), 0) FROM installments WHERE contract_id = contracts.id)",
    },
    Check {
        name: "contracts: status agrees with money",
        population: "SELECT COUNT(*) FROM contracts",
        differences: "SELECT number || ': is ' || status || ', but its money says otherwise' FROM contracts \
             WHERE status IN ('active', 'completed') AND (status = 'completed') <> (paid_minor = amount_minor \
             AND (collection_scheme = 'by_contract' OR invoiced_minor = amount_minor))",
    },
    Check {
        name: "invoices: allocations",
        population: "SELECT COUNT(*) FROM invoices",
        differences: "SELECT number || ': allocations do not add up' FROM invoices \
             WHERE allocated_minor <> (SELECT COALESCE(SUM(allocations.amount_minor), 0) FROM allocations \
                JOIN payments ON payments.id = allocations.payment_id \
                WHERE allocations.invoice_id = invoices.id AND payments.status IN ('recorded', 'confirmed')) \
             OR paid_minor <> (SELECT COALESCE(SUM(allocations.amount_minor), 0) FROM allocations \
                JOIN payments ON payments.id = allocations.payment_id \
                WHERE allocations.invoice_id = invoices.id AND payments.status = 'confirmed')",
    },
    Check {
        name: "installments: allocations",
        population: "SELECT COUNT(*) FROM installments",
        differences: "SELECT contracts.number || ', installment ' || CAST(sequence AS TEXT) || ': allocations do not add up' \
             FROM installments JOIN contracts ON contracts.id = installments.contract_id \
             WHERE allocated_minor <> (SELECT COALESCE(SUM(allocations.amount_minor), 0) FROM allocations \
                JOIN payments ON payments.id = allocations.payment_id \
                WHERE allocations.installment_id = installments.id AND payments.status IN ('recorded', 'confirmed')) \
             OR installments.paid_minor <> (SELECT COALESCE(SUM(allocations.amount_minor), 0) FROM allocations \
                JOIN payments ON payments.id = allocations.payment_id \
                WHERE allocations.installment_id = installments.id AND payments.status = 'confirmed')",
    },
    Check {
        name: "payments: allocations",
        population: "SELECT COUNT(*) FROM payments",
        differences: "SELECT payments.number || ': allocations do not add up to the amount' FROM payments \
             JOIN contracts ON contracts.id = payments.contract_id \
             WHERE payments.amount_minor <> (SELECT COALESCE(SUM(amount_minor), 0) FROM allocations \
                WHERE payment_id = payments.id AND installment_id IS NOT NULL) \
             OR (contracts.collection_scheme = 'by_invoice' AND payments.amount_minor <> \
                (SELECT COALESCE(SUM(amount_minor), 0) FROM allocations \
                WHERE payment_id = payments.id AND invoice_id IS NOT NULL))",
    },
    Check {
        name: "invoices and payments agree with their contract",
        population: "SELECT (SELECT COUNT(*) FROM invoices) + (SELECT COUNT(*) FROM payments)",
        differences: "SELECT children.number || ': has another customer or currency than its contract' FROM \
             (SELECT number, contract_id, customer_id, amount_currency FROM invoices \
              UNION ALL SELECT number, contract_id, customer_id, amount_currency FROM payments) AS children \
             JOIN contracts ON contracts.id = children.contract_id \
             WHERE children.customer_id <> contracts.customer_id \
             OR children.amount_currency <> contracts.amount_currency",
    },
    Check {
        name: "allocations stay inside their contract",
        population: "SELECT COUNT(*) FROM allocations",
        differences: "SELECT payments.number || ': an allocation leaves the contract' FROM allocations \
             JOIN payments ON payments.id = allocations.payment_id \
             LEFT JOIN invoices ON invoices.id = allocations.invoice_id \
             LEFT JOIN installments ON installments.id = allocations.installment_id \
             WHERE allocations.contract_id <> payments.contract_id \
             OR COALESCE(invoices.contract_id, installments.contract_id) <> allocations.contract_id",
    },
    Check {
        name: "approvals agree with their subjects",
        population: "SELECT COUNT(*) FROM approvals",
        differences: "SELECT subject_number || ': a pending approval without a pending subject' FROM approvals \
             WHERE status = 'pending' \
             AND NOT EXISTS (SELECT 1 FROM contracts WHERE contracts.id = subject_id AND contracts.status = 'pending_approval') \
             AND NOT EXISTS (SELECT 1 FROM invoices WHERE invoices.id = subject_id AND invoices.status = 'pending_approval') \
             UNION ALL SELECT number || ': waits for an approval that is not there' FROM \
             (SELECT id, number, status FROM contracts UNION ALL SELECT id, number, status FROM invoices) AS subjects \
             WHERE status = 'pending_approval' \
             AND NOT EXISTS (SELECT 1 FROM approvals WHERE subject_id = subjects.id AND approvals.status = 'pending')",
    },
    Check {
        name: "opportunities agree with their contracts",
        population: "SELECT COUNT(*) FROM opportunities",
        differences: "SELECT opportunities.name || ': its contract does not know it' FROM opportunities \
             WHERE contract_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM contracts \
             WHERE contracts.id = opportunities.contract_id AND contracts.opportunity_id = opportunities.id) \
             UNION ALL SELECT opportunities.name || ': is ' || opportunities.status || ', but its contract is ' \
             || contracts.status FROM opportunities JOIN contracts ON contracts.id = opportunities.contract_id \
             WHERE (opportunities.status = 'won') <> (contracts.status IN ('active', 'completed', 'terminated'))",
    },
    Check {
        name: "open opportunities have customers with owners",
        population: "SELECT COUNT(*) FROM opportunities WHERE status = 'open'",
        differences: "SELECT opportunities.name || ': is open, and its customer is in the pool' FROM opportunities \
             JOIN customers ON customers.id = opportunities.customer_id \
             WHERE opportunities.status = 'open' AND customers.owner_id IS NULL",
    },
    Check {
        name: "customers: the last change of hands names the owner",
        population: "SELECT COUNT(*) FROM customers",
        differences: "SELECT customers.name || ': its ownership history names another owner' FROM customers \
             WHERE EXISTS (SELECT 1 FROM ownership_history AS last WHERE last.customer_id = customers.id \
             AND NOT EXISTS (SELECT 1 FROM ownership_history AS later WHERE later.customer_id = customers.id \
                AND later.id > last.id) \
             AND COALESCE(last.to_id, customers.id) <> COALESCE(customers.owner_id, customers.id))",
    },
    Check {
        name: "idempotency keys have their answers",
        population: "SELECT COUNT(*) FROM idempotency_keys",
        differences: "SELECT key || ': a key without an answer' FROM idempotency_keys WHERE answer IS NULL",
    },
    Check {
        name: "outbox has every audit event",
        population: "SELECT COUNT(*) FROM outbox",
        differences: "SELECT CAST(audit_events.sequence AS TEXT) || ': an event without its outbox row' FROM audit_events \
             LEFT JOIN outbox ON outbox.sequence = audit_events.sequence AND outbox.id = audit_events.id \
             WHERE outbox.id IS NULL",
    },
];

/// What `verify` found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Each check and how many rows it looked at.
    pub checked: Vec<(String, u64)>,
    /// Everything that does not add up.
    pub differences: Vec<String>,
}

impl Store {
    /// Runs every check.
    pub async fn verify(&self) -> Result<Findings, StoreError> {
        let mut findings = Findings::default();
        for check in CHECKS {
            let rows = self.texts(check.population, only::<i64>).await?;
            let population = rows.first().copied().unwrap_or(0);
            findings.checked.push((check.name.to_owned(), u64::try_from(population).unwrap_or(0)));
            let differences = self.texts(check.differences, only::<String>).await?;
            findings
                .differences
                .extend(differences.into_iter().map(|what| format!("{}: {what}", check.name)));
        }
        let (events, broken) = self.verify_chain().await?;
        findings.checked.push(("audit trail".to_owned(), events));
        findings.differences.extend(broken);
        Ok(findings)
    }

    async fn texts<T>(
        &self,
        text: &str,
        each: impl Fn(&mut Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.reader.all(Sql::new(text)).await?;
        rows.iter().map(|row| each(&mut Row::new(row))).collect()
    }
}
