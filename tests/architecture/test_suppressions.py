"""What switches a check off says which check and why; what catches everything stands at an edge."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import Module, all_modules, breaches, module_of, product_modules

CATCH_EVERYTHING = {
    "onetoken_app/cli.py": "the command's edge: expected trouble becomes one line; all else is raised again",
    "onetoken_app/console/account_routes.py": "the console's edge: the browser learns that nothing was done",
    "onetoken_app/console/document_routes.py": "the console's edge: the browser learns that nothing was done",
    "onetoken_app/console/invoice_file_routes.py": "the console's edge: the browser learns that nothing was done",
    "onetoken_app/console/payment_notifications.py": "the console's edge: the provider has to say it again",
    "onetoken_app/console/session.py": "the console's edge: the reader of a page learns that nothing was done",
    "onetoken_app/jobs/deliver_letters.py": "a job's edge: a letter that cannot even be written must not stop others",
    "onetoken_app/ledger/batches.py": "the writer's edge: what one operation provokes must not fail its neighbours",
    "onetoken_app/ledger/client.py": "its tasks' edge: the end of one would be the end of every call",
    "onetoken_app/ledger/writer.py": "the writer's edge: it ends with a code that says why, and never half-way",
    "onetoken_app/relay/asgi.py": "the relay's edge: a server has to be told that the start failed, whatever it was",
    "onetoken_app/relay/pipeline.py": "the relay's edge: whatever went wrong, the hold has to be closed",
    "onetoken_app/relay/policy_cache.py": "the poll's edge: polling goes on, and old policy fails closed by its age",
    "onetoken_app/relay/recovery.py": "the recovery's edge: one hold must not keep a process from starting",
    "onetoken_app/relay/reply.py": "the server's edge: whatever it raises for a lost connection, nobody is there",
    "onetoken_app/relay/runtime.py": "the recovery's edge: one hold that cannot be read must not end the task",
    "onetoken_app/relay/settlement.py": "the close's edge: an open hold would keep a customer's money",
    "onetoken_app/relay/supervision.py": "the relay's edge: nobody above the task of a call could tell anybody",
}
"""Where ``except Exception`` may stand, and which edge it is: the relay's, the console's, a command's, the writer's."""

_NOQA = re.compile(r"#\s*noqa(?!:\s*[A-Z]+\d)", re.IGNORECASE)
_REASONED = re.compile(r"#\s*(?:noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*|type: ignore\[[a-z-]+\]) # \S", re.IGNORECASE)
_SUPPRESSION = re.compile(r"#\s*(?:noqa|type: ignore)\b")
_TYPE_IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[)")


def suppresses_without_code(module: Module) -> Iterator[str]:
    """Find suppressions that name no rule, which hide the next mistake as well, and those without ``# why``."""
    for number, line in enumerate(module.text.splitlines(), start=1):
        if _NOQA.search(line):
            yield f"{number} noqa without a code"
        elif _TYPE_IGNORE.search(line):
            yield f"{number} type: ignore without a code"
        elif _SUPPRESSION.search(line) and not _REASONED.search(line):
            yield f"{number} a suppression without '# why' after its code"


def catches_everything(module: Module) -> Iterator[str]:
    """Find handlers that would also swallow a mistake of our own."""
    for node in ast.walk(module.syntax):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if node.type is None:
            yield f"{node.lineno} bare except"
        elif "Exception" in _caught_names(node.type) and module.path not in CATCH_EVERYTHING:
            yield f"{node.lineno} except Exception away from the edges"
        elif "BaseException" in _caught_names(node.type) and not _raises_again(node):
            yield f"{node.lineno} except BaseException that does not raise again"


def leaves_for_later(module: Module) -> Iterator[str]:
    """Find notes of unfinished work, and bodies that only promise."""
    for number, line in enumerate(module.text.splitlines(), start=1):
        if re.search(r"#.*\b(TODO|FIXME|XXX|HACK)\b", line):
            yield f"{number} a note of unfinished work"
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node):
            yield f"{node.lineno} a stub"


class TestSuppressions:
    def test_each_names_its_rule_and_reason(self) -> None:
        assert breaches(suppresses_without_code, all_modules()) == []

    @pytest.mark.parametrize(
        "planted", [pytest.param("noqa", id="every lint rule"), pytest.param("type: ignore", id="every type error")]
    )
    def test_a_planted_one_is_found(self, planted: str) -> None:
        assert list(suppresses_without_code(module_of(f"x = 1  # {planted}\n")))

    def test_one_that_names_its_rule_and_reason_is_fine(self) -> None:
        planted = "x = 1  # " + "noqa: S105 # no password\ny = 2  # " + "type: ignore[assignment] # a driver's type\n"
        assert list(suppresses_without_code(module_of(planted))) == []

    @pytest.mark.parametrize("planted", ["noqa: S105", "noqa: S105 - no password", "type: ignore[misc]"])
    def test_one_without_its_reason_is_found(self, planted: str) -> None:
        assert list(suppresses_without_code(module_of(f"x = 1  # {planted}\n")))


class TestCatchingEverything:
    def test_it_happens_at_the_edges_only(self) -> None:
        assert breaches(catches_everything, product_modules()) == []

    def test_every_edge_that_is_listed_still_needs_it(self) -> None:
        catching = {
            module.path
            for module in product_modules()
            for node in ast.walk(module.syntax)
            if isinstance(node, ast.ExceptHandler) and node.type and "Exception" in _caught_names(node.type)
        }
        assert set(CATCH_EVERYTHING) == catching

    @pytest.mark.parametrize(
        "handler",
        [
            pytest.param("except:", id="bare"),
            pytest.param("except Exception as error:", id="Exception"),
            pytest.param("except (ValueError, Exception):", id="Exception among others"),
            pytest.param("except BaseException:", id="BaseException that is swallowed"),
        ],
    )
    def test_a_planted_one_is_found(self, handler: str) -> None:
        assert list(catches_everything(module_of(f"try:\n    f()\n{handler}\n    pass\n")))


class TestUnfinishedWork:
    def test_there_is_none(self) -> None:
        assert breaches(leaves_for_later, product_modules()) == []

    def test_a_planted_stub_is_found(self) -> None:
        assert list(leaves_for_later(module_of("def f():\n    raise NotImplementedError\n")))
        assert list(leaves_for_later(module_of("x = 1  # " + "TODO: later\n")))


def _caught_names(caught: ast.expr) -> set[str]:
    """Name what a handler catches."""
    return {node.id for node in ast.walk(caught) if isinstance(node, ast.Name)}


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether a handler ends by passing on what it caught."""
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))
