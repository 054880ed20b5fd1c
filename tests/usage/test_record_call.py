"""Records on their way to the table: complete, small, and clean of what others chose."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import msgspec
import pytest
from sqlmodel import select

from onetoken_app.database import read_session
from onetoken_app.ledger.operations import Statement
from onetoken_app.money import Currency
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import UsageRecord
from onetoken_app.usage.recording import (
    CONTEXT_BYTES_MAX,
    UsageDraft,
    clean_upstream_request_id,
    clean_user_agent,
    decode_draft,
    encode_draft,
    insert_statement,
)
from tests.usage.drafts import a_draft, insert


def a_full_draft() -> UsageDraft:
    """Make a draft in which no column has its default."""
    return a_draft(
        requested_at=datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=UTC),
        is_streaming=True,
        channel_id="chn_1",
        region="mainland",
        input_tokens=1,
        cache_read_tokens=2,
        cache_write_5m_tokens=3,
        cache_write_1h_tokens=4,
        output_tokens=2**40,
        reasoning_tokens=6,
        usage_source=UsageSource.UPSTREAM,
        charge_nanos=2**62,
        response_status=200,
        error_code="upstream_failed",
        attempt_count=2,
        latency_ms=70,
        first_byte_ms=7,
        caller_ip="2001:db8::1",
        user_agent="OpenAI/Python 3.50 你好",
        upstream_request_id="req-1:a.b_c",
    )


def a_newest_draft() -> UsageDraft:
    """Make a draft in which the columns that came after the first release have no default either."""
    return replace(
        a_full_draft(),
        project_id="prj_1",
        audio_in_tokens=1,
        image_in_tokens=2,
        audio_out_tokens=3,
        image_out_tokens=4,
        request_count=1,
        image_count=6,
        audio_ms=7,
        web_search_count=8,
        file_search_count=9,
        tool_call_count=10,
        plan_ratio_ppm=900_000,
        exchange_rate_version=12,
        cost_nanos=13,
        cost_currency=Currency.CNY,
    )


FIRST_RELEASE = bytes.fromhex(
    "dc001caa7265715f303030303031d7ff6ce830206b03908ba56f72675f31a56b65795f31b42f76312f636861742f636f6d706c6574696f6e"
    "73c3a56d646c5f31a46d6f636b01a3555344a563686e5f31a86d61696e6c616e6401020304cf000001000000000006a8757073747265616d"
    "cf4000000000000000ccc8af757073747265616d5f6661696c6564024607ab323030313a6462383a3a31b94f70656e41492f507974686f6e"
    "20332e353020e4bda0e5a5bdab7265712d313a612e625f63"
)
"""The draft in which no column has its default, as the first release packed it; never to be changed."""


class TestInsertStatement:
    @pytest.mark.usefixtures("database")
    @pytest.mark.parametrize("draft", [a_draft(), a_newest_draft()], ids=["all defaults", "no default"])
    async def test_writes_every_column(self, draft: UsageDraft) -> None:
        await insert(draft)
        async with read_session() as session:
            row = (await session.exec(select(UsageRecord))).one()
        assert {name: getattr(row, name) for name in UsageDraft.__slots__} == {
            name: getattr(draft, name) for name in UsageDraft.__slots__
        }

    def test_a_draft_has_exactly_the_columns_of_the_table(self) -> None:
        assert {field.name for field in fields(UsageDraft)} == set(UsageRecord.model_fields)

    @pytest.mark.parametrize("is_sqlite", [True, False])
    def test_names_the_place_of_the_charge(self, *, is_sqlite: bool) -> None:
        statement = insert_statement(a_draft(charge_nanos=123_456), is_sqlite=is_sqlite)
        assert statement.parameters[statement.charge_position] == 123_456
        assert statement.sql.count("?" if is_sqlite else "%s") == len(statement.parameters)

    def test_survives_the_way_to_the_writer(self) -> None:
        statement = insert_statement(a_full_draft(), is_sqlite=True)
        carried = msgspec.msgpack.decode(msgspec.msgpack.encode(statement), type=Statement)
        assert carried.parameters == statement.parameters


class TestEncodeDraft:
    @pytest.mark.parametrize("draft", [a_draft(), a_newest_draft()], ids=["all defaults", "no default"])
    def test_comes_back_whole(self, draft: UsageDraft) -> None:
        assert decode_draft(encode_draft(draft)) == draft

    def test_cuts_the_user_agent_to_fit(self) -> None:
        draft = a_draft(user_agent="你" * 256, model_name="m" * 128, upstream_request_id="u" * 128)
        packed = encode_draft(draft)
        assert len(packed) <= CONTEXT_BYTES_MAX
        back = decode_draft(packed)
        assert draft.user_agent.startswith(back.user_agent)
        assert len(back.user_agent) > 50

    def test_refuses_what_cannot_fit(self) -> None:
        with pytest.raises(ValueError, match="does not fit"):
            encode_draft(a_draft(model_name="m" * 2000, user_agent="x" * 10))

    @pytest.mark.parametrize("packed", [b"", b"\x90", msgspec.msgpack.encode([1] * 28), b"\xff\xff"])
    def test_refuses_something_else(self, packed: bytes) -> None:
        with pytest.raises(ValueError, match=r".+"):
            decode_draft(packed)


class TestDecodeDraft:
    def test_reads_what_the_first_release_packed(self) -> None:
        assert decode_draft(FIRST_RELEASE) == replace(a_full_draft(), request_id="req_000001")

    def test_gives_columns_that_an_older_release_did_not_have_their_defaults(self) -> None:
        values = msgspec.msgpack.decode(FIRST_RELEASE, type=list)
        back = decode_draft(msgspec.msgpack.encode(values[:-2]))
        assert back == replace(a_full_draft(), request_id="req_000001", user_agent="", upstream_request_id="")

    def test_leaves_out_what_only_a_newer_release_knows(self) -> None:
        draft = a_full_draft()
        values = msgspec.msgpack.decode(encode_draft(draft), type=list)
        assert decode_draft(msgspec.msgpack.encode([*values, "new", 5])) == draft

    def test_refuses_one_without_the_columns_that_every_release_has(self) -> None:
        values = msgspec.msgpack.decode(FIRST_RELEASE, type=list)
        with pytest.raises(ValueError, match=r".+"):
            decode_draft(msgspec.msgpack.encode(values[:9]))


class TestCleanUserAgent:
    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            pytest.param("OpenAI/Python 3.50", "OpenAI/Python 3.50", id="a plain one stays"),
            pytest.param("a\r\nb\x00c\x1b[31m", "abc[31m", id="controls go"),
            pytest.param("a\u202eb\u200bc", "abc", id="invisible marks go"),
            pytest.param("x" * 1000, "x" * 256, id="a long one is cut"),
            pytest.param("\n" * 1000 + "x", "", id="what is far behind is not looked at"),
        ],
    )
    def test_keeps_what_can_be_shown(self, text: str, cleaned: str) -> None:
        assert clean_user_agent(text) == cleaned


class TestCleanUpstreamRequestId:
    @pytest.mark.parametrize("text", ["req_abc-1.2:3", "x" * 128])
    def test_keeps_an_identifier(self, text: str) -> None:
        assert clean_upstream_request_id(text) == text

    @pytest.mark.parametrize("text", ["", "the prompt", "x" * 129, "abc\n", "a/b", "ü"])
    def test_drops_anything_else(self, text: str) -> None:
        assert clean_upstream_request_id(text) == ""
