"""Registration codes: the unified social credit code of GB 32100-2015, whose check character finds any single slip.

Elsewhere, the number that the register gave, after the country or region: ``DE-HRB 86891``. Registers differ too much
for more than a check of the form; whoever verifies the organization compares it with the document.
"""

import re

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from onetoken_app.errors import BadRequest

MAINLAND = "CN"
_FOREIGN = re.compile(r"([A-Z]{2})-([A-Z0-9](?:[A-Z0-9 ./-]{0,38}[A-Z0-9])?)", re.ASCII)


class InvalidRegistrationCode(BadRequest):
    """The code is not one that the register gives out."""

    code = "invalid_registration_code"


def checked_registration_code(text: str) -> str:
    """Return a code in its one form.

    A unified social credit code has 18 characters, upper case, without separators; a number of another
    register is upper case, with single spaces, after the country's two letters and a hyphen.

    Raises:
        InvalidRegistrationCode: Wrong length, a character or a check character that the standard does not allow.
    """
    foreign = _FOREIGN.fullmatch(" ".join(text.upper().split()))
    if foreign is not None and foreign[1] != MAINLAND and any(character.isdigit() for character in foreign[2]):
        return foreign[0]
    try:
        code: str = uscc.validate(text)
    except ValidationError as error:
        raise InvalidRegistrationCode(
            "This is not a unified social credit code (18 characters, GB 32100-2015). Check it against the licence. "
            "Outside of mainland China, write the country or region and the number of its register: DE-HRB 86891.",
            parameter="code",
        ) from error
    return code


def is_of_mainland(code: str) -> bool:
    """Whether a code is a unified social credit code, which is its organization's tax number too."""
    return bool(uscc.is_valid(code))


def registration_code_in(country: str, number: str) -> str:
    """Put a code together from the country or region and the number of its register.

    Args:
        country: Two letters, such as ``CN``.
        number: What the licence or the register's extract says; with the country or region before it, or without.
    """
    country, number = country.strip().upper(), number.strip()
    is_whole = country in {"", MAINLAND} or number.upper().startswith(f"{country}-")
    return number if is_whole else f"{country}-{number}"
