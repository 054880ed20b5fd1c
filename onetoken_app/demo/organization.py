"""The demo's customer: what is applied at each start, and the secrets that are shown again at each start."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from onetoken_app.demo.model_server import CONTEXT_WINDOW_TOKENS, MODEL_NAME, OUTPUT_TOKENS_MAX

ORGANIZATION_NAME = "Demo Ltd"
OWNER_EMAIL = "owner@demo.example"
STAFF_EMAIL = "staff@demo.example"
REGISTRATION_CODE = "91310000MA1DEM000T"
FILE_NAME = "demo.json"
BANK_ACCOUNT = "OneToken Demo (no real account), Bank of Nowhere, 0000 0000 0000 0000"
"""So that a top-up can be tried; nobody can transfer to it."""


@dataclass(frozen=True, slots=True)
class DemoSecrets:
    """What a newcomer signs in and calls with; kept in a 0600 file of the data folder."""

    owner_password: str = field(repr=False)
    staff_password: str = field(repr=False)
    key_name: str
    api_key: str = field(default="", repr=False)
    """Empty until the key is minted."""


def read_or_generate(data_dir: Path) -> DemoSecrets:
    """Return the secrets of earlier starts, or write new ones before anything uses them."""
    path = data_dir / FILE_NAME
    if path.exists():
        return DemoSecrets(**json.loads(path.read_text()))
    fresh = DemoSecrets(
        owner_password=secrets.token_urlsafe(12), staff_password=secrets.token_urlsafe(12), key_name="demo"
    )
    _write(path, fresh)
    return fresh


def remember_key(data_dir: Path, known: DemoSecrets, *, api_key: str) -> DemoSecrets:
    """Keep a key that was just minted, so that a later start can show it again."""
    updated = replace(known, api_key=api_key)
    _write(data_dir / FILE_NAME, updated)
    return updated


def rename_key(data_dir: Path, known: DemoSecrets) -> DemoSecrets:
    """Ask for a key of another name: the last one exists, but a crash kept its secret from being written."""
    updated = replace(known, key_name=f"demo-{secrets.token_hex(3)}", api_key="")
    _write(data_dir / FILE_NAME, updated)
    return updated


def apply_file(known: DemoSecrets, *, base_url: str) -> bytes:
    """Write what ``onetoken apply`` has to know of the demo; JSON is YAML too.

    Args:
        known: The demo's secrets.
        base_url: Where the small model listens this time.
    """
    file = {
        "currency": "USD",
        "channels": [
            {
                "name": "demo",
                "provider": "openai",
                "base_url": base_url,
                "credential": "not-needed-on-loopback",
                "region": "mainland",
            }
        ],
        "models": [
            {
                "name": MODEL_NAME,
                "owned_by": "HuggingFaceTB",
                "channels": [{"channel": "demo"}],
                "price": {"input": "0.10", "output": "0.40", "cache_read": "0.01"},
                "context_window": CONTEXT_WINDOW_TOKENS,
                "max_output_tokens": OUTPUT_TOKENS_MAX,
            }
        ],
        "organizations": [
            {
                "name": ORGANIZATION_NAME,
                "code": REGISTRATION_CODE,
                "verified": True,
                "credit": "100.00",
                "people": [
                    {"email": OWNER_EMAIL, "name": "Demo Owner", "password": known.owner_password, "role": "owner"}
                ],
                "keys": [{"name": known.key_name}],
            }
        ],
    }
    return json.dumps(file, indent=1).encode()


def _write(path: Path, known: DemoSecrets) -> None:
    """Replace the file in one step, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(known), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
