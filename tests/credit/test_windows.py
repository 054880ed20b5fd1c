"""Days and months of budgets on clocks that jump."""

from datetime import UTC, datetime, timedelta

import pytest

from onetoken_app.clock import parse_instant
from onetoken_app.credit.subjects import BudgetSubject, SubjectKind, Window, subject_of
from onetoken_app.credit.windows import period_key, renews_at
from onetoken_app.errors import BadRequest

DAY, MONTH = Window.DAY, Window.MONTH


class TestPeriodKey:
    @pytest.mark.parametrize(
        ("time_zone", "moment", "day"),
        [
            pytest.param("UTC", datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC), "2027-01-31", id="the last second"),
            pytest.param("Asia/Shanghai", datetime(2027, 1, 31, 16, tzinfo=UTC), "2027-02-01", id="ahead of UTC"),
            pytest.param("America/New_York", datetime(2027, 2, 1, 4, tzinfo=UTC), "2027-01-31", id="behind UTC"),
            pytest.param("Asia/Beirut", datetime(2026, 3, 28, 22, tzinfo=UTC), "2026-03-29", id="no midnight that day"),
        ],
    )
    def test_is_what_a_clock_on_the_wall_shows(self, time_zone: str, moment: datetime, day: str) -> None:
        assert period_key(DAY, moment, time_zone=time_zone) == day
        assert period_key(MONTH, moment, time_zone=time_zone) == day[:7]

    def test_an_unknown_zone_is_refused(self) -> None:
        with pytest.raises(BadRequest):
            period_key(DAY, datetime(2027, 1, 1, tzinfo=UTC), time_zone="Mars/Olympus")


class TestRenewsAt:
    @pytest.mark.parametrize(
        ("time_zone", "begins_at", "hours"),
        [
            pytest.param("Europe/Berlin", datetime(2027, 3, 27, 23, tzinfo=UTC), 23, id="clocks jump ahead"),
            pytest.param("Europe/Berlin", datetime(2027, 10, 30, 22, tzinfo=UTC), 25, id="clocks jump back"),
            pytest.param("Asia/Beirut", datetime(2026, 3, 28, 22, tzinfo=UTC), 23, id="clocks jump over midnight"),
            pytest.param("Asia/Shanghai", datetime(2027, 1, 31, 16, tzinfo=UTC), 24, id="clocks that never jump"),
        ],
    )
    def test_the_key_changes_at_that_very_moment(self, time_zone: str, begins_at: datetime, hours: int) -> None:
        renewal = renews_at(DAY, begins_at, time_zone=time_zone)
        assert renewal - begins_at == timedelta(hours=hours)
        last = renewal - timedelta(microseconds=1)
        key = period_key(DAY, begins_at, time_zone=time_zone)
        assert period_key(DAY, last, time_zone=time_zone) == key
        assert period_key(DAY, renewal, time_zone=time_zone) != key
        assert renews_at(DAY, last, time_zone=time_zone) == renewal

    def test_a_month_ends_at_the_first(self) -> None:
        moment = datetime(2026, 12, 31, 12, tzinfo=UTC)
        assert renews_at(MONTH, moment, time_zone="Asia/Shanghai") == parse_instant("2026-12-31T16:00:00.000000Z")


class TestSubjectOf:
    def test_reads_what_was_written(self) -> None:
        subject = BudgetSubject(SubjectKind.API_KEY, "key_1", MONTH)
        assert (subject.text, subject_of(subject.text)) == ("api_key:key_1:month", subject)

    @pytest.mark.parametrize("text", ["", "all", "key:key_1:day", "api_key:key_1:year", "api_key:a:b:day"])
    def test_anything_else_is_none(self, text: str) -> None:
        assert subject_of(text) is None
