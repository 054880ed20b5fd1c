"""What the ledger refuses, named for the outcome."""

from onetoken_app.errors import Conflict, NotFound, OneTokenError, PaymentRequired, Unavailable
from onetoken_app.ledger.operations import HoldRepeated


class InsufficientFunds(PaymentRequired):
    """The balance does not cover the hold that a request needs; ``available_nanos`` in the metadata says what is left.

    An edge that shows the metadata to a caller adds what the caller can act on, and writes the amount as text.
    """

    code = "insufficient_funds"


class LedgerUnavailable(Unavailable):
    """The ledger cannot promise anything durable now; nothing was charged."""

    code = "ledger_unavailable"


class LedgerConflict(Conflict):
    """The request has another hold, has none, or is closed already; nothing was done."""

    code = "ledger_conflict"


class AlreadyClaimed(LedgerConflict):
    """Another request has the claim; nothing was held. ``repeated`` says how far that one is."""

    def __init__(self, repeated: HoldRepeated) -> None:
        super().__init__("Another request has this claim; nothing was done.")
        self.repeated = repeated


class LedgerRefused(OneTokenError):
    """The database refused one operation; nothing of it was done. Someone must look."""

    code = "ledger_refused"


class NoSuchAccount(NotFound):
    """The owner has no account in this currency."""

    code = "no_such_account"
