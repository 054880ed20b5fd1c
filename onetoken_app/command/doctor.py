"""Looks at an installation the way an operator would, and says what to do about each trouble. Changes nothing."""

import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from onetoken_app.catalog import queries as catalog_queries
from onetoken_app.catalog.upstream_addresses import checked_base_url
from onetoken_app.command.failure import CommandFailed
from onetoken_app.command.legal_texts import check_own_texts, texts_lost
from onetoken_app.command.opening import check_data_dir, in_database
from onetoken_app.command.trouble import words_for
from onetoken_app.console import front_end
from onetoken_app.database import DatabaseInUse, own_database, read_session
from onetoken_app.database_upgrade import CannotUpgrade, database_revision
from onetoken_app.errors import OneTokenError
from onetoken_app.notifications.queries import OutboxView, outbox
from onetoken_app.notifications.smtp import mail_server
from onetoken_app.payments.models import PaymentProvider
from onetoken_app.payments.offers import is_meant, missing_settings
from onetoken_app.payments.provider_desk import NOTIFICATIONS
from onetoken_app.payments.providers.registry import make_client
from onetoken_app.settings import BadSettings, Settings, get_settings
from onetoken_app.vault import CannotUnseal, load_root_secrets

_CONNECT_SECONDS = 3.0


class Verdict(StrEnum):
    """How one thing is."""

    OK = "ok"
    """As it should be."""
    NOTE = "note"
    """Works, but an operator may want to know."""
    TROUBLE = "trouble"
    """Has to be put right."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    verdict: Verdict
    words: str
    """What is so, and for trouble what to do."""


def examine() -> list[Finding]:
    """Look at everything that can be looked at; one trouble hides only what cannot be seen without it."""
    try:
        settings = get_settings()
    except BadSettings as error:
        return [Finding("settings", Verdict.TROUBLE, f"{error}; correct it in the environment or in .env")]
    place = "the embedded database" if settings.is_sqlite else "PostgreSQL"
    findings = [
        Finding("settings", Verdict.OK, f"data folder {settings.data_dir.absolute()}, {place}"),
        _python(),
        _watched("data folder", lambda: _data_folder(settings)),
        _watched("secrets", lambda: _secrets(settings)),
        _watched("database", lambda: _database(settings)),
        _watched("front end", _front_end),
    ]
    has_database = findings[-2].verdict is Verdict.OK and findings[-3].verdict is Verdict.OK
    findings += [_watched("agreements", lambda: _agreements(settings, has_database=has_database))]
    if has_database:
        findings += [_watched("mail", lambda: _mail(settings)), *_upstreams(settings)]
    return [*findings, _contact(settings), *_payment_providers(settings)]


def _watched(subject: str, look: Callable[[], Finding]) -> Finding:
    """Turn an error that a look raises into its finding."""
    try:
        return look()
    except (SQLAlchemyError, sqlite3.Error) as error:
        return Finding(subject, Verdict.TROUBLE, words_for(error) or type(error).__name__)
    except (CommandFailed, BadSettings, CannotUpgrade, OneTokenError, OSError, ValueError) as error:
        return Finding(subject, Verdict.TROUBLE, str(error))


def _python() -> Finding:
    """Say which Python runs."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", Verdict.OK, f"{version}, {sys.executable}")


def _data_folder(settings: Settings) -> Finding:
    """See that the data folder can be written, has room, and whether somebody uses it."""
    check_data_dir(settings.data_dir)
    free_mib = shutil.disk_usage(settings.data_dir).free // (1024 * 1024)
    if free_mib < 256:
        return Finding("data folder", Verdict.TROUBLE, f"only {free_mib} MiB free; make room")
    try:
        with own_database(settings):
            return Finding("data folder", Verdict.OK, f"can be written, {free_mib} MiB free, nothing runs on it")
    except DatabaseInUse:
        return Finding("data folder", Verdict.OK, f"can be written, {free_mib} MiB free, OneToken runs on it")


def _secrets(settings: Settings) -> Finding:
    """See that the root secrets are there and whole."""
    file = settings.data_dir.absolute() / "secrets.env"
    is_generated_later = settings.is_sqlite and not (settings.key_pepper and settings.key_encryption_key)
    if is_generated_later and not file.exists():
        return Finding("secrets", Verdict.NOTE, "not generated yet; the first start does it")
    load_root_secrets(settings)
    if is_generated_later and file.stat().st_mode & 0o077:
        return Finding("secrets", Verdict.TROUBLE, f"{file} can be read by others; run: chmod 600 {file}")
    return Finding("secrets", Verdict.OK, "key pepper and key-encryption key are there")


def _database(settings: Settings) -> Finding:
    """See that the database answers and that its tables fit this code."""
    revision = database_revision(settings)
    if revision.current is None:
        return Finding("database", Verdict.NOTE, "no tables yet; onetoken db upgrade, or the first start, makes them")
    if not revision.is_current:
        words = f"tables are at {revision.current}, this code needs {revision.head}; run: onetoken db upgrade"
        return Finding("database", Verdict.TROUBLE, words)
    return Finding("database", Verdict.OK, f"answers, tables at {revision.head}")


def _front_end() -> Finding:
    """See whether the console's pages are built."""
    if front_end.is_current():
        return Finding("front end", Verdict.OK, "built from these sources")
    return Finding("front end", Verdict.NOTE, "not built from these sources; onetoken up builds it (about 30 seconds)")


