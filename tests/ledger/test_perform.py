"""The pure core: what each operation does to the books, amounts in plain nanos."""

import pytest

from onetoken_app.ledger import posting, transfers
from onetoken_app.ledger.books import Account, Books
from onetoken_app.ledger.journal import GENESIS_HASH, hash_of
from onetoken_app.ledger.kinds import AccountKind, Outcome, TransactionKind
from onetoken_app.ledger.operations import (
    Answer,
    BalanceTooLow,
    ExtendHold,
    HoldClosed,
    HoldConflict,
    HoldPlaced,
    Operation,
    PlaceHold,
    ProgressRecorded,
    RecordProgress,
    Refused,
    Statement,
)
from onetoken_app.ledger.transfers import Transfer
from onetoken_app.money import NANOS_MAX, Currency
from tests.ledger.desks import a_close, a_hold

OWNER = "org_1"


def the_books(*, posted_nanos: int = 100, floor_nanos: int = 0) -> Books:
    account = Account("act_1", OWNER, AccountKind.PREPAID, Currency.USD, floor_nanos, posted_nanos)
    return Books(
        moment="2026-05-18T00:00:00.000000Z",
        epoch_id="epo_1",
        accounts={account.id: account},
        holds={},
        head_number=0,
        head_hash=GENESIS_HASH,
    )


def the_balance(books: Books) -> tuple[int, int]:
    account = books.accounts["act_1"]
    return account.posted_nanos, account.held_nanos


def a_grant(amount_nanos: int) -> Transfer:
    source, target = transfers.platform(AccountKind.GRANTS), transfers.prepaid(OWNER)
    return Transfer(TransactionKind.GRANT, "gift", Currency.USD, amount_nanos, source, target)


def perform(books: Books, *operations: Operation) -> Answer:
    return [posting.perform(books, operation) for operation in operations][-1]


class TestPlaceHold:
    @pytest.mark.parametrize(
        ("posted", "floor", "amount", "answer"),
        [
            pytest.param(100, 0, 100, HoldPlaced(100), id="the last nano can be held"),
            pytest.param(100, 0, 101, BalanceTooLow(100), id="one nano too much holds nothing"),
            pytest.param(0, -50, 50, HoldPlaced(50), id="a credit limit can be held"),
            pytest.param(0, -50, 51, BalanceTooLow(50), id="a credit limit is a limit"),
            pytest.param(0, 0, 0, HoldPlaced(0), id="nothing can be held with nothing"),
            pytest.param(100, 0, -1, Refused("AmountOutOfRange"), id="a negative hold is refused"),
            pytest.param(100, 0, NANOS_MAX + 1, Refused("AmountOutOfRange"), id="an overflowing hold is refused"),
        ],
    )
    def test_holds_what_is_available(self, posted: int, floor: int, amount: int, answer: Answer) -> None:
        books = the_books(posted_nanos=posted, floor_nanos=floor)
        assert perform(books, a_hold(OWNER, amount)) == answer
        assert the_balance(books) == (posted, amount if isinstance(answer, HoldPlaced) else 0)

    def test_counts_what_is_held_already(self) -> None:
        books = the_books()
        assert perform(books, a_hold(OWNER, 60), a_hold(OWNER, 41)) == BalanceTooLow(40)

    def test_an_owner_without_account_has_nothing(self) -> None:
        assert perform(the_books(), a_hold("org_2", 1)) == BalanceTooLow(0)

    def test_money_in_another_currency_does_not_count(self) -> None:
        assert perform(the_books(), PlaceHold("req_1", OWNER, Currency.CNY, 1, b"")) == BalanceTooLow(0)

    def test_a_repeat_returns_the_first_receipt_and_holds_once(self) -> None:
        books = the_books()
        hold = a_hold(OWNER, 60, request_id="req_1")
        assert perform(books, hold, hold) == HoldPlaced(60)
        assert the_balance(books) == (100, 60)

    def test_a_repeat_after_an_extension_returns_the_first_receipt(self) -> None:
        books = the_books()
        hold = a_hold(OWNER, 60, request_id="req_1")
        assert perform(books, hold, ExtendHold("req_1", 80), hold) == HoldPlaced(60)

    def test_another_amount_for_the_same_request_is_a_conflict(self) -> None:
        first, second = a_hold(OWNER, 60, request_id="req_1"), a_hold(OWNER, 10, request_id="req_1")
        assert perform(the_books(), first, second) == HoldConflict()

    def test_a_closed_request_is_not_held_again(self) -> None:
        hold = a_hold(OWNER, 60, request_id="req_1")
        assert perform(the_books(), hold, a_close("req_1", 1), hold) == HoldConflict()

    def test_a_long_context_is_refused(self) -> None:
        assert perform(the_books(), a_hold(OWNER, 1, context=bytes(1025))) == Refused("ContextTooLong")


