"""Nothing of a prompt or an answer reaches a disk: canaries through every way a call ends, at the loudest log level."""

import asyncio
import base64
import gzip
import json
import os
import pickle
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from onetoken_app.console import front_end
from tests.faults.canaries import PREFIX, Canaries, encodings
from tests.support.installation import Installation, RunningProcess, apply_file, wait_for_line
from tests.support.scripted_upstream import (
    USUAL_USAGE,
    Exchange,
    Json,
    ScriptedUpstream,
    chunk,
    completion,
    scripted_upstream,
    usage_chunk,
)


class Parrot:
    """An upstream that answers, fails and garbles, and each time says a canary and what it was asked."""

    def __init__(self, canaries: Canaries) -> None:
        """Begin with the good way."""
        self.canaries = canaries
        self.kept = Canaries()
        """What has to be found: a call's User-Agent is kept by design."""
        self.user_agent = self.kept.new("User-Agent").removesuffix("-é")
        self.way = "success"

    async def behave(self, exchange: Exchange) -> None:
        """Answer in the way that is set."""
        echo = json.dumps(exchange.body, ensure_ascii=False)
        said = self.canaries.new(f"answer, {self.way}") + echo
        error: Json = {"error": {"message": said, "type": said, "code": said, "param": said}}
        if self.way == "success":
            await exchange.answer(200, completion(said, usage=USUAL_USAGE), x_request_id=said.encode().hex())
        elif self.way in {"stream", "hang-up", "kill", "error in stream", "garbage in stream"}:
            await self._stream(exchange, said, error)
        elif self.way == "error 400":
            await exchange.answer(400, error)
        elif self.way == "error 500":
            await exchange.answer(500, error)
        elif self.way == "error 401":
            await exchange.answer(401, error)
        else:
            await exchange.answer(200, said.encode())

    async def _stream(self, exchange: Exchange, said: str, error: Json) -> None:
        """Stream what is said, and end as the way demands."""
        await exchange.begin_stream()
        await exchange.send_event(chunk(said))
        if self.way in {"hang-up", "kill"}:
            await exchange.until_peer_closes()
            return
        if self.way == "error in stream":
            await exchange.send_event(error)
        elif self.way == "garbage in stream":
            await exchange.send_piece(b"data: {" + said.encode() + b"\n\n")
        else:
            await exchange.send_event(chunk(finish_reason="stop"))
            await exchange.send_event(usage_chunk(USUAL_USAGE))
            await exchange.send_event("[DONE]")
        await exchange.end_stream()


REFLEX_STATE = [front_end.PROJECT_ROOT / name for name in (".states", ".web/build", ".web/backend")]
"""Where Reflex keeps files outside of the data folder."""
PLAIN_WAYS = ("success", "error 400", "error 500", "error 401", "garbage")
STREAM_WAYS = ("stream", "error in stream", "garbage in stream", "hang-up", "kill")


def request_with_canaries(canaries: Canaries, way: str, *, is_streaming: bool) -> dict[str, Any]:
    """Write a request with a canary in each member that a caller fills."""

    def canary(member: str) -> str:
        return canaries.new(f"{member}, {way}")

    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": canary("tool arguments")}}
    return {
        "model": "mock",
        "stream": is_streaming,
        "messages": [
            {"role": "system", "content": canary("system")},
            {"role": "user", "name": "n", "content": [{"type": "text", "text": canary("user")}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": canary("tool result")},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": canary("tool description")}}],
        "metadata": {"note": canary("metadata")},
        "user": canary("user id"),
        "stop": [canary("stop")],
    }


