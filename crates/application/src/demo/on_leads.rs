//! What is done with the demo's leads.

use chrono::Datelike;
use fairlead_domain::activity::SubjectKind;
use fairlead_domain::lead::LeadDetails;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{Currency, Email, LeadId, Line, Phone, Tags};

use super::act::LeadAct;
use super::ids;
use super::leads::{LEADS, LeadRow};
use super::stage::{Course, Key, Owned, Stage, done, known, line, money, prose, there};
use crate::call::Failure;
use crate::leads::{self, ConvertForm, ConvertOpportunity, DisqualifyForm, LeadAssignForm};

impl Stage {
    pub(super) async fn lead(&mut self, row: &'static LeadRow, act: LeadAct) -> Result<(), Failure> {
        if let LeadAct::Record = act {
            return self.record_lead(row).await;
        }
        let Owned { id, owner } = known(&self.leads, row.key, "lead")?;
        // What has no owner is marketing's.
        let owned_by = owner.unwrap_or("marketing");
        let call = self.call(owned_by)?;
        let app = &self.app;
        match act {
            LeadAct::Record => {}
            LeadAct::Assign(by, to) => {
                let form = Valid::check(LeadAssignForm { owner_id: self.user(to)? })?;
                done(leads::assign(app, &self.call(by)?, id, form).await)?;
                self.lead_goes_to(row, Some(to));
            }
            LeadAct::Claim(by) => {
                done(leads::claim(app, &self.call(by)?, id).await)?;
                self.lead_goes_to(row, Some(by));
            }
            LeadAct::Release => {
                done(leads::release(app, &call, id).await)?;
                self.lead_goes_to(row, None);
            }
            LeadAct::Log(note) => self.log(owned_by, SubjectKind::Lead, id, note).await?,
            LeadAct::Qualify => {
                done(leads::qualify(app, &call, id).await)?;
            }
            LeadAct::Disqualify(reason) => {
                let form = Valid::check(DisqualifyForm { reason })?;
                done(leads::disqualify(app, &call, id, form).await)?;
            }
            LeadAct::Reopen => {
                done(leads::reopen(app, &call, id).await)?;
            }
            LeadAct::Convert(deal) => self.convert(row, owned_by, deal).await?,
        }
        Ok(())
    }

    fn lead_goes_to(&mut self, row: &LeadRow, owner: Option<Key>) {
        if let Some(lead) = self.leads.get_mut(row.key) {
            lead.owner = owner;
        }
    }

    async fn record_lead(&mut self, row: &'static LeadRow) -> Result<(), Failure> {
        let place = LEADS.iter().position(|other| other.key == row.key).unwrap_or_default();
        let form = LeadDetails {
            name: Line::new(row.name),
            company: line(row.company),
            title: line(row.title),
            phone: Some(Phone::new(format!("+86 139 0000 {:04}", 300 + place))),
            email: Some(Email::new(format!("{}@inquiry.example", row.key))),
            source: row.source,
            campaign: line(row.campaign),
            region: line(row.region),
            industry: line(row.industry),
            interest: prose(row.interest),
            budget: money(row.budget, Currency::CNY),
            expected_purchase_on: self.clock.day(row.buys).with_day(28),
            tags: Tags::default(),
            note: None,
        };
        self.ids.give_to(&row.key, ids::LEADS, LeadId::example);
        let lead = done(leads::create(&self.app, &self.call(row.by)?, Valid::check(form)?).await)?;
        let owner = lead.record.owner_id.map(|_| row.by);
        self.leads.insert(row.key, Owned { id: lead.record.id, owner });
        Ok(())
    }

    async fn convert(
        &mut self,
        row: &'static LeadRow,
        by: Key,
        deal: Option<(&'static str, &'static str)>,
    ) -> Result<(), Failure> {
        let id = known(&self.leads, row.key, "lead")?.id;
        let opportunity = deal.map(|(_, name)| ConvertOpportunity {
            name: Line::new(name),
            pipeline_id: None,
            amount: None,
            expected_close_on: None,
        });
        let form = Valid::check(ConvertForm { customer_id: None, create_contact: true, opportunity })?;
        let lead = done(leads::convert(&self.app, &self.call(by)?, id, form).await)?.record;
        let customer = there(lead.converted_customer_id, "customer")?;
        self.customers.insert(row.key, Owned { id: customer, owner: Some(by) });
        self.contacts.insert(row.key, lead.converted_contact_id.into_iter().collect());
        if let Some((key, _)) = deal {
            let course =
                Course { owner: by, opportunity: lead.converted_opportunity_id, ..Course::default() };
            self.courses.insert(key, course);
        }
        Ok(())
    }
}
