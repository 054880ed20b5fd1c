"""The form of a key: constant shape, enough secret, a checksum that finds any slip."""

import re
import string

import pytest

from onetoken_app.identifiers import Kind, new_id
from onetoken_app.keys.minting import KEY_CHARACTERS, digest_of, has_valid_checksum, key_prefix_of, mint_secret

BASE62 = string.digits + string.ascii_letters


class TestMintSecret:
    def test_has_one_shape(self) -> None:
        for _ in range(200):
            assert re.fullmatch(r"otk_live_[0-9A-Za-z]{52}", mint_secret(new_id(Kind.API_KEY)))

    def test_the_same_row_would_get_another_secret(self) -> None:
        api_key_id = new_id(Kind.API_KEY)
        assert mint_secret(api_key_id) != mint_secret(api_key_id)

    def test_begins_with_what_is_displayed(self) -> None:
        api_key_id = new_id(Kind.API_KEY)
        secret = mint_secret(api_key_id)
        assert secret.startswith(key_prefix_of(api_key_id))
        assert secret[9:21] == api_key_id[-12:]

    def test_uses_every_character_of_the_alphabet(self) -> None:
        seen = set("".join(mint_secret(new_id(Kind.API_KEY))[21:-6] for _ in range(200)))
        assert seen == set(BASE62)

    def test_leaves_170_bits_to_somebody_who_knows_the_checksum(self) -> None:
        secret_characters = KEY_CHARACTERS - len("otk_live_") - 12 - 6
        assert 62**secret_characters >> 32 >= 2**170


class TestHasValidChecksum:
    def test_knows_a_minted_key(self) -> None:
        assert has_valid_checksum(mint_secret(new_id(Kind.API_KEY)))

    def test_finds_any_single_slip(self) -> None:
        secret = mint_secret(new_id(Kind.API_KEY))
        for position in range(len("otk_live_"), len(secret)):
            for character in BASE62:
                slip = secret[:position] + character + secret[position + 1 :]
                assert has_valid_checksum(slip) == (slip == secret)

    @pytest.mark.parametrize(
        "text",
        ["", "otk_live_", "sk-1234", "otk_test_" + "0" * 52, "otk_live_" + "0" * 51 + "١", "otk_live_" + "!" * 52],
    )
    def test_refuses_another_form(self, text: str) -> None:
        assert not has_valid_checksum(text)

    def test_refuses_a_key_with_something_around_it(self) -> None:
        secret = mint_secret(new_id(Kind.API_KEY))
        for text in (f" {secret}", f"{secret}\n", f"{secret}x", secret[:-1]):
            assert not has_valid_checksum(text)


class TestDigestOf:
    def test_depends_on_key_and_pepper(self) -> None:
        secret = mint_secret(new_id(Kind.API_KEY))
        assert digest_of(secret, b"a") == digest_of(secret, b"a")
        assert digest_of(secret, b"a") != digest_of(secret, b"b")
        assert len(digest_of(secret, b"a")) == 32
