"""Builders: rows for tests, where a test says only what matters to it.

Each takes the session first and never commits, like a service. An organization comes verified, with its agreements
in order and an account; a model with a channel and a price.
"""

from dataclasses import dataclass
from itertools import count

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import vault
from onetoken_app.agreements.documents import current_document
from onetoken_app.agreements.models import Acceptance, AcceptanceMethod, AgreementKind
from onetoken_app.audit.service import OPERATOR
from onetoken_app.catalog.models import Channel, Model, Region, Route
from onetoken_app.clock import utc_now
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.identity.models import Person, StaffMembership, StaffRole
from onetoken_app.keys import service as keys
from onetoken_app.ledger import service as ledger
from onetoken_app.money import Currency, Nanos
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.organizations.models import Membership, Organization, OrganizationRole, SuspensionCause
from onetoken_app.organizations.suspensions import suspend_organization
from onetoken_app.pricing.models import PriceBookVersion, Rate, VersionSeal
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind

_numbers = count(1)
PLENTY_NANOS: Nanos = 1_000 * 1_000_000_000
"""A balance that no test uses up."""


@dataclass(frozen=True, slots=True)
class BuiltModel:
    """A model that can be called."""

    id: str
    name: str
    channel_id: str
    price_version_id: int


@dataclass(frozen=True, slots=True)
class BuiltKey:
    """A key that works."""

    id: str
    secret: str
    organization_id: str


async def an_organization(
    session: AsyncSession,
    *,
    name: str = "Test Ltd",
    registration_code: str = "",
    currency: Currency = Currency.USD,
    balance_nanos: Nanos = 0,
    is_verified: bool = True,
    has_accepted: bool = True,
) -> str:
    """Add a customer with an account; return its id."""
    organization = Organization(
        name=name,
        registration_code=registration_code or f"TEST{next(_numbers):014d}",
        currency=currency,
        verified_at=utc_now() if is_verified else None,
    )
    session.add(organization)
    await session.flush()
    if has_accepted:
        await _accept_everything(session, organization.id)
    await ledger.open_account(session, owner_id=organization.id, currency=currency)
    if balance_nanos:
        await ledger.grant_credit(
            session,
            owner_id=organization.id,
            currency=currency,
            amount_nanos=balance_nanos,
            reference=f"test:{organization.id}",
        )
    return organization.id


async def a_person(
    session: AsyncSession,
    *,
    email: str = "",
    password_hash: str | None = None,
    locale: str = "en",
    organization_id: str | None = None,
    role: OrganizationRole = OrganizationRole.OWNER,
    staff_role: StaffRole | None = None,
) -> str:
    """Add a person, as a member of an organization or of the staff when one is named; return the id."""
    person = Person(
        email=email or f"person{next(_numbers)}@test.example", password_hash=password_hash, locale=locale, name="Pat"
    )
    session.add(person)
    await session.flush()
    if organization_id:
        session.add(Membership(organization_id=organization_id, person_id=person.id, role=role))
    if staff_role:
        session.add(StaffMembership(person_id=person.id, role=staff_role))
    await session.flush()
    return person.id


async def a_channel(
    session: AsyncSession,
    settings: Settings,
    *,
    name: str = "",
    provider: str = "openai",
    base_url: str = "http://127.0.0.1:9/v1",
    credential: str = "sk-upstream",
    region: Region = Region.MAINLAND,
    is_enabled: bool = True,
    bills_after_hang_up: bool = False,
) -> str:
    """Add an upstream endpoint; return its id."""
    channel_id = new_id(Kind.CHANNEL)
    key = vault.load_root_secrets(settings).key_encryption_key
    session.add(
        Channel(
            id=channel_id,
            name=name or f"channel{next(_numbers)}",
            provider=provider,
            base_url=base_url,
            credential_sealed=vault.seal(key, credential, bound_to=f"catalog_channel:{channel_id}:credential"),
            region=region,
            is_enabled=is_enabled,
            bills_after_hang_up=bills_after_hang_up,
        )
    )
    await session.flush()
    return channel_id


async def a_model(
    session: AsyncSession,
    settings: Settings,
    *,
    name: str = "mock",
    channel_id: str = "",
    upstream_model: str = "",
    context_window_tokens: int = 128_000,
    output_tokens_max: int = 4_096,
    currency: Currency = Currency.USD,
    rates: dict[TokenKind, int] | None = None,
    base_url: str = "http://127.0.0.1:9/v1",
) -> BuiltModel:
    """Add a model with one route and a price: 1.00 in, 2.00 out and 0.10 for cached input, unless ``rates`` says else.

    Without ``channel_id`` a channel at ``base_url`` is added too. ``rates`` are micros per million.
    """
    channel = channel_id or await a_channel(session, settings, base_url=base_url)
    model = Model(name=name, context_window_tokens=context_window_tokens, output_tokens_max=output_tokens_max)
    session.add(model)
    await session.flush()
    session.add(Route(model_id=model.id, channel_id=channel, upstream_model=upstream_model or name))
    version_id = await a_price(session, model_id=model.id, currency=currency, rates=rates)
    return BuiltModel(id=model.id, name=name, channel_id=channel, price_version_id=version_id)


async def a_price(
    session: AsyncSession,
    *,
    model_id: str,
    currency: Currency = Currency.USD,
    rates: dict[TokenKind, int] | None = None,
) -> int:
    """Publish a price of one model, in force now; return the version's id."""
    version = PriceBookVersion(currency=currency, effective_at=utc_now())
    session.add(version)
    await session.flush()
    if version.id is None:
        message = "the database gave the price version no id"
        raise RuntimeError(message)
    usual = {TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 2_000_000, TokenKind.CACHE_READ: 100_000}
    for kind, micros in (usual if rates is None else rates).items():
        session.add(Rate(version_id=version.id, model_id=model_id, kind=kind, micros_per_million=micros))
    await session.flush()
    session.add(VersionSeal(version_id=version.id))
    await session.flush()
    return version.id


async def a_key(
    session: AsyncSession,
    settings: Settings,
    *,
    organization_id: str,
    name: str = "test",
    model_ids: list[str] | None = None,
) -> BuiltKey:
    """Mint a key; ``model_ids`` restricts it."""
    minted = await keys.mint_key(
        session,
        key_pepper=vault.load_root_secrets(settings).key_pepper,
        organization_id=organization_id,
        name=name,
        created_by=None,
        model_ids=model_ids,
    )
    return BuiltKey(id=minted.id, secret=minted.secret, organization_id=organization_id)


async def _accept_everything(session: AsyncSession, organization_id: str) -> None:
    """Put the acceptance of each text in force on file."""
    for kind in AgreementKind:
        document = current_document(kind, "en", utc_now().date())
        session.add(
            Acceptance(
                organization_id=organization_id,
                kind=kind,
                version=document.version,
                locale=document.locale,
                text_sha256=document.sha256,
                method=AcceptanceMethod.OPERATOR_ATTESTATION,
            )
        )
    await session.flush()


async def a_suspension(
    session: AsyncSession,
    organization_id: str,
    *,
    cause: SuspensionCause = SuspensionCause.SECURITY,
    words: str = "A key of yours was published.",
) -> str:
    """Suspend an organization as the operator; return the suspension's id."""
    return await suspend_organization(
        session,
        organization_id=organization_id,
        cause=cause,
        words=words,
        actor=OPERATOR,
        mail_room=MailRoom(b"k" * 32, "https://console.test.example"),
    )
