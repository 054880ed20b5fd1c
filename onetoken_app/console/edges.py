"""The console's outermost catches: what breaks in an event or in a browser is logged without its words."""

import reflex as rx
from reflex_base.event import EventSpec

from onetoken_app.console.text.catalogues import Locale, plain_text
from onetoken_app.telemetry import get_logger

logger = get_logger()


def on_backend_error(exception: Exception) -> EventSpec:
    """Log where an event broke, and say that nothing was changed, in both languages: who reads is unknown."""
    logger.error("event_failed", exc_info=exception)
    words = [plain_text("error.internal_error", locale) for locale in Locale]
    told: EventSpec = rx.toast.error(" ".join(words))
    return told


def on_frontend_error(exception: Exception) -> None:
    """Count that a page broke; its words come from a browser and are not kept."""
    logger.warning("page_failed", error_class=type(exception).__name__)
