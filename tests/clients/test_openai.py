"""The official ``openai`` client, unchanged, against real processes: the relay alone, and the demo with its model."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from onetoken_app.demo.model_server import MODEL_NAME
from tests.support.installation import Installation, RunningProcess, apply_file
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS, answers_usually, scripted_upstream

MESSAGES: Any = [{"role": "user", "content": "Explain gravity in one sentence."}]


def client_of(running: RunningProcess, secret: str) -> openai.OpenAI:
    """Return a client that is told the address and the key, and nothing else."""
    return openai.OpenAI(api_key=secret, base_url=f"{running.url}/v1", max_retries=0, timeout=100)


def async_client_of(running: RunningProcess, secret: str) -> openai.AsyncOpenAI:
    """Return the same for tests whose upstream runs in their own loop."""
    return openai.AsyncOpenAI(api_key=secret, base_url=f"{running.url}/v1", max_retries=0, timeout=60)


class TestAgainstTheRelay:
    @pytest.fixture
    async def relay(self, tmp_path: Path) -> AsyncIterator[tuple[Installation, RunningProcess, str]]:
        """A relay's processes in front of a scripted upstream."""
        installation = Installation(tmp_path)
        async with scripted_upstream(answers_usually) as upstream:
            (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
            context = installation.relay()
            running = await asyncio.to_thread(context.__enter__)
            try:
                yield installation, running, secret
            finally:
                context.__exit__(None, None, None)

    async def test_each_whole_reply_is_charged_once(self, relay: tuple[Installation, RunningProcess, str]) -> None:
        installation, running, secret = relay
        async with async_client_of(running, secret) as client:
            plain = await client.chat.completions.create(model="mock", messages=MESSAGES)
            assert plain.choices[0].message.content == "hello there"
            stream = await client.chat.completions.create(model="mock", messages=MESSAGES, stream=True)
            words = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
            assert "".join(words) == "hello there"
            async with client.responses.stream(model="mock", input="Say hello.") as events:
                said = [event.delta async for event in events if event.type == "response.output_text.delta"]
            assert "".join(said) == "hello there"
            assert (await client.responses.create(model="mock", input="Say hello.")).output_text == "hello there"
            assert [model.id async for model in client.models.list()] == ["mock"]
        rows = await asyncio.to_thread(installation.rows, "SELECT outcome, amount_nanos FROM ledger_audit")
        assert rows == [("settled", USUAL_CHARGE_NANOS)] * 4
        assert (await asyncio.to_thread(installation.verified))["settled"] == 4
        assert await asyncio.to_thread(running.stop) == 0

    async def test_refusals_are_the_clients_own_errors(self, relay: tuple[Installation, RunningProcess, str]) -> None:
        _, running, secret = relay
        async with async_client_of(running, secret) as client:
            with pytest.raises(openai.NotFoundError):
                await client.chat.completions.create(model="nothing", messages=MESSAGES)
            with pytest.raises(openai.BadRequestError):
                await client.chat.completions.create(model="mock", messages=MESSAGES, max_tokens=-1)
        async with async_client_of(running, "otk_live_wrong") as client:
            with pytest.raises(openai.AuthenticationError):
                await client.chat.completions.create(model="mock", messages=MESSAGES)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, RunningProcess]]:
    """What a newcomer has after ``make run``."""
    installation = Installation(tmp_path_factory.mktemp("demo"))
    with installation.console("--demo") as running:
        yield installation, running


@pytest.mark.long
@pytest.mark.timeout(600)
class TestAgainstTheDemo:
    @staticmethod
    def printed_call(running: RunningProcess) -> str:
        """Find the line that a newcomer pastes."""
        (line,) = [line for line in running.output_file.read_text().splitlines() if line.startswith("curl ")]
        return line

    def test_the_printed_call_answers_and_another_question_gets_another_answer(
        self, demo: tuple[Installation, RunningProcess]
    ) -> None:
        answers = set()
        for question in ("Explain gravity in one sentence.", "Write one sentence about rain."):
            call = self.printed_call(demo[1]).replace("Explain gravity in one sentence.", question)
            done = subprocess.run(["/bin/sh", "-c", call], capture_output=True, text=True, check=True)
            answers.add(json.loads(done.stdout)["choices"][0]["message"]["content"])
        assert len(answers) == 2
        assert all(answers)

    def test_plain_and_streamed_calls_are_charged_at_the_models_own_figures(
        self, demo: tuple[Installation, RunningProcess]
    ) -> None:
        installation, running = demo
        secret = json.loads((installation.data_dir / "demo.json").read_text())["api_key"]
        with client_of(running, secret) as client:
            asked: Any = {"model": MODEL_NAME, "messages": MESSAGES, "max_tokens": 20}
            plain = client.chat.completions.create(**asked)
            chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
            without = list(client.chat.completions.create(**asked, stream=True))
        assert plain.usage
        assert plain.usage.completion_tokens <= 20
        assert chunks[-1].usage
        assert not chunks[-1].choices
        assert all(chunk.usage is None and chunk.choices for chunk in without)
        rows = installation.rows("SELECT output_tokens, usage_source FROM usage_record ORDER BY requested_at DESC")
        assert rows[2][0] == plain.usage.completion_tokens
        assert rows[1][0] == chunks[-1].usage.completion_tokens
        assert {source for _, source in rows} == {"upstream"}
        assert installation.verified()["open_holds"] == 0

    def test_a_second_start_keeps_everything_and_prints_the_same_key(
        self, demo: tuple[Installation, RunningProcess]
    ) -> None:
        installation, running = demo
        assert running.stop() == 0
        calls = installation.rows("SELECT count(*) FROM usage_record")
        first_call = self.printed_call(running)
        with installation.console("--demo", port=running.port) as again:
            assert self.printed_call(again) == first_call
            assert installation.rows("SELECT count(*) FROM usage_record") == calls
