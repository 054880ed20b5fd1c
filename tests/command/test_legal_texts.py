"""An operator's own agreements are checked before anything starts, and evidence of a text that is gone is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from onetoken_app.agreements.documents import TEXTS, documents, documents_with
from onetoken_app.agreements.models import AgreementKind
from onetoken_app.command.failure import CommandFailed
from onetoken_app.command.legal_texts import check_legal_texts
from onetoken_app.settings import BadSettings, Settings, get_settings
from tests.command.conftest import Onetoken
from tests.support.installation import apply_file

TERMS = ("terms_of_service.2026-06-01.en.md", "terms_of_service.2026-06-01.zh-CN.md")
FILE = apply_file(base_url="http://127.0.0.1:9/v1")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Terms of the operator's own."""
    folder = tmp_path / "own"
    folder.mkdir()
    for name in TERMS:
        (folder / name).write_text(f"# {name}\n", encoding="utf-8")
    monkeypatch.setenv("ONETOKEN_LEGAL_TEXTS_DIR", str(folder))
    return folder


def agreements_finding(onetoken: Onetoken) -> tuple[str, str]:
    """Return what ``doctor`` says about the texts."""
    found = json.loads(onetoken("doctor", "--json").output)["findings"]
    return next((one["verdict"], one["words"]) for one in found if one["subject"] == "agreements")


def drop(name: str) -> Callable[[Path], object]:
    """Take a file away."""
    return lambda folder: (folder / name).unlink()


def write(name: str, content: bytes) -> Callable[[Path], object]:
    """Write a file."""
    return lambda folder: (folder / name).write_bytes(content)


class TestDocuments:
    def test_own_texts_replace_the_packages_of_their_kind_wholly(self, own: Path) -> None:
        found = {(one.kind, one.version) for one in documents()}
        assert found == {
            (AgreementKind.TERMS_OF_SERVICE, "2026-06-01"),
            (AgreementKind.PRIVACY_POLICY, "2026-05-18"),
        }
        assert (own / TERMS[0]).read_text(encoding="utf-8") in {one.text for one in documents()}

    def test_what_tools_keep_for_themselves_is_left_alone(self, own: Path) -> None:
        (own / "..data").mkdir()
        (own / ".keep").write_bytes(b"\xff")
        assert len(documents()) == 4


class TestCheckLegalTexts:
    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            pytest.param(drop(TERMS[1]), "zh-CN.md is missing", id="a language is missing"),
            pytest.param(write("terms.md", b"# x"), "terms.md is no name", id="a name that is none"),
            pytest.param(
                write("terms_of_service.2026-06-01.fr.md", b"# x"), "is no name", id="a language that is none"
            ),
            pytest.param(write("terms_of_service.2026-13-01.en.md", b"# x"), "no calendar", id="a day that is none"),
            pytest.param(write(TERMS[0], b"\xff\xfe"), "is not UTF-8", id="bytes that are no text"),
            pytest.param(write(TERMS[0], b" \n"), "is empty", id="nothing"),
            pytest.param(lambda folder: [drop(name)(folder) for name in TERMS], "holds no text", id="an empty folder"),
            pytest.param(shutil.rmtree, "No such file", id="no folder"),
        ],
    )
    def test_a_folder_that_cannot_be_used_is_named(
        self, own: Path, onetoken: Onetoken, spoil: Callable[[Path], object], words: str
    ) -> None:
        spoil(own)
        with pytest.raises(BadSettings, match=r"^ONETOKEN_LEGAL_TEXTS_DIR: ") as caught:
            check_legal_texts(get_settings())
        assert words in str(caught.value)
        assert agreements_finding(onetoken) == ("trouble", str(caught.value))
        done = onetoken("relay")
        assert (done.exit_code, done.errors) == (1, f"onetoken: {caught.value}\n")

    def test_texts_of_the_future_alone_are_not_enough(self, own: Path) -> None:
        for name in TERMS:
            (own / name).rename(own / name.replace("2026-06-01", "2926-06-01"))
        with pytest.raises(CommandFailed, match="no terms_of_service there has taken effect"):
            check_legal_texts(get_settings())

    def test_a_text_that_was_accepted_may_not_be_changed(self, own: Path, onetoken: Onetoken) -> None:
        assert onetoken("apply", "-", stdin=FILE).exit_code == 0
        check_legal_texts(get_settings())
        assert agreements_finding(onetoken)[0] == "ok"
        for name in TERMS:
            (own / name).write_text("# Other words\n", encoding="utf-8")
        documents_with.cache_clear()
        with pytest.raises(CommandFailed, match=r"2026-06-01\.[a-zA-Z-]+\.md was changed since it was accepted"):
            check_legal_texts(get_settings())
        verdict, words = agreements_finding(onetoken)
        assert (verdict, "was changed" in words) == ("trouble", True)

    def test_an_accepted_text_that_is_gone_is_named_until_it_is_copied(
        self, own: Path, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ONETOKEN_LEGAL_TEXTS_DIR")
        assert onetoken("apply", "-", stdin=FILE).exit_code == 0
        replaced = Settings(legal_texts_dir=own)
        check_legal_texts(replaced)
        monkeypatch.setenv("ONETOKEN_LEGAL_TEXTS_DIR", str(own))
        get_settings.cache_clear()
        verdict, words = agreements_finding(onetoken)
        assert (verdict, "2026-05-18" in words, "is missing, though it was accepted" in words) == (
            "trouble",
            True,
            True,
        )
        for path in TEXTS.glob("terms_of_service.*"):
            shutil.copy(path, own)
        documents_with.cache_clear()
        assert agreements_finding(onetoken)[0] == "ok"
