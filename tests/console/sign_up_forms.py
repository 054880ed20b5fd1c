"""What somebody posts who signs up, and the steps before."""

from typing import Any

from onetoken_app.agreements.documents import current_document
from onetoken_app.agreements.models import AgreementKind
from onetoken_app.clock import utc_now
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.settings import Settings
from tests.console.asgi_calls import post
from tests.console.mails import mailed_secret

CODE = "91350100M000100Y43"
OTHER_CODE = "91110000600037341L"
PASSWORD = "a new horse every day"


def accepted(locale: str = "en") -> dict[str, str]:
    """Return what a page posts for the texts in force."""
    return {kind.value: current_document(kind, locale, utc_now().date()).sha256 for kind in AgreementKind}


def sign_up_form(secret: str, **changes: Any) -> dict[str, Any]:
    """Return a form that is filled in rightly, but for ``changes``."""
    return {
        "secret": secret,
        "name": "Li Lei",
        "title": "Head of IT",
        "password": PASSWORD,
        "organization_name": "Example Ltd",
        "registration_code": CODE,
        "scenarios": ["testing", "office_work"],
        "acts_with_authority": True,
        "accepted": accepted(),
        "locale": "en",
        **changes,
    }


async def a_confirmed(routes: AccountRoutes, settings: Settings, *, email: str = "li@company.example") -> str:
    """Ask for the mail; return the secret of its link."""
    answer = await post(routes, "/account/sign-up", {"email": email, "party": "organization", "locale": "en"})
    assert (answer.status, answer.body) == (202, b"{}")
    return await mailed_secret(settings)
