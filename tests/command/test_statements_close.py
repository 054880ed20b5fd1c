"""``onetoken statements close`` closes months that are over, once."""

import json
from datetime import timedelta

import sqlalchemy as sa

from onetoken_app import clock
from onetoken_app.command.opening import in_database
from onetoken_app.database import unit_of_work
from onetoken_app.settings import get_settings
from tests.command.conftest import Onetoken
from tests.support.builders import an_organization


async def an_old_organization() -> None:
    """Add a verified organization that has been here for forty days."""
    async with unit_of_work() as session:
        await an_organization(session)
        moment = clock.iso_instant(clock.utc_now() - timedelta(days=40))
        await (await session.connection()).execute(
            sa.text("UPDATE ledger_account SET created_at = :at"), {"at": moment}
        )


class TestStatementsClose:
    def test_closes_what_is_over_once(self, onetoken: Onetoken) -> None:
        onetoken("db", "upgrade")
        assert onetoken("statements", "close").output == "0 months closed\n"
        in_database(get_settings(), an_old_organization)
        closed = json.loads(onetoken("statements", "close", "--json").output)["closed"]
        assert {one["currency"] for one in closed} == {"USD"}
        assert len(closed) in {1, 2}  # forty days ago began last month or the one before
        assert onetoken("statements", "close").output == "0 months closed\n"
