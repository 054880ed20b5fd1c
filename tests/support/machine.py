"""What the tests need of a machine beyond Python packages: a Chromium, strace and nginx. ``make test`` runs this first.

Playwright's own browser is taken if it is there, else a Chromium on ``PATH``; what is missing is installed, with
Playwright or ``apt-get``. A test never skips for want of a program.
"""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

from tests.journeys.browser import NoBrowser, chromium_program


class MissingProgram(Exception):
    """A program that the tests need is neither here nor to be had."""


def has_chromium() -> bool:
    """Whether the journeys find a browser."""
    with sync_playwright() as playwright:
        try:
            chromium_program(playwright)
        except NoBrowser:
            return False
    return True


def main() -> None:
    """Install what is missing; exit 1 with a line that says what to do when that fails."""
    try:
        _ensure_chromium()
        ensure_program("strace", package="strace")  # shows the order of writes to disk and sockets
        ensure_program("nginx", package="nginx-light")  # stands in front of an installation
    except MissingProgram as error:
        sys.exit(str(error))


def _ensure_chromium() -> None:
    """Find or install a browser."""
    if has_chromium():
        return
    _say("no Chromium here: installing one")
    if not _install_package("chromium"):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if not has_chromium():
        message = "No Chromium: install one (apt-get install chromium), or: .venv/bin/playwright install chromium"
        raise MissingProgram(message)


def ensure_program(name: str, *, package: str) -> str:
    """Find or install a program of the system; return its path.

    Raises:
        MissingProgram: It is not here and cannot be installed.
    """
    places = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    if shutil.which(name, path=places) is None:
        _say(f"no {name} here: installing it")
        _install_package(package)
    found = shutil.which(name, path=places)
    if found is None:
        message = f"No {name}: install it (apt-get install {package})"
        raise MissingProgram(message)
    return found


def _install_package(name: str) -> bool:
    """Install a package of the system where that is possible; say whether it worked."""
    if shutil.which("apt-get") is None:
        return False
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and shutil.which("sudo") is None:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", name])
    return all(
        subprocess.run([*prefix, *command], env=environment, check=False).returncode == 0 for command in commands
    )


def _say(line: str) -> None:
    """Show progress."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
