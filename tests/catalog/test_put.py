"""Channels, models and routes are put by name; the same values again write nothing."""

import pytest
from sqlmodel import select

from onetoken_app.catalog.models import Channel, Region
from onetoken_app.catalog.queries import (
    channels,
    model_by_name,
    models,
    models_for_sale,
    routes_of,
    sealed_channels,
)
from onetoken_app.catalog.service import put_channel, put_model, put_route, switch_channel
from onetoken_app.database import policy_revision, read_session, unit_of_work
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.vault import CannotUnseal

KEY = bytes(range(32))

pytestmark = pytest.mark.usefixtures("database")


async def a_channel(**values: object) -> str:
    """Put a channel."""
    plain = {
        "key_encryption_key": KEY,
        "name": "bench",
        "provider": "openai",
        "base_url": "https://api.example.com/v1",
        "credential": "sk-upstream",
        "region": Region.MAINLAND,
    }
    async with unit_of_work() as session:
        return await put_channel(session, **(plain | values))  # type: ignore[arg-type] # each test passes what the signature takes


async def a_model(**values: object) -> str:
    """Put a model."""
    plain = {"name": "mock", "context_window_tokens": 128_000, "output_tokens_max": 4_096}
    async with unit_of_work() as session:
        return await put_model(session, **(plain | values))  # type: ignore[arg-type] # each test passes what the signature takes


async def a_route(model_id: str, channel_id: str, **values: object) -> str:
    """Put a route."""
    plain = {"model_id": model_id, "channel_id": channel_id, "upstream_model": "mock"}
    async with unit_of_work() as session:
        return await put_route(session, **(plain | values))  # type: ignore[arg-type] # each test passes what the signature takes


async def revision() -> int:
    """Read how often the relay's policy changed."""
    async with read_session() as session:
        return await policy_revision(session)


async def sealed() -> bytes:
    """Read the one channel's sealed credential."""
    async with read_session() as session:
        return (await session.exec(select(Channel.credential_sealed))).one()


class TestPutChannel:
    async def test_the_same_values_again_write_nothing(self) -> None:
        channel_id = await a_channel()
        before, revision_before = await sealed(), await revision()
        assert await a_channel() == channel_id
        assert (await sealed(), await revision()) == (before, revision_before)

    async def test_changes_what_differs(self) -> None:
        channel_id = await a_channel()
        assert await a_channel(region=Region.OVERSEAS, is_enabled=False) == channel_id
        async with read_session() as session:
            (view,) = await channels(session)
        assert (view.region, view.is_enabled, view.base_url) == (Region.OVERSEAS, False, "https://api.example.com/v1")

    async def test_another_credential_is_sealed_anew(self) -> None:
        await a_channel()
        before = await sealed()
        await a_channel(credential="sk-rotated")
        assert await sealed() != before
        async with read_session() as session:
            (view,) = await sealed_channels(session)
        assert view.reveal_credential(KEY) == "sk-rotated"

    async def test_a_credential_that_no_longer_opens_is_replaced(self) -> None:
        await a_channel()
        await a_channel(key_encryption_key=bytes(32))
        async with read_session() as session:
            (view,) = await sealed_channels(session)
        assert view.reveal_credential(bytes(32)) == "sk-upstream"

    async def test_a_credential_does_not_open_in_another_row(self) -> None:
        await a_channel()
        await a_channel(name="other")
        async with unit_of_work() as session:
            one, other = (await session.exec(select(Channel).order_by(Channel.name))).all()
            one.credential_sealed, other.credential_sealed = other.credential_sealed, one.credential_sealed
        async with read_session() as session:
            for view in await sealed_channels(session):
                with pytest.raises(CannotUnseal):
                    view.reveal_credential(KEY)

    async def test_views_show_nothing_of_a_credential(self) -> None:
        await a_channel()
        async with read_session() as session:
            shown = repr(await channels(session)) + repr(await sealed_channels(session))
        assert "credential" not in shown
        assert b"sk-upstream" not in await sealed()

    @pytest.mark.parametrize(
        "values",
        [
            {"name": ""}, {"name": "a\nb"}, {"provider": "Open AI"}, {"base_url": "http://127.0.0.1/v1"},
            {"credential": ""}, {"credential": "sk upstream"}, {"credential": "sk\r\nX: y"}, {"credential": "密"},
        ],
        ids=str,
    )  # fmt: skip
    async def test_refuses(self, values: dict[str, object]) -> None:
        with pytest.raises(BadRequest):
            await a_channel(**values)

    async def test_admits_a_private_address_when_the_operator_says_so(self) -> None:
        assert await a_channel(base_url="http://127.0.0.1:18000/v1", allow_private_upstreams=True)


