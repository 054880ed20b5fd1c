"""The books: what a batch of operations concerns, as loaded, and what it changes."""

from dataclasses import dataclass, field
from typing import Any

from onetoken_app.ledger import journal
from onetoken_app.ledger.budgets import Period
from onetoken_app.ledger.kinds import SPENDABLE_KINDS, AccountKind, Outcome
from onetoken_app.ledger.operations import RecordProgress
from onetoken_app.money import Currency, Nanos

PLATFORM_OWNER_ID = ""
"""Owner of every account that is not a customer's."""

_TURNS = {kind: turn for turn, kind in enumerate(SPENDABLE_KINDS)}
_NEVER = "~"
"""Sorts after every moment."""


@dataclass(slots=True, eq=False)
class Account:
    """A balance as the batch sees it; each is itself, so that it can be a key."""

    id: str
    owner_id: str
    kind: AccountKind
    currency: Currency
    floor_nanos: Nanos | None
    posted_nanos: Nanos = 0
    held_nanos: Nanos = 0
    lot_id: str = ""
    """Tells an owner's lots apart, and the platform's clearing accounts; empty for what there is one of."""
    expires_at: str | None = None
    """As ``clock.iso_instant`` writes it."""
    is_frozen: bool = False
    """On a prepaid account: its owner may place no new hold."""
    scopes: frozenset[str] = frozenset()
    """What a lot may be spent on; empty: everything."""
    unit_nanos: Nanos = 0
    """On a lot of tokens: what one token takes from it. 0: it is no such lot."""

    @property
    def available_nanos(self) -> Nanos:
        """What can still be held or charged; platform accounts, which have no floor, are never asked."""
        return max(0, self.posted_nanos - self.held_nanos - (self.floor_nanos or 0))

    @property
    def turn(self) -> tuple[int, str, str]:
        """When it is spent among its owner's accounts."""
        return _TURNS[self.kind], self.expires_at or _NEVER, self.id

    def pays_for(self, scope: str, moment: str) -> bool:
        """Whether new money may be taken from it; what is held already may be taken in any case."""
        if not self.lot_id:
            return True
        is_valid = self.expires_at is None or self.expires_at > moment
        return is_valid and (not self.scopes or scope in self.scopes)


@dataclass(slots=True)
class HoldState:
    """A hold with its parts and, once it is closed, its close, with what corrected that."""

    row: journal.HoldRow
    parts: list[journal.PartRow]
    close: journal.CloseRow | None = None
    correction: journal.CorrectionRow | None = None
    budget_count: int = 0
    """How many budgets it counts against, by its row; they are loaded only where there are any."""
    budgets: list[Period] = field(default_factory=list)
    paid: list[tuple[str, Nanos]] = field(default_factory=list)
    """Which accounts a recovered close took how much from, in order; unset where nobody could ask."""


@dataclass(frozen=True, slots=True)
class ClaimState:
    """Who has a claim, and how far its hold was when the batch began."""

    request_id: str
    fingerprint: str
    currency: Currency
    outcome: Outcome | None = None
    amount_nanos: Nanos = 0
    """Charged in all, a correction included."""


@dataclass(slots=True)
class Changes:
    """What a batch has to write, in the order of the tables' references."""

    new_accounts: list[Account] = field(default_factory=list)
    touched_accounts: dict[str, Account] = field(default_factory=dict)
    holds: list[HoldState] = field(default_factory=list)
    parts: list[tuple[str, journal.PartRow]] = field(default_factory=list)
    """With the request's id."""
    claims: dict[str, ClaimState] = field(default_factory=dict)
    """By digest."""
    hold_budgets: list[tuple[str, Period]] = field(default_factory=list)
    """With the request's id."""
    touched_periods: set[Period] = field(default_factory=set)
    progress: dict[str, RecordProgress] = field(default_factory=dict)
    entries: list[tuple[journal.Entry, bytes, bytes]] = field(default_factory=list)
    """With the hash of the one before and its own."""
    extra: dict[str, list[list[Any]]] = field(default_factory=dict)
    """Callers' statements: parameters by SQL."""


@dataclass(slots=True)
class Books:
    """Everything that one batch of operations concerns."""

    moment: str
    """The batch's time, in every row it writes."""
    epoch_id: str
    """Who places holds in this batch."""
    accounts: dict[str, Account]
    """By id."""
    holds: dict[str, HoldState]
    head_number: int
    """Number of the last entry; 0 before the first."""
    head_hash: bytes
    changes: Changes = field(default_factory=Changes)
    claims: dict[str, ClaimState] = field(default_factory=dict)
    """Those that count now, by digest."""
    periods: dict[tuple[str, str], Period] = field(default_factory=dict)
    """By budget and period."""
    frozen_owner_ids: set[str] = field(init=False, default_factory=set)
    _wallets: dict[tuple[str, Currency], list[Account]] = field(init=False, default_factory=dict)
    """The accounts that an owner spends in a currency, in their turn; lots of tokens apart."""
    _token_lots: dict[tuple[str, Currency], list[Account]] = field(init=False, default_factory=dict)
    """Lots of tokens by owner and currency, in their turn; empty for nearly everybody."""
    _platform: dict[tuple[AccountKind, Currency, str], Account] = field(init=False, default_factory=dict)
    """By kind, currency and lot."""

    def __post_init__(self) -> None:
        """Sort the accounts in."""
        for account in self.accounts.values():
            self._sort_in(account)

    def spendable(self, owner_id: str, currency: Currency, scope: str) -> list[Account]:
        """Return the owner's accounts that pay for something new, in their turn."""
        wallet = self._wallets.get((owner_id, currency), [])
        return [account for account in wallet if account.pays_for(scope, self.moment)]

    @property
    def has_token_lots(self) -> bool:
        """Whether any owner of the batch has a lot of tokens: the one look that everybody else pays with."""
        return bool(self._token_lots)

    def token_lots(self, owner_id: str, currency: Currency, scope: str) -> list[Account]:
        """Return the owner's lots of tokens that pay for something new, in their turn."""
        lots = self._token_lots.get((owner_id, currency), [])
        return [lot for lot in lots if lot.pays_for(scope, self.moment)]

    def account_of(self, owner_id: str, kind: AccountKind, currency: Currency, lot_id: str = "") -> Account | None:
        """Find one of the loaded accounts."""
        if owner_id == PLATFORM_OWNER_ID:
            return self._platform.get((kind, currency, lot_id))
        wallet = self._wallets.get((owner_id, currency), [])
        return next((account for account in wallet if (account.kind, account.lot_id) == (kind, lot_id)), None)

    def open(self, account: Account) -> Account:
        """Add an account that is not in the database yet."""
        self.accounts[account.id] = account
        self.changes.new_accounts.append(account)
        self._sort_in(account)
        return account

    def _sort_in(self, account: Account) -> None:
        """Put an account where it is looked for."""
        if account.owner_id == PLATFORM_OWNER_ID:
            self._platform[account.kind, account.currency, account.lot_id] = account
            return
        if account.is_frozen:
            self.frozen_owner_ids.add(account.owner_id)
        accounts = self._token_lots if account.unit_nanos else self._wallets
        wallet = accounts.setdefault((account.owner_id, account.currency), [])
        wallet.append(account)
        if len(wallet) > 1:
            wallet.sort(key=lambda one: one.turn)
