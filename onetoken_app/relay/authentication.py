"""Finds out who calls: the key in any header that an official client uses, its checksum, its hash, its owner."""

from datetime import datetime

from onetoken_app.keys.minting import digest_of, has_valid_checksum
from onetoken_app.relay.errors import ConflictingApiKeys, InvalidApiKey
from onetoken_app.relay.policy_cache import PolicyCache
from onetoken_app.relay.policy_snapshot import Caller
from onetoken_app.relay.request_head import RequestHead


async def authenticate(head: RequestHead, policy: PolicyCache, *, key_pepper: bytes, now: datetime) -> Caller:
    """Return the caller whose key the request carries. A wrong checksum is refused without a look-up.

    Raises:
        InvalidApiKey: No key, or not one that works now.
        ConflictingApiKeys: Two different keys.
        PolicyUnavailable: The key cannot be looked up.
    """
    secret = _presented_key(head)
    caller = await policy.caller_of(digest_of(secret, key_pepper))
    if caller is None or not caller.is_usable(now):
        raise InvalidApiKey("This API key is not known here, has expired or was revoked.")
    return caller


def _presented_key(head: RequestHead) -> str:
    """Take the one key that was presented."""
    keys = head.presented_keys
    if len(keys) > 1:
        raise ConflictingApiKeys("The request carries two different API keys; send one.")
    if not keys:
        raise InvalidApiKey("No API key was sent. Send it as Authorization: Bearer otk_live_….")
    (key,) = keys
    secret = key.decode("latin-1")
    if not has_valid_checksum(secret):
        raise InvalidApiKey("This is not a complete API key of this service; check that all of it was copied.")
    return secret
