"""``onetoken apply``: credentials, rules, other names and models that stand in come about as the file says."""

import pytest

from onetoken_app.catalog.models import RoutingRule
from onetoken_app.catalog.queries import (
    further_credentials,
    model_aliases,
    model_by_name,
    model_fallbacks,
    sealed_channels,
)
from onetoken_app.command.apply import Applied, apply
from onetoken_app.command.marked_yaml import BadFile
from onetoken_app.database import Database, read_session
from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets

FILE = """\
currency: USD
channels:
  - name: bench
    provider: openai
    base_url: https://api.provider.example/v1
    credential: sk-first
    region: mainland
    credentials: [{name: second, credential: sk-second}]
models:
  - name: large
    channels: [{channel: bench}]
    price: {input: "1.00", output: "2.00"}
    context_window: 128000
    max_output_tokens: 4096
    routing: sticky
    first_byte_seconds: 600
    aliases: [large-latest, vendor/large]
    fallbacks: [small]
  - name: small
    channels: [{channel: bench}]
    price: {input: "0.10", output: "0.20"}
    context_window: 128000
    max_output_tokens: 4096
"""


@pytest.fixture
def installed(database_settings: Settings, database: Database) -> Settings:  # noqa: ARG001 # opens the database
    """Settings of an installation with an empty database."""
    return database_settings


async def applied(settings: Settings, old: str = "", new: str = "") -> Applied:
    """Apply the file, with one text replaced."""
    assert old in FILE
    return await apply(FILE.replace(old, new, 1).encode() if old else FILE.encode(), settings=settings)


async def credentials(settings: Settings) -> list[str]:
    """Open every further credential that may be used."""
    key = load_root_secrets(settings).key_encryption_key
    async with read_session() as session:
        return [sealed.reveal(key) for sealed in await further_credentials(session)]


async def names() -> dict[str, str]:
    """Return the names of the models by their aliases."""
    async with read_session() as session:
        ids = {}
        for name in ("large", "small"):
            model = await model_by_name(session, name)
            assert model is not None
            ids[model.id] = name
        return {alias: ids[model_id] for alias, model_id in (await model_aliases(session)).items()}


class TestRouting:
    async def test_everything_that_the_file_says_is_there(self, installed: Settings) -> None:
        await applied(installed)
        assert await credentials(installed) == ["sk-second"]
        assert await names() == {"large-latest": "large", "vendor/large": "large"}
        async with read_session() as session:
            large, small = await model_by_name(session, "large"), await model_by_name(session, "small")
            assert large is not None
            assert small is not None
            assert await model_fallbacks(session) == {large.id: (small.id,)}
        assert (large.routing_rule, large.first_byte_seconds) == (RoutingRule.STICKY, 600)
        assert (small.routing_rule, small.first_byte_seconds) == (RoutingRule.WEIGHT, None)

    async def test_a_second_time_changes_nothing(self, installed: Settings) -> None:
        await applied(installed)
        assert (await applied(installed)).changes == ()

    async def test_a_list_is_the_whole_list_and_a_missing_one_says_nothing(self, installed: Settings) -> None:
        await applied(installed)
        await applied(installed, "    aliases: [large-latest, vendor/large]\n    fallbacks: [small]\n", "")
        assert len(await names()) == 2
        changed = await applied(
            installed, "[large-latest, vendor/large]\n    fallbacks: [small]", "[]\n    fallbacks: []"
        )
        assert await names() == {}
        async with read_session() as session:
            assert await model_fallbacks(session) == {}
        assert changed.changes == ("model large changed",)

    async def test_a_name_moves_to_the_model_that_has_it_now(self, installed: Settings) -> None:
        await applied(installed)
        without = FILE.replace("aliases: [large-latest, vendor/large]", "aliases: [vendor/large]")
        await apply(f"{without}    aliases: [large-latest]\n".encode(), settings=installed)
        assert await names() == {"large-latest": "small", "vendor/large": "large"}

    async def test_a_credential_is_replaced_and_taken_out(self, installed: Settings) -> None:
        await applied(installed)
        assert (await applied(installed, "sk-second", "sk-third")).changes == ("channel bench changed",)
        assert await credentials(installed) == ["sk-third"]
        await applied(installed, "credential: sk-second", "credential: sk-third, enabled: false")
        assert await credentials(installed) == []

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            pytest.param("large-latest, vendor", "small, vendor", "line 17: small is the name of a model", id="a name"),
            pytest.param("fallbacks: [small]", "fallbacks: [tiny]", "line 18: there is no model 'tiny'", id="nobody"),
            pytest.param("fallbacks: [small]", "fallbacks: [large]", "line 18: A model has at most", id="itself"),
            pytest.param("routing: sticky", "routing: best", "line 15: 'routing' is one of", id="no rule"),
            pytest.param("credential: sk-second", "enabled: true", "line 8: an entry of 'credentials'", id="nothing"),
        ],
    )
    async def test_a_complaint_names_the_line(self, installed: Settings, old: str, new: str, complaint: str) -> None:
        with pytest.raises(BadFile, match=complaint):
            await applied(installed, old, new)


class TestAddress:
    async def test_a_vendor_whose_address_is_known_needs_none(self, installed: Settings) -> None:
        await applied(installed, "openai\n    base_url: https://api.provider.example/v1", "deepseek")
        async with read_session() as session:
            (sealed,) = await sealed_channels(session)
        assert (sealed.channel.provider, sealed.channel.base_url) == ("deepseek", "https://api.deepseek.com/v1")

    async def test_one_that_runs_anywhere_needs_one(self, installed: Settings) -> None:
        with pytest.raises(BadFile, match="a channel of vllm needs 'base_url'"):
            await applied(installed, "openai\n    base_url: https://api.provider.example/v1", "vllm")
