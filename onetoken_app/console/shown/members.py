"""Members and invitations as rows of tables."""

from collections.abc import Mapping
from dataclasses import dataclass

from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.queries import InvitationView, MemberView


@dataclass(frozen=True, slots=True)
class ShownMember:
    """One row."""

    person_id: str = ""
    name: str = ""
    """The address of somebody who has none."""
    email: str = ""
    role: str = ""
    is_reader: bool = False
    """It is who looks at the page."""
    may_be_changed: bool = False
    """By who looks at the page."""


@dataclass(frozen=True, slots=True)
class ShownInvitation:
    """One row."""

    id: str = ""
    email: str = ""
    role: str = ""
    invited_by: str = ""
    expires: str = ""
    may_be_sent_again: bool = False


def shown_member(view: MemberView, *, reader_id: str, reads_as: OrganizationRole) -> ShownMember:
    """Turn a member into their row.

    Args:
        view: The member.
        reader_id: Who looks at the page.
        reads_as: In which role.
    """
    is_owner = view.role is OrganizationRole.OWNER
    return ShownMember(
        person_id=view.person_id,
        name=view.name or view.email,
        email=view.email,
        role=view.role.value,
        is_reader=view.person_id == reader_id,
        may_be_changed=reads_as is OrganizationRole.OWNER
        or (reads_as is OrganizationRole.ADMINISTRATOR and not is_owner),
    )


def shown_invitation(
    view: InvitationView, *, names: Mapping[str, str], time_zone: str, makes_owners: bool
) -> ShownInvitation:
    """Turn an invitation into its row.

    Args:
        view: The invitation.
        names: Of the members, by id.
        time_zone: Of the organization.
        makes_owners: Whether who looks at the page may make owners.
    """
    return ShownInvitation(
        id=view.id,
        email=view.email,
        role=view.role.value,
        invited_by=names.get(view.invited_by, ""),
        expires=shown_minute(view.expires_at, time_zone),
        may_be_sent_again=makes_owners or view.role is not OrganizationRole.OWNER,
    )
