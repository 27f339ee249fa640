//! Every state machine, every pair of state and action, against a table written here.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::*;
use crate::access::{Grant, Places, Scope};
use crate::values::UserId;

/// From, action, to, and who: a permission, `named` or `system`.
type Line = (&'static str, &'static str, &'static str, &'static str);

fn actor(grants: impl IntoIterator<Item = Grant>) -> Actor {
    Actor::new(UserId(Uuid::from_u128(1)), None, vec![], grants, Places::default())
}

/// What a refusal names as allowed.
fn allowed(refusal: &Refusal) -> BTreeSet<String> {
    let named = refusal.figures.get("allowed").and_then(|named| named.as_array());
    named.into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn check<S: Word, A: Word>(machine: &Machine<S, A>, states: &[S], actions: &[A], table: &[Line]) {
    let standing = Standing::Owned { owner: UserId(Uuid::from_u128(2)), team: None, customer: None };
    let mighty = actor(Permission::ALL.iter().map(|p| Grant { permission: *p, scope: Scope::All }));
    let nobody = actor([]);
    let mut found = 0;
    for (state, action) in states.iter().flat_map(|state| actions.iter().map(move |action| (*state, *action)))
    {
        let pair = format!("{} {state} {action}", machine.name);
        let who = table.iter().find(|line| line.1 == action.to_string()).expect(&pair).3;
        let line = table.iter().find(|line| line.0 == state.to_string() && line.1 == action.to_string());
        let next = line.map(|line| line.2.to_owned()).ok_or(Code::InvalidTransition);
        found += usize::from(line.is_some());

        let told = |answer: Result<S, Refusal>| answer.map(|s| s.to_string()).map_err(|refusal| refusal.code);
        assert_eq!(told(machine.follow(state, action)), next, "{pair}");
        let permitted = told(machine.permit(&mighty, &standing, state, action));
        match who.parse::<Permission>() {
            Ok(permission) => {
                assert_eq!(permitted, next, "{pair}");
                let all_but = Permission::ALL.iter().filter(|other| **other != permission);
                let without = actor(all_but.map(|p| Grant { permission: *p, scope: Scope::All }));
                assert_eq!(
                    told(machine.permit(&without, &standing, state, action)),
                    Err(Code::Forbidden),
                    "{pair}"
                );
            }
            Err(_) => assert_eq!(permitted, Err(Code::Forbidden), "{pair}"),
        }
        assert_eq!(told(machine.permit(&nobody, &standing, state, action)), Err(Code::Forbidden), "{pair}");
        if next.is_err() {
            let refusal = machine.follow(state, action).err().unwrap();
            assert_eq!(refusal.figures["from"], state.to_string());
            assert_eq!(refusal.figures["action"], action.to_string());
            let lines = |fits: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
                let lines = table.iter().filter(|line| line.0 == state.to_string() && fits(line.3));
                lines.map(|line| line.1.to_owned()).collect()
            };
            assert_eq!(allowed(&refusal), lines(&|who| who == "named"), "{pair}");
            let Ok(permission) = who.parse::<Permission>() else { continue };
            // Each is told of what they may, and of nothing that others may.
            let refusal = machine.permit(&mighty, &standing, state, action).err().unwrap();
            assert_eq!(allowed(&refusal), lines(&|who| who != "system"), "{pair}");
            let only = actor([Grant { permission, scope: Scope::All }]);
            let refusal = machine.permit(&only, &standing, state, action).err().unwrap();
            assert_eq!(allowed(&refusal), lines(&|other| other == who || other == "named"), "{pair}");
        }
    }
    assert_eq!(found, table.len(), "{}: the table names a pair that does not exist", machine.name);
    let described: usize = machine.describe().transitions.iter().map(|rule| rule.from.len()).sum();
    assert_eq!(described, table.len(), "{}: the published table is the executed one", machine.name);
}

