"""A real mail server on loopback that keeps what it is handed, and can be told to refuse."""

import asyncio
import threading
from asyncio.base_events import Server
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from onetoken_app.settings import Settings

SENDER = "OneToken <no-reply@onetoken.test.example>"


@dataclass(slots=True)
class ReceivedMail:
    """One mail as the server got it."""

    recipients: list[str]
    mail: EmailMessage

    @property
    def words(self) -> str:
        """What it says."""
        content: str = self.mail.get_content()
        return content.replace("\r\n", "\n")


@dataclass(slots=True)
class MailServerOfTest:
    """A server that runs."""

    port: int = 0
    received: list[ReceivedMail] = field(default_factory=list)
    answer_to_recipient: str = "250 OK"
    """What is said to every ``RCPT TO``."""
    _handed: threading.Event = field(default_factory=threading.Event)

    async def was_handed_one(self) -> None:
        """Wait until a mail came, at most twenty seconds."""
        assert await asyncio.to_thread(self._handed.wait, 20)

    async def handle_RCPT(  # noqa: N802 # the server calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or refuse."""
        if self.answer_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_recipient

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 # as above
        """Keep a mail."""
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        self.received.append(ReceivedMail(recipients=list(envelope.rcpt_tos), mail=mail))
        self._handed.set()
        return "250 OK"

    def settings(self, settings: Settings) -> Settings:
        """Point an installation at this server."""
        return settings.model_copy(update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{self.port}"), "mail_from": SENDER})


class _FreePortController(Controller):
    """Serves on whichever port the system gives."""

    def _trigger_server(self) -> None:
        """Learn the port before the first look at it."""
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # aiosmtpd annotates nothing there


@contextmanager
def running_mail_server(**options: Any) -> Iterator[MailServerOfTest]:
    """Run a server on a free port of loopback; the options are those of ``aiosmtpd``'s controller."""
    server = MailServerOfTest()
    controller = _FreePortController(server, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        server.port = controller.port
        yield server
    finally:
        controller.stop()
