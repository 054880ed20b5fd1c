"""Finds acceptances whose exact text is no longer there: evidence that nobody could read any more."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.agreements.documents import Document
from onetoken_app.agreements.models import Acceptance, AgreementKind


@dataclass(frozen=True, slots=True)
class LostText:
    """A text that was accepted and is not there as it was."""

    kind: AgreementKind
    version: str
    locale: str
    sha256: str
    """Of the text that was accepted."""
    acceptance_count: int
    is_changed: bool
    """Another text stands at its address; else none does."""

    @property
    def file_name(self) -> str:
        """How its file is called."""
        return f"{self.kind.value}.{self.version}.{self.locale}.md"

    @property
    def words(self) -> str:
        """Say what is so and what to do."""
        state = "was changed since it was accepted" if self.is_changed else "is missing, though it was accepted"
        accepted = f"{self.acceptance_count} acceptances name SHA-256 {self.sha256}"
        return f"{self.file_name} {state}; {accepted}: restore that file"


async def lost_texts(session: AsyncSession, *, there: Collection[Document]) -> list[LostText]:
    """Return every text that was accepted and is not among those that are there.

    Args:
        session: Any session.
        there: The texts of the installation.
    """
    known = {(document.kind, document.version, document.locale): document.sha256 for document in there}
    places = [col(Acceptance.kind), col(Acceptance.version), col(Acceptance.locale), col(Acceptance.text_sha256)]
    query = sa.select(*places, sa.func.count()).group_by(*places).order_by(*places)
    lost = []
    for row in await (await session.connection()).execute(query):
        kind, version, locale, sha256, count = tuple(row)
        there_sha256 = known.get((kind, version, locale))
        if there_sha256 != sha256:
            lost.append(LostText(kind, version, locale, sha256, count, is_changed=there_sha256 is not None))
    return lost
