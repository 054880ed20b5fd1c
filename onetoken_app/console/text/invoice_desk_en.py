"""English of finance's desk of invoices."""

from collections.abc import Mapping

INVOICE_DESK_ENGLISH: Mapping[str, str] = {
    "error.invalid_request_issued_on": (
        "Choose the day on the invoice: within the last year, and not before the invoice that is reversed."
    ),
    "error.invalid_request_number": "Write the number in 1 to 40 characters. Nothing was entered.",
    "invoice_desk.decided": "Decided invoices, newest first",
    "invoice_desk.handled": "Decided on",
    "invoice_desk.handled_by": "Handled by",
    "invoice_desk.involved": "You requested this or belong to the organization. A colleague has to do it.",
    "invoice_desk.issue": "Enter the invoice",
    "invoice_desk.issue_title": "Enter the issued invoice",
    "invoice_desk.lead": (
        "Requests for invoices, oldest first. Issue each in the invoicing system, send it, and enter its number."
    ),
    "invoice_desk.left": "Not reversed yet:",
    "invoice_desk.letter_number": "Number of the red letter",
    "invoice_desk.none": "No request waits.",
    "invoice_desk.none_decided": "There is no such invoice.",
    "invoice_desk.none_decided_next": (
        "Invoices stay here when they are issued, refused or reversed. An empty search lists all."
    ),
    "invoice_desk.none_next": "Requests appear here when organizations request invoices for what they paid.",
    "invoice_desk.number_hint": "As the invoicing system gave it. It stands on no other invoice or red letter.",
    "invoice_desk.owed": (
        "More is invoiced than is still paid, because money went back. Look for the invoices of these "
        "organizations below, and enter red letters for:"
    ),
    "invoice_desk.refuse": "Refuse",
    "invoice_desk.refuse_title": "Refuse the request",
    "invoice_desk.requested_by": "Requested by",
    "invoice_desk.reverse": "Enter the red letter",
    "invoice_desk.reverse_consequence": (
        "What is reversed can be invoiced or refunded again. A red letter is never taken back."
    ),
    "invoice_desk.reverse_title": "Enter a red letter",
    "invoice_desk.search": "Search",
    "invoice_desk.sought": "Number of an invoice or red letter, or a part of the title",
    "invoice_desk.take": "Take the request",
    "invoice_desk.take_consequence": (
        "While you issue the invoice, the organization cannot withdraw the request, and colleagues see who has it."
    ),
    "invoice_desk.take_title": "Who issues it",
    "invoice_desk.taken_by": "Taken by",
    "invoice_desk.taken_by_another": "{name} is issuing this invoice. Do not issue a second one; ask first.",
    "invoice_desk.taken_by_you": "You are issuing this invoice.",
    "invoice_desk.title": "Requests for invoices",
    "invoice_desk.why_reversed": "Why it is reversed",
    "invoice_desk.words_hint": "The organization reads this.",
    "invoice_done.file_added": "The file was added. The organization can download it now.",
    "invoice_done.issued": "Entered. The organization gets a mail.",
    "invoice_done.refused": "Refused. The organization gets a mail, and the amount can be invoiced again.",
    "invoice_done.reversed": "The red letter is entered. The organization gets a mail.",
    "invoice_done.taken": "You are issuing this invoice. The organization can no longer withdraw the request.",
    "nav.invoice_desk": "Invoices",
}
