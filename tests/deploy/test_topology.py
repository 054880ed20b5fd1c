"""What ``deploy/`` describes, as processes on this machine: PostgreSQL, relays, console, nginx with TLS in front."""

import asyncio
import configparser
import json
import shlex
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from onetoken_app.settings import MIB, PREFIX, Settings
from tests.faults.test_several_processes import until_ready
from tests.support.installation import Installation, RunningProcess, apply_file, wait_for_line
from tests.support.postgresql import PostgresqlServer
from tests.support.proxy import RunningProxy, running_proxy
from tests.support.scripted_upstream import (
    USUAL_USAGE,
    Exchange,
    ScriptedUpstream,
    answers_usually,
    chunk,
    scripted_upstream,
    usage_chunk,
)

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
RELAYS = sorted(name for name in SERVICES if name.startswith("relay-"))
CHANGE_SECONDS_MAX = 5.0
CANARY = "the heron that waits in the shallow water"


def shared_variables() -> dict[str, str]:
    """Read the names and values of the file that console and relays have in common."""
    lines = (DEPLOY / "onetoken.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole installation."""

    proxy: RunningProxy
    home: Installation
    """For commands of the operator."""
    relays: dict[str, RunningProcess]
    console: RunningProcess
    upstream: ScriptedUpstream
    secret: str

    def client(self) -> httpx.AsyncClient:
        """Return a client that comes in through the front."""
        return httpx.AsyncClient(
            base_url=self.proxy.url,
            verify=ssl.create_default_context(cafile=self.proxy.certificate_file),
            trust_env=False,
            timeout=30,
            headers={"authorization": f"Bearer {self.secret}"},
        )

    async def status_of_a_call(self, base_url: str) -> int:
        """Call one relay past the proxy."""
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            answer = await client.post(
                f"{base_url}/v1/chat/completions", json=call(), headers={"authorization": f"Bearer {self.secret}"}
            )
        return answer.status_code


def call(**more: Any) -> dict[str, Any]:
    """Write a request."""
    return {"model": "mock", "max_tokens": 20, "messages": [{"role": "user", "content": CANARY}], **more}


@pytest.fixture
async def topology(tmp_path: Path, postgresql_server: PostgresqlServer) -> AsyncIterator[Topology]:
    """Start the services of the compose file by their own commands, in its order."""
    shared = Installation(tmp_path).on_postgresql(postgresql_server.url(postgresql_server.create_database()))
    shared.variables.update({f"{PREFIX}TRUSTED_PROXY_COUNT": shared_variables()[f"{PREFIX}TRUSTED_PROXY_COUNT"]})
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(scripted_upstream(answers_usually))
        tables = of_service(shared, "tables")
        await asyncio.to_thread(tables.succeed, *SERVICES["tables"]["command"][1:])
        (secret,) = await asyncio.to_thread(tables.apply, apply_file(base_url=upstream.base_url))
        servers = ExitStack()
        stack.callback(servers.close)
        relays = {name: started(servers, shared, name) for name in RELAYS}
        console = started(servers, shared, "console")
        for running in relays.values():
            await until_ready(running)
        await asyncio.to_thread(wait_for_line, console, "OneToken runs", seconds=240)
        ports = {name: running.port for name, running in {**relays, "console": console}.items()}
        proxy = await asyncio.to_thread(servers.enter_context, running_proxy(tmp_path / "nginx", ports))
        yield Topology(proxy, tables, relays, console, upstream, secret)


def of_service(shared: Installation, name: str) -> Installation:
    """Return the installation as a service sees it: with the data folder of its own volume."""
    (volume,) = SERVICES[name]["volumes"]
    folder = shared.folder / "volumes" / volume.partition(":")[0]
    folder.mkdir(parents=True)
    return replace(shared, variables={**shared.variables, f"{PREFIX}DATA_DIR": str(folder)})


def started(stack: ExitStack, shared: Installation, name: str) -> RunningProcess:
    """Start a service by its command."""
    program, *arguments = SERVICES[name]["command"]
    assert program == "onetoken"
    return stack.enter_context(of_service(shared, name).server(*arguments))


@pytest.mark.long
@pytest.mark.timeout(400)
class TestTopology:
    async def test_it_serves_changes_and_survives(self, topology: Topology) -> None:
        async with topology.client() as client:
            await self.check_the_doors(topology, client)
            await self.check_a_stream_is_not_held_back(topology, client)
            await self.check_the_death_of_a_relay(topology, client)
            await self.check_a_change_reaches_all(topology)
            await self.check_what_nginx_says_itself(topology, client)
        assert CANARY.encode() not in topology.proxy.written_bytes()
        for running in (*topology.relays.values(), topology.console):
            if running.process.poll() is None:
                assert await asyncio.to_thread(running.stop) == 0
        report = await asyncio.to_thread(topology.home.verified)
        assert report["open_holds"] == 0

    async def check_the_doors(self, topology: Topology, client: httpx.AsyncClient) -> None:
        """Pages from the console, calls from the relays, nothing in the clear, no figures for strangers."""
        assert "text/html" in (await client.get("/")).headers["content-type"]
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/metrics")).status_code == 404
        answer = await client.post("/v1/chat/completions", json=call())
        assert answer.status_code == 200
        record = (await client.get(f"/v1/receipts/{answer.headers['x-request-id']}")).json()
        assert record["request_id"] == answer.headers["x-request-id"]
        async with httpx.AsyncClient(trust_env=False) as plain:
            refused = await plain.post(f"{topology.proxy.plain_url}/v1/chat/completions", json=call())
            page = await plain.get(f"{topology.proxy.plain_url}/sign-in")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "https_required")
        assert (page.status_code, page.headers["location"]) == (308, "https://127.0.0.1/sign-in")

    async def check_a_stream_is_not_held_back(self, topology: Topology, client: httpx.AsyncClient) -> None:
        """The first event is here while the provider has not said the second, and a long question is in no file."""
        goes_on = asyncio.Event()

        async def waits(exchange: Exchange) -> None:
            await exchange.begin_stream()
            await exchange.send_event(chunk("hello", usage=None))
            await goes_on.wait()
            await exchange.send_event(chunk(finish_reason="stop", usage=None))
            await exchange.send_event(usage_chunk(USUAL_USAGE))
            await exchange.send_event("[DONE]")
            await exchange.end_stream()

        topology.upstream.behave = waits
        received = b""
        async with (
            asyncio.timeout(30),
            client.stream("POST", "/v1/chat/completions", json=call(stream=True, padding=CANARY * 10_000)) as answer,
        ):
            async for piece in answer.aiter_bytes():
                received += piece
                if b"hello" in received:
                    assert CANARY.encode() not in topology.proxy.written_bytes()
                    goes_on.set()
        assert received.endswith(b"data: [DONE]\n\n")
        topology.upstream.behave = answers_usually

    async def check_the_death_of_a_relay(self, topology: Topology, client: httpx.AsyncClient) -> None:
        """Calls go on with the other one, but for those that met a dead connection; none is made twice."""
        before = len(topology.upstream.exchanges)
        topology.relays[RELAYS[0]].kill_group()
        statuses = [(await client.post("/v1/chat/completions", json=call())).status_code for _ in range(20)]
        assert set(statuses[5:]) == {200}
        assert set(statuses) <= {200, 503}
        assert len(topology.upstream.exchanges) - before == statuses.count(200)

    async def check_a_change_reaches_all(self, topology: Topology) -> None:
        """A channel that is switched off serves nowhere, in every process, within seconds."""
        living = [running.url for running in (topology.relays[RELAYS[1]], topology.console)]
        assert [await topology.status_of_a_call(url) for url in living] == [200, 200]
        file = apply_file(base_url=topology.upstream.base_url).replace("base_url:", "enabled: false\n    base_url:")
        await asyncio.to_thread(topology.home.apply, file)
        since = time.monotonic()
        while any([await topology.status_of_a_call(url) == 200 for _ in range(8) for url in living]):
            assert time.monotonic() - since < CHANGE_SECONDS_MAX

    async def check_what_nginx_says_itself(self, topology: Topology, client: httpx.AsyncClient) -> None:
        """What no relay sees, or none is left to answer, is an error that programs can read."""
        large = await client.post("/v1/chat/completions", content=b"x" * (33 * MIB))
        assert (large.status_code, large.json()["error"]["code"]) == (413, "payload_too_large")
        topology.relays[RELAYS[1]].kill_group()
        answer = await client.post("/v1/chat/completions", json=call())
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_relay")
        assert answer.headers["retry-after"] == "1"


