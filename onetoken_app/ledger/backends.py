"""The writer's own connection, on either database: transactions, checkpoints, and which errors mean "gone"."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psycopg

from onetoken_app.ledger.frames import Hello
from onetoken_app.ledger.sql import DriverConnection

CHECKPOINT_ROWS = 4_000
"""Rows written between two checkpoints under load: about 800 pages, copied back in 4 ms; 24 000 rows take 16 ms."""
_CACHED_STATEMENTS = 64
_BUSY_MS = 5_000
"""How long to wait for a reader that repairs the log after a crash; nobody else is ever waited for."""
_LOG_BYTES_AT_REST = 1024 * 1024
_GONE_SQLITE_CODES = frozenset(
    {
        sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB,
    }
)  # fmt: skip
_TAKEN_BACK_POSTGRESQL_CLASS = "40"
"""The server rolled back for the sake of other transactions: deadlock, serialization."""
_GONE_POSTGRESQL_CLASSES = ("08", "25006", "53", "57", "58", "XX")
"""Connection, read-only, resources, operator's intervention, system, internal."""


class Backend(Protocol):
    """What the writer needs of a database."""

    connection: DriverConnection

    @contextmanager
    def transaction(self) -> Iterator[DriverConnection]:
        """Open a transaction that is durable at its end, or leaves nothing when an error passes through."""

    def is_gone(self, error: BaseException) -> bool:
        """Whether an error is the database's state rather than one operation's fault."""

    def is_taken_back(self, error: BaseException) -> bool:
        """Whether the transaction was rolled back for the sake of others, and may simply be done again."""

    def tend(self, *, is_idle: bool) -> None:
        """Copy the log back, if there is one and it is time."""

    def close(self) -> None:
        """Close the connection."""


def open_backend(hello: Hello) -> Backend:
    """Connect to the database that the client names."""
    if hello.sqlite_file:
        return SqliteBackend(Path(hello.sqlite_file), Path(hello.write_lock_file))
    return PostgresqlBackend(hello.postgresql_url)


class SqliteBackend:
    """One connection that writes, under the write lock of ``database.write_lock``.

    The lock's file stays open here: the writer takes it thousands of times a second.
    """

    def __init__(self, file: Path, lock_file: Path) -> None:
        self._log_file = Path(f"{file}-wal")
        self._lock = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._sqlite = sqlite3.connect(
            f"file:{file}?mode=rw",
            uri=True,
            isolation_level=None,
            cached_statements=_CACHED_STATEMENTS,
            timeout=_BUSY_MS / 1000,
        )
        with self._locked():
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=0"):
                self._sqlite.execute(f"PRAGMA {pragma}")
        self._rows_at_checkpoint = 0
        self.connection = DriverConnection(self._sqlite.cursor(), is_sqlite=True)

    @contextmanager
    def transaction(self) -> Iterator[DriverConnection]:
        """Keep every other writer out, and begin as a writer at once."""
        with self._locked():
            self._sqlite.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self._sqlite.execute("COMMIT")
            except BaseException:
                if self._sqlite.in_transaction:
                    self._sqlite.execute("ROLLBACK")
                raise

    def is_gone(self, error: BaseException) -> bool:
        """Whether the file or the disk is at fault."""
        return isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _GONE_SQLITE_CODES

    def is_taken_back(self, error: BaseException) -> bool:  # noqa: ARG002 # the other database needs it
        """Never: a transaction has the database to itself."""
        return False

    def tend(self, *, is_idle: bool) -> None:
        """Checkpoint under the write lock: between batches once the log is long, and when idle as far as it goes."""
        rows = self._sqlite.total_changes
        if is_idle and self._log_bytes() > _LOG_BYTES_AT_REST:
            self._checkpoint("TRUNCATE")
        elif rows - self._rows_at_checkpoint >= CHECKPOINT_ROWS:
            self._checkpoint("PASSIVE")

    def close(self) -> None:
        """Close under the lock, because closing the last connection copies the log back."""
        with self._locked():
            self._sqlite.close()
        os.close(self._lock)

    def _checkpoint(self, mode: str) -> None:
        """Copy the log back as far as readers allow; waiting for one here would keep every writer waiting."""
        with self._locked():
            self._sqlite.execute("PRAGMA busy_timeout = 0")
            self._sqlite.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
            self._sqlite.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        self._rows_at_checkpoint = self._sqlite.total_changes

    def _log_bytes(self) -> int:
        """Return the log's size; it shrinks at a TRUNCATE only."""
        try:
            return self._log_file.stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the inter-process write lock."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)


class PostgresqlBackend:
    """One session, which also carries the advisory lock that says the epoch lives."""

    def __init__(self, url: str) -> None:
        self._session = psycopg.connect(
            url, application_name="onetoken-ledger", connect_timeout=5, keepalives_idle=5, tcp_user_timeout=15_000
        )
        for setting in ("synchronous_commit TO on", "TimeZone TO 'UTC'"):
            self._session.execute(f"SET SESSION {setting}")
        self._session.commit()
        self.connection = DriverConnection(self._session.cursor(), is_sqlite=False)

    @contextmanager
    def transaction(self) -> Iterator[DriverConnection]:
        """Begin with the first statement; every lock is released at the end."""
        try:
            yield self.connection
            self._session.commit()
        except BaseException:
            if not self._session.closed:
                self._session.rollback()
            raise

    def is_gone(self, error: BaseException) -> bool:
        """Whether the server or the way to it is at fault."""
        if not isinstance(error, psycopg.Error):
            return False
        return self._session.closed or (error.sqlstate or "").startswith(_GONE_POSTGRESQL_CLASSES)

    def is_taken_back(self, error: BaseException) -> bool:
        """Whether it met another transaction in a circle."""
        return isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(_TAKEN_BACK_POSTGRESQL_CLASS)

    def tend(self, *, is_idle: bool) -> None:
        """PostgreSQL looks after its own log."""

    def close(self) -> None:
        """End the session, and with it the lock on the epoch."""
        self._session.close()
