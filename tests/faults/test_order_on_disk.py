"""A12: the order in which things reach disk and sockets, as the system saw it (strace), not as our code tells it."""

import asyncio
import os
import re
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.support.installation import Installation, RunningProcess, apply_file
from tests.support.postgresql import PostgresqlServer
from tests.support.scripted_upstream import answers_usually, scripted_upstream

TRACER = [
    "strace", "--follow-forks", "--decode-fds=all", "--string-limit=65536", "--seccomp-bpf", "-qq",
    "--trace=fdatasync,fsync,read,recvfrom,recvmsg,write,writev,sendto,sendmsg",
]  # fmt: skip
_SYNC_DONE = re.compile(r"f(?:data)?sync(?:\(\d+<(?P<file>[^>]*)>\)| resumed>\)) += 0")
_SYNC_BEGUN = re.compile(r"^(?P<pid>\d+) +f(?:data)?sync\(\d+<(?P<file>[^>]*)> <unfinished")
_MOVED = re.compile(r"^(?P<pid>\d+) +(?P<call>[a-z]+)\((?P<socket>\d+)<(?P<kind>[^:>]*)")
_RECEIVING = r"(?:read|recvfrom|recvmsg)"
_COMMITTED = r"COMMIT\0"
_HOLD_WORDS, _CLOSE_WORDS = "INSERT INTO ledger_hold ", "INSERT INTO ledger_hold_close "
_SENDING = r"(?:write|writev|sendto|sendmsg)"


async def trace_of_a_call(installation: Installation, *, is_streaming: bool) -> tuple[list[str], int, int]:
    """Make one call through a traced relay; return the trace, the relay's port and the upstream's."""
    trace_file = installation.folder / "trace"
    async with scripted_upstream(answers_usually) as upstream:
        (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
        with ExitStack() as stack:
            traced = installation.relay(under=[*TRACER, f"--output={trace_file}"])
            running = await asyncio.to_thread(stack.enter_context, traced)
            body = {"model": "mock", "stream": is_streaming, "messages": [{"role": "user", "content": "Say hello."}]}
            async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
                reply = await client.post(
                    f"{running.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {secret}"}
                )
            assert reply.status_code == 200
            await asyncio.to_thread(stop_traced, running)
            return trace_file.read_text(errors="replace").splitlines(), running.port, upstream.port


def stop_traced(running: RunningProcess) -> None:
    """Stop the relay under its tracer, which keeps signals for itself, and let the tracer write its last line."""
    tracer = running.process.pid
    (relay,) = Path(f"/proc/{tracer}/task/{tracer}/children").read_text().split()
    os.kill(int(relay), signal.SIGTERM)
    running.process.wait(60)


def first(lines: list[str], is_it: Callable[[str], object], *, after: int = 0) -> int:
    """Return the place of the first line that is it."""
    for place in range(after, len(lines)):
        if is_it(lines[place]):
            return place
    pytest.fail("the trace has no such line")


def has(direction: str, port: int, words: str, *, is_local: bool) -> Callable[[str], bool]:
    """Match a call that moves ``words`` over a connection of a port, which is ours or the other side's."""
    address = rf"127\.0\.0\.1:{port}->" if is_local else rf"->127\.0\.0\.1:{port}\]"
    pattern = re.compile(rf"{direction}\(\d+<TCP:\[[^>]*{address}")
    return lambda line: bool(pattern.search(line)) and words in line


def synced_between(lines: list[str], start: int, end: int) -> bool:
    """Whether a sync of the database's log was asked for after ``start`` and was done before ``end``."""
    begun: set[str] = set()
    for line in lines[start:end]:
        pid = line.split(maxsplit=1)[0]
        if (unfinished := _SYNC_BEGUN.search(line)) and "onetoken.sqlite3-wal" in unfinished["file"]:
            begun.add(pid)
        elif done := _SYNC_DONE.search(line):
            if done["file"] is None and pid in begun:
                return True
            if done["file"] is not None and "onetoken.sqlite3-wal" in done["file"]:
                return True
    return False


def committed_between(lines: list[str], words: str, start: int, end: int) -> bool:
    """Whether the writer asked PostgreSQL to write ``words`` after ``start``, and read of the commit before ``end``.

    PostgreSQL answers ``COMMIT`` only when its log is on disk (``synchronous_commit``), which its own tests show; what
    is ours is to have read that answer before anybody else hears.
    """
    asked: tuple[str, str] | None = None
    for line in lines[start:end]:
        moved = _MOVED.search(line)
        if moved is None:
            continue
        connection = moved["pid"], moved["socket"]
        if re.match(_SENDING, moved["call"]) and words in line:
            asked = connection
        elif re.match(_RECEIVING, moved["call"]) and connection == asked and _COMMITTED in line:
            return True
    return False


