"""Files of invoices in and out: finance alone sends them, and only who is in charge of the money keeps them."""

from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlmodel import select

from onetoken_app.audit.models import AuditEntry
from onetoken_app.billing.models import InvoiceFile, SealedInvoiceFile
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.invoice_file_routes import PATH, InvoiceFileRoutes
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import Person, StaffRole
from onetoken_app.identity.passwords import hash_password
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.settings import Settings
from tests.billing.invoice_papers import PAPERS, XML
from tests.billing.invoices import Customer, a_customer, ask, issue, reverse, the_invoice
from tests.console.asgi_calls import ORIGIN, Answered, post
from tests.console.conftest import PASSWORD
from tests.console.test_document_routes import Sender, call
from tests.support.builders import a_person
from tests.verification.files import PDF


@dataclass(frozen=True, slots=True)
class Desk:
    """An issued invoice, a red letter of it, and cookies of people."""

    routes: InvoiceFileRoutes
    account: AccountRoutes
    customer: Customer
    invoice_id: str
    letter_id: str
    finance: str

    async def upload(self, file: bytes | Sender = PDF, *, cookie: str | None = None, **changes: str) -> Answered:
        """Send a file the way the page does, with changed headers (``_`` stands for ``-``)."""
        headers = {
            "origin": ORIGIN,
            "cookie": self.finance if cookie is None else cookie,
            "content-type": "application/octet-stream",
            "x-invoice-id": self.invoice_id,
            "x-paper-id": self.invoice_id,
            "x-document-name": "invoice.pdf",
        }
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        sender = file if isinstance(file, Sender) else Sender([file[:20], file[20:]])
        return await call(self.routes, PATH, sender, headers)

    async def download(self, file_id: str, cookie: str, **headers: str) -> Answered:
        """Ask for a file."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await call(self.routes, f"{PATH}/{file_id}", Sender([]), {"cookie": cookie, **named}, method="GET")

    async def member(self, role: OrganizationRole, *, organization_id: str | None = None) -> str:
        """Sign a new member of the organization in, or one of another."""
        return await signed_in(self.account, role, organization_id or self.customer.organization_id)


async def signed_in(
    account: AccountRoutes, role: OrganizationRole, organization_id: str | None, staff_role: StaffRole | None = None
) -> str:
    """Add a person and sign them in; return the cookie."""
    password_hash = await hash_password(PASSWORD)
    async with unit_of_work() as session:
        person_id = await a_person(
            session, password_hash=password_hash, organization_id=organization_id, role=role, staff_role=staff_role
        )
        email = (await session.get_one(Person, person_id)).email
    return (await post(account, "/account/sign-in", {"email": email, "password": PASSWORD})).cookie


@pytest.fixture
async def desk(routes: AccountRoutes, sqlite_settings: Settings) -> Desk:
    """An invoice that finance issued and reversed in part."""
    assert routes.owns(PATH)
    customer = await a_customer(paid_units=1000)
    invoice_id = await ask(customer, units=100)
    await issue(customer, invoice_id)
    await reverse(customer, invoice_id, units=40)
    view = await the_invoice(invoice_id)
    finance = await signed_in(routes, OrganizationRole.OWNER, None, StaffRole.FINANCE)
    files = InvoiceFileRoutes(sqlite_settings)
    return Desk(files, routes, customer, invoice_id, view.red_letters[0].id, finance)


async def opened() -> list[str]:
    """Return which files were looked at."""
    async with read_session() as session:
        query = select(AuditEntry.subject_id).where(AuditEntry.action == "invoice_file_opened")
        return list(await session.exec(query))


class TestUpload:
    @pytest.mark.parametrize(("media_type", "file"), PAPERS.items(), ids=PAPERS)
    async def test_the_organization_gets_the_same_bytes_and_the_look_is_noted(
        self, desk: Desk, media_type: str, file: bytes
    ) -> None:
        answer = await desk.upload(file)
        assert answer.status == 201
        file_id = answer.json["id"]
        kept = await desk.download(file_id, await desk.member(OrganizationRole.BILLING))
        assert (kept.status, kept.body, kept.header("content-type")) == (200, file, media_type)
        assert kept.header("content-disposition") == "attachment; filename*=UTF-8''invoice.pdf"
        assert kept.header("content-security-policy") == "default-src 'none'; sandbox"
        assert await opened() == [file_id]

    async def test_nothing_of_it_is_on_disk_in_the_clear(self, desk: Desk, sqlite_settings: Settings) -> None:
        assert (await desk.upload(XML)).status == 201
        async with read_session() as session:
            (sealed,) = await session.exec(select(SealedInvoiceFile))
        assert b"EInvoice" not in sealed.bytes_sealed
        for path in sqlite_settings.data_dir.rglob("*"):
            assert not path.is_file() or b"<EInvoice>" not in path.read_bytes()

    async def test_one_of_a_format_replaces_the_one_before_and_a_repeat_changes_nothing(self, desk: Desk) -> None:
        first = (await desk.upload(XML)).json["id"]
        assert (await desk.upload(XML)).json["id"] == first
        second = (await desk.upload(XML + b"\n")).json["id"]
        beside = (await desk.upload(PDF)).json["id"]
        of_letter = (await desk.upload(XML, x_paper_id=desk.letter_id)).json["id"]
        async with read_session() as session:
            assert set(await session.exec(select(InvoiceFile.id))) == {second, beside, of_letter}
            count = (await session.exec(sa.select(sa.func.count()).select_from(SealedInvoiceFile))).scalar_one()  # type: ignore[call-overload] # SQLModel types only its own select
        assert count == 3
        assert (await desk.download(first, desk.finance)).status == 404

    async def test_reads_nothing_of_who_may_not_send(self, desk: Desk) -> None:
        owner = await desk.member(OrganizationRole.OWNER)
        involved = await signed_in(
            desk.account, OrganizationRole.VIEWER, desk.customer.organization_id, StaffRole.FINANCE
        )
        for cookie, changes, status in (
            ("", {}, 401),
            (owner, {}, 403),
            (involved, {}, 403),
            (desk.finance, {"origin": "https://elsewhere.example"}, 403),
            (desk.finance, {"x-invoice-id": "ivc_none", "x-paper-id": "ivc_none"}, 404),
            (desk.finance, {"x-paper-id": "red_none"}, 404),
        ):
            sender = Sender([PDF])
            answer = await desk.upload(sender, cookie=cookie, **changes)
            assert (answer.status, sender.asked_count) == (status, 0), changes

    async def test_takes_none_before_the_invoice_is_issued(self, desk: Desk) -> None:
        asked = await ask(desk.customer, units=1, submission_id="form-0002")
        answer = await desk.upload(x_invoice_id=asked, x_paper_id=asked)
        assert (answer.status, answer.json) == (409, {"code": "invoice_changed"})

    async def test_says_what_is_wrong_with_a_file(self, desk: Desk) -> None:
        assert (await desk.upload(b"<html></html>")).json == {"code": "invoice_file_format"}
        sender = Sender([PDF])
        refused = await desk.upload(sender, content_length=str(11 * 1024 * 1024))
        assert (refused.json, sender.asked_count) == ({"code": "invoice_file_too_large"}, 0)


class TestDownload:
    @pytest.mark.parametrize(
        ("role", "status"),
        [
            (OrganizationRole.OWNER, 200),
            (OrganizationRole.BILLING, 200),
            (OrganizationRole.DEVELOPER, 404),
            (OrganizationRole.VIEWER, 404),
        ],
    )
    async def test_is_for_those_in_charge_of_money(self, desk: Desk, role: OrganizationRole, status: int) -> None:
        file_id = (await desk.upload()).json["id"]
        assert (await desk.download(file_id, await desk.member(role))).status == status

    async def test_to_everybody_else_there_is_no_file(self, desk: Desk) -> None:
        file_id = (await desk.upload()).json["id"]
        elsewhere = (await a_customer(name="Other Ltd")).organization_id
        stranger = await desk.member(OrganizationRole.OWNER, organization_id=elsewhere)
        assert (await desk.download(file_id, "")).status == 401
        assert (await desk.download(file_id, stranger)).status == 404
        assert (await desk.download(file_id, desk.finance, sec_fetch_site="cross-site")).status == 403
        for unknown in ("ivf_none", "", "x" * 33, "\0", "é"):
            assert (await desk.download(unknown, desk.finance)).status == 404
        assert await opened() == []
