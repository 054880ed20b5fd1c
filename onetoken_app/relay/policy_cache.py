"""The relay's view of keys, organizations, models and prices: read once, dropped when the policy's revision moves.

One row is polled (``ONETOKEN_POLICY_POLL_SECONDS``), so that a revoked key is refused within that time in every
process. When the database has not answered for ``ONETOKEN_POLICY_AGE_SECONDS_MAX``, new calls are refused: an old
policy might admit what was stopped.

A change makes every key's answer old, whoever made it: keys are asked for again when they are next used, hundreds at
once in a handful of queries.
"""

import asyncio
import itertools
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from onetoken_app.clock import monotonic_seconds, utc_now
from onetoken_app.database import policy_revision, read_session
from onetoken_app.errors import Unavailable
from onetoken_app.relay.errors import PolicyUnavailable
from onetoken_app.relay.policy_snapshot import VALID_SECONDS_MAX, Caller, PolicySnapshot, read_callers, read_snapshot
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger
from onetoken_app.vault import RootSecrets

KNOWN_CALLERS_MAX = 200_000
UNKNOWN_KEYS_MAX = 10_000
"""Keys that nobody has, remembered so that repeating one costs no look-up; bounded, because anybody can make them."""
LOOK_UP_BATCH = 500
"""Keys that were good before and keys never seen that one look-up takes, each at most; neither makes the other wait."""
STRANGERS_WAITING_MAX = 5_000
"""Keys never seen that may wait for a look-up; beyond it: 503. Anybody can make keys with a good checksum."""

_UNREADABLE = (Unavailable, SQLAlchemyError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the database said of one key, and at which revision."""

    caller: Caller | None
    revision: int
    read_at: float


_Waiter = asyncio.Future[_Answer | None]
"""Who waits for an answer; ``None``: the database gave none."""


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
        self._wanted: dict[bytes, _Waiter] = {}
        """Keys to look up that were good before."""
        self._strange: dict[bytes, _Waiter] = {}
        """Keys to look up that were never seen, or were nobody's."""
        self._under_way: dict[bytes, _Waiter] = {}
        self._looking_up: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._refreshing = asyncio.Lock()
        self._is_failing = False
        self.look_up_count = 0
        """How many keys were asked of the database."""
        self.batch_count = 0
        """In how many look-ups."""

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
            await asyncio.gather(self._polling, *filter(None, [self._looking_up]), return_exceptions=True)

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
        answer = await asyncio.shield(self._ask(digest))
        if answer is not None and answer.revision < revision:
            # That look-up had begun before the change.
            answer = await asyncio.shield(self._ask(digest))
        if answer is None:
            raise _unavailable()
        return answer.caller

    def _ask(self, digest: bytes) -> _Waiter:
        """Put a key on the list of those to look up, once, and see to it that somebody works it off."""
        for waiting in (self._under_way, self._wanted, self._strange):
            if digest in waiting:
                return waiting[digest]
        queue = self._wanted if digest in self._known else self._strange
        if queue is self._strange and len(queue) >= STRANGERS_WAITING_MAX:
            raise _unavailable()
        waiter = queue[digest] = asyncio.get_running_loop().create_future()
        if self._looking_up is None or self._looking_up.done():
            self._looking_up = asyncio.create_task(self._look_up_all())
        return waiter

    async def _look_up_all(self) -> None:
        """Look keys up, many at once, until nobody waits."""
        while self._wanted or self._strange:
            for queue in (self._wanted, self._strange):
                for digest in list(itertools.islice(queue, LOOK_UP_BATCH)):
                    self._under_way[digest] = queue.pop(digest)
            answers = await self._look_up(list(self._under_way))
            answered, self._under_way = self._under_way, {}
            for digest, waiter in answered.items():
                if not waiter.done():
                    waiter.set_result(answers.get(digest))

    async def _look_up(self, digests: list[bytes]) -> dict[bytes, _Answer]:
        """Ask the database for keys and remember the answers; nothing when it does not answer."""
        self.look_up_count += len(digests)
        self.batch_count += 1
        try:
            async with asyncio.timeout(self._age_seconds_max), read_session() as session:
                revision = await policy_revision(session)
                callers = await read_callers(session, digests=digests, now=utc_now())
        except Exception as error:  # noqa: BLE001 # the edge: whoever waits has to be told, and is refused
            get_logger().warning("key_look_up_failed", error_class=type(error).__name__)
            return {}
        read_at_seconds = monotonic_seconds()
        answers = {digest: _Answer(callers.get(digest), revision, read_at_seconds) for digest in digests}
        for digest, answer in answers.items():
            self._remember(digest, answer)
        return answers

    def _remember(self, digest: bytes, answer: _Answer) -> None:
        """Keep an answer, within bounds: the oldest goes."""
        self._known.pop(digest, None)
        self._unknown.pop(digest, None)
        is_known = answer.caller is not None
        remembered, most = (self._known, KNOWN_CALLERS_MAX) if is_known else (self._unknown, UNKNOWN_KEYS_MAX)
        remembered[digest] = answer
        if len(remembered) > most:
            del remembered[next(iter(remembered))]

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
