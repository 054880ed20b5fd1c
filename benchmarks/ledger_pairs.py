"""Measures hold and close pairs through the real client and writer, on SQLite at ``synchronous=FULL``.

``python -m benchmarks.ledger_pairs [--tasks 64] [--seconds 5] [--owners 1] [--folder DIR] [--uvloop]``. Prints pairs a
second, and the time that a caller waits for its hold and for its close. One run on an idle machine says something; the
disk decides much of it.
"""

import argparse
import asyncio
import gc
import sqlite3
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from onetoken_app import tables
from onetoken_app.database import Database, unit_of_work, use_database
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import schema, service
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, PlaceHold, Statement
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource

_CONTEXT = bytes(300)
_CREDIT_NANOS = 10**18
_HOLD_NANOS = 1_000_000
_CHARGE_NANOS = 400_000
_RECORD = "INSERT INTO benchmark_record (request_id, charge_nanos, rest) VALUES (?, ?, ?)"


async def measure(arguments: argparse.Namespace, folder: Path) -> None:
    """Set a ledger up, run, print."""
    settings = Settings(data_dir=folder)
    _create(settings)
    owners = await _open_accounts(settings, arguments.owners)
    client = LedgerClient()
    await client.start(settings, new_id(Kind.EPOCH))
    gc.freeze()
    started = time.perf_counter()
    deadline = started + arguments.seconds
    runs = [_pairs(client, owners[number % len(owners)], deadline) for number in range(arguments.tasks)]
    waits = [wait for run in await asyncio.gather(*runs) for wait in run]
    seconds = time.perf_counter() - started
    await client.stop()
    print(f"{arguments.tasks} tasks, {arguments.owners} owners: {len(waits) / seconds:,.0f} pairs/s")
    for name, position in (("hold", 0), ("close", 1)):
        column = sorted(wait[position] for wait in waits)
        p50, p99 = column[len(column) // 2], column[len(column) * 99 // 100]
        print(f"{name}: p50 {p50 * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms, max {column[-1] * 1000:.2f} ms")


async def _pairs(client: LedgerClient, owner_id: str, deadline: float) -> list[tuple[float, float]]:
    """Hold and close, one after the other, until the time is up; return how long each took."""
    waits = []
    while (begun := time.perf_counter()) < deadline:
        request_id = new_id(Kind.REQUEST)
        await client.place_hold(PlaceHold(request_id, owner_id, Currency.USD, _HOLD_NANOS, _CONTEXT))
        held = time.perf_counter()
        record = Statement(_RECORD, [request_id, 0, "x" * 400], charge_position=1)
        await client.close_hold(CloseHold(request_id, Outcome.SETTLED, _CHARGE_NANOS, UsageSource.UPSTREAM, [record]))
        waits.append((held - begun, time.perf_counter() - held))
    return waits


async def _open_accounts(settings: Settings, count: int) -> list[str]:
    """Give every owner credit."""
    database = Database(settings)
    use_database(database)
    owners = [new_id(Kind.ORGANIZATION) for _ in range(count)]
    async with unit_of_work() as session:
        for owner_id in owners:
            await service.open_account(session, owner_id=owner_id, currency=Currency.USD)
            await service.grant_credit(
                session, owner_id=owner_id, currency=Currency.USD, amount_nanos=_CREDIT_NANOS, reference=owner_id
            )
    await database.dispose()
    return owners


def _create(settings: Settings) -> None:
    """Make the tables, and one as wide as a usage record."""
    engine = sa.create_engine(f"sqlite:///{settings.database_file}")
    tables.metadata.create_all(engine)
    engine.dispose()
    with sqlite3.connect(settings.database_file) as connection:
        for statement in schema.create_statements(is_sqlite=True):
            connection.execute(statement)
        connection.execute("CREATE TABLE benchmark_record (request_id TEXT PRIMARY KEY, charge_nanos, rest)")


def main() -> None:
    """Read the arguments and run in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--owners", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on the disk to be measured")
    parser.add_argument("--uvloop", action="store_true", help="run on uvloop, as the server does")
    arguments = parser.parse_args()
    if arguments.uvloop:
        import uvloop  # noqa: PLC0415 # measured both ways

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        asyncio.run(measure(arguments, Path(folder)))


if __name__ == "__main__":
    main()
