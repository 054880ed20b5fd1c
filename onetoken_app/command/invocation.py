"""What verbs begin and end with: the settings that they were started under, and JSON for programs."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from onetoken_app.command.failure import CommandFailed
from onetoken_app.settings import PREFIX, Settings, get_settings
from onetoken_app.telemetry import configure_logging

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]


def read_settings(*, host: str | None = None, port: int | None = None) -> Settings:
    """Read the settings, with what the command line says on top, and send logs where they belong."""
    for name, value in (("HOST", host), ("PORT", port)):
        if value is not None:
            os.environ[PREFIX + name] = str(value)
    get_settings.cache_clear()
    settings = get_settings()
    configure_logging(settings.log_level)
    return settings


def read_file(file: Path) -> bytes:
    """Read a file, or standard input."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise CommandFailed(message) from error


def print_json(value: object) -> None:
    """Print one line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False))
