"""Documents in and out: nobody's bytes are read before it is known who sends them, and every look is noted."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from sqlmodel import select

from onetoken_app.audit.models import AuditEntry
from onetoken_app.console import callers, file_intake
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.document_routes import PATH, DocumentRoutes
from onetoken_app.console.file_intake import UPLOADS_AT_ONCE_MAX
from onetoken_app.console.http_exchange import AsgiApp, Message
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import StaffRole
from onetoken_app.identity.passwords import hash_password
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.settings import Settings
from onetoken_app.verification.formats import DOCUMENT_BYTES_MAX
from onetoken_app.verification.models import CaseState
from onetoken_app.verification.queries import case_of
from tests.console.asgi_calls import ORIGIN, Answered, post
from tests.console.conftest import PASSWORD, Signed, a_signed_in
from tests.support.builders import a_person
from tests.verification.files import PAGE, PDF, WHOLE, png

MIB = 1024 * 1024


@dataclass(slots=True)
class Sender:
    """A browser, and how often it was asked for a piece of its body."""

    pieces: list[bytes]
    is_lost_after: int = 1_000
    asked_count: int = field(default=0)

    async def receive(self) -> Message:
        self.asked_count += 1
        if not self.pieces or self.asked_count > self.is_lost_after:
            return {"type": "http.disconnect"}
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}


class Waiting(Sender):
    """A browser that sends nothing more until it may hang up."""

    def __init__(self) -> None:
        super().__init__([b"%PDF"])
        self.is_asked = asyncio.Event()
        self.may_end = asyncio.Event()

    async def receive(self) -> Message:
        self.is_asked.set()
        await self.may_end.wait()
        return {"type": "http.disconnect"}


@pytest.fixture
def documents(routes: AccountRoutes, sqlite_settings: Settings) -> DocumentRoutes:
    """The routes over a fresh database."""
    assert routes.owns(PATH)
    return DocumentRoutes(sqlite_settings)


async def call(
    documents: AsgiApp, path: str, sender: Sender, headers: dict[str, str], *, method: str = "POST"
) -> Answered:
    """Send one request as a server does."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "client": ("198.51.100.7", 1), "headers": raw}
    await documents(scope, sender.receive, send)
    return Answered(status=sent[0]["status"], headers=list(sent[0]["headers"]), body=sent[-1]["body"])


