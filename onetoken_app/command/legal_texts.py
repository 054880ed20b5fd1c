"""Looks at the texts of agreements, before a server starts and for ``doctor``."""

from onetoken_app import clock
from onetoken_app.agreements.documents import documents_with
from onetoken_app.agreements.lost_texts import LostText, lost_texts
from onetoken_app.agreements.models import AgreementKind
from onetoken_app.command.failure import CommandFailed
from onetoken_app.command.opening import in_database
from onetoken_app.database import read_session
from onetoken_app.settings import Settings


def check_legal_texts(settings: Settings) -> None:
    """Refuse to start with texts of the operator's own that cannot be used, or that were changed once accepted.

    An accepted text that is gone, or one of the package that is another now, stops no calls: ``doctor`` names it.

    Raises:
        BadSettings: The operator's own texts cannot be used.
        CommandFailed: A text of theirs was changed, or an agreement has none in force.
    """
    check_own_texts(settings)
    if settings.legal_texts_dir is None:
        return
    own_kinds = {one.kind for one in set(documents_with(settings.legal_texts_dir)) - set(documents_with(None))}
    for lost in texts_lost(settings):
        if lost.is_changed and lost.kind in own_kinds:
            message = f"ONETOKEN_LEGAL_TEXTS_DIR: {lost.words}; new words are a new version, with a date of their own"
            raise CommandFailed(message)


def check_own_texts(settings: Settings) -> None:
    """Read the texts of this installation.

    Raises:
        BadSettings: The operator's own texts cannot be used.
        CommandFailed: An agreement has no text in force.
    """
    today = clock.utc_now().date()
    in_force = {one.kind for one in documents_with(settings.legal_texts_dir) if one.effective_on <= today}
    for kind in AgreementKind:
        if kind not in in_force:
            message = f"ONETOKEN_LEGAL_TEXTS_DIR: no {kind.value} there has taken effect; add the one that is in force"
            raise CommandFailed(message)


def texts_lost(settings: Settings) -> list[LostText]:
    """Return the texts that somebody accepted and that nobody can read any more."""

    async def read() -> list[LostText]:
        async with read_session() as session:
            return await lost_texts(session, there=documents_with(settings.legal_texts_dir))

    return in_database(settings, read)
