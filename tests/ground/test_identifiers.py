"""Identifiers: a prefix, 26 characters, sorting by time."""

import re

import pytest

from onetoken_app.identifiers import Kind, new_id


class TestNewId:
    def test_says_what_it_names(self) -> None:
        assert re.fullmatch(r"org_[0-9a-hjkmnp-tv-z]{26}", new_id(Kind.ORGANIZATION))

    def test_does_not_repeat(self) -> None:
        assert len({new_id(Kind.REQUEST) for _ in range(10_000)}) == 10_000

    def test_sorts_by_time_of_creation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = []
        for second in range(1_700_000_000, 1_700_000_100):
            monkeypatch.setattr("time.time", lambda moment=second: float(moment))
            made.append(new_id(Kind.REQUEST))
        assert made == sorted(made)

    def test_prefixes_do_not_repeat_and_fit_the_columns(self) -> None:
        assert len({kind.value for kind in Kind}) == len(Kind)
        assert all(len(new_id(kind)) <= 32 for kind in Kind)
