"""Errors of billing."""

from onetoken_app.errors import BadRequest, Conflict, Forbidden, PayloadTooLarge, UnsupportedMediaType
from onetoken_app.payments.errors import AmountRefused


class InvoiceAmountRefused(AmountRefused):
    """The amount is none that can stand on an invoice."""

    code = "invoice_amount_refused"


class InvoiceTooLarge(Conflict):
    """More than was paid and is not invoiced yet."""

    code = "invoice_too_large"


class InvoiceKindRefused(BadRequest):
    """An invoice of this kind is not for this organization."""

    code = "invoice_kind_refused"


class OrderNotInvoiceable(Conflict):
    """A chosen order is not credited, or stands on another invoice."""

    code = "order_not_invoiceable"


class InvoiceChanged(Conflict):
    """The invoice is no longer as it was on the screen, or no longer in a state that allows it."""

    code = "invoice_changed"


class InvoiceNumberUsed(Conflict):
    """The number stands on another invoice or red letter."""

    code = "invoice_number_used"


class ContractChanged(Conflict):
    """The contract is no longer as it was on the screen."""

    code = "contract_changed"


class IssuerInvolved(Forbidden):
    """Who belongs to the organization or asked for the invoice does not decide about it."""

    code = "issuer_involved"


class InvoiceFileTooLarge(PayloadTooLarge):
    """The file is over the limit."""

    code = "invoice_file_too_large"


class UnknownInvoiceFile(UnsupportedMediaType):
    """The file is no whole PDF, OFD or XML, or would act when it is opened."""

    code = "invoice_file_format"
