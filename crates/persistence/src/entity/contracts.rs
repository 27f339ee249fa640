use fairlead_domain::amendment::Amendment;
use fairlead_domain::attachment::Attachment;
use fairlead_domain::contract::{Contract, ContractDetails, ContractSums, Installment};
use fairlead_domain::invoice::{CreditNote, Invoice, InvoiceDetails};

use crate::member::members;
use crate::stored::stored;

members!(ContractDetails {
    title,
    customer_id,
    amount,
    line_items,
    installments,
    collection_scheme,
    signed_on,
    starts_on,
    ends_on,
    our_signer,
    customer_signer,
    terms,
    renewal_of_id,
});
members!(ContractSums { invoice_committed, invoiced, received, paid });
stored!(Contract, "contracts" {
    id, number, details, opportunity_id, owner_id, status, sums, end_reason, activated_at, closed_at,
    submitted_by, created_by, version, created_at, updated_at,
});

stored!(Amendment, "amendments" {
    id, number, contract_id, customer_id, owner_id, kind, reason, amount, before, after, outcome, created_by,
    version, created_at, updated_at,
});

stored!(Attachment, "attachments" {
    id, contract_id, file_name, media_type, size, sha256, created_by, version, created_at, updated_at,
});

stored!(Installment, "installments" {
    id, contract_id, sequence, due_on, amount, condition, allocated, paid, closed, told_due_soon,
    told_overdue_days, version, created_at,
    updated_at,
});

members!(InvoiceDetails { contract_id, amount, tax_rate, kind, tax_profile, note });
stored!(Invoice, "invoices" {
    id, number, details, customer_id, owner_id, status, credited, allocated, paid, tax_invoice_number, issued_on,
    void_reason, submitted_by, created_by, version, created_at, updated_at,
} derived {
    "tax_invoice_key" = Invoice::tax_invoice_key,
});

stored!(CreditNote, "credit_notes" {
    id, number, invoice_id, contract_id, customer_id, owner_id, amount, tax, tax_invoice_number, issued_on, reason,
    created_by, version, created_at, updated_at,
} derived {
    "tax_invoice_key" = |note| Some(note.tax_invoice_key()),
});
