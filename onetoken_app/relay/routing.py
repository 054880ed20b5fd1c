"""Chooses the channels of one call, in the order in which they are tried, and says how often that may be."""

import hashlib
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import msgspec

from onetoken_app.catalog.models import RoutingRule
from onetoken_app.errors import OneTokenError
from onetoken_app.providers.protocol import UpstreamTarget
from onetoken_app.relay.admission import Admission
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.errors import NoChannelAvailable, UpstreamBusy
from onetoken_app.relay.health import Health
from onetoken_app.relay.policy_snapshot import ChannelRoute
from onetoken_app.vault import RootSecrets

_RETRIES_PER_CALL = 0.2
_RETRIES_SAVED_MAX = 20.0
_PREFIX_MESSAGES = 2
"""A conversation is known by its first messages: the system's and the first of its user."""
_CONVERSATION_MEMBERS = ("system", "systemInstruction", "instructions", "messages", "contents", "input")
"""Where the dialects keep them."""
_HASH_VALUES = 1 << 64
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True, repr=False)
class Way:
    """One way to serve a call: the model that answers, and where."""

    admission: Admission
    target: UpstreamTarget


@dataclass(frozen=True, slots=True, repr=False)
class Picker:
    """What one process chooses ways with."""

    health: Health
    sticky_key: bytes
    """Keys the hashes of conversations, the same in all processes; a hash is never kept."""


def sticky_key_of(secrets: RootSecrets) -> bytes:
    """Derive the key of conversations' hashes, so that every process sends one to the same place."""
    return hashlib.blake2b(b"sticky routing", key=secrets.key_pepper[:64], digest_size=32).digest()


def ways_in_order(admission: Admission, request: CallRequest, picker: Picker) -> list[Way]:
    """Return the ways of a call as they are tried first: those of its model, then of each model that may stand in.

    Tiers by priority; within a tier by the model's rule; a channel's further credentials right behind its first.

    Args:
        admission: What was admitted.
        request: The call; only a sticky rule looks at its first messages.
        picker: Of this process.
    """
    return [
        Way(each, target)
        for each in (admission, *admission.fallbacks)
        for route in _routes_in_order(each, request, picker)
        for target in _credentials_in_order(route, each, request, picker)
    ]


def _routes_in_order(admission: Admission, request: CallRequest, picker: Picker) -> Iterable[ChannelRoute]:
    """Order the channels of one model."""
    if len(admission.routes) == 1:
        return admission.routes
    order = _order_of(admission, request, picker)
    ordered: list[ChannelRoute] = []
    for _priority, tier in groupby(admission.routes, key=lambda route: route.priority):
        ordered.extend(order(list(tier)))
    return ordered


def _order_of(
    admission: Admission, request: CallRequest, picker: Picker
) -> Callable[[list[ChannelRoute]], list[ChannelRoute]]:
    """Return what orders one tier."""
    rule = admission.offer.model.routing_rule
    if rule is RoutingRule.LATENCY:
        return partial(sorted, key=lambda route: picker.health.latency_of(route.target))
    if rule is RoutingRule.COST:
        return partial(sorted, key=partial(_cost, admission))
    if rule is RoutingRule.STICKY:
        conversation = _conversation(admission, request, picker)
        return partial(
            sorted,
            key=lambda route: _rank(picker.sticky_key, conversation, route.target.channel_id, weight=route.weight),
        )
    return _drawn_by_weight


def _credentials_in_order(
    route: ChannelRoute, admission: Admission, request: CallRequest, picker: Picker
) -> Sequence[UpstreamTarget]:
    """Order a channel's credentials: at random, or by the conversation, because caches belong to accounts."""
    if not route.spares:
        return route.targets
    if admission.offer.model.routing_rule is not RoutingRule.STICKY:
        return random.sample(route.targets, len(route.targets))
    conversation = _conversation(admission, request, picker)
    return sorted(
        route.targets, key=lambda target: _rank(picker.sticky_key, conversation, target.credential_id, weight=1)
    )


