"""Units of work commit at the edge or leave nothing; reading cannot write; writers on SQLite exclude each other."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel, col, select, update

from onetoken_app import database as database_module
from onetoken_app import tables
from onetoken_app.catalog.models import Model
from onetoken_app.database import (
    Database,
    current_database,
    policy_revision,
    read_session,
    sqlalchemy_url,
    unit_of_work,
    use_database,
)
from onetoken_app.errors import Conflict, Unavailable
from onetoken_app.identity.models import Person
from onetoken_app.settings import Settings

ROOT = Path(__file__).parents[2]


async def names() -> list[str]:
    """Return the e-mail addresses that are committed."""
    async with read_session() as session:
        return sorted((await session.exec(select(Person.email))).all())


async def add_person(email: str) -> None:
    """Commit one row in a unit of its own."""
    async with unit_of_work() as session:
        session.add(Person(email=email))


async def write_and_fail(row: SQLModel) -> None:
    """Write a row, then let an error pass through the unit of work."""
    async with unit_of_work() as session:
        session.add(row)
        await session.flush()
        raise ZeroDivisionError


@contextmanager
def another_writer(lock_file: Path) -> Iterator[None]:
    """Hold the write lock in another process."""
    command = [sys.executable, "-m", "tests.ground.writers", str(lock_file)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        yield
        other.communicate()


async def revision() -> int:
    """Return the committed policy revision."""
    async with read_session() as session:
        return await policy_revision(session)


@pytest.mark.usefixtures("database")
class TestUnitOfWork:
    async def test_commits_at_the_end(self) -> None:
        async with unit_of_work() as session:
            session.add(Person(email="a@test.example"))
        assert await names() == ["a@test.example"]

    async def test_leaves_nothing_when_an_error_passes(self) -> None:
        with pytest.raises(ZeroDivisionError):
            await write_and_fail(Person(email="a@test.example"))
        assert await names() == []

    async def test_a_uniqueness_rule_is_a_conflict(self) -> None:
        async with unit_of_work() as session:
            session.add(Person(email="a@test.example"))
        with pytest.raises(Conflict):
            async with unit_of_work() as session:
                session.add(Person(email="a@test.example"))
        assert await names() == ["a@test.example"]

    async def test_units_at_once_all_arrive(self) -> None:
        async def add(number: int) -> None:
            async with unit_of_work() as session:
                session.add(Person(email=f"{number:02d}@test.example"))

        await asyncio.gather(*(add(number) for number in range(20)))
        assert len(await names()) == 20

    async def test_foreign_keys_are_kept(self) -> None:
        with pytest.raises(Conflict):
            async with unit_of_work() as session:
                session.add(tables.catalog.Route(model_id="mdl_none", channel_id="chn_none", upstream_model="x"))

    async def test_an_error_shows_no_parameters(self) -> None:
        async with unit_of_work() as session:
            connection = await session.connection()
            with pytest.raises(DBAPIError) as caught:
                await connection.execute(sa.text("SELECT :word FROM nowhere"), {"word": "very-secret"})
            await session.rollback()
        assert "nowhere" in str(caught.value)
        assert "very-secret" not in str(caught.value)


@pytest.mark.usefixtures("database")
class TestReadSession:
    async def test_cannot_write(self) -> None:
        async with read_session() as session:
            session.add(Person(email="a@test.example"))
            with pytest.raises(DBAPIError):
                await session.flush()
        assert await names() == []

    async def test_goes_on_while_somebody_writes(self) -> None:
        async with unit_of_work() as session:
            session.add(Person(email="a@test.example"))
            await session.flush()
            assert await names() == []
        assert await names() == ["a@test.example"]


@pytest.mark.usefixtures("database")
class TestPolicyRevision:
    async def test_counts_up_when_the_relay_has_to_see_a_new_row(self) -> None:
        before = await revision()
        async with unit_of_work() as session:
            session.add(Model(name="mock", context_window_tokens=10, output_tokens_max=5))
        assert await revision() == before + 1

    async def test_counts_up_when_a_row_changes_or_goes(self) -> None:
        async with unit_of_work() as session:
            model = Model(name="mock", context_window_tokens=10, output_tokens_max=5)
            session.add(model)
        before = await revision()
        async with unit_of_work() as session:
            (await session.exec(select(Model))).one().is_enabled = False
        async with unit_of_work() as session:
            await session.delete((await session.exec(select(Model))).one())
        assert await revision() == before + 2

    async def test_counts_up_for_a_statement_that_changes_many_rows(self) -> None:
        before = await revision()
        async with unit_of_work() as session:
            await session.exec(update(Model).where(col(Model.name) == "mock").values(is_enabled=False))
        assert await revision() == before + 1

    async def test_stays_when_the_relay_reads_nothing_of_it(self) -> None:
        before = await revision()
        async with unit_of_work() as session:
            session.add(Person(email="a@test.example"))
        assert await revision() == before

    async def test_stays_when_a_row_is_set_to_what_it_was(self) -> None:
        async with unit_of_work() as session:
            session.add(Model(name="mock", context_window_tokens=10, output_tokens_max=5))
        before = await revision()
        async with unit_of_work() as session:
            (await session.exec(select(Model))).one().is_enabled = True
        assert await revision() == before

    async def test_stays_when_the_unit_fails(self) -> None:
        before = await revision()
        with pytest.raises(ZeroDivisionError):
            await write_and_fail(Model(name="mock", context_window_tokens=10, output_tokens_max=5))
        assert await revision() == before


@pytest.mark.usefixtures("database")
class TestUtcDateTime:
    async def test_comes_back_aware_and_equal(self) -> None:
        moment = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
        async with unit_of_work() as session:
            session.add(Person(email="a@test.example", created_at=moment))
        async with read_session() as session:
            read = (await session.exec(select(Person.created_at))).one()
        assert read == moment
        assert read.utcoffset() == timedelta(0)

    async def test_compares_in_the_database(self) -> None:
        moment = datetime(2026, 11, 23, tzinfo=UTC)
        async with unit_of_work() as session:
            session.add(Person(email="a@test.example", created_at=moment))
        async with read_session() as session:
            assert (await session.exec(select(Person).where(Person.created_at >= moment))).first() is not None
            assert (await session.exec(select(Person).where(Person.created_at > moment))).first() is None


class TestCurrentDatabase:
    def test_is_unavailable_before_one_is_opened(self) -> None:
        use_database(None)
        with pytest.raises(Unavailable):
            current_database()


class TestWriteLock:
    async def test_keeps_other_processes_out(self, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database_module, "_LOCK_WAIT_SECONDS", 0.05)
        with another_writer(sqlite_database.lock_file), pytest.raises(Unavailable):
            await add_person("a@test.example")
        await add_person("b@test.example")
        assert await names() == ["b@test.example"]

    @pytest.mark.usefixtures("sqlite_database")
    async def test_is_let_go_when_a_unit_fails(self) -> None:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with unit_of_work():
                    raise ZeroDivisionError
        async with unit_of_work() as session:
            session.add(Person(email="a@test.example"))
        assert await names() == ["a@test.example"]

    @pytest.mark.usefixtures("sqlite_database")
    async def test_is_let_go_when_a_unit_is_cancelled(self) -> None:
        begun = asyncio.Event()

        async def never_ending() -> None:
            async with unit_of_work() as session:
                session.add(Person(email="a@test.example"))
                await session.flush()
                begun.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(never_ending())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await add_person("b@test.example")
        assert await names() == ["b@test.example"]


class TestWritableConnections:
    async def test_one_process_never_has_more_than_one(self, sqlite_database: Database) -> None:
        opened: list[bool] = []

        def look(connection: DBAPIConnection, _record: object) -> None:
            cursor = connection.cursor()
            cursor.execute("PRAGMA query_only")
            opened.append(not (cursor.fetchone() or (0,))[0])
            cursor.close()

        for engine in (sqlite_database.writing_engine, sqlite_database.reading_engine):
            sa.event.listen(engine.sync_engine, "connect", look)

        async def work(number: int) -> None:
            async with unit_of_work() as session:
                session.add(Person(email=f"{number}@test.example"))
            await names()

        await asyncio.gather(*(work(number) for number in range(12)))
        assert opened.count(True) == 1
        assert opened.count(False) >= 1

    async def test_readers_are_refused_by_the_file_itself(self, sqlite_database: Database) -> None:
        async with sqlite_database.reading_engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA query_only=OFF")
            with pytest.raises(DBAPIError):
                await connection.exec_driver_sql("DELETE FROM policy_revision")

    async def test_the_writer_is_durable_and_leaves_checkpoints_to_us(self, sqlite_database: Database) -> None:
        async with sqlite_database.writing_engine.connect() as connection:
            found = {
                name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint")
            }
        assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 0}


class TestSqlalchemyUrl:
    @pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
    def test_names_the_driver(self, settings: Settings, scheme: str) -> None:
        url = SecretStr(f"{scheme}://user@host/name")
        assert sqlalchemy_url(settings.model_copy(update={"database_url": url})) == (
            "postgresql+psycopg://user@host/name"
        )


class TestNames:
    def test_every_constraint_has_one(self) -> None:
        unnamed = [
            f"{table.name}: {constraint}"
            for table in tables.metadata.tables.values()
            for constraint in table.constraints
            if constraint.name is None
        ]
        assert unnamed == []
