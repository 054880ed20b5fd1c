"""Public prices become exact integers, or problems; nothing is fetched, and nothing is loaded at start."""

import ast
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from onetoken_app.catalog.models import Region
from onetoken_app.catalog.queries import ChannelView, RouteView
from onetoken_app.pricing.genai_catalog import Proposal, package_release, propose
from onetoken_app.pricing.quote import RateTier
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.token_usage import TokenKind
from tests.architecture.tree import product_modules

NOW = datetime(2026, 11, 27, tzinfo=UTC)
INPUT, OUTPUT = TokenKind.INPUT, TokenKind.OUTPUT


def a_way(upstream_model: str, base_url: str = "https://api.openai.com/v1") -> tuple[RouteView, ChannelView]:
    """Make a route to a channel at an address."""
    route = RouteView("rte_1", "mdl_1", "chn_1", upstream_model, 0, 1)
    channel = ChannelView("chn_1", "c", "openai", base_url, Region.OVERSEAS, True, False, NOW)
    return route, channel


def proposed(monkeypatch: pytest.MonkeyPatch, prices: Any, at: datetime = NOW) -> Proposal:
    """Propose what a package with these prices would say of a model."""
    from genai_prices import data_snapshot, types  # noqa: PLC0415 # slow to load, and only these tests need it

    made = types.ModelPrice(**prices) if isinstance(prices, dict) else prices(types)
    model = types.ModelInfo(id="mock", match=types.ClauseEquals(equals="mock"), prices=made)
    provider = types.Provider(id="vendor", name="Vendor", api_pattern="https://vendor", models=[model])
    monkeypatch.setattr(
        data_snapshot, "get_snapshot", lambda: data_snapshot.DataSnapshot([provider], from_auto_update=False)
    )
    return propose("mdl_1", [a_way("mock", "https://vendor.example/v1")], at=at)


