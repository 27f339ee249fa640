//! Which records of the sales chain a caller may see, said once for everything that looks at several kinds: search,
//! events and sync.

use fairlead_domain::access::{Clause, Permission, ScopeFilter};
use fairlead_domain::context::Context;
use fairlead_domain::customer::Customer;
use fairlead_domain::record::RecordKind;
use fairlead_persistence::Predicate;
use fairlead_persistence::sync::{Stood, Watched};
use sha2::{Digest, Sha256};

use crate::search::SearchKind;

impl SearchKind {
    /// The kinds that somebody asked for, each once; all of them where nothing was said.
    pub(crate) fn chosen(asked: Option<&[Self]>) -> Vec<Self> {
        let mut chosen = Vec::new();
        for kind in asked.unwrap_or(Self::ALL) {
            if !chosen.contains(kind) {
                chosen.push(*kind);
            }
        }
        chosen
    }

    /// As the audit trail calls it.
    pub(crate) const fn record(self) -> RecordKind {
        match self {
            Self::Lead => RecordKind::Lead,
            Self::Customer => RecordKind::Customer,
            Self::Contact => RecordKind::Contact,
            Self::Opportunity => RecordKind::Opportunity,
            Self::Contract => RecordKind::Contract,
            Self::Invoice => RecordKind::Invoice,
            Self::Payment => RecordKind::Payment,
        }
    }

    /// Its table.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Lead => "leads",
            Self::Customer => "customers",
            Self::Contact => "contacts",
            Self::Opportunity => "opportunities",
            Self::Contract => "contracts",
            Self::Invoice => "invoices",
            Self::Payment => "payments",
        }
    }

    /// What shows it.
    const fn permission(self) -> Permission {
        match self {
            Self::Lead => Permission::LeadsRead,
            Self::Customer | Self::Contact => Permission::CustomersRead,
            Self::Opportunity => Permission::OpportunitiesRead,
            Self::Contract => Permission::ContractsRead,
            Self::Invoice => Permission::InvoicesRead,
            Self::Payment => Permission::PaymentsRead,
        }
    }

    /// The column with the customer that a record is or belongs to.
    const fn customer_column(self) -> &'static str {
        match self {
            Self::Lead | Self::Customer => "id",
            Self::Contact | Self::Opportunity | Self::Contract | Self::Invoice | Self::Payment => {
                "customer_id"
            }
        }
    }
}

fn scope(ctx: &Context<'_>, kind: SearchKind) -> Option<ScopeFilter> {
    Some(ctx.actor.visible_scope(kind.permission())).filter(|filter| !filter.is_nothing())
}

/// The records of a kind that stand by themselves and that the caller may see, by their own columns.
pub(crate) fn own(ctx: &Context<'_>, kind: SearchKind) -> Option<Predicate> {
    Some(Predicate::Scope(kind.customer_column(), scope(ctx, kind)?))
}

/// What the caller may see of a kind, now and by where records stood. Contacts are seen with their customer, where they
/// are not behind opening it: what somebody has opened in the pool they see for a day, and that is not followed.
pub(crate) fn watched(ctx: &Context<'_>, kind: SearchKind) -> Option<Watched> {
    seen(ctx, kind, Customer::sees_every_customer(ctx))
}

/// What the caller may have a copy of: the same, but contacts only where they are not masked. A contact has no event
/// when its customer comes into the pool or out of it, so a masked one in a copy would stay so.
pub(crate) fn copied(ctx: &Context<'_>, kind: SearchKind) -> Option<Watched> {
    seen(ctx, kind, Customer::sees_every_customer(ctx) && Customer::shows_pool_contact_data(ctx))
}

/// `in_pool`: whether contacts of customers in the pool are among it.
fn seen(ctx: &Context<'_>, kind: SearchKind, in_pool: bool) -> Option<Watched> {
    let scope = scope(ctx, kind)?;
    let (visible, stood) = if kind == SearchKind::Contact {
        let within = |column| {
            let seen = Predicate::Scope(column, scope.clone());
            if in_pool { seen } else { seen.owned() }
        };
        (within(SearchKind::Customer.customer_column()), Stood::Customer(within("customer_id")))
    } else {
        (own(ctx, kind)?, Stood::Itself(Predicate::Scope("customer_id", scope)))
    };
    Some(Watched { kind: kind.record(), table: kind.table(), visible, stood })
}

/// A digest of everything but records that decides what the caller may see: their permissions and scopes, who is in
/// the teams that these name, what is shared with them. While it is the same, only records can make a difference.
pub(crate) fn fingerprint(ctx: &Context<'_>) -> String {
    let mut hash = Sha256::new();
    let mut say = |text: String| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    };
    say(ctx.actor.id.to_string());
    say(format!("{} {}", Customer::sees_every_customer(ctx), Customer::shows_pool_contact_data(ctx)));
    for kind in SearchKind::ALL {
        say(kind.to_string());
        match ctx.actor.visible_scope(kind.permission()) {
            ScopeFilter::All => say("all".to_owned()),
            ScopeFilter::Any(clauses) => clauses.iter().for_each(|clause| say(told(ctx, clause))),
        }
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
