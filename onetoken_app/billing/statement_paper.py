"""A statement as a document and as CSV, in the reader's language. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from onetoken_app.billing.csv_file import csv_file
from onetoken_app.billing.figures import Figures, Movement
from onetoken_app.billing.paper import Column, Paper, Table
from onetoken_app.billing.statement_words import KINDS, POTS, WORDS, language_of
from onetoken_app.billing.summaries import PlaceOf, by_key, by_model, by_project, charged_by, moved_by_kind
from onetoken_app.clock import parse_instant
from onetoken_app.money import Nanos, format_amount
from onetoken_app.organizations.time_zones import zone_of

ROWS_MAX = 500
"""Rows of one table of a document; what is beyond stands in one row, and in the CSV."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What stands on a statement beside its figures."""

    locale: str
    issuer: tuple[str, ...]
    """Lines about the operator; the first is the name."""
    made_at: datetime
    """When it was closed, or for a preliminary one: when it was asked for."""
    number: str = ""
    """Empty: preliminary."""
    sha256: str = ""


def statement_paper(figures: Figures, edition: Edition) -> Paper:
    """Lay a statement out."""
    reads = language_of(edition.locale)
    words = WORDS[reads]
    figure = words["amount"]
    return Paper(
        language=reads,
        title=words["title"] if edition.number else words["preliminary"],
        subtitle=f"{figures.month} · {figures.currency.value}",
        made_at=edition.made_at,
        issuer=edition.issuer,
        facts=tuple(_facts(figures, edition, reads)),
        tables=(
            _summary(figures, reads),
            Table(
                title=words["movements"],
                columns=(
                    Column(words["when"], 23), Column(words["what"], 19), Column(words["reference"], 32),
                    Column(figure, 26, is_figure=True),
                ),
                rows=tuple(_movement_rows(figures, reads)),
                words_when_empty=words["no_movements"],
            ),
            _charges(figures, reads, "by_model", "model", by_model),
            _charges(figures, reads, "by_project", "project", by_project),
            _charges(figures, reads, "by_key", "key", by_key),
        ),
        notices=tuple(notices(figures, reads, is_closed=bool(edition.number), sha256=edition.sha256)),
        page_words=words["page"],
    )  # fmt: skip


def statement_csv(figures: Figures, *, locale: str) -> bytes:
    """Write a statement as CSV; the amounts between opening and closing balance add up to their difference."""
    reads = language_of(locale)
    words = WORDS[reads]
    heads = ("what", "when", "account", "reference", "model", "project", "key", "calls", "amount", "currency")
    currency = figures.currency.value
    rows = [tuple(words[head] for head in heads)]
    rows += [
        (
            words["opening"],
            figures.since,
            POTS[reads][pot.kind],
            "",
            "",
            "",
            "",
            "",
            _exact(pot.opening_nanos),
            currency,
        )
        for pot in figures.pots
    ]
    rows += [
        (
            f"{KINDS[reads][one.kind]}: {one.words}" if one.words else KINDS[reads][one.kind], one.recorded_at,
            POTS[reads][one.pot], one.reference, "", "", "", "", _exact(one.amount_nanos), currency,
        )
        for one in figures.movements
    ]  # fmt: skip
    rows += [
        (
            words["charge"], "", "", "", line.model_name, line.project_name, line.api_key_name, str(line.call_count),
            _exact(-line.amount_nanos), currency,
        )
        for line in figures.charges
    ]  # fmt: skip
    rows += [
        (
            words["closing"],
            figures.until,
            POTS[reads][pot.kind],
            "",
            "",
            "",
            "",
            "",
            _exact(pot.closing_nanos),
            currency,
        )
        for pot in figures.pots
    ]
    return csv_file(rows)


def grouped(nanos: Nanos) -> str:
    """Write an amount with all nine decimals, so that figures stand one under the other, in groups of thousands."""
    text = format_amount(nanos, decimals_min=9)
    whole, _, decimals = text.removeprefix("-").partition(".")
    return f"{'-' if nanos < 0 else ''}{int(whole):,}.{decimals}"


def _exact(nanos: Nanos) -> str:
    """Write an amount as programs read it."""
    return format_amount(nanos)


