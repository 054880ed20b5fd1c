"""Imports point down, Reflex stays in the console, and few rooms talk to the network."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import PACKAGE, ROOT, Module, breaches, imported_names, module_of, product_modules

KNOW_REFLEX = ("onetoken_app/console/", "onetoken_app/onetoken_app.py")
TALK_TO_THE_NETWORK = ("onetoken_app/providers/", "onetoken_app/relay/", "onetoken_app/payments/providers/")
HANDS_MAILS_OVER = "onetoken_app/notifications/smtp.py"
ASKING = ("httpx", "urllib.request")
ASK_WHETHER_A_PORT_ANSWERS = ("onetoken_app/command/", "onetoken_app/demo/")
NETWORK_CLIENTS = {"aiohttp", "httpx", "requests", "urllib3", "stripe", "alipay", "wechatpayv3"}
NETWORK_CLIENT_MODULES = ("urllib.request", "http.client", "smtplib")
LIGHT_ENTRYPOINTS = ("onetoken_app.tables", "onetoken_app.relay.asgi", "onetoken_app.ledger.writer", "onetoken_app.cli")


def imports_reflex(module: Module) -> Iterator[str]:
    """Find Reflex where pages are not made: it costs half a second and registers states in a global tree."""
    if module.lies_in(*KNOW_REFLEX):
        return
    for line, name in imported_names(module):
        if name.split(".")[0].startswith("reflex"):
            yield f"{line} imports {name}; only {' and '.join(KNOW_REFLEX)} may"


def talks_to_the_network(module: Module) -> Iterator[str]:
    """Find clients of the network where no request may leave the house."""
    if module.lies_in(*TALK_TO_THE_NETWORK):
        return
    for line, name in imported_names(module):
        is_client = name.split(".")[0] in NETWORK_CLIENTS or name.startswith(NETWORK_CLIENT_MODULES)
        if name == "smtplib" and module.path == HANDS_MAILS_OVER:
            continue
        if is_client and not (name in ASKING and module.lies_in(*ASK_WHETHER_A_PORT_ANSWERS)):
            yield f"{line} imports {name}; upstreams are called from {' and '.join(TALK_TO_THE_NETWORK)}"


def check_contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on a tree."""
    program = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


class TestDirection:
    def test_every_contract_is_kept(self) -> None:
        result = check_contracts(ROOT)
        assert result.returncode == 0, result.stdout + result.stderr

    def test_a_room_that_is_listed_nowhere_breaks_the_build(self, tmp_path: Path) -> None:
        copy_of_tree(tmp_path)
        (tmp_path / "onetoken_app" / "planted").mkdir()
        (tmp_path / "onetoken_app" / "planted" / "__init__.py").write_text('"""A room nobody agreed on."""\n')
        result = check_contracts(tmp_path)
        assert result.returncode != 0
        assert "planted" in result.stdout

    def test_an_import_that_points_up_breaks_the_build(self, tmp_path: Path) -> None:
        copy_of_tree(tmp_path)
        money = tmp_path / "onetoken_app" / "money.py"
        money.write_text(money.read_text() + "\nimport onetoken_app.ledger.models\n")
        result = check_contracts(tmp_path)
        assert result.returncode != 0
        assert "onetoken_app.money -> onetoken_app.ledger.models" in result.stdout


class TestReflex:
    def test_only_the_console_and_the_composition_root_know_it(self) -> None:
        assert breaches(imports_reflex, product_modules()) == []

    def test_an_import_elsewhere_is_found(self) -> None:
        assert list(imports_reflex(module_of("def f():\n    from reflex.state import State\n")))

    def test_relay_writer_tables_and_command_start_without_it(self) -> None:
        program = (
            f"import sys, {', '.join(LIGHT_ENTRYPOINTS)}; "
            "print([name for name in sys.modules if name.split('.')[0].startswith('reflex')])"
        )
        result = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        )
        assert result.stdout.strip() == "[]"


class TestNetwork:
    def test_only_providers_and_relay_have_clients(self) -> None:
        assert breaches(talks_to_the_network, product_modules()) == []

    def test_a_client_elsewhere_is_found(self) -> None:
        planted = "import httpx\nfrom aiohttp.client import ClientSession\nimport urllib.request\n"
        assert len(list(talks_to_the_network(module_of(planted, path="onetoken_app/ledger/planted.py")))) == 3

    def test_mails_are_handed_over_in_one_place(self) -> None:
        planted = "import smtplib\n"
        assert list(talks_to_the_network(module_of(planted, path="onetoken_app/notifications/planted.py")))
        assert not list(talks_to_the_network(module_of(planted, path=HANDS_MAILS_OVER)))

    def test_commands_may_only_ask_whether_a_port_answers(self) -> None:
        planted = "import httpx\nimport aiohttp\n"
        assert len(list(talks_to_the_network(module_of(planted, path="onetoken_app/demo/planted.py")))) == 1


def copy_of_tree(folder: Path) -> None:
    """Copy what import-linter reads."""
    shutil.copytree(PACKAGE, folder / "onetoken_app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
