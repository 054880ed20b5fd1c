"""Where a database is at home: it serves from one place only, so that a restored copy never serves beside the original.

A copy holds the same credit and the same open holds; two that serve would spend and close them twice. The database
says where it is at home, and that place can be told from others: on SQLite by a file in the data folder, which no
backup holds and which a copy of the folder gives another inode; on PostgreSQL by the server's identifier and the
database's number there, which a restored dump does not have.
"""

import contextlib
import os
import secrets
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.clock import utc_now
from onetoken_app.database import DatabaseHome, read_session, unit_of_work
from onetoken_app.errors import Conflict
from onetoken_app.settings import Settings

_FILE = "home"
_NAME_BYTES = 16


class NotAtHome(Exception):
    """The database belongs to another place; the message says what to do."""


async def check_home(settings: Settings) -> None:
    """See that the database in use is at home here; a new one is from now on.

    Raises:
        NotAtHome: It was restored or copied here, and nobody has taken it over.
    """
    if await _known_home() is None:
        # Another process may be first; what it wrote is looked at below.
        with contextlib.suppress(Conflict):
            await make_home(settings)
    if not await is_at_home(settings):
        message = (
            "this database was copied or restored from another place, whose open calls and credit it holds; nothing "
            "was started or changed. Stop the original for good, then run: onetoken db take-over"
        )
        raise NotAtHome(message)


async def is_at_home(settings: Settings) -> bool:
    """Whether the database in use belongs to this place; one that never served belongs nowhere else."""
    home = await _known_home()
    return home is None or home == await _place(settings, is_made=False)


async def make_home(settings: Settings) -> None:
    """Let the database in use serve from this place, and from no other."""
    place = await _place(settings, is_made=True)
    async with unit_of_work() as session:
        await _write_home(session, place)


async def _known_home() -> str | None:
    """Return what the database says."""
    async with read_session() as session:
        return (await session.exec(select(DatabaseHome.place))).first()


async def _write_home(session: AsyncSession, place: str) -> None:
    """Say where the database is at home."""
    known = (await session.exec(select(DatabaseHome))).first()
    if known is None:
        session.add(DatabaseHome(place=place, settled_at=utc_now()))
    else:
        known.place, known.settled_at = place, utc_now()


async def _place(settings: Settings, *, is_made: bool) -> str:
    """Name this place; empty when it has no name yet and none is to be made."""
    if settings.is_sqlite:
        return _name_of(settings.data_dir.absolute() / _FILE, is_made=is_made)
    async with read_session() as session:
        connection = await session.connection()
        is_told = sa.text("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
        server = 0
        if (await connection.execute(is_told)).scalar_one():
            server = (
                await connection.execute(sa.text("SELECT system_identifier FROM pg_control_system()"))
            ).scalar_one()
        number = sa.text("SELECT oid FROM pg_database WHERE datname = current_database()")
        return f"postgresql {server} {(await connection.execute(number)).scalar_one()}"


def _name_of(file: Path, *, is_made: bool) -> str:
    """Name a data folder by a file in it: what the file says, and which file it is."""
    if is_made and not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(_NAME_BYTES).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        # A power cut that kept the database's word and lost the file's name would leave the installation homeless.
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    if not file.exists():
        return ""
    return f"folder {file.read_text()[: 2 * _NAME_BYTES]} {file.stat().st_ino}"
