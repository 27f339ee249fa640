//! Notifications (通知): who is told of what happened.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{Actor, Permission, Scope, Standing};
use crate::approval::Approval;
use crate::customer::Customer;
use crate::lead::Lead;
use crate::organisation::Organisation;
use crate::record::RecordKind;
use crate::text_enum;
use crate::transfer::Transfer;
use crate::values::{NotificationId, Timestamp, UserId};

text_enum! {
    /// What somebody is told.
    pub enum NotificationKind {
        /// A lead was given to you.
        LeadAssigned = "lead_assigned" ("Lead assigned", "线索已分配"),
        /// A lead of yours wants a response soon.
        LeadResponseDueSoon = "lead_response_due_soon" ("Lead response due soon", "线索即将超时"),
        /// Nobody responded in time, and the lead is in the lead pool again.
        LeadResponseOverdue = "lead_response_overdue" ("Lead response overdue", "线索超时已回收"),
        /// Somebody whose lead is yours asked again.
        LeadAskedAgain = "lead_asked_again" ("Lead asked again", "线索再次咨询"),
        /// A customer was given to you, or to somebody of yours who left.
        CustomerAssigned = "customer_assigned" ("Customer assigned", "客户已分配"),
        /// What somebody who left owned was handed over to you.
        RecordsHandedOver = "records_handed_over" ("Records handed over", "数据已交接"),
        /// A customer of yours went to somebody else.
        CustomerTaken = "customer_taken" ("Customer taken away", "客户已转出"),
        /// A customer of yours goes back to the public pool soon.
        CustomerRecycleWarned = "customer_recycle_warned" ("Customer about to be recycled", "客户即将回收"),
        /// A customer of yours went back to the public pool.
        CustomerRecycled = "customer_recycled" ("Customer recycled", "客户已回收"),
        /// A customer of yours asked again.
        CustomerAskedAgain = "customer_asked_again" ("Customer asked again", "客户再次咨询"),
        /// Another customer was merged into one of yours.
        CustomerMerged = "customer_merged" ("Customer merged", "客户已合并"),
        /// A customer is shared with you.
        CustomerShared = "customer_shared" ("Customer shared", "客户已共享"),
        /// Somebody asked to transfer records to you, or of yours.
        TransferRequested = "transfer_requested" ("Transfer requested", "转移已申请"),
        /// A transfer that concerns you was approved and executed.
        TransferApproved = "transfer_approved" ("Transfer approved", "转移已通过"),
        /// A transfer that concerns you was rejected.
        TransferRejected = "transfer_rejected" ("Transfer rejected", "转移已驳回"),
        /// A transfer that concerns you was taken back, or can no longer go as it was asked for.
        TransferWithdrawn = "transfer_withdrawn" ("Transfer withdrawn", "转移已撤回"),
        /// An installment of a contract that concerns you is due soon.
        InstallmentDueSoon = "installment_due_soon" ("Installment due soon", "回款计划即将到期"),
        /// An installment of a contract that concerns you is overdue.
        InstallmentOverdue = "installment_overdue" ("Installment overdue", "回款计划已逾期"),
        /// A payment that concerns you was rejected: the money did not arrive.
        PaymentRejected = "payment_rejected" ("Payment rejected", "回款已驳回"),
        /// A payment that concerns you was reversed: the money was taken back.
        PaymentReversed = "payment_reversed" ("Payment reversed", "回款已撤销"),
        /// Money of a contract that concerns you was paid back.
        PaymentRefunded = "payment_refunded" ("Payment refunded", "回款已退款"),
        /// A request waits for your decision.
        ApprovalWaiting = "approval_waiting" ("Approval waiting", "待我审批"),
        /// A request still waits for your decision.
        ApprovalReminder = "approval_reminder" ("Approval reminder", "审批催办"),
        /// A request of yours goes back to a former step.
        ApprovalReturned = "approval_returned" ("Request returned", "审批已退回"),
        /// Somebody said something about a request that concerns you.
        ApprovalCommented = "approval_commented" ("Comment on a request", "审批有新评论"),
        /// A request of yours was approved.
        ApprovalApproved = "approval_approved" ("Request approved", "审批已通过"),
        /// A request of yours was rejected.
        ApprovalRejected = "approval_rejected" ("Request rejected", "审批已驳回"),
        /// A webhook tells nothing any more, because nobody takes it.
        WebhookGivenUp = "webhook_given_up" ("Webhook given up", "Webhook 已自动停用"),
    }
}

/// Something that one user is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// Who is told.
    pub user_id: UserId,
    /// What.
    pub kind: NotificationKind,
    /// The kind of record that it is about.
    pub record_kind: RecordKind,
    /// Which record.
    pub record_id: Uuid,
    /// The record's name or number at that time.
    #[schema(required, max_length = 200)]
    pub title: Option<String>,
    /// Who did it; none when Fairlead did.
    #[schema(required)]
    pub actor_id: Option<UserId>,
    /// The event of which it tells.
    pub event_id: Uuid,
    /// When it happened.
    pub created_at: Timestamp,
    /// When the user read it.
    #[schema(required)]
    pub read_at: Option<Timestamp>,
}

