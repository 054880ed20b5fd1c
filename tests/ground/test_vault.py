"""Secrets at rest: generated once, sealed for one place, opened nowhere else."""

import base64
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from onetoken_app.settings import BadSettings, Settings
from onetoken_app.vault import CannotUnseal, keyed_digest, load_root_secrets, seal, unseal

KEY = bytes(range(32))
PLACE = "catalog_channel:chn_1:credential"


class TestSeal:
    def test_opens_in_its_place(self) -> None:
        assert unseal(KEY, seal(KEY, "sk-upstream", bound_to=PLACE), bound_to=PLACE) == "sk-upstream"

    def test_the_same_secret_looks_different_each_time(self) -> None:
        assert seal(KEY, "sk-upstream", bound_to=PLACE) != seal(KEY, "sk-upstream", bound_to=PLACE)

    def test_does_not_contain_the_secret(self) -> None:
        assert b"sk-upstream" not in seal(KEY, "sk-upstream", bound_to=PLACE)

    @pytest.mark.parametrize(
        ("key", "place"),
        [
            pytest.param(bytes(32), PLACE, id="with another key"),
            pytest.param(KEY, "catalog_channel:chn_2:credential", id="in another row"),
        ],
    )
    def test_does_not_open_elsewhere(self, key: bytes, place: str) -> None:
        with pytest.raises(CannotUnseal):
            unseal(key, seal(KEY, "sk-upstream", bound_to=PLACE), bound_to=place)

    def test_does_not_open_with_any_byte_changed(self) -> None:
        sealed = seal(KEY, "sk-upstream", bound_to=PLACE)
        for position in range(len(sealed)):
            changed = bytearray(sealed)
            changed[position] ^= 1
            with pytest.raises(CannotUnseal):
                unseal(KEY, bytes(changed), bound_to=PLACE)

    @pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(12), bytes(40)])
    def test_does_not_open_what_was_never_sealed(self, sealed: bytes) -> None:
        with pytest.raises(CannotUnseal):
            unseal(KEY, sealed, bound_to=PLACE)


class TestKeyedDigest:
    def test_depends_on_key_and_message(self) -> None:
        digests = {keyed_digest(b"a", b"x"), keyed_digest(b"b", b"x"), keyed_digest(b"a", b"y")}
        assert len(digests) == 3
        assert all(len(digest) == 32 for digest in digests)


class TestLoadRootSecrets:
    def test_generates_them_once_in_a_file_for_the_owner_only(self, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path / "var")
        first = load_root_secrets(settings)
        file = tmp_path / "var" / "secrets.env"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert load_root_secrets(settings) == first
        assert first.key_pepper != first.key_encryption_key
        assert [path.name for path in file.parent.iterdir()] == ["secrets.env"]

    def test_writes_nothing_when_both_are_given(self, settings: Settings) -> None:
        load_root_secrets(settings)
        assert not settings.data_dir.exists()

    def test_are_required_on_postgresql(self, settings: Settings) -> None:
        bare = settings.model_copy(update={"database_url": SecretStr("postgresql://host/x"), "key_pepper": None})
        with pytest.raises(BadSettings, match="ONETOKEN_KEY_PEPPER"):
            load_root_secrets(bare)

    @pytest.mark.parametrize("value", ["short", base64.b64encode(bytes(31)).decode(), "ä" * 44])
    def test_refuses_a_malformed_one_without_showing_it(self, settings: Settings, value: str) -> None:
        with pytest.raises(BadSettings, match="base64 of 32 bytes") as caught:
            load_root_secrets(settings.model_copy(update={"key_pepper": SecretStr(value)}))
        assert value not in str(caught.value)

    def test_says_so_when_the_file_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "var").write_text("a file where the folder should be")
        with pytest.raises(BadSettings, match=r"secrets\.env: cannot keep"):
            load_root_secrets(Settings(data_dir=tmp_path / "var"))

    def test_do_not_show_in_a_representation(self, settings: Settings) -> None:
        assert "key_pepper=" not in repr(load_root_secrets(settings))
