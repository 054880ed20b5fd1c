"""Mails to the staff: to those whose business it is, and to administrators where that is nobody's."""

import pytest

from onetoken_app.database import unit_of_work
from onetoken_app.identity.models import StaffRole
from onetoken_app.notifications.credit_letters import grant_waits
from onetoken_app.notifications.models import LetterKind
from onetoken_app.organizations.circulars import write_to_staff
from tests.credit.desk import ROOM, the_letters
from tests.support.builders import a_person

pytestmark = pytest.mark.usefixtures("database")


async def write_to_finance() -> list[str]:
    """Tell finance that something waits; return who was told."""
    async with unit_of_work() as session:
        await write_to_staff(
            session,
            mail_room=ROOM,
            role=StaffRole.FINANCE,
            letter=lambda locale: grant_waits(locale, organization_name="Test Ltd", address=ROOM.console_url),
        )
    return await the_letters(LetterKind.GRANT_WAITS)


class TestWriteToStaff:
    async def test_reaches_administrators_where_nobody_has_the_role(self) -> None:
        async with unit_of_work() as session:
            await a_person(session, email="admin@ops.example", staff_role=StaffRole.ADMINISTRATOR)
            await a_person(session, email="review@ops.example", staff_role=StaffRole.REVIEWER)
        assert await write_to_finance() == ["admin@ops.example"]

    async def test_reaches_those_with_the_role_alone(self) -> None:
        async with unit_of_work() as session:
            await a_person(session, email="admin@ops.example", staff_role=StaffRole.ADMINISTRATOR)
            await a_person(session, email="fin@ops.example", staff_role=StaffRole.FINANCE)
        assert await write_to_finance() == ["fin@ops.example"]
