"""Which text an organization still has to accept, and from when on its calls wait for that. Pure.

Who accepted an earlier version has a time of grace: a text that takes effect at midnight must stop no application.
Another version that follows meanwhile does not begin the time anew.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from onetoken_app.agreements.documents import documents
from onetoken_app.agreements.models import AgreementKind

GRACE = timedelta(days=14)
"""How long after a new version took effect the calls of whoever accepted an earlier one go on."""


@dataclass(frozen=True, slots=True)
class OwedAgreement:
    """A text in force that an organization has not accepted."""

    kind: AgreementKind
    version: str
    """The one in force."""
    previous_version: str
    """The latest that was accepted; empty: none ever was."""
    calls_stop_on: date
    """First day, in UTC, on which calls are refused; with nothing ever accepted the day the text took effect."""


def owed_agreement(
    kind: AgreementKind, accepted: AbstractSet[str], *, on: date, texts: Path | None = None
) -> OwedAgreement | None:
    """Return what has to be accepted of an agreement; ``None``: nothing.

    Args:
        kind: Which agreement; one of its texts is in force.
        accepted: The versions that were accepted.
        on: The day.
        texts: A folder of texts; ``None``: those of this installation.
    """
    taken_effect = {one.version: one.effective_on for one in documents(texts) if one.kind is kind}
    versions = sorted(version for version, effective_on in taken_effect.items() if effective_on <= on)
    in_force = versions[-1]
    if in_force in accepted:
        return None
    previous = max((version for version in versions if version in accepted), default="")
    first_owed_on = taken_effect[min(version for version in versions if version > previous)]
    return OwedAgreement(
        kind=kind,
        version=in_force,
        previous_version=previous,
        calls_stop_on=first_owed_on + GRACE if previous else first_owed_on,
    )
