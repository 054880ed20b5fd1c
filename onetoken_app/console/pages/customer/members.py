"""Members: who acts for the organization and as what, who is invited, and what those in charge may change."""

from typing import Any

import reflex as rx

from onetoken_app import clock
from onetoken_app.console.callers import Role, forget_everybody
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.dialogs import confirm_dialog, opens
from onetoken_app.console.components.member_dialogs import (
    INVITE_DIALOG,
    RESEND_DIALOG,
    ROLE_DIALOG,
    invite_dialog,
    resend_dialog,
    role_dialog,
    role_words,
)
from onetoken_app.console.components.member_rows import member_name, role_name
from onetoken_app.console.components.row_actions import row_action
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import SessionState, caller, event_for
from onetoken_app.console.shown.members import ShownInvitation, ShownMember, shown_invitation, shown_member
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.organizations import members as membership
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.queries import members_of, open_invitations, organization
from onetoken_app.registration.joining import withdraw_offer
from onetoken_app.settings import get_settings

_REMOVE_DIALOG = "remove-member"
_WITHDRAW_DIALOG = "withdraw-invitation"


class MembersState(rx.State):
    """The lists, and whom a dialog is about."""

    is_loaded: bool = False
    may_change: bool = False
    makes_owners: bool = False
    members: rx.Field[list[ShownMember]] = rx.field(default_factory=list)
    invitations: rx.Field[list[ShownInvitation]] = rx.field(default_factory=list)
    time_zone: str = ""
    member: ShownMember = ShownMember()
    invitation: ShownInvitation = ShownInvitation()
    chosen_role: str = ""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read the lists anew; what waits is for those in charge."""
        acting = caller()
        if acting.acting_for is None:
            return
        self.may_change, self.makes_owners = acting.may(Role.ADMINISTRATOR), acting.may(Role.OWNER)
        async with read_session() as session:
            customer = await organization(session, acting.organization_id)
            found = await members_of(session, acting.organization_id)
            waiting = (
                await open_invitations(session, acting.organization_id, clock.utc_now()) if self.may_change else []
            )
        self.time_zone = customer.time_zone if customer else "UTC"
        reader_id, role = acting.person.person_id, acting.acting_for.role
        self.members = [shown_member(view, reader_id=reader_id, reads_as=role) for view in found]
        names = {view.person_id: view.name or view.email for view in found}
        self.invitations = [
            shown_invitation(view, names=names, time_zone=self.time_zone, makes_owners=self.makes_owners)
            for view in waiting
        ]
        self.is_loaded = True

    @event_for(Role.ADMINISTRATOR)
    async def select(self, person_id: str) -> None:
        """Take the member that a dialog is going to be about."""
        self.member = next((one for one in self.members if one.person_id == person_id), ShownMember())
        self.chosen_role = self.member.role

    @event_for(Role.ADMINISTRATOR)
    async def select_invitation(self, invitation_id: str) -> None:
        """Take the invitation that a dialog is going to be about."""
        self.invitation = next((one for one in self.invitations if one.id == invitation_id), ShownInvitation())

    @event_for(Role.ADMINISTRATOR)
    async def choose_role(self, role: str) -> None:
        """Choose a role; nothing is saved yet."""
        self.chosen_role = role

    @event_for(Role.ADMINISTRATOR)
    async def save_role(self) -> Any:
        """Save the role; it counts at the member's next step."""
        if self.chosen_role not in set(OrganizationRole):
            raise BadRequest("Choose a role.", parameter="role")
        async with unit_of_work() as session:
            await membership.change_role(
                session,
                organization_id=caller().organization_id,
                person_id=self.member.person_id,
                role=OrganizationRole(self.chosen_role),
                changed_by=caller().person.person_id,
                mail_room=mail_room(get_settings()),
            )
        forget_everybody()
        return await self.load()

    @event_for(Role.ADMINISTRATOR)
    async def remove(self) -> Any:
        """Remove the member, and sign them out everywhere."""
        async with unit_of_work() as session:
            await membership.remove_member(
                session,
                organization_id=caller().organization_id,
                person_id=self.member.person_id,
                removed_by=caller().person.person_id,
                mail_room=mail_room(get_settings()),
            )
        forget_everybody()
        return await self.load()

    @event_for(Role.ADMINISTRATOR)
    async def withdraw(self) -> None:
        """Take the invitation back."""
        async with unit_of_work() as session:
            await withdraw_offer(
                session, organization_id=caller().organization_id, invitation_id=self.invitation.id,
                withdrawn_by=caller().person.person_id,
            )  # fmt: skip
        await self.load()


