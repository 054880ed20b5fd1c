"""Who answers a request, with which headers, and from which address it came."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from onetoken_app.console.bundle import ConsoleBundle, inline_script_hashes
from onetoken_app.console.front_door import in_front_of
from onetoken_app.console.http_exchange import Message, Receive, Scope, Send, caller_ip, cookie_of
from onetoken_app.console.origins import allowed_origins
from onetoken_app.console.security_headers import SecurityHeaders
from onetoken_app.settings import Settings
from tests.console.asgi_calls import post


class Named:
    """An app that answers with its name, and owns one path."""

    def __init__(self, name: str, path: str = "") -> None:
        self.name = name
        self.path = path

    def owns(self, path: str, /) -> bool:
        return path == self.path

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send, /) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.name.encode()})


class TestInFrontOf:
    async def test_asks_in_order_and_leaves_the_rest_to_the_pages(self) -> None:
        app = in_front_of(first=(Named("relay", "/v1"), Named("account", "/account")), wrap=lambda rest: rest)(
            Named("pages")
        )
        assert [(await post(app, path, {})).body for path in ("/v1", "/account", "/usage")] == [
            b"relay", b"account", b"pages",
        ]  # fmt: skip


class TestSecurityHeaders:
    async def test_admit_only_our_own_and_the_built_inline_scripts(self, tmp_path: Path) -> None:
        build = tmp_path / ".web" / "build"
        build.mkdir(parents=True)
        (build / "onetoken-csp.json").write_text(json.dumps({"script_hashes": ["'sha256-abc='"]}))
        answer = await post(SecurityHeaders(Named("pages"), root=tmp_path, is_https=False), "/", {})
        policy = answer.header("content-security-policy")
        assert "script-src 'self' 'sha256-abc='; " in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("strict-transport-security") == ""

    async def test_keep_browsers_on_tls_once_they_are_there(self, tmp_path: Path) -> None:
        answer = await post(SecurityHeaders(Named("pages"), root=tmp_path, is_https=True), "/", {})
        assert answer.header("strict-transport-security")

    async def test_let_hashed_files_be_kept_and_nothing_else(self, tmp_path: Path) -> None:
        app = SecurityHeaders(Named("pages"), root=tmp_path, is_https=False)
        assert "immutable" in (await post(app, "/assets/a-1.js", {})).header("cache-control")
        assert (await post(app, "/", {})).header("cache-control") == "no-cache"

    @pytest.mark.parametrize(
        ("sent", "passed_on"),
        [
            pytest.param("http://console.example/terms/?version=1", "/terms/?version=1", id="to this host"),
            pytest.param("http://console.example//evil.example/x", "/evil.example/x", id="to what looks like another"),
            pytest.param("/terms/", "/terms/", id="a path"),
            pytest.param("https://other.example/x", "https://other.example/x", id="to another host"),
        ],
    )
    async def test_redirects_keep_the_scheme_that_the_browser_came_by(
        self, tmp_path: Path, sent: str, passed_on: str
    ) -> None:
        async def redirects(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 307, "headers": [(b"location", sent.encode())]})
            await send({"type": "http.response.body", "body": b""})

        app = SecurityHeaders(redirects, root=tmp_path, is_https=True)
        answer = await post(app, "/terms", {}, headers=((b"host", b"console.example"),))
        assert answer.header("location") == passed_on

    async def test_leave_sockets_alone(self, tmp_path: Path) -> None:
        seen: list[Scope] = []

        async def socket(scope: Scope, _receive: Receive, _send: Send) -> None:
            seen.append(scope)

        async def silent() -> Message:
            return {"type": "websocket.connect"}

        async def drop(_message: Message) -> None: ...

        await SecurityHeaders(socket, root=tmp_path, is_https=False)({"type": "websocket", "path": "/"}, silent, drop)
        assert len(seen) == 1


class TestBundle:
    def test_makes_the_socket_follow_the_page(self, tmp_path: Path) -> None:
        static = tmp_path / "build" / "client"
        (static / "assets").mkdir(parents=True)
        script = static / "assets" / "reflex-env-x.js"
        script.write_text("var e={PING:`http://localhost:8000/ping`,EVENT:`ws://localhost:8000/_event`}")
        (static / "index.html").write_text("<script>go()</script><script src='/a.js'></script>")
        ConsoleBundle().post_build(static_dir=static)
        assert "localhost" not in script.read_text()
        assert '(location.origin+"/ping")' in script.read_text()
        expected = base64.b64encode(hashlib.sha256(b"go()").digest()).decode()
        written = json.loads((tmp_path / "build" / "onetoken-csp.json").read_text())
        assert written == {"script_hashes": [f"'sha256-{expected}'"]}
        assert len(inline_script_hashes(static / "index.html")) == 1

    def test_refuses_a_bundle_that_it_does_not_understand(self, tmp_path: Path) -> None:
        (tmp_path / "assets").mkdir()
        with pytest.raises(RuntimeError):
            ConsoleBundle().post_build(static_dir=tmp_path)


class TestCallerIp:
    @pytest.mark.parametrize(
        ("forwarded", "trusted", "address"),
        [
            pytest.param("203.0.113.9", 0, "192.0.2.1", id="no proxy is trusted"),
            pytest.param("6.6.6.6, 203.0.113.9", 1, "203.0.113.9", id="what a caller wrote stands further left"),
            pytest.param("6.6.6.6, 203.0.113.9, 10.0.0.1", 2, "203.0.113.9", id="two proxies"),
            pytest.param("", 1, "192.0.2.1", id="the header is missing"),
        ],
    )
    def test_takes_the_trusted_hop(self, forwarded: str, trusted: int, address: str) -> None:
        headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
        scope: Scope = {"headers": headers, "client": ("192.0.2.1", 1)}
        assert caller_ip(scope, trusted_proxy_count=trusted) == address


class TestCookieOf:
    def test_finds_one_among_others(self) -> None:
        assert cookie_of("a=1; onetoken=secret; b=2", "onetoken") == "secret"
        assert cookie_of("xonetoken=secret", "onetoken") is None
        assert cookie_of("onetoken=", "onetoken") is None


class TestAllowedOrigins:
    def test_is_the_public_address_when_there_is_one(self) -> None:
        settings = Settings(public_url="https://Console.test.example/onetoken/")
        assert allowed_origins(settings) == ("https://console.test.example",)

    def test_is_every_name_of_this_machine_otherwise(self) -> None:
        assert allowed_origins(Settings(port=8123)) == (
            "http://localhost:8123", "http://127.0.0.1:8123", "http://[::1]:8123",
        )  # fmt: skip
