"""The audit chain: lines follow each other, and any tampering is found at the first wrong row."""

import asyncio
import random

import pytest
import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.audit.models import ActorKind, AuditEntry
from onetoken_app.audit.service import OPERATOR, SYSTEM, Actor, record
from onetoken_app.audit.verification import AuditHead, AuditReport, verify_audit
from onetoken_app.database import Database, read_session, unit_of_work

TAMPERED_COLUMNS = {
    "recorded_at": "'2020-01-01T00:00:00.000000Z'",
    "actor_kind": "'nobody'",
    "actor_id": "'per_other'",
    "action": "'nothing_done'",
    "subject_id": "'key_other'",
    "organization_id": "'org_other'",
    "facts": "'{}'",
    "previous_hash": "zeroblob(31)",
    "hash": "zeroblob(32)",
}


async def write(count: int) -> None:
    """Write some lines, each in a unit of its own."""
    for number in range(count):
        async with unit_of_work() as session:
            await record(
                session,
                actor=Actor(ActorKind.PERSON, "per_1"),
                action="api_key_minted",
                subject_id=f"key_{number}",
                organization_id="org_1",
                facts={"number": number, "is_first": number == 0, "name": "中", "nothing": None},
            )


async def verified(known_head: AuditHead | None = None) -> AuditReport:
    """Verify the committed chain."""
    async with read_session() as session:
        return await verify_audit(session, known_head=known_head)


async def tamper(*statements: str) -> None:
    """Change the embedded database behind everybody's back, triggers taken away."""
    async with unit_of_work() as session:
        connection = await session.connection()
        for verb in ("update", "delete"):
            await connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS audit_entry_refuses_{verb}")
        for statement in statements:
            await connection.exec_driver_sql(statement)


@pytest.mark.usefixtures("database")
class TestRecord:
    async def test_lines_follow_each_other_from_one(self) -> None:
        await write(3)
        async with read_session() as session:
            rows = (await session.exec(select(AuditEntry).order_by(col(AuditEntry.sequence_number)))).all()
        assert [row.sequence_number for row in rows] == [1, 2, 3]
        assert [row.previous_hash for row in rows] == [bytes(32), rows[0].hash, rows[1].hash]
        assert rows[0].facts == '{"is_first":true,"name":"\\u4e2d","nothing":null,"number":0}'

    async def test_lines_written_at_once_make_one_chain(self) -> None:
        async def one(number: int) -> None:
            async with unit_of_work() as session:
                await record(session, actor=SYSTEM, action="thing_done", subject_id=str(number))

        await asyncio.gather(*(one(number) for number in range(12)))
        report = await verified()
        assert (report.is_ok, report.entry_count) == (True, 12)

    async def test_a_unit_that_fails_leaves_no_line(self) -> None:
        async def fail() -> None:
            async with unit_of_work() as session:
                await record(session, actor=OPERATOR, action="thing_done", subject_id="x")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert (await verified()).entry_count == 0

    @pytest.mark.parametrize(
        ("action", "subject_id", "fact"),
        [("Free text here", "x", ""), ("thing_done", "x" * 65, ""), ("thing_done", "x", "y" * 2000)],
        ids=["free text for an action", "a long subject", "long facts"],
    )
    async def test_refuses_texts_of_any_length(self, action: str, subject_id: str, fact: str) -> None:
        async with unit_of_work() as session:
            with pytest.raises(ValueError, match="audit line"):
                await record(session, actor=SYSTEM, action=action, subject_id=subject_id, facts={"fact": fact})


class TestVerify:
    @pytest.mark.usefixtures("database")
    async def test_an_empty_and_a_whole_chain_are_right(self) -> None:
        assert await verified() == AuditReport(
            is_ok=True, entry_count=0, head=AuditHead(0, "00" * 32), first_wrong_row=None
        )
        await write(3)
        report = await verified()
        assert (report.is_ok, report.entry_count, report.head.sequence_number) == (True, 3, 3)

    @pytest.mark.usefixtures("sqlite_database")
    @pytest.mark.parametrize(("column", "value"), TAMPERED_COLUMNS.items(), ids=TAMPERED_COLUMNS)
    async def test_names_a_row_that_was_changed(self, column: str, value: str) -> None:
        await write(3)
        await tamper(f"UPDATE audit_entry SET {column} = {value} WHERE sequence_number = 2")
        report = await verified()
        assert (report.is_ok, report.first_wrong_row, report.head.sequence_number) == (False, 2, 1)

    @pytest.mark.usefixtures("sqlite_database")
    async def test_names_a_row_that_is_gone_or_moved(self) -> None:
        await write(4)
        await tamper("UPDATE audit_entry SET sequence_number = 9 WHERE sequence_number = 2")
        assert (await verified()).first_wrong_row == 2
        await tamper("DELETE FROM audit_entry WHERE sequence_number IN (1, 9)")
        assert (await verified()).first_wrong_row == 1

    @pytest.mark.usefixtures("sqlite_database")
    async def test_a_head_noted_earlier_shows_what_was_cut_off_or_rewritten(self) -> None:
        await write(3)
        head = (await verified()).head
        await tamper("DELETE FROM audit_entry WHERE sequence_number = 3")
        assert (await verified()).is_ok
        assert (await verified(head)).first_wrong_row == 3
        await write(1)
        assert (await verified()).is_ok
        assert (await verified(head)).first_wrong_row == 3

    @pytest.mark.long
    async def test_finds_each_of_a_thousand_changes(self, sqlite_database: Database) -> None:
        await write(20)
        assert (await verified()).is_ok
        randomness = random.Random(20261123)
        await tamper()
        found = 0
        for _ in range(1_000):
            column, value = randomness.choice(list(TAMPERED_COLUMNS.items()))
            statement = randomness.choice(
                (
                    f"UPDATE audit_entry SET {column} = {value} WHERE sequence_number = :number",
                    "DELETE FROM audit_entry WHERE sequence_number = :number",
                    "UPDATE audit_entry SET sequence_number = 100 WHERE sequence_number = :number",
                )
            )
            number = randomness.randint(1, 19)
            async with AsyncSession(sqlite_database.writing_engine) as session:
                await (await session.connection()).execute(sa.text(statement), {"number": number})
                report = await verify_audit(session)
                await session.rollback()
            found += report.first_wrong_row == number
        assert found == 1_000
        assert (await verified()).is_ok
