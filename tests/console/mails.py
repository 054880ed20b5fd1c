"""Reads the outbox as the mail server would get it."""

import re

from onetoken_app import clock
from onetoken_app.database import unit_of_work
from onetoken_app.notifications.service import WaitingLetter, note_sent, take_due_letters
from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets


async def mails(settings: Settings) -> list[WaitingLetter]:
    """Take every mail that waits, as if it were sent."""
    key = load_root_secrets(settings).key_encryption_key
    now = clock.utc_now()
    async with unit_of_work() as session:
        letters = await take_due_letters(session, key_encryption_key=key, now=now, count_max=100)
        for letter in letters:
            await note_sent(session, letter_id=letter.id, now=now)
    return letters


async def mailed_secret(settings: Settings) -> str:
    """Take the one mail that waits and return the secret of its link."""
    (letter,) = await mails(settings)
    return secret_in(letter.words)


def secret_in(words: str) -> str:
    """Return the secret of a mail's link."""
    found = re.search(r"#([\w-]{40,})$", words, re.MULTILINE)
    assert found is not None
    return found[1]
