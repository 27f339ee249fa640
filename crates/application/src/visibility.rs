//! Which records a caller may see, said once for everything that looks at several kinds: search, events, webhooks and
//! sync.

use fairlead_domain::access::{Clause, Permission, ScopeFilter};
use fairlead_domain::approval;
use fairlead_domain::context::Context;
use fairlead_domain::customer::Customer;
use fairlead_domain::record::RecordKind;
use fairlead_domain::text_enum;
use fairlead_domain::values::TextEnum;
use fairlead_persistence::Predicate;
use fairlead_persistence::sync::Watched;
use sha2::{Digest, Sha256};

use crate::search::SearchKind;
use crate::{activities, approvals, transfers};

text_enum! {
    /// A kind of record of which streams of events, webhooks and delta sync tell.
    pub enum FollowedKind {
        /// A lead (线索).
        Lead = "lead" ("Lead", "线索"),
        /// A customer (客户).
        Customer = "customer" ("Customer", "客户"),
        /// A contact (联系人).
        Contact = "contact" ("Contact", "联系人"),
        /// An activity (跟进).
        Activity = "activity" ("Activity", "跟进"),
        /// An opportunity (商机).
        Opportunity = "opportunity" ("Opportunity", "商机"),
        /// A contract (合同).
        Contract = "contract" ("Contract", "合同"),
        /// An invoice (开票).
        Invoice = "invoice" ("Invoice", "开票"),
        /// A payment (回款).
        Payment = "payment" ("Payment", "回款"),
        /// An approval request (审批).
        Approval = "approval" ("Approval", "审批"),
        /// A transfer (转移).
        Transfer = "transfer" ("Transfer", "转移"),
    }
}

impl From<SearchKind> for FollowedKind {
    fn from(kind: SearchKind) -> Self {
        match kind {
            SearchKind::Lead => Self::Lead,
            SearchKind::Customer => Self::Customer,
            SearchKind::Contact => Self::Contact,
            SearchKind::Opportunity => Self::Opportunity,
            SearchKind::Contract => Self::Contract,
            SearchKind::Invoice => Self::Invoice,
            SearchKind::Payment => Self::Payment,
        }
    }
}

/// The kinds that somebody asked for, each once; all of them where nothing was said.
pub(crate) fn chosen<K: TextEnum + PartialEq>(asked: Option<&[K]>) -> Vec<K> {
    let asked = asked.unwrap_or(K::ALL);
    K::ALL.iter().copied().filter(|kind| asked.contains(kind)).collect()
}

impl FollowedKind {
    /// As the audit trail calls it.
    pub(crate) const fn record(self) -> RecordKind {
        match self {
            Self::Lead => RecordKind::Lead,
            Self::Customer => RecordKind::Customer,
            Self::Contact => RecordKind::Contact,
            Self::Activity => RecordKind::Activity,
            Self::Opportunity => RecordKind::Opportunity,
            Self::Contract => RecordKind::Contract,
            Self::Invoice => RecordKind::Invoice,
            Self::Payment => RecordKind::Payment,
            Self::Approval => RecordKind::Approval,
            Self::Transfer => RecordKind::Transfer,
        }
    }

    /// Its table.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Lead => "leads",
            Self::Customer => "customers",
            Self::Contact => "contacts",
            Self::Activity => "activities",
            Self::Opportunity => "opportunities",
            Self::Contract => "contracts",
            Self::Invoice => "invoices",
            Self::Payment => "payments",
            Self::Approval => "approvals",
            Self::Transfer => "transfers",
        }
    }

    /// What shows one that stands by itself, and its column with the customer that it is or belongs to. Others are
    /// seen by way of these, or by whom they concern as well.
    const fn by_itself(self) -> Option<(Permission, &'static str)> {
        match self {
            Self::Lead => Some((Permission::LeadsRead, "id")),
            Self::Customer => Some((Permission::CustomersRead, "id")),
            Self::Opportunity => Some((Permission::OpportunitiesRead, "customer_id")),
            Self::Contract => Some((Permission::ContractsRead, "customer_id")),
            Self::Invoice => Some((Permission::InvoicesRead, "customer_id")),
            Self::Payment => Some((Permission::PaymentsRead, "customer_id")),
            Self::Contact | Self::Activity | Self::Approval | Self::Transfer => None,
        }
    }
}

/// The records of a kind that stands by itself within the caller's scope, by a column with their customer.
fn within(ctx: &Context<'_>, permission: Permission, column: &'static str) -> Option<Predicate> {
    let scope = ctx.actor.visible_scope(permission);
    (!scope.is_nothing()).then_some(Predicate::Scope(column, scope))
}

/// The records of a kind that stand by themselves and that the caller may see, by their own columns.
pub(crate) fn own(ctx: &Context<'_>, kind: FollowedKind) -> Option<Predicate> {
    let (permission, column) = kind.by_itself()?;
    within(ctx, permission, column)
}

/// The same by where they stood.
fn stood(ctx: &Context<'_>, kind: FollowedKind) -> Option<Predicate> {
    within(ctx, kind.by_itself()?.0, "customer_id")
}

/// What the caller may see of a kind, now and by where records stood. Contacts are seen with their customer, where they
/// are not behind opening it: what somebody has opened in the pool they see for a day, and that is not followed.
pub(crate) fn watched(ctx: &Context<'_>, kind: FollowedKind) -> Option<Watched> {
    seen(ctx, kind, Customer::sees_every_customer(ctx))
}

