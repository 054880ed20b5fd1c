"""The seam to upstreams: checked addresses only, nothing of the environment, no redirect."""

import pytest

from onetoken_app.providers.protocol import UpstreamRequest
from onetoken_app.relay.forwarding import UpstreamClient
from onetoken_app.relay.upstream_connection import UpstreamBroke
from onetoken_app.settings import Settings
from tests.support.scripted_upstream import answers, answers_usually, scripted_upstream


def request_to(url: str) -> UpstreamRequest:
    """Make a request with nothing of note in it."""
    return UpstreamRequest(url, {"content-type": "application/json"}, b"{}")


class TestSend:
    @pytest.mark.parametrize(
        "url",
        [
            pytest.param("http://127.0.0.1:{port}/v1", id="plain http"),
            pytest.param("https://127.0.0.1:{port}/v1", id="a loopback address"),
            pytest.param("https://[::1]:{port}/v1", id="a loopback address of IPv6"),
            pytest.param("https://[::ffff:127.0.0.1]:{port}/v1", id="a mapped address"),
            pytest.param("https://0.0.0.0:{port}/v1", id="the unspecified address"),
            pytest.param("https://169.254.169.254/v1", id="the metadata address of clouds"),
            pytest.param("https://localhost:{port}/v1", id="a name that points to loopback"),
        ],
    )
    async def test_private_addresses_get_no_connection(self, settings: Settings, url: str) -> None:
        async with scripted_upstream(answers_usually) as upstream:
            client = UpstreamClient(settings)
            with pytest.raises(UpstreamBroke):
                await client.send(request_to(url.format(port=upstream.port)))
            await client.close()
            assert upstream.exchanges == []

    async def test_a_proxy_of_the_environment_is_ignored(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        client = UpstreamClient(settings.model_copy(update={"allow_private_upstreams": True}))
        async with scripted_upstream(answers(302, b"", location="http://127.0.0.1:9/", set_cookie="a=b")) as upstream:
            for _ in range(2):
                reply = await client.send(request_to(f"{upstream.base_url}/chat/completions"))
                assert reply.status == 302
                reply.release()
            assert [("cookie" in exchange.headers) for exchange in upstream.exchanges] == [False, False]
            assert all("deflate" not in str(exchange.headers) for exchange in upstream.exchanges)
        await client.close()

    async def test_an_error_says_nothing_of_the_other_side(self, settings: Settings) -> None:
        client = UpstreamClient(settings)
        with pytest.raises(UpstreamBroke) as caught:
            await client.send(request_to("http://user:secret@127.0.0.1/v1"))
        assert str(caught.value) == ""
        await client.close()
