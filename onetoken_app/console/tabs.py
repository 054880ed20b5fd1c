"""Before each event: whose the tab is, and for which organization its screen was shown.

Reflex finds a tab's State by a name that the browser chose, and gives it to whoever says that name. So a State is tied
to the session that filled it, and emptied before another one, or nobody, gets a byte of it. A State can also be lost
under a living screen, by a restart; then nothing is done with what the screen sends until it has been filled anew.
"""

import reflex as rx
from reflex.app import App
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, State, StateUpdate
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import format_event_handler

from onetoken_app.console.callers import Role, find_caller, session_secret
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import REFRESH, SessionState, forget_contents, required_role, say
from onetoken_app.console.text.catalogues import Locale, plain_text, preferred_locale
from onetoken_app.errors import Unavailable
from onetoken_app.identity.service import session_digest
from onetoken_app.organizations.time_zones import NAME_CHARACTERS_MAX

SHOWN_FOR = "organization_id"
"""Where ``assets/screen.js`` writes, into each event, for which organization the screen was shown."""
STEP = "step"
"""Where it writes how many steps of the person's it has sent, this one included."""
HURRIED = "is_step_unanswered"
"""Where it writes, into the first event of a connection, that a step was sent just before the last one broke."""
NOBODY = "nobody"
"""The owner of a tab in which nobody is signed in."""
_BOOT = "reflex___state____state.hydrate_and_load"
_HYDRATES = frozenset({_BOOT, "reflex___state____state.hydrate"})
_STORAGE_EVENT = "reflex___state____state.reflex___state____update_vars_internal_state.update_vars_internal"
_CHOSEN_LOCALE = f"{LocaleState.get_full_name()}.chosen{FIELD_MARKER}"
_OWN_ZONE = f"{LocaleState.get_full_name()}.own_zone{FIELD_MARKER}"
"""The two things that a browser keeps for a State."""
_ROUTE = frozenset({"token", "sid", "headers", "ip", "pathname"})
_ADDRESS = ("asPath", "query")
_ADDRESS_CHARACTERS_MAX = 2048
_ID_CHARACTERS_MAX = 64
_STEPS_MAX = 1_000_000_000
_ASK_AGAIN = rx.remove_session_storage("onetoken-nothing")
"""Removes nothing: after it Reflex's client sends anew what a page begins with, and what the browser keeps."""


class TabGuard(Middleware):
    """Looks at every event before it does anything, Reflex's own included."""

    async def preprocess(self, app: App, state: BaseState, event: Event) -> StateUpdate | None:
        """Tie the State to who calls; refuse what a screen sends whose State was lost.

        Returns:
            What the browser is told instead of the event, or ``None``: the event goes on.
        """
        if not isinstance(state, State):
            return None
        shown = await state.get_state(SessionState)
        _bound(state, event)
        was_lost = shown._owner == ""  # noqa: SLF001 # what no browser may see begins with an underscore
        await _tie(state, shown)
        if event.router_data:
            # What an event sets off in turn brings no address of its own, and belongs to the same screen.
            shown._shown_for = str(event.router_data.get(SHOWN_FOR, ""))[:_ID_CHARACTERS_MAX]  # noqa: SLF001 # of our own State
        if event.name in _HYDRATES:
            await _begin(app, state, event, was_lost=was_lost)
            return None
        if event.router_data:
            shown._steps = _step_of(event)  # noqa: SLF001 # of our own State
        if was_lost and _needs_contents(event.name):
            if not event.name.endswith(f".{REFRESH}"):
                await say(state, plain_text("error.renewed", _reader_locale(state)), until_leaving=True)
            return StateUpdate(events=Event.from_event_type(_ASK_AGAIN))
        return None


async def _tie(state: State, shown: SessionState) -> None:
    """Empty the State when it was filled for another session than the one that calls, or for one that has ended."""
    secret = session_secret(state.router.headers.cookie)
    owner = session_digest(secret).hex() if secret and not await _has_ended(state) else NOBODY
    if shown._owner not in {"", owner}:  # noqa: SLF001 # of our own State
        await forget_contents(state)
        shown._forget()  # noqa: SLF001 # of our own State
    shown._owner = owner  # noqa: SLF001 # of our own State


