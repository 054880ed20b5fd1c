"""A revoked key stays revoked, and nobody revokes another organization's."""

import asyncio

import pytest

from onetoken_app.database import unit_of_work
from onetoken_app.errors import NotFound
from onetoken_app.keys.service import revoke_key
from tests.keys.minted import listed, mint, revoke


class TestRevokeKey:
    async def test_keeps_its_first_moment_when_repeated(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        moments = []
        for _ in range(2):
            await revoke(minted, organization_id)
            moments.append((await listed(organization_id))[0].revoked_at)
        assert moments[0] is not None
        assert moments[0] == moments[1]

    async def test_of_two_at_once_one_stopped_it(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        assert sorted(await asyncio.gather(*[revoke(minted, organization_id) for _ in range(2)])) == [False, True]
        assert not await revoke(minted, organization_id)

    async def test_another_organizations_key_does_not_exist(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        async with unit_of_work() as session:
            with pytest.raises(NotFound):
                await revoke_key(session, organization_id="org_other", api_key_id=minted.id)
        assert (await listed(organization_id))[0].revoked_at is None
