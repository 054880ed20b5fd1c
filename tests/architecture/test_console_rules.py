"""Every method of a State is a public procedure: it names its role, and no State carries a row of a table."""

import ast
from collections.abc import Iterator
from functools import lru_cache

import pytest

from tests.architecture.tree import Module, breaches, module_of, product_modules

COMPUTED = {"var", "cached_var", "computed_var"}
"""Decorators that make a value of a method; it is sent to the browser, and no browser can call it."""


def offers_event_without_role(module: Module) -> Iterator[str]:
    """Find methods of a State that a browser could call and that do not say for whom they are."""
    for state in _states(module):
        for method in state.body:
            if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) or method.name.startswith("_"):
                continue
            decorators = [_called_name(decorator) for decorator in method.decorator_list]
            if not set(decorators) & {"event_for", *COMPUTED}:
                yield f"{method.lineno} {state.name}.{method.name} names no role; decorate it with event_for"


def carries_rows(module: Module) -> Iterator[str]:
    """Find vars of a State that are annotated with a table: the whole row would go to the browser."""
    tables = table_names()
    for state in _states(module):
        for statement in state.body:
            if isinstance(statement, ast.AnnAssign):
                for name in sorted(_names_in(statement.annotation) & tables):
                    yield f"{statement.lineno} {state.name} carries {name}; queries return views"


@lru_cache(maxsize=1)
def table_names() -> set[str]:
    """Return the name of every class that is a table."""
    return {
        node.name
        for module in product_modules()
        for node in ast.walk(module.syntax)
        if isinstance(node, ast.ClassDef)
        and any(keyword.arg == "table" and _is_true(keyword.value) for keyword in node.keywords)
    }


class TestRoles:
    def test_every_event_names_its_role(self) -> None:
        assert breaches(offers_event_without_role, product_modules()) == []

    @pytest.mark.parametrize(
        "method",
        [
            pytest.param("def load(self): ...", id="without a decorator"),
            pytest.param("@rx.event\n    async def load(self): ...", id="with Reflex's own decorator only"),
            pytest.param("@staticmethod\n    def load(): ...", id="static"),
        ],
    )
    def test_a_planted_event_is_found(self, method: str) -> None:
        assert list(offers_event_without_role(module_of(f"class PlantedState(rx.State):\n    {method}\n")))

    def test_a_state_of_ones_own_is_looked_at_too(self) -> None:
        planted = "class Planted(ConsoleState):\n    def load(self): ...\n"
        assert list(offers_event_without_role(module_of(planted)))

    def test_private_methods_vars_and_named_roles_are_fine(self) -> None:
        planted = """
class PlantedState(rx.State):
    def _refresh(self): ...
    @rx.var
    def label(self) -> str: ...
    @event_for(Role.VIEWER)
    async def load(self): ...
"""
        assert list(offers_event_without_role(module_of(planted))) == []


class TestRows:
    def test_no_state_carries_one(self) -> None:
        assert breaches(carries_rows, product_modules()) == []

    def test_a_planted_one_is_found(self) -> None:
        planted = "class PlantedState(rx.State):\n    keys: list[ApiKey] = []\n    one: models.Person | None = None\n"
        assert len(list(carries_rows(module_of(planted)))) == 2


def _states(module: Module) -> Iterator[ast.ClassDef]:
    """Yield the classes that join Reflex's tree of states."""
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.ClassDef) and any(_last_name(base).endswith("State") for base in node.bases):
            yield node


def _called_name(decorator: ast.expr) -> str:
    """Name a decorator, called or not."""
    return _last_name(decorator.func if isinstance(decorator, ast.Call) else decorator)


def _last_name(node: ast.expr) -> str:
    """Return the last part of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _names_in(annotation: ast.expr) -> set[str]:
    """Return every name in an annotation, also in one that is written as a string."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    return {_last_name(node) for node in ast.walk(annotation) if isinstance(node, ast.Name | ast.Attribute)}


def _is_true(value: ast.expr) -> bool:
    """Whether a keyword's value is the literal ``True``."""
    return isinstance(value, ast.Constant) and value.value is True
