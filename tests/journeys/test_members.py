"""Two people in two windows: an owner invites; who is invited accepts, sees what their role allows, and is removed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import running_browser, sign_in
from tests.support.installation import PASSWORD, Installation, RunningProcess, apply_file

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
OWNER, STRANGER, DEVELOPER = "owner@test.example", "stranger@other.example", "dev@test.example"
INVITED = "han@company.example"
NEW_PASSWORD = "nine red kites over the bay"
OTHERS = f"""\
  - name: Other Ltd
    code: 91110000600037341L
    people: [{{email: {STRANGER}, password_env: TEST_PASSWORD, role: owner}}]
"""


def two_organizations() -> str:
    """Write a file with an organization in order, which has an owner and a developer, and one that accepted nothing."""
    developer = f", {{email: {DEVELOPER}, password_env: TEST_PASSWORD, role: developer}}]"
    file = apply_file(base_url="http://127.0.0.1:9/v1").replace("role: owner}]", f"role: owner}}{developer}")
    return file + OTHERS


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation without a mail server: one organization in order, one that has accepted nothing."""
    installation = Installation(tmp_path_factory.mktemp("members"))
    installation.apply(two_organizations())
    return installation


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningProcess]:
    """Its console."""
    with installation.console() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser; each window has cookies of its own."""
    with running_browser() as running:
        yield running


def a_window(browser: Browser) -> Page:
    """Open a window of somebody."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(20_000)
    return context.new_page()


@pytest.fixture(scope="module")
def owner(browser: Browser, server: RunningProcess) -> Page:
    """The owner's window."""
    page = a_window(browser)
    sign_in(page, server.url, OWNER, PASSWORD)
    return page


@pytest.fixture(scope="module")
def invited(browser: Browser) -> Page:
    """The window of the person who is invited."""
    return a_window(browser)


@pytest.fixture(scope="module")
def stranger(browser: Browser, server: RunningProcess) -> Page:
    """The window of the owner of the organization that has accepted nothing."""
    page = a_window(browser)
    sign_in(page, server.url, STRANGER, PASSWORD)
    return page


def latest_link(installation: Installation, server: RunningProcess) -> str:
    """Return the newest link of the outbox, at the address that the test's browser uses."""
    links = re.findall(r"http\S+/invitation(#[\w-]{40,})", installation.succeed("outbox").output)
    return f"{server.url}/invitation{links[-1]}"


def invite(page: Page, email: str, role: str) -> None:
    """Invite somebody."""
    page.get_by_role("button", name="Invite somebody").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("E-mail address").fill(email)
    dialog.get_by_role("combobox").select_option(role)
    dialog.get_by_role("button", name="Send the invitation").click()


def roles(installation: Installation) -> dict[str, str]:
    """Return every membership, by address."""
    return dict(
        installation.rows(
            "SELECT p.email, m.role FROM organizations_membership m JOIN identity_person p ON p.id = m.person_id"
        )
    )


