"""How well models answered: shares over everybody, nothing about single calls."""

from datetime import timedelta

import pytest

from onetoken_app.database import read_session
from onetoken_app.usage.stability import CALLS_MIN, StabilityView, stability_of_models
from tests.usage.drafts import NOON, a_draft, insert


async def measured() -> list[StabilityView]:
    """Measure the day until noon."""
    async with read_session() as session:
        return await stability_of_models(session, since=NOON - timedelta(days=1), until=NOON + timedelta(seconds=1))


@pytest.mark.usefixtures("database")
class TestStabilityOfModels:
    async def test_counts_whole_answers_in_a_thousand_rounded_down(self) -> None:
        await insert(
            *[a_draft(response_status=200, first_byte_ms=number) for number in range(1, 21)],
            a_draft(response_status=502, error_code="upstream_failed"),
        )
        assert await measured() == [
            StabilityView(model_id="mdl_1", answered_permille=952, first_byte_ms_median=10, first_byte_ms_p95=19)
        ]

    async def test_an_answer_that_broke_off_is_none(self) -> None:
        await insert(
            *[a_draft(response_status=200) for _ in range(9)],
            a_draft(response_status=200, error_code="upstream_failed"),
        )
        (found,) = await measured()
        assert (found.answered_permille, found.first_byte_ms_median) == (900, None)

    async def test_what_callers_caused_says_nothing(self) -> None:
        await insert(
            *[a_draft(response_status=200) for _ in range(CALLS_MIN)],
            *[a_draft(response_status=status, error_code="x") for status in (400, 402, 429, 499)],
        )
        assert [view.answered_permille for view in await measured()] == [1000]

    async def test_few_calls_are_no_measurement(self) -> None:
        await insert(*[a_draft(response_status=200) for _ in range(CALLS_MIN - 1)])
        assert await measured() == []

    async def test_other_periods_and_models_are_apart(self) -> None:
        await insert(
            *[a_draft(response_status=200, first_byte_ms=5) for _ in range(CALLS_MIN)],
            *[a_draft(response_status=500, model_id="mdl_2") for _ in range(CALLS_MIN)],
            *[a_draft(response_status=500, requested_at=NOON - timedelta(days=2)) for _ in range(CALLS_MIN)],
        )
        assert [(view.model_id, view.answered_permille, view.first_byte_ms_median) for view in await measured()] == [
            ("mdl_1", 1000, 5),
            ("mdl_2", 0, None),
        ]