class TestExtendHold:
    def test_raises_the_total(self) -> None:
        books = the_books()
        assert perform(books, a_hold(OWNER, 60, request_id="req_1"), ExtendHold("req_1", 100)) == HoldPlaced(100)
        assert the_balance(books) == (100, 100)

    def test_a_repeat_changes_nothing(self) -> None:
        books = the_books()
        extension = ExtendHold("req_1", 80)
        assert perform(books, a_hold(OWNER, 60, request_id="req_1"), extension, extension) == HoldPlaced(80)
        assert the_balance(books) == (100, 80)

    def test_too_little_leaves_the_hold_as_it_was(self) -> None:
        books = the_books()
        assert perform(books, a_hold(OWNER, 60, request_id="req_1"), ExtendHold("req_1", 101)) == BalanceTooLow(40)
        assert the_balance(books) == (100, 60)

    def test_an_unknown_request_is_a_conflict(self) -> None:
        assert perform(the_books(), ExtendHold("req_1", 1)) == HoldConflict()

    def test_a_closed_request_is_a_conflict(self) -> None:
        answer = perform(the_books(), a_hold(OWNER, 1, request_id="req_1"), a_close("req_1", 1), ExtendHold("req_1", 2))
        assert answer == HoldConflict()


class TestRecordProgress:
    def test_is_noted_and_the_last_one_counts(self) -> None:
        books = the_books()
        first, last = RecordProgress("req_1", 5, b"a"), RecordProgress("req_1", 7, b"b")
        assert perform(books, a_hold(OWNER, 60, request_id="req_1"), first, last) == ProgressRecorded()
        assert books.changes.progress == {"req_1": last}

    def test_is_ignored_after_the_close(self) -> None:
        books = the_books()
        answer = perform(
            books, a_hold(OWNER, 6, request_id="req_1"), a_close("req_1", 1), RecordProgress("req_1", 5, b"")
        )
        assert (answer, books.changes.progress) == (ProgressRecorded(), {})

    def test_an_unknown_request_is_a_conflict(self) -> None:
        assert perform(the_books(), RecordProgress("req_1", 5, b"")) == HoldConflict()


