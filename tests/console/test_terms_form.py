"""What forms of plans, rates and ends say: exactly, or not at all, with the field that is wrong."""

from datetime import UTC, datetime

import pytest

from onetoken_app.console.callers import Caller
from onetoken_app.console.terms_desk import propose
from onetoken_app.database import read_session
from onetoken_app.errors import BadRequest
from onetoken_app.identity.models import StaffRole
from onetoken_app.identity.queries import SignedInView
from onetoken_app.pricing.terms_queries import waiting_terms

pytestmark = pytest.mark.usefixtures("sqlite_database")
RATIO = {"terms_kind": "ratio", "plan_name": "partner", "ratio": "0.850001"}
RATE = {"terms_kind": "exchange", "from_currency": "USD", "to_currency": "CNY", "rate": "7.123456789"}


def somebody() -> Caller:
    """Somebody of finance."""
    person = SignedInView("per_1", "fin@ops.example", "Fin", "en", frozenset({StaffRole.FINANCE}), "ses_1")
    return Caller(person=person, memberships=(), acting_for=None)


class TestPropose:
    async def test_numbers_are_read_to_the_last_digit(self) -> None:
        for form in (RATIO, RATE):
            await propose(somebody(), form=form, time_zone="Asia/Shanghai")
        async with read_session() as session:
            rate, ratio = await waiting_terms(session)
        assert (ratio.ratio_ppm, rate.rate_nanos) == (850_001, 7_123_456_789)

    async def test_a_moment_is_in_the_readers_zone(self) -> None:
        await propose(somebody(), form=RATIO | {"effective_at": "2099-01-01T08:00"}, time_zone="Asia/Shanghai")
        async with read_session() as session:
            (draft,) = await waiting_terms(session)
        assert draft.effective_at == datetime(2099, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("form", "parameter"),
        [
            ({}, "terms_kind"),
            ({"terms_kind": "list"}, "terms_kind"),
            *[(RATIO | {"ratio": typed}, "ratio") for typed in ("", "0", "-1", "1e3", "1,5", "0.1234567", "9" * 40)],
            *[(RATIO | {"plan_name": typed}, "plan_name") for typed in ("", " ", "a" * 65, "价", "a\nb")],
            *[(RATIO | {"effective_at": typed}, "effective_at") for typed in ("soon", "2020-01-01T00:00")],
            *[(RATE | {"rate": typed}, "rate") for typed in ("", "0", "-7", "7.1234567891", "1001")],
            (RATE | {"to_currency": "EUR"}, "to_currency"),
            (RATE | {"to_currency": "USD"}, "rate"),
            *[({"terms_kind": "end", "version": typed}, "version") for typed in ("", "-1", "x", "9" * 30)],
        ],
    )
    async def test_what_cannot_be_names_its_field(self, form: dict[str, str], parameter: str) -> None:
        with pytest.raises(BadRequest) as caught:
            await propose(somebody(), form=form, time_zone="UTC")
        assert caught.value.parameter == parameter
        async with read_session() as session:
            assert await waiting_terms(session) == []
