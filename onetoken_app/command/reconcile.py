"""Imports what upstreams billed, and says where it is not what we counted."""

from datetime import date

from onetoken_app.audit import service as audit
from onetoken_app.catalog.queries import channels
from onetoken_app.command.failure import CommandFailed
from onetoken_app.database import begin_snapshot, read_session, unit_of_work
from onetoken_app.money import format_amount
from onetoken_app.reconciliation.queries import BillStanding, ComparedView, SideView, compare
from onetoken_app.reconciliation.service import ImportedBill, import_bill


async def import_bill_file(content: bytes, *, channel: str, time_zone: str) -> ImportedBill:
    """Import a file as the operator."""
    async with unit_of_work() as session:
        return await import_bill(session, content, channel_name=channel, time_zone=time_zone, actor=audit.OPERATOR)


async def compare_days(*, since: str, until: str, channel: str | None) -> list[ComparedView]:
    """Compare both sides.

    Raises:
        CommandFailed: A day cannot be read, or there is no such channel.
    """
    first, last = _day(since), _day(until)
    async with read_session() as session:
        await begin_snapshot(session)
        channel_id = None
        if channel is not None:
            channel_id = {one.name: one.id for one in await channels(session)}.get(channel)
            if channel_id is None:
                message = f"there is no channel {channel!r}"
                raise CommandFailed(message)
        return await compare(session, since=first, until=last, channel_id=channel_id)


def is_difference(line: ComparedView) -> bool:
    """Whether somebody has to look: a day without a bill is not one yet, one without our rows is none any more."""
    return line.standing not in {BillStanding.SAME, BillStanding.NO_BILL, BillStanding.NO_LONGER_KEPT}


def compared_words(line: ComparedView) -> str:
    """Say one line."""
    currency = line.currency.value if line.currency else ""
    sides = f"ours {_side(line.ours)}, billed {_side(line.billed)}"
    unknown = f", {line.unknown_cost_count} of ours without a known cost" if line.unknown_cost_count else ""
    failed = f", {line.failed_count} failed attempts" if line.failed_count else ""
    difference = line.cost_difference_nanos
    above = f", billed above ours {format_amount(difference)}" if difference else ""
    name = f"{line.day} {line.channel_name} {line.upstream_model or 'an unknown model'}"
    return f"{line.standing.value}: {name}: {sides} {currency}".rstrip() + above + unknown + failed


def compared_object(line: ComparedView) -> dict[str, object]:
    """Return one line for a program; costs are text."""
    difference = line.cost_difference_nanos
    return {
        "day": str(line.day),
        "channel": line.channel_name,
        "model": line.upstream_model,
        "currency": line.currency.value if line.currency else None,
        "standing": line.standing.value,
        "ours": _side_object(line.ours),
        "billed": _side_object(line.billed),
        "cost_difference": None if difference is None else format_amount(difference),
        "unknown_cost_count": line.unknown_cost_count,
        "failed_count": line.failed_count,
    }


def _side(side: SideView | None) -> str:
    """Say one side."""
    if side is None:
        return "nothing"
    tokens = f"{side.input_tokens} in and {side.output_tokens} out"
    return f"{side.request_count} requests, {tokens}, {format_amount(side.cost_nanos)}"


def _side_object(side: SideView | None) -> dict[str, object] | None:
    """Return one side for a program."""
    if side is None:
        return None
    return {
        "requests": side.request_count,
        "input_tokens": side.input_tokens,
        "output_tokens": side.output_tokens,
        "cost": format_amount(side.cost_nanos),
    }


def _day(text: str) -> date:
    """Read a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{text}: a day is written like 2026-11-27"
        raise CommandFailed(message) from None
