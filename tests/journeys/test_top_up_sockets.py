"""Orders and approvals without a browser: whoever names an event that is not theirs moves and learns nothing."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from onetoken_app import clock
from onetoken_app.payments.statement import current_statement
from tests.journeys.conftest import RunningConsole
from tests.journeys.test_raw_socket import event, named_events, owner_cookie, updates_of
from tests.support.installation import PASSWORD, Installation, apply_file

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
PEOPLE = """\
    people:
      - {email: owner@test.example, password_env: TEST_PASSWORD, role: owner}
      - {email: viewer@test.example, password_env: TEST_PASSWORD, role: viewer}
      - {email: developer@test.example, password_env: TEST_PASSWORD, role: developer}
"""
OTHER_ORGANIZATION = """\
  - name: Other Ltd
    code: 91110000600037341L
    verified: true
    credit: "0.00"
    people: [{email: other@test.example, password_env: TEST_PASSWORD, role: owner}]
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    """A console with two organizations, and somebody of finance and of support."""
    installation = Installation(tmp_path_factory.mktemp("top-up-sockets"))
    file = apply_file(base_url="http://127.0.0.1:9/v1", credit="0.00") + OTHER_ORGANIZATION
    one = "    people: [{email: owner@test.example, password_env: TEST_PASSWORD, role: owner}]\n"
    assert one in file
    (secret,) = installation.apply(file.replace(one, PEOPLE))
    for role in ("finance", "support"):
        installation.succeed("staff", "add", f"{role}@ops.example", "--role", role, "--password-env", "TEST_PASSWORD")
    with installation.console() as server:
        yield RunningConsole(installation, server, email="owner@test.example", password=PASSWORD, secret=secret)


def top_up_event(name: str, **arguments: Any) -> dict[str, Any]:
    """Name an event of the customer's page, or of the staff's when it begins with ``staff.``."""
    state, _, method = name.rpartition(".")
    wanted = "top_ups_state." if state else "top_up_state."
    (found,) = [one for one in named_events() if one.endswith(f"{wanted}{method}")]
    return event(found, **arguments)


def an_order(submission_id: str = "raw-form-0001", *, consent: str | None = None) -> dict[str, Any]:
    """Write the form of an order."""
    digest = current_statement("en").sha256 if consent is None else consent
    return top_up_event("order", form={"amount": "100", "submission_id": submission_id, "consent": digest})


def a_report(order_id: str, *, payer_name: str = "Test Ltd") -> dict[str, Any]:
    """Write the form of a report."""
    paid_on = clock.utc_now().date().isoformat()
    form = {"order_id": order_id, "payer_name": payer_name, "bank_reference": "", "paid_on": paid_on}
    return top_up_event("report", form=form)


def effects(desk: RunningConsole) -> list[Any]:
    """Read everything that these events could change."""
    orders = desk.installation.rows("SELECT id, state, revision, payer_name FROM payments_order ORDER BY id")
    acts = desk.installation.rows("SELECT count(*) FROM audit_entry WHERE action NOT LIKE 'sign%'")
    return [orders, acts, desk.installation.rows("SELECT count(*) FROM payments_approval")]


async def sent_by(email: str, desk: RunningConsole, events: list[dict[str, Any]]) -> str:
    """Send events as somebody, or as nobody; return what came back."""
    cookie = await owner_cookie(replace(desk, email=email)) if email else "onetoken=made-up"
    return await updates_of(desk, events, cookie=cookie)


@pytest.fixture
async def order_id(desk: RunningConsole) -> str:
    """An order of the first organization, made the same way, with its transfer reported."""
    await sent_by("owner@test.example", desk, [an_order(), an_order()])
    query = "SELECT id, state FROM payments_order WHERE organization_name = 'Test Ltd'"
    ((found, state),) = desk.installation.rows(query)
    if state == "open":
        await sent_by("owner@test.example", desk, [a_report(found)])
        ((found, state),) = desk.installation.rows(query)
    assert state == "reported"
    return str(found)


def the_form(desk: RunningConsole, order_id: str) -> dict[str, str]:
    """Write what a form of finance's desk says about the transfer that it is filled in for."""
    ((revision,),) = desk.installation.rows(f"SELECT revision FROM payments_order WHERE id = '{order_id}'")
    return {"order_id": order_id, "revision": str(revision)}


