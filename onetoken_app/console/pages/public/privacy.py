"""Privacy policy: the version in force, and every other at an address of its own."""

import reflex as rx

from onetoken_app import clock
from onetoken_app.agreements.models import AgreementKind
from onetoken_app.console.callers import Role
from onetoken_app.console.components.agreement_text import agreement_text
from onetoken_app.console.frame import FrameState, Page, open_to_all
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import event_for
from onetoken_app.console.shown.agreements import ShownAgreement, shown_agreement

_ROUTE = "/privacy"


class PrivacyState(rx.State):
    """The text on screen."""

    is_loaded: bool = False
    agreement: ShownAgreement = ShownAgreement()
    is_missing: bool = False

    @event_for(Role.NOBODY)
    async def load(self) -> None:
        """Read the version that the address names, in the reader's language."""
        reading = await self.get_state(LocaleState)
        found = shown_agreement(
            AgreementKind.PRIVACY_POLICY,
            page=_ROUTE,
            version=self.router.url.query_parameters.get("version", ""),
            locale=reading.code,
            on=clock.utc_now().date(),
        )
        self.is_missing = found is None
        self.agreement = found or ShownAgreement()
        self.is_loaded = True


def privacy() -> rx.Component:
    """Show the text."""
    return open_to_all(
        agreement_text(PrivacyState.agreement, is_loaded=PrivacyState.is_loaded, is_missing=PrivacyState.is_missing),
        here=_ROUTE,
    )


PAGE = Page(
    route="/privacy",
    title_key="nav.privacy",
    body=privacy,
    on_load=(LocaleState.derive, FrameState.look, PrivacyState.load),
)
