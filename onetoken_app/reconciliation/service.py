"""Imports what upstreams billed, each file once."""

import hashlib
from dataclasses import dataclass
from datetime import date

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.service import Actor
from onetoken_app.catalog.models import Channel
from onetoken_app.errors import NotFound
from onetoken_app.money import NANOS_MAX
from onetoken_app.organizations.time_zones import zone_of
from onetoken_app.reconciliation.bill_file import Billed, BilledPlace, read_bill
from onetoken_app.reconciliation.errors import BadBill
from onetoken_app.reconciliation.models import UpstreamBill, UpstreamBillLine


@dataclass(frozen=True, slots=True)
class ImportedBill:
    """What became of a file."""

    bill_id: int
    is_new: bool
    """False: this very file was imported before, and nothing was changed."""
    line_count: int
    first_on: date
    last_on: date


async def import_bill(
    session: AsyncSession, content: bytes, *, channel_name: str, time_zone: str, actor: Actor
) -> ImportedBill:
    """Import a file for a channel, all of it or nothing. The same file again changes nothing.

    A day that an earlier bill of the channel named counts as the later one says, with all its models.

    Args:
        session: Open unit of work; the caller commits.
        content: The file.
        channel_name: Whose bill it is.
        time_zone: In which its days are cut.
        actor: Who imports it.

    Raises:
        NotFound: There is no such channel.
        BadRequest: The time zone is unknown.
        BadBill: The file, or lines of it, cannot be read.
    """
    zone_of(time_zone)
    channel = (await session.exec(select(Channel).where(Channel.name == channel_name))).first()
    if channel is None:
        raise NotFound(f"There is no channel {channel_name!r}; nothing was imported.")
    sha256 = hashlib.sha256(content).hexdigest()
    known = select(UpstreamBill).where(UpstreamBill.channel_id == channel.id, UpstreamBill.sha256 == sha256)
    bill = (await session.exec(known)).first()
    if bill is not None:
        return _imported(bill, is_new=False)
    file = read_bill(content)
    if any(abs(sums.cost_nanos) > NANOS_MAX for sums in file.billed.values()):
        raise BadBill(["the costs of a day and model add up to more than an amount can hold"])
    days = [place.day for place in file.billed]
    bill = UpstreamBill(
        channel_id=channel.id,
        sha256=sha256,
        time_zone=time_zone,
        first_on=min(days),
        last_on=max(days),
        line_count=file.line_count,
        imported_at=clock.utc_now(),
    )
    session.add(bill)
    await session.flush()
    imported = _imported(bill, is_new=True)
    session.add_all(_line(imported.bill_id, place, sums) for place, sums in file.billed.items())
    await audit.record(
        session,
        actor=actor,
        action="upstream_bill_imported",
        subject_id=str(imported.bill_id),
        facts={"channel_id": channel.id, "sha256": sha256, "lines": file.line_count},
    )
    return imported


def _line(bill_id: int, place: BilledPlace, sums: Billed) -> UpstreamBillLine:
    """Make a row."""
    return UpstreamBillLine(
        bill_id=bill_id,
        day=place.day,
        upstream_model=place.upstream_model,
        currency=place.currency,
        request_count=sums.request_count,
        input_tokens=sums.input_tokens,
        output_tokens=sums.output_tokens,
        cost_nanos=sums.cost_nanos,
    )


def _imported(bill: UpstreamBill, *, is_new: bool) -> ImportedBill:
    """Say what is on file."""
    if bill.id is None:
        message = "a flushed row has its number"
        raise AssertionError(message)
    return ImportedBill(bill.id, is_new, bill.line_count, bill.first_on, bill.last_on)
