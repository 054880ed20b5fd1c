"""What a caller's headers ask of routing. They narrow what was admitted anyway, and never widen it."""

from dataclasses import dataclass

from onetoken_app.errors import BadRequest
from onetoken_app.relay.request_head import RequestHead

ATTEMPTS_MAX = 3
"""The first one and two more."""
REGION_HEADER = b"x-onetoken-region"
FALLBACK_HEADER = b"x-onetoken-fallback"
ATTEMPTS_HEADER = b"x-onetoken-attempts"
_VALUES: dict[bytes, frozenset[bytes]] = {
    REGION_HEADER: frozenset({b"mainland"}),
    FALLBACK_HEADER: frozenset({b"none"}),
    ATTEMPTS_HEADER: frozenset(str(count).encode() for count in range(1, ATTEMPTS_MAX + 1)),
}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Bounds of one call's routing."""

    is_mainland_only: bool = False
    may_fall_back: bool = True
    """Whether another model may answer."""
    attempts_max: int = ATTEMPTS_MAX


NOT_NARROWED = Narrowing()


def read_narrowing(head: RequestHead) -> Narrowing:
    """Read our own headers of a request; what is not understood is refused, because it could be meant to narrow.

    Raises:
        BadRequest: A header that does not exist, or a value that it does not have.
    """
    if not head.own:
        return NOT_NARROWED
    chosen = {}
    for name, values in head.own.items():
        allowed = _VALUES.get(name)
        if allowed is None:
            known = ", ".join(sorted(known.decode() for known in _VALUES))
            raise BadRequest(f"A header that begins with x-onetoken- is not known; there are {known}.")
        if len(values) != 1 or not values <= allowed:
            words = ", ".join(sorted(value.decode() for value in allowed))
            raise BadRequest(f"The header {name.decode()} is one of: {words}.", parameter=name.decode())
        (chosen[name],) = values
    return Narrowing(
        is_mainland_only=REGION_HEADER in chosen,
        may_fall_back=FALLBACK_HEADER not in chosen,
        attempts_max=int(chosen.get(ATTEMPTS_HEADER, ATTEMPTS_MAX)),
    )
