"""Settings: bounds are kept, unknown names refused, secrets never shown."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from onetoken_app.settings import BadSettings, Settings, get_settings

SENDER = "OneToken <no-reply@example.com>"


class TestGetSettings:
    def test_reads_variables_with_the_prefix(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONETOKEN_PORT", "8123")
        assert get_settings().port == 8123

    def test_refuses_a_misspelt_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONETOKEN_PROT", "8123")
        with pytest.raises(BadSettings, match="ONETOKEN_PROT"):
            get_settings()

    def test_refuses_a_misspelt_name_in_the_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("ONETOKEN_PROT=8123\n")
        monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
        with pytest.raises(BadSettings, match="ONETOKEN_PROT"):
            get_settings()

    def test_names_a_value_out_of_bounds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONETOKEN_PORT", "0")
        with pytest.raises(BadSettings, match=r"ONETOKEN_PORT: .*greater than or equal to 1"):
            get_settings()

    def test_shows_no_secret_when_one_is_wrong(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONETOKEN_KEY_PEPPER", "very-secret")
        monkeypatch.setenv("ONETOKEN_PORT", "no-port")
        with pytest.raises(BadSettings) as caught:
            get_settings()
        assert "very-secret" not in str(caught.value)
        assert "no-port" not in str(caught.value)

    @pytest.mark.parametrize(
        "url",
        [
            pytest.param("", id="nothing"),
            pytest.param("x", id="no address"),
            pytest.param("mysql://u:very-secret@host/x", id="another kind of database"),
            pytest.param("postgresql://u:very-secret@host:notaport/x", id="a port that is no number"),
            pytest.param("postgresql://u:very-secret@host:99999/x", id="a port that cannot be"),
            pytest.param("postgresql://u:very/secret@host/x", id="a password that has to be escaped"),
            pytest.param("postgresql://u:%zz@host/x", id="an escape that is none"),
            pytest.param("postgresql://u:very-secret@host/x?sslmoode=require", id="an option that is none"),
        ],
    )
    def test_names_a_database_that_cannot_be_and_shows_nothing_of_it(
        self, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        monkeypatch.setenv("ONETOKEN_DATABASE_URL", url)
        with pytest.raises(BadSettings, match=r"^ONETOKEN_DATABASE_URL: looks like postgresql://") as caught:
            get_settings()
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        "url",
        [
            "foo", "ftp://console.example.com", "https://", "https://a b", "https://h:port", "https://h:0",
            "https://me@h", "https://h/?x=1", "https://h/#x", "https://[::1", "console.example.com", "https://控制台",
        ],
    )  # fmt: skip
    def test_names_a_public_address_that_no_browser_has(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        monkeypatch.setenv("ONETOKEN_PUBLIC_URL", url)
        with pytest.raises(BadSettings, match=r"^ONETOKEN_PUBLIC_URL: looks like https://console"):
            get_settings()

    @pytest.mark.parametrize(
        "address", ["help", "a@b", "a b@c.example", "A <a@b.example>", "a@b.example\nBcc: c@d.example"]
    )
    def test_names_a_contact_that_nobody_can_write_to(self, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
        monkeypatch.setenv("ONETOKEN_CONTACT_EMAIL", address)
        with pytest.raises(BadSettings, match=r"^ONETOKEN_CONTACT_EMAIL: looks like help@example"):
            get_settings()

    @pytest.mark.parametrize(
        ("url", "sender", "words"),
        [
            pytest.param("http://mail.example", SENDER, "ONETOKEN_SMTP_URL: looks like smtps", id="no mail server"),
            pytest.param("", SENDER, "ONETOKEN_SMTP_URL: looks like smtps", id="nothing"),
            pytest.param("smtp://", SENDER, "ONETOKEN_SMTP_URL: looks like smtps", id="no host"),
            pytest.param("smtp://me:very#secret@mail.example", SENDER, "ONETOKEN_SMTP_URL: looks", id="not escaped"),
            pytest.param("smtp://mail.example:port", SENDER, "ONETOKEN_SMTP_URL: looks", id="no port"),
            pytest.param("smtps://mail.example", None, "ONETOKEN_MAIL_FROM: needed", id="no sender"),
            pytest.param("smtps://mail.example", "OneToken", "ONETOKEN_MAIL_FROM: needed", id="a sender without one"),
        ],
    )
    def test_names_a_mail_server_that_cannot_work(
        self, monkeypatch: pytest.MonkeyPatch, url: str, sender: str | None, words: str
    ) -> None:
        monkeypatch.setenv("ONETOKEN_SMTP_URL", url)
        if sender is not None:
            monkeypatch.setenv("ONETOKEN_MAIL_FROM", sender)
        with pytest.raises(BadSettings, match=f"^{words}") as caught:
            get_settings()
        assert "secret" not in str(caught.value)

    def test_reads_once_per_process(self) -> None:
        assert get_settings() is get_settings()


class TestSettings:
    def test_secrets_do_not_show_in_a_representation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONETOKEN_DATABASE_URL", "postgresql://user:very-secret@host/name")
        assert "very-secret" not in repr(Settings())

    def test_the_embedded_database_is_the_default(self, settings: Settings) -> None:
        assert settings.is_sqlite
        assert settings.database_file.parent == settings.data_dir.absolute()

    def test_the_console_address_follows_port_and_public_address(self) -> None:
        assert Settings(port=8123).console_url == "http://localhost:8123"
        assert Settings(public_url="https://console.example.com/").console_url == "https://console.example.com"
        assert Settings(public_url="").console_url == "http://localhost:8000"

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            pytest.param("https://c.example:443/", "https://c.example", id="the port that browsers leave out"),
            pytest.param("http://c.example:443", "http://c.example:443", id="a port of its own"),
            pytest.param("http://[::1]:80", "http://[::1]", id="an address without a name"),
        ],
    )
    def test_a_public_address_reads_as_a_browser_sends_it(self, given: str, kept: str) -> None:
        assert Settings(public_url=given).public_url == kept

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://user@host/name", "postgres://user:p%40%2Fss@host:5433/name?sslmode=require",
            "postgresql:///name?host=/run/postgresql", "postgresql://[::1]:5432/name",
        ],
    )  # fmt: skip
    def test_takes_every_way_to_name_a_postgresql(self, url: str) -> None:
        assert not Settings(database_url=SecretStr(url)).is_sqlite
