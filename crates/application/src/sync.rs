//! Delta sync (增量同步): what a client with a copy has to change in it.

use std::collections::HashMap;

use fairlead_domain::activity::Activity;
use fairlead_domain::approval::Approval;
use fairlead_domain::contact::Contact;
use fairlead_domain::context::Context;
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::Customer;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::invoice::Invoice;
use fairlead_domain::lead::Lead;
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::payment::Payment;
use fairlead_domain::transfer::Transfer;
use fairlead_domain::valid::Valid;
use fairlead_persistence::Reader;
use fairlead_persistence::sync::{Part, Window};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Failure, Read};
use crate::visibility::{self, FollowedKind};

/// How many records an answer has at most, and when nothing is said about it.
const USUAL: u64 = 200;

/// What a client asks.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncForm {
    /// The `next` of the answer before; without it, everything is told.
    #[serde(default)]
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    pub since: Option<String>,
    /// Which kinds of records, separated by commas; all when absent. They stay the same from answer to answer.
    #[serde(default)]
    #[validate(length(min = 1, max = 10))]
    #[schema(min_items = 1, max_items = 10)]
    pub kinds: Option<Vec<FollowedKind>>,
    /// How many records at most, removed ones included.
    #[serde(default = "usual")]
    #[validate(range(min = 1, max = 500))]
    #[schema(minimum = 1, maximum = 500, default = 200)]
    pub limit: u64,
}

fn usual() -> u64 {
    USUAL
}

/// A record to forget.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Removed {
    /// What it was.
    pub kind: FollowedKind,
    /// Its id.
    pub id: Uuid,
    /// The record of the same kind into which it was merged, where it was and you may see that one: what refers to the
    /// old id is to refer to this one. After one merge another may follow, so that what was told here is removed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<Uuid>,
}

/// What to change in a copy: add or replace the records, forget the removed ones.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct SyncPage {
    /// Whether to forget the whole copy first: it is the beginning, or what you may see was decided anew (roles, teams,
    /// pools, what is shared with you, for whom you decide).
    pub reset: bool,
    /// Leads.
    #[schema(max_items = 500)]
    pub leads: Vec<Lead>,
    /// Customers.
    #[schema(max_items = 500)]
    pub customers: Vec<Customer>,
    /// Contacts of customers with an owner.
    #[schema(max_items = 500)]
    pub contacts: Vec<Contact>,
    /// Activities: calls, meetings, notes and tasks; not those about a pool customer that is masked.
    #[schema(max_items = 500)]
    pub activities: Vec<Activity>,
    /// Opportunities.
    #[schema(max_items = 500)]
    pub opportunities: Vec<Opportunity>,
    /// Contracts.
    #[schema(max_items = 500)]
    pub contracts: Vec<Contract>,
    /// Invoices.
    #[schema(max_items = 500)]
    pub invoices: Vec<Invoice>,
    /// Payments.
    #[schema(max_items = 500)]
    pub payments: Vec<Payment>,
    /// Requests for approval that you may see, those that wait for you among them.
    #[schema(max_items = 500)]
    pub approvals: Vec<Approval>,
    /// Transfers, those to you and those that you asked for among them.
    #[schema(max_items = 500)]
    pub transfers: Vec<Transfer>,
    /// What is gone, or is not for you any more.
    #[schema(max_items = 500)]
    pub removed: Vec<Removed>,
    /// Give it as `since` the next time.
    #[schema(max_length = 1000, pattern = "^[A-Za-z0-9_-]+$", example = "eyJ2IjoxfQ")]
    pub next: String,
    /// Whether to ask again at once.
    pub has_more: bool,
}

/// Where a client's copy is. It holds no secret, but is signed: whoever made one up could claim to have seen everything
/// at any time, and would be told to forget records that they never saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    /// By what it was decided what the client may see.
    by: String,
    /// The kinds that were asked for.
    kinds: Vec<FollowedKind>,
    /// The event that the copy is of, and the last one that it may show; none while the client gets all of it.
    at: Option<(i64, i64)>,
    /// The event that it is to be of, once everything was told.
    to: i64,
    /// The last event that it may show: the last one when the latest answer had been read.
    read: i64,
    /// What was told last: the place of the kind and of the question, and the id.
    behind: Option<(usize, Option<Uuid>)>,
}

impl Point {
    fn read(app: &App, text: &str) -> Result<Self, Refusal> {
        let invalid =
            || Refusal { code: Code::InvalidCursor, ..Refusal::malformed("since", "not one of our points") };
        let bytes = app.store().verify_point(text).ok_or_else(invalid)?;
        serde_json::from_slice(&bytes).map_err(|_| invalid())
    }

