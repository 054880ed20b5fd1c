"""The ledger's SQL, written once and spoken to both databases in their drivers' own dialect.

Written with ``?`` and ``= ANY(?)``; SQLite takes a list as JSON, PostgreSQL as an array. ``FOR UPDATE`` and
``FOR SHARE`` are for PostgreSQL: on SQLite a batch has the whole database to itself.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

_ROW_LOCKS = (" FOR UPDATE", " FOR SHARE")


class Connection(Protocol):
    """A transaction on either database, through whichever driver has it open."""

    is_sqlite: bool

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return all rows; ``sql`` as this module writes it."""

    def write(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once per row; ``sql`` as this module writes it."""

    def write_foreign(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a caller's statement, which is in the driver's placeholders already, once per row."""


@lru_cache(maxsize=256)
def spoken(sql: str, *, is_sqlite: bool) -> str:
    """Put a statement into a driver's words."""
    if not is_sqlite:
        return sql.replace("?", "%s")
    for lock in _ROW_LOCKS:
        sql = sql.replace(lock, "")
    return sql.replace("= ANY(?)", "IN (SELECT value FROM json_each(?))")


def listed(values: Iterable[str], *, is_sqlite: bool) -> Any:
    """Make the parameter for ``= ANY(?)``."""
    return json.dumps(list(values)) if is_sqlite else list(values)


@dataclass(slots=True)
class DriverConnection:
    """A ``sqlite3`` connection or cursor, or a psycopg cursor: the writer's own, and the tests'."""

    cursor: Any
    is_sqlite: bool

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return all rows."""
        rows: list[Any] = self.cursor.execute(spoken(sql, is_sqlite=self.is_sqlite), parameters).fetchall()
        return rows

    def write(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once per row."""
        self.write_foreign(spoken(sql, is_sqlite=self.is_sqlite), rows)

    def write_foreign(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a caller's statement once per row."""
        if rows:
            self.cursor.executemany(sql, rows)


@dataclass(slots=True)
class SessionConnection:
    """The transaction of a unit of work, reached through SQLAlchemy's ``exec_driver_sql``."""

    execute: Callable[..., Any]
    is_sqlite: bool

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return all rows."""
        result = self.execute(spoken(sql, is_sqlite=self.is_sqlite), tuple(parameters))
        return [tuple(row) for row in result]

    def write(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once per row."""
        self.write_foreign(spoken(sql, is_sqlite=self.is_sqlite), rows)

    def write_foreign(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a caller's statement once per row."""
        if rows:
            self.execute(sql, [tuple(row) for row in rows])
