"""Who answers a request: the relay, the account routes, or Reflex. Decided by path, before Reflex's own layers."""

from collections.abc import Callable
from typing import Any, Protocol

from onetoken_app.console.http_exchange import AsgiApp, Receive, Scope, Send


class OwnsPaths(Protocol):
    """An app that knows its own paths."""

    def owns(self, path: str, /) -> bool:
        """Whether it answers a path."""
        ...

    async def __call__(self, scope: Any, receive: Any, send: Any, /) -> None:
        """Answer."""
        ...


def in_front_of(*, first: tuple[OwnsPaths, ...], wrap: Callable[[AsgiApp], AsgiApp]) -> Callable[[AsgiApp], AsgiApp]:
    """Return a transformer of Reflex's app.

    Args:
        first: Apps that are asked in this order before the rest.
        wrap: Wraps what is left to Reflex.
    """

    def transform(rest: AsgiApp) -> AsgiApp:
        wrapped = wrap(rest)

        async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                for app in first:
                    if app.owns(scope["path"]):
                        await app(scope, receive, send)
                        return
            await wrapped(scope, receive, send)

        return dispatch

    return transform
