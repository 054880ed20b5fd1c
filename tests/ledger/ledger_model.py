"""The ledger as a model in plain dicts, for the state machine: what every operation and every verb should do."""

from dataclasses import dataclass, field

from onetoken_app.errors import OneTokenError
from onetoken_app.ledger.errors import AlreadyReversed, InsufficientFunds
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import (
    Answer,
    BalanceTooLow,
    BudgetReached,
    HoldClosed,
    HoldConflict,
    HoldPlaced,
    OwnerFrozen,
    ProgressRecorded,
)

BALANCE_NANOS = 100
LIMIT_NANOS = 20


@dataclass
class Model:
    """What the ledger should do, in the plainest words. The prepaid account is the lot without a name."""

    day: int = 0
    limit: int = LIMIT_NANOS
    is_frozen: bool = False
    posted: dict[str, int] = field(default_factory=lambda: {"": BALANCE_NANOS})
    expires: dict[str, int] = field(default_factory=dict)
    scopes: dict[str, set[str]] = field(default_factory=dict)
    promotions: set[str] = field(default_factory=set)
    asked: dict[str, int] = field(default_factory=dict)
    parts: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    closed: dict[str, HoldClosed] = field(default_factory=dict)
    paid: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    corrected: set[str] = field(default_factory=set)
    moved: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """What can be reversed, by reference: from, to, how much; the platform is ``"*"``."""
    reversed: set[str] = field(default_factory=set)
    budget_id: str = ""
    budget_limit: int = 90
    budget_spent: int = 0
    counted: set[str] = field(default_factory=set)
    """Requests that count against the one budget."""

    def held(self, lot: str) -> int:
        return sum(amount for parts in self.parts.values() for name, amount in parts if name == lot)

    def available(self, lot: str) -> int:
        return self.posted[lot] - self.held(lot) + (0 if lot else self.limit)

    def payers(self, scope: str) -> list[str]:
        lots = [
            lot
            for lot in self.expires
            if self.expires[lot] > self.day and (not self.scopes[lot] or scope in self.scopes[lot])
        ]
        # Lots that expire on the same day are spent in the order in which they were opened.
        return [*sorted(lots, key=lambda lot: (lot not in self.promotions, self.expires[lot])), ""]

    def take(self, amount: int, scope: str, *, but: dict[str, int] | None = None) -> list[tuple[str, int]]:
        """Say who pays an amount, or as much of it as there is."""
        shares = []
        for lot in self.payers(scope):
            share = min(amount, self.available(lot) - (but or {}).get(lot, 0))
            if share > 0:
                shares.append((lot, share))
                amount -= share
        return shares

    def budget_held(self) -> int:
        return sum(sum(share for _, share in self.parts[name]) for name in self.parts if name in self.counted)

    def beyond_budget(self, amount: int) -> Answer | None:
        left = max(0, self.budget_limit - self.budget_spent - self.budget_held())
        return BudgetReached(self.budget_id, self.budget_limit, left) if amount > left else None

    def place(self, request_id: str, amount: int, scope: str, *, is_counted: bool) -> Answer:
        if request_id in self.closed or self.asked.get(request_id, amount) != amount:
            return HoldConflict()
        if request_id not in self.asked:
            if self.is_frozen:
                return OwnerFrozen()
            if is_counted and (refusal := self.beyond_budget(amount)):
                return refusal
            shares = self.take(amount, scope)
            if sum(share for _, share in shares) < amount:
                return BalanceTooLow(sum(share for _, share in shares))
            self.asked[request_id], self.parts[request_id] = amount, shares
            if is_counted:
                self.counted.add(request_id)
        return HoldPlaced(amount)

    def extend(self, request_id: str, amount: int, scope: str) -> Answer:
        if request_id not in self.parts:
            return HoldConflict()
        total = sum(share for _, share in self.parts[request_id])
        if amount > total:
            if request_id in self.counted and (refusal := self.beyond_budget(amount - total)):
                return refusal
            shares = self.take(amount - total, scope)
            if sum(share for _, share in shares) < amount - total:
                return BalanceTooLow(sum(share for _, share in shares))
            self.parts[request_id] = self.parts[request_id] + shares
        return HoldPlaced(max(amount, total))

    def progress(self, request_id: str) -> Answer:
        return ProgressRecorded() if request_id in self.asked else HoldConflict()

    def close(self, request_id: str, outcome: Outcome, amount: int, scope: str) -> Answer:
        if request_id not in self.asked:
            return HoldConflict()
        metered = 0 if outcome is Outcome.VOIDED else amount
        if request_id in self.closed:
            first = self.closed[request_id]
            if first.outcome is Outcome.RECOVERED and outcome is not Outcome.RECOVERED:
                self._correct(request_id, outcome, metered, scope)
                first = self.closed[request_id]
            return HoldClosed(first.outcome, first.amount_nanos, first.absorbed_nanos, is_first=False)
        takings: dict[str, int] = {}
        missing = metered
        for lot, held in self.parts.pop(request_id):
            share = min(missing, held)
            takings[lot] = takings.get(lot, 0) + share
            missing -= share
        for lot, share in self.take(missing, scope, but=takings):
            takings[lot] = takings.get(lot, 0) + share
            missing -= share
        self.paid[request_id] = list(takings.items())
        for lot, share in takings.items():
            self.posted[lot] -= share
        self.budget_spent += metered - missing if request_id in self.counted else 0
        self.closed[request_id] = HoldClosed(outcome, metered - missing, missing, is_first=True)
        return self.closed[request_id]

    def _correct(self, request_id: str, outcome: Outcome, metered: int, scope: str) -> None:
        first = self.closed[request_id]
        charged = first.amount_nanos + first.absorbed_nanos
        if request_id in self.corrected or (outcome is Outcome.VOIDED and charged == 0):
            return
        self.corrected.add(request_id)
        paid = min(metered, first.amount_nanos)
        for lot, share in self.take(max(0, metered - charged), scope):
            self.posted[lot] -= share
            paid += share
        back = max(0, first.amount_nanos - metered)
        for lot, share in reversed(self.paid[request_id]):
            self.posted[lot] += min(back, share)
            back -= min(back, share)
        self.budget_spent += paid - first.amount_nanos if request_id in self.counted else 0
        self.closed[request_id] = HoldClosed(first.outcome, paid, metered - paid, is_first=True)

    def move(self, source: str, target: str, amount: int, reference: str) -> type[OneTokenError] | None:
        if source != "*" and amount > self.available(source):
            return InsufficientFunds
        if source != "*":
            self.posted[source] -= amount
        if target != "*":
            self.posted[target] = self.posted.get(target, 0) + amount
        self.moved[reference] = (source, target, amount)
        return None

    def reverse(self, reference: str) -> type[OneTokenError] | None:
        if reference in self.reversed:
            return AlreadyReversed
        source, target, amount = self.moved[reference]
        if target != "*" and amount > self.available(target):
            return InsufficientFunds
        self.reversed.add(reference)
        for lot, change in ((source, amount), (target, -amount)):
            if lot != "*":
                self.posted[lot] += change
        return None

    def expire(self) -> int:
        expired = [lot for lot in self.expires if self.expires[lot] <= self.day and self.available(lot) > 0]
        for lot in expired:
            self.posted[lot] -= self.available(lot)
        return len(expired)
