"""The relay's view of keys and organizations: one look-up a key, changes seen at once, closed when it is too old."""

import asyncio
import os
from collections.abc import AsyncIterator

import openai
import pytest

from onetoken_app.agreements.models import AcceptanceMethod, Confirmation, ConfirmationKind
from onetoken_app.catalog.models import Channel, Region
from onetoken_app.database import Database, current_database, policy_revision, read_session, unit_of_work
from onetoken_app.keys.minting import digest_of, mint_secret
from onetoken_app.relay import policy_cache
from onetoken_app.relay.errors import PolicyUnavailable
from onetoken_app.relay.policy_cache import LOOK_UP_BATCH, UNKNOWN_KEYS_MAX, PolicyCache
from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets
from tests.relay.conftest import RunningRelay, until
from tests.support.builders import a_key, an_organization


@pytest.fixture
async def cache(sqlite_settings: Settings, sqlite_database: Database) -> AsyncIterator[PolicyCache]:
    """A cache that polls often and fails closed soon."""
    assert sqlite_database.is_sqlite
    settings = sqlite_settings.model_copy(update={"policy_poll_seconds": 0.05, "policy_age_seconds_max": 1.0})
    policy = PolicyCache(settings, load_root_secrets(settings))
    await policy.start()
    yield policy
    await policy.stop()


async def a_known_digest(settings: Settings) -> bytes:
    """Mint a key; return its digest."""
    async with unit_of_work() as session:
        organization_id = await an_organization(session)
        key = await a_key(session, settings, organization_id=organization_id)
    return digest_of(key.secret, load_root_secrets(settings).key_pepper)


async def many_known_digests(settings: Settings, count: int) -> list[bytes]:
    """Mint keys of one organization; return their digests."""
    pepper = load_root_secrets(settings).key_pepper
    async with unit_of_work() as session:
        organization_id = await an_organization(session)
        keys = [
            await a_key(session, settings, organization_id=organization_id, name=f"key {number}")
            for number in range(count)
        ]
    return [digest_of(key.secret, pepper) for key in keys]


async def a_change(cache: PolicyCache, settings: Settings) -> None:
    """Change something of somebody else's, and wait until it is noticed."""
    await a_known_digest(settings)
    async with read_session() as session:
        revision = await policy_revision(session)
    await until(lambda: cache.snapshot().revision >= revision)


class TestCallerOf:
    @pytest.mark.row("D12")
    async def test_a_thousand_callers_with_one_cold_key_make_one_look_up(
        self, cache: PolicyCache, sqlite_settings: Settings
    ) -> None:
        digest = await a_known_digest(sqlite_settings)
        callers = await asyncio.gather(*(cache.caller_of(digest) for _ in range(1_000)))
        assert {caller.is_verified for caller in callers if caller is not None} == {True}
        assert cache.look_up_count == 1

    async def test_a_key_that_nobody_has_is_remembered_within_bounds(self, cache: PolicyCache) -> None:
        digest = digest_of(mint_secret("key_x"), b"p" * 32)
        assert await cache.caller_of(digest) is None
        assert await cache.caller_of(digest) is None
        assert cache.look_up_count == 1
        for number in range(UNKNOWN_KEYS_MAX):
            cache._unknown[number.to_bytes(32, "big")] = cache._unknown[digest]
        assert await cache.caller_of(os.urandom(32)) is None
        assert len(cache._unknown) <= UNKNOWN_KEYS_MAX + 1

    async def test_a_caller_who_gives_up_does_not_spoil_the_look_up_of_others(
        self, cache: PolicyCache, sqlite_settings: Settings
    ) -> None:
        digest = await a_known_digest(sqlite_settings)
        first = asyncio.ensure_future(cache.caller_of(digest))
        second = asyncio.ensure_future(cache.caller_of(digest))
        await asyncio.sleep(0)
        first.cancel()
        assert await second is not None


