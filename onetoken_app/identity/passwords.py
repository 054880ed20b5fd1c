"""Passwords: argon2id at OWASP's floor, two at a time, and as slow for people who do not exist as for those who do."""

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from passlib.hash import argon2

from onetoken_app.errors import BadRequest
from onetoken_app.identity.password_strength import Weakness, weakness_of

PASSWORD_CHARACTERS_MIN = 12
PASSWORD_CHARACTERS_MAX = 256

_hasher = argon2.using(type="ID", memory_cost=19_456, time_cost=2, parallelism=1)
"""19 MiB, two passes: OWASP's floor."""
_at_once = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
"""A crowd at the door waits here and leaves the event loop, and the machine's memory, to others."""
_NOBODYS_HASH = "$argon2id$v=19$m=19456,t=2,p=1$QWitFeL8H0Mo5XwPQehdaw$jP5aiuBqF35EzOAEchC0rGXY7qnTOwmyJjXL6JBMv5E"
"""Of a password that nobody has, with the same costs; compared with when there is no person, so that time is silent."""


class WeakPassword(BadRequest):
    """The password is too short or too long, or cannot be used."""

    code = "weak_password"


class CommonPassword(WeakPassword):
    """The password is on lists of known ones, or follows a pattern."""

    code = "common_password"


class PersonalPassword(WeakPassword):
    """The password is made of the person's name or address, or of their organization's name."""

    code = "personal_password"


async def check_password_rules(password: str, *, email: str, known_as: Collection[str] = ()) -> None:
    """Refuse a password that breaks the rules: 12 to 256 characters that are not easily guessed.

    Args:
        password: What somebody chose.
        email: What they sign in with.
        known_as: Their name, and what their organizations are called.

    Raises:
        CommonPassword: It is easily guessed.
        PersonalPassword: It is easily guessed by whoever knows them.
        WeakPassword: It is too short or too long, or has something in it that is no character.
    """
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise WeakPassword(
            f"A password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters.", parameter="password"
        )
    if not _can_be_hashed(password):
        raise WeakPassword("The password contains something that is not a character.", parameter="password")
    weakness = await weakness_of(password, personal=(email, *email.split("@"), *known_as, "OneToken"))
    if weakness is Weakness.PERSONAL:
        raise PersonalPassword(
            "This password is made of your name, your address or your organization's name. Choose one that has "
            "nothing to do with them; several unrelated words are good.",
            parameter="password",
        )
    if weakness is not None:
        raise CommonPassword(
            "This password is easily guessed: it is common, or follows a pattern such as a date, a repetition or a "
            "row of keys. Several unrelated words are good.",
            parameter="password",
        )


async def hash_password(password: str) -> str:
    """Return what is stored of a password; takes a tenth of a second, in a thread."""
    loop = asyncio.get_running_loop()
    hashed: str = await loop.run_in_executor(_at_once, _hasher.hash, password)
    return hashed


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether a password is the one that was hashed.

    Args:
        password: What somebody typed; longer than the rule allows is wrong without being hashed.
        password_hash: ``None`` when there is no such person or they have no password: takes as long, and is wrong.
    """
    is_usable = len(password) <= PASSWORD_CHARACTERS_MAX and _can_be_hashed(password)
    loop = asyncio.get_running_loop()
    is_right: bool = await loop.run_in_executor(
        _at_once, _hasher.verify, password if is_usable else "", password_hash or _NOBODYS_HASH
    )
    return is_right and is_usable and password_hash is not None


def _can_be_hashed(password: str) -> bool:
    """Whether it is text: argon2 takes neither NUL nor half a surrogate pair, and JSON may carry both."""
    return "\0" not in password and not any("\ud800" <= character <= "\udfff" for character in password)
