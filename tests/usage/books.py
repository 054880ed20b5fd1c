"""Calls for tests of sums: held and closed through the ledger's own books, at any moment, with their records."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session
from sqlmodel import select

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.ledger import posting, saving, service, store
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.models import Account, Epoch
from onetoken_app.ledger.operations import Answer, CloseHold, HoldClosed, Operation, PlaceHold, RecordProgress
from onetoken_app.ledger.sql import SessionConnection
from onetoken_app.ledger.verification import verify
from onetoken_app.money import Currency, Nanos
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.recording import UsageDraft, encode_draft, insert_statement
from onetoken_app.usage.rollups import first_difference, roll_up

EPOCH = "epo_test"
PLENTY_NANOS: Nanos = 10**18


async def open_account(owner_id: str, *, balance_nanos: Nanos = PLENTY_NANOS) -> None:
    """Give an owner an account with credit, unless there is one."""
    async with unit_of_work() as session:
        if (await session.exec(select(Epoch.id))).first() is None:
            session.add(Epoch(id=EPOCH, number=1, started_at=datetime.fromisoformat("2026-01-01T00:00:00+00:00")))
        known = select(Account.id).where(Account.owner_id == owner_id)
        if (await session.exec(known)).first() is None:
            await service.open_account(session, owner_id=owner_id, currency=Currency.USD)
            await service.grant_credit(
                session, owner_id=owner_id, currency=Currency.USD, amount_nanos=balance_nanos, reference=f"t:{owner_id}"
            )


async def perform(*operations: Operation, moment: datetime) -> list[Answer]:
    """Do operations in one batch of a writer whose clock shows ``moment``."""

    def work(session: Session) -> list[Answer]:
        transaction = session.connection()
        connection = SessionConnection(transaction.exec_driver_sql, is_sqlite=transaction.dialect.name == "sqlite")
        books = store.load_for_operations(connection, operations, epoch_id=EPOCH, moment=moment)
        answers = [posting.perform(books, operation) for operation in operations]
        saving.save(connection, books)
        return answers

    async with unit_of_work() as session:
        return await session.run_sync(work)


async def is_sqlite() -> bool:
    """Whether the embedded database is in use."""
    async with read_session() as session:
        return session.get_bind().dialect.name == "sqlite"


async def settled(*drafts: UsageDraft, closed_at: datetime | None = None) -> None:
    """Hold nothing for calls and settle each at what its draft says, when it arrived unless ``closed_at`` says else."""
    on_sqlite = await is_sqlite()
    for draft in drafts:
        await open_account(draft.organization_id)
        await perform(hold_of(draft), close_of(draft, is_sqlite=on_sqlite), moment=closed_at or draft.requested_at)


def hold_of(draft: UsageDraft) -> PlaceHold:
    """Ask for a hold of nothing; the charge comes from what is available."""
    bare = replace(draft, charge_nanos=0, usage_source=UsageSource.NONE, input_tokens=0, output_tokens=0, channel_id="")
    return PlaceHold(draft.request_id, draft.organization_id, draft.currency, 0, encode_draft(bare))


def close_of(draft: UsageDraft, *, is_sqlite: bool, outcome: Outcome = Outcome.SETTLED) -> CloseHold:
    """Ask for the close that a draft tells of."""
    return CloseHold(
        request_id=draft.request_id,
        outcome=outcome,
        amount_nanos=draft.charge_nanos,
        usage_source=draft.usage_source,
        extra=[insert_statement(draft, is_sqlite=is_sqlite)],
    )


async def recovered(draft: UsageDraft, *, closed_at: datetime) -> None:
    """Hold, note what the draft says as progress, and recover the call at that, as the relay's recovery does."""
    on_sqlite = await is_sqlite()
    await open_account(draft.organization_id)
    progress = replace(draft, usage_source=UsageSource.CHECKPOINT)
    died = replace(progress, error_code="process_died")
    await perform(
        hold_of(draft),
        RecordProgress(draft.request_id, draft.charge_nanos, encode_draft(progress)),
        close_of(died, is_sqlite=on_sqlite, outcome=Outcome.RECOVERED),
        moment=closed_at,
    )


async def corrected(draft: UsageDraft, *, corrected_at: datetime) -> None:
    """Let the true end of a recovered call arrive."""
    (answer,) = await perform(close_of(draft, is_sqlite=await is_sqlite()), moment=corrected_at)
    assert isinstance(answer, HoldClosed)
    assert not answer.is_first


async def roll_up_all(*, transactions_max: int = 1_000) -> int:
    """Roll everything up, in units of work of this size; return how many there were."""
    count = 0
    while True:
        async with unit_of_work() as session:
            done = await roll_up(session, transactions_max=transactions_max)
        count += done
        if done < transactions_max:
            return count


async def assert_sums_are_right() -> None:
    """See that the ledger is in order and that the roll-ups are what its journal says."""
    async with read_session() as session:
        report = await verify(session)
        assert report.is_ok, report.first_wrong_row
        assert await first_difference(session) is None
