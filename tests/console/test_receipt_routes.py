"""Receipts go to those in charge of the money of the organization that paid, and to nobody else."""

import base64
import hashlib

import pytest

from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.callers import find_caller, forget_everybody
from onetoken_app.console.top_ups import approve_transfer
from onetoken_app.database import unit_of_work
from onetoken_app.identity import service as identity
from onetoken_app.identity.models import StaffRole
from onetoken_app.identity.passwords import hash_password
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.payments.queries import OrderView
from onetoken_app.payments.receipt import STYLE
from onetoken_app.settings import Settings
from tests.console.asgi_calls import Answered, post
from tests.console.conftest import PASSWORD, Signed, a_signed_in
from tests.console.test_top_ups import order, somebody_of_finance
from tests.support.builders import a_person


async def a_reported(routes: AccountRoutes, settings: Settings) -> tuple[Signed, OrderView]:
    """Sign an owner in, who orders and reports."""
    owner = await a_signed_in(routes)
    customer = await find_caller(owner.cookie)
    assert customer is not None
    return owner, await order(customer, settings)


async def a_credited(routes: AccountRoutes, settings: Settings) -> tuple[Signed, OrderView]:
    """Have finance approve what an owner reported."""
    owner, reported = await a_reported(routes, settings)
    assert await approve_transfer(
        await somebody_of_finance(routes),
        settings=settings,
        order_id=reported.id,
        expected_revision=reported.revision,
        received="100.00",
        bank_entry="ENTRY-1",
    )
    return owner, reported


async def receipt(routes: AccountRoutes, order_id: str, cookie: str) -> Answered:
    """Ask for a receipt as a browser does."""
    return await post(routes, f"/account/receipts/{order_id}", b"", method="GET", origin="", cookie=cookie)


class TestReceipt:
    async def test_is_a_page_that_can_do_nothing(self, routes: AccountRoutes, sqlite_settings: Settings) -> None:
        owner, credited = await a_credited(routes, sqlite_settings)
        answer = await receipt(routes, credited.id, owner.cookie)
        assert answer.status == 200
        assert credited.reference_code in answer.body.decode()
        assert answer.header("content-disposition") == (
            f'inline; filename="onetoken-receipt-{credited.reference_code}.html"'
        )
        style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
        policy = answer.header("content-security-policy")
        assert policy.startswith("default-src 'none'")
        assert f"style-src 'sha256-{style}'" in policy
        assert answer.header("cache-control") == "no-store"
        assert answer.header("x-content-type-options") == "nosniff"

    async def test_speaks_the_readers_language(self, routes: AccountRoutes, sqlite_settings: Settings) -> None:
        owner, credited = await a_credited(routes, sqlite_settings)
        async with unit_of_work() as session:
            await identity.set_locale(session, person_id=owner.person_id, locale="zh-CN")
        forget_everybody()
        assert '<html lang="zh-CN">' in (await receipt(routes, credited.id, owner.cookie)).body.decode()

    async def test_is_not_there_before_it_is_credited(self, routes: AccountRoutes, sqlite_settings: Settings) -> None:
        owner, reported = await a_reported(routes, sqlite_settings)
        assert (await receipt(routes, reported.id, owner.cookie)).status == 404

    @pytest.mark.parametrize(
        ("role", "status"),
        [
            (OrganizationRole.OWNER, 200),
            (OrganizationRole.ADMINISTRATOR, 200),
            (OrganizationRole.BILLING, 200),
            (OrganizationRole.DEVELOPER, 404),
            (OrganizationRole.VIEWER, 404),
        ],
    )
    async def test_is_for_those_in_charge_of_money(
        self, routes: AccountRoutes, sqlite_settings: Settings, role: OrganizationRole, status: int
    ) -> None:
        owner, credited = await a_credited(routes, sqlite_settings)
        cookie = await _signed_in(routes, organization_id=owner.organization_id, role=role)
        assert (await receipt(routes, credited.id, cookie)).status == status

    async def test_is_for_nobody_else(self, routes: AccountRoutes, sqlite_settings: Settings) -> None:
        owner, credited = await a_credited(routes, sqlite_settings)
        stranger = await a_signed_in(routes, email="stranger@test.example")
        finance = await _signed_in(routes, staff_role=StaffRole.FINANCE)
        assert (await receipt(routes, credited.id, "")).status == 401
        assert (await receipt(routes, credited.id, stranger.cookie)).status == 404
        assert (await receipt(routes, credited.id, finance)).status == 404
        for unknown in ("top_x", "", "\0", "\ud800", "../sign-in", "x" * 5000):
            assert (await receipt(routes, unknown, owner.cookie)).status == 404


async def _signed_in(
    routes: AccountRoutes,
    *,
    organization_id: str | None = None,
    role: OrganizationRole = OrganizationRole.OWNER,
    staff_role: StaffRole | None = None,
) -> str:
    """Add one more person and sign them in; return the cookie."""
    password_hash = await hash_password(PASSWORD)
    async with unit_of_work() as session:
        await a_person(
            session,
            email="another@test.example",
            password_hash=password_hash,
            organization_id=organization_id,
            role=role,
            staff_role=staff_role,
        )
    answer = await post(routes, "/account/sign-in", {"email": "another@test.example", "password": PASSWORD})
    return answer.cookie