/// An event of the outbox.
#[derive(Debug, Clone)]
pub struct Happened {
    /// Its place in the outbox.
    pub sequence: i64,
    /// Its id.
    pub id: Uuid,
    /// When.
    pub occurred_at: Timestamp,
    /// What, such as `lead.assigned`.
    pub event: String,
    /// The kind of record.
    pub record_kind: RecordKind,
    /// Which record.
    pub record_id: Uuid,
    /// The record afterwards.
    pub data: Value,
    /// What changed, member by member, `before` and `after`.
    pub changes: Value,
    /// Who did it; none when Fairlead did.
    pub actor_id: Option<UserId>,
}

/// Who is told what of an event. Nobody is told what they did themselves.
pub fn notices(org: &Organisation, happened: &Happened) -> Vec<(UserId, NotificationKind)> {
    use NotificationKind as N;
    let data = &happened.data;
    let mut told = match happened.event.as_str() {
        "lead.assigned" | "lead.handed_over" => lead(data, |it| it.owner_id, N::LeadAssigned),
        "lead.response_due_soon" => lead(data, |it| it.owner_id, N::LeadResponseDueSoon),
        "lead.response_overdue" => {
            let late = lead(data, |it| it.previous_owner_id, N::LeadResponseOverdue);
            let managers = late.first().map(|(owner, _)| managers_of(org, *owner, Permission::LeadsAssign));
            // Whoever works with leads themselves: an administrator may assign them as well.
            let works = |user: &UserId| org.actor(*user).is_some_and(|it| it.holds(Permission::LeadsClaim));
            let managers = managers.unwrap_or_default().into_iter().filter(works);
            late.into_iter().chain(managers.map(|user| (user, N::LeadResponseOverdue))).collect()
        }
        "customer.assigned" | "customer.transferred" | "customer.handed_over" => {
            let mut told = customer(data, |it| it.owner_id, N::CustomerAssigned);
            let from = happened.changes.get("owner_id").and_then(|change| id(change, "before"));
            told.extend(from.map(|user| (user, N::CustomerTaken)));
            told
        }
        "customer.returned" => {
            let told = customer(data, |it| it.owner_id, N::CustomerAssigned);
            // Of an owner who left, the managers find somebody else.
            let gone = told.iter().map(|(user, _)| *user).filter(|user| org.actor(*user).is_none());
            let managers: Vec<UserId> =
                gone.flat_map(|user| managers_of(org, user, Permission::PoolAssign)).collect();
            told.into_iter().chain(managers.into_iter().map(|user| (user, N::CustomerAssigned))).collect()
        }
        "customer.merged" => customer(data, |it| it.owner_id, N::CustomerMerged),
        "customer.asked_again" => customer(data, |it| it.owner_id, N::CustomerAskedAgain),
        "lead.asked_again" => lead(data, |it| it.owner_id, N::LeadAskedAgain),
        "customer.recycle_warned" => customer(data, |it| it.owner_id, N::CustomerRecycleWarned),
        "customer.recycled" => customer(data, |it| it.previous_owner_id, N::CustomerRecycled),
        "user.handed_over" => {
            id(data, "successor_id").map(|user| (user, N::RecordsHandedOver)).into_iter().collect()
        }
        "collaborator.added" => {
            id(data, "user_id").map(|user| (user, N::CustomerShared)).into_iter().collect()
        }
        "transfer.requested" => transfer(data, N::TransferRequested),
        "transfer.approved" => transfer(data, N::TransferApproved),
        "transfer.rejected" => transfer(data, N::TransferRejected),
        "transfer.withdrawn" => transfer(data, N::TransferWithdrawn),
        "contract.installment_due_soon" => receivers(org, data, N::InstallmentDueSoon),
        "contract.installment_overdue" => receivers(org, data, N::InstallmentOverdue),
        "payment.rejected" => lost(org, data, N::PaymentRejected),
        "payment.reversed" => lost(org, data, N::PaymentReversed),
        "refund.confirmed" => lost(org, data, N::PaymentRefunded),
        "approval.requested" | "approval.step_approved" | "approval.step_put_before" => {
            waiting(org, happened, N::ApprovalWaiting)
        }
        "approval.reminded" => waiting(org, happened, N::ApprovalReminder),
        "approval.returned" => {
            let mut told = waiting(org, happened, N::ApprovalWaiting);
            told.extend(approval(data).map(|it| (it.requester_id, N::ApprovalReturned)));
            told
        }
        "approval.commented" => {
            let mut told = waiting(org, happened, N::ApprovalCommented);
            if let Some(approval) = approval(data) {
                let spoke = approval.trail.iter().filter_map(|entry| entry.by);
                let decided =
                    approval.steps.iter().flat_map(|step| &step.decisions).map(|decision| decision.by);
                let concerned = spoke.chain(decided).chain([approval.requester_id]);
                told.extend(concerned.map(|user| (user, N::ApprovalCommented)));
            }
            told
        }
        "approval.approved" => {
            approval(data).map(|it| (it.requester_id, N::ApprovalApproved)).into_iter().collect()
        }
        "approval.rejected" => {
            approval(data).map(|it| (it.requester_id, N::ApprovalRejected)).into_iter().collect()
        }
        // Those who can do something about it.
        "webhook.given_up" => {
            let all = org.active_actors().into_iter();
            let may =
                all.filter(|it| it.authorize(Permission::SettingsManage, &Standing::Organisation).is_ok());
            may.map(|it| (it.id, N::WebhookGivenUp)).collect()
        }
        _ => Vec::new(),
    };
    told.retain(|(user, _)| Some(*user) != happened.actor_id && org.actor(*user).is_some());
    told.sort_unstable();
    told.dedup();
    told
}

