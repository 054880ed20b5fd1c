"""English of members, invitations, accepted texts and the declared use."""

from collections.abc import Mapping

MEMBERSHIP_ENGLISH: Mapping[str, str] = {
    "agreements.accepted": "Accepted",
    "agreements.accepted_texts": "What your organization accepted",
    "agreements.attested": "Attested by the operator",
    "agreements.certificate": "Certificate",
    "agreements.download": "Download",
    "agreements.lead": (
        "The texts that your organization agreed to, each with a certificate, and what it uses the service for."
    ),
    "agreements.none": "Nothing was accepted yet.",
    "agreements.none_next": "An owner or administrator accepts the terms and the privacy policy on this page.",
    "agreements.signatory": "By",
    "agreements.text": "Text",
    "agreements.title": "Agreements",
    "error.consent_not_on_file": (
        "This organization declares to serve the general public. Put the written consent on file, or refuse."
    ),
    "error.forbidden": "Your role does not allow this. Nothing was changed.",
    "error.last_owner": "This is the only owner. Make somebody else an owner first.",
    "error.owners_only": "Only an owner makes, changes or removes owners.",
    "invitation.accept": "Accept the invitation",
    "invitation.expired": "This invitation has expired. Ask whoever invited you to send it again.",
    "invitation.known_password": "You have an account with this address: sign in with its password.",
    "invitation.person": "Who you are",
    "invitation.sign_in_first": (
        "There is an account with this address. Load this page again from the mail's link and sign in here."
    ),
    "invitation.title": "Invitation",
    "invitation.to": "You are invited to act for",
    "invitation.unknown": (
        "Please open the link of the mail again; this page does not have it, or it is incomplete. If that does not "
        "help, ask whoever invited you to send it again."
    ),
    "invitation.used": "This invitation was accepted already. If it was you, sign in.",
    "invitation.withdrawn": (
        "This invitation was withdrawn, or a newer one replaced it. Look for a newer mail, or ask whoever invited you."
    ),
    "members.already": "This person is a member already. Change their role instead.",
    "members.change_role": "Change role",
    "members.email": "E-mail address",
    "members.expires": "Valid until",
    "members.invite": "Invite somebody",
    "members.invite_submit": "Send the invitation",
    "members.invited_by": "Invited by",
    "members.lead": "The people who act for your organization. Every change is recorded.",
    "members.name": "Name",
    "members.nobody_waits": "No invitation waits.",
    "members.nobody_waits_next": (
        "Invite somebody by mail; they accept the agreements and choose a password of their own."
    ),
    "members.none": "There is no member yet.",
    "members.none_next": "Invite somebody by mail.",
    "members.remove": "Remove",
    "members.remove_confirm": "Remove this member",
    "members.remove_consequence": (
        "They are signed out everywhere at once, and invitations that they sent are withdrawn. Keys stay: revoke those "
        "that they know."
    ),
    "members.remove_title": "Remove this member?",
    "members.resend": "Send again",
    "members.resend_consequence": "They get a new mail. The link of the earlier one no longer works.",
    "members.resend_title": "Send the invitation again?",
    "members.role": "Role",
    "members.title": "Members",
    "members.waiting": "Invitations that wait",
    "members.what_roles_may": "What each role may do",
    "members.withdraw": "Withdraw",
    "members.withdraw_confirm": "Withdraw the invitation",
    "members.withdraw_consequence": "The link of the mail no longer works.",
    "members.withdraw_title": "Withdraw this invitation?",
    "members.you": "(you)",
    "nav.agreements": "Agreements",
    "nav.members": "Members",
    "organizations.public_service": "Serves the public",
    "page_ask.staff": "If you belong to it, ask one of its administrators to add you.",
    "page_ask.staff_finance": "If it is your business, ask an administrator of the staff for the role “finance”.",
    "page_ask.staff_reviewer": "If it is your business, ask an administrator of the staff for the role “reviewer”.",
    "page_ask.viewer": "You do not act for any organization yet. Ask the owner of yours to invite you.",
    "page_for.staff": "This page is for the operator’s staff",
    "page_for.staff_finance": "This page is for finance of the operator’s staff",
    "page_for.staff_reviewer": "This page is for reviewers of the operator’s staff",
    "page_for.to_organizations": "Go to the organizations",
    "page_for.to_overview": "Back to the overview",
    "page_for.viewer": "This page is for members of an organization",
    "public_service.consented": "Consent on file",
    "public_service.missing": "Consent missing",
    "public_service.no": "No",
    "reviews.consent": "The operator consents in writing that this organization serves the general public.",
    "reviews.declared_use": "Declared use",
    "role.administrator": "Administrator",
    "role.billing": "Billing",
    "role.developer": "Developer",
    "role.owner": "Owner",
    "role.viewer": "Viewer",
    "role_may.administrator": "Looks after members, verification and agreements, keys and payments.",
    "role_may.billing": "Orders top-ups, asks for invoices, keeps statements, and looks at usage.",
    "role_may.developer": "Creates, restricts and revokes keys, and looks at usage.",
    "role_may.owner": "May do everything, answers for the organization, and decides who is an owner.",
    "role_may.viewer": "Looks at everything and changes nothing.",
    "sign_up.public_service": (
        "Serving the general public needs our written consent. We decide on it with your organization's verification; "
        "calls are admitted only after that."
    ),
    "texts.accept": "Accept for the organization",
    "texts.accept_for": "Accept",
    "texts.ask_owner": "An owner or administrator of your organization has to accept this.",
    "texts.calls_refused": "Calls of your organization are refused until it has accepted the texts in force.",
    "texts.calls_until": "Calls go on for now. From {day} (UTC) they are refused until the text is accepted.",
    "texts.changed": "Sections that read otherwise than in the version that you accepted",
    "texts.first": "A text that your organization agrees to has taken effect and was not accepted yet.",
    "texts.follows": "Version {version} follows version {before}, which your organization accepted.",
    "texts.later": "Later",
    "texts.never_accepted": "Version {version} is in force. Your organization has not accepted any version.",
    "texts.open": "Open it in a page of its own",
    "texts.read": "Read and accept",
    "texts.replaced": "A text was replaced while you read. Nothing was done; load this page again.",
    "texts.title": "A text waits for your acceptance",
    "texts.waits_until": (
        "A new text waits for the acceptance of an owner or administrator. From {day} (UTC) calls are refused without."
    ),
    "use.consent_missing": (
        "Our written consent to serving the general public is not on file. Do not serve the public before it is; the "
        "operator decides on it, with your verification or on request."
    ),
    "use.consent_on_file": "Our written consent to serving the general public is on file.",
    "use.lead": "Keep this true and current. Serving the general public needs our written consent.",
    "use.none": "Nothing was declared yet.",
    "use.title": "Declared use",
}
