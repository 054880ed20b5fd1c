"""Statements and data sheets go to those in charge of the organization's money and to finance, and to nobody else."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pypdf import PdfReader
from sqlmodel import col

from onetoken_app import clock
from onetoken_app.billing.details import InvoiceForm
from onetoken_app.billing.invoicing import request_invoice
from onetoken_app.billing.models import InvoiceKind
from onetoken_app.billing.statement_queries import statements_of
from onetoken_app.console import billing_routes
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.running_months import IN_A_ROW, PER_SECOND
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import StaffRole
from onetoken_app.identity.passwords import hash_password
from onetoken_app.jobs.close_statements import close_some, reckoned_months
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.models import Account, AccountKind
from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.settings import Settings
from tests.console.asgi_calls import Answered, post
from tests.console.conftest import PASSWORD, Signed, a_signed_in
from tests.payments.orders import MAIL_ROOM
from tests.support.builders import a_person


@pytest.fixture(autouse=True)
def _nothing_drawn() -> Iterator[None]:
    """Leave nobody waiting for a document."""
    yield
    assert not billing_routes._drawing_for


async def a_statement(owner: Signed, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Close a month, some weeks ago, of an organization that topped up in it; return the statement's id."""
    moment = clock.utc_now() - timedelta(days=40)
    async with unit_of_work() as session:
        with monkeypatch.context() as earlier:
            earlier.setattr(clock, "utc_now", lambda: moment)
            await ledger.top_up(
                session, owner_id=owner.organization_id, currency=Currency.USD, amount_nanos=NANOS_PER_UNIT,
                reference="top_up:1",
            )  # fmt: skip
        accounts = sa.update(Account).where(col(Account.kind) == AccountKind.PREPAID).values(created_at=moment)
        await (await session.connection()).execute(accounts)
    figures = await reckoned_months()
    async with unit_of_work() as session:
        await close_some(session, settings, figures=figures)
    async with read_session() as session:
        return (await statements_of(session, owner.organization_id))[-1].id


async def get(routes: AccountRoutes, path: str, cookie: str, *, query: str = "") -> Answered:
    """Ask for a file as a browser does."""
    return await post(routes, path, b"", method="GET", origin="", cookie=cookie, query=query)


async def signed_in(
    routes: AccountRoutes, *, organization_id: str | None = None, role: OrganizationRole = OrganizationRole.OWNER,
    staff_role: StaffRole | None = None,
) -> str:  # fmt: skip
    """Add one more person and sign them in; return the cookie."""
    password_hash = await hash_password(PASSWORD)
    async with unit_of_work() as session:
        await a_person(
            session, email="another@test.example", password_hash=password_hash, organization_id=organization_id,
            role=role, staff_role=staff_role,
        )  # fmt: skip
    return (await post(routes, "/account/sign-in", {"email": "another@test.example", "password": PASSWORD})).cookie


def text_of(answer: Answered) -> str:
    """Read a PDF's text."""
    pages = PdfReader(io.BytesIO(answer.body)).pages
    return "\n".join(page.extract_text() for page in pages).replace("\x00", "")


