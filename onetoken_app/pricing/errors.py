"""Errors of the price book."""

from onetoken_app.errors import Forbidden, Unavailable


class UnknownPrice(Unavailable):
    """A model has no price for its input or output, so that nobody can be charged and nobody may call it."""

    code = "price_unknown"
    is_retryable = False


class OwnDraft(Forbidden):
    """Who made a draft of prices does not publish it."""

    code = "own_price_draft"
