"""Every page module is registered, every route is there once, every menu row leads somewhere."""

from pathlib import Path

import pytest

from onetoken_app.console import pages
from onetoken_app.console.callers import Role
from onetoken_app.console.components.wrong_role import PAGE_ROLES
from onetoken_app.console.frame import Page
from onetoken_app.console.navigation import PLACES
from onetoken_app.console.session import required_role

FOLDER = Path(pages.__file__).parent


class TestPages:
    def test_every_module_is_registered(self) -> None:
        modules = {path.stem for path in FOLDER.glob("*/*.py") if path.stem != "__init__"}
        registered = {page.body.__module__.rpartition(".")[2] for page in pages.PAGES}
        assert modules == registered

    def test_routes_are_unique(self) -> None:
        routes = [page.route for page in pages.PAGES]
        assert len(routes) == len(set(routes))

    def test_every_menu_row_leads_to_a_page(self) -> None:
        assert {place.route for place in PLACES} <= {page.route for page in pages.PAGES}

    @pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.route)
    def test_draw_themselves(self, page: Page) -> None:
        assert page.body().render()

    @pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.route)
    def test_load_through_guarded_events(self, page: Page) -> None:
        assert page.on_load
        assert all(required_role(event) is not None for event in page.on_load)

    @pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.route)
    def test_are_for_somebody_whom_the_frame_can_name(self, page: Page) -> None:
        assert {required_role(event) for event in page.on_load} <= {Role.NOBODY, Role.PERSON, *PAGE_ROLES}
