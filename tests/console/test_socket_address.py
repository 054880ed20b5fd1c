"""Evidence names where a socket came from, and nobody writes that themselves."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from onetoken_app.console.socket_address import socket_address
from onetoken_app.settings import Settings


def an_event(headers: Mapping[str, str]) -> Any:
    """What a State knows of its socket."""
    return SimpleNamespace(router=SimpleNamespace(headers=SimpleNamespace(raw_headers=headers)))


class TestSocketAddress:
    @pytest.mark.parametrize(
        ("headers", "proxies", "address"),
        [
            pytest.param({"asgi-scope-client": "198.51.100.7"}, 0, "198.51.100.7", id="the peer"),
            pytest.param(
                {"asgi-scope-client": "198.51.100.7", "x-forwarded-for": "203.0.113.9"}, 0, "198.51.100.7",
                id="a header that nobody trusts",
            ),
            pytest.param(
                {"asgi-scope-client": "10.0.0.1", "x-forwarded-for": "192.0.2.1, 203.0.113.9"}, 1, "203.0.113.9",
                id="what the trusted proxy saw",
            ),
            pytest.param(
                {"asgi-scope-client": "10.0.0.1", "x-forwarded-for": "no address"}, 1, "10.0.0.1", id="nonsense"
            ),
            pytest.param({}, 0, "", id="a socket of no known peer"),
        ],
    )  # fmt: skip
    def test_follows_the_same_rule_as_requests(
        self, settings: Settings, headers: dict[str, str], proxies: int, address: str
    ) -> None:
        behind = settings.model_copy(update={"trusted_proxy_count": proxies})
        assert socket_address(an_event(headers), behind) == address
