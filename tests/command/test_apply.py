"""``onetoken apply``: what the file says comes about, once, with evidence, all of it or nothing."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from onetoken_app.agreements.models import Acceptance, AcceptanceMethod
from onetoken_app.agreements.queries import outstanding_agreements
from onetoken_app.audit.models import ActorKind, AuditEntry
from onetoken_app.audit.verification import verify_audit
from onetoken_app.catalog.queries import model_by_name, sealed_channels
from onetoken_app.clock import utc_now
from onetoken_app.command.apply import Applied, apply
from onetoken_app.command.marked_yaml import BadFile
from onetoken_app.database import Database, read_session
from onetoken_app.identity.passwords import verify_password
from onetoken_app.identity.queries import credentials_of, person_by_email
from onetoken_app.keys.minting import digest_of
from onetoken_app.keys.queries import keys_by_digest, keys_of, projects_of
from onetoken_app.ledger.queries import balance_of
from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.organizations.queries import memberships_of, organizations
from onetoken_app.pricing.queries import price_book, price_sheets
from onetoken_app.pricing.quote import Exchange
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind
from onetoken_app.vault import load_root_secrets

FILE = """\
currency: USD
channels:
  - name: bench
    provider: openai
    base_url: http://127.0.0.1:18000/v1
    credential: sk-upstream            # or credential_env: NAME
    region: mainland
models:
  - name: mock
    channels: [{channel: bench}]       # upstream_model: defaults to the name
    price: {input: "1.00", output: "2.00", cache_read: "0.10"}   # per million tokens
    context_window: 128000
    max_output_tokens: 4096
organizations:
  - name: Bench Ltd
    code: 91350100M000100Y43
    verified: true
    credit: "1000.00"
    people: [{email: owner@bench.example, password_env: BENCH_PASSWORD, role: owner}]
    keys: [{name: bench}]
