"""``onetoken ledger explain``: what it says of a call, to people and to programs, and how it ends."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from onetoken_app.command.ledger_explain import exactly
from onetoken_app.command.opening import in_database
from onetoken_app.settings import Settings
from tests.command.conftest import Onetoken
from tests.command.test_commands import FILE, assert_refused
from tests.usage.books import hold_of, open_account, perform, settled
from tests.usage.drafts import NOON, a_draft
from tests.usage.test_explanation import a_plain_call


@pytest.fixture
def call(onetoken: Onetoken, tmp_path: Path) -> str:
    """A call that was charged 260 000 nanos."""
    assert onetoken("apply", "-", stdin=FILE).exit_code == 0
    settings = Settings(data_dir=tmp_path / "var")

    async def arrange() -> str:
        draft = replace(await a_plain_call(settings), request_id="req_charged")
        await settled(draft)
        return draft.request_id

    return in_database(settings, arrange)


class TestLedgerExplain:
    def test_a_person_reads_each_step(self, onetoken: Onetoken, call: str) -> None:
        done = onetoken("ledger", "explain", call)
        assert done.exit_code == 0
        for words in (
            "  input: 100 × 2.00 ÷ 1000000 = 0.0002",
            "sum: 0.00026 USD",
            "× ratio 1",
            "rounded once, half up: 0.00026 USD",
            "0.00026 USD from prepaid",
            "the charge is what the journal has",
        ):
            assert words in done.output

    def test_a_program_reads_the_same(self, onetoken: Onetoken, call: str) -> None:
        told = onetoken("ledger", "explain", call, "--json").json()
        assert (told["ok"], told["differences"], told["computed"], told["currency"]) == (True, [], "0.00026", "USD")
        assert (told["close"]["charge"], told["price_scope"]) == ("0.00026", "list")
        assert sum(Fraction(line["share"]) for line in told["lines"]) == Fraction(told["sum"])

    def test_a_charge_that_differs_ends_with_one(self, onetoken: Onetoken, call: str, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "var" / "onetoken.sqlite3")) as connection:
            connection.execute("UPDATE usage_record SET input_tokens = 101")
            connection.commit()
        done = onetoken("ledger", "explain", call)
        assert done.exit_code == 1
        assert "WRONG: the metadata comes to 0.000262 USD" in done.output
        assert onetoken("ledger", "explain", call, "--json").json()["ok"] is False

    def test_what_cannot_be_explained_is_one_line(self, onetoken: Onetoken, call: str, tmp_path: Path) -> None:
        async def hold() -> None:
            await open_account("org_1")
            await perform(hold_of(a_draft(request_id="req_open")), moment=NOON)

        in_database(Settings(data_dir=tmp_path / "var"), hold)
        assert_refused(onetoken("ledger", "explain", "req_nobody"), "no call req_nobody")
        assert_refused(onetoken("ledger", "explain", "req_open"), "still open")
        assert_refused(onetoken("ledger", "explain", call, "--organization", "Nobody"), "no organization")
        assert_refused(onetoken("ledger", "explain", call, "--organization", "Test Ltd"), "another organization")


class TestExactly:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            pytest.param(Fraction(0), "0.00", id="nothing"),
            pytest.param(Fraction(-3, 2), "-1.50", id="given back"),
            pytest.param(Fraction(1, 10**21), "0.000000000000000000001", id="below a nano"),
            pytest.param(Fraction(1, 3), "1/3", id="a number without an end"),
        ],
    )
    def test_no_digit_is_lost(self, value: Fraction, text: str) -> None:
        assert exactly(value) == text
