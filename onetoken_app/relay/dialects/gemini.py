"""Gemini's ``generateContent`` as callers speak it.

The model and the method stand in the address; a stream goes out as events or as one growing array. Members that nobody
here looks at pass through, and a reply's bytes pass unchanged unless the model has another name here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from onetoken_app.errors import BadRequest
from onetoken_app.providers.documents import document_of, encoded
from onetoken_app.providers.event_stream import event_of
from onetoken_app.providers.protocol import CHOICES_MAX, Dialect
from onetoken_app.relay.dialects.call_request import OUTPUT_TOKENS_MAX, CallRequest
from onetoken_app.relay.dialects.gemini_members import check_members, holds_media, in_camel_case
from onetoken_app.relay.dialects.members import take_apart

MODELS_PATH = "/v1beta/models"
SHARED_MODELS_PATH = "/v1/models"
"""Of the newer version, whose list is also OpenAI's: there only a method tells this dialect."""
GENERATE, STREAM, COUNT = "generateContent", "streamGenerateContent", "countTokens"
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Address:
    """What an address of a model says."""

    models_path: str
    model_name: str
    method: str
    """Empty: the model itself."""
    is_array: bool
    """Whether a stream is to be one JSON array: without ``alt=sse``."""


def address_of(path: str, query: bytes) -> Address | None:
    """Read the address of a model; ``None``: it is another one."""
    models_path = next((one for one in (MODELS_PATH, SHARED_MODELS_PATH) if path.startswith(f"{one}/")), None)
    if models_path is None:
        return None
    asked = path.removeprefix(f"{models_path}/").removeprefix("models/")
    name, _, method = asked.rpartition(":")
    if method not in {GENERATE, STREAM, COUNT}:
        name, method = asked, ""
    if not name or (models_path == SHARED_MODELS_PATH and not method):
        return None
    is_events = b"alt=sse" in query.split(b"&")
    return Address(models_path, name, method, is_array=method == STREAM and not is_events)


def read_request(body: bytes, address: Address) -> CallRequest:
    """Read and check one request.

    Raises:
        BadRequest: Not a JSON object, beyond ``json_bounds``, a member in two spellings, or one that money depends on
            is missing or out of bounds.
        UnsupportedParameter: A member that no price covers, or that keeps something at the provider.
    """
    raw, decoded = take_apart(body)
    members, asked = in_camel_case(raw), in_camel_case(decoded)
    check_members(asked)
    contents = asked.get("contents")
    if not isinstance(contents, list) or not contents:
        raise BadRequest("contents has to be a list with what is asked.", parameter="contents")
    given = asked.get("generationConfig")
    config = in_camel_case(given) if isinstance(given, dict) else {}
    return CallRequest(
        dialect=Dialect.GEMINI,
        members=members,
        body_bytes=len(body),
        model_name=address.model_name,
        is_streaming=address.method == STREAM,
        wants_usage=True,
        output_tokens_max=_count_in(config, "maxOutputTokens", most=OUTPUT_TOKENS_MAX),
        choice_count=_count_in(config, "candidateCount", most=CHOICES_MAX) or 1,
        has_tools="tools" in members,
        has_media=holds_media(contents) or holds_media([asked.get("systemInstruction")]),
        is_array=address.is_array,
    )


def _count_in(config: Mapping[str, Any], name: str, *, most: int) -> int | None:
    """Read a whole number of ``generationConfig``; money is computed with it, so nothing is rounded or guessed.

    Raises:
        BadRequest: It is something else.
    """
    value = config.get(name)
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= most:
        raise BadRequest(f"{name} has to be a whole number from 1 to {most}.", parameter=f"generationConfig.{name}")
    return value


class Framing:
    """Puts answers on the wire: as events, or as the elements of an array whose first one names the answer."""

    __slots__ = ("_is_array", "_request_id")

    def __init__(self, *, is_array: bool, request_id: str) -> None:
        """Begin with nothing written."""
        self._is_array = is_array
        self._request_id = request_id

    def opening(self) -> bytes:
        """Return what a stream begins with; an array's first element, so that each further one follows a comma."""
        return b"[" + encoded({"responseId": self._request_id}) if self._is_array else b""

    def element(self, answer: bytes) -> bytes:
        """Frame one answer, which is whole JSON."""
        return b",\n" + answer if self._is_array else event_of(answer)

    def end(self) -> bytes:
        """Return what a stream ends with."""
        return b"]" if self._is_array else b""


class PassedOnGemini:
    """Shows the answer of a provider that speaks this dialect."""

    __slots__ = ("_framing", "_model_name")

    def __init__(self, *, model_name: str | None, framing: Framing) -> None:
        """Begin; without a name the provider's own one is shown."""
        self._model_name = model_name
        self._framing = framing

    def opening(self) -> bytes:
        """Return what a stream begins with."""
        return self._framing.opening()

    def event(self, payload: bytes) -> bytes:
        """Return an event as the caller gets it.

        Raises:
            UnusableReply: It cannot be taken apart.
        """
        return self._framing.element(self.plain(payload))

    def end(self) -> bytes:
        """Return what a stream that ended well ends with."""
        return self._framing.end()

    def plain(self, body: bytes) -> bytes:
        """Return a plain reply as the caller gets it.

        Raises:
            UnusableReply: It cannot be taken apart.
        """
        if self._model_name is None:
            return body
        answer = document_of(body)
        if "modelVersion" in answer:
            answer["modelVersion"] = self._model_name
        return encoded(answer)
