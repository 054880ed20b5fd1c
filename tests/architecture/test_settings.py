"""``.env.example`` names every setting once, with the default that is in force without it."""

import re
from enum import Enum
from pathlib import Path

from pydantic_core import PydanticUndefined

from onetoken_app.settings import PREFIX, Settings
from tests.architecture.tree import ROOT

_LINE = re.compile(r"^(?:# ?)?(ONETOKEN_[A-Z0-9_]+)=(.*)$", re.MULTILINE)


def example_values(text: str) -> list[tuple[str, str]]:
    """Return every setting that an example names, with its value, commented out or not."""
    return _LINE.findall(text)


def default_values() -> list[tuple[str, str]]:
    """Return every setting with its default as an operator would write it; nothing where there is none."""
    return [(PREFIX + name.upper(), as_written(field.default)) for name, field in Settings.model_fields.items()]


def as_written(default: object) -> str:
    """Write a default the way it stands in a file of variables."""
    if default is None or default is PydanticUndefined:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default.value) if isinstance(default, Enum) else str(default)


class TestExample:
    def test_it_names_every_setting_once_with_its_default(self) -> None:
        example = example_values((ROOT / ".env.example").read_text(encoding="utf-8"))
        assert sorted(example) == sorted(default_values())

    def test_copying_it_changes_nothing(self, tmp_path: Path) -> None:
        copied = tmp_path / ".env"
        copied.write_text((ROOT / ".env.example").read_text(encoding="utf-8"), encoding="utf-8")
        assert Settings(_env_file=copied) == Settings(_env_file=None)

    def test_a_setting_that_is_missing_or_stale_is_found(self) -> None:
        text = "\n".join(f"# {name}={value}" for name, value in default_values())
        assert example_values(text) == default_values()
        assert example_values(text.replace("ONETOKEN_PORT=8000", "ONETOKEN_PORT=80")) != default_values()
        assert example_values(text.replace("# ONETOKEN_PORT=8000\n", "")) != default_values()

    def test_no_secret_has_a_default(self) -> None:
        values = dict(default_values())
        secrets = [name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)]
        assert len(secrets) >= 3
        assert all(not values[PREFIX + name.upper()] for name in secrets)
