"""Descriptors run out while the ledger's writer is killed: refused meanwhile, served again without a restart."""

import asyncio
import json
import os
import resource
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from tests.support.installation import Installation, RunningProcess, apply_file, wait_for_line
from tests.support.scripted_upstream import answers_usually, scripted_upstream

BODY = {"model": "mock", "messages": [{"role": "user", "content": "Say hello."}]}
SERVED_AGAIN_SECONDS_MAX = 30.0


def limits_of(running: RunningProcess) -> tuple[int, int]:
    """Return the soft and the hard limit of a server's descriptors."""
    return resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)


def kill_writer(running: RunningProcess) -> None:
    """Kill the ledger's writer of a server that runs as one process."""
    written = wait_for_line(running, "ledger_writer_started")
    (line,) = [line for line in written.splitlines() if "ledger_writer_started" in line]
    os.kill(json.loads(line)["pid"], signal.SIGKILL)


async def until_status(client: httpx.AsyncClient, status: int) -> None:
    """Call until an answer has the status."""
    deadline = time.monotonic() + SERVED_AGAIN_SECONDS_MAX
    while True:
        with suppress(httpx.TransportError):
            if (await client.post("/v1/chat/completions", json=BODY)).status_code == status:
                return
        assert time.monotonic() < deadline, f"never answered with {status}"
        await asyncio.sleep(0.05)


@pytest.mark.long
class TestDescriptors:
    async def test_a_relay_that_ran_out_of_them_serves_again_when_there_is_room(self, tmp_path: Path) -> None:
        installation = Installation(tmp_path)
        async with scripted_upstream(answers_usually) as upstream:
            (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
            with ExitStack() as stack:
                running = await asyncio.to_thread(stack.enter_context, installation.relay())
                headers = {"authorization": f"Bearer {secret}"}
                async with httpx.AsyncClient(
                    base_url=running.url, timeout=30, trust_env=False, headers=headers
                ) as client:
                    await until_status(client, 200)
                    _, hard = limits_of(running)
                    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (3, hard))
                    await asyncio.to_thread(kill_writer, running)
                    await until_status(client, 503)
                    await asyncio.to_thread(wait_for_line, running, "EMFILE")
                    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
                    await until_status(client, 200)
                assert (await asyncio.to_thread(installation.verified))["open_holds"] == 0

    async def test_a_relay_may_open_as_many_as_the_system_lets_it(self, tmp_path: Path) -> None:
        installation = Installation(tmp_path)
        async with scripted_upstream(answers_usually) as upstream:
            await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
            with ExitStack() as stack:
                few = ["prlimit", "--nofile=1024:4096"]
                running = await asyncio.to_thread(stack.enter_context, installation.relay(under=few))
                assert limits_of(running) == (4096, 4096)
