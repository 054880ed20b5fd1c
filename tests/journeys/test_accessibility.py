"""Every page, looked at by machines: axe finds nothing serious, nothing sticks out, nothing is left in English.

Each page is looked at wide, light and English, and narrow, dark and Chinese. Widths change while it is open, so that
nothing sticks out at any of them.
"""

import re
from collections.abc import Iterator
from itertools import groupby

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import running_browser, settle, sign_in
from tests.journeys.conftest import STAFF_EMAIL, RunningConsole
from tests.journeys.keyboard import complaints_about, walk
from tests.journeys.scene import NOBODY, Scene
from tests.journeys.scenes import page_scenes, state_scenes
from tests.journeys.screens import StagedConsole, View, play, running_staged_console, show
from tests.journeys.staged_business import OWNER, STAFF
from tests.support.installation import PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]
WIDE, NARROW = View(1280, "light", "en"), View(380, "dark", "zh-CN")
READERS = {NOBODY, OWNER, STAFF}
"""Strangers, whoever may do everything, and the staff."""
OPTIONS = {"resultTypes": ["violations"]}
BROKEN = "<html><body><img src='x.png'><input><p style='color:#ccc;background:#fff'>faint</p></body></html>"
STICKS_OUT = """
<main><div class='card' style='width: 200px; padding: 10px'><select style='width: 205px'><option>a</option></select>
<p class='card' style='width: 2000px'>far out</p></div>
<table><tr><td><code style='display: inline-block; max-width: 40px'>without-end</code></td><td>next</td></tr></table>
</main>
"""
UNWALKABLE = """
<html><head><style>
a { display: block; width: 60px } a:focus { outline: 2px solid #000 }
#faint:focus { outline-color: #eee } #bare:focus { outline: none } #first { margin-top: 60px }
#high { position: absolute; top: 0 } #under, #lid { position: fixed; top: 300px } #lid { width: 90px; height: 40px }
</style></head><body style='background: #fff'>
<a id='first' href='#'>first</a><a id='faint' href='#'>faint</a><a id='bare' href='#'>bare</a>
<a id='high' href='#'>high</a><a id='under' href='#'>under</a><div id='lid'></div>
<a href='#' onfocus='this.blur()'>slips</a>
</body></html>
"""
WALKED = {
    "public-sign-in", "public-sign-up", "link-sign-up-continue", "case-draft", "owner-top-up", "owner-keys",
    "owner-projects", "owner-members", "review-in_review", "dialog-mint-key", "dialog-invite-member",
    "dialog-cancel-order", "dialog-approve-case",
}  # fmt: skip
"""The way of a customer and of a reviewer; the long tests walk every scene."""
NOT_WALKED = {"key-minted"}
"""Escape does not close the dialog that shows a secret, on purpose."""
_OUTSIDE = """
() => {
  const found = [];
  const page = document.scrollingElement;
  if (page.scrollWidth > page.clientWidth) found.push(`the page is ${page.scrollWidth} wide`);
  for (const frame of document.querySelectorAll("main .card, dialog[open]")) {
    const edge = frame.getBoundingClientRect().right - parseFloat(getComputedStyle(frame).paddingRight) + 1;
    for (const one of frame.querySelectorAll("*")) {
      if (!one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      let around = one.parentElement;
      while (around !== frame && getComputedStyle(around).overflowX === "visible") around = around.parentElement;
      if (around !== frame || one.matches(".table-frame")) continue; // a wide table scrolls up to the card's own edge
      if (one.getBoundingClientRect().right > edge)
        found.push(`${one.tagName} .${one.className} “${one.textContent.slice(0, 40)}” sticks out`);
    }
  }
  for (const one of document.querySelectorAll("td, td *")) {
    const isWider = one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1;
    const isSeen = one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    if (isWider && isSeen && getComputedStyle(one).overflowX === "visible")
      found.push(`${one.tagName} .${one.className} “${one.textContent.slice(0, 40)}” lies over the next cell`);
  }
  return found;
}
"""
_ENGLISH = re.compile(r"[A-Za-z]{2,}[ ,]+[A-Za-z]{2,}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_WORDS = """
() => {
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const inside = texts.currentNode.parentElement;
    if (inside.closest("code, pre, script, style, option, .turn, .own-words, [lang=en]")) continue;
    if (inside.checkVisibility({ visibilityProperty: true })) found.push(texts.currentNode.textContent.trim());
  }
  return found;
}
"""
_WRITTEN_BY_PEOPLE = re.compile(
    r"Ltd$|GmbH$|Chen|Wang|Zhao|Sun Mei|Ada Okafor|Alexandra|Li (Na|Wei)|First Road|old laptop|^batch |\.pdf$|"
    r"Pilot of last year|Anna Vogel|As agreed by|The account is|We ordered too|Please (pay|scan)|General Manager|"
    r"Example Bank"
)
"""Names and words of the staged business."""


def findings(page: Page) -> list[str]:
    """Run axe over what is on the screen; name what is serious or critical."""
    response = Axe().run(page, options=OPTIONS).response
    return [
        f"{page.url}: {found['id']}: {', '.join(str(node['target']) for node in found['nodes'][:3])}"
        for found in response["violations"]
        if found["impact"] in {"serious", "critical"}
    ]


def sticking_out(page: Page) -> list[str]:
    """Name what is wider than the page, or than the card or dialog that it stands in."""
    return [f"{page.url} at {page.viewport_size}: {found}" for found in page.evaluate(_OUTSIDE)]


def left_in_english(page: Page) -> list[str]:
    """Name what a Chinese page says in English."""
    return [
        f"{page.url}: not translated: {words}"
        for words in page.evaluate(_WORDS)
        if _ENGLISH.search(words) and not _CHINESE.search(words) and not _WRITTEN_BY_PEOPLE.search(words)
    ]


def complaints(page: Page, view: View) -> list[str]:
    """Look at a scene in one view, and in the other width for what sticks out."""
    found = []
    for width in sorted((WIDE.width, NARROW.width), key=lambda width: width == view.width):
        show(page, View(width, view.appearance, view.locale))
        found += sticking_out(page)
    return found + findings(page) + (left_in_english(page) if view.locale == "zh-CN" else [])


def look_at(browser: Browser, staged: StagedConsole, scenes: list[Scene], view: View) -> None:
    """Look at every scene, and complain at the end."""
    found = []
    for who, theirs in groupby(sorted(scenes, key=lambda one: one.who), lambda one: one.who):
        context = browser.new_context(
            viewport={"width": view.width, "height": 900}, color_scheme=view.appearance, locale=view.locale
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        if who != NOBODY:
            sign_in(page, staged.url, who, PASSWORD)
        for scene in theirs:
            play(page, staged.url, scene)
            found += [f"{scene.name}: {one}" for one in complaints(page, view)]
        context.close()
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagedConsole]:
    """A console where everything is there in every state."""
    with running_staged_console(tmp_path_factory.mktemp("staged")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all looks."""
    with running_browser() as running:
        yield running


