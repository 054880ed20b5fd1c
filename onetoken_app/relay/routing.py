"""Chooses the channels of one call, in the order in which they are tried, and says how often that may be."""

import math
import random
from collections.abc import Sequence
from itertools import groupby

from onetoken_app.errors import OneTokenError
from onetoken_app.providers.protocol import UpstreamTarget
from onetoken_app.relay.errors import NoChannelAvailable, UpstreamBusy
from onetoken_app.relay.health import Health
from onetoken_app.relay.policy_snapshot import ChannelRoute

ATTEMPTS_MAX = 3
"""The first one and two more."""
_RETRIES_PER_CALL = 0.2
_RETRIES_SAVED_MAX = 20.0


def ways_in_order(routes: Sequence[ChannelRoute]) -> list[UpstreamTarget]:
    """Return the ways upstream as they are tried: tiers by priority, drawn by weight within a tier.

    Args:
        routes: Admitted routes in the order of priority; at least one.
    """
    if len(routes) == 1:
        return [routes[0].target]
    drawn: list[UpstreamTarget] = []
    for _priority, tier in groupby(routes, key=lambda route: route.priority):
        drawn.extend(_drawn_by_weight(list(tier)))
    return drawn


class Tries:
    """The ways of one call, and how often each was tried."""

    __slots__ = ("_counts", "_health", "_ways")

    def __init__(self, ways: Sequence[UpstreamTarget], health: Health) -> None:
        """Begin with nothing tried."""
        self._ways = ways
        self._health = health
        self._counts = [0] * len(ways)

    def next_way(self, *, only_new: bool = False) -> UpstreamTarget | None:
        """Return the way to try next, the least tried one first; ``None``: none may be tried now.

        Args:
            only_new: Never again what was tried before.
        """
        counts = self._counts
        fitting = [
            index
            for index, way in enumerate(self._ways)
            if not (only_new and counts[index]) and self._health.may_try(way)
        ]
        if not fitting:
            return None
        index = min(fitting, key=counts.__getitem__)
        counts[index] += 1
        return self._ways[index]

    def was_tried(self, way: UpstreamTarget) -> bool:
        """Whether a way was tried more than once by now."""
        return self._counts[self._ways.index(way)] > 1

    def rest_seconds(self) -> float | None:
        """Return how long until the first way may be tried, if limits are what keeps calls from them."""
        if not self._health.is_limited(self._ways):
            return None
        return min(self._health.seconds_until(way) for way in self._ways)

    def refusal(self) -> OneTokenError:
        """Say that no way may be tried, and when one may be."""
        seconds = min(self._health.seconds_until(way) for way in self._ways)
        retry_after_seconds = max(1, math.ceil(seconds))
        if self._health.is_limited(self._ways):
            error: OneTokenError = UpstreamBusy(
                "The provider limits this service at the moment. Nothing was charged; try again shortly."
            )
        else:
            error = NoChannelAvailable(
                "No channel serves this model at the moment. Nothing was charged; try again later."
            )
        error.metadata["retry_after_seconds"] = retry_after_seconds
        return error


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
