"""A tab of the console from outside: its State is its session's alone and acts for the organization on its screen."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from onetoken_app.console.text.catalogues import plain_text
from tests.journeys.conftest import RunningConsole
from tests.journeys.test_raw_socket import RawTab, a_tab, event_of, owner_cookie
from tests.support.installation import PASSWORD, Installation, apply_file

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]
OWNER = "owner@test.example"
STAFF = "staff@ops.example"
DESK = "/staff/organizations"
SECOND_CODE = "91110000600037341L"


def two_organizations() -> str:
    """Write a file in which one person is in charge of two organizations; the first by name is “Test Ltd”."""
    second = f"""\
  - name: Zeta Ltd
    code: {SECOND_CODE}
    verified: true
    people: [{{email: {OWNER}, role: owner}}]
"""
    return apply_file(base_url="http://127.0.0.1:9/v1") + second


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation in which somebody acts for two organizations, with somebody of the staff."""
    installation = Installation(tmp_path_factory.mktemp("tabs"))
    installation.apply(two_organizations())
    installation.succeed("staff", "add", STAFF, "--role", "administrator", "--password-env", "TEST_PASSWORD")
    return installation


@pytest.fixture(scope="module")
def console(installation: Installation) -> Iterator[RunningConsole]:
    """Its console. A tab of a new name is to it what every tab is after a restart."""
    with installation.console() as server:
        yield RunningConsole(installation, server, email=OWNER, password=PASSWORD, secret="")


class TestOrganizationOfAScreen:
    async def test_is_acted_for_after_a_restart(self, console: RunningConsole) -> None:
        second = organization_id(console.installation, "Zeta Ltd")
        async with a_tab(console.url, cookie=await owner_cookie(console), name="restarted") as tab:
            await tab.begin(shown_for=second)
            assert tab.shown["organization_name"] == "Zeta Ltd"
            await tab.send(event_of("verification_state", "save", form={"legal_name": "Zeta Limited"}))
            await tab.until(lambda: "Zeta Limited" in tab.words)
        assert cases(console.installation) == [second]

    async def test_is_not_changed_by_an_event_of_another_screen(self, console: RunningConsole) -> None:
        second = organization_id(console.installation, "Zeta Ltd")
        before = cases(console.installation)
        async with a_tab(console.url, cookie=await owner_cookie(console), name="switched") as tab:
            await tab.begin()
            assert tab.shown["organization_name"] == "Test Ltd"
            for screen in (second, "", "org_made_up"):
                await tab.send(event_of("verification_state", "save", form={"legal_name": "X"}), shown_for=screen)
            words = plain_text("error.other_organization", "en")
            await tab.until(lambda: tab.shown["refusal"] == words)
            await tab.send(event_of("frame_state", "act_for", organization_id=second))
            await tab.send(event_of("verification_state", "save", form={"legal_name": "X"}))
            await tab.until(lambda: tab.shown["organization_name"] == "Zeta Ltd" and tab.shown["refusal"] == words)
        assert cases(console.installation) == before

    async def test_is_not_guessed_when_the_state_was_lost(self, console: RunningConsole) -> None:
        before = cases(console.installation)
        async with a_tab(console.url, cookie=await owner_cookie(console), name="lost") as tab:
            first = organization_id(console.installation, "Test Ltd")
            await tab.send(event_of("verification_state", "save", form={"legal_name": "X"}), shown_for=first)
            await tab.until(lambda: "_remove_session_storage" in tab.words)
            await tab.begin(shown_for=first)
            assert tab.shown["refusal"] == plain_text("error.renewed", "en")
        assert cases(console.installation) == before


class TestStateOfATab:
    @pytest.mark.parametrize("next_person", ["", OWNER], ids=["nobody", "somebody else"])
    async def test_is_given_to_nobody_else_who_says_its_name(self, console: RunningConsole, next_person: str) -> None:
        cookie, name = await cookie_of(console, STAFF), f"known-{next_person}"
        async with a_tab(console.url, cookie=cookie, name=name, path=DESK) as tab:
            await tab.begin()
            await tab.send(event_of("organizations_state", "load"))
            await tab.until(lambda: "Zeta Ltd" in tab.words)
        async with the_tab_again(console, cookie=cookie, name=name) as tab:
            assert SECOND_CODE in tab.words
        other = await cookie_of(console, next_person) if next_person else "onetoken=made-up"
        async with the_tab_again(console, cookie=other, name=name) as tab:
            await tab.send(event_of("organizations_state", "load"))
            await tab.until(lambda: "/sign-in" in tab.words or tab.shown.get("needed_role") == "staff")
            assert SECOND_CODE not in tab.words
            assert STAFF not in tab.words

    async def test_is_emptied_when_its_session_has_ended(self, console: RunningConsole) -> None:
        cookie = await cookie_of(console, STAFF)
        async with a_tab(console.url, cookie=cookie, name="left", path=DESK) as tab:
            await tab.begin()
            await tab.send(event_of("organizations_state", "load"))
            await tab.until(lambda: SECOND_CODE in tab.words)
        await sign_out(console, cookie)
        async with the_tab_again(console, cookie=cookie, name="left") as tab:
            assert SECOND_CODE not in tab.words
            assert STAFF not in tab.words


class TestChannels:
    async def test_one_is_taken_out_and_put_back_with_a_line_each(self, console: RunningConsole) -> None:
        rows = console.installation.rows
        ((channel_id,),) = rows("SELECT id FROM catalog_channel")
        async with a_tab(console.url, cookie=await cookie_of(console, STAFF), name="channels", path=DESK) as tab:
            await tab.begin()
            for verb in ("take_out", "take_out", "load", "put_back", "put_back"):
                arguments = {} if verb == "load" else {"channel_id": channel_id}
                await tab.send(event_of("channels_state", verb, **arguments))
                if verb == "load":
                    await tab.until(lambda: '"switch": "off"' in tab.words or '"switch":"off"' in tab.words)
                    assert rows("SELECT is_enabled FROM catalog_channel") == [(0,)]
            lines = f"SELECT action FROM audit_entry WHERE subject_id = '{channel_id}' AND actor_kind = 'person'"
            await tab.until(lambda: rows(lines) == [("channel_taken_out",), ("channel_put_back",)])
        assert rows("SELECT is_enabled FROM catalog_channel") == [(1,)]


@asynccontextmanager
async def the_tab_again(console: RunningConsole, *, cookie: str, name: str) -> AsyncIterator[RawTab]:
    """Open a tab's State once more; while the server has not noticed that its socket is closed, one gets another."""
    async with asyncio.timeout(20):
        while True:
            async with a_tab(console.url, cookie=cookie, name=name, path=DESK) as tab:
                await tab.begin()
                if not tab.is_renamed:
                    yield tab
                    return


async def cookie_of(console: RunningConsole, email: str) -> str:
    """Sign somebody in."""
    return await owner_cookie(replace(console, email=email))


async def sign_out(console: RunningConsole, cookie: str) -> None:
    """End a session."""
    async with httpx.AsyncClient(trust_env=False) as client:
        headers = {"Origin": console.url, "Cookie": cookie}
        answer = await client.post(f"{console.url}/account/sign-out", json={}, headers=headers)
    assert answer.status_code == 200


def organization_id(installation: Installation, name: str) -> str:
    """Find an organization."""
    ((found,),) = installation.rows(f"SELECT id FROM organizations_organization WHERE name = '{name}'")
    return str(found)


def cases(installation: Installation) -> list[str]:
    """Name the organizations for which a case was begun."""
    return [str(found) for (found,) in installation.rows("SELECT organization_id FROM verification_case")]
