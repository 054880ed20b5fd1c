"""Pictures of codes to scan: QR codes (ISO/IEC 18004) of versions 1 to 10, bytes, error correction M. Pure.

A payment's text must reach nobody else, so no service draws it, and the page needs no script for it.
"""

import base64
from collections.abc import Iterable, Iterator

VERSION_MAX = 10
BYTES_MAX = 213
_CHECK_CODEWORDS = (10, 16, 26, 18, 24, 16, 18, 22, 22, 26)
"""A block, by version."""
_BLOCKS = (1, 1, 1, 2, 2, 4, 4, 4, 5, 5)
_QUIET = 4
"""Light modules around the code."""
_FORMAT_MASK = 0x5412
_CORRECTION_M = 0


class Grid:
    """Modules of a code that is being drawn."""

    def __init__(self, version: int) -> None:
        """Draw what every code of a version has."""
        self.version = version
        self.size = version * 4 + 17
        self.dark = [[False] * self.size for _ in range(self.size)]
        self.is_fixed = [[False] * self.size for _ in range(self.size)]
        self._draw_patterns()

    def fix(self, x: int, y: int, *, is_dark: bool) -> None:
        """Draw a module that no data comes to."""
        self.dark[y][x], self.is_fixed[y][x] = is_dark, True

    def _draw_patterns(self) -> None:
        """Draw timing, finders, alignment, and keep room for format and version."""
        for at in range(self.size):
            self.fix(6, at, is_dark=at % 2 == 0)
            self.fix(at, 6, is_dark=at % 2 == 0)
        for x, y in ((3, 3), (self.size - 4, 3), (3, self.size - 4)):
            for dx, dy in _square(4):
                if 0 <= x + dx < self.size and 0 <= y + dy < self.size:
                    self.fix(x + dx, y + dy, is_dark=max(abs(dx), abs(dy)) not in {2, 4})
        places = alignment_places(self.version)
        last = len(places) - 1
        for i, x in enumerate(places):
            for j, y in enumerate(places):
                if (i, j) not in {(0, 0), (0, last), (last, 0)}:
                    for dx, dy in _square(2):
                        self.fix(x + dx, y + dy, is_dark=max(abs(dx), abs(dy)) != 1)
        self.draw_format(0)
        self._draw_version()

    def draw_format(self, mask: int) -> None:
        """Draw the level of correction and the mask, twice."""
        bits = _with_remainder(_CORRECTION_M << 3 | mask, 0x537, 10) ^ _FORMAT_MASK
        first = [(8, at) for at in (0, 1, 2, 3, 4, 5, 7, 8)] + [(at, 8) for at in (7, 5, 4, 3, 2, 1, 0)]
        second = [(self.size - 1 - at, 8) for at in range(8)] + [(8, self.size - 15 + at) for at in range(8, 15)]
        for places in (first, second):
            for number, (x, y) in enumerate(places):
                self.fix(x, y, is_dark=bool(bits >> number & 1))
        self.fix(8, self.size - 8, is_dark=True)

    def _draw_version(self) -> None:
        """Draw the version, twice, where codes are large enough to need it."""
        if self.version < 7:
            return
        bits = _with_remainder(self.version, 0x1F25, 12)
        for number in range(18):
            a, b = self.size - 11 + number % 3, number // 3
            self.fix(a, b, is_dark=bool(bits >> number & 1))
            self.fix(b, a, is_dark=bool(bits >> number & 1))

    def free_places(self) -> Iterator[tuple[int, int]]:
        """Yield where data goes: pairs of columns from the right, up and down."""
        for right in (*range(self.size - 1, 6, -2), *range(5, 0, -2)):
            goes_up = (right + 1) & 2 == 0
            for step in range(self.size):
                y = self.size - 1 - step if goes_up else step
                for x in (right, right - 1):
                    if not self.is_fixed[y][x]:
                        yield x, y

    def penalty(self) -> int:
        """Count what scanners stumble over: long runs and squares of one colour."""
        rows, columns = self.dark, list(zip(*self.dark, strict=True))
        runs = sum(_runs(line) for lines in (rows, columns) for line in lines)
        squares = sum(
            3
            for y in range(self.size - 1)
            for x in range(self.size - 1)
            if rows[y][x] == rows[y][x + 1] == rows[y + 1][x] == rows[y + 1][x + 1]
        )
        return runs + squares


def modules_of(text: str) -> list[list[bool]]:
    """Return a code's modules by rows; true is dark.

    Raises:
        ValueError: The text is longer than ``BYTES_MAX`` bytes.
    """
    content = text.encode()
    version = next((one for one in range(1, VERSION_MAX + 1) if _room(one) >= _needed_bits(one, content)), 0)
    if not version:
        message = f"a code holds at most {BYTES_MAX} bytes"
        raise ValueError(message)
    codewords = list(_with_correction(version, _data_codewords(version, content)))
    grids = [_drawn(version, codewords, mask) for mask in range(8)]
    return min(grids, key=Grid.penalty).dark


