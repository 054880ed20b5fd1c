"""Decides whether a call may be made, and the most that it can cost.

Refusals come in a fixed order: the organization's standing, the model, the region, the price. Each fails closed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from onetoken_app.money import NANOS_MAX, Nanos, format_amount
from onetoken_app.pricing.errors import UnknownPrice
from onetoken_app.pricing.quote import PriceSheet
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.errors import (
    AgreementsOutstanding,
    InsufficientBalance,
    ModelNotFound,
    NoChannelAvailable,
    OrganizationNotVerified,
    OrganizationSuspended,
    RegionNotConfirmed,
    RoutingNotPossible,
)
from onetoken_app.relay.narrowing import NOT_NARROWED, Narrowing
from onetoken_app.relay.policy_snapshot import Caller, ChannelRoute, ModelOffer, PolicySnapshot

OVERHEAD_TOKENS = 64
"""What a chat template may add around the messages."""
TOOLS_OVERHEAD_TOKENS = 512
"""What a chat template may add around tools."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A call that may be made, with its bounds."""

    caller: Caller
    offer: ModelOffer
    routes: tuple[ChannelRoute, ...]
    """Those that the region gate admits, by priority; empty only where all channels are out and fallbacks are not."""
    sheet: PriceSheet
    input_tokens_max: int
    output_tokens_max: int
    """Over all choices."""
    choice_count: int
    has_media: bool
    """Whether the input may hold sounds or pictures."""
    narrowing: Narrowing = NOT_NARROWED
    fallbacks: tuple["Admission", ...] = ()
    """The same call for the models that may answer in its place: none is dearer than the hold."""

    @property
    def upper_charge_nanos(self) -> Nanos:
        """The size of the hold: no call within the bounds costs more."""
        return self.upper_charge_with(self.output_tokens_max)

    def cost_sheet_of(self, channel_id: str) -> PriceSheet | None:
        """Return what a channel of this call costs the operator; ``None``: not known."""
        return next((route.cost_sheet for route in self.routes if route.target.channel_id == channel_id), None)

    def upper_charge_with(self, output_tokens_max: int) -> Nanos:
        """Return what the hold has to be for this much output."""
        upper = self.sheet.upper_charge(self.input_tokens_max, output_tokens_max, has_media=self.has_media)
        return min(NANOS_MAX, upper)


def check_standing(caller: Caller) -> None:
    """Refuse organizations that may not call at all; done before the body is read.

    Raises:
        OrganizationSuspended: It was suspended.
        OrganizationNotVerified: It has not been verified.
        AgreementsOutstanding: It has not accepted what is in force.
    """
    if caller.is_suspended:
        raise OrganizationSuspended(
            "This organization is suspended, and its calls are refused. The console says why, and what to do next."
        )
    if not caller.is_verified:
        raise OrganizationNotVerified("This organization has not been verified yet; calls begin after verification.")
    if caller.has_outstanding_agreements:
        raise AgreementsOutstanding("An agreement in force has not been accepted; an owner can do so in the console.")


def admit(
    request: CallRequest, caller: Caller, policy: PolicySnapshot, narrowing: Narrowing = NOT_NARROWED
) -> Admission:
    """Decide about one request of an organization in good standing.

    Raises:
        ModelNotFound: No such model, or not for this key.
        RegionNotConfirmed: Served from overseas only, without a confirmation.
        RoutingNotPossible: No channel fits what the caller's headers ask for.
        NoChannelAvailable: All its channels are out, and no model may stand in for it.
        UnknownPrice: The model has no price that the organization could be charged by.
    """
    offer = policy.offer_of(request.model_name)
    if offer is None or not caller.may_call(offer.model.id):
        raise ModelNotFound("This model does not exist or is not open to this key. GET /v1/models lists what is.")
    sheet = policy.sheet_for(caller, offer.model.id)
    if sheet is None:
        raise UnknownPrice("This model has no price at the moment and cannot be called.")
    routes = _open_routes(offer, caller)
    if narrowing.is_mainland_only and routes:
        routes = tuple(route for route in routes if not route.is_overseas)
        if not routes:
            raise RoutingNotPossible(
                "No channel of this model is in the region that x-onetoken-region asks for. Nothing was sent or "
                "charged. Leave the header out, or name another model."
            )
    asked = _bounded(request, caller, offer, sheet=sheet, routes=routes, narrowing=narrowing)
    if offer.fallbacks and narrowing.may_fall_back:
        asked = replace(asked, fallbacks=tuple(_fallbacks(request, asked, policy)))
    if not asked.routes and not asked.fallbacks:
        raise NoChannelAvailable("No channel serves this model at the moment. Nothing was charged; try again later.")
    return asked


