"""The list of calls: newest first, page by page, one organization's only."""

from datetime import timedelta

import pytest

from onetoken_app.database import read_session
from onetoken_app.errors import BadRequest
from onetoken_app.usage.queries import CallView, Page, recent_calls
from tests.usage.drafts import NOON, ORGANIZATION, a_draft, insert

pytestmark = pytest.mark.usefixtures("database")


async def page(**options: object) -> Page[CallView]:
    """Read one page."""
    async with read_session() as session:
        return await recent_calls(session, organization_id=ORGANIZATION, **options)  # type: ignore[arg-type] # each test passes what the signature takes


def ids(found: Page[CallView]) -> list[str]:
    """Name the calls of a page."""
    return [call.request_id for call in found.items]


class TestRecentCalls:
    async def test_pages_meet_without_gap_or_overlap(self) -> None:
        drafts = [a_draft(requested_at=NOON + timedelta(seconds=number // 3)) for number in range(10)]
        await insert(*drafts)
        newest_first = [
            draft.request_id
            for draft in sorted(drafts, key=lambda draft: (draft.requested_at, draft.request_id), reverse=True)
        ]
        seen: list[str] = []
        cursor = None
        for expected_length in (4, 4, 2):
            found = await page(limit=4, before=cursor)
            assert len(found.items) == expected_length
            seen += ids(found)
            cursor = found.next_cursor
        assert cursor is None
        assert seen == newest_first

    async def test_a_call_that_arrives_between_two_pages_moves_nothing(self) -> None:
        await insert(*(a_draft(requested_at=NOON + timedelta(seconds=number)) for number in range(4)))
        first = await page(limit=2)
        await insert(a_draft(requested_at=NOON + timedelta(hours=1)))
        second = await page(limit=2, before=first.next_cursor)
        assert not set(ids(first)) & set(ids(second))
        assert len(second.items) == 2

    async def test_shows_nothing_of_another_organization(self) -> None:
        await insert(a_draft(organization_id="org_2"))
        assert (await page()).items == []

    async def test_narrows_by_key_model_and_time(self) -> None:
        by_key, by_model = a_draft(api_key_id="key_2"), a_draft(model_id="mdl_2")
        late = a_draft(requested_at=NOON + timedelta(hours=2))
        await insert(by_key, by_model, late)
        assert ids(await page(key_id="key_2")) == [by_key.request_id]
        assert ids(await page(model_id="mdl_2")) == [by_model.request_id]
        assert ids(await page(since=NOON + timedelta(hours=1))) == [late.request_id]
        assert late.request_id not in ids(await page(until=NOON + timedelta(hours=2)))

    async def test_keeps_the_page_within_bounds(self) -> None:
        await insert(a_draft(), a_draft())
        assert len((await page(limit=0)).items) == 1
        assert len((await page(limit=10**9)).items) == 2

    @pytest.mark.parametrize("cursor", ["", "x", "2026-11-23~req_1", "~"])
    async def test_refuses_a_cursor_of_somebody_elses_making(self, cursor: str) -> None:
        with pytest.raises(BadRequest, match="does not exist"):
            await page(before=cursor)

    async def test_a_cursor_with_sql_in_it_is_a_place_like_any_other(self) -> None:
        await insert(a_draft())
        assert (await page(before="2026-11-23T00:00:00.000000Z~x' OR 1=1")).items == []

    async def test_adds_up_all_input(self) -> None:
        await insert(a_draft(input_tokens=1, cache_read_tokens=2, cache_write_5m_tokens=3, cache_write_1h_tokens=4))
        assert (await page()).items[0].input_tokens_total == 10
