"""Reads an upstream's usage export: CSV with a head, one line per day and model or finer. Pure.

Columns, in any order: ``day`` (2026-11-27), ``model`` (the provider's name), ``requests``, ``input_tokens`` (cached
ones included), ``output_tokens``, ``cost`` (a decimal number), ``currency`` (USD or CNY). Others are passed over.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from onetoken_app.money import Currency, Nanos, parse_amount
from onetoken_app.reconciliation.errors import BadBill
from onetoken_app.token_usage import COUNT_MAX

COLUMNS = ("day", "model", "requests", "input_tokens", "output_tokens", "cost", "currency")
BYTES_MAX = 32 * 1024 * 1024
LINES_MAX = 200_000
_COUNTS = ("requests", "input_tokens", "output_tokens")
_MODEL_CHARACTERS_MAX = 128


@dataclass(frozen=True, slots=True)
class BilledPlace:
    """What a figure is of."""

    day: date
    upstream_model: str
    currency: Currency


@dataclass(slots=True)
class Billed:
    """What was billed for it; grows line by line."""

    request_count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nanos: Nanos = 0


@dataclass(frozen=True, slots=True)
class BillFile:
    """A file that was read."""

    line_count: int
    """But for the head and empty ones."""
    billed: dict[BilledPlace, Billed]
    """Never empty."""


def read_bill(content: bytes) -> BillFile:
    """Read a file.

    Raises:
        BadBill: It cannot be read, or some lines cannot; each is named with its number, counted from the head as 1.
    """
    reader = csv.reader(io.StringIO(_text_of(content), newline=""), strict=True)
    billed: dict[BilledPlace, Billed] = {}
    complaints: list[str] = []
    line_count = 0
    try:
        places = _places_of(next(reader, []))
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            line_count += 1
            if line_count > LINES_MAX:
                raise BadBill([f"it has more than {LINES_MAX} lines; import it in parts"])
            cells = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
            found = list(_complaints_about(cells))
            complaints += [f"line {reader.line_num}: {complaint}" for complaint in found]
            if not found:
                _add(billed, cells)
    except csv.Error as error:
        complaints.append(f"line {reader.line_num}: no CSV ({error})")
    if not line_count and not complaints:
        complaints.append("it has a head and no lines")
    if complaints:
        raise BadBill(complaints)
    return BillFile(line_count, billed)


def _text_of(content: bytes) -> str:
    """Read a file's bytes."""
    if len(content) > BYTES_MAX:
        raise BadBill([f"it is larger than {BYTES_MAX // 1024**2} MiB; import it in parts"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadBill([f"line {content[: error.start].count(bytes([10])) + 1}: not UTF-8"]) from None


def _places_of(head: list[str]) -> dict[str, int]:
    """Find the columns in the head."""
    names = [name.strip().lower() for name in head]
    missing = [column for column in COLUMNS if names.count(column) != 1]
    if missing:
        raise BadBill([f"line 1: the head has to name once each of {', '.join(COLUMNS)}; not so: {', '.join(missing)}"])
    return {column: names.index(column) for column in COLUMNS}


def _complaints_about(cells: dict[str, str]) -> Iterator[str]:
    """Say what of a line cannot be read, without repeating more than a name of ours."""
    try:
        date.fromisoformat(cells["day"])
    except ValueError:
        yield "day is no date such as 2026-11-27"
    model = cells["model"]
    if not 0 < len(model) <= _MODEL_CHARACTERS_MAX or not model.isprintable():
        yield f"model has 1 to {_MODEL_CHARACTERS_MAX} printable characters"
    for name in _COUNTS:
        count = cells[name]
        if not (count.isascii() and count.isdigit() and len(count) <= len(str(COUNT_MAX)) and int(count) <= COUNT_MAX):
            yield f"{name} is no whole number"
    try:
        parse_amount(cells["cost"])
    except ValueError:
        yield "cost is no decimal number with at most 9 decimals"
    if cells["currency"] not in {currency.value for currency in Currency}:
        yield f"currency is none of {', '.join(currency.value for currency in Currency)}"


def _add(billed: dict[BilledPlace, Billed], cells: dict[str, str]) -> None:
    """Add a line up with those of the same day and model."""
    place = BilledPlace(date.fromisoformat(cells["day"]), cells["model"], Currency(cells["currency"]))
    sums = billed.setdefault(place, Billed())
    sums.request_count += int(cells["requests"])
    sums.input_tokens += int(cells["input_tokens"])
    sums.output_tokens += int(cells["output_tokens"])
    sums.cost_nanos += parse_amount(cells["cost"])
