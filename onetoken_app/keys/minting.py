"""The form of an API key: ``otk_live_<id><secret><checksum>``, base 62, always 61 characters.

The id part repeats the end of the row's identifier, so that a key found in a log can be named without a look-up. The
secret alone decides. The checksum lets a mistyped or invented key be refused without asking the database, and tells
scanners of public code that what they found is a key; the secret is long enough to keep 170 bits even from somebody
who knows the checksum.
"""

import re
import secrets
import string
import zlib

from onetoken_app.vault import keyed_digest

PREFIX = "otk_live_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_CHARACTERS = 12
_SECRET_CHARACTERS = 34
_CHECKSUM_CHARACTERS = 6
_DISPLAYED_ID_CHARACTERS = 6
KEY_CHARACTERS = len(PREFIX) + _ID_CHARACTERS + _SECRET_CHARACTERS + _CHECKSUM_CHARACTERS
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_ID_CHARACTERS + _SECRET_CHARACTERS + _CHECKSUM_CHARACTERS}}}", re.ASCII)


def mint_secret(api_key_id: str) -> str:
    """Make a fresh key for the row ``api_key_id``; 202 of its bits are random."""
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_CHARACTERS))
    body = f"{PREFIX}{_id_part(api_key_id)}{secret}"
    return body + _checksum(body)


def has_valid_checksum(text: str) -> bool:
    """Whether ``text`` has the form of a key that was minted here or elsewhere; says nothing about its being known."""
    if len(text) != KEY_CHARACTERS or _SHAPE.fullmatch(text) is None:
        return False
    return _checksum(text[:-_CHECKSUM_CHARACTERS]) == text[-_CHECKSUM_CHARACTERS:]


def digest_of(secret: str, pepper: bytes) -> bytes:
    """Return what is stored of a key, 32 bytes: comparing it reveals nothing about the key.

    Args:
        secret: The whole key as the caller sent it.
        pepper: The installation's key pepper, which never enters the database.
    """
    return keyed_digest(pepper, secret.encode())


def key_prefix_of(api_key_id: str) -> str:
    """Return the beginning of the key that may be displayed; it contains nothing of the secret."""
    return f"{PREFIX}{_id_part(api_key_id)[:_DISPLAYED_ID_CHARACTERS]}"


def _id_part(api_key_id: str) -> str:
    """Take the random end of an identifier."""
    return api_key_id[-_ID_CHARACTERS:]


def _checksum(body: str) -> str:
    """Write the CRC-32 of everything before it, in six digits of base 62."""
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(_CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
