"""Suspensions as the staff's page of organizations shows them."""

from collections.abc import Mapping
from dataclasses import dataclass

from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.organizations.suspensions import SuspensionView


@dataclass(frozen=True, slots=True)
class ShownSuspension:
    """One row."""

    id: str = ""
    """Empty: there is none."""
    cause: str = ""
    words: str = ""
    since: str = ""
    by: str = ""
    """Empty: whoever runs commands on the server."""
    until: str = ""
    """Empty: it is in force."""
    resumer: str = ""
    resume_words: str = ""


def shown_suspension(view: SuspensionView, *, names: Mapping[str, str], time_zone: str) -> ShownSuspension:
    """Turn a suspension into its row."""
    return ShownSuspension(
        id=view.id,
        cause=view.cause.value,
        words=view.words,
        since=shown_minute(view.suspended_at, time_zone),
        by=names.get(view.suspended_by or "", ""),
        until=shown_minute(view.resumed_at, time_zone),
        resumer=names.get(view.resumed_by or "", ""),
        resume_words=view.resume_words,
    )
