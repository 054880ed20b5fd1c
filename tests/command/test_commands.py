"""Each verb, right and wrong: what it does, what it says, how it ends. Expected trouble is one line."""

import importlib.metadata
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from onetoken_app.command.up import variables_of
from onetoken_app.database import own_database
from onetoken_app.settings import Settings
from tests.command.conftest import Onetoken
from tests.support.installation import Done, apply_file
from tests.support.postgresql import PostgresqlServer

FILE = apply_file(base_url="http://127.0.0.1:9/v1")


def assert_refused(done: Done, *words: str) -> None:
    """A refusal is one line on standard error that says what is wrong, and no traceback."""
    assert done.exit_code == 1
    assert done.output == ""
    assert done.errors.startswith("onetoken: ")
    assert done.errors.count("\n") == 1
    for word in words:
        assert word in done.errors


class TestHelp:
    def test_it_lists_every_verb(self, onetoken: Onetoken) -> None:
        words = onetoken("--help").output
        for verb in ("up", "relay", "apply", "backup", "outbox", "doctor", "db", "staff", "ledger", "prices"):
            assert f" {verb} " in words

    @pytest.mark.parametrize(
        "verb",
        [
            ["up"],
            ["relay"],
            ["apply"],
            ["db", "upgrade"],
            ["staff", "add"],
            ["ledger", "verify"],
            ["backup"],
            ["prices", "import"],
        ],
    )
    def test_each_verb_explains_itself(self, onetoken: Onetoken, verb: list[str]) -> None:
        done = onetoken(*verb, "--help")
        assert done.exit_code == 0
        assert len(done.output) > 200

    def test_it_says_its_version(self, onetoken: Onetoken) -> None:
        assert onetoken("--version") == Done(0, f"onetoken {importlib.metadata.version('onetoken')}\n", "")


class TestErrorsAsJson:
    @pytest.mark.parametrize(
        "command",
        [
            pytest.param(["ledger", "verify"], id="no database"),
            pytest.param(["outbox"], id="no database either"),
            pytest.param(["apply", "nothing.yaml"], id="no file"),
        ],
    )
    def test_a_program_can_read_what_went_wrong(self, onetoken: Onetoken, command: list[str]) -> None:
        done = onetoken(*command, "--json")
        assert done.exit_code == 1
        assert done.errors == f"onetoken: {done.json()['error']}\n"