#[test]
fn leads() {
    use crate::lead::{LeadAction, LeadStatus, MACHINE};
    let table: &[Line] = &[
        ("new", "assign", "new", "leads:assign"),
        ("contacted", "assign", "contacted", "leads:assign"),
        ("qualified", "assign", "qualified", "leads:assign"),
        ("new", "claim", "new", "leads:claim"),
        ("contacted", "claim", "contacted", "leads:claim"),
        ("qualified", "claim", "qualified", "leads:claim"),
        ("new", "release", "new", "leads:update"),
        ("contacted", "release", "contacted", "leads:update"),
        ("qualified", "release", "qualified", "leads:update"),
        ("new", "recycle", "new", "system"),
        ("new", "contact", "contacted", "system"),
        ("contacted", "qualify", "qualified", "leads:qualify"),
        ("new", "disqualify", "disqualified", "leads:qualify"),
        ("contacted", "disqualify", "disqualified", "leads:qualify"),
        ("qualified", "disqualify", "disqualified", "leads:qualify"),
        ("disqualified", "reopen", "new", "leads:qualify"),
        ("qualified", "convert", "converted", "leads:convert"),
    ];
    check(&MACHINE, LeadStatus::ALL, LeadAction::ALL, table);
}

#[test]
fn customers() {
    use crate::customer::{MACHINE, Ownership, OwnershipAction};
    let table: &[Line] = &[
        ("pool", "claim", "owned", "pool:claim"),
        ("pool", "assign", "owned", "pool:assign"),
        ("owned", "assign", "owned", "pool:assign"),
        ("owned", "release", "pool", "customers:release"),
        ("owned", "recycle", "pool", "system"),
        ("owned", "transfer", "owned", "system"),
        ("pool", "move", "pool", "pool:assign"),
        ("owned", "move", "owned", "pool:assign"),
        ("owned", "lock", "owned", "pool:assign"),
        ("owned", "unlock", "owned", "pool:assign"),
    ];
    check(&MACHINE, Ownership::ALL, OwnershipAction::ALL, table);
}

#[test]
fn opportunities() {
    use crate::opportunity::{MACHINE, OpportunityAction, OpportunityStatus};
    let table: &[Line] = &[
        ("open", "advance", "open", "opportunities:advance"),
        ("open", "lose", "lost", "opportunities:advance"),
        ("lost", "reopen", "open", "opportunities:reopen"),
        ("open", "transfer", "open", "system"),
        ("open", "win", "won", "system"),
        ("open", "resume", "open", "system"),
    ];
    check(&MACHINE, OpportunityStatus::ALL, OpportunityAction::ALL, table);
}

#[test]
fn contracts() {
    use crate::contract::{ContractAction, ContractStatus, MACHINE};
    let table: &[Line] = &[
        ("draft", "submit", "pending_approval", "contracts:submit"),
        ("pending_approval", "withdraw", "draft", "contracts:submit"),
        ("draft", "cancel", "cancelled", "contracts:draft"),
        ("active", "terminate", "terminated", "contracts:terminate"),
        ("pending_approval", "approve", "active", "system"),
        ("pending_approval", "reject", "draft", "system"),
        ("active", "complete", "completed", "system"),
        ("completed", "reactivate", "active", "system"),
        ("draft", "transfer", "draft", "system"),
        ("active", "transfer", "active", "system"),
    ];
    check(&MACHINE, ContractStatus::ALL, ContractAction::ALL, table);
}

#[test]
fn invoices() {
    use crate::invoice::{InvoiceAction, InvoiceStatus, MACHINE};
    let table: &[Line] = &[
        ("draft", "submit", "pending_approval", "invoices:request"),
        ("pending_approval", "withdraw", "draft", "invoices:request"),
        ("draft", "cancel", "cancelled", "invoices:request"),
        ("approved", "cancel", "cancelled", "invoices:request"),
        ("approved", "issue", "issued", "invoices:issue"),
        ("issued", "void", "voided", "invoices:void"),
        ("issued", "credit", "credited", "system"),
        ("pending_approval", "approve", "approved", "system"),
        ("pending_approval", "reject", "draft", "system"),
    ];
    check(&MACHINE, InvoiceStatus::ALL, InvoiceAction::ALL, table);
}

