"""English of plans, exchange rates and drafts of them."""

from collections.abc import Mapping

PLANS_ENGLISH: Mapping[str, str] = {
    "error.invalid_request_plan_name": (
        "A plan's name has 1 to 64 Latin letters, digits, spaces and . _ -. Nothing was proposed."
    ),
    "error.invalid_request_rate": (
        "An exchange rate joins two currencies, is above 0 and at most 1000, with at most 9 decimals. Nothing was "
        "proposed."
    ),
    "error.invalid_request_ratio": (
        "A plan's ratio is a plain number above 0 and at most 1000, with at most 6 decimals. Nothing was proposed."
    ),
    "error.invalid_request_version": "Choose what is to end. Nothing was proposed.",
    "models.coming": "Prices that change from {moment} on",
    "models.no_price": "It has no price from then on, and cannot be called.",
    "models.plan": (
        "Your plan is “{plan}”: list prices and offers × {ratio}. Contracted prices are charged as they stand."
    ),
    "nav.plans": "Plans and rates",
    "plans.coming": "To come",
    "plans.consequence": (
        "Calls that are under way keep their prices. What is published cannot be changed, only replaced."
    ),
    "plans.draft_prices": "Draft prices",
    "plans.draft_title": "Draft {number}",
    "plans.early": "Ends early",
    "plans.effective_hint": "Empty: when it is published. In your time zone, {zone}.",
    "plans.end_at": "Ends",
    "plans.end_title": "End prices early",
    "plans.ends": "Ends:",
    "plans.from_currency": "Prices in",
    "plans.from_moment": "from {moment} on",
    "plans.kind": "What",
    "plans.lead": (
        "What else decides what a customer pays, beside the list. One person makes a draft, another one publishes "
        "it; what makes somebody pay more is published some days ahead, and customers are told by mail."
    ),
    "plans.no_plan": "None any more",
    "plans.now": "In force",
    "plans.organization_count": "Organizations",
    "plans.pair": "Currencies",
    "plans.plan": "Plan",
    "plans.plan_hint": "A new name makes a new plan.",
    "plans.plan_of": "Plan of {organization}",
    "plans.rate": "Rate",
    "plans.rate_hint": "How much one unit costs; at most 9 decimals.",
    "plans.rate_title": "Change an exchange rate",
    "plans.ratio": "Ratio",
    "plans.ratio_hint": "0.85 takes 15 % off the list and offers. At most 6 decimals.",
    "plans.ratio_title": "Make a plan, or change its ratio",
    "plans.subject": "Of",
    "plans.title": "Plans and rates",
    "plans.to_come": "To come",
    "plans.to_currency": "Charged in",
    "plans.version_to_end": "Version",
    "plans.when_published": "When it is published",
    "plans_list.assignments": "Plans of the organization",
    "plans_list.contracted": "Contracted prices",
    "plans_list.offers": "Offers",
    "plans_list.payers": "Organizations",
    "plans_list.plans": "Plans",
    "plans_list.rates": "Exchange rates",
    "plans_list.waiting": "Drafts that wait",
    "plans_none.assignments": "It has never had a plan.",
    "plans_none.contracted": "It has no contracted prices.",
    "plans_none.offers": "There is no offer now, and none to come.",
    "plans_none.payers": "There are no organizations yet.",
    "plans_none.plans": "There are no plans yet.",
    "plans_none.rates": "There is no exchange rate yet.",
    "plans_none.waiting": "No draft waits.",
    "plans_none_next.assignments": "It pays the list and offers as they stand.",
    "plans_none_next.contracted": "Draft them on the page of prices, for “Contract”, with the organization's code.",
    "plans_none_next.offers": "Draft one on the page of prices, for “Offer”.",
    "plans_none_next.payers": "They appear when they have signed up.",
    "plans_none_next.plans": "Make one below. Without a plan an organization pays the list and offers as they stand.",
    "plans_none_next.rates": "Without one, nobody is charged in a currency that a price is not in.",
    "plans_none_next.waiting": "Make one with a form below. Drafts of prices wait on the page of prices.",
    "terms_done.discarded": "The draft was discarded. Nothing else changed.",
    "terms_done.proposed": "The draft is made. A colleague of finance publishes it.",
    "terms_done.published": "Published. Customers who pay otherwise are told by mail.",
    "terms_done.unchanged": "It was so already, so nothing was published. The draft is closed.",
    "terms_kind.end": "Early end",
    "terms_kind.exchange": "Exchange rate",
    "terms_kind.plan": "Plan of an organization",
    "terms_kind.ratio": "Ratio of a plan",
    "terms_propose.end": "Draft the end",
    "terms_propose.exchange": "Draft the rate",
    "terms_propose.plan": "Draft the plan",
    "terms_propose.ratio": "Draft the ratio",
}