class TestChecks:
    def test_axe_finds_what_is_wrong(self, browser: Browser) -> None:
        page = browser.new_page()
        page.set_content(BROKEN)
        found = " ".join(findings(page))
        assert all(name in found for name in ("image-alt", "color-contrast", "html-has-lang", "label"))
        page.close()

    def test_what_sticks_out_is_found(self, browser: Browser) -> None:
        page = browser.new_page()
        page.set_content(STICKS_OUT)
        found = sticking_out(page)
        assert len([one for one in found if "next cell" not in one]) == 3
        assert all(any(words in one for one in found) for words in ("the page is", "SELECT", "far out", "next cell"))
        page.close()

    def test_english_is_found(self, browser: Browser) -> None:
        page = browser.new_page()
        page.set_content("<p>选择 model</p><p>Not translated at all</p><code>import os now</code>")
        assert [one.rpartition(": ")[2] for one in left_in_english(page)] == ["Not translated at all"]
        page.close()


class TestScenes:
    @pytest.mark.parametrize(
        "view",
        [
            pytest.param(WIDE, id="wide", marks=pytest.mark.long),
            pytest.param(NARROW, id="narrow", marks=pytest.mark.long),
        ],
    )
    def test_nothing_is_wrong_with_a_page(self, browser: Browser, staged: StagedConsole, view: View) -> None:
        look_at(browser, staged, [scene for scene in page_scenes() if scene.who in READERS], view)


