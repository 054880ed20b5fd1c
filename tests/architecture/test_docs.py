"""A page that names a file, a command or a setting which does not exist fails the build."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from onetoken_app.cli import app
from onetoken_app.providers.protocol import CHOICES_MAX
from onetoken_app.relay.admission import OVERHEAD_TOKENS, TOOLS_OVERHEAD_TOKENS
from onetoken_app.relay.dialects.call_request import OUTPUT_TOKENS_MAX
from onetoken_app.relay.json_bounds import JSON_DEPTH_MAX, JSON_VALUES_MAX
from onetoken_app.relay.request_body import BODY_SECONDS_MAX
from onetoken_app.settings import PREFIX, Settings
from tests.architecture.test_settings import default_values
from tests.architecture.tree import MADE_BY_TOOLS, PACKAGE, ROOT, committed_files, relative

_CODE = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
_ENDINGS = (".py", ".md", ".toml", ".lock", ".yaml", ".ini", ".css", ".example", "/")
_SETTING = re.compile(r"\bONETOKEN_[A-Z0-9_]+\b")
_COMMAND = re.compile(r"^(?:[\w./]*bin/)?onetoken((?: [a-z][a-z-]*)*)((?: --[a-z-]+)*)")
_TARGET = re.compile(r"^make ([a-z-]+)")

FOLDERS_OF_FILES = ("", "onetoken_app/", "tests/", "docs/")
"""Where a path in a page may start."""
MADE_AT_RUN_TIME = {"var/", "secrets.env", "onetoken.yaml", ".env", "owner.lock"}
"""Named in pages, found in no commit."""


def pages() -> list[Path]:
    """Return every page of the documentation."""
    return [path for path in committed_files() if path.suffix == ".md" and "texts" not in path.parts]


def code_in(text: str) -> Iterator[str]:
    """Yield what a page shows as code: in the line, and line by line in blocks."""
    for block in _BLOCK.findall(text):
        yield from (line.strip().removeprefix("$ ") for line in block.splitlines())
    yield from _CODE.findall(_BLOCK.sub("", text))


def missing_files(text: str) -> Iterator[str]:
    """Yield paths in backticks that lead nowhere."""
    for code in _CODE.findall(_BLOCK.sub("", text)):
        path = code.split(":")[0].split("::")[0]
        if not _FILE.fullmatch(path) or not path.endswith(_ENDINGS) or path in MADE_AT_RUN_TIME:
            continue
        if "/" not in path and path in known_names():
            continue
        if not any((ROOT / folder / path).exists() for folder in FOLDERS_OF_FILES):
            yield path


def known_names() -> set[str]:
    """Return the name of every committed file: a page may leave out the folder that it speaks of."""
    return {path.name for path in committed_files()}


def missing_links(text: str, *, folder: Path) -> Iterator[str]:
    """Yield links to files that are not there."""
    for target in _LINK.findall(text):
        if "://" not in target and not target.startswith("mailto:") and not (folder / target).exists():
            yield target


def unknown_settings(text: str) -> Iterator[str]:
    """Yield names of settings that the software would refuse."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    yield from sorted(set(_SETTING.findall(text)) - known)


