"""Reads the members of a posted form by their names; what is missing or of another type is refused by name."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeVar

from onetoken_app.agreements.clicks import Signatory
from onetoken_app.console.http_exchange import RefusedExchange, Scope, caller_ip, header
from onetoken_app.console.text.catalogues import known_locale
from onetoken_app.settings import Settings

FORM_BYTES_MAX = 16_384
_MEMBER_CHARACTERS_MAX = 1_000
Choice = TypeVar("Choice", bound=StrEnum)


def text_of(form: Mapping[str, Any], member: str, *, default: str | None = None) -> str:
    """Return a text.

    Raises:
        RefusedExchange: It is missing and has no default, is no text, or is absurdly long.
    """
    value = form.get(member, default)
    if not isinstance(value, str) or len(value) > _MEMBER_CHARACTERS_MAX or not _is_text(value):
        raise refused(member)
    return value


def choice_of(form: Mapping[str, Any], member: str, choices: type[Choice]) -> Choice:
    """Return one of some words.

    Raises:
        RefusedExchange: It is none of them.
    """
    try:
        return choices(text_of(form, member))
    except ValueError as error:
        raise refused(member) from error


def choices_of(form: Mapping[str, Any], member: str, choices: type[Choice]) -> tuple[Choice, ...]:
    """Return several of some words, each once.

    Raises:
        RefusedExchange: It is no list, or one is none of them.
    """
    listed = form.get(member)
    if not isinstance(listed, list) or len(listed) > len(choices):
        raise refused(member)
    try:
        return tuple(dict.fromkeys(choices(one) for one in listed))
    except ValueError as error:
        raise refused(member) from error


def accepted_of(form: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each text that was accepted, by kind of agreement.

    Raises:
        RefusedExchange: It is no object of texts.
    """
    accepted = form.get("accepted")
    if not isinstance(accepted, dict) or not all(isinstance(value, str) for value in accepted.values()):
        raise refused("accepted")
    return accepted


def has_ticked(form: Mapping[str, Any], member: str) -> bool:
    """Whether a box is ticked; anything but ``true`` is not."""
    return form.get(member) is True


def locale_of(form: Mapping[str, Any]) -> str:
    """Return the language that the page was in."""
    return known_locale(text_of(form, "locale", default="")).value


def signatory_of(form: Mapping[str, Any], scope: Scope, settings: Settings, *, name: str | None = None) -> Signatory:
    """Return who clicks, as what, and from where.

    Args:
        form: What they posted: ``title``, ``locale``, and ``name`` unless it is given.
        scope: The request.
        settings: How many proxies are trusted.
        name: Of somebody whose name is known.

    Raises:
        RefusedExchange: A member is no text.
    """
    return Signatory(
        name=text_of(form, "name") if name is None else name,
        title=text_of(form, "title"),
        locale=locale_of(form),
        caller_ip=caller_ip(scope, trusted_proxy_count=settings.trusted_proxy_count),
        user_agent=header(scope, b"user-agent"),
    )


def _is_text(value: str) -> bool:
    """Whether a database takes it: PostgreSQL takes neither NUL nor half a surrogate pair, and JSON may carry both."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def refused(member: str) -> RefusedExchange:
    """Make the refusal of a form whose member cannot be used."""
    return RefusedExchange(HTTPStatus.BAD_REQUEST, "invalid_request", parameter=member)
