"""Cutting event streams: on bytes, at CR and LF only, wherever the network cuts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetoken_app.providers.event_stream import EVENT_BYTES_MAX, EventReader, event_of
from onetoken_app.providers.protocol import UnusableReply

NASTY = "line\u2028separator \u2029 \u0085 \u4f60\u597d \U0001f600".encode()


def read_whole(stream: bytes, cuts: list[int]) -> list[bytes]:
    """Feed a stream cut at these places; return the data of all events."""
    reader = EventReader()
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    payloads = [payload for start, end in pairwise(edges) for payload in reader.feed(stream[start:end])]
    return payloads + reader.finish()


class TestEventReader:
    @given(
        payloads=st.lists(st.binary(min_size=1, max_size=40).filter(lambda data: not set(data) & set(b"\r\n"))),
        newline=st.sampled_from([b"\n", b"\r\n", b"\r"]),
        cuts=st.lists(st.integers(min_value=0, max_value=2_000), max_size=30),
    )
    def test_events_are_the_same_wherever_the_network_cuts(
        self, payloads: list[bytes], newline: bytes, cuts: list[int]
    ) -> None:
        stream = b"".join(b"data: " + payload + newline * 2 for payload in payloads)
        assert read_whole(stream, cuts) == payloads

    @given(cuts=st.lists(st.integers(min_value=0, max_value=200), max_size=10))
    def test_unicode_line_ends_are_no_line_ends(self, cuts: list[int]) -> None:
        assert read_whole(b"data: " + NASTY + b"\n\n", cuts) == [NASTY]

    @given(st.binary(max_size=300), st.lists(st.integers(min_value=0, max_value=300), max_size=10))
    def test_any_bytes_are_read_alike_whole_and_cut(self, stream: bytes, cuts: list[int]) -> None:
        assert read_whole(stream, cuts) == read_whole(stream, [])

    @pytest.mark.parametrize(
        ("stream", "payloads"),
        [
            pytest.param(b": ka\n\ndata: a\n\n", [b"a"], id="comments are left out"),
            pytest.param(b": ka\ndata: a\n\n", [b"a"], id="a comment right before an event"),
            pytest.param(b"id: 7\nretry: 1\nevent: x\ndata: a\n\n", [b"a"], id="other fields are left out"),
            pytest.param(b"data:\n\ndata: a\n\n", [b"a"], id="events without data are left out"),
            pytest.param(b"data:a\n\n", [b"a"], id="no space after the colon"),
            pytest.param(b"data: a\ndata: b\n\n", [b"a\nb"], id="data on several lines"),
            pytest.param(b"\n\n\ndata: a\n\n\n\n", [b"a"], id="more blank lines"),
            pytest.param(b"data: [DONE]", [b"[DONE]"], id="no blank line at the end"),
        ],
    )
    def test_reads_the_format(self, stream: bytes, payloads: list[bytes]) -> None:
        assert read_whole(stream, []) == payloads
        assert read_whole(stream, list(range(len(stream)))) == payloads

    def test_an_endless_event_is_given_up(self) -> None:
        reader = EventReader()
        reader.feed(b"x" * EVENT_BYTES_MAX)
        with pytest.raises(UnusableReply):
            reader.feed(b"x")


class TestEventOf:
    def test_writes_each_line_as_data(self) -> None:
        assert event_of(b"a") == b"data: a\n\n"
        assert event_of(b"a\nb") == b"data: a\ndata: b\n\n"