class TestCloseHold:
    @pytest.mark.parametrize(
        ("posted", "floor", "held", "metered", "paid", "absorbed"),
        [
            pytest.param(100, 0, 60, 40, 40, 0, id="the rest of the hold goes back"),
            pytest.param(100, 0, 60, 60, 60, 0, id="a hold can be used up"),
            pytest.param(100, 0, 60, 0, 0, 0, id="nothing used is nothing charged"),
            pytest.param(100, 0, 60, 90, 90, 0, id="a charge above the hold takes what is available"),
            pytest.param(100, 0, 60, 130, 100, 30, id="what no balance covers is absorbed"),
            pytest.param(0, -50, 20, 70, 50, 20, id="the floor is never crossed"),
            pytest.param(0, 0, 0, 10, 0, 10, id="a charge without any balance is absorbed whole"),
        ],
    )
    def test_charges(self, *, posted: int, floor: int, held: int, metered: int, paid: int, absorbed: int) -> None:
        books = the_books(posted_nanos=posted, floor_nanos=floor)
        answer = perform(books, a_hold(OWNER, held, request_id="req_1"), a_close("req_1", metered))
        assert answer == HoldClosed(Outcome.SETTLED, paid, absorbed, is_first=True)
        assert the_balance(books) == (posted - paid, 0)
        assert sum(account.posted_nanos for account in books.accounts.values()) == posted

    def test_leaves_the_holds_of_others_alone(self) -> None:
        books = the_books()
        answer = perform(books, a_hold(OWNER, 70), a_hold(OWNER, 20, request_id="req_1"), a_close("req_1", 50))
        assert answer == HoldClosed(Outcome.SETTLED, 30, 20, is_first=True)
        assert the_balance(books) == (70, 70)

    def test_an_extension_pays_too_in_one_posting(self) -> None:
        books = the_books()
        perform(books, a_hold(OWNER, 10, request_id="req_1"), ExtendHold("req_1", 30), a_close("req_1", 25))
        [(entry, _, _)] = books.changes.entries
        assert [row.amount_nanos for row in entry.postings] == [25]
        assert [part.amount_nanos for part in entry.parts] == [10, 20]

    def test_a_void_charges_nothing_whatever_it_says(self) -> None:
        books = the_books()
        answer = perform(books, a_hold(OWNER, 60, request_id="req_1"), a_close("req_1", 50, outcome=Outcome.VOIDED))
        assert answer == HoldClosed(Outcome.VOIDED, 0, 0, is_first=True)
        assert the_balance(books) == (100, 0)

    def test_a_second_close_changes_nothing_and_returns_the_first(self) -> None:
        books = the_books()
        again = a_close("req_1", 60, outcome=Outcome.RECOVERED, extra=[Statement("INSERT", [])])
        answer = perform(books, a_hold(OWNER, 60, request_id="req_1"), a_close("req_1", 10), again)
        assert answer == HoldClosed(Outcome.SETTLED, 10, 0, is_first=False)
        assert (the_balance(books), books.changes.extra) == ((90, 0), {})

    def test_puts_the_real_charge_into_the_callers_statement(self) -> None:
        books = the_books()
        extra = [Statement("A", ["x", 0], charge_position=1), Statement("B", ["y", 0])]
        perform(books, a_hold(OWNER, 60, request_id="req_1"), a_close("req_1", 130, extra=extra))
        assert books.changes.extra == {"A": [["x", 100]], "B": [["y", 0]]}

    def test_a_charge_position_that_is_not_there_is_refused(self) -> None:
        close = a_close("req_1", 1, extra=[Statement("A", [], charge_position=0)])
        books = the_books()
        assert perform(books, a_hold(OWNER, 60, request_id="req_1"), close) == Refused("ChargePositionOutOfRange")
        assert the_balance(books) == (100, 60)

    def test_an_unknown_request_is_a_conflict(self) -> None:
        assert perform(the_books(), a_close("req_1", 1)) == HoldConflict()

    def test_a_negative_charge_is_refused(self) -> None:
        assert perform(the_books(), a_hold(OWNER, 1, request_id="r"), a_close("r", -1)) == Refused("AmountOutOfRange")


class TestChain:
    def test_each_entry_is_chained_to_the_one_before(self) -> None:
        books = the_books()
        transfers.post(books, a_grant(5))
        perform(books, a_hold(OWNER, 60, request_id="req_1"), a_close("req_1", 10))
        (grant, genesis, first), (close, previous, second) = books.changes.entries
        assert (genesis, previous) == (GENESIS_HASH, first)
        assert (grant.sequence_number, close.sequence_number) == (1, 2)
        assert hash_of(close, previous_hash=first) == second

    def test_the_format_stays_what_it_was(self) -> None:
        books = the_books()
        transfers.post(books, a_grant(5))
        perform(books, PlaceHold("req_1", OWNER, Currency.USD, 60, b"context"), a_close("req_1", 10))
        assert books.head_hash.hex() == "4341afe8ae519c1a98ef4f51cb4c7bd52f57f998a389d9f23d1da88d6677835e"
