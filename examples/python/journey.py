"""From a lead to the last payment, with a client that is generated from Fairlead's OpenAPI document.

A wrong member, value or type is found by mypy before anything is called.

    python -m venv .venv && .venv/bin/pip install -r requirements.txt
    PATH=.venv/bin:$PATH openapi-python-client generate --path ../../openapi/fairlead.v1.json \\
        --config generate.yaml --meta none --output-path fairlead_client --overwrite
    .venv/bin/mypy && .venv/bin/python journey.py http://127.0.0.1:8080
"""

import sys
import uuid
from collections.abc import Callable
from datetime import date
from typing import TypeVar
from uuid import UUID

from fairlead_client import AuthenticatedClient, Client
from fairlead_client.api.activities import create_activity
from fairlead_client.api.approvals import approve_request, list_approvals
from fairlead_client.api.authentication import log_in
from fairlead_client.api.contracts import get_contract, plan_contract, submit_contract, update_contract
from fairlead_client.api.leads import convert_lead, create_lead, qualify_lead
from fairlead_client.api.opportunities import advance_opportunity
from fairlead_client.api.payments import confirm_payment, record_payment
from fairlead_client.api.pipelines import list_pipelines
from fairlead_client.models import (
    ActivityDetails,
    ActivityKind,
    AdvanceForm,
    ApproveForm,
    CollectionScheme,
    ContractPatch,
    ConvertForm,
    ConvertOpportunity,
    LeadDetails,
    LoginForm,
    Money,
    PaymentForm,
    PaymentMethod,
    PlanForm,
    PlanShare,
    Problem,
    Source,
    Subject,
    SubjectKind,
)

SERVER = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
T = TypeVar("T")


class Refused(Exception):
    """A refusal is a problem with a stable `code` (RFC 9457)."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.detail}")
        self.problem = problem


def got(answer: T | Problem | None) -> T:
    """The answer, or the refusal as an exception."""
    if isinstance(answer, Problem):
        raise Refused(answer)
    assert answer is not None, "an answer without content"
    return answer


def login(account: str) -> AuthenticatedClient:
    """A client that acts as one of the demo's accounts."""
    form = LoginForm(email=f"{account}@demo.fairlead.example", password="demo-password")
    tokens = got(log_in.sync(client=Client(SERVER), body=form))
    return AuthenticatedClient(SERVER, tokens.access_token)


def cny(amount: str) -> Money:
    return Money(amount=amount, currency="CNY")


def main() -> None:
    rep, manager, finance = login("rep.east"), login("manager.east"), login("finance")

    # A lead, talked to, qualified and converted in one step.
    form = LeadDetails(name="Zhang San", company="Python Machinery", source=Source.WEBSITE)
    lead = got(create_lead.sync(client=rep, body=form))
    about = Subject(kind=SubjectKind.LEAD, id=lead.id)
    call = ActivityDetails(about=about, kind=ActivityKind.CALL, subject="Wants an offer")
    got(create_activity.sync(client=rep, body=call))
    got(qualify_lead.sync(lead.id, client=rep))
    sale = ConvertOpportunity(name="Packing line", amount=cny("120000.00"))
    converted = got(convert_lead.sync(lead.id, client=rep, body=ConvertForm(opportunity=sale)))

    # The signing stage makes the contract's draft.
    stages = got(list_pipelines.sync(client=rep)).data[0].stages
    signing = next(stage.id for stage in stages if stage.starts_contract)
    opportunity = converted.converted_opportunity_id
    assert isinstance(signing, UUID) and isinstance(opportunity, UUID)
    signed = got(advance_opportunity.sync(opportunity, client=rep, body=AdvanceForm(stage_id=signing)))
    contract = signed.contract_id
    assert isinstance(contract, UUID)

    # Half at once, half in a month; by the contract, not by invoices. The version is the one that was read.
    tag = get_contract.sync_detailed(contract, client=rep).headers["etag"]
    scheme = ContractPatch(collection_scheme=CollectionScheme.BY_CONTRACT)
    got(update_contract.sync(contract, client=rep, body=scheme, if_match=tag))
    halves = [PlanShare(share="0.5", after_days=days) for days in (0, 30)]
    got(plan_contract.sync(contract, client=rep, body=PlanForm(starts_on=date(2031, 1, 31), shares=halves)))

    # Nobody decides what they asked for; two others do.
    got(submit_contract.sync(contract, client=rep))
    approval = got(list_approvals.sync(client=rep, subject_id=[contract])).data[0].id
    approve: Callable[[AuthenticatedClient], object] = lambda by: got(
        approve_request.sync(approval, client=by, body=ApproveForm())
    )
    try:
        approve(rep)
        raise SystemExit("the seller decided")
    except Refused as refused:
        assert refused.problem.code == "forbidden", refused
    approve(manager)
    approve(finance)

    # Two payments, each confirmed by somebody else; with the last one the contract is completed.
    for part in ("60000.00", "60000.00"):
        money = PaymentForm(
            contract_id=contract,
            amount=cny(part),
            received_on=date(2026, 11, 20),
            method=PaymentMethod.BANK_TRANSFER,
        )
        payment = got(record_payment.sync(client=rep, body=money, idempotency_key=str(uuid.uuid4())))
        got(confirm_payment.sync(payment.id, client=finance))
    done = got(get_contract.sync(contract, client=rep))
    assert done.status == "completed" and done.paid.amount == "120000.00", done.status
    print(f"{done.number} is {done.status}: {done.paid.amount} {done.paid.currency} paid")


main()
