"""Applies a file: adds and changes what it names, removes nothing, all of it or nothing, as an act of the operator."""

import hashlib
from dataclasses import dataclass

from onetoken_app.catalog import queries as catalog_queries
from onetoken_app.catalog import service as catalog
from onetoken_app.command.apply_file import ApplyFile, ChannelEntry, ModelEntry, read_apply_file
from onetoken_app.command.apply_organization import put_organization
from onetoken_app.command.apply_price_book import put_contract, put_price_book
from onetoken_app.command.apply_run import ApplyRun, MintedSecret
from onetoken_app.command.marked_yaml import BadFile, complaints_at
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity import passwords
from onetoken_app.identity import queries as identity_queries
from onetoken_app.providers import registry
from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets


@dataclass(frozen=True, slots=True)
class Applied:
    """What a run has done."""

    changes: tuple[str, ...]
    """A line for each thing that changed; empty when everything was so already."""
    keys: tuple[MintedSecret, ...]


async def apply(content: bytes, *, settings: Settings) -> Applied:
    """Apply a file to the database in use, in one unit of work.

    Args:
        content: The file.
        settings: Of this installation.

    Raises:
        BadFile: Something in the file cannot be done; nothing of it was, and the message names the line.
    """
    file = read_apply_file(content)
    password_hashes = await _changed_password_hashes(file)
    secrets = load_root_secrets(settings)
    async with unit_of_work() as session:
        run = ApplyRun(session=session, settings=settings, secrets=secrets, password_hashes=password_hashes)
        for channel in file.channels:
            await _put_channel(run, channel)
        for model in file.models:
            await _put_model(run, model)
        for model in file.models:
            await _put_names_and_fallbacks(run, model)
        await put_price_book(run, file)
        for organization in file.organizations:
            organization_id = await put_organization(run, organization)
            await put_contract(run, organization, organization_id)
        if run.changes:
            await run.note(
                f"{len(run.changes)} changes",
                action="file_applied",
                subject_id=hashlib.sha256(content).hexdigest(),
                facts={"count": len(run.changes)},
            )
            run.changes.pop()
    return Applied(changes=tuple(run.changes), keys=tuple(run.keys))


async def _changed_password_hashes(file: ApplyFile) -> dict[str, str]:
    """Hash the passwords that are new or differ: outside of the unit of work, which keeps the ledger waiting."""
    hashes = {}
    for person in (person for organization in file.organizations for person in organization.people):
        if person.password is None:
            continue
        if len(person.password) > passwords.PASSWORD_CHARACTERS_MAX:
            raise BadFile(person.line, f"a password has at most {passwords.PASSWORD_CHARACTERS_MAX} characters")
        async with read_session() as session:
            known = await identity_queries.credentials_of(session, person.email)
        if known is None or not await passwords.verify_password(person.password, known.password_hash):
            hashes[person.email] = await passwords.hash_password(person.password)
    return hashes


async def _put_channel(run: ApplyRun, entry: ChannelEntry) -> None:
    """Add or change one channel."""
    if not registry.is_known_provider(entry.provider):
        raise BadFile(
            entry.lines["provider"], f"a channel's provider is one of {', '.join(sorted(registry.PROVIDERS))}"
        )
    base_url = entry.base_url or registry.usual_base_url(entry.provider)
    if not base_url:
        raise BadFile(entry.line, f"a channel of {entry.provider} needs 'base_url': nobody but you knows where it runs")
    before = {known.channel.id: known for known in await catalog_queries.sealed_channels(run.session)}
    with complaints_at(entry.line, entry.lines):
        channel_id = await catalog.put_channel(
            run.session,
            key_encryption_key=run.secrets.key_encryption_key,
            name=entry.name,
            provider=entry.provider,
            base_url=base_url,
            credential=entry.credential,
            region=entry.region,
            is_enabled=entry.is_enabled,
            bills_after_hang_up=entry.bills_after_hang_up,
            allow_private_upstreams=run.settings.allow_private_upstreams,
        )
    changed = False
    for further in entry.credentials:
        with complaints_at(further.line):
            changed |= await catalog.put_credential(
                run.session,
                key_encryption_key=run.secrets.key_encryption_key,
                channel_id=channel_id,
                name=further.name,
                credential=further.credential,
                is_enabled=further.is_enabled,
            )
    after = {known.channel.id: known for known in await catalog_queries.sealed_channels(run.session)}
    if channel_id not in before:
        await run.note(f"channel {entry.name} added", action="channel_added", subject_id=channel_id)
    elif changed or before[channel_id] != after[channel_id]:
        await run.note(f"channel {entry.name} changed", action="channel_changed", subject_id=channel_id)


async def _put_model(run: ApplyRun, entry: ModelEntry) -> None:
    """Add or change one model and its routes."""
    before = await catalog_queries.model_by_name(run.session, entry.name)
    with complaints_at(entry.line, entry.lines):
        model_id = await catalog.put_model(
            run.session,
            name=entry.name,
            context_window_tokens=entry.context_window_tokens,
            output_tokens_max=entry.output_tokens_max,
            owned_by=entry.owned_by,
            is_enabled=entry.is_enabled,
            routing_rule=entry.routing_rule,
            first_byte_seconds=entry.first_byte_seconds,
        )
    routes_before = await catalog_queries.routes_of(run.session, model_id)
    channel_ids = {channel.name: channel.id for channel in await catalog_queries.channels(run.session)}
    for route in entry.routes:
        if route.channel not in channel_ids:
            raise BadFile(route.line, f"there is no channel {route.channel!r}, neither in this file nor in the catalog")
        with complaints_at(route.line):
            await catalog.put_route(
                run.session,
                model_id=model_id,
                channel_id=channel_ids[route.channel],
                upstream_model=route.upstream_model,
                priority=route.priority,
                weight=route.weight,
            )
    after = await catalog_queries.model_by_name(run.session, entry.name)
    if before is None:
        await run.note(f"model {entry.name} added", action="model_added", subject_id=model_id)
    elif before != after or routes_before != await catalog_queries.routes_of(run.session, model_id):
        await run.note(f"model {entry.name} changed", action="model_changed", subject_id=model_id)


async def _put_names_and_fallbacks(run: ApplyRun, entry: ModelEntry) -> None:
    """Give one model its other names and those that stand in for it, once every model of the file is there."""
    ids = {model.name: model.id for model in await catalog_queries.models(run.session)}
    changed = False
    with complaints_at(entry.line, entry.lines):
        if entry.aliases is not None:
            names = [alias.value for alias in entry.aliases]
            changed |= await catalog.put_aliases(run.session, model_id=ids[entry.name], names=names)
        if entry.fallbacks is not None:
            for other in entry.fallbacks:
                if other.value not in ids:
                    raise BadFile(other.line, f"there is no model {other.value!r}, neither here nor in the catalog")
            others = [ids[other.value] for other in entry.fallbacks]
            changed |= await catalog.put_fallbacks(run.session, model_id=ids[entry.name], fallback_model_ids=others)
    if changed:
        await run.note(f"model {entry.name} changed", action="model_changed", subject_id=ids[entry.name])
