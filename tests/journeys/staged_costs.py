"""What a staged business's calls brought, what its upstreams bill, and where both differ."""

from dataclasses import replace
from datetime import date, timedelta

from onetoken_app.audit.service import OPERATOR
from onetoken_app.clock import utc_now
from onetoken_app.database import unit_of_work
from onetoken_app.identifiers import Kind, first_id_at
from onetoken_app.money import Currency
from onetoken_app.reconciliation.service import import_bill
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import AttemptOutcome
from onetoken_app.usage.recording import insert_statement
from tests.ledger.desks import a_close, a_desk, a_hold, an_owner, do
from tests.reconciliation.test_compare import attempted
from tests.reconciliation.test_read_bill import HEAD
from tests.support.builders import PLENTY_NANOS, BuiltModel
from tests.usage.drafts import a_draft

_COSTS = ((700_000_003, Currency.USD), (1_900_000_000, Currency.USD), (4_300_000_000, Currency.CNY), (None, None))


async def margins_and_bills(settings: Settings, models: list[BuiltModel]) -> None:
    """Close calls with every kind of cost today, and bill the two days before in every way."""
    now = utc_now()
    async with unit_of_work() as session:
        owner_id = await an_owner(session, balance_nanos=PLENTY_NANOS)
    plain = a_draft(
        organization_id=owner_id, requested_at=now, charge_nanos=1_234_567_890, usage_source=UsageSource.UPSTREAM,
        channel_id=models[0].channel_id,
    )  # fmt: skip
    desk = a_desk(settings)
    for number, (nanos, currency) in enumerate(_COSTS):
        model = models[number % 2]
        draft = replace(
            plain, request_id=f"req_cost_{number}", model_id=model.id, model_name=model.name, cost_nanos=nanos,
            cost_currency=currency,
        )  # fmt: skip
        do(desk, a_hold(owner_id, 0, request_id=draft.request_id))
        record = insert_statement(draft, is_sqlite=settings.is_sqlite)
        do(desk, a_close(draft.request_id, draft.charge_nanos, extra=[record]))
    desk.backend.close()
    yesterday = now - timedelta(days=1)
    day = yesterday.date()
    for number, name in enumerate(("vendor-large-2026", "vendor-small-2026-with-a-long-name", "vendor-audio")):
        moment = yesterday.replace(hour=12, minute=number)
        await attempted(models[0], moment, upstream_model=name, cost_nanos=1_500_000_000, input_tokens=1_200_000)
    await attempted(
        models[0], yesterday.replace(hour=13), upstream_model="vendor-large-2026", outcome=AttemptOutcome.BUSY,
        usage_source=UsageSource.NONE, input_tokens=0, output_tokens=0, cost_nanos=None, cost_currency=None,
    )  # fmt: skip
    before = yesterday - timedelta(days=1)
    await attempted(
        models[0], before, upstream_model="vendor-large-2026", cost_nanos=None, cost_currency=None,
        request_id=first_id_at(Kind.REQUEST, before),
    )  # fmt: skip
    await _bill(
        day,
        "vendor-large-2026,1,1200000,5,1.5,USD",
        "vendor-small-2026-with-a-long-name,2,1200000,5,1.75,USD",
        "vendor-batch,12,90000,1200,0.000000001,USD",
    )


async def _bill(day: date, *lines: str) -> None:
    """Import a bill of a day."""
    content = "\n".join((HEAD, *(f"{day},{line}" for line in lines))).encode()
    async with unit_of_work() as session:
        await import_bill(session, content, channel_name="mainland-1", time_zone="UTC", actor=OPERATOR)
