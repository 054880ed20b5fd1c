"""An upstream's export is read whole, or every bad line of it is named."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetoken_app.money import Currency
from onetoken_app.reconciliation.bill_file import LINES_MAX, Billed, BilledPlace, read_bill
from onetoken_app.reconciliation.errors import COMPLAINTS_MAX, BadBill

HEAD = "day,model,requests,input_tokens,output_tokens,cost,currency"
LINE = "2026-11-27,vendor-large,3,100,20,0.0125,USD"


def complaints_about(content: str | bytes) -> list[str]:
    """Return what is wrong with a file."""
    with pytest.raises(BadBill) as refused:
        read_bill(content if isinstance(content, bytes) else content.encode())
    return refused.value.complaints


class TestReadBill:
    def test_lines_of_one_day_and_model_are_added_up(self) -> None:
        content = f"{HEAD}\r\n{LINE}\r\n\r\n{LINE}\r\n2026-11-27,vendor-large,1,1,1,-0.5,CNY\r\n"
        file = read_bill(content.encode("utf-8-sig"))
        day = date(2026, 11, 27)
        assert file.line_count == 3
        assert file.billed == {
            BilledPlace(day, "vendor-large", Currency.USD): Billed(6, 200, 40, 25_000_000),
            BilledPlace(day, "vendor-large", Currency.CNY): Billed(1, 1, 1, -500_000_000),
        }

    def test_columns_stand_in_any_order_beside_others(self) -> None:
        head = "Currency, cost ,note,output_tokens,input_tokens,requests,model,day"
        file = read_bill(f'{head}\nUSD,1,"with, a comma",2,3,4,m,2026-01-31\n'.encode())
        assert file.billed == {BilledPlace(date(2026, 1, 31), "m", Currency.USD): Billed(4, 3, 2, 10**9)}

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            pytest.param("27.11.2026,m,1,1,1,1,USD", "day is no date", id="another form of date"),
            pytest.param("2026-11-27,,1,1,1,1,USD", "model has 1 to 128", id="no model"),
            pytest.param(f"2026-11-27,{'m' * 129},1,1,1,1,USD", "model has 1 to 128", id="an endless model"),
            pytest.param("2026-11-27,m,-1,1,1,1,USD", "requests is no whole number", id="a negative count"),
            pytest.param("2026-11-27,m,1,1.5,1,1,USD", "input_tokens is no whole number", id="half a token"),
            pytest.param("2026-11-27,m,1,1,9999999999999,1,USD", "output_tokens is no whole", id="an absurd count"),
            pytest.param("2026-11-27,m,1,1,²,1,USD", "output_tokens is no whole", id="a digit of another kind"),
            pytest.param("2026-11-27,m,1,1,1,1e3,USD", "cost is no decimal", id="a float"),
            pytest.param("2026-11-27,m,1,1,1,0.0000000001,USD", "cost is no decimal", id="finer than a nano"),
            pytest.param("2026-11-27,m,1,1,1,1,EUR", "currency is none of USD, CNY", id="another currency"),
            pytest.param("2026-11-27,m,1,1,1,1", "currency is none of", id="a line that is too short"),
        ],
    )
    def test_a_bad_line_is_named_with_its_number(self, line: str, complaint: str) -> None:
        (found,) = complaints_about(f"{HEAD}\n{LINE}\n{line}\n{LINE}\n")
        assert found.startswith(f"line 3: {complaint}")

    def test_all_bad_lines_are_named_and_many_are_counted(self) -> None:
        bad = "x,m,1,1,1,1,USD\n"
        with pytest.raises(BadBill, match=r"^Nothing was imported: line 2: .*; and 5 more lines\.$"):
            read_bill((f"{HEAD}\n" + bad * (COMPLAINTS_MAX + 5)).encode())

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            pytest.param("", "line 1: the head has to name", id="nothing"),
            pytest.param("day,model\n1,2\n", "not so: requests, input_tokens", id="columns are missing"),
            pytest.param(f"{HEAD},cost\n{LINE},1\n", "not so: cost", id="a column twice"),
            pytest.param(f"{HEAD}\n", "a head and no lines", id="no lines"),
            pytest.param(f'{HEAD}\n{LINE}\n"open', "line 3: no CSV", id="a quote that never ends"),
            pytest.param(f"{HEAD}\n".encode() + b"\xff\xfe", "line 2: not UTF-8", id="another coding"),
        ],
    )
    def test_what_is_no_export_is_refused(self, content: str | bytes, complaint: str) -> None:
        assert any(complaint in found for found in complaints_about(content))

    def test_a_file_beyond_the_bound_is_refused(self) -> None:
        (found,) = complaints_about(f"{HEAD}\n" + f"{LINE}\n" * (LINES_MAX + 1))
        assert "import it in parts" in found

    @given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: f"{HEAD}\n{text}".encode()))
    def test_whatever_stands_in_it_is_refused_with_words(self, content: bytes) -> None:
        with contextlib.suppress(BadBill):
            assert read_bill(content).billed
