"""Reckons a month from the journal: balances before and after, every movement, and the charges of calls.

A transaction counts for the first month that is closed at or behind it: it was recorded before the month's end **and**
its number is not above the last one that the closing looked at. A row that comes later, whatever moment it carries,
counts for the next month. So each row counts once, and a statement begins with the balance that the last one ended
with.

Balances come from the accounts less what was recorded since, movements from the postings, charges from the roll-ups of
the calls' closes, which the account balances know nothing of: three sources that have to agree to the nano.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.billing.call_lines import call_lines, first_number_at
from onetoken_app.billing.figures import ChargeLine, Movement
from onetoken_app.clock import iso_instant
from onetoken_app.ledger.kinds import AccountKind, TransactionKind
from onetoken_app.ledger.models import IS_NO_CALL, Account, Correction, Hold, OpenHold, Posting, Transaction
from onetoken_app.money import Currency, Nanos
from onetoken_app.usage.periods import Period


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a statement ends: both are kept with it."""

    until: datetime
    last_number: int


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A month's figures as the ledger and the calls have them."""

    last_number: int
    closing: dict[AccountKind, Nanos]
    movements: list[Movement]
    charges: list[ChargeLine]
    late_charges: list[ChargeLine]
    """The part of the charges that carries a moment of the month before."""
    corrections_nanos: Nanos
    open_hold_count: int
    open_hold_nanos: Nanos


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is reckoned."""

    organization_id: str
    currency: Currency
    since: datetime
    until: datetime
    before: Bounds | None
    """Of the statement before; ``None``: this is the first."""
    before_since: datetime | None = None
    """Where the month before began; unset with ``before``."""
    before_charges: list[ChargeLine] = field(default_factory=list)
    """What was counted for the calls of the month before when it was closed; what is more now came late."""


async def reckon(session: AsyncSession, stretch: Stretch) -> Reckoned:
    """Reckon a stretch of an organization's time.

    Args:
        session: In a snapshot, see ``database.begin_snapshot``.
        stretch: Whose, and from where to where.
    """
    head = await _head(session)
    closing = await _closing(session, stretch)
    held = await _open_holds(session, stretch)
    own = await _lines(session, stretch, Period(since=stretch.since, until=stretch.until))
    late = await _late(session, stretch)
    return Reckoned(
        last_number=head,
        closing=closing,
        movements=await _movements(session, stretch),
        charges=added_lines(own, late),
        late_charges=late,
        corrections_nanos=await _corrections(session, stretch),
        open_hold_count=held[0],
        open_hold_nanos=held[1],
    )


async def _head(session: AsyncSession) -> int:
    """Return the journal's last number; numbers are committed in order and without gaps."""
    return int((await _rows(session, sa.select(sa.func.max(col(Transaction.sequence_number)))))[0][0] or 0)


async def _closing(session: AsyncSession, stretch: Stretch) -> dict[AccountKind, Nanos]:
    """Return the balances at the end: those of now, less what was recorded from the end on."""
    query = sa.select(col(Account.kind), col(Account.id), col(Account.posted_nanos)).where(
        col(Account.owner_id) == stretch.organization_id, col(Account.currency) == stretch.currency
    )
    accounts = await _rows(session, query)
    kinds = {row.id: AccountKind(row.kind) for row in accounts}
    closing: dict[AccountKind, Nanos] = {}
    for row in accounts:
        closing[kinds[row.id]] = closing.get(kinds[row.id], 0) + int(row.posted_nanos)
    first = await first_number_at(session, stretch.until)
    for account_id, amount in await _recorded_since(session, stretch, first, list(kinds)):
        closing[kinds[account_id]] -= amount
    return closing


async def _recorded_since(
    session: AsyncSession, stretch: Stretch, first: int, account_ids: list[str]
) -> list[tuple[str, Nanos]]:
    """Return what was added to accounts by rows that carry a moment from the end on."""
    sums = []
    for side, sign in ((col(Posting.to_account_id), 1), (col(Posting.from_account_id), -1)):
        query: sa.Executable = (
            sa.select(side.label("account_id"), sa.func.sum(col(Posting.amount_nanos)).label("amount"))
            .join(Transaction, col(Transaction.sequence_number) == col(Posting.transaction_number))
            .where(
                col(Posting.transaction_number) >= first,
                col(Transaction.recorded_at) >= stretch.until,
                side.in_(account_ids),
            )
            .group_by(side)
        )
        sums += [(row.account_id, sign * int(row.amount)) for row in await _rows(session, query)]
    return sums


