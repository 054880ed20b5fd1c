"""The demo's secrets are written before they are used, kept, and readable by their owner alone."""

from pathlib import Path

from onetoken_app.command.apply_file import read_apply_file
from onetoken_app.demo.organization import (
    FILE_NAME,
    apply_file,
    read_or_generate,
    remember_key,
    rename_key,
)


class TestReadOrGenerate:
    def test_the_same_secrets_come_back(self, tmp_path: Path) -> None:
        assert read_or_generate(tmp_path) == read_or_generate(tmp_path)
        assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600

    def test_two_installations_share_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        first, second = read_or_generate(tmp_path / "a"), read_or_generate(tmp_path / "b")
        assert first.owner_password != second.owner_password
        assert first.staff_password != second.staff_password

    def test_nothing_secret_is_in_a_representation(self, tmp_path: Path) -> None:
        known = read_or_generate(tmp_path)
        assert known.owner_password not in repr(known)


class TestKeys:
    def test_a_minted_key_is_remembered(self, tmp_path: Path) -> None:
        known = remember_key(tmp_path, read_or_generate(tmp_path), api_key="otk_live_x")
        assert read_or_generate(tmp_path) == known
        assert known.api_key == "otk_live_x"

    def test_a_key_whose_secret_was_lost_is_asked_for_under_another_name(self, tmp_path: Path) -> None:
        known = read_or_generate(tmp_path)
        assert rename_key(tmp_path, known).key_name != known.key_name


class TestApplyFile:
    def test_it_is_a_file_that_apply_reads(self, tmp_path: Path) -> None:
        known = read_or_generate(tmp_path)
        file = read_apply_file(apply_file(known, base_url="http://127.0.0.1:1234/v1"))
        assert file.channels[0].base_url == "http://127.0.0.1:1234/v1"
        assert file.organizations[0].people[0].password == known.owner_password
