"""Receipts over the wire: in the headers of an answer, and at their address for the organization's keys alone."""

import pytest

from onetoken_app.database import unit_of_work
from onetoken_app.money import format_amount
from tests.relay.conftest import RunningRelay
from tests.support.builders import a_key, an_organization
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS
from tests.usage.test_receipts import recomputed


class TestHeaders:
    async def test_a_plain_answer_says_what_it_was_charged(self, relay: RunningRelay) -> None:
        answer = await relay.post()
        record = await relay.only_record()
        assert answer.headers["x-onetoken-charge"] == format_amount(record.charge_nanos)
        assert answer.headers["x-onetoken-currency"] == "USD"
        assert answer.headers["x-onetoken-usage-source"] == "upstream"
        assert answer.headers["x-onetoken-price-version"] == str(record.price_version_id)
        assert answer.headers["x-onetoken-receipt"] == f"/v1/receipts/{record.request_id}"

    async def test_a_stream_says_where_its_receipt_will_be(self, relay: RunningRelay) -> None:
        answer = await relay.post({"stream": True})
        record = await relay.only_record()
        assert answer.headers["x-onetoken-receipt"] == f"/v1/receipts/{record.request_id}"
        assert answer.headers["x-onetoken-price-version"] == str(record.price_version_id)
        assert "x-onetoken-charge" not in answer.headers

    async def test_a_request_that_was_not_carried_has_none(self, relay: RunningRelay) -> None:
        answer = await relay.post({"model": "unknown"})
        assert answer.status_code == 404
        assert not [name for name in answer.headers if name.startswith("x-onetoken")]


class TestShowReceipt:
    @pytest.mark.parametrize("is_streaming", [False, True])
    async def test_the_charge_can_be_recomputed_from_it(self, relay: RunningRelay, *, is_streaming: bool) -> None:
        answer = await relay.post({"stream": is_streaming})
        await relay.until_idle()
        receipt = await relay.get(answer.headers["x-onetoken-receipt"])
        assert receipt.status_code == 200
        told = receipt.json()
        assert recomputed(told) == USUAL_CHARGE_NANOS
        assert told["charge"] == format_amount(USUAL_CHARGE_NANOS)
        assert (told["object"], told["outcome"], told["attempts"]) == ("receipt", "settled", 1)
        assert (told["model"], told["usage_source"], told["region"]) == ("mock", "upstream", "mainland")

    async def test_another_organization_does_not_see_it(self, relay: RunningRelay) -> None:
        answer = await relay.post()
        async with unit_of_work() as session:
            other = await a_key(session, relay.settings, organization_id=await an_organization(session, name="Other"))
        path = answer.headers["x-onetoken-receipt"]
        refused = await relay.get(path, authorization=f"Bearer {other.secret}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "receipt_not_found")
        assert (await relay.get(path)).status_code == 200

    @pytest.mark.parametrize("name", ["req_nobody", "x" * 200, "%00", "a/b"])
    async def test_what_is_not_there_is_not_found(self, relay: RunningRelay, name: str) -> None:
        answer = await relay.get(f"/v1/receipts/{name}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "receipt_not_found")

    async def test_nobody_gets_one_without_a_key(self, relay: RunningRelay) -> None:
        answer = await relay.get("/v1/receipts/req_nobody", authorization="")
        assert answer.status_code == 401
