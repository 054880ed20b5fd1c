"""``onetoken up`` is stopped while its server starts: it ends in good order, soon, and without a traceback."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.installation import Installation, RunningProcess, wait_for_line

_SOON_SECONDS = 25.0
"""Less than the drain time, after which a server is killed."""


def press_ctrl_c(running: RunningProcess) -> None:
    """Signal every process of the group, as a terminal does."""
    os.killpg(running.process.pid, signal.SIGINT)


def ask_to_stop(running: RunningProcess) -> None:
    """Signal the command alone, as a service manager may."""
    running.process.terminate()


class TestUp:
    @pytest.mark.long
    @pytest.mark.timeout(400)
    @pytest.mark.parametrize("words", ["starting the server", "ledger_writer_started"])
    @pytest.mark.parametrize("stop", [press_ctrl_c, ask_to_stop])
    def test_a_start_that_is_stopped_ends_well(
        self, tmp_path: Path, words: str, stop: Callable[[RunningProcess], None]
    ) -> None:
        with Installation(tmp_path).server("up") as running:
            wait_for_line(running, words, seconds=240)
            asked_at = time.monotonic()
            stop(running)
            assert running.process.wait(120) == 0
            assert time.monotonic() - asked_at < _SOON_SECONDS
            assert "Traceback" not in running.output_file.read_text()
