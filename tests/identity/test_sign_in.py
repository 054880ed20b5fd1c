"""People sign in and out; guesses slow down, and the owner still gets in."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.identity.models import SignInSession, SignInThrottle, StaffRole
from onetoken_app.identity.queries import (
    SignedInView,
    credentials_of,
    person,
    person_by_email,
    signed_in_person,
)
from onetoken_app.identity.service import (
    admit_sign_in_attempt,
    clear_failed_sign_ins,
    create_person,
    disable_person,
    end_session,
    grant_staff_role,
    rename_person,
    revoke_sessions_of,
    set_locale,
    set_password_hash,
    start_session,
)
from onetoken_app.identity.throttle import address_subject

EMAIL = "owner@bench.example"
LIFETIME = timedelta(hours=12)
MORNING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("database")


async def a_person(email: str = EMAIL) -> str:
    """Create somebody."""
    async with unit_of_work() as session:
        return await create_person(session, email=email, name="Pat", password_hash="a hash")


async def signed_in(person_id: str) -> str:
    """Sign somebody in; return the secret."""
    async with unit_of_work() as session:
        return await start_session(
            session, person_id=person_id, caller_ip="127.0.0.1", user_agent="Browser\r\n" * 100, lifetime=LIFETIME
        )


async def who(secret: str, *, after: timedelta = timedelta(0)) -> SignedInView | None:
    """Ask whose session it is."""
    async with read_session() as session:
        return await signed_in_person(session, secret, clock.utc_now() + after)


class Wall:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    """A clock that stands still until a test turns it."""
    wall = Wall()
    monkeypatch.setattr(clock, "utc_now", wall)
    return wall


async def guess(wall: Wall, *, email: str = EMAIL, caller_ip: str = "192.0.2.1") -> int:
    """Try to guess; return the seconds to wait."""
    async with unit_of_work() as session:
        return await admit_sign_in_attempt(session, email=email, caller_ip=caller_ip, now=wall.now)


class TestCreatePerson:
    async def test_an_address_is_one_person_whatever_its_case(self) -> None:
        person_id = await a_person(" Owner@Bench.Example ")
        async with read_session() as session:
            found = await credentials_of(session, "OWNER@bench.example")
            assert await person_by_email(session, EMAIL) == await person(session, person_id)
        assert found is not None
        assert (found.person_id, found.password_hash, found.is_disabled) == (person_id, "a hash", False)
        assert "a hash" not in repr(found)
        with pytest.raises(Conflict):
            await a_person()

    @pytest.mark.parametrize(
        "email", ["", "x", "a@b", "a b@c.example", "a@@b.example", "a@b.exa\nmple", "x" * 300 + "@b.example"]
    )
    async def test_refuses_what_is_no_address(self, email: str) -> None:
        with pytest.raises(BadRequest):
            await a_person(email)


class TestRenamePerson:
    async def test_a_name_is_trimmed_and_one_that_cannot_be_shown_is_refused(self) -> None:
        person_id = await a_person()
        async with unit_of_work() as session:
            await rename_person(session, person_id=person_id, name="  Ann ")
            for odd in ("x" * 121, "a\nb"):
                with pytest.raises(BadRequest):
                    await rename_person(session, person_id=person_id, name=odd)
        async with read_session() as session:
            known = await person(session, person_id)
        assert known is not None
        assert known.name == "Ann"


class TestCredentialsOf:
    @pytest.mark.parametrize("email", ["\0", "owner@bench.example\0", "\ud800@bench.example", "", "x" * 10_000])
    async def test_what_no_column_can_hold_is_nobodys(self, email: str, wall: Wall) -> None:
        async with read_session() as session:
            assert await credentials_of(session, email) is None
            assert await person_by_email(session, email) is None
        assert await guess(wall, email=email) == 0


class TestSessions:
    async def test_a_secret_opens_its_persons_session(self) -> None:
        person_id = await a_person()
        async with unit_of_work() as session:
            for _ in range(2):
                await grant_staff_role(session, person_id=person_id, role=StaffRole.FINANCE)
            await set_locale(session, person_id=person_id, locale="zh-CN")
        found = await who(await signed_in(person_id))
        assert found is not None
        assert (found.person_id, found.email, found.locale) == (person_id, EMAIL, "zh-CN")
        assert found.staff_roles == frozenset({StaffRole.FINANCE})

    async def test_the_secret_is_stored_nowhere(self) -> None:
        secret = await signed_in(await a_person())
        assert len(secret) >= 43
        async with read_session() as session:
            row = (await session.exec(select(SignInSession))).one()
        assert secret not in str(row.model_dump())
        assert row.user_agent.isprintable()
        assert len(row.user_agent) <= 256

    async def test_ends_at_its_expiry(self) -> None:
        secret = await signed_in(await a_person())
        assert await who(secret, after=LIFETIME - timedelta(minutes=1)) is not None
        assert await who(secret, after=LIFETIME) is None

    async def test_signing_out_ends_this_one_only(self) -> None:
        person_id = await a_person()
        one, other = await signed_in(person_id), await signed_in(person_id)
        for _ in range(2):
            async with unit_of_work() as session:
                await end_session(session, secret=one)
        assert await who(one) is None
        assert await who(other) is not None

    async def test_an_unknown_secret_opens_nothing(self) -> None:
        assert await who("nobody's") is None

    async def test_all_end_when_revoked_disabled_or_the_password_changes(self) -> None:
        person_id = await a_person()
        first = await signed_in(person_id)
        async with unit_of_work() as session:
            await revoke_sessions_of(session, person_id)
        second = await signed_in(person_id)
        async with unit_of_work() as session:
            await set_password_hash(session, person_id=person_id, password_hash="another hash")
        third = await signed_in(person_id)
        async with unit_of_work() as session:
            await disable_person(session, person_id=person_id)
        assert [await who(secret) for secret in (first, second, third)] == [None, None, None]
        with pytest.raises(NotFound):
            await signed_in(person_id)

    async def test_an_unknown_person_has_none(self) -> None:
        with pytest.raises(NotFound):
            await signed_in("per_none")


class TestThrottle:
    async def test_an_account_bears_ten_guesses_in_any_fifteen_minutes(self, wall: Wall) -> None:
        addresses = (f"2001:db8:{number:x}::1" for number in count())
        admitted: list[datetime] = []
        for _second in range(0, 3_600, 5):
            if await guess(wall, caller_ip=next(addresses)) == 0:
                admitted.append(wall.now)
            wall.now += timedelta(seconds=5)
        for since in admitted:
            assert sum(since <= moment < since + timedelta(minutes=15) for moment in admitted) <= 10
        assert len(admitted) > 10

    async def test_the_owner_gets_in_after_the_delay(self, wall: Wall) -> None:
        for number in range(50):
            await guess(wall, caller_ip=f"198.51.100.{number}")
        wait = await guess(wall)
        assert 0 < wait <= 180
        wall.now += timedelta(seconds=wait)
        assert await guess(wall) == 0
        async with unit_of_work() as session:
            await clear_failed_sign_ins(session, email=EMAIL, caller_ip="192.0.2.1")
        assert await guess(wall) == 0

    async def test_guesses_at_once_are_counted_one_by_one(self, wall: Wall) -> None:
        waits = await asyncio.gather(*(guess(wall, caller_ip=f"198.51.100.{number}") for number in range(20)))
        assert sorted(waits) == [0] * 4 + [30] * 16

    async def test_people_who_do_not_exist_wait_alike(self, wall: Wall) -> None:
        await a_person()
        for email in (EMAIL, "nobody@bench.example"):
            for number in range(6):
                await guess(wall, email=email, caller_ip=f"198.51.100.{number}")
        waits = [await guess(wall, email=email, caller_ip="192.0.2.9") for email in (EMAIL, "nobody@bench.example")]
        assert waits[0] == waits[1] > 0

    async def test_an_address_is_slowed_after_many_accounts(self, wall: Wall) -> None:
        waits = [await guess(wall, email=f"{number}@bench.example") for number in range(21)]
        assert waits[:20] == [0] * 20
        assert waits[20] > 0
        assert await guess(wall, email="new@bench.example", caller_ip="192.0.2.2") == 0

    async def test_success_does_not_clear_what_an_address_did_to_others(self, wall: Wall) -> None:
        for number in range(5):
            await guess(wall, email=f"{number}@bench.example")
        await guess(wall)
        async with unit_of_work() as session:
            await clear_failed_sign_ins(session, email=EMAIL, caller_ip="192.0.2.1")
        async with read_session() as session:
            row = await session.get(SignInThrottle, address_subject("192.0.2.1"))
        assert row is not None
        assert row.failure_count == 5

    async def test_a_quiet_hour_is_forgiven(self, wall: Wall) -> None:
        for _ in range(4):
            await guess(wall)
        assert await guess(wall) > 0
        wall.now += timedelta(hours=1)
        assert [await guess(wall) for _ in range(4)] == [0] * 4

    async def test_a_network_of_ipv6_counts_as_one_address(self) -> None:
        assert address_subject("2001:db8::1") == address_subject("2001:db8::ffff:1")
        assert address_subject("2001:db8::1") != address_subject("2001:db8:0:1::1")
        assert address_subject("::ffff:192.0.2.1") == address_subject("192.0.2.1")

    async def test_the_case_of_an_address_buys_no_guesses(self, wall: Wall) -> None:
        for number in range(4):
            assert await guess(wall, caller_ip=f"198.51.100.{number}") == 0
        assert await guess(wall, email=EMAIL.upper(), caller_ip="192.0.2.7") > 0
