"""Documents: the same bytes each time, every digit, heads on every page, Chinese that can be read back; and CSV."""

import csv
import io
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from onetoken_app.billing.csv_file import csv_file
from onetoken_app.billing.drawing import drawn
from onetoken_app.billing.paper import Column, Paper, Table, draw

LONG_NAME = "averylongnamewithoutspaces" * 6


def a_paper(*, rows: tuple[tuple[str, ...], ...] = (), language: str = "en", name: str = "Test Ltd") -> Paper:
    """Describe a document with one table."""
    columns = (Column("Key", 50), Column("Amount", 50, is_figure=True))
    return Paper(
        language=language,
        title="月度账单" if language == "zh-CN" else "Monthly statement",
        subtitle="2026-11",
        made_at=datetime(2026, 12, 1, tzinfo=UTC),
        issuer=("Example Operator Ltd", "1 Example Road"),
        facts=(("Organization", name),),
        tables=(Table("By key", columns, rows, total=("Total", "9.000000001"), words_when_empty="No charges."),),
        notices=("It is no tax invoice.",),
        page_words="Page {page} of {pages}",
    )


def pages_of(pdf: bytes) -> list[str]:
    """Read a PDF's pages back."""
    # The reader takes the upper half of a character's two bytes for a character of its own.
    return [page.extract_text().replace("\x00", "") for page in PdfReader(io.BytesIO(pdf)).pages]


class TestDraw:
    def test_goes_on_over_pages_with_heads_and_numbers(self) -> None:
        rows = tuple((f"key {number}", f"{number}.000000001") for number in range(120))
        pages = pages_of(draw(a_paper(rows=rows)))
        assert len(pages) == 3
        for number, page in enumerate(pages, 1):
            assert "Amount" in page
            assert f"Page {number} of 3" in page
        words = "\n".join(pages)
        assert all(f"{number}.000000001" in words for number in range(120))
        assert "Total" in pages[-1]

    def test_without_rows_says_so(self) -> None:
        (page,) = pages_of(draw(a_paper()))
        assert "No charges." in page
        assert "Total" not in page

    def test_names_longer_than_a_column_are_broken_and_whole(self) -> None:
        (page,) = pages_of(draw(a_paper(rows=((LONG_NAME, "1.00"),))))
        assert LONG_NAME in page.replace("\n", "").replace(" ", "")

    def test_chinese_can_be_read_back(self) -> None:
        (page,) = pages_of(draw(a_paper(language="zh-CN", name="示例科技（直辖市）骨角令有限公司")))
        assert "月度账单" in page
        assert "示例科技（直辖市）骨角令有限公司" in page

    async def test_another_process_draws_the_very_same_bytes(self) -> None:
        paper = a_paper(rows=(("一", "1.00"),), language="zh-CN")
        assert await drawn(paper) == draw(paper)


class TestCsvFile:
    @pytest.mark.parametrize(
        "name",
        ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "－cmd|calc", "-1e3", '=HYPERLINK("x")'],
    )
    def test_a_name_is_never_a_formula(self, name: str) -> None:
        ((cell, amount),) = read(csv_file([(name, "-0.000000001")]))
        assert cell == f"'{name}"
        assert amount == "-0.000000001"

    def test_everything_else_comes_back_as_it_was(self) -> None:
        rows = [['名称, "quoted"', "line\nbreak", "1234567890.123456789"], ["'", "a=b", ""]]
        written = csv_file(rows)
        assert written.startswith(b"\xef\xbb\xbf")
        assert read(written) == rows


def read(written: bytes) -> list[list[str]]:
    """Read CSV as a spreadsheet does."""
    return list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))