/// What the caller may have a copy of: the same, but contacts only where they are not masked. A contact has no event
/// when its customer comes into the pool or out of it, so a masked one in a copy would stay so.
pub(crate) fn copied(ctx: &Context<'_>, kind: FollowedKind) -> Option<Watched> {
    seen(ctx, kind, Customer::sees_every_customer(ctx) && Customer::shows_pool_contact_data(ctx))
}

/// `in_pool`: whether contacts of customers in the pool are among it.
fn seen(ctx: &Context<'_>, kind: FollowedKind, in_pool: bool) -> Option<Watched> {
    let with: &'static [&'static str] = match kind {
        FollowedKind::Contact => &["with_id"],
        FollowedKind::Activity => &["with_id", "about_id"],
        _ => &[],
    };
    let (visible, stood) = match kind {
        FollowedKind::Contact => {
            let seen = of_customers(own(ctx, FollowedKind::Customer)?, in_pool);
            let visible = Predicate::Through("contacts.customer_id", "customers", Box::new(seen));
            (visible, others(ctx, FollowedKind::Customer, in_pool)?)
        }
        FollowedKind::Activity => {
            let of = [
                FollowedKind::Lead,
                FollowedKind::Customer,
                FollowedKind::Opportunity,
                FollowedKind::Contract,
            ];
            let in_pool = Customer::sees_every_customer(ctx);
            let others = of.into_iter().filter_map(|kind| others(ctx, kind, in_pool)).collect();
            (activities::visible(ctx).ok()?, Predicate::Any(others))
        }
        FollowedKind::Approval => (approvals::visible(ctx).ok()?, approvals::stood(ctx)),
        FollowedKind::Transfer => (transfers::visible(ctx).ok()?, transfers::stood(ctx)),
        FollowedKind::Lead
        | FollowedKind::Customer
        | FollowedKind::Opportunity
        | FollowedKind::Contract
        | FollowedKind::Invoice
        | FollowedKind::Payment => (own(ctx, kind)?, stood(ctx, kind)?),
    };
    Some(Watched { kind: kind.record(), table: kind.table(), visible, with, stood })
}

/// Customers with whom something is seen.
fn of_customers(seen: Predicate, in_pool: bool) -> Predicate {
    if in_pool { seen } else { seen.owned() }
}

/// The standings of a kind with whose records others are seen.
fn others(ctx: &Context<'_>, kind: FollowedKind, in_pool: bool) -> Option<Predicate> {
    let stood = stood(ctx, kind)?;
    let stood = if kind == FollowedKind::Customer { of_customers(stood, in_pool) } else { stood };
    Some(Predicate::All(vec![Predicate::Is("record_kind", kind.as_str().into()), stood]))
}

/// A digest of everything but records that decides what the caller may see: their permissions and scopes, who is in
/// the teams that these name, what is shared with them, for whom they decide at this time. While it is the same, only
/// records can make a difference.
pub(crate) fn fingerprint(ctx: &Context<'_>) -> String {
    let sees = [Customer::sees_every_customer(ctx), Customer::shows_pool_contact_data(ctx)];
    let mut words = vec![ctx.actor.id.to_string(), format!("{sees:?}")];
    let mut say = |what: String, scope: &ScopeFilter| {
        words.push(what);
        match scope {
            ScopeFilter::All => words.push("all".to_owned()),
            ScopeFilter::Any(clauses) => words.extend(clauses.iter().map(|clause| told(ctx, clause))),
        }
    };
    for kind in FollowedKind::ALL {
        if let Some((permission, _)) = kind.by_itself() {
            say(kind.to_string(), &ctx.actor.visible_scope(permission));
        }
    }
    for part in approval::readable(ctx.actor) {
        say(format!("about {}", part.subject_kind), &part.scope);
    }
    for inbox in approvals::entrusted(ctx) {
        for part in &inbox.readable {
            say(format!("for {} about {}", inbox.name, part.subject_kind), &part.scope);
        }
        for clause in &inbox.clauses {
            let what = format!("for {} by {} about {}", inbox.name, clause.waiting_for, clause.subject_kind);
            for scope in &clause.scopes {
                say(what.clone(), scope);
            }
        }
    }
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    hash.finalize().iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn told(ctx: &Context<'_>, clause: &Clause) -> String {
    fn sorted<T: ToString>(name: &str, ids: impl Iterator<Item = T>) -> String {
        let mut ids: Vec<String> = ids.map(|id| id.to_string()).collect();
        ids.sort_unstable();
        format!("{name} {}", ids.join(" "))
    }
    match clause {
        Clause::OwnerIs(user) => format!("owner {user}"),
        Clause::Unowned => "unowned".to_owned(),
        Clause::InPools(pools) => sorted("pools", pools.iter()),
        Clause::SharedCustomers(shared) => sorted("shared", shared.iter()),
        Clause::OwnerInTeams(teams) => {
            let in_them = |team: Option<_>| team.is_some_and(|team| teams.contains(&team));
            sorted(
                "members",
                ctx.org.users().filter(|user| in_them(user.details.team_id)).map(|user| user.id),
            )
        }
    }
}
