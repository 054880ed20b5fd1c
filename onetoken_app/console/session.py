"""Guards of events: whose they are, and what happens when somebody else calls.

Every method of a State that has no leading underscore can be called by any browser, by name, with any arguments. So
each carries ``@event_for(role)``, which finds out who calls from the session row behind the HttpOnly cookie, at each
event. ``seal_events`` runs at start and refuses an app in which one does not.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, ClassVar

import reflex as rx
from reflex_base.registry import RegistrationContext

from onetoken_app import clock
from onetoken_app.console.callers import CHANGES, Caller, Role, find_caller
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.console.text.catalogues import (
    CATALOGUES,
    Locale,
    known_locale,
    plain_text,
    preferred_locale,
)
from onetoken_app.errors import BadRequest, OneTokenError
from onetoken_app.identity.queries import SignedInView
from onetoken_app.telemetry import get_logger

REFRESH = "refresh"
"""Name of the events that a page sets off by itself; ``assets/screen.js`` knows them by it."""
_ROLE_ATTRIBUTE = "onetoken_role"
_REFLEX_EVENTS = frozenset(
    {
        "reflex___state____state.hydrate",
        "reflex___state____state.hydrate_and_load",
        "reflex___state____state.set_is_hydrated",
        "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal",
        "reflex___state____state.reflex___state____on_load_internal_state.set_is_hydrated",
        "reflex___state____state.reflex___state____update_vars_internal_state.update_vars_internal",
        "reflex___state____state.reflex___state____frontend_event_exception_state.handle_frontend_exception",
    }
)
"""Reflex's own events, read one by one: they show a State its defaults, or store what the browser itself keeps."""

_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)
logger = get_logger()


class EventWithoutRole(Exception):
    """A browser could call a method that does not say for whom it is."""


class SessionState(rx.State):
    """Who is signed in, for the frame around every page. Nothing is decided by it."""

    survives_sign_out: ClassVar[bool] = True
    """``forget_contents`` leaves it alone; ``_forget`` is for what it shows."""

    person_name: str = ""
    refusal: str = ""
    """Why the last event did nothing, in words; empty when it did."""
    refused_field: str = ""
    """The name of the field that the words are about; empty: none."""
    person_email: str = ""
    is_staff: bool = False
    organization_id: str = ""
    """What the person chose to act for; believed only when it is one of their memberships."""
    organization_name: str = ""
    organization_role: str = ""
    organizations: rx.Field[list[tuple[str, str]]] = rx.field(default_factory=list)
    """Id and name of each membership."""
    owes_acceptance: bool = False
    """A text in force waits for the organization's acceptance."""
    runs_organization: bool = False
    """Whether it is this person who may accept it."""
    looks_after_money: bool = False
    """Whether the menu leads to what is for those in charge of it alone."""
    calls_stop_on: str = ""
    """The day from which calls are refused without it; empty: they are refused."""
    has_put_off: bool = False
    """The person wants to go on first."""
    needed_role: str = ""
    """For whom the page is that was opened, where it is not for the person; the frame says so in the page's place."""
    suspended_since: str = ""
    """In the organization's time zone; empty: it is not suspended."""
    suspension_cause: str = ""
    suspension_words: str = ""
    _owner: str = ""
    """For whose session this tab's State was filled; empty in a new one. See ``tabs``."""
    _shown_for: str = ""
    """For which organization the screen was shown that the event came from."""
    _steps: int = 0
    """How many steps of the person's have arrived; ``assets/screen.js`` counts those that were sent."""
    _reads: str = ""
    """The locale of the tab's pages, in which refusals are said; empty until a page was loaded."""
    _said_on: str = ""
    """The page that keeps a refusal while it loads; empty: the next event takes it back."""

    def _forget(self) -> None:
        """Take back all but for whose session the State is."""
        owner, reads = self._owner, self._reads
        self.reset()  # type: ignore[no-untyped-call] # Reflex annotates nothing there
        self._owner, self._reads = owner, reads

    def _show(self, caller: Caller) -> None:
        """Copy what the frame shows; unchanged values send nothing."""
        self.person_name = caller.person.name or caller.person.email
        self.person_email = caller.person.email
        self.is_staff = bool(caller.person.staff_roles)
        self.organization_id = caller.organization_id
        self.organization_name = caller.acting_for.organization_name if caller.acting_for else ""
        self.organization_role = caller.acting_for.role.value if caller.acting_for else ""
        self.owes_acceptance = bool(caller.owed)
        self.runs_organization = caller.may(Role.ADMINISTRATOR)
        self.looks_after_money = caller.may(Role.BILLING)
        first = min((one.calls_stop_on for one in caller.owed), default=None)
        self.calls_stop_on = first.isoformat() if first and first > clock.utc_now().date() else ""
        self.organizations = [(one.organization_id, one.organization_name) for one in caller.memberships]
        acting_for, suspension = caller.acting_for, caller.suspension
        self.suspended_since = shown_minute(acting_for.suspended_at, acting_for.time_zone) if acting_for else ""
        self.suspension_cause = suspension.cause.value if suspension else ""
        self.suspension_words = suspension.words if suspension else ""