def code_picture(text: str) -> str:
    """Return the address of a picture of a code: an SVG within itself.

    Raises:
        ValueError: As ``modules_of``.
    """
    modules = modules_of(text)
    side = len(modules) + 2 * _QUIET
    path = "".join(
        f"M{x + _QUIET},{y + _QUIET}h1v1h-1z"
        for y, row in enumerate(modules)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0,0h{side}v{side}h-{side}z"/><path d="{path}"/></svg>'
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def alignment_places(version: int) -> list[int]:
    """Return the rows, and columns, that alignment patterns stand in."""
    if version == 1:
        return []
    count, last = version // 7 + 2, version * 4 + 10
    step = (version * 4 + count * 2 + 1) // (count * 2 - 2) * 2
    return [6, *[last - step * number for number in range(count - 2, -1, -1)]]


def blocks_of(version: int, codewords_count: int) -> list[int]:
    """Return how many data codewords each block has; ``codewords_count`` counts those of correction too."""
    count, check = _BLOCKS[version - 1], _CHECK_CODEWORDS[version - 1]
    short, longer_count = divmod(codewords_count, count)
    return [short - check + (number >= count - longer_count) for number in range(count)]


def codewords_in(version: int) -> int:
    """Return how many codewords a code holds, with those of correction."""
    bits = (16 * version + 128) * version + 64
    if version >= 2:
        count = version // 7 + 2
        bits -= (25 * count - 10) * count - 55
    return (bits - (36 if version >= 7 else 0)) // 8


def mask_bit(mask: int, x: int, y: int) -> bool:
    """Whether a mask turns a module around."""
    return (
        (x + y) % 2 == 0, y % 2 == 0, x % 3 == 0, (x + y) % 3 == 0,
        (x // 3 + y // 2) % 2 == 0, x * y % 2 + x * y % 3 == 0, (x * y % 2 + x * y % 3) % 2 == 0,
        ((x + y) % 2 + x * y % 3) % 2 == 0,
    )[mask]  # fmt: skip


def times(a: int, b: int) -> int:
    """Multiply in the field of 256 elements that the correction works in."""
    product = 0
    for number in range(7, -1, -1):
        product = (product << 1) ^ ((product >> 7) * 0x11D)
        product ^= (b >> number & 1) * a
    return product


def _room(version: int) -> int:
    """Return how many bits of data a version holds."""
    return 8 * sum(blocks_of(version, codewords_in(version)))


def _needed_bits(version: int, content: bytes) -> int:
    """Return how many bits some bytes take."""
    return 4 + (8 if version < 10 else 16) + 8 * len(content)


def _data_codewords(version: int, content: bytes) -> bytes:
    """Write the mode, the length, the bytes, and fill the rest up."""
    length_bits, room = (8 if version < 10 else 16), _room(version)
    bits = f"{0b0100:04b}{len(content):0{length_bits}b}" + "".join(f"{byte:08b}" for byte in content)
    bits += "0" * min(4, room - len(bits))
    bits += "0" * (-len(bits) % 8)
    written = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    filling = bytes((0xEC, 0x11)) * room
    return written + filling[: room // 8 - len(written)]


def _with_correction(version: int, codewords: bytes) -> Iterator[int]:
    """Add correction to each block, and interleave the blocks."""
    check = _CHECK_CODEWORDS[version - 1]
    data, checks, at = [], [], 0
    for length in blocks_of(version, codewords_in(version)):
        block = codewords[at : at + length]
        at += length
        data.append(block)
        checks.append(_remainder(block, _divisor(check)))
    for blocks in (data, checks):
        for number in range(max(map(len, blocks))):
            yield from (block[number] for block in blocks if number < len(block))


def _divisor(degree: int) -> list[int]:
    """Return the generator polynomial without its leading 1."""
    polynomial, root = [0] * (degree - 1) + [1], 1
    for _ in range(degree):
        polynomial = [
            times(factor, root) ^ (polynomial[at + 1] if at + 1 < degree else 0) for at, factor in enumerate(polynomial)
        ]
        root = times(root, 2)
    return polynomial


def _remainder(block: bytes, divisor: list[int]) -> list[int]:
    """Divide, and return what is left."""
    rest = [0] * len(divisor)
    for byte in block:
        factor = byte ^ rest[0]
        rest = [left ^ times(one, factor) for left, one in zip([*rest[1:], 0], divisor, strict=True)]
    return rest


def _drawn(version: int, codewords: Iterable[int], mask: int) -> Grid:
    """Draw a whole code with one of the masks."""
    grid = Grid(version)
    grid.draw_format(mask)
    bits = [bool(byte >> number & 1) for byte in codewords for number in range(7, -1, -1)]
    for number, (x, y) in enumerate(grid.free_places()):
        is_dark = bits[number] if number < len(bits) else False
        grid.dark[y][x] = is_dark ^ mask_bit(mask, x, y)
    return grid


def _with_remainder(value: int, divisor: int, degree: int) -> int:
    """Append the remainder that lets a scanner correct a few bits."""
    rest = value
    for _ in range(degree):
        rest = (rest << 1) ^ ((rest >> (degree - 1)) * divisor)
    return value << degree | rest


def _square(reach: int) -> Iterator[tuple[int, int]]:
    """Yield every step within a square."""
    return ((dx, dy) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1))


def _runs(line: Iterable[bool]) -> int:
    """Count runs of five and more."""
    penalty, length, before = 0, 0, None
    for one in line:
        length = length + 1 if one is before else 1
        before = one
        penalty += 3 if length == 5 else int(length > 5)
    return penalty