class TestKeyboard:
    @pytest.fixture
    def page(self, browser: Browser, staged: StagedConsole) -> Iterator[Page]:
        """A window of an owner who reads Chinese and works without a mouse."""
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
        context.set_default_timeout(20_000)
        page = context.new_page()
        sign_in(page, staged.url, OWNER, PASSWORD)
        yield page
        context.close()

    def test_a_dialog_keeps_the_focus_and_gives_it_back(self, page: Page, staged: StagedConsole) -> None:
        page.goto(f"{staged.url}/keys")
        settle(page)
        opener = page.locator("[data-opens=mint-key]")
        opener.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#mint-key [name=name]")).to_be_focused()
        for _ in range(9):
            page.keyboard.press("Tab")
            # Between the last and the first, the focus is with the browser itself: the page has none of it.
            assert page.evaluate(
                "document.activeElement === document.body || !!document.activeElement.closest('#mint-key')"
            )
        page.keyboard.press("Escape")
        expect(page.locator("#mint-key")).to_be_hidden()
        expect(opener).to_be_focused()

    def test_a_taken_name_is_said_at_its_field(self, page: Page, staged: StagedConsole) -> None:
        page.goto(f"{staged.url}/keys")
        settle(page)
        page.locator("[data-opens=mint-key]").focus()
        page.keyboard.press("Enter")
        page.keyboard.type("production")
        page.keyboard.press("Enter")
        name = page.locator("#mint-key [name=name]")
        expect(name).to_be_focused()
        expect(name).to_have_accessible_description(re.compile("已"))
        expect(name).to_have_attribute("aria-invalid", "true")

    def test_what_the_server_refuses_is_said_at_its_field_in_the_language_of_the_page(
        self, page: Page, staged: StagedConsole
    ) -> None:
        page.goto(f"{staged.url}/top-up")
        settle(page)
        amount = page.locator("[name=amount]")
        amount.fill("12,5")
        page.locator("[name=consent]").check()
        page.locator(".order-form [type=submit]").focus()
        page.keyboard.press("Enter")
        expect(amount).to_be_focused()
        expect(amount).to_have_accessible_description(re.compile("金额须为"))
        amount.click(timeout=5_000)  # what is said about it does not lie over it
        page.locator("[name=amount]").fill("1.005")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").filter(has_text="金额须为")).to_be_visible()

    def test_a_wrong_password_is_said_at_its_field(self, browser: Browser, staged: StagedConsole) -> None:
        page = browser.new_page(locale="en-US")
        page.goto(f"{staged.url}/sign-in")
        settle(page)
        expect(page.locator("[name=email]")).to_be_focused()
        page.keyboard.type("stranger@lantern.example")
        page.keyboard.press("Tab")
        page.keyboard.type("not the password")
        page.keyboard.press("Enter")
        password = page.locator("[name=password]")
        expect(password).to_have_accessible_description(re.compile("do not belong together"))
        expect(password).to_be_focused()
        page.close()


class TestKeyboardOrder:
    """Every page and every dialog, walked with Tab: in the order that is seen, each stop shown, none left out."""

    def test_the_walk_finds_what_is_wrong(self, browser: Browser) -> None:
        page = browser.new_page()
        page.set_content(UNWALKABLE)
        found = complaints_about(page, walk(page, start=page.locator("#first")))
        assert [one.partition(":")[0] for one in found] == [
            "is never reached", "shows no ring", "has a ring that is hard to see", "is out of sight", "comes too late"
        ]  # fmt: skip
        page.close()

    def test_is_the_order_that_is_seen(self, browser: Browser, staged: StagedConsole) -> None:
        _walk_all(browser, staged, [scene for scene in _scenes(staged) if scene.name in WALKED], WIDE)

    @pytest.mark.long
    @pytest.mark.very_long
    @pytest.mark.timeout(1200)
    @pytest.mark.parametrize("view", [WIDE, NARROW], ids=["wide", "narrow"])
    def test_is_the_order_that_is_seen_everywhere(self, browser: Browser, staged: StagedConsole, view: View) -> None:
        _walk_all(browser, staged, [scene for scene in _scenes(staged) if scene.name not in NOT_WALKED], view)


