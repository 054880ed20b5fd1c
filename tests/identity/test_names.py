"""What people are called, where only their ids are known."""

import pytest

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import Person
from onetoken_app.identity.queries import names_of
from tests.support.builders import a_person

pytestmark = pytest.mark.usefixtures("database")


class TestNamesOf:
    async def test_is_the_name_or_the_address_of_somebody_who_gave_none(self) -> None:
        async with unit_of_work() as session:
            named = await a_person(session)
            unnamed = await a_person(session, email="unnamed@test.example")
            row = await session.get(Person, unnamed)
            assert row is not None
            row.name = ""
        async with read_session() as session:
            names = await names_of(session, {named, unnamed, "per_nobody", ""})
        assert names == {named: "Pat", unnamed: "unnamed@test.example"}

    async def test_of_nobody_is_nothing(self) -> None:
        async with read_session() as session:
            assert await names_of(session, set()) == {}
