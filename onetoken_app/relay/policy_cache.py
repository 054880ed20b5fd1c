"""The relay's view of keys, organizations, models and prices: read once, dropped when the policy's revision moves.

One row is polled (``ONETOKEN_POLICY_POLL_SECONDS``), so that a revoked key is refused within that time in every
process. When the database has not answered for ``ONETOKEN_POLICY_AGE_SECONDS_MAX``, new calls are refused: an old
policy might admit what was stopped.
"""

import asyncio
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from onetoken_app.clock import monotonic_seconds, utc_now
from onetoken_app.database import policy_revision, read_session
from onetoken_app.errors import Unavailable
from onetoken_app.relay.errors import PolicyUnavailable
from onetoken_app.relay.policy_snapshot import VALID_SECONDS_MAX, Caller, PolicySnapshot, read_caller, read_snapshot
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger
from onetoken_app.vault import RootSecrets

KNOWN_CALLERS_MAX = 200_000
UNKNOWN_KEYS_MAX = 10_000
"""Keys that nobody has, remembered so that repeating one costs no look-up; bounded, because anybody can make them."""
LOOK_UPS_AT_ONCE = 4

_UNREADABLE = (Unavailable, SQLAlchemyError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the database said of one key, and at which revision."""

    caller: Caller | None
    revision: int
    read_at: float


class PolicyCache:
    """One process's policy."""

    def __init__(self, settings: Settings, secrets: RootSecrets) -> None:
        """Know nothing yet."""
        self._poll_seconds = settings.policy_poll_seconds
        self._age_seconds_max = settings.policy_age_seconds_max
        self._key_encryption_key = secrets.key_encryption_key
        self._snapshot: PolicySnapshot | None = None
        self._checked_at = 0.0
        self._known: dict[bytes, _Answer] = {}
        self._unknown: dict[bytes, _Answer] = {}
        self._look_ups: dict[bytes, asyncio.Task[_Answer]] = {}
        self._look_up_slots = asyncio.Semaphore(LOOK_UPS_AT_ONCE)
        self._polling: asyncio.Task[None] | None = None
        self._refreshing = asyncio.Lock()
        self._is_failing = False
        self.look_up_count = 0
        """How many keys were asked of the database."""

    async def start(self) -> None:
        """Read the policy for the first time and begin to poll.

        Raises:
            Unavailable: The database does not answer.
        """
        await self._refresh()
        self._polling = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """Stop polling, between two looks: a look that is cut off in the middle would lose its connection."""
        if self._polling is not None:
            async with self._refreshing:
                self._polling.cancel()
            await asyncio.gather(self._polling, *self._look_ups.values(), return_exceptions=True)

    @property
    def is_fresh(self) -> bool:
        """Whether calls may be admitted on it."""
        return self._snapshot is not None and monotonic_seconds() - self._checked_at <= self._age_seconds_max

    def snapshot(self) -> PolicySnapshot:
        """Return models and prices.

        Raises:
            PolicyUnavailable: They could not be checked for too long.
        """
        if self._snapshot is None or monotonic_seconds() - self._checked_at > self._age_seconds_max:
            raise _unavailable()
        return self._snapshot

    async def caller_of(self, digest: bytes) -> Caller | None:
        """Return whose key this is, or ``None``. A thousand callers with one cold key make one look-up.

        Raises:
            PolicyUnavailable: It is not known here and the database does not answer.
        """
        if not self.is_fresh and not self._is_failing:
            await self._catch_up()
        revision = self.snapshot().revision
        answer = self._known.get(digest) or self._unknown.get(digest)
        oldest = monotonic_seconds() - VALID_SECONDS_MAX
        if answer is not None and answer.revision >= revision and answer.read_at > oldest:
            return answer.caller
        look_up = self._look_ups.get(digest)
        if look_up is None:
            look_up = self._look_ups[digest] = asyncio.create_task(self._look_up(digest))
            look_up.add_done_callback(lambda _task: self._look_ups.pop(digest, None))
        try:
            return (await asyncio.shield(look_up)).caller
        except _UNREADABLE as error:
            raise _unavailable() from error

    async def _look_up(self, digest: bytes) -> _Answer:
        """Ask the database for one key and remember the answer."""
        async with asyncio.timeout(self._age_seconds_max), self._look_up_slots, read_session() as session:
            self.look_up_count += 1
            revision = await policy_revision(session)
            caller = await read_caller(session, digest=digest, now=utc_now())
        answer = _Answer(caller=caller, revision=revision, read_at=monotonic_seconds())
        self._known.pop(digest, None)
        self._unknown.pop(digest, None)
        remembered, most = (self._unknown, UNKNOWN_KEYS_MAX) if caller is None else (self._known, KNOWN_CALLERS_MAX)
        remembered[digest] = answer
        if len(remembered) > most:
            del remembered[next(iter(remembered))]
        return answer

    async def _poll(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Check the policy now; also called by a call that finds it old because this process itself stood still."""
        async with self._refreshing:
            if monotonic_seconds() - self._checked_at < self._poll_seconds:
                return
            try:
                async with asyncio.timeout(self._age_seconds_max):
                    await self._refresh()
            except _UNREADABLE as error:
                if not self._is_failing:
                    get_logger().warning("policy_refresh_failed", error_class=type(error).__name__)
                self._is_failing = True
            except Exception:  # noqa: BLE001 # the edge: whatever it was, polling goes on, and fails closed by age
                get_logger().error("policy_refresh_failed", exc_info=True)
                self._is_failing = True
            else:
                self._is_failing = False

    async def _refresh(self) -> None:
        """Read the policy again if it changed."""
        began_at = monotonic_seconds()
        now = utc_now()
        async with read_session() as session:
            current = self._snapshot
            if current is None or now >= current.valid_until or await policy_revision(session) != current.revision:
                self._snapshot = await read_snapshot(session, now=now, key_encryption_key=self._key_encryption_key)
        self._checked_at = began_at


def _unavailable() -> PolicyUnavailable:
    """Say it without a reason that would help nobody."""
    return PolicyUnavailable("Keys and prices cannot be read at the moment; nothing was sent on. Try again shortly.")
