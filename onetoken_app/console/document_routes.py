"""Plain ASGI routes for documents of case files: in as they are, out as attachments.

Nobody's bytes are read before it is known who sends them and that they may: a stranger is answered after the head of
the request. Reflex's own upload would read the whole form first. Every look is in the audit log before the first byte
leaves.
"""

import asyncio
from http import HTTPStatus

from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.console.callers import Caller, Role, find_caller
from onetoken_app.console.file_intake import FileIntake, file_name, send_file
from onetoken_app.console.http_exchange import (
    Receive,
    RefusedExchange,
    Scope,
    Send,
    header,
    send_json,
    send_refusal,
)
from onetoken_app.console.origins import allowed_origins
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import Conflict, OneTokenError
from onetoken_app.identity.models import StaffRole
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger
from onetoken_app.vault import load_root_secrets
from onetoken_app.verification import service as verification
from onetoken_app.verification.errors import DocumentTooLarge, UnknownDocumentFormat
from onetoken_app.verification.formats import DOCUMENT_BYTES_MAX
from onetoken_app.verification.models import DocumentFormat, DocumentKind
from onetoken_app.verification.queries import DocumentPlaceView, case_of, document_place, sealed_document
from onetoken_app.verification.sealing import open_sealed, prepare_document

PATH = "/account/documents"
_TOO_LARGE = "A document has at most 10 MiB. Scan it with less detail, or split it."
_MAY_LOOK = frozenset({StaffRole.REVIEWER, StaffRole.ADMINISTRATOR, StaffRole.AUDITOR})
_TEMPLATE = f"{PATH}/ID"
logger = get_logger()


class DocumentRoutes:
    """Takes documents in and hands them out."""

    def __init__(self, settings: Settings) -> None:
        """Take what does not change while the process lives."""
        self._settings = settings
        self._origins = frozenset(allowed_origins(settings))
        self._intake = FileIntake(bytes_max=DOCUMENT_BYTES_MAX, too_large=DocumentTooLarge(_TOO_LARGE))

    def owns(self, path: str) -> bool:
        """Whether a path is answered here."""
        return path == PATH or path.startswith(f"{PATH}/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; an error becomes a code that the page has words for."""
        try:
            await self._answer(scope, receive, send)
        except RefusedExchange as refusal:
            await send_refusal(send, refusal)
        except OneTokenError as error:
            await send_refusal(send, RefusedExchange(HTTPStatus(error.http_status), error.code))
        except Exception:  # the console's edge: whatever broke, the browser learns that nothing was done
            logger.exception("document_route_failed", path=PATH if scope["path"] == PATH else _TEMPLATE)
            await send_refusal(send, RefusedExchange(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error"))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose the route."""
        is_upload = scope["path"] == PATH
        if scope["method"] != ("POST" if is_upload else "GET"):
            raise RefusedExchange(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
        if is_upload:
            document_id = await self._take_in(scope, receive)
            await send_json(send, HTTPStatus.CREATED, {"id": document_id})
        else:
            await self._hand_out(scope, send)

    async def _take_in(self, scope: Scope, receive: Receive) -> str:
        """Put a file into the case of the caller's organization; return the document's id."""
        # Another site may make a browser post here with our cookie; it cannot make it claim our origin.
        if header(scope, b"origin").lower() not in self._origins:
            raise RefusedExchange(HTTPStatus.FORBIDDEN, "foreign_origin")
        caller = await _sender(scope)
        kind, name, media_type = _kind(scope), file_name(scope), _media_type(scope)
        await _refuse_case_under_review(caller.organization_id)
        file = await self._intake.body(scope, receive, sender_id=caller.person.person_id)
        key = load_root_secrets(self._settings).key_encryption_key
        document = await asyncio.to_thread(
            prepare_document, file, key_encryption_key=key, kind=kind, name=name, media_type=media_type
        )
        async with unit_of_work() as session:
            return await verification.add_document(
                session,
                organization_id=caller.organization_id,
                document=document,
                uploaded_by=caller.person.person_id,
            )

    async def _hand_out(self, scope: Scope, send: Send) -> None:
        """Send a document to somebody who may see it."""
        if header(scope, b"sec-fetch-site") == "cross-site":
            raise RefusedExchange(HTTPStatus.FORBIDDEN, "foreign_origin")
        caller, place = await _looker(scope)
        async with unit_of_work() as session:
            await audit.record(
                session,
                actor=Actor(ActorKind.PERSON, caller.person.person_id),
                action="document_opened",
                subject_id=place.id,
                organization_id=place.organization_id,
                facts={"is_staff": bool(caller.person.staff_roles & _MAY_LOOK)},
            )
        async with read_session() as session:
            sealed = await sealed_document(session, place.id)
        if sealed is None:
            raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
        file = await asyncio.to_thread(
            open_sealed,
            document_id=sealed.document_id,
            key_sealed=sealed.key_sealed,
            bytes_sealed=sealed.bytes_sealed,
            key_encryption_key=load_root_secrets(self._settings).key_encryption_key,
        )
        await send_file(send, file, name=place.name, media_type=place.format.value)


async def _sender(scope: Scope) -> Caller:
    """Find out who sends a file, and refuse whoever may not write the case of exactly this organization."""
    organization_id = header(scope, b"x-organization-id")
    caller = await find_caller(header(scope, b"cookie"), chosen_organization_id=organization_id)
    if caller is None:
        raise RefusedExchange(HTTPStatus.UNAUTHORIZED, "unauthenticated")
    if caller.organization_id != organization_id or not caller.may(Role.ADMINISTRATOR):
        raise RefusedExchange(HTTPStatus.FORBIDDEN, "forbidden")
    return caller


async def _looker(scope: Scope) -> tuple[Caller, DocumentPlaceView]:
    """Find out who asks for which document; whoever may not see it learns not even that it exists."""
    caller = await find_caller(header(scope, b"cookie"))
    if caller is None:
        raise RefusedExchange(HTTPStatus.UNAUTHORIZED, "unauthenticated")
    document_id = scope["path"].removeprefix(f"{PATH}/")
    async with read_session() as session:
        place = await document_place(session, document_id) if document_id.isprintable() else None
    if place is None:
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    if caller.person.staff_roles & _MAY_LOOK:
        return caller, place
    member = await find_caller(header(scope, b"cookie"), chosen_organization_id=place.organization_id)
    if member is None or member.organization_id != place.organization_id or not member.may(Role.ADMINISTRATOR):
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    return member, place


async def _refuse_case_under_review(organization_id: str) -> None:
    """Refuse before ten mebibytes are read what would be refused after."""
    async with read_session() as session:
        case = await case_of(session, organization_id)
    if case is not None and not case.is_editable and case.state not in verification.DECIDED:
        raise Conflict("The case is being reviewed; nothing was added.")


def _kind(scope: Scope) -> DocumentKind:
    """Read what the file is to prove."""
    try:
        return DocumentKind(header(scope, b"x-document-kind"))
    except ValueError:
        raise RefusedExchange(HTTPStatus.BAD_REQUEST, "invalid_request") from None


def _media_type(scope: Scope) -> str:
    """Read what the browser takes the file for."""
    media_type = header(scope, b"content-type").partition(";")[0].strip().lower()
    if media_type not in set(DocumentFormat):
        raise UnknownDocumentFormat("This file is no PDF, JPEG or PNG. Export or scan the document as one of them.")
    return media_type