class TestPropose:
    def test_finds_a_real_model_by_the_address_of_its_channel(self) -> None:
        found = propose("mdl_1", [a_way("gpt-4o-mini")], at=NOW)
        assert (found.found_as, found.problem) == ("openai/gpt-4o-mini", "")
        assert found.rates is not None
        assert {kind: found.rates.rates[kind] for kind in (INPUT, OUTPUT, TokenKind.CACHE_READ)} == {
            INPUT: 150_000,
            OUTPUT: 600_000,
            TokenKind.CACHE_READ: 75_000,
        }

    def test_every_real_price_is_exact_or_a_problem(self) -> None:
        from genai_prices.data import providers  # noqa: PLC0415 # slow to load, and only these tests need it

        for provider in providers:
            for model in provider.models[:40]:
                found = propose("mdl_1", [a_way(model.id)], at=NOW, provider=provider.id)
                assert (found.rates is None) == bool(found.problem)

    def test_a_provider_may_be_named_for_channels_at_other_addresses(self) -> None:
        ways = [a_way("gpt-4o-mini", "http://127.0.0.1:9/v1")]
        assert "knows no model" in propose("mdl_1", ways, at=NOW).problem
        assert propose("mdl_1", ways, at=NOW, provider="openai").rates is not None

    def test_the_first_route_that_is_known_counts(self) -> None:
        ways = [a_way("house-model"), a_way("gpt-4o-mini")]
        assert propose("mdl_1", ways, at=NOW).found_as == "openai/gpt-4o-mini"

    def test_all_kinds_have_their_units(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = proposed(
            monkeypatch,
            {
                "input_mtok": Decimal("0.0125"), "output_mtok": Decimal("1E+1"), "cache_write_mtok": Decimal("0.3"),
                "output_reasoning_mtok": Decimal(4), "requests_kcount": Decimal(5), "audio_hours": Decimal("0.111"),
                "web_searches_kcount": Decimal(10), "storage_searches_kcount": Decimal("2.5"),
            },
        )  # fmt: skip
        assert found.rates == ModelRates(
            {
                INPUT: 12_500, OUTPUT: 10_000_000, TokenKind.CACHE_WRITE_5M: 300_000, TokenKind.REASONING: 4_000_000,
                TokenKind.REQUESTS: 5 * 10**9, TokenKind.AUDIO_MS: 111 * 10**9, TokenKind.WEB_SEARCHES: 10**10,
                TokenKind.FILE_SEARCHES: 25 * 10**8,
            }
        )  # fmt: skip

    def test_a_tier_begins_above_the_packages_threshold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def tiered(types: Any) -> Any:
            steps = types.TieredPrices(base=Decimal(1), tiers=[types.Tier(start=200_000, price=Decimal(2))])
            return types.ModelPrice(input_mtok=steps, output_mtok=Decimal(3))

        found = proposed(monkeypatch, tiered)
        assert found.rates == ModelRates(
            {INPUT: 1_000_000, OUTPUT: 3_000_000}, (RateTier(200_001, {INPUT: 2_000_000}),)
        )

    def test_the_prices_of_the_moment_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def rising(types: Any) -> Any:
            return [
                types.ConditionalPrice(prices=types.ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1))),
                types.ConditionalPrice(
                    types.StartDateConstraint(start_date=date(2027, 1, 1)),
                    prices=types.ModelPrice(input_mtok=Decimal(2), output_mtok=Decimal(2)),
                ),
            ]

        before, after = proposed(monkeypatch, rising), proposed(monkeypatch, rising, datetime(2027, 1, 1, tzinfo=UTC))
        assert before.rates == ModelRates({INPUT: 1_000_000, OUTPUT: 1_000_000})
        assert after.rates == ModelRates({INPUT: 2_000_000, OUTPUT: 2_000_000})

    @pytest.mark.parametrize(
        ("prices", "problem"),
        [
            pytest.param({"input_mtok": 0.5}, "input_mtok is no decimal number", id="a float"),
            pytest.param({"input_mtok": 1}, "input_mtok is no decimal number", id="another number"),
            pytest.param({"input_mtok": Decimal("NaN")}, "input_mtok is no decimal number", id="not a number"),
            pytest.param({"input_mtok": Decimal("Infinity")}, "no decimal number", id="infinity"),
            pytest.param({"input_mtok": Decimal("0.18000000000000002")}, "at most 6 decimals", id="too fine"),
            pytest.param({"input_mtok": Decimal(-1)}, "not negative", id="a negative price"),
            pytest.param({"requests_kcount": Decimal("1E-10")}, "at most 12 decimals", id="too fine for one"),
            pytest.param({"output_mtok": None}, "needs a price for its input and one for its output", id="no output"),
            pytest.param(
                {"code_executions_kcount": Decimal(1), "social_searches_kcount": Decimal(2)}, "two prices",
                id="two prices of one kind",
            ),
        ],
    )  # fmt: skip
    def test_what_is_not_exact_is_a_problem(
        self, monkeypatch: pytest.MonkeyPatch, prices: dict[str, Any], problem: str
    ) -> None:
        found = proposed(monkeypatch, {"input_mtok": Decimal(1), "output_mtok": Decimal(1)} | prices)
        assert found.rates is None
        assert problem in found.problem

    def test_a_price_by_the_time_of_day_is_a_problem(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def by_hour(types: Any) -> Any:
            plain = types.ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1))
            night = SimpleNamespace(start_time="00:30", end_time="08:30")
            return [SimpleNamespace(constraint=None, prices=plain), SimpleNamespace(constraint=night, prices=plain)]

        assert "time of day" in proposed(monkeypatch, by_hour).problem

    def test_prices_without_a_place_here_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        prices = {"input_mtok": Decimal(1), "output_mtok": Decimal(1), "input_video_mtok": Decimal(3)}
        found = proposed(monkeypatch, prices)
        assert (found.left_out, found.problem) == (("input_video_mtok",), "")


class TestPackage:
    def test_its_release_is_named(self) -> None:
        assert package_release().startswith("genai-prices 0.")

    def test_no_module_of_ours_loads_it_at_start(self) -> None:
        for module in product_modules():
            for node in ast.walk(module.syntax):
                names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert not [name for name in names if name.startswith("genai_prices")], module.path
