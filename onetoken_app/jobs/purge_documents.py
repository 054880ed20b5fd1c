"""Removes the documents of verifications when their time is over: docs/operations.md says when."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.jobs.job import Job
from onetoken_app.settings import Settings
from onetoken_app.verification.retention import purge_documents

DOCUMENTS_AT_ONCE = 20
"""Of up to ten mebibytes each."""


async def _step(session: AsyncSession, settings: Settings) -> bool:
    """Remove some."""
    before = clock.utc_now() - timedelta(days=settings.document_retention_days)
    return await purge_documents(session, ended_before=before, count_max=DOCUMENTS_AT_ONCE) == DOCUMENTS_AT_ONCE


JOB = Job(name="purge_documents", every=timedelta(hours=1), step=_step)
