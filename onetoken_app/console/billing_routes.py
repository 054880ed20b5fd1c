"""Hands out statements and data sheets of invoices: to those in charge of the organization's money, and to finance."""

from http import HTTPStatus
from urllib.parse import parse_qs

from onetoken_app import clock
from onetoken_app.billing.drawing import drawn
from onetoken_app.billing.figures import Figures
from onetoken_app.billing.invoice_paper import invoice_paper
from onetoken_app.billing.paper import Paper
from onetoken_app.billing.queries import invoice_for_staff
from onetoken_app.billing.statement_paper import Edition, statement_csv, statement_paper
from onetoken_app.billing.statement_queries import whole_statement
from onetoken_app.console.callers import Caller, Role, find_caller
from onetoken_app.console.http_exchange import Answer, Attachment, RefusedExchange, Scope, header
from onetoken_app.console.running_months import ReckonedTooOften, reckoned_for
from onetoken_app.database import read_session
from onetoken_app.settings import Settings

STATEMENTS = "/account/statements/"
"""Before ``ID.pdf`` or ``ID.csv`` of a closed month; ``running-ORGANIZATION-CURRENCY`` names the one that runs."""
INVOICES = "/account/invoices/"
"""Before ``ID.pdf`` of the data sheet."""
_RUNNING = "running-"
_LOCALES = ("en", "zh-CN")
_NAME_CHARACTERS_MAX = 64
_drawing_for: set[str] = set()
"""People for whom something is drawn at this moment; one document at a time for each."""


async def hand_out(scope: Scope, settings: Settings) -> Answer:
    """Give a statement or a data sheet as a file, in the language that the query's ``locale`` names, or the reader's.

    To everybody else what they may not see does not exist.

    Raises:
        RefusedExchange: Nobody is signed in, there is no such thing of theirs, or another one is drawn for them.
    """
    # Another site could make a browser ask for one after another, and drawing is work.
    if header(scope, b"sec-fetch-site") == "cross-site":
        raise RefusedExchange(HTTPStatus.FORBIDDEN, "foreign_origin")
    caller = await find_caller(header(scope, b"cookie"))
    if caller is None:
        raise RefusedExchange(HTTPStatus.UNAUTHORIZED, "unauthenticated")
    path: str = scope["path"]
    room = STATEMENTS if path.startswith(STATEMENTS) else INVOICES
    name, _, kind = path.removeprefix(room).rpartition(".")
    if not name.isascii() or not name.isprintable() or len(name) > _NAME_CHARACTERS_MAX:
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    if room == INVOICES and kind == "pdf":
        return await _invoice(scope, settings, caller, name)
    if room == STATEMENTS and kind in {"pdf", "csv"}:
        return await _statement(scope, settings, caller, name, is_csv=kind == "csv")
    raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")


def issuer_of(settings: Settings) -> tuple[str, ...]:
    """Return the lines about the operator that stand on documents."""
    lines = (settings.operator_name or "OneToken", settings.operator_address, settings.operator_tax_id)
    return (*(line for line in lines if line), settings.console_url)


async def _invoice(scope: Scope, settings: Settings, caller: Caller, name: str) -> Answer:
    """Give the data sheet of an invoice."""
    async with read_session() as session:
        invoice = await invoice_for_staff(session, name)
    await _refuse_strangers(scope, caller, invoice.organization_id if invoice else None)
    if invoice is None:
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    pdf = await _drawn(invoice_paper(invoice, issuer=issuer_of(settings), locale=_locale(scope, caller)), caller)
    return _file(f"onetoken-invoice-{invoice.id}.pdf", "application/pdf", pdf)


async def _statement(scope: Scope, settings: Settings, caller: Caller, name: str, *, is_csv: bool) -> Answer:
    """Give a statement."""
    if name.startswith(_RUNNING):
        figures, number, sha256, made_at = await _running(scope, name, caller), "", "", clock.utc_now()
    else:
        async with read_session() as session:
            found = await whole_statement(session, name)
        await _refuse_strangers(scope, caller, found.view.organization_id if found else None)
        if found is None:
            raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
        view, figures = found.view, found.figures
        number, sha256, made_at = view.id, view.sha256, view.closed_at
    locale = _locale(scope, caller)
    file_name = f"onetoken-statement-{figures.month}-{figures.currency.value}{'' if number else '-preliminary'}"
    if is_csv:
        return _file(f"{file_name}.csv", "text/csv; charset=utf-8", statement_csv(figures, locale=locale))
    edition = Edition(locale=locale, issuer=issuer_of(settings), made_at=made_at, number=number, sha256=sha256)
    return _file(f"{file_name}.pdf", "application/pdf", await _drawn(statement_paper(figures, edition), caller))


async def _running(scope: Scope, name: str, caller: Caller) -> Figures:
    """Reckon the month that runs."""
    organization_id, _, currency = name.removeprefix(_RUNNING).rpartition("-")
    await _refuse_strangers(scope, caller, organization_id)
    try:
        months = await reckoned_for(caller.person.person_id, organization_id=organization_id)
    except ReckonedTooOften:
        raise RefusedExchange(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", seconds=5) from None
    for figures in months:
        if figures.currency.value == currency:
            return figures
    raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")


async def _refuse_strangers(scope: Scope, caller: Caller, organization_id: str | None) -> None:
    """Answer as if there were nothing, to whoever may not see what belongs to an organization."""
    if organization_id is None:
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    if caller.may(Role.STAFF_FINANCE):
        return
    member = await find_caller(header(scope, b"cookie"), chosen_organization_id=organization_id)
    if member is None or member.organization_id != organization_id or not member.may(Role.BILLING):
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")


async def _drawn(paper: Paper, caller: Caller) -> bytes:
    """Have a document drawn, one at a time for each person."""
    person_id = caller.person.person_id
    if person_id in _drawing_for:
        raise RefusedExchange(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", seconds=5)
    _drawing_for.add(person_id)
    try:
        return await drawn(paper)
    finally:
        _drawing_for.discard(person_id)


def _locale(scope: Scope, caller: Caller) -> str:
    """Return the language that was asked for, else the reader's."""
    asked = parse_qs(bytes(scope.get("query_string", b"")).decode("ascii", "replace")).get("locale", [""])[0]
    return asked if asked in _LOCALES else caller.person.locale


def _file(name: str, media_type: str, content: bytes) -> Answer:
    """Answer with a file to keep."""
    return Answer(HTTPStatus.OK, attachment=Attachment(file_name=name, media_type=media_type, content=content))
