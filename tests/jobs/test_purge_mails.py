"""Mails and links go a month after their time; what waits stays."""

from datetime import timedelta

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.mailed_links import issue_link
from onetoken_app.identity.models import MailedLink, MailedLinkKind
from onetoken_app.jobs.purge_mails import JOB
from onetoken_app.notifications import letters
from onetoken_app.notifications.models import OutboxLetter
from onetoken_app.notifications.service import note_sent, post_letter
from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets


@pytest.mark.usefixtures("database")
class TestPurgeMails:
    async def test_what_is_over_goes_after_a_month(
        self, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with unit_of_work() as session:
            key = load_root_secrets(database_settings).key_encryption_key
            letter = letters.no_account("en", sign_up="https://console.test.example/sign-up")
            sent, waiting = [
                await post_letter(session, key_encryption_key=key, recipient="a@b.example", letter=letter)
                for _ in range(2)
            ]
            await note_sent(session, letter_id=sent, now=clock.utc_now())
            await issue_link(session, kind=MailedLinkKind.SIGN_UP, email="a@b.example")
        for days, left in ((29, ({sent, waiting}, 1)), (32, ({waiting}, 0))):
            moment = clock.utc_now() + timedelta(days=days)
            with monkeypatch.context() as patched:
                patched.setattr(clock, "utc_now", lambda moment=moment: moment)
                async with unit_of_work() as session:
                    assert not await JOB.step(session, database_settings)
            async with read_session() as session:
                ids = set((await session.exec(select(OutboxLetter.id))).all())
                links = len((await session.exec(select(MailedLink.id))).all())
            assert (ids, links) == left
