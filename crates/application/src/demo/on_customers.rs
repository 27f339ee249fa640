//! What is done with the demo's customers.

use fairlead_domain::activity::SubjectKind;
use fairlead_domain::contact::ContactDetails;
use fairlead_domain::customer::{CustomerDetails, CustomerKind, TaxProfile};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{ContactId, CustomerId, Email, Line, Phone, WebAddress};

use super::act::CustomerAct;
use super::customers::CustomerRow;
use super::ids;
use super::stage::{Key, Owned, Stage, done, known, line, tags, there};
use crate::call::Failure;
use crate::customers::{self, AssignForm, ReleaseForm};
use crate::{contacts, pool};

impl Stage {
    pub(super) async fn customer(
        &mut self,
        place: usize,
        row: &'static CustomerRow,
        act: CustomerAct,
    ) -> Result<(), Failure> {
        if let CustomerAct::Record = act {
            return self.record_customer(place, row).await;
        }
        let Owned { id, owner } = known(&self.customers, row.key, "customer")?;
        // What has no owner is the administrator's to care for.
        let owned_by = owner.unwrap_or("admin");
        let app = &self.app;
        match act {
            CustomerAct::Record => {}
            CustomerAct::Log(note) => self.log(owned_by, SubjectKind::Customer, id, note).await?,
            CustomerAct::LogContact(note) => {
                let contact = self.contacts.get(row.key).and_then(|contacts| contacts.first());
                self.log(owned_by, SubjectKind::Contact, *there(contact, "contact")?, note).await?;
            }
            CustomerAct::Claim(by) => {
                done(pool::claim(app, &self.call(by)?, id).await)?;
                self.customer_goes_to(row, Some(by));
            }
            CustomerAct::Assign(by, to) => {
                let reason = Some(Line::new("Fits the team's industry 与团队行业匹配"));
                let form = Valid::check(AssignForm { owner_id: self.user(to)?, reason })?;
                done(customers::assign(app, &self.call(by)?, id, form).await)?;
                self.customer_goes_to(row, Some(to));
            }
            CustomerAct::Release(reason) => {
                let form = Valid::check(ReleaseForm { reason: Line::new(reason) })?;
                done(customers::release(app, &self.call(owned_by)?, id, form).await)?;
                self.customer_goes_to(row, None);
            }
        }
        Ok(())
    }

    fn customer_goes_to(&mut self, row: &CustomerRow, owner: Option<Key>) {
        if let Some(customer) = self.customers.get_mut(row.key) {
            customer.owner = owner;
        }
    }

    async fn record_customer(&mut self, place: usize, row: &'static CustomerRow) -> Result<(), Failure> {
        let company = row.kind == CustomerKind::Company;
        let registration = company.then(|| Line::new(format!("91310000DEMO{:05}X", 1000 + place)));
        let phone = if company {
            Phone::new(format!("+86 21 5555 {:04}", 100 + place))
        } else {
            Phone::new(format!("+86 137 0000 {:04}", 100 + place))
        };
        let tax_profile = company.then(|| TaxProfile {
            invoice_title: Some(Line::new(row.name)),
            tax_number: registration.clone(),
            bank: Some(Line::new("Harbour Commercial Bank 港湾商业银行")),
            account: Some(Line::new(format!("6200 0000 0000 {:04}", 100 + place))),
            address: line(row.address),
            phone: Some(phone.clone()),
        });
        let form = CustomerDetails {
            kind: row.kind,
            name: Line::new(row.name),
            registration_number: registration,
            source: Some(row.source),
            grade: Some(row.grade),
            industry: line(row.industry),
            region: line(row.region),
            address: line(row.address),
            scale: line(row.scale),
            phone: Some(phone),
            email: Some(Email::new(format!("office@{}.example", row.key))),
            website: company.then(|| WebAddress::new(format!("https://www.{}.example", row.key))),
            tags: tags(row.tags),
            tax_profiles: tax_profile.into_iter().collect(),
            note: None,
        };
        self.ids.give_to(&row.key, ids::CUSTOMERS, CustomerId::example);
        let customer = done(customers::create(&self.app, &self.call(row.by)?, Valid::check(form)?).await)?;
        let customer = customer.record;
        let owner = customer.owner_id.map(|_| row.by);
        self.customers.insert(row.key, Owned { id: customer.id, owner });
        self.record_contacts(place, row, customer.id).await
    }

    async fn record_contacts(
        &mut self,
        place: usize,
        row: &'static CustomerRow,
        customer_id: CustomerId,
    ) -> Result<(), Failure> {
        let mut made = Vec::new();
        for (at, contact) in row.contacts.iter().enumerate() {
            self.clock.pass(2);
            let form = ContactDetails {
                customer_id,
                name: Line::new(contact.name),
                title: line(contact.title),
                department: None,
                phone: Some(Phone::new(format!("+86 138 0000 {:04}", 100 + 10 * place + at))),
                email: Some(Email::new(format!("contact{}@{}.example", at + 1, row.key))),
                wechat: Some(Line::new(format!("{}-{}", row.key, at + 1))),
                birthday: None,
                decision_role: Some(contact.role),
                is_primary: at == 0,
                note: None,
            };
            if at == 0 {
                self.ids.give_to(&row.key, ids::CUSTOMERS, ContactId::example);
            }
            let contact = contacts::create(&self.app, &self.call(row.by)?, Valid::check(form)?).await;
            made.push(done(contact)?.record.id);
        }
        self.contacts.insert(row.key, made);
        Ok(())
    }
}
