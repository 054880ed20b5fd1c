"""Reads what an organization has accepted and confirmed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.agreements.documents import current_versions
from onetoken_app.agreements.models import (
    Acceptance,
    AcceptanceMethod,
    AgreementKind,
    Confirmation,
    ConfirmationKind,
)
from onetoken_app.agreements.outstanding import OwedAgreement, owed_agreement


@dataclass(frozen=True, slots=True)
class AcceptanceView:
    """One agreement accepted by one organization."""

    id: str
    kind: AgreementKind
    version: str
    locale: str
    text_sha256: str
    method: AcceptanceMethod
    person_id: str | None
    signatory_name: str
    signatory_title: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """One acceptance with all that proves it."""

    id: str
    organization_id: str
    kind: AgreementKind
    version: str
    locale: str
    text_sha256: str
    method: AcceptanceMethod
    person_id: str | None
    signatory_name: str
    signatory_title: str
    accepted_at: datetime
    caller_ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class ConfirmationView:
    """A written confirmation that is not withdrawn."""

    organization_id: str
    kind: ConfirmationKind
    expires_at: datetime | None


async def outstanding_agreements(
    session: AsyncSession, organization_id: str, *, on: date | None = None, texts: Path | None = None
) -> list[AgreementKind]:
    """Return the agreements whose text in force has not been accepted, in any language.

    Args:
        session: Any session.
        organization_id: Whose.
        on: The day; today in UTC when left out.
        texts: A folder of texts; ``None``: those of this installation.

    Raises:
        MissingText: An agreement has no text in force.
    """
    owed = await owed_agreements(session, [organization_id], on=on, texts=texts)
    return [one.kind for one in owed.get(organization_id, ())]


async def owing_acceptance(
    session: AsyncSession, organization_ids: Collection[str], *, on: date | None = None, texts: Path | None = None
) -> set[str]:
    """Return those of these organizations whose calls are refused for want of an acceptance, in one query.

    Raises:
        MissingText: An agreement has no text in force.
    """
    today = on or clock.utc_now().date()
    owed = await owed_agreements(session, organization_ids, on=today, texts=texts)
    return {owner_id for owner_id, ones in owed.items() if any(one.calls_stop_on <= today for one in ones)}


async def owed_agreements(
    session: AsyncSession, organization_ids: Collection[str], *, on: date | None = None, texts: Path | None = None
) -> dict[str, tuple[OwedAgreement, ...]]:
    """Return what these organizations have to accept, in one query; whoever owes nothing is left out.

    Args:
        session: Any session.
        organization_ids: Whose.
        on: The day; today in UTC when left out.
        texts: A folder of texts; ``None``: those of this installation.

    Raises:
        MissingText: An agreement has no text in force.
    """
    today = on or clock.utc_now().date()
    current_versions(today, texts=texts)
    query = (
        select(Acceptance.organization_id, Acceptance.kind, Acceptance.version)
        .where(col(Acceptance.organization_id).in_(organization_ids))
        .distinct()
    )
    accepted: dict[str, set[tuple[AgreementKind, str]]] = {owner_id: set() for owner_id in organization_ids}
    for owner_id, kind, version in await session.exec(query):
        accepted[owner_id].add((AgreementKind(kind), version))
    owed = {
        owner_id: tuple(
            one
            for kind in AgreementKind
            if (one := owed_agreement(kind, {version for of, version in versions if of is kind}, on=today, texts=texts))
        )
        for owner_id, versions in accepted.items()
    }
    return {owner_id: ones for owner_id, ones in owed.items() if ones}


async def accepted_versions(
    session: AsyncSession, *, organization_id: str | None = None
) -> dict[str, frozenset[tuple[AgreementKind, str]]]:
    """Return which versions were accepted, by organization: of one, or of all for the relay's snapshot.

    Compare with ``documents.current_versions(day)``.
    """
    query = select(Acceptance.organization_id, Acceptance.kind, Acceptance.version).distinct()
    if organization_id is not None:
        query = query.where(Acceptance.organization_id == organization_id)
    accepted: dict[str, set[tuple[AgreementKind, str]]] = {}
    for owner_id, kind, version in await session.exec(query):
        accepted.setdefault(owner_id, set()).add((AgreementKind(kind), version))
    return {owner_id: frozenset(versions) for owner_id, versions in accepted.items()}


async def acceptances_of(session: AsyncSession, organization_id: str) -> list[AcceptanceView]:
    """Return everything an organization accepted, newest first."""
    query = (
        select(Acceptance)
        .where(Acceptance.organization_id == organization_id)
        .order_by(col(Acceptance.accepted_at).desc(), col(Acceptance.id).desc())
    )
    return [
        AcceptanceView(**{name: getattr(row, name) for name in AcceptanceView.__slots__})
        for row in await session.exec(query)
    ]


async def acceptance_evidence(session: AsyncSession, acceptance_id: str) -> EvidenceView | None:
    """Return one acceptance with all that proves it, for its certificate."""
    row = await session.get(Acceptance, acceptance_id)
    return EvidenceView(**{name: getattr(row, name) for name in EvidenceView.__slots__}) if row else None


async def has_confirmation(session: AsyncSession, organization_id: str, kind: ConfirmationKind, now: datetime) -> bool:
    """Whether a written confirmation is in force at ``now``."""
    query = select(Confirmation.id).where(
        Confirmation.organization_id == organization_id,
        Confirmation.kind == kind,
        col(Confirmation.withdrawn_at).is_(None),
        sa.or_(col(Confirmation.expires_at).is_(None), col(Confirmation.expires_at) > now),
    )
    return (await session.exec(query)).first() is not None


async def having_confirmation(
    session: AsyncSession, organization_ids: Collection[str], kind: ConfirmationKind, now: datetime
) -> set[str]:
    """Return those of these organizations whose written confirmation is in force at ``now``, in one query."""
    query = select(Confirmation.organization_id).where(
        col(Confirmation.organization_id).in_(organization_ids),
        Confirmation.kind == kind,
        col(Confirmation.withdrawn_at).is_(None),
        sa.or_(col(Confirmation.expires_at).is_(None), col(Confirmation.expires_at) > now),
    )
    return set(await session.exec(query))


async def confirmations(session: AsyncSession) -> list[ConfirmationView]:
    """Return every confirmation that is not withdrawn, expired ones included: the relay's snapshot."""
    query = select(Confirmation).where(col(Confirmation.withdrawn_at).is_(None))
    return [
        ConfirmationView(organization_id=row.organization_id, kind=row.kind, expires_at=row.expires_at)
        for row in await session.exec(query)
    ]
