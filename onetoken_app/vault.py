"""Secrets at rest: the two root secrets of an installation, and AES-256-GCM for what must be read again.

What is only compared (API keys, sign-in sessions) is hashed with ``keyed_digest``; what must be revealed to an
upstream (provider credentials) is sealed with ``seal``, bound to the row and column it stands in, so that a
ciphertext that is copied to another row does not open.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onetoken_app.settings import BadSettings, Settings

SECRET_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = b"\x01"
_DOES_NOT_OPEN = "a sealed secret does not open with this key-encryption key in this place"


class CannotUnseal(Exception):
    """The ciphertext was made with another key, for another place, or was changed."""


@dataclass(frozen=True, slots=True, repr=False)
class RootSecrets:
    """The two secrets that everything else hangs on; they never enter the database or a backup."""

    key_pepper: bytes
    key_encryption_key: bytes


def load_root_secrets(settings: Settings) -> RootSecrets:
    """Read the root secrets from the settings, or on SQLite from a 0600 file that the first start writes.

    Raises:
        BadSettings: One is missing on PostgreSQL, is not 32 bytes of base64, or the file cannot be written.
    """
    given = {
        "key_pepper": settings.key_pepper.get_secret_value() if settings.key_pepper else None,
        "key_encryption_key": (settings.key_encryption_key.get_secret_value() if settings.key_encryption_key else None),
    }
    missing = [name for name, value in given.items() if value is None]
    if missing and not settings.is_sqlite:
        names = ", ".join(f"ONETOKEN_{name.upper()}" for name in missing)
        message = f"{names}: required on PostgreSQL; make one with: openssl rand -base64 32"
        raise BadSettings(message)
    if missing:
        generated = _read_or_generate(settings.data_dir.absolute() / "secrets.env")
        given = {name: value or generated[name] for name, value in given.items()}
    return RootSecrets(**{name: _decoded(name, value or "") for name, value in given.items()})


def keyed_digest(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256: what is stored of a secret that is only ever compared."""
    return hmac.digest(key, message, hashlib.sha256)


def seal(key: bytes, plaintext: str, *, bound_to: str) -> bytes:
    """Encrypt a secret for one place.

    Args:
        key: The key-encryption key, 32 bytes.
        plaintext: The secret.
        bound_to: Table, row and column, such as ``catalog_channel:chn_…:credential``.
    """
    return seal_bytes(key, plaintext.encode(), bound_to=bound_to)


def unseal(key: bytes, sealed: bytes, *, bound_to: str) -> str:
    """Reveal what ``seal`` hid.

    Raises:
        CannotUnseal: Wrong key, wrong place, or tampered with.
    """
    try:
        return unseal_bytes(key, sealed, bound_to=bound_to).decode()
    except ValueError as error:
        raise CannotUnseal(_DOES_NOT_OPEN) from error


def seal_bytes(key: bytes, plaintext: bytes, *, bound_to: str) -> bytes:
    """Encrypt bytes for one place, as ``seal`` does; 10 MiB take some milliseconds, so call it in a thread."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plaintext, _FORMAT + bound_to.encode())


def unseal_bytes(key: bytes, sealed: bytes, *, bound_to: str) -> bytes:
    """Reveal what ``seal_bytes`` hid.

    Raises:
        CannotUnseal: Wrong key, wrong place, or tampered with.
    """
    form, nonce, ciphertext = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, form + bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise CannotUnseal(_DOES_NOT_OPEN) from error


def _decoded(name: str, value: str) -> bytes:
    """Check one root secret."""
    try:
        secret = base64.b64decode(value, validate=True)
    except ValueError:  # binascii.Error is one; text that is not ASCII raises the plain kind
        secret = b""
    if len(secret) != SECRET_BYTES:
        message = f"ONETOKEN_{name.upper()}: must be base64 of {SECRET_BYTES} bytes"
        raise BadSettings(message)
    return secret


def _read_or_generate(path: Path) -> dict[str, str]:
    """Read the file of generated secrets, or write it once, so that a crash leaves all of it or nothing."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [
                f"{name}={base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}\n"
                for name in ("key_pepper", "key_encryption_key")
            ]
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was first; its secrets are the ones in use
            finally:
                draft.unlink()
        return dict(re.findall(r"^(\w+)=(\S+)$", path.read_text(), re.MULTILINE))
    except OSError as error:
        message = f"{path}: cannot keep the generated secrets: {error.strerror}"
        raise BadSettings(message) from error
