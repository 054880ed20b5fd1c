"""Somebody types for one of their two organizations while the server is started again, and goes on afterwards."""

import pytest
from playwright.sync_api import expect

from tests.journeys.browser import running_browser, sign_in
from tests.journeys.test_raw_tabs import OWNER, cases, organization_id, two_organizations
from tests.support.installation import PASSWORD, Installation, free_port

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
TYPED = "Zhang San, typed before the restart"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation in which somebody acts for two organizations."""
    installation = Installation(tmp_path_factory.mktemp("restart"))
    installation.apply(two_organizations())
    return installation


class TestRestart:
    def test_keeps_the_organization_and_what_was_typed(self, installation: Installation) -> None:
        port, second = free_port(), organization_id(installation, "Zeta Ltd")
        with running_browser() as browser:
            page = browser.new_context(locale="en-US").new_page()
            page.set_default_timeout(20_000)
            with installation.console(port=port) as server:
                sign_in(page, server.url, OWNER, PASSWORD)
                page.goto(f"{server.url}/verification")
                page.locator(".header select").select_option(second)
                expect(page.locator(".shell")).to_have_attribute("data-organization", second)
                page.get_by_label("Legal representative").fill(TYPED)
            expect(page.locator(".reconnecting")).to_be_visible(timeout=20_000)
            with installation.console(port=port):
                expect(page.locator(".reconnecting")).to_have_count(0, timeout=60_000)
                expect(page.locator(".shell")).to_have_attribute("data-organization", second)
                expect(page.get_by_label("Legal representative")).to_have_value(TYPED)
                page.get_by_role("button", name="Save").click()
                expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
                page.reload()
                expect(page.get_by_label("Legal representative")).to_have_value(TYPED)
                expect(page.locator(".shell")).to_have_attribute("data-organization", second)
        assert cases(installation) == [second]