class TestStatement:
    async def test_is_a_file_in_the_language_that_is_asked_for(
        self, routes: AccountRoutes, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner = await a_signed_in(routes)
        statement_id = await a_statement(owner, sqlite_settings, monkeypatch)
        path = f"/account/statements/{statement_id}"
        english = await get(routes, f"{path}.pdf", owner.cookie)
        chinese = await get(routes, f"{path}.pdf", owner.cookie, query="locale=zh-CN")
        assert (english.status, english.header("content-type")) == (200, "application/pdf")
        assert english.header("content-disposition").startswith('attachment; filename="onetoken-statement-')
        assert english.header("x-content-type-options") == "nosniff"
        assert english.header("cache-control") == "no-store"
        assert "Monthly statement" in text_of(english)
        assert "月度账单" in text_of(chinese)
        assert "1.000000000" in text_of(chinese)

    async def test_is_there_as_csv_and_before_it_is_closed(
        self, routes: AccountRoutes, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner = await a_signed_in(routes)
        statement_id = await a_statement(owner, sqlite_settings, monkeypatch)
        for name in (statement_id, f"running-{owner.organization_id}-USD"):
            answer = await get(routes, f"/account/statements/{name}.csv", owner.cookie)
            assert (answer.status, answer.header("content-type")) == (200, "text/csv; charset=utf-8")
            rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))
            assert rows[-1][8] == "1.00"

    @pytest.mark.parametrize(
        ("role", "status"),
        [
            (OrganizationRole.ADMINISTRATOR, 200),
            (OrganizationRole.BILLING, 200),
            (OrganizationRole.DEVELOPER, 404),
            (OrganizationRole.VIEWER, 404),
        ],
    )
    async def test_is_for_those_in_charge_of_money(
        self, routes: AccountRoutes, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch,
        role: OrganizationRole, status: int,
    ) -> None:  # fmt: skip
        owner = await a_signed_in(routes)
        statement_id = await a_statement(owner, sqlite_settings, monkeypatch)
        cookie = await signed_in(routes, organization_id=owner.organization_id, role=role)
        for name in (statement_id, f"running-{owner.organization_id}-USD"):
            assert (await get(routes, f"/account/statements/{name}.csv", cookie)).status == status

    async def test_is_for_nobody_else_but_finance(
        self, routes: AccountRoutes, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner = await a_signed_in(routes)
        statement_id = await a_statement(owner, sqlite_settings, monkeypatch)
        stranger = await a_signed_in(routes, email="stranger@test.example")
        finance = await signed_in(routes, staff_role=StaffRole.FINANCE)
        for name in (statement_id, f"running-{owner.organization_id}-USD"):
            path = f"/account/statements/{name}.csv"
            assert (await get(routes, path, "")).status == 401
            assert (await get(routes, path, stranger.cookie)).status == 404
            assert (await get(routes, path, finance)).status == 200
        for unknown in (
            "x.pdf",
            "x",
            ".pdf",
            "\0.pdf",
            "../sign-in",
            f"{'x' * 5000}.csv",
            "running--.csv",
            "\ud800.csv",
        ):
            assert (await get(routes, f"/account/statements/{unknown}", owner.cookie)).status == 404

    async def test_the_month_that_runs_is_not_reckoned_for_one_person_without_end(
        self, routes: AccountRoutes, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner = await a_signed_in(routes)
        closed = f"/account/statements/{await a_statement(owner, sqlite_settings, monkeypatch)}.csv"
        path, now = f"/account/statements/running-{owner.organization_id}-USD.csv", 1000.0
        monkeypatch.setattr(clock, "monotonic_seconds", lambda: now)
        assert {(await get(routes, path, owner.cookie)).status for _ in range(IN_A_ROW)} == {200}
        refused = await get(routes, path, owner.cookie)
        assert (refused.status, refused.json) == (429, {"code": "too_many_requests", "seconds": 5})
        assert (await get(routes, closed, owner.cookie)).status == 200
        colleague = await signed_in(routes, organization_id=owner.organization_id)
        assert (await get(routes, path, colleague)).status == 200
        now += 1 / PER_SECOND
        assert [(await get(routes, path, owner.cookie)).status for _ in range(2)] == [200, 429]


class TestInvoiceSheet:
    async def test_shows_what_was_asked_for_to_its_organization(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        owner = await a_signed_in(routes)
        assert sqlite_settings.is_sqlite
        async with unit_of_work() as session:
            await ledger.top_up(
                session, owner_id=owner.organization_id, currency=Currency.USD, amount_nanos=NANOS_PER_UNIT,
                reference="top_up:1",
            )  # fmt: skip
            form = InvoiceForm("form-0001", InvoiceKind.COMMERCIAL, "books@test.example", NANOS_PER_UNIT)
            invoice_id = await request_invoice(
                session, organization_id=owner.organization_id, form=form, requested_by=owner.person_id,
                mail_room=MAIL_ROOM,
            )  # fmt: skip
        stranger = await a_signed_in(routes, email="stranger@test.example")
        path = f"/account/invoices/{invoice_id}.pdf"
        answer = await get(routes, path, owner.cookie)
        assert answer.status == 200
        words = text_of(answer)
        assert "books@test.example" in words
        assert "USD 1.00" in words
        assert (await get(routes, path, stranger.cookie)).status == 404
        assert (await get(routes, f"/account/invoices/{invoice_id}.csv", owner.cookie)).status == 404
