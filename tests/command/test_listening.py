"""The socket that a relay listens on, and what its connections inherit of it."""

import socket
from contextlib import closing

from onetoken_app.command.listening import listening_socket

_BYTES_PER_READER_MAX = 512 * 1024


class TestListeningSocket:
    def test_a_reader_who_stops_takes_little_of_an_answer_into_the_kernel(self) -> None:
        with closing(listening_socket("127.0.0.1", 0)) as listener:
            reader = socket.create_connection(listener.getsockname())
            connection, _ = listener.accept()
            with closing(reader), closing(connection):
                assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= _BYTES_PER_READER_MAX
