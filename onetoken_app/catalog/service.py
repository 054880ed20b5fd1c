"""Puts channels, models and routes: adds what is new, changes what differs, and writes nothing when nothing does.

Rows are known by their names, so that a file can be applied again and again.
"""

import re
from typing import Any

from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.catalog.models import Channel, Model, Region, Route
from onetoken_app.catalog.upstream_addresses import checked_base_url
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.vault import CannotUnseal, seal, unseal

TOKENS_MAX = 100_000_000
"""Above any context window; keeps holds far from the end of BIGINT."""
WEIGHT_MAX = 1_000_000
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
    if channel is None or not _is_sealed_in(channel, credential, key_encryption_key):
        values["credential_sealed"] = seal(key_encryption_key, credential, bound_to=credential_place(channel_id))
    if channel is None:
        session.add(Channel(id=channel_id, name=name, created_at=clock.utc_now(), **values))
    else:
        _set_differing(channel, values)
    await session.flush()
    return channel_id


async def put_model(
    session: AsyncSession,
    *,
    name: str,
    context_window_tokens: int,
    output_tokens_max: int,
    owned_by: str = "onetoken",
    is_enabled: bool = True,
) -> str:
    """Add a model or change the one of this name; return its id.

    Args:
        session: Open unit of work; the caller commits.
        name: What customers write in a request; 1–128 characters.
        context_window_tokens: Input and output together; at least 1.
        output_tokens_max: The longest answer; at least 1, at most the context window.
        owned_by: The supplier, as shown to customers.
        is_enabled: Whether it may be called.

    Raises:
        BadRequest: A value cannot be used.
    """
    _check_name(name, _MODEL_NAME, "A model's name")
    if not 0 < len(owned_by) <= 64 or not owned_by.isprintable():
        raise BadRequest("A supplier's name has 1 to 64 printable characters.", parameter="owned_by")
    if not 1 <= output_tokens_max <= context_window_tokens <= TOKENS_MAX:
        raise BadRequest(
            "A model's longest answer is at least 1 and at most its context window.", parameter="context_window"
        )
    values: dict[str, Any] = {
        "owned_by": owned_by,
        "context_window_tokens": context_window_tokens,
        "output_tokens_max": output_tokens_max,
        "is_enabled": is_enabled,
    }
    model = (await session.exec(select(Model).where(Model.name == name))).first()
    if model is None:
        model = Model(name=name, created_at=clock.utc_now(), **values)
        session.add(model)
    else:
        _set_differing(model, values)
    await session.flush()
    return model.id


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


def _is_sealed_in(channel: Channel, credential: str, key_encryption_key: bytes) -> bool:
    """Whether the channel holds this credential already; one that no longer opens is replaced."""
    try:
        return (
            unseal(key_encryption_key, channel.credential_sealed, bound_to=credential_place(channel.id)) == credential
        )
    except CannotUnseal:
        return False


def _set_differing(row: SQLModel, values: dict[str, Any]) -> None:
    """Change only what differs, so that applying the same file again writes nothing."""
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


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
