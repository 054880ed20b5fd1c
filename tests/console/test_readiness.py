"""What the overview says is in the way of calls: the first thing, and nothing when there is nothing."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from onetoken_app.console.shown.readiness import Readiness, readiness_of
from onetoken_app.money import Currency
from onetoken_app.organizations.queries import OrganizationView

NOW = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)
VERIFIED = OrganizationView(
    id="org_1",
    name="Example Ltd",
    registration_code="91350100M000100Y43",
    currency=Currency.USD,
    time_zone="UTC",
    created_at=NOW,
    verified_at=NOW,
    suspended_at=None,
)
NEW = replace(VERIFIED, verified_at=None)


class TestReadinessOf:
    @pytest.mark.parametrize(
        ("customer", "has_model", "available_nanos", "expected"),
        [
            pytest.param(VERIFIED, True, 1, Readiness.READY, id="verified, with credit and a model"),
            pytest.param(NEW, False, 0, Readiness.UNVERIFIED, id="a new one is told to get verified first"),
            pytest.param(replace(NEW, suspended_at=NOW), True, 1, Readiness.SUSPENDED, id="suspended before verified"),
            pytest.param(replace(VERIFIED, suspended_at=NOW), True, 1, Readiness.SUSPENDED, id="suspended afterwards"),
            pytest.param(VERIFIED, False, 0, Readiness.NO_MODEL, id="no top-up is asked for where nothing is for sale"),
            pytest.param(VERIFIED, True, 0, Readiness.USED_UP, id="not one nano is left"),
            pytest.param(VERIFIED, True, -5, Readiness.USED_UP, id="less than nothing"),
        ],
    )
    def test_names_what_is_in_the_way_first(
        self, *, customer: OrganizationView, has_model: bool, available_nanos: int, expected: Readiness
    ) -> None:
        assert readiness_of(customer, has_model=has_model, available_nanos=available_nanos) is expected

    def test_frozen_credit_is_in_the_way_of_whoever_may_call_otherwise(self) -> None:
        frozen: dict[str, Any] = {"has_model": False, "available_nanos": 0, "is_frozen": True}
        assert readiness_of(VERIFIED, **frozen) is Readiness.FROZEN
        assert readiness_of(NEW, **frozen) is Readiness.UNVERIFIED
        assert readiness_of(replace(VERIFIED, suspended_at=NOW), **frozen) is Readiness.SUSPENDED
