"""English of prices, on both sides of the desk."""

from collections.abc import Mapping

PRICING_ENGLISH: Mapping[str, str] = {
    "error.invalid_request_contracted_with": (
        "Contracted prices, and no others, name an organization that exists, by its code or id. No draft was made."
    ),
    "error.invalid_request_currency": "Choose a currency.",
    "error.invalid_request_effective_at": (
        "Choose a day and a time that are not past, before the prices end. Nothing was published."
    ),
    "error.invalid_request_ends_at": (
        "Offers have an end, the list has none, and every end comes after the beginning. Nothing was done."
    ),
    "error.invalid_request_price": (
        "A price is a plain number, not negative: of a million tokens with at most 6 decimals, of anything else with "
        "at most 12. Input and output need one. Nothing was changed."
    ),
    "error.invalid_request_scope": "Choose whom the prices are for. No draft was made.",
    "error.own_organization_prices": (
        "You belong to this organization. Nothing was changed. A colleague has to do it."
    ),
    "error.own_price_draft": (
        "Who made a draft of prices does not publish it. Nothing was published. A colleague of finance has to."
    ),
    "error.price_rise_too_soon": (
        "Some customers would pay more by this, and it takes effect too soon. Nothing was published."
    ),
    "error.price_terms_unchanged": ("It is so already by then. Nothing was proposed."),
    "error.prices_overlap": (
        "Prices of the same model for the same customers would hold at the same time. Nothing was done."
    ),
    "nav.prices": "Prices",
    "price_change.added": "New",
    "price_change.changed": "Changed",
    "price_change.removed": "Gone",
    "price_kind.audio_in": "Sound in the input",
    "price_kind.audio_ms": "Sound by its length",
    "price_kind.audio_out": "Sound in the output",
    "price_kind.cache_read": "Input from the cache",
    "price_kind.cache_write_1h": "Input kept in the cache for an hour",
    "price_kind.cache_write_5m": "Input kept in the cache for 5 minutes",
    "price_kind.file_searches": "Searches of files",
    "price_kind.image_in": "Pictures in the input",
    "price_kind.image_out": "Pictures in the output",
    "price_kind.images": "Generated pictures",
    "price_kind.input": "Input",
    "price_kind.output": "Output",
    "price_kind.reasoning": "Reasoning",
    "price_kind.requests": "Requests",
    "price_kind.tool_calls": "Other tools",
    "price_kind.web_searches": "Searches of the web",
    "price_scope.contract": "Contract",
    "price_scope.cost": "Cost",
    "price_scope.list": "List",
    "price_scope.offer": "Offer",
    "price_unit.picture": "per picture",
    "price_unit.request": "per request",
    "price_unit.sound_hour": "per hour of sound",
    "price_unit.tokens": "per million tokens",
    "price_unit.tool_call": "per tool call",
    "prices.after": "Then",
    "prices.before": "Now",
    "prices.change": "Change",
    "prices.changes": "What the draft changes",
    "prices.changes_of": "What draft {number} changes",
    "prices.contracted_with": "Organization (contracted prices)",
    "prices.contracted_with_hint": "Registration code or id.",
    "prices.converted": "Published in {currency}, converted at {rate} {billed_in}.",
    "prices.discard": "Discard the draft",
    "prices.discard_title": "Discard this draft?",
    "prices.discard_words": (
        "Prices in force stay as they are. The draft stays on record and can no longer be published."
    ),
    "prices.discarded": "The draft was discarded. Nothing else changed.",
    "prices.draft": "Draft",
    "prices.drafts": "Drafts that wait",
    "prices.effective": "In force from",
    "prices.effective_hint": "Empty: at once. In your time zone, {zone}.",
    "prices.ends_hint": "Offers have an end; the list has none. May stay empty for contracted prices.",
    "prices.fall_back": (
        "Kinds of tokens that are not listed are charged as input or output. A price from a length of the input on "
        "applies to the whole call."
    ),
    "prices.from_tokens": "from {count} input tokens on",
    "prices.in_force": "In force now",
    "prices.kind": "What is priced",
    "prices.lead": (
        "Prices that are published never change; others take their place. One person makes a draft, another one "
        "publishes it."
    ),
    "prices.made": "Made",
    "prices.made_by": "Made by",
    "prices.model_count": "Models",
    "prices.more_kinds": "Sound, pictures, requests, tools, writing to the cache",
    "prices.no_drafts": "No draft waits.",
    "prices.no_drafts_next": "Make one below, or run “onetoken prices import”.",
    "prices.none": "No prices are published yet.",
    "prices.none_next": "Add models and prices with “onetoken apply”.",
    "prices.nothing_changes": "Nothing differs from what is in force at that moment.",
    "prices.nothing_changes_next": "Publishing it makes no version. Discard it, or choose another moment.",
    "prices.nothing_published": "Nothing differed, so there is no new version. The draft is closed.",
    "prices.operator": "Operator, by command",
    "prices.own": "You made this draft. A colleague of finance publishes it.",
    "prices.prices": "Prices",
    "prices.propose": "Make a draft",
    "prices.propose_title": "Draft of a model's prices",
    "prices.propose_words": (
        "These take the place of all prices of the model for the same customers in this currency, tiers included. "
        "What stays empty has no price of its own: tokens are then charged as input or output, and units are not "
        "sold. Tiers are made with “onetoken apply”."
    ),
    "prices.proposed": "The draft is made. A colleague of finance publishes it.",
    "prices.proposed_effective_hint": "Empty: whoever publishes it says. In your time zone, {zone}.",
    "prices.publish": "Publish",
    "prices.publish_title": "Publish these prices?",
    "prices.publish_words": (
        "Calls that are under way keep their prices. What is published cannot be changed, only replaced."
    ),
    "prices.published": "Published.",
    "prices.published_at": "Published",
    "prices.published_by": "Published by",
    "prices.scope": "For",
    "prices.source": "Source",
    "prices.takes_effect": "From {moment} on ({zone}):",
    "prices.takes_effect_now": "At once:",
    "prices.title": "Prices",
    "prices.unit": "Unit",
    "prices.until": "Until",
    "prices.until_moment": "until {moment}",
    "prices.version": "Version",
    "prices.versions": "Published versions",
    "prices.with_ratio": "Your plan's ratio of {ratio} is in it.",
}
