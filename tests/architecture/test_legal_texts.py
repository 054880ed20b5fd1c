"""The agreements say the same in both languages, clause by clause, and promise what the tables keep."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGE, relative

TEXTS = PACKAGE / "agreements" / "texts"
LOCALES = ("en", "zh-CN")
PUBLISHED = {
    "privacy_policy.2026-05-18.en.md": "b1aa6fbe85e646c3d0e62e439446b4daf97af6e658f0bd7cade62fca1fce9651",
    "privacy_policy.2026-05-18.zh-CN.md": "da7186b6e071b15a4b7d2383490d488a5706e36689dc0420fb85b0a4502d76a9",
    "terms_of_service.2026-05-18.en.md": "5d63f1427823c05c4d44e46c4707fea645de71e01cb903a453ba41838844b623",
    "terms_of_service.2026-05-18.zh-CN.md": "b41f4817a6e5e990aec0a6a5a10ebb964bc1d77165c83ae38367d92ef748cba0",
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
