"""nginx in front of an installation, with the configuration that ``deploy/`` ships."""

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.certificates import context_of_server
from tests.support.installation import free_port
from tests.support.machine import ensure_program

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx"
_START_SECONDS_MAX = 20.0
_TEMPORARY_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True, slots=True)
class RunningProxy:
    """A proxy that answers."""

    folder: Path
    """All that it writes."""
    url: str
    plain_url: str
    """The address without TLS."""
    certificate_file: Path

    def written_bytes(self) -> bytes:
        """Return the content of every file that it wrote."""
        own = {"nginx.conf", "onetoken.conf", "proxied.conf", "certificate.pem", "key.pem"}
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path.name not in own)


@contextmanager
def running_proxy(folder: Path, servers: Mapping[str, int]) -> Iterator[RunningProxy]:
    """Run nginx until the block ends.

    Args:
        folder: Where it may write.
        servers: The port of each server that the configuration names, such as ``relay-1``, on loopback.
    """
    folder.mkdir()
    context_of_server(folder)
    secure_port, plain_port = free_port(), free_port()
    text = (CONFIGURATION / "onetoken.conf").read_text()
    replaced = {
        **{f"server {name}:8000": f"server 127.0.0.1:{port}" for name, port in servers.items()},
        "listen 443 ssl": f"listen 127.0.0.1:{secure_port} ssl",
        "listen 80": f"listen 127.0.0.1:{plain_port}",
        "/etc/nginx/tls/fullchain.pem": str(folder / "certificate.pem"),
        "/etc/nginx/tls/privkey.pem": str(folder / "key.pem"),
        "/etc/nginx/onetoken/proxied.conf": str(folder / "proxied.conf"),
    }
    for shipped, here in replaced.items():
        assert shipped in text, f"the configuration has no {shipped}"
        text = text.replace(shipped, here)
    (folder / "onetoken.conf").write_text(text)
    shutil.copy(CONFIGURATION / "proxied.conf", folder)
    temporary = "".join(f"{name}_temp_path {folder}/{name};" for name in _TEMPORARY_FOLDERS)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; worker_processes 2; events {{}} "
        f"http {{ {temporary} include {folder}/onetoken.conf; }}"
    )
    program = ensure_program("nginx", package="nginx-light")
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        proxy = RunningProxy(
            folder, f"https://127.0.0.1:{secure_port}", f"http://127.0.0.1:{plain_port}", folder / "certificate.pem"
        )
        _wait_until_it_listens(process, proxy)
        yield proxy
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], proxy: RunningProxy) -> None:
    """Wait for an answer, whatever it is."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _START_SECONDS_MAX
    while time.monotonic() < deadline:
        assert process.poll() is None, (proxy.folder / "output.log").read_text()
        try:
            opener.open(f"{proxy.plain_url}/v1/", timeout=1)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    message = "nginx does not answer"
    raise AssertionError(message)
