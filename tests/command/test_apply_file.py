"""What is wrong with a file by itself is found before anything is changed, and each complaint names its line."""

import re
from datetime import UTC, datetime

import pytest

from onetoken_app.catalog.models import Region
from onetoken_app.command.apply_file import read_apply_file
from onetoken_app.command.marked_yaml import BadFile
from onetoken_app.money import NANOS_PER_UNIT
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.pricing.quote import RateTier
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.token_usage import TokenKind
from tests.command.test_apply import FILE


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_PASSWORD", " spaces count ")


class TestReadApplyFile:
    def test_every_member_is_read(self) -> None:
        file = read_apply_file(FILE.encode())
        (channel,), (model,), (organization,) = file.channels, file.models, file.organizations
        assert (channel.name, channel.region, channel.credential) == ("bench", Region.MAINLAND, "sk-upstream")
        assert model.price.rates == ModelRates(
            {TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 2_000_000, TokenKind.CACHE_READ: 100_000}
        )
        assert model.routes[0].upstream_model == "mock"
        assert organization.credit_nanos == 1000 * NANOS_PER_UNIT
        assert organization.people[0].role is OrganizationRole.OWNER
        assert organization.keys[0].models is None

    def test_prices_of_every_kind_and_tiers_are_read(self) -> None:
        price = (
            '{input: "1", output: "2", reasoning: "3", audio_in: "4", image_out: "5.5", request: "0.001", '
            'image: "0.04", audio_hour: "0.36", web_search: "0.01", file_search: "0.0025", tool_call: "0.03", '
            'tiers: [{from_input_tokens: 200001, input: "2"}, {from_input_tokens: 300000, output: "4"}]}'
        )
        (model,) = read_apply_file(re.sub(r"price: \{.*\}", f"price: {price}", FILE).encode()).models
        assert model.price.rates.rates == {
            TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 2_000_000, TokenKind.REASONING: 3_000_000,
            TokenKind.AUDIO_IN: 4_000_000, TokenKind.IMAGE_OUT: 5_500_000, TokenKind.REQUESTS: 10**9,
            TokenKind.IMAGES: 4 * 10**10, TokenKind.AUDIO_MS: 36 * 10**10, TokenKind.WEB_SEARCHES: 10**10,
            TokenKind.FILE_SEARCHES: 25 * 10**8, TokenKind.TOOL_CALLS: 3 * 10**10,
        }  # fmt: skip
        assert model.price.rates.tiers == (
            RateTier(200_001, {TokenKind.INPUT: 2_000_000}), RateTier(300_000, {TokenKind.OUTPUT: 4_000_000})
        )  # fmt: skip

    def test_a_password_keeps_its_spaces(self) -> None:
        (organization,) = read_apply_file(FILE.encode()).organizations
        assert organization.people[0].password == " spaces count "

    def test_a_key_that_expires_on_a_day_works_until_its_end(self) -> None:
        text = FILE.replace("{name: bench}]\n", '{name: bench, expires_on: "2030-01-31"}]\n')
        (organization,) = read_apply_file(text.encode()).organizations
        assert organization.keys[0].expires_at == datetime(2030, 2, 1, tzinfo=UTC)

    def test_no_secret_is_in_a_representation(self) -> None:
        shown = repr(read_apply_file(FILE.encode()))
        assert "sk-upstream" not in shown
        assert "spaces count" not in shown

    def test_a_byte_order_mark_is_no_part_of_the_first_name(self) -> None:
        assert read_apply_file(b"\xef\xbb\xbf" + FILE.encode()).channels

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            pytest.param("cur", "\tcur", r"line 1: not YAML", id="a tab where YAML allows none"),
            pytest.param("rency", "rancy", r"line 1: .*did you mean 'currency'", id="a misspelt member"),
            pytest.param("USD", "EUR", r"line 1: 'currency' is one of USD, CNY", id="an unknown word"),
            pytest.param("    provider: openai\n", "", r"line 3: a channel needs 'provider'", id="a missing member"),
            pytest.param("provider: openai", "provider:", r"line 4: a channel needs 'provider'", id="an empty member"),
            pytest.param("credential: sk", "name: x\n    credential: sk", r"line 6: 'name' .* second time", id="twice"),
            pytest.param("credential: sk", "credential_env: NOT_SET_", r"line 6: the variable", id="no such variable"),
            pytest.param("[{channel: bench}]", "[]", r"line 10: model 'mock' needs", id="a model without a channel"),
            pytest.param("[{channel: bench}]", "bench", r"line 10: 'channels' is a list", id="a text for a list"),
            pytest.param('"1.00"', '"1e3"', r"line 11: 'input': not a plain decimal", id="an exponent"),
            pytest.param('"1.00"', ".inf", r"line 11: 'input': not a plain decimal", id="infinity"),
            pytest.param('"1.00"', '"-1"', r"line 11: 'input': a price is not negative", id="a negative price"),
            pytest.param('"1.00"', '"0.0000001"', r"line 11: 'input': a price .* 6 decimals", id="too fine a price"),
            pytest.param(', output: "2.00"', "", r"line 11: a price needs 'output'", id="no price for output"),
            pytest.param('"1.00"', '"1", image: "1e-3"', r"line 11: 'image': not a plain", id="an exponent of a piece"),
            pytest.param(
                '"1.00"', '"1", tiers: [{input: "2"}]', r"line 11: a tier needs 'from_input", id="no threshold"
            ),
            pytest.param(
                '"1.00"', '"1", tiers: [{from_input_tokens: 5}]', r"line 11: a tier has at least", id="an empty tier"
            ),
            pytest.param(
                '"1.00"',
                '"1", tiers: [{from_input_tokens: 5, input: "1"}, {from_input_tokens: 5, input: "1"}]',
                r"line 11: tiers have different",
                id="a threshold twice",
            ),
            pytest.param("128000", "128k", r"line 12: 'context_window' is a whole number", id="a number with a unit"),
            pytest.param("4096", "128001", r"line 13: 'max_output_tokens' .* to 128000", id="more than the window"),
            pytest.param("verified: true", "verified: maybe", r"line 17: 'verified' is true or false", id="a maybe"),
            pytest.param('"1000.00"', '"-5"', r"line 18: 'credit': an amount here is not", id="a negative credit"),
            pytest.param('"1000.00"', '"1.0000000001"', r"line 18: 'credit': .* 9 decimals", id="too fine a credit"),
            pytest.param("owner@bench.example", "owner", r"line 19: 'email' is an address", id="no address"),
            pytest.param("role: owner", "role: ownr", r"line 19: 'role' .*did you mean 'owner'", id="an unknown role"),
            pytest.param("BENCH_PASSWORD", "NOT_SET", r"line 19: the variable", id="no password in the variable"),
            pytest.param("{name: bench}]\n", "{name: a}, {name: a}]\n", r"line 20: key 'a' stands", id="a key twice"),
        ],
    )
    def test_a_complaint_names_the_line(self, old: str, new: str, complaint: str) -> None:
        assert old in FILE
        with pytest.raises(BadFile, match=f"^{complaint}"):
            read_apply_file(FILE.replace(old, new, 1).encode())

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            pytest.param(b"", "line 1: the file is empty", id="nothing"),
            pytest.param(b"- a\n", "line 1: the file is a mapping", id="a list"),
            pytest.param(b"currency: USD\n\xff\xfe\n", "line 2: the file is not UTF-8", id="another encoding"),
            pytest.param(b"currency: USD\n---\nmodels: []\n", "line 2: not YAML", id="two documents"),
            pytest.param(b"currency: \x00\n", "line 1: not YAML", id="a character that is no text"),
            pytest.param(b"models: " + b"[" * 5000, "line 1: ", id="nested without end"),
            pytest.param(b"models: &m [*m]\n", "line 1: ", id="an alias of itself"),
            pytest.param(b"models: !!python/object:os.system {}\n", "line 1: ", id="an object of Python"),
        ],
    )
    def test_what_is_no_file_of_ours_is_refused(self, content: bytes, complaint: str) -> None:
        with pytest.raises(BadFile, match=f"^{complaint}"):
            read_apply_file(content)
