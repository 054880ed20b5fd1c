"""Shows the mails that wait to be sent, for an installation without a mail server. Changes nothing."""

from dataclasses import dataclass, field

from onetoken_app.clock import iso_instant
from onetoken_app.command.opening import check_tables, in_database
from onetoken_app.database import read_session
from onetoken_app.notifications.letters import signed
from onetoken_app.notifications.queries import waiting_letters
from onetoken_app.notifications.service import WaitingLetter
from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets


@dataclass(frozen=True, slots=True)
class ShownLetter:
    """A mail as the command prints it."""

    created_at: str
    recipient: str
    subject: str
    words: str = field(repr=False)


def waiting(settings: Settings) -> list[ShownLetter]:
    """Return the mails that wait, oldest first; they carry links that are good for whoever reads them.

    Raises:
        CommandFailed: There is no database yet; nothing is made then.
        BadSettings: A root secret is missing.
        OneTokenError: The database does not answer.
    """
    check_tables(settings)
    key = load_root_secrets(settings).key_encryption_key

    async def read() -> list[WaitingLetter]:
        async with read_session() as session:
            return await waiting_letters(session, key_encryption_key=key)

    return [
        ShownLetter(
            created_at=iso_instant(letter.created_at),
            recipient=letter.recipient,
            subject=letter.subject,
            words=signed(letter.words, operator_name=settings.operator_name, contact_email=settings.contact_email),
        )
        for letter in in_database(settings, read)
    ]
