"""A journal that was written by an earlier release verifies for ever, on both databases."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from onetoken_app.database import Database, use_database
from onetoken_app.database_upgrade import migration_connection, upgrade_database
from onetoken_app.settings import Settings
from tests.architecture.tree import ROOT
from tests.ledger.desks import a_close, a_desk, do, the_report
from tests.support.databases import ENGINES, postgresql_settings_in
from tests.support.postgresql import PostgresqlServer

JOURNAL = Path(__file__).with_name("journal_before_lots.sql")
REVISION = "20261124d"
"""Of the release that wrote it."""


@pytest.fixture(params=ENGINES)
def empty_settings(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Settings]:
    """Settings of an installation whose database has no tables yet, on each engine."""
    if request.param == "sqlite":
        yield settings
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    name = server.create_database()
    yield postgresql_settings_in(settings.data_dir.parent, url=server.url(name))
    server.drop_database(name)


def write_journal(settings: Settings) -> None:
    """Make the tables as they were, and put the rows in."""
    configuration = Config(ROOT / "alembic.ini")
    with migration_connection(settings) as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, REVISION)
        for line in JOURNAL.read_text(encoding="utf-8").splitlines():
            if line.startswith("INSERT"):
                statement = line if settings.is_sqlite else re.sub(r"X'([0-9a-f]*)'", r"'\\x\1'::bytea", line)
                connection.exec_driver_sql(statement)


class TestOldJournal:
    async def test_verifies_after_every_migration_and_goes_on(self, empty_settings: Settings) -> None:
        write_journal(empty_settings)
        upgrade_database(empty_settings)
        database = Database(empty_settings)
        use_database(database)
        before = await the_report()
        desk = a_desk(empty_settings)
        do(desk, a_close("req_open", 55))
        desk.backend.close()
        after = await the_report()
        use_database(None)
        await database.dispose()
        assert (before.first_wrong_row, before.settled_count, before.open_hold_count) == (None, 2, 1)
        assert (after.first_wrong_row, after.settled_count, after.open_hold_count) == (None, 3, 0)