async def _begin(app: App, state: State, event: Event, *, was_lost: bool) -> None:
    """Choose the organization of a tab whose State is new; fill the State if a screen still stands for it."""
    shown = await state.get_state(SessionState)
    if not shown.organization_id:
        shown.organization_id = await _organization(state, wanted=shown._shown_for)  # noqa: SLF001 # of our own State
    if event.name != _BOOT:
        return
    if event.payload.get("hashes"):
        # A new document: nothing that was said on the one before it is said here.
        shown.refusal, shown.refused_field, shown._said_on = "", "", ""  # noqa: SLF001 # of our own State
        shown._steps = _step_of(event)  # noqa: SLF001 # of our own State
        return
    kept = shown.refusal
    # What is about to be sent replaces the screen. Filled before, it changes nothing there, and no form is taken
    # away under what somebody typed.
    reading, sent = await state.get_state(LocaleState), event.payload.get("vars", {})
    reading.chosen, reading.own_zone = sent.get(_CHOSEN_LOCALE, ""), sent.get(_OWN_ZONE, "")
    for load in app.get_load_events(state.router.url.path):
        if isinstance(load, rx.EventHandler):
            registered = RegistrationContext.get().event_handlers[format_event_handler(load)]
            await load.fn(await state.get_state(registered.states[0]))
    why = _what_became_of_the_last_step(event, shown, was_lost=was_lost)
    shown._steps = _step_of(event)  # noqa: SLF001 # of our own State
    # Words that were on their way when the connection broke have not been read; the loads above took them back.
    words = plain_text(why, reading.code) if why else kept
    if words:
        await say(state, words, until_leaving=True)


def _what_became_of_the_last_step(event: Event, shown: SessionState, *, was_lost: bool) -> str | None:
    """Return the key of what is said after a connection broke; ``None``: every step was answered, or shows."""
    if was_lost:
        return "error.step_unknown" if event.router_data.get(HURRIED) is True else None
    return "error.step_lost" if _step_of(event) > shown._steps else None  # noqa: SLF001 # of our own State


def _step_of(event: Event) -> int:
    """Return how many steps a browser says it has sent."""
    step = event.router_data.get(STEP)
    return min(step, _STEPS_MAX) if isinstance(step, int) else 0


async def _has_ended(state: State) -> bool:
    """Whether the session of a cookie is none. A database that is away leaves it open; the event itself will fail."""
    try:
        return await find_caller(state.router.headers.cookie) is None
    except Unavailable:
        return False


async def _organization(state: State, *, wanted: str) -> str:
    """Return whom the person acts for: the organization that their screen shows, while they belong to it."""
    try:
        found = await find_caller(state.router.headers.cookie, chosen_organization_id=wanted)
    except Unavailable:
        return ""
    return found.organization_id if found else ""


def _bound(state: State, event: Event) -> None:
    """Keep of what a browser sent only what is known here, and no more of it than an address is long."""
    route = {name: value for name, value in state.router_data.items() if name in _ROUTE}
    address = {name: state.router_data[name] for name in _ADDRESS if name in state.router_data}
    if len(str(address)) <= _ADDRESS_CHARACTERS_MAX:
        route |= address
    if route != state.router_data:
        state.router_data = route
    if event.name in {_BOOT, _STORAGE_EVENT}:
        sent = event.payload.get("vars")
        event.payload["vars"] = _kept_by_the_browser(sent) if isinstance(sent, dict) else {}


def _kept_by_the_browser(sent: dict[str, object]) -> dict[str, str]:
    """Take a language that the console speaks, and a name no longer than that of a time zone."""
    chosen, zone = sent.get(_CHOSEN_LOCALE), sent.get(_OWN_ZONE)
    kept = {_CHOSEN_LOCALE: chosen} if isinstance(chosen, str) and chosen in set(Locale) else {}
    return kept | ({_OWN_ZONE: zone} if isinstance(zone, str) and len(zone) <= NAME_CHARACTERS_MAX else {})


def _needs_contents(event_name: str) -> bool:
    """Whether an event does something with what a page had loaded."""
    registered = RegistrationContext.get().event_handlers.get(event_name)
    return registered is not None and required_role(registered.handler) not in {None, Role.NOBODY}


def _reader_locale(state: State) -> str:
    """Choose the language of somebody whose choice was lost with their State."""
    return preferred_locale(state.router.headers.accept_language).value
