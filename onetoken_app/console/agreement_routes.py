"""Routes of agreements: accept the texts in force for an organization, and keep the certificate of an acceptance."""

from http import HTTPStatus

from onetoken_app.agreements.documents import published_document
from onetoken_app.agreements.queries import acceptance_evidence
from onetoken_app.console.callers import Role, find_caller, forget_everybody
from onetoken_app.console.form_members import FORM_BYTES_MAX, accepted_of, has_ticked, signatory_of, text_of
from onetoken_app.console.http_exchange import (
    Answer,
    Download,
    Receive,
    RefusedExchange,
    Route,
    Scope,
    header,
    read_json_object,
)
from onetoken_app.console.invitation_routes import member_who_may
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import StaffRole
from onetoken_app.organizations.queries import organization
from onetoken_app.registration.accepting import accept_for_organization
from onetoken_app.registration.certificate import certificate_text
from onetoken_app.settings import Settings

CERTIFICATES = "/account/certificates/"
_SEE_CERTIFICATES = frozenset({StaffRole.ADMINISTRATOR, StaffRole.REVIEWER, StaffRole.AUDITOR})


def routes(settings: Settings) -> dict[str, Route]:
    """Return the routes by their paths."""

    async def accept(scope: Scope, receive: Receive) -> Answer:
        posted = await read_json_object(scope, receive, bytes_max=FORM_BYTES_MAX)
        caller = await member_who_may(Role.ADMINISTRATOR, scope, text_of(posted, "organization_id"))
        name = caller.person.name or text_of(posted, "name")
        async with unit_of_work() as session:
            await accept_for_organization(
                session,
                organization_id=caller.organization_id,
                person_id=caller.person.person_id,
                signatory=signatory_of(posted, scope, settings, name=name),
                acts_with_authority=has_ticked(posted, "acts_with_authority"),
                accepted=accepted_of(posted),
            )
        # What was remembered of the organization's members still asks for it.
        forget_everybody()
        return Answer(HTTPStatus.OK)

    return {"/account/agreements/accept": accept}


async def certificate(scope: Scope) -> Answer:
    """Give a member of the organization the certificate of one of its acceptances, as a file.

    To everybody else an acceptance does not exist.

    Raises:
        RefusedExchange: Nobody is signed in, or there is no such acceptance of theirs.
    """
    caller = await find_caller(header(scope, b"cookie"))
    if caller is None:
        raise RefusedExchange(HTTPStatus.UNAUTHORIZED, "unauthenticated")
    acceptance_id = scope["path"].removeprefix(CERTIFICATES)
    if not acceptance_id.isascii() or not acceptance_id.isprintable():
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    async with read_session() as session:
        evidence = await acceptance_evidence(session, acceptance_id[:32])
        accepting = await organization(session, evidence.organization_id) if evidence else None
    members = {one.organization_id for one in caller.memberships}
    is_staff = bool(caller.person.staff_roles & _SEE_CERTIFICATES)
    if evidence is None or accepting is None or not (evidence.organization_id in members or is_staff):
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "not_found")
    document = published_document(evidence.kind, evidence.version, evidence.locale)
    if document is None or document.sha256 != evidence.text_sha256:
        raise RefusedExchange(HTTPStatus.NOT_FOUND, "text_missing")
    text = certificate_text(evidence, organization=accepting, document=document, locale=caller.person.locale)
    return Answer(HTTPStatus.OK, download=Download(file_name=f"onetoken-{evidence.id}.txt", text=text))
