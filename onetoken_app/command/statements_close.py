"""Closes the statements of months that are over, as the job does by itself, for whoever does not want to wait."""

from dataclasses import dataclass

from onetoken_app.command.opening import in_database, owned_installation
from onetoken_app.database import unit_of_work
from onetoken_app.jobs.close_statements import close_some, reckoned_months
from onetoken_app.settings import Settings


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A month that this run closed."""

    organization_id: str
    month: str
    currency: str


def close_statements(settings: Settings) -> list[ClosedMonth]:
    """Close everything that can be closed, oldest first, and return what it was.

    What waits for open calls, or does not add up, is left; the log names the latter.

    Raises:
        DatabaseInUse: A running ``up`` or ``relay`` owns the embedded database; its job closes statements itself.
        OneTokenError: The database does not answer.
    """

    async def close() -> list[ClosedMonth]:
        closed: list[ClosedMonth] = []
        while figures := await reckoned_months():
            async with unit_of_work() as session:
                await close_some(session, settings, figures=figures)
            closed += [ClosedMonth(one.organization_id, one.month, one.currency.value) for one in figures]
        return closed

    with owned_installation(settings):
        return in_database(settings, close)
