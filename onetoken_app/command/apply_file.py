"""What an ``apply`` file may say: its members, read into plain values that remember their lines.

Reading it touches the environment (``credential_env``, ``password_env``) but no database: whatever can be wrong with
the file by itself is found here, before anything is changed.
"""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import yaml

from onetoken_app.agreements.models import ConfirmationKind
from onetoken_app.catalog.models import Region, RoutingRule
from onetoken_app.catalog.service import FIRST_BYTE_SECONDS_MAX
from onetoken_app.command.apply_prices import (
    ContractEntry,
    ExchangeEntry,
    OfferEntry,
    PlanEntry,
    PriceEntry,
    day_of,
    read_contract,
    read_exchange,
    read_offer,
    read_plan,
    read_price,
)
from onetoken_app.command.marked_yaml import BadFile, Members, Text, read_document
from onetoken_app.money import Currency, Nanos
from onetoken_app.organizations.models import OrganizationRole


@dataclass(frozen=True, slots=True)
class CredentialEntry:
    """A further credential of the channel that it stands under."""

    line: int
    name: str
    credential: str = field(repr=False)
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """One upstream endpoint."""

    line: int
    lines: dict[str, int]
    """Where each member stands."""
    name: str
    provider: str
    base_url: str
    """Empty: the provider's usual one."""
    credential: str = field(repr=False)
    region: Region
    is_enabled: bool
    bills_after_hang_up: bool
    credentials: tuple[CredentialEntry, ...]


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A channel that serves the model it stands under."""

    line: int
    channel: str
    upstream_model: str
    priority: int
    weight: int
    cost: PriceEntry | None
    """What calls through it cost the operator; unset: the file says nothing about it."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model for sale."""

    line: int
    lines: dict[str, int]
    """Where each member stands."""
    name: str
    owned_by: str
    is_enabled: bool
    context_window_tokens: int
    output_tokens_max: int
    routing_rule: RoutingRule
    first_byte_seconds: int | None
    aliases: tuple[Text, ...] | None
    """All other names that it is called by; unset: the file says nothing about them."""
    fallbacks: tuple[Text, ...] | None
    """All models that stand in for it; unset: the file says nothing about them."""
    routes: tuple[RouteEntry, ...]
    price: PriceEntry
    offers: tuple[OfferEntry, ...]


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """Somebody who signs in for an organization."""

    line: int
    email: str
    name: str | None
    """Unset: the file says nothing about it; so for the other members below."""
    locale: str | None
    role: OrganizationRole
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key that has to exist."""

    line: int
    name: str
    models: tuple[Text, ...] | None
    """Unset: the file says nothing about it; a new key may call every model."""
    expires_at: datetime | None
    """Unset: the file says nothing about it; a new key never expires."""
    project: Text | None
    """Unset: the file says nothing about it; a new key goes into the default project."""


@dataclass(frozen=True, slots=True)
class OrganizationEntry:
    """One customer."""

    line: int
    lines: dict[str, int]
    """Where each member stands."""
    name: str
    code: str
    currency: Currency
    time_zone: str | None
    """Unset: the file says nothing about it."""
    is_verified: bool | None
    """Unset: the file says nothing about it."""
    credit_nanos: Nanos | None
    """The total that ``apply`` grants; unset: none."""
    plan: str | None
    """Unset: the file says nothing about it; empty: none."""
    contract: tuple[ContractEntry, ...]
    confirmations: tuple[ConfirmationKind, ...]
    people: tuple[PersonEntry, ...]
    projects: tuple[Text, ...]
    """Names of projects that have to exist."""
    keys: tuple[KeyEntry, ...]


class ApplyFile(NamedTuple):
    """A whole file."""

    currency: Currency
    channels: tuple[ChannelEntry, ...]
    models: tuple[ModelEntry, ...]
    organizations: tuple[OrganizationEntry, ...]
    plans: tuple[PlanEntry, ...]
    exchange_rates: tuple[ExchangeEntry, ...]


def read_apply_file(content: bytes) -> ApplyFile:
    """Read a file.

    Raises:
        BadFile: Anything in it cannot be used; the message names the line.
    """
    known = ("currency", "channels", "models", "organizations", "plans", "exchange_rates")
    top = Members(read_document(content), what="the file", known=known)
    currency = top.choice("currency", Currency, Currency.USD)
    file = ApplyFile(
        currency=currency,
        channels=tuple(_channel(node) for node in top.listed("channels")),
        models=tuple(_model(node, currency) for node in top.listed("models")),
        organizations=tuple(_organization(node, currency) for node in top.listed("organizations")),
        plans=tuple(read_plan(node) for node in top.listed("plans")),
        exchange_rates=tuple(read_exchange(node) for node in top.listed("exchange_rates")),
    )
    _refuse_repeats("channel", [(entry.name, entry.line) for entry in file.channels])
    _refuse_repeats("model", [(entry.name, entry.line) for entry in file.models])
    _refuse_repeats("organization's code", [(entry.code, entry.line) for entry in file.organizations])
    _refuse_repeats("plan", [(entry.name, entry.line) for entry in file.plans])
    return file


def _channel(node: yaml.Node) -> ChannelEntry:
    """Read one entry of ``channels``."""
    known = (
        "name", "provider", "base_url", "credential", "credential_env", "region", "enabled", "bills_after_hang_up",
        "credentials",
    )  # fmt: skip
    members = Members(node, what="a channel", known=known)
    credential = _secret(members, "credential", characters_max=4096)
    if credential is None:
        raise BadFile(members.line, "a channel needs 'credential' or 'credential_env'")
    further = tuple(_credential(entry) for entry in members.listed("credentials"))
    _refuse_repeats("credential of a channel", [(entry.name, entry.line) for entry in further])
    return ChannelEntry(
        line=members.line,
        lines=members.lines(),
        name=members.text("name", characters_max=64),
        provider=members.text("provider", characters_max=32),
        base_url=members.text_or("base_url", "", characters_max=512),
        credential=credential,
        region=members.choice("region", Region),
        is_enabled=members.truth("enabled", default=True),
        bills_after_hang_up=members.truth("bills_after_hang_up", default=False),
        credentials=further,
    )


def _credential(node: yaml.Node) -> CredentialEntry:
    """Read one entry of a channel's ``credentials``."""
    members = Members(node, what="a credential", known=("name", "credential", "credential_env", "enabled"))
    credential = _secret(members, "credential", characters_max=4096)
    if credential is None:
        raise BadFile(members.line, "an entry of 'credentials' needs 'credential' or 'credential_env'")
    return CredentialEntry(
        line=members.line,
        name=members.text("name", characters_max=64),
        credential=credential,
        is_enabled=members.truth("enabled", default=True),
    )


