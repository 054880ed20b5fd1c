"""Projects: made, renamed and archived by their organization alone; keys belong to them; history stays."""

import pytest

from onetoken_app.database import policy_revision, read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.keys.models import Project
from onetoken_app.keys.projects import (
    DEFAULT_NAME,
    PROJECTS_MAX,
    archive_project,
    create_project,
    default_project_id,
    rename_project,
)
from onetoken_app.keys.queries import ProjectView, projects_of
from onetoken_app.keys.service import move_key
from tests.keys.minted import listed, mint, policy_of, revoke
from tests.support.builders import an_organization


async def create(organization_id: str, name: str) -> str:
    """Add a project in a unit of its own."""
    async with unit_of_work() as session:
        return await create_project(session, organization_id=organization_id, name=name)


async def rename(organization_id: str, project_id: str, name: str) -> None:
    """Rename a project in a unit of its own."""
    async with unit_of_work() as session:
        await rename_project(session, organization_id=organization_id, project_id=project_id, name=name)


async def archive(organization_id: str, project_id: str) -> None:
    """Archive a project in a unit of its own."""
    async with unit_of_work() as session:
        await archive_project(session, organization_id=organization_id, project_id=project_id)


async def move(organization_id: str, api_key_id: str, project_id: str) -> None:
    """Move a key in a unit of its own."""
    async with unit_of_work() as session:
        await move_key(session, organization_id=organization_id, api_key_id=api_key_id, project_id=project_id)


async def projects(organization_id: str) -> list[ProjectView]:
    """Read an organization's projects."""
    async with read_session() as session:
        return await projects_of(session, organization_id)


async def another_organization() -> str:
    """Add another customer."""
    async with unit_of_work() as session:
        return await an_organization(session, name="Other")


class TestDefaultProject:
    async def test_comes_with_the_first_key_and_stays_the_only_one(self, organization_id: str) -> None:
        assert await projects(organization_id) == []
        await mint(organization_id, "one")
        await mint(organization_id, "two")
        (project,) = await projects(organization_id)
        assert (project.name, project.is_default, project.archived_at) == (DEFAULT_NAME, True, None)
        assert {key.project_id for key in await listed(organization_id)} == {project.id}

    async def test_a_second_one_is_refused_by_the_database(self, organization_id: str) -> None:
        await mint(organization_id)
        with pytest.raises(Conflict):
            async with unit_of_work() as session:
                session.add(Project(organization_id=organization_id, name="Second", is_default=True))

    async def test_may_be_renamed_and_not_archived(self, organization_id: str) -> None:
        async with unit_of_work() as session:
            project_id = await default_project_id(session, organization_id=organization_id)
        await rename(organization_id, project_id, "Everything")
        with pytest.raises(Conflict, match="default"):
            await archive(organization_id, project_id)
        assert [project.name for project in await projects(organization_id)] == ["Everything"]

    async def test_an_organization_that_is_not_there_has_none(self, organization_id: str) -> None:
        with pytest.raises(NotFound):
            await create("org_nobody", "x")
        assert await projects(organization_id) == []


class TestCreateProject:
    async def test_stands_behind_the_default_one(self, organization_id: str) -> None:
        await create(organization_id, " Mobile ")
        await create(organization_id, "Agents")
        assert [project.name for project in await projects(organization_id)] == [DEFAULT_NAME, "Agents", "Mobile"]

    async def test_a_name_is_taken_once_an_organization_even_by_an_archived_one(self, organization_id: str) -> None:
        await archive(organization_id, await create(organization_id, "Mobile"))
        with pytest.raises(Conflict):
            await create(organization_id, "Mobile")
        other = await another_organization()
        await create(other, "Mobile")
        assert len(await projects(other)) == 2

    @pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb"])
    async def test_refuses_a_name_that_cannot_be_read(self, organization_id: str, name: str) -> None:
        with pytest.raises(BadRequest):
            await create(organization_id, name)

    async def test_there_is_an_end_to_it(self, organization_id: str) -> None:
        async with unit_of_work() as session:
            session.add_all(
                Project(organization_id=organization_id, name=f"{number}") for number in range(PROJECTS_MAX)
            )
        with pytest.raises(Conflict, match="at most"):
            await create(organization_id, "one more")


class TestRenameProject:
    async def test_refuses_a_name_that_is_taken_and_takes_its_own(self, organization_id: str) -> None:
        first, _ = await create(organization_id, "First"), await create(organization_id, "Second")
        with pytest.raises(Conflict):
            await rename(organization_id, first, "Second")
        await rename(organization_id, first, "First")

    async def test_does_not_see_another_organizations(self, organization_id: str) -> None:
        project_id = await create(organization_id, "First")
        with pytest.raises(NotFound):
            await rename(await another_organization(), project_id, "Mine")


class TestArchiveProject:
    async def test_keeps_the_project_and_takes_no_keys(self, organization_id: str) -> None:
        project_id = await create(organization_id, "Old")
        await archive(organization_id, project_id)
        await archive(organization_id, project_id)
        assert [project.name for project in await projects(organization_id) if project.archived_at] == ["Old"]
        with pytest.raises(Conflict, match="archived"):
            await mint(organization_id, project_id=project_id)
        assert await listed(organization_id) == []

    async def test_is_refused_while_a_key_is_not_revoked(self, organization_id: str) -> None:
        project_id = await create(organization_id, "Busy")
        key = await mint(organization_id, project_id=project_id)
        with pytest.raises(Conflict, match="keys"):
            await archive(organization_id, project_id)
        await revoke(key, organization_id)
        await archive(organization_id, project_id)
        assert [view.project_id for view in await listed(organization_id)] == [project_id]


class TestMintIntoProject:
    async def test_the_relay_knows_the_keys_project(self, organization_id: str) -> None:
        project_id = await create(organization_id, "Mobile")
        key = await mint(organization_id, project_id=project_id)
        policy = await policy_of(key.secret)
        assert policy is not None
        assert policy.project_id == project_id

    async def test_another_organizations_project_is_not_there(self, organization_id: str) -> None:
        theirs = await create(await another_organization(), "Theirs")
        with pytest.raises(NotFound):
            await mint(organization_id, project_id=theirs)


class TestMoveKey:
    async def test_counts_for_the_other_project_from_now_on(self, organization_id: str) -> None:
        key = await mint(organization_id)
        project_id = await create(organization_id, "Mobile")
        await move(organization_id, key.id, project_id)
        policy = await policy_of(key.secret)
        assert policy is not None
        assert policy.project_id == project_id

    async def test_refuses_archived_foreign_and_revoked(self, organization_id: str) -> None:
        key = await mint(organization_id)
        archived = await create(organization_id, "Old")
        await archive(organization_id, archived)
        with pytest.raises(Conflict):
            await move(organization_id, key.id, archived)
        with pytest.raises(NotFound):
            await move(organization_id, key.id, await create(await another_organization(), "Theirs"))
        await revoke(key, organization_id)
        with pytest.raises(Conflict):
            await move(organization_id, key.id, await create(organization_id, "New"))

    async def test_the_relay_is_told(self, organization_id: str) -> None:
        key, project_id = await mint(organization_id), await create(organization_id, "Mobile")
        async with read_session() as session:
            before = await policy_revision(session)
        await move(organization_id, key.id, project_id)
        async with read_session() as session:
            assert await policy_revision(session) > before