class TestOrders:
    async def test_consent_is_asked_of_everybody(self, desk: RunningConsole) -> None:
        before = effects(desk)
        events = [an_order("raw-form-0002", consent=""), an_order("raw-form-0003", consent="0" * 64)]
        await sent_by("owner@test.example", desk, events)
        assert effects(desk) == before

    @pytest.mark.parametrize(
        "email",
        ["", "viewer@test.example", "developer@test.example", "finance@ops.example"],
        ids=["nobody", "a viewer", "a developer", "finance"],
    )
    async def test_whoever_is_not_in_charge_of_money_changes_nothing(
        self, desk: RunningConsole, order_id: str, email: str
    ) -> None:
        before = effects(desk)
        events = [
            top_up_event("look", order_id=order_id),
            an_order("raw-form-0004"),
            a_report(order_id, payer_name="Eve"),
            top_up_event("cancel", order_id=order_id),
        ]
        await sent_by(email, desk, events)
        assert effects(desk) == before

    async def test_another_organization_neither_sees_nor_changes_it(self, desk: RunningConsole, order_id: str) -> None:
        ((reference,),) = desk.installation.rows(f"SELECT reference_code FROM payments_order WHERE id = '{order_id}'")
        before = effects(desk)
        events = [
            top_up_event("load"),
            top_up_event("look", order_id=order_id),
            a_report(order_id, payer_name="Eve"),
            top_up_event("cancel", order_id=order_id),
        ]
        received = await sent_by("other@test.example", desk, events)
        assert "Other Ltd" in received
        assert reference not in received
        assert effects(desk) == before


class TestApprovals:
    @pytest.mark.parametrize(
        "email",
        ["", "owner@test.example", "other@test.example", "support@ops.example"],
        ids=["nobody", "who ordered", "another organization", "another desk"],
    )
    async def test_whoever_is_not_of_finance_decides_nothing(
        self, desk: RunningConsole, order_id: str, email: str
    ) -> None:
        before, seen = effects(desk), the_form(desk, order_id)
        events = [
            top_up_event("staff.load"),
            top_up_event("staff.look", order_id=order_id),
            top_up_event("staff.approve", form=seen | {"received": "100", "bank_entry": "E-1"}),
            top_up_event("staff.refuse", form=seen | {"reason": "not_received", "words": ""}),
        ]
        received = await sent_by(email, desk, events)
        assert set(re.findall(r'"waiting[^"]*": (.{2})', received)) <= {"[]"}, "a refused event may send empty lists"
        assert effects(desk) == before

    async def test_a_form_for_another_transfer_than_the_open_one_decides_nothing(
        self, desk: RunningConsole, order_id: str
    ) -> None:
        await sent_by("other@test.example", desk, [an_order("raw-form-0005")])
        ((other_id,),) = desk.installation.rows(f"SELECT id FROM payments_order WHERE id <> '{order_id}'")
        await sent_by("other@test.example", desk, [a_report(other_id)])
        before, seen = effects(desk), the_form(desk, order_id)
        events = [
            top_up_event("staff.load"),
            top_up_event("staff.look", order_id=order_id),
            top_up_event("staff.look", order_id=other_id),
            top_up_event("staff.approve", form=seen | {"received": "100", "bank_entry": "E-1"}),
            top_up_event("staff.refuse", form=seen | {"reason": "not_received", "words": ""}),
            top_up_event("staff.approve", form={"received": "100", "bank_entry": "E-1"}),
        ]
        received = await sent_by("finance@ops.example", desk, events)
        assert "This form was for another transfer" in received
        assert effects(desk) == before

    async def test_finance_does_the_same_way_what_finance_may(self, desk: RunningConsole, order_id: str) -> None:
        form = the_form(desk, order_id) | {"received": "100", "bank_entry": "E-1"}
        events = [
            top_up_event("staff.load"),
            top_up_event("staff.look", order_id=order_id),
            top_up_event("staff.approve", form=form),
            top_up_event("staff.approve", form=form),
        ]
        await sent_by("finance@ops.example", desk, events)
        query = f"SELECT state FROM payments_order WHERE id = '{order_id}'"
        assert desk.installation.rows(query) == [("credited",)]
        assert desk.installation.rows("SELECT count(*) FROM payments_approval") == [(1,)]
