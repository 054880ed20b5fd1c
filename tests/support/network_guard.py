"""Closes the way outside: a test that would connect or look a name up beyond loopback fails at that line.

The hook sees what Python's own sockets do, in this process; it cannot be taken away once it is there.
"""

import ipaddress
import sys

_NEVER_LOOKED_UP = {"localhost", "", None}


class OutsideIsClosed(AssertionError):
    """The test tried to reach something that is not on this machine."""


def close_the_outside() -> None:
    """Install the hook for the life of this process."""
    sys.addaudithook(_refuse_outside)


def _refuse_outside(event: str, arguments: tuple[object, ...]) -> None:
    """Look at each connection and each look-up."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        _check(arguments[1][0])
    elif event == "socket.getaddrinfo" and not _is_address(arguments[0]):
        _check(arguments[0])


def _check(host: object) -> None:
    """Let only loopback and unspecified addresses pass."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in _NEVER_LOOKED_UP:
        return
    try:
        address = ipaddress.ip_address(str(name))
    except ValueError:
        address = None
    if address is None or not (address.is_loopback or address.is_unspecified):
        message = f"a test reached for {name!r}"
        raise OutsideIsClosed(message)


def _is_address(host: object) -> bool:
    """Whether a look-up asks nobody, because it is given an address."""
    try:
        ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return True
