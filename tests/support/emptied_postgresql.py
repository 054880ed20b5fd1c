"""A migrated database on PostgreSQL that is emptied between tests: thirty times as fast as a new copy for each.

A test that changed the schema itself (dropped a trigger, say) costs a new copy; nobody has to remember to ask for it.
"""

from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from tests.support.postgresql import PostgresqlServer

_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname
"""
_SHAPE = """
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
        SELECT concat_ws(' ', c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull) AS line
        FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ) AS lines
"""
_END_SESSIONS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_NUMBERS = "SELECT format('%I.%I', schemaname, sequencename), start_value, last_value FROM pg_sequences"


@dataclass(slots=True)
class EmptiedPostgresql:
    """One database that is handed from test to test."""

    server: PostgresqlServer
    template: str
    """A migrated database that nobody writes to."""
    _name: str = ""
    _shape: str = ""
    _first_rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    """What the migrations put into each table."""
    _first_numbers: list[tuple[Any, ...]] = field(default_factory=list)
    """Each sequence, where it starts, and how far the migrations took it."""

    def lend(self) -> str:
        """Return the name of a database as the migrations leave it."""
        if not self._name:
            self._name = self.server.create_database(template=self.template)
            with psycopg.connect(self.server.url(self._name)) as connection:
                self._shape = _one_text(connection, _SHAPE)
                self._first_rows = {table: _rows(connection, table) for (table,) in connection.execute(_TABLES)}
                self._first_numbers = connection.execute(_NUMBERS).fetchall()
        return self._name

    def take_back(self) -> None:
        """End whatever is still connected, and undo what the test did."""
        with psycopg.connect(self.server.url(self._name)) as connection:
            connection.execute(_END_SESSIONS)
            has_first_shape = _one_text(connection, _SHAPE) == self._shape
            if has_first_shape:
                self._empty(connection)
        if not has_first_shape:
            self.server.drop_database(self._name)
            self._name = ""

    def _empty(self, connection: psycopg.Connection[Any]) -> None:
        """Put the first rows back; triggers and foreign keys do not look, as tables that only grow refuse this else."""
        connection.execute("SET LOCAL session_replication_role = replica")
        for table, rows in self._first_rows.items():
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            for row in rows:
                values = sql.SQL(", ").join(map(sql.Literal, row))
                connection.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(table), values))
        for name, start, last in self._first_numbers:
            connection.execute("SELECT setval(%s::regclass, %s, %s)", (name, last or start, last is not None))


def _rows(connection: psycopg.Connection[Any], table: str) -> list[tuple[Any, ...]]:
    """Read a whole table."""
    return connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))).fetchall()


def _one_text(connection: psycopg.Connection[Any], query: str) -> str:
    """Run a query that returns one text."""
    row = connection.execute(query.encode()).fetchone()
    return str(row[0]) if row else ""
