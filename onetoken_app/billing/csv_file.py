"""Rows as CSV that a spreadsheet opens: UTF-8 with its mark, and no cell that a spreadsheet would run. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FIGURE = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell for a formula; full width too, which some of them fold."""


def csv_file(rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows; a text that would be a formula gets an apostrophe before it, plain figures stay as they are."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows([_defused(cell) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8-sig")


def _defused(cell: str) -> str:
    """Keep a spreadsheet from computing a name that somebody chose."""
    is_formula = cell.lstrip(" \u3000").startswith(_BEGINS_FORMULA) and _FIGURE.fullmatch(cell) is None
    return f"'{cell}" if is_formula else cell