def _model(node: yaml.Node, currency: Currency) -> ModelEntry:
    """Read one entry of ``models``."""
    known = (
        "name", "owned_by", "enabled", "channels", "price", "offers", "context_window", "max_output_tokens",
        "routing", "first_byte_seconds", "aliases", "fallbacks",
    )  # fmt: skip
    members = Members(node, what="a model", known=known)
    name = members.text("name", characters_max=128)
    routes = tuple(_route(entry, name, currency) for entry in members.listed("channels"))
    if not routes:
        raise BadFile(members.line_of("channels"), f"model {name!r} needs at least one channel")
    _refuse_repeats(f"channel of model {name!r}", [(route.channel, route.line) for route in routes])
    context_window = members.whole("context_window", minimum=1)
    return ModelEntry(
        line=members.line,
        lines=members.lines(),
        name=name,
        owned_by=members.text_or("owned_by", "onetoken", characters_max=64),
        is_enabled=members.truth("enabled", default=True),
        context_window_tokens=context_window,
        output_tokens_max=members.whole("max_output_tokens", minimum=1, maximum=context_window),
        routing_rule=members.choice("routing", RoutingRule, RoutingRule.WEIGHT),
        first_byte_seconds=(
            members.whole("first_byte_seconds", minimum=1, maximum=FIRST_BYTE_SECONDS_MAX)
            if members.has("first_byte_seconds")
            else None
        ),
        aliases=tuple(members.texts("aliases", characters_max=128)) if members.has("aliases") else None,
        fallbacks=tuple(members.texts("fallbacks", characters_max=128)) if members.has("fallbacks") else None,
        routes=routes,
        price=read_price(members.nested("price"), currency),
        offers=tuple(read_offer(entry, currency) for entry in members.listed("offers")),
    )


def _route(node: yaml.Node, model_name: str, currency: Currency) -> RouteEntry:
    """Read one entry of a model's ``channels``."""
    known = ("channel", "upstream_model", "priority", "weight", "cost")
    members = Members(node, what="a model's channel", known=known)
    return RouteEntry(
        line=members.line,
        channel=members.text("channel", characters_max=64),
        upstream_model=members.text_or("upstream_model", model_name, characters_max=128),
        priority=members.whole("priority", 0, minimum=0, maximum=1000),
        weight=members.whole("weight", 1, minimum=1, maximum=1_000_000),
        cost=read_price(members.nested("cost"), currency) if members.has("cost") else None,
    )


