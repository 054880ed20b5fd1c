"""The rows of a call's upstream attempts on their way into the ledger's transaction, beside its record."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter

from onetoken_app.clock import iso_instant
from onetoken_app.ledger.operations import Statement
from onetoken_app.money import Currency, Nanos
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import AttemptOutcome, UsageAttempt


@dataclass(frozen=True, slots=True)
class AttemptDraft:
    """Every column of ``UsageAttempt``; see there for what each means."""

    request_id: str
    attempt_number: int
    model_id: str
    channel_id: str
    upstream_model: str
    began_at: datetime
    duration_ms: int
    outcome: AttemptOutcome
    usage_source: UsageSource = UsageSource.NONE
    input_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0
    cost_nanos: Nanos | None = None
    cost_currency: Currency | None = None
    cost_version_id: int | None = None


_COLUMNS = tuple(AttemptDraft.__slots__)
_values = attrgetter(*_COLUMNS)
_MOMENT_POSITION = _COLUMNS.index("began_at")
_KEY = ("request_id", "attempt_number")


def insert_attempt(draft: AttemptDraft, *, is_sqlite: bool) -> Statement:
    """Return the statement that the ledger's writer runs in the transaction of the call's close.

    What recovery wrote, because the call's process seemed dead, is replaced by the truth, like the call's record.
    """
    parameters = list(_values(draft))
    parameters[_MOMENT_POSITION] = iso_instant(draft.began_at)
    return Statement(sql=_insert_sql(is_sqlite=is_sqlite), parameters=parameters)


@lru_cache(maxsize=2)
def _insert_sql(*, is_sqlite: bool) -> str:
    """Write the statement once per driver."""
    places = ["?" if is_sqlite else "%s"] * len(_COLUMNS)
    if not is_sqlite:
        places[_MOMENT_POSITION] = "%s::timestamptz"
    replaced = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS if column not in _KEY)
    return (
        f"INSERT INTO {UsageAttempt.__tablename__} ({', '.join(_COLUMNS)}) VALUES ({', '.join(places)}) "  # noqa: S608 # our own constants
        f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {replaced}"
    )
