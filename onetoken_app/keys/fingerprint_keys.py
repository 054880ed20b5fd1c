"""Keys for fingerprints of requests: one a day, shared by all processes, destroyed when the next day is over.

A fingerprint tells whether two requests are the same and nothing else; once its key is destroyed, not even that.
"""

import base64
import secrets
from datetime import date, timedelta

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.keys.models import FingerprintKey
from onetoken_app.vault import SECRET_BYTES, seal, unseal

_DAY = timedelta(days=1)
_NOTHING = b"\x00"


async def keep_fingerprint_keys(session: AsyncSession, *, today: date, key_encryption_key: bytes) -> dict[date, bytes]:
    """Make the keys of today and tomorrow where they are missing, destroy those before yesterday, return the rest.

    Tomorrow's is there a day early, so that a database that is away at midnight, or a clock that is ahead, stops
    nobody.
    Another process that makes the same key at the same moment is a ``Conflict`` at the commit: ask again.
    """
    kept = {today - _DAY, today, today + _DAY}
    is_old = col(FingerprintKey.day) < min(kept)
    if (await session.exec(select(FingerprintKey).where(is_old))).first() is not None:
        # Overwritten first: what is only deleted may stay readable on its page of the file.
        await session.exec(update(FingerprintKey).where(is_old).values(sealed_key=_NOTHING))
        await session.exec(delete(FingerprintKey).where(is_old))
    rows = (await session.exec(select(FingerprintKey).where(col(FingerprintKey.day).in_(kept)))).all()
    keys = {
        row.day: base64.b64decode(unseal(key_encryption_key, row.sealed_key, bound_to=_bound_to(row.day)))
        for row in rows
    }
    for day in (today, today + _DAY):
        if day not in keys:
            keys[day] = secrets.token_bytes(SECRET_BYTES)
            text = base64.b64encode(keys[day]).decode()
            session.add(FingerprintKey(day=day, sealed_key=seal(key_encryption_key, text, bound_to=_bound_to(day))))
    return keys


def _bound_to(day: date) -> str:
    """Name the place of a key."""
    return f"keys_fingerprint_key:{day.isoformat()}:sealed_key"
