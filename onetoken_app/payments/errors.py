"""Errors of payments."""

from onetoken_app.errors import BadRequest, Conflict, Forbidden


class AmountRefused(BadRequest):
    """The amount is no amount, or outside of what an order may be."""

    code = "amount_refused"


class NotOffered(BadRequest):
    """An order in this currency is not paid in this way here."""

    code = "payment_provider_not_offered"


class NoConsent(BadRequest):
    """Nobody consented to what happens to paid credit."""

    code = "consent_missing"


class StatementChanged(Conflict):
    """What was consented to is no longer in force."""

    code = "statement_changed"


class FormReused(Conflict):
    """The form made an order for another amount before."""

    code = "form_reused"


class TooManyOrders(Conflict):
    """As many orders are under way as an organization may have."""

    code = "too_many_orders"


class NotVerified(Forbidden):
    """Only a verified organization in good standing tops up."""

    code = "organization_not_verified"


class OrderExpired(Conflict):
    """The order was open for longer than it said."""

    code = "order_expired"


class OrderChanged(Conflict):
    """The order is no longer as it was on the screen, or no longer in a state that allows it."""

    code = "order_changed"


class AmountDiffers(Conflict):
    """What arrived is not what was ordered."""

    code = "amount_differs"


class BankEntryUsed(Conflict):
    """The entry of the bank statement stands for another order already."""

    code = "bank_entry_used"


class BankEntryDiffers(Conflict):
    """Whoever approved first named another entry of the bank statement."""

    code = "bank_entry_differs"


class ApproverInvolved(Forbidden):
    """Who ordered, reported, or belongs to the organization does not approve; nor does one person twice."""

    code = "approver_involved"


class RefundBlocked(Forbidden):
    """Nothing is refunded while the organization is suspended, frozen, or a case about it is open."""

    code = "refund_blocked"


class RefundTooMuch(Conflict):
    """More than what can be refunded of this order; ``refundable_nanos`` in the metadata says how much that is."""

    code = "refund_too_much"


class RefundChanged(Conflict):
    """The refund is no longer as it was on the screen, or no longer at a stage that allows it."""

    code = "refund_changed"


class AdjustmentChanged(Conflict):
    """The adjustment is no longer as it was on the screen, or decided."""

    code = "adjustment_changed"
