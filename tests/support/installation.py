"""A whole installation in a folder of its own, driven through the ``onetoken`` command as an operator does.

Its processes run in sessions of their own, so that a test can kill such a group as a power cut would.
"""

import base64
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from onetoken_app.settings import PREFIX

COMMAND = str(Path(sys.executable).parent / "onetoken")
START_SECONDS_MAX = 60.0
PASSWORD = "a password for tests"


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended."""

    exit_code: int
    output: str
    errors: str

    def json(self) -> Any:
        """Read its output."""
        return json.loads(self.output)


@dataclass(slots=True)
class RunningProcess:
    """A server of the installation."""

    process: subprocess.Popen[bytes]
    port: int
    output_file: Path
    """Everything that it wrote, on both streams."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def kill_group(self) -> None:
        """End it and whatever it started at once, the way a power cut does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, *, seconds: float = 40) -> int:
        """Ask it to stop; return its exit code."""
        self.process.terminate()
        return self.process.wait(seconds)


@dataclass(slots=True)
class Installation:
    """One data folder and the variables that point to it."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        """Where everything durable is."""
        return self.folder / "var"

    @property
    def environment(self) -> dict[str, str]:
        """The developer's environment without settings of theirs, and with ours."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        ours = {
            "ONETOKEN_DATA_DIR": str(self.data_dir),
            "ONETOKEN_ALLOW_PRIVATE_UPSTREAMS": "true",
            "TMPDIR": str(self.folder / "tmp"),
            "COLUMNS": "200",
            "NO_COLOR": "1",
            "TEST_PASSWORD": PASSWORD,
        }
        return outside | ours | self.variables

    def run(self, *arguments: str, stdin: str = "") -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [COMMAND, *arguments], cwd=self.folder, env=self.environment, input=stdin, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def succeed(self, *arguments: str, stdin: str = "") -> Done:
        """Run a command that has to work."""
        done = self.run(*arguments, stdin=stdin)
        assert done.exit_code == 0, done.errors
        return done

    def apply(self, file: str) -> list[str]:
        """Apply a file; return the secrets of the keys that it minted."""
        done = self.succeed("apply", "-", "--json", stdin=file)
        return [key["secret"] for key in done.json()["keys"]]

    def verified(self) -> dict[str, Any]:
        """Return what ``ledger verify`` says, which has to be good."""
        report: dict[str, Any] = self.succeed("ledger", "verify", "--json").json()
        assert report["ok"], report
        return report

    def on_postgresql(self, url: str) -> "Installation":
        """Return the same folder with its database on a server; the secrets are given, as they have to be there."""
        secrets = {name: base64.b64encode(os.urandom(32)).decode() for name in ("KEY_PEPPER", "KEY_ENCRYPTION_KEY")}
        variables = {f"{PREFIX}{name}": value for name, value in secrets.items()}
        return Installation(self.folder, self.variables | variables | {f"{PREFIX}DATABASE_URL": url})

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read the database, as an auditor without our code would."""
        if url := self.variables.get(f"{PREFIX}DATABASE_URL"):
            with psycopg.connect(url) as served:
                return served.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(f"file:{self.data_dir}/onetoken.sqlite3?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    @contextmanager
    def relay(self, *, port: int | None = None, under: list[str] | None = None) -> Iterator[RunningProcess]:
        """Run ``onetoken relay`` until the block ends; wait until it answers.

        Args:
            port: Where to listen; ``None``: a free port.
            under: A command that runs the relay, such as a tracer.
        """
        with self.server("relay", port=port, under=under) as running:
            wait_for_line(running, "The relay answers on")
            yield running

    @contextmanager
    def console(self, *options: str, port: int | None = None) -> Iterator[RunningProcess]:
        """Run ``onetoken up`` until the block ends; wait until console and relay answer.

        The first start after a change of the console builds its pages, about half a minute.
        """
        with self.server("up", *options, port=port) as running:
            wait_for_line(running, "OneToken runs", seconds=240)
            yield running

    def serving(self, verb: str) -> AbstractContextManager[RunningProcess]:
        """Run the relay alone (``relay``, on uvicorn) or beside the console (``up``, on granian)."""
        return self.console() if verb == "up" else self.relay()

    @contextmanager
    def server(
        self, *arguments: str, port: int | None = None, under: list[str] | None = None
    ) -> Iterator[RunningProcess]:
        """Run a command that stays, in a session of its own; end all of it when the block ends."""
        (self.folder / "tmp").mkdir(exist_ok=True)
        number = port or free_port()
        output_file = self.folder / f"output-{time.monotonic_ns()}.log"
        with output_file.open("wb") as output:
            process = subprocess.Popen(
                [*(under or []), COMMAND, *arguments, "--port", str(number)], cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        running = RunningProcess(process=process, port=number, output_file=output_file)
        try:
            yield running
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for_line(running: RunningProcess, words: str, *, seconds: float = START_SECONDS_MAX) -> str:
    """Wait until a server has written a line with ``words``; return everything it wrote."""
    deadline = time.monotonic() + seconds
    while words not in (written := running.output_file.read_text(errors="replace")):
        assert running.process.poll() is None, f"ended with {running.process.returncode}: {written}"
        assert time.monotonic() < deadline, f"no {words!r} within {seconds} s: {written}"
        time.sleep(0.02)
    return written


def free_port() -> int:
    """Find a port of loopback that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def apply_file(*, base_url: str, credit: str = "1000.00", model: str = "mock", output_tokens_max: int = 4096) -> str:
    """Write a file with one channel, one model and one organization with an owner and a key."""
    return f"""\
currency: USD
channels:
  - name: upstream
    provider: openai
    base_url: {base_url}
    credential: sk-upstream
    region: mainland
models:
  - name: {model}
    channels: [{{channel: upstream}}]
    price: {{input: "1.00", output: "2.00", cache_read: "0.10"}}
    context_window: 8192
    max_output_tokens: {output_tokens_max}
organizations:
  - name: Test Ltd
    code: 91350100M000100Y43
    verified: true
    credit: "{credit}"
    people: [{{email: owner@test.example, password_env: TEST_PASSWORD, role: owner}}]
    keys: [{{name: test}}]
"""
