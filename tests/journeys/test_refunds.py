"""Somebody asks for unused credit back, two people of finance approve it, and one of them transfers it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from onetoken_app.database import Database, use_database
from onetoken_app.money import NANOS_PER_UNIT
from onetoken_app.settings import Settings
from tests.journeys.browser import running_browser, sign_in
from tests.journeys.test_accessibility import findings
from tests.payments import orders
from tests.support.installation import PASSWORD, Installation, RunningProcess, apply_file

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
OWNER, FINANCE, COLLEAGUE = "owner@test.example", "fin@ops.example", "ada@ops.example"


@dataclass(frozen=True, slots=True)
class Desks:
    """A window for each person, with cookies of its own."""

    owner: Page
    finance: Page
    colleague: Page


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with an organization that paid 2000 by bank transfer, and two people of finance."""
    installation = Installation(tmp_path_factory.mktemp("refunds"))
    installation.apply(apply_file(base_url="http://127.0.0.1:9/v1", credit="0.00"))
    for email in (FINANCE, COLLEAGUE):
        installation.succeed("staff", "add", email, "--role", "finance", "--password-env", "TEST_PASSWORD")
    ((organization_id,),) = installation.rows("SELECT id FROM organizations_organization")
    people = dict(installation.rows("SELECT email, id FROM identity_person"))
    cast = orders.Cast(organization_id, people[OWNER], people[FINANCE], people[COLLEAGUE])
    with ThreadPoolExecutor(1) as another_thread:  # a browser's driver may run a loop in this one
        another_thread.submit(lambda: asyncio.run(_pay(installation, cast))).result()
    return installation


async def _pay(installation: Installation, cast: orders.Cast) -> None:
    """Credit an order."""
    database = Database(Settings(_env_file=None, data_dir=installation.data_dir))
    use_database(database)
    try:
        order_id = await orders.place(cast, amount_nanos=2_000 * NANOS_PER_UNIT)
        await orders.report(cast, order_id)
        assert await orders.approve(cast, order_id)
    finally:
        use_database(None)
        await database.dispose()


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningProcess]:
    """Its console."""
    with installation.console() as running:
        yield running


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What the browsers complained about."""
    return []


@pytest.fixture(scope="module")
def desks(server: RunningProcess, complaints: list[str]) -> Iterator[Desks]:
    """Everybody signed in, each in a browser of their own."""
    with running_browser() as browser:
        pages = []
        for email in (OWNER, FINANCE, COLLEAGUE):
            context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
            context.set_default_timeout(20_000)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            sign_in(page, server.url, email, PASSWORD)
            pages.append(page)
        yield Desks(*pages)


def taken(installation: Installation) -> list[tuple[str]]:
    """Return what the ledger took for refunds, or gave back."""
    return installation.rows("SELECT kind FROM ledger_transaction WHERE reference LIKE 'refund%'")


class TestRefund:
    """Steps of one refund, in order."""

    def test_more_than_what_was_paid_is_refused_and_stays_in_the_form(
        self, desks: Desks, server: RunningProcess, installation: Installation
    ) -> None:
        desks.owner.goto(f"{server.url}/refunds")
        desks.owner.get_by_label("Amount").fill("2000.01")
        desks.owner.get_by_role("button", name="Request the refund").click()
        expect(desks.owner.get_by_text("So much of this order cannot be refunded")).to_be_visible()
        expect(desks.owner.get_by_label("Amount")).to_have_value("2000.01")
        assert installation.rows("SELECT id FROM payments_refund") == []

    def test_what_is_unused_is_asked_for(self, desks: Desks, installation: Installation) -> None:
        desks.owner.get_by_label("Amount").fill("1500")
        desks.owner.get_by_label("Reason").fill("We ordered too much.")
        desks.owner.get_by_role("button", name="Request the refund").click()
        expect(desks.owner.get_by_text("Requested", exact=True)).to_be_visible()
        expect(desks.owner.get_by_text("at most USD 500.00")).to_be_attached()
        assert taken(installation) == []

    def test_another_one_is_withdrawn_and_can_be_requested_again(
        self, desks: Desks, installation: Installation
    ) -> None:
        page = desks.owner
        page.get_by_label("Amount").fill("500")
        page.get_by_role("button", name="Request the refund").click()
        row = page.get_by_role("row", name="500.00").filter(has_text="Requested")
        expect(page.get_by_text("There is nothing to refund now")).to_be_visible()
        row.filter(has_not_text="1,500").get_by_role("button", name="Withdraw").click()
        expect(page.get_by_text("Withdrawn", exact=True)).to_be_visible()
        expect(page.get_by_text("at most USD 500.00")).to_be_attached()
        stages = installation.rows("SELECT stage FROM payments_refund ORDER BY asked_at")
        assert stages == [("requested",), ("withdrawn",)]

    def test_one_person_alone_moves_nothing(
        self, desks: Desks, server: RunningProcess, installation: Installation
    ) -> None:
        page = desks.finance
        page.goto(f"{server.url}/staff/refunds")
        page.get_by_role("button", name="View").click()
        expect(page.get_by_text("We ordered too much.")).to_be_visible()
        expect(page.get_by_text("needs the approval of two people")).to_be_visible()
        page.get_by_role("button", name="Approve", exact=True).click()
        expect(page.get_by_text("A second person has to approve it too before anything moves.")).to_be_visible()
        expect(page.get_by_text("You approved this refund.")).to_be_visible()
        assert taken(installation) == []

    def test_the_second_takes_it_from_the_balance(
        self, desks: Desks, server: RunningProcess, installation: Installation
    ) -> None:
        page = desks.colleague
        page.goto(f"{server.url}/staff/refunds")
        page.get_by_role("button", name="View").click()
        assert findings(page) == []
        page.get_by_role("button", name="Approve", exact=True).click()
        expect(page.get_by_text("The amount left the balance")).to_be_visible()
        assert taken(installation) == [("refund",)]

    def test_who_transferred_says_so_and_the_customer_reads_it(
        self, desks: Desks, server: RunningProcess, installation: Installation, complaints: list[str]
    ) -> None:
        page = desks.colleague
        page.get_by_label("Entry of the bank statement").fill("OUT-2026-11-27/3")
        page.get_by_role("button", name="Confirm the transfer").click()
        expect(page.get_by_text("Confirmed. The organization gets a mail.")).to_be_visible()
        desks.owner.goto(f"{server.url}/refunds")
        expect(desks.owner.get_by_text("Paid back")).to_be_visible()
        assert findings(desks.owner) == []
        assert taken(installation) == [("refund",)]
        assert complaints == []
