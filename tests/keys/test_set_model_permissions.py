"""A key may be restricted to models, and be widened again."""

import pytest

from onetoken_app.database import unit_of_work
from onetoken_app.errors import Conflict
from onetoken_app.keys.service import set_model_permissions
from onetoken_app.settings import Settings
from tests.keys.minted import mint, model_ids, policy_of, revoke


class TestSetModelPermissions:
    async def test_restricts_widens_and_narrows(self, database_settings: Settings, organization_id: str) -> None:
        one, other = await model_ids(database_settings, "one", "other")
        minted = await mint(organization_id, model_ids=[one])
        for wanted in (None, [other], [one, other], [], [one]):
            async with unit_of_work() as session:
                await set_model_permissions(
                    session, organization_id=organization_id, api_key_id=minted.id, model_ids=wanted
                )
            policy = await policy_of(minted.secret)
            assert policy is not None
            assert policy.permitted_model_ids == (None if wanted is None else frozenset(wanted))

    async def test_refuses_a_revoked_key(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        await revoke(minted, organization_id)
        async with unit_of_work() as session:
            with pytest.raises(Conflict):
                await set_model_permissions(
                    session, organization_id=organization_id, api_key_id=minted.id, model_ids=None
                )