class TestManyKeysAtOnce:
    async def test_after_a_change_all_are_read_again_in_a_few_queries(
        self, cache: PolicyCache, sqlite_settings: Settings
    ) -> None:
        digests = await many_known_digests(sqlite_settings, 300)
        for _ in range(2):
            assert None not in await asyncio.gather(*map(cache.caller_of, digests))
            await a_change(cache, sqlite_settings)
        assert cache.look_up_count == 2 * len(digests)
        assert cache.batch_count <= 4

    async def test_keys_that_nobody_has_do_not_make_a_good_one_wait(
        self, cache: PolicyCache, sqlite_settings: Settings
    ) -> None:
        digest = await a_known_digest(sqlite_settings)
        assert await cache.caller_of(digest) is not None
        await a_change(cache, sqlite_settings)
        strangers = [asyncio.ensure_future(cache.caller_of(os.urandom(32))) for _ in range(3 * LOOK_UP_BATCH)]
        await asyncio.sleep(0)
        assert await cache.caller_of(digest) is not None
        assert sum(stranger.done() for stranger in strangers) < 2 * LOOK_UP_BATCH
        assert set(await asyncio.gather(*strangers)) == {None}

    async def test_more_strangers_than_may_wait_are_refused(
        self, cache: PolicyCache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(policy_cache, "STRANGERS_WAITING_MAX", 10)
        answers = await asyncio.gather(*(cache.caller_of(os.urandom(32)) for _ in range(11)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [type(None)] * 10 + [PolicyUnavailable]


class TestPolling:
    async def test_it_outlives_a_mistake_of_ours(self, cache: PolicyCache, monkeypatch: pytest.MonkeyPatch) -> None:
        async def fails(*_given: object, **_named: object) -> None:
            raise LookupError

        monkeypatch.setattr(policy_cache, "policy_revision", fails)
        await until(lambda: not cache.is_fresh, seconds=5)
        monkeypatch.undo()
        await until(lambda: cache.is_fresh, seconds=5)


@pytest.mark.row("D7")
class TestTooOld:
    async def test_it_fails_closed_when_the_database_is_gone_and_opens_again(
        self, cache: PolicyCache, sqlite_settings: Settings
    ) -> None:
        digest = await a_known_digest(sqlite_settings)
        assert await cache.caller_of(digest) is not None
        database = sqlite_settings.database_file
        async with cache._refreshing:  # between two looks: a pool must not be emptied while it is used
            await current_database().dispose()
            hidden = database.rename(database.with_suffix(".hidden"))
        await until(lambda: not cache.is_fresh, seconds=5)
        with pytest.raises(PolicyUnavailable):
            await cache.caller_of(digest)
        hidden.rename(database)
        await until(lambda: cache.is_fresh, seconds=5)
        assert await cache.caller_of(digest) is not None


class TestRegionGate:
    async def test_an_overseas_model_needs_a_confirmation(self, relay: RunningRelay) -> None:
        async with unit_of_work() as session:
            channel = await session.get(Channel, relay.model.channel_id)
            assert channel is not None
            channel.region = Region.OVERSEAS
            session.add(channel)
        await relay.until_policy_is_current()
        answer = await relay.post()
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "region_not_confirmed")
        async with relay.client() as client:
            assert [model.id async for model in client.models.list()] == []
        async with unit_of_work() as session:
            session.add(
                Confirmation(
                    organization_id=relay.organization_id,
                    kind=ConfirmationKind.OVERSEAS_MODELS,
                    method=AcceptanceMethod.OPERATOR_ATTESTATION,
                )
            )
        await relay.until_policy_is_current()
        assert (await relay.post()).status_code == 200
        assert (await relay.only_record()).region == "overseas"


class TestModels:
    async def test_the_official_client_lists_and_shows_them(self, relay: RunningRelay) -> None:
        async with relay.client() as client:
            assert [model.id async for model in client.models.list()] == ["mock"]
            model = await client.models.retrieve("mock")
        assert (model.id, model.object, model.owned_by) == ("mock", "model", "onetoken")
        assert model.created > 0

    async def test_one_that_is_not_there_is_not_found(self, relay: RunningRelay) -> None:
        async with relay.client() as client:
            with pytest.raises(openai.NotFoundError):
                await client.models.retrieve("some/other")
