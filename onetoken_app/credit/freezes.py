"""Freezes an organization's credit and releases it, each with a reason: no new hold is placed, and open ones go on."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.credit.customers import locked_customer, note, refuse_members, tell_customer
from onetoken_app.credit.errors import FreezeChanged
from onetoken_app.credit.models import Freeze
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import service as ledger
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.payments.words import checked_words


async def freeze_credit(
    session: AsyncSession, *, organization_id: str, reason: str, frozen_by: str, mail_room: MailRoom
) -> str:
    """Let an organization place no new hold, from the commit on; return the freeze's id.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose credit.
        reason: 1 to 1 000 characters that the organization reads.
        frozen_by: Who of finance; has the role, as the edge checked.
        mail_room: Writes to the organization.

    Raises:
        BadRequest: There is no reason, or it cannot be used.
        FreezeChanged: It is frozen already.
        NotFound: There is no such organization.
        StaffInvolved: They belong to the organization.
    """
    reason = checked_words(reason, are_required=True)
    customer = await locked_customer(session, organization_id)
    await refuse_members(session, organization_id, frozen_by)
    if await _in_force(session, organization_id) is not None:
        raise FreezeChanged("The credit of this organization is frozen already; nothing was changed.")
    freeze = Freeze(
        id=new_id(Kind.FREEZE),
        organization_id=organization_id,
        reason=reason,
        frozen_by=frozen_by,
        frozen_at=clock.utc_now(),
    )
    session.add(freeze)
    await session.flush()
    await note(
        session, "credit_frozen", actor_id=frozen_by, subject_id=freeze.id, organization_id=organization_id
    )  # fmt: skip
    await tell_customer(session, organization_id, mail_room)
    await ledger.open_account(session, owner_id=organization_id, currency=customer.currency)
    await ledger.freeze_owner(session, owner_id=organization_id, reference=f"freeze:{freeze.id}")
    return freeze.id


async def release_credit(
    session: AsyncSession, *, organization_id: str, reason: str, lifted_by: str, mail_room: MailRoom
) -> None:
    """Let an organization place holds again, from the commit on.

    Raises:
        BadRequest: There is no reason, or it cannot be used.
        FreezeChanged: It is not frozen.
        NotFound: There is no such organization.
        StaffInvolved: They belong to the organization.
    """
    reason = checked_words(reason, are_required=True)
    await locked_customer(session, organization_id)
    await refuse_members(session, organization_id, lifted_by)
    freeze = await _in_force(session, organization_id)
    if freeze is None:
        raise FreezeChanged("The credit of this organization is not frozen; nothing was changed.")
    freeze.lift_reason, freeze.lifted_by, freeze.lifted_at = reason, lifted_by, clock.utc_now()
    await session.flush()
    await note(
        session, "credit_released", actor_id=lifted_by, subject_id=freeze.id, organization_id=organization_id
    )  # fmt: skip
    await tell_customer(session, organization_id, mail_room)
    await ledger.unfreeze_owner(session, owner_id=organization_id, reference=f"unfreeze:{freeze.id}")


async def _in_force(session: AsyncSession, organization_id: str) -> Freeze | None:
    """Find the freeze that is in force."""
    query = select(Freeze).where(Freeze.organization_id == organization_id, col(Freeze.lifted_at).is_(None))
    return (await session.exec(query)).first()