def _cost(admission: Admission, route: ChannelRoute) -> tuple[bool, str, int]:
    """Rank a channel by the most that the call can cost the operator; currencies apart, and the unknown last."""
    sheet = route.cost_sheet
    if sheet is None:
        return True, "", 0
    upper_cost_nanos = sheet.upper_charge(
        admission.input_tokens_max, admission.output_tokens_max, has_media=admission.has_media
    )
    return False, sheet.currency.value, upper_cost_nanos


def _conversation(admission: Admission, request: CallRequest, picker: Picker) -> bytes:
    """Return a keyed hash of how a conversation begins, of this organization and model."""
    digest = hashlib.blake2b(key=picker.sticky_key, digest_size=16)
    digest.update(f"{admission.caller.organization_id} {admission.offer.model.id}".encode())
    for name in _CONVERSATION_MEMBERS:
        if name in request.members:
            digest.update(_beginning(request.members[name]))
    return digest.digest()


def _beginning(member: msgspec.Raw) -> bytes:
    """Return the first messages of a list of them; a text stands for itself."""
    if bytes(memoryview(member)[:1]) != b"[":
        return bytes(member)
    return b"".join(bytes(message) for message in _list_decoder.decode(member)[:_PREFIX_MESSAGES])


def _rank(key: bytes, conversation: bytes, name: str, *, weight: int) -> float:
    """Rank a name for a conversation, lowest first: each conversation moves only when its own channel goes."""
    digest = hashlib.blake2b(conversation + name.encode(), key=key, digest_size=8).digest()
    share = (int.from_bytes(digest) + 1) / (_HASH_VALUES + 1)
    return -math.log(share) / max(1, weight)


class Tries:
    """The ways of one call, and how often each was tried."""

    __slots__ = ("_counts", "_health", "_ways")

    def __init__(self, ways: Sequence[Way], health: Health) -> None:
        """Begin with nothing tried."""
        self._ways = ways
        self._health = health
        self._counts = [0] * len(ways)

    def next_way(self, *, only_new: bool = False, not_channel_id: str = "") -> Way | None:
        """Return the way to try next, the least tried one first; ``None``: none may be tried now.

        Args:
            only_new: Never again what was tried before.
            not_channel_id: A channel that comes behind all others that were tried as often.
        """
        counts, ways = self._counts, self._ways
        fitting = [
            index
            for index, way in enumerate(ways)
            if not (only_new and counts[index]) and self._health.may_try(way.target)
        ]
        if not fitting:
            return None
        index = min(fitting, key=lambda place: (counts[place], ways[place].target.channel_id == not_channel_id))
        counts[index] += 1
        return ways[index]

    def was_tried(self, way: Way) -> bool:
        """Whether a way was tried more than once by now."""
        return self._counts[self._ways.index(way)] > 1

    def rest_seconds(self) -> float | None:
        """Return how long until the first way may be tried, if limits are what keeps calls from them."""
        if not self._health.is_limited(way.target for way in self._ways):
            return None
        return min(self._health.seconds_until(way.target) for way in self._ways)

    def refusal(self) -> OneTokenError:
        """Say that no way may be tried, and when one may be."""
        seconds = min(self._health.seconds_until(way.target) for way in self._ways)
        retry_after_seconds = max(1, math.ceil(seconds))
        if self._health.is_limited(way.target for way in self._ways):
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


def _drawn_by_weight(tier: list[ChannelRoute]) -> list[ChannelRoute]:
    """Order one tier at random, heavier ones earlier more often."""
    drawn = []
    while tier:
        (chosen,) = random.choices(tier, weights=[max(1, route.weight) for route in tier])  # noqa: S311 # no secret
        tier.remove(chosen)
        drawn.append(chosen)
    return drawn
