"""Holds of processes that died are closed, whatever stands in them."""

import pytest
from sqlmodel import select

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.models import HoldClose
from onetoken_app.ledger.operations import PlaceHold
from onetoken_app.ledger.queries import balance_of
from onetoken_app.money import Currency
from onetoken_app.relay.recovery import recover_dead_holds
from onetoken_app.settings import Settings
from tests.support.builders import PLENTY_NANOS, an_organization


@pytest.mark.usefixtures("sqlite_database")
class TestRecoverDeadHolds:
    async def test_a_hold_whose_draft_nobody_can_read_is_given_back(self, sqlite_settings: Settings) -> None:
        async with unit_of_work() as session:
            organization_id = await an_organization(session, balance_nanos=PLENTY_NANOS)
        dead = LedgerClient()
        await dead.start(sqlite_settings, new_id(Kind.EPOCH))
        await dead.place_hold(PlaceHold("req_1", organization_id, Currency.USD, 5, b"of another version"))
        await dead.stop()
        ledger = LedgerClient()
        await ledger.start(sqlite_settings, new_id(Kind.EPOCH))
        assert await recover_dead_holds(ledger, is_sqlite=True) == 1
        await ledger.stop()
        async with read_session() as session:
            close = (await session.exec(select(HoldClose))).one()
            balance = await balance_of(session, owner_id=organization_id, currency=Currency.USD)
        assert (close.outcome, close.amount_nanos, balance.held_nanos) == (Outcome.RECOVERED, 0, 0)
