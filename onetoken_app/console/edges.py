"""The console's outermost catches: what breaks beside our own events is logged without its words."""

from onetoken_app.telemetry import get_logger

logger = get_logger()


def on_backend_error(exception: Exception) -> None:
    """Log where one of Reflex's own steps broke; what breaks in an event of ours, ``event_for`` tells its reader."""
    logger.error("event_failed", exc_info=exception)


def on_frontend_error(exception: Exception) -> None:
    """Count that a page broke; its words come from a browser and are not kept."""
    logger.warning("page_failed", error_class=type(exception).__name__)
