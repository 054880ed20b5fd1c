"""Ends the connection of a caller who stopped reading, past the server, which would wait for its reader for ever.

The servers' interface has no word for it: closing is asked for by sending an end, and that end waits behind what the
caller does not read. The kernel keeps what was sent, and the process a descriptor, for as long as the other side likes.
"""

import os
import socket
import struct
from contextlib import closing
from ipaddress import IPv6Address, ip_address

_DESCRIPTORS = "/dev/fd"


def hang_up_on(peer: tuple[str, int | str] | None) -> bool:
    """Shut this process's connection with a peer down; say whether there was one.

    Looks at every descriptor of the process: meant for what is rare. On HTTP/2 all calls of the connection end, which
    one caller made.

    Args:
        peer: Address and port of the other end, as the server names it (granian writes the port as a text); ``None``:
            it is not known.
    """
    if peer is None:
        return False
    return any(_shut_down_if(int(name), peer) for name in os.listdir(_DESCRIPTORS))  # noqa: PTH208 # names are all there is


def _shut_down_if(descriptor: int, peer: tuple[str, int | str]) -> bool:
    """Shut one connection down if it is the one that is meant; works on a copy, because the number may be used anew."""
    try:
        copy = os.dup(descriptor)
    except OSError:
        return False
    try:
        connection = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return False
    with closing(connection):
        try:
            host, port = connection.getpeername()[:2]
            if (_plain(host), port) != (_plain(peer[0]), int(peer[1])):
                return False
            # With nothing to linger for, the server's own close throws away what still waits to be read.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError, TypeError):
            return False
    return True


def _plain(host: str) -> str:
    """Write an address one way: a socket for both families names IPv4 peers as IPv6 addresses."""
    address = ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
