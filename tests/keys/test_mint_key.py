"""Keys of organizations: minted once, restricted, revoked, and never another organization's affair."""

from datetime import timedelta

import pytest

from onetoken_app import clock
from onetoken_app.catalog.service import put_model
from onetoken_app.database import Database, current_database, read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.keys.minting import digest_of, has_valid_checksum
from onetoken_app.keys.queries import ApiKeyView, KeyPolicyView, key_by_digest, key_policies, keys_of
from onetoken_app.keys.service import MintedKey, mint_key, revoke_key, set_model_permissions
from onetoken_app.money import Currency
from onetoken_app.organizations.service import register_organization

PEPPER = bytes(range(32))
CODE, OTHER_CODE = "91350100M000100Y43", "91110000600037341L"

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def organization_id(database: Database) -> str:
    """An organization, on each engine."""
    assert current_database() is database
    async with unit_of_work() as session:
        return await register_organization(session, name="Bench Ltd", registration_code=CODE, currency=Currency.USD)


async def a_model(name: str = "mock") -> str:
    """Add a model."""
    async with unit_of_work() as session:
        return await put_model(session, name=name, context_window_tokens=10, output_tokens_max=5)


async def mint(organization_id: str, name: str = "bench", **options: object) -> MintedKey:
    """Mint in a unit of its own."""
    async with unit_of_work() as session:
        return await mint_key(
            session,
            key_pepper=PEPPER,
            organization_id=organization_id,
            name=name,
            created_by=None,
            **options,  # type: ignore[arg-type] # each test passes what the signature takes
        )


async def listed(organization_id: str) -> list[ApiKeyView]:
    """Read an organization's keys."""
    async with read_session() as session:
        return await keys_of(session, organization_id)


async def policy_of(secret: str) -> KeyPolicyView | None:
    """Read what the relay knows of a key."""
    async with read_session() as session:
        return await key_by_digest(session, digest_of(secret, PEPPER))


class TestMintKey:
    async def test_is_found_by_its_digest_only(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        assert has_valid_checksum(minted.secret)
        policy = await policy_of(minted.secret)
        assert policy is not None
        assert (policy.api_key_id, policy.organization_id) == (minted.id, organization_id)
        assert await policy_of(minted.secret + "x") is None

    async def test_shows_the_ends_of_the_key_and_no_more(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        (view,) = await listed(organization_id)
        assert minted.secret.startswith(view.key_prefix)
        assert minted.secret.endswith(view.last_four)
        assert len(view.key_prefix) <= len("otk_live_") + 12
        assert minted.secret not in repr(minted)

    async def test_refuses_a_name_that_is_in_use(self, organization_id: str) -> None:
        await mint(organization_id)
        with pytest.raises(Conflict):
            await mint(organization_id)

    async def test_takes_the_name_of_a_revoked_key(self, organization_id: str) -> None:
        old = await mint(organization_id)
        async with unit_of_work() as session:
            await revoke_key(session, organization_id=organization_id, api_key_id=old.id)
        new = await mint(organization_id)
        assert [view.id for view in await listed(organization_id) if view.revoked_at is None] == [new.id]

    async def test_two_organizations_may_use_one_name(self, organization_id: str) -> None:
        await mint(organization_id)
        async with unit_of_work() as session:
            other = await register_organization(
                session, name="Other", registration_code=OTHER_CODE, currency=Currency.USD
            )
        await mint(other)
        assert len(await listed(organization_id)) == len(await listed(other)) == 1

    @pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\nb"])
    async def test_refuses_a_name_that_cannot_be_shown(self, organization_id: str, name: str) -> None:
        with pytest.raises(BadRequest):
            await mint(organization_id, name)

    async def test_refuses_an_expiry_in_the_past(self, organization_id: str) -> None:
        with pytest.raises(BadRequest):
            await mint(organization_id, expires_at=clock.utc_now())

    async def test_refuses_unknown_organizations_and_models(self, organization_id: str) -> None:
        with pytest.raises(NotFound):
            await mint("org_none")
        with pytest.raises(NotFound):
            await mint(organization_id, model_ids=["mdl_none"])
        assert await listed(organization_id) == []

    async def test_is_usable_until_it_expires(self, organization_id: str) -> None:
        expiry = clock.utc_now() + timedelta(hours=1)
        await mint(organization_id, expires_at=expiry)
        (view,) = await listed(organization_id)
        assert view.is_usable(expiry - timedelta(microseconds=1))
        assert not view.is_usable(expiry)


class TestSetModelPermissions:
    async def test_restricts_widens_and_narrows(self, organization_id: str) -> None:
        one, other = await a_model("one"), await a_model("other")
        minted = await mint(organization_id, model_ids=[one])
        for wanted in (None, [other], [one, other], [], [one]):
            async with unit_of_work() as session:
                await set_model_permissions(
                    session, organization_id=organization_id, api_key_id=minted.id, model_ids=wanted
                )
            policy = await policy_of(minted.secret)
            assert policy is not None
            assert policy.permitted_model_ids == (None if wanted is None else frozenset(wanted))

    async def test_refuses_a_revoked_key(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        async with unit_of_work() as session:
            await revoke_key(session, organization_id=organization_id, api_key_id=minted.id)
            with pytest.raises(Conflict):
                await set_model_permissions(
                    session, organization_id=organization_id, api_key_id=minted.id, model_ids=None
                )


class TestRevokeKey:
    async def test_keeps_its_first_moment_when_repeated(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        moments = []
        for _ in range(2):
            async with unit_of_work() as session:
                await revoke_key(session, organization_id=organization_id, api_key_id=minted.id)
            moments.append((await listed(organization_id))[0].revoked_at)
        assert moments[0] is not None
        assert moments[0] == moments[1]

    async def test_another_organizations_key_does_not_exist(self, organization_id: str) -> None:
        minted = await mint(organization_id)
        async with unit_of_work() as session:
            with pytest.raises(NotFound):
                await revoke_key(session, organization_id="org_other", api_key_id=minted.id)
        assert (await listed(organization_id))[0].revoked_at is None


class TestKeyPolicies:
    async def test_is_every_key_that_is_not_revoked(self, organization_id: str) -> None:
        model_id = await a_model()
        revoked, kept = await mint(organization_id, "old"), await mint(organization_id, "new", model_ids=[model_id])
        async with unit_of_work() as session:
            await revoke_key(session, organization_id=organization_id, api_key_id=revoked.id)
        async with read_session() as session:
            policies = await key_policies(session)
        assert set(policies) == {digest_of(kept.secret, PEPPER)}
        assert policies[digest_of(kept.secret, PEPPER)].permitted_model_ids == frozenset({model_id})
