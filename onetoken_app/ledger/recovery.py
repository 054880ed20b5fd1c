"""Epochs: who may write, and whose holds are left behind.

On SQLite whoever owns the data folder is the only one alive, so every other open epoch is dead. On PostgreSQL the
owner of a living epoch holds a session's advisory lock on its number; an epoch is taken for dead when the lock was
free at two looks some seconds apart, because a writer that died is started again under the same epoch.
"""

from collections.abc import MutableMapping, Sequence
from datetime import datetime
from typing import Any

from onetoken_app.clock import iso_instant
from onetoken_app.ledger.operations import DeadHold, DeadHolds
from onetoken_app.ledger.sql import Connection
from onetoken_app.ledger.store import EpochEnded, instant_text
from onetoken_app.money import Currency

EPOCH_LOCK_CLASS = 0x65706F63
"""First key of the advisory locks on epochs ("epoc"); the second is the epoch's number."""
EPOCH_GRACE_SECONDS = 3.0
"""How long a PostgreSQL epoch must have no living owner before it is ended: time to start a writer again."""
_REGISTRATION_LOCK_KEY = 0x6C656465
_LOCK_WAIT = "10s"


def register_epoch(connection: Connection, epoch_id: str, *, now: datetime) -> int:
    """Enter the epoch, or find it again after a restart of the writer; return its number. The caller commits.

    Raises:
        EpochEnded: The epoch was ended while its writer was away.
    """
    if not connection.is_sqlite:
        connection.read("SELECT set_config('lock_timeout', ?, true)", (_LOCK_WAIT,))
        connection.read("SELECT pg_advisory_xact_lock(?)", (_REGISTRATION_LOCK_KEY,))
    connection.write(
        "INSERT INTO ledger_epoch (id, number, started_at) "
        "SELECT ?, COALESCE(MAX(number), 0) + 1, ? FROM ledger_epoch WHERE true ON CONFLICT (id) DO NOTHING",
        [(epoch_id, iso_instant(now))],
    )
    number, ended_at = connection.read("SELECT number, ended_at FROM ledger_epoch WHERE id = ?", (epoch_id,))[0]
    if ended_at is not None:
        raise EpochEnded
    if not connection.is_sqlite:
        connection.read("SELECT pg_advisory_lock(?, ?)", (EPOCH_LOCK_CLASS, number))
    return int(number)


def end_dead_epochs(
    connection: Connection,
    *,
    own_epoch_id: str,
    now: datetime,
    free_since_seconds: MutableMapping[str, float],
    seconds: float,
) -> None:
    """End the epochs whose owner no longer lives. The caller commits before anything is recovered.

    Args:
        connection: An open transaction.
        own_epoch_id: Never ended.
        now: Written as the end.
        free_since_seconds: Since when each epoch's lock was seen free; kept by the caller between looks.
        seconds: The monotonic clock now.
    """
    others = connection.read(
        "SELECT id, number FROM ledger_epoch WHERE ended_at IS NULL AND id <> ? ORDER BY number", (own_epoch_id,)
    )
    dead = [row[0] for row in others]
    if not connection.is_sqlite:
        dead = [
            epoch_id
            for epoch_id, number in others
            if _is_dead(connection, epoch_id, number, free_since_seconds, seconds)
        ]
    connection.write(
        "UPDATE ledger_epoch SET ended_at = ? WHERE id = ? AND ended_at IS NULL",
        [(iso_instant(now), epoch_id) for epoch_id in dead],
    )


def dead_holds(connection: Connection, *, own_epoch_id: str, after_request_id: str, holds_max: int) -> DeadHolds:
    """List open holds of ended epochs, by their ids."""
    rows = connection.read(
        "SELECT hold.request_id, hold.owner_id, hold.currency, hold.placed_at, "
        "COALESCE(progress.amount_nanos, 0), COALESCE(progress.context, hold.context) "
        "FROM ledger_open_hold AS open_hold "
        "JOIN ledger_epoch AS epoch ON epoch.id = open_hold.epoch_id "
        "JOIN ledger_hold AS hold ON hold.request_id = open_hold.request_id "
        "LEFT JOIN ledger_hold_progress AS progress ON progress.request_id = open_hold.request_id "
        "WHERE epoch.ended_at IS NOT NULL AND epoch.id <> ? AND open_hold.request_id > ? "
        "ORDER BY open_hold.request_id LIMIT ?",
        (own_epoch_id, after_request_id, holds_max),
    )
    return DeadHolds(holds=[_dead_hold(row) for row in rows])


def _dead_hold(row: Sequence[Any]) -> DeadHold:
    """Read what recovery needs to know."""
    request_id, owner_id, currency, placed_at, progress_nanos, context = row
    return DeadHold(request_id, owner_id, Currency(currency), instant_text(placed_at), progress_nanos, bytes(context))


def _is_dead(
    connection: Connection, epoch_id: str, number: int, free_since_seconds: MutableMapping[str, float], seconds: float
) -> bool:
    """Whether nobody has held an epoch's lock for the time of grace; if so, nobody can until this commits."""
    is_free = connection.read("SELECT pg_try_advisory_xact_lock(?, ?)", (EPOCH_LOCK_CLASS, number))[0][0]
    if not is_free:
        free_since_seconds.pop(epoch_id, None)
        return False
    return seconds - free_since_seconds.setdefault(epoch_id, seconds) >= EPOCH_GRACE_SECONDS
