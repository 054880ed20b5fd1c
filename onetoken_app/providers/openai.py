"""The adapter of every API that speaks OpenAI's Chat Completions."""

from collections.abc import Mapping

import msgspec

from onetoken_app.conversation.asked import Conversation
from onetoken_app.providers.event_stream import DONE
from onetoken_app.providers.openai_counting import count_document
from onetoken_app.providers.openai_presets import OPENAI, LimitMember, Preset
from onetoken_app.providers.openai_translation import ChatReader, chat_members
from onetoken_app.providers.protocol import (
    ChatCounts,
    Dialect,
    UnusableReply,
    UpstreamRequest,
    UpstreamTarget,
    usual_headers,
)

_NULL = msgspec.Raw(b"null")
_FALSE = msgspec.Raw(b"false")
_ONLY_USAGE = msgspec.Raw(b'{"include_usage":true}')
_members_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder = msgspec.json.Encoder()


class OpenAiProvider:
    """Speaks Chat Completions to one upstream, as its vendor wants it; stateless."""

    dialect = Dialect.CHAT

    def __init__(self, preset: Preset = OPENAI) -> None:
        """Take the vendor's differences."""
        self._preset = preset

    def request_for(
        self,
        target: UpstreamTarget,
        members: Mapping[str, msgspec.Raw],
        *,
        is_streaming: bool,
        headers: Mapping[str, str],
    ) -> UpstreamRequest:
        """Write the request: the model renamed, nothing stored upstream, usage always asked for on streams."""
        changed = {**members, "model": msgspec.Raw(_encoder.encode(target.upstream_model))}
        if "store" in changed:
            changed["store"] = _FALSE
        if is_streaming:
            changed["stream_options"] = _with_usage(changed.get("stream_options"))
        if self._preset is not OPENAI:
            _suit(changed, self._preset)
        own = {"authorization": f"Bearer {target.credential}", **usual_headers(is_streaming=is_streaming)}
        return UpstreamRequest(f"{target.base_url}/chat/completions", {**headers, **own}, _encoder.encode(changed))

    def members_of(self, conversation: Conversation) -> dict[str, msgspec.Raw]:
        """Write a conversation that came in another dialect."""
        return chat_members(conversation)

    def reader(self) -> ChatReader:
        """Return what reads one answer for another dialect."""
        return ChatReader()

    def read_reply(self, body: bytes, counts: ChatCounts) -> None:
        """Count what a whole plain reply holds.

        Raises:
            UnusableReply: It is not a chat completion.
        """
        if not count_document(body, counts, self._preset):
            message = "the reply has no choices"
            raise UnusableReply(message)

    def read_event(self, payload: bytes, counts: ChatCounts) -> None:
        """Count what one chunk holds; one without choices is fine, back-ends differ.

        Raises:
            UnusableReply: It is not a JSON object.
        """
        count_document(payload, counts, self._preset)

    def is_end(self, payload: bytes) -> bool:
        """Whether this is ``[DONE]``."""
        return payload.startswith(DONE)


def _suit(members: dict[str, msgspec.Raw], preset: Preset) -> None:
    """Write members as a vendor wants them."""
    if not preset.takes_stream_options:
        members.pop("stream_options", None)
    if not preset.takes_store:
        members.pop("store", None)
    if not preset.takes_empty_tools and b"".join(bytes(members.get("tools", b"")).split()) == b"[]":
        del members["tools"]
    if preset.limit is not LimitMember.EITHER:
        _name_limit(members, preset.limit)


def _name_limit(members: dict[str, msgspec.Raw], name: LimitMember) -> None:
    """Name the limit of the answer as the vendor heeds it; where both are there, the newer one counts."""
    given = [members.pop(one, _NULL) for one in (LimitMember.MAX_COMPLETION_TOKENS, LimitMember.MAX_TOKENS)]
    stated = [limit for limit in given if bytes(limit) != b"null"]
    if stated:
        members[name] = stated[0]


def _with_usage(stream_options: msgspec.Raw | None) -> msgspec.Raw:
    """Ask for usage, and keep what else the caller asked of the stream."""
    if stream_options is None or bytes(stream_options) == b"null":
        return _ONLY_USAGE
    options = _members_decoder.decode(stream_options)
    return msgspec.Raw(_encoder.encode({**options, "include_usage": True}))
