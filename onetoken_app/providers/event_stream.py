"""Reads and writes server-sent events as bytes.

Lines end at CR, LF or both, and nowhere else: U+2028 and its like may stand raw inside JSON. Network pieces may cut
anywhere, also within a character or between CR and LF. Only the data of an event is kept: comments and the fields
``event``, ``id`` and ``retry`` end here, because they make official clients dispatch empty events.
"""

from onetoken_app.providers.protocol import UnusableReply

EVENT_BYTES_MAX = 4 * 1024 * 1024
"""An event that grows beyond this is not waited for."""
DONE = b"[DONE]"
"""The data of the last event of an OpenAI-style stream."""
KEEP_ALIVE = b": ka\n"
"""A comment with one newline: with a blank line after it, some clients dispatch an empty event and fail."""

_END_OF_EVENT = b"\n\n"


class EventReader:
    """Cuts a stream of bytes into the data of its events."""

    __slots__ = ("_byte_count", "_ends_in_carriage_return", "_pieces", "_tail")

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._pieces: list[bytes] = []
        self._byte_count = 0
        self._tail = b""
        self._ends_in_carriage_return = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes; return the data of the events that they complete.

        Raises:
            UnusableReply: An event is longer than ``EVENT_BYTES_MAX``.
        """
        if self._ends_in_carriage_return or b"\r" in piece:
            piece = self._with_plain_newlines(piece)
        if _END_OF_EVENT not in self._tail + piece:
            self._keep(piece)
            return []
        self._pieces.append(piece)
        *blocks, rest = b"".join(self._pieces).split(_END_OF_EVENT)
        self._pieces.clear()
        self._byte_count = 0
        self._keep(rest)
        return [payload for block in blocks if (payload := _payload_of(block))]

    def finish(self) -> list[bytes]:
        """Take the end of the stream; return the data of a last event that no blank line followed."""
        payload = _payload_of(b"".join(self._pieces))
        self._pieces.clear()
        return [payload] if payload else []

    def _keep(self, piece: bytes) -> None:
        """Keep the beginning of an event; only its last byte can matter to finding its end."""
        self._byte_count += len(piece)
        if self._byte_count > EVENT_BYTES_MAX:
            message = "an event is too long"
            raise UnusableReply(message)
        if piece:
            self._pieces.append(piece)
            self._tail = piece[-1:]
        elif not self._pieces:
            self._tail = b""

    def _with_plain_newlines(self, piece: bytes) -> bytes:
        """Turn CR and CRLF into LF; a CR at the end waits for the LF that may follow it."""
        if self._ends_in_carriage_return:
            piece = b"\r" + piece
        self._ends_in_carriage_return = piece.endswith(b"\r")
        if self._ends_in_carriage_return:
            piece = piece[:-1]
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def event_of(payload: bytes) -> bytes:
    """Write one event."""
    if b"\n" in payload:
        return b"".join(b"data: " + line + b"\n" for line in payload.split(b"\n")) + b"\n"
    return b"data: " + payload + _END_OF_EVENT


def _payload_of(block: bytes) -> bytes:
    """Join the data lines of one event; empty when it has none."""
    if block.startswith(b"data:") and b"\n" not in block:
        return _value_of(block)
    return b"\n".join(_value_of(line) for line in block.split(b"\n") if line.startswith(b"data:"))


def _value_of(line: bytes) -> bytes:
    """Take what stands after ``data:`` and one optional space."""
    return line[6:] if line[5:6] == b" " else line[5:]
