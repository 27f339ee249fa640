//! What hangs on a record that is merged into another one goes along.

use fairlead_domain::activity::{Activity, SubjectKind};
use fairlead_domain::amendment::Amendment;
use fairlead_domain::approval::Approval;
use fairlead_domain::contact::Contact;
use fairlead_domain::context::Event;
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::{Collaborator, Customer};
use fairlead_domain::customer_change::CustomerChange;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::invoice::{CreditNote, Invoice};
use fairlead_domain::lead::Lead;
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::payment::{Payment, Refund};
use fairlead_domain::record::RecordKind;
use fairlead_domain::transfer::Transfer;
use fairlead_domain::values::LeadId;
use fairlead_persistence::{Predicate, Stored, Work};
use uuid::Uuid;

use crate::call::Failure;
use crate::transfers;

/// Changes every record that fits.
async fn each<T: Stored>(
    work: &mut Work,
    which: Predicate,
    event: &'static str,
    change: impl Fn(&mut T),
) -> Result<(), Failure> {
    for before in work.load_all::<T>(which).await? {
        let mut after = before.clone();
        change(&mut after);
        work.save(&before, &mut after, Event(event)).await?;
    }
    Ok(())
}

/// Moves everything of a customer to another one, and removes it.
pub(crate) async fn customer(work: &mut Work, loser: &Customer, into: &Customer) -> Result<(), Failure> {
    let to = into.id;
    let of = |column: &'static str| Predicate::Is(column, loser.id.0.into());
    transfers::none_pending(work, [loser.id.0]).await?;

    let primary = Predicate::All(vec![
        Predicate::Is("customer_id", to.0.into()),
        Predicate::Is("is_primary", true.into()),
    ]);
    let has_primary = work.count("contacts", primary).await? > 0;
    each(work, of("customer_id"), "contact.merged", |contact: &mut Contact| {
        contact.details.customer_id = to;
        contact.details.is_primary &= !has_primary;
    })
    .await?;
    each(work, of("customer_id"), "activity.merged", |activity: &mut Activity| {
        activity.customer_id = Some(to);
        if activity.details.about.kind == SubjectKind::Customer {
            activity.details.about.id = to.0;
        }
    })
    .await?;
    each(work, of("customer_id"), "opportunity.merged", |it: &mut Opportunity| it.details.customer_id = to)
        .await?;
    each(work, of("customer_id"), "contract.merged", |it: &mut Contract| it.details.customer_id = to).await?;
    // What somebody is asked to approve does not change. From here on nobody asks any more: whoever does locks the
    // customer, the opportunity or the contract first.
    let asked = Predicate::All(vec![of("customer_id"), Predicate::Is("status", "pending".into())]);
    if work.count("approvals", asked).await? > 0 {
        let detail = "a decision about the record that goes is pending";
        return Err(Refusal::new(Code::PendingApproval, detail).into());
    }
    each(work, of("customer_id"), "invoice.merged", |it: &mut Invoice| it.customer_id = to).await?;
    each(work, of("customer_id"), "amendment.merged", |it: &mut Amendment| it.customer_id = to).await?;
    each(work, of("customer_id"), "customer_change.merged", |it: &mut CustomerChange| {
        it.customer_id = to;
        it.owner_id = into.owner_id;
    })
    .await?;
    each(work, of("customer_id"), "credit_note.merged", |it: &mut CreditNote| it.customer_id = to).await?;
    each(work, of("customer_id"), "refund.merged", |it: &mut Refund| it.customer_id = to).await?;
    each(work, of("customer_id"), "payment.merged", |it: &mut Payment| it.customer_id = to).await?;
    each(work, of("customer_id"), "approval.merged", |it: &mut Approval| {
        it.goes_with_customer(to, into.owner_id);
    })
    .await?;
    let named = Predicate::All(vec![
        Predicate::Is("status", "pending".into()),
        Predicate::Like("CAST(customer_ids AS TEXT)", format!("%{}%", loser.id)),
    ]);
    let transfers: Vec<Transfer> = work.find_all(named.clone()).await?;
    each(work, named, "transfer.customer_merged", |transfer: &mut Transfer| {
        transfer.customer_ids.retain(|id| ![loser.id, to].contains(id));
        transfer.customer_ids.push(to);
    })
    .await?;
    // What was asked is the same: the approval goes on with it.
    let asked = Predicate::All(vec![
        Predicate::In("subject_id", transfers.iter().map(|transfer| transfer.id.0).collect()),
        Predicate::Is("status", "pending".into()),
    ]);
    each(work, asked, "approval.subject_merged", |it: &mut Approval| it.subject_version += 1).await?;
    each(work, of("converted_customer_id"), "lead.customer_merged", |lead: &mut Lead| {
        lead.converted_customer_id = Some(to);
    })
    .await?;
    let known: Vec<Collaborator> = work.load_all(Predicate::Is("customer_id", to.0.into())).await?;
    for collaborator in work.load_all::<Collaborator>(of("customer_id")).await? {
        let twice = known.iter().any(|known| known.details.user_id == collaborator.details.user_id);
        if twice {
            work.delete(&collaborator, Event("collaborator.removed")).await?;
        } else {
            let mut after = collaborator.clone();
            after.details.customer_id = to;
            work.save(&collaborator, &mut after, Event("collaborator.merged")).await?;
        }
    }
    work.join_ownership(loser.id, to).await?;
    work.delete(loser, Event("customer.merged_away")).await?;
    work.note_merge(RecordKind::Customer, loser.id.0, to.0).await?;
    Ok(work.join_timelines(loser.id, to).await?)
}

/// Moves everything of a lead to another one, and removes it.
pub(crate) async fn lead(work: &mut Work, loser: &Lead, to: LeadId) -> Result<(), Failure> {
    let of_lead = Predicate::Is("lead_id", loser.id.0.into());
    each(work, of_lead, "activity.merged", |activity: &mut Activity| {
        activity.lead_id = Some(to);
        if activity.details.about.kind == SubjectKind::Lead {
            activity.details.about.id = Uuid::from(to);
        }
    })
    .await?;
    work.delete(loser, Event("lead.merged_away")).await?;
    Ok(work.note_merge(RecordKind::Lead, loser.id.0, to.0).await?)
}
