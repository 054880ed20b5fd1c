"""Statements as documents and as CSV: every figure, in both languages, and amounts that add up."""

import csv
import io
from datetime import UTC, datetime

import pytest

from onetoken_app.billing.figures import ChargeLine, Due, Figures, Movement, Pot
from onetoken_app.billing.paper import Paper
from onetoken_app.billing.statement_paper import ROWS_MAX, Edition, grouped, statement_csv, statement_paper
from onetoken_app.billing.statement_words import KINDS, POTS, WORDS
from onetoken_app.ledger.kinds import SPENDABLE_KINDS, TERMS_KINDS, AccountKind, TransactionKind
from onetoken_app.money import Currency, parse_amount
from tests.architecture.tree import ROOT

CLOSED_AT = datetime(2026, 12, 1, 6, tzinfo=UTC)
NO_MOVEMENTS = {TransactionKind.CLOSE, TransactionKind.CORRECTION} | TERMS_KINDS


def figures(*, keys: int = 2, due: Due | None = None) -> Figures:
    """Make a month in which each key was charged one nano more than the one before."""
    lines = [
        ChargeLine(
            model_id="mdl_1", model_name="deepseek-v3", api_key_id=f"key_{number}", api_key_name=f"=key {number}",
            project_id="prj_1", project_name="示例项目", call_count=1, amount_nanos=number + 1,
        )
        for number in range(keys)
    ]  # fmt: skip
    charged = sum(line.amount_nanos for line in lines)
    topped_up = 1_234_567_890_123_456_789
    return Figures(
        organization_id="org_1",
        organization_name="示例科技有限公司",
        registration_code="91350100M000100Y43",
        currency=Currency.CNY,
        month="2026-11",
        time_zone="Asia/Shanghai",
        since="2026-10-31T16:00:00.000000Z",
        until="2026-11-30T16:00:00.000000Z",
        last_number=9,
        pots=[Pot(AccountKind.PREPAID, 1, topped_up, charged, 1 + topped_up - charged)],
        movements=[
            Movement(
                3, "2026-11-02T00:00:00.000000Z", TransactionKind.TOP_UP, AccountKind.PREPAID, "top_up:1", topped_up
            )
        ],
        charges=lines,
        corrections_nanos=1,
        open_hold_count=2,
        open_hold_nanos=5,
        late_charges=lines[:1],
        due=due,
    )


def paper(locale: str, *, shown: Figures | None = None, number: str = "stm_1") -> Paper:
    """Lay it out."""
    edition = Edition(
        locale=locale, issuer=("Example Operator Ltd",), made_at=CLOSED_AT, number=number, sha256="ab" * 32
    )
    return statement_paper(shown or figures(), edition)


class TestWords:
    def test_every_kind_of_movement_and_account_has_words(self) -> None:
        assert set(WORDS) == set(KINDS) == set(POTS)
        assert all(set(words) == set(WORDS["en"]) for words in WORDS.values())
        assert all(set(words) == set(TransactionKind) - NO_MOVEMENTS for words in KINDS.values())
        assert all(set(words) == set(SPENDABLE_KINDS) for words in POTS.values())

    @pytest.mark.parametrize(
        ("kind", "term"),
        [
            (TransactionKind.TOP_UP, "top-up"),
            (TransactionKind.GRANT, "grant"),
            (TransactionKind.PROMOTION, "promotional credit"),
            (TransactionKind.ADJUSTMENT, "adjustment"),
            (TransactionKind.REFUND, "refund"),
            (TransactionKind.REVERSAL, "reversal"),
        ],
    )
    def test_movements_are_called_what_the_glossary_calls_them(self, kind: TransactionKind, term: str) -> None:
        glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
        assert f"\n| {term} | {KINDS['zh-CN'][kind]} |" in glossary


class TestStatementPaper:
    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    def test_shows_every_digit_and_totals(self, locale: str) -> None:
        drawn = paper(locale)
        summary, movements, *charges = drawn.tables
        assert summary.rows[0][1:] == ("0.000000001", "0.000000001")
        assert summary.total[-1] == grouped(figures().closing_nanos)
        assert movements.rows[0][-1] == "1,234,567,890.123456789"
        assert [table.total[-1] for table in charges] == ["0.000000003"] * 3
        assert [row[0] for row in charges[2].rows] == ["=key 1", "=key 0"]
        assert drawn.notices[-1].endswith("ab" * 32)

    def test_what_is_beyond_the_rows_of_a_table_stands_in_one(self) -> None:
        by_key = paper("en", shown=figures(keys=ROWS_MAX + 3)).tables[4]
        assert len(by_key.rows) == ROWS_MAX + 1
        assert by_key.rows[-1][1:] == ("3", "0.000000006")
        assert sum(parse_amount(row[2]) for row in by_key.rows) == parse_amount(by_key.total[2])

    def test_says_what_is_due_and_until_when(self) -> None:
        due = Due(amount_nanos=5_000_000_000, pay_by="2026-12-30", credit_limit_nanos=10**12, contract_number="C-7")
        assert paper("en", shown=figures(due=due)).facts[-1] == (
            "Due",
            "5.000000000, to be paid by 2026-12-30 (contract C-7)",
        )

    def test_a_preliminary_one_says_so(self) -> None:
        drawn = paper("en", number="")
        assert drawn.title == "Preliminary statement"
        assert WORDS["en"]["notice_preliminary"] in drawn.notices


class TestStatementCsv:
    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    def test_amounts_add_up_and_no_name_is_a_formula(self, locale: str) -> None:
        shown = figures(keys=1_000)
        heads, *rows = csv.reader(io.StringIO(statement_csv(shown, locale=locale).decode("utf-8-sig"), newline=""))
        assert len(heads) == 10
        amounts = [parse_amount(row[8]) for row in rows]
        assert amounts[0] + sum(amounts[1:-1]) == amounts[-1]
        assert len(rows) == 3 + 1_000
        assert {row[6][:2] for row in rows[2:-1]} == {"'="}


class TestGrouped:
    @pytest.mark.parametrize(
        ("nanos", "text"),
        [(0, "0.000000000"), (-1, "-0.000000001"), (1_234_567 * 10**9, "1,234,567.000000000")],
    )
    def test_has_all_digits(self, nanos: int, text: str) -> None:
        assert grouped(nanos) == text
