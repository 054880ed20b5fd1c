"""Errors of the agreements."""

from onetoken_app.errors import Forbidden, OneTokenError


class MissingText(OneTokenError):
    """No text of an agreement is in force; the installation is incomplete, and nobody can accept anything."""

    code = "agreement_text_missing"


class AgreementOutstanding(Forbidden):
    """The organization has not accepted what is in force now."""

    code = "agreement_outstanding"
