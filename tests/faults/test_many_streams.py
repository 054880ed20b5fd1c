"""1 500 streams at the same moment: each is served whole or clearly refused, and nothing of them is left behind."""

import asyncio
import json
import os
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from onetoken_app.relay.runtime import raise_descriptor_limit
from tests.support.installation import Installation, RunningProcess, apply_file
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS, Exchange, answers_usually, scripted_upstream

CALLERS = 1_500
PLACES = 1_000
UPSTREAM_SECONDS = 0.5
DESCRIPTORS_LEFT_MAX = 40
"""Beside those of the start; connections to the upstream are kept for half a minute first."""
MEMORY_GROWTH_MIB_MAX = 30
"""Of a second round over the first: what the first one needed is kept by the allocator and used again."""


async def answers_late(exchange: Exchange) -> None:
    """Answer like a good provider that thinks first."""
    await asyncio.sleep(UPSTREAM_SECONDS)
    await answers_usually(exchange)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one caller got."""

    status: int
    head: str
    body: bytes

    @property
    def is_whole(self) -> bool:
        """Whether it is a stream with its end."""
        return self.status == 200 and b"data: [DONE]\n\n" in self.body


async def ask(running: RunningProcess, secret: str) -> Answer:
    """Make one streaming call on a connection of its own, with no client that could be what is slow."""
    call = {"model": "mock", "stream": True, "max_tokens": 100, "messages": [{"role": "user", "content": "Say hello."}]}
    body = json.dumps(call).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer {secret}\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    try:
        writer.write(head.encode() + body)
        received = await reader.read(-1)
    finally:
        writer.close()
    head_bytes, _, rest = received.partition(b"\r\n\r\n")
    return Answer(int(received[9:12] or b"0"), head_bytes.decode().lower(), rest)


async def round_of_calls(running: RunningProcess, secret: str) -> list[Answer]:
    """Let all callers call at once. Callers and upstream stand in this process: it needs two descriptors a call."""
    raise_descriptor_limit()
    async with asyncio.timeout(90):
        return list(await asyncio.gather(*(ask(running, secret) for _ in range(CALLERS))))


def descriptor_count(pid: int) -> int:
    """Count what a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def resident_mib(pid: int) -> float:
    """Return the memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def until_descriptors_are_back(pid: int, most: int) -> None:
    """Wait until the connections of callers and upstreams are closed."""
    async with asyncio.timeout(60):
        while descriptor_count(pid) > most:  # noqa: ASYNC110 # another process closes them
            await asyncio.sleep(0.1)


@pytest.mark.long
@pytest.mark.timeout(300)
class TestManyStreams:
    async def test_all_are_served_whole_and_nothing_is_left_behind(self, tmp_path: Path) -> None:
        installation = Installation(tmp_path)
        async with scripted_upstream(answers_late, backlog=CALLERS) as upstream:
            (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
            with ExitStack() as stack:
                running = await asyncio.to_thread(stack.enter_context, installation.relay())
                assert (await ask(running, secret)).is_whole
                pid = running.process.pid
                before = descriptor_count(pid)
                answers = await round_of_calls(running, secret)
                after_first_mib = resident_mib(pid)
                answers += await round_of_calls(running, secret)
                await until_descriptors_are_back(pid, before + DESCRIPTORS_LEFT_MAX)
                assert resident_mib(pid) - after_first_mib < MEMORY_GROWTH_MIB_MAX
                self.check(installation, answers, calls_before=1)
                assert all(answer.is_whole for answer in answers), Counter(answer.status for answer in answers)
                assert await asyncio.to_thread(running.stop) == 0

    async def test_beyond_the_places_of_a_process_the_rest_is_told_when_to_come_back(self, tmp_path: Path) -> None:
        installation = Installation(tmp_path, variables={"ONETOKEN_IN_FLIGHT_REQUESTS_MAX": str(PLACES)})
        async with scripted_upstream(answers_late, backlog=CALLERS) as upstream:
            (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
            with ExitStack() as stack:
                running = await asyncio.to_thread(stack.enter_context, installation.relay())
                answers = await round_of_calls(running, secret)
                refused = [answer for answer in answers if not answer.is_whole]
                assert {answer.status for answer in refused} <= {503}
                assert all("\r\nretry-after: 1" in answer.head for answer in refused)
                assert all(b'"overloaded"' in answer.body for answer in refused)
                assert len(answers) - len(refused) >= PLACES
                self.check(installation, answers, calls_before=0)

    @staticmethod
    def check(installation: Installation, answers: list[Answer], *, calls_before: int) -> None:
        """Check that exactly the whole answers are charged, and the books are in order."""
        whole_count = sum(answer.is_whole for answer in answers) + calls_before
        report = installation.verified()
        assert (report["settled"], report["open_holds"]) == (whole_count, 0)
        ((held,),) = installation.rows("SELECT held_nanos FROM ledger_account WHERE kind = 'prepaid'")
        ((charged,),) = installation.rows("SELECT sum(charge_nanos) FROM usage_record")
        assert (held, charged) == (0, whole_count * USUAL_CHARGE_NANOS)
