"""Hands the mails of the outbox to the mail server, within seconds of the act that they tell of.

Not one of the scheduler's jobs: those are units of work, and nobody talks to a network inside one. A letter is taken
for five minutes in one unit of work, handed over outside of any, and noted in another. Several processes may do this at
once; whoever dies in between leaves the letter to the next, which may send it a second time under the same id.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from onetoken_app import clock
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import OneTokenError
from onetoken_app.notifications.models import DeliveryFailure
from onetoken_app.notifications.queries import has_due_letters
from onetoken_app.notifications.service import WaitingLetter, note_failure, note_sent, take_due_letters
from onetoken_app.notifications.smtp import MailServer, NotDelivered, mail_server, send
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger
from onetoken_app.vault import load_root_secrets

POLL_SECONDS = 2.0
logger = get_logger()


@asynccontextmanager
async def letters_delivered(settings: Settings) -> AsyncIterator[None]:
    """Deliver while the block runs; without a mail server, letters stay in the outbox.

    The database has to be in use from before the block until after it. Its end waits for the letter in hand.

    Raises:
        BadSettings: The mail server's address or the sender cannot be used.
    """
    server = mail_server(settings)
    if server is None:
        yield
        return
    is_stopping = asyncio.Event()
    delivering = asyncio.create_task(_deliver_until(is_stopping, settings, server))
    try:
        yield
    finally:
        is_stopping.set()
        await delivering


async def deliver_next_letter(settings: Settings, server: MailServer) -> bool:
    """Try the letter that has been due for longest; return whether there was one.

    Raises:
        Unavailable: The database does not answer.
    """
    now = clock.utc_now()
    async with read_session() as session:
        if not await has_due_letters(session, now=now):
            return False
    key = load_root_secrets(settings).key_encryption_key
    async with unit_of_work() as session:
        taken = await take_due_letters(session, key_encryption_key=key, now=now, count_max=1)
    for letter in taken:
        await _deliver(server, letter)
    return True


async def _deliver_until(is_stopping: asyncio.Event, settings: Settings, server: MailServer) -> None:
    """Deliver, again and again."""
    while not is_stopping.is_set():
        was_due = False
        try:
            was_due = await deliver_next_letter(settings, server)
        except OneTokenError as error:
            logger.warning("letters_not_delivered", error_code=error.code)
        if not was_due:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(is_stopping.wait(), POLL_SECONDS)


async def _deliver(server: MailServer, letter: WaitingLetter) -> None:
    """Hand one letter over and note what became of it."""
    failure: DeliveryFailure | None = None
    try:
        await send(server, letter)
    except NotDelivered as error:
        failure = error.failure
        logger.warning("letter_not_delivered", outcome=failure.value)
    except Exception:  # a job's edge: a letter that cannot even be written must not stop the others
        failure = DeliveryFailure.DEFERRED
        logger.exception("letter_failed")
    async with unit_of_work() as session:
        if failure is None:
            await note_sent(session, letter_id=letter.id, now=clock.utc_now())
        else:
            await note_failure(session, letter_id=letter.id, failure=failure, now=clock.utc_now())
