"""Links for one use: who opens them, once, in time."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import OneTokenError
from onetoken_app.identity.errors import LinkExpired, LinkUnknown, LinkUsed
from onetoken_app.identity.mailed_links import (
    LIFETIMES,
    issue_link,
    link_of,
    purge_links,
    use_link,
)
from onetoken_app.identity.models import MailedLink, MailedLinkKind
from onetoken_app.identity.service import admit_mail_request

RESET = MailedLinkKind.PASSWORD_RESET


async def issued(kind: MailedLinkKind = RESET, *, subject_id: str = "") -> str:
    """Issue a link."""
    async with unit_of_work() as session:
        return await issue_link(session, kind=kind, email="Li@Company.example", subject_id=subject_id)


async def used(secret: str, kind: MailedLinkKind = RESET) -> str:
    """Use a link; return the address, or the code of the refusal."""
    try:
        async with unit_of_work() as session:
            return (await use_link(session, kind=kind, secret=secret)).email
    except OneTokenError as error:
        return error.code


@pytest.mark.usefixtures("database")
class TestUseLink:
    async def test_of_many_at_once_one_gets_in(self) -> None:
        secret = await issued()
        outcomes = await asyncio.gather(*(used(secret) for _ in range(4)))
        assert sorted(outcomes) == ["li@company.example", "link_used", "link_used", "link_used"]

    async def test_the_others_sent_for_the_same_are_spent_too(self) -> None:
        first, second = await issued(), await issued()
        other = await issued(MailedLinkKind.INVITATION, subject_id="inv_1")
        assert await used(second) == "li@company.example"
        assert await used(first) == "link_used"
        assert await used(other, MailedLinkKind.INVITATION) == "li@company.example"

    async def test_an_error_later_in_the_same_work_leaves_it_good(self) -> None:
        secret = await issued()

        async def fail_after_use() -> None:
            async with unit_of_work() as session:
                await use_link(session, kind=RESET, secret=secret)
                raise LookupError

        with pytest.raises(LookupError):
            await fail_after_use()
        assert await used(secret) == "li@company.example"


@pytest.mark.usefixtures("sqlite_database")
class TestLinkOf:
    async def test_looking_uses_nothing_up_and_nothing_but_a_digest_is_stored(self) -> None:
        secret = await issued()
        for _ in range(2):
            async with read_session() as session:
                assert (await link_of(session, kind=RESET, secret=secret)).email == "li@company.example"
        async with read_session() as session:
            row = (await session.exec(select(MailedLink))).one()
        assert len(row.secret_digest) == 32
        assert secret.encode() not in row.secret_digest

    async def test_says_why_a_link_is_worthless(self, monkeypatch: pytest.MonkeyPatch) -> None:
        spent, old = await issued(), await issued(MailedLinkKind.SIGN_UP)
        await used(spent)
        moment = clock.utc_now() + LIFETIMES[MailedLinkKind.SIGN_UP]
        monkeypatch.setattr(clock, "utc_now", lambda: moment)
        for kind, secret, refusal in (
            (RESET, spent, LinkUsed),
            (MailedLinkKind.SIGN_UP, old, LinkExpired),
            (RESET, old, LinkUnknown),
        ):
            async with read_session() as session:
                with pytest.raises(refusal):
                    await link_of(session, kind=kind, secret=secret)


@pytest.mark.usefixtures("sqlite_database")
class TestPurgeLinks:
    async def test_removes_only_what_expired_before(self) -> None:
        await issued()
        await issued(MailedLinkKind.INVITATION)
        async with unit_of_work() as session:
            before = clock.utc_now() + timedelta(hours=2)
            assert await purge_links(session, expired_before=before, count_max=10) == 1
        async with read_session() as session:
            assert [row.kind for row in await session.exec(select(MailedLink))] == [MailedLinkKind.INVITATION]


@pytest.mark.usefixtures("database")
class TestAdmitMailRequest:
    async def test_of_many_at_once_three_get_through_and_the_rest_learn_how_long(self) -> None:
        async def ask(number: int) -> int:
            async with unit_of_work() as session:
                return await admit_mail_request(
                    session, email="li@company.example", caller_ip=f"192.0.2.{number}", now=clock.utc_now()
                )

        waits = await asyncio.gather(*(ask(number) for number in range(8)))
        assert waits.count(0) == 3
        assert all(3500 < wait < 3620 for wait in waits if wait)

    async def test_after_an_hour_it_begins_afresh(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for hour in range(2):
            moment = clock.utc_now() + timedelta(hours=hour)
            monkeypatch.setattr(clock, "utc_now", lambda moment=moment: moment)
            async with unit_of_work() as session:
                waits = [
                    await admit_mail_request(session, email="a@b.example", caller_ip="192.0.2.1", now=moment)
                    for _ in range(4)
                ]
            assert waits[:3] == [0, 0, 0]
            assert waits[3] > 0
