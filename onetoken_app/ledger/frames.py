"""Frames on the socket pair between a relay process and its ledger writer.

A frame is four bytes of length, big-endian, and a MessagePack payload. The client's first frame is a ``Hello``, the
writer's first is ``Registered``; all others are arrays of ``[number, operation]`` and ``[number, answer]``. A number
names one operation of one connection and comes back with its answer.
"""

from collections.abc import Sequence

import msgspec

from onetoken_app.ledger.operations import Answer, Operation

_LENGTH_BYTES = 4
_ARRAY_32 = b"\xdd"


class Hello(msgspec.Struct, array_like=True, frozen=True):
    """Where the writer works, and for which epoch. Sent over the socket, since it may carry a password."""

    epoch_id: str
    sqlite_file: str
    """Empty on PostgreSQL."""
    write_lock_file: str
    """Empty on PostgreSQL."""
    postgresql_url: str
    """Empty on SQLite."""
    log_level: str

    def in_epoch(self, epoch_id: str) -> "Hello":
        """Return the same place under another epoch."""
        return msgspec.structs.replace(self, epoch_id=epoch_id)

    def __repr__(self) -> str:
        """Keep the password out of every log."""
        return f"Hello(epoch_id={self.epoch_id!r})"


class Registered(msgspec.Struct, array_like=True, frozen=True):
    """The writer's epoch is in the database, and operations may be sent."""

    epoch_number: int


encode = msgspec.msgpack.Encoder().encode
decode_hello = msgspec.msgpack.Decoder(Hello).decode
decode_registered = msgspec.msgpack.Decoder(Registered).decode
decode_operations = msgspec.msgpack.Decoder(list[tuple[int, Operation]]).decode
decode_answers = msgspec.msgpack.Decoder(list[tuple[int, Answer]]).decode


def frame(payload: bytes) -> bytes:
    """Put the length in front."""
    return len(payload).to_bytes(_LENGTH_BYTES) + payload


def frame_of_items(items: Sequence[bytes]) -> bytes:
    """Join items that are encoded already into one frame that holds an array."""
    return frame(b"".join((_ARRAY_32, len(items).to_bytes(4), *items)))


class FrameReader:
    """Cuts a stream of bytes into payloads."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """Take what was received and return every payload that is now whole."""
        self._waiting += received
        payloads = []
        position = 0
        while len(self._waiting) - position >= _LENGTH_BYTES:
            start = position + _LENGTH_BYTES
            end = start + int.from_bytes(self._waiting[position:start])
            if len(self._waiting) < end:
                break
            payloads.append(bytes(self._waiting[start:end]))
            position = end
        del self._waiting[:position]
        return payloads
