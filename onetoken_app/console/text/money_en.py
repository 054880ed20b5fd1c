"""English of top-ups, on both sides of the desk."""

from collections.abc import Mapping

MONEY_ENGLISH: Mapping[str, str] = {
    "error.amount_differs": "Another amount arrived than was ordered; nothing was credited. Refuse the transfer.",
    "error.amount_refused": "Write the amount as a plain number of 1 to 10,000,000 with at most two decimals.",
    "error.approver_involved": (
        "Whoever ordered or reported it, belongs to the organization or approved before does not approve. A "
        "colleague has to."
    ),
    "error.bank_entry_differs": "Your colleague named another entry of the bank statement. Nothing was done.",
    "error.bank_entry_used": "This entry of the bank statement stands for another order. Nothing was credited.",
    "error.consent_missing": "Without your consent to what happens to paid credit nothing is ordered.",
    "error.form_reused": "This form was sent before with other values. Nothing was done. Load the page again.",
    "error.invalid_request_bank_entry": "Name the entry of the bank statement in 1 to 64 characters.",
    "error.invalid_request_bank_reference": "The bank's number of the transfer has at most 64 characters.",
    "error.invalid_request_direction": "Choose whether it gives or takes.",
    "error.invalid_request_paid_on": "Choose the day of the transfer. It is not in the future.",
    "error.invalid_request_payer_name": "Name the payer in 1 to 200 characters.",
    "error.invalid_request_provider": "Choose one of the ways to pay.",
    "error.invalid_request_reason": "Choose a reason.",
    "error.invalid_request_reference": "There is no order with this reference code. Nothing was asked for.",
    "error.invalid_request_words": "Say the reason in words of your own, in at most 1000 characters.",
    "error.order_changed": "This order was changed since you opened it. Nothing was done. Look at it again.",
    "error.order_expired": "This order is no longer open. Nothing was reported. Make a new one.",
    "error.organization_not_verified": "Only a verified organization in good standing tops up. Nothing was ordered.",
    "error.payment_provider_not_offered": "This way to pay does not take your currency. Nothing was ordered.",
    "error.payment_provider_off": "This way to pay is switched off. Nothing was charged.",
    "error.payment_provider_refused": "The payment provider refused. Nothing was charged. Please tell us.",
    "error.payment_provider_silent": "The payment provider does not answer. Try again in a few minutes.",
    "error.refund_blocked": (
        "Nothing is refunded while the organization is suspended or frozen, or a case about it is open."
        " Nothing was done."
    ),
    "error.refund_changed": "This refund was changed since you opened it. Nothing was done. Look at it again.",
    "error.refund_too_much": (
        "So much of this order cannot be refunded: what was used, invoiced or refunded before stays. Nothing was done."
    ),
    "error.statement_changed": "What is consented to has changed. Nothing was ordered. Read it again.",
    "error.too_many_orders": "Too many orders are under way. Report or cancel one before you make another.",
    "nav.top_up": "Top up",
    "nav.top_ups": "Bank transfers",
    "order.cancelled": "Cancelled",
    "order.credited": "Credited",
    "order.expired": "Expired",
    "order.lapsed": "Expired",
    "order.open": "Transfer awaited",
    "order.payable": "To be paid",
    "order.pending": "Confirmation awaited",
    "order.refused": "Not credited",
    "order.reported": "Reported",
    "order_next.cancelled": "Your organization called this order off. Please transfer nothing for it.",
    "order_next.credited": "The amount is on your balance.",
    "order_next.expired": (
        "This order is no longer open. Please transfer nothing for it; place a new one. If the money is on its way "
        "already, tell us the reference code."
    ),
    "order_next.lapsed": (
        "This order can no longer be paid; place a new one. If you did pay, the amount is credited as soon "
        "as the provider confirms it."
    ),
    "order_next.open": (
        "Transfer exactly this amount to the account below, with the reference code in the purpose line. Then report "
        "it here, so that we look for it."
    ),
    "order_next.payable": (
        "Go on to the payment provider and pay there. The amount is on your balance once it confirms the payment."
    ),
    "order_next.pending": (
        "We wait for the provider's confirmation, which usually takes seconds after you have paid. If you "
        "have not paid yet, go on to pay."
    ),
    "order_next.refused": "The transfer could not be credited, see the reason. Put it right and report it again.",
    "order_next.reported": (
        "We look for the transfer. Once it has arrived and is approved, the amount is on your balance and you get a "
        "mail. Nothing more is needed from you."
    ),
    "overview.top_up": "Top up",
    "overview.used_up": "Nothing is left to spend: calls are refused until your organization tops up.",
    "pay.check": "Ask the provider",
    "pay.code": "Code to pay with",
    "pay.go": "Go on to pay",
    "pay.scan": "Scan this code with WeChat to pay.",
    "payment_provider.alipay": "Alipay",
    "payment_provider.bank_transfer": "Bank transfer",
    "payment_provider.stripe": "Card (Stripe)",
    "payment_provider.wechat_pay": "WeChat Pay",
    "receipt.download": "Download the receipt",
    "receipt.open": "Open the receipt",
    "report.bank_reference": "Your bank's number of the transfer",
    "report.bank_reference_hint": "If your bank gives one; it helps us to find the transfer.",
    "report.paid_on": "Day of the transfer",
    "report.payer": "Payer",
    "report.payer_hint": "The account holder as the bank has it. It has to be your organization.",
    "report.submit": "Report the transfer",
    "report.title": "Have you transferred?",
    "top_up.account": "To this account",
    "top_up.actions": "Actions",
    "top_up.amount": "Amount",
    "top_up.amount_hint": "At most two decimals.",
    "top_up.amount_in": "Amount in {currency}",
    "top_up.ask_billing": "Owners, administrators and billing members of your organization can order and report.",
    "top_up.available": "Available now",
    "top_up.cancel": "Cancel the order",
    "top_up.cancel_consequence": (
        "If you have transferred already, report the transfer instead: money without an order is credited late."
    ),
    "top_up.cancel_hosted_consequence": "It can then no longer be paid. What was paid before is credited all the same.",
    "top_up.cancel_title": "Cancel this order?",
    "top_up.consent": "I have read this and consent to it for my organization.",
    "top_up.credited_at": "Credited",
    "top_up.keep": "Keep the order",
    "top_up.lead": "Paid credit: place an order and pay it, or transfer and report it. We credit what arrived.",
    "top_up.look": "View",
    "top_up.new": "New order",
    "top_up.no_account": "The bank account is not published here. Ask us for it before you transfer.",
    "top_up.none": "There is no order yet.",
    "top_up.none_next": "The reference code and the bank account come with an order.",
    "top_up.order_of": "Order {reference}",
    "top_up.ordered": "Ordered",
    "top_up.orders": "Orders",
    "top_up.provider": "Way to pay",
    "top_up.reference": "Reference code",
    "top_up.reported": "Reported",
    "top_up.show_all": "Show all orders",
    "top_up.statement": "What happens to paid credit",
    "top_up.status": "Status",
    "top_up.submit": "Place the order",
    "top_up.suspended": "Your organization is suspended and cannot top up. Please contact us.",
    "top_up.title": "Top up",
    "top_up.until": "Open until",
    "top_up.unverified": "Only verified organizations top up. Verify yours first; it is needed for calls too.",
    "top_up.verify": "Go to verification",
    "transfer_refusal.already_used": "The transfer was credited to another order",
    "transfer_refusal.amount_differs": "Another amount arrived",
    "transfer_refusal.not_received": "The transfer has not arrived",
    "transfer_refusal.other": "Another reason",
    "transfer_refusal.payer_differs": "Somebody else than the organization paid",
    "transfers.approvals": "Approvals",
    "transfers.approve": "Approve",
    "transfers.approve_title": "The money arrived",
    "transfers.approved": "Approved. A second person has to approve it too before it is credited.",
    "transfers.approved_before": "You approved this transfer. A colleague has to approve it too.",
    "transfers.approvers": "Approved by",
    "transfers.bank_entry": "Entry of the bank statement",
    "transfers.bank_entry_hint": "Its number there. One entry pays for one order.",
    "transfers.bank_reference": "The payer's bank's number of the transfer",
    "transfers.credited": "Credited. The organization gets a mail.",
    "transfers.decided": "Decided transfers, last reported first",
    "transfers.involved": "You ordered, reported, or belong to this organization. A colleague has to decide.",
    "transfers.lead": "Reported transfers that wait to be found on the bank statement, longest waiting first.",
    "transfers.needs_second": (
        "With what you decided alone within 24 hours, this amount needs the approval of two people. "
        "The first one alone credits nothing."
    ),
    "transfers.none": "No transfer waits.",
    "transfers.none_decided": "Nothing was decided yet.",
    "transfers.none_decided_next": "Transfers stay here when they are credited or refused.",
    "transfers.none_next": "Transfers appear here when organizations report them.",
    "transfers.ordered_by": "Ordered by",
    "transfers.payer_differs": "The payer's name is not the organization's.",
    "transfers.received": "Amount that arrived, in {currency}",
    "transfers.received_hint": "As the bank statement has it, not as it was ordered.",
    "transfers.refuse": "Refuse",
    "transfers.refuse_title": "It cannot be credited",
    "transfers.refused": "Refused. The organization gets a mail and can report again.",
    "transfers.report": "What was reported",
    "transfers.reported_by": "Reported by",
    "transfers.title": "Bank transfers",
}
