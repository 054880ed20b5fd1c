"""Puts the projects and keys of one organization of an ``apply`` file."""

from onetoken_app.catalog.queries import model_by_name
from onetoken_app.command.apply_file import KeyEntry, OrganizationEntry
from onetoken_app.command.apply_run import ApplyRun, MintedSecret
from onetoken_app.command.marked_yaml import BadFile, complaints_at
from onetoken_app.keys import projects
from onetoken_app.keys import queries as key_queries
from onetoken_app.keys import service as keys
from onetoken_app.keys.queries import ApiKeyView


async def put_projects_and_keys(run: ApplyRun, entry: OrganizationEntry, organization_id: str) -> None:
    """Add the projects and keys that are missing, and change the keys of which the file says something else.

    Raises:
        BadFile: One of them cannot be put; the message names its line.
    """
    known = {project.name for project in await key_queries.projects_of(run.session, organization_id)}
    for project in entry.projects:
        if project.value in known:
            continue
        with complaints_at(project.line):
            project_id = await projects.create_project(run.session, organization_id=organization_id, name=project.value)
        await run.note(
            f"project {project.value} added to {entry.name}",
            action="project_created",
            subject_id=project_id,
            organization_id=organization_id,
        )
    for key in entry.keys:
        with complaints_at(key.line):
            await _put_key(run, key, organization_id, organization=entry.name)


async def _put_key(run: ApplyRun, entry: KeyEntry, organization_id: str, *, organization: str) -> None:
    """Mint a key unless one of this name is there; restrict, move and let expire that one, as the file says."""
    model_ids = await _model_ids(run, entry)
    project_id = await _project_id(run, entry, organization_id)
    known = next(
        (
            key
            for key in await key_queries.keys_of(run.session, organization_id)
            if key.name == entry.name and key.revoked_at is None
        ),
        None,
    )
    if known is not None:
        await _change_key(run, entry, known, model_ids=model_ids, project_id=project_id)
        return
    minted = await keys.mint_key(
        run.session,
        key_pepper=run.secrets.key_pepper,
        organization_id=organization_id,
        name=entry.name,
        created_by=None,
        project_id=project_id,
        model_ids=model_ids,
        expires_at=entry.expires_at,
    )
    run.keys.append(MintedSecret(organization=organization, name=entry.name, secret=minted.secret))
    await run.note(
        f"key {entry.name} minted for {organization}",
        action="api_key_minted",
        subject_id=minted.id,
        organization_id=organization_id,
    )


async def _change_key(
    run: ApplyRun, entry: KeyEntry, known: ApiKeyView, *, model_ids: frozenset[str] | None, project_id: str | None
) -> None:
    """Change what the file says otherwise of a key that is there."""
    organization_id = known.organization_id
    if model_ids is not None and known.permitted_model_ids != model_ids:
        await keys.set_model_permissions(
            run.session, organization_id=organization_id, api_key_id=known.id, model_ids=model_ids
        )
        await run.note(
            f"models of key {entry.name} changed",
            action="api_key_restricted",
            subject_id=known.id,
            organization_id=organization_id,
        )
    if entry.expires_at not in {None, known.expires_at}:
        await keys.set_expiry(
            run.session, organization_id=organization_id, api_key_id=known.id, expires_at=entry.expires_at
        )
        await run.note(
            f"expiry of key {entry.name} changed",
            action="api_key_expiry_changed",
            subject_id=known.id,
            organization_id=organization_id,
        )
    if project_id is not None and known.project_id != project_id:
        await keys.move_key(run.session, organization_id=organization_id, api_key_id=known.id, project_id=project_id)
        await run.note(
            f"project of key {entry.name} changed",
            action="api_key_moved",
            subject_id=known.id,
            organization_id=organization_id,
            facts={"project_id": project_id},
        )


async def _project_id(run: ApplyRun, entry: KeyEntry, organization_id: str) -> str | None:
    """Look up the project that a key belongs to."""
    if entry.project is None:
        return None
    for project in await key_queries.projects_of(run.session, organization_id):
        if project.name == entry.project.value:
            return project.id
    problem = f"there is no project {entry.project.value!r}, neither in this file nor at this organization"
    raise BadFile(entry.project.line, problem)


async def _model_ids(run: ApplyRun, entry: KeyEntry) -> frozenset[str] | None:
    """Look up the models that a key is restricted to."""
    if entry.models is None:
        return None
    model_ids = set()
    for name in entry.models:
        model = await model_by_name(run.session, name.value)
        if model is None:
            raise BadFile(name.line, f"there is no model {name.value!r}, neither in this file nor in the catalog")
        model_ids.add(model.id)
    return frozenset(model_ids)
