"""Takes payment providers' notifications. Plain ASGI in front of Reflex: the raw body is what is signed."""

from http import HTTPStatus

from onetoken_app.console.http_exchange import (
    Receive,
    RefusedExchange,
    Scope,
    Send,
    read_small_body,
    send_plain,
    send_refusal,
)
from onetoken_app.errors import OneTokenError
from onetoken_app.payments.models import PaymentProvider
from onetoken_app.payments.provider_desk import NOTIFICATIONS, receive
from onetoken_app.payments.providers.protocol import NotificationRefused
from onetoken_app.payments.providers.registry import client_for
from onetoken_app.payments.refused_notifications import count_refused
from onetoken_app.settings import BadSettings, Settings
from onetoken_app.telemetry import get_logger

BODY_BYTES_MAX = 64 * 1024
_PROVIDERS = {f"{NOTIFICATIONS}{one.value}": one for one in PaymentProvider if not one.is_by_hand}
logger = get_logger()


class PaymentNotifications:
    """The addresses that payment providers post to."""

    def __init__(self, settings: Settings) -> None:
        """Take what does not change while the process lives."""
        self._settings = settings

    def owns(self, path: str) -> bool:
        """Whether a path is answered here."""
        return path.startswith(NOTIFICATIONS)

    async def __call__(self, scope: Scope, receive_message: Receive, send: Send) -> None:
        """Answer one notification in the form that its provider reads."""
        try:
            provider = _addressed(scope)
            body = await read_small_body(receive_message, BODY_BYTES_MAX)
            is_accepted = await self._take(provider, scope, body)
            answer = (await client_for(self._settings, provider)).acknowledgement(is_accepted=is_accepted)
            await send_plain(send, answer.status, answer.content_type, answer.text)
        except RefusedExchange as refusal:
            await send_refusal(send, refusal)
        except OneTokenError as error:
            # Not believed and not refused: whoever sent it in earnest sends it again.
            await send_refusal(send, RefusedExchange(HTTPStatus.SERVICE_UNAVAILABLE, error.code))
        except BadSettings:
            logger.exception("payment_keys_unusable")
            await send_refusal(send, RefusedExchange(HTTPStatus.SERVICE_UNAVAILABLE, "payment_provider_off"))
        except Exception:  # the console's edge: whatever broke, the provider has to say it again
            logger.exception("payment_notification_failed")
            await send_refusal(send, RefusedExchange(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error"))

    async def _take(self, provider: PaymentProvider, scope: Scope, body: bytes) -> bool:
        """Act on a notification; whether it was genuine."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            await receive(self._settings, provider, headers=headers, body=body)
        except NotificationRefused as refusal:
            logger.warning("payment_notification_refused", outcome=refusal.reason)
            count_refused(provider, refusal.reason)
            return False
        return True


def _addressed(scope: Scope) -> PaymentProvider:
    """Return whose address a request came to.

    Raises:
        RefusedExchange: Nobody's, or not as a notification comes.
    """
    provider = _PROVIDERS.get(scope["path"])
    if provider is None:
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    if scope["method"] != "POST":
        raise RefusedExchange(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
    return provider
