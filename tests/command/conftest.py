"""The ``onetoken`` command inside of the test's process: fast, and with the same words and exit codes."""

import io
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from onetoken_app import cli
from tests.support.installation import Done, free_port

Onetoken = Callable[..., Done]


@pytest.fixture
def _process_is_restored() -> Iterator[None]:
    """Undo what a command does to the process: its logging, and the variables it sets for those it starts."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    for name in ("ONETOKEN_HOST", "ONETOKEN_PORT"):
        os.environ.pop(name, None)


@pytest.fixture
def onetoken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], _process_is_restored: None
) -> Onetoken:
    """Run the command on an installation in ``tmp_path``, which is also the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONETOKEN_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("ONETOKEN_ALLOW_PRIVATE_UPSTREAMS", "true")
    monkeypatch.setenv("TEST_PASSWORD", "a password for tests")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["onetoken", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        exit_code = 0
        try:
            cli.main()
        except SystemExit as end:
            exit_code = int(end.code or 0)
        written = capsys.readouterr()
        return Done(exit_code, written.out, written.err)

    return run


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port of loopback that somebody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def unused_port() -> int:
    """A port of loopback that nobody listens on."""
    return free_port()
