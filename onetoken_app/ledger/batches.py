"""Answers a batch of operations in one durable transaction, or one by one when the batch fails as a whole.

A transaction that the database takes back because of others (a deadlock, a conflict of snapshots) is nobody's fault:
it is done again as a whole, and never becomes an answer.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from onetoken_app import clock
from onetoken_app.ledger import posting, recovery, saving, store
from onetoken_app.ledger.backends import Backend
from onetoken_app.ledger.operations import Answer, FindDeadHolds, Operation, Refused
from onetoken_app.telemetry import get_logger

TRIES_MAX = 8
"""How often a transaction that the database takes back is done; then the database counts as gone."""
_TRIES = 2
"""A batch, and an operation alone, is tried again once: two processes may meet in a row that neither had seen."""
_PAUSE_SECONDS = 0.02

_Done = TypeVar("_Done")


class DatabaseGone(Exception):
    """The database cannot be written now; nothing of the batch was done."""


@dataclass(slots=True)
class Desk:
    """One writer's place of work."""

    backend: Backend
    epoch_id: str
    free_since_seconds: dict[str, float] = field(default_factory=dict)
    """Since when other epochs' locks were seen free."""


def answer(desk: Desk, operations: Sequence[Operation]) -> list[Answer]:
    """Do the operations in order and return their answers in order; everything answered is durable.

    Raises:
        EpochEnded: Somebody ended this writer's epoch; nothing was done.
        DatabaseGone: The database does not work; what was not answered may be sent again.
    """
    if not any(isinstance(operation, FindDeadHolds) for operation in operations):
        return _together(desk, operations)
    answers: list[Answer] = []
    for operation in operations:
        if isinstance(operation, FindDeadHolds):
            answers.append(_guarded(desk, operation, partial(_find_dead_holds, desk, operation)))
        else:
            answers.extend(_together(desk, [operation]))
    return answers


def _together(desk: Desk, operations: Sequence[Operation]) -> list[Answer]:
    """Try all at once; a batch that the database refuses is taken apart, so that one poisoned operation fails alone."""
    if len(operations) == 1:
        return [_guarded(desk, operations[0], partial(_commit_alone, desk, operations[0]))]
    error_class = ""
    for _ in range(_TRIES):
        try:
            return _until_it_stays(desk, partial(_commit, desk, operations))
        except (store.EpochEnded, DatabaseGone):
            raise
        except Exception as error:  # noqa: BLE001 # whatever one operation provokes must not fail its neighbours
            _raise_if_gone(desk, error)
            error_class = type(error).__name__
    get_logger().warning("ledger_batch_taken_apart", error_class=error_class, count=len(operations))
    return [_guarded(desk, operation, partial(_commit_alone, desk, operation)) for operation in operations]


def _until_it_stays(desk: Desk, work: Callable[[], _Done]) -> _Done:
    """Do work again, after a pause by chance, for as long as the database takes it back because of others.

    Raises:
        DatabaseGone: It did so ``TRIES_MAX`` times.
    """
    try_number = 1
    while True:
        try:
            return work()
        except Exception as error:
            if not desk.backend.is_taken_back(error):
                raise
            if try_number == TRIES_MAX:
                raise DatabaseGone(type(error).__name__) from error
            get_logger().warning("ledger_batch_taken_back", error_class=type(error).__name__, attempt_number=try_number)
        time.sleep(random.random() * _PAUSE_SECONDS * try_number)  # noqa: S311 # so that two do not meet again
        try_number += 1


def _commit(desk: Desk, operations: Sequence[Operation]) -> list[Answer]:
    """Load, work through and save a batch in one transaction."""
    with desk.backend.transaction() as connection:
        books = store.load_for_operations(connection, operations, epoch_id=desk.epoch_id, moment=clock.utc_now())
        answers = [posting.perform(books, operation) for operation in operations]
        saving.save(connection, books)
    return answers


def _commit_alone(desk: Desk, operation: Operation) -> Answer:
    """Give one operation a transaction of its own."""
    return _commit(desk, [operation])[0]


def _find_dead_holds(desk: Desk, operation: FindDeadHolds) -> Answer:
    """End dead epochs durably, so that no late batch of theirs can come between, and only then look."""
    backend = desk.backend
    with backend.transaction() as connection:
        recovery.end_dead_epochs(
            connection,
            own_epoch_id=desk.epoch_id,
            now=clock.utc_now(),
            free_since_seconds=desk.free_since_seconds,
            seconds=clock.monotonic_seconds(),
        )
    with backend.transaction() as connection:
        return recovery.dead_holds(
            connection,
            own_epoch_id=desk.epoch_id,
            after_request_id=operation.after_request_id,
            holds_max=operation.holds_max,
        )


def _guarded(desk: Desk, operation: Operation, work: Callable[[], Answer]) -> Answer:
    """Do one operation; what the database refuses about it is its answer."""
    refused = Refused(error_class="")
    for _ in range(_TRIES):
        try:
            return _until_it_stays(desk, work)
        except (store.EpochEnded, DatabaseGone):
            raise
        except Exception as error:  # noqa: BLE001 # as above; its class goes to the log and to the caller
            _raise_if_gone(desk, error)
            refused = Refused(error_class=type(error).__name__)
    get_logger().error(
        "ledger_operation_refused",
        request_id=getattr(operation, "request_id", None),
        error_class=refused.error_class,
    )
    return refused


def _raise_if_gone(desk: Desk, error: Exception) -> None:
    """Tell a database that does not work from an operation that it does not want."""
    if desk.backend.is_gone(error):
        raise DatabaseGone(type(error).__name__) from error
