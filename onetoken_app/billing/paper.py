"""Draws a document on A4: a head, facts, tables that go on over pages, page numbers. Pure; the same in, the same bytes.

``python -m onetoken_app.billing.paper`` reads a ``Paper`` from standard input and writes the PDF: loading a font of 16
MiB and shaping text takes a second of computing, which the process that carries calls must not spend. So this module
knows nothing else of the project.
"""

import importlib.resources
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from fpdf import FPDF, FontFace
from fpdf.enums import Align, TableBordersLayout, TableCellFillMode, WrapMode, XPos, YPos

_FONT_PACKAGE = "cvttf_NotoSansCJK_Regular"
_FONT = "paper"
_MARGIN_MM = 16
_FOOT_MM = 18
_INK, _QUIET, _LINE, _SHADE = (21, 38, 43), (86, 106, 112), (195, 205, 207), (243, 246, 246)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    head: str
    share: int
    """Of the width, in relation to the other columns."""
    is_figure: bool = False
    """Aligned to the right."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under heads that are repeated on each page."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    """The last row, set apart; empty: none."""
    words_when_empty: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole document."""

    language: str
    """``en`` or ``zh-CN``: which forms of Chinese characters are drawn."""
    title: str
    subtitle: str
    made_at: datetime
    """Stands in the file as its date; the same document has the same."""
    issuer: tuple[str, ...]
    """Lines about who issues it; the first is the name."""
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    notices: tuple[str, ...]
    page_words: str
    """With ``{page}`` and ``{pages}``."""


def draw(paper: Paper) -> bytes:
    """Return the document as a PDF."""
    sheet = _Sheet(paper)
    sheet.add_page()
    _draw_head(sheet, paper)
    _draw_facts(sheet, paper.facts)
    for table in paper.tables:
        _draw_table(sheet, table)
    _draw_notices(sheet, paper.notices)
    return bytes(sheet.output())


class _Sheet(FPDF):
    """A4 with page numbers, in one font."""

    def __init__(self, paper: Paper) -> None:
        super().__init__(format="A4")
        self._paper = paper
        self.set_creation_date(paper.made_at)
        self.set_producer("OneToken")
        self.set_title(f"{paper.title} {paper.subtitle}".strip())
        self.set_lang(paper.language)
        self.set_margin(_MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_FOOT_MM)
        self.add_font(_FONT, fname=_font_file())
        self.set_font(_FONT, size=9)
        # The font's own forms are those of Taiwan; the shaper chooses others by language.
        self.set_text_shaping(use_shaping_engine=True, direction="ltr", script="hani", language="zh-hans")

    def file_id(self) -> None:
        """Leave the identifier out: it would differ with the library's version."""

    def footer(self) -> None:
        """Number the page; the total is known when all are drawn."""
        self.set_y(-_FOOT_MM + 6)
        _pen(self, 8, _QUIET)
        words = self._paper.page_words.format(page=self.page_no(), pages=self.str_alias_nb_pages)
        self.cell(w=self.epw / 2, h=5, text=f"{self._paper.title} {self._paper.subtitle}"[:60])
        self.cell(w=self.epw / 2, h=5, text=words, align=Align.R)


def _pen(sheet: FPDF, size: int, ink: tuple[int, int, int]) -> None:
    """Choose size and colour."""
    sheet.set_font(_FONT, size=size)
    sheet.set_text_color(*ink)


def _write(sheet: FPDF, text: str, *, height_mm: int) -> None:
    """Write a paragraph; words that are longer than a line are broken."""
    sheet.multi_cell(
        w=0, h=height_mm, text=text, align=Align.L, wrapmode=WrapMode.CHAR, new_x=XPos.LMARGIN, new_y=YPos.NEXT
    )


def _draw_head(sheet: FPDF, paper: Paper) -> None:
    """Write who issues what."""
    name, *rest = paper.issuer
    _pen(sheet, 11, _INK)
    _write(sheet, name, height_mm=6)
    _pen(sheet, 8, _QUIET)
    for line in rest:
        _write(sheet, line, height_mm=4)
    sheet.ln(5)
    _pen(sheet, 18, _INK)
    _write(sheet, paper.title, height_mm=9)
    if paper.subtitle:
        _pen(sheet, 11, _QUIET)
        _write(sheet, paper.subtitle, height_mm=6)
    sheet.ln(3)


def _draw_facts(sheet: FPDF, facts: tuple[tuple[str, str], ...]) -> None:
    """Write labels with their values."""
    if not facts:
        return
    _pen(sheet, 9, _INK)
    sheet.set_draw_color(*_LINE)
    label = FontFace(color=_QUIET)
    with sheet.table(
        col_widths=(30, 70), first_row_as_headings=False, line_height=5, padding=1, text_align=(Align.L, Align.L),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES, wrapmode=WrapMode.CHAR,
    ) as table:  # fmt: skip
        for name, value in facts:
            row = table.row()
            row.cell(name, style=label)
            row.cell(value or "–")
    sheet.ln(4)


def _draw_table(sheet: FPDF, table: Table) -> None:
    """Write a table under its title, which does not stand alone at the foot of a page."""
    if sheet.will_page_break(30):
        sheet.add_page()
    _pen(sheet, 11, _INK)
    _write(sheet, table.title, height_mm=7)
    if not table.rows:
        _pen(sheet, 9, _QUIET)
        _write(sheet, table.words_when_empty, height_mm=6)
        sheet.ln(4)
        return
    _pen(sheet, 8, _INK)
    sheet.set_draw_color(*_LINE)
    with sheet.table(
        col_widths=tuple(column.share for column in table.columns), line_height=4, padding=0.8,
        text_align=tuple(Align.R if column.is_figure else Align.L for column in table.columns),
        headings_style=FontFace(color=_QUIET, fill_color=_SHADE),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES, cell_fill_mode=TableCellFillMode.NONE,
        wrapmode=WrapMode.CHAR,
    ) as drawn:  # fmt: skip
        heads = drawn.row()
        for column in table.columns:
            heads.cell(column.head, align=Align.R if column.is_figure else Align.L)
        for values in table.rows:
            drawn.row(values)
        if table.total:
            drawn.row(table.total, style=FontFace(fill_color=_SHADE))
    sheet.ln(4)


def _draw_notices(sheet: FPDF, notices: tuple[str, ...]) -> None:
    """Write what has to be said at the end."""
    _pen(sheet, 8, _QUIET)
    for words in notices:
        _write(sheet, words, height_mm=4)


def _font_file() -> Path:
    """Find the font in its package.

    Raises:
        FileNotFoundError: The package holds none.
    """
    folder = importlib.resources.files(_FONT_PACKAGE)
    found = sorted(Path(str(file)) for file in folder.iterdir() if file.name.endswith((".otf", ".ttf")))
    if not found:
        message = f"{_FONT_PACKAGE}: no font"
        raise FileNotFoundError(message)
    return found[0]


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Paper)))
