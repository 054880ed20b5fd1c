"""Only what our own proxies wrote counts."""

import pytest

from onetoken_app.caller_address import caller_address

PEER = "192.0.2.1"


class TestCallerAddress:
    @pytest.mark.parametrize(
        ("forwarded", "trusted", "address"),
        [
            pytest.param(["203.0.113.9"], 0, PEER, id="no proxy is trusted"),
            pytest.param(["6.6.6.6, 203.0.113.9"], 1, "203.0.113.9", id="what a caller wrote stands further left"),
            pytest.param(["6.6.6.6, 203.0.113.9, 10.0.0.1"], 2, "203.0.113.9", id="two proxies"),
            pytest.param(["6.6.6.6", "203.0.113.9"], 1, "203.0.113.9", id="a second header goes on where one ended"),
            pytest.param([], 1, PEER, id="the header is missing"),
            pytest.param(["203.0.113.9"], 2, PEER, id="fewer hops than proxies"),
            pytest.param(["unknown"], 1, PEER, id="the hop is no address"),
            pytest.param([f"203.0.113.9{'9' * 500}"], 1, PEER, id="the hop is too long"),
            pytest.param(["2001:DB8::1"], 1, "2001:db8::1", id="an address has one form"),
            pytest.param(["fe80::1%any text"], 1, PEER, id="a zone can be any text"),
            pytest.param([f"fe80::1%{'x' * 100}"], 1, PEER, id="a long one too"),
        ],
    )
    def test_takes_the_hop_that_the_outermost_trusted_proxy_saw(
        self, forwarded: list[str], trusted: int, address: str
    ) -> None:
        values = [value.encode() for value in forwarded]
        assert caller_address((PEER, 1), values, trusted_proxy_count=trusted) == address

    def test_the_zone_of_a_peer_is_left_out(self) -> None:
        assert caller_address(("fe80::1%eth0", 1), [], trusted_proxy_count=0) == "fe80::1"

    def test_a_connection_without_an_address_has_none(self) -> None:
        assert caller_address(None, [], trusted_proxy_count=0) == ""
