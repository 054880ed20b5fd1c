"""Runs the jobs: when each is due, one at a time, and never in two processes at once.

On SQLite the process that owns the data folder is alone. On PostgreSQL every step takes an advisory lock with its
transaction, and a process that does not get it leaves the job to the one that has it: docs/decisions/0009.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta

import sqlalchemy as sa
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.database import current_database, unit_of_work
from onetoken_app.errors import OneTokenError
from onetoken_app.jobs import (
    close_statements,
    expire_lots,
    follow_contracts,
    purge_claims,
    purge_documents,
    purge_ended_sessions,
    purge_mails,
    purge_stale_throttles,
    purge_usage_records,
    roll_up_usage,
    tell_low_balances,
    tell_price_changes,
)
from onetoken_app.jobs.job import Job, ReadingJob
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger

JOBS = (
    roll_up_usage.JOB,
    purge_usage_records.JOB,
    purge_ended_sessions.JOB,
    purge_stale_throttles.JOB,
    purge_mails.JOB,
    purge_claims.JOB,
    purge_documents.JOB,
    expire_lots.JOB,
    follow_contracts.JOB,
    close_statements.JOB,
    tell_low_balances.JOB,
    tell_price_changes.JOB,
)
LEADER_LOCK = 7_305_417_002
"""PostgreSQL's advisory lock that every step of every job is done under."""
FIRST_RUN_SECONDS = 60.0
"""A start has better things to do than to tidy up."""
_PAUSE_SECONDS = 0.05
"""Between two steps, so that calls and people come first."""


@dataclass(slots=True)
class _Desk:
    """Where the jobs of this process are done, one after another."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    closing: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def jobs_running(
    settings: Settings, *, jobs: tuple[Job | ReadingJob, ...] = JOBS, first_run_seconds: float = FIRST_RUN_SECONDS
) -> AsyncIterator[None]:
    """Run the jobs while the block runs; its end waits for the step that is being done, and for no more.

    Args:
        settings: Of this installation, whose database is in use before the block and until after it.
        jobs: What to do.
        first_run_seconds: How long after the start each job is done for the first time.
    """
    desk = _Desk()
    # Without a zone it would read the machine's. A job that is late, because another took its turn, is done all the
    # same; one that missed several turns is done once.
    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
    for job in jobs:
        scheduler.add_job(
            _take_turn, "interval", (desk, job, settings), id=job.name, seconds=job.every.total_seconds(),
            next_run_time=clock.utc_now() + timedelta(seconds=first_run_seconds),
        )  # fmt: skip
    scheduler.start()
    try:
        yield
    finally:
        desk.closing.set()
        scheduler.pause()
        async with desk.turn:  # a statement that is cut off in the middle would lose its connection
            scheduler.shutdown(wait=False)


async def _take_turn(desk: _Desk, job: Job | ReadingJob, settings: Settings) -> None:
    """Do one job, step by step; trouble is tried again when the job is due again."""
    async with desk.turn:
        try:
            while not desk.closing.is_set() and await _step_if_leading(job, settings):
                with suppress(TimeoutError):
                    await asyncio.wait_for(desk.closing.wait(), _PAUSE_SECONDS)
        except OneTokenError as error:
            get_logger().warning("job_failed", job=job.name, error_code=error.code)


async def _step_if_leading(job: Job | ReadingJob, settings: Settings) -> bool:
    """Do one step, unless another process is doing one; return whether to go on."""
    step = await job.look(settings) if isinstance(job, ReadingJob) else job.step
    if step is None:
        return False
    async with unit_of_work() as session:
        return await _is_leading(session) and await step(session, settings)


async def _is_leading(session: AsyncSession) -> bool:
    """Whether this transaction is the one that may do a job; it is so until it ends, however it ends."""
    if current_database().is_sqlite:
        return True
    asking = await (await session.connection()).execute(sa.select(sa.func.pg_try_advisory_xact_lock(LEADER_LOCK)))
    return bool(asking.scalar_one())
