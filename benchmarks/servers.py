"""The servers of a run, each in processes of its own on loopback: the mock upstream, nginx in front of it, and ours."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load import Target
from tests.support.installation import Installation, free_port
from tests.support.machine import ensure_program

MODELS = (
    "bench-d0-c10-p0", "bench-d50-c10-p0", "bench-d500-c10-p0", "bench-d0-c30-p20",
    "bench-d500-c30-p20", "bench-d0-c400-p0",
)  # fmt: skip
START_SECONDS_MAX = 90.0
_TICKS = os.sysconf("SC_CLK_TCK")
_NGINX = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000000;
    upstream mock {{ server 127.0.0.1:{upstream_port}; keepalive 2048; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://mock;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A target, and the process that it comes from."""

    target: Target
    pid: int
    installation: Installation | None = None
    """Set of ours."""

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return self.target.name

    def processor_seconds(self) -> float:
        """What it and the processes below it have spent."""
        return sum(_processor_seconds(pid) for pid in _with_descendants(self.pid))

    def memory_mib(self) -> float:
        """What the process itself holds, without those below it."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return float("nan")


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder that is thrown away, and the upstream that everything is measured against."""

    folder: Path
    upstream_port: int
    upstream_pid: int
    answered: dict[str, int] = field(default_factory=dict)
    """Whole answers that the callers saw, by target."""

    @property
    def upstream(self) -> Measured:
        """The mock itself: the floor of every latency, and the bound of every throughput."""
        return Measured(Target("upstream alone", self.upstream_port), self.upstream_pid)


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Start the mock."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.mock_upstream", "--port", str(port)]
    with process(command, folder / "mock.log", port=port) as pid:
        yield Bench(folder, port, pid)


@contextmanager
def nginx(place: Bench) -> Iterator[Measured]:
    """Start one nginx worker, a plain reverse proxy: what is practically possible."""
    program = ensure_program("nginx", package="nginx-light")
    port = free_port()
    file = place.folder / "nginx.conf"
    file.write_text(_NGINX.format(folder=place.folder, port=port, upstream_port=place.upstream_port))
    with process([program, "-c", str(file), "-p", str(place.folder)], place.folder / "nginx.log", port=port) as pid:
        yield Measured(Target("nginx", port), pid)


@contextmanager
def ours(place: Bench, *, name: str = "OneToken") -> Iterator[Measured]:
    """Start ``onetoken relay`` as operators do, on SQLite, with every setting at its default."""
    folder = place.folder / f"installation-{name}"
    folder.mkdir()
    installation = Installation(folder)
    (secret,) = installation.apply(apply_file(place.upstream_port))
    with installation.relay() as running:
        target = Target(name, running.port, {"authorization": f"Bearer {secret}"})
        yield Measured(target, running.process.pid, installation)


def apply_file(upstream_port: int) -> str:
    """Write a file with the mock's models, and one organization whose credit outlasts any run."""
    models = "".join(
        f"""\
  - name: {model}
    channels: [{{channel: upstream}}]
    price: {{input: "1.00", output: "2.00", cache_read: "0.10"}}
    context_window: 8192
    max_output_tokens: 4096
"""
        for model in MODELS
    )
    return f"""\
currency: USD
channels:
  - name: upstream
    provider: openai
    base_url: http://127.0.0.1:{upstream_port}/v1
    credential: sk-upstream
    region: mainland
models:
{models}organizations:
  - name: Bench Ltd
    code: 91350100M000100Y43
    verified: true
    credit: "100000.00"
    people: [{{email: owner@bench.example, password_env: TEST_PASSWORD, role: owner}}]
    keys: [{{name: bench}}]
"""


def check_books(place: Bench, measured: Measured) -> int:
    """Return how many calls are settled: exactly those that the callers saw answered, in books that verify.

    Raises:
        SystemExit: Something is missing, or too much; then the figures say nothing.
    """
    installation = measured.installation
    assert installation is not None  # noqa: S101 # only ours keeps books
    settled = int(installation.verified()["settled"])
    seen = place.answered.get(measured.name, 0)
    if settled != seen:
        sys.exit(f"{measured.name}: the callers saw {seen} whole answers, the ledger settled {settled}")
    return settled


@contextmanager
def process(
    command: list[str], log: Path, *, port: int, environment: dict[str, str] | None = None, folder: Path | None = None
) -> Iterator[int]:
    """Run a server until the block ends; wait until it takes connections."""
    with log.open("wb") as output:
        running = subprocess.Popen(  # noqa: S603 # our own and those that the run is about
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not _listens(port):
            if running.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{command[0]} does not listen: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield running.pid
    finally:
        # The whole session: Node's wheel starts Node as a child, which outlives the program that is told to end.
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(running.pid, number)
            with suppress(subprocess.TimeoutExpired):
                running.wait(10)


def _listens(port: int) -> bool:
    """Whether somebody takes connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _with_descendants(pid: int) -> list[int]:
    """Return a process and those below it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, task.read_text().split())
    return found


def _processor_seconds(pid: int) -> float:
    """Return what one process has spent, and those below it that have ended."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, after_name[11:15])) / _TICKS
