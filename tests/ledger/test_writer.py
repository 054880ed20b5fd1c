"""The writer's end of the socket pair."""

import fcntl
import resource
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from onetoken_app.ledger import frames
from onetoken_app.ledger.operations import FindDeadHolds, Operation
from onetoken_app.ledger.writer import Channel

BEYOND_SELECT = 1_100
"""A descriptor's number that does not fit into the sets of ``select``."""


@contextmanager
def a_high_descriptor() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Make a socket pair whose second end has a number beyond 1 024, as in a process with thousands of calls."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, BEYOND_SELECT + 100), hard))
    ours, theirs = socket.socketpair()
    with theirs:
        high = socket.socket(fileno=fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, BEYOND_SELECT))
    try:
        with ours, high:
            yield ours, high
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class TestChannel:
    def test_hears_on_a_descriptor_of_any_number(self) -> None:
        waiting: deque[tuple[int, Operation]] = deque()
        with a_high_descriptor() as (ours, theirs):
            assert theirs.fileno() >= BEYOND_SELECT
            ours.sendall(frames.frame_of_items([frames.encode((1, FindDeadHolds()))]))
            arrivals = Channel(theirs).arrivals(waiting)
            assert next(arrivals)
            assert waiting.popleft() == (1, FindDeadHolds())
            ours.close()
            assert list(arrivals) == [True]
