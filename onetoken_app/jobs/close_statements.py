"""Closes the statements of months that are over: reckons some in read sessions, then puts them on file together."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.billing.figures import Figures
from onetoken_app.billing.statements import Subject, close_month, months_to_close, reckon_month
from onetoken_app.database import read_session
from onetoken_app.errors import OneTokenError
from onetoken_app.jobs.job import ReadingJob, Step
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger

MONTHS_AT_ONCE = 20
"""How many are put on file in one unit of work."""


async def close_some(session: AsyncSession, settings: Settings, *, figures: Sequence[Figures]) -> bool:
    """Put reckoned months on file; there may be more."""
    room = mail_room(settings)
    for one in figures:
        await close_month(session, one, mail_room=room)
    return True


async def reckoned_months(*, organization_id: str | None = None) -> list[Figures]:
    """Reckon the next months that can be closed, a few; what does not add up is said in the log and left out."""
    now = clock.utc_now()
    async with read_session() as session:
        subjects = await months_to_close(session, now=now, organization_id=organization_id)
    found: list[Figures] = []
    for subject in subjects:
        figures = await _reckoned(subject)
        if figures is not None:
            found.append(figures)
        if len(found) == MONTHS_AT_ONCE:
            break
    return found


async def _reckoned(subject: Subject) -> Figures | None:
    """Reckon one month; trouble with it does not keep others from theirs."""
    try:
        async with read_session() as session:
            return await reckon_month(session, subject, now=clock.utc_now())
    except OneTokenError as error:
        get_logger().error(
            "statement_not_closed", organization_id=subject.organization_id, month=subject.month.label,
            error_code=error.code,
        )  # fmt: skip
        return None


async def _look(_settings: Settings) -> Step | None:
    """Find out what there is to close."""
    figures = await reckoned_months()
    return partial(close_some, figures=figures) if figures else None


JOB = ReadingJob(name="close_statements", every=timedelta(hours=1), look=_look)
