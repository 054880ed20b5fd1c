"""Somebody orders, pays on the payment provider's own page, and comes back: before its word is there, and after."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser import running_browser, sign_in
from tests.journeys.test_accessibility import findings
from tests.payments.scripted_provider import Answer, Asked, ScriptedProvider, scripted_provider
from tests.payments.stripe_events import SECRET_KEY, WEBHOOK_SECRET, Json, checked, event_of, signed
from tests.support.installation import PASSWORD, Installation, RunningProcess, apply_file

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
OWNER = "owner@test.example"
SESSION_ID, PAYMENT_ID = "cs_test_journey", "pi_journey"


@dataclass(slots=True)
class HostedPage:
    """A page that takes money, as Stripe's Checkout does."""

    console_url: str = ""
    url: str = ""
    form: dict[str, str] = field(default_factory=dict)
    """Of the session that was opened."""

    def script(self, asked: Asked) -> Answer:
        """Answer the API, the browser that pays, and tell the console that it did."""
        if asked.method == "POST" and asked.path == "/v1/checkout/sessions":
            self.form = dict(parse_qsl(asked.body.decode()))
        if asked.path.startswith("/v1/checkout/sessions"):
            return Answer(json.dumps(self._session(is_paid=False)).encode())
        if asked.path == "/pay":
            page = f'<h1>Pay</h1><a href="/paid">Pay now</a> <a href="{self.form["cancel_url"]}">Back</a>'
            return Answer(page.encode(), headers={"content-type": "text/html"})
        if asked.path == "/paid":
            body = event_of("checkout.session.completed", self._session(is_paid=True))
            headers = {name.decode(): value.decode() for name, value in signed(body)}
            address = f"{self.console_url}/payments/notifications/stripe"
            told = httpx.post(address, content=body, headers=headers, trust_env=False, timeout=30)
            assert told.status_code == 200
            return Answer(b"", 303, {"location": self.form["success_url"]})
        return Answer(b"", 404)

    def _session(self, *, is_paid: bool) -> Json:
        """The session as it is."""
        return checked(
            {
                "id": SESSION_ID,
                "object": "checkout.session",
                "mode": "payment",
                "url": f"{self.url}/pay",
                "status": "complete" if is_paid else "open",
                "payment_status": "paid" if is_paid else "unpaid",
                "payment_intent": PAYMENT_ID if is_paid else None,
                "client_reference_id": self.form["client_reference_id"],
                "amount_total": int(self.form["line_items[0][price_data][unit_amount]"]),
                "currency": self.form["line_items[0][price_data][currency]"],
            }
        )


@pytest.fixture(scope="module")
def hosted() -> HostedPage:
    """The payment provider's side."""
    return HostedPage()


@pytest.fixture(scope="module")
def provider(hosted: HostedPage) -> Iterator[ScriptedProvider]:
    """Where it is."""
    with scripted_provider(hosted.script) as running:
        hosted.url = running.url
        yield running


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, provider: ScriptedProvider) -> Installation:
    """An installation that takes payments by it."""
    variables = {
        "ONETOKEN_STRIPE_SECRET_KEY": SECRET_KEY,
        "ONETOKEN_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "ONETOKEN_STRIPE_BASE_URL": provider.url,
    }
    installation = Installation(tmp_path_factory.mktemp("hosted"), variables)
    installation.apply(apply_file(base_url="http://127.0.0.1:9/v1", credit="0.00"))
    return installation


@pytest.fixture(scope="module")
def server(installation: Installation, hosted: HostedPage) -> Iterator[RunningProcess]:
    """Its console, by the name that the provider sends people back to."""
    with installation.console() as running:
        hosted.console_url = f"http://localhost:{running.port}"
        yield running


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What the browser complained about."""
    return []


@pytest.fixture(scope="module")
def owner(server: RunningProcess, hosted: HostedPage, complaints: list[str]) -> Iterator[Page]:
    """The window of whoever pays."""
    assert server.port
    with running_browser() as browser:
        context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        sign_in(page, hosted.console_url, OWNER, PASSWORD)
        page.goto(f"{hosted.console_url}/top-up")
        yield page


class TestHostedPayment:
    def test_an_order_leads_to_the_providers_page(self, owner: Page, hosted: HostedPage) -> None:
        owner.get_by_label("Amount in USD").fill("250.50")
        owner.get_by_label("Card (Stripe)").check()
        owner.get_by_label("I have read this and consent").check()
        assert findings(owner) == []
        owner.get_by_role("button", name="Place the order").click()
        expect(owner.get_by_role("heading", name="Pay")).to_be_visible()
        assert hosted.form["line_items[0][price_data][unit_amount]"] == "25050"

    def test_who_comes_back_before_paying_reads_the_truth(self, owner: Page, installation: Installation) -> None:
        owner.get_by_role("link", name="Back").click()
        expect(owner.get_by_text("We wait for the provider's confirmation")).to_be_visible()
        expect(owner.get_by_text("Confirmation awaited").first).to_be_visible()
        assert findings(owner) == []
        owner.get_by_role("button", name="Ask the provider").click()
        expect(owner.get_by_text("Confirmation awaited").first).to_be_visible()
        assert installation.rows("SELECT state FROM payments_order") == [("open",)]

    def test_who_paid_comes_back_to_a_balance(
        self, owner: Page, hosted: HostedPage, installation: Installation
    ) -> None:
        owner.get_by_role("button", name="Go on to pay").click()
        owner.get_by_role("link", name="Pay now").click()
        expect(owner.get_by_text("250.50").first).to_be_visible()
        owner.goto(f"{hosted.console_url}/top-up")
        owner.get_by_role("button", name="View OT-").click()
        expect(owner.get_by_text("The amount is on your balance.")).to_be_visible()
        assert installation.rows("SELECT state FROM payments_order") == [("credited",)]
        assert installation.rows("SELECT external_payment_id FROM payments_external_payment") == [(PAYMENT_ID,)]
        assert installation.verified()["ok"]

    def test_the_receipt_names_the_provider_and_its_number(self, owner: Page) -> None:
        with owner.expect_popup() as opened:
            owner.get_by_role("link", name="Open the receipt").click()
        expect(opened.value.get_by_text("paid by Stripe")).to_be_visible()
        expect(opened.value.get_by_text(PAYMENT_ID)).to_be_visible()
        opened.value.close()

    def test_the_browser_had_nothing_to_complain_about(self, complaints: list[str]) -> None:
        assert complaints == []
