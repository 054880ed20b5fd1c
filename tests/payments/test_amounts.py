"""Amounts that somebody types, references that somebody copies, statements that somebody consents to."""

import hashlib
from pathlib import Path

import pytest

from onetoken_app import payments
from onetoken_app.money import NANOS_PER_UNIT
from onetoken_app.payments.amounts import amount_from_text, checked_amount, new_reference_code
from onetoken_app.payments.errors import AmountRefused
from onetoken_app.payments.statement import current_statement


class TestAmount:
    @pytest.mark.parametrize(
        ("text", "cents"), [("1", 100), (" 1000.50 ", 100_050), ("10000000", 1_000_000_000), ("0.5e1", None)]
    )
    def test_is_read_exactly(self, text: str, cents: int | None) -> None:
        if cents is None:
            with pytest.raises(AmountRefused):
                amount_from_text(text)
        else:
            assert amount_from_text(text) == cents * NANOS_PER_UNIT // 100

    @pytest.mark.parametrize(
        "text",
        [
            "", "0", "0.99", "-1", "-1000", "10000000.01", "99999999999999999999", "1e3", "1,000", "1000.005", "nan",
            "inf", "１０００", "0x10", "1 000", "1_000", "1000\n2", "٣",
        ],
    )  # fmt: skip
    def test_no_other_text_is_one(self, text: str) -> None:
        with pytest.raises(AmountRefused):
            amount_from_text(text)

    @pytest.mark.parametrize("value", [1e12, True, "1000", None, 0, -NANOS_PER_UNIT, 2**63, 2**70, NANOS_PER_UNIT + 1])
    def test_no_other_value_is_one(self, value: object) -> None:
        with pytest.raises(AmountRefused):
            checked_amount(value)  # type: ignore[arg-type] # what a browser could send


class TestReferenceCode:
    def test_has_no_letters_that_are_read_for_others_and_does_not_repeat(self) -> None:
        codes = {new_reference_code() for _ in range(1_000)}
        assert len(codes) == 1_000
        assert not set("01OIL") & set("".join(code[3:] for code in codes))


class TestStatement:
    def test_is_known_by_the_hash_of_its_exact_text(self) -> None:
        for locale in ("en", "zh-CN"):
            statement = current_statement(locale)
            file = Path(payments.__file__).parent / "texts" / f"top-up.{statement.version}.{locale}.md"
            assert statement.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
            assert statement.text in file.read_text(encoding="utf-8")

    def test_both_languages_say_as_much(self) -> None:
        counts = {current_statement(locale).text.count("\n- ") for locale in ("en", "zh-CN")}
        assert counts == {4}

    def test_a_language_that_it_is_not_written_in_gets_english(self) -> None:
        assert current_statement("../../etc").locale == "en"
