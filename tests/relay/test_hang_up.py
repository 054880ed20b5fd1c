"""The connection of one who stopped reading ends, whichever server holds it, and no other does."""

import socket
from collections.abc import Iterator

import pytest

from onetoken_app.relay.hang_up import hang_up_on


@pytest.fixture
def connections() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Two connections: our end and the other one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pairs = []
        for _ in range(2):
            theirs = socket.create_connection(listener.getsockname())
            pairs.append((listener.accept()[0], theirs))
        yield pairs
    for pair in pairs:
        for one in pair:
            one.close()


class TestHangUpOn:
    def test_ends_that_connection_and_no_other(self, connections: list[tuple[socket.socket, socket.socket]]) -> None:
        (_, meant), (other_end, other) = connections
        assert hang_up_on(meant.getsockname())
        meant.settimeout(5)
        assert meant.recv(1) == b""
        other_end.sendall(b"x")
        assert other.recv(1) == b"x"

    @pytest.mark.parametrize("peer", [None, ("127.0.0.1", 1), ("192.0.2.1", 80), ("not an address", 80)])
    def test_finds_nobody_else(self, peer: tuple[str, int] | None) -> None:
        assert not hang_up_on(peer)

    def test_knows_a_peer_by_what_servers_call_it(self, connections: list[tuple[socket.socket, socket.socket]]) -> None:
        host, port = connections[0][1].getsockname()
        assert hang_up_on((f"::ffff:{host}", str(port)))
