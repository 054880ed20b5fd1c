"""Makes a run fail when a test was skipped or was expected to fail: what was not tried was not shown to work.

A test that leaves time frozen fails itself, before others fail for reasons that nobody finds.
"""

from collections.abc import Iterator

import pytest

from onetoken_app import clock

_left_out: list[str] = []
_genuine_now = clock.utc_now


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Give time back, and say who took it."""
    yield
    if clock.utc_now is not _genuine_now:
        clock.utc_now = _genuine_now
        message = f"{item.nodeid} left time frozen"
        raise AssertionError(message)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember a test that did not count."""
    if report.skipped or hasattr(report, "wasxfail"):
        _left_out.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remember a module that left itself out."""
    if report.skipped:
        _left_out.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a run with such tests into a failed one."""
    if _left_out:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests made the run fail."""
    for nodeid in _left_out:
        terminalreporter.write_line(f"FAILED {nodeid}: skipped or expected to fail, which this project does not allow")
