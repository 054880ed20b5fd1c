"""Documents at rest: each under a key of its own, which is sealed with the key-encryption key. Pure, and slow enough to
run in a thread.

With keys of their own, changing the key-encryption key means sealing 32 bytes a document anew, not the document.
"""

import hashlib
import secrets
from dataclasses import dataclass, field

from onetoken_app import vault
from onetoken_app.errors import BadRequest
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.verification.errors import UnknownDocumentFormat
from onetoken_app.verification.formats import format_of
from onetoken_app.verification.models import DocumentFormat, DocumentKind

NAME_CHARACTERS_MAX = 120


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file's bytes under a key of their own, and that key under the key-encryption key."""

    key_sealed: bytes = field(repr=False)
    bytes_sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document that was examined and sealed, ready to be put into a case."""

    id: str
    kind: DocumentKind
    name: str
    format: DocumentFormat
    byte_count: int
    sha256: str
    key_sealed: bytes = field(repr=False)
    bytes_sealed: bytes = field(repr=False)


def prepare_document(
    file: bytes, *, key_encryption_key: bytes, kind: DocumentKind, name: str, media_type: str
) -> PreparedDocument:
    """Examine a file and seal it.

    Args:
        file: All its bytes.
        key_encryption_key: Seals the document's own key.
        kind: What it is to prove.
        name: What the person's file was called; a path before it is dropped.
        media_type: What the browser takes it for.

    Raises:
        BadRequest: The name cannot be used, or the file is suspicious.
        DocumentTooLarge: It has more than 10 MiB.
        UnknownDocumentFormat: It is no PDF, JPEG or PNG, or not the one that it is sent as.
    """
    found = format_of(file)
    if media_type != found.value:
        raise UnknownDocumentFormat("The file is not what its name says. Export or scan the document anew.")
    document_id = new_id(Kind.DOCUMENT)
    sealed = seal_file(file, place=_place(document_id), key_encryption_key=key_encryption_key)
    return PreparedDocument(
        id=document_id,
        kind=kind,
        name=checked_name(name),
        format=found,
        byte_count=len(file),
        sha256=hashlib.sha256(file).hexdigest(),
        key_sealed=sealed.key_sealed,
        bytes_sealed=sealed.bytes_sealed,
    )


def open_sealed(*, document_id: str, key_sealed: bytes, bytes_sealed: bytes, key_encryption_key: bytes) -> bytes:
    """Return a document's bytes.

    Raises:
        CannotUnseal: Another key-encryption key, another document's bytes, or tampered with.
    """
    return open_file(
        place=_place(document_id),
        key_sealed=key_sealed,
        bytes_sealed=bytes_sealed,
        key_encryption_key=key_encryption_key,
    )


def seal_file(file: bytes, *, place: str, key_encryption_key: bytes) -> SealedFile:
    """Seal any file under a new key.

    Args:
        file: All its bytes.
        place: The row that it will stand in; in any other row it cannot be opened.
        key_encryption_key: Seals the file's own key.
    """
    key = secrets.token_bytes(vault.SECRET_BYTES)
    return SealedFile(
        key_sealed=vault.seal_bytes(key_encryption_key, key, bound_to=f"{place}:key_sealed"),
        bytes_sealed=vault.seal_bytes(key, file, bound_to=f"{place}:bytes_sealed"),
    )


def open_file(*, place: str, key_sealed: bytes, bytes_sealed: bytes, key_encryption_key: bytes) -> bytes:
    """Return the bytes of a file that stands in a place.

    Raises:
        CannotUnseal: Another key-encryption key, another row's bytes, or tampered with.
    """
    key = vault.unseal_bytes(key_encryption_key, key_sealed, bound_to=f"{place}:key_sealed")
    return vault.unseal_bytes(key, bytes_sealed, bound_to=f"{place}:bytes_sealed")


def _place(document_id: str) -> str:
    """Name the row that a ciphertext belongs to."""
    return f"verification_sealed_document:{document_id}"


def checked_name(name: str) -> str:
    """Drop a path from a file's name, and refuse what cannot be shown or sent in a header.

    Raises:
        BadRequest: It cannot be used.
    """
    name = name.replace("\\", "/").rpartition("/")[2].strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise BadRequest(f"A file's name has 1 to {NAME_CHARACTERS_MAX} printable characters.", parameter="name")
    return name
