"""Joins the dialect of a caller and that of a provider: what goes upstream, and how the answer is shown.

Where both are the same, bytes pass with only the changes that docs/relay-api.md lists.
"""

from dataclasses import replace
from typing import Protocol

from onetoken_app.providers.protocol import Dialect, Provider, UpstreamRequest, UpstreamTarget
from onetoken_app.providers.registry import PROVIDERS
from onetoken_app.relay.admission import Admission
from onetoken_app.relay.dialects.anthropic_messages import PassedOnMessages
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.dialects.openai_chat import PassedOnChat
from onetoken_app.relay.errors import UnsupportedParameter
from onetoken_app.relay.policy_snapshot import ChannelRoute


class Shaper(Protocol):
    """Shows one answer as its caller gets it."""

    def opening(self) -> bytes:
        """Return what a stream begins with, before the provider has said anything."""
        ...

    def event(self, payload: bytes) -> bytes:
        """Return the events to send for one of the provider's; perhaps none.

        Raises:
            UnusableReply: It cannot be read.
        """
        ...

    def end(self) -> bytes:
        """Return the last events of a stream that ended well."""
        ...

    def plain(self, body: bytes) -> bytes:
        """Return a plain reply.

        Raises:
            UnusableReply: It cannot be read.
        """
        ...


def within_reach(request: CallRequest, admission: Admission) -> Admission:
    """Keep the routes whose provider can be told what was asked.

    Raises:
        UnsupportedParameter: None can.
    """
    routes = tuple(route for route in admission.routes if _speaks(route, request.dialect))
    if len(routes) == len(admission.routes):
        return admission
    if not routes:
        raise UnsupportedParameter("This model is not served on this interface.", parameter="model")
    return replace(admission, routes=routes)


def _speaks(route: ChannelRoute, dialect: Dialect) -> bool:
    """Whether a route leads to a provider of a dialect."""
    return PROVIDERS[route.target.provider].dialect is dialect


def upstream_request(request: CallRequest, target: UpstreamTarget) -> UpstreamRequest:
    """Write the request for one attempt."""
    return PROVIDERS[target.provider].request_for(
        target, request.members, is_streaming=request.is_streaming, headers=request.upstream_headers
    )


def shaper_for(request: CallRequest, _provider: Provider, *, model_name: str | None) -> Shaper:
    """Return what shows the answer.

    Args:
        request: What was asked.
        model_name: The name to show instead of the provider's; ``None`` where they are the same.
    """
    if request.dialect is Dialect.CHAT:
        return PassedOnChat(model_name=model_name, wants_usage=request.wants_usage)
    return PassedOnMessages(model_name=model_name)
