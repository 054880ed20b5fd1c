"""The built front end: whether it is there and current, how it is built, how it is served.

Built once for every address: the bundle finds its socket from where the page came from (``bundle.py``), so another
port or host needs no other build. A stamp beside the bundle names the sources it was built from; a build that was
interrupted leaves no stamp. One build at a time works in the folder, and it ends with whoever asked for it. Nothing
here imports Reflex, so that a command can ask in a few milliseconds.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from onetoken_app.settings import Settings

PROJECT_ROOT = Path(__file__).resolve().parents[2]
_STAMP = Path(".web/build/onetoken-build.json")
_SOURCES = (
    "rxconfig.py", ".npmrc", "assets/**/*", "onetoken_app/onetoken_app.py",
    "onetoken_app/console/**/*.py", "onetoken_app/*/queries.py", "onetoken_app/*/models.py",
)  # fmt: skip
"""Everything that may change the bundle: the console, and the views and enums that its pages show."""
_LOCK = ("reflex.lock/*.json",)
"""The front end's packages; a build may write these files, so they are looked at when it is done."""
_LOG_LINES_SHOWN = 30
_ENDS_WITH_US = """
exec 3<&0
"$@" </dev/null &
build=$!
{ read -r _ <&3; kill -KILL 0; } >/dev/null 2>&1 &
watch=$!
wait $build; code=$?
kill -KILL $watch
exit $code
"""
"""Runs a command in a process group that is killed as a whole, npm and its Node included, as soon as the standard input
ends: that is when we close it, and also when we are killed."""


class FrontEndNotBuilt(Exception):
    """The build failed; the message is what a person can act on."""


def is_current() -> bool:
    """Whether the front end is built from exactly the sources on disk."""
    try:
        stamp = json.loads((PROJECT_ROOT / _STAMP).read_text())
    except (OSError, ValueError):
        return False
    return bool(stamp == {"sources": _fingerprint(_SOURCES), "packages": _fingerprint(_LOCK)})


def build(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Build the front end with the Node of this environment; about half a minute from nothing.

    While another process builds, this waits for it, and then builds only what is still not current. The build ends with
    this process, however that ends.

    Args:
        settings: Reflex keeps its own few files in the data folder.
        say: Gets one line a step, for a person who waits.

    Raises:
        FrontEndNotBuilt: Node, the npm registry or the code is at fault; the message ends with the build's own words.
    """
    with _alone(say) as lock:
        if not is_current():
            _build(settings, say=say, lock=lock)


def _build(settings: Settings, *, say: Callable[[str], None], lock: int) -> None:
    """Build; nobody else does."""
    say("building the console's pages (about 30 seconds, once)")
    environment = _with_reflex(settings) | {"NPM_CONFIG_REGISTRY": _npm_registry(), "REFLEX_ENV_MODE": "prod"}
    reflex = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    sources = _fingerprint(_SOURCES)
    (PROJECT_ROOT / _STAMP).unlink(missing_ok=True)  # it would vouch for a bundle that is half of another one
    with subprocess.Popen(  # noqa: S603 # our own interpreter, fixed arguments
        ["/bin/sh", "-c", _ENDS_WITH_US, "sh", *reflex],
        cwd=PROJECT_ROOT, env=environment, text=True, errors="replace", process_group=0, pass_fds=(lock,),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        lines = _follow(process.stdout or iter(()), say)
    if process.returncode != 0:
        message = "The console's pages could not be built.\n" + "\n".join(lines[-_LOG_LINES_SHOWN:])
        raise FrontEndNotBuilt(message)
    _write_packages_one_way()
    (PROJECT_ROOT / _STAMP).write_text(json.dumps({"sources": sources, "packages": _fingerprint(_LOCK)}))


def _write_packages_one_way() -> None:
    """Give the lists of packages the form in which they are committed: Reflex and npm each write their own.

    What a build leaves as it was then differs in nothing, so that a checkout stays clean.
    """
    for path in _files(_LOCK):
        with contextlib.suppress(ValueError):  # npm itself refuses such a file, in its own words
            path.write_text(json.dumps(json.loads(path.read_text()), indent=2, ensure_ascii=False) + "\n")


@contextmanager
def _alone(say: Callable[[str], None]) -> Iterator[int]:
    """Keep other builds out of the folder.

    Yields:
        The descriptor of the lock; a process that inherits it holds the lock too.
    """
    descriptor = os.open(PROJECT_ROOT, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build of the console's pages")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def server_command(*, host: str, port: int, drain_seconds: float) -> list[str]:
    """Return the command that serves console and relay on one port; run it in ``PROJECT_ROOT``.

    One worker: the process that owns the ledger's writer is the one that serves. The lifespan opens everything.
    """
    return [
        sys.executable, "-m", "granian", "onetoken_app.onetoken_app:app", "--factory", "--interface", "asgi",
        "--host", host, "--port", str(port), "--workers", "1", "--http", "1", "--loop", "uvloop",
        "--backlog", "8192", "--backpressure", "8192", "--log-level", "warning", "--no-access-log",
        "--workers-kill-timeout", str(int(drain_seconds) + 10),
    ]  # fmt: skip


def server_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of ``server_command``: serve the built pages, compile nothing."""
    return _with_reflex(settings) | {
        "REFLEX_ENV_MODE": "prod",
        "__REFLEX_SKIP_COMPILE": "true",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
    }


def _with_reflex(settings: Settings) -> dict[str, str]:
    """Say to Reflex: npm of this environment, no telemetry, no look-up of newer versions, no files elsewhere."""
    programs = str(Path(sys.executable).parent)
    return os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "REFLEX_USE_NPM": "1",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_DIR": str(settings.data_dir.absolute() / "reflex"),
        "DO_NOT_TRACK": "1",
    }


def _npm_registry() -> str:
    """Ask npm which registry this machine uses; Reflex would measure public ones instead and pick the nearest."""
    npm = Path(sys.executable).parent / "npm"
    try:
        answer = subprocess.run(  # noqa: S603 # the npm of our own environment
            [npm, "config", "get", "registry"], capture_output=True, text=True, check=True, cwd=PROJECT_ROOT
        )
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"{npm}: cannot be run; install the locked requirements again (make setup)"
        raise FrontEndNotBuilt(message) from error
    return answer.stdout.strip()


def _follow(output: Iterator[str], say: Callable[[str], None]) -> list[str]:
    """Collect the build's words and pass on those that mark a step."""
    steps = {
        "Initializing the web": "installing the front end's packages",
        "Compiling:": "compiling the pages",
        "Creating Production Build": "bundling",
    }
    lines: list[str] = []
    for line in output:
        lines.append(line.rstrip())
        for mark in [mark for mark in steps if mark in line]:
            say(steps.pop(mark))
    return lines


def _fingerprint(patterns: tuple[str, ...]) -> str:
    """Name the content of files, and the version of Reflex that turns them into a bundle."""
    digest = hashlib.sha256(importlib.metadata.version("reflex").encode())
    for path in _files(patterns):
        digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(patterns: tuple[str, ...]) -> list[Path]:
    """List files in a fixed order."""
    found = {path for pattern in patterns for path in PROJECT_ROOT.glob(pattern) if path.is_file()}
    return sorted(path for path in found if path.suffix != ".pyc")
