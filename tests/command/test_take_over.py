"""A restored copy verifies, and serves nowhere until somebody takes it over."""

import os
import shutil
from pathlib import Path

import pytest

from onetoken_app.database import Database, use_database
from onetoken_app.database_home import NotAtHome, check_home
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import DeadHolds, FindDeadHolds, HoldClosed
from onetoken_app.relay.runtime import RelayRuntime
from onetoken_app.settings import Settings
from tests.command.conftest import Onetoken
from tests.ledger.desks import a_close, a_desk, a_hold, do, rows

FILE = """
currency: USD
organizations:
  - {name: Test Ltd, code: 91350100M000100Y43, verified: true, credit: "1.00"}
"""
OWNER = "SELECT owner_id FROM ledger_account WHERE kind = 'prepaid'"


@pytest.fixture
def copy(onetoken: Onetoken, tmp_path: Path) -> Settings:
    """A copy elsewhere, made while a call was open that the original has closed since."""
    onetoken("apply", "-", stdin=FILE)
    original = a_desk(Settings(data_dir=tmp_path / "var"))
    hold = a_hold(rows(original, OWNER)[0][0], 1_000, request_id="req_open")
    do(original, hold)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert onetoken("backup", str(elsewhere / "onetoken.sqlite3")).exit_code == 0
    assert do(original, a_close(hold.request_id, 700)) == HoldClosed(Outcome.SETTLED, 700, 0, is_first=True)
    original.backend.close()
    shutil.copyfile(tmp_path / "var" / "secrets.env", elsewhere / "secrets.env")
    return Settings(data_dir=elsewhere)


@pytest.mark.row("A20")
class TestRestoredCopy:
    async def test_it_neither_serves_nor_closes_anything(self, copy: Settings) -> None:
        before = copy.database_file.read_bytes()
        with pytest.raises(NotAtHome, match="take-over"):
            await RelayRuntime().start(copy)
        assert copy.database_file.read_bytes() == before

    def test_commands_that_would_change_it_are_refused_and_those_that_read_work(
        self, onetoken: Onetoken, copy: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONETOKEN_DATA_DIR", str(copy.data_dir))
        report = onetoken("ledger", "verify", "--json").json()
        assert (report["ok"], report["open_holds"]) == (True, 1)
        for command in (["relay"], ["apply", "-"], ["staff", "add", "a@b.example"]):
            refused = onetoken(*command, stdin=FILE)
            assert refused.exit_code == 1
            assert "onetoken db take-over" in refused.errors
        assert onetoken("ledger", "verify", "--json").json() == report

    def test_once_taken_over_it_is_the_one_that_serves(
        self, onetoken: Onetoken, copy: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONETOKEN_DATA_DIR", str(copy.data_dir))
        assert "serves from here now" in onetoken("db", "take-over").output
        assert "already" in onetoken("db", "take-over").output
        assert onetoken("apply", "-", stdin=FILE).exit_code == 0
        desk = a_desk(copy)
        found = do(desk, FindDeadHolds())
        desk.backend.close()
        assert isinstance(found, DeadHolds)
        assert [hold.request_id for hold in found.holds] == ["req_open"]
        monkeypatch.setenv("ONETOKEN_DATA_DIR", str(tmp_path / "var"))
        assert onetoken("apply", "-", stdin=FILE).exit_code == 0

    def test_a_copied_folder_is_another_place(
        self, onetoken: Onetoken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        onetoken("apply", "-", stdin=FILE)
        shutil.copytree(tmp_path / "var", tmp_path / "twin")
        monkeypatch.setenv("ONETOKEN_DATA_DIR", str(tmp_path / "twin"))
        assert "onetoken db take-over" in onetoken("apply", "-", stdin=FILE).errors
        (tmp_path / "var").rename(tmp_path / "moved")
        monkeypatch.setenv("ONETOKEN_DATA_DIR", str(tmp_path / "moved"))
        assert onetoken("apply", "-", stdin=FILE).exit_code == 0


class TestCheckHome:
    async def test_a_new_database_is_at_home_where_it_is_first_used(self, database_settings: Settings) -> None:
        database = Database(database_settings)
        use_database(database)
        await check_home(database_settings)
        await check_home(database_settings)
        use_database(None)
        await database.dispose()

    async def test_the_name_of_the_place_is_on_disk_before_the_database_says_it(
        self, sqlite_settings: Settings, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert sqlite_database.is_sqlite
        synced: list[Path] = []
        monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(Path(f"/dev/fd/{descriptor}").resolve()))
        await check_home(sqlite_settings)
        folder = sqlite_settings.data_dir.resolve()
        assert synced == [folder / "home", folder]
