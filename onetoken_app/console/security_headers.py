"""Headers of the console's pages: what a browser may run, load and embed.

The policy admits scripts from this origin and the inline scripts of the built pages, by hash. Styles may be inline:
Reflex writes them at run time.
"""

import json
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from onetoken_app.console.http_exchange import AsgiApp, Message, Receive, Scope, Send, header

_POLICY_FILE = Path(".web/build/onetoken-csp.json")
_ONE_YEAR = b"public, max-age=31536000, immutable"


class SecurityHeaders:
    """Wraps the app that serves pages; the relay's answers do not pass here."""

    def __init__(self, app: AsgiApp, *, root: Path, is_https: bool) -> None:
        """Read the policy that the build wrote.

        Args:
            app: What serves pages and sockets.
            root: The project's folder.
            is_https: Whether browsers come over TLS, so that they may be told to stay there.
        """
        self._app = app
        self._headers = [
            (b"content-security-policy", content_security_policy(_script_hashes(root)).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]
        if is_https:
            self._headers.append((b"strict-transport-security", b"max-age=31536000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caching = _ONE_YEAR if scope["path"].startswith("/assets/") else b"no-cache"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [_within_here(scope, name, value) for name, value in message.get("headers", [])]
                names = {name for name, _ in given}
                caches = b"no-store" if message["status"] >= 400 else caching
                added = [*self._headers, (b"cache-control", caches)]
                message["headers"] = [*given, *[(name, value) for name, value in added if name not in names]]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _within_here(scope: Scope, name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Take scheme and host off a redirect to this host: behind a proxy with TLS the server believes to be on http."""
    if name.lower() != b"location":
        return name, value
    target = urlsplit(value.decode("latin-1"))
    if target.netloc != header(scope, b"host"):
        return name, value
    # Two slashes at the start would name another host.
    path = "/" + target.path.lstrip("/")
    return name, urlunsplit(("", "", path, target.query, target.fragment)).encode("latin-1")


def content_security_policy(script_hashes: list[str]) -> str:
    """Write the policy."""
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *script_hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _script_hashes(root: Path) -> list[str]:
    """Read the hashes of inline scripts; none before the first build, when there are no pages either."""
    try:
        hashes = json.loads((root / _POLICY_FILE).read_text())["script_hashes"]
    except (OSError, ValueError, KeyError):
        return []
    return [str(one) for one in hashes]
