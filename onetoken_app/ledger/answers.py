"""What the writer's negative answers mean to whoever asked."""

import msgspec

from onetoken_app.errors import OneTokenError
from onetoken_app.ledger.errors import (
    AlreadyClaimed,
    BudgetExhausted,
    InsufficientFunds,
    LedgerConflict,
    LedgerRefused,
    OwnerIsFrozen,
)
from onetoken_app.ledger.operations import (
    Answer,
    BalanceTooLow,
    BudgetReached,
    HoldConflict,
    HoldRepeated,
    OwnerFrozen,
    Refused,
)
from onetoken_app.telemetry import get_logger


def error_of(answer: Answer) -> OneTokenError:
    """Turn a negative answer into an error."""
    if isinstance(answer, BalanceTooLow):
        return InsufficientFunds(
            "The balance does not cover the largest charge of this call; nothing was sent or charged. "
            "Top up, or ask for fewer output tokens.",
            metadata={"available_nanos": answer.available_nanos},
        )
    if isinstance(answer, BudgetReached):
        return BudgetExhausted(
            "A budget does not allow the largest charge of this call; nothing was sent or charged.",
            metadata=msgspec.structs.asdict(answer),
        )
    if isinstance(answer, OwnerFrozen):
        return OwnerIsFrozen("No new call is paid for while the organization is frozen; nothing was sent or charged.")
    if isinstance(answer, HoldRepeated):
        return AlreadyClaimed(answer)
    if isinstance(answer, HoldConflict):
        return LedgerConflict("This request has no open hold like that; nothing was done.")
    error_class = answer.error_class if isinstance(answer, Refused) else type(answer).__name__
    get_logger().error("ledger_refused", error_class=error_class)
    return LedgerRefused("The ledger did not take this; nothing of it was done.")
