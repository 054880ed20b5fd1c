"""The composition root: the relay and the account routes in front of Reflex's pages, and the lifespan of it all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import reflex as rx
from reflex_base.environment import environment

from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.document_routes import DocumentRoutes
from onetoken_app.console.edges import on_backend_error, on_frontend_error
from onetoken_app.console.frame import boundary
from onetoken_app.console.front_door import in_front_of
from onetoken_app.console.front_end import PROJECT_ROOT
from onetoken_app.console.invoice_file_routes import InvoiceFileRoutes
from onetoken_app.console.kept_states import EVENT_CHARACTERS_MAX, guard_tabs
from onetoken_app.console.open_sockets import OpenSockets
from onetoken_app.console.origins import is_https
from onetoken_app.console.pages import PAGES
from onetoken_app.console.payment_notifications import PaymentNotifications
from onetoken_app.console.published_texts import PublishedTexts
from onetoken_app.console.security_headers import SecurityHeaders
from onetoken_app.console.session import seal_events
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import PRODUCT_NAME, STYLESHEETS, head_components
from onetoken_app.jobs.deliver_letters import letters_delivered
from onetoken_app.jobs.scheduler import jobs_running
from onetoken_app.jobs.send_refunds import refunds_sent
from onetoken_app.jobs.settle_pending_orders import pending_orders_settled
from onetoken_app.relay.asgi import RelayApp
from onetoken_app.relay.runtime import RelayRuntime
from onetoken_app.settings import get_settings
from onetoken_app.telemetry import configure_logging

_settings = get_settings()  # at import, as nowhere else: Reflex wants the whole app when it loads this module
_runtime = RelayRuntime()


@asynccontextmanager
async def _running() -> AsyncIterator[None]:
    """Open the database, the ledger's writer and the upstream client with the server, and close them with it.

    The jobs run as long as the database is open.
    """
    configure_logging(_settings.log_level)
    await _runtime.start(_settings)
    try:
        async with (
            jobs_running(_settings),
            letters_delivered(_settings),
            pending_orders_settled(_settings),
            refunds_sent(_settings),
        ):
            yield
    finally:
        await _runtime.stop()


# Reflex reads it when the app is made, from the environment only.
environment.REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE.set(EVENT_CHARACTERS_MAX)
app = rx.App(
    stylesheets=STYLESHEETS,
    head_components=head_components(),
    html_lang="en",
    api_transformer=in_front_of(
        first=(
            RelayApp(_runtime),
            DocumentRoutes(_settings),
            InvoiceFileRoutes(_settings),
            AccountRoutes(_settings),
            PaymentNotifications(_settings),
            PublishedTexts(),
        ),
        wrap=lambda rest: SecurityHeaders(
            OpenSockets(rest, settings=_settings), root=PROJECT_ROOT, is_https=is_https(_settings)
        ),
    ),
    app_wraps={(55, "ErrorBoundary"): lambda _is_stateful: boundary()},
    backend_exception_handler=on_backend_error,
    frontend_exception_handler=on_frontend_error,
)
guard_tabs(app)
app.register_lifespan_task(_running)
for page in PAGES:
    app.add_page(
        page.body, route=page.route, title=f"{text(page.title_key)} · {PRODUCT_NAME}", on_load=list(page.on_load)
    )
seal_events()