"""


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_PASSWORD", "correct horse battery")


@pytest.fixture
def installed(database_settings: Settings, database: Database) -> Settings:  # noqa: ARG001 # opens the database
    return database_settings.model_copy(update={"allow_private_upstreams": True})


async def applied(settings: Settings, old: str = "", new: str = "") -> Applied:
    """Apply the file, with one text replaced."""
    assert old in FILE
    return await apply(FILE.replace(old, new, 1).encode() if old else FILE.encode(), settings=settings)


async def organization_id() -> str:
    async with read_session() as session:
        return (await organizations(session))[0].id


async def balance_units() -> int:
    owner_id = await organization_id()
    async with read_session() as session:
        balance = await balance_of(session, owner_id=owner_id, currency=Currency.USD)
    return balance.available_nanos // NANOS_PER_UNIT


class TestApply:
    async def test_a_key_works_and_its_organization_is_in_order(self, installed: Settings) -> None:
        (key,) = (await applied(installed)).keys
        assert (key.organization, key.name) == ("Bench Ltd", "bench")
        async with read_session() as session:
            (organization,) = await organizations(session)
            digest = digest_of(key.secret, load_root_secrets(installed).key_pepper)
            policy = (await keys_by_digest(session, [digest]))[digest]
            assert policy.organization_id == organization.id
            assert organization.is_in_good_standing
            assert await outstanding_agreements(session, organization.id) == []
        assert await balance_units() == 1000

    async def test_prices_and_credential_are_what_the_file_says(self, installed: Settings) -> None:
        await applied(installed)
        async with read_session() as session:
            (sheet,) = (await price_sheets(session, now=utc_now())).values()
            (channel,) = await sealed_channels(session)
        wanted = {TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 2_000_000, TokenKind.CACHE_READ: 100_000}
        assert sheet.rates == wanted
        assert channel.reveal_credential(load_root_secrets(installed).key_encryption_key) == "sk-upstream"

    async def test_the_owner_signs_in_with_the_password_of_the_variable(self, installed: Settings) -> None:
        await applied(installed)
        async with read_session() as session:
            known = await credentials_of(session, "owner@bench.example")
            assert known
            assert [m.role for m in await memberships_of(session, known.person_id)] == ["owner"]
        assert await verify_password("correct horse battery", known.password_hash)

    async def test_a_second_time_changes_nothing(self, installed: Settings) -> None:
        await applied(installed)
        async with read_session() as session:
            lines = len((await session.exec(select(AuditEntry))).all())
        again = await applied(installed)
        assert again == replace(again, changes=(), keys=())
        async with read_session() as session:
            assert len((await session.exec(select(AuditEntry))).all()) == lines
        assert await balance_units() == 1000

    async def test_every_act_is_the_operators_and_no_click_is_claimed(self, installed: Settings) -> None:
        await applied(installed)
        async with read_session() as session:
            entries = (await session.exec(select(AuditEntry))).all()
            acceptances = (await session.exec(select(Acceptance))).all()
            assert (await verify_audit(session)).is_ok
        assert {entry.actor_kind for entry in entries} == {ActorKind.OPERATOR}
        assert {"api_key_minted", "credit_granted", "file_applied"} <= {entry.action for entry in entries}
        assert {row.method for row in acceptances} == {AcceptanceMethod.OPERATOR_ATTESTATION}
        assert all(row.person_id is None for row in acceptances)


class TestCredit:
    async def test_a_higher_total_grants_the_difference(self, installed: Settings) -> None:
        await applied(installed)
        await applied(installed, '"1000.00"', '"1500.00"')
        assert await balance_units() == 1500

    async def test_a_lower_total_is_refused_with_its_line(self, installed: Settings) -> None:
        await applied(installed)
        with pytest.raises(BadFile, match=r"^line 18: 'credit' is a total, and 1000.00 is granted already"):
            await applied(installed, '"1000.00"', '"999.99"')
        assert await balance_units() == 1000

    async def test_an_unquoted_decimal_is_as_exact_as_its_text(self, installed: Settings) -> None:
        await applied(installed, '"1000.00"', "0.300000001")
        owner_id = await organization_id()
        async with read_session() as session:
            balance = await balance_of(session, owner_id=owner_id, currency=Currency.USD)
        assert balance.available_nanos == 300_000_001


class TestProjects:
    async def test_a_key_goes_into_the_project_that_the_file_names(self, installed: Settings) -> None:
        await applied(
            installed, "keys: [{name: bench}]", "projects: [mobile app]\n    keys: [{name: bench, project: mobile app}]"
        )
        owner_id = await organization_id()
        async with read_session() as session:
            names = {project.id: project.name for project in await projects_of(session, owner_id)}
            (key,) = await keys_of(session, owner_id)
        assert names[key.project_id] == "mobile app"
        assert sorted(names.values()) == ["Default", "mobile app"]

    async def test_a_key_that_is_there_moves_and_stays(self, installed: Settings) -> None:
        await applied(installed)
        change = ("keys: [{name: bench}]", "projects: [mobile]\n    keys: [{name: bench, project: mobile}]")
        first = await applied(installed, *change)
        assert first.changes == ("project mobile added to Bench Ltd", "project of key bench changed")
        assert (await applied(installed, *change)).changes == ()

    async def test_a_project_that_is_nowhere_is_named_with_its_line(self, installed: Settings) -> None:
        with pytest.raises(BadFile, match=r"line 20: there is no project 'mobile'"):
            await applied(installed, "{name: bench}]\n", "{name: bench, project: mobile}]\n")


class TestAllOrNothing:
    async def test_a_fault_at_the_end_leaves_nothing(self, installed: Settings) -> None:
        with pytest.raises(BadFile, match=r"^line 20: there is no model 'nope'"):
            await applied(installed, "{name: bench}]\n", "{name: bench, models: [nope]}]\n")
        async with read_session() as session:
            assert await organizations(session) == []
            assert await sealed_channels(session) == []

    async def test_a_channel_that_is_nowhere_is_named_with_its_line(self, installed: Settings) -> None:
        with pytest.raises(BadFile, match=r"^line 10: there is no channel 'other'"):
            await applied(installed, "{channel: bench}", "{channel: other}")

    async def test_a_wrong_registration_code_is_named_with_its_line(self, installed: Settings) -> None:
        with pytest.raises(BadFile, match=r"^line 16: This is not a unified social credit code"):
            await applied(installed, "91350100M000100Y43", "91350100M000100Y44")

    async def test_a_loopback_upstream_needs_the_setting(self, installed: Settings) -> None:
        public = installed.model_copy(update={"allow_private_upstreams": False})
        with pytest.raises(BadFile, match=r"^line 5: "):
            await applied(public)


class TestChanges:
    async def test_a_model_is_changed_in_place(self, installed: Settings) -> None:
        await applied(installed)
        assert (await applied(installed, "4096", "2048")).changes == ("model mock changed",)

    async def test_a_new_price_is_one_new_version(self, installed: Settings) -> None:
        await applied(installed)
        assert (await applied(installed, '"2.00"', '"3.00"')).changes == ("prices published in USD as version 2",)

    async def test_a_credential_is_replaced(self, installed: Settings) -> None:
        await applied(installed)
        assert (await applied(installed, "sk-upstream", "sk-other")).changes == ("channel bench changed",)
        async with read_session() as session:
            (channel,) = await sealed_channels(session)
        assert channel.reveal_credential(load_root_secrets(installed).key_encryption_key) == "sk-other"

    async def test_what_the_file_leaves_out_stays(self, installed: Settings) -> None:
        await applied(installed)
        await apply(FILE.partition("organizations:")[0].encode(), settings=installed)
        owner_id = await organization_id()
        async with read_session() as session:
            assert len(await keys_of(session, owner_id)) == 1

    async def test_a_verification_is_not_taken_back(self, installed: Settings) -> None:
        await applied(installed)
        with pytest.raises(BadFile, match="verified"):
            await applied(installed, "verified: true", "verified: false")

    @pytest.mark.parametrize(
        ("old", "new", "change", "action"),
        [
            pytest.param(
                "role: owner", "role: owner, name: Ann", "name of owner@bench.example changed", "person_renamed",
                id="a person's name",
            ),
            pytest.param(
                "role: owner", "role: owner, locale: zh-CN", "language of owner@bench.example changed",
                "person_locale_changed", id="a person's language",
            ),
            pytest.param(
                "verified: true", "verified: true\n    time_zone: Europe/Berlin", "time zone of Bench Ltd changed",
                "organization_time_zone_changed", id="an organization's time zone",
            ),
            pytest.param(
                "keys: [{name: bench}]", 'keys: [{name: bench, expires_on: "2999-12-31"}]',
                "expiry of key bench changed", "api_key_expiry_changed", id="a key's expiry",
            ),
        ],
    )  # fmt: skip
    async def test_what_the_file_now_says_comes_about_once_and_stays(
        self, installed: Settings, old: str, new: str, change: str, action: str
    ) -> None:
        await applied(installed)
        assert (await applied(installed, old, new)).changes == (change,)
        assert (await applied(installed, old, new)).changes == ()
        assert (await applied(installed)).changes == (), "the file says nothing about it any more"
        async with read_session() as session:
            actions = [entry.action for entry in await session.exec(select(AuditEntry))]
            assert (await verify_audit(session)).is_ok
        assert actions.count(action) == 1

    async def test_the_new_particulars_are_on_record(self, installed: Settings) -> None:
        await applied(installed)
        changed = FILE.replace("role: owner", "role: owner, name: Ann, locale: zh-CN").replace(
            "{name: bench}]\n", '{name: bench, expires_on: "2999-12-31"}]\n    time_zone: Europe/Berlin\n'
        )
        await apply(changed.encode(), settings=installed)
        async with read_session() as session:
            (organization,) = await organizations(session)
            person = await person_by_email(session, "owner@bench.example")
            (key,) = await keys_of(session, organization.id)
        assert person
        assert (person.name, person.locale, organization.time_zone) == ("Ann", "zh-CN", "Europe/Berlin")
        assert key.expires_at == datetime(3000, 1, 1, tzinfo=UTC)

    async def test_an_expiry_in_the_past_is_refused_with_its_line(self, installed: Settings) -> None:
        await applied(installed)
        with pytest.raises(BadFile, match=r"^line 20: .*expiry"):
            await applied(installed, "{name: bench}]\n", '{name: bench, expires_on: "2020-01-01"}]\n')


WHOLE_PRICE_BOOK = (
    FILE.replace(
        "currency: USD",
        'currency: USD\nexchange_rates: [{from: CNY, to: USD, rate: "0.14"}]\nplans: [{name: partner, ratio: "0.85"}]',
    )
    .replace(
        "[{channel: bench}] ",
        '[{channel: bench, cost: {currency: CNY, input: "3", output: "4"}}] ',
    )
    .replace(
        "    context_window",
        """\
    offers: [{from: 2026-01-01, until: 2999-12-31, price: {input: "0.50", output: "1.00"}}]
    context_window""",
    )
    .replace(
        "    credit",
        """\
    plan: partner
    contract: [{model: mock, until: 2999-06-30, price: {currency: CNY, input: "5", output: "6"}}]
    credit""",
    )
)


class TestPriceBook:
    async def test_everything_that_the_file_says_is_in_force(self, installed: Settings) -> None:
        await apply(WHOLE_PRICE_BOOK.encode(), settings=installed)
        async with read_session() as session:
            book = await price_book(session, now=utc_now())
            (channel,) = await sealed_channels(session)
            model = await model_by_name(session, "mock")
        assert model
        customer_id = await organization_id()
        contract = book.sheet_for(model_id=model.id, organization_id=customer_id, currency=Currency.USD)
        assert contract
        assert contract.rates == {TokenKind.INPUT: 5_000_000, TokenKind.OUTPUT: 6_000_000}
        assert contract.exchange == Exchange(contract.exchange_version, Currency.CNY, 140_000_000)
        offer = book.sheet_for(model_id=model.id, organization_id="org_other", currency=Currency.USD)
        assert offer
        assert (offer.rates[TokenKind.INPUT], offer.ratio_ppm, book.ratios[customer_id]) == (
            500_000,
            1_000_000,
            850_000,
        )
        cost = book.cost_sheet_for(model_id=model.id, channel_id=channel.channel.id)
        assert cost
        assert (cost.currency, cost.rates[TokenKind.OUTPUT]) == (Currency.CNY, 4_000_000)

    async def test_a_second_time_changes_nothing(self, installed: Settings) -> None:
        await apply(WHOLE_PRICE_BOOK.encode(), settings=installed)
        assert (await apply(WHOLE_PRICE_BOOK.encode(), settings=installed)).changes == ()

    async def test_a_plan_is_taken_away_by_none(self, installed: Settings) -> None:
        await apply(WHOLE_PRICE_BOOK.encode(), settings=installed)
        await apply(WHOLE_PRICE_BOOK.replace("plan: partner", "plan: none").encode(), settings=installed)
        async with read_session() as session:
            assert (await price_book(session, now=utc_now())).ratios == {}

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            pytest.param("plan: partner", "plan: other", r"line \d+: There is no plan 'other'", id="an unknown plan"),
            pytest.param("model: mock,", "model: no,", r"line \d+: there is no model 'no'", id="an unknown model"),
            pytest.param('"0.85"', '"0"', r"line 3: A plan's ratio", id="a ratio of nothing"),
            pytest.param('"0.14"', '"0"', r"line 2: An exchange rate", id="a rate of nothing"),
            pytest.param("to: USD", "to: CNY", r"line 2: An exchange rate", id="one currency"),
            pytest.param(
                "2999-12-31", "2025-12-31", r"line \d+: an offer ends after", id="an end before its beginning"
            ),
            pytest.param("2026-01-01", "soon", r"line \d+: 'from' is a date", id="no date"),
        ],
    )
    async def test_a_complaint_names_the_line(self, installed: Settings, old: str, new: str, complaint: str) -> None:
        assert old in WHOLE_PRICE_BOOK
        with pytest.raises(BadFile, match=f"^{complaint}"):
            await apply(WHOLE_PRICE_BOOK.replace(old, new, 1).encode(), settings=installed)