async def _movements(session: AsyncSession, stretch: Stretch) -> list[Movement]:
    """Return the stretch's transactions that are no call's, one row for each kind of account that they touch."""
    source, target = aliased(Account), aliased(Account)
    query: sa.Executable = (
        sa.select(
            col(Transaction.sequence_number), col(Transaction.recorded_at), col(Transaction.kind).label("why"),
            col(Transaction.reference), col(Posting.amount_nanos), col(source.owner_id).label("giver"),
            col(source.kind).label("given_from"), col(target.owner_id).label("taker"),
            col(target.kind).label("given_to"),
        )
        .select_from(Transaction)
        .join(Posting, col(Posting.transaction_number) == col(Transaction.sequence_number))
        .join(source, col(source.id) == col(Posting.from_account_id))
        .join(target, col(target.id) == col(Posting.to_account_id))
        .where(
            IS_NO_CALL,
            *_counts_for(stretch, moment=col(Transaction.recorded_at), number=col(Transaction.sequence_number)),
            col(source.currency) == stretch.currency,
            (col(source.owner_id) == stretch.organization_id) | (col(target.owner_id) == stretch.organization_id),
        )
        .order_by(col(Transaction.sequence_number), col(Posting.posting_number))
    )  # fmt: skip
    movements = []
    for row in await _rows(session, query):
        sides = ((row.giver, row.given_from, -1), (row.taker, row.given_to, 1))
        movements += [
            Movement(
                transaction_number=row.sequence_number,
                recorded_at=iso_instant(row.recorded_at),
                kind=TransactionKind(row.why),
                pot=AccountKind(pot),
                reference=row.reference,
                amount_nanos=sign * int(row.amount_nanos),
            )
            for owner, pot, sign in sides
            if owner == stretch.organization_id
        ]
    return movements


def added_lines(first: list[ChargeLine], second: list[ChargeLine], *, sign: int = 1) -> list[ChargeLine]:
    """Add lines of the same model, key and project up, or take the second ones away; drop those that are nothing."""
    lines = {_place(line): line for line in first}
    for line in second:
        known = lines.get(_place(line))
        shown = known or line
        lines[_place(line)] = msgspec.structs.replace(
            shown,
            call_count=(known.call_count if known else 0) + sign * line.call_count,
            amount_nanos=(known.amount_nanos if known else 0) + sign * line.amount_nanos,
        )
    return sorted(
        (line for line in lines.values() if line.amount_nanos or line.call_count),
        key=lambda line: (line.model_name, line.project_name, line.api_key_name, _place(line)),
    )


async def _late(session: AsyncSession, stretch: Stretch) -> list[ChargeLine]:
    """Return what came to the month before after it was closed."""
    if stretch.before is None or stretch.before_since is None:
        return []
    period = Period(since=stretch.before_since, until=stretch.before.until)
    return added_lines(await _lines(session, stretch, period), stretch.before_charges, sign=-1)


async def _lines(session: AsyncSession, stretch: Stretch, period: Period) -> list[ChargeLine]:
    """Return what the calls of a period came to, in the stretch's currency."""
    return await call_lines(session, organization_id=stretch.organization_id, currency=stretch.currency, period=period)


def _place(line: ChargeLine) -> tuple[str, str, str]:
    """Say what a line is of."""
    return line.model_id, line.api_key_id, line.project_id


async def _corrections(session: AsyncSession, stretch: Stretch) -> Nanos:
    """Return what corrections of recovered calls added to the charges."""
    corrected = sa.select(col(Correction.request_id)).where(
        *_counts_for(stretch, moment=col(Correction.corrected_at), number=col(Correction.transaction_number))
    )
    query = sa.select(sa.func.sum(col(Correction.amount_nanos))).where(
        col(Correction.request_id).in_(sa.select(col(Hold.request_id)).where(*_holds_among(stretch, corrected)))
    )
    return int((await _rows(session, query))[0][0] or 0)


async def _open_holds(session: AsyncSession, stretch: Stretch) -> tuple[int, Nanos]:
    """Count the calls that began before the end and are under way, with what was set aside for them at first."""
    under_way = sa.select(col(OpenHold.request_id))
    query = sa.select(sa.func.count(), sa.func.sum(col(Hold.amount_nanos))).where(
        *_holds_among(stretch, under_way), col(Hold.placed_at) < stretch.until
    )
    count, nanos = (await _rows(session, query))[0]
    return int(count), int(nanos or 0)


def _holds_among(stretch: Stretch, request_ids: sa.Select[Any]) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of the organization's holds among some, which are few.

    Not as a join: SQLite, which keeps no statistics here, would read all holds and look each of them up.
    """
    return [
        col(Hold.request_id).in_(request_ids),
        col(Hold.owner_id) == stretch.organization_id,
        col(Hold.currency) == stretch.currency,
    ]


def _counts_for(stretch: Stretch, *, moment: Any, number: Any) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of the rows that count for a stretch."""
    conditions = [moment < stretch.until]
    if stretch.before is not None:
        conditions.append((number > stretch.before.last_number) | (moment >= stretch.before.until))
    return conditions


async def _rows(session: AsyncSession, query: sa.Executable) -> Sequence[Any]:
    """Run a query of several columns; ``session.exec`` knows the types of SQLModel's own select only."""
    found: Sequence[Any] = (await (await session.connection()).execute(query)).all()
    return found
