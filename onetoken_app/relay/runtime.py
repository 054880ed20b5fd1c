"""What one relay process runs on: started in order before the listener opens, stopped in the opposite one."""

import asyncio
import contextlib
import ctypes
import functools
import gc
import resource
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from onetoken_app.database import Database, own_database, use_database
from onetoken_app.database_home import check_home
from onetoken_app.errors import OneTokenError, Unavailable
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger.client import LedgerClient, spool_folder
from onetoken_app.money import Nanos
from onetoken_app.relay.attempts import Upstreams
from onetoken_app.relay.call_metrics import CallMetrics
from onetoken_app.relay.forwarding import UpstreamClient
from onetoken_app.relay.health import Health
from onetoken_app.relay.open_call import OpenCall
from onetoken_app.relay.policy_cache import PolicyCache
from onetoken_app.relay.recovery import apply_left_spools, record_of_void, recover_dead_holds
from onetoken_app.relay.repeats import RepeatGuard
from onetoken_app.relay.request_body import BUFFERED_BODIES_MAX, BodyRoom
from onetoken_app.relay.routing import Picker, RetryBudget, sticky_key_of
from onetoken_app.relay.supervision import Supervisor
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger
from onetoken_app.vault import RootSecrets, load_root_secrets

if TYPE_CHECKING:
    from onetoken_app.relay.traces import CallTraces

RECOVERY_SECONDS = 5.0
BODY_READERS = 2
"""Threads that read large bodies: their own, so that resolving names and hashing passwords never wait for them."""
_PR_SET_DUMPABLE = 4
_GC_THRESHOLDS = (50_000, 20, 20)


class RelayRuntime:
    """The parts of one process that outlive a call. Use it after ``start``."""

    settings: Settings
    secrets: RootSecrets
    policy: PolicyCache
    repeats: RepeatGuard
    ledger: LedgerClient
    upstreams: Upstreams
    supervisor: Supervisor
    metrics: CallMetrics
    traces: "CallTraces | None" = None
    """``None``: no collector is named."""
    body_readers: ThreadPoolExecutor
    body_room: BodyRoom

    def __init__(self) -> None:
        """Have nothing running."""
        self._stack = AsyncExitStack()
        self._draining: asyncio.Task[None] | None = None
        self.is_started = False

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is in use."""
        return self.settings.is_sqlite

    @property
    def is_ready(self) -> bool:
        """Whether a call that came now would be carried."""
        return (
            self.is_started
            and not self.supervisor.is_draining
            and self.policy.is_fresh
            and self.ledger.is_available
        )  # fmt: skip

    async def start(self, settings: Settings) -> None:
        """Open everything, and close what a process that died left open.

        Raises:
            DatabaseInUse: Another process owns the embedded database.
            NotAtHome: The database is a copy that nobody has taken over.
            BadSettings: A root secret is missing.
            Unavailable: The database or the ledger's writer does not answer.
        """
        try:
            await self._start(settings)
        except BaseException:
            await self._stack.aclose()
            raise

    def begin_drain(self) -> None:
        """Refuse new calls from now on and let open ones end within the drain time; returns at once, may be repeated.

        Called when a signal asks to stop: the server itself waits for its connections before it says so.
        """
        if self.is_started and self._draining is None:
            self._draining = asyncio.create_task(self.supervisor.drain(self.settings.drain_seconds))

    async def stop(self) -> None:
        """Let open calls end within the drain time, settle them, and close everything."""
        self.begin_drain()
        if self._draining is not None:
            await self._draining
            await self.supervisor.stop()
        self.is_started = False
        await self._stack.aclose()

    def note_call(self, call: OpenCall, error: OneTokenError | None, *, charge_nanos: Nanos) -> None:
        """Count a call that is closed, write its line, and trace it; ``error``: how it ended, if not well."""
        self.metrics.note_call(call, error, charge_nanos=charge_nanos)
        if self.traces is not None:
            self.traces.note_call(call, error, charge_nanos=charge_nanos)

    async def _start(self, settings: Settings) -> None:
        """Start the parts in order; each is put on the stack that takes it down again."""
        stack = self._stack
        switch_core_dumps_off()
        raise_descriptor_limit()
        if settings.is_sqlite:
            stack.enter_context(own_database(settings))
        self.settings, self.secrets = settings, load_root_secrets(settings)
        database = Database(settings)
        stack.push_async_callback(database.dispose)
        use_database(database)
        stack.callback(use_database, None)
        await check_home(settings)
        self.ledger = LedgerClient(record_of_void=functools.partial(record_of_void, is_sqlite=settings.is_sqlite))
        stack.push_async_callback(self.ledger.stop)
        await self.ledger.start(settings, new_id(Kind.EPOCH))
        await apply_left_spools(self.ledger, spool_folder(settings))
        await recover_dead_holds(self.ledger, is_sqlite=settings.is_sqlite)
        if not settings.is_sqlite:
            stack.push_async_callback(_ended, asyncio.create_task(self._recover_forever()))
        self.policy = PolicyCache(settings, self.secrets)
        stack.push_async_callback(self.policy.stop)
        await self.policy.start()
        self.repeats = RepeatGuard(self.secrets)
        stack.push_async_callback(self.repeats.stop)
        await self.repeats.start()
        client = UpstreamClient(settings)
        stack.push_async_callback(client.close)
        self.upstreams = Upstreams(
            client=client,
            picker=Picker(Health(), sticky_key_of(self.secrets)),
            retries=RetryBudget(),
            first_byte_seconds=settings.upstream_first_byte_seconds,
            plain_answer_seconds=settings.upstream_plain_answer_seconds,
        )
        self.body_room = BodyRoom(bytes_max=BUFFERED_BODIES_MAX * settings.request_body_bytes_max)
        self.body_readers = ThreadPoolExecutor(BODY_READERS, thread_name_prefix="body-reader")
        stack.callback(self.body_readers.shutdown, wait=False)
        self.supervisor = Supervisor(settings, self.ledger)
        self.supervisor.start()
        self.metrics = CallMetrics(writes_access_lines=settings.access_log)
        if settings.traces_url is not None:
            from onetoken_app.relay.traces import traces_for  # noqa: PLC0415 # most relays need none of its packages

            self.traces = traces_for(settings, collector_url=settings.traces_url)
            stack.push_async_callback(asyncio.to_thread, self.traces.stop)
        self.is_started = True
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)

    async def _recover_forever(self) -> None:
        """Close the holds of other processes that died."""
        while True:
            await asyncio.sleep(RECOVERY_SECONDS)
            try:
                await apply_left_spools(self.ledger, spool_folder(self.settings))
                await recover_dead_holds(self.ledger, is_sqlite=self.is_sqlite)
            except OneTokenError as error:
                get_logger().warning("recovery_failed", error_code=error.code)
            except Exception:  # noqa: BLE001 # the edge: one hold that cannot be read must not end the task
                get_logger().error("recovery_failed", exc_info=True)


def not_started() -> Unavailable:
    """Say that the process is not ready for calls."""
    return Unavailable("The service is starting; nothing was done. Try again in a few seconds.")


def switch_core_dumps_off() -> None:
    """Keep content out of core files, and other processes of this user out of our memory, where the system can."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def raise_descriptor_limit() -> None:
    """Let this process open as many descriptors as it may: a call in flight needs two, and 1 024 are usual."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
