"""Drafts: what they would change, how they are published once, and who did it."""

from datetime import timedelta

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.audit.models import ActorKind, AuditEntry
from onetoken_app.audit.service import OPERATOR, Actor
from onetoken_app.catalog.service import put_model
from onetoken_app.database import Database, current_database, policy_revision, read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.money import Currency
from onetoken_app.pricing import drafts
from onetoken_app.pricing.drafts import Change, DifferenceLine
from onetoken_app.pricing.errors import OwnDraft
from onetoken_app.pricing.models import DraftState, PriceBookVersion
from onetoken_app.pricing.queries import price_sheets
from onetoken_app.pricing.quote import RateTier
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import publish_prices
from onetoken_app.token_usage import TokenKind

PERSON, COLLEAGUE = Actor(ActorKind.PERSON, "per_1"), Actor(ActorKind.PERSON, "per_2")
IN_FORCE = ModelRates({TokenKind.INPUT: 1, TokenKind.OUTPUT: 2, TokenKind.CACHE_READ: 3})
PROPOSED = ModelRates(
    {TokenKind.INPUT: 1, TokenKind.OUTPUT: 5, TokenKind.IMAGES: 7}, (RateTier(9, {TokenKind.INPUT: 4}),)
)


@pytest.fixture
async def model_id(database: Database) -> str:
    """A model with a price, on each engine."""
    assert current_database() is database
    async with unit_of_work() as session:
        model_id = await put_model(session, name="mock", context_window_tokens=10, output_tokens_max=5)
        await publish_prices(session, currency=Currency.USD, rates={model_id: IN_FORCE}, effective_at=clock.utc_now())
        return model_id


async def draft_of(model_id: str, rates: ModelRates = PROPOSED, *, actor: Actor = PERSON) -> int:
    """Propose prices."""
    async with unit_of_work() as session:
        return await drafts.make_draft(
            session, currency=Currency.USD, rates={model_id: rates}, source="a test", actor=actor
        )


class TestDifference:
    async def test_names_each_price_that_would_be_another(self, model_id: str) -> None:
        draft_id = await draft_of(model_id)
        async with read_session() as session:
            lines = await drafts.difference(session, draft_id, at=clock.utc_now())
        assert lines == [
            DifferenceLine(model_id, "mock", TokenKind.CACHE_READ, 0, 3, None),
            DifferenceLine(model_id, "mock", TokenKind.OUTPUT, 0, 2, 5),
            DifferenceLine(model_id, "mock", TokenKind.IMAGES, 0, None, 7),
            DifferenceLine(model_id, "mock", TokenKind.INPUT, 9, None, 4),
        ]
        assert [line.change for line in lines[:3]] == [Change.REMOVED, Change.CHANGED, Change.ADDED]

    async def test_is_empty_for_what_is_in_force(self, model_id: str) -> None:
        draft_id = await draft_of(model_id, IN_FORCE)
        async with read_session() as session:
            assert await drafts.difference(session, draft_id, at=clock.utc_now()) == []

    async def test_there_has_to_be_one(self, model_id: str) -> None:
        assert model_id
        async with read_session() as session:
            with pytest.raises(NotFound):
                await drafts.difference(session, 1, at=clock.utc_now())


class TestMakeDraft:
    async def test_charges_nobody_and_does_not_wake_the_relay(self, model_id: str) -> None:
        async with read_session() as session:
            before = await policy_revision(session)
        await draft_of(model_id)
        async with read_session() as session:
            assert await policy_revision(session) == before
            (sheet,) = (await price_sheets(session, now=clock.utc_now())).values()
        assert sheet.rates == IN_FORCE.rates

    async def test_refuses_prices_that_could_not_be_published(self, model_id: str) -> None:
        with pytest.raises(BadRequest):
            await draft_of(model_id, ModelRates({TokenKind.INPUT: 1}))
        with pytest.raises(NotFound):
            await draft_of("mdl_none")


class TestPublishDraft:
    async def test_is_in_force_from_its_moment_on_and_names_the_person(self, model_id: str) -> None:
        draft_id = await draft_of(model_id)
        moment = clock.utc_now() + timedelta(hours=1)
        async with unit_of_work() as session:
            version_id = await drafts.publish_draft(session, draft_id, effective_at=moment, actor=COLLEAGUE)
        async with read_session() as session:
            (before,) = (await price_sheets(session, now=clock.utc_now())).values()
            (after,) = (await price_sheets(session, now=moment)).values()
            version = await session.get(PriceBookVersion, version_id)
            entries = (await session.exec(select(AuditEntry))).all()
            (view,) = await drafts.drafts(session, state=DraftState.PUBLISHED)
        assert (before.rates, after.rates, after.tiers) == (IN_FORCE.rates, PROPOSED.rates, PROPOSED.tiers)
        assert version is not None
        assert (version.published_by, after.price_version_id) == ("per_2", version_id)
        assert [(entry.action, entry.actor_id) for entry in entries] == [
            ("price_draft_made", "per_1"),
            ("price_draft_published", "per_2"),
        ]
        assert (view.id, view.version_id, view.closed_by, view.model_count) == (draft_id, version_id, "per_2", 1)

    async def test_is_not_for_who_made_it(self, model_id: str) -> None:
        draft_id = await draft_of(model_id)
        with pytest.raises(OwnDraft):
            async with unit_of_work() as session:
                await drafts.publish_draft(session, draft_id, effective_at=clock.utc_now(), actor=PERSON)
        async with read_session() as session:
            assert [one.state for one in await drafts.drafts(session)] == [DraftState.OPEN]
            assert len((await session.exec(select(PriceBookVersion))).all()) == 1

    @pytest.mark.parametrize("actor", [OPERATOR, PERSON])
    async def test_of_the_operator_needs_one_person_or_the_operator_again(self, model_id: str, actor: Actor) -> None:
        draft_id = await draft_of(model_id, actor=OPERATOR)
        async with unit_of_work() as session:
            assert await drafts.publish_draft(session, draft_id, effective_at=clock.utc_now(), actor=actor)

    async def test_is_published_or_discarded_once(self, model_id: str) -> None:
        draft_id = await draft_of(model_id)
        async with unit_of_work() as session:
            await drafts.discard_draft(session, draft_id, actor=OPERATOR)
        with pytest.raises(Conflict, match="discarded"):
            async with unit_of_work() as session:
                await drafts.publish_draft(session, draft_id, effective_at=clock.utc_now(), actor=COLLEAGUE)
        with pytest.raises(Conflict, match="discarded"):
            async with unit_of_work() as session:
                await drafts.discard_draft(session, draft_id, actor=PERSON)
        async with read_session() as session:
            assert await drafts.drafts(session, state=DraftState.OPEN) == []

    async def test_makes_no_version_when_nothing_differs(self, model_id: str) -> None:
        draft_id = await draft_of(model_id, IN_FORCE)
        async with unit_of_work() as session:
            now = clock.utc_now()
            assert await drafts.publish_draft(session, draft_id, effective_at=now, actor=COLLEAGUE) is None
        async with read_session() as session:
            assert len((await session.exec(select(PriceBookVersion))).all()) == 1