/// What a record is called: its name, title or number.
pub fn title(data: &Value) -> Option<String> {
    let named = ["name", "title", "number", "subject_number"].into_iter();
    let text = named.filter_map(|member| data.get(member)).find_map(Value::as_str);
    text.map(|text| text.chars().take(200).collect())
}

fn id(data: &Value, member: &str) -> Option<UserId> {
    data.get(member)?.as_str()?.parse().ok()
}

fn lead(
    data: &Value,
    who: impl Fn(&Lead) -> Option<UserId>,
    kind: NotificationKind,
) -> Vec<(UserId, NotificationKind)> {
    let lead = Lead::deserialize(data).ok();
    lead.as_ref().and_then(who).map(|user| (user, kind)).into_iter().collect()
}

fn customer(
    data: &Value,
    who: impl Fn(&Customer) -> Option<UserId>,
    kind: NotificationKind,
) -> Vec<(UserId, NotificationKind)> {
    let customer = Customer::deserialize(data).ok();
    customer.as_ref().and_then(who).map(|user| (user, kind)).into_iter().collect()
}

fn transfer(data: &Value, kind: NotificationKind) -> Vec<(UserId, NotificationKind)> {
    let Ok(transfer) = Transfer::deserialize(data) else { return Vec::new() };
    [transfer.owner_id, transfer.created_by, transfer.details.to_user_id].map(|user| (user, kind)).into()
}

/// Those who can decide a request.
fn waiting(
    org: &Organisation,
    happened: &Happened,
    kind: NotificationKind,
) -> Vec<(UserId, NotificationKind)> {
    let deciders = approval(&happened.data).map(|it| it.deciders(org, happened.occurred_at));
    deciders.unwrap_or_default().into_iter().map(|user| (user, kind)).collect()
}

/// Those who look after the money of a contract: its owner, their managers, and finance.
fn receivers(org: &Organisation, data: &Value, kind: NotificationKind) -> Vec<(UserId, NotificationKind)> {
    let Some(owner) = id(data, "owner_id") else { return Vec::new() };
    let standing = org.standing(Some(owner));
    let finance = org.active_actors().into_iter().filter(|actor| {
        actor.authorize(Permission::PaymentsConfirm, &standing).is_ok()
            && actor.authorize(Permission::ContractsRead, &standing).is_ok()
    });
    let managers = managers_of(org, owner, Permission::ContractsApprove);
    let all = managers.into_iter().chain(finance.map(|actor| actor.id)).chain([owner]);
    all.map(|user| (user, kind)).collect()
}

/// Those who counted on money that is gone: the contract's owner, their managers, and whoever entered it.
fn lost(org: &Organisation, data: &Value, kind: NotificationKind) -> Vec<(UserId, NotificationKind)> {
    let Some(owner) = id(data, "owner_id") else { return Vec::new() };
    let managers = managers_of(org, owner, Permission::ContractsApprove);
    let all = managers.into_iter().chain([owner]).chain(id(data, "created_by"));
    all.map(|user| (user, kind)).collect()
}

fn approval(data: &Value) -> Option<Approval> {
    Approval::deserialize(data).ok()
}

/// The superiors of a user who are near enough to hear of every lead: those whose reach is a part of the
/// organisation, or where there are none, those who reach all of it.
fn managers_of(org: &Organisation, user: UserId, permission: Permission) -> Vec<UserId> {
    let standing = org.standing(Some(user));
    let reaching: Vec<_> = org
        .active_actors()
        .into_iter()
        .filter(|actor| actor.id != user && actor.authorize(permission, &standing).is_ok())
        .collect();
    let is_near = |actor: &&std::sync::Arc<Actor>| {
        actor.grants().any(|grant| grant.permission == permission && grant.scope < Scope::All)
    };
    let near: Vec<UserId> = reaching.iter().filter(is_near).map(|actor| actor.id).collect();
    if near.is_empty() { reaching.iter().map(|actor| actor.id).collect() } else { near }
}
