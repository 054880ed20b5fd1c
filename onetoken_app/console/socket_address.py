"""Where an event comes from, for evidence: the socket's other end, or what the outermost trusted proxy saw."""

import reflex as rx

from onetoken_app.caller_address import caller_address
from onetoken_app.settings import Settings

_PEER = "asgi-scope-client"
"""Reflex writes the socket's peer over whatever a browser sends by this name."""


def socket_address(state: rx.State, settings: Settings) -> str:
    """Return the address that the socket of an event was opened from."""
    headers = state.router.headers.raw_headers
    forwarded_for = [headers["x-forwarded-for"].encode("latin-1", "replace")] if "x-forwarded-for" in headers else []
    return caller_address((headers.get(_PEER, ""),), forwarded_for, trusted_proxy_count=settings.trusted_proxy_count)