async def call(running: RunningProcess, secret: str, parrot: Parrot, way: str) -> None:
    """Make one call that ends in one way."""
    parrot.way = way
    is_streaming = way in STREAM_WAYS
    headers = {
        "authorization": f"Bearer {secret}",
        "user-agent": parrot.user_agent,
        "idempotency-key": parrot.canaries.new(f"idempotency key, {way}").encode().hex(),
        "x-note": parrot.canaries.new(f"header, {way}").encode().hex(),
    }
    body = request_with_canaries(parrot.canaries, way, is_streaming=is_streaming)
    async with httpx.AsyncClient(timeout=60, trust_env=False, headers=headers) as client:
        with suppress(httpx.HTTPError):
            async with client.stream("POST", f"{running.url}/v1/chat/completions", json=body) as reply:
                async for _ in reply.aiter_bytes():
                    if way == "kill":
                        running.kill_group()
                    if way in {"hang-up", "kill"}:
                        break
        if way == "success":
            await post_what_is_refused(client, running, parrot.canaries)


async def post_what_is_refused(client: httpx.AsyncClient, running: RunningProcess, canaries: Canaries) -> None:
    """Send what never reaches an upstream: broken, unknown, wrongly keyed, compressed."""
    url = f"{running.url}/v1/chat/completions"
    unknown = {"model": canaries.new("unknown model"), "messages": [{"role": "user", "content": "x"}]}
    await client.post(url, json=unknown)
    await client.post(url, content=b'{"model": "mock", "messages": "' + canaries.new("broken JSON").encode())
    await client.post(
        url, json=unknown, headers={"authorization": f"Bearer {canaries.new('wrong key').encode().hex()}"}
    )
    packed = gzip.compress(canaries.new("compressed").encode())
    await client.post(url, content=packed, headers={"content-encoding": "gzip"})
    await client.get(f"{running.url}/v1/models/{canaries.new('path')}")
    await client.get(f"{running.url}/v1/models?key={canaries.new('query')}")


async def until_closed(installation: Installation, count: int) -> None:
    """Wait until that many calls are closed, so that everything that would be written has been."""
    async with asyncio.timeout(30):
        while installation.rows("SELECT count(*) FROM ledger_hold_close")[0][0] < count:  # noqa: ASYNC110 # a database has no event
            await asyncio.sleep(0.02)


