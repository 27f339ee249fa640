//! Contracts (合同).

use fairlead_application::{attachments, contract_document, contracts};
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::{AttachmentId, ContractId};
use serde_json::json;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Contracts", "Contracts (合同): drafted, approved, invoiced and paid.")
        .list(
            "/contracts",
            "list_contracts",
            "List contracts",
            "The contracts within the caller's scope.",
            &contracts::LISTING,
            contracts::list,
        )
        .needs(Permission::ContractsRead)
        .search(
            "search_contracts",
            "Search contracts",
            &contracts::LISTING,
            json!({
                "all": [
                    {"any": [
                        {"status": ["active"], "collection_scheme": ["by_invoice"]},
                        {"status": ["pending_approval"]}
                    ]}
                ],
                "sort": ["-amount"],
                "limit": 20,
                "include": ["customer", "owner"]
            }),
            contracts::list,
        )
        .needs(Permission::ContractsRead)
        .create(
            "/contracts",
            "create_contract",
            "Draft a contract",
            "With a customer that has an owner, who owns the contract too. It gets its number now. A renewal names the \
             contract that it renews: one with the same customer that runs or ran.",
            contracts::create,
        )
        .needs(Permission::ContractsDraft)
        .refuses(&[
            Code::UnknownReference,
            Code::CustomerUnowned,
            Code::OwnerNotEligible,
            Code::CurrencyMismatch,
            Code::AmountOutOfRange,
            Code::InvalidTransition,
            Code::Duplicate,
        ])
        .get_related(
            "/contracts/{id}",
            "get_contract",
            "Get a contract",
            "One contract within the caller's scope, with its installments and sums.",
            &contracts::LISTING,
            contracts::get,
        )
        .needs(Permission::ContractsRead)
        .patch(
            "/contracts/{id}",
            "update_contract",
            "Change a draft",
            "Only a draft can be changed. Line items and installments are replaced as a whole.",
            contracts::update,
        )
        .shown_with(&ContractId::example(2))
        .needs(Permission::ContractsDraft)
        .refuses(&[
            Code::PendingApproval,
            Code::InvalidTransition,
            Code::UnknownReference,
            Code::CurrencyMismatch,
            Code::AmountOutOfRange,
        ])
        .delete(
            "/contracts/{id}",
            "delete_contract",
            "Delete a draft",
            "Only a draft that never was submitted, and that no activity is about, can be deleted.",
            contracts::delete,
        )
        .shown_with(&ContractId::example(2))
        .needs(Permission::ContractsDraft)
        .refuses(&[Code::PendingApproval, Code::InvalidTransition, Code::InUse, Code::PendingTransfer])
        .act_with(
            "/contracts/{id}/plan",
            "plan_contract",
            "Plan a draft's installments",
            "From a pattern: by shares such as 0.3, 0.6 and 0.1, or in equal months. The parts add up to the amount: what \
             rounding leaves goes to the later ones. Replaces the plan that is there.",
            contracts::plan,
        )
        .shown_with(&ContractId::example(2))
        .needs(Permission::ContractsDraft)
        .refuses(&[Code::PendingApproval, Code::InvalidTransition])
        .act(
            "/contracts/{id}/submit",
            "submit_contract",
            "Ask for the approval of a contract",
            "The customer must have an owner whose customer it still is, and installments must be there and \
             add up to the amount. Every step of the approval must have somebody to decide it.",
            contracts::submit,
        )
        .shown_with(&ContractId::example(3))
        .needs(Permission::ContractsSubmit)
        .refuses(&[
            Code::CustomerUnowned,
            Code::ContractIncomplete,
            Code::InstallmentsMismatch,
            Code::NoEligibleApprover,
        ])
        .act(
            "/contracts/{id}/withdraw",
            "withdraw_contract",
            "Take back the request for approval",
            "By whoever made it. The contract is a draft again. Somebody else who may submit it takes the request back \
             once whoever made it no longer may.",
            contracts::withdraw,
        )
        .shown_with(&ContractId::example(4))
        .needs(Permission::ContractsSubmit)
        .refuses(&[Code::AlreadyDecided])
        .act_with(
            "/contracts/{id}/cancel",
            "cancel_contract",
            "Cancel a draft",
            "An opportunity that the draft came from goes back to the stage before.",
            contracts::cancel,
        )
        .shown_with(&ContractId::example(2))
        .needs(Permission::ContractsDraft)
        .act_with(
            "/contracts/{id}/terminate",
            "terminate_contract",
            "End a running contract",
            "With a reason. Open installments are closed; nothing paid is lost.",
            contracts::terminate,
        )
        .needs(Permission::ContractsTerminate)
        .look(
            "/contracts/{id}/billing",
            "get_contract_billing",
            "Get what an invoice request needs",
            "The contract's facts, the customer's tax profile, what was invoiced and what is left, payments \
             and installments.",
            contracts::billing,
        )
        .needs(Permission::ContractsRead)
        .look(
            "/contracts/{id}/document",
            "get_contract_document",
            "Get the whole contract to print",
            "Both parties, the lines with their taxes, the payment plan, what was amended, and who agreed. An amount is \
             the sum of its lines, and taxes are theirs.",
            contract_document::get,
        )
        .needs(Permission::ContractsRead)
        .list_of(
            "/contracts/{id}/attachments",
            "list_contract_attachments",
            "List the attachments of a contract",
            "Whoever may see the contract may see them.",
            &attachments::LISTING,
            attachments::list,
        )
        .needs(Permission::ContractsRead)
        .upload(
            ("/contracts/{id}/attachments", "/attachments"),
            "add_contract_attachment",
            "Add a file to a contract",
            "The body is the file, its `Content-Type` says what it is, and the content and the extension of `file_name` \
             must agree. Not while an approval is pending: what is asked about stays as it is. At most 100 for each \
             contract.",
            attachments::create,
        )
        .needs(Permission::ContractsDraft)
        .refuses(&[
            Code::PendingApproval,
            Code::InvalidTransition,
            Code::ValidationFailed,
            Code::InfectedFile,
            Code::TooMany,
        ])
        .get(
            "/attachments/{id}",
            "get_attachment",
            "Get an attachment",
            "What it is; the content is apart.",
            attachments::get,
        )
        .needs(Permission::ContractsRead)
        .download(
            "/attachments/{id}/content",
            "get_attachment_content",
            "Download an attachment",
            "The whole file, or the part that `Range` asks for. Its `ETag` is that of the content. The `Content-Type` of \
             text says that it is UTF-8.",
            attachments::content,
        )
        .needs(Permission::ContractsRead)
        .delete(
            "/attachments/{id}",
            "delete_attachment",
            "Take an attachment away",
            "From a draft. What was attached to a contract that runs stays with it.",
            attachments::delete,
        )
        .shown_with(&AttachmentId::example(2))
        .needs(Permission::ContractsDraft)
        .refuses(&[Code::PendingApproval, Code::InvalidTransition]);
}
