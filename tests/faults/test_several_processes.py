"""On PostgreSQL: one balance for several processes, nothing lost by a kill, nothing of a call on the server's disk."""

import asyncio
import os
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from onetoken_app.money import format_amount, parse_amount
from tests.faults.canaries import Canaries
from tests.faults.load import Load
from tests.faults.test_canaries import PLAIN_WAYS, STREAM_WAYS, Parrot, call
from tests.faults.test_kill import charges, streams_slowly
from tests.support.installation import START_SECONDS_MAX, Installation, RunningProcess, apply_file
from tests.support.postgresql import PostgresqlServer
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS, Exchange, answers_usually, scripted_upstream

WORKERS = ["--workers", "4"]
HOLDS_RETURN_SECONDS_MAX = 15.0
CALLS = 16


@pytest.fixture
def installation(tmp_path: Path, postgresql_server: PostgresqlServer) -> Installation:
    """A fresh installation on a fresh database of the run's server."""
    return Installation(tmp_path).on_postgresql(postgresql_server.url(postgresql_server.create_database()))


async def until_ready(running: RunningProcess) -> None:
    """Wait until the processes admit calls."""
    async with asyncio.timeout(START_SECONDS_MAX), httpx.AsyncClient(trust_env=False) as client:
        while True:
            with suppress(httpx.HTTPError):
                if (await client.get(f"{running.url}/readyz", timeout=1)).status_code == 200:
                    return
            await asyncio.sleep(0.05)


async def until_no_hold_is_open(installation: Installation, *, seconds: float) -> None:
    """Wait until the survivors have closed what the dead left open."""
    query = (
        "SELECT count(*) FROM ledger_hold AS h LEFT JOIN ledger_hold_close AS c ON c.request_id = h.request_id "
        "WHERE c.request_id IS NULL"
    )
    since = time.monotonic()
    while (await asyncio.to_thread(installation.rows, query))[0][0]:
        assert time.monotonic() - since < seconds, "holds of a dead process stay open"
        await asyncio.sleep(0.05)


@pytest.mark.row("A1", "A2")
@pytest.mark.long
@pytest.mark.timeout(300)
class TestWorkersOnPostgresql:
    async def test_a_killed_group_loses_nothing_and_is_recovered(self, installation: Installation) -> None:
        async with scripted_upstream(streams_slowly) as upstream:
            (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
            with ExitStack() as stack:
                running = stack.enter_context(installation.server("relay", *WORKERS))
                await until_ready(running)
                load = Load(url=running.url, secret=secret, enough_count=100)
                async with asyncio.timeout(60), asyncio.TaskGroup() as callers:
                    for number in range(12):
                        callers.create_task(load.call_until_it_dies(is_streaming=number % 2 == 0))
                    await load.enough.wait()
                    await asyncio.to_thread(running.kill_group)
            with ExitStack() as stack:
                running = stack.enter_context(installation.server("relay", *WORKERS))
                await until_ready(running)
                await until_no_hold_is_open(installation, seconds=15)
                closed = await asyncio.to_thread(charges, installation)
                for request_id in load.complete_request_ids:
                    assert closed[request_id] == ("settled", USUAL_CHARGE_NANOS)
                assert (await asyncio.to_thread(installation.verified))["open_holds"] == 0
                assert await asyncio.to_thread(running.stop) == 0

    async def test_a_killed_worker_gives_its_holds_back_and_the_others_go_on(self, installation: Installation) -> None:
        goes_on = asyncio.Event()

        async def answers_late(exchange: Exchange) -> None:
            await goes_on.wait()
            await answers_usually(exchange)

        async with scripted_upstream(answers_late) as upstream:
            (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
            with ExitStack() as stack:
                running = stack.enter_context(installation.server("relay", *WORKERS))
                await until_ready(running)
                calls = [asyncio.create_task(called(running, secret)) for _ in range(CALLS)]
                async with asyncio.timeout(60):
                    while len(upstream.exchanges) < CALLS:  # noqa: ASYNC110 # another process calls
                        await asyncio.sleep(0.02)
                dead_count = await kill_workers_until_calls_die(running, calls)
                killed_at = time.monotonic()
                while await recovered_count(installation) < dead_count:
                    assert time.monotonic() - killed_at < HOLDS_RETURN_SECONDS_MAX, "the dead worker's holds stay open"
                    await asyncio.sleep(0.1)
                goes_on.set()
                found = await asyncio.gather(*calls, return_exceptions=True)
                statuses = [answer.status_code for answer in found if isinstance(answer, httpx.Response)]
                report = await asyncio.to_thread(installation.verified)
        assert statuses == [200] * (CALLS - dead_count)
        assert (report["settled"], report["recovered"], report["open_holds"]) == (CALLS - dead_count, dead_count, 0)

    async def test_a_credit_for_37_holds_admits_37_of_200_at_once(self, installation: Installation) -> None:
        all_decided = asyncio.Event()

        async def answers_late(exchange: Exchange) -> None:
            await all_decided.wait()
            await answers_usually(exchange)

        async with scripted_upstream(answers_late) as upstream:
            (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url, credit="0"))
            with ExitStack() as stack:
                running = stack.enter_context(installation.server("relay", *WORKERS))
                await until_ready(running)
                needed = parse_amount((await called(running, secret)).json()["error"]["metadata"]["required"])
                credit = format_amount(37 * needed)
                await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url, credit=credit))
                calls = [asyncio.create_task(called(running, secret)) for _ in range(200)]
                async with asyncio.timeout(100):
                    while sum(call.done() for call in calls) < 163:  # noqa: ASYNC110 # many calls, no event
                        await asyncio.sleep(0.01)
                all_decided.set()
                statuses = [(await call).status_code for call in calls]
                report = await asyncio.to_thread(installation.verified)
        assert (statuses.count(200), statuses.count(402)) == (37, 163)
        assert (report["settled"], report["open_holds"]) == (37, 0)