class Unit(configparser.RawConfigParser):
    """A unit of systemd, whose names keep their case."""

    def optionxform(self, optionstr: str) -> str:
        """Leave a name as it is."""
        return optionstr


class TestFiles:
    def test_every_variable_is_a_setting_and_those_that_postgresql_needs_are_there(self) -> None:
        settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
        names = set(shared_variables())
        assert names - settings == {"POSTGRES_PASSWORD"}
        assert {
            f"{PREFIX}{name}" for name in ("DATABASE_URL", "KEY_PEPPER", "KEY_ENCRYPTION_KEY", "PUBLIC_URL")
        } <= names

    def test_no_secret_is_filled_in(self) -> None:
        assert [value for name, value in shared_variables().items() if "KEY" in name or "PASSWORD" in name] == [""] * 3

    @pytest.mark.parametrize("name", [*RELAYS, "console", "tables"])
    def test_each_service_keeps_its_data_apart_and_is_asked_whether_it_is_ready(self, name: str) -> None:
        service = SERVICES[name]
        (volume,) = service["volumes"]
        folder, _, place = volume.partition(":")
        assert (folder in COMPOSE["volumes"], place) == (True, "/var/lib/onetoken")
        assert [other for other in SERVICES if volume in SERVICES[other].get("volumes", ())] == [name]
        if name != "tables":
            assert "/readyz" in json.dumps(service["healthcheck"])
            assert SERVICES["nginx"]["depends_on"][name] == {"condition": "service_healthy"}

    def test_nginx_knows_every_server(self) -> None:
        text = (DEPLOY / "nginx" / "onetoken.conf").read_text()
        assert all(f"server {name}:8000" in text for name in (*RELAYS, "console"))

    @pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").iterdir()), ids=lambda path: path.name)
    def test_a_unit_starts_a_command_that_is_there_and_gives_it_time_to_drain(self, unit: Path) -> None:
        parser = Unit()
        parser.read_string(unit.read_text())
        service = parser["Service"]
        program, verb, *_ = shlex.split(service["ExecStart"])
        assert (program.rpartition("/")[2], verb in {"up", "relay"}) == ("onetoken", True)
        assert int(service["TimeoutStopSec"]) > Settings.model_fields["drain_seconds"].default + 10
        assert service["StateDirectory"].rpartition("/")[2] in service["Environment"]
        assert service["LimitCORE"] == "0"

    def test_the_image_leaves_out_what_is_secret(self) -> None:
        ignored = (DEPLOY.parent / ".dockerignore").read_text().splitlines()
        assert {".env", "var", "deploy/onetoken.env", ".git"} <= set(ignored)
