"""How many States are kept, and how long: strangers get few, and nobody gets so many that others go without.

A State lives in the memory of the process that also serves the relay. One that was dropped is no loss: the tab's next
event finds a new one, which ``tabs`` has filled before anything is done with it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from reflex.app import App
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import StateToken

from onetoken_app.console.session import SessionState
from onetoken_app.console.tabs import NOBODY, TabGuard

STRANGERS_MAX = 200
"""Tabs in which nobody is signed in."""
TABS_PER_SESSION_MAX = 24
"""Tabs of one signed-in session."""
STATES_MAX = 2000
"""Tabs of everybody."""
STRANGER_SECONDS = 60.0
"""How long a stranger's State outlives its socket."""
SWEEP_SECONDS = 10.0
EVENT_CHARACTERS_MAX = 65_536
"""What a browser may send at once; the longest of our forms is a tenth of it."""


def guard_tabs(app: App) -> None:
    """Put the guard before all events of an app, and bounds around what it keeps."""
    app.add_middleware(TabGuard(), index=0)

    def is_connected(client: str) -> bool:
        namespace = app.event_namespace
        return namespace is not None and client in namespace._token_manager.token_to_socket  # noqa: SLF001 # Reflex shows it in no other way

    app._state_manager = KeptStates(is_connected=is_connected)  # noqa: SLF001 # Reflex has a setting for its own only


class KeptStates(StateManagerMemory):
    """Reflex's States in memory, with bounds."""

    _expiration_task: asyncio.Task[None] | None

    def __init__(self, *, is_connected: Callable[[str], bool]) -> None:
        """Begin with none.

        Args:
            is_connected: Whether the tab of a client's name has a socket; its State is kept as long as it has one.
        """
        super().__init__()
        self._is_connected = is_connected
        self._keys_by_owner: dict[str, dict[str, StateToken[Any]]] = {}
        """By session and by cache key, the least recently used first."""
        self._owners: dict[str, str] = {}
        """By cache key."""

    def _track_token(self, token: StateToken[Any]) -> None:
        """Note a use, and drop what is over the bounds."""
        key = token.cache_key
        self._forget_use(key)
        owner = _owner_of(self.states.get(key))
        self._owners[key] = owner
        own = self._keys_by_owner.setdefault(owner, {})
        own[key] = token
        # Put in anew at the end: the order of this dictionary is the order of use.
        self._token_expires_at[key] = (time.time() + self._lifetime_seconds(owner), token)
        self._ensure_expiration_task()
        self._drop(list(own.values()), keep=STRANGERS_MAX if owner == NOBODY else TABS_PER_SESSION_MAX)
        if len(self._token_expires_at) > STATES_MAX:
            self._drop([token for _, token in self._token_expires_at.values()], keep=STATES_MAX)

    def _purge_token(self, token: StateToken[Any]) -> None:
        """Take a State out."""
        super()._purge_token(token)
        self._forget_use(token.cache_key)

    async def _expire_states(self) -> None:
        """Look at all deadlines every few seconds; Reflex's own sleeps until the first, and a nearer one may come."""
        try:
            while self._token_expires_at:
                self._sweep()
                await asyncio.sleep(SWEEP_SECONDS)
        finally:
            if self._expiration_task is asyncio.current_task():
                self._expiration_task = None

    def _sweep(self) -> None:
        """Keep what a tab with a socket still shows, and drop the rest when its time is over."""
        now = time.time()
        for key, (_, token) in list(self._token_expires_at.items()):
            if self._is_connected(token.ident):
                self._token_expires_at[key] = (now + self._lifetime_seconds(self._owners[key]), token)
        self._purge_expired_tokens()

    def _lifetime_seconds(self, owner: str) -> float:
        """Return how long a State outlives its last use and its socket."""
        return STRANGER_SECONDS if owner == NOBODY else float(self.token_expiration)

    def _drop(self, tokens: list[StateToken[Any]], *, keep: int) -> None:
        """Drop the least recently used, but none that an event works on."""
        for token in tokens[: max(len(tokens) - keep, 0)]:
            lock = self._states_locks.get(token.lock_key)
            if lock is None or not lock.locked():
                self._purge_token(token)

    def _forget_use(self, key: str) -> None:
        """Take a State out of the order of use."""
        self._token_expires_at.pop(key, None)
        owner = self._owners.pop(key, "")
        own = self._keys_by_owner.get(owner, {})
        own.pop(key, None)
        if not own:
            self._keys_by_owner.pop(owner, None)


def _owner_of(state: Any) -> str:
    """Return for whose session a State was filled."""
    shown = state.substates.get(SessionState.get_name()) if state is not None else None
    return (shown._owner if shown is not None else "") or NOBODY  # noqa: SLF001 # of our own State
