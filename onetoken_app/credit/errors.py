"""Errors of credit."""

from onetoken_app.errors import BadRequest, Conflict


class LimitRefused(BadRequest):
    """A limit that is no amount of money, or more than anybody can spend."""

    code = "limit_refused"


class TooManyBudgets(Conflict):
    """As many budgets as an organization may have."""

    code = "too_many_budgets"


class NothingToLimit(Conflict):
    """What a budget would limit makes no calls any more: a revoked key, an archived project."""

    code = "nothing_to_limit"