class TestTwoPeople:
    """Steps of both, in order."""

    link: str = ""

    def test_the_owner_invites_by_mail(self, owner: Page, server: RunningProcess, installation: Installation) -> None:
        owner.goto(f"{server.url}/members")
        invite(owner, INVITED, "developer")
        expect(owner.get_by_role("row").filter(has_text=INVITED)).to_contain_text("Developer")
        type(self).link = latest_link(installation, server)

    def test_a_member_is_not_invited_again(self, owner: Page) -> None:
        invite(owner, DEVELOPER, "viewer")
        expect(owner.get_by_role("dialog").get_by_text("This person is a member already")).to_be_visible()
        owner.keyboard.press("Escape")

    def test_a_link_that_is_not_whole_says_so(self, invited: Page) -> None:
        invited.goto(self.link[:-4])
        expect(invited.get_by_text("open the link of the mail again")).to_be_visible()
        expect(invited.get_by_role("button", name="Accept the invitation")).to_be_hidden()

    def test_the_invited_person_declares_and_accepts(self, invited: Page, installation: Installation) -> None:
        invited.goto(self.link)
        expect(invited.get_by_text("You are invited to act for Test Ltd")).to_be_visible()
        expect(invited.get_by_text("Creates, restricts and revokes keys")).to_be_visible()
        assert "#" not in invited.url
        invited.get_by_role("textbox", name="Your name", exact=True).fill("Han Meimei")
        invited.get_by_label("Your position").fill("Engineer")
        invited.locator("[name=password]").fill(NEW_PASSWORD)
        for box in ("I act for this organization", "Terms of service", "Privacy policy"):
            invited.get_by_label(box).check()
        invited.get_by_role("button", name="Accept the invitation").click()
        expect(invited.get_by_role("heading", name="Overview")).to_be_visible()
        assert roles(installation)[INVITED] == "developer"
        signed = "SELECT kind FROM agreements_acceptance WHERE signatory_name = 'Han Meimei'"
        assert len(installation.rows(signed)) == 2

    def test_the_link_works_once(self, browser: Browser) -> None:
        late = a_window(browser)
        late.goto(self.link)
        expect(late.get_by_text("accepted already")).to_be_visible()
        late.context.close()

    def test_a_developer_sees_members_and_changes_none(self, invited: Page, server: RunningProcess) -> None:
        invited.goto(f"{server.url}/members")
        expect(invited.get_by_role("row").filter(has_text=OWNER)).to_be_visible()
        for name in ("Invite somebody", "Change role", "Remove"):
            expect(invited.get_by_role("button", name=name)).to_have_count(0)
        expect(invited.get_by_text("Invitations that wait")).to_have_count(0)
        invited.goto(f"{server.url}/keys")
        expect(invited.get_by_role("button", name="Create key").first).to_be_visible()

    def test_a_new_role_counts_at_the_next_step(self, owner: Page, invited: Page) -> None:
        owner.reload()
        owner.get_by_role("button", name="Change role Han Meimei").click()
        owner.get_by_role("dialog").get_by_role("combobox").select_option("viewer")
        owner.get_by_role("dialog").get_by_role("button", name="Save").click()
        expect(owner.get_by_role("row").filter(has_text="Han Meimei")).to_contain_text("Viewer")
        invited.get_by_role("button", name="Restrict test").click()
        expect(invited.get_by_role("alert").filter(has_text="Your role does not allow this")).to_be_visible()
        invited.reload()
        expect(invited.get_by_role("row").filter(has_text="test")).to_be_visible()
        expect(invited.get_by_role("button", name="Create key")).to_have_count(0)

    def test_the_only_owner_stays(self, owner: Page, installation: Installation) -> None:
        owner.get_by_role("button", name=f"Remove {OWNER}").click()
        owner.get_by_role("dialog").get_by_role("button", name="Remove this member").click()
        expect(owner.get_by_role("alert").filter(has_text="This is the only owner")).to_be_visible()
        assert roles(installation)[OWNER] == "owner"

    def test_a_withdrawn_invitation_says_so(
        self, owner: Page, browser: Browser, server: RunningProcess, installation: Installation
    ) -> None:
        invite(owner, "late@company.example", "billing")
        owner.get_by_role("button", name="Withdraw late@company.example").click()
        owner.get_by_role("dialog").get_by_role("button", name="Withdraw the invitation").click()
        expect(owner.get_by_text("No invitation waits.")).to_be_visible()
        late = a_window(browser)
        late.goto(latest_link(installation, server))
        expect(late.get_by_text("This invitation was withdrawn")).to_be_visible()
        late.context.close()

    def test_whoever_is_removed_is_out_at_their_next_step(
        self, owner: Page, invited: Page, installation: Installation
    ) -> None:
        owner.get_by_role("button", name="Remove Han Meimei").click()
        owner.get_by_role("dialog").get_by_role("button", name="Remove this member").click()
        expect(owner.get_by_role("row").filter(has_text="Han Meimei")).to_have_count(0)
        invited.get_by_role("link", name="Usage").click()
        invited.wait_for_url(re.compile("/sign-in"))
        expect(invited.get_by_role("heading", name="Sign in")).to_be_visible()
        assert INVITED not in roles(installation)
        acts = [action for (action,) in installation.rows("SELECT action FROM audit_entry WHERE actor_kind = 'person'")]
        for act in ("member_invited", "invitation_accepted", "member_role_changed", "member_removed"):
            assert act in acts

    def test_a_known_person_signs_in_on_the_invitation(
        self, owner: Page, browser: Browser, server: RunningProcess, installation: Installation
    ) -> None:
        invite(owner, STRANGER, "viewer")
        expect(owner.get_by_role("row").filter(has_text=STRANGER)).to_be_visible()
        guest = a_window(browser)
        guest.goto(latest_link(installation, server))
        guest.get_by_role("textbox", name="Your name", exact=True).fill("Lin Tao")
        guest.get_by_label("Your position").fill("Adviser")
        for box in ("I act for this organization", "Terms of service", "Privacy policy"):
            guest.get_by_label(box).check()
        guest.locator("[name=current_password]").fill("not the password")
        guest.get_by_role("button", name="Accept the invitation").click()
        expect(guest.get_by_text("do not belong together")).to_be_visible()
        guest.locator("[name=current_password]").fill(PASSWORD)
        guest.get_by_role("button", name="Accept the invitation").click()
        expect(guest.get_by_role("combobox", name="Organization")).to_be_visible()
        guest.context.close()
        memberships = "SELECT count(*) FROM organizations_membership m JOIN identity_person p ON p.id = m.person_id"
        assert installation.rows(f"{memberships} WHERE p.email = '{STRANGER}'") == [(2,)]


