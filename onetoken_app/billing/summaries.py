"""What the lines of a statement come to: movements by kind and account, charges by model, key and project. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from onetoken_app.billing.figures import ChargeLine, Figures
from onetoken_app.ledger.kinds import AccountKind, TransactionKind
from onetoken_app.money import Nanos

PlaceOf = Callable[[ChargeLine], tuple[str, str]]
"""Says what a line is added up under: an id, and its name."""


@dataclass(frozen=True, slots=True)
class Charged:
    """What the calls of one model, key or project came to."""

    id: str
    """Empty for calls of which nothing is known."""
    name: str
    call_count: int
    amount_nanos: Nanos


def moved_by_kind(figures: Figures) -> dict[TransactionKind, dict[AccountKind, Nanos]]:
    """Add the movements up, in the order in which each kind came first."""
    moved: dict[TransactionKind, dict[AccountKind, Nanos]] = {}
    for one in figures.movements:
        by_pot = moved.setdefault(one.kind, {})
        by_pot[one.pot] = by_pot.get(one.pot, 0) + one.amount_nanos
    return moved


def charged_by(figures: Figures, place_of: PlaceOf) -> list[Charged]:
    """Add the charges up by one thing, dearest first."""
    sums: dict[tuple[str, str], tuple[int, Nanos]] = {}
    for line in figures.charges:
        count, amount = sums.get(place_of(line), (0, 0))
        sums[place_of(line)] = (count + line.call_count, amount + line.amount_nanos)
    dearest = sorted(sums.items(), key=lambda one: (-one[1][1], -one[1][0], one[0]))
    return [
        Charged(id=identity, name=name, call_count=count, amount_nanos=amount)
        for (identity, name), (count, amount) in dearest
    ]


def by_model(line: ChargeLine) -> tuple[str, str]:
    """Add up by model."""
    return line.model_id, line.model_name


def by_key(line: ChargeLine) -> tuple[str, str]:
    """Add up by key."""
    return line.api_key_id, line.api_key_name


def by_project(line: ChargeLine) -> tuple[str, str]:
    """Add up by project."""
    return line.project_id, line.project_name