def _organization(node: yaml.Node, currency: Currency) -> OrganizationEntry:
    """Read one entry of ``organizations``."""
    known = (
        "name", "code", "currency", "time_zone", "verified", "credit", "confirmations", "people", "projects",
        "keys", "plan", "contract",
    )  # fmt: skip
    members = Members(node, what="an organization", known=known)
    people = tuple(_person(entry) for entry in members.listed("people"))
    keys = tuple(_key(entry) for entry in members.listed("keys"))
    _refuse_repeats("person", [(person.email, person.line) for person in people])
    projects = tuple(members.texts("projects", characters_max=64))
    _refuse_repeats("project", [(project.value, project.line) for project in projects])
    _refuse_repeats("key", [(key.name, key.line) for key in keys])
    return OrganizationEntry(
        line=members.line,
        lines=members.lines(),
        name=members.text("name", characters_max=200),
        code=members.text("code", characters_max=64),
        currency=members.choice("currency", Currency, currency),
        time_zone=members.text("time_zone", characters_max=64) if members.has("time_zone") else None,
        is_verified=members.truth("verified", default=False) if members.has("verified") else None,
        credit_nanos=members.amount("credit") if members.has("credit") else None,
        plan=_plan_name(members),
        contract=tuple(read_contract(entry, currency) for entry in members.listed("contract")),
        confirmations=tuple(_confirmation(word) for word in members.texts("confirmations", characters_max=64)),
        people=people,
        projects=projects,
        keys=keys,
    )


def _plan_name(members: Members) -> str | None:
    """Read which plan an organization has; ``none`` takes it away."""
    if not members.has("plan"):
        return None
    name = members.text("plan", characters_max=64)
    return "" if name == "none" else name


def _confirmation(word: Text) -> ConfirmationKind:
    """Read one entry of an organization's ``confirmations``."""
    kinds = [kind.value for kind in ConfirmationKind]
    if word.value not in kinds:
        raise BadFile(word.line, f"a confirmation is one of {', '.join(kinds)}")
    return ConfirmationKind(word.value)


def _person(node: yaml.Node) -> PersonEntry:
    """Read one entry of ``people``."""
    known = ("email", "name", "locale", "role", "password", "password_env")
    members = Members(node, what="a person", known=known)
    email = members.text("email", characters_max=254).lower()
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@") or " " in email:
        raise BadFile(members.line_of("email"), "'email' is an address such as name@company.example")
    return PersonEntry(
        line=members.line,
        email=email,
        name=members.text("name", characters_max=120) if members.has("name") else None,
        locale=members.text("locale", characters_max=16) if members.has("locale") else None,
        role=members.choice("role", OrganizationRole),
        password=_secret(members, "password", characters_max=1024),
    )


def _key(node: yaml.Node) -> KeyEntry:
    """Read one entry of ``keys``."""
    members = Members(node, what="a key", known=("name", "project", "models", "expires_on"))
    return KeyEntry(
        line=members.line,
        name=members.text("name", characters_max=64),
        models=tuple(members.texts("models", characters_max=128)) if members.has("models") else None,
        expires_at=_end_of_day(members, "expires_on"),
        project=_project(members),
    )


def _project(members: Members) -> Text | None:
    """Read the name of a key's project."""
    if not members.has("project"):
        return None
    return Text(members.text("project", characters_max=64), members.line_of("project"))


def _end_of_day(members: Members, name: str) -> datetime | None:
    """Read a date; what expires on it works until midnight, UTC."""
    if not members.has(name):
        return None
    return day_of(members, name) + timedelta(days=1)


def _secret(members: Members, name: str, *, characters_max: int) -> str | None:
    """Read a secret that stands in the file, or in the variable that the file names."""
    variable = f"{name}_env"
    if not members.has(variable):
        if not members.has(name):
            return None
        return members.text(name, characters_max=characters_max, keeps_spaces=True)
    if members.has(name):
        raise BadFile(members.line_of(variable), f"{name!r} and {variable!r} exclude each other")
    value = os.environ.get(members.text(variable, characters_max=128))
    if not value:
        raise BadFile(members.line_of(variable), f"the variable that {variable!r} names is not set")
    return value


def _refuse_repeats(what: str, entries: list[tuple[str, int]]) -> None:
    """Refuse a name that stands twice in one list: the file would contradict itself."""
    seen: set[str] = set()
    for name, line in entries:
        if name in seen:
            raise BadFile(line, f"{what} {name!r} stands in the file twice")
        seen.add(name)