@pytest.mark.long
class TestNothingOfACallIsKept:
    @pytest.mark.timeout(400)
    @pytest.mark.parametrize("verb", ["relay", "up"])
    async def test_no_canary_is_found_whatever_becomes_of_the_call(self, tmp_path: Path, verb: str) -> None:
        installation = Installation(tmp_path, variables={"ONETOKEN_LOG_LEVEL": "debug"})
        parrot = Parrot(Canaries())
        async with scripted_upstream(parrot.behave) as upstream:
            await self.run_everything(installation, parrot, upstream, verb=verb)
        backup = tmp_path / "backup"
        await asyncio.to_thread(installation.succeed, "backup", str(backup))
        assert len(parrot.canaries.by_field) > 100
        assert parrot.canaries.found_in(tmp_path, *REFLEX_STATE) == []
        assert parrot.kept.found_in(installation.data_dir), "the search is blind to what the relay writes"
        assert parrot.kept.found_in(backup), "the search is blind to what a backup holds"

    async def run_everything(
        self, installation: Installation, parrot: Parrot, upstream: ScriptedUpstream, *, verb: str
    ) -> None:
        """Make a call that ends in each way, a kill last, and start once more."""
        (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
        with ExitStack() as stack:
            running = await asyncio.to_thread(stack.enter_context, installation.serving(verb))
            for way in (*PLAIN_WAYS, *STREAM_WAYS):
                await call(running, secret, parrot, way)
        with ExitStack() as stack:
            running = await asyncio.to_thread(stack.enter_context, installation.serving(verb))
            await until_closed(installation, len(PLAIN_WAYS) + len(STREAM_WAYS))
            await asyncio.to_thread(running.stop)


class TestSearch:
    """Positive controls: a canary that is planted in a place of each kind is found there."""

    @pytest.mark.parametrize("encoding", sorted(encodings("x-é")))
    def test_a_canary_in_a_log_is_found_in_each_encoding(self, tmp_path: Path, encoding: str) -> None:
        canaries = Canaries()
        needle = encodings(canaries.new("planted"))[encoding]
        (tmp_path / "output.log").write_bytes(b"before " + needle + b" after")
        assert f"planted as {encoding} in {tmp_path / 'output.log'}" in canaries.found_in(tmp_path)

    def test_base64_of_a_longer_text_is_found_wherever_the_canary_begins(self, tmp_path: Path) -> None:
        canaries = Canaries()
        canary = canaries.new("planted").encode()
        for shift in range(6):
            path = tmp_path / str(shift)
            path.write_bytes(base64.b64encode(b"x" * shift + canary + b"tail"))
            assert any(str(path) in line for line in canaries.found_in(tmp_path))

    def test_a_canary_in_a_temporary_file_deep_in_the_folder_is_found(self, tmp_path: Path) -> None:
        canaries = Canaries()
        deep = tmp_path / "tmp" / "a" / "b"
        deep.mkdir(parents=True)
        (deep / "spooled").write_text(json.dumps({"content": canaries.new("planted")}))
        assert len(canaries.found_in(tmp_path)) >= 1

    def test_a_canary_in_the_database_is_found_before_it_leaves_the_log(self, tmp_path: Path) -> None:
        canaries = Canaries()
        with closing(sqlite3.connect(tmp_path / "planted.sqlite3")) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE t (x TEXT)")
            connection.execute("INSERT INTO t VALUES (?)", (canaries.new("planted"),))
            connection.commit()
            assert any("planted.sqlite3-wal" in line for line in canaries.found_in(tmp_path))
        assert any(line.endswith("planted.sqlite3") for line in canaries.found_in(tmp_path))

    def test_what_a_process_of_the_installation_spools_is_searched(self, tmp_path: Path) -> None:
        installation = Installation(tmp_path)
        canaries = Canaries()
        (tmp_path / "tmp").mkdir()
        spool = "import sys, tempfile; tempfile.NamedTemporaryFile('w', delete=False).write(sys.argv[1])"
        subprocess.run([sys.executable, "-c", spool, canaries.new("spooled")], env=installation.environment, check=True)
        assert canaries.found_in(tmp_path)

    def test_reflex_keeps_its_files_where_they_are_searched(self, tmp_path: Path) -> None:
        ask = "from reflex.utils import prerequisites as p; print(p.get_states_dir()); print(p.get_web_dir())"
        asked = subprocess.run(
            [sys.executable, "-c", ask], cwd=front_end.PROJECT_ROOT, env=Installation(tmp_path).environment,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        states, web = (front_end.PROJECT_ROOT / line for line in asked.stdout.split())
        assert [states, web / "build", web / "backend"] == REFLEX_STATE

    @pytest.mark.parametrize("place", REFLEX_STATE, ids=lambda place: str(place.relative_to(front_end.PROJECT_ROOT)))
    def test_a_canary_in_a_file_of_reflex_is_found(self, place: Path) -> None:
        canaries = Canaries()
        was_there = place.exists()
        place.mkdir(parents=True, exist_ok=True)
        planted = place / f"{PREFIX}planted-{os.getpid()}"
        try:
            planted.write_bytes(pickle.dumps({"text": canaries.new("planted")}))
            assert any(str(planted) in line for line in canaries.found_in(*REFLEX_STATE))
        finally:
            planted.unlink()
            if not was_there:
                place.rmdir()

    def test_what_a_server_writes_to_its_log_is_searched(self, tmp_path: Path) -> None:
        installation = Installation(tmp_path)
        canaries = Canaries()
        with installation.server(canaries.new("planted as a verb")) as running:
            running.process.wait(60)
        assert "No such command" in wait_for_line(running, "No such command")
        assert canaries.found_in(tmp_path)
