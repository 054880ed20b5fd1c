"""Organizations that staff name in a form: by registration code or by id."""

from onetoken_app.database import read_session
from onetoken_app.errors import BadRequest
from onetoken_app.organizations.queries import OrganizationView, organization, organization_by_code

CODE_CHARACTERS_MAX = 64


async def customer_named(named: str, *, parameter: str = "organization") -> OrganizationView:
    """Find an organization; ``parameter`` is the form's field.

    Raises:
        BadRequest: There is none.
    """
    asked = named.strip()[:CODE_CHARACTERS_MAX]
    async with read_session() as session:
        found = (await organization_by_code(session, asked) or await organization(session, asked)) if asked else None
    if found is None:
        raise BadRequest("There is no organization with this code or id; nothing was proposed.", parameter=parameter)
    return found
