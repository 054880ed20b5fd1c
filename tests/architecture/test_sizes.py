"""Files and functions stay small enough to be read whole."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT, Module, all_modules, breaches, module_of

PAGES = ("onetoken_app/console/pages/",)
PAGE_LINES_MAX = 250
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
DOCUMENT_LINES_MAX = {"README.md": 150, "ARCHITECTURE.md": 250, "CONTRIBUTING.md": 150}
WRITTEN_BY_TOOLS = ("alembic/versions/",)
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers", "lib"}


def is_too_long(module: Module) -> Iterator[str]:
    """Find a file over its cap."""
    lines_max = PAGE_LINES_MAX if module.lies_in(*PAGES) else MODULE_LINES_MAX
    if module.line_count > lines_max:
        yield f"{module.line_count} lines, {lines_max} at most; which two things does it hold?"


def has_long_function(module: Module) -> Iterator[str]:
    """Find functions over the cap, decorators and docstring included."""
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            line_count = (node.end_lineno or node.lineno) - node.lineno + 1
            if line_count > FUNCTION_LINES_MAX:
                yield f"{node.lineno} {node.name} has {line_count} lines, {FUNCTION_LINES_MAX} at most"


def is_named_for_nothing(module: Module) -> Iterator[str]:
    """Find files and folders whose name would admit anything."""
    for part in module.path.removesuffix(".py").split("/"):
        if part in NAMES_THAT_SAY_NOTHING:
            yield f"{part} says nothing; name what lives there"


def written_by_people() -> Iterator[Module]:
    """Leave out migrations: a tool drafts them, and they are never edited once on main."""
    return (module for module in all_modules() if not module.lies_in(*WRITTEN_BY_TOOLS))


class TestLength:
    def test_modules_stay_within_their_cap(self) -> None:
        assert breaches(is_too_long, written_by_people()) == []

    def test_functions_stay_within_their_cap(self) -> None:
        assert breaches(has_long_function, written_by_people()) == []

    @pytest.mark.parametrize(("name", "lines_max"), DOCUMENT_LINES_MAX.items(), ids=DOCUMENT_LINES_MAX)
    def test_documents_at_the_root_stay_within_their_cap(self, name: str, lines_max: int) -> None:
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= lines_max

    def test_a_long_page_is_found(self) -> None:
        lines = "\n" * (PAGE_LINES_MAX + 1)
        assert list(is_too_long(module_of(lines, path="onetoken_app/console/pages/planted.py")))
        assert list(is_too_long(module_of(lines))) == []

    def test_a_long_module_is_found(self) -> None:
        assert list(is_too_long(module_of("\n" * (MODULE_LINES_MAX + 1))))

    def test_a_long_function_is_found(self) -> None:
        body = "        x = 1\n" * FUNCTION_LINES_MAX
        assert list(has_long_function(module_of(f"async def planted():\n{body}")))
        assert list(has_long_function(module_of(f"class A:\n    def planted(self):\n{body}")))


class TestNames:
    def test_every_file_is_named_for_what_it_holds(self) -> None:
        assert breaches(is_named_for_nothing, written_by_people()) == []

    def test_a_name_that_says_nothing_is_found(self) -> None:
        assert list(is_named_for_nothing(module_of("", path="onetoken_app/relay/utils.py")))
