"""Runs migrations: on the connection that ``onetoken_app.database_upgrade`` hands in, or on the settings' database.

Types of ours are written into a migration as the plain types they stand for, so that a migration means the same for
ever, whatever becomes of the code.
"""

# ruff: noqa: INP001 # Alembic loads this file by its path

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel.sql.sqltypes import AutoString

from onetoken_app import tables
from onetoken_app.database import UtcDateTime
from onetoken_app.database_upgrade import migration_connection
from onetoken_app.settings import get_settings


def plain_type(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write a column's type without the code of this project."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return 'sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")'
    if isinstance(item, sa.Enum | AutoString):
        return f"sa.String(length={item.length})"
    return False


def run(connection: sa.Connection) -> None:
    """Run the migrations that were asked for, all in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        compare_type=True,
        render_item=plain_type,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    message = "migrations run on a database; to see their SQL, read alembic/versions"
    raise SystemExit(message)

given: sa.Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with migration_connection(get_settings()) as own:
        run(own)
