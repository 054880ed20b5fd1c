"""A key's end may be moved, into the future only."""

from datetime import timedelta

import pytest

from onetoken_app import clock
from onetoken_app.database import policy_revision, read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.keys.service import set_expiry
from tests.keys.minted import listed, mint, policy_of, revoke


class TestSetExpiry:
    async def test_is_moved_and_taken_away_and_the_relay_is_told(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        revisions = set()
        for wanted in (clock.utc_now() + timedelta(days=1), None):
            async with unit_of_work() as session:
                await set_expiry(session, organization_id=organization_id, api_key_id=minted.id, expires_at=wanted)
            policy = await policy_of(minted.secret)
            assert policy is not None
            assert policy.expires_at == wanted
            async with read_session() as session:
                revisions.add(await policy_revision(session))
        assert len(revisions) == 2

    async def test_an_expired_key_works_again(self, organization_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        expiry = clock.utc_now() + timedelta(hours=1)
        minted = await mint(organization_id, expires_at=expiry)
        monkeypatch.setattr(clock, "utc_now", lambda: expiry)
        async with unit_of_work() as session:
            await set_expiry(
                session, organization_id=organization_id, api_key_id=minted.id, expires_at=expiry + timedelta(hours=1)
            )
        assert (await listed(organization_id))[0].is_usable(expiry)

    async def test_refuses_a_moment_that_has_come(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        async with unit_of_work() as session:
            with pytest.raises(BadRequest):
                await set_expiry(
                    session, organization_id=organization_id, api_key_id=minted.id, expires_at=clock.utc_now()
                )

    async def test_refuses_a_revoked_key_and_another_organizations(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        await revoke(minted, organization_id)
        async with unit_of_work() as session:
            with pytest.raises(Conflict):
                await set_expiry(session, organization_id=organization_id, api_key_id=minted.id, expires_at=None)
            with pytest.raises(NotFound):
                await set_expiry(session, organization_id="org_other", api_key_id=minted.id, expires_at=None)
