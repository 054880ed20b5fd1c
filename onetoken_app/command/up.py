"""Starts everything on one port: checks, tables, the console's pages, the demo if asked for, then the server."""

import contextlib
import ctypes
import itertools
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from pydantic import SecretStr

from onetoken_app.command.demo_setup import set_demo_up
from onetoken_app.command.failure import CommandFailed
from onetoken_app.command.legal_texts import check_legal_texts
from onetoken_app.command.listening import check_address, local_url
from onetoken_app.command.opening import check_data_dir, in_database, owned_installation
from onetoken_app.console import front_end
from onetoken_app.demo.model_server import MODEL_NAME
from onetoken_app.demo.organization import BANK_ACCOUNT, OWNER_EMAIL, STAFF_EMAIL, DemoSecrets
from onetoken_app.demo.small_model import running_model
from onetoken_app.settings import PREFIX, Settings
from onetoken_app.vault import load_root_secrets

_READY_SECONDS_MAX = 90.0
_POLL_SECONDS = 0.1
_ASK_AGAIN_SECONDS = 1.0
_TIMES_ASKED = 5
_DRAIN_MARGIN_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1


def run_up(settings: Settings, *, with_demo: bool, say: Callable[[str], None]) -> None:
    """Start, say where everything is, and stay until a signal asks to stop.

    Args:
        settings: Of this installation.
        with_demo: Whether to add the demo's customer and its model.
        say: Gets one line a step, for a person who waits.

    Raises:
        CommandFailed: Something stands in the way, or the server ended by itself; the message says what.
    """
    check_address(settings.host, settings.port)
    check_data_dir(settings.data_dir)
    load_root_secrets(settings)
    with ExitStack() as stack:
        demo: DemoSecrets | None = None
        model_base_url = stack.enter_context(running_model(say)) if with_demo else ""
        with owned_installation(settings):
            check_legal_texts(settings)
            if with_demo:
                use_demo_account(settings)
                say("setting up the demo organization")
                demo = in_database(settings, lambda: set_demo_up(settings, model_base_url=model_base_url))
        if not front_end.is_current():
            front_end.build(settings, say=say)
        process = stack.enter_context(_server(settings))
        say("starting the server")
        url = local_url(settings.host, settings.port)
        if not _is_answering(process, url):
            _end_start(process)
            return
        say(_greeting(settings, url, demo))
        exit_code = process.wait()
        if exit_code not in {0, -signal.SIGTERM, -signal.SIGINT} and not _stopping:
            message = f"the server ended by itself (exit code {exit_code}); the log above says why"
            raise CommandFailed(message)


_stopping: list[int] = []
"""The signal that asked this process to stop, once one has."""


@contextlib.contextmanager
def _server(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server's process; a signal to stop is handed on to it, and it never outlives this process."""
    command = front_end.server_command(host=settings.host, port=settings.port, drain_seconds=settings.drain_seconds)
    environment = front_end.server_environment(settings) | variables_of(settings)
    started: list[subprocess.Popen[bytes]] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        _stopping.append(number)
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)

    # Before the process is there, so that no signal falls between.
    earlier = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        process = subprocess.Popen(  # noqa: S603 # our own interpreter, arguments of ours
            command,
            cwd=front_end.PROJECT_ROOT,
            env=environment,
            preexec_fn=_belong_to_parent,  # noqa: PLW1509 # no thread runs here, and two system calls are safe
        )
        started.append(process)
        yield process
    finally:
        for number, action in earlier.items():
            signal.signal(number, action)
        for process in started:
            _end(process, seconds_max=settings.drain_seconds + _DRAIN_MARGIN_SECONDS)


def _end(process: subprocess.Popen[bytes], *, seconds_max: float) -> None:
    """Ask the server to stop, and insist when it does not."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds_max)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_start(process: subprocess.Popen[bytes]) -> None:
    """End a server that is still starting: ask a few times, then insist.

    granian asks its worker once. A worker that imports the app at that moment does not hear it, and one that opens the
    database forgets it; either would go on until the drain time is over. It has answered nobody yet, and the books
    stand every kill.
    """
    for number in itertools.chain([signal.SIGTERM] * _TIMES_ASKED, itertools.repeat(signal.SIGKILL)):
        for pid in (*_children(process.pid), process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_ASK_AGAIN_SECONDS)
            return


def _children(pid: int) -> list[int]:
    """List the processes that a process started; none where the system does not tell."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _belong_to_parent() -> None:
    """Leave Ctrl-C to this command, which stops the server in good order; stop the server when this command is killed.

    A terminal sends Ctrl-C to every process; one that is still importing would answer with a traceback.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def variables_of(settings: Settings) -> dict[str, str]:
    """Write settings as variables: a process in another folder then runs on the same ones, its ``.env`` or not."""
    variables = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            variables[PREFIX + name.upper()] = value.get_secret_value()
        elif isinstance(value, Path):
            variables[PREFIX + name.upper()] = str(value.absolute())
        elif isinstance(value, bool):
            variables[PREFIX + name.upper()] = str(value).lower()
        elif value is not None:
            variables[PREFIX + name.upper()] = str(value)
    return variables


def _is_answering(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until the relay admits calls and the console serves its first page.

    Returns:
        ``False`` when a signal asked to stop before that.

    Raises:
        CommandFailed: The server ended by itself, or does not answer.
    """
    deadline = time.monotonic() + _READY_SECONDS_MAX
    waiting_for = [f"{url}/readyz", f"{url}/"]
    while waiting_for:
        if _stopping:
            return False
        if process.poll() is not None:
            message = f"the server did not start (exit code {process.returncode}); the log above says why"
            raise CommandFailed(message)
        if time.monotonic() > deadline:
            message = f"the server did not answer within {_READY_SECONDS_MAX:.0f} seconds; the log above says why"
            raise CommandFailed(message)
        if _answers(waiting_for[0]):
            waiting_for.pop(0)
        else:
            time.sleep(_POLL_SECONDS)
    return True


def _answers(url: str) -> bool:
    """Whether a page is there; no proxy of the environment stands between this machine and itself."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _greeting(settings: Settings, url: str, demo: DemoSecrets | None) -> str:
    """Say where everything is; with the demo also how to sign in, and one line that makes a call."""
    lines = ["", "OneToken runs. Ctrl-C stops it.", "", f"  Console  {settings.console_url}", f"  Relay    {url}/v1"]
    if demo is None:
        return "\n".join([*lines, ""])
    body = (
        f'{{"model": "{MODEL_NAME}", "max_tokens": 100, '
        '"messages": [{"role": "user", "content": "Explain gravity in one sentence."}]}'
    )
    call = (
        f"curl -sS {url}/v1/chat/completions -H 'Authorization: Bearer {demo.api_key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
    return "\n".join(
        [
            *lines,
            "",
            f"  Customer  {OWNER_EMAIL}  password  {demo.owner_password}",
            f"  Staff     {STAFF_EMAIL}  password  {demo.staff_password}",
            "",
            "A call to the demo's model:",
            "",
            call,
            "",
        ]
    )


def use_demo_settings() -> None:
    """Admit the small model on loopback, in this process and the server that it starts only."""
    os.environ[f"{PREFIX}ALLOW_PRIVATE_UPSTREAMS"] = "true"


def use_demo_account(settings: Settings) -> None:
    """Show an invented bank account in the server that this process starts, unless the operator set one."""
    if settings.bank_account is None:
        os.environ[f"{PREFIX}BANK_ACCOUNT"] = BANK_ACCOUNT
