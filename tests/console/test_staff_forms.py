"""Forms of the staff's desks decide what they were filled in for, whatever the server has opened meanwhile."""

from typing import Any

import pytest
import reflex as rx
from reflex.state import State

from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.pages.staff.reviews import ReviewsState
from onetoken_app.console.pages.staff.top_ups import TopUpsState
from onetoken_app.console.session import SessionState
from onetoken_app.database import unit_of_work
from onetoken_app.identity.models import StaffRole
from onetoken_app.identity.passwords import hash_password
from onetoken_app.payments.models import OrderState
from onetoken_app.settings import Settings
from onetoken_app.verification import service
from onetoken_app.verification.models import CaseState
from tests.console.asgi_calls import post
from tests.console.conftest import PASSWORD
from tests.payments import orders
from tests.support.builders import a_person
from tests.verification import cases


@pytest.fixture(autouse=True)
def _settings_of_a_process(monkeypatch: pytest.MonkeyPatch, sqlite_settings: Settings) -> None:
    """Let events find the same installation as the rest of a test."""
    monkeypatch.setenv("ONETOKEN_DATA_DIR", str(sqlite_settings.data_dir))


class Desk:
    """One tab of a member of the staff."""

    def __init__(self, person_id: str, cookie: str) -> None:
        self.person_id = person_id
        self._tab = State(_reflex_internal_init=True)  # type: ignore[call-arg] # as Reflex itself does
        headers = {"cookie": cookie, "origin": "http://localhost:8000"}
        route = {"pathname": "/staff", "asPath": "/staff", "query": {}, "token": "tab", "sid": "1", "headers": headers}
        self._tab.router_data = self._tab._update_router_vars(route, {})

    async def state(self, of: type[rx.State]) -> Any:
        """Return one of its States."""
        return await self._tab.get_state(of)

    async def send(self, of: type[rx.State], event: str, *arguments: Any) -> str:
        """Call an event as a browser does; return why it did nothing, if it did not."""
        await of.event_handlers[event].fn(await self.state(of), *arguments)
        return str((await self.state(SessionState)).refusal)


async def a_desk(routes: AccountRoutes, role: StaffRole) -> Desk:
    """Sign a member of the staff in."""
    email, password_hash = f"{role}@test.example", await hash_password(PASSWORD)
    async with unit_of_work() as session:
        person_id = await a_person(session, email=email, password_hash=password_hash, staff_role=role)
    answer = await post(routes, "/account/sign-in", {"email": email, "password": PASSWORD})
    return Desk(person_id, answer.cookie)


async def a_case(desk: Desk, code: str) -> str:
    """Submit a case and take it; return its id."""
    cast = await cases.a_cast(code=code)
    await cases.save(cast, registration_code=code)
    for kind in service.REQUIRED_KINDS:
        await cases.add(cast, cases.a_document(kind))
    await cases.submit(cast)
    await cases.take(cast, reviewer_id=desk.person_id)
    return (await cases.the_case(cast)).id


class TestTransfers:
    @pytest.mark.parametrize("event", ["approve", "refuse"])
    async def test_a_form_for_another_decides_nothing_and_one_for_the_open_one_does(
        self, routes: AccountRoutes, event: str
    ) -> None:
        desk = await a_desk(routes, StaffRole.FINANCE)
        (_, first), (_, second) = [await orders.an_order_in(OrderState.REPORTED) for _ in range(2)]
        await desk.send(TopUpsState, "load")
        for order_id in (first, second):
            await desk.send(TopUpsState, "look", order_id)
        revision = str((await orders.the_order(first)).revision)
        words = {"received": "1000", "bank_entry": "E-1", "reason": "not_received", "words": ""}
        for seen in ({"order_id": first, "revision": revision}, {"order_id": second, "revision": "1"}, {}):
            assert "another transfer" in await desk.send(TopUpsState, event, {**words, **seen})
            for order_id in (first, second):
                assert (await orders.the_order(order_id)).state is OrderState.REPORTED
        assert await desk.send(TopUpsState, event, {**words, "order_id": second, "revision": revision}) == ""
        assert (await orders.the_order(second)).state in {OrderState.CREDITED, OrderState.REFUSED}


class TestCases:
    @pytest.mark.parametrize("event", ["approve", "release", "answer"])
    async def test_what_was_meant_for_another_changes_nothing_and_for_the_open_one_does(
        self, routes: AccountRoutes, event: str
    ) -> None:
        desk = await a_desk(routes, StaffRole.REVIEWER)
        first, second = [await a_case(desk, code) for code in (cases.CODE, cases.OTHER_CODE)]
        await desk.send(ReviewsState, "look", first)
        old = (await desk.state(ReviewsState)).open_case.revision
        await desk.send(ReviewsState, "look", second)

        async def act(case_id: str, revision: int) -> str:
            form = {"decision": "refuse", "reason": "other", "words": "No.", "case_id": case_id, "revision": revision}
            return await desk.send(ReviewsState, event, *([form] if event == "answer" else [case_id, revision]))

        for case_id, revision in ((first, old), (second, old - 1)):
            assert "another case" in await act(case_id, revision)
            opened = (await desk.state(ReviewsState)).open_case
            assert (opened.id, opened.state) == (second, CaseState.IN_REVIEW.value)
        assert await act(second, old) == ""
        assert (await desk.state(ReviewsState)).open_case.state != CaseState.IN_REVIEW.value

    async def test_a_consent_for_another_is_not_taken(self, routes: AccountRoutes) -> None:
        desk = await a_desk(routes, StaffRole.REVIEWER)
        case_id = await a_case(desk, cases.CODE)
        await desk.send(ReviewsState, "look", case_id)
        for meant, is_taken in (("case_other", False), (case_id, True)):
            await desk.send(ReviewsState, "consent", meant, True)
            assert (await desk.state(ReviewsState)).consents_to_public is is_taken
