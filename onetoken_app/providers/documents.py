"""Reads the JSON objects of providers, and writes what came out of them, strange texts and numbers included."""

import json
from typing import Any

import msgspec

from onetoken_app.providers.protocol import UnusableReply

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


def document_of(document: bytes) -> dict[str, Any]:
    """Read a provider's JSON object; where the strict decoder cannot, as the official clients' would.

    Raises:
        UnusableReply: It is none.
    """
    try:
        decoded = _decoder.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return lenient_document_of(document)
    return _as_object(decoded)


def lenient_document_of(document: bytes) -> dict[str, Any]:
    """Read a provider's JSON object as the standard library does.

    It admits what many back-ends send and official clients read, such as a surrogate pair that is cut in two by the end
    of a chunk.

    Raises:
        UnusableReply: It is none.
    """
    try:
        decoded = json.loads(document)
    except (ValueError, RecursionError) as error:
        message = "not JSON"
        raise UnusableReply(message) from error
    return _as_object(decoded)


def _as_object(decoded: object) -> dict[str, Any]:
    """Refuse anything else.

    Raises:
        UnusableReply: It is no object.
    """
    if not isinstance(decoded, dict):
        message = "not a JSON object"
        raise UnusableReply(message)
    return decoded


def encoded(value: object) -> bytes:
    """Write a value as JSON; half of a surrogate pair, as a chunk may end with, is written as it was sent."""
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, OverflowError):
        return json.dumps(value).encode()
