//! Who may be known already (查重): leads and customers that look like a new one.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Lead, LeadDetails};
use crate::context::Context;
use crate::customer::{Customer, CustomerDetails, CustomerKind};
use crate::error::{Code, Refusal};
use crate::text_enum;
use crate::values::{Line, company_key};

text_enum! {
    /// What two records have in common.
    pub enum MatchedOn {
        /// The telephone number, however it is written.
        Phone = "phone" ("Phone", "电话"),
        /// The e-mail address, whatever the case of its letters.
        Email = "email" ("E-mail", "邮箱"),
        /// The company's name, without its form, spaces and punctuation.
        Company = "company" ("Company", "公司名称"),
        /// The registration number.
        RegistrationNumber = "registration_number" ("Registration number", "工商注册号"),
    }
}

text_enum! {
    /// What may be known already.
    pub enum LikeKind {
        /// A lead.
        Lead = "lead" ("Lead", "线索"),
        /// A customer, by itself or by one of its contacts.
        Customer = "customer" ("Customer", "客户"),
    }
}

/// What a record is compared by, in normal form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LikeKeys {
    /// The telephone number.
    pub phone: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The company's name.
    pub company: Option<String>,
    /// The registration number.
    pub registration: Option<String>,
}

impl LikeKeys {
    /// Of a lead.
    pub fn of_lead(lead: &LeadDetails) -> Self {
        Self {
            phone: lead.phone.as_ref().map(super::Phone::normalised),
            email: lead.email.as_ref().map(super::Email::normalised),
            company: lead.company.as_ref().map(|company| company_key(company.as_str())),
            registration: None,
        }
    }

    /// Of a customer. Persons share names.
    pub fn of_customer(customer: &CustomerDetails) -> Self {
        let is_company = customer.kind == CustomerKind::Company;
        Self {
            phone: customer.phone.as_ref().map(super::Phone::normalised),
            email: customer.email.as_ref().map(super::Email::normalised),
            company: is_company.then(|| customer.name_key()),
            registration: customer.registration_key(),
        }
    }

    /// Those of them that differ from what the record was compared by before.
    #[must_use]
    pub fn since(self, before: &Self) -> Self {
        let new = |key: Option<String>, old: &Option<String>| key.filter(|key| Some(key) != old.as_ref());
        Self {
            phone: new(self.phone, &before.phone),
            email: new(self.email, &before.email),
            company: new(self.company, &before.company),
            registration: new(self.registration, &before.registration),
        }
    }

    /// Those of them by which a new record is refused.
    #[must_use]
    pub fn refusing(self, on: &[MatchedOn]) -> Self {
        let kept = |key: Option<String>, what: MatchedOn| key.filter(|_| on.contains(&what));
        Self {
            phone: kept(self.phone, MatchedOn::Phone),
            email: kept(self.email, MatchedOn::Email),
            company: kept(self.company, MatchedOn::Company),
            registration: kept(self.registration, MatchedOn::RegistrationNumber),
        }
    }

    /// What to hold on to while looking, so that two who record the same at once see each other.
    pub fn words(&self) -> Vec<String> {
        let word = |kind: &str, key: &Option<String>| key.as_ref().map(|key| format!("{kind}:{key}"));
        let words = [
            word("phone", &self.phone),
            word("email", &self.email),
            word("company", &self.company),
            word("registration", &self.registration),
        ];
        words.into_iter().flatten().collect()
    }

    /// What two records have in common.
    pub fn common(&self, other: &Self) -> Vec<MatchedOn> {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        let all = [
            (same(&self.phone, &other.phone), MatchedOn::Phone),
            (same(&self.email, &other.email), MatchedOn::Email),
            (same(&self.company, &other.company), MatchedOn::Company),
            (same(&self.registration, &other.registration), MatchedOn::RegistrationNumber),
        ];
        all.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect()
    }
}

/// A record that may be the same. Of one that the caller may not see, or whose common data is masked for them, no
/// more is told than that it is there.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Likeness {
    /// What it is.
    pub kind: LikeKind,
    /// What the two have in common.
    #[schema(max_items = 4)]
    pub matched_on: Vec<MatchedOn>,
    /// Whether the caller may see what the two have in common; otherwise the other one belongs to somebody else, or
    /// is in the pool, where contact data is masked.
    pub visible: bool,
    /// Which one it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Line>,
}

impl Likeness {
    /// A lead, as this caller may know it.
    pub fn of_lead(ctx: &Context, lead: &Lead, matched_on: Vec<MatchedOn>) -> Self {
        let visible = lead.reveal(ctx).is_ok();
        Self {
            kind: LikeKind::Lead,
            matched_on,
            visible,
            id: visible.then_some(lead.id.0),
            name: visible.then(|| lead.details.name.clone()),
        }
    }

    /// A customer, as this caller may know it. What meets it in data that is masked for the caller must not tell
    /// that data: by such alone it is as good as not visible.
    pub fn of_customer(ctx: &Context, customer: &Customer, mut matched_on: Vec<MatchedOn>) -> Self {
        let mut visible = customer.reveal(ctx).is_ok();
        if visible && customer.is_opened(ctx) {
            visible = matched_on.contains(&MatchedOn::Company);
            matched_on.retain(|on| !visible || *on == MatchedOn::Company);
        }
        Self {
            kind: LikeKind::Customer,
            matched_on,
            visible,
            id: visible.then_some(customer.id.0),
            name: visible.then(|| customer.details.name.clone()),
        }
    }
}

/// Refuses what is known already.
pub fn check_unknown(likenesses: &[Likeness]) -> Result<(), Refusal> {
    let detail = match likenesses {
        [] => return Ok(()),
        [_] => "1 record looks like this one".to_owned(),
        several => format!("{} records look like this one", several.len()),
    };
    Err(Refusal::new(Code::PossibleDuplicate, detail).with("matches", likenesses))
}
