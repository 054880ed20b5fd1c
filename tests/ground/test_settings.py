"""Settings: bounds are kept, unknown names refused, secrets never shown."""

from pathlib import Path

import pytest

from onetoken_app.settings import BadSettings, Settings, get_settings


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
