"""Every page module is registered, no two pages share a route, and every place of a menu leads to a page."""

import ast
from collections.abc import Iterable, Iterator

from tests.architecture.tree import Module, module_of, product_modules

PAGES = "onetoken_app/console/pages/"
REGISTER = "onetoken_app/console/pages/__init__.py"
NAVIGATION = "onetoken_app/console/navigation.py"


def page_modules() -> list[Module]:
    """Return the modules that have to offer a page."""
    return [module for module in product_modules() if module.lies_in(PAGES) and not module.path.endswith("__init__.py")]


def routes_of(module: Module) -> Iterator[str]:
    """Yield the routes of the pages that a module offers."""
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Page":
            for keyword in node.keywords:
                if keyword.arg == "route" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value)


def unregistered(modules: Iterable[Module], register: Module) -> list[str]:
    """Name page modules whose ``PAGE`` the register leaves out."""
    registered = {
        node.value.id
        for node in ast.walk(register.syntax)
        if isinstance(node, ast.Attribute) and node.attr == "PAGE" and isinstance(node.value, ast.Name)
    }
    return [module.path for module in modules if _name_of(module) not in registered]


def places_of(navigation: Module) -> list[str]:
    """Return the routes that menus lead to."""
    return [
        str(node.args[0].value)
        for node in ast.walk(navigation.syntax)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Place"
        and isinstance(node.args[0], ast.Constant)
    ]


class TestPages:
    def test_every_module_offers_one_page(self) -> None:
        assert {module.path: len(list(routes_of(module))) for module in page_modules()} == {
            module.path: 1 for module in page_modules()
        }

    def test_every_page_is_registered(self) -> None:
        assert page_modules()
        assert unregistered(page_modules(), _module(REGISTER)) == []

    def test_routes_are_unique(self) -> None:
        routes = [route for module in page_modules() for route in routes_of(module)]
        assert sorted(routes) == sorted(set(routes))

    def test_every_place_of_a_menu_is_a_page(self) -> None:
        routes = {route for module in page_modules() for route in routes_of(module)}
        assert set(places_of(_module(NAVIGATION))) <= routes

    def test_an_unregistered_page_is_found(self) -> None:
        planted = module_of("PAGE = Page(route='/planted')", path=f"{PAGES}customer/planted.py")
        assert list(routes_of(planted)) == ["/planted"]
        assert unregistered([planted], _module(REGISTER)) == [planted.path]


def _name_of(module: Module) -> str:
    """Return the last part of a module's name."""
    return module.path.removesuffix(".py").rsplit("/", 1)[-1]


def _module(path: str) -> Module:
    """Return one file of the tree."""
    (found,) = (module for module in product_modules() if module.path == path)
    return found