@pytest.mark.row("A12")
@pytest.mark.long
class TestOrder:
    @pytest.mark.parametrize("is_streaming", [False, True], ids=["plain", "streaming"])
    async def test_the_hold_is_durable_before_the_upstream_hears_and_the_close_before_the_caller_sees_the_end(
        self, tmp_path: Path, *, is_streaming: bool
    ) -> None:
        lines, relay_port, upstream_port = await trace_of_a_call(Installation(tmp_path), is_streaming=is_streaming)
        end_words = "[DONE]" if is_streaming else "chat.completion"
        asked = first(lines, has(_RECEIVING, relay_port, "POST /v1/chat/completions", is_local=True))
        sent = first(lines, has(_SENDING, upstream_port, "POST /v1/chat/completions", is_local=False), after=asked)
        answered = first(lines, has(_RECEIVING, upstream_port, end_words, is_local=False), after=sent)
        ended = first(lines, has(_SENDING, relay_port, end_words, is_local=True), after=sent)
        assert asked < sent < answered < ended
        assert synced_between(lines, asked, sent), "the upstream heard of the call before its hold was durable"
        assert synced_between(lines, answered, ended), "the caller saw the end before the close was durable"

    async def test_the_first_words_of_a_stream_do_not_wait_for_the_close(self, tmp_path: Path) -> None:
        lines, relay_port, upstream_port = await trace_of_a_call(Installation(tmp_path), is_streaming=True)
        spoke = first(lines, has(_RECEIVING, upstream_port, "hello", is_local=False))
        heard = first(lines, has(_SENDING, relay_port, "hello", is_local=True), after=spoke)
        assert not synced_between(lines, spoke, heard)


@pytest.mark.row("A12")
@pytest.mark.long
class TestOrderOnPostgresql:
    @pytest.mark.parametrize("is_streaming", [False, True], ids=["plain", "streaming"])
    async def test_the_commits_were_heard_of_before_the_upstream_hears_and_before_the_caller_sees_the_end(
        self, tmp_path: Path, postgresql_server: PostgresqlServer, *, is_streaming: bool
    ) -> None:
        url = postgresql_server.url(postgresql_server.create_database())
        lines, relay_port, upstream_port = await trace_of_a_call(
            Installation(tmp_path).on_postgresql(url), is_streaming=is_streaming
        )
        end_words = "[DONE]" if is_streaming else "chat.completion"
        asked = first(lines, has(_RECEIVING, relay_port, "POST /v1/chat/completions", is_local=True))
        sent = first(lines, has(_SENDING, upstream_port, "POST /v1/chat/completions", is_local=False), after=asked)
        answered = first(lines, has(_RECEIVING, upstream_port, end_words, is_local=False), after=sent)
        ended = first(lines, has(_SENDING, relay_port, end_words, is_local=True), after=sent)
        assert asked < sent < answered < ended
        assert committed_between(lines, _HOLD_WORDS, asked, sent), "the upstream heard before the hold's commit was"
        assert committed_between(lines, _CLOSE_WORDS, answered, ended), "the caller saw the end before the commit was"
        assert first(lines, lambda line: "synchronous_commit TO on" in line) < asked


class TestSyncedBetween:
    @pytest.mark.parametrize(
        ("lines", "is_synced"),
        [
            pytest.param(["7 fdatasync(3</d/onetoken.sqlite3-wal>) = 0"], True, id="done at once"),
            pytest.param(["7 fdatasync(3</d/other>) = 0"], False, id="another file"),
            pytest.param(["7 fdatasync(3</d/onetoken.sqlite3-wal> <unfinished ...>"], False, id="begun and not done"),
            pytest.param(
                ["7 fdatasync(3</d/onetoken.sqlite3-wal> <unfinished ...>", "7 <... fdatasync resumed>) = 0"],
                True,
                id="begun and done",
            ),
            pytest.param(["7 <... fdatasync resumed>) = 0"], False, id="begun before"),
        ],
    )
    def test_it_sees_what_the_trace_proves(self, lines: list[str], *, is_synced: bool) -> None:
        assert synced_between(lines, 0, len(lines)) is is_synced


class TestCommittedBetween:
    @pytest.mark.parametrize(
        ("answer", "is_committed"),
        [
            pytest.param(r'7 recvfrom(5<UNIX-STREAM:[1->2]>, "C\0\0\0\vCOMMIT\0Z", 9) = 9', True, id="heard of"),
            pytest.param(r'7 recvfrom(5<UNIX-STREAM:[1->2]>, "INSERT 0 1\0", 9) = 9', False, id="not committed"),
            pytest.param(r'7 recvfrom(6<UNIX-STREAM:[1->3]>, "COMMIT\0", 9) = 9', False, id="on another connection"),
            pytest.param(r'8 recvfrom(5<UNIX-STREAM:[1->2]>, "COMMIT\0", 9) = 9', False, id="by another process"),
        ],
    )
    def test_it_sees_what_the_trace_proves(self, answer: str, *, is_committed: bool) -> None:
        asked = '7 sendto(5<UNIX-STREAM:[1->2]>, "INSERT INTO ledger_hold (request_id", 9) = 9'
        assert committed_between([asked, answer], _HOLD_WORDS, 0, 2) is is_committed
        assert not committed_between([answer, asked], _HOLD_WORDS, 0, 2)
