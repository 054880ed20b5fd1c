"""English of statements and invoices."""

from collections.abc import Mapping

BILLING_ENGLISH: Mapping[str, str] = {
    "billing_cycle.monthly": "Each month",
    "billing_cycle.quarterly": "Each quarter",
    "buyer_detail.bank_account": "Bank account number",
    "buyer_detail.bank_name": "Bank",
    "buyer_detail.phone": "Phone",
    "buyer_detail.registered_address": "Registered address",
    "error.contract_changed": "Somebody changed this contract since you opened it. Nothing was done. Look again.",
    "error.invalid_request_amount": "Name either an amount or 1 to 100 top-ups. Nothing was requested.",
    "error.invalid_request_bank_account": "The bank account number has at most 64 characters.",
    "error.invalid_request_bank_name": "The bank's name has at most 120 characters.",
    "error.invalid_request_phone": "The phone number has at most 40 characters.",
    "error.invalid_request_registered_address": "The address has at most 300 characters on one line.",
    "error.invoice_amount_refused": (
        "Write the amount as a plain number above 0 with at most two decimals. Nothing was done."
    ),
    "error.invoice_changed": "Somebody changed this, is issuing it, or decided it. Nothing was changed. Look again.",
    "error.invoice_kind_refused": "An invoice of this kind is not for your organization. Nothing was requested.",
    "error.invoice_number_used": "This number stands on another invoice or red letter. Nothing was entered.",
    "error.invoice_too_large": "This is more than can be invoiced or reversed. Nothing was done.",
    "error.issuer_involved": "You requested this or belong to the organization. A colleague has to do it.",
    "error.order_not_invoiceable": (
        "A chosen top-up is not credited or stands on another invoice. Nothing was requested."
    ),
    "error.reckoned_too_often": "You had this month reckoned many times just now. Try again in some seconds.",
    "error.statement_damaged": "This statement is not what was closed. It is not shown; please tell us.",
    "invoice.in_work": "Being issued",
    "invoice.issued": "Issued",
    "invoice.partly_reversed": "Reversed in part",
    "invoice.red_lettered": "Reversed",
    "invoice.refused": "Refused",
    "invoice.requested": "Requested",
    "invoice.withdrawn": "Withdrawn",
    "invoice_by.amount": "An amount",
    "invoice_by.orders": "Top-ups by name",
    "invoice_file.files": "Files",
    "invoice_file.hint": (
        "PDF, OFD or XML, at most 10 MiB. Stored encrypted; every look at it is recorded. Another file of the same "
        "format replaces the one before."
    ),
    "invoice_file.of": "File of",
    "invoice_file.title": "Add the issued file",
    "invoice_file.too_large": "This file is over 10 MiB. Nothing was added.",
    "invoice_file.wrong_format": "This is no whole PDF, OFD or XML file of an invoice. Nothing was added.",
    "invoice_kind.commercial": "Commercial invoice",
    "invoice_kind.general_fapiao": "General VAT fapiao",
    "invoice_kind.special_fapiao": "Special VAT fapiao",
    "invoice_next.in_work": (
        "Finance makes the invoice and sends it to the address below. The request can no longer be withdrawn; "
        "you get a mail when the invoice is issued."
    ),
    "invoice_next.issued": (
        "The invoice was sent to the address below. If something on it is wrong, tell us: it is reversed by a "
        "red letter, and the amount can be invoiced again."
    ),
    "invoice_next.partly_reversed": (
        "A part of this invoice was reversed by a red letter, see below. The rest stands; what was reversed can "
        "be invoiced again."
    ),
    "invoice_next.red_lettered": (
        "All of this invoice was reversed by red letters, see below. What is still paid can be invoiced again."
    ),
    "invoice_next.refused": (
        "Finance did not make this invoice, see the reason. Put it right and request it again; the amount can be "
        "invoiced."
    ),
    "invoice_next.requested": (
        "Your request waits for finance. Until somebody takes it, you can withdraw it. You get a mail when the "
        "invoice is issued or refused."
    ),
    "invoice_next.withdrawn": "Your organization withdrew this request. The amount can be invoiced again.",
    "invoices.actions": "Actions",
    "invoices.amount": "Amount",
    "invoices.amount_hint": "At most two decimals, and at most what can be invoiced.",
    "invoices.amount_in": "Amount in {currency}",
    "invoices.arrived": "Top-ups that arrived",
    "invoices.ask_billing": (
        "Owners, administrators and billing members of your organization request invoices and see them."
    ),
    "invoices.available": "Can be invoiced",
    "invoices.buyer": "Title",
    "invoices.by": "What is invoiced",
    "invoices.details": "Address, phone and bank on the invoice (optional)",
    "invoices.email": "Send it to",
    "invoices.email_hint": "The invoice is sent to this address once it is issued.",
    "invoices.invoiced": "Invoiced or requested",
    "invoices.issued_on": "Date",
    "invoices.kind": "Kind",
    "invoices.lead": "Invoices for what your organization paid: request one, and see how far it is.",
    "invoices.list": "Invoices and requests",
    "invoices.new": "Request an invoice",
    "invoices.no_grants": (
        "Only money that was paid is invoiced. Credit that was given, such as promotional credit, is not."
    ),
    "invoices.none": "No invoice was requested yet.",
    "invoices.none_next": "What your organization paid can be invoiced once it has arrived.",
    "invoices.nothing_left": "Nothing is left to be invoiced. Top-ups that arrive from now on can be.",
    "invoices.number": "Number",
    "invoices.of": "Invoice {number}",
    "invoices.orders": "Top-ups",
    "invoices.owed": (
        "More is invoiced than is still paid, because money went back. Finance reverses the difference by red letters:"
    ),
    "invoices.red_letter": "Red letter {number}",
    "invoices.red_letters": "What was reversed",
    "invoices.request": "Request for an invoice",
    "invoices.requested": "Requested",
    "invoices.returned": "Refunds and payments taken back",
    "invoices.sheet": "Data sheet (PDF)",
    "invoices.show_all": "Show all invoices",
    "invoices.standing": "What can be invoiced",
    "invoices.status": "Status",
    "invoices.submit": "Request the invoice",
    "invoices.tax_id": "Tax number",
    "invoices.title": "Invoices",
    "invoices.unverified": (
        "Only verified organizations get invoices: title and tax number are those that were verified."
    ),
    "invoices.verified": (
        "Title and tax number are those that were verified. If they changed, have your organization verified anew."
    ),
    "invoices.why_refused": "Why it was refused",
    "invoices.withdraw": "Withdraw the request",
    "invoices.withdraw_consequence": "Finance makes no invoice for it. The amount can be invoiced by another request.",
    "invoices.withdraw_title": "Withdraw this request?",
    "nav.invoices": "Invoices",
    "nav.money": "Money",
    "nav.organization": "Organization",
    "nav.statements": "Statements",
    "statements.actions": "Actions",
    "statements.ask_billing": (
        "Owners, administrators and billing members of your organization can download statements."
    ),
    "statements.by_key": "By key",
    "statements.by_model": "By model",
    "statements.by_project": "By project",
    "statements.charges": "Charges",
    "statements.closed": "Closed",
    "statements.closed_at": "Closed at",
    "statements.closing": "Closing balance",
    "statements.contract": "Contract",
    "statements.csv": "CSV",
    "statements.cycle": "Settled",
    "statements.due": "What is due",
    "statements.is_due": "is due by {day}, for the time until the end of {month}.",
    "statements.is_over": (
        "This month is over. It is closed at {closes} at the earliest, once its last calls have ended."
    ),
    "statements.lead": "What each month began with, what moved, what calls were charged, and what was left.",
    "statements.limit": "Credit limit",
    "statements.lines": "By model, key and project",
    "statements.month": "Month",
    "statements.months": "Closed months",
    "statements.no_charges": "No call was charged.",
    "statements.none": "No month is closed yet.",
    "statements.none_next": (
        "The first statement is closed at {closes} at the earliest, a few hours after the month ends."
    ),
    "statements.none_until_verified": "Verified organizations get a statement each month.",
    "statements.nothing_due": "Nothing is due.",
    "statements.of_month": "Statement of {month}",
    "statements.opening": "Opening balance",
    "statements.payment": "To be paid",
    "statements.payment_days": "within {days} days after the end of the cycle",
    "statements.pdf": "PDF",
    "statements.preliminary": "Preliminary",
    "statements.running": "{month} so far",
    "statements.show_all": "Show all months",
    "statements.still_changes": "These figures still change. The month is closed at {closes} at the earliest.",
    "statements.title": "Statements",
    "statements.was_due": "was due by {day}, for the time until the end of {month}. Please transfer it now.",
    "statements.what": "What",
}
