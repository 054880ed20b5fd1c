"""The agreements say the same in both languages, clause by clause, and promise what the tables keep."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGE, relative

TEXTS = PACKAGE / "agreements" / "texts"
LOCALES = ("en", "zh-CN")
PUBLISHED = {
    "privacy_policy.2026-05-18.en.md": "922aa2f228845eed4071896b285d41fc1059883ae9e99aedb59b42a4600eae3e",
    "privacy_policy.2026-05-18.zh-CN.md": "3ea549b6240194e90bd4d543c5d8780b7ae0fb0c4155acea9731740e4d663e8c",
    "terms_of_service.2026-05-18.en.md": "a9c9d224466c7317d940a37281ef66346cf2cd7fe1c8c33fe42e7d98f136772a",
    "terms_of_service.2026-05-18.zh-CN.md": "d9d8c14532c032b4deb0389126e9a442e4a93fceceaacc021bdce5511cf98cad",
}
"""SHA-256 of every text as it was published: acceptances carry it, so a change of words is a new version."""
_SHAPE = re.compile(r"(#+ |\d+\.\d+ |\d+\. |- |\| )")
_WIDE = re.compile(r"[\u4e00-\u9fff]")


def shape_of(text: str) -> list[str]:
    """Return the order of headings, numbered clauses, list items and table rows, without their words."""
    return [match[1] for line in text.splitlines() if (match := _SHAPE.match(line))]


def versions() -> list[Path]:
    """Return the English text of every version of every agreement."""
    return sorted(TEXTS.glob("*.en.md"))


@pytest.mark.parametrize("english", versions(), ids=relative)
class TestTexts:
    def test_both_languages_have_the_same_clauses(self, english: Path) -> None:
        texts = [english.with_name(english.name.replace(".en.", f".{locale}.")) for locale in LOCALES]
        first, second = (shape_of(text.read_text(encoding="utf-8")) for text in texts)
        assert first == second

    def test_each_names_its_version(self, english: Path) -> None:
        version = english.name.split(".")[1]
        for locale in LOCALES:
            text = english.with_name(english.name.replace(".en.", f".{locale}.")).read_text(encoding="utf-8")
            assert version in text.splitlines()[2]

    def test_the_english_one_is_english(self, english: Path) -> None:
        assert not _WIDE.search(english.read_text(encoding="utf-8"))


class TestVersions:
    def test_a_published_text_is_never_edited(self) -> None:
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in TEXTS.iterdir()}
        assert found == PUBLISHED

    def test_the_first_version_of_both_agreements_is_there(self) -> None:
        names = {path.name for path in TEXTS.iterdir()}
        assert {
            f"{kind}.2026-05-18.{locale}.md" for kind in ("terms_of_service", "privacy_policy") for locale in LOCALES
        } <= names
