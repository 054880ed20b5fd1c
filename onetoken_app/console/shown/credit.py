"""Credit as an organization's page shows it: lots, packages for sale, the threshold of its mails."""

from dataclasses import dataclass, field

from onetoken_app.console.shown.amounts import ShownAmount, aligned, shown_amount, shown_count
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.credit.desk import PackageView
from onetoken_app.credit.lots import NamedLotView
from onetoken_app.money import Currency

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class ShownLot:
    """One row."""

    origin: str = ""
    package: str = ""
    left: ShownAmount = field(default_factory=ShownAmount)
    held: ShownAmount = field(default_factory=ShownAmount)
    has_held: bool = False
    tokens: str = ""
    """What is left of a package of tokens; empty: it is credit."""
    tokens_held: str = ""
    models: str = ""
    """Empty: every model."""
    expires: str = ""
    """Empty: never."""


@dataclass(frozen=True, slots=True)
class ShownPackage:
    """One row."""

    id: str = ""
    name: str = ""
    price: ShownAmount = field(default_factory=ShownAmount)
    bonus: ShownAmount = field(default_factory=ShownAmount)
    has_bonus: bool = False
    days: str = ""
    models: str = ""
    """Empty: every model."""
    is_withdrawn: bool = False
    offered: str = ""
    tokens: str = ""
    """Empty: it is credit."""
    million: ShownAmount = field(default_factory=ShownAmount)
    """What a million of its tokens cost."""


def shown_lots(views: list[NamedLotView], currency: Currency, *, time_zone: str) -> list[ShownLot]:
    """Turn lots into rows, in the order in which they are spent."""
    amounts = aligned([shown_amount(view.left_nanos, currency) for view in views])
    return [
        ShownLot(
            origin=view.origin.value,
            package=view.package_name,
            left=left,
            held=shown_amount(view.held_nanos, currency),
            has_held=view.held_nanos > 0,
            tokens=shown_count(view.tokens_left) if view.unit_nanos else "",
            tokens_held=shown_count(view.tokens_held),
            models=", ".join(view.model_names),
            expires=shown_minute(view.expires_at, time_zone),
        )
        for view, left in zip(views, amounts, strict=True)
    ]


def shown_package(view: PackageView, *, time_zone: str) -> ShownPackage:
    """Turn a package into its row."""
    return ShownPackage(
        id=view.id,
        name=view.name,
        price=shown_amount(view.price_nanos, view.currency),
        bonus=shown_amount(view.bonus_nanos, view.currency),
        has_bonus=view.bonus_nanos > 0,
        days=str(view.valid_days),
        models=", ".join(view.model_names),
        is_withdrawn=view.is_withdrawn,
        offered=shown_minute(view.offered_at, time_zone),
        tokens=shown_count(view.token_count) if view.token_count else "",
        million=shown_amount(_MILLION * view.price_nanos // max(1, view.token_count), view.currency),
    )
