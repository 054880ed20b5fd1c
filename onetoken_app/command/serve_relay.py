"""Serves the relay alone, with uvicorn: without the console, in one process or, on PostgreSQL, in several."""

import asyncio
import signal
import socket
from contextlib import AsyncExitStack
from types import FrameType

import uvicorn
from uvicorn.supervisors import Multiprocess

from onetoken_app.command.failure import CommandFailed
from onetoken_app.command.legal_texts import check_legal_texts
from onetoken_app.command.listening import listening_socket, local_url
from onetoken_app.command.opening import owned_installation
from onetoken_app.jobs.scheduler import jobs_running
from onetoken_app.relay.asgi import RelayApp
from onetoken_app.relay.runtime import RelayRuntime
from onetoken_app.settings import Settings, get_settings
from onetoken_app.telemetry import configure_logging
from onetoken_app.vault import load_root_secrets

_APP = f"{__name__}:create_app"
_DRAIN_MARGIN_SECONDS = 10


def create_app() -> RelayApp:
    """Make the app of one worker process."""
    configure_logging(get_settings().log_level)
    return RelayApp(_RuntimeWithJobs())


def serve_relay(settings: Settings, *, worker_count: int) -> None:
    """Serve until a signal asks to stop; open calls end within the drain time.

    Raises:
        CommandFailed: The address is in use, or several workers are asked for on the embedded database.
        BadSettings: The operator's own agreements cannot be used.
        DatabaseInUse: Another process owns the embedded database.
    """
    if settings.is_sqlite and worker_count > 1:
        message = "one process owns an embedded database: --workers 1, or set ONETOKEN_DATABASE_URL to PostgreSQL"
        raise CommandFailed(message)
    load_root_secrets(settings)
    with owned_installation(settings):
        check_legal_texts(settings)  # the tables are up to date; the runtime owns the database from its start on
    with listening_socket(settings.host, settings.port) as listener:
        _serve(settings, listener, worker_count=worker_count)


def _serve(settings: Settings, listener: socket.socket, *, worker_count: int) -> None:
    """Run uvicorn on a socket that listens already."""
    config = uvicorn.Config(
        _APP,
        factory=True,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        workers=worker_count,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # X-Forwarded-For is read by the relay, as far as trusted_proxy_count says
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(settings.drain_seconds) + _DRAIN_MARGIN_SECONDS,
    )
    url = local_url(settings.host, settings.port)
    if worker_count > 1:
        print(f"The relay starts {worker_count} processes on {url}/v1", flush=True)  # noqa: T201 # what a person sees
        _Workers(config, sockets=[listener]).run()
        return
    server = _AnnouncedServer(config, url=url)

    def stop(number: int, _frame: FrameType | None) -> None:
        # uvicorn raises the signal once more after it has stopped in good order; that end is a good one, not a kill.
        if not server.has_served:
            raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.run(sockets=[listener])
    if not server.has_served:
        message = "the relay could not start; the log says why"
        raise CommandFailed(message)


class _Workers(Multiprocess):
    """The first process of several."""

    def terminate_all(self) -> None:
        """Stop them, and stop listening: this process has the address open too, and would leave new callers waiting."""
        super().terminate_all()
        for listener in self.sockets:
            listener.close()


class _RuntimeWithJobs(RelayRuntime):
    """What a relay without a console runs on: the relay itself, and the installation's jobs."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs = AsyncExitStack()

    async def start(self, settings: Settings) -> None:
        """Start the relay, then the jobs."""
        await super().start(settings)
        await self._jobs.enter_async_context(jobs_running(settings))

    async def stop(self) -> None:
        """Stop the jobs, which need the database, then the relay."""
        self.begin_drain()
        await self._jobs.aclose()
        await super().stop()


class _AnnouncedServer(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, *, url: str) -> None:
        super().__init__(config)
        self._url = url
        self.has_served = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so; a start that failed says nothing."""
        await super().startup(sockets)
        if self.started:
            self.has_served = True
            await asyncio.to_thread(print, f"The relay answers on {self._url}/v1", flush=True)
