"""The table of what OneToken withstands cannot lie: a row has a test that carries its number, or a dated figure."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from tests.architecture.tree import ROOT, Module, all_modules, module_of

ROWS = (
    *(f"A{number}" for number in range(1, 21) if number != 17),
    *(f"D{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 18)),
)
"""Every promise that is numbered; the numbers that are missing were never given."""
OWED = frozenset({"A11", "D6", "D8", "D10", "D11", "D13"})
"""Rows that nothing shows yet. It only ever gets shorter: a row with a test or a figure may not stand here."""
_ROW = re.compile(r"^\| ([AD]\d+) \| (.+) \| (.*) \| (.*) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py::\w+(?:::\w+)?)`")
_FIGURE = re.compile(r"\b20\d\d-\d\d-\d\d\b.*`[^`]+`|`[^`]+`.*\b20\d\d-\d\d-\d\d\b")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    number: str
    goal: str
    tests: frozenset[str]
    has_figure: bool
    """Something was measured: it names the day and the command."""


def rows_of(text: str) -> list[Row]:
    """Read the table of a page."""
    return [
        Row(number, goal.strip(), frozenset(_TEST.findall(tests)), bool(_FIGURE.search(measured)))
        for number, goal, tests, measured in _ROW.findall(text)
    ]


def marked_tests(modules: Iterable[Module]) -> Iterator[tuple[str, str]]:
    """Yield each row with each test that says it tries it, named as pytest names it."""
    for module in modules:
        for name, node in _named(module.syntax):
            for number in _numbers_on(node):
                yield number, f"{module.path}::{name}"


def _named(syntax: ast.Module) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield what a marker may stand on, with its name."""
    for node in syntax.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}::{inner.name}", inner


def _numbers_on(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield the rows that the decorators of a test name."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.row":
            yield from (str(ast.literal_eval(argument)) for argument in decorator.args)


def the_rows() -> list[Row]:
    """Read the table that is published."""
    return rows_of((ROOT / "docs" / "reliability.md").read_text(encoding="utf-8"))


class TestTable:
    def test_every_promise_has_its_row_once(self) -> None:
        assert [row.number for row in the_rows()] == list(ROWS)

    def test_every_row_has_a_test_or_a_figure_except_those_that_are_owed(self) -> None:
        without = {row.number for row in the_rows() if not row.tests and not row.has_figure}
        assert without == OWED

    def test_it_names_exactly_the_tests_that_carry_a_number(self) -> None:
        named = {(row.number, test) for row in the_rows() for test in row.tests}
        assert named == set(marked_tests(module for module in all_modules() if module.lies_in("tests/")))


class TestRules:
    def test_a_row_is_read(self) -> None:
        planted = "| A1 | no loss | `tests/a/test_b.py::TestC`, `tests/a/test_b.py::TestD::test_e` | none yet |\n"
        tests = frozenset({"tests/a/test_b.py::TestC", "tests/a/test_b.py::TestD::test_e"})
        assert rows_of(planted) == [Row("A1", "no loss", tests, has_figure=False)]

    @pytest.mark.parametrize(
        ("cell", "is_figure"),
        [
            pytest.param("2026-11-27: 12 ms, `make bench`", True, id="a day and a command"),
            pytest.param("12 ms, `make bench`", False, id="no day"),
            pytest.param("2026-11-27: 12 ms", False, id="no command"),
        ],
    )
    def test_a_figure_has_a_day_and_a_command(self, cell: str, *, is_figure: bool) -> None:
        assert rows_of(f"| A1 | fast | – | {cell} |\n")[0].has_figure is is_figure

    def test_markers_on_classes_and_methods_are_found(self) -> None:
        planted = (
            '@pytest.mark.row("A1", "A2")\nclass TestC:\n'
            '    @pytest.mark.long\n    @pytest.mark.row("A3")\n    async def test_d(self): ...\n'
        )
        found = set(marked_tests([module_of(planted, path="tests/t.py")]))
        assert found == {("A1", "tests/t.py::TestC"), ("A2", "tests/t.py::TestC"), ("A3", "tests/t.py::TestC::test_d")}
