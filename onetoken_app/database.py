"""The database: units of work for edges, read sessions for queries, and the one rule of writing on SQLite.

**Every write transaction and every checkpoint on SQLite happens under one inter-process lock** (``write_lock``).
SQLite 3.7.0–3.51.2 can corrupt its log when a checkpoint on one connection meets a commit on another; the console's
units of work and the ledger's writer are two connections that write. The lock excludes one from the other, and also
spares both from ever seeing "database is locked". Connections outside it are opened read-only.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Mapper, ORMExecuteState, Session
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.clock import INSTANT_CHARACTERS, iso_instant, parse_instant
from onetoken_app.errors import Conflict, Unavailable
from onetoken_app.settings import Settings

READ_BY_THE_RELAY = {"is_read_by_the_relay": True}
"""A table's ``info`` when a change to its rows has to reach the relay's policy cache at once."""

_LOCK_WAIT_SECONDS = 10.0
_LOCK_RETRY_SECONDS = 0.001


SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC: ``timestamptz`` on PostgreSQL, ``clock.iso_instant``'s text on SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(INSTANT_CHARACTERS))
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write a moment."""
        if value is None or dialect.name != "sqlite":
            return value
        return iso_instant(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read a moment, aware."""
        if value is None or dialect.name != "sqlite":
            return value  # type: ignore[no-any-return] # the driver gives a moment
        return parse_instant(value)


def enum_type(members: type[StrEnum]) -> sa.Enum:
    """Store an enum by its value, as text; a new member needs no migration of a type."""
    return sa.Enum(members, native_enum=False, length=32, values_callable=lambda kinds: [kind.value for kind in kinds])


class PolicyRevision(SQLModel, table=True):
    """One row, counted up in the same commit as any change the relay has to see; the relay polls it."""

    __tablename__ = "policy_revision"

    id: int = Field(default=1, primary_key=True)
    number: int = Field(default=0, sa_type=sa.BigInteger)


class DatabaseHome(SQLModel, table=True):
    """One row: the one place from which this database serves; see ``database_home``."""

    __tablename__ = "database_home"

    id: int = Field(default=1, primary_key=True)
    place: str = Field(max_length=100)
    settled_at: datetime = Field(sa_type=UtcDateTime)


class Database:
    """The engines of one process: one that writes (a single connection on SQLite), one that only reads."""

    def __init__(self, settings: Settings) -> None:
        """Prepare the engines; nothing is opened before first use."""
        self.is_sqlite = settings.is_sqlite
        self.lock_file = write_lock_file(settings)
        self._writing_here = asyncio.Lock()
        self.writing_engine, self.reading_engine = _engines(settings)

    async def dispose(self) -> None:
        """Close every connection."""
        await self.reading_engine.dispose()
        await self.writing_engine.dispose()

    @asynccontextmanager
    async def exclusive_write(self) -> AsyncIterator[None]:
        """Keep other writers of this database out; does nothing on PostgreSQL, which needs no help.

        Raises:
            Unavailable: Somebody else has been writing for ten seconds.
        """
        if not self.is_sqlite:
            yield
            return
        async with self._writing_here:
            descriptor = await _take_lock(self.lock_file)
            try:
                yield
            finally:
                os.close(descriptor)


_current: list[Database] = []


def use_database(database: Database | None) -> None:
    """Make ``unit_of_work`` and ``read_session`` of this process work on ``database``."""
    _current[:] = [database] if database else []


def current_database() -> Database:
    """Return the database in use.

    Raises:
        Unavailable: The process has not opened one yet.
    """
    if not _current:
        message = "The service is starting; nothing was done. Try again in a few seconds."
        raise Unavailable(message)
    return _current[0]


@asynccontextmanager
async def unit_of_work() -> AsyncIterator[AsyncSession]:
    """Open one transaction that commits at the end, or leaves nothing when an error passes through.

    Only edges open one: a console event, a job, a command. Nothing awaits the network or hashes a password inside it:
    on SQLite it keeps the ledger's writer waiting.

    Raises:
        Conflict: A uniqueness rule was hit by somebody who was faster.
        Unavailable: The database does not answer.
    """
    database = current_database()
    async with database.exclusive_write(), AsyncSession(database.writing_engine, expire_on_commit=False) as session:
        try:
            yield session
            await session.flush()
            if session.sync_session.info.get("policy_has_changed"):
                await _count_revision_up(session)
            await session.commit()
        except IntegrityError as error:
            message = "This was changed by somebody else at the same moment; nothing was done. Look again and retry."
            raise Conflict(message) from error
        except OperationalError as error:
            message = disk_trouble(error) or (
                "The database does not answer; nothing was done. Try again in a few seconds."
            )
            raise Unavailable(message) from error


@asynccontextmanager
async def read_session() -> AsyncIterator[AsyncSession]:
    """Open a session that can only read.

    Raises:
        Unavailable: The database does not answer.
    """
    async with AsyncSession(current_database().reading_engine, expire_on_commit=False) as session:
        try:
            yield session
        except OperationalError as error:
            message = disk_trouble(error) or "The database does not answer. Try again in a few seconds."
            raise Unavailable(message) from error


async def begin_snapshot(session: AsyncSession) -> None:
    """Make every statement of a fresh ``read_session`` see the same moment."""
    await session.run_sync(_begin_snapshot)


def _begin_snapshot(session: Session) -> None:
    """Begin as ``onetoken ledger verify`` does."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    elif not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr] # SQLite's driver
        # The driver begins a transaction for a change only; without one each SELECT would see its own moment.
        connection.exec_driver_sql("BEGIN")


def disk_trouble(error: BaseException) -> str | None:
    """Say in one sentence that the embedded database has no room, or nothing when that is not what is wrong."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    # The low byte is the kind; the rest says at which call of the system.
    kind = (getattr(cause, "sqlite_errorcode", 0) or 0) & 0xFF
    if not isinstance(cause, sqlite3.Error) or kind not in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return None
    return "Nothing was done: the server's disk is full or fails. Whoever operates it has to make room."


async def policy_revision(session: AsyncSession) -> int:
    """Return how often the relay's policy has been changed."""
    number = (await session.exec(select(PolicyRevision.number))).first()
    return number or 0


def write_lock_file(settings: Settings) -> Path:
    """Return the file whose lock says who writes the embedded database."""
    return settings.database_file.with_suffix(".write-lock")


@contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """Take the inter-process write lock, waiting without limit: for the ledger's writer, which is a process."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class DatabaseInUse(Exception):
    """Another process owns the embedded database; the message says which, and what to do."""


@contextmanager
def own_database(settings: Settings) -> Iterator[None]:
    """Be the one process that owns an embedded database while the block runs; does nothing on PostgreSQL.

    The lock ends with the process, however it ends. Processes that it starts do not inherit the lock.

    Raises:
        DatabaseInUse: Another process owns it.
    """
    if not settings.is_sqlite:
        yield
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(settings.data_dir.absolute() / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode("ascii", "replace").strip()
            message = f"{settings.data_dir}: a running OneToken (process {owner}) uses this database; stop it first"
            raise DatabaseInUse(message) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def sqlalchemy_url(settings: Settings) -> str:
    """Return the address of the database in SQLAlchemy's form; it may carry a password."""
    if settings.database_url is None:
        return f"sqlite+aiosqlite:///{settings.database_file}"
    _, _, rest = settings.database_url.get_secret_value().partition("://")
    return f"postgresql+psycopg://{rest}"


def _engines(settings: Settings) -> tuple[AsyncEngine, AsyncEngine]:
    """Make the engine that writes and the one that reads."""
    url = sqlalchemy_url(settings)
    if not settings.is_sqlite:
        engine = create_async_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=5)
        reading = create_async_engine(
            url, hide_parameters=True, pool_pre_ping=True, pool_size=5,
            execution_options={"postgresql_readonly": True},
        )  # fmt: skip
        return engine, reading
    writing = create_async_engine(url, hide_parameters=True, pool_size=1, max_overflow=0)
    event.listen(writing.sync_engine, "connect", _prepare_writing_connection)
    event.listen(writing.sync_engine, "begin", _begin_immediate)
    reading = create_async_engine(
        f"sqlite+aiosqlite:///file:{settings.database_file}?mode=ro&uri=true", hide_parameters=True, pool_size=4
    )
    event.listen(reading.sync_engine, "connect", _prepare_reading_connection)
    return writing, reading


