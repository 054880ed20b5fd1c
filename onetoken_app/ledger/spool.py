"""The spool: closes that the database does not take in time, kept on disk until it does.

A close that stands here and was fsynced counts as committed: its caller gets the end of the answer. The writer still
gets it, and whoever starts next gives it to the writer again if this process dies before; a close is done once,
however often it is asked for. An entry is a length, a CRC-32 and a packed ``CloseHold``: metadata, like the row that
it becomes. One file a process, locked for as long as that lives.
"""

import fcntl
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from onetoken_app.ledger.operations import CloseHold

SPOOL_BYTES_MAX = 64 * 1024 * 1024
"""About 60 000 closes; beyond it they wait for the database, as they would without a spool."""
_ENDING = ".spool"
_NUMBER_BYTES = 4
_HEAD_BYTES = 2 * _NUMBER_BYTES
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CloseHold).decode


class SpoolFull(Exception):
    """There is no room for more; nothing was written."""


class Spool:
    """One process's spool. Its methods block; one at a time."""

    def __init__(self, folder: Path, name: str) -> None:
        """Choose a place; nothing is opened before there is something to keep."""
        self._path = folder.joinpath(f"{name}{_ENDING}")
        self._descriptor: int | None = None
        self._byte_count = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it."""
        return not self._byte_count

    def keep(self, closes: Sequence[CloseHold]) -> None:
        """Write closes and wait until they are on disk; all of them or none.

        Raises:
            SpoolFull: They do not fit.
            OSError: The disk is full or fails.
        """
        entries = b"".join(_entry(close) for close in closes)
        if self._byte_count + len(entries) > SPOOL_BYTES_MAX:
            raise SpoolFull
        if self._descriptor is None:
            self._descriptor = _open_locked(self._path)
        try:
            _write_all(self._descriptor, entries, self._byte_count)
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._byte_count)
            raise
        self._byte_count += len(entries)

    def clear(self) -> None:
        """Forget what the database has taken; what a crash leaves of it is harmless."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
        self._byte_count = 0

    def close(self) -> None:
        """Let go of the file; one that holds closes stays for whoever starts next."""
        if self._descriptor is not None:
            if self.is_empty:
                self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True, slots=True)
class LeftSpool:
    """What a process that died left behind; it is locked while it is looked at."""

    path: Path
    closes: list[CloseHold]
    """In their order, as far as they are whole."""
    is_torn: bool
    """Something follows that is no whole entry: its caller was never told that it is kept."""

    def remove(self) -> None:
        """Delete it; everything in it was done."""
        self.path.unlink(missing_ok=True)


@contextmanager
def left_spool(path: Path) -> Iterator[LeftSpool | None]:
    """Read the spool of a process that died; ``None`` when its owner lives, or it is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        content = path.read_bytes() if _is_still(descriptor, path) else None
    except BlockingIOError:
        content = None
    try:
        if content is None:
            yield None
        else:
            closes, length = _entries(content)
            yield LeftSpool(path, closes, is_torn=length < len(content))
    finally:
        os.close(descriptor)


def left_spools(folder: Path) -> list[Path]:
    """Name the files that may have been left behind, the oldest process's first."""
    return sorted(folder.glob(f"*{_ENDING}")) if folder.is_dir() else []


def _entry(close: CloseHold) -> bytes:
    """Write one entry."""
    packed = _encode(close)
    return len(packed).to_bytes(_NUMBER_BYTES) + zlib.crc32(packed).to_bytes(_NUMBER_BYTES) + packed


def _entries(content: bytes) -> tuple[list[CloseHold], int]:
    """Read whole entries; return them and how many bytes they take."""
    closes: list[CloseHold] = []
    position = 0
    while len(content) - position >= _HEAD_BYTES:
        start = position + _HEAD_BYTES
        length = int.from_bytes(content[position : position + _NUMBER_BYTES])
        packed = content[start : start + length]
        checksum = int.from_bytes(content[position + _NUMBER_BYTES : start])
        if len(packed) < length or zlib.crc32(packed) != checksum:
            break
        try:
            closes.append(_decode(packed))
        except msgspec.MsgspecError:
            break
        position = start + length
    return closes, position


def _open_locked(path: Path) -> int:
    """Make a file that is this process's for as long as it lives; another that tidies up may be faster for a moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_still(descriptor, path):
                _sync_folder(path.parent)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether a path still leads to an open file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    opened = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino)


def _write_all(descriptor: int, content: bytes, offset: int) -> None:
    """Write at a place until everything is written."""
    written = 0
    while written < len(content):
        written += os.pwrite(descriptor, content[written:], offset + written)


def _sync_folder(folder: Path) -> None:
    """Wait until a folder's names are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
