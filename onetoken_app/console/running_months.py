"""Reckons the month that runs for people of the console, not more often than they can read it.

A closed month is read as it stands; one that runs is reckoned from the books each time, and that is work. One person
has one reckoned at a time, some in a row, and then one every ten seconds, whichever page or file asks.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from onetoken_app import clock
from onetoken_app.billing.figures import Figures
from onetoken_app.billing.statements import running_month
from onetoken_app.console.open_sockets import Allowance
from onetoken_app.database import read_session
from onetoken_app.errors import Unavailable

IN_A_ROW = 30
PER_SECOND = 0.1
_PEOPLE_MAX = 5000
"""So many are remembered; who asked longest ago is forgotten first."""


class ReckonedTooOften(Unavailable):
    """The person had the month reckoned many times just now."""

    code = "reckoned_too_often"


@dataclass(slots=True)
class _Asker:
    """What one person has left."""

    allowance: Allowance = field(default_factory=lambda: Allowance(IN_A_ROW, PER_SECOND))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


_askers: OrderedDict[str, _Asker] = OrderedDict()


async def reckoned_for(person_id: str, *, organization_id: str) -> list[Figures]:
    """Reckon the month that runs, one for each currency.

    Args:
        person_id: Who asks; may see it, as the caller checked.
        organization_id: Whose month.

    Raises:
        ReckonedTooOften: They had it reckoned many times just now; nothing was read.
    """
    asker = _askers.setdefault(person_id, _Asker())
    _askers.move_to_end(person_id)
    if len(_askers) > _PEOPLE_MAX:
        _askers.popitem(last=False)
    if not asker.allowance.takes_one():
        raise ReckonedTooOften("You had this month reckoned many times just now. Try again in some seconds.")
    async with asker.turn, read_session() as session:
        return await running_month(session, organization_id=organization_id, now=clock.utc_now())
