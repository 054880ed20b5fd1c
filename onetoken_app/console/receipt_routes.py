"""Hands out receipts of credited orders: to those in charge of the money of the organization that paid, nobody else."""

from http import HTTPStatus

from onetoken_app.console.callers import Role, find_caller
from onetoken_app.console.http_exchange import Answer, RefusedExchange, Scope, Sheet, header
from onetoken_app.console.shown.top_ups import RECEIPTS
from onetoken_app.database import read_session
from onetoken_app.payments.queries import order_for_staff, receipt_of
from onetoken_app.payments.receipt import STYLE, receipt_page
from onetoken_app.settings import Settings

_ID_CHARACTERS_MAX = 32


async def receipt(scope: Scope, settings: Settings) -> Answer:
    """Give a receipt as a page to print or keep, in the reader's language.

    To everybody else an order does not exist, nor does a receipt before the order is credited.

    Raises:
        RefusedExchange: Nobody is signed in, or there is no such receipt of theirs.
    """
    cookies = header(scope, b"cookie")
    if await find_caller(cookies) is None:
        raise RefusedExchange(HTTPStatus.UNAUTHORIZED, "unauthenticated")
    order_id = scope["path"].removeprefix(RECEIPTS)
    if not order_id.isascii() or not order_id.isprintable():
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    async with read_session() as session:
        order = await order_for_staff(session, order_id[:_ID_CHARACTERS_MAX])
        found = await receipt_of(session, order.organization_id, order.id) if order else None
    if order is None or found is None:
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    caller = await find_caller(cookies, chosen_organization_id=order.organization_id)
    if caller is None or caller.organization_id != order.organization_id or not caller.may(Role.BILLING):
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    html = receipt_page(found, issuer=settings.console_url, locale=caller.person.locale)
    file_name = f"onetoken-receipt-{found.reference_code}.html"
    return Answer(HTTPStatus.OK, sheet=Sheet(file_name=file_name, html=html, style=STYLE))
