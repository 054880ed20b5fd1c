"""Mails go under TLS, to the server that was meant, and credentials with them; else nothing goes."""

from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from onetoken_app import clock
from onetoken_app.notifications.models import DeliveryFailure
from onetoken_app.notifications.service import WaitingLetter
from onetoken_app.notifications.smtp import MailServer, NotDelivered, send
from tests.support.certificates import context_of_server
from tests.support.mail_server import SENDER, MailServerOfTest, running_mail_server

LETTER = WaitingLetter(
    id="let_1", recipient="li@company.example", subject="Hello", words="Words.", created_at=clock.utc_now()
)


def account(server: MailServerOfTest, *, is_tls_from_start: bool = False, password: str = "right") -> MailServer:
    """Name a server and an account there."""
    return MailServer(
        host="127.0.0.1",
        port=server.port,
        is_tls_from_start=is_tls_from_start,
        user="relay",
        password=password,
        sender=SENDER,
    )


def accepts(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword) -> AuthResult:
    """Know one account."""
    return AuthResult(success=(given.login, given.password) == (b"relay", b"right"), handled=False)


async def failure_of(server: MailServer) -> DeliveryFailure:
    """Send a mail that is not taken; say why."""
    with pytest.raises(NotDelivered) as caught:
        await send(server, LETTER)
    assert "right" not in str(caught.value)
    return caught.value.failure


class TestSend:
    async def test_a_plain_beginning_changes_to_tls_before_the_password(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context = context_of_server(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        with running_mail_server(
            tls_context=context, require_starttls=True, auth_required=True, authenticator=accepts
        ) as server:
            await send(account(server), LETTER)
            assert [mail.recipients for mail in server.received] == [["li@company.example"]]

    async def test_tls_from_the_start(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        context = context_of_server(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        with running_mail_server(ssl_context=context) as server:
            await send(replace(account(server, is_tls_from_start=True), user=""), LETTER)
            assert len(server.received) == 1

    async def test_a_wrong_password_is_for_the_operator_to_mend(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context = context_of_server(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        with running_mail_server(tls_context=context, auth_required=True, authenticator=accepts) as server:
            assert await failure_of(account(server, password="wrong")) is DeliveryFailure.REFUSED
            assert server.received == []

    @pytest.mark.parametrize("begins", ["plainly", "with TLS"])
    async def test_a_server_that_nobody_vouches_for_gets_nothing(self, tmp_path: Path, begins: str) -> None:
        context = context_of_server(tmp_path)
        options = {"tls_context": context} if begins == "plainly" else {"ssl_context": context}
        with running_mail_server(**options) as server:
            meant = replace(account(server, is_tls_from_start=begins == "with TLS"), user="")
            assert await failure_of(meant) is DeliveryFailure.REFUSED
            assert server.received == []

    async def test_a_certificate_for_another_host_is_not_good_enough(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context = context_of_server(tmp_path, address="192.0.2.1")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        with running_mail_server(tls_context=context) as server:
            assert await failure_of(replace(account(server), user="")) is DeliveryFailure.REFUSED
            assert server.received == []
