"""What a file really is: read from its bytes, whole, from the first to the last, and nothing else besides. Pure.

A file that is two things at once (a polyglot) is one thing to whoever checks it and another to whoever opens it. So a
file has to begin as its format begins, hold together in the middle, and end where its format ends; and it may not carry
the marks of another format that are read wherever they stand.
"""

import re
import struct
import zlib

from onetoken_app.verification.errors import DocumentTooLarge, SuspiciousDocument, UnknownDocumentFormat
from onetoken_app.verification.models import DocumentFormat

DOCUMENT_BYTES_MAX = 10 * 1024 * 1024
_BEGINNINGS = {
    b"%PDF-": DocumentFormat.PDF,
    b"\xff\xd8\xff": DocumentFormat.JPEG,
    b"\x89PNG\r\n\x1a\n": DocumentFormat.PNG,
}
_MARKS_OF_PAGES = re.compile(rb"<script[\s>]|<html[\s>]|<!doctype html|<svg[\s>]|<iframe[\s>]|<\?php", re.IGNORECASE)
_MARKS_OF_ACTION = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFile|RichMedia)")
"""Long enough that compressed data does not hold one by chance."""
_PDF_VERSION = re.compile(rb"%PDF-(?:1\.[0-7]|2\.0)[\s\x80-\xff%]")
_PDF_END = re.compile(rb"startxref\s+\d+\s+%%EOF\s*\Z")
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL_BYTES = 65_535 + 22
_PNG_CHUNK_OVERHEAD_BYTES = 12
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
_JPEG_END, _JPEG_SCAN = 0xD9, 0xDA


def format_of(file: bytes) -> DocumentFormat:
    """Say what a file is.

    Raises:
        DocumentTooLarge: It has more than ``DOCUMENT_BYTES_MAX`` bytes.
        UnknownDocumentFormat: It does not begin as a PDF, JPEG or PNG.
        SuspiciousDocument: It is not whole, carries another format, or would act when it is opened.
    """
    if len(file) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLarge("A document has at most 10 MiB. Scan it with less detail, or split it.")
    found = next((kind for beginning, kind in _BEGINNINGS.items() if file.startswith(beginning)), None)
    if found is None:
        raise UnknownDocumentFormat("This file is no PDF, JPEG or PNG. Export or scan the document as one of them.")
    if _is_two_things(file, found):
        raise SuspiciousDocument("This file holds more than the document. Print or scan it anew as a PDF, JPEG or PNG.")
    if not _IS_WHOLE[found](file):
        raise SuspiciousDocument("This file is damaged, cut off, or has something behind its end. Export it anew.")
    if found is DocumentFormat.PDF and _MARKS_OF_ACTION.search(file):
        raise SuspiciousDocument("This PDF holds scripts or other files. Print it to a plain PDF and upload that.")
    return found


def _is_two_things(file: bytes, found: DocumentFormat) -> bool:
    """Whether a file carries what other readers would take it for."""
    if file.rfind(_ZIP_END, -_ZIP_TAIL_BYTES) >= 0 or _MARKS_OF_PAGES.search(file):
        return True
    return found is not DocumentFormat.PDF and b"%PDF-" in file


def _is_whole_pdf(file: bytes) -> bool:
    """Whether a file has a version that exists, and ends with the end of a PDF."""
    return bool(_PDF_VERSION.match(file) and _PDF_END.search(file, max(0, len(file) - 256)))


def _is_whole_png(file: bytes) -> bool:
    """Whether a file is chunks with right checksums, from IHDR to IEND, and nothing behind."""
    position, kinds = 8, []
    while position + _PNG_CHUNK_OVERHEAD_BYTES <= len(file):
        length, kind = struct.unpack_from(">I4s", file, position)
        end = position + _PNG_CHUNK_OVERHEAD_BYTES + length
        if end > len(file):
            return False
        (checksum,) = struct.unpack_from(">I", file, end - 4)
        if zlib.crc32(memoryview(file)[position + 4 : end - 4]) != checksum:
            return False
        kinds.append(kind)
        position = end
        if kind == b"IEND":
            break
    return position == len(file) and kinds[:1] == [b"IHDR"] and kinds[-1:] == [b"IEND"] and b"IDAT" in kinds


def _is_whole_jpeg(file: bytes) -> bool:
    """Whether a file is one picture after another and nothing else; cameras add smaller versions behind the first."""
    position = 0
    while file.startswith(b"\xff\xd8\xff", position):
        end = _end_of_jpeg(file, position + 2)
        if end is None:
            return False
        position = end
        while file.startswith(b"\x00", position):
            position += 1
    return position == len(file)


def _end_of_jpeg(file: bytes, position: int) -> int | None:
    """Follow a picture's segments to the byte behind its end; ``None``: it has none, or no scan."""
    has_scan = False
    while position + 2 <= len(file) and file[position] == 0xFF:
        marker = file[position + 1]
        position += 2 if marker != 0xFF else 1  # a marker may be preceded by any number of FF
        if marker == _JPEG_END:
            return position if has_scan else None
        if marker in _JPEG_ALONE or marker == 0xFF:
            continue
        if marker in {0x00, 0xD8} or position + 2 > len(file):
            return None
        (length,) = struct.unpack_from(">H", file, position)
        position += max(length, 2)
        if marker == _JPEG_SCAN:
            has_scan = True
            position = _behind_scan(file, position)
    return None


_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


def _behind_scan(file: bytes, position: int) -> int:
    """Skip compressed picture data, in which an FF is followed by 00 or a restart marker."""
    found = _NEXT_MARKER.search(file, position)
    return found.start() if found else len(file)


_IS_WHOLE = {
    DocumentFormat.PDF: _is_whole_pdf,
    DocumentFormat.JPEG: _is_whole_jpeg,
    DocumentFormat.PNG: _is_whole_png,
}
