"""Logs: one JSON line an event, from an allow-list of facts, with nothing of any call's content.

An event is a constant (``hold_recovered``); facts are keywords from ``ALLOWED_FACTS``, and any other keyword is
dropped. An exception is written as its type and frames: its message and locals could quote a prompt. Records of other
libraries pass the same way: logger, level and place, never their message. What they would write by handlers of their
own, past the list, is taken from them.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

ALLOWED_FACTS = frozenset(
    {
        "event", "level", "timestamp", "logger",
        "request_id", "organization_id", "api_key_id", "person_id", "channel_id", "model_id", "epoch",
        "account_id", "budget_id", "price_version_id", "interface_path", "error_code", "error_class", "upstream_status",
        "upstream_request_id", "http_status", "usage_source", "outcome", "attempt_number", "count", "amount_nanos",
        "latency_ms", "first_byte_ms", "seconds", "month", "port", "host", "pid", "exit_code", "database", "path",
        "version", "revision", "setting", "job", "frames", "signal_number", "where",
    }
)  # fmt: skip
"""Ids, numbers and closed enums. A new one is added here, in review."""

_QUIET_LIBRARIES = (
    "aiosqlite", "alembic", "asyncio", "engineio", "granian", "httpcore", "httpx", "psycopg", "reflex",
    "socketio", "sqlalchemy", "stripe", "urllib3", "uvicorn",
)  # fmt: skip


def configure_logging(level: str) -> None:
    """Send every log line of this process through the allow-list to standard error.

    Call it once the libraries are imported: some give their loggers a handler at that moment.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _replace_exception,
            _keep_allowed_facts,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_AllowListedHandler()]
    root.setLevel(logging.WARNING)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            # Engine.IO's and granian's print whatever a stranger sent them, within their messages and tracebacks.
            logger.handlers.clear()
            logger.propagate = True


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """Return the logger of the calling module."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def frames_of(trace: TracebackType | None) -> list[str]:
    """Name the places an exception went through: file, line and function, no message and no values."""
    return [f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in traceback.extract_tb(trace)]


def _replace_exception(_logger: object, _method: str, facts: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Turn ``exc_info`` into a type and frames."""
    exc_info = facts.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    if exc_info and exc_info[0] is not None:
        facts["error_class"] = exc_info[0].__name__
        facts["frames"] = frames_of(exc_info[2])
    return facts


def _keep_allowed_facts(_logger: object, _method: str, facts: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop any keyword that is not on the list."""
    return {name: value for name, value in facts.items() if name in ALLOWED_FACTS}


class _AllowListedHandler(logging.Handler):
    """Writes other libraries' records without their message, which may quote what they carried."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line: who logged, where, and the frames of an exception."""
        get_logger().log(
            record.levelno,
            "library_logged",
            logger=record.name,
            where=f"{record.filename}:{record.lineno}",
            exc_info=record.exc_info,
        )