#[test]
fn payments() {
    use crate::payment::{MACHINE, PaymentAction, PaymentStatus};
    let table: &[Line] = &[
        ("recorded", "confirm", "confirmed", "payments:confirm"),
        ("recorded", "reject", "rejected", "payments:confirm"),
        ("confirmed", "reverse", "reversed", "payments:confirm"),
        ("recorded", "reallocate", "recorded", "payments:confirm"),
        ("confirmed", "reallocate", "confirmed", "payments:confirm"),
        ("confirmed", "refund", "refunded", "system"),
    ];
    check(&MACHINE, PaymentStatus::ALL, PaymentAction::ALL, table);
}

#[test]
fn receipts() {
    use crate::receipt::{MACHINE, ReceiptAction, ReceiptStatus};
    let table: &[Line] = &[
        ("open", "match", "matched", "receipts:manage"),
        ("open", "set_aside", "set_aside", "receipts:manage"),
        ("set_aside", "reopen", "open", "receipts:manage"),
        ("open", "split", "split", "receipts:manage"),
        ("split", "join", "open", "receipts:manage"),
        ("matched", "unmatch", "open", "system"),
    ];
    check(&MACHINE, ReceiptStatus::ALL, ReceiptAction::ALL, table);
}

#[test]
fn refunds() {
    use crate::payment::{REFUND_MACHINE, RefundAction, RefundStatus};
    let table: &[Line] = &[
        ("recorded", "confirm", "confirmed", "payments:confirm"),
        ("recorded", "reject", "rejected", "payments:confirm"),
    ];
    check(&REFUND_MACHINE, RefundStatus::ALL, RefundAction::ALL, table);
}

#[test]
fn approvals() {
    use crate::approval::{ApprovalAction, ApprovalStatus, MACHINE};
    let table: &[Line] = &[
        ("pending", "approve", "approved", "named"),
        ("pending", "reject", "rejected", "named"),
        ("pending", "withdraw", "withdrawn", "named"),
        ("pending", "lapse", "withdrawn", "system"),
        ("pending", "return", "pending", "named"),
        ("pending", "add_step", "pending", "named"),
        ("pending", "remind", "pending", "named"),
        ("pending", "comment", "pending", "named"),
        ("approved", "comment", "approved", "named"),
        ("rejected", "comment", "rejected", "named"),
        ("withdrawn", "comment", "withdrawn", "named"),
    ];
    check(&MACHINE, ApprovalStatus::ALL, ApprovalAction::ALL, table);
}

#[test]
fn proposals() {
    use crate::approval::{ApprovalStatus, ProposalAction};
    let table: &[Line] = &[
        ("pending", "approve", "approved", "system"),
        ("pending", "reject", "rejected", "system"),
        ("pending", "withdraw", "withdrawn", "named"),
        ("pending", "lapse", "withdrawn", "system"),
    ];
    for machine in [&crate::amendment::MACHINE, &crate::customer_change::MACHINE, &crate::transfer::MACHINE] {
        check(machine, ApprovalStatus::ALL, ProposalAction::ALL, table);
    }
}

#[test]
fn all_machines_are_published() {
    let names: Vec<String> = machines().into_iter().map(|workflow| workflow.name).collect();
    assert_eq!(
        names,
        [
            "lead",
            "customer",
            "customer_change",
            "opportunity",
            "contract",
            "amendment",
            "approval",
            "invoice",
            "payment",
            "refund",
            "receipt",
            "transfer",
            "webhook",
            "job"
        ]
    );
    for workflow in machines() {
        assert!(workflow.mermaid.starts_with("stateDiagram-v2\n  [*] --> "));
        assert!(workflow.initial.iter().all(|state| workflow.states.contains(state)));
        assert_eq!(workflow.state_labels.len(), workflow.states.len());
        for step in &workflow.transitions {
            assert_eq!(step.permission.is_some(), step.by == TakenBy::PermissionHolder);
        }
    }
}

