"""A key is minted once: its secret is shown and never stored, its name is the organization's own."""

from datetime import timedelta

import pytest

from onetoken_app import clock
from onetoken_app.database import unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.keys.minting import has_valid_checksum
from tests.keys.minted import listed, mint, policy_of, revoke
from tests.support.builders import an_organization


class TestMintKey:
    async def test_is_found_by_its_digest_only(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        assert has_valid_checksum(minted.secret)
        policy = await policy_of(minted.secret)
        assert policy is not None
        assert (policy.api_key_id, policy.organization_id) == (minted.id, organization_id)
        assert await policy_of(minted.secret + "x") is None

    async def test_shows_the_ends_of_the_key_and_no_more(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        (view,) = await listed(organization_id)
        assert minted.secret.startswith(view.key_prefix)
        assert minted.secret.endswith(view.last_four)
        assert len(view.key_prefix) <= len("otk_live_") + 12
        assert minted.secret not in repr(minted)

    async def test_refuses_a_name_that_is_in_use(self, organization_id: str) -> None:
        await mint(organization_id)
        with pytest.raises(Conflict):
            await mint(organization_id)

    async def test_takes_the_name_of_a_revoked_key(self, organization_id: str) -> None:
        old = await mint(organization_id)
        await revoke(old, organization_id)
        new = await mint(organization_id)
        assert [view.id for view in await listed(organization_id) if view.revoked_at is None] == [new.id]

    async def test_two_organizations_may_use_one_name(self, organization_id: str) -> None:
        await mint(organization_id)
        async with unit_of_work() as session:
            other = await an_organization(session, name="Other")
        await mint(other)
        assert len(await listed(organization_id)) == len(await listed(other)) == 1

    @pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\nb"])
    async def test_refuses_a_name_that_cannot_be_shown(self, organization_id: str, name: str) -> None:
        with pytest.raises(BadRequest):
            await mint(organization_id, name)

    async def test_refuses_an_expiry_in_the_past(self, organization_id: str) -> None:
        with pytest.raises(BadRequest):
            await mint(organization_id, expires_at=clock.utc_now())

    async def test_refuses_unknown_organizations_and_models(self, organization_id: str) -> None:
        with pytest.raises(NotFound):
            await mint("org_none")
        with pytest.raises(NotFound):
            await mint(organization_id, model_ids=["mdl_none"])
        assert await listed(organization_id) == []

    async def test_is_usable_until_it_expires(self, organization_id: str) -> None:
        expiry = clock.utc_now() + timedelta(hours=1)
        await mint(organization_id, expires_at=expiry)
        (view,) = await listed(organization_id)
        assert view.is_usable(expiry - timedelta(microseconds=1))
        assert not view.is_usable(expiry)
