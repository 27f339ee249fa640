//! A small organisation and its records, for tests.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use crate::access::{Actor, BUILT_IN, BuiltInRole, RoleKey};
use crate::approval::{ApprovalFlow, ApprovalSubject, Delegation, DelegationDetails};
use crate::context::Context;
use crate::contract::{
    CollectionScheme, Contract, ContractDetails, ContractStatus, Installment, InstallmentPlan,
};
use crate::customer::{Customer, CustomerDetails, CustomerKind, OwnershipCause};
use crate::invoice::{Invoice, InvoiceDetails, InvoiceKind, InvoiceStatus};
use crate::organisation::{
    Locale, Organisation, Parts, Role, RoleDetails, Team, TeamDetails, User, UserDetails, UserStatus,
};
use crate::pool::Pool;
use crate::valid::Valid;
use crate::values::{
    ContractId, Currency, CustomerId, DelegationId, Email, FlowId, InstallmentId, InvoiceId, Line, Money,
    Number, NumberKind, PoolId, Rate, RoleId, TeamId, Timestamp, UserId,
};

pub(crate) const REP: u128 = 1;
pub(crate) const MANAGER: u128 = 2;
pub(crate) const DIRECTOR: u128 = 3;
pub(crate) const FINANCE: u128 = 4;
pub(crate) const SECOND_FINANCE: u128 = 5;
pub(crate) const ADMIN: u128 = 6;
pub(crate) const AUDITOR: u128 = 7;
pub(crate) const OTHER_REP: u128 = 8;
pub(crate) const OTHER_MANAGER: u128 = 9;
pub(crate) const MARKETING: u128 = 10;

/// The sources that name events.
pub(crate) fn sources() -> Vec<String> {
    fn read(place: &Path, found: &mut Vec<String>) {
        if place.is_dir() {
            for entry in std::fs::read_dir(place).unwrap() {
                read(&entry.unwrap().path(), found);
            }
        } else if place.extension().is_some_and(|it| it == "rs")
            && !["event_type.rs", "audit/action.rs"].iter().any(|list| place.ends_with(list))
        {
            found.push(std::fs::read_to_string(place).unwrap());
        }
    }
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for place in ["domain/src", "application/src"] {
        read(&crates.join(place), &mut found);
    }
    found
}

pub(crate) fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

fn team(number: u128) -> TeamId {
    TeamId(Uuid::from_u128(number))
}

pub(crate) fn now() -> Timestamp {
    "2026-03-10T08:00:00Z".parse().unwrap()
}

pub(crate) fn cny(minor: i64) -> Money {
    Money::from_minor(minor, Currency::CNY)
}

/// The flow that Fairlead brings along.
pub(crate) fn flow(kind: ApprovalSubject) -> ApprovalFlow {
    ApprovalFlow::first(FlowId(Uuid::from_u128(90)), kind, now())
}

/// Has one user decide for another, for an hour from now on.
pub(crate) fn delegation(from: u128, to: u128) -> Delegation {
    Delegation {
        id: DelegationId(Uuid::from_u128(from * 100 + to)),
        details: DelegationDetails {
            user_id: user(from),
            delegate_id: user(to),
            starts_at: now(),
            ends_at: now().plus(chrono::Duration::hours(1)),
            subject_kinds: Vec::new(),
            reason: None,
        },
        created_by: user(from),
        version: 1,
        created_at: now(),
        updated_at: now(),
    }
}

/// A person or two for each built-in role, with their team.
pub(crate) struct Everybody;

impl Everybody {
    pub(crate) const EACH: &'static [(u128, Option<u128>, &'static [&'static str])] = &[
        (REP, Some(2), &["sales_rep"]),
        (MANAGER, Some(2), &["sales_manager"]),
        (DIRECTOR, Some(1), &["sales_director"]),
        (FINANCE, None, &["finance"]),
        (SECOND_FINANCE, None, &["finance"]),
        (ADMIN, None, &["admin"]),
        (AUDITOR, None, &["auditor"]),
        (OTHER_REP, Some(3), &["sales_rep"]),
        (OTHER_MANAGER, Some(3), &["sales_manager"]),
        (MARKETING, Some(1), &["marketing"]),
    ];
}

/// The organisation, and what a test asks it for.
pub(crate) struct World(pub(crate) Organisation);

impl World {
    /// Teams 2 and 3 below team 1; a person or two for each built-in role.
    pub(crate) fn new() -> Self {
        Self::of(Everybody::EACH)
    }

    /// These users in teams 1 to 3, with the built-in roles.
    pub(crate) fn of(users: &[(u128, Option<u128>, &[&str])]) -> Self {
        Self::with(users, Vec::new())
    }

