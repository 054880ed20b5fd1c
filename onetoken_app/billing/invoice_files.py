"""Files of what was issued: an invoice or a red letter as the invoicing system made it, for its organization to keep.

Sealed as documents of verifications are. One file of each format stands for a paper; another one replaces it, and the
audit log keeps the SHA-256 of both. They are never purged: the law asks for tax records to be kept for longer than any
other, and the organization may have lost its mail.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.billing.errors import InvoiceChanged, IssuerInvolved
from onetoken_app.billing.invoice_formats import format_of
from onetoken_app.billing.invoiceable import lock_invoicing
from onetoken_app.billing.invoicing import audit_invoice
from onetoken_app.billing.models import (
    Invoice,
    InvoiceFile,
    InvoiceFileFormat,
    InvoiceState,
    RedLetter,
    SealedInvoiceFile,
)
from onetoken_app.errors import NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.organizations.queries import members_of
from onetoken_app.verification.sealing import checked_name, open_file, seal_file

_HAS_PAPER = (InvoiceState.ISSUED, InvoiceState.RED_LETTERED)


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file that was examined and sealed."""

    id: str
    name: str
    format: InvoiceFileFormat
    byte_count: int
    sha256: str
    key_sealed: bytes = field(repr=False)
    bytes_sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class InvoiceFileView:
    """A file, unopened."""

    id: str
    invoice_id: str
    organization_id: str
    paper_id: str
    """The invoice itself, or the red letter that it is of."""
    name: str
    format: InvoiceFileFormat
    byte_count: int
    uploaded_at: datetime


def prepare_file(file: bytes, *, key_encryption_key: bytes, name: str) -> PreparedFile:
    """Examine a file and seal it; slow enough to run in a thread.

    Raises:
        BadRequest: The name cannot be used.
        InvoiceFileTooLarge: It is over the limit.
        UnknownInvoiceFile: It is no PDF, OFD or XML, or not whole.
    """
    file_id = new_id(Kind.INVOICE_FILE)
    sealed = seal_file(file, place=_place(file_id), key_encryption_key=key_encryption_key)
    return PreparedFile(
        id=file_id,
        name=checked_name(name),
        format=format_of(file),
        byte_count=len(file),
        sha256=hashlib.sha256(file).hexdigest(),
        key_sealed=sealed.key_sealed,
        bytes_sealed=sealed.bytes_sealed,
    )


async def refuse_stranger_to_paper(session: AsyncSession, *, invoice_id: str, paper_id: str, person_id: str) -> Invoice:
    """Return the invoice whose paper somebody of finance may put a file to.

    Raises:
        InvoiceChanged: It is not issued.
        IssuerInvolved: They asked for it or belong to the organization.
        NotFound: There is no such invoice, or the red letter is not of it.
    """
    invoice = await session.get(Invoice, invoice_id)
    letter = None if paper_id == invoice_id else await session.get(RedLetter, paper_id)
    if invoice is None or (paper_id != invoice_id and (letter is None or letter.invoice_id != invoice_id)):
        raise NotFound("There is no such invoice.")
    if invoice.state not in _HAS_PAPER:
        raise InvoiceChanged("The invoice is not issued; nothing was added.")
    members = {member.person_id for member in await members_of(session, invoice.organization_id)}
    if person_id in members | {invoice.requested_by}:
        raise IssuerInvolved("You requested this invoice or belong to the organization; a colleague has to do it.")
    return invoice


async def add_file(
    session: AsyncSession, *, invoice_id: str, paper_id: str, file: PreparedFile, uploaded_by: str
) -> str:
    """Put a file to an issued invoice or to one of its red letters; return the file's id.

    The same bytes again are the file that is there. Another file of the format takes the place of the one before.

    Args:
        session: Open unit of work; the caller commits. Others who invoice for the organization wait.
        invoice_id: Which invoice.
        paper_id: The invoice itself, or one of its red letters.
        file: Of ``prepare_file``.
        uploaded_by: Who of finance; has the role, as the edge checked.

    Raises:
        InvoiceChanged, IssuerInvolved, NotFound: As ``refuse_stranger_to_paper``.
    """
    invoice = await refuse_stranger_to_paper(session, invoice_id=invoice_id, paper_id=paper_id, person_id=uploaded_by)
    await lock_invoicing(session, invoice.organization_id)
    invoice = await session.get_one(Invoice, invoice_id, with_for_update=True, populate_existing=True)
    query = select(InvoiceFile).where(InvoiceFile.paper_id == paper_id, InvoiceFile.format == file.format)
    before = (await session.exec(query)).first()
    if before is not None and before.sha256 == file.sha256:
        return before.id
    if before is not None:
        await session.exec(delete(SealedInvoiceFile).where(col(SealedInvoiceFile.file_id) == before.id))
        await session.delete(before)
        await session.flush()
    row = InvoiceFile(
        id=file.id,
        invoice_id=invoice_id,
        paper_id=paper_id,
        name=file.name,
        format=file.format,
        byte_count=file.byte_count,
        sha256=file.sha256,
        uploaded_by=uploaded_by,
        uploaded_at=clock.utc_now(),
    )
    session.add(row)
    await session.flush()
    session.add(SealedInvoiceFile(file_id=file.id, key_sealed=file.key_sealed, bytes_sealed=file.bytes_sealed))
    invoice.revision += 1
    facts = {"paper_id": paper_id, "sha256": file.sha256, "replaced_sha256": before.sha256 if before else ""}
    await audit_invoice(session, invoice, action="invoice_file_added", actor_id=uploaded_by, facts=facts)
    await session.flush()
    return file.id


async def files_of(session: AsyncSession, invoice_ids: list[str]) -> list[InvoiceFileView]:
    """Return the files of some invoices and of their red letters, first to last."""
    query = (
        select(InvoiceFile, Invoice.organization_id)
        .join(Invoice, col(Invoice.id) == col(InvoiceFile.invoice_id))
        .where(col(InvoiceFile.invoice_id).in_(invoice_ids))
        .order_by(col(InvoiceFile.uploaded_at), InvoiceFile.id)
    )
    return [_view(row, organization_id) for row, organization_id in (await session.exec(query)).all()]


async def file_view(session: AsyncSession, file_id: str) -> InvoiceFileView | None:
    """Return what is known of a file without opening it."""
    row = await session.get(InvoiceFile, file_id)
    if row is None:
        return None
    invoice = await session.get_one(Invoice, row.invoice_id)
    return _view(row, invoice.organization_id)


async def opened_file(session: AsyncSession, file_id: str, *, key_encryption_key: bytes) -> bytes | None:
    """Return a file's bytes; ``None``: another took its place meanwhile.

    Raises:
        CannotUnseal: Another key-encryption key, or tampered with.
    """
    row = await session.get(SealedInvoiceFile, file_id)
    if row is None:
        return None
    return await asyncio.to_thread(
        open_file,
        place=_place(file_id),
        key_sealed=row.key_sealed,
        bytes_sealed=row.bytes_sealed,
        key_encryption_key=key_encryption_key,
    )


def _place(file_id: str) -> str:
    """Name the row that a ciphertext belongs to."""
    return f"billing_sealed_invoice_file:{file_id}"


def _view(row: InvoiceFile, organization_id: str) -> InvoiceFileView:
    """Copy a row."""
    copied = set(InvoiceFileView.__slots__) - {"organization_id"}
    return InvoiceFileView(organization_id=organization_id, **{name: getattr(row, name) for name in copied})
