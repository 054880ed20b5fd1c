"""Canaries: texts that occur nowhere else, in the encodings a leak could have, and a search for them on disk."""

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

PREFIX = "canary-"


@dataclass(slots=True)
class Canaries:
    """Every canary of a run, by the field that it was put in."""

    by_field: dict[str, str] = field(default_factory=dict)

    def new(self, name: str) -> str:
        """Make a canary; it has a character beyond ASCII, so that escapes show."""
        self.by_field[name] = f"{PREFIX}{secrets.token_hex(8)}-é"
        return self.by_field[name]

    def needles(self) -> Iterator[tuple[str, bytes]]:
        """Yield what to look for: each canary as each encoding would write it."""
        for name, canary in self.by_field.items():
            for encoding, needle in encodings(canary).items():
                yield f"{name} as {encoding}", needle

    def found_in(self, *places: Path) -> list[str]:
        """Look through every byte of files, and of every file below folders; say what was found where."""
        found = []
        for path in (path for place in places for path in [place, *sorted(place.rglob("*"))] if path.is_file()):
            content = path.read_bytes()
            found += [f"{what} in {path}" for what, needle in self.needles() if needle in content]
        return found


def encodings(canary: str) -> dict[str, bytes]:
    """Write a canary in the ways that a file could hold it."""
    raw = canary.encode()
    # Base64 of a text inside a longer one depends on where it begins; what is certain is cut off at both ends.
    shifted = {f"base64 at {shift}": base64.b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3)}
    return {
        "UTF-8": canary.removesuffix("-é").encode(),
        "JSON": json.dumps(canary).strip('"').encode(),
        "UTF-16": canary.removesuffix("-é").encode("utf-16-le"),
        "hex": raw.hex().encode(),
        "URL": quote(canary).encode(),
        **shifted,
    }
