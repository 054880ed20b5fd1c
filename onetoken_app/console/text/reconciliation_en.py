"""English of margins and of upstream bills, for finance."""

from collections.abc import Mapping

RECONCILIATION_ENGLISH: Mapping[str, str] = {
    "bill_standing.differs": "Differs",
    "bill_standing.no_bill": "No bill yet",
    "bill_standing.no_longer_kept": "No longer kept",
    "bill_standing.only_billed": "Only billed",
    "bill_standing.only_here": "Only here",
    "bill_standing.same": "Same",
    "margin.gain": "Margin",
    "margin.loss": "Loss",
    "margin.other_currency": "Cost in another currency",
    "margin.unknown": "Cost not known",
    "margins.by_model": "By model",
    "margins.calls": "Calls",
    "margins.charge": "Charged",
    "margins.cost": "Cost",
    "margins.how": (
        "The cost is that of the channel that answered, at the prices in force then. Where it is not known, "
        "or in another currency, no margin is said: nothing is converted here."
    ),
    "margins.lead": "What the calls of each model brought and cost, over all organizations.",
    "margins.margin": "Charged less cost",
    "margins.model": "Model",
    "margins.none": "No calls in this period.",
    "margins.none_next": "Choose another period.",
    "margins.share": "Share",
    "margins.standing": "State",
    "margins.title": "Margins",
    "nav.margins": "Margins",
    "nav.reconciliation": "Upstream bills",
    "reconciliation.billed": "Billed",
    "reconciliation.bills": "Imported bills, newest first",
    "reconciliation.channel": "Channel",
    "reconciliation.compared": "By day, channel and model",
    "reconciliation.counts": "Requests {requests}, input {input}, output {output}",
    "reconciliation.day": "Day",
    "reconciliation.days": "Days",
    "reconciliation.difference": "Billed above ours",
    "reconciliation.failed": "Failed attempts: {count}",
    "reconciliation.imported": "Imported",
    "reconciliation.lead": (
        "What upstreams bill, beside our own attempts at the costs in force. A day counts as its newest bill says."
    ),
    "reconciliation.left_out": "{count} more rows; choose a shorter period, or only what differs.",
    "reconciliation.lines": "Lines",
    "reconciliation.model": "Model",
    "reconciliation.no_bills": "No bill was imported yet.",
    "reconciliation.no_bills_next": (
        "The operator imports an upstream's usage export with the command onetoken reconcile import."
    ),
    "reconciliation.none": "Nothing to compare in this period.",
    "reconciliation.none_next": "Choose another period, or show all rows.",
    "reconciliation.ours": "Ours",
    "reconciliation.show": "Rows",
    "reconciliation.show_all": "All rows",
    "reconciliation.show_differences": "Only what is not the same",
    "reconciliation.standing": "State",
    "reconciliation.title": "Upstream bills",
    "reconciliation.unknown_costs": "Without a known cost: {count}",
    "reconciliation.unknown_model": "Unknown model",
    "reconciliation.zone": "Time zone",
}
