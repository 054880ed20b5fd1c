"""Where a channel may point: the public internet over https, whatever form the address is written in."""

import pytest

from onetoken_app.catalog.upstream_addresses import checked_base_url, is_public_address
from onetoken_app.errors import BadRequest

PUBLIC_ADDRESSES = [
    "8.8.8.8",
    "1.1.1.1",
    "223.5.5.5",
    "100.63.255.255",
    "100.128.0.1",
    "2606:4700::1111",
    "2400:3200::1",
]
OTHER_ADDRESSES = [
    "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "fc00::1", "fd00:ec2::254",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::1111%eth0",
]  # fmt: skip
NOT_ADDRESSES = ["", "localhost", "0x7f000001", "2130706433", "127.1", "0177.0.0.1", "1.2.3.4.5", "8.8.8.8 ", "[::1]"]

REFUSED_URLS = [
    "", "https://", "https:///v1", "api.example.com/v1", "//api.example.com", "ftp://api.example.com",
    "http://api.example.com/v1", "file:///etc/passwd", "gopher://api.example.com", "javascript:alert(1)",
    "https://user@api.example.com", "https://user:pass@api.example.com", "https://@api.example.com",
    "https://api.example.com@127.0.0.1/", "https://api.example.com/v1?x=1", "https://api.example.com/v1?",
    "https://api.example.com/v1#x", "https://api.example.com/v1#", "https://api.example.com\\@127.0.0.1",
    "https://api.example.com/v1/../admin", "https://api.example.com/./v1", "https://api.example.com/%2e%2e/admin",
    "https://api.example.com/v 1", "https://api.example.com/\r\nx", "https://api.example.com:0", "https://api.example.com:",
    "https://api.example.com:99999", "https://api.example.com:x", "https://api..example.com", "https://.example.com",
    "https://-api.example.com", "https://api_%.example.com", "https://api.example.com.", "https://exämple.com",
    "https://ⓛocalhost", "https://localhost", "https://LOCALHOST", "https://x.localhost", "https://printer.local",
    "https://metadata.google.internal", "https://intranet", "https://db", "https://router.lan", "https://x.home.arpa",
    "https://127.0.0.1", "https://127.1", "https://127.0.1", "https://2130706433", "https://0x7f000001", "https://0x7f.1",
    "https://0177.0.0.1", "https://0", "https://127.0.0.1.", "https://10.0.0.1", "https://192.168.0.1:8443",
    "https://169.254.169.254/latest/meta-data", "https://100.64.0.1", "https://[::1]", "https://[::]", "https://[fe80::1]",
    "https://[fe80::1%25eth0]", "https://[::ffff:127.0.0.1]", "https://[::ffff:7f00:1]", "https://[64:ff9b::7f00:1]",
    "https://[2002:7f00:1::]", "https://[fd00::1]", "https://[::1", "https://::1", "https://1.2.3.4.5",
    "https://api.example.com/" + "x" * 512,
]  # fmt: skip


class TestIsPublicAddress:
    @pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
    def test_knows_the_public_internet(self, address: str) -> None:
        assert is_public_address(address)

    @pytest.mark.parametrize("address", OTHER_ADDRESSES)
    def test_refuses_everything_else(self, address: str) -> None:
        assert not is_public_address(address)

    @pytest.mark.parametrize("text", NOT_ADDRESSES)
    def test_refuses_what_is_no_address(self, text: str) -> None:
        assert not is_public_address(text)


class TestCheckedBaseUrl:
    @pytest.mark.parametrize("url", REFUSED_URLS)
    def test_refuses(self, url: str) -> None:
        with pytest.raises(BadRequest) as caught:
            checked_base_url(url, allow_private=False)
        assert caught.value.parameter == "base_url"

    @pytest.mark.parametrize(
        ("url", "form"),
        [
            ("https://api.example.com/v1", "https://api.example.com/v1"),
            ("https://API.Example.COM/v1/", "https://api.example.com/v1"),
            ("https://api.example.com:8443", "https://api.example.com:8443"),
            ("https://8.8.8.8/v1", "https://8.8.8.8/v1"),
            ("https://[2606:4700::1111]:8443/v1", "https://[2606:4700::1111]:8443/v1"),
        ],
    )
    def test_keeps_one_form_of_a_public_address(self, url: str, form: str) -> None:
        assert checked_base_url(url, allow_private=False) == form

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:18000/v1", "http://localhost:8080", "http://[::1]:9", "http://gpu-box:8000/v1"]
    )
    def test_admits_private_ones_when_the_operator_says_so(self, url: str) -> None:
        assert checked_base_url(url, allow_private=True) == url

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "http://user@127.0.0.1", "http://2130706433", "http://0x7f.1", "http://127.1/?x"]
    )
    def test_refuses_tricks_even_then(self, url: str) -> None:
        with pytest.raises(BadRequest):
            checked_base_url(url, allow_private=True)

    def test_never_repeats_the_address(self) -> None:
        with pytest.raises(BadRequest) as caught:
            checked_base_url("https://user:very-secret@api.example.com", allow_private=False)
        assert "very-secret" not in caught.value.public_message
