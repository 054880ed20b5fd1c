"""The front end: when it counts as built, how it is served, what a failed build says."""

import sys
from pathlib import Path

import pytest

from onetoken_app.console import front_end
from onetoken_app.settings import Settings


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
    def test_a_failure_ends_with_the_builds_own_words(self, settings: Settings, builder: Path) -> None:
        _program(builder / "python", "echo the page is broken; exit 3")
        with pytest.raises(front_end.FrontEndNotBuilt, match="the page is broken"):
            front_end.build(settings, say=lambda _line: None)
        assert not front_end.is_current()

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
