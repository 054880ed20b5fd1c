"""Migrations make exactly the tables that the models declare, up and down, on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from onetoken_app import tables
from onetoken_app.database_upgrade import (
    CannotUpgrade,
    database_revision,
    downgrade_database,
    migration_connection,
    upgrade_database,
)
from onetoken_app.ledger.schema import JOURNAL_TABLES
from onetoken_app.settings import Settings
from tests.support.databases import ENGINES, postgresql_settings_in
from tests.support.postgresql import PostgresqlServer


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


def left_over(settings: Settings) -> set[str]:
    """Name everything in the database but Alembic's own table."""
    with migration_connection(settings) as connection:
        inspector = sa.inspect(connection)
        found = {*inspector.get_table_names(), *inspector.get_view_names()} - {"alembic_version"}
        if settings.is_sqlite:
            found |= set(connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")))
        else:
            found |= set(
                connection.scalars(sa.text("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"))
            )
        return found


def refuses(settings: Settings, statement: str) -> bool:
    """Whether the database refuses a statement."""
    try:
        with migration_connection(settings) as connection:
            connection.exec_driver_sql(statement)
    except (sa.exc.DBAPIError, CannotUpgrade):
        return True
    return False


class TestUpgrade:
    def test_makes_the_tables_that_the_models_declare(self, empty_settings: Settings) -> None:
        upgrade_database(empty_settings)
        with migration_connection(empty_settings) as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, tables.metadata) == []

    def test_the_check_finds_a_column_that_is_missing(self, empty_settings: Settings) -> None:
        upgrade_database(empty_settings)
        with migration_connection(empty_settings) as connection:
            connection.exec_driver_sql("ALTER TABLE catalog_model DROP COLUMN owned_by")
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, tables.metadata) != []

    def test_says_how_far_the_tables_are(self, empty_settings: Settings) -> None:
        assert database_revision(empty_settings).current is None
        upgrade_database(empty_settings)
        assert database_revision(empty_settings).is_current

    def test_a_second_one_changes_nothing(self, empty_settings: Settings) -> None:
        upgrade_database(empty_settings)
        upgrade_database(empty_settings)
        assert database_revision(empty_settings).is_current

    def test_two_at_once_both_succeed(self, empty_settings: Settings) -> None:
        with ThreadPoolExecutor(max_workers=2) as pool:
            for done in [pool.submit(upgrade_database, empty_settings) for _ in range(2)]:
                done.result()
        assert database_revision(empty_settings).is_current

    def test_puts_the_one_row_of_the_policy_revision(self, empty_settings: Settings) -> None:
        upgrade_database(empty_settings)
        with migration_connection(empty_settings) as connection:
            assert connection.execute(sa.text("SELECT id, number FROM policy_revision")).all() == [(1, 0)]

    def test_refuses_a_database_of_a_newer_version(self, empty_settings: Settings) -> None:
        upgrade_database(empty_settings)
        with migration_connection(empty_settings) as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        with pytest.raises(CannotUpgrade, match="newer version"):
            upgrade_database(empty_settings)

    def test_the_embedded_database_is_for_its_owner_only(self, settings: Settings) -> None:
        upgrade_database(settings)
        assert settings.database_file.stat().st_mode & 0o077 == 0


class TestDowngrade:
    def test_leaves_nothing_and_may_be_followed_by_an_upgrade(self, empty_settings: Settings) -> None:
        upgrade_database(empty_settings)
        assert len(left_over(empty_settings)) > len(tables.metadata.tables)
        downgrade_database(empty_settings, "base")
        assert left_over(empty_settings) == set()
        upgrade_database(empty_settings)
        assert database_revision(empty_settings).is_current

    def test_a_database_that_was_at_home_somewhere_forgets_it(self, empty_settings: Settings) -> None:
        upgrade_database(empty_settings)
        with migration_connection(empty_settings) as connection:
            connection.exec_driver_sql(
                "INSERT INTO database_home (id, place, settled_at) VALUES (1, 'here', '2026-11-27T00:00:00.000000Z')"
            )
        downgrade_database(empty_settings, "20261127pa")
        assert "database_home" not in left_over(empty_settings)
        upgrade_database(empty_settings)
        with migration_connection(empty_settings) as connection:
            assert connection.execute(sa.text("SELECT place FROM database_home")).all() == []


class TestJournals:
    def test_the_audit_log_refuses_update_and_delete(self, empty_settings: Settings) -> None:
        upgrade_database(empty_settings)
        digest = "zeroblob(32)" if empty_settings.is_sqlite else r"'\x00'::bytea"
        with migration_connection(empty_settings) as connection:
            connection.exec_driver_sql(
                "INSERT INTO audit_entry (sequence_number, recorded_at, actor_kind, actor_id, action, subject_id, "
                "facts, previous_hash, hash) VALUES (1, '2026-11-23T00:00:00.000000Z', 'operator', '', 'x', '', '{}', "
                f"{digest}, {digest})"
            )
        assert refuses(empty_settings, "UPDATE audit_entry SET action = 'y'")
        assert refuses(empty_settings, "DELETE FROM audit_entry")

    def test_every_journal_of_the_ledger_has_its_triggers(self, empty_settings: Settings) -> None:
        upgrade_database(empty_settings)
        catalog = (
            "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
            if empty_settings.is_sqlite
            else "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal"
        )
        with migration_connection(empty_settings) as connection:
            guarded = set(connection.scalars(sa.text(catalog)))
        assert {*JOURNAL_TABLES, "ledger_epoch", "audit_entry"} <= guarded

    def test_the_auditors_view_is_there(self, empty_settings: Settings) -> None:
        upgrade_database(empty_settings)
        with migration_connection(empty_settings) as connection:
            assert connection.execute(sa.text("SELECT * FROM ledger_audit")).all() == []
