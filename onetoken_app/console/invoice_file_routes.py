"""Plain ASGI routes for files of invoices: finance sends one in, its organization keeps it.

Nobody's bytes are read before it is known who sends them and that they may, and every look is in the audit log before
the first byte leaves.
"""

import asyncio
from http import HTTPStatus

from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.billing.invoice_files import (
    InvoiceFileView,
    add_file,
    file_view,
    opened_file,
    prepare_file,
    refuse_stranger_to_paper,
)
from onetoken_app.billing.invoice_formats import FILE_BYTES_MAX, TOO_LARGE
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
from onetoken_app.errors import OneTokenError
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger
from onetoken_app.vault import load_root_secrets

PATH = "/account/invoice-files"
_ID_CHARACTERS_MAX = 32
logger = get_logger()


class InvoiceFileRoutes:
    """Takes files of invoices in and hands them out."""

    def __init__(self, settings: Settings) -> None:
        """Take what does not change while the process lives."""
        self._settings = settings
        self._origins = frozenset(allowed_origins(settings))
        self._intake = FileIntake(bytes_max=FILE_BYTES_MAX, too_large=TOO_LARGE)

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
            logger.exception("invoice_file_route_failed", path=PATH)
            await send_refusal(send, RefusedExchange(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error"))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose the route."""
        is_upload = scope["path"] == PATH
        if scope["method"] != ("POST" if is_upload else "GET"):
            raise RefusedExchange(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
        if is_upload:
            await send_json(send, HTTPStatus.CREATED, {"id": await self._take_in(scope, receive)})
        else:
            await self._hand_out(scope, send)

    async def _take_in(self, scope: Scope, receive: Receive) -> str:
        """Put a file to an issued invoice or a red letter; return the file's id."""
        # Another site may make a browser post here with our cookie; it cannot make it claim our origin.
        if header(scope, b"origin").lower() not in self._origins:
            raise RefusedExchange(HTTPStatus.FORBIDDEN, "foreign_origin")
        caller = await find_caller(header(scope, b"cookie"))
        if caller is None:
            raise RefusedExchange(HTTPStatus.UNAUTHORIZED, "unauthenticated")
        if not caller.may(Role.STAFF_FINANCE):
            raise RefusedExchange(HTTPStatus.FORBIDDEN, "forbidden")
        person_id, name = caller.person.person_id, file_name(scope)
        invoice_id = _checked_id(header(scope, b"x-invoice-id"))
        paper_id = _checked_id(header(scope, b"x-paper-id") or invoice_id)
        async with read_session() as session:  # before ten mebibytes are read what would be refused after
            await refuse_stranger_to_paper(session, invoice_id=invoice_id, paper_id=paper_id, person_id=person_id)
        content = await self._intake.body(scope, receive, sender_id=person_id)
        key = load_root_secrets(self._settings).key_encryption_key
        file = await asyncio.to_thread(prepare_file, content, key_encryption_key=key, name=name)
        async with unit_of_work() as session:
            return await add_file(session, invoice_id=invoice_id, paper_id=paper_id, file=file, uploaded_by=person_id)

    async def _hand_out(self, scope: Scope, send: Send) -> None:
        """Send a file to somebody who may see it."""
        if header(scope, b"sec-fetch-site") == "cross-site":
            raise RefusedExchange(HTTPStatus.FORBIDDEN, "foreign_origin")
        caller, view = await _looker(scope)
        async with unit_of_work() as session:
            await audit.record(
                session,
                actor=Actor(ActorKind.PERSON, caller.person.person_id),
                action="invoice_file_opened",
                subject_id=view.id,
                organization_id=view.organization_id,
                facts={"is_staff": caller.may(Role.STAFF_FINANCE)},
            )
        async with read_session() as session:
            key = load_root_secrets(self._settings).key_encryption_key
            file = await opened_file(session, view.id, key_encryption_key=key)
        if file is None:
            raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
        await send_file(send, file, name=view.name, media_type=view.format.value)


async def _looker(scope: Scope) -> tuple[Caller, InvoiceFileView]:
    """Find out who asks for which file; whoever may not see it learns not even that it exists."""
    caller = await find_caller(header(scope, b"cookie"))
    if caller is None:
        raise RefusedExchange(HTTPStatus.UNAUTHORIZED, "unauthenticated")
    file_id = _checked_id(scope["path"].removeprefix(f"{PATH}/"))
    async with read_session() as session:
        view = await file_view(session, file_id)
    if view is None:
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    if caller.may(Role.STAFF_FINANCE):
        return caller, view
    member = await find_caller(header(scope, b"cookie"), chosen_organization_id=view.organization_id)
    if member is None or member.organization_id != view.organization_id or not member.may(Role.BILLING):
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    return member, view


def _checked_id(text: str) -> str:
    """Read an id; what cannot be one names nothing."""
    if not text.isascii() or not text.isprintable() or not 0 < len(text) <= _ID_CHARACTERS_MAX:
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    return text
