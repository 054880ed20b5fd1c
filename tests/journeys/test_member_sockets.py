"""The events of members and agreements, called by whoever opens the socket: nobody, another role, a stranger."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.conftest import RunningConsole
from tests.journeys.test_members import DEVELOPER, OWNER, STRANGER, roles, two_organizations
from tests.journeys.test_raw_socket import event, named_events, owner_cookie, updates_of
from tests.support.installation import PASSWORD, Installation, RunningProcess

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with two organizations, one of them with a developer."""
    installation = Installation(tmp_path_factory.mktemp("member-sockets"))
    installation.apply(two_organizations())
    return installation


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningProcess]:
    """Its console."""
    with installation.console() as running:
        yield running


class TestRawEvents:
    @pytest.mark.parametrize("email", ["", DEVELOPER, STRANGER], ids=["nobody", "another role", "another organization"])
    async def test_nothing_of_the_members_changes(
        self, installation: Installation, server: RunningProcess, email: str
    ) -> None:
        console = RunningConsole(installation, server, email=email, password=PASSWORD, secret="")
        ((owner_id,),) = installation.rows(f"SELECT id FROM identity_person WHERE email = '{OWNER}'")
        before, lines = roles(installation), _acts(installation)
        cookie = await owner_cookie(console) if email else "onetoken=made-up"
        events = _member_events(owner_id)
        if email != STRANGER:
            events.append(_declaring())
        received = await updates_of(console, events, cookie=cookie)
        assert roles(installation) == before
        assert _acts(installation) == lines
        if email != DEVELOPER:
            assert DEVELOPER not in received


def _member_events(person_id: str) -> list[dict[str, Any]]:
    """Write the events of a whole removal and change of role of somebody, as a browser in charge would."""
    state = next(name for name in named_events() if "members_state" in name).rpartition(".")[0]
    return [
        event(f"{state}.load"),
        event(f"{state}.select", person_id=person_id),
        event(f"{state}.choose_role", role="viewer"),
        event(f"{state}.save_role"),
        event(f"{state}.remove"),
        event(f"{state}.select_invitation", invitation_id="inv_x"),
        event(f"{state}.withdraw"),
    ]


def _declaring() -> dict[str, Any]:
    """Write the event that declares another use, which an owner may send for their own organization."""
    name = next(name for name in named_events() if "agreements_state" in name and name.endswith(".declare"))
    return {**event(name), "payload": {"form": {"public_service": "on"}}}


def _acts(installation: Installation) -> list[tuple[Any, ...]]:
    """Return what members did, but for coming and going."""
    return installation.rows("SELECT action FROM audit_entry WHERE action NOT LIKE 'signed%' ORDER BY sequence_number")
