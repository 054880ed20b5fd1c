"""What a clean clone carries: no address of a registry, no path of one machine, no secret."""

import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import committed_files, relative

_HOSTS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "yarnpkg" + ".com",
    "npmmirror" + ".com",
)
_REGISTRY = re.compile("|".join(re.escape(host) for host in _HOSTS), re.IGNORECASE)
_INDEX_OPTION = re.compile(r"--(?:extra-)?index[-]url|--find[-]links|--trusted[-]host|\"resolved\":\s*\"http")
_MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/[\w.-]+")
_SECRET = re.compile(
    r"otk_live_(?![0-9A-Za-z]*([0-9A-Za-z])\1{7})[0-9A-Za-z]{40,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bsk-[A-Za-z0-9]{32,}"
)
"""A key of a test may stand in the tree when nobody could take it for a real one: one character repeated."""
BINARY = {".png", ".ico", ".woff2", ".woff", ".ttf", ".otf", ".jpg", ".pdf", ".gz"}


def mistakes_in(text: str) -> Iterator[str]:
    """Yield what may not be committed, by line."""
    for number, line in enumerate(text.splitlines(), start=1):
        if _REGISTRY.search(line) or _INDEX_OPTION.search(line):
            yield f"{number} names a package registry; the installing machine knows its own"
        if _MACHINE_PATH.search(line):
            yield f"{number} has a path of somebody's machine"
        if _SECRET.search(line):
            yield f"{number} looks like a live secret"


class TestCommittedText:
    def test_nothing_ties_the_tree_to_one_machine_or_registry(self) -> None:
        found = [
            f"{relative(path)}: {mistake}"
            for path in committed_files()
            if path.suffix not in BINARY and path.name != ".env"
            for mistake in mistakes_in(path.read_text(encoding="utf-8"))
        ]
        assert found == []

    @pytest.mark.parametrize(
        "planted",
        [
            pytest.param(f"https://files.{_HOSTS[1]}/x.whl", id="a registry's host"),
            pytest.param("--extra-" + "index-url=x", id="an option that names one"),
            pytest.param('"resolved": ' + '"http://somewhere/x.tgz"', id="a lock with addresses"),
            pytest.param("open('/ho" + "me/someone/file')", id="a path of one machine"),
            pytest.param("otk_" + "live_" + "Ab1" * 17, id="a whole API key"),
        ],
    )
    def test_a_planted_mistake_is_found(self, planted: str) -> None:
        assert list(mistakes_in(planted))
