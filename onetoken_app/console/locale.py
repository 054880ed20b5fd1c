"""How a reader reads: in the language that they chose, which is kept in their browser before sign-in and with the
person afterwards, and in the time zone of their browser.
"""

from typing import Any, ClassVar

import reflex as rx
from reflex_base.registry import RegistrationContext

from onetoken_app.console.callers import Role
from onetoken_app.console.session import SessionState, event_for, reader
from onetoken_app.console.text.catalogues import Locale, known_locale, preferred_locale
from onetoken_app.database import unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.identity import service as identity
from onetoken_app.organizations.time_zones import zone_of


class LocaleState(rx.State):
    """The reader's language."""

    survives_sign_out: ClassVar[bool] = True

    chosen: str = rx.LocalStorage("", name="onetoken-locale", sync=True)
    """Empty until somebody chooses; then a locale. A browser may write anything here."""
    own_zone: str = rx.LocalStorage("", name="onetoken-time-zone")
    """What the browser says of itself, by ``assets/screen.js``; it may be anything."""
    derived: str = Locale.ENGLISH.value
    """From the signed-in person, else from the browser's own preference."""

    @rx.var
    def is_chinese(self) -> bool:
        """Whether the page speaks Chinese."""
        return known_locale(self.chosen or self.derived) is Locale.CHINESE

    @rx.var
    def code(self) -> str:
        """The locale for ``lang`` attributes."""
        return known_locale(self.chosen or self.derived).value

    @rx.var
    def zone(self) -> str:
        """The reader's time zone by its IANA name; UTC when it is not known."""
        try:
            return zone_of(self.own_zone).key
        except BadRequest:
            return "UTC"

    @event_for(Role.NOBODY)
    async def derive(self) -> None:
        """Take the person's language, or the browser's, for whoever has not chosen."""
        person = await reader(self)
        preferred = preferred_locale(self.router.headers.accept_language).value
        # English is what everybody begins with; only Chinese says that somebody chose.
        self.derived = person.locale if person and known_locale(person.locale) is Locale.CHINESE else preferred
        await self._be_answered()

    @event_for(Role.NOBODY)
    async def choose(self, locale: str) -> Any:
        """Change the language, remember it with the person who is signed in, and load what a page has in it anew."""
        self.chosen = known_locale(locale).value
        await self._be_answered()
        person = await reader(self)
        if person is not None:
            async with unit_of_work() as session:
                await identity.set_locale(session, person_id=person.person_id, locale=self.chosen)
        return RegistrationContext.get().app.get_load_events(self.router.url.path)

    async def _be_answered(self) -> None:
        """Have refusals said in the language of the page."""
        (await self.get_state(SessionState))._reads = self.code  # noqa: SLF001 # of our own State


async def reader_zone(state: rx.State) -> str:
    """Return the time zone in which a tab reads what belongs to no organization."""
    return (await state.get_state(LocaleState)).zone
