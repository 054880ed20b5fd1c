"""Rules whose breach corrupts money: no float near it, and few who commit."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import Module, breaches, module_of, product_modules

WITHOUT_FLOATS = (
    "onetoken_app/ledger/",
    "onetoken_app/pricing/",
    "onetoken_app/money.py",
    "onetoken_app/token_usage.py",
)
SECONDS = re.compile(r"(^|_)(seconds|timeout)(_|$)", re.IGNORECASE)
"""Names may be floats where they say that they are times of the monotonic clock."""
COMMIT = ("onetoken_app/database.py", "onetoken_app/ledger/backends.py", "onetoken_app/database_upgrade.py")
"""The edge of units of work, the ledger's writer process, and migrations."""


def uses_float(module: Module) -> Iterator[str]:
    """Find floats: literals, the type, true division, and the functions that make them."""
    if not module.lies_in(*WITHOUT_FLOATS):
        return
    seconds = set(_nodes_about_seconds(module.syntax))
    for node in ast.walk(module.syntax):
        if node in seconds:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{node.lineno} float {node.value}"
        elif isinstance(node, ast.Name) and node.id in {"float", "Decimal"}:
            yield f"{node.lineno} {node.id}"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{node.lineno} division that makes a float; use divmod or //"


def commits(module: Module) -> Iterator[str]:
    """Find commits outside the edge of the database and the ledger's writer process."""
    if module.lies_in(*COMMIT):
        return
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "begin", "begin_nested"}:
            yield f"{node.lineno} {node.attr}; edges open unit_of_work(), which commits once"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.strip().upper().split(maxsplit=1)
            if words and words[0].rstrip(";") in {"COMMIT", "SAVEPOINT"}:
                yield f"{node.lineno} COMMIT in SQL"


class TestFloats:
    def test_none_comes_near_money(self) -> None:
        assert breaches(uses_float, product_modules()) == []

    @pytest.mark.parametrize(
        "planted",
        [
            pytest.param("price = 0.5", id="a literal"),
            pytest.param("def f(price: float) -> int: ...", id="an annotation"),
            pytest.param("amount = float(text)", id="a conversion"),
            pytest.param("amount = total / 2", id="true division"),
            pytest.param("total /= 3", id="true division in place"),
        ],
    )
    def test_a_planted_one_is_found(self, planted: str) -> None:
        assert list(uses_float(module_of(planted, path="onetoken_app/pricing/planted.py")))

    def test_times_may_be_floats(self) -> None:
        planted = "WAIT_SECONDS = 0.25\ndef f(*, timeout_seconds: float = 1.5) -> None: ..."
        assert list(uses_float(module_of(planted, path="onetoken_app/ledger/planted.py"))) == []


class TestCommit:
    def test_only_the_edge_and_the_writer_do(self) -> None:
        assert breaches(commits, product_modules()) == []

    @pytest.mark.parametrize(
        "planted",
        [
            pytest.param("await session.commit()", id="a session's method"),
            pytest.param("finish = session.commit", id="the method as a value"),
            pytest.param("cursor.execute('COMMIT')", id="SQL"),
        ],
    )
    def test_a_planted_one_is_found(self, planted: str) -> None:
        assert list(commits(module_of(f"async def f():\n    {planted}\n")))


def _nodes_about_seconds(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of assignments, arguments and keywords whose name says that they are times."""
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.Assign) and all(_is_time(target) for target in node.targets):
            parts = [node.value]
        elif isinstance(node, ast.AnnAssign) and _is_time(node.target):
            parts = [node.annotation, node.value]
        elif isinstance(node, ast.keyword) and SECONDS.search(node.arg or ""):
            parts = [node.value]
        elif isinstance(node, ast.arguments):
            parts = list(_time_arguments(node))
        for part in parts:
            if part is not None:
                yield from ast.walk(part)


def _is_time(target: ast.AST) -> bool:
    """Whether a name says that it holds a time."""
    return isinstance(target, ast.Name) and bool(SECONDS.search(target.id))


def _time_arguments(arguments: ast.arguments) -> Iterator[ast.AST | None]:
    """Yield annotations and defaults of arguments that hold times."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    pairs = [
        *zip(positional, [*defaults, *arguments.defaults], strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    for argument, default in pairs:
        if SECONDS.search(argument.arg):
            yield argument.annotation
            yield default
