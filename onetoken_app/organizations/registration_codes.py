"""Registration codes: the unified social credit code of GB 32100-2015, whose check character finds any single slip."""

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from onetoken_app.errors import BadRequest


class InvalidRegistrationCode(BadRequest):
    """The code is not one that the register gives out."""

    code = "invalid_registration_code"


def checked_registration_code(text: str) -> str:
    """Return a unified social credit code in its one form: 18 characters, upper case, without separators.

    Raises:
        InvalidRegistrationCode: Wrong length, a character or a check character that the standard does not allow.
    """
    try:
        code: str = uscc.validate(text)
    except ValidationError as error:
        raise InvalidRegistrationCode(
            "This is not a unified social credit code (18 characters, GB 32100-2015). Check it against the licence.",
            parameter="code",
        ) from error
    return code
