"""What an invoice's file is, by its bytes: PDF, OFD or XML, as invoicing systems make them. Pure.

They come from the operator's own finance and leave as attachments alone, so nothing is drawn or parsed here; a file has
to begin and end as its format does, and may not be a page that a browser would run.
"""

import re
import zipfile
from io import BytesIO

from onetoken_app.billing.errors import InvoiceFileTooLarge, UnknownInvoiceFile
from onetoken_app.billing.models import InvoiceFileFormat

FILE_BYTES_MAX = 10 * 1024 * 1024
TOO_LARGE = InvoiceFileTooLarge("An invoice's file has at most 10 MiB; nothing was added.")
_OFD_ENTRY = "OFD.xml"
_OFD_ENTRIES_MAX = 2000
_PDF_ACTIONS = re.compile(rb"/(?:JavaScript|Launch|RichMedia)")
_PDF_END = re.compile(rb"startxref\s+\d+\s+%%EOF\s*\Z")
_XML_REFUSED = re.compile(rb"<!DOCTYPE|<!ENTITY|<\?xml-stylesheet|<(?:\w+:)?(?:script|html|svg)[\s>]", re.IGNORECASE)
_TAIL_BYTES = 1024


def format_of(file: bytes) -> InvoiceFileFormat:
    """Say what a file is.

    Raises:
        InvoiceFileTooLarge: It has more than ``FILE_BYTES_MAX`` bytes.
        UnknownInvoiceFile: It is no whole PDF, OFD or XML, or would act when it is opened.
    """
    if len(file) > FILE_BYTES_MAX:
        raise TOO_LARGE
    if file.startswith(b"%PDF-"):
        is_good, found = _is_good_pdf(file), InvoiceFileFormat.PDF
    elif file.startswith(b"PK\x03\x04"):
        is_good, found = _is_good_ofd(file), InvoiceFileFormat.OFD
    else:
        is_good, found = _is_good_xml(file), InvoiceFileFormat.XML
    if not is_good:
        raise UnknownInvoiceFile("This is no whole PDF, OFD or XML file of an invoice; nothing was added.")
    return found


def _is_good_pdf(file: bytes) -> bool:
    """Whether a PDF has its end, and nothing that acts."""
    return bool(_PDF_END.search(file, max(0, len(file) - _TAIL_BYTES))) and not _PDF_ACTIONS.search(file)


def _is_good_ofd(file: bytes) -> bool:
    """Whether a file is an archive from its first byte to its last, with the root of an OFD."""
    try:
        with zipfile.ZipFile(BytesIO(file)) as archive:
            entries = archive.infolist()
            end = len(file) - len(archive.comment) - 22
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False
    is_whole = file.startswith(b"PK\x05\x06", end) if end > 0 else False
    return is_whole and len(entries) <= _OFD_ENTRIES_MAX and any(one.filename == _OFD_ENTRY for one in entries)


def _is_good_xml(file: bytes) -> bool:
    """Whether a file is XML in UTF-8 or GB 18030 without a document type, a style sheet or a page in it."""
    text = file.removeprefix(b"\xef\xbb\xbf")
    return text.startswith(b"<?xml ") and text.rstrip().endswith(b">") and not _XML_REFUSED.search(text)