def _agreements(settings: Settings, *, has_database: bool) -> Finding:
    """See that the agreements can be read, and with a database that every text that was accepted is still there."""
    check_own_texts(settings)
    lost = texts_lost(settings) if has_database else []
    if lost:
        return Finding("agreements", Verdict.TROUBLE, "; ".join(one.words for one in lost))
    place = settings.legal_texts_dir or "the package"
    return Finding("agreements", Verdict.OK, f"texts of {place}, and each that was accepted is there")


def _contact(settings: Settings) -> Finding:
    """See whether people are told who runs this and where to ask, as the agreements promise."""
    wanted = {"ONETOKEN_OPERATOR_NAME": settings.operator_name, "ONETOKEN_CONTACT_EMAIL": settings.contact_email}
    missing = [name for name, value in wanted.items() if not value]
    if missing:
        words = "pages and mails do not say who runs this or whom to ask, though the agreements promise it"
        return Finding("contact", Verdict.NOTE, f"{words}; set {' and '.join(missing)}")
    return Finding("contact", Verdict.OK, f"{settings.operator_name}, {settings.contact_email}")


def _mail(settings: Settings) -> Finding:
    """See whether mails can be sent, and whether some wait."""

    async def read() -> OutboxView:
        async with read_session() as session:
            return await outbox(session)

    server, waiting = mail_server(settings), in_database(settings, read)
    mails = f"{waiting.waiting_count} mails wait"
    if server is None:
        words = f"no mail server, {mails} in the outbox; set ONETOKEN_SMTP_URL, or read them with onetoken outbox"
        return Finding("mail", Verdict.NOTE, words)
    try:
        socket.create_connection((server.host, server.port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        words = f"{server.host}:{server.port} takes no connection ({error.strerror or 'no answer'}), {mails}"
        return Finding("mail", Verdict.TROUBLE, words)
    if waiting.last_failure is not None:
        words = f"{mails} since {waiting.oldest_waiting_at:%Y-%m-%d %H:%M} UTC; last failure: {waiting.last_failure}"
        return Finding("mail", Verdict.NOTE, words)
    return Finding("mail", Verdict.OK, f"{server.host}:{server.port} takes connections, {mails}")


def _upstreams(settings: Settings) -> list[Finding]:
    """See of each channel that its credential opens and that its address takes a connection; nothing is sent."""

    async def read() -> list[catalog_queries.SealedChannelView]:
        async with read_session() as session:
            return await catalog_queries.sealed_channels(session)

    channels = in_database(settings, read)
    if not channels:
        return [Finding("upstreams", Verdict.NOTE, "no channel yet; add one with onetoken apply")]
    return [_watched(f"upstream {channel.channel.name}", partial(_upstream, settings, channel)) for channel in channels]


def _upstream(settings: Settings, sealed: catalog_queries.SealedChannelView) -> Finding:
    """Look at one channel."""
    channel = sealed.channel
    subject = f"upstream {channel.name}"
    if not channel.is_enabled:
        return Finding(subject, Verdict.NOTE, "switched off")
    try:
        sealed.reveal_credential(load_root_secrets(settings).key_encryption_key)
    except CannotUnseal:
        words = "its credential does not open with this ONETOKEN_KEY_ENCRYPTION_KEY; apply the channel again"
        return Finding(subject, Verdict.TROUBLE, words)
    parts = urlsplit(checked_base_url(channel.base_url, allow_private=True))
    if not settings.allow_private_upstreams and not _is_public(channel.base_url):
        words = "private or http: no call goes there without ONETOKEN_ALLOW_PRIVATE_UPSTREAMS=true (the demo sets it)"
        return Finding(subject, Verdict.NOTE, words)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        words = f"{parts.hostname}:{port} takes no connection ({error.strerror or 'no answer'}); is it running?"
        return Finding(subject, Verdict.TROUBLE, words)
    return Finding(subject, Verdict.OK, f"{parts.hostname}:{port} takes connections")


def _payment_providers(settings: Settings) -> list[Finding]:
    """Say of each payment provider whether it is switched on, or what is missing; nobody is asked."""
    hosted = [one for one in PaymentProvider if not one.is_by_hand]
    return [_watched(f"payments {one.value}", partial(_payment_provider, settings, one)) for one in hosted]


def _payment_provider(settings: Settings, provider: PaymentProvider) -> Finding:
    """Look at one payment provider."""
    subject = f"payments {provider.value}"
    missing = missing_settings(settings, provider)
    if missing and is_meant(settings, provider):
        return Finding(subject, Verdict.TROUBLE, f"off, though partly set up; set {', '.join(missing)}")
    if missing:
        return Finding(subject, Verdict.NOTE, f"off; {', '.join(missing)} would switch it on")
    make_client(settings, provider)  # reads the keys
    notified = f"{settings.console_url}{NOTIFICATIONS}{provider.value}"
    if settings.public_url is None:
        return Finding(subject, Verdict.NOTE, f"on, but notifications come to {notified}; set ONETOKEN_PUBLIC_URL")
    return Finding(subject, Verdict.OK, f"on; its notifications come to {notified}")


def _is_public(base_url: str) -> bool:
    """Whether an address is admitted without a setting."""
    try:
        checked_base_url(base_url, allow_private=False)
    except OneTokenError:
        return False
    return True
