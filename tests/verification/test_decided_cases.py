"""What the staff decided before, the last first. On both databases."""

import pytest

from onetoken_app.database import read_session
from onetoken_app.verification.models import CaseState
from onetoken_app.verification.queries import decided_cases
from tests.verification.cases import a_case_in, save, the_case

pytestmark = pytest.mark.usefixtures("database")
_DECIDED = (CaseState.APPROVED, CaseState.REFUSED, CaseState.MORE_WANTED)


class TestDecidedCases:
    @pytest.mark.parametrize("state", CaseState)
    async def test_are_those_that_the_staff_answered(self, state: CaseState) -> None:
        cast = await a_case_in(state)
        case = await the_case(cast)
        async with read_session() as session:
            found = await decided_cases(session, limit=10)
            assert [one.id for one in found] == ([case.id] if state in _DECIDED else [])
            assert await decided_cases(session, limit=10, before=case.id) == []
            assert await decided_cases(session, limit=10, before="case_unknown") == []
        for one in found:
            assert (one.name, one.reason, one.decided_at) == (case.particulars.legal_name, case.reason, case.decided_at)
            assert one.reviewer_name

    async def test_one_that_is_opened_again_is_none(self) -> None:
        cast = await a_case_in(CaseState.APPROVED)
        await save(cast, expected_revision=(await the_case(cast)).revision, legal_name="Another Name Ltd")
        async with read_session() as session:
            assert await decided_cases(session, limit=10) == []