async def kill_workers_until_calls_die(running: RunningProcess, calls: list[asyncio.Task[httpx.Response]]) -> int:
    """Kill one worker after the other until one had calls open; return how many calls died with it."""
    for pid in worker_pids(running):
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.5)
        if dead_count := sum(call.done() for call in calls):
            return dead_count
    pytest.fail("no worker carried a call")


def worker_pids(running: RunningProcess) -> list[int]:
    """Find the processes that serve, among those that the server's first process started."""
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def recovered_count(installation: Installation) -> int:
    """Count the holds that were closed for a process that died."""
    query = "SELECT count(*) FROM ledger_hold_close WHERE outcome = 'recovered'"
    return int((await asyncio.to_thread(installation.rows, query))[0][0])


async def called(running: RunningProcess, secret: str) -> httpx.Response:
    """Make one call on a connection of its own, so that any of the processes may get it."""
    body = {"model": "mock", "max_tokens": 1000, "messages": [{"role": "user", "content": "Say hello."}]}
    async with httpx.AsyncClient(timeout=100, trust_env=False) as client:
        return await client.post(
            f"{running.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {secret}"}
        )


@pytest.mark.long
@pytest.mark.timeout(300)
class TestNothingOfACallIsKept:
    async def test_no_canary_is_found_in_the_servers_folder_or_its_log(
        self, installation: Installation, postgresql_server: PostgresqlServer
    ) -> None:
        loud = Installation(installation.folder, installation.variables | {"ONETOKEN_LOG_LEVEL": "debug"})
        parrot = Parrot(Canaries())
        async with scripted_upstream(parrot.behave) as upstream:
            (secret,) = await asyncio.to_thread(loud.apply, apply_file(base_url=upstream.base_url))
            with ExitStack() as stack:
                running = await asyncio.to_thread(stack.enter_context, loud.relay())
                for way in (*PLAIN_WAYS, *STREAM_WAYS):
                    await call(running, secret, parrot, way)
            with ExitStack() as stack:
                await asyncio.to_thread(stack.enter_context, loud.relay())
                await until_no_hold_is_open(loud, seconds=15)
        await asyncio.to_thread(loud.rows, "SELECT 1 FROM pg_switch_wal()")
        assert len(parrot.canaries.by_field) > 100
        assert parrot.canaries.found_in(loud.folder, postgresql_server.data_dir) == []

    def test_a_canary_in_a_statement_is_found(
        self, installation: Installation, postgresql_server: PostgresqlServer
    ) -> None:
        """The positive control: what a table holds, and what a failing statement says, can be found."""
        canaries = Canaries()
        with psycopg.connect(installation.variables["ONETOKEN_DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE planted (x text)")
            connection.execute("INSERT INTO planted VALUES (%s)", (canaries.new("planted"),))
            connection.execute("CHECKPOINT")
            with pytest.raises(psycopg.Error):
                connection.execute(f"SELECT '{canaries.new('failing')}' FROM nowhere".encode())
        found = canaries.found_in(postgresql_server.data_dir)
        assert any(line.startswith("planted as UTF-8") for line in found)
        assert any(line.startswith("failing as UTF-8") and "log" in line for line in found)