class TestSwitchChannel:
    async def test_says_whether_that_changed_anything(self) -> None:
        channel_id = await a_channel()
        seen = []
        for is_enabled in (True, False, False, True):
            async with unit_of_work() as session:
                seen.append(await switch_channel(session, channel_id=channel_id, is_enabled=is_enabled))
        assert seen == [False, True, False, True]

    async def test_one_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(NotFound):
            async with unit_of_work() as session:
                await switch_channel(session, channel_id="chn_none", is_enabled=False)


class TestPutModel:
    async def test_the_same_values_again_write_nothing(self) -> None:
        model_id = await a_model()
        before = await revision()
        assert await a_model() == model_id
        assert await revision() == before

    async def test_changes_what_differs(self) -> None:
        await a_model()
        await a_model(output_tokens_max=8_192, is_enabled=False)
        async with read_session() as session:
            view = await model_by_name(session, "mock")
        assert view is not None
        assert (view.output_tokens_max, view.is_enabled) == (8_192, False)

    @pytest.mark.parametrize(
        "values",
        [
            {"name": "a model"}, {"name": ""}, {"name": "x" * 129}, {"output_tokens_max": 0}, {"owned_by": ""},
            {"output_tokens_max": 128_001}, {"context_window_tokens": 10**9, "output_tokens_max": 10**9},
        ],
        ids=str,
    )  # fmt: skip
    async def test_refuses(self, values: dict[str, object]) -> None:
        with pytest.raises(BadRequest):
            await a_model(**values)


class TestPutRoute:
    async def test_the_same_values_again_write_nothing(self) -> None:
        model_id, channel_id = await a_model(), await a_channel()
        route_id = await a_route(model_id, channel_id)
        before = await revision()
        assert await a_route(model_id, channel_id) == route_id
        assert await revision() == before

    async def test_changes_what_differs(self) -> None:
        model_id, channel_id = await a_model(), await a_channel()
        await a_route(model_id, channel_id)
        await a_route(model_id, channel_id, upstream_model="mock-2", weight=3, priority=1)
        async with read_session() as session:
            (view,) = await routes_of(session, model_id)
        assert (view.upstream_model, view.weight, view.priority) == ("mock-2", 3, 1)

    async def test_routes_come_in_the_order_of_priority(self) -> None:
        model_id = await a_model()
        for name, priority in (("last", 9), ("first", 0), ("middle", 5)):
            await a_route(model_id, await a_channel(name=name), priority=priority)
        async with read_session() as session:
            assert [view.priority for view in await routes_of(session)] == [0, 5, 9]

    async def test_refuses_what_does_not_exist_or_cannot_be(self) -> None:
        model_id, channel_id = await a_model(), await a_channel()
        with pytest.raises(NotFound):
            await a_route("mdl_none", channel_id)
        with pytest.raises(NotFound):
            await a_route(model_id, "chn_none")
        for values in ({"weight": 0}, {"weight": 10**9}, {"priority": 10**9}, {"upstream_model": ""}):
            with pytest.raises(BadRequest):
                await a_route(model_id, channel_id, **values)


class TestModelsForSale:
    async def test_are_enabled_and_served_by_an_enabled_channel(self) -> None:
        on, off = await a_channel(name="on"), await a_channel(name="off", is_enabled=False)
        for name, channel_id, is_enabled in (("sold", on, True), ("disabled", on, False), ("unserved", off, True)):
            await a_route(await a_model(name=name, is_enabled=is_enabled), channel_id)
        await a_model(name="without-a-route")
        async with read_session() as session:
            assert [view.name for view in await models_for_sale(session)] == ["sold"]
            assert len(await models(session)) == 4
