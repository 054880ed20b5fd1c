"""Small whole files of each format, and what can be wrong with them."""

import struct
import zlib

PDF = (
    b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    b"2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n"
    b"xref\n0 3\ntrailer\n<</Size 3/Root 1 0 R>>\nstartxref\n120\n%%EOF\n"
)
ZIP = b"PK\x03\x04rest" + b"PK\x05\x06" + bytes(18)
PAGE = b"<html><script>alert(1)</script></html>"


def chunk(kind: bytes, inside: bytes) -> bytes:
    """Write one chunk of a PNG."""
    return struct.pack(">I", len(inside)) + kind + inside + struct.pack(">I", zlib.crc32(kind + inside))


def segment(marker: int, inside: bytes) -> bytes:
    """Write one segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(inside) + 2) + inside


def png(*more: bytes) -> bytes:
    """Make a picture of one grey pixel, with further chunks."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\x00\x80")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg(*more: bytes) -> bytes:
    """Make what has the shape of a photograph, with further segments before the scan."""
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd0\x56"
    return b"\xff\xd8" + segment(0xE0, b"JFIF\x00\x01\x01") + b"".join(more) + scan + b"\xff\xd9"


WHOLE = {"application/pdf": PDF, "image/png": png(), "image/jpeg": jpeg()}
