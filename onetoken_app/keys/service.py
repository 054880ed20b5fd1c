"""Mints, restricts and revokes keys. The relay sees each change within its policy cache's bound."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.catalog.models import Model
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.keys.minting import digest_of, mint_secret
from onetoken_app.keys.models import ApiKey, KeyModelPermission
from onetoken_app.keys.projects import default_project_id, refuse_closed_project
from onetoken_app.organizations.models import Organization

NAME_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A key at the one moment its secret is known."""

    id: str
    secret: str = field(repr=False)
    """To be shown once; it cannot be had again."""


async def mint_key(
    session: AsyncSession,
    *,
    key_pepper: bytes,
    organization_id: str,
    name: str,
    created_by: str | None,
    project_id: str | None = None,
    model_ids: Collection[str] | None = None,
    expires_at: datetime | None = None,
) -> MintedKey:
    """Make a key for an organization.

    Args:
        session: Open unit of work; the caller commits.
        key_pepper: The installation's key pepper.
        organization_id: Whose calls the key makes.
        name: 1–64 characters; unique among the organization's keys that are not revoked.
        created_by: The person who asked for it; ``None`` when the operator did.
        project_id: Which of the organization's projects it belongs to; ``None``: the default one.
        model_ids: The only models it may call; ``None``: every model.
        expires_at: When it stops; ``None``: never.

    Raises:
        BadRequest: The name is empty or too long, or the expiry is not in the future.
        Conflict: A key of that name exists and is not revoked, or the project is archived.
        NotFound: No such organization, project or model.
    """
    name = _checked_name(name)
    now = clock.utc_now()
    _refuse_past_expiry(expires_at, now)
    if await session.get(Organization, organization_id) is None:
        raise NotFound("There is no such organization.")
    await _refuse_taken_name(session, organization_id=organization_id, name=name)
    if project_id is None:
        project_id = await default_project_id(session, organization_id=organization_id)
    await refuse_closed_project(session, organization_id=organization_id, project_id=project_id)
    api_key_id = new_id(Kind.API_KEY)
    secret = mint_secret(api_key_id)
    session.add(
        ApiKey(
            id=api_key_id,
            organization_id=organization_id,
            project_id=project_id,
            name=name,
            secret_digest=digest_of(secret, key_pepper),
            last_four=secret[-4:],
            created_at=now,
            created_by=created_by,
            expires_at=expires_at,
            is_restricted_to_models=model_ids is not None,
        )
    )
    await session.flush()
    await _permit_models(session, api_key_id=api_key_id, model_ids=model_ids or ())
    return MintedKey(id=api_key_id, secret=secret)


async def revoke_key(session: AsyncSession, *, organization_id: str, api_key_id: str) -> bool:
    """Stop a key for ever; revoking it again changes nothing. Return whether it was this that stopped it.

    Raises:
        NotFound: The organization has no such key.
    """
    query = (
        update(ApiKey)
        .where(
            col(ApiKey.id) == api_key_id,
            col(ApiKey.organization_id) == organization_id,
            col(ApiKey.revoked_at).is_(None),
        )
        .values(revoked_at=clock.utc_now())
    )
    if (await session.exec(query)).rowcount:
        return True
    await _key(session, organization_id=organization_id, api_key_id=api_key_id)
    return False


async def set_model_permissions(
    session: AsyncSession, *, organization_id: str, api_key_id: str, model_ids: Collection[str] | None
) -> None:
    """Replace the list of models that a key may call.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: The key's owner.
        api_key_id: The key.
        model_ids: The only models it may call from now on; ``None``: every model; empty: none.

    Raises:
        Conflict: The key is revoked.
        NotFound: The organization has no such key, or there is no such model.
    """
    api_key = await _key(session, organization_id=organization_id, api_key_id=api_key_id)
    if api_key.revoked_at is not None:
        raise Conflict("This key is revoked; a revoked key cannot be changed.")
    api_key.is_restricted_to_models = model_ids is not None
    listed = set(
        await session.exec(select(KeyModelPermission.model_id).where(KeyModelPermission.api_key_id == api_key_id))
    )
    wanted = set(model_ids or ())
    if listed - wanted:
        await session.exec(
            delete(KeyModelPermission).where(
                col(KeyModelPermission.api_key_id) == api_key_id,
                col(KeyModelPermission.model_id).in_(listed - wanted),
            )
        )
    await _permit_models(session, api_key_id=api_key_id, model_ids=wanted - listed)


