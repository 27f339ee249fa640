//! The last line of defence: what the database refuses by itself, whatever the code above thinks. Rules and locks stand
//! before it, so that no request ever meets it; statements do.

use sqlx::error::ErrorKind;

use crate::support::{Database, Server, command};

on_both_databases! {
    what_the_rules_forbid_the_database_refuses;
}

/// What may be there once, and statements that make it be there twice.
const TWICE: &[(&str, &str)] = &[
    ("an e-mail address of users", "UPDATE users SET email_key = 'same@example.com'"),
    ("a registration number of customers", "UPDATE customers SET registration_key = 'SAME'"),
    (
        "a primary contact of a customer",
        "UPDATE contacts SET is_primary = TRUE, customer_id = (SELECT id FROM customers LIMIT 1)",
    ),
    ("a number of contracts", "UPDATE contracts SET number = 'CT-1999-000001'"),
    (
        "a contract of an opportunity",
        "UPDATE contracts SET opportunity_id = (SELECT id FROM opportunities LIMIT 1) WHERE status <> 'cancelled'",
    ),
    (
        "a renewal of a contract",
        "UPDATE contracts SET renewal_of_id = (SELECT id FROM contracts LIMIT 1) \
         WHERE status NOT IN ('cancelled', 'terminated')",
    ),
    (
        "a pending amendment of a contract",
        "UPDATE amendments SET status = 'pending'; \
         INSERT INTO amendments (id, number, contract_id, customer_id, owner_id, kind, reason, amount_minor, \
            amount_currency, before, after, status, created_by, version, created_at, updated_at) \
         SELECT contract_id, 'AM-1999-000001', contract_id, customer_id, owner_id, kind, reason, amount_minor, \
            amount_currency, before, after, status, created_by, version, created_at, updated_at FROM amendments",
    ),
    (
        "a pending approval of a record",
        "UPDATE approvals SET status = 'pending', waiting_for = 'Finance', \
         subject_id = (SELECT subject_id FROM approvals LIMIT 1)",
    ),
    (
        "a decision of a step",
        "UPDATE approval_decisions SET step = 0, seat = (SELECT user_id FROM approval_decisions LIMIT 1)",
    ),
    (
        "a decision by a person",
        "UPDATE approval_decisions SET user_id = (SELECT user_id FROM approval_decisions LIMIT 1)",
    ),
    (
        "a pending transfer of a record",
        "UPDATE transfer_items SET pending = TRUE, record_id = (SELECT record_id FROM transfer_items LIMIT 1)",
    ),
    (
        "a number of tax invoices",
        "INSERT INTO tax_invoice_numbers SELECT tax_invoice_key FROM tax_invoice_numbers",
    ),
    (
        "a bank reference of payments",
        "UPDATE payments SET method = 'bank_transfer', bank_reference_key = 'SAME' WHERE status = 'confirmed'",
    ),
    (
        "a row of a bank statement",
        "UPDATE receipts SET method = 'bank_transfer', bank_reference_key = 'SAME'",
    ),
    (
        "a receipt of a payment",
        "UPDATE receipts SET status = 'matched', payment_id = (SELECT id FROM payments LIMIT 1)",
    ),
    (
        "an idempotency key of a user",
        "INSERT INTO idempotency_keys (user_id, key, fingerprint, answer, created_at) \
         SELECT users.id, 'key', signing_keys.secret, '{}', users.created_at \
         FROM users, signing_keys, (SELECT 1 AS nth UNION SELECT 2) AS both_times",
    ),
    ("a place in the audit trail", "UPDATE audit_events SET sequence = 1"),
];

/// What must hold of a row, and statements after which it would not.
const WRONG: &[(&str, &str)] = &[
    ("invoices fit into their contract", "UPDATE contracts SET invoice_committed_minor = amount_minor + 1"),
    ("what is issued is committed", "UPDATE contracts SET invoiced_minor = invoice_committed_minor + 1"),
    ("payments fit into their contract", "UPDATE contracts SET received_minor = amount_minor + 1"),
    ("what is confirmed is received", "UPDATE contracts SET paid_minor = received_minor + 1"),
    ("allocations fit into their installment", "UPDATE installments SET allocated_minor = amount_minor + 1"),
    (
        "allocations and credit notes fit into their invoice",
        "UPDATE invoices SET allocated_minor = amount_minor - credited_minor + 1",
    ),
    ("refunds fit into their payment", "UPDATE payments SET refunded_minor = amount_minor + 1"),
    ("nobody confirms what they recorded", "UPDATE payments SET confirmed_by = created_by"),
    (
        "a lead that was converted has its customer",
        "UPDATE leads SET status = 'converted', converted_customer_id = NULL",
    ),
    ("a customer has an owner or is in the pool", "UPDATE customers SET pooled_at = NULL, owner_id = NULL"),
];

async fn what_the_rules_forbid_the_database_refuses(server: Server) {
    let demo = Database::create(server.database.kind).await;
    let seeded = command(&demo, &["seed", "--demo"]).output().await.unwrap();
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    let mut direct = demo.connect().await;
    let mut wrong = Vec::new();
    for (rules, refusal) in [(TWICE, ErrorKind::UniqueViolation), (WRONG, ErrorKind::CheckViolation)] {
        for (rule, statements) in rules {
            direct.run("BEGIN").await;
            let refused = direct.refusal(statements).await;
            if refused.as_ref() != Some(&refusal) {
                wrong.push(format!("{rule}: {refused:?}"));
            }
            direct.run("ROLLBACK").await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