class TestSettings:
    def test_an_unknown_setting_is_named(self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONETOKEN_PROT", "8000")
        assert_refused(onetoken("db", "upgrade"), "ONETOKEN_PROT")

    def test_a_value_out_of_bounds_is_named(self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONETOKEN_PORT", "99999")
        assert_refused(onetoken("db", "upgrade"), "ONETOKEN_PORT")

    def test_a_secret_that_is_none_is_refused_without_being_shown(
        self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONETOKEN_KEY_PEPPER", "not-base64-at-all")
        done = onetoken("apply", "-", stdin=FILE)
        assert_refused(done, "ONETOKEN_KEY_PEPPER")
        assert "not-base64" not in done.errors

    @pytest.mark.parametrize(
        "verb", [["up"], ["relay"], ["ledger", "verify"], ["backup"], ["outbox"], ["db", "upgrade"]]
    )
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ONETOKEN_DATABASE_URL", "postgresql://u:hidden@h:notaport/x"),
            ("ONETOKEN_PUBLIC_URL", "foo"),
            ("ONETOKEN_SMTP_URL", "smtp://u:hidden@mail.example"),
        ],
    )
    def test_an_address_that_cannot_be_is_one_line(
        self, onetoken: Onetoken, verb: list[str], name: str, value: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, value)
        done = onetoken(*verb)
        assert_refused(done, name)
        assert "hidden" not in done.errors

    def test_postgresql_without_its_secrets_is_refused(
        self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONETOKEN_DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
        assert_refused(onetoken("relay"), "ONETOKEN_KEY_PEPPER", "ONETOKEN_KEY_ENCRYPTION_KEY")

    def test_a_database_that_does_not_answer_is_one_line(
        self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONETOKEN_DATABASE_URL", "postgresql://somebody:hidden@127.0.0.1:1/nothing")
        done = onetoken("db", "upgrade")
        assert_refused(done, "does not answer")
        assert "hidden" not in done.errors

    def test_a_data_folder_that_is_a_file_is_one_line(
        self, onetoken: Onetoken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "taken").touch()
        monkeypatch.setenv("ONETOKEN_DATA_DIR", str(tmp_path / "taken"))
        assert_refused(onetoken("db", "upgrade"), "ONETOKEN_DATA_DIR", "cannot be written")

    def test_a_data_folder_nobody_may_write_to_is_one_line(
        self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONETOKEN_DATA_DIR", "/proc/1/nothing")
        assert_refused(onetoken("up"), "ONETOKEN_DATA_DIR", "cannot be written")


class TestUpgrade:
    def test_a_fresh_folder_gets_its_tables(self, onetoken: Onetoken, tmp_path: Path) -> None:
        done = onetoken("db", "upgrade")
        assert done.exit_code == 0
        assert (tmp_path / "var" / "onetoken.sqlite3").stat().st_mode & 0o077 == 0
        assert onetoken("db", "upgrade").output.rstrip().endswith("already")

    def test_a_file_that_is_no_database_is_one_line(self, onetoken: Onetoken, tmp_path: Path) -> None:
        (tmp_path / "var").mkdir()
        (tmp_path / "var" / "onetoken.sqlite3").write_bytes(b"this is no database" * 100)
        assert_refused(onetoken("db", "upgrade"))


class TestApply:
    def test_the_first_command_of_all_works_and_prints_the_keys(self, onetoken: Onetoken, tmp_path: Path) -> None:
        (tmp_path / "file.yaml").write_text(FILE)
        (key,) = onetoken("apply", "file.yaml", "--json").json()["keys"]
        assert sorted(key) == ["name", "organization", "secret"]
        assert key["secret"].startswith("otk_live_")
        assert onetoken("apply", "file.yaml", "--json").json() == {"keys": []}

    def test_a_fault_is_named_with_file_and_line(self, onetoken: Onetoken, tmp_path: Path) -> None:
        (tmp_path / "file.yaml").write_text(FILE.replace("credit:", "cridit:"))
        assert_refused(onetoken("apply", "file.yaml"), "file.yaml: line 18:", "did you mean 'credit'")

    def test_a_file_that_is_not_there_is_one_line(self, onetoken: Onetoken) -> None:
        assert_refused(onetoken("apply", "nothing.yaml"), "nothing.yaml: cannot be read")

    def test_it_is_refused_while_somebody_owns_the_database(self, onetoken: Onetoken, tmp_path: Path) -> None:
        with own_database(Settings(data_dir=tmp_path / "var")):
            assert_refused(onetoken("apply", "-", stdin=FILE), "stop it first")


class TestStaff:
    def test_a_person_is_added_then_has_the_role_already(self, onetoken: Onetoken) -> None:
        added = onetoken("staff", "add", "Ann@Ops.example", "--role", "finance", "--password-env", "TEST_PASSWORD")
        assert added.output == "ann@ops.example added as finance\n"
        again = onetoken("staff", "add", "ann@ops.example", "--role", "finance")
        assert again.output == "ann@ops.example is as finance\n"

    def test_a_weak_password_is_refused(self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WEAK", "short")
        assert_refused(onetoken("staff", "add", "a@ops.example", "--password-env", "WEAK"), "12")
        monkeypatch.setenv("WEAK", "qwertyuiop12")
        assert_refused(onetoken("staff", "add", "a@ops.example", "--password-env", "WEAK"), "easily guessed")

    def test_a_new_person_without_a_password_is_refused(self, onetoken: Onetoken) -> None:
        assert_refused(onetoken("staff", "add", "a@ops.example"), "needs a password")

    def test_an_unknown_role_is_refused_with_those_that_are(self, onetoken: Onetoken) -> None:
        assert_refused(onetoken("staff", "add", "a@ops.example", "--role", "boss"), "administrator", "auditor")


class TestVerify:
    def test_right_books_end_with_zero(self, onetoken: Onetoken) -> None:
        onetoken("apply", "-", stdin=FILE)
        done = onetoken("ledger", "verify", "--json")
        wanted = {"ok": True, "settled": 0, "voided": 0, "recovered": 0, "open_holds": 0, "first_wrong_row": None}
        assert (done.exit_code, done.json()) == (0, wanted)

    @pytest.mark.parametrize(
        ("change", "table"),
        [
            pytest.param("UPDATE ledger_account SET posted_nanos = posted_nanos + 1", "ledger_account", id="a balance"),
            pytest.param("UPDATE audit_entry SET action = 'x' WHERE sequence_number = 2", "audit_entry", id="an act"),
        ],
    )
    def test_a_changed_row_is_named_and_ends_with_one(
        self, onetoken: Onetoken, tmp_path: Path, change: str, table: str
    ) -> None:
        onetoken("apply", "-", stdin=FILE)
        with closing(sqlite3.connect(tmp_path / "var" / "onetoken.sqlite3")) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute(change)
            connection.commit()
        done = onetoken("ledger", "verify", "--json")
        assert done.exit_code == 1
        assert done.json()["ok"] is False
        assert done.json()["first_wrong_row"].startswith(table)
        assert "WRONG" in onetoken("ledger", "verify").output

    def test_a_folder_without_a_database_is_one_line(self, onetoken: Onetoken) -> None:
        assert_refused(onetoken("ledger", "verify"), "no database yet")

    def test_tables_of_another_version_are_one_line(self, onetoken: Onetoken, tmp_path: Path) -> None:
        onetoken("db", "upgrade")
        with closing(sqlite3.connect(tmp_path / "var" / "onetoken.sqlite3")) as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'another'")
            connection.commit()
        assert_refused(onetoken("ledger", "verify"), "another", "onetoken db upgrade")


@pytest.mark.row("A20")
class TestBackup:
    def test_the_copy_is_whole_private_and_verifies_elsewhere(
        self, onetoken: Onetoken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        onetoken("apply", "-", stdin=FILE)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        copy = elsewhere / "onetoken.sqlite3"
        with own_database(Settings(data_dir=tmp_path / "var")):
            assert onetoken("backup", str(copy)).output == f"{copy}\n"
        assert copy.stat().st_mode & 0o777 == 0o600
        assert [path.name for path in elsewhere.iterdir()] == ["onetoken.sqlite3"]
        monkeypatch.setenv("ONETOKEN_DATA_DIR", str(elsewhere))
        assert onetoken("ledger", "verify", "--json").json()["ok"]

    def test_a_name_is_found_without_one(self, onetoken: Onetoken, tmp_path: Path) -> None:
        onetoken("db", "upgrade")
        assert Path(onetoken("backup").output.strip()).parent == tmp_path / "var" / "backups"

    def test_a_file_is_never_overwritten(self, onetoken: Onetoken, tmp_path: Path) -> None:
        onetoken("db", "upgrade")
        (tmp_path / "kept").write_text("mine")
        assert_refused(onetoken("backup", "kept"), "never overwrites")
        assert (tmp_path / "kept").read_text() == "mine"

    def test_a_folder_that_is_not_there_is_not_made(self, onetoken: Onetoken, tmp_path: Path) -> None:
        onetoken("db", "upgrade")
        assert_refused(onetoken("backup", "unmounted/copy"), "unmounted/copy: cannot be written")
        assert not (tmp_path / "unmounted").exists()

    def test_nothing_to_copy_is_one_line_and_leaves_nothing(self, onetoken: Onetoken, tmp_path: Path) -> None:
        assert_refused(onetoken("backup", "copy"), "no database yet")
        assert list(tmp_path.iterdir()) == []

    def test_a_damaged_database_gives_no_backup(self, onetoken: Onetoken, tmp_path: Path) -> None:
        onetoken("apply", "-", stdin=FILE)
        database = tmp_path / "var" / "onetoken.sqlite3"
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        content = bytearray(database.read_bytes())
        content[8192:40960] = b"\xff" * 32768
        database.write_bytes(content)
        assert_refused(onetoken("backup", "copy"), "damaged")
        assert not (tmp_path / "copy").exists()


class TestVariablesOf:
    def test_settings_come_back_the_same_from_their_variables(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changed = settings.model_copy(update={"port": 8123, "allow_private_upstreams": True, "drain_seconds": 1.5})
        for name, value in variables_of(changed).items():
            monkeypatch.setenv(name, value)
        assert Settings() == changed


class TestServers:
    def test_several_workers_need_postgresql(self, onetoken: Onetoken) -> None:
        assert_refused(onetoken("relay", "--workers", "2"), "PostgreSQL")

    @pytest.mark.parametrize("verb", ["up", "relay"])
    def test_a_port_in_use_is_one_line(self, onetoken: Onetoken, verb: str, taken_port: int) -> None:
        assert_refused(onetoken(verb, "--port", str(taken_port)), f"port {taken_port}", "in use")

    @pytest.mark.parametrize("verb", ["up", "relay"])
    def test_an_address_of_another_machine_is_one_line(self, onetoken: Onetoken, verb: str) -> None:
        assert_refused(onetoken(verb, "--host", "192.0.2.1"), "192.0.2.1")

    @pytest.mark.parametrize("verb", ["up", "relay"])
    def test_an_owned_database_is_one_line(
        self, onetoken: Onetoken, verb: str, tmp_path: Path, unused_port: int
    ) -> None:
        with own_database(Settings(data_dir=tmp_path / "var")):
            assert_refused(onetoken(verb, "--port", str(unused_port)), "stop it first")


@pytest.mark.row("A20")
class TestBackupOfPostgresql:
    @pytest.fixture(autouse=True)
    def _served(self, postgresql_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in variables_of(postgresql_settings).items():
            monkeypatch.setenv(name, value)

    def test_the_dump_is_private_and_restores(
        self, onetoken: Onetoken, tmp_path: Path, postgresql_server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", f"{postgresql_server.programs}:{os.environ['PATH']}")
        onetoken("apply", "-", stdin=FILE)
        assert onetoken("backup", "dump").exit_code == 0
        assert (tmp_path / "dump").stat().st_mode & 0o777 == 0o600
        url = postgresql_server.url(postgresql_server.create_database())
        subprocess.run(["pg_restore", f"--dbname={url}", "--no-owner", str(tmp_path / "dump")], check=True)
        monkeypatch.setenv("ONETOKEN_DATABASE_URL", url)
        assert onetoken("ledger", "verify", "--json").json()["ok"]
        assert_refused(onetoken("apply", "-", stdin=FILE), "onetoken db take-over")
        assert "serves from here now" in onetoken("db", "take-over").output
        assert onetoken("apply", "-", stdin=FILE).exit_code == 0

    def test_missing_programs_are_one_line(self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        assert_refused(onetoken("backup", "dump"), "pg_dump", "install")