class TestTexts:
    """An organization that has accepted nothing: its owner, in order."""

    def test_they_come_before_the_page(self, stranger: Page, server: RunningProcess) -> None:
        stranger.goto(f"{server.url}/keys")
        expect(stranger.get_by_role("heading", name="A text waits for your acceptance")).to_be_visible()
        expect(stranger.get_by_role("heading", name="API keys")).to_have_count(0)
        stranger.get_by_role("button", name="Later").click()
        expect(stranger.get_by_role("heading", name="API keys")).to_be_visible()
        expect(stranger.get_by_text("Calls of your organization are refused")).to_be_visible()

    def test_are_read_and_accepted_with_the_declaration(self, stranger: Page, server: RunningProcess) -> None:
        stranger.goto(f"{server.url}/agreements")
        expect(stranger.get_by_role("region", name="Terms of service")).to_contain_text("OneToken Terms of Service")
        stranger.get_by_role("textbox", name="Your name", exact=True).fill("Lin Tao")
        stranger.get_by_label("Your position").fill("Director")
        for box in ("I act for this organization", "Terms of service 2026", "Privacy policy 2026"):
            stranger.get_by_role("checkbox", name=box).check()
        stranger.get_by_role("button", name="Accept for the organization").click()
        expect(stranger.get_by_role("row").filter(has_text="Lin Tao, Director")).to_have_count(2)
        expect(stranger.get_by_role("button", name="Accept for the organization")).to_have_count(0)

    def test_each_has_a_certificate(self, stranger: Page) -> None:
        with stranger.expect_download() as downloading:
            stranger.get_by_role("link", name="Download").first.click()
        text = downloading.value.path().read_text()
        assert "CERTIFICATE OF ACCEPTANCE" in text
        assert "Lin Tao" in text

    def test_the_declared_use_is_kept_and_the_public_needs_consent(
        self, stranger: Page, installation: Installation
    ) -> None:
        stranger.get_by_label("Testing").check()
        stranger.get_by_label("Serving the general public").check()
        stranger.get_by_role("button", name="Save").click()
        expect(stranger.get_by_text("Saved.", exact=True)).to_be_visible()
        expect(stranger.get_by_text("Do not serve the public before it is")).to_be_visible()
        stranger.reload()
        expect(stranger.get_by_label("Serving the general public")).to_be_checked()
        declared = installation.rows("SELECT scenario FROM organizations_declared_scenario ORDER BY scenario")
        assert declared == [("public_service",), ("testing",)]
