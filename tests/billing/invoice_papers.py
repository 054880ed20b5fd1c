"""Files as invoicing systems make them: small, whole, of each format."""

import io
import zipfile

from tests.verification.files import PDF


def an_ofd(*, root: str = "OFD.xml") -> bytes:
    """Make an archive with the root that an OFD has."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr(root, '<?xml version="1.0"?><OFD/>')
    return written.getvalue()


XML = '<?xml version="1.0" encoding="UTF-8"?><EInvoice><金额>1.00</金额></EInvoice>\n'.encode()
PAPERS = {"application/pdf": PDF, "application/ofd": an_ofd(), "application/xml": XML}
