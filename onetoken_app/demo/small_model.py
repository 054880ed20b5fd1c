"""Starts the small model beside its parent, and makes sure that it never outlives it."""

import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from onetoken_app.demo.model_server import weights_file

_START_SECONDS_MAX = 120.0


class ModelDidNotStart(Exception):
    """The small model could not be started; the message says why as far as it is known."""


@contextmanager
def running_model(say: Callable[[str], None]) -> Iterator[str]:
    """Run the small model while the block runs.

    Args:
        say: Gets one line a step, for a person who waits.

    Yields:
        The base URL of its OpenAI-compatible endpoints, such as ``http://127.0.0.1:40123/v1``.

    Raises:
        NoWeights: The demo's packages are not installed.
        ModelDidNotStart: It ended, or said nothing for two minutes.
    """
    weights = weights_file()
    say(f"starting the small model ({weights.stat().st_size // 1_000_000} MB)")
    # The server's own log could quote what it was asked, so it goes nowhere.
    with subprocess.Popen(
        [sys.executable, "-m", "onetoken_app.demo.model_server"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
    ) as process:  # fmt: skip
        try:
            yield f"{_address(process)}/v1"
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    """Wait for the line that says where it listens."""
    if process.stdout is None:
        message = "the small model has no output to read"
        raise ModelDidNotStart(message)
    deadline = time.monotonic() + _START_SECONDS_MAX
    while time.monotonic() < deadline:
        readable, _, _ = select.select([process.stdout], [], [], deadline - time.monotonic())
        line = process.stdout.readline() if readable else ""
        if line.startswith("http://127.0.0.1:"):
            return line.strip()
        if not line:
            break
    message = f"the small model did not start (exit code {process.poll()})"
    raise ModelDidNotStart(message)
