"""Mints a key for a form that a page's script posts; the secret goes from here to the page, past every State."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.console.callers import Caller, Role, find_caller
from onetoken_app.console.http_exchange import RefusedExchange
from onetoken_app.database import unit_of_work
from onetoken_app.keys import service as keys
from onetoken_app.keys.service import MintedKey
from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets

EXPIRY_DAYS_MAX = 3650
BODY_BYTES_MAX = 32_768
"""Room for a list of some hundred models."""
_MODELS_MAX = 500


async def mint(form: dict[str, Any], *, cookie_header: str, settings: Settings) -> MintedKey:
    """Mint a key for the organization that a form names.

    Args:
        form: ``organization_id``, ``name``, ``project_id`` (none for the default one), ``expires_in_days`` (a number,
            or none for never) and ``model_ids`` (a list, or none for every model).
        cookie_header: Who asks.
        settings: Where the key pepper is.

    Raises:
        RefusedExchange: Nobody is signed in, they may not mint keys for this organization, or the form is malformed.
        OneTokenError: The name is taken or empty, or there is no such project or model.
    """
    organization_id = form.get("organization_id")
    caller = await _minter(organization_id, cookie_header)
    model_ids, days = _model_ids(form.get("model_ids")), _expiry_days(form.get("expires_in_days"))
    name, project_id = form.get("name"), form.get("project_id")
    if not isinstance(name, str) or not isinstance(project_id, str | None):
        raise RefusedExchange(HTTPStatus.BAD_REQUEST, "invalid_request")
    pepper = load_root_secrets(settings).key_pepper
    async with unit_of_work() as session:
        minted = await keys.mint_key(
            session,
            key_pepper=pepper,
            organization_id=caller.organization_id,
            name=name,
            created_by=caller.person.person_id,
            project_id=project_id or None,
            model_ids=model_ids,
            expires_at=clock.utc_now() + timedelta(days=days) if days else None,
        )
        await audit.record(
            session,
            actor=Actor(ActorKind.PERSON, caller.person.person_id),
            action="api_key_minted",
            subject_id=minted.id,
            organization_id=caller.organization_id,
            facts={"is_restricted": model_ids is not None, "expires_in_days": days},
        )
    return minted


async def _minter(organization_id: object, cookie_header: str) -> Caller:
    """Find out who asks, and refuse whoever may not mint keys for exactly this organization."""
    if not isinstance(organization_id, str):
        raise RefusedExchange(HTTPStatus.BAD_REQUEST, "invalid_request")
    caller = await find_caller(cookie_header, chosen_organization_id=organization_id)
    if caller is None:
        raise RefusedExchange(HTTPStatus.UNAUTHORIZED, "unauthenticated")
    if caller.organization_id != organization_id or not caller.may(Role.DEVELOPER):
        raise RefusedExchange(HTTPStatus.FORBIDDEN, "forbidden")
    return caller


def _model_ids(listed: object) -> list[str] | None:
    """Read the list of models."""
    if listed is None:
        return None
    if not isinstance(listed, list) or len(listed) > _MODELS_MAX or not all(isinstance(one, str) for one in listed):
        raise RefusedExchange(HTTPStatus.BAD_REQUEST, "invalid_request")
    return listed


def _expiry_days(days: object) -> int | None:
    """Read the number of days."""
    if days is None:
        return None
    if not isinstance(days, int) or isinstance(days, bool) or not 0 < days <= EXPIRY_DAYS_MAX:
        raise RefusedExchange(HTTPStatus.BAD_REQUEST, "invalid_request")
    return days
