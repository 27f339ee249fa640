use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::contract::Contract;
use crate::fixtures::{ADMIN, MANAGER, REP, World, cny};
use crate::patch::Patch;
use crate::pipeline::PipelineDetails;
use crate::values::{Number, NumberKind};

fn pipeline(world: &World) -> Pipeline {
    let stage = |name: &str, kind, starts_contract, required_fields| Stage {
        id: None,
        name: Line::new(name),
        probability: 50,
        kind,
        starts_contract,
        needs_approval: false,
        required_fields,
        max_days: None,
    };
    let form = PipelineDetails {
        name: Line::new("Sales"),
        is_default: true,
        stages: vec![
            stage("Talk", StageKind::Open, false, vec![]),
            stage("Offer", StageKind::Open, false, vec![RequiredField::ExpectedCloseOn]),
            stage("Sign", StageKind::Open, true, vec![RequiredField::Amount, RequiredField::Grade]),
            stage("Won", StageKind::Won, false, vec![]),
            stage("Lost", StageKind::Lost, false, vec![]),
        ],
    };
    let mut next = 0;
    let new_id = || {
        next += 1;
        StageId(Uuid::from_u128(next))
    };
    let id = PipelineId(Uuid::from_u128(1));
    world.by(ADMIN, |ctx| Pipeline::new(ctx, id, Valid::check(form).unwrap(), new_id)).unwrap().0
}

fn stage(number: u128) -> StageId {
    StageId(Uuid::from_u128(number))
}

fn opportunity(world: &World, pipeline: &Pipeline, extra: &serde_json::Value) -> Opportunity {
    let customer = world.customer(Some(REP));
    let mut form = json!({"name": "Pumps", "customer_id": customer.id});
    form.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let form = Valid::check(serde_json::from_value(form).unwrap()).unwrap();
    let id = OpportunityId(Uuid::from_u128(5));
    world.by(REP, |ctx| Opportunity::new(ctx, id, &customer, pipeline, form)).unwrap().0
}

#[test]
fn the_pipeline_stays_and_cannot_be_changed() {
    let world = World::new();
    let pipeline = pipeline(&world);
    let mut opportunity = opportunity(&world, &pipeline, &json!({}));
    let mut patch = |body: serde_json::Value| {
        let members = body.as_object().unwrap().clone();
        let form = Patch::<OpportunityDetails>::new(members).apply(&opportunity.details).unwrap();
        let answer = world.by(REP, |ctx| opportunity.edit(ctx, form));
        (answer.map_err(|refusal| refusal.errors[0].pointer.clone()), opportunity.details.pipeline_id)
    };
    let kept = Some(pipeline.id);
    assert_eq!(patch(json!({"name": "Valves"})), (Ok(Event("opportunity.updated")), kept));
    let refused = (Err("/pipeline_id".to_owned()), kept);
    assert_eq!(patch(json!({"pipeline_id": null})), refused);
    assert_eq!(patch(json!({"pipeline_id": Uuid::from_u128(2).to_string()})), refused);
}

/// Why an action is not offered.
fn offered(
    world: &World,
    opportunity: &Opportunity,
    ties: &OpportunityTies,
    (who, action): (u128, &str),
) -> Option<Code> {
    let offers = world.by(who, |ctx| opportunity.allowed_actions(ctx, ties));
    offers.iter().find(|offer| offer.action == action).unwrap().reason
}