async def upload(
    documents: DocumentRoutes,
    person: Signed,
    file: bytes | Sender = PDF,
    *,
    media_type: str = "application/pdf",
    **changes: str,
) -> Answered:
    """Send a file the way the page does, with changed headers (``_`` stands for ``-``)."""
    headers = {
        "origin": ORIGIN,
        "cookie": person.cookie,
        "content-type": media_type,
        "x-organization-id": person.organization_id,
        "x-document-kind": "business_licence",
        "x-document-name": quote("营业执照.pdf"),
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    sender = file if isinstance(file, Sender) else Sender([file[:1000], file[1000:]])
    return await call(documents, PATH, sender, headers)


async def download(documents: DocumentRoutes, cookie: str, document_id: str, **headers: str) -> Answered:
    """Ask for a document."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await call(documents, f"{PATH}/{document_id}", Sender([]), {"cookie": cookie, **named}, method="GET")


async def a_staff_cookie(routes: AccountRoutes, role: StaffRole) -> str:
    """Sign a member of the staff in."""
    password_hash = await hash_password(PASSWORD)
    async with unit_of_work() as session:
        await a_person(session, email=f"{role}@test.example", password_hash=password_hash, staff_role=role)
    body = {"email": f"{role}@test.example", "password": PASSWORD}
    return (await post(routes, "/account/sign-in", body, peer="192.0.2.9")).cookie


async def looks() -> list[tuple[str, str]]:
    """Return who opened which document."""
    async with read_session() as session:
        rows = await session.exec(select(AuditEntry).where(AuditEntry.action == "document_opened"))
        return [(row.actor_id, row.subject_id) for row in rows]


async def stored_count(organization_id: str) -> int:
    async with read_session() as session:
        case = await case_of(session, organization_id)
    return len(case.documents) if case else 0


class TestUpload:
    @pytest.mark.parametrize(("media_type", "file"), WHOLE.items(), ids=WHOLE)
    async def test_takes_a_document_in_and_hands_out_the_same_bytes(
        self, routes: AccountRoutes, documents: DocumentRoutes, media_type: str, file: bytes
    ) -> None:
        person = await a_signed_in(routes)
        answer = await upload(documents, person, file, media_type=media_type)
        assert answer.status == 201
        given = await download(documents, person.cookie, answer.json["id"])
        assert (given.status, given.body) == (200, file)
        assert given.header("content-type") == media_type
        assert given.header("x-content-type-options") == "nosniff"
        assert given.header("content-disposition") == f"attachment; filename*=UTF-8''{quote('营业执照.pdf')}"
        assert given.header("cache-control") == "no-store"

    async def test_the_same_file_twice_is_one(self, routes: AccountRoutes, documents: DocumentRoutes) -> None:
        person = await a_signed_in(routes)
        first, again = await upload(documents, person), await upload(documents, person)
        assert first.json == again.json
        assert await stored_count(person.organization_id) == 1

    async def test_reads_nothing_of_a_stranger(self, routes: AccountRoutes, documents: DocumentRoutes) -> None:
        person = await a_signed_in(routes)
        sender = Sender([PDF])
        answer = await upload(documents, person, sender, cookie="onetoken=unknown")
        assert (answer.status, sender.asked_count) == (401, 0)

    async def test_reads_nothing_from_another_site(self, routes: AccountRoutes, documents: DocumentRoutes) -> None:
        sender = Sender([PDF])
        answer = await upload(documents, await a_signed_in(routes), sender, origin="https://evil.test.example")
        assert (answer.status, answer.json["code"], sender.asked_count) == (403, "foreign_origin", 0)

    async def test_reads_nothing_for_another_organization(
        self, routes: AccountRoutes, documents: DocumentRoutes
    ) -> None:
        person = await a_signed_in(routes)
        other = await a_signed_in(routes, email="other@test.example")
        sender = Sender([PDF])
        answer = await upload(documents, person, sender, x_organization_id=other.organization_id)
        assert (answer.status, sender.asked_count) == (403, 0)
        assert await stored_count(other.organization_id) == 0

    @pytest.mark.parametrize("role", [OrganizationRole.DEVELOPER, OrganizationRole.BILLING, OrganizationRole.VIEWER])
    async def test_reads_nothing_of_a_role_that_does_not_suffice(
        self, routes: AccountRoutes, documents: DocumentRoutes, role: OrganizationRole
    ) -> None:
        sender = Sender([PDF])
        answer = await upload(documents, await a_signed_in(routes, role=role), sender)
        assert (answer.status, sender.asked_count) == (403, 0)

    async def test_reads_nothing_of_what_announces_too_much(
        self, routes: AccountRoutes, documents: DocumentRoutes
    ) -> None:
        sender = Sender([PDF])
        size = str(DOCUMENT_BYTES_MAX + 1)
        answer = await upload(documents, await a_signed_in(routes), sender, content_length=size)
        assert (answer.status, answer.json["code"], sender.asked_count) == (413, "document_too_large", 0)

    async def test_stops_at_ten_mebibytes_and_one_byte(self, routes: AccountRoutes, documents: DocumentRoutes) -> None:
        person = await a_signed_in(routes)
        sender = Sender([bytes(MIB)] * 10 + [b"x", bytes(MIB), bytes(MIB)])
        answer = await upload(documents, person, sender, content_length="5")
        assert (answer.status, answer.json["code"], sender.asked_count) == (413, "document_too_large", 11)
        assert await stored_count(person.organization_id) == 0

    async def test_exactly_ten_mebibytes_pass(self, routes: AccountRoutes, documents: DocumentRoutes) -> None:
        person = await a_signed_in(routes)
        file = PDF[:9] + b"%" * (DOCUMENT_BYTES_MAX - len(PDF) - 1) + b"\n" + PDF[9:]
        answer = await upload(documents, person, file)
        assert answer.status == 201
        assert len((await download(documents, person.cookie, answer.json["id"])).body) == 10 * MIB

    @pytest.mark.parametrize(
        ("file", "changes", "refusal"),
        [
            pytest.param(PDF + PAGE, {}, (400, "suspicious_document"), id="a polyglot"),
            pytest.param(PDF[:-20], {}, (400, "suspicious_document"), id="cut off"),
            pytest.param(png(), {}, (415, "document_format"), id="a picture that claims to be a PDF"),
            pytest.param(PAGE, {}, (415, "document_format"), id="a page"),
            pytest.param(b"", {}, (415, "document_format"), id="nothing"),
            pytest.param(PDF, {"content_type": "text/html"}, (415, "document_format"), id="a type that is not taken"),
            pytest.param(PDF, {"x_document_kind": "x"}, (400, "invalid_request"), id="an unknown kind"),
            pytest.param(PDF, {"x_document_name": ""}, (400, "invalid_request"), id="no name"),
            pytest.param(PDF, {"x_document_name": "%ff"}, (400, "invalid_request"), id="a name that is no text"),
            pytest.param(PDF, {"x_document_name": "a%0d%0ab"}, (400, "invalid_request"), id="a name of two lines"),
            pytest.param(PDF, {"x_document_name": "x" * 121}, (400, "invalid_request"), id="a long name"),
        ],
    )
    async def test_bad_files_are_refused_and_nothing_kept(
        self,
        routes: AccountRoutes,
        documents: DocumentRoutes,
        file: bytes,
        changes: dict[str, str],
        refusal: tuple[int, str],
    ) -> None:
        person = await a_signed_in(routes)
        answer = await upload(documents, person, file, media_type="application/pdf", **changes)
        assert (answer.status, answer.json["code"]) == refusal
        assert await stored_count(person.organization_id) == 0

    async def test_a_connection_that_is_lost_in_the_middle_keeps_nothing(
        self, routes: AccountRoutes, documents: DocumentRoutes
    ) -> None:
        person = await a_signed_in(routes)
        sender = Sender([PDF[:50], PDF[50:]], is_lost_after=1)
        answer = await upload(documents, person, sender)
        assert (answer.status, answer.json["code"]) == (400, "hung_up")
        assert await stored_count(person.organization_id) == 0

    async def test_one_person_sends_one_at_a_time_and_is_in_nobodys_way(
        self, routes: AccountRoutes, documents: DocumentRoutes
    ) -> None:
        slow, other = await a_signed_in(routes), await a_signed_in(routes, email="kim@test.example")
        waiting = [Waiting() for _ in range(UPLOADS_AT_ONCE_MAX)]
        first = asyncio.create_task(upload(documents, slow, waiting[0]))
        await waiting[0].is_asked.wait()
        for more in waiting[1:]:
            refused = await upload(documents, slow, more)
            assert (refused.status, refused.json["code"]) == (429, "too_many_requests")
            assert not more.is_asked.is_set()
        assert (await upload(documents, other)).status == 201
        waiting[0].may_end.set()
        assert (await first).status == 400
        assert (await upload(documents, slow)).status == 201

    async def test_a_body_that_falls_behind_is_cut(
        self, routes: AccountRoutes, documents: DocumentRoutes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(file_intake, "GRACE_SECONDS", 0.05)
        person = await a_signed_in(routes)
        answer = await upload(documents, person, Waiting())
        assert (answer.status, answer.json["code"]) == (408, "too_slow")
        assert await stored_count(person.organization_id) == 0
        assert (await upload(documents, person)).status == 201

    async def test_a_path_in_the_name_is_dropped(self, routes: AccountRoutes, documents: DocumentRoutes) -> None:
        person = await a_signed_in(routes)
        answer = await upload(documents, person, x_document_name=quote("C:\\x\\../licence.pdf"))
        given = await download(documents, person.cookie, answer.json["id"])
        assert given.header("content-disposition").endswith("''licence.pdf")


class TestDownload:
    async def test_every_look_is_in_the_audit_log(self, routes: AccountRoutes, documents: DocumentRoutes) -> None:
        person = await a_signed_in(routes)
        document_id = (await upload(documents, person)).json["id"]
        for _ in range(2):
            await download(documents, person.cookie, document_id)
        assert await looks() == [(person.person_id, document_id)] * 2

    @pytest.mark.parametrize(
        ("role", "status"),
        [
            (StaffRole.REVIEWER, 200),
            (StaffRole.ADMINISTRATOR, 200),
            (StaffRole.AUDITOR, 200),
            (StaffRole.FINANCE, 404),
            (StaffRole.SUPPORT, 404),
        ],
    )
    async def test_of_the_staff_those_see_it_who_have_to(
        self, routes: AccountRoutes, documents: DocumentRoutes, role: StaffRole, status: int
    ) -> None:
        document_id = (await upload(documents, await a_signed_in(routes))).json["id"]
        cookie = await a_staff_cookie(routes, role)
        assert (await download(documents, cookie, document_id)).status == status
        assert len(await looks()) == (1 if status == 200 else 0)

    async def test_another_organization_and_nobody_learn_nothing(
        self, routes: AccountRoutes, documents: DocumentRoutes
    ) -> None:
        document_id = (await upload(documents, await a_signed_in(routes))).json["id"]
        other = await a_signed_in(routes, email="other@test.example")
        foreign = await download(documents, other.cookie, document_id)
        unknown = await download(documents, other.cookie, "doc_unknown")
        nobody = await download(documents, "", document_id)
        assert (foreign.status, foreign.body) == (unknown.status, unknown.body) == (404, b'{"code":"not_found"}')
        assert nobody.status == 401
        assert await looks() == []

    async def test_a_developer_of_the_same_organization_does_not_see_it(
        self, routes: AccountRoutes, documents: DocumentRoutes
    ) -> None:
        person = await a_signed_in(routes)
        document_id = (await upload(documents, person)).json["id"]
        password_hash = await hash_password(PASSWORD)
        async with unit_of_work() as session:
            await a_person(
                session,
                email="dev@test.example",
                password_hash=password_hash,
                organization_id=person.organization_id,
                role=OrganizationRole.DEVELOPER,
            )
        callers.forget_everybody()
        signed = await post(routes, "/account/sign-in", {"email": "dev@test.example", "password": PASSWORD})
        assert (await download(documents, signed.cookie, document_id)).status == 404

    async def test_another_site_cannot_make_a_browser_fetch_it(
        self, routes: AccountRoutes, documents: DocumentRoutes
    ) -> None:
        person = await a_signed_in(routes)
        document_id = (await upload(documents, person)).json["id"]
        answer = await download(documents, person.cookie, document_id, sec_fetch_site="cross-site")
        assert answer.status == 403

    @pytest.mark.parametrize("document_id", ["", "..", "doc_x\x00", "doc_x/../../etc", "%2e%2e"])
    async def test_odd_ids_are_not_found(
        self, routes: AccountRoutes, documents: DocumentRoutes, document_id: str
    ) -> None:
        person = await a_signed_in(routes)
        assert (await download(documents, person.cookie, document_id)).status == 404


class TestPaths:
    async def test_other_methods_are_refused(self, routes: AccountRoutes, documents: DocumentRoutes) -> None:
        person = await a_signed_in(routes)
        for path, method in ((PATH, "GET"), (f"{PATH}/doc_x", "POST"), (f"{PATH}/doc_x", "DELETE")):
            answer = await call(documents, path, Sender([]), {"cookie": person.cookie}, method=method)
            assert answer.status == 405

    async def test_a_case_is_drafted_by_an_upload(self, routes: AccountRoutes, documents: DocumentRoutes) -> None:
        person = await a_signed_in(routes)
        await upload(documents, person)
        async with read_session() as session:
            case = await case_of(session, person.organization_id)
        assert case is not None
        assert case.state is CaseState.DRAFT
