"""The demo's set-up can be repeated, and finds its way back after a crash at any step."""

import os

import pytest

from onetoken_app.catalog.queries import channels
from onetoken_app.command.demo_setup import set_demo_up
from onetoken_app.command.up import use_demo_account
from onetoken_app.database import Database, read_session
from onetoken_app.demo import organization
from onetoken_app.identity.passwords import verify_password
from onetoken_app.identity.queries import credentials_of
from onetoken_app.keys.minting import digest_of
from onetoken_app.keys.queries import keys_by_digest
from onetoken_app.settings import PREFIX, Settings
from onetoken_app.vault import load_root_secrets


@pytest.fixture
def installed(sqlite_settings: Settings, sqlite_database: Database) -> Settings:  # noqa: ARG001 # opens the database
    return sqlite_settings.model_copy(update={"allow_private_upstreams": True})


class TestSetDemoUp:
    async def test_owner_staff_and_key_work(self, installed: Settings) -> None:
        known = await set_demo_up(installed, model_base_url="http://127.0.0.1:1/v1")
        pepper = load_root_secrets(installed).key_pepper
        async with read_session() as session:
            owner = await credentials_of(session, organization.OWNER_EMAIL)
            staff = await credentials_of(session, organization.STAFF_EMAIL)
            assert await keys_by_digest(session, [digest_of(known.api_key, pepper)])
        assert owner
        assert staff
        assert await verify_password(known.owner_password, owner.password_hash)
        assert await verify_password(known.staff_password, staff.password_hash)

    async def test_a_second_time_keeps_the_key_and_follows_the_model_to_its_new_port(self, installed: Settings) -> None:
        first = await set_demo_up(installed, model_base_url="http://127.0.0.1:1/v1")
        assert await set_demo_up(installed, model_base_url="http://127.0.0.1:2/v1") == first
        async with read_session() as session:
            assert [channel.base_url for channel in await channels(session)] == ["http://127.0.0.1:2/v1"]

    async def test_a_key_whose_secret_was_lost_in_a_crash_is_replaced(self, installed: Settings) -> None:
        first = await set_demo_up(installed, model_base_url="http://127.0.0.1:1/v1")
        organization.remember_key(installed.data_dir, first, api_key="")
        second = await set_demo_up(installed, model_base_url="http://127.0.0.1:1/v1")
        assert second.api_key.startswith("otk_live_")
        assert second.api_key != first.api_key
        assert second.owner_password == first.owner_password


class TestUseDemoAccount:
    def test_shows_an_invented_account_where_none_is_set(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(f"{PREFIX}BANK_ACCOUNT", "")
        use_demo_account(settings)
        assert os.environ[f"{PREFIX}BANK_ACCOUNT"] == organization.BANK_ACCOUNT
        assert "no real account" in organization.BANK_ACCOUNT

    def test_leaves_the_account_of_an_operator(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(f"{PREFIX}BANK_ACCOUNT", "Example Ltd")
        use_demo_account(settings.model_copy(update={"bank_account": "Example Ltd"}))
        assert os.environ[f"{PREFIX}BANK_ACCOUNT"] == "Example Ltd"
