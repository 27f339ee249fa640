//! What rows could say that contradicts other rows, as questions in SQL. One text for both databases.

use crate::search::OUT_OF_STEP;

/// A question whose every answer is a difference: the rows name the record and say what is wrong.
pub(super) struct Check {
    pub(super) name: &'static str,
    /// Counts what is looked at.
    pub(super) population: &'static str,
    /// Selects a text for each difference.
    pub(super) differences: &'static str,
}

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "contracts: invoices committed",
        population: "SELECT COUNT(*) FROM contracts",
        differences: "SELECT number || ': invoices committed do not add up' FROM contracts \
             WHERE invoice_committed_minor <> (SELECT COALESCE(SUM(amount_minor - credited_minor), 0) FROM invoices \
             WHERE contract_id = contracts.id AND invoices.status IN ('pending_approval', 'approved', 'issued'))",
    },
    Check {
        name: "contracts: invoices issued",
        population: "SELECT COUNT(*) FROM contracts",
        differences: "SELECT number || ': issued invoices do not add up' FROM contracts \
             WHERE invoiced_minor <> (SELECT COALESCE(SUM(amount_minor - credited_minor), 0) FROM invoices \
             WHERE contract_id = contracts.id AND invoices.status = 'issued')",
    },
    Check {
        name: "contracts: payments received",
        population: "SELECT COUNT(*) FROM contracts",
        differences: "SELECT number || ': received payments do not add up' FROM contracts \
             WHERE received_minor <> (SELECT COALESCE(SUM(amount_minor - refunded_minor), 0) FROM payments \
             WHERE contract_id = contracts.id AND payments.status IN ('recorded', 'confirmed'))",
    },
    Check {
        name: "contracts: payments confirmed",
        population: "SELECT COUNT(*) FROM contracts",
        differences: "SELECT number || ': confirmed payments do not add up' FROM contracts \
             WHERE paid_minor <> (SELECT COALESCE(SUM(amount_minor - refunded_minor), 0) FROM payments \
             WHERE contract_id = contracts.id AND payments.status = 'confirmed')",
    },
    Check {
        name: "contracts: installments of running contracts",
        population: "SELECT COUNT(*) FROM contracts WHERE status IN ('active', 'completed')",
        differences: "SELECT number || ': installments do not add up to the amount' FROM contracts \
             WHERE status IN ('active', 'completed') AND amount_minor <> \
             (SELECT COALESCE(SUM(amount_minor), 0) FROM installments WHERE contract_id = contracts.id AND NOT closed)",
    },
    Check {
        name: "contracts: status agrees with money",
        population: "SELECT COUNT(*) FROM contracts",
        differences: "SELECT number || ': is ' || status || ', but its money says otherwise' FROM contracts \
             WHERE status IN ('active', 'completed') AND (status = 'completed') <> (paid_minor = amount_minor \
             AND (collection_scheme = 'by_contract' OR invoiced_minor = amount_minor))",
    },
    Check {
        name: "tax invoice numbers are taken once",
        population: "SELECT COUNT(*) FROM tax_invoice_numbers",
        differences: "SELECT MIN(number) || ': its tax invoice number is taken ' || CASE COUNT(*) WHEN 1 THEN 'by nobody' ELSE 'twice' END \
             FROM (SELECT number, tax_invoice_key FROM invoices WHERE tax_invoice_key IS NOT NULL \
                UNION ALL SELECT number, tax_invoice_key FROM credit_notes) AS used \
             LEFT JOIN tax_invoice_numbers AS taken ON taken.tax_invoice_key = used.tax_invoice_key \
             GROUP BY used.tax_invoice_key, taken.tax_invoice_key \
             HAVING COUNT(*) > 1 OR taken.tax_invoice_key IS NULL",
    },
    Check {
        name: "invoices: allocations",
        population: "SELECT COUNT(*) FROM invoices",
        differences: "SELECT number || ': allocations do not add up' FROM invoices \
             WHERE allocated_minor <> (SELECT COALESCE(SUM(allocations.amount_minor), 0) FROM allocations \
                JOIN payments ON payments.id = allocations.payment_id \
                WHERE allocations.invoice_id = invoices.id AND NOT allocations.void AND payments.status IN ('recorded', 'confirmed')) \
             OR paid_minor <> (SELECT COALESCE(SUM(allocations.amount_minor), 0) FROM allocations \
                JOIN payments ON payments.id = allocations.payment_id \
                WHERE allocations.invoice_id = invoices.id AND NOT allocations.void AND payments.status = 'confirmed')",
    },
    Check {
        name: "installments: allocations",
        population: "SELECT COUNT(*) FROM installments",
        differences: "SELECT contracts.number || ', installment ' || CAST(sequence AS TEXT) || ': allocations do not add up' \
             FROM installments JOIN contracts ON contracts.id = installments.contract_id \
             WHERE allocated_minor <> (SELECT COALESCE(SUM(allocations.amount_minor), 0) FROM allocations \
                JOIN payments ON payments.id = allocations.payment_id \
                WHERE allocations.installment_id = installments.id AND NOT allocations.void AND payments.status IN ('recorded', 'confirmed')) \
             OR installments.paid_minor <> (SELECT COALESCE(SUM(allocations.amount_minor), 0) FROM allocations \
                JOIN payments ON payments.id = allocations.payment_id \
                WHERE allocations.installment_id = installments.id AND NOT allocations.void AND payments.status = 'confirmed')",
    },
    Check {
        name: "payments: allocations",
        population: "SELECT COUNT(*) FROM payments",
        differences: "SELECT payments.number || ': allocations do not add up to the amount' FROM payments \
             JOIN contracts ON contracts.id = payments.contract_id \
             WHERE payments.amount_minor - payments.refunded_minor <> (SELECT COALESCE(SUM(amount_minor), 0) FROM allocations \
                WHERE payment_id = payments.id AND NOT void AND installment_id IS NOT NULL) \
             OR (contracts.collection_scheme = 'by_invoice' AND payments.amount_minor - payments.refunded_minor <> \
                (SELECT COALESCE(SUM(amount_minor), 0) FROM allocations \
                WHERE payment_id = payments.id AND NOT void AND invoice_id IS NOT NULL))",
    },
    Check {
        name: "invoices: credit notes",
        population: "SELECT COUNT(*) FROM credit_notes",
        differences: "SELECT number || ': its credit notes do not add up' FROM invoices \
             WHERE credited_minor <> (SELECT COALESCE(SUM(amount_minor), 0) FROM credit_notes WHERE invoice_id = invoices.id) \
             OR (status = 'credited') <> (credited_minor = amount_minor)",
    },
    Check {
        name: "receipts: payments",
        population: "SELECT COUNT(*) FROM receipts WHERE status = 'matched'",
        differences: "SELECT payments.number || ': accounts for a receipt of another amount, or does not count' \
             FROM receipts JOIN payments ON payments.id = receipts.payment_id \
             WHERE payments.amount_minor <> receipts.amount_minor \
             OR payments.amount_currency <> receipts.amount_currency OR payments.status = 'rejected'",
    },
    Check {
        name: "payments: refunds",
        population: "SELECT COUNT(*) FROM payments WHERE refunded_minor > 0",
        differences: "SELECT number || ': its refunds do not add up' FROM payments \
             WHERE refunded_minor <> (SELECT COALESCE(SUM(amount_minor), 0) FROM refunds \
                WHERE payment_id = payments.id AND status = 'confirmed') \
             OR (status = 'refunded') <> (refunded_minor = amount_minor)",
    },
    Check {
        name: "invoices and payments agree with their contract",
        population: "SELECT (SELECT COUNT(*) FROM invoices) + (SELECT COUNT(*) FROM payments)",
        differences: "SELECT children.number || ': has another customer, owner or currency than its contract' FROM \
             (SELECT number, contract_id, customer_id, owner_id, amount_currency FROM invoices \
              UNION ALL SELECT number, contract_id, customer_id, owner_id, amount_currency FROM payments \
              UNION ALL SELECT number, contract_id, customer_id, owner_id, amount_currency FROM refunds \
              UNION ALL SELECT number, contract_id, customer_id, owner_id, amount_currency FROM credit_notes \
              UNION ALL SELECT number, contract_id, customer_id, owner_id, amount_currency FROM amendments) AS children \
             JOIN contracts ON contracts.id = children.contract_id \
             WHERE children.customer_id <> contracts.customer_id OR children.owner_id <> contracts.owner_id \
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
             AND NOT EXISTS (SELECT 1 FROM transfers WHERE transfers.id = subject_id AND transfers.status = 'pending') \
             AND NOT EXISTS (SELECT 1 FROM amendments WHERE amendments.id = subject_id AND amendments.status = 'pending') \
             AND NOT EXISTS (SELECT 1 FROM opportunities WHERE opportunities.id = subject_id AND pending_stage_id IS NOT NULL) \
             AND NOT EXISTS (SELECT 1 FROM customer_changes WHERE customer_changes.id = subject_id \
                AND customer_changes.status = 'pending') \
             UNION ALL SELECT number || ': waits for an approval that is not there' FROM \
             (SELECT id, number, status FROM contracts UNION ALL SELECT id, number, status FROM invoices \
              UNION ALL SELECT id, number, status FROM transfers \
              UNION ALL SELECT id, number, status FROM amendments \
              UNION ALL SELECT id, number, status FROM customer_changes \
              UNION ALL SELECT id, name, 'pending' FROM opportunities WHERE pending_stage_id IS NOT NULL) AS subjects \
             WHERE status IN ('pending_approval', 'pending') \
             AND NOT EXISTS (SELECT 1 FROM approvals WHERE subject_id = subjects.id AND approvals.status = 'pending')",
    },
    Check {
        // Who sees a request or a change goes by whom it is filed under; nobody, while a customer is in the pool.
        name: "requests are with whom their subjects are",
        population: "SELECT (SELECT COUNT(*) FROM approvals) + (SELECT COUNT(*) FROM customer_changes)",
        differences: "SELECT approvals.subject_number || ': its approval is with somebody else than its subject' \
             FROM approvals LEFT JOIN \
             (SELECT id, owner_id FROM contracts UNION ALL SELECT id, owner_id FROM invoices \
              UNION ALL SELECT id, owner_id FROM transfers \
              UNION ALL SELECT id, owner_id FROM amendments \
              UNION ALL SELECT id, owner_id FROM opportunities \
              UNION ALL SELECT id, owner_id FROM customer_changes) AS subjects ON subjects.id = approvals.subject_id \
             WHERE subjects.id IS NULL \
             OR COALESCE(approvals.owner_id, approvals.id) <> COALESCE(subjects.owner_id, approvals.id) \
             UNION ALL SELECT customer_changes.number || ': is with somebody else than its customer' \
             FROM customer_changes JOIN customers ON customers.id = customer_changes.customer_id \
             WHERE COALESCE(customer_changes.owner_id, customers.id) <> COALESCE(customers.owner_id, customers.id)",
    },
    Check {
        name: "refunds wait for payments that are confirmed",
        population: "SELECT COUNT(*) FROM refunds",
        differences: "SELECT refunds.number || ': waits, and its payment is ' || payments.status FROM refunds \
             JOIN payments ON payments.id = refunds.payment_id \
             WHERE refunds.status = 'recorded' AND payments.status <> 'confirmed'",
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
        name: "activities are about what is there",
        population: "SELECT COUNT(*) FROM activities",
        differences: "SELECT activities.subject || ': is about what is not there, or is of another customer or lead' \
             FROM activities LEFT JOIN \
             (SELECT 'lead' AS kind, id, id AS root_id FROM leads \
              UNION ALL SELECT 'customer', id, id FROM customers \
              UNION ALL SELECT 'contact', id, customer_id FROM contacts \
              UNION ALL SELECT 'opportunity', id, customer_id FROM opportunities \
              UNION ALL SELECT 'contract', id, customer_id FROM contracts) AS named \
             ON named.id = activities.about_id AND named.kind = activities.about_kind \
             AND named.root_id = CASE activities.about_kind WHEN 'lead' THEN activities.lead_id ELSE activities.customer_id END \
             WHERE named.id IS NULL",
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
        name: "the outbox agrees with the audit trail",
        population: "SELECT COUNT(*) FROM outbox",
        differences: "SELECT CAST(audit_events.sequence AS TEXT) || ': an event without its outbox row' FROM audit_events \
             LEFT JOIN outbox ON outbox.sequence = audit_events.sequence AND outbox.id = audit_events.id \
             AND outbox.event = audit_events.action AND outbox.record_kind = audit_events.record_kind \
             AND outbox.record_id = audit_events.record_id AND outbox.occurred_at = audit_events.occurred_at \
             WHERE outbox.id IS NULL \
             UNION ALL SELECT CAST(outbox.sequence AS TEXT) || ': an outbox row without its event' FROM outbox \
             LEFT JOIN audit_events ON audit_events.sequence = outbox.sequence WHERE audit_events.id IS NULL",
    },
    Check {
        // Whom a record concerns stands there by their ids, each of 36 letters, with a space between two.
        name: "it is known where every record stands",
        population: "SELECT COUNT(*) FROM standings WHERE until IS NULL",
        differences: "WITH records AS (\
                SELECT id, owner_id, CAST(NULL AS UUID) AS pool_id, CAST(NULL AS UUID) AS customer_id, \
                    CAST(NULL AS UUID) AS with_id, CAST(NULL AS UUID) AS about_id FROM leads \
                UNION ALL SELECT id, owner_id, pool_id, id, NULL, NULL FROM customers \
                UNION ALL SELECT id, NULL, NULL, customer_id, customer_id, NULL FROM contacts \
                UNION ALL SELECT id, NULL, NULL, customer_id, COALESCE(customer_id, lead_id), \
                    CASE WHEN about_kind IN ('opportunity', 'contract') THEN about_id \
                    ELSE COALESCE(customer_id, lead_id) END FROM activities \
                UNION ALL SELECT id, owner_id, NULL, customer_id, NULL, NULL FROM opportunities \
                UNION ALL SELECT id, owner_id, NULL, customer_id, NULL, NULL FROM contracts \
                UNION ALL SELECT id, owner_id, NULL, customer_id, NULL, NULL FROM invoices \
                UNION ALL SELECT id, owner_id, NULL, customer_id, NULL, NULL FROM payments \
                UNION ALL SELECT id, owner_id, NULL, customer_id, NULL, NULL FROM approvals \
                UNION ALL SELECT id, owner_id, NULL, NULL, NULL, NULL FROM transfers) \
             SELECT 'a record stands elsewhere than was noted' FROM records \
             LEFT JOIN standings ON standings.record_id = records.id AND standings.until IS NULL \
             AND COALESCE(standings.owner_id, standings.record_id) = COALESCE(records.owner_id, records.id) \
             AND COALESCE(standings.pool_id, standings.record_id) = COALESCE(records.pool_id, records.id) \
             AND COALESCE(standings.customer_id, standings.record_id) = COALESCE(records.customer_id, records.id) \
             AND COALESCE(standings.with_id, standings.record_id) = COALESCE(records.with_id, records.id) \
             AND COALESCE(standings.about_id, standings.record_id) = COALESCE(records.about_id, records.id) \
             WHERE standings.record_id IS NULL \
             UNION ALL SELECT approvals.subject_number || ': waits or was decided otherwise than was noted' \
             FROM approvals JOIN standings ON standings.record_id = approvals.id AND standings.until IS NULL \
             WHERE COALESCE(standings.subject_kind, '') <> approvals.subject_kind \
             OR COALESCE(standings.waiting_for, '') <> COALESCE(approvals.waiting_for, '') \
             OR (COALESCE(LENGTH(standings.persons), 0) + 1) / 37 <> \
                (SELECT COUNT(*) + COUNT(on_behalf_of) FROM approval_decisions \
                 WHERE approval_decisions.approval_id = approvals.id AND NOT void) \
             UNION ALL SELECT transfers.number || ': concerns others than was noted' \
             FROM transfers JOIN standings ON standings.record_id = transfers.id AND standings.until IS NULL \
             WHERE COALESCE(LENGTH(standings.persons), 0) <> 73 \
             UNION ALL SELECT 'a record stands somewhere that is not there' FROM standings \
             LEFT JOIN records ON records.id = standings.record_id \
             WHERE standings.until IS NULL AND records.id IS NULL",
    },
    Check {
        name: "the audit trail ends where its head says",
        population: "SELECT COUNT(*) FROM audit_head",
        differences: "SELECT CAST(sequence AS TEXT) || ': an event behind the end' FROM audit_events \
             WHERE sequence > (SELECT sequence FROM audit_head) \
             UNION ALL SELECT 'there are users, but nothing ever happened' \
             WHERE EXISTS (SELECT 1 FROM users) AND NOT EXISTS (SELECT 1 FROM audit_events)",
    },
    Check {
        name: "installments and allocations are in their contract's currency",
        population: "SELECT (SELECT COUNT(*) FROM installments) + (SELECT COUNT(*) FROM allocations)",
        differences: "SELECT contracts.number || ': one of its parts is in ' || parts.amount_currency FROM \
             (SELECT contract_id, amount_currency FROM installments \
              UNION ALL SELECT contract_id, amount_currency FROM allocations) AS parts \
             JOIN contracts ON contracts.id = parts.contract_id \
             WHERE parts.amount_currency <> contracts.amount_currency",
    },
    Check {
        // The last approved amendment says what the amount is; the contract's own approval, where there is none.
        name: "contracts: the amount is the approved one",
        population: "SELECT COUNT(*) FROM contracts WHERE status IN ('active', 'completed', 'terminated')",
        differences: "SELECT contracts.number || ': another amount was approved' FROM approvals \
             JOIN contracts ON contracts.id = approvals.subject_id \
             LEFT JOIN amendments ON amendments.id = (SELECT id FROM amendments \
                WHERE contract_id = contracts.id AND status = 'approved' ORDER BY decided_at DESC, number DESC LIMIT 1) \
             WHERE approvals.status = 'approved' AND contracts.status IN ('active', 'completed', 'terminated') \
             AND (COALESCE(amendments.amount_minor, approvals.amount_minor) <> contracts.amount_minor \
                OR approvals.amount_currency <> contracts.amount_currency)",
    },
    Check {
        name: "what runs was approved",
        population: "SELECT (SELECT COUNT(*) FROM contracts WHERE status IN ('active', 'completed', 'terminated')) \
             + (SELECT COUNT(*) FROM invoices WHERE status IN ('approved', 'issued')) \
             + (SELECT COUNT(*) FROM transfers WHERE status = 'approved') \
             + (SELECT COUNT(*) FROM amendments WHERE status = 'approved')",
        differences: "SELECT subjects.number || ': is ' || subjects.status || ', and nobody approved it' FROM \
             (SELECT id, number, status FROM contracts WHERE status IN ('active', 'completed', 'terminated') \
              UNION ALL SELECT id, number, status FROM invoices WHERE status IN ('approved', 'issued') \
              UNION ALL SELECT id, number, status FROM transfers WHERE status = 'approved' \
              UNION ALL SELECT id, number, status FROM amendments WHERE status = 'approved') AS subjects \
             WHERE NOT EXISTS (SELECT 1 FROM approvals \
                WHERE approvals.subject_id = subjects.id AND approvals.status = 'approved')",
    },
    Check {
        name: "won opportunities have contracts",
        population: "SELECT COUNT(*) FROM opportunities WHERE status = 'won'",
        differences: "SELECT name || ': is won, but has no contract' FROM opportunities \
             WHERE status = 'won' AND contract_id IS NULL",
    },
    Check {
        name: "contracts are known to their opportunities",
        population: "SELECT COUNT(*) FROM contracts WHERE opportunity_id IS NOT NULL AND status <> 'cancelled'",
        differences: "SELECT contracts.number || ': its opportunity does not know it' FROM contracts \
             LEFT JOIN opportunities ON opportunities.id = contracts.opportunity_id \
                AND opportunities.contract_id = contracts.id \
             WHERE contracts.opportunity_id IS NOT NULL AND contracts.status <> 'cancelled' \
             AND opportunities.id IS NULL",
    },
    Check {
        name: "open contracts have customers with owners",
        population: "SELECT COUNT(*) FROM contracts WHERE status IN ('draft', 'pending_approval', 'active')",
        differences: "SELECT contracts.number || ': is ' || contracts.status || ', and its customer is in the pool' \
             FROM contracts JOIN customers ON customers.id = contracts.customer_id \
             WHERE contracts.status IN ('draft', 'pending_approval', 'active') AND customers.owner_id IS NULL",
    },
    Check {
        name: "customers have an ownership history",
        population: "SELECT COUNT(*) FROM customers",
        differences: "SELECT name || ': nobody knows how it came to its owner' FROM customers \
             WHERE NOT EXISTS (SELECT 1 FROM ownership_history WHERE customer_id = customers.id)",
    },
    Check {
        name: "somebody confirmed every confirmed payment",
        population: "SELECT COUNT(*) FROM payments WHERE status = 'confirmed'",
        differences: "SELECT number || ': is confirmed, but by nobody' FROM payments \
             WHERE status = 'confirmed' AND (confirmed_by IS NULL OR confirmed_at IS NULL)",
    },
    Check {
        name: "terminated contracts have no open installments",
        population: "SELECT COUNT(*) FROM contracts WHERE status = 'terminated'",
        differences: "SELECT contracts.number || ', installment ' || CAST(sequence AS TEXT) || ': is still open' \
             FROM installments JOIN contracts ON contracts.id = installments.contract_id \
             WHERE contracts.status = 'terminated' AND NOT installments.closed \
             AND installments.paid_minor <> installments.amount_minor",
    },
    Check {
        // Numbers are texts with leading zeros: of two of the same length, the later one is the greater text.
        name: "no number is ahead of its series",
        population: "SELECT (SELECT COUNT(*) FROM contracts) + (SELECT COUNT(*) FROM invoices) \
             + (SELECT COUNT(*) FROM payments) + (SELECT COUNT(*) FROM transfers) \
             + (SELECT COUNT(*) FROM amendments) + (SELECT COUNT(*) FROM refunds) \
             + (SELECT COUNT(*) FROM credit_notes) + (SELECT COUNT(*) FROM customer_changes)",
        differences: "SELECT given.number || ': its series has not come so far' FROM \
             (SELECT number FROM contracts UNION ALL SELECT number FROM invoices \
              UNION ALL SELECT number FROM payments UNION ALL SELECT number FROM transfers \
              UNION ALL SELECT number FROM amendments UNION ALL SELECT number FROM refunds \
              UNION ALL SELECT number FROM credit_notes UNION ALL SELECT number FROM customer_changes) AS given \
             LEFT JOIN (SELECT kind || '-' || CAST(year AS TEXT) || '-' AS name, \
                SUBSTR('000000', LENGTH(CAST(value AS TEXT)) + 1) || CAST(value AS TEXT) AS latest \
                FROM sequences) AS series ON series.name = SUBSTR(given.number, 1, 8) \
             WHERE series.name IS NULL OR LENGTH(given.number) > 8 + LENGTH(series.latest) \
             OR (LENGTH(given.number) = 8 + LENGTH(series.latest) AND SUBSTR(given.number, 9) > series.latest)",
    },
    Check {
        // A transfer that lost what it names is over. What would have gone along may be gone, or somebody else's.
        name: "records wait for transfers that are pending",
        population: "SELECT COUNT(*) FROM transfer_items",
        differences: "SELECT transfers.number || ': is ' || transfers.status || ', and its records are told otherwise' \
             FROM transfers JOIN transfer_items ON transfer_items.transfer_id = transfers.id \
             WHERE (transfer_items.pending AND transfers.status <> 'pending') \
             OR (transfers.status = 'pending' AND NOT transfer_items.pending AND NOT transfer_items.included) \
             UNION ALL SELECT transfers.number || ': waits for what its owner no longer has' \
             FROM transfers JOIN transfer_items ON transfer_items.transfer_id = transfers.id \
             WHERE transfers.status = 'pending' AND transfer_items.pending AND NOT transfer_items.included \
             AND NOT EXISTS (SELECT 1 FROM customers WHERE customers.id = transfer_items.record_id \
                AND customers.owner_id = transfers.owner_id) \
             AND NOT EXISTS (SELECT 1 FROM opportunities WHERE opportunities.id = transfer_items.record_id \
                AND opportunities.owner_id = transfers.owner_id) \
             AND NOT EXISTS (SELECT 1 FROM contracts WHERE contracts.id = transfer_items.record_id \
                AND contracts.owner_id = transfers.owner_id)",
    },
    Check {
        name: "what happened to customers is in their timelines",
        population: "SELECT COUNT(*) FROM timeline",
        differences: "SELECT customers.name || ': something that happened is missing in its timeline' FROM customers \
             JOIN audit_events ON audit_events.record_id = customers.id AND audit_events.record_kind = 'customer' \
             WHERE NOT EXISTS (SELECT 1 FROM timeline WHERE timeline.customer_id = customers.id \
                AND timeline.sequence = audit_events.sequence)",
    },
    Check {
        name: "merged records are gone, and lead to some that are there",
        population: "SELECT COUNT(*) FROM merges",
        differences: "SELECT record_kind || ': a merged record is still there, or leads nowhere' FROM merges \
             WHERE EXISTS (SELECT 1 FROM customers WHERE customers.id = loser_id) \
             OR EXISTS (SELECT 1 FROM leads WHERE leads.id = loser_id) \
             OR (record_kind = 'customer' AND NOT EXISTS (SELECT 1 FROM customers WHERE customers.id = survivor_id)) \
             OR (record_kind = 'lead' AND NOT EXISTS (SELECT 1 FROM leads WHERE leads.id = survivor_id))",
    },
    Check {
        name: "deliveries are of webhooks, or will be removed",
        population: "SELECT COUNT(*) FROM webhook_deliveries",
        differences: "SELECT 'deliveries of a webhook that nobody knows' FROM \
             (SELECT DISTINCT webhook_id FROM webhook_deliveries) AS kept \
             WHERE NOT EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = kept.webhook_id) \
             AND NOT EXISTS (SELECT 1 FROM deleted_webhooks WHERE deleted_webhooks.id = kept.webhook_id) \
             UNION ALL SELECT webhooks.name || ': is there, and its deliveries are to be removed' FROM webhooks \
             JOIN deleted_webhooks ON deleted_webhooks.id = webhooks.id",
    },
    Check {
        // A role's key stands in quotes in the list, and has none inside.
        name: "users have roles that exist",
        population: "SELECT COUNT(*) FROM users",
        differences: "SELECT given.email || ': has a role that does not exist' FROM \
             (SELECT email, CAST(roles AS TEXT) AS list FROM users) AS given WHERE (LENGTH(list) - LENGTH(REPLACE(list, '\"', ''))) / 2 <> \
             (SELECT COALESCE(SUM((LENGTH(list) - LENGTH(REPLACE(list, '\"' || key || '\"', ''))) / (LENGTH(key) + 2)), 0) \
              FROM roles)",
    },
    Check {
        // What others follow from, and what lets somebody do something: a row that Fairlead never wrote has no event.
        name: "records were made by Fairlead",
        population: "SELECT (SELECT COUNT(*) FROM users) + (SELECT COUNT(*) FROM roles) + (SELECT COUNT(*) FROM teams) + \
             (SELECT COUNT(*) FROM pools) + (SELECT COUNT(*) FROM settings) + (SELECT COUNT(*) FROM \
             collaborators) + (SELECT COUNT(*) FROM delegations) + (SELECT COUNT(*) FROM approval_flows) + \
             (SELECT COUNT(*) FROM targets) + (SELECT COUNT(*) FROM pipelines) + (SELECT COUNT(*) FROM \
             products) + (SELECT COUNT(*) FROM price_lists) + (SELECT COUNT(*) FROM leads) + (SELECT \
             COUNT(*) FROM lead_forms) + (SELECT COUNT(*) FROM scoring_rules) + (SELECT COUNT(*) FROM \
             assignment_rules) + (SELECT COUNT(*) FROM saved_views) + (SELECT COUNT(*) FROM transfers) + \
             (SELECT COUNT(*) FROM customer_changes) + (SELECT COUNT(*) FROM attachments) + (SELECT COUNT(*) \
             FROM activities)",
        differences: "SELECT place || ' has a row that no event speaks of' FROM (SELECT 'users' AS place, id FROM users UNION ALL SELECT 'roles' AS place, id FROM roles UNION \
             ALL SELECT 'teams' AS place, id FROM teams UNION ALL SELECT 'pools' AS place, id FROM pools \
             UNION ALL SELECT 'settings' AS place, id FROM settings UNION ALL SELECT 'collaborators' AS \
             place, id FROM collaborators UNION ALL SELECT 'delegations' AS place, id FROM delegations UNION \
             ALL SELECT 'approval_flows' AS place, id FROM approval_flows UNION ALL SELECT 'targets' AS \
             place, id FROM targets UNION ALL SELECT 'pipelines' AS place, id FROM pipelines UNION ALL \
             SELECT 'products' AS place, id FROM products UNION ALL SELECT 'price_lists' AS place, id FROM \
             price_lists UNION ALL SELECT 'leads' AS place, id FROM leads UNION ALL SELECT 'lead_forms' AS \
             place, id FROM lead_forms UNION ALL SELECT 'scoring_rules' AS place, id FROM scoring_rules \
             UNION ALL SELECT 'assignment_rules' AS place, id FROM assignment_rules UNION ALL SELECT \
             'saved_views' AS place, id FROM saved_views UNION ALL SELECT 'transfers' AS place, id FROM \
             transfers UNION ALL SELECT 'customer_changes' AS place, id FROM customer_changes UNION ALL \
             SELECT 'attachments' AS place, id FROM attachments UNION ALL SELECT 'activities' AS place, id \
             FROM activities) AS kept WHERE NOT EXISTS (SELECT 1 FROM audit_events WHERE audit_events.record_id = kept.id)",
    },
    Check {
        name: "no team is below itself",
        population: "SELECT COUNT(*) FROM teams",
        differences: "WITH RECURSIVE above (id, ancestor) AS (SELECT id, parent_id FROM teams \
             UNION SELECT above.id, teams.parent_id FROM above JOIN teams ON teams.id = above.ancestor) \
             SELECT teams.name || ': is below itself' FROM teams \
             JOIN above ON above.id = teams.id AND above.ancestor = teams.id",
    },
];

/// What only SQLite has to be asked; PostgreSQL never lets go of its foreign keys.
pub(super) const SQLITE_CHECKS: &[Check] = &[
    Check {
        name: "the file is whole",
        population: "SELECT COUNT(*) FROM sqlite_schema",
        differences: "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    },
    Check {
        name: "search looks words up as they are known",
        population: "SELECT COUNT(*) FROM search_entries",
        differences: OUT_OF_STEP,
    },
    Check {
        name: "foreign keys",
        population: "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'",
        differences: "SELECT \"table\" || ': a row names one of ' || parent || ' that is not there' \
             FROM pragma_foreign_key_check",
    },
];
