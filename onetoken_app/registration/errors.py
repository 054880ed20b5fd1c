"""Errors of coming in."""

from onetoken_app.errors import Conflict, Forbidden, Unauthenticated


class OrganizationsOnly(Forbidden):
    """Somebody wants to register for private use."""

    code = "organizations_only"


class AlreadySignedUp(Conflict):
    """The address has an account by now."""

    code = "already_signed_up"


class SignInFirst(Unauthenticated):
    """The link is for somebody who has an account and is not signed in with it."""

    code = "sign_in_first"