def _fallbacks(request: CallRequest, asked: Admission, policy: PolicySnapshot) -> Iterator[Admission]:
    """Admit the models that may answer in the place of the one that was asked for.

    Each has to be open to this key and organization like any other, through the same region gate; has to hold the
    request; and may not be dearer than what is held for the one that was asked for.
    """
    caller, narrowing = asked.caller, asked.narrowing
    is_gated = narrowing.is_mainland_only or not caller.may_call_overseas
    for name in asked.offer.fallbacks:
        offer = policy.offers[name]
        sheet = policy.sheet_for(caller, offer.model.id)
        routes = tuple(route for route in offer.routes if not (is_gated and route.is_overseas))
        is_too_long = (request.output_tokens_max or 0) > offer.model.output_tokens_max
        is_too_small = is_too_long or asked.input_tokens_max > offer.model.context_window_tokens
        if sheet is None or not routes or is_too_small or not caller.may_call(offer.model.id):
            continue
        admission = _bounded(request, caller, offer, sheet=sheet, routes=routes, narrowing=narrowing)
        if admission.upper_charge_nanos <= asked.upper_charge_nanos:
            yield admission


def _bounded(
    request: CallRequest,
    caller: Caller,
    offer: ModelOffer,
    *,
    sheet: PriceSheet,
    routes: tuple[ChannelRoute, ...],
    narrowing: Narrowing,
) -> Admission:
    """Bound one call of one model."""
    window = offer.model.context_window_tokens
    per_choice = offer.model.output_tokens_max if request.output_tokens_max is None else request.output_tokens_max
    return Admission(
        caller=caller,
        offer=offer,
        routes=routes,
        sheet=sheet,
        input_tokens_max=_input_bound(request, window=window),
        output_tokens_max=min(per_choice, window) * request.choice_count,
        choice_count=request.choice_count,
        has_media=request.has_media,
        narrowing=narrowing,
    )


def callable_offers(caller: Caller, policy: PolicySnapshot) -> list[ModelOffer]:
    """Return what this caller may call now, by name: permitted, priced, and served, in a region that is open to it."""
    return [
        offer
        for name, offer in sorted(policy.offers.items())
        if _serves(offer, caller, policy)
        or (_is_open(offer, caller, policy) and any(_serves(one, caller, policy) for one in _stand_ins(offer, policy)))
    ]


def _is_open(offer: ModelOffer, caller: Caller, policy: PolicySnapshot) -> bool:
    """Whether a model is permitted to a caller and has a price for it."""
    return caller.may_call(offer.model.id) and policy.sheet_for(caller, offer.model.id) is not None


def _serves(offer: ModelOffer, caller: Caller, policy: PolicySnapshot) -> bool:
    """Whether a model itself can answer a caller."""
    return _is_open(offer, caller, policy) and any(_is_in_reach(route, caller) for route in offer.routes)


def _stand_ins(offer: ModelOffer, policy: PolicySnapshot) -> list[ModelOffer]:
    """Return the models that answer for one whose channels are all out."""
    return [] if offer.routes else [policy.offers[name] for name in offer.fallbacks]


def _is_in_reach(route: ChannelRoute, caller: Caller) -> bool:
    """Whether the region gate admits a channel."""
    return caller.may_call_overseas or not route.is_overseas


def balance_too_low(admission: Admission, *, available_nanos: Nanos) -> InsufficientBalance:
    """Say what is missing, and how much output the balance would cover."""
    needed, currency = admission.upper_charge_nanos, admission.sheet.currency.value
    affordable = admission.sheet.output_tokens_within(
        available_nanos,
        input_tokens_max=admission.input_tokens_max,
        output_tokens_max=admission.output_tokens_max,
        has_media=admission.has_media,
    )
    message = (
        f"The balance does not cover this call: up to {format_amount(needed)} {currency} is set aside for it and "
        f"{format_amount(max(0, available_nanos))} {currency} is available. Nothing was charged. Top up, or lower "
        f"max_tokens."
    )
    return InsufficientBalance(
        message,
        metadata={
            "required": format_amount(needed),
            "available": format_amount(max(0, available_nanos)),
            "currency": currency,
            "affordable_output_tokens": affordable // admission.choice_count,
        },
    )


def _open_routes(offer: ModelOffer, caller: Caller) -> tuple[ChannelRoute, ...]:
    """Apply the region gate: without a confirmation only mainland channels, on retries and fallbacks too."""
    routes = tuple(route for route in offer.routes if _is_in_reach(route, caller))
    if offer.routes and not routes:
        raise RegionNotConfirmed(
            "This model is served from outside the mainland. It is open after the organization's written confirmation."
        )
    return routes


def _input_bound(request: CallRequest, *, window: int) -> int:
    """Bound the input: a token is at least one byte, and no model reads more than its window.

    Of pictures and the like only the window is a bound: a short link can lead to many tokens.
    The bound is never relaxed near or far from the floor: a hold's size does not depend on the balance, and a customer
    can recompute it.
    """
    if request.has_media:
        return window
    overhead = OVERHEAD_TOKENS + (TOOLS_OVERHEAD_TOKENS if request.has_tools else 0)
    return min(request.body_bytes + overhead, window)
