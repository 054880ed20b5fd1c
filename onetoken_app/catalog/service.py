"""Puts channels, models and routes: adds what is new, changes what differs, and writes nothing when nothing does.

Rows are known by their names, so that a file can be applied again and again.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.catalog.models import (
    Channel,
    Credential,
    Model,
    ModelAlias,
    ModelFallback,
    Region,
    Route,
    RoutingRule,
)
from onetoken_app.catalog.upstream_addresses import checked_base_url
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.vault import CannotUnseal, seal, unseal

TOKENS_MAX = 100_000_000
"""Above any context window; keeps holds far from the end of BIGINT."""
WEIGHT_MAX = 1_000_000
FIRST_BYTE_SECONDS_MAX = 3_600
FALLBACKS_MAX = 8
ALIASES_MAX = 64
CREDENTIAL_CHARACTERS_MAX = 8_192
_CHANNEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,63}", re.ASCII)
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}", re.ASCII)
_PROVIDER = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


async def put_channel(
    session: AsyncSession,
    *,
    key_encryption_key: bytes,
    name: str,
    provider: str,
    base_url: str,
    credential: str,
    region: Region,
    is_enabled: bool = True,
    bills_after_hang_up: bool = False,
    allow_private_upstreams: bool = False,
) -> str:
    """Add a channel or change the one of this name; return its id.

    Args:
        session: Open unit of work; the caller commits.
        key_encryption_key: Seals the credential; the same credential is not sealed anew.
        name: 1–64 characters.
        provider: A name in ``providers.registry``.
        base_url: Up to and without the endpoint's path.
        credential: What the provider gave us, sent with each call.
        region: Where it serves from.
        is_enabled: Whether calls may go there.
        bills_after_hang_up: Whether the provider bills a whole answer even when the connection is cut.
        allow_private_upstreams: The setting of that name.

    Raises:
        BadRequest: A value cannot be used.
    """
    _check_name(name, _CHANNEL_NAME, "A channel's name")
    _check_name(provider, _PROVIDER, "A provider's name", parameter="provider")
    _check_credential(credential)
    values: dict[str, Any] = {
        "provider": provider,
        "base_url": checked_base_url(base_url, allow_private=allow_private_upstreams),
        "region": region,
        "is_enabled": is_enabled,
        "bills_after_hang_up": bills_after_hang_up,
    }
    channel = (await session.exec(select(Channel).where(Channel.name == name))).first()
    channel_id = channel.id if channel else new_id(Kind.CHANNEL)
    if channel is None or not _opens_to(
        channel.credential_sealed, credential, key_encryption_key, credential_place(channel_id)
    ):
        values["credential_sealed"] = seal(key_encryption_key, credential, bound_to=credential_place(channel_id))
    if channel is None:
        session.add(Channel(id=channel_id, name=name, created_at=clock.utc_now(), **values))
    else:
        _set_differing(channel, values)
    await session.flush()
    return channel_id


async def switch_channel(session: AsyncSession, *, channel_id: str, is_enabled: bool) -> bool:
    """Take a channel out, or put it back; return whether it was the other way round before.

    Args:
        session: Open unit of work; the caller commits.
        channel_id: The channel.
        is_enabled: Whether calls may go there.

    Raises:
        NotFound: There is no such channel.
    """
    channel = await session.get(Channel, channel_id)
    if channel is None:
        raise NotFound("There is no such channel.")
    return _set_differing(channel, {"is_enabled": is_enabled})


async def put_credential(
    session: AsyncSession,
    *,
    key_encryption_key: bytes,
    channel_id: str,
    name: str,
    credential: str,
    is_enabled: bool = True,
) -> bool:
    """Add a further credential to a channel or change the one of this name; return whether anything changed.

    Args:
        session: Open unit of work; the caller commits.
        key_encryption_key: Seals the credential; the same credential is not sealed anew.
        channel_id: The channel.
        name: 1–64 characters, unique within the channel.
        credential: What the provider gave us.
        is_enabled: Whether calls may use it.

    Raises:
        BadRequest: A value cannot be used.
    """
    _check_name(name, _CHANNEL_NAME, "A credential's name")
    _check_credential(credential)
    query = select(Credential).where(Credential.channel_id == channel_id, Credential.name == name)
    known = (await session.exec(query)).first()
    credential_id = known.id if known else new_id(Kind.CREDENTIAL)
    values: dict[str, Any] = {"is_enabled": is_enabled}
    place = further_credential_place(credential_id)
    if known is None or not _opens_to(known.credential_sealed, credential, key_encryption_key, place):
        values["credential_sealed"] = seal(key_encryption_key, credential, bound_to=place)
    if known is None:
        session.add(
            Credential(id=credential_id, channel_id=channel_id, name=name, created_at=clock.utc_now(), **values)
        )
        await session.flush()
        return True
    has_changed = _set_differing(known, values)
    await session.flush()
    return has_changed


async def put_model(
    session: AsyncSession,
    *,
    name: str,
    context_window_tokens: int,
    output_tokens_max: int,
    owned_by: str = "onetoken",
    is_enabled: bool = True,
    routing_rule: RoutingRule = RoutingRule.WEIGHT,
    first_byte_seconds: int | None = None,
) -> str:
    """Add a model or change the one of this name; return its id.

    Args:
        session: Open unit of work; the caller commits.
        name: What customers write in a request; 1–128 characters.
        context_window_tokens: Input and output together; at least 1.
        output_tokens_max: The longest answer; at least 1, at most the context window.
        owned_by: The supplier, as shown to customers.
        is_enabled: Whether it may be called.
        routing_rule: How channels of one priority are ordered.
        first_byte_seconds: How long a provider may take to begin an answer, 1–3 600; unset: as the settings say.

    Raises:
        BadRequest: A value cannot be used, or the name is another model's alias.
    """
    _check_name(name, _MODEL_NAME, "A model's name")
    if not 0 < len(owned_by) <= 64 or not owned_by.isprintable():
        raise BadRequest("A supplier's name has 1 to 64 printable characters.", parameter="owned_by")
    if not 1 <= output_tokens_max <= context_window_tokens <= TOKENS_MAX:
        raise BadRequest(
            "A model's longest answer is at least 1 and at most its context window.", parameter="context_window"
        )
    if first_byte_seconds is not None and not 1 <= first_byte_seconds <= FIRST_BYTE_SECONDS_MAX:
        raise BadRequest(f"first_byte_seconds is 1 to {FIRST_BYTE_SECONDS_MAX}.", parameter="first_byte_seconds")
    if await session.get(ModelAlias, name) is not None:
        raise BadRequest(f"{name} is an alias of another model.", parameter="name")
    values: dict[str, Any] = {
        "owned_by": owned_by,
        "context_window_tokens": context_window_tokens,
        "output_tokens_max": output_tokens_max,
        "is_enabled": is_enabled,
        "routing_rule": routing_rule,
        "first_byte_seconds": first_byte_seconds,
    }
    model = (await session.exec(select(Model).where(Model.name == name))).first()
    if model is None:
        model = Model(name=name, created_at=clock.utc_now(), **values)
        session.add(model)
    else:
        _set_differing(model, values)
    await session.flush()
    return model.id


async def put_aliases(session: AsyncSession, *, model_id: str, names: Sequence[str]) -> bool:
    """Let a model be called by these other names and no others; return whether anything changed.

    A name that was another model's alias is taken from it.

    Args:
        session: Open unit of work; the caller commits.
        model_id: The model.
        names: All its aliases, at most 64; none is the name of a model.

    Raises:
        BadRequest: A name cannot be used.
    """
    if len(names) > ALIASES_MAX:
        raise BadRequest(f"A model has at most {ALIASES_MAX} aliases.", parameter="aliases")
    for name in names:
        _check_name(name, _MODEL_NAME, "An alias", parameter="aliases")
    taken = (await session.exec(select(Model.name).where(col(Model.name).in_(names)))).first() if names else None
    if taken is not None:
        raise BadRequest(f"{taken} is the name of a model and cannot be an alias.", parameter="aliases")
    known = {row.name: row for row in await session.exec(select(ModelAlias).where(ModelAlias.model_id == model_id))}
    has_changed = False
    for name in known.keys() - set(names):
        await session.delete(known[name])
        has_changed = True
    for name in [name for name in dict.fromkeys(names) if name not in known]:
        elsewhere = await session.get(ModelAlias, name)
        if elsewhere is None:
            session.add(ModelAlias(name=name, model_id=model_id))
        else:
            elsewhere.model_id = model_id
        has_changed = True
    await session.flush()
    return has_changed


async def put_fallbacks(session: AsyncSession, *, model_id: str, fallback_model_ids: Sequence[str]) -> bool:
    """Name the models that stand in for one, in this order, and no others; return whether anything changed.

    Args:
        session: Open unit of work; the caller commits.
        model_id: The model.
        fallback_model_ids: At most 8 other models.

    Raises:
        BadRequest: A model stands in for itself or twice, or there are too many.
    """
    wanted = list(fallback_model_ids)
    if len(wanted) > FALLBACKS_MAX or model_id in wanted or len(set(wanted)) != len(wanted):
        raise BadRequest(
            f"A model has at most {FALLBACKS_MAX} fallbacks, each another model and named once.", parameter="fallbacks"
        )
    query = select(ModelFallback).where(ModelFallback.model_id == model_id).order_by(col(ModelFallback.position))
    known = list(await session.exec(query))
    if [row.fallback_model_id for row in known] == wanted:
        return False
    for row in known:
        await session.delete(row)
    await session.flush()
    for position, fallback_id in enumerate(wanted):
        session.add(ModelFallback(model_id=model_id, position=position, fallback_model_id=fallback_id))
    await session.flush()
    return True


async def put_route(
    session: AsyncSession,
    *,
    model_id: str,
    channel_id: str,
    upstream_model: str,
    priority: int = 0,
    weight: int = 1,
) -> str:
    """Let a channel serve a model, or change how it does; return the route's id.

    Args:
        session: Open unit of work; the caller commits.
        model_id: The model.
        channel_id: The channel.
        upstream_model: What the provider calls the model; 1–128 characters.
        priority: Lower is tried first.
        weight: Share of traffic within one priority; 1–1 000 000.

    Raises:
        BadRequest: A value cannot be used.
        NotFound: No such model or channel.
    """
    if not 0 < len(upstream_model) <= 128 or not upstream_model.isprintable():
        raise BadRequest("An upstream model's name has 1 to 128 printable characters.", parameter="upstream_model")
    if not 1 <= weight <= WEIGHT_MAX or abs(priority) > WEIGHT_MAX:
        raise BadRequest(f"A route's weight is 1 to {WEIGHT_MAX}, its priority within ±{WEIGHT_MAX}.")
    if await session.get(Model, model_id) is None or await session.get(Channel, channel_id) is None:
        raise NotFound("There is no such model or channel.")
    values: dict[str, Any] = {"upstream_model": upstream_model, "priority": priority, "weight": weight}
    query = select(Route).where(Route.model_id == model_id, Route.channel_id == channel_id)
    route = (await session.exec(query)).first()
    if route is None:
        route = Route(model_id=model_id, channel_id=channel_id, **values)
        session.add(route)
    else:
        _set_differing(route, values)
    await session.flush()
    return route.id


def credential_place(channel_id: str) -> str:
    """Name the place that a channel's sealed credential is bound to."""
    return f"catalog_channel:{channel_id}:credential"


