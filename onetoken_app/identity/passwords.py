"""Passwords: argon2id at OWASP's floor, two at a time, and as slow for people who do not exist as for those who do."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from passlib.hash import argon2

from onetoken_app.errors import BadRequest

PASSWORD_CHARACTERS_MIN = 12
PASSWORD_CHARACTERS_MAX = 256

_hasher = argon2.using(type="ID", memory_cost=19_456, time_cost=2, parallelism=1)
"""19 MiB, two passes: OWASP's floor."""
_at_once = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
"""A crowd at the door waits here and leaves the event loop, and the machine's memory, to others."""
_NOBODYS_HASH = "$argon2id$v=19$m=19456,t=2,p=1$QWitFeL8H0Mo5XwPQehdaw$jP5aiuBqF35EzOAEchC0rGXY7qnTOwmyJjXL6JBMv5E"
"""Of a password that nobody has, with the same costs; compared with when there is no person, so that time is silent."""


class WeakPassword(BadRequest):
    """The password is too short, too long, or is the e-mail address."""

    code = "weak_password"


def check_password_rules(password: str, *, email: str) -> None:
    """Refuse a password that breaks the rules: 12 to 256 characters, and not the e-mail address itself.

    Raises:
        WeakPassword: It breaks one; the message says which.
    """
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise WeakPassword(
            f"A password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters.", parameter="password"
        )
    if not _can_be_hashed(password):
        raise WeakPassword("The password contains something that is not a character.", parameter="password")
    if password.strip().lower() in {email.strip().lower(), email.strip().lower().partition("@")[0]}:
        raise WeakPassword("The e-mail address is not a password.", parameter="password")
    if len(set(password)) == 1:
        raise WeakPassword("One character repeated is not a password.", parameter="password")


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
