"""The files of the tree, read and parsed once for all contracts.

A rule is a function that takes a ``Module`` and yields one sentence per breach. Its test applies it to the whole tree,
and to a planted breach, because a rule that cannot find anything proves nothing.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "onetoken_app"
MADE_BY_TOOLS = {
    ".git", ".venv", "var", ".web", ".states", "uploaded_files", "__pycache__", ".pytest_cache", ".mypy_cache",
    ".ruff_cache", ".import_linter_cache", ".hypothesis", "htmlcov", "screens", "node_modules",
}  # fmt: skip
"""Folders that no commit holds; ``.gitignore`` names them too."""


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file."""

    path: str
    """Relative to the root, with forward slashes."""
    text: str
    syntax: ast.Module

    @property
    def line_count(self) -> int:
        """How long it is."""
        return len(self.text.splitlines())

    def lies_in(self, *places: str) -> bool:
        """Whether it is one of the files, or in one of the folders (which end with a slash)."""
        return any(self.path.startswith(place) if place.endswith("/") else self.path == place for place in places)


Rule = Callable[[Module], Iterator[str]]


def module_of(text: str, *, path: str = "onetoken_app/planted.py") -> Module:
    """Parse a text as if it stood at ``path``."""
    return Module(path=path, text=text, syntax=ast.parse(text))


@lru_cache(maxsize=1)
def all_modules() -> tuple[Module, ...]:
    """Return every Python file that a commit could hold, in a fixed order."""
    return tuple(
        module_of(path.read_text(encoding="utf-8"), path=relative(path))
        for path in committed_files()
        if path.suffix == ".py"
    )


def product_modules() -> Iterator[Module]:
    """Return the files of ``onetoken_app``."""
    return (module for module in all_modules() if module.lies_in("onetoken_app/"))


@lru_cache(maxsize=1)
def committed_files() -> tuple[Path, ...]:
    """Return every file that a commit could hold."""
    return tuple(sorted(_walk(ROOT)))


def relative(path: Path) -> str:
    """Name a file from the root."""
    return path.relative_to(ROOT).as_posix()


def breaches(rule: Rule, modules: Iterable[Module]) -> list[str]:
    """Apply a rule to many files; each breach begins with its place."""
    return [f"{module.path}: {breach}" for module in modules for breach in rule(module)]


def imported_names(module: Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of everything that is imported, wherever in the file."""
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def _walk(folder: Path) -> Iterator[Path]:
    """Yield files below a folder, leaving out what tools make."""
    for path in folder.iterdir():
        if path.name in MADE_BY_TOOLS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file() and not path.is_symlink():
            yield path
