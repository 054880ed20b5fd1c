"""A running installation with one customer, for a person in a browser."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from onetoken_app.identity.models import StaffRole
from tests.support.installation import PASSWORD, Installation, RunningProcess, apply_file
from tests.support.scripted_upstream import answers_usually, scripted_upstream

expect.set_options(timeout=20_000)
"""Two processes of tests share two cores with a browser, a server and a database; a person would wait longer."""
EMAIL = "owner@test.example"
OPERATOR = "Relay Operations Ltd"
CONTACT = "help@ops.example"
STAFF_EMAIL = "desk@ops.example"
"""Somebody of the staff with the roles that it takes to look at every page."""


@dataclass(frozen=True, slots=True)
class RunningConsole:
    """What a person needs to know, and what a test may look at behind it."""

    installation: Installation
    server: RunningProcess
    email: str
    password: str
    secret: str
    """A key that an operator minted."""

    @property
    def url(self) -> str:
        """Where the console is."""
        return self.server.url


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    """Run the console; the first start after a change builds its pages."""
    named = {"ONETOKEN_OPERATOR_NAME": OPERATOR, "ONETOKEN_CONTACT_EMAIL": CONTACT}
    installation = Installation(folder=tmp_path_factory.mktemp("console"), variables=named)
    with running_upstream() as base_url:
        (secret,) = installation.apply(apply_file(base_url=base_url))
        for role in (StaffRole.ADMINISTRATOR, StaffRole.REVIEWER, StaffRole.FINANCE):
            installation.succeed("staff", "add", STAFF_EMAIL, "--role", role, "--password-env", "TEST_PASSWORD")
        with installation.console() as server:
            yield RunningConsole(installation, server, email=EMAIL, password=PASSWORD, secret=secret)


@contextmanager
def running_upstream() -> Iterator[str]:
    """Run a scripted upstream in a thread of its own: the browser's driver keeps this one."""
    ready, done = threading.Event(), asyncio.Event()
    address: list[str] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with scripted_upstream(answers_usually) as upstream:
            address.append(upstream.base_url)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()
