"""Reads keys and projects: for their owners without anything of the secret, for the relay by digest."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.keys.minting import key_prefix_of
from onetoken_app.keys.models import ApiKey, KeyModelPermission, Project


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """A key as its organization sees it."""

    id: str
    organization_id: str
    project_id: str
    name: str
    key_prefix: str
    """The beginning that may be shown, such as ``otk_live_ab12cd``."""
    last_four: str
    created_at: datetime
    created_by: str | None
    """Unset: the operator."""
    expires_at: datetime | None
    revoked_at: datetime | None
    permitted_model_ids: frozenset[str] | None
    """``None``: every model."""

    def is_usable(self, now: datetime) -> bool:
        """Whether calls with it are admitted at ``now``, as far as the key is concerned."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class KeyPolicyView:
    """What the relay has to know of a key."""

    api_key_id: str
    organization_id: str
    project_id: str
    expires_at: datetime | None
    revoked_at: datetime | None
    permitted_model_ids: frozenset[str] | None
    """``None``: every model."""


@dataclass(frozen=True, slots=True)
class ProjectView:
    """What some of an organization's keys belong to."""

    id: str
    name: str
    is_default: bool
    created_at: datetime
    archived_at: datetime | None
    """Set: it takes no keys any more."""


async def projects_of(session: AsyncSession, organization_id: str) -> list[ProjectView]:
    """Return an organization's projects: the default one, the others by name, archived ones last.

    None is there before the first key or project is made; the default one comes with it.
    """
    rows = (await session.exec(select(Project).where(Project.organization_id == organization_id))).all()
    views = [ProjectView(row.id, row.name, row.is_default, row.created_at, row.archived_at) for row in rows]
    return sorted(views, key=lambda view: (view.archived_at is not None, not view.is_default, view.name))


async def keys_of(session: AsyncSession, organization_id: str) -> list[ApiKeyView]:
    """Return an organization's keys, newest first, revoked ones included."""
    query = (
        select(ApiKey)
        .where(ApiKey.organization_id == organization_id)
        .order_by(col(ApiKey.created_at).desc(), col(ApiKey.id).desc())
    )
    rows = (await session.exec(query)).all()
    permitted = await _permitted_models(session, organization_id=organization_id)
    return [
        ApiKeyView(
            id=row.id,
            organization_id=row.organization_id,
            project_id=row.project_id,
            name=row.name,
            key_prefix=key_prefix_of(row.id),
            last_four=row.last_four,
            created_at=row.created_at,
            created_by=row.created_by,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            permitted_model_ids=_permissions(row, permitted),
        )
        for row in rows
    ]


async def keys_by_digest(session: AsyncSession, digests: Collection[bytes]) -> dict[bytes, KeyPolicyView]:
    """Return the keys with these digests, revoked and expired ones included, in two queries."""
    rows = (await session.exec(select(ApiKey).where(col(ApiKey.secret_digest).in_(digests)))).all()
    restricted = [row.id for row in rows if row.is_restricted_to_models]
    permitted: dict[str, set[str]] = {}
    if restricted:
        query = select(KeyModelPermission).where(col(KeyModelPermission.api_key_id).in_(restricted))
        for permission in await session.exec(query):
            permitted.setdefault(permission.api_key_id, set()).add(permission.model_id)
    return {row.secret_digest: _policy(row, permitted) for row in rows}


async def key_policies(session: AsyncSession) -> dict[bytes, KeyPolicyView]:
    """Return every key that is not revoked, by digest: the relay's snapshot. Expired ones are included."""
    rows = (await session.exec(select(ApiKey).where(col(ApiKey.revoked_at).is_(None)))).all()
    permitted = await _permitted_models(session)
    return {row.secret_digest: _policy(row, permitted) for row in rows}


async def _permitted_models(session: AsyncSession, *, organization_id: str | None = None) -> dict[str, set[str]]:
    """Return the listed models of restricted keys, by key."""
    query = select(KeyModelPermission)
    if organization_id is not None:
        query = query.join(ApiKey, col(ApiKey.id) == col(KeyModelPermission.api_key_id)).where(
            ApiKey.organization_id == organization_id
        )
    permitted: dict[str, set[str]] = {}
    for permission in await session.exec(query):
        permitted.setdefault(permission.api_key_id, set()).add(permission.model_id)
    return permitted


def _permissions(row: ApiKey, permitted: dict[str, set[str]]) -> frozenset[str] | None:
    """Return the models of a restricted key; one whose list is empty may call none."""
    return frozenset(permitted.get(row.id, ())) if row.is_restricted_to_models else None


def _policy(row: ApiKey, permitted: dict[str, set[str]]) -> KeyPolicyView:
    """Make the relay's view of a key."""
    return KeyPolicyView(
        api_key_id=row.id,
        organization_id=row.organization_id,
        project_id=row.project_id,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        permitted_model_ids=_permissions(row, permitted),
    )
