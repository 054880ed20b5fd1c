"""Puts one organization of an ``apply`` file: the customer, its agreements, credit, people and keys."""

from onetoken_app import clock
from onetoken_app.agreements import queries as agreement_queries
from onetoken_app.agreements import service as agreements
from onetoken_app.agreements.documents import current_document
from onetoken_app.agreements.models import AcceptanceMethod
from onetoken_app.command.apply_file import OrganizationEntry, PersonEntry
from onetoken_app.command.apply_keys import put_projects_and_keys
from onetoken_app.command.apply_run import ApplyRun
from onetoken_app.command.marked_yaml import BadFile, complaints_at
from onetoken_app.identity import queries as identity_queries
from onetoken_app.identity import service as identity
from onetoken_app.identity.queries import PersonView
from onetoken_app.ledger import queries as ledger_queries
from onetoken_app.ledger import service as ledger
from onetoken_app.money import format_amount
from onetoken_app.organizations import queries as organization_queries
from onetoken_app.organizations import service as organizations
from onetoken_app.organizations.queries import OrganizationView
from onetoken_app.organizations.registration_codes import checked_registration_code

_ATTESTED_LOCALE = "en"
_LOCALE = "en"
"""Of a person of whom the file does not say it."""


async def put_organization(run: ApplyRun, entry: OrganizationEntry) -> str:
    """Add an organization, or change the one with this code; return its id.

    Raises:
        BadFile: Something in the entry cannot be done; the message names its line.
    """
    organization_id = await _put_particulars(run, entry)
    await _put_agreements(run, entry, organization_id)
    await _put_credit(run, entry, organization_id)
    for person in entry.people:
        with complaints_at(person.line):
            await _put_person(run, person, organization_id)
    await put_projects_and_keys(run, entry, organization_id)
    return organization_id


async def _put_particulars(run: ApplyRun, entry: OrganizationEntry) -> str:
    """Add the customer, or change its name; verify it when the file says so; return its id."""
    with complaints_at(entry.line, entry.lines):
        code = checked_registration_code(entry.code)
        known = await organization_queries.organization_by_code(run.session, code)
        organization_id = known.id if known else await _register(run, entry, code)
        if known:
            await _change(run, entry, known)
        await ledger.open_account(run.session, owner_id=organization_id, currency=entry.currency)
    is_verified = known is not None and known.verified_at is not None
    if entry.is_verified is False and is_verified:
        raise BadFile(entry.lines["verified"], "this organization is verified; a file cannot take that back")
    if entry.is_verified and not is_verified:
        await organizations.mark_verified(run.session, organization_id=organization_id)
        await run.note(
            f"organization {entry.name} verified",
            action="organization_verified",
            subject_id=organization_id,
            organization_id=organization_id,
        )
    return organization_id


async def _register(run: ApplyRun, entry: OrganizationEntry, code: str) -> str:
    """Add the customer."""
    organization_id = await organizations.register_organization(
        run.session,
        name=entry.name,
        registration_code=code,
        currency=entry.currency,
        time_zone=entry.time_zone or organizations.DEFAULT_TIME_ZONE,
    )
    await run.note(
        f"organization {entry.name} registered",
        action="organization_registered",
        subject_id=organization_id,
        organization_id=organization_id,
        facts={"currency": entry.currency.value},
    )
    return organization_id


async def _change(run: ApplyRun, entry: OrganizationEntry, known: OrganizationView) -> None:
    """Change what may be changed of a customer that exists."""
    if known.currency is not entry.currency:
        raise BadFile(
            entry.lines.get("currency", entry.line),
            f"this organization is billed in {known.currency.value}, which is fixed",
        )
    if known.name != entry.name:
        await organizations.rename_organization(run.session, organization_id=known.id, name=entry.name)
        await run.note(
            f"organization {known.name} renamed to {entry.name}",
            action="organization_renamed",
            subject_id=known.id,
            organization_id=known.id,
        )
    await _change_time_zone(run, entry, known)


async def _change_time_zone(run: ApplyRun, entry: OrganizationEntry, known: OrganizationView) -> None:
    """Change where a customer's days begin, when the file says so."""
    if entry.time_zone in {None, known.time_zone}:
        return
    await organizations.set_time_zone(run.session, organization_id=known.id, time_zone=str(entry.time_zone))
    await run.note(
        f"time zone of {entry.name} changed",
        action="organization_time_zone_changed",
        subject_id=known.id,
        organization_id=known.id,
        facts={"time_zone": entry.time_zone},
    )


