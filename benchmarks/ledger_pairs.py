"""Measures hold and close pairs through the real client and writer, on SQLite at ``synchronous=FULL`` or PostgreSQL.

``python -m benchmarks.ledger_pairs [--tasks 64] [--seconds 5 | --pairs N] [--owners 1] [--folder DIR] [--postgresql
URL] [--uvloop] [--verify] [--attempts 1]``. Each close writes the record of a call and the row of its attempt, as the
relay's do. Prints pairs a second, what a
pair takes of the processor, and the time that a caller waits for its hold and for its close; with ``--verify`` also how
long the books take to verify. One run on an idle machine says something; the disk decides much of it.
"""

import argparse
import asyncio
import gc
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from pydantic import SecretStr

from onetoken_app import clock
from onetoken_app.command.ledger_verify import verify_books
from onetoken_app.database import Database, unit_of_work, use_database
from onetoken_app.database_upgrade import upgrade_database
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import service
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, PlaceHold
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.attempts import AttemptDraft, insert_attempt
from onetoken_app.usage.models import AttemptOutcome
from onetoken_app.usage.recording import UsageDraft, encode_draft, insert_statement

_CREDIT_NANOS = 10**16
_HOLD_NANOS = 1_000_000
_CHARGE_NANOS = 400_000


async def measure(arguments: argparse.Namespace, folder: Path) -> None:
    """Set a ledger up, run, print."""
    url = SecretStr(arguments.postgresql) if arguments.postgresql else None
    settings = Settings(data_dir=folder, database_url=url)
    await asyncio.to_thread(upgrade_database, settings)
    database = Database(settings)
    use_database(database)
    owners = await _open_accounts(arguments.owners)
    client = LedgerClient()
    await client.start(settings, new_id(Kind.EPOCH))
    gc.freeze()
    processor_before, started = time.process_time(), time.perf_counter()
    numbers = iter(range(arguments.pairs)) if arguments.pairs else count()
    deadline = float("inf") if arguments.pairs else started + arguments.seconds
    runs = [
        _Run(client, _a_draft(owners[number % len(owners)]), settings.is_sqlite, arguments.attempts)
        for number in range(arguments.tasks)
    ]
    await asyncio.gather(*(run.carry(numbers, deadline) for run in runs))
    seconds, processor_seconds = time.perf_counter() - started, time.process_time() - processor_before
    await client.stop()
    print(f"{arguments.tasks} tasks, {arguments.owners} owners")
    _print_waits([wait for run in runs for wait in run.waits], seconds, processor_seconds)
    if arguments.verify:
        await _verify()
    await database.dispose()


