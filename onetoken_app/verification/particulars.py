"""What an organization says about itself: trimmed, bounded and checked, nothing more."""

from dataclasses import dataclass, fields, replace

from onetoken_app.errors import BadRequest
from onetoken_app.verification.models import Case, MissingPart

CHARACTERS_MAX = {
    "legal_name": 200,
    "registration_code": 64,
    "legal_representative": 120,
    "registered_address": 300,
    "contact_name": 120,
    "contact_phone": 40,
}
"""Longest text of each part."""
IDENTITY = ("legal_name", "registration_code", "legal_representative")
"""What an approval is about; a change of it has to be proved anew."""
WORDS_CHARACTERS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Particulars:
    """What an organization says about itself; parts may be empty until it submits."""

    legal_name: str = ""
    registration_code: str = ""
    legal_representative: str = ""
    registered_address: str = ""
    contact_name: str = ""
    contact_phone: str = ""


def checked_particulars(particulars: Particulars) -> Particulars:
    """Trim every part and refuse what no register or form holds.

    Raises:
        BadRequest: A part is too long or unprintable; ``parameter`` names it.
    """
    trimmed = {name: getattr(particulars, name).strip() for name in CHARACTERS_MAX}
    for name, text in trimmed.items():
        if len(text) > CHARACTERS_MAX[name] or not text.isprintable():
            raise BadRequest(f"At most {CHARACTERS_MAX[name]} printable characters on one line.", parameter=name)
    return replace(particulars, **trimmed)


def checked_words(text: str, *, is_required: bool) -> str:
    """Trim what a reviewer writes in their own words; line breaks are fine.

    Raises:
        BadRequest: Too long, unprintable, or empty where the reason says nothing by itself.
    """
    text = text.strip()
    lines = text.splitlines()
    if len(text) > WORDS_CHARACTERS_MAX or not all(line.isprintable() for line in lines):
        raise BadRequest(f"At most {WORDS_CHARACTERS_MAX} printable characters.", parameter="words")
    if is_required and not text:
        raise BadRequest("Say in words of your own what the reason is.", parameter="words")
    return text


def particulars_of(case: Case) -> Particulars:
    """Return what a case says."""
    return Particulars(**{field.name: getattr(case, field.name) for field in fields(Particulars)})


def missing_texts(particulars: Particulars) -> tuple[MissingPart, ...]:
    """Name the parts that are empty."""
    return tuple(MissingPart(name) for name in CHARACTERS_MAX if not getattr(particulars, name))
