//! What is done with the demo's sales until a contract decides about them.

use fairlead_domain::activity::SubjectKind;
use fairlead_domain::opportunity::{ForecastCategory, LossReason, OpportunityDetails};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{ContractId, Line, OpportunityId};

use super::act::DealAct;
use super::deals::{Deal, SIGNING};
use super::ids;
use super::stage::{Course, Key, Stage, done, known, line, manager_of, money, tags, there};
use crate::call::Failure;
use crate::opportunities::{self, AdvanceForm, LoseForm};

impl Stage {
    pub(super) async fn deal(&mut self, deal: &'static Deal, act: DealAct) -> Result<(), Failure> {
        let opportunity = match act {
            DealAct::Open => return self.open(deal).await,
            DealAct::Draft(terms) => return self.draft(deal, terms).await,
            DealAct::Stage(_) | DealAct::Back(..) | DealAct::Log(_) | DealAct::Lose(..) | DealAct::Reopen => {
                there(self.course(deal)?.opportunity, "opportunity")?
            }
            other => return Box::pin(self.contract(deal, other)).await,
        };
        let owner = self.course(deal)?.owner;
        match act {
            DealAct::Stage(name) => self.advance(deal, owner, opportunity, name, None).await,
            DealAct::Back(name, reason) => {
                self.advance(deal, owner, opportunity, name, Some(Line::new(reason))).await
            }
            DealAct::Log(note) => self.log(owner, SubjectKind::Opportunity, opportunity, note).await,
            DealAct::Lose(reason, to) => self.lose(owner, opportunity, reason, to).await,
            _ => {
                let call = self.call(manager_of(owner)?)?;
                done(opportunities::reopen(&self.app, &call, opportunity).await)?;
                Ok(())
            }
        }
    }

    pub(super) fn course(&self, deal: &Deal) -> Result<&Course, Failure> {
        there(self.courses.get(deal.key), "deal")
    }

    /// What becomes of a deal, and who cares for it: the customer's owner.
    pub(super) fn begin(&mut self, deal: &'static Deal) -> Result<&mut Course, Failure> {
        let customer = known(&self.customers, deal.customer, "customer")?;
        let owner = there(customer.owner, "owner")?;
        Ok(self.courses.entry(deal.key).or_insert_with(|| Course { owner, ..Course::default() }))
    }

    async fn open(&mut self, deal: &'static Deal) -> Result<(), Failure> {
        let owner = self.begin(deal)?.owner;
        let contacts = self.contacts.get(deal.customer);
        let form = OpportunityDetails {
            name: Line::new(deal.name),
            customer_id: known(&self.customers, deal.customer, "customer")?.id,
            pipeline_id: None,
            primary_contact_id: contacts.and_then(|contacts| contacts.first()).copied(),
            amount: money(deal.amount, deal.currency),
            line_items: Vec::new(),
            expected_close_on: Some(self.clock.day(deal.closes)),
            source: None,
            grade: Some(deal.grade),
            forecast_category: ForecastCategory::Pipeline,
            competitors: tags(deal.competitors),
            note: None,
        };
        self.ids.give_to(&deal.key, ids::OPPORTUNITIES, OpportunityId::example);
        let made = opportunities::create(&self.app, &self.call(owner)?, Valid::check(form)?).await;
        self.begin(deal)?.opportunity = Some(done(made)?.record.id);
        Ok(())
    }

    async fn advance(
        &mut self,
        deal: &'static Deal,
        by: Key,
        id: OpportunityId,
        stage: &str,
        reason: Option<Line>,
    ) -> Result<(), Failure> {
        let form = Valid::check(AdvanceForm { stage_id: self.pipeline_stage(stage)?, reason })?;
        if stage == SIGNING {
            // The contract is made before anything is noted.
            self.ids.give_to(&deal.key, ids::CONTRACTS, ContractId::example);
        }
        let moved = done(opportunities::advance(&self.app, &self.call(by)?, id, form).await)?;
        if let Some(course) = self.courses.get_mut(deal.key) {
            course.contract = moved.record.contract_id;
        }
        Ok(())
    }

    async fn lose(&self, by: Key, id: OpportunityId, reason: LossReason, to: &str) -> Result<(), Failure> {
        let form = Valid::check(LoseForm { reason, lost_to: line(to) })?;
        done(opportunities::lose(&self.app, &self.call(by)?, id, form).await)?;
        Ok(())
    }
}
