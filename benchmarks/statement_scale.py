"""Measures roll-ups and a month's statement of one organization with very many calls, on SQLite or PostgreSQL.

``python -m benchmarks.statement_scale [--calls 1000000] [--keys 20] [--models 5] [--folder DIR] [--postgresql URL]``.
Holds, closes, transactions and records of one organization over one month are put in by bulk SQL; then the job's own
step rolls them up, as many transactions at a time as the job does and in larger steps, and a month's statement and
chart are read, with as many calls behind the roll-ups as ten seconds of 300 a second leave there. Prints what each
took, and stops when the charges are not those that were put in. The postings and hashes that a journal has are left
out: a statement reads postings of calls only behind the end of its month.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa
from pydantic import SecretStr
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.billing.reckoning import Stretch, reckon
from onetoken_app.database import Database, read_session, unit_of_work, use_database
from onetoken_app.database_upgrade import upgrade_database
from onetoken_app.jobs.roll_up_usage import TRANSACTIONS_AT_ONCE
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from onetoken_app.usage.charges import charge_of_month, charges_by_day, statement_lines
from onetoken_app.usage.periods import Period, month_of
from onetoken_app.usage.rollups import roll_up

ORGANIZATION = "org_bench"
TIME_ZONE = "Asia/Shanghai"
MIDDLE = datetime(2026, 10, 15, tzinfo=UTC)
LEFT_BEHIND = 3_000
"""Calls that are not rolled up yet when the statement is read."""
_LARGE_STEP = 20_000
_CHARGES_DIFFER = 1_000_003
"""Nanos that a call comes to: its number, counted from 0 again after so many."""
_ROWS_AT_ONCE = 200_000
_MONTH_MS = 31 * 86_400_000
_REQUEST = "'req_' || lpad(CAST(number AS TEXT), 26, '0')"


async def measure(arguments: argparse.Namespace, folder: Path) -> None:
    """Set a database up, fill it, roll it up, read it."""
    url = SecretStr(arguments.postgresql) if arguments.postgresql else None
    settings = Settings(data_dir=folder, database_url=url)
    await asyncio.to_thread(upgrade_database, settings)
    database = Database(settings)
    use_database(database)
    started = time.perf_counter()
    await _fill(arguments, is_sqlite=settings.is_sqlite)
    print(f"{arguments.calls:,} calls put in: {time.perf_counter() - started:.1f} s")
    await _roll_up(arguments.calls - LEFT_BEHIND)
    async with read_session() as session:
        rows = (await session.exec(sa.text("SELECT COUNT(*) FROM usage_rollup"))).one()[0]  # type: ignore[call-overload] # SQLModel types only its own
    print(f"{rows:,} rows of roll-ups")
    period = month_of(MIDDLE, time_zone=TIME_ZONE)
    async with read_session() as session:
        await _timed(
            "statement by model, key and project",
            lambda: statement_lines(session, organization_id=ORGANIZATION, period=period),
        )
        await _timed("whole month, as it is reckoned to be closed", lambda: _reckon(arguments.calls, session, period))
        await _timed(
            "total of the month",
            lambda: charge_of_month(session, organization_id=ORGANIZATION, time_zone=TIME_ZONE, now=MIDDLE),
        )
        first, last = date(2026, 10, 1), date(2026, 10, 31)
        await _timed(
            "chart by day",
            lambda: charges_by_day(session, organization_id=ORGANIZATION, since=first, until=last, time_zone=TIME_ZONE),
        )
    await database.dispose()


async def _reckon(calls: int, session: AsyncSession, period: Period) -> None:
    """Reckon the month, and compare its charges with what was put in."""
    stretch = Stretch(ORGANIZATION, Currency.USD, period.since, period.until, before=None)
    reckoned = await reckon(session, stretch)
    whole, rest = divmod(calls, _CHARGES_DIFFER)
    charged = whole * (_CHARGES_DIFFER * (_CHARGES_DIFFER - 1) // 2) + rest * (rest + 1) // 2
    found = sum(line.amount_nanos for line in reckoned.charges), sum(line.call_count for line in reckoned.charges)
    if found != (charged, calls):
        message = f"put in {charged} nanos in {calls} calls, found {found}"
        raise AssertionError(message)


async def _roll_up(count: int) -> None:
    """Roll up all but the last, the way the job does first, and print what a step takes."""
    steps = []
    for _ in range(20):
        started = time.perf_counter()
        async with unit_of_work() as session:
            count -= await roll_up(session, transactions_max=min(count, TRANSACTIONS_AT_ONCE))
        steps.append(1000 * (time.perf_counter() - started))
    steps.sort()
    print(f"a step of {TRANSACTIONS_AT_ONCE:,}: median {steps[10]:.1f} ms, slowest {steps[-1]:.1f} ms")
    started, rest = time.perf_counter(), count
    while count > 0:
        async with unit_of_work() as session:
            count -= await roll_up(session, transactions_max=min(count, _LARGE_STEP))
    print(f"in steps of {_LARGE_STEP:,}: {rest / (time.perf_counter() - started):,.0f} transactions a second")


async def _fill(arguments: argparse.Namespace, *, is_sqlite: bool) -> None:
    """Put the calls in, spread over the month."""
    async with unit_of_work() as session:
        connection = await session.connection()
        await connection.execute(
            sa.text("INSERT INTO ledger_epoch (id, number, started_at) VALUES ('epo_bench', 1, :moment)"),
            {"moment": "2026-10-01T00:00:00.000000Z" if is_sqlite else MIDDLE},
        )
    gap_ms = _MONTH_MS // arguments.calls or 1
    since = int(month_of(MIDDLE, time_zone=TIME_ZONE).since.timestamp())
    for first in range(1, arguments.calls + 1, _ROWS_AT_ONCE):
        numbers = _numbers(first, min(first + _ROWS_AT_ONCE, arguments.calls + 1) - 1, is_sqlite=is_sqlite)
        moment = _moment(since, gap_ms, is_sqlite=is_sqlite)
        async with unit_of_work() as session:
            connection = await session.connection()
            for statement in _statements(arguments, numbers, moment, is_sqlite=is_sqlite):
                await connection.exec_driver_sql(statement)


def _numbers(first: int, last: int, *, is_sqlite: bool) -> str:
    """Return a table of numbers."""
    if not is_sqlite:
        return f"generate_series({first}, {last}) AS number"
    return (
        f"(WITH RECURSIVE count(number) AS (SELECT {first} UNION ALL SELECT number + 1 FROM count "  # noqa: S608 # numbers
        f"WHERE number < {last}) SELECT number FROM count) AS numbers"
    )


def _moment(since: int, gap_ms: int, *, is_sqlite: bool) -> str:
    """Return the moment of a number's call."""
    seconds = f"({since} + CAST(number - 1 AS BIGINT) * {gap_ms} / 1000)"
    if is_sqlite:
        return f"strftime('%Y-%m-%dT%H:%M:%S.000000Z', {seconds}, 'unixepoch')"
    return f"to_timestamp{seconds}"


