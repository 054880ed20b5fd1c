"""Makes the roll-ups of usage anew from the journal and the records of calls."""

from dataclasses import dataclass

from onetoken_app.clock import iso_instant
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.usage import rollups

_TRANSACTIONS_AT_ONCE = 20_000
"""On SQLite nobody else has the database; on PostgreSQL nobody waits but the job that rolls up."""


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What ``onetoken usage rebuild`` says."""

    transactions: int
    kept_before: str | None
    """Quarters before it were left as they were, because records of their calls are purged."""
    first_wrong_row: str | None
    """Where the sums are not what the journal says even so; unset when all is right."""

    def in_words(self) -> str:
        """Say it to a person."""
        kept = f"; quarters before {self.kept_before} were kept" if self.kept_before else ""
        verdict = f"WRONG at {self.first_wrong_row}" if self.first_wrong_row else "the sums are right"
        return f"{verdict}: {self.transactions} transactions rolled up{kept}"


async def rebuild() -> RebuildReport:
    """Rebuild and check; whoever reads meanwhile gets whole sums, and a rebuild that is stopped is gone on with by the
    job.
    """
    async with unit_of_work() as session:
        kept_before = await rollups.begin_rebuild(session)
    count = 0
    while True:
        async with unit_of_work() as session:
            done = await rollups.roll_up(session, transactions_max=_TRANSACTIONS_AT_ONCE)
        count += done
        if done < _TRANSACTIONS_AT_ONCE:
            break
    async with read_session() as session:
        wrong = await rollups.first_difference(session)
    return RebuildReport(count, iso_instant(kept_before) if kept_before else None, wrong)
