"""What the relay's snapshot holds of keys."""

from onetoken_app.database import read_session
from onetoken_app.keys.minting import digest_of
from onetoken_app.keys.queries import key_policies
from onetoken_app.settings import Settings
from tests.keys.minted import PEPPER, mint, model_ids, revoke


class TestKeyPolicies:
    async def test_is_every_key_that_is_not_revoked(self, database_settings: Settings, organization_id: str) -> None:
        (model_id,) = await model_ids(database_settings, "mock")
        revoked, kept = await mint(organization_id, "old"), await mint(organization_id, "new", model_ids=[model_id])
        await revoke(revoked, organization_id)
        async with read_session() as session:
            policies = await key_policies(session)
        assert set(policies) == {digest_of(kept.secret, PEPPER)}
        assert policies[digest_of(kept.secret, PEPPER)].permitted_model_ids == frozenset({model_id})