def _facts(figures: Figures, edition: Edition, reads: str) -> Iterator[tuple[str, str]]:
    """Name whose statement it is, of when, and what it comes to."""
    words = WORDS[reads]
    yield words["organization"], figures.organization_name
    yield words["code"], figures.registration_code
    yield words["number"], edition.number or words["none"]
    since, until = (_local(text, figures.time_zone) for text in (figures.since, figures.until))
    yield words["period"], f"{since} – {until} ({figures.time_zone})"
    yield words["currency"], figures.currency.value
    yield words["opening"], grouped(figures.opening_nanos)
    yield words["closing"], grouped(figures.closing_nanos)
    if figures.due is not None:
        due = figures.due
        owed = (
            f"{grouped(due.amount_nanos)}, {words['pay_by']} {due.pay_by} ({words['contract']} {due.contract_number})"
        )
        yield words["due"], owed


def _summary(figures: Figures, reads: str) -> Table:
    """Show for each kind of account what was there, what moved by kind, and what is there."""
    words = WORDS[reads]
    pots = figures.pots
    lines = [(words["opening"], [pot.opening_nanos for pot in pots])]
    lines += [
        (KINDS[reads][kind], [by_pot.get(pot.kind, 0) for pot in pots])
        for kind, by_pot in moved_by_kind(figures).items()
    ]
    lines.append((words["charges"], [-pot.charged_nanos for pot in pots]))
    closing = [pot.closing_nanos for pot in pots]
    heads = [POTS[reads][pot.kind] for pot in pots]
    share = 76 // (len(pots) + 1)
    return Table(
        title=words["summary"],
        columns=(
            Column(words["what"], 24), *(Column(head, share, is_figure=True) for head in (*heads, words["total"]))
        ),
        rows=tuple((name, *(grouped(one) for one in amounts), grouped(sum(amounts))) for name, amounts in lines),
        total=(words["closing"], *(grouped(one) for one in closing), grouped(sum(closing))),
    )  # fmt: skip


def _movement_rows(figures: Figures, reads: str) -> Iterator[tuple[str, ...]]:
    """List movements; those beyond what a document holds in one row."""
    for one in figures.movements[:ROWS_MAX]:
        yield _local(one.recorded_at, figures.time_zone), _named(one, reads), one.reference, grouped(one.amount_nanos)
    rest = figures.movements[ROWS_MAX:]
    if rest:
        yield "", WORDS[reads]["rest"], "", grouped(sum(one.amount_nanos for one in rest))


def _named(one: Movement, reads: str) -> str:
    """Say what a movement is, on which kind of account, and of an adjustment why."""
    return " · ".join(part for part in (KINDS[reads][one.kind], POTS[reads][one.pot], one.words) if part)


def _charges(figures: Figures, reads: str, title: str, head: str, place_of: PlaceOf) -> Table:
    """Add the charges up by one thing; what is beyond what a document holds stands in one row."""
    words = WORDS[reads]
    dearest = charged_by(figures, place_of)
    rest = dearest[ROWS_MAX:]
    found = [(one.name or one.id or words["unknown"], one.call_count, one.amount_nanos) for one in dearest[:ROWS_MAX]]
    if rest:
        found.append((words["rest"], sum(one.call_count for one in rest), sum(one.amount_nanos for one in rest)))
    calls = sum(line.call_count for line in figures.charges)
    return Table(
        title=words[title],
        columns=(
            Column(words[head], 56), Column(words["calls"], 16, is_figure=True),
            Column(words["amount"], 28, is_figure=True),
        ),
        rows=tuple((name, f"{count:,}", grouped(amount)) for name, count, amount in found),
        total=(words["total"], f"{calls:,}", grouped(figures.charged_nanos)),
        words_when_empty=words["no_charges"],
    )  # fmt: skip


def notices(figures: Figures, reads: str, *, is_closed: bool, sha256: str = "") -> Iterator[str]:
    """Say what has to be known to read a statement, on paper or on a page."""
    words = WORDS[reads]
    yield words["notice"]
    if not is_closed:
        yield words["notice_preliminary"]
    if figures.corrections_nanos:
        yield words["notice_corrections"].format(amount=grouped(figures.corrections_nanos))
    late = sum(line.amount_nanos for line in figures.late_charges)
    if late:
        yield words["notice_late"].format(amount=grouped(late))
    for one in figures.movements:
        if one.words:
            day = _local(one.recorded_at, figures.time_zone)[:10]
            yield words["notice_adjusted"].format(day=day, amount=grouped(one.amount_nanos), words=one.words)
    if figures.open_hold_count:
        yield words["notice_open"].format(count=figures.open_hold_count)
    if sha256:
        yield words["notice_digest"].format(digest=sha256)


def _local(text: str, time_zone: str) -> str:
    """Write a moment to the second, as clocks of the organization showed it."""
    return f"{parse_instant(text).astimezone(zone_of(time_zone)):%Y-%m-%d %H:%M:%S}"
