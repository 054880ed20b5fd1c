"""Time zones by their IANA names."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onetoken_app.errors import BadRequest

NAME_CHARACTERS_MAX = 64


def zone_of(name: str) -> ZoneInfo:
    """Look up a time zone.

    Raises:
        BadRequest: It is unknown.
    """
    try:
        if 0 < len(name) <= NAME_CHARACTERS_MAX:
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass  # one answer for a name that is too long, malformed or unknown
    raise BadRequest("Unknown time zone; use an IANA name such as Asia/Shanghai.", parameter="time_zone")
