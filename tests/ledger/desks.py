"""What the ledger's tests arrange with: owners, a writer's desk without a process, short operations, raw reads."""

import time
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.database import read_session
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import recovery, service
from onetoken_app.ledger.backends import open_backend
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.ledger.client import hello
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import Answer, CloseHold, Operation, PlaceHold, Statement
from onetoken_app.ledger.verification import VerificationReport, verify
from onetoken_app.money import Currency, Nanos
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource

_GONE_SECONDS_MAX = 10


async def an_owner(session: AsyncSession, *, balance_nanos: Nanos = 0, floor_nanos: Nanos = 0) -> str:
    """Open an account in dollars; return its owner."""
    owner_id = new_id(Kind.ORGANIZATION)
    await service.open_account(session, owner_id=owner_id, currency=Currency.USD, floor_nanos=floor_nanos)
    if balance_nanos:
        await service.grant_credit(
            session, owner_id=owner_id, currency=Currency.USD, amount_nanos=balance_nanos, reference=f"test:{owner_id}"
        )
    return owner_id


def a_desk(settings: Settings, *, epoch_id: str = "") -> Desk:
    """Sit a writer down in this process, with its epoch registered."""
    epoch = epoch_id or new_id(Kind.EPOCH)
    backend = open_backend(hello(settings, epoch))
    try:
        with backend.transaction() as connection:
            recovery.register_epoch(connection, epoch, now=clock.utc_now())
    except BaseException:
        backend.close()
        raise
    return Desk(backend, epoch)


def until_gone(desk: Desk, *, present: Desk) -> None:
    """End a desk, as seen from another: PostgreSQL notices the end of a session some time later."""
    if desk.backend.connection.is_sqlite:
        desk.backend.close()
        return
    pid = rows(desk, "SELECT pg_backend_pid()")[0][0]
    desk.backend.close()
    deadline = time.monotonic() + _GONE_SECONDS_MAX
    while rows(present, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}") != [(0,)]:
        assert time.monotonic() < deadline, "the session never ended"
        time.sleep(0.005)


def do(desk: Desk, operation: Operation) -> Answer:
    """Do one operation in a batch of its own."""
    return answer(desk, [operation])[0]


def a_hold(owner_id: str, amount_nanos: Nanos, *, request_id: str = "", context: bytes = b"context") -> PlaceHold:
    """Ask for a hold in dollars."""
    return PlaceHold(request_id or new_id(Kind.REQUEST), owner_id, Currency.USD, amount_nanos, context)


def a_close(
    request_id: str,
    amount_nanos: Nanos,
    *,
    outcome: Outcome = Outcome.SETTLED,
    extra: list[Statement] | None = None,
) -> CloseHold:
    """Ask for a close at an amount."""
    return CloseHold(request_id, outcome, amount_nanos, UsageSource.UPSTREAM, extra or [])


def rows(desk: Desk, sql: str, *parameters: Any) -> list[Any]:
    """Read with the desk's own connection."""
    with desk.backend.transaction() as connection:
        return connection.read(sql, parameters)


async def the_report() -> VerificationReport:
    """Verify the database in use."""
    async with read_session() as session:
        return await verify(session)