def event_for(role: Role) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]:
    """Make a method of a State an event that only ``role`` may call.

    Inside, ``caller()`` is who calls. Nobody signed in: the page is left for the sign-in. A role that does not
    suffice, any ``OneTokenError``, and whatever breaks: words in the frame, in the reader's language, and nothing else.
    A page that is not for the person: the frame says for whom it is.
    A method called ``refresh`` is what a page asks by itself while something waits: the words in the frame are not its
    own, so it takes none back and adds none when it fails.

    Raises:
        TypeError: The method is no coroutine function; one kind of event is enough.
    """

    def decorate(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        if not inspect.iscoroutinefunction(handler):
            message = f"{handler.__qualname__}: an event is an async method"
            raise TypeError(message)

        is_refresh = handler.__name__ == REFRESH

        @functools.wraps(handler)
        async def guarded(state: Any, *arguments: Any, **named: Any) -> Any:
            try:
                admitted = await _admit(state, role, guarded)
                if not isinstance(admitted, Caller | None):
                    return admitted
                # A task runs one event: the mark needs no taking back, and nothing that outlives the event reads it.
                _caller.set(admitted)
                return await handler(state, *arguments, **named)
            except OneTokenError as error:
                logger.info("event_refused", error_code=error.code, where=handler.__qualname__)
                field = error.parameter if isinstance(error, BadRequest) else None
                words, about = _words_of(error, await _locale_of(state)), field or ""
            except Exception:  # the console's edge: whatever broke, the reader learns that nothing was done
                logger.exception("event_failed", where=handler.__qualname__)
                words, about = plain_text("error.internal_error", await _locale_of(state)), ""
            if not is_refresh:
                await say(state, words, about=about)
            return None

        setattr(guarded, _ROLE_ATTRIBUTE, role)
        return guarded

    return decorate


def caller() -> Caller:
    """Return who calls the event that is running.

    Raises:
        LookupError: The event is for ``Role.NOBODY``, or none is running.
    """
    found = _caller.get()
    if found is None:
        message = "nobody has to be signed in for this event"
        raise LookupError(message)
    return found


async def reader(state: rx.State) -> SignedInView | None:
    """Return who looks at a page that needs no sign-in, if they are known."""
    found = await find_caller(state.router.headers.cookie)
    return found.person if found else None


def required_role(handler: Any) -> Role | None:
    """Return the role that an event handler names."""
    role: Role | None = getattr(handler.fn, _ROLE_ATTRIBUTE, None)
    return role


def seal_events() -> None:
    """Refuse an app with an event that names no role, and take Reflex's setters by name away.

    Reflex gives every State a ``setvar`` that calls any method named ``set_…``; no page of ours uses it.

    Raises:
        EventWithoutRole: One of ours names no role, or Reflex has an event that nobody here has read.
    """
    registered = RegistrationContext.ensure_context().event_handlers
    for name in [name for name in registered if name.rpartition(".")[2] == "setvar"]:
        del registered[name]
    unguarded = sorted(
        name
        for name, event in registered.items()
        if name not in _REFLEX_EVENTS and required_role(event.handler) is None
    )
    if unguarded:
        message = f"no role named by: {', '.join(unguarded)}; decorate with event_for"
        raise EventWithoutRole(message)


async def say(state: rx.State, words: str, *, about: str = "", until_leaving: bool = False) -> None:
    """Say in the frame why nothing was done.

    Not by a toast: what a server tells a browser to run, the content security policy refuses to evaluate.

    Args:
        state: Any state of the tab.
        words: In the reader's language.
        about: The name of the field that was filled in wrongly; the page's script marks it.
        until_leaving: Whether the words stay while the page loads anew.
    """
    shown = await state.get_state(SessionState)
    shown.refused_field = about
    shown.refusal, shown._said_on = words, state.router.url.path if until_leaving else ""  # noqa: SLF001 # of our own State


async def forget_contents(state: rx.State) -> None:
    """Take back what the tab shows, all but whose it is and in which language."""
    root = await state.get_state(rx.State)
    for substate in root.substates.values():
        if not getattr(type(substate), "survives_sign_out", False):
            substate.reset()  # type: ignore[no-untyped-call] # Reflex annotates nothing there


async def _admit(state: rx.State, role: Role, event: Any) -> Any:
    """Return the caller, ``None`` where nobody needs to be, or what the browser is told instead."""
    if role is Role.NOBODY:
        return None
    shown = await state.get_state(SessionState)
    found = await find_caller(state.router.headers.cookie, chosen_organization_id=shown.organization_id)
    if found is None:
        await forget_contents(state)
        shown._forget()  # noqa: SLF001 # a method with a public name would be an event
        return rx.redirect(f"/sign-in?next={state.router.url.path or '/'}", replace=True)
    acted_for = shown.organization_id
    shown._show(found)  # noqa: SLF001 # of our own State
    changes = role in CHANGES and not _is_load(state, event)
    takes_back = changes or shown._said_on != state.router.url.path  # noqa: SLF001 # of our own State
    if takes_back and event.__name__ != REFRESH:
        await say(state, "")
    is_shown = shown._shown_for == found.organization_id  # noqa: SLF001 # of our own State
    if acted_for not in {"", found.organization_id} or (changes and not is_shown):
        return await _begin_anew(state, "error.other_organization")
    if found.may(role):
        shown.needed_role = ""
        return found
    if _is_load(state, event):
        await forget_contents(state)
        shown.needed_role = role.value
        return []
    return await _begin_anew(state, "error.role")


async def _begin_anew(state: rx.State, why: str) -> Any:
    """Do nothing of what was asked, say why, and load the page anew for what holds now."""
    await forget_contents(state)
    await say(state, plain_text(why, await _locale_of(state)), until_leaving=True)
    return _loads(state)


def _loads(state: rx.State) -> list[Any]:
    """Return what a page begins with."""
    loads: list[Any] = RegistrationContext.get().app.get_load_events(state.router.url.path)
    return loads


def _is_load(state: rx.State, event: Any) -> bool:
    """Whether an event is what its page begins with; it changes nothing, and nothing is shown before."""
    return any(getattr(load, "fn", None) is event for load in _loads(state))


async def _locale_of(state: rx.State) -> str:
    """Choose the language of a refusal: the page's."""
    shown = await state.get_state(SessionState)
    return shown._reads or preferred_locale(state.router.headers.accept_language)  # noqa: SLF001 # of our own State


def _words_of(error: OneTokenError, locale: str) -> str:
    """Say an error in the reader's language; our own words are English and more exact."""
    if known_locale(locale) is Locale.ENGLISH:
        return error.public_message
    parameter = error.parameter if isinstance(error, BadRequest) else None
    known = CATALOGUES[Locale.CHINESE]
    keys = [key for key in (f"error.{error.code}_{parameter}", f"error.{error.code}") if key in known]
    return plain_text(keys[0], locale) if keys else error.public_message