    /// The same, some of whom decide for others.
    pub(crate) fn with(users: &[(u128, Option<u128>, &[&str])], delegations: Vec<Delegation>) -> Self {
        let teams = [(1, None), (2, Some(1)), (3, Some(1))].map(|(id, parent)| Team {
            id: team(id),
            details: TeamDetails { name: Line::new(format!("Team {id}")), parent_id: parent.map(team) },
            version: 1,
            created_at: now(),
            updated_at: now(),
        });
        let roles: Vec<Role> = BUILT_IN.iter().map(built_in).collect();
        let users = users.iter().map(|(id, in_team, roles)| User {
            id: user(*id),
            details: UserDetails {
                email: Email::new(format!("u{id}@example.com")),
                display_name: Line::new(format!("User {id}")),
                team_id: in_team.map(team),
                roles: roles.iter().map(|role| RoleKey((*role).to_owned())).collect(),
                locale: Locale::En,
            },
            status: UserStatus::Active,
            version: 1,
            created_at: now(),
            updated_at: now(),
        });
        Self(Organisation::new(
            1,
            Parts {
                settings: None,
                users: users.collect(),
                teams: teams.to_vec(),
                roles,
                pools: vec![Pool::first(PoolId(Uuid::from_u128(60)), now())],
                flows: ApprovalSubject::ALL.iter().map(|kind| flow(*kind)).collect(),
                delegations,
                ..Parts::default()
            },
        ))
    }

    pub(crate) fn actor(&self, number: u128) -> Arc<Actor> {
        self.0.actor(user(number)).unwrap()
    }

    pub(crate) fn ctx<'a>(&'a self, actor: &'a Actor) -> Context<'a> {
        Context { actor, org: &self.0, now: now() }
    }

    /// Asks something in the name of a user.
    pub(crate) fn by<T>(&self, number: u128, ask: impl FnOnce(&Context) -> T) -> T {
        let actor = self.actor(number);
        ask(&self.ctx(&actor))
    }

    pub(crate) fn customer(&self, owner: Option<u128>) -> Customer {
        let form = CustomerDetails {
            kind: CustomerKind::Company,
            name: Line::new("Acme Machinery"),
            registration_number: None,
            source: None,
            grade: None,
            industry: None,
            region: None,
            address: None,
            scale: None,
            phone: None,
            email: None,
            website: None,
            tags: crate::values::Tags::default(),
            tax_profiles: Vec::new(),
            note: None,
        };
        let id = CustomerId(Uuid::from_u128(70));
        let form = Valid::check(form).unwrap();
        let made = self.by(REP, |ctx| Customer::new(ctx, id, form, None, OwnershipCause::Created));
        Customer { owner_id: owner.map(user), ..made.unwrap().0 }
    }

    /// The rep's active contract over the sum of these installments, due a month apart.
    pub(crate) fn contract(&self, scheme: CollectionScheme, parts: &[i64]) -> (Contract, Vec<Installment>) {
        let plan = parts.iter().zip(1..).map(|(minor, month)| InstallmentPlan {
            due_on: chrono::NaiveDate::from_ymd_opt(2026, month, 28).unwrap(),
            amount: cny(*minor),
            condition: None,
        });
        let form = ContractDetails {
            title: Line::new("Pumps"),
            customer_id: CustomerId(Uuid::from_u128(70)),
            amount: cny(parts.iter().sum()),
            line_items: Vec::new(),
            installments: plan.collect(),
            collection_scheme: scheme,
            signed_on: None,
            starts_on: None,
            ends_on: None,
            our_signer: None,
            customer_signer: None,
            terms: None,
            renewal_of_id: None,
        };
        let number = Number::new(NumberKind::Contract, 2026, 1);
        let id = ContractId(Uuid::from_u128(80));
        let customer = self.customer(Some(REP));
        self.by(REP, |ctx| {
            let (mut contract, _) =
                Contract::new(ctx, id, number, &customer, Valid::check(form).unwrap()).unwrap();
            contract.status = ContractStatus::Active;
            let mut next = 800;
            let installments = contract.plan_installments(ctx, || {
                next += 1;
                InstallmentId(Uuid::from_u128(next))
            });
            (contract, installments)
        })
    }

    /// An invoice of the contract; the later its number, the later it was issued.
    pub(crate) fn invoice(&self, contract: &mut Contract, number: u32, minor: i64, issued: bool) -> Invoice {
        let form = InvoiceDetails {
            contract_id: contract.id,
            amount: cny(minor),
            tax_rate: Rate::from_basis_points(1300).unwrap(),
            kind: InvoiceKind::Ordinary,
            tax_profile: None,
            note: None,
        };
        let id = InvoiceId(Uuid::from_u128(900 + u128::from(number)));
        let human = Number::new(NumberKind::Invoice, 2026, i64::from(number));
        let form = Valid::check(form).unwrap();
        let made = self.by(REP, |ctx| Invoice::new(ctx, id, human, contract, None, form));
        let mut invoice = made.unwrap().0;
        if issued {
            contract.commit_invoice(invoice.details.amount).unwrap();
            contract.note_issued(invoice.details.amount).unwrap();
            invoice.status = InvoiceStatus::Issued;
            invoice.issued_on = chrono::NaiveDate::from_ymd_opt(2026, 1, number);
        }
        invoice
    }
}

fn built_in(role: &BuiltInRole) -> Role {
    Role {
        id: RoleId(Uuid::from_u128(1)),
        details: RoleDetails {
            key: RoleKey(role.key.to_owned()),
            name: Line::new(role.name),
            description: None,
            grants: role.grants(),
        },
        built_in: true,
        version: 1,
        created_at: now(),
        updated_at: now(),
    }
}
