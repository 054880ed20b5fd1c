"""Mails reach a real mail server; what it does not take is tried again, and nothing is lost."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.jobs.deliver_letters import deliver_next_letter, letters_delivered
from onetoken_app.notifications import letters
from onetoken_app.notifications.models import DeliveryFailure, OutboxLetter
from onetoken_app.notifications.queries import outbox
from onetoken_app.notifications.service import post_letter
from onetoken_app.notifications.smtp import MailServer, mail_server
from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets
from tests.support.mail_server import SENDER, MailServerOfTest, running_mail_server

LINK = "http://localhost:8000/password/reset#a-secret-that-nobody-should-find"


@pytest.fixture
def server() -> Iterator[MailServerOfTest]:
    """A real mail server."""
    with running_mail_server() as running:
        yield running


async def a_letter(settings: Settings, *, locale: str = "en", name: str = "Example Ltd") -> str:
    """Put a mail into the outbox."""
    async with unit_of_work() as session:
        return await post_letter(
            session,
            key_encryption_key=load_root_secrets(settings).key_encryption_key,
            recipient="li@company.example",
            letter=letters.invitation(locale, organization_name=name, invited_by="Pat", link=LINK, days=7),
        )


async def the_row() -> OutboxLetter:
    """Return the one mail of the outbox."""
    async with read_session() as session:
        return (await session.exec(select(OutboxLetter))).one()


def known(server: MailServerOfTest, settings: Settings) -> MailServer:
    """Return the server as the settings name it."""
    found = mail_server(server.settings(settings))
    assert found is not None
    return found


def later(monkeypatch: pytest.MonkeyPatch, wait: timedelta) -> None:
    """Let time go by."""
    moment = clock.utc_now() + wait
    monkeypatch.setattr(clock, "utc_now", lambda: moment)


class TestDeliver:
    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    @pytest.mark.usefixtures("database")
    async def test_a_mail_arrives_as_it_was_written_and_is_wiped(
        self, database_settings: Settings, server: MailServerOfTest, locale: str
    ) -> None:
        letter_id = await a_letter(database_settings, locale=locale, name="示例公司")
        sealed = (await the_row()).sealed
        assert sealed is not None
        assert b"nobody" not in sealed
        assert await deliver_next_letter(database_settings, known(server, database_settings))
        (received,) = server.received
        assert received.recipients == ["li@company.example"]
        assert (received.mail["From"], received.mail["To"]) == (SENDER, "li@company.example")
        assert "示例公司" in received.mail["Subject"]
        assert received.mail["Message-ID"] == f"<{letter_id}@onetoken.test.example>"
        assert LINK in received.words.splitlines()
        row = await the_row()
        assert (row.sealed, row.due_at, row.last_failure, row.attempt_count) == (None, None, None, 1)
        assert row.sent_at is not None
        assert not await deliver_next_letter(database_settings, known(server, database_settings))

    @pytest.mark.usefixtures("sqlite_database")
    async def test_a_mail_names_the_operator_and_answers_reach_the_contact(
        self, sqlite_settings: Settings, server: MailServerOfTest
    ) -> None:
        named = sqlite_settings.model_copy(update={"operator_name": "示例运营", "contact_email": "help@ops.example"})
        await a_letter(named)
        await deliver_next_letter(named, known(server, named))
        (received,) = server.received
        assert received.mail["Reply-To"] == "help@ops.example"
        assert received.words.splitlines()[-1] == "OneToken · 示例运营 · help@ops.example"

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param("451 busy, come back", id="a server that is busy"),
            pytest.param("421 going down", id="a server that goes down"),
        ],
    )
    @pytest.mark.usefixtures("sqlite_database")
    async def test_what_may_pass_is_tried_again_later(
        self, sqlite_settings: Settings, server: MailServerOfTest, monkeypatch: pytest.MonkeyPatch, answer: str
    ) -> None:
        await a_letter(sqlite_settings)
        server.answer_to_recipient = answer
        smtp = known(server, sqlite_settings)
        assert await deliver_next_letter(sqlite_settings, smtp)
        assert (await the_row()).last_failure is DeliveryFailure.DEFERRED
        assert not await deliver_next_letter(sqlite_settings, smtp)
        server.answer_to_recipient = "250 OK"
        later(monkeypatch, timedelta(seconds=16))
        assert await deliver_next_letter(sqlite_settings, smtp)
        assert len(server.received) == 1

    @pytest.mark.usefixtures("sqlite_database")
    async def test_a_server_that_is_away_loses_nothing(
        self, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await a_letter(sqlite_settings)
        with running_mail_server() as gone:
            smtp = known(gone, sqlite_settings)
        assert await deliver_next_letter(sqlite_settings, smtp)
        row = await the_row()
        assert (row.last_failure, row.attempt_count) == (DeliveryFailure.UNREACHABLE, 1)
        async with read_session() as session:
            assert (await outbox(session)).waiting_count == 1
        later(monkeypatch, timedelta(days=3, seconds=1))
        await deliver_next_letter(sqlite_settings, smtp)
        row = await the_row()
        assert (row.sealed, row.due_at) == (None, None)
        assert row.given_up_at is not None

    @pytest.mark.usefixtures("sqlite_database")
    async def test_an_address_that_is_refused_for_good_is_given_up(
        self, sqlite_settings: Settings, server: MailServerOfTest
    ) -> None:
        await a_letter(sqlite_settings)
        server.answer_to_recipient = "550 no such user"
        await deliver_next_letter(sqlite_settings, known(server, sqlite_settings))
        row = await the_row()
        assert (row.last_failure, row.due_at, row.sealed) == (DeliveryFailure.REJECTED, None, None)

    @pytest.mark.usefixtures("sqlite_database")
    async def test_a_name_with_line_breaks_adds_no_header(
        self, sqlite_settings: Settings, server: MailServerOfTest
    ) -> None:
        await a_letter(sqlite_settings, name="A\r\nBcc: eve@evil.example\r\n\r\nB")
        await deliver_next_letter(sqlite_settings, known(server, sqlite_settings))
        (received,) = server.received
        assert received.mail["Bcc"] is None
        assert received.recipients == ["li@company.example"]

    @pytest.mark.usefixtures("sqlite_database")
    async def test_a_letter_in_somebodys_hands_is_left_alone_until_they_are_gone(
        self,
        sqlite_settings: Settings,
        server: MailServerOfTest,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await a_letter(sqlite_settings)
        smtp = known(server, sqlite_settings)
        both = await asyncio.gather(*(deliver_next_letter(sqlite_settings, smtp) for _ in range(2)))
        assert any(both)
        assert len(server.received) == 1
        later(monkeypatch, timedelta(minutes=6))
        assert not await deliver_next_letter(sqlite_settings, smtp)


class TestRunning:
    @pytest.mark.usefixtures("sqlite_database")
    async def test_what_is_posted_while_it_runs_is_delivered(
        self, sqlite_settings: Settings, server: MailServerOfTest
    ) -> None:
        await a_letter(sqlite_settings)
        async with letters_delivered(server.settings(sqlite_settings)):
            await server.was_handed_one()
        assert len(server.received) == 1

    @pytest.mark.usefixtures("sqlite_database")
    async def test_without_a_mail_server_letters_wait(self, sqlite_settings: Settings) -> None:
        await a_letter(sqlite_settings)
        async with letters_delivered(sqlite_settings):
            assert (await the_row()).sent_at is None


class TestMailServer:
    def test_reads_credentials(self, settings: Settings) -> None:
        url = SecretStr("smtps://me%40example:p%2Fw@mail.example")
        found = mail_server(settings.model_copy(update={"smtp_url": url, "mail_from": SENDER}))
        assert found is not None
        assert (found.user, found.password, found.port, found.is_loopback) == ("me@example", "p/w", 465, False)
        assert "p/w" not in repr(found)
