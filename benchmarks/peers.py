"""Measures the relay beside other gateways, in one run: LiteLLM's proxy and Portkey's gateway, one process each.

``python -m benchmarks.peers [--rounds 3] [--seconds 3] [--only P1,P3] [--home var/peers]``. They are installed from
PyPI and npm into a folder that can be thrown away, as they are published today; a folder that holds them is used again.
Neither keeps a ledger here: LiteLLM checks one master key and has no database, Portkey checks nothing. Ours does all it
does. Rounds are interleaved, figures are medians, and our books have to hold what our callers saw.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.load import Target
from benchmarks.measures import MEASURES, take_rounds
from benchmarks.servers import MODELS, Bench, Measured, bench, check_books, ours, process
from benchmarks.table import keep, medians, print_table
from tests.support.installation import free_port

_MASTER_KEY = "sk-bench-master"
_PORTKEY = "node_modules/@portkey-ai/gateway"


@contextmanager
def litellm(place: Bench, home: Path) -> Iterator[Measured]:
    """Run LiteLLM's proxy with one worker."""
    folder = home / "litellm"
    program = folder / "bin/litellm"
    if not program.exists():
        print("installing LiteLLM from PyPI", flush=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(folder / "bin/pip"), "install", "--quiet", "litellm[proxy]"])
    models = "".join(
        f"  - model_name: {model}\n    litellm_params:\n      model: openai/{model}\n"
        f"      api_base: http://127.0.0.1:{place.upstream_port}/v1\n      api_key: sk-upstream\n"
        for model in MODELS
    )
    file = place.folder / "litellm.yaml"
    file.write_text(f"model_list:\n{models}general_settings:\n  master_key: {_MASTER_KEY}\n")
    port = free_port()
    command = [str(program), "--config", str(file), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    environment = {**os.environ, "LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with process(command, place.folder / "litellm.log", port=port, environment=environment) as pid:
        yield Measured(Target("LiteLLM", port, {"authorization": f"Bearer {_MASTER_KEY}"}), pid)


@contextmanager
def portkey(place: Bench, home: Path) -> Iterator[Measured]:
    """Run Portkey's gateway on Node."""
    folder = home / "portkey"
    if not (folder / _PORTKEY).exists():
        print("installing Portkey's gateway from npm", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        _run([_beside_python("npm"), "install", "--no-audit", "--no-fund", "@portkey-ai/gateway"], folder=folder)
    port = free_port()
    command = [_beside_python("node"), str(folder / _PORTKEY / "build/start-server.js"), f"--port={port}", "--headless"]
    environment = {**os.environ, "NODE_ENV": "production"}
    headers = {
        "authorization": "Bearer sk-upstream",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{place.upstream_port}/v1",
    }
    with process(command, place.folder / "portkey.log", port=port, environment=environment) as pid:
        yield Measured(Target("Portkey", port, headers), pid)


def _beside_python(name: str) -> str:
    """Return a program of the environment, which brings its own Node."""
    return str(Path(sys.executable).parent / name)


def _run(command: list[str], *, folder: Path | None = None) -> None:
    """Run a step of an installation; its failure ends the run."""
    subprocess.run(command, check=True, cwd=folder)  # noqa: S603 # fixed commands


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a run of one measure takes, about")
    parser.add_argument("--only", default="P1,P2,P3,P4", help="measures by their first words")
    parser.add_argument("--home", type=Path, default=Path("var/peers"), help="where the others are installed")
    arguments = parser.parse_args()
    wanted = arguments.only.split(",")
    measures = tuple(measure for measure in MEASURES if measure.name.split()[0] in wanted)
    home = arguments.home.absolute()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        place = stack.enter_context(bench(Path(folder)))
        relay = stack.enter_context(ours(place))
        others = [stack.enter_context(portkey(place, home)), stack.enter_context(litellm(place, home))]
        taken = take_rounds(place, [relay, *others], measures, rounds=arguments.rounds, seconds=arguments.seconds)
        settled = check_books(place, relay)
    found = medians(taken)
    print_table(found)
    many = found.get("P1 64 connections", {})
    for other in others if many else []:
        ratio = many[relay.name]["requests/s"] / many[other.name]["requests/s"]
        print(f"\n{relay.name} answers {ratio:.1f} times as many calls a second as {other.name}.")
    print(f"\nThe books verify: {settled:,} calls settled, as many as the callers saw answered.")
    print(f"Every figure: {keep(taken, name='peers')}")


if __name__ == "__main__":
    main()