def _print_waits(waits: list[tuple[float, float]], seconds: float, processor_seconds: float) -> None:
    """Print how many pairs there were, and what they took; the writer has ended."""
    ended, pair_count = resource.getrusage(resource.RUSAGE_CHILDREN), len(waits)
    here, in_writer = (1000 * spent / pair_count for spent in (processor_seconds, ended.ru_utime + ended.ru_stime))
    print(
        f"{pair_count / seconds:,.0f} pairs/s; processor: {here:.2f} ms a pair here, {in_writer:.2f} ms in the writer"
    )
    for name, position in (("hold", 0), ("close", 1)):
        column = sorted(wait[position] for wait in waits)
        p50, p99 = column[pair_count // 2], column[pair_count * 99 // 100]
        print(f"{name}: p50 {p50 * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms, max {column[-1] * 1000:.2f} ms")


@dataclass(slots=True)
class _Run:
    """One caller who holds and closes, one after the other."""

    client: LedgerClient
    draft: UsageDraft
    is_sqlite: bool
    attempt_count: int
    waits: list[tuple[float, float]] = field(default_factory=list)
    """How long each hold and each close took, in seconds."""

    async def carry(self, numbers: Iterator[int], deadline: float) -> None:
        """Go on until the numbers, which all callers share, or the time are used up."""
        while (begun := time.perf_counter()) < deadline and next(numbers, None) is not None:
            draft = replace(self.draft, request_id=new_id(Kind.REQUEST), requested_at=clock.utc_now())
            owner_id, context = draft.organization_id, encode_draft(draft)
            await self.client.place_hold(PlaceHold(draft.request_id, owner_id, draft.currency, _HOLD_NANOS, context))
            held = time.perf_counter()
            await self.client.close_hold(_a_close(draft, self.attempt_count, is_sqlite=self.is_sqlite))
            self.waits.append((held - begun, time.perf_counter() - held))


def _a_draft(owner_id: str) -> UsageDraft:
    """Make the record of a usual call."""
    return UsageDraft(
        request_id="",
        requested_at=clock.utc_now(),
        organization_id=owner_id,
        api_key_id=new_id(Kind.API_KEY),
        interface_path="/v1/chat/completions",
        is_streaming=True,
        model_id=new_id(Kind.MODEL),
        model_name="benchmark-model",
        price_version_id=1,
        currency=Currency.USD,
        channel_id=new_id(Kind.CHANNEL),
        region="mainland",
        input_tokens=200,
        output_tokens=100,
        usage_source=UsageSource.UPSTREAM,
        charge_nanos=_CHARGE_NANOS,
        response_status=200,
        attempt_count=1,
        latency_ms=1_000,
        first_byte_ms=200,
        caller_ip="198.51.100.7",
        user_agent="OpenAI/Python 2.0.0",
        upstream_request_id="req-0123456789abcdef",
    )


def _a_close(draft: UsageDraft, attempt_count: int, *, is_sqlite: bool) -> CloseHold:
    """Close a call as the relay does."""
    rows = [insert_statement(draft, is_sqlite=is_sqlite)]
    rows += [insert_attempt(_an_attempt(draft, number), is_sqlite=is_sqlite) for number in range(1, attempt_count + 1)]
    return CloseHold(draft.request_id, Outcome.SETTLED, _CHARGE_NANOS, UsageSource.UPSTREAM, rows)


def _an_attempt(draft: UsageDraft, number: int) -> AttemptDraft:
    """Make the row of an attempt."""
    return AttemptDraft(
        request_id=draft.request_id,
        attempt_number=number,
        model_id=draft.model_id,
        channel_id=draft.channel_id,
        upstream_model="vendor-benchmark-model",
        began_at=draft.requested_at,
        duration_ms=900,
        outcome=AttemptOutcome.ANSWERED,
        usage_source=draft.usage_source,
        input_tokens=draft.input_tokens,
        output_tokens=draft.output_tokens,
        cost_nanos=_CHARGE_NANOS,
        cost_currency=draft.currency,
        cost_version_id=1,
    )


async def _verify() -> None:
    """Verify the books, as ``onetoken ledger verify`` does."""
    processor_before, started = time.process_time(), time.perf_counter()
    report = await verify_books()
    seconds, processor = time.perf_counter() - started, time.process_time() - processor_before
    print(f"verified {report.settled:,} closes in {seconds:.1f} s, {processor:.1f} s of them on the processor")
    print("right" if report.ok else f"wrong: {report.first_wrong_row}")


async def _open_accounts(count_of_owners: int) -> list[str]:
    """Give every owner credit."""
    owners = [new_id(Kind.ORGANIZATION) for _ in range(count_of_owners)]
    async with unit_of_work() as session:
        for owner_id in owners:
            await service.open_account(session, owner_id=owner_id, currency=Currency.USD)
            await service.grant_credit(
                session, owner_id=owner_id, currency=Currency.USD, amount_nanos=_CREDIT_NANOS, reference=owner_id
            )
    return owners


def main() -> None:
    """Read the arguments and run in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--pairs", type=int, default=0, help="stop after so many instead")
    parser.add_argument("--owners", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on the disk to be measured")
    parser.add_argument("--postgresql", default="", help="the address of an empty database to be measured instead")
    parser.add_argument("--attempts", type=int, default=1, help="attempts of each call; 0 writes no row of them")
    parser.add_argument("--verify", action="store_true", help="verify the books at the end")
    parser.add_argument("--uvloop", action="store_true", help="run on uvloop, as the server does")
    arguments = parser.parse_args()
    if arguments.uvloop:
        import uvloop  # noqa: PLC0415 # measured both ways

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        asyncio.run(measure(arguments, Path(folder)))


if __name__ == "__main__":
    main()
