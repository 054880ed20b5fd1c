"""A code says what was put into it, read back the way a scanner does, and every block of it divides without a rest."""

import base64

import pytest

from onetoken_app.payments.qr_code import (
    BYTES_MAX,
    Grid,
    alignment_places,
    blocks_of,
    code_picture,
    codewords_in,
    mask_bit,
    modules_of,
    times,
)

_CHECK = {1: 10, 2: 16, 3: 26, 4: 18, 5: 24, 6: 16, 7: 18, 8: 22, 9: 22, 10: 26}


def read(modules: list[list[bool]]) -> str:
    """Read a code."""
    size = len(modules)
    version = (size - 17) // 4
    mask = _mask_of(modules)
    bits = [modules[y][x] ^ mask_bit(mask, x, y) for x, y in Grid(version).free_places()]
    total = codewords_in(version)
    codewords = [sum(bit << (7 - at) for at, bit in enumerate(bits[8 * n : 8 * n + 8])) for n in range(total)]
    blocks = _blocks(version, codewords)
    for block in blocks:
        assert _is_divisible(block, _CHECK[version])
    content = b"".join(bytes(block[: -_CHECK[version]]) for block in blocks)
    written = "".join(f"{byte:08b}" for byte in content)
    assert written[:4] == "0100"
    length_end = 12 if version < 10 else 20
    length = int(written[4:length_end], 2)
    return bytes(int(written[length_end + 8 * n : length_end + 8 * n + 8], 2) for n in range(length)).decode()


def _mask_of(modules: list[list[bool]]) -> int:
    """Read the mask of the format bits beside the first finder."""
    places = [*[(8, y) for y in (0, 1, 2, 3, 4, 5, 7, 8)], *[(x, 8) for x in (7, 5, 4, 3, 2, 1, 0)]]
    bits = sum(modules[y][x] << number for number, (x, y) in enumerate(places)) ^ 0x5412
    assert bits >> 13 == 0  # correction M
    return bits >> 10 & 7


def _blocks(version: int, codewords: list[int]) -> list[list[int]]:
    """Take interleaved codewords apart."""
    lengths = blocks_of(version, len(codewords))
    blocks: list[list[int]] = [[] for _ in lengths]
    left = iter(codewords)
    for number in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if number < length:
                block.append(next(left))
    for _ in range(_CHECK[version]):
        for block in blocks:
            block.append(next(left))
    return blocks


def _is_divisible(block: list[int], degree: int) -> bool:
    """Whether a block has every root of the generator."""
    root = 1
    for _ in range(degree):
        value = 0
        for byte in block:
            value = times(value, root) ^ byte
        if value:
            return False
        root = times(root, 2)
    return True


class TestModules:
    @pytest.mark.parametrize("length", [1, 14, 15, 26, 42, 62, 84, 106, 122, 152, 180, BYTES_MAX])
    def test_says_what_was_put_in(self, length: int) -> None:
        text = ("weixin://wxpay/bizpayurl?pr=" + "aB3" * 80)[:length]
        assert read(modules_of(text)) == text

    def test_other_letters_are_written_as_utf_8(self) -> None:
        assert read(modules_of("微信支付")) == "微信支付"

    def test_a_longer_text_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at most"):
            modules_of("x" * (BYTES_MAX + 1))

    def test_the_smallest_version_that_holds_it_is_taken(self) -> None:
        assert [len(modules_of("x" * length)) for length in (14, 15, BYTES_MAX)] == [21, 25, 57]

    def test_patterns_stand_where_the_standard_says(self) -> None:
        assert [alignment_places(version) for version in (1, 2, 7, 10)] == [[], [6, 18], [6, 22, 38], [6, 28, 50]]
        assert [codewords_in(version) for version in (1, 2, 6, 7, 10)] == [26, 44, 172, 196, 346]


class TestPicture:
    def test_is_an_svg_within_its_address(self) -> None:
        kind, _, encoded = code_picture("weixin://wxpay/bizpayurl?pr=x").partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert base64.b64decode(encoded).startswith(b"<svg ")
