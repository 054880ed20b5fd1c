"""English of the pages that anybody reads."""

from collections.abc import Mapping

PUBLIC_ENGLISH: Mapping[str, str] = {
    "agreement.file": "Exact text",
    "agreement.identity": "What identifies this text",
    "agreement.missing": "There is no such version of this text.",
    "agreement.open_file": "Open the file",
    "agreement.sha256": "SHA-256 of the text",
    "agreement.superseded": "Another version is in force today. It is listed beside the text.",
    "agreement.upcoming": "This version is announced and not in force yet.",
    "agreement.version": "Version, in force from",
    "agreement.versions": "All versions",
    "home.address_title": "One address for many models",
    "home.address_words": (
        "Your applications keep the SDK they use. They change the base URL and the key, and call every model "
        "that you allow."
    ),
    "home.charges_title": "Charges to the last digit",
    "home.charges_words": (
        "Each call shows its exact charge within seconds. It can be recomputed from the published price and the "
        "counted tokens."
    ),
    "home.content_title": "Nothing of the content is kept",
    "home.content_words": (
        "Prompts and outputs pass through memory and are never written to disk, database, cache, log or trace by "
        "OneToken."
    ),
    "home.keys_title": "Keys under your control",
    "home.keys_words": (
        "A key for each application, limited to the models it needs, shown once. A revoked key is refused within "
        "a second."
    ),
    "home.lead": (
        "OneToken is an API relay for organizations. Your applications call the models of many suppliers through "
        "one address; you see what was called, by which key, at what charge."
    ),
    "home.organizations_title": "For organizations only",
    "home.organizations_words": (
        "Companies, institutions and other organizations that legally exist, each verified before its first "
        "call. Not for private use."
    ),
    "home.regions_title": "Regions that fail closed",
    "home.regions_words": (
        "A call stays with models served in the mainland unless your organization has confirmed overseas ones in "
        "writing."
    ),
    "home.see_models": "Models and prices",
    "home.short": "API relay for organizations",
    "home.step_call": "Call",
    "home.step_call_words": "Create a key, paste it into your application, and see each charge on the usage page.",
    "home.step_register": "Register",
    "home.step_register_words": "Confirm a work address, name the organization, and accept the terms on its behalf.",
    "home.step_top_up": "Top up",
    "home.step_top_up_words": (
        "Order an amount and pay by bank transfer, or another way on offer. Every credited order has a receipt."
    ),
    "home.step_verify": "Verify",
    "home.step_verify_words": "Upload the business licence and a letter of authorization. Our reviewers look at them.",
    "home.steps": "From registration to the first call",
    "home.title": "Many models, one address, every charge exact",
    "models.context": "Context",
    "models.lead": "What can be called now, where it is served from, and what it costs.",
    "models.model": "Model",
    "models.none": "No model is for sale yet.",
    "models.none_next": "Come back when the operator has added one.",
    "models.output_max": "Longest answer",
    "models.overseas": (
        "Models that are served from overseas need a written confirmation of your organization. Without one, "
        "such calls are refused, on fallbacks too."
    ),
    "models.own": "These are the prices of {organization}.",
    "models.region": "Region",
    "models.supplier": "Supplier",
    "models.title": "Models and prices",
    "models.tokens": (
        "Context and longest answer are counted in tokens. The price in force when a call begins is the one that "
        "is charged."
    ),
    "nav.models": "Models",
    "nav.privacy": "Privacy policy",
    "nav.status": "Status",
    "nav.terms": "Terms of service",
    "operation.degraded": "Degraded",
    "operation.failing": "Failing",
    "operation.operational": "Operational",
    "operation.unmeasured": "Too few calls",
    "overall.degraded": "Some calls fail at the moment.",
    "overall.failing": "Many calls of at least one model fail.",
    "overall.operational": "Every measured model answers.",
    "overall.unmeasured": "There were too few calls in this period to say how the models do.",
    "public.console": "Console",
    "public.promise": "Prompts and outputs are never stored.",
    "span.day": "Last 24 hours",
    "span.week": "Last 7 days",
    "status.answered": "Answered",
    "status.how": (
        "Measured from the calls of all organizations together. Calls that were refused or broken off on the caller's "
        "side are not counted; models with fewer than ten calls are not rated."
    ),
    "status.lead": "How the models really answer.",
    "status.median": "First byte, median",
    "status.operation": "State",
    "status.p95": "First byte, 95th percentile",
    "status.read_at": "Measured at {moment} ({zone}), anew each minute",
    "status.title": "Status of the models",
}
