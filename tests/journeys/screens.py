"""Takes a picture of every scene × appearance × language × width, for people to look at: ``make screens``.

It runs a console of its own over a staged business, because no running installation has everything in every state.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

from onetoken_app.identity.models import StaffRole
from tests.journeys.browser import running_browser, settle, sign_in
from tests.journeys.conftest import running_upstream
from tests.journeys.scene import NOBODY, Scene
from tests.journeys.scenes import bare_scenes, page_scenes, state_scenes
from tests.journeys.staged_business import STAFF, VARIABLES, Secrets, arrange
from tests.journeys.staged_payments import payment_variables
from tests.payments.scripted_provider import scripted_provider
from tests.payments.test_wechat_native import CODE, answers
from tests.support.installation import PASSWORD, Installation

WIDTHS = (380, 1440)
APPEARANCES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOCALES = ("en", "zh-CN")


@dataclass(frozen=True, slots=True)
class View:
    """One way of looking."""

    width: int
    appearance: Literal["light", "dark"]
    locale: str

    @property
    def suffix(self) -> str:
        """What the file's name says of it."""
        return f"{self.locale}-{self.appearance}-{self.width}"


@dataclass(frozen=True, slots=True)
class StagedConsole:
    """A console that runs over the staged business."""

    url: str
    secrets: Secrets
    installation: Installation


@contextmanager
def running_staged_console(folder: Path) -> Iterator[StagedConsole]:
    """Run a console over the staged business; the first start after a change builds its pages."""
    with running_upstream() as base_url, scripted_provider(lambda _asked: answers({"code_url": CODE})) as provider:
        installation = Installation(folder, VARIABLES | payment_variables(folder, provider_url=provider.url))
        secrets = arrange(installation, upstream_url=base_url)
        with installation.console() as server:
            yield StagedConsole(server.url, secrets, installation)


@contextmanager
def running_bare_console(folder: Path) -> Iterator[str]:
    """Run a console that has staff and nothing else; return its address."""
    installation = Installation(folder, VARIABLES)
    for role in (StaffRole.ADMINISTRATOR, StaffRole.REVIEWER, StaffRole.FINANCE):
        installation.succeed("staff", "add", STAFF, "--role", role, "--password-env", "TEST_PASSWORD")
    with installation.console() as server:
        yield server.url


def take_all(browser: Browser, *, url: str, scenes: list[Scene], out: Path) -> int:
    """Take every picture of the scenes; return how many.

    A scene is loaded once a language; appearance and width change under it, as when a person turns a tablet.
    """
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for (who, locale), several in groupby(
        sorted(product(scenes, LOCALES), key=lambda one: (one[0].who, one[1])), lambda one: (one[0].who, one[1])
    ):
        context = browser.new_context(locale=locale)
        context.set_default_timeout(120_000)  # a long page of a loaded machine takes its time
        page = context.new_page()
        page.add_init_script(f"localStorage.setItem('onetoken-locale', '{locale}')")
        if who != NOBODY:
            sign_in(page, url, who, PASSWORD)
        for scene, _ in several:
            play(page, url, scene)
            count += _take(page, scene, locale, out)
        context.close()
    return count


def play(page: Page, url: str, scene: Scene) -> None:
    """Bring a scene on the screen."""
    page.goto("about:blank")  # the same address but for what is behind its "#" would load nothing
    page.goto(f"{url}{scene.route}")
    settle(page)
    if scene.step is not None:
        scene.step(page)
        settle(page)


def show(page: Page, view: View) -> None:
    """Look another way at what is on the screen; its language stays."""
    page.set_viewport_size({"width": view.width, "height": 900})
    page.emulate_media(color_scheme=view.appearance)
    page.locator(f"html.{view.appearance}").wait_for()
    page.evaluate("scrollTo(0, 0)")  # what sticks to the top would lie across the middle of a picture of the whole page
    page.evaluate("document.fonts.ready")


def _take(page: Page, scene: Scene, locale: str, out: Path) -> int:
    """Take a scene in every width and appearance."""
    views = [View(width, appearance, locale) for width, appearance in product(WIDTHS, APPEARANCES)]
    for view in views:
        show(page, view)
        page.screenshot(path=out / f"{scene.name}-{view.suffix}.png", full_page=not scene.opens)
    return len(views)


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("screens"))
    parser.add_argument("--only", default="", help="scenes whose name contains this")
    chosen = parser.parse_args()

    def wanted(scenes: list[Scene]) -> list[Scene]:
        return [scene for scene in scenes if chosen.only in scene.name]

    count = 0
    with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
        if bare := wanted(bare_scenes()):
            (bare_folder := Path(folder, "bare")).mkdir()
            with running_bare_console(bare_folder) as url:
                count += take_all(browser, url=url, scenes=bare, out=chosen.out)
        (staged_folder := Path(folder, "staged")).mkdir()
        with running_staged_console(staged_folder) as staged:
            scenes = wanted([*page_scenes(), *state_scenes(staged.secrets)])
            count += take_all(browser, url=staged.url, scenes=scenes, out=chosen.out)
    sys.stdout.write(f"{count} pictures in {chosen.out}\n")


if __name__ == "__main__":
    main()