#[test]
fn the_signing_ring_goes_round() {
    let world = World::new();
    let pipeline = pipeline(&world);
    let rest = json!({"amount": cny(500), "grade": "A", "expected_close_on": "2026-05-01"});
    let mut opportunity = opportunity(&world, &pipeline, &rest);
    let go = |opportunity: &mut Opportunity, to, reason: Option<&Line>| {
        world
            .by(REP, |ctx| opportunity.advance(ctx, &pipeline, stage(to), reason))
            .map(|(entered, _)| entered)
    };
    assert_eq!(go(&mut opportunity, 2, None).unwrap(), Entered::Stage);
    assert_eq!(go(&mut opportunity, 1, None).unwrap_err().code, Code::ReasonRequired);
    assert_eq!(go(&mut opportunity, 3, None).unwrap(), Entered::Signing);

    let (id, number) = (ContractId(Uuid::from_u128(80)), Number::new(NumberKind::Contract, 2026, 1));
    let (contract, _) =
        world.by(REP, |ctx| Contract::from_opportunity(ctx, id, number, &opportunity)).unwrap();
    assert_eq!((contract.details.amount, contract.opportunity_id), (cny(500), Some(opportunity.id)));
    opportunity.bind_contract(contract.id);
    let why = Line::new("They hesitate");
    assert_eq!(go(&mut opportunity, 1, Some(&why)).unwrap_err().code, Code::ContractDecides);
    let lost = world.by(REP, |ctx| opportunity.lose(ctx, &pipeline, LossReason::Price, None)).unwrap_err();
    assert_eq!(lost.code, Code::ContractDecides);
    assert_eq!(go(&mut opportunity, 4, Some(&why)).unwrap_err().code, Code::ValidationFailed);
    let moves = |opportunity: &Opportunity| {
        ["advance", "lose"].map(|it| offered(&world, opportunity, &OpportunityTies::default(), (REP, it)))
    };
    assert_eq!(moves(&opportunity), [Some(Code::ContractDecides); 2]);

    world.by(REP, |ctx| opportunity.return_from_signing(ctx, &pipeline)).unwrap();
    assert_eq!(moves(&opportunity), [None; 2]);
    assert_eq!((opportunity.stage_id, opportunity.contract_id), (stage(2), None));
    assert_eq!(go(&mut opportunity, 3, None).unwrap(), Entered::Signing);
    opportunity.bind_contract(contract.id);
    world.by(MANAGER, |ctx| opportunity.win(ctx, &pipeline)).unwrap();
    assert_eq!((opportunity.status, opportunity.stage_id), (OpportunityStatus::Won, stage(4)));
}

#[test]
fn a_stage_names_each_missing_field_once() {
    let world = World::new();
    let pipeline = pipeline(&world);
    let mut opportunity = opportunity(&world, &pipeline, &json!({}));
    let before = opportunity.clone();
    let refusal = world.by(REP, |ctx| opportunity.advance(ctx, &pipeline, stage(3), None)).unwrap_err();
    assert_eq!(refusal.code, Code::StageRequirementsMissing);
    assert_eq!(refusal.figures["missing"], json!(["amount", "grade"]));
    assert_eq!(opportunity, before);
}

#[test]
fn what_was_lost_is_taken_up_where_its_customer_has_an_owner() {
    let world = World::new();
    let pipeline = pipeline(&world);
    let mut lost = opportunity(&world, &pipeline, &json!({}));
    world.by(REP, |ctx| lost.lose(ctx, &pipeline, LossReason::Price, None)).unwrap();
    for (owner, who, code) in [
        (Some(REP), MANAGER, None),
        (None, MANAGER, Some(Code::CustomerUnowned)),
        (None, REP, Some(Code::Forbidden)),
    ] {
        let customer = world.customer(owner);
        let ties = OpportunityTies { customer_owner: customer.owner_id, ..OpportunityTies::default() };
        assert_eq!(offered(&world, &lost, &ties, (who, "reopen")), code);
        let reopened = world.by(who, |ctx| lost.clone().reopen(ctx, &pipeline, &customer));
        assert_eq!(reopened.err().map(|refusal| refusal.code), code);
    }
}

#[test]
fn a_pipeline_with_opportunities_is_neither_deleted_nor_offered_for_it() {
    let world = World::new();
    let mut pipeline = pipeline(&world);
    let one: Dependents = [(RecordKind::Opportunity, 1)].into_iter().collect();
    let mut expect = |is_default, dependents: &Dependents, who, code| {
        pipeline.details.is_default = is_default;
        let offers = world.by(who, |ctx| pipeline.allowed_actions(ctx, dependents));
        assert_eq!(offers.iter().find(|offer| offer.action == "delete").unwrap().reason, code);
        let deleted = world.by(who, |ctx| pipeline.may_delete(ctx, dependents));
        assert_eq!(deleted.err().map(|refusal| refusal.code), code);
    };
    expect(false, &Dependents::default(), ADMIN, None);
    expect(false, &one, ADMIN, Some(Code::InUse));
    expect(true, &Dependents::default(), ADMIN, Some(Code::InUse));
    expect(false, &one, REP, Some(Code::Forbidden));
}
