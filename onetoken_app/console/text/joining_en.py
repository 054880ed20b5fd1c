"""English of the forms by which people come in."""

from collections.abc import Mapping

JOINING_ENGLISH: Mapping[str, str] = {
    "join.accept": "We accept the",
    "join.agreements": "Authority and agreements",
    "join.check_email": "Please check the e-mail address.",
    "join.check_form": (
        "Something in the form cannot be used. Please check the marked field; at least one purpose has to be chosen."
    ),
    "join.confirmed": "Confirmed address:",
    "join.name": "Your name",
    "join.new_link": "Ask for a new link",
    "join.position": "Your position",
    "join.position_hint": "Such as Head of IT; it stands beside your name in the record of acceptance.",
    "join.text_changed": (
        "A text was replaced meanwhile. Load this page again from the mail's link and read the new one."
    ),
    "join.wait": "Enough mails were asked for. Please wait. Seconds left:",
    "link.expired": "This link has expired. Ask for a new mail.",
    "link.unknown": "Please open the link of the mail again; this page does not have it, or it is incomplete.",
    "link.used": "This link was used already. If it was you, sign in.",
    "password.back": "Back to the sign-in",
    "password.common": (
        "This password is easily guessed: it is common, or follows a pattern such as a date, a repetition or a row of "
        "keys. Choose several unrelated words, for example."
    ),
    "password.forgotten": "Forgotten password",
    "password.forgotten_lead": "We send a link by which you choose a new one.",
    "password.hint": "At least {count} characters; several unrelated words are good.",
    "password.personal": (
        "This password is made of your name, your address or your organization’s name. Choose one that has nothing to "
        "do with them; several unrelated words, for example."
    ),
    "password.reset": "Choose a new password",
    "password.reset_lead": "You are signed out everywhere when it is saved.",
    "password.save": "Save the password",
    "password.send": "Send the link",
    "password.sent": (
        "If there is an account with this address, a mail is on its way. Its link is valid for a short time."
    ),
    "password.weak": "This password is too short or too long, or has something in it that is no character.",
    "scenario.business_integration": "Integration into our business systems",
    "scenario.customer_support": "Support of our own customers",
    "scenario.data_processing": "Data processing",
    "scenario.internal_research": "Internal research",
    "scenario.knowledge_management": "Knowledge management",
    "scenario.office_work": "Office work",
    "scenario.public_service": "Serving the general public (needs our written consent)",
    "scenario.testing": "Testing",
    "sign_in.forgotten": "Forgotten password?",
    "sign_in.no_account": "No account yet?",
    "sign_up.code": "Registration code",
    "sign_up.code_hint_elsewhere": (
        "The number that your register gave your organization, as its extract has it; such as HRB 86891."
    ),
    "sign_up.code_hint_mainland": "The 18 characters of the unified social credit code, as the licence has them.",
    "sign_up.code_taken": "An organization with this code is registered already. Ask its owner to invite you.",
    "sign_up.complete": "Register the organization",
    "sign_up.continue_title": "Register your organization",
    "sign_up.country": "Where it is registered",
    "sign_up.email": "Work e-mail address",
    "sign_up.have_account": "You have an account?",
    "sign_up.known": "There is an account with this address. Sign in.",
    "sign_up.lead": (
        "For companies, institutions and other organizations. We send a link that confirms your address. Have the "
        "registration code at hand; the business licence and a letter of authorization are asked for afterwards."
    ),
    "sign_up.natural_person": "Me as a private person",
    "sign_up.organization": "An organization that I act for",
    "sign_up.organization_name": "Name of the organization",
    "sign_up.organization_name_hint": "The full name, as it is registered.",
    "sign_up.organizations_only": (
        "OneToken is for organizations only. Contracts, verification and invoices need one, so we cannot open "
        "accounts for private use. If you act for an organization, choose that above."
    ),
    "sign_up.party": "Who will use it?",
    "sign_up.person": "Who signs for it",
    "sign_up.scenarios": "What will it be used for? Choose at least one.",
    "sign_up.sent": (
        "Please look into your mailbox: the mail says how to go on. Its link is valid for a short time. If no mail "
        "comes within a few minutes, look into the spam folder, or load this page again and ask once more."
    ),
    "sign_up.submit": "Send the link",
    "sign_up.title": "Sign up",
    "sign_up.wrong_code_elsewhere": (
        "This cannot be the number of a register: it has at most 40 letters and digits, and at least one digit. "
        "Please compare it with the register's extract."
    ),
    "sign_up.wrong_code_mainland": (
        "This is no valid registration code: its check digit does not fit. Please compare it with the licence."
    ),
}
