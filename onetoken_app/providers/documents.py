"""Reads the JSON objects of providers."""

import json
from typing import Any

import msgspec

from onetoken_app.providers.protocol import UnusableReply

_decoder = msgspec.json.Decoder()


def document_of(document: bytes) -> dict[str, Any]:
    """Read a provider's JSON object; where the strict decoder cannot, as the official clients' would.

    Raises:
        UnusableReply: It is none.
    """
    try:
        decoded = _decoder.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            decoded = json.loads(document)
        except (ValueError, RecursionError) as error:
            message = "not JSON"
            raise UnusableReply(message) from error
    if not isinstance(decoded, dict):
        message = "not a JSON object"
        raise UnusableReply(message)
    return decoded