def _prepare_writing_connection(connection: DBAPIConnection, _record: object) -> None:
    """Set durability; the log is copied back by whoever holds the write lock, never by chance within a commit."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=0"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_reading_connection(connection: DBAPIConnection, _record: object) -> None:
    """Wait for a moment rather than fail while a log is being recovered."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin_immediate(connection: sa.Connection) -> None:
    """Begin as a writer at once: the lock file already says that nobody else writes."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _take_lock(path: Path) -> int:
    """Take the inter-process lock without blocking the event loop; return the open descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = asyncio.get_running_loop().time() + _LOCK_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if asyncio.get_running_loop().time() > deadline:
                os.close(descriptor)
                message = "The database is busy; nothing was done. Try again in a few seconds."
                raise Unavailable(message) from None
            await asyncio.sleep(_LOCK_RETRY_SECONDS)
        except BaseException:
            os.close(descriptor)
            raise
        else:
            return descriptor


async def _count_revision_up(session: AsyncSession) -> None:
    """Tell the relay that its policy is out of date."""
    result = await session.exec(update(PolicyRevision).values(number=PolicyRevision.number + 1))
    if result.rowcount == 0:
        session.add(PolicyRevision(number=1))


@event.listens_for(Session, "after_flush")
def _notice_policy_change(session: Session, _context: object) -> None:
    """Remember that a row which the relay reads was written, so that nobody can forget to say so."""
    changed = (row for row in session.dirty if session.is_modified(row))
    if any(_is_read_by_the_relay(sa.inspect(row).mapper) for row in (*session.new, *changed, *session.deleted)):
        session.info["policy_has_changed"] = True


@event.listens_for(Session, "do_orm_execute")
def _notice_policy_statement(state: ORMExecuteState) -> None:
    """Notice the same of statements that write many rows at once and never pass through a flush."""
    writes = state.is_insert or state.is_update or state.is_delete
    if writes and state.bind_mapper is not None and _is_read_by_the_relay(state.bind_mapper):
        state.session.info["policy_has_changed"] = True


def _is_read_by_the_relay(mapper: Mapper[Any]) -> bool:
    """Whether the relay's policy is made of this table's rows."""
    table = mapper.local_table
    return isinstance(table, sa.Table) and bool(table.info.get("is_read_by_the_relay"))
