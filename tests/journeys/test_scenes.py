"""No page and no dialog is missing among the scenes that are pictured and checked."""

import re

from onetoken_app.console.pages import PAGES
from tests.journeys.scenes import bare_scenes, page_scenes, state_scenes
from tests.journeys.staged_business import Secrets

_OPENER = re.compile(r'"data-opens"\s*:\s*"([\w-]+)"')
SECRETS = Secrets(api_key="", links={"/invitation": "", "/password/reset": "", "/sign-up/continue": ""})


class TestScenes:
    def test_every_page_is_among_them(self) -> None:
        shown = {scene.route for scene in page_scenes()}
        assert shown == {"/no-such-page" if page.route == "404" else page.route for page in PAGES}

    def test_every_dialog_is_opened(self) -> None:
        openers = {name for page in PAGES for name in _OPENER.findall(str(page.body()))}
        assert "mint-key" in openers
        assert openers == {scene.opens for scene in state_scenes(SECRETS)} - {""}

    def test_names_are_unique(self) -> None:
        names = [scene.name for scene in (*page_scenes(), *bare_scenes(), *state_scenes(SECRETS))]
        assert len(names) == len(set(names))
