"""Logs: whatever a library would write by itself goes through the allow-list."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from onetoken_app.telemetry import configure_logging

CANARY = "canary-of-a-library"


@pytest.fixture
def library() -> Iterator[logging.Logger]:
    """A library's logger with ways of its own, as Engine.IO and granian have; the process is put back after."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    kept = [
        (logger, logger.handlers[:], logger.propagate)
        for logger in logging.root.manager.loggerDict.values()
        if isinstance(logger, logging.Logger)
    ]
    logger = logging.getLogger("library.of.test")
    logger.propagate = False
    yield logger
    root.handlers[:] = handlers
    root.setLevel(level)
    for earlier, its_handlers, propagates in kept:
        earlier.handlers[:] = its_handlers
        earlier.propagate = propagates
    logger.handlers.clear()
    structlog.reset_defaults()


class TestConfigureLogging:
    def test_a_library_with_a_handler_of_its_own_says_where_and_not_what(
        self, library: logging.Logger, capsys: pytest.CaptureFixture[str]
    ) -> None:
        own = io.StringIO()
        library.addHandler(logging.StreamHandler(own))
        configure_logging("debug")
        library.error("it was %s", CANARY, exc_info=ValueError(CANARY))
        written = capsys.readouterr().err
        line = json.loads(written)
        assert (line["event"], line["logger"], line["error_class"]) == (
            "library_logged", "library.of.test", "ValueError",
        )  # fmt: skip
        assert CANARY not in written
        assert own.getvalue() == ""
