"""What the ledger refuses, named for the outcome.

PaymentRequired 402
├── InsufficientFunds     a hold, or a movement of credit, is more than what is available
├── BudgetExhausted       a hold would exceed a budget
Forbidden 403
├── OwnerIsFrozen         no new hold until the owner is unfrozen
NotFound 404
├── NoSuchAccount
├── NoSuchBudget
├── NoSuchTransaction
Conflict 409
├── LedgerConflict        the reference, or the request, stands for something else
│   └── AlreadyClaimed    another request has the claim
├── AlreadyReversed       a transaction is undone once
├── NotReversible         closes, corrections and terms are not undone
├── CreditLimitTooLow     more is in use than the new limit allows
Unavailable 503
├── LedgerUnavailable
LedgerRefused 500         the database refused one operation
"""

from onetoken_app.errors import Conflict, Forbidden, NotFound, OneTokenError, PaymentRequired, Unavailable
from onetoken_app.ledger.operations import HoldRepeated


class InsufficientFunds(PaymentRequired):
    """The balance does not cover what was asked for; ``available_nanos`` in the metadata says what is left.

    An edge that shows the metadata to a caller adds what the caller can act on, and writes the amount as text.
    """

    code = "insufficient_funds"


class BudgetExhausted(PaymentRequired):
    """A budget does not allow what was asked for; ``budget_id``, ``limit_nanos`` and ``left_nanos`` say which one."""

    code = "budget_reached"


class OwnerIsFrozen(Forbidden):
    """The owner may place no new hold until it is unfrozen; what is open goes on."""

    code = "owner_frozen"


class NoSuchAccount(NotFound):
    """The owner has no account in this currency."""

    code = "no_such_account"


class NoSuchBudget(NotFound):
    """The owner has no budget with this id, or it was removed."""

    code = "no_such_budget"


class NoSuchTransaction(NotFound):
    """No transaction of this kind has this reference."""

    code = "no_such_transaction"


class LedgerConflict(Conflict):
    """The request has another hold, has none, or is closed already; or a reference is taken. Nothing was done."""

    code = "ledger_conflict"


class AlreadyReversed(Conflict):
    """The transaction was undone before, under another reference."""

    code = "already_reversed"


class NotReversible(Conflict):
    """What a transaction of this kind did is not undone by posting the opposite."""

    code = "not_reversible"


class CreditLimitTooLow(Conflict):
    """More is in use than the new limit allows; ``in_use_nanos`` and ``limit_nanos`` in the metadata say how much."""

    code = "credit_limit_too_low"


class LedgerUnavailable(Unavailable):
    """The ledger cannot promise anything durable now; nothing was charged."""

    code = "ledger_unavailable"


class AlreadyClaimed(LedgerConflict):
    """Another request has the claim; nothing was held. ``repeated`` says how far that one is."""

    def __init__(self, repeated: HoldRepeated) -> None:
        super().__init__("Another request has this claim; nothing was done.")
        self.repeated = repeated


class LedgerRefused(OneTokenError):
    """The database refused one operation; nothing of it was done. Someone must look."""

    code = "ledger_refused"
