"""Plain ASGI routes for what must never enter a State: passwords, session cookies, the secret of a new key.

A State is kept on the server and copied to the browser; a password or a secret in one would outlive its use. So the
page's script posts JSON here, from one of the console's own origins, and the answer goes straight to the page.
"""

from http import HTTPStatus

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import SYSTEM, Actor
from onetoken_app.console import (
    agreement_routes,
    billing_routes,
    invitation_routes,
    key_routes,
    password_routes,
    receipt_routes,
    sign_up_routes,
)
from onetoken_app.console.browser_sessions import session_cookie, start_browser_session
from onetoken_app.console.callers import find_caller, forget_session, session_secret
from onetoken_app.console.http_exchange import (
    Answer,
    Receive,
    RefusedExchange,
    Route,
    Scope,
    Send,
    caller_ip,
    header,
    read_json_object,
    send_answer,
    send_refusal,
)
from onetoken_app.console.origins import allowed_origins
from onetoken_app.console.shown.top_ups import RECEIPTS
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest, OneTokenError
from onetoken_app.identity import service as identity
from onetoken_app.identity.passwords import verify_password
from onetoken_app.identity.queries import CredentialsView, credentials_of
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger

PREFIX = "/account/"
logger = get_logger()


class AccountRoutes:
    """The console's own routes beside Reflex's."""

    def __init__(self, settings: Settings) -> None:
        """Take what does not change while the process lives."""
        self._settings = settings
        self._origins = frozenset(allowed_origins(settings))
        self._routes: dict[str, Route] = {
            "/account/sign-in": self._sign_in,
            "/account/sign-out": self._sign_out,
            "/account/keys": self._mint_key,
            **sign_up_routes.routes(settings),
            **password_routes.routes(settings),
            **invitation_routes.routes(settings),
            **agreement_routes.routes(settings),
        }

    def owns(self, path: str) -> bool:
        """Whether a path is answered here."""
        return path.startswith(PREFIX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; an error becomes a code that the page has words for."""
        try:
            answer = await self._answer(scope, receive)
        except RefusedExchange as refusal:
            await send_refusal(send, refusal)
        except OneTokenError as error:
            parameter = error.parameter if isinstance(error, BadRequest) else None
            await send_refusal(send, RefusedExchange(HTTPStatus(error.http_status), error.code, parameter=parameter))
        except Exception:  # the console's edge: whatever broke, the browser learns that nothing was done
            path = scope["path"]  # anything that a browser sends; only a route of ours may be written down
            logger.exception("account_route_failed", path=path if path in self._routes else "unknown")
            await send_refusal(send, RefusedExchange(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error"))
        else:
            await send_answer(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        """Check what every route asks for, then run the route."""
        if scope["path"].startswith(agreement_routes.CERTIFICATES) and scope["method"] == "GET":
            return await agreement_routes.certificate(scope)
        if scope["path"].startswith(RECEIPTS) and scope["method"] == "GET":
            return await receipt_routes.receipt(scope, self._settings)
        if scope["path"].startswith((billing_routes.STATEMENTS, billing_routes.INVOICES)) and scope["method"] == "GET":
            return await billing_routes.hand_out(scope, self._settings)
        route = self._routes.get(scope["path"])
        if route is None:
            raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
        if scope["method"] != "POST":
            raise RefusedExchange(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
        # Another site may make a browser post here with our cookie; it cannot make it claim our origin.
        if header(scope, b"origin").lower() not in self._origins:
            raise RefusedExchange(HTTPStatus.FORBIDDEN, "foreign_origin")
        return await route(scope, receive)

    async def _sign_in(self, scope: Scope, receive: Receive) -> Answer:
        """Exchange an e-mail address and a password for a session; the same answer for people who do not exist."""
        form = await read_json_object(scope, receive)
        email, password = form.get("email"), form.get("password")
        if not isinstance(email, str) or not isinstance(password, str) or not 0 < len(email) <= 254:
            raise RefusedExchange(HTTPStatus.BAD_REQUEST, "invalid_request")
        address = caller_ip(scope, trusted_proxy_count=self._settings.trusted_proxy_count)
        async with unit_of_work() as session:
            seconds = await identity.admit_sign_in_attempt(session, email=email, caller_ip=address, now=clock.utc_now())
        if seconds:
            raise RefusedExchange(HTTPStatus.TOO_MANY_REQUESTS, "too_many_sign_ins", seconds=seconds)
        async with read_session() as session:
            credentials = await credentials_of(session, email)
        # Outside of any unit of work: hashing takes a tenth of a second, and on SQLite nobody else could write.
        is_right = await verify_password(password, credentials.password_hash if credentials else None)
        if credentials is None or credentials.is_disabled or not is_right:
            await _record_failure(credentials, address)
            raise RefusedExchange(HTTPStatus.UNAUTHORIZED, "wrong_credentials")
        secret = await self._start_session(scope, person_id=credentials.person_id, email=email, address=address)
        return Answer(HTTPStatus.OK, set_cookie=session_cookie(self._settings, secret))

    async def _start_session(self, scope: Scope, *, person_id: str, email: str, address: str) -> str:
        """Give the browser a session."""
        async with unit_of_work() as session:
            await identity.clear_failed_sign_ins(session, email=email, caller_ip=address)
            secret = await start_browser_session(session, scope, person_id=person_id, settings=self._settings)
            await audit.record(
                session, actor=Actor(ActorKind.PERSON, person_id), action="signed_in", subject_id=person_id,
                facts={"caller_ip": address},
            )  # fmt: skip
        return secret

    async def _sign_out(self, scope: Scope, _receive: Receive) -> Answer:
        """End the session; signing out twice is fine."""
        cookies = header(scope, b"cookie")
        secret = session_secret(cookies)
        caller = await find_caller(cookies)
        if secret is not None:
            async with unit_of_work() as session:
                await identity.end_session(session, secret=secret)
                if caller is not None:
                    person_id = caller.person.person_id
                    await audit.record(
                        session, actor=Actor(ActorKind.PERSON, person_id), action="signed_out", subject_id=person_id
                    )
            forget_session(secret)
        return Answer(HTTPStatus.OK, set_cookie=session_cookie(self._settings, "", max_age_seconds=0))

    async def _mint_key(self, scope: Scope, receive: Receive) -> Answer:
        """Mint a key; its secret is in this answer and nowhere else."""
        form = await read_json_object(scope, receive, bytes_max=key_routes.BODY_BYTES_MAX)
        minted = await key_routes.mint(form, cookie_header=header(scope, b"cookie"), settings=self._settings)
        return Answer(HTTPStatus.CREATED, {"secret": minted.secret})


async def _record_failure(credentials: CredentialsView | None, address: str) -> None:
    """Leave a line about a failed sign-in; what an unknown person typed is not kept, it may be a password."""
    async with unit_of_work() as session:
        await audit.record(
            session, actor=SYSTEM, action="sign_in_failed", subject_id=credentials.person_id if credentials else "",
            facts={"caller_ip": address, "is_known": credentials is not None},
        )  # fmt: skip
