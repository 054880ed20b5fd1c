"""Moments as text: fixed width, and sorting like the time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetoken_app.clock import iso_instant, monotonic_seconds, parse_instant, utc_now

moments = st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 # Hypothesis adds the zone


class TestIsoInstant:
    def test_writes_utc_whatever_the_zone(self) -> None:
        moment = datetime(2026, 11, 23, 8, 0, tzinfo=timezone(timedelta(hours=8)))
        assert iso_instant(moment) == "2026-11-23T00:00:00.000000Z"

    def test_refuses_a_moment_without_a_zone(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            iso_instant(datetime(2026, 11, 23))  # noqa: DTZ001 # the point of the test

    @given(moments, moments)
    def test_the_text_sorts_like_the_time(self, one: datetime, other: datetime) -> None:
        assert (iso_instant(one) < iso_instant(other)) == (one < other)

    @given(moments)
    def test_is_read_back(self, moment: datetime) -> None:
        assert parse_instant(iso_instant(moment)) == moment


class TestParseInstant:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "2026-11-23",
            "2026-11-23T00:00:00Z",
            "2026-11-23 00:00:00.000000Z",
            "2026-11-23T00:00:00.000000+",
            "x" * 27,
        ],
    )
    def test_refuses_any_other_form(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            parse_instant(text)


class TestNow:
    def test_is_aware_and_in_utc(self) -> None:
        assert utc_now().utcoffset() == timedelta(0)

    def test_the_stop_watch_only_grows(self) -> None:
        assert monotonic_seconds() <= monotonic_seconds()
