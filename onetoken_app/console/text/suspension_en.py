"""English of suspensions, on both sides of the desk."""

from collections.abc import Mapping

SUSPENSION_ENGLISH: Mapping[str, str] = {
    "error.own_organization": "You belong to this organization. A colleague has to do it; nothing was changed.",
    "error.suspension_changed": "Somebody suspended or resumed this organization before you. Nothing was changed.",
    "suspended.answer_mail": (
        "You may object and give evidence: answer the mail that your owners and administrators got about it."
    ),
    "suspended.label": "Suspension",
    "suspended.next": "What to do next:",
    "suspended.what": "Your organization is suspended since {since}.",
    "suspended.what_stays": (
        "New calls are refused, and so are top-ups, packages and refunds, until the suspension is over. Balance, keys, "
        "usage, statements and invoices stay as they are, and can be read."
    ),
    "suspended.why": "Reason:",
    "suspended.write_to": "You may object and give evidence: write to",
    "suspension.by_command": "By a command on the server",
    "suspension.cause": "Reason",
    "suspension.choose": "Choose a reason",
    "suspension.consequence": (
        "New calls are refused within a second, and so are top-ups, packages and refunds; calls under way go on. The "
        "organization's people read the reason and your words above every page, and its owners and administrators get "
        "a mail."
    ),
    "suspension.history": "Suspensions",
    "suspension.none": "This organization was never suspended.",
    "suspension.none_next": "Suspensions stay here with their reasons, also when they are over.",
    "suspension.only_reviewers": (
        "Reviewers and administrators of the staff suspend and resume organizations, but not one that they belong to."
    ),
    "suspension.resume": "Resume",
    "suspension.resume_consequence": (
        "Calls are admitted again within a second, and the owners and administrators get a mail."
    ),
    "suspension.resume_title": "Resume the organization",
    "suspension.resume_words": "Why it is over",
    "suspension.resume_words_hint": "Stays in the history; the staff reads it.",
    "suspension.since": "Suspended on",
    "suspension.suspend": "Suspend",
    "suspension.suspend_title": "Suspend the organization",
    "suspension.until": "Resumed on",
    "suspension.words": "In your own words",
    "suspension.words_hint": "The organization reads this: what happened, and what you expect of it.",
    "suspension_cause.legal": "The law or an authority requires it.",
    "suspension_cause.other": "Another reason",
    "suspension_cause.overdue": "A payment is overdue.",
    "suspension_cause.particulars": "Particulars of the organization are out of date, or in doubt.",
    "suspension_cause.prohibited_use": "A use that the terms, the law or a supplier’s rules prohibit",
    "suspension_cause.requested": "The organization asked for it.",
    "suspension_cause.security": "Keys or sign-ins may be in the wrong hands.",
    "suspension_done.resumed": "Resumed. Calls are admitted again; the organization gets a mail.",
    "suspension_done.suspended": "Suspended. New calls are refused; the organization gets a mail.",
    "suspension_next.legal": "Ask what your organization can do.",
    "suspension_next.other": "Do what the reason asks for, and say when it is done.",
    "suspension_next.overdue": "Pay what is due; statements and invoices say what that is. Then say that it is paid.",
    "suspension_next.particulars": "Bring particulars and documents up to date under “Verification”, and submit them.",
    "suspension_next.prohibited_use": "End that use, and say what has changed.",
    "suspension_next.requested": "Say when calls are to be admitted again.",
    "suspension_next.security": (
        "Revoke the keys that others may know, choose new passwords, and say when that is done."
    ),
}
