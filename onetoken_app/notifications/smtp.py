"""Hands mails to a mail server, with the standard library's client, in a thread.

``smtps://`` is TLS from the start; ``smtp://`` begins plainly and changes to TLS when the server offers it. Credentials
and mails go over an untrusted network only under TLS: without it, ``smtp://`` works towards loopback alone.
"""

import asyncio
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from onetoken_app.notifications.letters import signed
from onetoken_app.notifications.models import DeliveryFailure
from onetoken_app.notifications.service import WaitingLetter
from onetoken_app.settings import Settings

_TIMEOUT_SECONDS = 10.0


class NotDelivered(Exception):
    """A mail was not handed over; nothing of the server's words is kept."""

    def __init__(self, failure: DeliveryFailure) -> None:
        """Keep why."""
        super().__init__(failure.value)
        self.failure = failure


@dataclass(frozen=True, slots=True, repr=False)
class MailServer:
    """Where mails are handed over, and in whose name."""

    host: str
    port: int
    is_tls_from_start: bool
    user: str
    password: str
    sender: str
    operator_name: str | None = None
    contact_email: str | None = None
    """Where answers go; unset: to the sender."""

    @property
    def is_loopback(self) -> bool:
        """Whether nobody else listens on the way."""
        if self.host == "localhost":
            return True
        with suppress(ValueError):
            return ip_address(self.host).is_loopback
        return False


def mail_server(settings: Settings) -> MailServer | None:
    """Read the mail server from the settings; ``None``: there is none, and mails stay in the outbox."""
    if settings.smtp_url is None:
        return None
    parts = urlsplit(settings.smtp_url.get_secret_value())
    is_tls = parts.scheme == "smtps"
    return MailServer(
        host=parts.hostname or "",
        port=parts.port or (465 if is_tls else 587),
        is_tls_from_start=is_tls,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sender=settings.mail_from or "",
        operator_name=settings.operator_name,
        contact_email=settings.contact_email,
    )


async def send(server: MailServer, letter: WaitingLetter) -> None:
    """Hand one mail over; takes up to ten seconds for each step of the conversation.

    Raises:
        NotDelivered: It was not taken.
    """
    await asyncio.to_thread(_send, server, letter)


def _send(server: MailServer, letter: WaitingLetter) -> None:
    """Talk to the mail server, and sort what goes wrong."""
    try:
        with _connected(server) as connection:
            connection.send_message(_mail(server, letter), to_addrs=[letter.recipient])
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused, smtplib.SMTPNotSupportedError) as error:
        raise NotDelivered(DeliveryFailure.REFUSED) from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise NotDelivered(_of_code(max(codes, default=0))) from error
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(_of_code(error.smtp_code)) from error
    except ssl.SSLError as error:
        raise NotDelivered(DeliveryFailure.REFUSED) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotDelivered(DeliveryFailure.UNREACHABLE) from error


def _connected(server: MailServer) -> smtplib.SMTP:
    """Connect, change to TLS and sign in."""
    context = ssl.create_default_context()
    if server.is_tls_from_start:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_SECONDS, context=context)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_SECONDS)
    try:
        _introduce(connection, server, context)
    except BaseException:
        connection.close()
        raise
    return connection


def _introduce(connection: smtplib.SMTP, server: MailServer, context: ssl.SSLContext) -> None:
    """Change to TLS where the conversation began without, and sign in."""
    connection.ehlo_or_helo_if_needed()
    if not server.is_tls_from_start and connection.has_extn("starttls"):
        connection.starttls(context=context)
        connection.ehlo()
    elif not server.is_tls_from_start and not server.is_loopback:
        raise NotDelivered(DeliveryFailure.REFUSED)
    if server.user:
        connection.login(server.user, server.password)


def _mail(server: MailServer, letter: WaitingLetter) -> EmailMessage:
    """Write the mail; its id stays the same however often it is tried, so that a second copy can be told."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = server.sender
    mail["To"] = letter.recipient
    if server.contact_email:
        mail["Reply-To"] = server.contact_email
    mail["Subject"] = _one_line(letter.subject)
    mail["Date"] = format_datetime(_as_utc(letter.created_at))
    mail["Message-ID"] = f"<{letter.id}@{parseaddr(server.sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    words = signed(letter.words, operator_name=server.operator_name, contact_email=server.contact_email)
    mail.set_content(words, cte="base64")
    return mail


def _one_line(text: str) -> str:
    """Keep names that somebody chose from adding headers."""
    return " ".join(text.split())


def _as_utc(moment: datetime) -> datetime:
    """Write a moment without the fraction of its second."""
    return moment.replace(microsecond=0)


def _of_code(code: int) -> DeliveryFailure:
    """Sort a reply code: 5xx is for ever, all else may pass."""
    return DeliveryFailure.REJECTED if 500 <= code < 600 else DeliveryFailure.DEFERRED
