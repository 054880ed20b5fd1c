"""Fixtures: settings that no outside environment reaches, and a fresh, migrated database on each engine."""

import base64
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from onetoken_app.database import Database, use_database
from onetoken_app.database_upgrade import upgrade_database
from onetoken_app.settings import PREFIX, Settings, get_settings
from tests.support.emptied_postgresql import EmptiedPostgresql
from tests.support.postgresql import PostgresqlServer, running_postgresql

ENGINES = ("sqlite", "postgresql")
_SECRET = SecretStr(base64.b64encode(bytes(range(32))).decode())


@pytest.fixture(autouse=True)
def _isolated_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the developer's variables and ``.env`` out of the tests."""
    clear_variables(monkeypatch)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def clear_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every setting out of the environment."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def sqlite_settings_in(folder: Path) -> Settings:
    """Settings of an installation with the embedded database in ``folder``."""
    return Settings(data_dir=folder / "var", key_pepper=_SECRET, key_encryption_key=_SECRET)


def postgresql_settings_in(folder: Path, *, url: str) -> Settings:
    """Settings of an installation on PostgreSQL; files still go to ``folder``."""
    return sqlite_settings_in(folder).model_copy(update={"database_url": SecretStr(url)})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings in a folder that is not there yet: no database, no secrets file."""
    return sqlite_settings_in(tmp_path)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """One real PostgreSQL for the whole run."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty embedded database, to be copied."""
    settings = sqlite_settings_in(tmp_path_factory.mktemp("sqlite-template"))
    upgrade_database(settings)
    return settings.database_file


@pytest.fixture(scope="session")
def _postgresql_template(postgresql_server: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated, empty database on PostgreSQL, to be copied."""
    name = postgresql_server.create_database()
    folder = tmp_path_factory.mktemp("postgresql-template")
    upgrade_database(postgresql_settings_in(folder, url=postgresql_server.url(name)))
    return name


@pytest.fixture
def sqlite_settings(tmp_path: Path, _sqlite_template: Path) -> Settings:
    """Settings of an installation with a fresh, migrated embedded database."""
    settings = sqlite_settings_in(tmp_path)
    settings.data_dir.mkdir(parents=True)
    shutil.copyfile(_sqlite_template, settings.database_file)
    return settings


@pytest.fixture(scope="session")
def _emptied_postgresql(postgresql_server: PostgresqlServer, _postgresql_template: str) -> EmptiedPostgresql:
    """The database that tests hand to each other."""
    return EmptiedPostgresql(server=postgresql_server, template=_postgresql_template)


@pytest.fixture
def postgresql_settings(
    tmp_path: Path, postgresql_server: PostgresqlServer, _emptied_postgresql: EmptiedPostgresql
) -> Iterator[Settings]:
    """Settings of an installation with a fresh, migrated database on PostgreSQL."""
    settings = postgresql_settings_in(tmp_path, url=postgresql_server.url(_emptied_postgresql.lend()))
    settings.data_dir.mkdir(parents=True)
    yield settings
    _emptied_postgresql.take_back()


@pytest.fixture(params=ENGINES)
def database_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings with a fresh, migrated database: the test runs once on each engine."""
    settings: Settings = request.getfixturevalue(f"{request.param}_settings")
    return settings


@pytest.fixture
async def database(database_settings: Settings) -> AsyncIterator[Database]:
    """A fresh database in use by ``unit_of_work`` and ``read_session``: the test runs once on each engine."""
    async for opened in _in_use(database_settings):
        yield opened


@pytest.fixture
async def sqlite_database(sqlite_settings: Settings) -> AsyncIterator[Database]:
    """A fresh embedded database in use, for what exists on SQLite only or is the same on both engines."""
    async for opened in _in_use(sqlite_settings):
        yield opened


@pytest.fixture
async def postgresql_database(postgresql_settings: Settings) -> AsyncIterator[Database]:
    """A fresh database on PostgreSQL in use, for what exists there only."""
    async for opened in _in_use(postgresql_settings):
        yield opened


async def _in_use(settings: Settings) -> AsyncIterator[Database]:
    """Open a database for this process and close it afterwards."""
    opened = Database(settings)
    use_database(opened)
    try:
        yield opened
    finally:
        use_database(None)
        await opened.dispose()
