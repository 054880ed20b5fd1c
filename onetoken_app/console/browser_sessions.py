"""Gives a browser a signed-in session, and the cookie that holds it."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.console.callers import cookie_name, forget_session, session_secret
from onetoken_app.console.http_exchange import Scope, caller_ip, header
from onetoken_app.console.origins import is_https
from onetoken_app.identity import service as identity
from onetoken_app.settings import Settings


async def start_browser_session(session: AsyncSession, scope: Scope, *, person_id: str, settings: Settings) -> str:
    """Start a session, and end the one that the browser had: an id from before the sign-in is worth nothing.

    Args:
        session: Open unit of work; the caller commits.
        scope: The request.
        person_id: Who proved who they are.
        settings: How long a session lasts.

    Returns:
        What the cookie is set to; see ``session_cookie``.
    """
    previous = session_secret(header(scope, b"cookie"))
    if previous:
        await identity.end_session(session, secret=previous)
        forget_session(previous)
    return await identity.start_session(
        session,
        person_id=person_id,
        caller_ip=caller_ip(scope, trusted_proxy_count=settings.trusted_proxy_count),
        user_agent=header(scope, b"user-agent"),
        lifetime=timedelta(hours=settings.sign_in_session_hours),
    )


def session_cookie(settings: Settings, secret: str, *, max_age_seconds: int | None = None) -> str:
    """Write the session cookie: no script can read it, no other site's post carries it."""
    lifetime = settings.sign_in_session_hours * 3600 if max_age_seconds is None else max_age_seconds
    parts = [f"{cookie_name(settings)}={secret}", "Path=/", f"Max-Age={lifetime}", "HttpOnly", "SameSite=Lax"]
    return "; ".join([*parts, "Secure"] if is_https(settings) else parts)
