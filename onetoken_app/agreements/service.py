"""Records acceptances and written confirmations. Rows are evidence: they say exactly what happened, and stay."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.agreements.documents import Document
from onetoken_app.agreements.models import (
    Acceptance,
    AcceptanceMethod,
    AgreementKind,
    Confirmation,
    ConfirmationKind,
)
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identifiers import Kind, new_id

_ORGANIZATIONS = sa.table("organizations_organization", sa.column("id", sa.String))


async def record_acceptance(
    session: AsyncSession,
    *,
    organization_id: str,
    kind: AgreementKind,
    document: Document,
    method: AcceptanceMethod,
    person_id: str | None = None,
    signatory_name: str = "",
    signatory_title: str = "",
    caller_ip: str = "",
    user_agent: str = "",
) -> str:
    """Record that an organization accepted one exact text; return the acceptance's id.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Who is bound.
        kind: Which agreement.
        document: The text that was accepted.
        method: How it came about.
        person_id: Who clicked; required for a click, and never claimed for an operator's attestation.
        signatory_name: Who acts for the organization.
        signatory_title: In which office.
        caller_ip: From where.
        user_agent: With what; printable characters only.

    Raises:
        BadRequest: The evidence contradicts itself.
        NotFound: There is no such organization.
    """
    if document.kind is not kind:
        raise BadRequest("The text is not one of this agreement.")
    if (method is AcceptanceMethod.PERSON_CLICKED) != (person_id is not None):
        raise BadRequest("A click names the person who made it; an operator's attestation names none.")
    await _refuse_unknown_organization(session, organization_id)
    acceptance_id = new_id(Kind.ACCEPTANCE)
    session.add(
        Acceptance(
            id=acceptance_id,
            organization_id=organization_id,
            kind=kind,
            version=document.version,
            locale=document.locale,
            text_sha256=document.sha256,
            method=method,
            person_id=person_id,
            signatory_name=signatory_name[:120],
            signatory_title=signatory_title[:120],
            accepted_at=clock.utc_now(),
            caller_ip=caller_ip[:45],
            user_agent=user_agent[:256],
        )
    )
    await session.flush()
    return acceptance_id


async def record_confirmation(
    session: AsyncSession,
    *,
    organization_id: str,
    kind: ConfirmationKind,
    method: AcceptanceMethod,
    expires_at: datetime | None = None,
) -> str:
    """Put a written confirmation on file; return its id.

    One in force with the same expiry is not recorded twice.

    Raises:
        BadRequest: The expiry is not in the future.
        NotFound: There is no such organization.
    """
    now = clock.utc_now()
    if expires_at is not None and expires_at <= now:
        raise BadRequest("A confirmation's expiry has to be in the future.", parameter="expires_at")
    await _refuse_unknown_organization(session, organization_id)
    query = select(Confirmation).where(
        Confirmation.organization_id == organization_id,
        Confirmation.kind == kind,
        col(Confirmation.withdrawn_at).is_(None),
    )
    for row in await session.exec(query):
        if row.expires_at == expires_at:
            return row.id
    confirmation_id = new_id(Kind.CONFIRMATION)
    session.add(
        Confirmation(
            id=confirmation_id,
            organization_id=organization_id,
            kind=kind,
            method=method,
            recorded_at=now,
            expires_at=expires_at,
        )
    )
    await session.flush()
    return confirmation_id


async def withdraw_confirmations(session: AsyncSession, *, organization_id: str, kind: ConfirmationKind) -> None:
    """Withdraw what is on file, so that the default refusal applies again; doing it again changes nothing."""
    query = select(Confirmation).where(
        Confirmation.organization_id == organization_id,
        Confirmation.kind == kind,
        col(Confirmation.withdrawn_at).is_(None),
    )
    for row in await session.exec(query):
        row.withdrawn_at = clock.utc_now()
    await session.flush()


async def _refuse_unknown_organization(session: AsyncSession, organization_id: str) -> None:
    """Refuse evidence about nobody; asked by the table's name, because rooms on one line do not know each other."""
    if await session.scalar(sa.select(_ORGANIZATIONS.c.id).where(_ORGANIZATIONS.c.id == organization_id)) is None:
        raise NotFound("There is no such organization.")
