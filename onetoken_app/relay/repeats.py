"""Requests that are sent twice: what makes two the same one, and what the second is told.

A caller names a request by its ``Idempotency-Key``. Kept of that is a keyed digest, and of the body a fingerprint under
a key that is destroyed within two days; neither could be a prompt. The ledger lets one hold at a time have the digest.
"""

import asyncio
import contextlib
import hashlib
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.exc import SQLAlchemyError

from onetoken_app import clock
from onetoken_app.database import unit_of_work
from onetoken_app.errors import BadRequest, Conflict, OneTokenError, Unavailable
from onetoken_app.keys.fingerprint_keys import keep_fingerprint_keys
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import HoldRepeated
from onetoken_app.money import format_amount
from onetoken_app.relay.errors import DuplicateRequest, IdempotencyKeyReused
from onetoken_app.relay.policy_snapshot import Caller
from onetoken_app.relay.request_head import RequestHead
from onetoken_app.telemetry import get_logger
from onetoken_app.vault import RootSecrets, keyed_digest

IDEMPOTENCY_KEY_BYTES_MAX = 255
RENEW_SECONDS = 600.0
"""How often a process looks whether keys have to be made or destroyed."""
_TRIES = 3
_LARGE_BYTES = 64 * 1024
_PARAMETER = "Idempotency-Key"
_DAY = timedelta(days=1)
_HOW_IT_ENDED = {
    None: "It is still under way; its end will be on the usage page.",
    Outcome.SETTLED: "It is done and was charged once; its answer is not kept.",
    Outcome.RECOVERED: "Its server died; it was charged for what was proved to be delivered.",
    Outcome.VOIDED: "It came to nothing and was not charged.",
}


@dataclass(frozen=True, slots=True)
class RequestClaim:
    """What one request claims: digests only."""

    digest: str
    """Of organization, key, path and the caller's name for the request."""
    fingerprints: tuple[str, ...]
    """Of the body, under each key in use, today's first."""


class RepeatGuard:
    """Makes the claims of one process's requests."""

    def __init__(self, secrets: RootSecrets) -> None:
        """Have no keys yet."""
        self._secrets = secrets
        self._keys: dict[date, bytes] = {}
        self._renewing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read or make the keys, and go on looking after them.

        Raises:
            Unavailable: The database does not answer.
        """
        await self._renew()
        self._renewing = asyncio.create_task(self._renew_forever())

    async def stop(self) -> None:
        """Stop looking after them."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)

    async def claim_of(self, head: RequestHead, caller: Caller, *, path: str, body: bytes) -> RequestClaim | None:
        """Return what a request claims; nothing when its caller gave it no name.

        Raises:
            BadRequest: Two names, an empty or a long one.
            Unavailable: The keys could not be looked after for a day.
        """
        if not head.idempotency_keys:
            return None
        if len(head.idempotency_keys) > 1:
            raise BadRequest("The request carries two different idempotency keys; send one.", parameter=_PARAMETER)
        (name,) = head.idempotency_keys
        if not 0 < len(name) <= IDEMPOTENCY_KEY_BYTES_MAX:
            message = f"An idempotency key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes. Nothing was sent on or charged."
            raise BadRequest(message, parameter=_PARAMETER)
        keys = self._keys_in_use()
        scope = f"claim {caller.organization_id} {caller.api_key_id} {path} ".encode()
        hashed = await asyncio.to_thread(_hash_of, body) if len(body) > _LARGE_BYTES else _hash_of(body)
        return RequestClaim(
            digest=keyed_digest(self._secrets.key_pepper, scope + name).hex(),
            fingerprints=tuple(keyed_digest(key, hashed).hex() for key in keys),
        )

    def _keys_in_use(self) -> list[bytes]:
        """Return the keys that a claim that counts may have been made with, today's first."""
        today = clock.utc_now().date()
        if today not in self._keys:
            raise Unavailable(
                "Idempotency keys cannot be checked at the moment; nothing was sent on or charged. Try again."
            )
        days = (today, today - _DAY, today + _DAY)
        return [self._keys[day] for day in days if day in self._keys]

    async def _renew(self) -> None:
        """Read, make and destroy keys; another process may do the same at the same moment."""
        for try_number in range(1, _TRIES + 1):
            try:
                async with unit_of_work() as session:
                    self._keys = await keep_fingerprint_keys(
                        session, today=clock.utc_now().date(), key_encryption_key=self._secrets.key_encryption_key
                    )
            except Conflict:
                if try_number == _TRIES:
                    raise
            else:
                return

    async def _renew_forever(self) -> None:
        """Look after the keys; those in use are good for a day when the database is away."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with contextlib.suppress(Unavailable, Conflict, SQLAlchemyError, OSError):
                await self._renew()
                continue
            get_logger().warning("fingerprint_keys_not_renewed")


def refusal_of(repeated: HoldRepeated) -> OneTokenError:
    """Say what became of the request that was sent first."""
    if not repeated.is_same:
        return IdempotencyKeyReused(
            "This idempotency key was used for another request within 24 hours. Nothing was sent on or charged; give "
            "this request a key of its own.",
            metadata={"request_id": repeated.request_id},
        )
    receipt: dict[str, int | str] = {
        "request_id": repeated.request_id,
        "outcome": repeated.outcome.value if repeated.outcome else "open",
    }
    if repeated.outcome is not None:
        receipt |= {"charge": format_amount(repeated.amount_nanos), "currency": repeated.currency.value}
    return DuplicateRequest(
        f"A request with this idempotency key was made before. {_HOW_IT_ENDED[repeated.outcome]} This one was not sent "
        f"on and is not charged; to ask anew, use a new key.",
        metadata=receipt,
    )


def _hash_of(body: bytes) -> bytes:
    """Hash a body once, however many keys follow."""
    return hashlib.sha256(body).digest()
