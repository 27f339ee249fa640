use fairlead_domain::payment::{Allocation, Payment, PaymentDetails, Refund, RefundDetails};
use fairlead_domain::receipt::{Receipt, ReceiptDetails};

use crate::member::members;
use crate::stored::stored;

members!(PaymentDetails { contract_id, amount, received_on, method, bank_reference, payer, note, labels });
stored!(Payment, "payments" {
    id, number, details, customer_id, owner_id, status, refunded, end_reason, corrected_by, confirmed_by, confirmed_at, created_by,
    version, created_at, updated_at,
} derived {
    "bank_reference_key" = |payment| payment.details.reference_key(),
});

stored!(Allocation, "allocations" {
    id, payment_id, contract_id, invoice_id, installment_id, amount, void, version, created_at, updated_at,
});

members!(RefundDetails { payment_id, amount, refunded_on, method, bank_reference, reason });
stored!(Refund, "refunds" {
    id, number, details, contract_id, customer_id, owner_id, status, end_reason, confirmed_by, confirmed_at, created_by,
    version, created_at, updated_at,
} derived {
    "bank_reference_key" = |refund| refund.details.reference_key(),
});

members!(ReceiptDetails { amount, received_on, method, bank_reference, payer, memo });
stored!(Receipt, "receipts" {
    id, details, status, payment_id, part_of_id, reason, created_by, version, created_at, updated_at,
} derived {
    "bank_reference_key" = |receipt| receipt.details.reference_key(),
});
