"""Errors of the case file."""

from onetoken_app.errors import BadRequest, Conflict, Forbidden, PayloadTooLarge, UnsupportedMediaType
from onetoken_app.verification.models import MissingPart


class VerificationIncomplete(BadRequest):
    """Something that a decision needs is not there; ``missing`` names it."""

    code = "verification_incomplete"

    def __init__(self, missing: tuple[MissingPart, ...]) -> None:
        """Name what is missing."""
        super().__init__("Something is missing; nothing was submitted. Complete what is marked and submit again.")
        self.missing = missing


class SeparationOfDuties(Forbidden):
    """Who submitted, or belongs to the organization, does not decide."""

    code = "separation_of_duties"


class ConsentNotOnFile(Conflict):
    """The organization serves the general public, and the operator has not consented in writing."""

    code = "consent_not_on_file"


class DocumentTooLarge(PayloadTooLarge):
    """The file is over the limit."""

    code = "document_too_large"


class UnknownDocumentFormat(UnsupportedMediaType):
    """The file is no PDF, JPEG or PNG, or another one than it claims to be."""

    code = "document_format"


class SuspiciousDocument(BadRequest):
    """The file is not whole, is two things at once, or would do something when it is opened."""

    code = "suspicious_document"


class TooManyDocuments(Conflict):
    """The case holds as many documents as it may."""

    code = "too_many_documents"


class DocumentApproved(Conflict):
    """The organization's approval rests on the document."""

    code = "document_approved"
