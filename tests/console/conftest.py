"""Fixtures of the console's tests."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from onetoken_app.console import callers
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.database import Database, unit_of_work
from onetoken_app.identity.passwords import hash_password
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.settings import Settings
from tests.console.asgi_calls import post
from tests.support.builders import a_person, an_organization

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed-in person."""

    person_id: str
    organization_id: str
    email: str
    cookie: str


@pytest.fixture(autouse=True)
def _nobody_remembered() -> Iterator[None]:
    """Let no test see another's sessions."""
    callers.forget_everybody()
    yield
    callers.forget_everybody()


@pytest.fixture
def routes(sqlite_database: Database, sqlite_settings: Settings) -> AccountRoutes:
    """The account routes over a fresh database."""
    assert sqlite_database.is_sqlite
    return AccountRoutes(sqlite_settings)


async def a_signed_in(
    routes: AccountRoutes, *, role: OrganizationRole = OrganizationRole.OWNER, email: str = "pat@test.example"
) -> Signed:
    """Add a member of a new organization and sign them in."""
    password_hash = await hash_password(PASSWORD)
    async with unit_of_work() as session:
        organization_id = await an_organization(session)
        person_id = await a_person(
            session, email=email, password_hash=password_hash, organization_id=organization_id, role=role
        )
    answer = await post(routes, "/account/sign-in", {"email": email, "password": PASSWORD})
    assert answer.status == 200
    return Signed(person_id=person_id, organization_id=organization_id, email=email, cookie=answer.cookie)
