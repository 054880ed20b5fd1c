"""A file is exactly one thing, whole, or it is refused."""

import os
import random

import pytest

from onetoken_app.verification.errors import DocumentTooLarge, SuspiciousDocument, UnknownDocumentFormat
from onetoken_app.verification.formats import DOCUMENT_BYTES_MAX, format_of
from tests.verification.files import PAGE, PDF, WHOLE, ZIP, chunk, jpeg, png, segment

MIB = 1024 * 1024


def padded_pdf(byte_count: int) -> bytes:
    """Make a whole PDF of an exact size."""
    return PDF[:9] + b"%" * (byte_count - len(PDF) - 1) + b"\n" + PDF[9:]


class TestWhole:
    @pytest.mark.parametrize(("media_type", "file"), WHOLE.items(), ids=WHOLE)
    def test_is_known_by_its_bytes(self, media_type: str, file: bytes) -> None:
        assert format_of(file) == media_type

    @pytest.mark.parametrize(
        "file",
        [
            pytest.param(PDF[:-1] + b"\r\n\r\n", id="a PDF with line breaks behind its end"),
            pytest.param(PDF + PDF[9:], id="a PDF that was changed once"),
            pytest.param(jpeg() + bytes(7) + jpeg(), id="a photograph with a smaller version behind"),
            pytest.param(jpeg(segment(0xE1, b"Exif\x00\x00" + jpeg())), id="a photograph with a preview inside"),
            pytest.param(jpeg(b"\xff\xff" + segment(0xFE, b"x")), id="a marker with a fill byte before it"),
            pytest.param(png(chunk(b"tEXt", b"Title\x00Licence")), id="a picture with a title"),
        ],
    )
    def test_usual_files_pass(self, file: bytes) -> None:
        assert format_of(file)

    def test_ten_mebibytes_pass_and_one_byte_more_is_too_large(self) -> None:
        assert format_of(padded_pdf(DOCUMENT_BYTES_MAX)) == "application/pdf"
        assert DOCUMENT_BYTES_MAX == 10 * MIB
        with pytest.raises(DocumentTooLarge):
            format_of(padded_pdf(DOCUMENT_BYTES_MAX + 1))

    def test_compressed_data_is_not_taken_for_something_else(self) -> None:
        noise = random.Random(7).randbytes(8 * MIB)
        assert format_of(png(chunk(b"noIs", noise))) == "image/png"
        assert format_of(PDF[:9] + b"stream\n" + noise + b"\nendstream\n" + PDF[9:]) == "application/pdf"


class TestOther:
    @pytest.mark.parametrize(
        "file",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"GIF89a" + bytes(20), id="a GIF"),
            pytest.param(b"MZ" + bytes(100), id="a program"),
            pytest.param(ZIP, id="an archive"),
            pytest.param(b"\n" + PDF, id="a PDF with something before it"),
            pytest.param(PAGE + PDF, id="a page before a PDF"),
        ],
    )
    def test_is_refused(self, file: bytes) -> None:
        with pytest.raises(UnknownDocumentFormat):
            format_of(file)


class TestPolyglot:
    @pytest.mark.parametrize("file", WHOLE.values(), ids=WHOLE)
    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(ZIP, id="an archive"),
            pytest.param(PAGE, id="a page"),
            pytest.param(b"<?php system($_GET[0]); ?>", id="a script of a server"),
            pytest.param(b"MZ\x90\x00" + bytes(60), id="a program"),
            pytest.param(b"x", id="one byte"),
        ],
    )
    def test_something_behind_the_end_is_refused(self, file: bytes, other: bytes) -> None:
        with pytest.raises(SuspiciousDocument):
            format_of(file + other)

    @pytest.mark.parametrize(
        "file",
        [
            pytest.param(jpeg(segment(0xFE, PAGE)), id="a page in a photograph's comment"),
            pytest.param(jpeg(segment(0xFE, PDF)), id="a PDF in a photograph's comment"),
            pytest.param(jpeg(segment(0xFE, ZIP)), id="an archive in a photograph's comment"),
            pytest.param(png(chunk(b"tEXt", b"Comment\x00" + PAGE)), id="a page in a picture's text"),
            pytest.param(png(chunk(b"zzZz", PDF)), id="a PDF in a picture's chunk"),
            pytest.param(png(chunk(b"zzZz", ZIP)), id="an archive in a picture's chunk"),
            pytest.param(PDF[:9] + b"%" + PAGE + b"\n" + PDF[9:], id="a page in a PDF's remark"),
            pytest.param(PDF[:9] + ZIP + b"\n" + PDF[9:], id="an archive that counts the rest as its comment"),
        ],
    )
    def test_something_in_the_middle_is_refused(self, file: bytes) -> None:
        with pytest.raises(SuspiciousDocument):
            format_of(file)

    @pytest.mark.parametrize("word", [b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/RichMedia"])
    def test_a_pdf_that_acts_is_refused(self, word: bytes) -> None:
        with pytest.raises(SuspiciousDocument, match="plain PDF"):
            format_of(PDF.replace(b"/Type/Catalog", b"/Type/Catalog/OpenAction<</S" + word + b">>"))


class TestNotWhole:
    @pytest.mark.parametrize("file", WHOLE.values(), ids=WHOLE)
    def test_a_file_that_is_cut_off_anywhere_is_refused(self, file: bytes) -> None:
        for end in range(8, len(file) - 1):
            with pytest.raises(SuspiciousDocument):
                format_of(file[:end])

    def test_a_wrong_checksum_is_refused(self) -> None:
        file = bytearray(png())
        file[40] ^= 1
        with pytest.raises(SuspiciousDocument):
            format_of(bytes(file))

    def test_a_version_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(SuspiciousDocument):
            format_of(PDF.replace(b"%PDF-1.4", b"%PDF-9.9"))

    @pytest.mark.parametrize("file", WHOLE.values(), ids=WHOLE)
    def test_garbage_behind_a_right_beginning_is_refused(self, file: bytes) -> None:
        with pytest.raises(SuspiciousDocument):
            format_of(file[:8] + os.urandom(2_000))
