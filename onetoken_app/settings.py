"""Settings: ``ONETOKEN_…`` variables or a ``.env`` file, checked once, read through ``get_settings()``.

Unknown names are refused, because a misspelt limit is a limit that is not there. ``.env.example`` lists every setting
with its default; a test keeps it complete.
"""

import os
import re
from email.utils import parseaddr
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "ONETOKEN_"
MIB = 1024 * 1024
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class LogLevel(StrEnum):
    """How much is written to the log; no level ever writes content."""

    DEBUG = "debug"
    """Steps of our own code; libraries stay at WARNING."""
    INFO = "info"
    """Starts, stops and decisions."""
    WARNING = "warning"
    """Expected trouble."""
    ERROR = "error"
    """Someone must look."""


class Settings(BaseSettings):
    """Everything that an operator may set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_file_encoding="utf-8", extra="forbid", frozen=True
    )

    data_dir: Path = Path("var")
    """Where the embedded database, generated secrets and locks live."""
    database_url: SecretStr | None = None
    """``postgresql://user:password@host/name``; unset: SQLite in the data folder."""
    key_pepper: SecretStr | None = None
    """Base64 of 32 bytes mixed into the hashes of API keys; generated on SQLite, required on PostgreSQL."""
    key_encryption_key: SecretStr | None = None
    """Base64 of 32 bytes that encrypt secrets at rest; generated on SQLite, required on PostgreSQL."""
    log_level: LogLevel = LogLevel.INFO
    """Lowest level that is written."""

    host: str = "127.0.0.1"
    """Address to listen on; the default is reachable from this machine only."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    """Port of console and relay."""
    public_url: str | None = None
    """Address that browsers use, such as ``https://console.example.com``; unset: ``http://localhost:PORT``."""
    trusted_proxy_count: Annotated[int, Field(ge=0, le=8)] = 0
    """How many proxies in front append to X-Forwarded-For; 0: the header is ignored."""

    allow_private_upstreams: bool = False
    """Admit channels on http and on private or loopback addresses."""
    request_body_bytes_max: Annotated[int, Field(ge=1024, le=1024 * MIB)] = 32 * MIB
    """Largest request body of the relay."""
    reply_body_bytes_max: Annotated[int, Field(ge=1024, le=1024 * MIB)] = 64 * MIB
    """Largest plain reply of an upstream that is delivered."""
    in_flight_requests_max: Annotated[int, Field(ge=1, le=100_000)] = 4_000
    """Calls that one relay process carries at once; beyond it: 503."""
    access_log: bool = True
    """Whether each call that ends is one line of the log: ids, status, durations and charge."""
    metrics_token: Annotated[SecretStr, Field(min_length=16, max_length=256)] | None = None
    """What a scraper says as its bearer at ``/metrics``; unset: there is no such address."""
    traces_url: Annotated[str, Field(pattern="^https?://")] | None = None
    """Where a collector of OpenTelemetry takes spans, such as ``http://127.0.0.1:4318/v1/traces``; unset: no spans."""
    traces_token: SecretStr | None = None
    """What the collector wants as a bearer, if anything."""
    traces_percent: Annotated[int, Field(ge=0, le=100)] = 100
    """How many of a hundred calls are traced, drawn at random."""
    policy_poll_seconds: Annotated[float, Field(ge=0.05, le=5)] = 0.25
    """How often the relay looks whether keys, prices or channels changed."""
    policy_age_seconds_max: Annotated[float, Field(ge=1, le=60)] = 5
    """Oldest policy the relay acts on when the database does not answer; beyond it: 503."""
    upstream_connect_seconds: Annotated[float, Field(ge=0.1, le=60)] = 3
    """Time-out for a connection to an upstream."""
    upstream_first_byte_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 60
    """Time-out for the first byte of a streamed answer."""
    upstream_plain_answer_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 600
    """Time-out for the first byte of a plain answer, which comes when the whole answer is made."""
    upstream_idle_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 60
    """Time-out between two pieces of an upstream's answer."""
    upstream_total_seconds: Annotated[float, Field(ge=1, le=86_400)] = 900
    """Time-out for a whole call."""
    hang_up_drain_seconds: Annotated[float, Field(ge=0, le=600)] = 60
    """How long an upstream that bills anyway is read on after its caller left."""
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 30
    """How long open calls may go on after a request to stop."""

    smtp_url: SecretStr | None = None
    """Mail server, such as ``smtps://user:password@mail.example.com:465``; unset: mails stay in the outbox."""
    mail_from: str | None = None
    """Sender of mails, such as ``OneToken <no-reply@example.com>``; required with a mail server."""
    top_up_second_person_above_units: Annotated[int, Field(ge=0, le=10_000_000)] = 10_000
    """Bank transfers above this many units of their currency, with all that one person decided alone within 24 hours,
    need the approval of two people."""
    refund_second_person_above_units: Annotated[int, Field(ge=0, le=10_000_000)] = 1_000
    """Refunds above this many units of their currency, with all that one person decided alone within 24 hours, need the
    approval of two people."""
    grant_second_person_above_units: Annotated[int, Field(ge=0, le=10_000_000)] = 1_000
    """Grants of credit above this many units of their currency, with all that one person decided alone within 24
    hours, need the approval of a second person; a package's bonus is never above it."""
    adjustment_second_person_above_units: Annotated[int, Field(ge=0, le=10_000_000)] = 1_000
    """Adjustments above this many units of their currency, with all that one person decided alone within 24 hours,
    need two people."""
    price_rise_notice_days: Annotated[int, Field(ge=0, le=365)] = 7
    """How long before it takes effect finance has to publish what makes some customer pay more."""
    contract_credit_limit_max_units: Annotated[int, Field(ge=0, le=1_000_000_000)] = 100_000
    """No contract's credit limit is raised above this many units of its currency."""
    top_up_order_days: Annotated[int, Field(ge=1, le=365)] = 30
    """How long after an order its transfer may be reported."""
    bank_account: Annotated[str, Field(max_length=500)] | None = None
    """Where customers transfer to, as they read it: holder, bank, number; unset: they are told to ask."""
    stripe_secret_key: SecretStr | None = None
    """Stripe's secret key; with the webhook secret it switches payments by Stripe on."""
    stripe_webhook_secret: SecretStr | None = None
    """What Stripe signs its events with, ``whsec_…``."""
    stripe_base_url: str = "https://api.stripe.com"
    """Where Stripe's API is."""
    alipay_app_id: Annotated[str, Field(max_length=32)] | None = None
    """Number of the application at Alipay; with both keys it switches payments by Alipay on."""
    alipay_private_key: SecretStr | None = None
    """The application's private key: a PEM, or the file that holds it."""
    alipay_public_key: SecretStr | None = None
    """Alipay's own public key, which its notifications are checked with: a PEM, or the file that holds it."""
    alipay_gateway_url: str = "https://openapi.alipay.com/gateway.do"
    """Where Alipay's gateway is; the sandbox has another."""
    wechat_pay_merchant_id: Annotated[str, Field(max_length=32)] | None = None
    """The merchant's number at WeChat Pay; with the six below it switches payments by WeChat Pay on."""
    wechat_pay_app_id: Annotated[str, Field(max_length=32)] | None = None
    """Number of the application that is bound to the merchant."""
    wechat_pay_certificate_serial: Annotated[str, Field(max_length=64)] | None = None
    """Serial number of the merchant's certificate."""
    wechat_pay_private_key: SecretStr | None = None
    """Private key of the merchant's certificate: a PEM, or the file that holds it."""
    wechat_pay_api_v3_key: SecretStr | None = None
    """The 32 characters that notifications are sealed with."""
    wechat_pay_public_key: SecretStr | None = None
    """WeChat Pay's public key or platform certificate: a PEM, or the file that holds it."""
    wechat_pay_public_key_id: Annotated[str, Field(max_length=64)] | None = None
    """Its id, ``PUB_KEY_ID_…``, or the serial number of the platform certificate."""
    wechat_pay_base_url: str = "https://api.mch.weixin.qq.com"
    """Where WeChat Pay's API is."""
    operator_name: Annotated[str, Field(max_length=200)] | None = None
    """Who runs this installation, as pages, mails and statements name it; unset: OneToken."""
    operator_address: Annotated[str, Field(max_length=300)] | None = None
    """The operator's address on statements."""
    operator_tax_id: Annotated[str, Field(max_length=64)] | None = None
    """The operator's tax number or registration code on statements."""
    contact_email: Annotated[str, Field(max_length=254)] | None = None
    """Where people reach the operator: on every page, below every mail, and where answers to mails go."""
    legal_texts_dir: Path | None = None
    """Folder of your own agreements, which replace those of the package of their kind; unset: the package's."""
    sign_in_session_hours: Annotated[int, Field(ge=1, le=720)] = 12
    """How long a sign-in lasts."""
    document_retention_days: Annotated[int, Field(ge=30, le=3650)] = 180
    """How long documents of a case are kept after the decision, or after its last step if there is none."""
    usage_retention_days: Annotated[int, Field(ge=180, le=36_500)] = 400
    """How long the metadata of calls is kept; the law asks for at least six months."""

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what no driver can connect to."""
        if value is not None and not _names_a_postgresql(value.get_secret_value()):
            message = "looks like postgresql://user:password@host:5432/name, with %-escapes for @ : / in a password"
            raise ValueError(message)
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        """Refuse what no browser has as its address, and keep one form of the rest."""
        if not value:
            return None
        parts = _split(value)
        if parts is None or parts.scheme not in _DEFAULT_PORTS or "@" in parts.netloc or parts.query or parts.fragment:
            message = "looks like https://console.example.com"
            raise ValueError(message)
        if parts.port == _DEFAULT_PORTS[parts.scheme]:  # a browser leaves it out of the origin that it sends
            parts = parts._replace(netloc=parts.netloc.rpartition(":")[0])
        return parts.geturl().rstrip("/")

    @field_validator("stripe_base_url", "alipay_gateway_url", "wechat_pay_base_url")
    @classmethod
    def _check_provider_url(cls, value: str) -> str:
        """Refuse an address that payments would travel to in the clear."""
        parts = _split(value)
        is_loopback = parts is not None and parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if (
            parts is None
            or "@" in parts.netloc
            or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback))
        ):
            message = "looks like https://api.example.com; http only on this machine"
            raise ValueError(message)
        return value.rstrip("/")

    @field_validator("contact_email")
    @classmethod
    def _check_contact_email(cls, value: str | None) -> str | None:
        """Refuse what nobody can write to."""
        if value and not _ADDRESS.fullmatch(value):
            message = "looks like help@example.com"
            raise ValueError(message)
        return value or None

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what no mail server is reached by."""
        parts = _split(value.get_secret_value()) if value is not None else None
        if value is not None and (
            parts is None or parts.scheme not in {"smtp", "smtps"} or parts.path.strip("/") or parts.query
        ):
            message = "looks like smtps://user:password@mail.example.com:465, with %-escapes for @ : / in a password"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _check_mail_from(self) -> Self:
        """Refuse a mail server without a sender, whose mails would all be refused later."""
        if self.smtp_url is not None and "@" not in parseaddr(self.mail_from or "")[1]:
            message = f"{PREFIX}MAIL_FROM: needed with {PREFIX}SMTP_URL, such as OneToken <no-reply@example.com>"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _refuse_unknown_variables(self) -> Self:
        """Refuse a variable that no setting has; the file is checked by pydantic itself."""
        known = {PREFIX + name.upper() for name in type(self).model_fields}
        unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
        if unknown:
            message = f"unknown setting {', '.join(unknown)}"
            raise ValueError(message)
        return self

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is in use."""
        return self.database_url is None

    @property
    def database_file(self) -> Path:
        """The embedded database."""
        return self.data_dir.absolute() / "onetoken.sqlite3"

    @property
    def console_url(self) -> str:
        """Address of the console as a browser sees it."""
        return self.public_url or f"http://localhost:{self.port}"


class BadSettings(Exception):
    """A setting cannot be used; the message names it and never shows a secret's value."""


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Read the settings once per process.

    Raises:
        BadSettings: A value is out of bounds or a name is unknown.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [_problem(details["loc"], details["msg"]) for details in error.errors(include_input=False)]
        raise BadSettings("; ".join(problems)) from None


