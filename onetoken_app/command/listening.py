"""Takes the address to listen on before anything slow is started, so that a port in use is said at once."""

import socket
from contextlib import closing

from onetoken_app.command.failure import CommandFailed

_BACKLOG = 8192
_SEND_BUFFER_BYTES = 128 * 1024
"""The kernel doubles it. Without it, a connection whose other end stops reading takes up to 4 MB of an answer into the
kernel; the answer is charged as delivered and no memory limit of ours counts it. Connections inherit it from the socket
that listens; granian opens that by itself and gives no way to set it."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; the caller closes it.

    Raises:
        CommandFailed: The address is in use or not one of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not an address"
        message = f"cannot listen on {host} port {port}: {reason}; choose another with --host and --port"
        raise CommandFailed(message) from error
    return listener


def check_address(host: str, port: int) -> None:
    """See that an address is free, for a server that opens it by itself.

    Raises:
        CommandFailed: As ``listening_socket``.
    """
    with closing(listening_socket(host, port)):
        pass


def local_url(host: str, port: int) -> str:
    """Return where this machine reaches a server that listens on ``host``."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 # compared, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
