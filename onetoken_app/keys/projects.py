"""Projects: what an organization tells its keys, calls and charges apart by. None is ever removed."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.identifiers import Kind, is_submission_id, new_id
from onetoken_app.keys.errors import ProjectArchived, ProjectFormUsed, ProjectInUse, ProjectNameTaken
from onetoken_app.keys.models import ApiKey, Project
from onetoken_app.organizations.models import Organization

NAME_CHARACTERS_MAX = 64
DEFAULT_NAME = "Default"
"""Of the project that an organization has without asking for one; it may be renamed."""
PROJECTS_MAX = 1_000
"""An organization's projects, archived ones included."""


async def create_project(
    session: AsyncSession, *, organization_id: str, name: str, submission_id: str | None = None
) -> str:
    """Add a project; return its id.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose project.
        name: 1–64 printable characters; unique among the organization's projects, archived ones included.
        submission_id: Made once per form; ``None``: no form asks for it.

    Raises:
        BadRequest: The name is empty, too long or unprintable.
        Conflict: There are as many as may be.
        NotFound: There is no such organization.
        ProjectNameTaken: Another project has it.
    """
    name = _checked_name(name)
    # The default one is there first, so that nobody else's name stands in its way.
    await default_project_id(session, organization_id=organization_id)
    names = list(await session.exec(select(Project.name).where(Project.organization_id == organization_id)))
    if len(names) >= PROJECTS_MAX:
        raise Conflict(f"An organization has at most {PROJECTS_MAX} projects; rename one instead.")
    if name in names:
        raise _taken()
    return await _add(
        session, organization_id=organization_id, name=name, is_default=False, submission_id=submission_id
    )  # fmt: skip


async def project_of_form(
    session: AsyncSession, *, organization_id: str, name: str, submission_id: str
) -> str | None:  # fmt: skip
    """Return the project that the same form, sent twice, made before; ``None``: it made none.

    Raises:
        BadRequest: The form has no id of its own.
        ProjectFormUsed: It made one of another name.
    """
    if not is_submission_id(submission_id):
        raise BadRequest("The form is incomplete; nothing was created. Load the page again.", parameter="submission_id")
    query = select(Project).where(Project.organization_id == organization_id, Project.submission_id == submission_id)
    made = (await session.exec(query)).first()
    if made is not None and made.name != name.strip():
        raise ProjectFormUsed("This form created another project before; nothing was created. Send it once more.")
    return made.id if made else None


async def rename_project(session: AsyncSession, *, organization_id: str, project_id: str, name: str) -> None:
    """Give a project another name, which its history carries too.

    Raises:
        BadRequest: The name is empty, too long or unprintable.
        NotFound: The organization has no such project.
        ProjectNameTaken: Another project has it.
    """
    name = _checked_name(name)
    project = await _project(session, organization_id=organization_id, project_id=project_id)
    query = select(Project.id).where(
        Project.organization_id == organization_id, Project.name == name, Project.id != project_id
    )
    if (await session.exec(query)).first() is not None:
        raise _taken()
    project.name = name


async def archive_project(session: AsyncSession, *, organization_id: str, project_id: str) -> bool:
    """Take no more keys into a project; its history stays. Archiving it again changes nothing.

    Returns:
        Whether it was this that archived it.

    Raises:
        Conflict: It is the default one.
        NotFound: The organization has no such project.
        ProjectInUse: It has keys that are not revoked.
    """
    project = await _project(session, organization_id=organization_id, project_id=project_id)
    if project.archived_at is not None:
        return False
    if project.is_default:
        raise Conflict("The default project cannot be archived; rename it if it should be called something else.")
    in_use = select(ApiKey.id).where(ApiKey.project_id == project_id, col(ApiKey.revoked_at).is_(None)).limit(1)
    if (await session.exec(in_use)).first() is not None:
        raise ProjectInUse(
            "This project has keys that are not revoked. Nothing was archived. "
            "Revoke them or move them to another project first."
        )
    project.archived_at = clock.utc_now()
    return True


async def default_project_id(session: AsyncSession, *, organization_id: str) -> str:
    """Return where keys go of which nobody says it; the first use makes it.

    Raises:
        NotFound: There is no such organization.
    """
    query = select(Project.id).where(Project.organization_id == organization_id, col(Project.is_default).is_(True))
    known_id = (await session.exec(query)).first()
    if known_id is not None:
        return known_id
    if await session.get(Organization, organization_id) is None:
        raise NotFound("There is no such organization.")
    return await _add(session, organization_id=organization_id, name=DEFAULT_NAME, is_default=True)


async def refuse_closed_project(session: AsyncSession, *, organization_id: str, project_id: str) -> None:
    """Refuse a project that takes no keys.

    The row stays locked until the commit, so that nobody archives the project meanwhile.

    Raises:
        NotFound: The organization has no such project.
        ProjectArchived: It is archived.
    """
    project = await _project(session, organization_id=organization_id, project_id=project_id)
    if project.archived_at is not None:
        raise ProjectArchived("This project is archived and takes no keys. Choose another one.")


async def _project(session: AsyncSession, *, organization_id: str, project_id: str) -> Project:
    """Find and lock a project of this organization; another organization's does not exist here."""
    query = select(Project).where(Project.id == project_id, Project.organization_id == organization_id)
    project = (await session.exec(query.with_for_update())).first()
    if project is None:
        raise NotFound("There is no such project.")
    return project


async def _add(
    session: AsyncSession, *, organization_id: str, name: str, is_default: bool, submission_id: str | None = None
) -> str:
    """Write a project; the unique indexes keep the rules when two are faster than the look before."""
    project = Project(
        id=new_id(Kind.PROJECT),
        organization_id=organization_id,
        name=name,
        is_default=is_default,
        submission_id=submission_id,
        created_at=clock.utc_now(),
    )
    session.add(project)
    await session.flush()
    return project.id


def _checked_name(name: str) -> str:
    """Trim a name and refuse an empty, long or unprintable one."""
    name = name.strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise BadRequest(f"A project's name has 1 to {NAME_CHARACTERS_MAX} printable characters.", parameter="name")
    return name


def _taken() -> ProjectNameTaken:
    """Say that a name is taken."""
    return ProjectNameTaken("A project of this name exists, maybe an archived one. Choose another name.")
