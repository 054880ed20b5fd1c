"""A run that left a test out is a failed run, with one worker or several."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PASSES = "def test_passes(): pass\n"
LEFT_OUT = {
    "nothing": (PASSES, 0),
    "a skipped test": (f"import pytest\n{PASSES}@pytest.mark.skip\ndef test_it(): pass\n", 1),
    "a test that skips itself": (f"import pytest\n{PASSES}def test_it(): pytest.skip('no')\n", 1),
    "a test expected to fail": (f"import pytest\n{PASSES}@pytest.mark.xfail\ndef test_it(): assert False\n", 1),
    "a whole file": ("import pytest\npytest.skip('no', allow_module_level=True)\n", 1),
    "a file that wants a missing package": (f"import pytest\npytest.importorskip('no_such_package')\n{PASSES}", 1),
}


def exit_code_of(folder: Path, case: str, *, workers: str) -> int:
    """Run two files of tests with the guard of this project; return how that ended."""
    (folder / "test_sample.py").write_text(LEFT_OUT[case][0])
    (folder / "test_other.py").write_text(PASSES)
    plugins = ["-p", "xdist", "-p", "tests.support.honest_run"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "-n", workers, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).returncode


class TestHonestRun:
    @pytest.mark.parametrize("case", LEFT_OUT)
    def test_what_is_left_out_fails_the_run(self, tmp_path: Path, case: str) -> None:
        assert exit_code_of(tmp_path, case, workers="0") == LEFT_OUT[case][1]

    @pytest.mark.parametrize("case", ["nothing", "a skipped test", "a whole file"])
    def test_with_several_workers_as_well(self, tmp_path: Path, case: str) -> None:
        assert exit_code_of(tmp_path, case, workers="2") == LEFT_OUT[case][1]
