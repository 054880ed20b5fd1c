"""Which tests run in one worker when ``make test`` runs several, and in which order they begin.

A file stays together, for its fixtures; all journeys stay together, for they share one running console. They take
longest and begin first.
"""

from pathlib import Path

import pytest

_TOGETHER = "journeys"


def group_of(path: Path) -> str:
    """Name the group of a test by its file."""
    return _TOGETHER if _TOGETHER in path.parts else "/".join(path.parts[-2:])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put each test into its group."""
    items.sort(key=lambda item: group_of(item.path) != _TOGETHER)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item.path)))