def unknown_commands(text: str) -> Iterator[str]:
    """Yield commands and options that ``onetoken`` does not have, and targets that the Makefile does not have."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for code in code_in(text):
        if (target := _TARGET.match(code)) and target[1] not in targets:
            yield code
        if (command := _COMMAND.match(code)) and not _exists(command[1].split(), command[2].split()):
            yield code


def _exists(words: list[str], options: list[str]) -> bool:
    """Follow the words of a command through the tree of commands; what follows a leaf are its arguments."""
    command = typer.main.get_command(app)
    for word in words:
        if not isinstance(command, TyperGroup):
            break
        if word not in command.commands:
            return False
        command = command.commands[word]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return set(options) <= known | {"--help"}


@pytest.mark.parametrize("page", pages(), ids=relative)
class TestPages:
    def test_every_file_that_it_names_exists(self, page: Path) -> None:
        assert list(missing_files(page.read_text(encoding="utf-8"))) == []

    def test_every_link_leads_somewhere(self, page: Path) -> None:
        assert list(missing_links(page.read_text(encoding="utf-8"), folder=page.parent)) == []

    def test_every_setting_that_it_names_exists(self, page: Path) -> None:
        assert list(unknown_settings(page.read_text(encoding="utf-8"))) == []

    def test_every_command_that_it_names_exists(self, page: Path) -> None:
        assert list(unknown_commands(page.read_text(encoding="utf-8"))) == []


class TestRules:
    def test_a_file_that_is_not_there_is_found(self) -> None:
        assert list(missing_files("see `relay/planted.py` and `money.py`")) == ["relay/planted.py"]

    def test_a_link_that_leads_nowhere_is_found(self) -> None:
        assert list(missing_links("[here](planted.md#part), [there](README.md)", folder=ROOT)) == ["planted.md"]

    def test_a_setting_that_is_not_there_is_found(self) -> None:
        assert list(unknown_settings("`ONETOKEN_PORT`, ONETOKEN_" + "PLANTED=1")) == ["ONETOKEN_" + "PLANTED"]

    @pytest.mark.parametrize(
        "planted",
        [
            pytest.param("`onetoken planted`", id="a command"),
            pytest.param("`onetoken ledger planted`", id="a command of a group"),
            pytest.param("```sh\nonetoken up --planted\n```", id="an option in a block"),
            pytest.param("`make planted`", id="a target"),
        ],
    )
    def test_a_command_that_is_not_there_is_found(self, planted: str) -> None:
        assert list(unknown_commands(planted))

    def test_settings_table_of_operations_is_complete(self) -> None:
        text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
        assert {name for name in Settings.model_fields if PREFIX + name.upper() not in text} == set()


class TestNumbers:
    def test_the_published_formula_of_a_hold_is_the_one_in_force(self) -> None:
        text = (ROOT / "docs" / "relay-api.md").read_text(encoding="utf-8")
        with_tools = OVERHEAD_TOKENS + TOOLS_OVERHEAD_TOKENS
        assert f"{OVERHEAD_TOKENS}, or {with_tools} ({OVERHEAD_TOKENS} + {TOOLS_OVERHEAD_TOKENS})" in text

    def test_the_published_limits_are_the_ones_in_force(self) -> None:
        text = (ROOT / "docs" / "relay-api.md").read_text(encoding="utf-8")
        grouped = f"{OUTPUT_TOKENS_MAX:,}".replace(",", " ")
        for limit in (
            f"{JSON_DEPTH_MAX} levels",
            f"{JSON_VALUES_MAX:,} values".replace(",", " "),
            f"1 to {CHOICES_MAX} ",
            f"1 to {grouped} ",
            f"{BODY_SECONDS_MAX} seconds",
        ):
            assert limit in text

    def test_the_settings_of_operations_have_their_defaults(self) -> None:
        text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
        rows = dict(re.findall(r"^\| `(ONETOKEN_\w+)` \| (?:`([^`]*)`|–) \|", text, re.MULTILINE))
        assert rows == dict(default_values())


class TestTree:
    def test_the_tree_of_the_architecture_has_every_room(self) -> None:
        text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
        rooms = [path.name for path in PACKAGE.iterdir() if (path.is_dir() and path.name not in MADE_BY_TOOLS)]
        rooms += [path.name for path in PACKAGE.glob("*.py") if path.name != "__init__.py"]
        assert [room for room in rooms if not re.search(rf"\b{re.escape(room)}", text)] == []

    def test_the_tree_of_the_architecture_names_only_what_exists(self) -> None:
        tree = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## The tree")[1].split("```")[1]
        names = set(re.findall(r"[\w.-]+/|[\w.-]+\.(?:py|md|lock|toml|ini)\b", tree))
        known = {path.name for path in committed_files()}
        known |= {f"{parent.name}/" for path in committed_files() for parent in path.parents}
        assert sorted(names - known) == []
