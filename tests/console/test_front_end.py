"""The front end: when it counts as built, how it is served, what a failed build says."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from onetoken_app.console import front_end
from onetoken_app.settings import Settings

_PYTHON = sys.executable
_ASK = """
import sys
from pathlib import Path
from onetoken_app.console import front_end
from onetoken_app.settings import Settings
front_end.PROJECT_ROOT, sys.executable = Path(sys.argv[1]), sys.argv[2]
front_end.build(Settings(data_dir=Path(sys.argv[3])), say=lambda line: None)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with one page and a lock."""
    monkeypatch.setattr(front_end, "PROJECT_ROOT", tmp_path)
    for name in ("onetoken_app/console/page.py", "reflex.lock/package-lock.json", "assets/console.css"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("as it was")
    return tmp_path


@pytest.fixture
def builder(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment whose programs do what a test writes into them."""
    programs = project / "bin"
    programs.mkdir()
    _program(programs / "npm", "echo http://registry.test.example/")
    _program(programs / "python", f"mkdir -p {project}/.web/build; echo Compiling: done")
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    return programs


def _program(path: Path, script: str) -> None:
    """Write a program."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _at_work(event: threading.Event) -> Callable[[str], None]:
    """Make a listener that says that a build has begun."""
    return lambda _line: event.set()


@pytest.mark.usefixtures("builder")
class TestIsCurrent:
    def test_is_not_before_the_first_build(self) -> None:
        assert not front_end.is_current()

    def test_is_after_a_build_and_says_what_happens(self, settings: Settings) -> None:
        said: list[str] = []
        front_end.build(settings, say=said.append)
        assert front_end.is_current()
        assert "compiling the pages" in said

    @pytest.mark.parametrize(
        "changed", ["onetoken_app/console/page.py", "reflex.lock/package-lock.json", "assets/new.svg"]
    )
    def test_is_not_after_a_change(self, settings: Settings, project: Path, changed: str) -> None:
        front_end.build(settings, say=lambda _line: None)
        (project / changed).write_text("changed")
        assert not front_end.is_current()

    def test_is_not_when_the_stamp_is_torn(self, settings: Settings, project: Path) -> None:
        front_end.build(settings, say=lambda _line: None)
        (project / ".web/build/onetoken-build.json").write_text('{"sour')
        assert not front_end.is_current()


class TestBuild:
    def test_leaves_the_lists_of_packages_as_they_are_committed(
        self, settings: Settings, builder: Path, project: Path
    ) -> None:
        packages = project / "reflex.lock/package.json"
        packages.write_text('{\n  "name": "reflex",\n  "overrides": {}\n}\n')
        committed = packages.read_bytes()
        with (builder / "python").open("a") as program:
            program.write(f"""echo '{{"name":"reflex","overrides":{{}}}}' >{packages}\n""")
        front_end.build(settings, say=lambda _line: None)
        assert packages.read_bytes() == committed
        assert front_end.is_current()

    def test_a_failure_ends_with_the_builds_own_words(self, settings: Settings, builder: Path) -> None:
        _program(builder / "python", "echo the page is broken; exit 3")
        with pytest.raises(front_end.FrontEndNotBuilt, match="the page is broken"):
            front_end.build(settings, say=lambda _line: None)
        assert not front_end.is_current()

    def test_a_failure_vouches_for_nothing_that_was_there_before(
        self, settings: Settings, builder: Path, project: Path
    ) -> None:
        front_end.build(settings, say=lambda _line: None)
        (project / "assets/console.css").write_text("changed")
        _program(builder / "python", "exit 3")
        with pytest.raises(front_end.FrontEndNotBuilt):
            front_end.build(settings, say=lambda _line: None)
        (project / "assets/console.css").write_text("as it was")
        assert not front_end.is_current()

    def test_a_second_one_waits_and_finds_it_done(self, settings: Settings, builder: Path, project: Path) -> None:
        gate = project / "gate"
        os.mkfifo(gate)
        with (builder / "python").open("a") as program:
            program.write(f"echo built >>{project}/builds; read -r _ <{gate}\n")
        is_first_at_work = threading.Event()
        first = threading.Thread(target=front_end.build, args=(settings,), kwargs={"say": _at_work(is_first_at_work)})
        first.start()
        assert is_first_at_work.wait(20)
        said: list[str] = []

        def open_gate(line: str) -> None:
            said.append(line)
            gate.write_text("go on\n")

        front_end.build(settings, say=open_gate)
        first.join(20)
        assert said == ["waiting for another build of the console's pages"]
        assert (project / "builds").read_text() == "built\n"

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
    def test_all_of_it_ends_with_the_process_that_asked(
        self, settings: Settings, builder: Path, project: Path, number: signal.Signals
    ) -> None:
        alive = project / "alive"
        os.mkfifo(alive)
        # The program starts another one, as npm does; both keep the pipe open as long as they live.
        _program(builder / "python", f"exec 9>{alive}; sleep 600 & echo started >&9; wait")
        asked = subprocess.Popen(
            [_PYTHON, "-c", _ASK, str(project), str(builder / "python"), str(settings.data_dir)],
            stderr=subprocess.DEVNULL,
        )
        with alive.open("rb", buffering=0) as pipe:
            assert pipe.read(8) == b"started\n"
            asked.send_signal(number)
            asked.wait(20)
            readable, _, _ = select.select([pipe], [], [], 20)
            assert readable
            assert pipe.read(1) == b""

    def test_says_what_to_do_without_npm(self, settings: Settings, builder: Path) -> None:
        (builder / "npm").unlink()
        with pytest.raises(front_end.FrontEndNotBuilt, match="make setup"):
            front_end.build(settings, say=lambda _line: None)


class TestServer:
    def test_is_one_process_that_owns_the_writer(self) -> None:
        command = front_end.server_command(host="127.0.0.1", port=8123, drain_seconds=30)
        assert command[command.index("--workers") + 1] == "1"
        assert command[command.index("--port") + 1] == "8123"
        assert "--no-access-log" in command

    def test_compiles_nothing_and_calls_nobody(self, settings: Settings) -> None:
        environment = front_end.server_environment(settings)
        assert environment["__REFLEX_SKIP_COMPILE"] == "true"
        assert environment["REFLEX_TELEMETRY_ENABLED"] == "false"
        assert environment["REFLEX_CHECK_LATEST_VERSION"] == "false"
