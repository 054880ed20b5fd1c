"""Keys for tests of keys: minted in a unit of their own, and read back as their owner and as the relay do."""

from collections.abc import Collection
from datetime import datetime

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.keys.minting import digest_of
from onetoken_app.keys.queries import ApiKeyView, KeyPolicyView, keys_by_digest, keys_of
from onetoken_app.keys.service import MintedKey, mint_key, revoke_key
from onetoken_app.settings import Settings
from tests.support.builders import a_model

PEPPER = bytes(range(32))


async def mint(
    organization_id: str,
    name: str = "bench",
    *,
    project_id: str | None = None,
    model_ids: Collection[str] | None = None,
    expires_at: datetime | None = None,
) -> MintedKey:
    """Mint a key as the operator."""
    async with unit_of_work() as session:
        return await mint_key(
            session,
            key_pepper=PEPPER,
            organization_id=organization_id,
            name=name,
            created_by=None,
            project_id=project_id,
            model_ids=model_ids,
            expires_at=expires_at,
        )


async def revoke(key: MintedKey, organization_id: str) -> bool:
    """Revoke a key; return whether it was in force."""
    async with unit_of_work() as session:
        return await revoke_key(session, organization_id=organization_id, api_key_id=key.id)


async def model_ids(settings: Settings, *names: str) -> list[str]:
    """Add models; return their ids."""
    async with unit_of_work() as session:
        return [(await a_model(session, settings, name=name)).id for name in names]


async def listed(organization_id: str) -> list[ApiKeyView]:
    """Read an organization's keys as its people do."""
    async with read_session() as session:
        return await keys_of(session, organization_id)


async def policy_of(secret: str) -> KeyPolicyView | None:
    """Read what the relay knows of a key."""
    async with read_session() as session:
        digest = digest_of(secret, PEPPER)
        return (await keys_by_digest(session, [digest])).get(digest)