async def set_expiry(
    session: AsyncSession, *, organization_id: str, api_key_id: str, expires_at: datetime | None
) -> None:
    """Let a key stop at another moment; one that has expired works again until then.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: The key's owner.
        api_key_id: The key.
        expires_at: When it stops; ``None``: never.

    Raises:
        BadRequest: The moment is not in the future.
        Conflict: The key is revoked.
        NotFound: The organization has no such key.
    """
    api_key = await _key(session, organization_id=organization_id, api_key_id=api_key_id)
    if api_key.revoked_at is not None:
        raise Conflict("This key is revoked; a revoked key cannot be changed.")
    _refuse_past_expiry(expires_at, clock.utc_now())
    api_key.expires_at = expires_at


async def move_key(session: AsyncSession, *, organization_id: str, api_key_id: str, project_id: str) -> None:
    """Let a key's calls count for another project from now on; what was counted stays where it was.

    Raises:
        Conflict: The key is revoked, or the project is archived.
        NotFound: The organization has no such key or project.
    """
    api_key = await _key(session, organization_id=organization_id, api_key_id=api_key_id)
    if api_key.revoked_at is not None:
        raise Conflict("This key is revoked; a revoked key cannot be changed.")
    if api_key.project_id == project_id:
        return
    await refuse_closed_project(session, organization_id=organization_id, project_id=project_id)
    api_key.project_id = project_id


async def _key(session: AsyncSession, *, organization_id: str, api_key_id: str) -> ApiKey:
    """Find a key of this organization; another organization's key does not exist here."""
    query = select(ApiKey).where(ApiKey.id == api_key_id, ApiKey.organization_id == organization_id)
    api_key = (await session.exec(query)).first()
    if api_key is None:
        raise NotFound("There is no such key.")
    return api_key


async def _refuse_taken_name(session: AsyncSession, *, organization_id: str, name: str) -> None:
    """Say the clash in words; the unique index keeps the rule when two are faster than this look."""
    query = select(ApiKey.id).where(
        ApiKey.organization_id == organization_id, ApiKey.name == name, col(ApiKey.revoked_at).is_(None)
    )
    if (await session.exec(query)).first() is not None:
        raise Conflict("A key of this name exists. Choose another name, or revoke the old key first.")


async def _permit_models(session: AsyncSession, *, api_key_id: str, model_ids: Collection[str]) -> None:
    """Add permissions, refusing models that do not exist."""
    wanted = set(model_ids)
    known = set(await session.exec(select(Model.id).where(col(Model.id).in_(wanted))))
    if wanted - known:
        raise NotFound("There is no such model.")
    session.add_all(KeyModelPermission(api_key_id=api_key_id, model_id=model_id) for model_id in sorted(wanted))
    await session.flush()


def _checked_name(name: str) -> str:
    """Trim a name and refuse an empty, long or unprintable one."""
    name = name.strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise BadRequest(f"A key's name has 1 to {NAME_CHARACTERS_MAX} printable characters.", parameter="name")
    return name


def _refuse_past_expiry(expires_at: datetime | None, now: datetime) -> None:
    """Refuse a moment that has come; to stop a key now, revoke it."""
    if expires_at is not None and expires_at <= now:
        raise BadRequest("A key's expiry has to be in the future.", parameter="expires_at")
