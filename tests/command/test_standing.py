"""``onetoken organization``: suspended and resumed by the operator."""

import pytest

from onetoken_app.command.failure import CommandFailed
from onetoken_app.command.standing import resume_by_command, suspend_by_command
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.organizations.suspensions import suspensions_of
from onetoken_app.settings import Settings
from tests.support.builders import an_organization

CODE = "91350100M000100Y43"


@pytest.fixture
async def organization_id(database: Database) -> str:  # noqa: ARG001 # opens the database
    """An organization with a code that the register could have given out."""
    async with unit_of_work() as session:
        return await an_organization(session, name="Lantern Ltd", registration_code=CODE)


class TestOrganizationCommand:
    async def test_suspends_by_code_and_resumes_by_id(self, organization_id: str, settings: Settings) -> None:
        name = await suspend_by_command(settings, CODE.lower(), cause="overdue", words="Nothing was paid.")
        assert name == "Lantern Ltd"
        assert await resume_by_command(settings, organization_id, words="It was paid.") == "Lantern Ltd"
        async with read_session() as session:
            (kept,) = await suspensions_of(session, organization_id)
        assert (kept.suspended_by, kept.resumed_by, kept.resume_words) == (None, None, "It was paid.")

    @pytest.mark.parametrize(
        ("organization", "cause", "words", "says"),
        [
            pytest.param("nobody", "security", "A key leaked.", "there is no organization", id="an unknown one"),
            pytest.param(CODE, "mood", "A key leaked.", "--cause: one of prohibited_use", id="an unknown cause"),
            pytest.param(CODE, "security", " ", "words of your own", id="no words"),
        ],
    )
    @pytest.mark.usefixtures("organization_id")
    async def test_says_what_is_wrong(
        self, settings: Settings, organization: str, cause: str, words: str, says: str
    ) -> None:
        with pytest.raises(CommandFailed, match=says):
            await suspend_by_command(settings, organization, cause=cause, words=words)

    @pytest.mark.usefixtures("organization_id")
    async def test_nothing_is_resumed_that_is_not_suspended(self, settings: Settings) -> None:
        with pytest.raises(CommandFailed, match="is not suspended"):
            await resume_by_command(settings, CODE, words="Over.")