    fn write(&self, reader: &Reader<'_>) -> String {
        reader.sign_point(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// What is different for the caller since a point.
pub async fn sync(app: &App, call: &Call, form: Valid<SyncForm>) -> Read<SyncPage> {
    let point = form.since.as_deref().map(|since| Point::read(app, since)).transpose()?;
    let kinds = visibility::chosen(form.kinds.as_deref());
    if point.as_ref().is_some_and(|point| visibility::chosen(Some(&point.kinds)) != kinds) {
        let why = "it belongs to other kinds of records";
        return Err(Refusal { code: Code::CursorMismatch, ..Refusal::malformed("since", why) }.into());
    }
    app.read(call, async |ctx, reader| {
        let last = reader.last_event().await?;
        let by = visibility::fingerprint(ctx);
        let point = match point.clone().filter(|point| point.by == by && point.read <= last) {
            Some(point) if point.behind.is_some() => point,
            Some(point) => Point { at: Some((point.to, point.read)), to: last, ..point },
            None => Point { by, kinds: kinds.clone(), at: None, to: last, read: last, behind: None },
        };
        tell(ctx, reader, point, form.limit).await
    })
    .await
}

/// One answer, from where the last one ended.
async fn tell(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    mut point: Point,
    limit: u64,
) -> Result<SyncPage, Failure> {
    let window = point.at.map(|(after, read)| Window { after, read, to: point.to });
    let mut page = SyncPage { reset: window.is_none() && point.behind.is_none(), ..SyncPage::default() };
    let (begin, mut behind) = point.behind.take().unwrap_or_default();
    let mut left = limit;
    // First what is removed, kind by kind, then what is there.
    let questions = point.kinds.len() * 2;
    for question in begin..questions {
        if left == 0 {
            point.behind = Some((question, behind));
            break;
        }
        let kind = point.kinds[question % point.kinds.len()];
        let part = Part { behind: behind.take(), most: left };
        let told = if question < point.kinds.len() {
            page.removed(ctx, reader, kind, window, part).await?
        } else {
            let told = page.changed(ctx, reader, kind, window, part).await?;
            // What came back between the two questions is not gone.
            page.removed.retain(|gone| !told.contains(&gone.id));
            told
        };
        left -= told.len() as u64;
        if left == 0 {
            behind = told.last().copied();
            point.behind = Some((question, behind));
            break;
        }
    }
    // Asked for after everything else: what happened meanwhile may show in the answer or not, and a statement sees no
    // event that this one does not see.
    point.read = reader.last_event().await?;
    page.has_more = point.behind.is_some();
    page.next = point.write(reader);
    Ok(page)
}

impl SyncPage {
    async fn removed(
        &mut self,
        ctx: &Context<'_>,
        reader: &Reader<'_>,
        kind: FollowedKind,
        window: Option<Window>,
        part: Part,
    ) -> Result<Vec<Uuid>, Failure> {
        let (Some(watched), Some(window)) = (visibility::copied(ctx, kind), window) else {
            return Ok(Vec::new());
        };
        let ids = reader.removed(&watched, window, part).await?;
        let survivors = match kind {
            FollowedKind::Lead | FollowedKind::Customer => reader.survivors(&watched, &ids).await?,
            FollowedKind::Contact
            | FollowedKind::Activity
            | FollowedKind::Opportunity
            | FollowedKind::Contract
            | FollowedKind::Invoice
            | FollowedKind::Payment
            | FollowedKind::Approval
            | FollowedKind::Transfer => HashMap::new(),
        };
        let gone = |id: &Uuid| Removed { kind, id: *id, merged_into: survivors.get(id).copied() };
        self.removed.extend(ids.iter().map(gone));
        Ok(ids)
    }

    async fn changed(
        &mut self,
        ctx: &Context<'_>,
        reader: &Reader<'_>,
        kind: FollowedKind,
        window: Option<Window>,
        part: Part,
    ) -> Result<Vec<Uuid>, Failure> {
        let Some(watched) = visibility::copied(ctx, kind) else { return Ok(Vec::new()) };
        match kind {
            FollowedKind::Lead => {
                let found: Vec<Lead> = reader.changed(&watched, window, part).await?;
                Ok(take(found, &mut self.leads, |lead| lead.id))
            }
            FollowedKind::Customer => {
                let found: Vec<Customer> = reader.changed(&watched, window, part).await?;
                let seen = found.into_iter().map(|customer| customer.seen_by(ctx, false)).collect();
                Ok(take(seen, &mut self.customers, |customer| customer.id))
            }
            FollowedKind::Contact => {
                let found: Vec<Contact> = reader.changed(&watched, window, part).await?;
                Ok(take(found, &mut self.contacts, |contact| contact.id))
            }
            FollowedKind::Activity => {
                let found: Vec<Activity> = reader.changed(&watched, window, part).await?;
                Ok(take(found, &mut self.activities, |activity| activity.id))
            }
            FollowedKind::Opportunity => {
                let found: Vec<Opportunity> = reader.changed(&watched, window, part).await?;
                Ok(take(found, &mut self.opportunities, |opportunity| opportunity.id))
            }
            FollowedKind::Contract => {
                let found: Vec<Contract> = reader.changed(&watched, window, part).await?;
                Ok(take(found, &mut self.contracts, |contract| contract.id))
            }
            FollowedKind::Invoice => {
                let found: Vec<Invoice> = reader.changed(&watched, window, part).await?;
                Ok(take(found, &mut self.invoices, |invoice| invoice.id))
            }
            FollowedKind::Payment => {
                let found: Vec<Payment> = reader.changed(&watched, window, part).await?;
                Ok(take(found, &mut self.payments, |payment| payment.id))
            }
            FollowedKind::Approval => {
                let found: Vec<Approval> = reader.changed(&watched, window, part).await?;
                let seen = found.into_iter().map(|approval| approval.seen_by(ctx)).collect();
                Ok(take(seen, &mut self.approvals, |approval| approval.id))
            }
            FollowedKind::Transfer => {
                let found: Vec<Transfer> = reader.changed(&watched, window, part).await?;
                Ok(take(found, &mut self.transfers, |transfer| transfer.id))
            }
        }
    }
}

fn take<T, Id: Into<Uuid>>(found: Vec<T>, into: &mut Vec<T>, id: impl Fn(&T) -> Id) -> Vec<Uuid> {
    let ids = found.iter().map(|record| id(record).into()).collect();
    into.extend(found);
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::tests::open;

    #[tokio::test]
    async fn points_survive_the_way_to_the_client() {
        let directory = tempfile::tempdir().unwrap();
        let (app, call) = open(&directory).await;
        let point = Point {
            by: "x".to_owned(),
            kinds: FollowedKind::ALL.to_vec(),
            at: Some((7, 8)),
            to: 9,
            read: 11,
            behind: Some((3, Some(Uuid::nil()))),
        };
        let sign = async |point: &[u8]| {
            app.read(&call, async |_, reader| Ok(reader.sign_point(point))).await.unwrap()
        };
        let json = serde_json::to_vec(&point).unwrap();
        let written = app.read(&call, async |_, reader| Ok(point.write(reader))).await.unwrap();
        assert_eq!(written, sign(&json).await);
        assert_eq!(Point::read(&app, &written).unwrap(), point);
        // Those of before there was `read` are not told apart from others that are none.
        let old = sign(br#"{"by":"x","kinds":["lead"],"at":7,"to":9,"behind":null}"#).await;
        for bad in ["", "!", "AAAA", &sign(b"{\"by\":\"x\"}").await, &old, &written[1..]] {
            assert_eq!(Point::read(&app, bad).unwrap_err().code, Code::InvalidCursor, "{bad}");
        }
    }

    /// They were written in the order in which they were asked for, before that order came to mean nothing.
    #[tokio::test]
    async fn points_are_taken_with_their_kinds_in_any_order() {
        let directory = tempfile::tempdir().unwrap();
        let (app, call) = open(&directory).await;
        let (lead, customer) = (FollowedKind::Lead, FollowedKind::Customer);
        let sign = async |ctx: &Context<'_>, reader: &Reader<'_>| {
            let by = visibility::fingerprint(ctx);
            let point = Point { by, kinds: vec![customer, lead], at: None, to: 0, read: 0, behind: None };
            Ok(point.write(reader))
        };
        let since = app.read(&call, sign).await.unwrap();
        let told = async |kinds: &[FollowedKind]| {
            let form = SyncForm { since: Some(since.clone()), kinds: Some(kinds.to_vec()), limit: 10 };
            sync(&app, &call, Valid::check(form).unwrap()).await
        };
        for same in [[customer, lead], [lead, customer]] {
            assert!(!told(&same).await.unwrap().reset, "it goes on from there");
        }
        let Err(Failure::Refused(refusal)) = told(&[lead]).await else { panic!("other kinds") };
        assert_eq!(refusal.code, Code::CursorMismatch);
    }
}
