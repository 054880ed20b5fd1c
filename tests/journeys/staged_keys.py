"""Projects and keys of the staged business, in every state."""

from datetime import timedelta

from onetoken_app import vault
from onetoken_app.clock import utc_now
from onetoken_app.database import unit_of_work
from onetoken_app.keys.projects import archive_project, create_project, default_project_id
from onetoken_app.keys.service import MintedKey, mint_key, revoke_key
from onetoken_app.settings import Settings
from tests.support.builders import BuiltModel


async def projects_and_keys(
    settings: Settings, organization_id: str, person_id: str, models: list[BuiltModel]
) -> list[MintedKey]:
    """Mint a key without limits, one with, and one that is revoked; make a project with keys, one without, one gone."""
    pepper = vault.load_root_secrets(settings).key_pepper
    async with unit_of_work() as session:
        website, _, gone = [
            await create_project(session, organization_id=organization_id, name=name)
            for name in ("Website", "Staging", "Pilot of last year")
        ]
        await archive_project(session, organization_id=organization_id, project_id=gone)
        default = await default_project_id(session, organization_id=organization_id)
        minted = [
            await mint_key(
                session, key_pepper=pepper, organization_id=organization_id, name=name, created_by=person_id,
                project_id=project_id, model_ids=model_ids, expires_at=expires_at,
            )
            for name, project_id, model_ids, expires_at in (
                ("production", website, None, None),
                ("customer-support-assistant-staging", default, [models[1].id], utc_now() + timedelta(days=90)),
                ("old laptop", default, None, None),
            )
        ]  # fmt: skip
        await revoke_key(session, organization_id=organization_id, api_key_id=minted[2].id)
    return minted
