"""What an invoice's file is, by its bytes."""

import pytest

from onetoken_app.billing.errors import InvoiceFileTooLarge, UnknownInvoiceFile
from onetoken_app.billing.invoice_formats import FILE_BYTES_MAX, format_of
from tests.billing.invoice_papers import PAPERS, XML, an_ofd
from tests.verification.files import PDF


class TestFormatOf:
    @pytest.mark.parametrize(("media_type", "file"), PAPERS.items(), ids=PAPERS)
    def test_knows_what_invoicing_systems_make(self, media_type: str, file: bytes) -> None:
        assert format_of(file).value == media_type

    @pytest.mark.parametrize(
        "file",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"MZ\x90\x00", id="a program"),
            pytest.param(PDF[:-8], id="a PDF that is cut off"),
            pytest.param(PDF.replace(b"%%EOF", b"/JavaScript %%EOF"), id="a PDF that acts"),
            pytest.param(an_ofd(root="word/document.xml"), id="another archive"),
            pytest.param(an_ofd() + b"<html>", id="an archive with something behind its end"),
            pytest.param(b"\x00" + an_ofd(), id="an archive with something before it"),
            pytest.param(XML[:-5], id="XML that is cut off"),
            pytest.param(XML.replace(b"<EInvoice>", b"<!DOCTYPE a><EInvoice>"), id="XML with a document type"),
            pytest.param(XML.replace(b"<EInvoice>", b"<EInvoice><x:script >"), id="XML with a script"),
            pytest.param(b"<html></html>", id="a page"),
        ],
    )
    def test_refuses_everything_else(self, file: bytes) -> None:
        with pytest.raises(UnknownInvoiceFile):
            format_of(file)

    def test_refuses_a_byte_above_the_limit(self) -> None:
        with pytest.raises(InvoiceFileTooLarge):
            format_of(b"%PDF-" + bytes(FILE_BYTES_MAX - 4))