def _problem(location: tuple[int | str, ...], text: str) -> str:
    """Say one problem with the name that the operator typed."""
    words = text.removeprefix("Value error, ")
    if not location:
        return words
    name = str(location[0])
    return f"{name if name.upper().startswith(PREFIX) else PREFIX + name}".upper() + f": {words}"


def _split(url: str) -> SplitResult | None:
    """Take an address apart; ``None``: it has no host or no port that can be."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:  # its words quote the address, which may hold a password
        return None
    return parts if has_port and _HOST_NAME.fullmatch(parts.hostname or "") else None


def _names_a_postgresql(url: str) -> bool:
    """Whether SQLAlchemy and PostgreSQL's own library read the same place, user and password from an address."""
    # Both are slow to import, and an installation on SQLite needs neither for its settings.
    from psycopg import ProgrammingError  # noqa: PLC0415 # slow, see above
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 # slow, see above
    from sqlalchemy.engine import make_url  # noqa: PLC0415 # slow, see above
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 # slow, see above

    if not url.startswith(("postgresql://", "postgres://")):
        return False
    try:
        parts = make_url(url)
        read = {name: str(value) for name, value in conninfo_to_dict(url).items() if value}
    except (ArgumentError, ProgrammingError, ValueError):
        return False
    given = parts.translate_connect_args(database="dbname", username="user") | dict(parts.query)
    return read == {name: str(value) for name, value in given.items() if value} and 0 < (parts.port or 1) < 65536
