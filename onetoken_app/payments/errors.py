"""Errors of payments."""

from onetoken_app.errors import BadRequest, Conflict, Forbidden


class AmountRefused(BadRequest):
    """The amount is no amount, or outside of what an order may be."""

    code = "amount_refused"


class NoConsent(BadRequest):
    """Nobody consented to what happens to paid credit."""

    code = "consent_missing"


class NotVerified(Forbidden):
    """Only a verified organization in good standing tops up."""

    code = "organization_not_verified"


class OrderExpired(Conflict):
    """The order was open for longer than it said."""

    code = "order_expired"


class AmountDiffers(Conflict):
    """What arrived is not what was ordered."""

    code = "amount_differs"


class BankEntryUsed(Conflict):
    """The entry of the bank statement stands for another order already."""

    code = "bank_entry_used"


class ApproverInvolved(Forbidden):
    """Who ordered, reported, or belongs to the organization does not approve; nor does one person twice."""

    code = "separation_of_duties"
