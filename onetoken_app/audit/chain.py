"""The hash of an audit row: SHA-256 over its canonical JSON, which contains the hash of the row before it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from onetoken_app.audit.models import ActorKind
from onetoken_app.clock import iso_instant

FIRST_PREVIOUS_HASH = bytes(32)
"""What the first row carries."""

Fact = int | str | bool | None


def canonical_json(facts: Mapping[str, Fact]) -> str:
    """Write facts in their one form: sorted names, no spaces, ASCII."""
    return json.dumps(dict(facts), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def hash_of(
    *,
    sequence_number: int,
    recorded_at: datetime,
    actor_kind: ActorKind,
    actor_id: str,
    action: str,
    subject_id: str,
    organization_id: str | None,
    facts: str,
    previous_hash: bytes,
) -> bytes:
    """Return the hash of one row, 32 bytes."""
    row = [
        sequence_number,
        iso_instant(recorded_at),
        actor_kind.value,
        actor_id,
        action,
        subject_id,
        organization_id,
        facts,
        previous_hash.hex(),
    ]
    return hashlib.sha256(json.dumps(row, separators=(",", ":"), ensure_ascii=True).encode()).digest()
