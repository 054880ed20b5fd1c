"""A running relay: uvicorn on a loopback socket, a real SQLite database with its ledger writer, a scripted upstream."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import openai
import pytest
import uvicorn
from sqlmodel import select

from onetoken_app.database import Database, policy_revision, read_session, unit_of_work, use_database
from onetoken_app.ledger.models import HoldClose
from onetoken_app.ledger.queries import BalanceView, balance_of
from onetoken_app.ledger.verification import verify
from onetoken_app.money import Currency, Nanos
from onetoken_app.relay.asgi import RelayApp
from onetoken_app.relay.health import Health
from onetoken_app.relay.runtime import RelayRuntime
from onetoken_app.settings import Settings
from onetoken_app.usage.models import UsageRecord
from tests.support.builders import PLENTY_NANOS, BuiltModel, a_channel, a_key, a_model, an_organization
from tests.support.scripted_upstream import ScriptedUpstream, answers_usually, scripted_upstream

MESSAGES: Any = [{"role": "user", "content": "Say hello."}]
App = Callable[..., Any]
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Spares each client of a test reading all certificates of the machine, which takes longer than most calls."""


async def until(is_so: Callable[[], object], *, seconds: float = 15) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: It did not become so.
    """
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 # what is waited for has no event
            await asyncio.sleep(0.005)


@dataclass(slots=True)
class RunningRelay:
    """A relay that serves one organization with plenty of money, one key and one model named ``mock``."""

    settings: Settings
    runtime: RelayRuntime
    port: int
    upstream: ScriptedUpstream
    organization_id: str
    secret: str
    model: BuiltModel

    @property
    def base_url(self) -> str:
        """What a client is given."""
        return f"http://127.0.0.1:{self.port}/v1"

    def client(self, **options: Any) -> openai.AsyncOpenAI:
        """Return the official client, which does not retry by itself unless told to."""
        usual = {
            "api_key": self.secret, "base_url": self.base_url, "max_retries": 0, "timeout": 20,
            "http_client": openai.DefaultAsyncHttpxClient(verify=NO_TLS, trust_env=False),
        }  # fmt: skip
        return openai.AsyncOpenAI(**{**usual, **options})

    async def post(self, body: Any = None, *, path: str = "/v1/chat/completions", **headers: str) -> httpx.Response:
        """Send a request by hand."""
        usual = {"authorization": f"Bearer {self.secret}", "content-type": "application/json"}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        whole = {"model": "mock", "messages": MESSAGES, **(body if isinstance(body, dict) else {})}
        content = json.dumps(whole) if body is None or isinstance(body, dict) else body
        async with httpx.AsyncClient(timeout=20, trust_env=False, verify=NO_TLS) as client:
            return await client.post(f"http://127.0.0.1:{self.port}{path}", content=content, headers={**usual, **given})

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for something by hand."""
        given = {"authorization": f"Bearer {self.secret}", **headers}
        async with httpx.AsyncClient(timeout=20, trust_env=False, verify=NO_TLS) as client:
            return await client.get(f"http://127.0.0.1:{self.port}{path}", headers=given)

    async def records(self) -> list[UsageRecord]:
        """Return all usage records."""
        async with read_session() as session:
            return list(await session.exec(select(UsageRecord)))

    async def closes(self) -> list[HoldClose]:
        """Return all closes."""
        async with read_session() as session:
            return list(await session.exec(select(HoldClose)))

    async def balance(self) -> BalanceView:
        """Return the organization's balance."""
        async with read_session() as session:
            return await balance_of(session, owner_id=self.organization_id, currency=Currency.USD)

    async def only_record(self) -> UsageRecord:
        """Return the one usage record, once every call is closed, after checking the whole ledger against it."""
        await self.until_idle()
        (record,) = await self.records()
        (close,) = await self.closes()
        assert close.amount_nanos == record.charge_nanos
        assert close.usage_source == record.usage_source
        balance = await self.balance()
        assert balance.held_nanos == 0
        async with read_session() as session:
            assert (await verify(session)).is_ok
        return record

    def forget_health(self) -> None:
        """Take every way upstream for working again."""
        upstreams = self.runtime.upstreams
        self.runtime.upstreams = replace(upstreams, picker=replace(upstreams.picker, health=Health()))

    async def until_idle(self) -> None:
        """Wait until every call that arrived is closed."""
        supervisor = self.runtime.supervisor
        await until(lambda: not supervisor.open_count and not supervisor.arrived_count)

    async def until_policy_is_current(self, *, seconds: float = 15) -> None:
        """Wait until the relay has seen every change of the policy that is committed by now."""
        async with read_session() as session:
            committed = await policy_revision(session)
        await until(lambda: self.runtime.policy.snapshot().revision >= committed, seconds=seconds)


@asynccontextmanager
async def served_by_uvicorn(app: App) -> AsyncIterator[int]:
    """Serve an app; yield its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, server_header=False, http="httptools"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving


@asynccontextmanager
async def running_relay(
    settings: Settings,
    *,
    balance_nanos: Nanos = PLENTY_NANOS,
    bills_after_hang_up: bool = False,
    provider: str = "openai",
    wrap: Callable[[App], App] = lambda app: app,
    **model: Any,
) -> AsyncIterator[RunningRelay]:
    """Run a relay on a migrated database while the block runs."""
    runtime = RelayRuntime()
    async with scripted_upstream(answers_usually) as upstream:
        seeding = Database(settings)
        use_database(seeding)
        async with unit_of_work() as session:
            organization_id = await an_organization(session, balance_nanos=balance_nanos)
            channel_id = await a_channel(
                session,
                settings,
                provider=provider,
                base_url=upstream.base_url,
                bills_after_hang_up=bills_after_hang_up,
            )
            built = await a_model(session, settings, channel_id=channel_id, **model)
            key = await a_key(session, settings, organization_id=organization_id)
        await seeding.dispose()
        await runtime.start(settings)
        try:
            async with served_by_uvicorn(wrap(RelayApp(runtime))) as port:
                yield RunningRelay(settings, runtime, port, upstream, organization_id, key.secret, built)
        finally:
            await runtime.stop()


def quick(settings: Settings) -> Settings:
    """Return settings of a relay that may call upstreams on loopback and does not wait long for anything."""
    return settings.model_copy(
        update={"allow_private_upstreams": True, "policy_poll_seconds": 0.05, "drain_seconds": 1.0}
    )


@pytest.fixture
def relay_settings(sqlite_settings: Settings) -> Settings:
    """Settings of a relay on SQLite: most of what a relay does is the same on both engines."""
    return quick(sqlite_settings)


@pytest.fixture
def relay_settings_on_each(database_settings: Settings) -> Settings:
    """Settings of a relay: the test runs once on each engine, for what depends on the database."""
    return quick(database_settings)


@pytest.fixture
async def relay(relay_settings: Settings) -> AsyncIterator[RunningRelay]:
    """A running relay."""
    async with running_relay(relay_settings) as running:
        yield running