async def _put_agreements(run: ApplyRun, entry: OrganizationEntry, organization_id: str) -> None:
    """Attest, as the operator, what a verified organization accepted outside of the platform, and its confirmations."""
    outstanding = await agreement_queries.outstanding_agreements(run.session, organization_id)
    for kind in outstanding if entry.is_verified else ():
        document = current_document(kind, _ATTESTED_LOCALE, clock.utc_now().date())
        await agreements.record_acceptance(
            run.session,
            organization_id=organization_id,
            kind=kind,
            document=document,
            method=AcceptanceMethod.OPERATOR_ATTESTATION,
        )
        await run.note(
            f"{kind.value} {document.version} attested for {entry.name}",
            action="agreement_attested",
            subject_id=organization_id,
            organization_id=organization_id,
            facts={"kind": kind.value, "version": document.version, "text_sha256": document.sha256},
        )
    for confirmation in entry.confirmations:
        if await agreement_queries.has_confirmation(run.session, organization_id, confirmation, clock.utc_now()):
            continue
        await agreements.record_confirmation(
            run.session,
            organization_id=organization_id,
            kind=confirmation,
            method=AcceptanceMethod.OPERATOR_ATTESTATION,
        )
        await run.note(
            f"confirmation {confirmation.value} recorded for {entry.name}",
            action="confirmation_attested",
            subject_id=organization_id,
            organization_id=organization_id,
            facts={"kind": confirmation.value},
        )


async def _put_credit(run: ApplyRun, entry: OrganizationEntry, organization_id: str) -> None:
    """Grant what is missing to the total that the file states."""
    if entry.credit_nanos is None:
        return
    prefix = f"apply:{organization_id}:"
    granted = await ledger_queries.granted_total(
        run.session, owner_id=organization_id, currency=entry.currency, reference_prefix=prefix
    )
    missing = entry.credit_nanos - granted
    if missing < 0:
        problem = f"'credit' is a total, and {format_amount(granted)} is granted already; it cannot be lowered here"
        raise BadFile(entry.lines["credit"], problem)
    if missing == 0:
        return
    # The audit log is locked before the ledger, as everywhere, so that nobody waits in a circle.
    await run.note(
        f"credit of {format_amount(missing)} {entry.currency.value} granted to {entry.name}",
        action="credit_granted",
        subject_id=organization_id,
        organization_id=organization_id,
        facts={"amount_nanos": missing, "total_nanos": entry.credit_nanos, "currency": entry.currency.value},
    )
    with complaints_at(entry.lines["credit"]):
        await ledger.grant_credit(
            run.session,
            owner_id=organization_id,
            currency=entry.currency,
            amount_nanos=missing,
            # Named for what it adds to: of two files at once, one finds that somebody was faster.
            reference=f"{prefix}after:{granted}",
        )


async def _put_person(run: ApplyRun, entry: PersonEntry, organization_id: str) -> None:
    """Add a person or change what the file says of them; let them act for the organization in this role."""
    known = await identity_queries.person_by_email(run.session, entry.email)
    if known is None:
        person_id = await _add_person(run, entry)
    else:
        person_id = known.id
        await _change_person(run, entry, known)
    roles = {
        membership.organization_id: membership.role
        for membership in await organization_queries.memberships_of(run.session, person_id)
    }
    if roles.get(organization_id) is entry.role:
        return
    await organizations.add_member(run.session, organization_id=organization_id, person_id=person_id, role=entry.role)
    await run.note(
        f"{entry.email} acts as {entry.role.value}",
        action="member_added",
        subject_id=person_id,
        organization_id=organization_id,
        facts={"role": entry.role.value},
    )


async def _add_person(run: ApplyRun, entry: PersonEntry) -> str:
    """Add a person; return the id."""
    person_id = await identity.create_person(
        run.session,
        email=entry.email,
        name=entry.name or "",
        password_hash=run.password_hashes.get(entry.email),
        locale=entry.locale or _LOCALE,
    )
    await run.note(f"person {entry.email} added", action="person_added", subject_id=person_id)
    return person_id


async def _change_person(run: ApplyRun, entry: PersonEntry, known: PersonView) -> None:
    """Change a person's password, name and language, as far as the file says something else."""
    password_hash = run.password_hashes.get(entry.email)
    if password_hash is not None:
        await identity.set_password_hash(run.session, person_id=known.id, password_hash=password_hash)
        await run.note(f"password of {entry.email} changed", action="password_changed", subject_id=known.id)
    if entry.name not in {None, known.name}:
        await identity.rename_person(run.session, person_id=known.id, name=str(entry.name))
        await run.note(f"name of {entry.email} changed", action="person_renamed", subject_id=known.id)
    if entry.locale not in {None, known.locale}:
        await identity.set_locale(run.session, person_id=known.id, locale=str(entry.locale))
        await run.note(f"language of {entry.email} changed", action="person_locale_changed", subject_id=known.id)
