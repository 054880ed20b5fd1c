"""Errors of credit."""

from onetoken_app.errors import BadRequest, Conflict, Forbidden, PaymentRequired


class LimitRefused(BadRequest):
    """A limit that is no amount of money, or more than anybody can spend."""

    code = "limit_refused"


class TooManyBudgets(Conflict):
    """As many budgets as an organization may have."""

    code = "too_many_budgets"


class NothingToLimit(Conflict):
    """What a budget would limit makes no calls any more: a revoked key, an archived project."""

    code = "nothing_to_limit"


class AmountRefused(BadRequest):
    """What is given or asked for a package is no amount of whole cents, or outside of its bounds."""

    code = "credit_amount_refused"


class StaffInvolved(Forbidden):
    """Somebody of the staff has a part in what they decide on: they belong to the organization, or proposed it."""

    code = "staff_involved"


class GrantChanged(Conflict):
    """The grant was decided on, or cannot be given any more."""

    code = "grant_changed"


class TrialGiven(Conflict):
    """The organization had trial credit, or some waits for a second person."""

    code = "trial_given"


class FormUsed(Conflict):
    """The form did something else before."""

    code = "credit_form_used"


class PackageWithdrawn(Conflict):
    """The package is not for sale, or not to this organization."""

    code = "package_withdrawn"


class PackageTooDear(PaymentRequired):
    """The balance does not cover the price of a package; ``price`` and ``available`` in the metadata."""

    code = "package_too_dear"


class FreezeChanged(Conflict):
    """The organization is frozen already, or is not frozen."""

    code = "freeze_changed"


class CreditBlocked(Conflict):
    """The organization is not verified, suspended or frozen: nothing is sold or given to it now."""

    code = "credit_blocked"
