"""Frames: whatever the pieces in which bytes arrive, the same payloads come out."""

from hypothesis import given
from hypothesis import strategies as st

from onetoken_app.ledger import frames
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, ExtendHold, FindDeadHolds, Operation, RecordProgress, Statement
from onetoken_app.token_usage import UsageSource
from tests.ledger.desks import a_hold

OPERATIONS: list[Operation] = [
    a_hold("org_1", 2**63 - 1, request_id="req_1"),
    ExtendHold("req_1", 5),
    RecordProgress("req_1", 3, b"context"),
    CloseHold("req_1", Outcome.SETTLED, 4, UsageSource.UPSTREAM, [Statement("SQL", ["x", 1, None, True, b"y"], 1)]),
    FindDeadHolds(),
]


class TestFrameReader:
    @given(payloads=st.lists(st.binary(max_size=40)), piece_bytes=st.integers(min_value=1, max_value=60))
    def test_puts_payloads_together_again(self, payloads: list[bytes], piece_bytes: int) -> None:
        stream = b"".join(frames.frame(payload) for payload in payloads)
        reader = frames.FrameReader()
        pieces = [stream[start : start + piece_bytes] for start in range(0, len(stream), piece_bytes)]
        assert [payload for piece in pieces for payload in reader.feed(piece)] == payloads

    def test_carries_every_operation_unchanged(self) -> None:
        items = [frames.encode(item) for item in enumerate(OPERATIONS)]
        [payload] = frames.FrameReader().feed(frames.frame_of_items(items))
        assert frames.decode_operations(payload) == list(enumerate(OPERATIONS))


class TestHello:
    def test_shows_no_password(self) -> None:
        hello = frames.Hello("epo_1", "", "", "postgresql://user:secret@host/name", "info")
        assert "secret" not in repr(hello)
        assert hello.in_epoch("epo_2").postgresql_url == hello.postgresql_url
