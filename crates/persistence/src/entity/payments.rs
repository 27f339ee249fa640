use fairlead_domain::payment::{Allocation, Payment, PaymentDetails};

use crate::member::members;
use crate::stored::stored;

members!(PaymentDetails { contract_id, amount, received_on, method, bank_reference, payer, note });
stored!(Payment, "payments" {
    id, number, details, customer_id, owner_id, status, end_reason, confirmed_by, confirmed_at, created_by,
    version, created_at, updated_at,
} derived {
    "bank_reference_key" = |payment| payment.details.reference_key(),
});

stored!(Allocation, "allocations" {
    id, payment_id, contract_id, invoice_id, installment_id, amount, version, created_at, updated_at,
});
