"""Invoices as finance reads them: with who asked, who has it in hand, and what the reader may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from onetoken_app.billing.models import InvoiceState
from onetoken_app.billing.queries import InvoiceView, OwedRedLettersView
from onetoken_app.console.shown.amounts import ShownAmount, shown_amount
from onetoken_app.console.shown.invoices import ShownInvoice, shown_invoice
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.money import format_amount


class InvoiceStep(StrEnum):
    """What a member of finance may do about an invoice."""

    DECIDE = "decide"
    """Issue it, or refuse it."""
    REVERSE = "reverse"
    """Enter a red letter."""
    ABSTAIN = "abstain"
    """Nothing: they asked for it, or belong to the organization."""
    NOTHING = "nothing"
    """Nothing is left to be done about it."""


@dataclass(frozen=True, slots=True)
class ShownDeskInvoice:
    """An invoice, to finance."""

    id: str = ""
    revision: int = 0
    organization: str = ""
    """Its name today; the title is that of the day on which it asked."""
    invoice: ShownInvoice = field(default_factory=ShownInvoice)
    requested_by: str = ""
    handled_by: str = ""
    handled: str = ""
    is_taken: bool = False
    is_own: bool = False
    """Whether it is the reader who took it."""
    left: ShownAmount = field(default_factory=ShownAmount)
    """What of it is not reversed."""
    left_typed: str = ""
    """The same as one types it."""
    step: str = ""
    may_take_files: bool = False
    """Whether the reader may put files to it."""


@dataclass(frozen=True, slots=True)
class ShownOwedLetters:
    """An organization that has more invoiced than is still paid."""

    organization: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)


@dataclass(frozen=True, slots=True)
class DeskReader:
    """For whom invoices are shown."""

    person_id: str
    own_organizations: frozenset[str]
    """Whose members they are."""
    locale: str
    """Of data sheets."""
    time_zone: str
    """Of every moment."""


@dataclass(frozen=True, slots=True)
class DeskNames:
    """What ids stand for; what is not in it stays unnamed."""

    people: Mapping[str, str]
    organizations: Mapping[str, str]
    orders: Mapping[str, str] = field(default_factory=dict)
    """Reference codes."""


def shown_desk_invoice(view: InvoiceView, *, names: DeskNames, reader: DeskReader) -> ShownDeskInvoice:
    """Show an invoice to finance."""
    return ShownDeskInvoice(
        id=view.id,
        revision=view.revision,
        organization=names.organizations.get(view.organization_id, view.title),
        invoice=shown_invoice(view, references=names.orders, locale=reader.locale, time_zone=reader.time_zone),
        requested_by=names.people.get(view.requested_by, ""),
        handled_by=names.people.get(view.handled_by or "", ""),
        handled=shown_minute(view.handled_at, reader.time_zone),
        is_taken=view.state is InvoiceState.IN_WORK,
        is_own=view.handled_by == reader.person_id,
        left=shown_amount(view.left_nanos, view.currency),
        left_typed=format_amount(view.left_nanos),
        step=_step(view, reader).value,
        may_take_files=view.number is not None and not _is_involved(view, reader),
    )


def shown_owed_letters(view: OwedRedLettersView, *, organizations: Mapping[str, str]) -> ShownOwedLetters:
    """Show what has to be reversed."""
    name = organizations.get(view.organization_id, view.organization_id)
    return ShownOwedLetters(name, shown_amount(view.amount_nanos, view.currency))


def _step(view: InvoiceView, reader: DeskReader) -> InvoiceStep:
    """Judge what somebody of finance may do about an invoice; the billing room decides."""
    steps = {
        InvoiceState.REQUESTED: InvoiceStep.DECIDE,
        InvoiceState.IN_WORK: InvoiceStep.DECIDE,
        InvoiceState.ISSUED: InvoiceStep.REVERSE,
    }
    step = steps.get(view.state, InvoiceStep.NOTHING)
    return InvoiceStep.ABSTAIN if _is_involved(view, reader) and step is not InvoiceStep.NOTHING else step


def _is_involved(view: InvoiceView, reader: DeskReader) -> bool:
    """Whether the reader asked for it or belongs to the organization."""
    return view.organization_id in reader.own_organizations or view.requested_by == reader.person_id
