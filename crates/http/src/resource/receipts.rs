//! Receipts (到账流水).

use fairlead_application::receipts;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::ReceiptId;

use crate::api::Api;

/// What matching can be refused with.
const MATCHING: &[Code] = &[
    Code::UnknownReference,
    Code::CurrencyMismatch,
    Code::ContractNotActive,
    Code::PaymentExceedsContract,
    Code::AllocationExceedsOpen,
    Code::AllocationMismatch,
    Code::NothingToAllocate,
    Code::ReceiptMismatch,
    Code::InUse,
    Code::Duplicate,
];

pub(crate) fn routes(api: &mut Api) {
    api.tag("Receipts", "What the bank says has arrived (到账流水), until it is known what it pays.")
        .list("/receipts", "list_receipts", "List receipts", "All of them.", &receipts::LISTING, receipts::list)
        .needs(Permission::ReceiptsRead)
        .create(
            "/receipts",
            "record_receipt",
            "Enter a receipt",
            "Money that arrived and of which nobody has said what it pays. A bank reference is unique for its method.",
            receipts::create,
        )
        .needs(Permission::ReceiptsManage)
        .refuses(&[Code::Duplicate])
        .batch(
            "/receipts/import",
            "import_receipts",
            "Import a bank statement",
            "CSV with headings. Each row that brings money in becomes a receipt, once: one whose reference is there already \
             is told, and left. Rows that cannot be read are told with what is wrong, and the others are imported.",
            receipts::import,
        )
        .tells_parts()
        .needs(Permission::ReceiptsManage)
        .batch(
            "/receipts/bulk",
            "bulk_receipts",
            "Do something with many receipts",
            "Up to 200, each judged like a single call: match with a contract or a payment, or set aside with a reason.",
            receipts::bulk,
        )
        .tells_parts()
        .needs(Permission::ReceiptsManage)
        .refuses(&[Code::BulkRefused])
        .get("/receipts/{id}", "get_receipt", "Get a receipt", "One of them.", receipts::get)
        .needs(Permission::ReceiptsRead)
        .look(
            "/receipts/{id}/proposals",
            "get_receipt_proposals",
            "Get what a receipt may pay",
            "At most ten, the likeliest first: payments that were recorded with the same reference, contracts whose number, \
             or that of an invoice, is written on it, contracts of the payer, and such as have exactly this amount open.",
            receipts::proposals,
        )
        .needs(Permission::ReceiptsRead)
        .act_with(
            "/receipts/{id}/match",
            "match_receipt",
            "Say what a receipt pays",
            "A contract, for which a payment is recorded in the caller's name (that takes `payments:record` besides), \
             or a payment that was recorded already. The payment is then confirmed by somebody else. If it is \
             rejected, the receipt is open again.",
            receipts::match_one,
        )
        .needs(Permission::ReceiptsManage)
        .refuses(MATCHING)
        .act_with(
            "/receipts/{id}/split",
            "split_receipt",
            "Take a receipt apart",
            "Because one transfer pays several contracts. Each part is a receipt of its own that names this one \
             (`part_of_id`), and is matched by itself.",
            receipts::split,
        )
        .needs(Permission::ReceiptsManage)
        .refuses(&[Code::CurrencyMismatch, Code::Duplicate])
        .act(
            "/receipts/{id}/join",
            "join_receipt",
            "Put a receipt together again",
            "That was taken apart: its parts, which must all be open, are gone.",
            receipts::join,
        )
        .shown_with(&ReceiptId::example(3))
        .needs(Permission::ReceiptsManage)
        .refuses(&[Code::InUse])
        .act_with(
            "/receipts/{id}/set-aside",
            "set_aside_receipt",
            "Say that a receipt pays no contract",
            "With a reason, such as interest.",
            receipts::set_aside,
        )
        .needs(Permission::ReceiptsManage)
        .act(
            "/receipts/{id}/reopen",
            "reopen_receipt",
            "Look at a receipt again",
            "That was set aside.",
            receipts::reopen,
        )
        .shown_with(&ReceiptId::example(2))
        .needs(Permission::ReceiptsManage);
}
