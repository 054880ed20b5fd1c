"""A disk without room: each command that writes says so in one line.

The size of files is limited for the command's process: SQLite then gets an error of the system from a write, as it does
from a full disk.
"""

import subprocess
from pathlib import Path

import pytest

from tests.support.installation import COMMAND, Done, Installation, apply_file

_BLOCK_BYTES = 512


def run_with_room(installation: Installation, room_bytes: int, *arguments: str, stdin: str = "") -> Done:
    """Run a command that can make no file longer than ``room_bytes``."""
    limited = ["sh", "-c", f'ulimit -f {room_bytes // _BLOCK_BYTES}; exec "$@"', "sh", COMMAND, *arguments]
    done = subprocess.run(
        limited, cwd=installation.folder, env=installation.environment, input=stdin, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def assert_says_that_there_is_no_room(done: Done) -> None:
    """One line, about the disk, and no traceback."""
    assert done.exit_code == 1
    assert "disk is full or fails" in done.errors
    assert done.errors.startswith("onetoken: ")
    assert done.errors.count("\n") == 1


class TestFullDisk:
    @pytest.mark.parametrize("room_bytes", [8192, 65_536])
    def test_no_tables_are_made(self, tmp_path: Path, room_bytes: int) -> None:
        installation = Installation(tmp_path)
        assert_says_that_there_is_no_room(run_with_room(installation, room_bytes, "db", "upgrade"))
        installation.succeed("db", "upgrade")

    @pytest.mark.parametrize(
        "arguments",
        [
            pytest.param(["apply", "-"], id="apply"),
            pytest.param(["staff", "add", "ann@ops.example", "--password-env", "TEST_PASSWORD"], id="staff add"),
            pytest.param(["backup", "copy"], id="backup"),
        ],
    )
    def test_nothing_is_done(self, tmp_path: Path, arguments: list[str]) -> None:
        installation = Installation(tmp_path)
        installation.succeed("db", "upgrade")
        file = apply_file(base_url="http://127.0.0.1:9/v1")
        assert_says_that_there_is_no_room(run_with_room(installation, 4096, *arguments, stdin=file))
        assert not (tmp_path / "copy").exists()
        assert installation.rows("SELECT count(*) FROM identity_person") == [(0,)]
