"""Callers' programs compare codes: the page lists exactly those that the relay sends, with their status."""

import ast
import importlib
import re
from collections.abc import Iterator

from onetoken_app.errors import OneTokenError
from tests.architecture.tree import ROOT, Module, module_of, product_modules

RELAY = ("onetoken_app/relay/",)
PASSED_THROUGH = {"LedgerUnavailable", "UnknownPrice"}
"""Errors that a room below makes and the relay sends as they are."""
_ROW = re.compile(r"^\| `([a-z_]+)` \| (\d{3}) \|", re.MULTILINE)


def documented_codes(text: str) -> dict[str, int]:
    """Return the codes of a page's table with their status."""
    return {code: int(status) for code, status in _ROW.findall(text)}


def sent_codes() -> dict[str, int]:
    """Return the code and status of every error that the relay makes, wherever its class stands."""
    made = {name for module in product_modules() if module.lies_in(*RELAY) for name in made_classes(module)}
    made |= PASSED_THROUGH
    for name in ("relay.errors", "ledger.errors", "pricing.errors"):
        importlib.import_module(f"onetoken_app.{name}")
    kinds = [kind for kind in _descendants(OneTokenError) if kind.__name__ in made or _is_the_relays(kind)]
    return {kind.code: kind.http_status for kind in kinds}


def made_classes(module: Module) -> Iterator[str]:
    """Name what a file calls: an error is made where its class is called."""
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


class TestCodes:
    def test_the_page_lists_exactly_what_the_relay_sends(self) -> None:
        text = (ROOT / "docs" / "relay-api.md").read_text(encoding="utf-8")
        assert documented_codes(text) == sent_codes()

    def test_no_two_errors_share_a_code_with_different_statuses(self) -> None:
        statuses: dict[str, set[int]] = {}
        for kind in _descendants(OneTokenError):
            statuses.setdefault(kind.code, set()).add(kind.http_status)
        assert {code: found for code, found in statuses.items() if len(found) > 1} == {}

    def test_a_code_of_the_ground_counts_where_the_relay_makes_it(self) -> None:
        assert set(made_classes(module_of("def f():\n    raise PayloadTooLarge('x') from None\n"))) == {
            "PayloadTooLarge"
        }
        assert sent_codes()["payload_too_large"] == 413

    def test_rows_are_read(self) -> None:
        assert documented_codes("| `planted` | 418 | a pot | tea |\n| `no_status` | x |\n") == {"planted": 418}


def _descendants(kind: type[OneTokenError]) -> Iterator[type[OneTokenError]]:
    """Yield every class below one."""
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _is_the_relays(kind: type[OneTokenError]) -> bool:
    """Whether a class was made for the relay's callers."""
    return kind.__module__ == "onetoken_app.relay.errors"
