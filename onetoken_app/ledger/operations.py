"""What the relay asks of the ledger's writer and what it answers: the messages on the socket pair.

Every operation is idempotent by its ``request_id``, so that the relay may send it again after the writer died.
"""

from typing import Any

import msgspec

from onetoken_app.ledger.kinds import Outcome
from onetoken_app.money import Currency, Nanos
from onetoken_app.token_usage import UsageSource


class Statement(msgspec.Struct, array_like=True, frozen=True):
    """One SQL statement of a caller, run in the transaction of a close; opaque to the ledger."""

    sql: str
    """In the driver's own placeholders (``?`` on SQLite, ``%s`` on PostgreSQL)."""
    parameters: list[Any]
    charge_position: int = -1
    """Index of the parameter that the writer replaces by what the owner was really charged; −1: none."""


class BudgetPeriod(msgspec.Struct, array_like=True, frozen=True):
    """A budget that a hold counts against, and when."""

    budget_id: str
    period: str
    """Opaque, such as ``2026-11-27`` or ``2026-11``; 1 to 16 characters."""


class PlaceHold(msgspec.Struct, array_like=True, frozen=True, tag="hold"):
    """Set money aside. A repeat with the same amount returns the first receipt."""

    request_id: str
    owner_id: str
    currency: Currency
    amount_nanos: Nanos
    """Upper bound of the charge; at least 0."""
    context: bytes
    """What recovery needs to write the usage record: ids and counts, at most 1 KiB, never content."""
    claim: str = ""
    """Keyed digest that one request may hold at a time, as 64 hexadecimal digits; empty: none."""
    fingerprints: tuple[str, ...] = ()
    """Of the request under every key in use, the newest first: a repeat has one that the claim was made with."""
    scope: str = ""
    """What it is for, such as the model's id: lots that name scopes pay for those alone."""
    budgets: list[BudgetPeriod] = []
    """Whose limits it may not exceed; each of this owner and currency, at most 16. Removed ones are passed over."""
    token_count: int = 0
    """The most tokens that it can use, of all kinds: lots of tokens pay for so many. 0: they pay nothing."""
    units_nanos: Nanos = 0
    """How much of the amount can be for what is no token, which lots of tokens do not pay."""


class ExtendHold(msgspec.Struct, array_like=True, frozen=True, tag="extend"):
    """Raise a hold's total to ``amount_nanos``; a repeat changes nothing."""

    request_id: str
    amount_nanos: Nanos
    scope: str = ""
    """As in ``PlaceHold``: which lots may pay for the difference."""
    token_count: int = 0
    units_nanos: Nanos = 0


class RecordProgress(msgspec.Struct, array_like=True, frozen=True, tag="progress"):
    """Say durably what an open request has cost so far; overwrites the last."""

    request_id: str
    amount_nanos: Nanos
    context: bytes


class CloseHold(msgspec.Struct, array_like=True, frozen=True, tag="close"):
    """End a hold once. A second close changes nothing and returns the first outcome.

    Unless the first was a recovery: then the true end comes late, and corrects it once to the true amount. Its
    statements run again, so they must replace what they wrote.
    """

    request_id: str
    outcome: Outcome
    amount_nanos: Nanos
    """The metered charge; 0 when voided."""
    usage_source: UsageSource
    extra: list[Statement]
    scope: str = ""
    """As in ``PlaceHold``: which lots may pay what is charged above the hold."""
    token_count: int = 0
    """The tokens that were used, of all kinds."""
    units_nanos: Nanos = 0
    """How much of the amount is for what is no token."""


class FindDeadHolds(msgspec.Struct, array_like=True, frozen=True, tag="dead"):
    """End the epochs whose owner no longer lives, and list their open holds; the writer's own epoch is never listed."""

    holds_max: int = 1000
    after_request_id: str = ""
    """List only what follows it."""


Operation = PlaceHold | ExtendHold | RecordProgress | CloseHold | FindDeadHolds


class HoldPlaced(msgspec.Struct, array_like=True, frozen=True, tag="placed"):
    """The hold, or its extension, is durable."""

    amount_nanos: Nanos


class BalanceTooLow(msgspec.Struct, array_like=True, frozen=True, tag="low"):
    """Nothing was held: the owner's available balance is below the amount."""

    available_nanos: Nanos


class BudgetReached(msgspec.Struct, array_like=True, frozen=True, tag="budget"):
    """Nothing was held: spent and held together would exceed a budget's limit."""

    budget_id: str
    limit_nanos: Nanos
    left_nanos: Nanos
    """At least 0."""


class HoldRepeated(msgspec.Struct, array_like=True, frozen=True, tag="repeated"):
    """Nothing was held: another request has the claim; how far that one is."""

    request_id: str
    """Of the request that has it."""
    is_same: bool
    """Whether both have the same fingerprint."""
    currency: Currency
    outcome: Outcome | None
    """Unset: its hold is open."""
    amount_nanos: Nanos
    """What it was charged in all; 0 while it is open."""


class OwnerFrozen(msgspec.Struct, array_like=True, frozen=True, tag="frozen"):
    """Nothing was held: the owner may place no new hold until it is unfrozen."""


class HoldConflict(msgspec.Struct, array_like=True, frozen=True, tag="conflict"):
    """Nothing was done: the request has another hold, has none, or is closed already."""


class ProgressRecorded(msgspec.Struct, array_like=True, frozen=True, tag="noted"):
    """The progress is durable, or its hold is closed already."""


class HoldClosed(msgspec.Struct, array_like=True, frozen=True, tag="closed"):
    """The close is durable: this one's, or the first one's."""

    outcome: Outcome
    amount_nanos: Nanos
    """What the owner was charged in all, a correction included."""
    absorbed_nanos: Nanos
    is_first: bool
    """False: it had been closed before; nothing was changed, or a recovery was corrected."""


class DeadHold(msgspec.Struct, array_like=True, frozen=True):
    """An open hold whose process died."""

    request_id: str
    owner_id: str
    currency: Currency
    placed_at: str
    """As ``clock.iso_instant`` writes it."""
    progress_nanos: Nanos
    """The last durable progress; 0 when there is none."""
    context: bytes
    """Of the last progress, else of the hold."""


class DeadHolds(msgspec.Struct, array_like=True, frozen=True, tag="deadlist"):
    """Some of the open holds of ended epochs, by their ids; ask for what follows until the list is empty."""

    holds: list[DeadHold]


class Refused(msgspec.Struct, array_like=True, frozen=True, tag="refused"):
    """The database refused this operation alone; nothing of it was done. Someone must look."""

    error_class: str


Answer = (
    HoldPlaced
    | BalanceTooLow
    | BudgetReached
    | OwnerFrozen
    | HoldRepeated
    | HoldConflict
    | ProgressRecorded
    | HoldClosed
    | DeadHolds
    | Refused
)
