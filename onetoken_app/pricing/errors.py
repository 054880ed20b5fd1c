"""Errors of the price book."""

from onetoken_app.errors import BadRequest, Conflict, Forbidden, Unavailable


class UnknownPrice(Unavailable):
    """A model has no price for its input or output, so that nobody can be charged and nobody may call it."""

    code = "price_unknown"
    is_retryable = False


class OwnDraft(Forbidden):
    """Who made a draft of prices does not publish it."""

    code = "own_price_draft"


class OwnOrganization(Forbidden):
    """Nobody sets the prices of an organization that they belong to."""

    code = "own_organization_prices"


class RiseTooSoon(BadRequest):
    """Somebody would pay more, and would not know early enough."""

    code = "price_rise_too_soon"


class PricesOverlap(Conflict):
    """Prices of the same model for the same customers would hold at the same time, or come back by themselves."""

    code = "prices_overlap"


class NothingChanges(Conflict):
    """It is so already."""

    code = "price_terms_unchanged"