def members() -> rx.Component:
    """Show the lists and the dialogs about them."""
    state = MembersState
    invite = rx.el.button(
        rx.icon("user-plus", size=16, aria_hidden="true"),
        text("members.invite"),
        type="button",
        class_name="button primary",
        custom_attrs=opens(INVITE_DIALOG),
    )
    return framed(
        page_heading(text("members.title"), lead=text("members.lead"), side=rx.cond(state.may_change, invite)),
        card(
            data_table(
                columns=_member_columns(),
                rows=state.members,
                caption=text("members.title"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("members.none"), text("members.none_next")),
            ),
            role_words(),
        ),
        rx.cond(state.may_change, _waiting()),
        rx.el.p(text("frame.times_in", zone=state.time_zone), class_name="quiet-text"),
        *_dialogs(),
        here="/members",
    )


def _waiting() -> rx.Component:
    """List the invitations that nobody has accepted."""
    return card(
        data_table(
            columns=[
                Column(text("members.email"), lambda one: rx.el.span(one.email, class_name="strong email")),
                Column(text("members.role"), lambda one: role_name(one.role)),
                Column(text("members.invited_by"), lambda one: one.invited_by),
                Column(text("members.expires"), lambda one: rx.el.span(one.expires, class_name="figure")),
                Column(text("keys.actions"), _invitation_actions, align=Align.ACTIONS),
            ],
            rows=MembersState.invitations,
            caption=text("members.waiting"),
            is_loaded=MembersState.is_loaded,
            empty=empty_state(text("members.nobody_waits"), text("members.nobody_waits_next")),
        ),
        title=text("members.waiting"),
    )


def _dialogs() -> list[rx.Component]:
    """Prepare what is asked before something changes."""
    state = MembersState
    organization_id = SessionState.organization_id
    return [
        invite_dialog(organization_id=organization_id, makes_owners=state.makes_owners, on_invited=state.load),
        resend_dialog(state.invitation, organization_id=organization_id, on_sent=state.load),
        role_dialog(
            state.member,
            makes_owners=state.makes_owners,
            chosen=state.chosen_role,
            on_choose=state.choose_role,
            on_save=state.save_role,
        ),
        confirm_dialog(
            element_id=_REMOVE_DIALOG,
            title=text("members.remove_title"),
            consequence=rx.el.p(rx.el.strong(state.member.name), rx.el.br(), text("members.remove_consequence")),
            confirm=text("members.remove_confirm"),
            on_confirm=state.remove,
        ),
        confirm_dialog(
            element_id=_WITHDRAW_DIALOG,
            title=text("members.withdraw_title"),
            consequence=rx.el.p(rx.el.strong(state.invitation.email), rx.el.br(), text("members.withdraw_consequence")),
            confirm=text("members.withdraw_confirm"),
            on_confirm=state.withdraw,
        ),
    ]


def _member_columns() -> list[Column]:
    """Describe the table of members."""
    return [
        Column(text("members.name"), member_name),
        Column(text("members.email"), lambda one: rx.el.span(one.email, class_name="email")),
        Column(text("members.role"), lambda one: role_name(one.role)),
        Column(text("keys.actions"), _member_actions, align=Align.ACTIONS, is_shown=MembersState.may_change),
    ]


def _member_actions(member: Value) -> rx.Component:
    """Offer what may be done about a member."""
    select = MembersState.select(member.person_id)
    return rx.cond(
        member.may_be_changed,
        rx.el.span(
            row_action(text("members.change_role"), member.name, ROLE_DIALOG, select),
            row_action(text("members.remove"), member.name, _REMOVE_DIALOG, select, class_name="warns"),
            class_name="row-actions",
        ),
    )


def _invitation_actions(invitation: Value) -> rx.Component:
    """Offer what may be done about an invitation."""
    select = MembersState.select_invitation(invitation.id)
    resend = row_action(text("members.resend"), invitation.email, RESEND_DIALOG, select)
    return rx.el.span(
        rx.cond(invitation.may_be_sent_again, resend),
        row_action(text("members.withdraw"), invitation.email, _WITHDRAW_DIALOG, select, class_name="warns"),
        class_name="row-actions",
    )


PAGE = Page(route="/members", title_key="members.title", body=members, on_load=(LocaleState.derive, MembersState.load))
