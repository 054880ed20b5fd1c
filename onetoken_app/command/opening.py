"""Opens an installation for a command: its folder, the right to write to it, its tables, its database."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from onetoken_app.command.failure import CommandFailed
from onetoken_app.database import Database, own_database, use_database
from onetoken_app.database_home import check_home
from onetoken_app.database_upgrade import database_revision, upgrade_database
from onetoken_app.settings import Settings

Result = TypeVar("Result")


@contextmanager
def owned_installation(settings: Settings) -> Iterator[None]:
    """Own an installation while the block runs, with its tables up to date; a fresh folder becomes one.

    Raises:
        CommandFailed: The data folder cannot be written.
        DatabaseInUse: A running ``up`` or ``relay`` owns the embedded database.
        CannotUpgrade: The database does not answer, or is newer than this code.
        NotAtHome: It is a copy that nobody has taken over.
    """
    check_data_dir(settings.data_dir)
    with own_database(settings):
        upgrade_database(settings)
        in_database(settings, lambda: check_home(settings))
        yield


def check_tables(settings: Settings) -> None:
    """See that there is a database with this code's tables, for a command that only reads; makes nothing.

    Raises:
        CommandFailed: There is none, or its tables are of another version.
        CannotUpgrade: The database does not answer.
    """
    revision = database_revision(settings)
    if revision.current is None:
        message = "there is no database yet; onetoken db upgrade, or the first start, makes it"
        raise CommandFailed(message)
    if not revision.is_current:
        message = f"tables are at {revision.current}, this code needs {revision.head}; run: onetoken db upgrade"
        raise CommandFailed(message)


def check_data_dir(folder: Path) -> None:
    """Make the data folder if it is not there, and see that it can be written.

    Raises:
        CommandFailed: It cannot.
    """
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        message = f"ONETOKEN_DATA_DIR: {folder} cannot be written: {error.strerror}"
        raise CommandFailed(message) from error


def in_database(settings: Settings, work: Callable[[], Awaitable[Result]]) -> Result:
    """Run one piece of work with the installation's database in use."""
    return asyncio.run(_in_database(settings, work))


async def _in_database(settings: Settings, work: Callable[[], Awaitable[Result]]) -> Result:
    """Open, work, close."""
    database = Database(settings)
    use_database(database)
    try:
        return await work()
    finally:
        use_database(None)
        await database.dispose()
