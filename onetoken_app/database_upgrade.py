"""Brings the database's tables to the form that this code expects, and says how far they are.

On SQLite it holds the inter-process write lock throughout; on PostgreSQL an advisory lock keeps a second upgrade
waiting. All steps happen in one transaction: an upgrade that fails leaves the database as it was.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from onetoken_app.database import disk_trouble, sqlalchemy_url, write_lock, write_lock_file
from onetoken_app.settings import Settings

_UPGRADE_LOCK = 7_305_417_002
"""Advisory lock on PostgreSQL: whoever holds it upgrades."""
_SCRIPTS = Path(__file__).parent.parent / "alembic"


class CannotUpgrade(Exception):
    """The tables cannot be brought to this code's form; the message says why and shows no secret."""


@dataclass(frozen=True, slots=True)
class DatabaseRevision:
    """How far a database's tables are."""

    current: str | None
    """``None``: there are no tables yet."""
    head: str
    """What this code expects."""

    @property
    def is_current(self) -> bool:
        """Whether code and tables fit."""
        return self.current == self.head


def upgrade_database(settings: Settings) -> None:
    """Create the tables, or bring them up to date; does nothing when they are. Blocks until done.

    Raises:
        CannotUpgrade: The database does not answer, belongs to a newer version, or the migrations are not there.
        OSError: The data folder cannot be written.
    """
    _run(settings, command.upgrade, "head")


def downgrade_database(settings: Settings, revision: str) -> None:
    """Take tables back to a revision, ``base`` for none; what the later ones held is lost. Blocks until done.

    Raises:
        CannotUpgrade: As ``upgrade_database``.
    """
    _run(settings, command.downgrade, revision)


def database_revision(settings: Settings) -> DatabaseRevision:
    """Say how far the tables are, without changing anything.

    Raises:
        CannotUpgrade: The database does not answer, or the migrations are not there.
    """
    head = ScriptDirectory.from_config(_configuration()).get_current_head() or ""
    if settings.is_sqlite and not settings.database_file.exists():
        return DatabaseRevision(current=None, head=head)
    engine = _engine(settings, reads_only=True)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except sa.exc.OperationalError as error:
        raise _no_answer(error) from error
    finally:
        engine.dispose()
    return DatabaseRevision(current=current, head=head)


@contextmanager
def migration_connection(settings: Settings) -> Iterator[sa.Connection]:
    """Open a transaction that nobody else writes beside; it commits at the end.

    Raises:
        CannotUpgrade: The database does not answer, or there is no room.
    """
    with _alone(settings):
        engine = _engine(settings)
        try:
            with engine.begin() as connection:
                if not settings.is_sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
                yield connection
        except sa.exc.OperationalError as error:
            raise _no_answer(error) from error
        finally:
            engine.dispose()


def _run(settings: Settings, action: Callable[[Config, str], None], revision: str) -> None:
    """Run one of Alembic's commands on a connection of ours."""
    configuration = _configuration()
    with migration_connection(settings) as connection:
        configuration.attributes["connection"] = connection
        try:
            action(configuration, revision)
        except CommandError as error:
            message = "the database was made by a newer version of OneToken; install that version, or restore a backup"
            raise CannotUpgrade(message) from error


def _configuration() -> Config:
    """Point Alembic at the migrations, without a file: ``alembic.ini`` is for its own command."""
    if not _SCRIPTS.is_dir():
        message = f"{_SCRIPTS}: the migrations are not there; OneToken runs from its checkout"
        raise CannotUpgrade(message)
    configuration = Config()
    configuration.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Keep the other writers of an embedded database out, and see that it keeps a write-ahead log."""
    if not settings.is_sqlite:
        yield
        return
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with write_lock(write_lock_file(settings)):
        settings.database_file.touch(mode=0o600)
        try:
            with closing(sqlite3.connect(settings.database_file)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            raise _no_answer(error) from error
        yield


def _engine(settings: Settings, *, reads_only: bool = False) -> sa.Engine:
    """Make an engine for one connection."""
    url = sqlalchemy_url(settings).replace("+aiosqlite", "")
    if not settings.is_sqlite:
        return sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool)
    if reads_only:
        url = f"sqlite:///file:{settings.database_file}?mode=ro&uri=true"
    engine = sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool)
    sa.event.listen(engine, "connect", _leave_transactions_to_us)
    sa.event.listen(engine, "begin", _begin if reads_only else _begin_immediate)
    return engine


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
    """Keep the driver from committing before each CREATE TABLE: an upgrade stands or falls as a whole."""
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous=FULL")


def _begin(connection: sa.Connection) -> None:
    """Begin as a reader."""
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: sa.Connection) -> None:
    """Begin as a writer."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _no_answer(error: Exception) -> CannotUpgrade:
    """Say that the database does not answer, without its address, which may hold a password."""
    words = "the database does not answer, or refuses; check ONETOKEN_DATABASE_URL or the data folder"
    return CannotUpgrade(disk_trouble(error) or words)
