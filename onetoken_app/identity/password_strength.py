"""How easily a password is guessed: by zxcvbn, which knows common passwords, words, names, dates and rows of keys.

What is measured is bounded, because zxcvbn tries every reading of characters that stand for letters, and takes seconds
for a long password full of them: the beginning counts, and only a few such signs.
"""

import asyncio
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

from zxcvbn import zxcvbn

MEASURED_CHARACTERS_MAX = 32
_READ_AS_LETTERS = "@({[<!|$+%"
"""Signs that zxcvbn reads as letters, each in every way; digits, which it also reads so, cost little."""
_SUCH_SIGNS_MAX = 3
_PERSONAL_PARTS_MAX = 40
_PERSONAL_PART_CHARACTERS_MAX = 64
_PERSONAL_PART_CHARACTERS_MIN = 2
_SCORE_MIN = 3
"""Of 4: at least a hundred million guesses, behind a hash that is slow to compute."""
_SCORE_WITH_PERSONAL_PART_MIN = 4
_one_at_a_time = ThreadPoolExecutor(max_workers=1, thread_name_prefix="zxcvbn")
"""Measuring takes a core for a moment: a crowd waits here."""


class Weakness(StrEnum):
    """Why a password is easily guessed."""

    COMMON = "common"
    """It is on lists of known passwords, or follows a pattern."""
    PERSONAL = "personal"
    """It is made of what is known of the person."""


async def weakness_of(password: str, *, personal: Collection[str]) -> Weakness | None:
    """Return why a password is easily guessed; ``None``: it is not.

    Args:
        password: What somebody chose; of a long one the first 32 characters are measured.
        personal: What is known of them: addresses, names, what their organizations are called.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_one_at_a_time, _weakness_of, password, personal_parts(personal))


def personal_parts(known: Iterable[str]) -> list[str]:
    """Return what of somebody's names and addresses may stand in a password: each whole, run together, and in parts."""
    parts: dict[str, None] = {}
    for one in known:
        whole = one.strip().lower()[:_PERSONAL_PART_CHARACTERS_MAX]
        words = "".join(letter if letter.isalnum() else " " for letter in whole).split()
        for part in (whole, "".join(words), *words):
            if len(part) >= _PERSONAL_PART_CHARACTERS_MIN:
                parts[part] = None
    return list(parts)[:_PERSONAL_PARTS_MAX]


def _weakness_of(password: str, parts: list[str]) -> Weakness | None:
    """Measure; takes at most some tenths of a second."""
    found = zxcvbn(_measured(password), user_inputs=parts)
    is_personal = any(match.get("dictionary_name") == "user_inputs" for match in found["sequence"])
    if found["score"] >= (_SCORE_WITH_PERSONAL_PART_MIN if is_personal else _SCORE_MIN):
        return None
    return Weakness.PERSONAL if is_personal else Weakness.COMMON


def _measured(password: str) -> str:
    """Return the part of a password that is measured, with the signs beyond the third kind as plain ones."""
    beginning = password[:MEASURED_CHARACTERS_MAX]
    kept = list(dict.fromkeys(sign for sign in beginning if sign in _READ_AS_LETTERS))[:_SUCH_SIGNS_MAX]
    return "".join("_" if sign in _READ_AS_LETTERS and sign not in kept else sign for sign in beginning)
