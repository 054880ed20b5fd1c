"""Copies the database of a running or stopped installation into one file, checked before it gets its name.

The root secrets are not part of it: a copy that leaves the machine opens nothing by itself.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg.conninfo

from onetoken_app.clock import utc_now
from onetoken_app.command.failure import CommandFailed
from onetoken_app.database import disk_trouble
from onetoken_app.settings import Settings

_DAMAGED = "the copy is not whole: the database is damaged; restore an earlier backup"


def back_up(settings: Settings, target: Path | None) -> Path:
    """Write a backup and return where it is.

    Args:
        settings: Of this installation.
        target: A file that is not there yet, in a folder that is; ``None``: a name with the time of day, in ``backups``
            of the data folder.

    Raises:
        CommandFailed: There is nothing to copy, the file exists, its folder does not, there is no room, or the copy is
            not whole; no file is left then.
    """
    path = target or _default_target(settings)
    if path.exists():
        message = f"{path} exists; a backup never overwrites a file"
        raise CommandFailed(message)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if target is None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        if settings.is_sqlite:
            _copy_sqlite(settings, draft)
        else:
            _dump_postgresql(settings, draft)
        _make_durable(draft, path)
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror}"
        raise CommandFailed(message) from error
    except sqlite3.Error as error:
        message = f"{path}: no backup was made: {_reason(error)}"
        raise CommandFailed(message) from error
    finally:
        draft.unlink(missing_ok=True)
    return path


def _default_target(settings: Settings) -> Path:
    """Name a backup after the moment it is made."""
    suffix = "sqlite3" if settings.is_sqlite else "pgdump"
    return settings.data_dir / "backups" / f"onetoken-{utc_now():%Y%m%dT%H%M%SZ}.{suffix}"


def _copy_sqlite(settings: Settings, draft: Path) -> None:
    """Copy one snapshot through SQLite itself, and check the copy. It only reads: nobody waits for it."""
    if not settings.database_file.exists():
        message = f"{settings.database_file}: there is no database yet"
        raise CommandFailed(message)
    with closing(_read_only(settings.database_file)) as source, closing(sqlite3.connect(draft)) as copy:
        source.backup(copy)
    with closing(sqlite3.connect(draft)) as copy:
        # One file without a log beside it, so that moving the file moves everything.
        copy.execute("PRAGMA journal_mode=DELETE")
        problem = copy.execute("PRAGMA integrity_check").fetchone()[0]
        foreign = copy.execute("PRAGMA foreign_key_check").fetchone()
    if problem != "ok" or foreign is not None:
        raise CommandFailed(_DAMAGED)


def _reason(error: sqlite3.Error) -> str:
    """Tell a disk without room from a database that cannot be read."""
    return "the disk is full or fails; make room" if disk_trouble(error) else _DAMAGED


def _read_only(path: Path) -> sqlite3.Connection:
    """Open a database that this process may not change."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _dump_postgresql(settings: Settings, draft: Path) -> None:
    """Let ``pg_dump`` write its own format, from one snapshot, and read its table of contents back."""
    pg_dump, pg_restore = shutil.which("pg_dump"), shutil.which("pg_restore")
    if pg_dump is None or pg_restore is None:
        message = "pg_dump and pg_restore are not on PATH; install PostgreSQL's client programs of the server's version"
        raise CommandFailed(message)
    url = settings.database_url.get_secret_value() if settings.database_url else ""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    # A command line can be read by everybody on the machine; an environment cannot.
    environment = os.environ | {"PGPASSWORD": str(parts.pop("password", None) or "")}
    place = psycopg.conninfo.make_conninfo("", **parts)
    _run([pg_dump, "--format=custom", f"--file={draft}", f"--dbname={place}"], environment)
    _run([pg_restore, "--list", str(draft)], environment)


def _run(command: list[str], environment: dict[str, str]) -> None:
    """Run one of PostgreSQL's programs."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 # found by name, arguments of ours
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[:1]
        message = f"{Path(command[0]).name} failed: {reason[0] if reason else done.returncode}"
        raise CommandFailed(message)


def _make_durable(draft: Path, path: Path) -> None:
    """Give the finished file its name once its bytes are on disk; a name that was taken meanwhile is left alone."""
    _sync(draft)
    os.link(draft, path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