def _scenes(staged: StagedConsole) -> list[Scene]:
    """Return everything that a person can get to see."""
    return [*page_scenes(), *state_scenes(staged.secrets)]


def _walk_all(browser: Browser, staged: StagedConsole, scenes: list[Scene], view: View) -> None:
    """Walk every scene, and complain at the end."""
    found = []
    for who, theirs in groupby(sorted(scenes, key=lambda one: one.who), lambda one: one.who):
        context = browser.new_context(
            viewport={"width": view.width, "height": 900}, color_scheme=view.appearance, locale=view.locale
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        if who != NOBODY:
            sign_in(page, staged.url, who, PASSWORD)
        for scene in theirs:
            play(page, staged.url, scene)
            found += [f"{scene.name}: {one}" for one in (_walk_dialog if scene.opens else _walk_page)(page, scene)]
        context.close()
    assert not found, "\n".join(found)


def _walk_page(page: Page, _scene: Scene) -> list[str]:
    """Walk a page from its first place to its last."""
    expect(page.locator("form:not(.is-lost) [data-email]:empty")).to_have_count(0)  # a link says whose it is
    return complaints_about(page, walk(page, start=page.locator(".skip, .home").first))


def _walk_dialog(page: Page, scene: Scene) -> list[str]:
    """Open a dialog by the keyboard, walk round in it, and leave it by Escape."""
    opener, dialog = page.locator(f"[data-opens={scene.opens}]").first, page.locator(f"#{scene.opens}")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    opener.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    first = dialog.locator(":focus")
    expect(first).to_have_count(1)
    stops = walk(page, start=first)
    found = [] if {stop.landmark for stop in stops} == {"dialog"} else ["the focus leaves the dialog"]
    found += complaints_about(page, stops, root=f"#{scene.opens}")
    page.keyboard.press("Tab")
    expect(dialog.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    return found


class TestTimes:
    @pytest.mark.parametrize(
        ("who", "route", "zone"),
        [
            (STAFF, "/staff/organizations", "America/New_York"),
            (NOBODY, "/status", "America/New_York"),
            (OWNER, "/usage", "Asia/Shanghai"),
        ],
        ids=["staff in their own", "a stranger in their own", "a member in the organization's"],
    )
    def test_are_in_the_zone(self, browser: Browser, staged: StagedConsole, who: str, route: str, zone: str) -> None:
        context = browser.new_context(locale="en-US", timezone_id="America/New_York")
        context.set_default_timeout(20_000)
        page = context.new_page()
        if who != NOBODY:
            sign_in(page, staged.url, who, PASSWORD)
        page.goto(f"{staged.url}{route}")
        settle(page)
        expect(page.get_by_text(zone)).to_be_visible()
        context.close()


class TestMenuOfANarrowScreen:
    @pytest.mark.parametrize(("who", "route"), [("customer", "/agreements"), (STAFF_EMAIL, "/staff/channels")])
    def test_shows_where_one_is(self, browser: Browser, console: RunningConsole, who: str, route: str) -> None:
        context = browser.new_context(viewport={"width": 380, "height": 900}, locale="en-US")
        context.set_default_timeout(20_000)
        page = context.new_page()
        sign_in(page, console.url, console.email if who == "customer" else who, PASSWORD)
        page.goto(f"{console.url}{route}")
        settle(page)
        expect(page.locator(".menu-entry[aria-current]")).to_be_in_viewport(ratio=0.99)
        context.close()
