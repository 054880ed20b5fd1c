"""Errors of the agreements."""

from onetoken_app.errors import BadRequest, Conflict, OneTokenError


class MissingText(OneTokenError):
    """No text of an agreement is in force; the installation is incomplete, and nobody can accept anything."""

    code = "agreement_text_missing"


class AgreementNotAccepted(BadRequest):
    """Somebody goes on without having accepted a text."""

    code = "agreement_not_accepted"


class AgreementChanged(Conflict):
    """What was accepted is not the text in force; it was replaced while it was read."""

    code = "agreement_changed"


class DeclarationMissing(BadRequest):
    """Somebody goes on without the statement that they act for the organization, or without saying as what."""

    code = "declaration_missing"
