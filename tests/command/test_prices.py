"""``onetoken prices``: public prices become a draft, a difference, and a version."""

from pathlib import Path

import pytest

from onetoken_app.clock import utc_now
from onetoken_app.command.failure import CommandFailed
from onetoken_app.command.prices import (
    discard_draft,
    import_prices,
    list_drafts,
    publish_draft,
    read_moment,
    show_draft,
)
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.pricing.models import DraftState
from onetoken_app.pricing.queries import price_sheets
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind
from tests.command.conftest import Onetoken
from tests.support.builders import a_model
from tests.support.installation import Done, apply_file

EVERY_MODEL: frozenset[str] = frozenset()


@pytest.fixture
async def _catalog(database: Database, settings: Settings) -> None:  # noqa: ARG001 # opens the database
    """A model that the package knows, and one that it does not."""
    async with unit_of_work() as session:
        built = await a_model(session, settings, name="small", upstream_model="gpt-4o-mini")
        await a_model(session, settings, name="house", upstream_model="house-1", channel_id=built.channel_id)


@pytest.mark.usefixtures("_catalog")
class TestImportPrices:
    async def test_makes_a_draft_that_is_shown_and_published(self) -> None:
        imported = await import_prices(provider="openai", models=EVERY_MODEL)
        assert imported.difference[:3] == (
            "small: input: 1.00 -> 0.15",
            "small: cache_read: 0.10 -> 0.075",
            "small: output: 2.00 -> 0.60",
        )
        assert [line.split(":")[0] for line in imported.remarks] == ["house"]
        draft_id = imported.draft_id
        assert draft_id is not None
        assert await show_draft(draft_id) == list(imported.difference)
        version_id = await publish_draft(draft_id, effective_at=None)
        async with read_session() as session:
            sheets = (await price_sheets(session, now=utc_now())).values()
        (sheet,) = (sheet for sheet in sheets if sheet.price_version_id == version_id)
        assert sheet.rates[TokenKind.INPUT] == 150_000
        (draft,) = await list_drafts()
        assert (draft.state, draft.source.split()[0]) == (DraftState.PUBLISHED, "genai-prices")
        assert await show_draft(draft_id) == []

    async def test_makes_none_when_nothing_differs(self) -> None:
        imported = await import_prices(provider="openai", models=frozenset({"small"}))
        assert imported.draft_id is not None
        await publish_draft(imported.draft_id, effective_at=None)
        again = await import_prices(provider="openai", models=frozenset({"small"}))
        assert (again.draft_id, again.difference) == (None, ())
        assert len(await list_drafts()) == 1

    async def test_a_model_at_an_unknown_address_is_left_out_with_a_reason(self) -> None:
        imported = await import_prices(provider=None, models=EVERY_MODEL)
        assert imported.draft_id is None
        assert len(imported.remarks) == 2
        assert all("knows no model" in line for line in imported.remarks)

    async def test_refuses_a_model_that_is_not_there(self) -> None:
        with pytest.raises(CommandFailed, match="'large'"):
            await import_prices(provider=None, models=frozenset({"large"}))

    async def test_a_draft_is_closed_once(self) -> None:
        imported = await import_prices(provider="openai", models=frozenset({"small"}))
        assert imported.draft_id is not None
        with pytest.raises(CommandFailed, match="past"):
            await publish_draft(imported.draft_id, effective_at="2020-01-01")
        await discard_draft(imported.draft_id)
        with pytest.raises(CommandFailed, match="discarded already"):
            await publish_draft(imported.draft_id, effective_at=None)
        with pytest.raises(CommandFailed, match="no such draft"):
            await discard_draft(imported.draft_id + 1)


class TestReadMoment:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            pytest.param("2027-01-01", "2027-01-01T00:00:00+00:00", id="a day begins at midnight, UTC"),
            pytest.param("2027-01-01T00:00+08:00", "2026-12-31T16:00:00+00:00", id="an offset counts"),
        ],
    )
    def test_reads(self, text: str, moment: str) -> None:
        assert read_moment(text).isoformat() == moment

    def test_refuses_what_is_none(self) -> None:
        with pytest.raises(CommandFailed, match="tomorrow"):
            read_moment("tomorrow")


class TestCommand:
    def test_what_is_not_there_is_one_line(self, onetoken: Onetoken, tmp_path: Path) -> None:
        (tmp_path / "onetoken.yaml").write_text(apply_file(base_url="http://127.0.0.1:9/v1"))
        assert onetoken("apply", "onetoken.yaml").exit_code == 0
        imported = onetoken("prices", "import", "--provider", "openai")
        assert (imported.exit_code, imported.output.splitlines()[-1]) == (0, "nothing differs")
        for command in (("publish", "1"), ("show", "1"), ("discard", "1")):
            done = onetoken("prices", *command)
            assert (done.exit_code, done.output, done.errors.count("\n")) == (1, "", 1)
            assert "no such draft" in done.errors
        assert onetoken("prices", "show") == Done(0, "", "")