def further_credential_place(credential_id: str) -> str:
    """Name the place that a further credential is bound to."""
    return f"catalog_credential:{credential_id}:credential"


def _opens_to(sealed: bytes, credential: str, key_encryption_key: bytes, place: str) -> bool:
    """Whether this very credential is sealed there already; one that no longer opens is replaced."""
    try:
        return unseal(key_encryption_key, sealed, bound_to=place) == credential
    except CannotUnseal:
        return False


def _set_differing(row: SQLModel, values: dict[str, Any]) -> bool:
    """Change only what differs, so that applying the same file again writes nothing; return whether anything did."""
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


def _check_name(name: str, pattern: re.Pattern[str], what: str, *, parameter: str = "name") -> None:
    """Refuse a name that could be mistaken for something else in a request, a path or a log."""
    if pattern.fullmatch(name) is None:
        raise BadRequest(f"{what} has letters, digits and . _ : / @ + - and begins with one of the first.",
                         parameter=parameter)  # fmt: skip


def _check_credential(credential: str) -> None:
    """Refuse what cannot stand in a header; the message repeats nothing of it."""
    is_header_text = credential.isascii() and credential.isprintable() and " " not in credential
    if not 0 < len(credential) <= CREDENTIAL_CHARACTERS_MAX or not is_header_text:
        raise BadRequest("A credential has visible ASCII characters and no spaces.", parameter="credential")
