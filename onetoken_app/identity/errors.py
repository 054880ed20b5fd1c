"""Errors of people and of the links that they are mailed."""

from onetoken_app.errors import Gone, NotFound


class LinkUnknown(NotFound):
    """No such link was sent, or it was withdrawn; perhaps it was copied only in part."""

    code = "link_unknown"


class LinkUsed(Gone):
    """The link was for one use, and it was used."""

    code = "link_used"


class LinkExpired(Gone):
    """The link was not used in time."""

    code = "link_expired"