#[test]
fn jobs() {
    use crate::job::{JobAction, JobStatus, MACHINE};
    let table: &[Line] = &[
        ("queued", "run", "running", "system"),
        ("running", "run", "running", "system"),
        ("running", "finish", "finished", "system"),
        ("running", "fail", "failed", "system"),
    ];
    check(&MACHINE, JobStatus::ALL, JobAction::ALL, table);
}

#[test]
fn a_refusal_is_plain_english() {
    use crate::approval::ProposalAction;
    let said = |refusal: Refusal| refusal.detail;
    let lost = crate::opportunity::OpportunityStatus::Lost;
    let action = crate::opportunity::OpportunityAction::Lose;
    let refusal = crate::opportunity::MACHINE.follow(lost, action).unwrap_err();
    assert_eq!(said(refusal), "an opportunity that is lost does not allow lose");
    let (rejected, approve) = (crate::approval::ApprovalStatus::Rejected, ProposalAction::Approve);
    let refusal = crate::amendment::MACHINE.follow(rejected, approve).unwrap_err();
    assert_eq!(said(refusal), "an amendment that is rejected does not allow approve");
    let (converted, release) = (crate::lead::LeadStatus::Converted, crate::lead::LeadAction::Release);
    let refusal = crate::lead::MACHINE.follow(converted, release).unwrap_err();
    assert_eq!(said(refusal), "a lead that is converted does not allow release");
    assert_eq!(["invoice", "user"].map(crate::values::one_of), ["an invoice", "a user"]);
}

#[test]
fn machines_are_named_after_kinds_of_records() {
    use crate::record::RecordKind;
    for machine in machines() {
        assert!(machine.name.parse::<RecordKind>().is_ok(), "{}", machine.name);
    }
}

/// The actions outside the machines that a source judges by their names.
fn judged(source: &str) -> Vec<String> {
    // Not written in one piece, or it would be found here.
    let maker = ["AllowedAction::", "judge("].concat();
    let mut found = Vec::new();
    for (begin, _) in source.match_indices(&maker) {
        let (before, behind) = (source[..begin].trim_end(), source[begin + maker.len()..].trim_start());
        if let Some(word) = behind.strip_prefix('"') {
            found.extend(word.split_once('"').map(|(word, _)| word.to_owned()));
        } else if let Some(list) = before.strip_suffix("].map(|action|") {
            let list = list.rsplit_once('[').unwrap().1;
            found.extend(list.split(',').map(|word| word.trim().trim_matches('"').to_owned()));
        }
    }
    found
}

/// Each word means one thing, whatever it is done with.
#[test]
fn machines_call_an_action_what_the_dictionary_calls_it() {
    for machine in machines() {
        for step in machine.transitions {
            let what = format!("{} {}", machine.name, step.action);
            let known = step.action.parse::<Action>().map(TextEnum::label);
            assert_eq!(Ok(step.label), known, "{what}");
        }
    }
}

#[test]
fn every_action_that_a_machine_or_a_record_names_has_a_label_and_no_other() {
    let steps = machines().into_iter().flat_map(|machine| machine.transitions);
    let mut named: BTreeSet<String> = steps.map(|step| step.action).collect();
    let outside: BTreeSet<String> =
        crate::fixtures::sources().iter().flat_map(|source| judged(source)).collect();
    for known in ["update", "delete", "ping", "hand_over", "credit"] {
        assert!(outside.contains(known), "{outside:?}");
    }
    named.extend(outside);
    let labelled: BTreeSet<String> = Action::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(named, labelled);
}
