"""Chooses the channels of one call, in the order in which they are tried, and says how often that may be."""

import random
from collections.abc import Sequence
from itertools import groupby

from onetoken_app.providers.protocol import UpstreamTarget
from onetoken_app.relay.policy_snapshot import ChannelRoute

ATTEMPTS_MAX = 3
"""The first one and two more."""
_RETRIES_PER_CALL = 0.2
_RETRIES_SAVED_MAX = 20.0


def attempts_in_order(routes: Sequence[ChannelRoute]) -> list[UpstreamTarget]:
    """Return up to ``ATTEMPTS_MAX`` targets: tiers by priority, drawn by weight within a tier, then around again.

    Args:
        routes: Admitted routes in the order of priority; at least one.
    """
    if len(routes) == 1:
        return [routes[0].target] * ATTEMPTS_MAX
    drawn: list[UpstreamTarget] = []
    for _priority, tier in groupby(routes, key=lambda route: route.priority):
        drawn.extend(_drawn_by_weight(list(tier)))
    return (drawn * ATTEMPTS_MAX)[:ATTEMPTS_MAX]


class RetryBudget:
    """Keeps retries to a fifth of the calls, so that an upstream in trouble is not asked three times as often."""

    __slots__ = ("_saved",)

    def __init__(self) -> None:
        """Begin with enough for a few calls."""
        self._saved = _RETRIES_SAVED_MAX

    def note_call(self) -> None:
        """Earn a part of a retry."""
        self._saved = min(_RETRIES_SAVED_MAX, self._saved + _RETRIES_PER_CALL)

    def spend(self) -> bool:
        """Take one retry if there is one."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


def _drawn_by_weight(tier: list[ChannelRoute]) -> list[UpstreamTarget]:
    """Order one tier at random, heavier ones earlier more often."""
    drawn = []
    while tier:
        (chosen,) = random.choices(tier, weights=[max(1, route.weight) for route in tier])  # noqa: S311 # no secret
        tier.remove(chosen)
        drawn.append(chosen.target)
    return drawn