def _statements(arguments: argparse.Namespace, numbers: str, moment: str, *, is_sqlite: bool) -> list[str]:
    """Write what puts a stretch of calls in."""
    request = _REQUEST if not is_sqlite else "printf('req_%026d', number)"
    empty, false = ("x''", "0") if is_sqlite else (r"'\x'::bytea", "FALSE")
    key, model = f"'key_' || (number % {arguments.keys})", f"'mdl_' || (number / 7 % {arguments.models})"
    project, channel = f"'prj_' || (number % {arguments.keys} % 4)", "'chn_' || (number / 3 % 2)"
    return [
        (
            "INSERT INTO ledger_transaction (sequence_number, kind, reference, recorded_at, previous_hash, hash) "  # noqa: S608 # our own constants
            f"SELECT number, 'close', {request}, {moment}, {empty}, {empty} FROM {numbers}"
        ),
        (
            "INSERT INTO ledger_hold (request_id, owner_id, currency, epoch_id, amount_nanos, context, placed_at) "  # noqa: S608 # as above
            f"SELECT {request}, '{ORGANIZATION}', 'USD', 'epo_bench', 0, {empty}, {moment} FROM {numbers}"
        ),
        (
            "INSERT INTO ledger_hold_close (request_id, outcome, amount_nanos, absorbed_nanos, usage_source, "  # noqa: S608 # as above
            f"transaction_number, closed_at) SELECT {request}, 'settled', number % {_CHARGES_DIFFER}, 0, 'upstream', "
            f"number, {moment} FROM {numbers}"
        ),
        (
            "INSERT INTO usage_record (request_id, requested_at, organization_id, api_key_id, interface_path, "  # noqa: S608 # as above
            "is_streaming, model_id, model_name, channel_id, region, price_version_id, input_tokens, "
            "cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, "
            "usage_source, currency, charge_nanos, response_status, error_code, attempt_count, latency_ms, caller_ip, "
            f"user_agent, upstream_request_id, project_id) SELECT {request}, {moment}, '{ORGANIZATION}', {key}, "
            f"'/v1/chat/completions', {false}, {model}, {model}, {channel}, 'mainland', 1, number % 4000, 0, 0, 0, "
            f"number % 900, 0, 'upstream', 'USD', number % {_CHARGES_DIFFER}, 200, '', 1, 500, '', '', '', "
            f"{project} FROM {numbers}"
        ),
    ]


async def _timed(name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Print the best and the worst of three."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        await work()
        seconds.append(time.perf_counter() - started)
    print(f"{name}: {min(seconds):.2f} s, at worst {max(seconds):.2f} s")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--postgresql")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="statement_scale_") as temporary:
        asyncio.run(measure(arguments, arguments.folder or Path(temporary)))


if __name__ == "__main__":
    main()
