"""Takes JSON objects apart into raw members, so that what nobody here looks at passes on as it came.

Requests are read strictly, because money is computed from them; replies as leniently as official clients read them.
"""

import json
from typing import Any

import msgspec

from onetoken_app.errors import BadRequest
from onetoken_app.providers.documents import lenient_document_of
from onetoken_app.relay.json_bounds import check_bounds

Members = dict[str, msgspec.Raw]

_members_decoder = msgspec.json.Decoder(Members)
_text_decoder = msgspec.json.Decoder(str)
_any_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def take_apart(body: bytes) -> tuple[Members, dict[str, Any]]:
    """Take a request apart, raw and decoded; raw members alone would let bad numbers and bytes pass unseen.

    Raises:
        BadRequest: Not a JSON object, beyond ``json_bounds``, a text that is no UTF-8, or a number that no double
            holds.
    """
    try:
        members = _members_decoder.decode(body)
        check_bounds(body)
        decoded = _any_decoder.decode(body)
    except _UNREADABLE as error:
        raise BadRequest("The body is not a JSON object, or holds a text or number that cannot be read.") from error
    return members, decoded


def model_named_in(members: Members) -> str:
    """Read which model is named.

    Raises:
        BadRequest: None is.
    """
    try:
        name = _text_decoder.decode(members["model"])
    except (KeyError, *_UNREADABLE) as error:
        raise BadRequest("model has to name a model.", parameter="model") from error
    return name


def value_in(members: Members, name: str) -> Any:
    """Read a member that should be small; ``None`` when it is absent or null.

    Raises:
        BadRequest: It cannot be read.
    """
    raw = members.get(name)
    if raw is None:
        return None
    try:
        return _any_decoder.decode(raw)
    except _UNREADABLE as error:
        raise BadRequest(f"{name} cannot be read.", parameter=name) from error


def flag_in(members: Members, name: str) -> bool:
    """Read true or false; absent is false.

    Raises:
        BadRequest: It is something else.
    """
    value = value_in(members, name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise BadRequest(f"{name} has to be true or false.", parameter=name)


def count_in(members: Members, name: str, *, least: int = 1, most: int) -> int | None:
    """Read a whole number from ``least`` to ``most``; money is computed with it, so nothing is rounded or guessed.

    Raises:
        BadRequest: It is something else.
    """
    value = value_in(members, name)
    if value is None:
        return None
    if type(value) is not int or not least <= value <= most:
        raise BadRequest(f"{name} has to be a whole number from {least} to {most}.", parameter=name)
    return value


def take_reply_apart(document: bytes) -> Members:
    """Take a provider's document apart; where the strict decoder cannot, as the official clients' would.

    Raises:
        UnusableReply: It is not a JSON object.
    """
    try:
        return _members_decoder.decode(document)
    except _UNREADABLE:
        pass
    members = lenient_document_of(document)
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in members.items()}


def put_together(members: Members) -> bytes:
    """Write members of a provider's document as an object again; a name may hold half of a surrogate pair, too."""
    try:
        return _encoder.encode(members)
    except UnicodeEncodeError:
        return b"{" + b",".join(json.dumps(name).encode() + b":" + bytes(raw) for name, raw in members.items()) + b"}"
